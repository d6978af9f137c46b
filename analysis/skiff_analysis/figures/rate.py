"""Convergence in log-log: the slope that was measured beside the slope that theory promises.

The slope is that of least squares on the logarithms of the mean over seeds, over the last half of the
logarithmic range of rounds; -1 is an error of 1/t, -1/2 one of 1/sqrt(t).
"""

import numpy as np
import pandas as pd

from .. import style, units
from ..groups import band
from ..runs import NotARun
from .legend import legend_below


def slope_of(x, y):
    """(slope, factor) of y = factor * x^slope."""
    x, y = np.log(np.asarray(x, float)), np.log(np.asarray(y, float))
    if len(x) < 2 or x.max() == x.min():
        return np.nan, np.nan
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    return slope, float(np.exp(y.mean() - slope * x.mean()))


def data(sweep, metric):
    """Columns case, round, value (the mean over seeds), slope, fitted (whether it counted for the slope)."""
    points = sweep.of(metric)
    parts = []
    for case in sweep.cases:
        mine = points[(points["case"] == case) & (points["round"] > 0)]
        curve = band([(run["round"], run["value"]) for _, run in mine.groupby("run", sort=False)])
        curve = curve[curve["mean"] > 0]
        if not len(curve):
            continue
        x = curve["x"].to_numpy(float)
        tail = x >= np.sqrt(x[0] * x[-1]) - 1e-9
        slope, _ = slope_of(x[tail], curve["mean"].to_numpy()[tail])
        parts.append(pd.DataFrame({"case": case, "round": x.astype(int), "value": curve["mean"].to_numpy(), "slope": slope,
                                   "fitted": tail}))
    if not parts:
        raise NotARun(f"{sweep.runs[0].path}: {metric} is nowhere positive; a logarithm needs that")
    return pd.concat(parts, ignore_index=True)


@style.styled
def draw(sweep, metric, theory=(-1.0,)):
    """The figure and the frame behind it; `theory`: slopes drawn for comparison."""
    frame = data(sweep, metric)
    figure, axes = style.new_figure(style.ONE_COLUMN, 2.3)
    for number, (case, line) in enumerate(frame.groupby("case", sort=False)):
        axes.loglog(line["round"], line["value"], label=f"{case}, slope {line['slope'].iloc[0]:.2f}",
                    markevery=style.markers(len(line)), **style.line_style(number))
    x = np.array([frame["round"].min(), frame["round"].max()], float)
    top = frame["value"].max()
    for slope in theory:
        axes.loglog(x, top * (x / x[0]) ** slope, color="#777777", linewidth=0.7, linestyle="--",
                    label=f"slope {slope:g}")
    axes.set_ylim(frame["value"].min() / 1.5, top * 1.5)
    axes.set_xlabel("round (logarithmic)")
    axes.set_ylabel(f"{units.label_of(metric)} (logarithmic)")
    style.set_title(axes, sweep, f"Rate of convergence: {units.name_of(metric)}")
    legend_below(axes)
    return figure, frame
