"""Does the loss answer to the errors of layers linearly? Predicted against measured growth over random bit allocations.

    python3 -m skiff_analysis.linearity CHECKPOINT --calibration TEXT --data HELD_OUT_TEXT -o results/linearity

Malinovskii et al. 2024 (arXiv:2411.17525): loss(What) - loss(W) ~ sum_l a_l t_l^2, t_l^2 = |What_l - W_l|^2 / |W_l|^2.
One `skiff compress --predict` measures the slopes a_l on the calibration text; then every layer's bits are drawn at
random, `--allocations` times, and the growth of the loss on the held-out text is compared with what the slopes and the
errors t_l^2 of that allocation foretell. Writes linearity.svg, .png and .csv.
"""

import argparse
import random
import sys
import tempfile

import numpy as np
import pandas as pd

from . import style
from .compression_table import add_texts, trial_of


def slopes(trial, method, samples):
    """{layer: a_l}, measured on the calibration text."""
    with tempfile.TemporaryDirectory() as folder:
        report = trial.compress([("quantization", {"name": method, "bits": 4})], folder, samples, "--predict")
    return {layer["layer"]: layer["slope"] for layer in report["layers"]}


def by_bits(layers, low, high, draws):
    """Each layer's bits, drawn around a mean that is drawn too, so that allocations differ in size as in shape."""
    mean = draws.uniform(low, high)
    chosen = {}
    for layer in layers:
        bits = min(max(round(draws.gauss(mean, 1)), low), high)
        chosen.setdefault(bits, []).append(layer.removesuffix(".weight"))
    return chosen


def allocation(trial, method, chosen, slope, samples):
    steps = [("quantization", {"name": method, "bits": bits, "targets": layers}) for bits, layers in sorted(chosen.items())]
    with tempfile.TemporaryDirectory() as folder:
        report = trial.compress(steps, folder, samples)
    predicted = sum(slope[layer["layer"]] * layer["error"] for layer in report["layers"])
    return {"bits": report["bits_per_weight"], "predicted": predicted, "measured": report["loss"] - report["loss_before"]}


def correlation(frame):
    return float(np.corrcoef(frame["predicted"], frame["measured"])[0, 1])


@style.styled
def draw(frame):
    figure, axes = style.new_figure(style.ONE_COLUMN, 2.8)
    points = axes.scatter(frame["predicted"], frame["measured"], c=frame["bits"], s=14, cmap="viridis_r", zorder=3)
    end = max(frame["predicted"].max(), frame["measured"].max()) * 1.05
    axes.plot([0, end], [0, end], color="#777777", linewidth=0.7, linestyle="--", label="measured = predicted")
    figure.colorbar(points, ax=axes, label="bits a weight")
    axes.set_xlabel("predicted growth of the loss (nats)")
    axes.set_ylabel("measured growth (nats)")
    axes.set_title(f"{len(frame)} random bit allocations, correlation {correlation(frame):.3f}", loc="left")
    axes.legend(loc="upper left")
    return figure, frame


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python3 -m skiff_analysis.linearity", description=__doc__.splitlines()[0])
    add_texts(parser)
    parser.add_argument("--samples", type=int, default=32, help="texts of the calibration for the slopes")
    parser.add_argument("--allocations", type=int, default=30)
    parser.add_argument("--method", default="higgs", help="a quantizer with `bits`")
    parser.add_argument("--bits", type=int, nargs=2, default=(3, 8), metavar=("LOW", "HIGH"))
    options = parser.parse_args(arguments)
    trial = trial_of(options)
    slope = slopes(trial, options.method, options.samples)
    draws = random.Random(options.seed)
    rows = [allocation(trial, options.method, by_bits(slope, *options.bits, draws), slope, 1) for _ in range(options.allocations)]
    frame = pd.DataFrame(rows)
    for path in style.save(*draw(frame), options.out, "linearity"):
        print(path)
    print(f"correlation {correlation(frame):.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
