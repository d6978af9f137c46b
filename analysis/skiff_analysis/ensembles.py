"""Accuracy against what a prediction costs: every prefix of every distilled ensemble of a sweep.

    python3 -m skiff_analysis.ensembles results/ensembles -o results/ensembles/figures

A prefix of m members multiplies with the weights of their matrices once; two operations each. Means over seeds; a seed
draws data, teacher and students, so its own level (the mean of all its cases) is taken off before the 95 % interval. Writes accuracy-by-flops.svg, .png and .csv.
"""

import argparse
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from . import style
from .statistics import student_quantile

PREFIX, TEST = 3, 0  # of /evaluations: scope, split


def multiplied(model):
    """Weights of matrices by member, in order: slices are called member.N.layer.weight."""
    members = {}
    for name, rows, cols in zip(model["slice"].asstr()[:], model["rows"][:], model["cols"][:]):
        if min(int(rows), int(cols)) > 1:
            number = int(name.split(".")[1]) if name.startswith("member.") else 0
            members[number] = members.get(number, 0) + int(rows) * int(cols)
    return [members[m] for m in sorted(members)]


def prefixes_of(path):
    with h5py.File(path) as run:
        table = {name: run["evaluations"][name][:] for name in ("round", "scope", "split", "metric", "entity", "value")}
        words = run["evaluations"]["metric"].attrs["flag_meanings"].split()
        case, seed = run.attrs["case"], int(run.attrs["seed"])
        weights = multiplied(run["model"])
    last = (table["round"] == table["round"].max()) & (table["scope"] == PREFIX) & (table["split"] == TEST)
    last &= table["metric"] == words.index("test_accuracy")
    for members, value in zip(table["entity"][last], table["value"][last]):
        yield {"case": case, "seed": seed, "members": int(members), "flops": 2 * sum(weights[: int(members)]), "accuracy": value}


def summary(rows):
    table = pd.DataFrame(rows)
    table["accuracy"] += table["accuracy"].mean() - table.groupby("seed")["accuracy"].transform("mean")
    grouped = table.groupby(["case", "members"], sort=False)
    frame = grouped.agg(flops=("flops", "mean"), accuracy=("accuracy", "mean"), seeds=("accuracy", "size"), spread=("accuracy", "std"))
    quantiles = [student_quantile(0.95, seeds - 1) if seeds > 1 else np.nan for seeds in frame["seeds"]]
    frame["half_width"] = quantiles * frame["spread"] / np.sqrt(frame["seeds"])
    return frame.drop(columns="spread").reset_index()


@style.styled
def draw(frame):
    figure, axes = style.new_figure(style.ONE_COLUMN, 3.0)
    for case, rows in frame.groupby("case", sort=False):
        rows = rows.sort_values("flops")
        axes.errorbar(rows["flops"] / 1000, 100 * rows["accuracy"], 100 * rows["half_width"], marker="o", markersize=3.5, capsize=2, label=case)
    axes.set_xlabel("operations of a prediction (thousands)")
    axes.set_ylabel("test accuracy (%)")
    axes.set_title("Accuracy by the cost of a prediction", loc="left")
    axes.legend(loc="lower right", fontsize="x-small")
    return figure, frame


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python3 -m skiff_analysis.ensembles", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-o", "--out", required=True)
    options = parser.parse_args(arguments)
    rows = [row for path in sorted(options.folder.rglob("run.h5")) for row in prefixes_of(path)]
    if not rows:
        parser.error(f"{options.folder} has no run whose prefixes were measured")
    frame = summary(rows)
    for path in style.save(*draw(frame), options.out, "accuracy-by-flops"):
        print(path)
    print(frame.to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
