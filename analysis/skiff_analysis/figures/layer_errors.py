"""What compression did to each layer: its relative error against its bits, and the mean error against the metric.

Layers are compared at the last round in which they were compressed. If the loss answers to the errors of layers
linearly, the right panel's points lie on a line; the line drawn is that of least squares over the runs.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .. import style, units
from ..runs import NotARun
from .legend import legend_below


def data(sweep, metric):
    """Columns case, run, layer, bits, error (|W - W'|^2 / |W|^2), metric (of the run's end): one row a layer."""
    layers = sweep.layers
    if not len(layers) or not np.isfinite(layers.get("error", pd.Series(dtype=float))).any():
        raise NotARun(f"{sweep.runs[0].path}: no errors of layers were recorded (record.layers)")
    known = layers[np.isfinite(layers["error"])].sort_values("round", kind="stable")
    last = known.groupby(["run", "layer"], sort=False, observed=True).tail(1)
    ends = sweep.of(metric).groupby("run", sort=False)["value"].last()
    label = {name: case for case, names in sweep.groups for name in names}
    order = {name: i for i, name in enumerate(sweep.names)}
    frame = pd.DataFrame({"case": last["run"].map(label), "run": last["run"], "layer": last["layer"].astype(str),
                          "bits": last["bits"].astype(float), "error": last["error"], metric: last["run"].map(ends)})
    return frame.iloc[np.lexsort((frame["layer"], frame["run"].map(order)))].reset_index(drop=True)


def line_of(x, y):
    """(slope, intercept) of least squares; NaN if there is no spread."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 2 or np.ptp(x) == 0:
        return np.nan, np.nan
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    return slope, float(y.mean() - slope * x.mean())


@style.styled
def draw(sweep, metric):
    """The figure and the frame behind it."""
    frame = data(sweep, metric)
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.8), constrained_layout=True)
    left, right = figure.subplots(1, 2)
    means = frame.groupby(["case", "run"], sort=False).agg(error=("error", "mean"), end=(metric, "first")).reset_index()
    for number, (case, layers) in enumerate(frame.groupby("case", sort=False)):
        look = {**style.line_style(number), "linestyle": "none"}
        positive = layers[layers["error"] > 0]
        left.semilogy(positive["bits"], positive["error"], label=case, alpha=0.8, **look)
        runs = means[means["case"] == case]
        right.plot(runs["error"], runs["end"], **look)
    slope, intercept = line_of(means["error"], means["end"])
    if np.isfinite(slope):
        x = np.array([means["error"].min(), means["error"].max()])
        right.plot(x, intercept + slope * x, color="#777777", linewidth=0.7, linestyle="--", label=f"least squares, slope {slope:.3g}")
        right.legend(loc="best")
    left.set_xlabel("bits a weight")
    left.set_ylabel("relative squared error (logarithmic)")
    right.set_xlabel("mean relative squared error of the layers")
    right.ticklabel_format(axis="x", style="plain", useOffset=False)
    right.set_ylabel(units.label_of(metric))
    style.set_title(left, sweep, "Error of each layer")
    style.set_title(right, sweep, f"{units.name_of(metric).capitalize()} at the end, a point a run")
    if frame["case"].nunique() > 1:
        legend_below(left)
    return figure, frame
