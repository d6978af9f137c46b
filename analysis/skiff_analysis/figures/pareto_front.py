"""A metric against what it cost, one point a case: the Pareto front, and how much of the box it covers."""

import numpy as np
import pandas as pd

from .. import comparison, pareto, style, units
from ..runs import NotARun
from ..statistics import interval
from ..sweep import rises
from .legend import legend_below

# What a case may be charged with: the axis, its unit.
COSTS = {
    "bytes_up": ("bytes sent by all devices", "B"),
    "bytes_down": ("bytes received by all devices", "B"),
    "bytes": ("bytes over the air, up + down", "B"),
    "virtual_time": ("virtual time", "s"),
    "energy": ("energy of all devices", "J"),
    "peak_memory": ("peak memory of the largest device", "B"),
}


def data(sweep, metric, cost, measure="final"):
    """One row a case: cost and value (mean and half-width), whether it is on the front, and the share of
    the box that the whole front dominates: from no cost to 1.1 times the largest, and from nothing (or
    1.1 times the worst loss) to perfection. 0: useless; 1: perfect for free.
    """
    if cost not in COSTS:
        raise NotARun(f"no cost {cost}; there are {', '.join(COSTS)}")
    table = comparison.measures(sweep, metric)
    table["bytes"] = table["bytes_up"] + table["bytes_down"]
    rows = []
    for case in sweep.cases:
        runs = table[table["case"] == case]
        spent, value = interval(runs[cost]), interval(runs[measure])
        rows.append([case, len(runs), spent.mean, spent.half_width, value.mean, value.half_width])
    names = ["case", "seeds", "cost", "cost_half_width", "value", "value_half_width"]
    frame = pd.DataFrame(rows, columns=names)
    points, best = frame[["cost", "value"]].to_numpy(), ("min", "max" if rises(metric) else "min")
    frame["front"] = pareto.front(points, best)
    worst = 0.0 if rises(metric) else 1.1 * frame["value"].max()
    reference = (1.1 * frame["cost"].max(), worst)
    box = reference[0] * abs((1.0 if rises(metric) else 0.0) - worst)
    frame["dominated_share"] = pareto.hypervolume(points, reference, best) / box if box > 0 else np.nan
    return frame


@style.styled
def draw(sweep, metric, cost, measure="final"):
    """The figure and the frame behind it."""
    frame = data(sweep, metric, cost, measure)
    figure, axes = style.new_figure(style.ONE_COLUMN, 2.3)
    label, unit = COSTS[cost]
    symbol, size = units.scale(unit, frame["cost"].max())
    on_front = frame[frame["front"]].sort_values(["cost", "value"], kind="stable")
    axes.step(on_front["cost"] / size, on_front["value"], where="post", color="#777777", linewidth=0.8,
              label="Pareto front", zorder=1)
    for number, row in enumerate(frame.itertuples()):
        look = style.line_style(number)
        axes.errorbar(
            row.cost / size, row.value, xerr=np.nan_to_num(row.cost_half_width) / size,
            yerr=np.nan_to_num(row.value_half_width), color=look["color"], marker=look["marker"], markersize=5,
            linestyle="none", elinewidth=0.8, label=row.case, markerfacecolor=look["color"] if row.front else "white",
        )
    positive = frame["cost"][frame["cost"] > 0]
    if len(positive) == len(frame) and positive.max() / positive.min() > 5:
        axes.set_xscale("log")
        symbol += ", logarithmic"
    axes.set_xlabel(f"{label} ({symbol})")
    axes.set_ylabel(f"{measure} {units.label_of(metric)}")
    share = frame["dominated_share"].iloc[0]
    title = f"{measure.capitalize()} {units.name_of(metric)} against {cost.replace('_', ' ')}"
    style.set_title(axes, sweep, f"{title}\nfilled: on the front; dominated share {share:.3f}")
    legend_below(axes)
    return figure, frame
