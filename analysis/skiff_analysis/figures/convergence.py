"""A metric of the server's model against rounds, bytes, virtual time or energy.

Bytes and energy are the totals of the whole fleet so far, wasted ones included. Several runs are
drawn as one line each; a scale is logarithmic where it must be (bytes; suboptimality).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from skiff_analysis import style, units
from skiff_analysis.load import Runs

PREFERRED = ["test_accuracy", "next_token_accuracy", "suboptimality", "test_loss", "train_loss"]
LABELS = {
    "test_accuracy": "test accuracy (%)",
    "test_loss": "test loss",
    "train_loss": "training loss",
    "suboptimality": "distance to the optimum f − f*",
    "gradient_norm": "norm of the gradient",
}
SCALED = {"test_accuracy": 100.0}


def main_metric(rounds: pd.DataFrame) -> str | None:
    """The first of PREFERRED that was measured."""
    for name in PREFERRED:
        if name in rounds and rounds[name].notna().any():
            return name
    return None


def axis_values(rounds: pd.DataFrame, axis: str) -> tuple[pd.Series, list | None, str]:
    """Values, the units to choose from, and the label of an x axis; for one run."""
    if axis == "rounds":
        return rounds["round"].astype(float), None, "round"
    if axis == "bytes":
        total = (rounds["bytes_up"].astype(float) + rounds["bytes_down"].astype(float)).cumsum()
        return total, units.BYTES, "sent and received by all devices"
    if axis == "time":
        return rounds["virtual_time"], units.TIMES, "virtual time"
    return rounds["energy"].cumsum(), units.ENERGIES, "energy of all devices"


def table(runs: Runs, axis: str, metric: str) -> tuple[pd.DataFrame, str]:
    """Tidy rows (run, case, seed, round, x, metric), and the label of x."""
    parts, unit_list, label = [], None, axis
    for key, rounds in runs.rounds.groupby(["run", "case", "seed"], sort=False):
        rounds = rounds.sort_values("round")
        x, unit_list, label = axis_values(rounds, axis)
        part = pd.DataFrame({"run": key[0], "case": key[1], "seed": key[2],
                             "round": rounds["round"], "x": x, metric: rounds[metric]})
        parts.append(part[part[metric].notna()])
    data = pd.concat(parts, ignore_index=True)
    if unit_list is not None:
        divisor, unit = units.pick(data["x"], unit_list)
        data["x"] = data["x"] / divisor
        label = f"{label} ({unit})"
    return data, label


def line_label(key: tuple, keys: list[tuple]) -> str:
    """As much of (run, case, seed) as tells the lines apart."""
    differing = [i for i in range(3) if len({k[i] for k in keys}) > 1]
    words = [str(key[i]) if i < 2 else f"seed {key[i]}" for i in differing if str(key[i])]
    return ", ".join(words) or str(key[0])


@style.styled
def draw(runs: Runs, folder: Path, axis: str, name: str | None = None) -> None:
    metric = main_metric(runs.rounds)
    if metric is None:
        raise ValueError("no metric of the model was measured")
    data, label = table(runs, axis, metric)
    data[metric] *= SCALED.get(metric, 1.0)
    data = data.rename(columns={"x": axis})
    fig, ax = style.figure(style.ONE_COLUMN, 2.3)
    groups = list(data.groupby(["run", "case", "seed"], sort=False))
    keys = [key for key, _ in groups]
    for i, (key, line) in enumerate(groups):
        every = max(1, len(line) // 10)
        ax.plot(line[axis], line[metric], label=line_label(key, keys), markevery=every,
                **style.series(i))
    ax.set_xlabel(label)
    ax.set_ylabel(LABELS.get(metric, metric.replace("_", " ")))
    if axis == "bytes":
        ax.set_xscale("log")
    elif len(data):
        ax.set_xlim(left=0)
    if metric in ("suboptimality", "gradient_norm") and (data[metric] > 0).any():
        ax.set_yscale("log")
    if len(groups) > 1:
        ax.legend()
    else:
        ax.set_title(f"{keys[0][0]}, seed {keys[0][2]}", loc="left")
    best = data[metric].max() if metric.endswith("accuracy") else np.nan
    if np.isfinite(best) and len(groups) == 1:
        ax.axhline(best, color="#888888", linewidth=0.6, linestyle=":")
        ax.annotate(f"best {best:.1f} %", (1, best), xycoords=("axes fraction", "data"),
                    xytext=(0, 2), textcoords="offset points", ha="right", va="bottom",
                    fontsize=7, color="#555555")
        ax.margins(y=0.12)
    kind = "accuracy" if metric.endswith("accuracy") else metric
    style.save(fig, folder, name or f"{kind}_{axis}", data)
