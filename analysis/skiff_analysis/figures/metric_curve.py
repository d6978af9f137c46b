"""A metric against rounds, bytes, virtual time or energy: what progress costs."""

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, NullFormatter

from .. import style, units
from ..groups import band, groups_of
from .legend import legend_below

AXES = ("rounds", "bytes", "time", "energy")
# Further axes, for the asking: one direction alone.
EXTRA_AXES = ("bytes-up", "bytes-down")
DIRECTIONS = (("up", "bytes_up"), ("down", "bytes_down"), ("up + down", "total"))


def costs(rounds):
    """What was spent up to the end of each round of one run, in the file's units."""
    down, up = rounds["bytes_down"].cumsum(), rounds["bytes_up"].cumsum()
    return pd.DataFrame(
        {
            "rounds": rounds["round"],
            "time": rounds["virtual_time"],
            "energy": rounds["energy"].cumsum(),
            "bytes_up": up,
            "bytes_down": down,
            "total": up + down,
        }
    )


def data(runs, metric, axis):
    """Columns line, x (rounds, B, s or J), mean, half_width, runs: one row a point. `axis`: of AXES or EXTRA_AXES.

    Against bytes a single line is split in three: up, down, both; several lines show both.
    """
    groups = groups_of(runs)
    parts = []
    for label, members in groups:
        curves = {}
        for name in members:
            rounds = runs.rounds[runs.rounds["run"] == name]
            measured = rounds[metric].notna() if metric in rounds else pd.Series(False, rounds.index)
            spent = costs(rounds)[measured]
            columns = [("", axis.replace("-", "_"))]
            if axis == "bytes":
                columns = DIRECTIONS if len(groups) == 1 else [("", "total")]
            for suffix, column in columns:
                curves.setdefault(suffix, []).append((spent[column], rounds[metric][measured] if len(spent) else []))
        for suffix, members_curves in curves.items():
            points = band(members_curves)
            points.insert(0, "line", suffix if suffix else label)
            parts.append(points)
    return pd.concat(parts, ignore_index=True)


def _in_bytes(axis):
    return axis.startswith("bytes")


def _axis_label(axes, frame, axis, lines):
    largest = frame["x"].max() if len(frame) else 1
    if axis == "rounds":
        axes.set_xlabel("round")
        return 1
    unit = "B" if _in_bytes(axis) else {"time": "s", "energy": "J"}[axis]
    if unit == "B":  # decades: each tick says its own unit
        symbol, size = "B", 1
    else:
        symbol, size = units.scale(unit, largest)
    total = "" if len(lines) > 1 and "up" in lines else ", up + down"
    axes.set_xlabel(
        {
            "bytes": f"sent over the air{total} (logarithmic)",
            "bytes-up": "sent by the devices (logarithmic)",
            "bytes-down": "sent to the devices (logarithmic)",
            "time": f"virtual time ({symbol})",
            "energy": f"energy of all devices ({symbol})",
        }[axis]
    )
    return size


@style.styled
def draw(runs, metric, axis):
    """The figure and the frame behind it."""
    frame = data(runs, metric, axis)
    figure, axes = style.new_figure()
    lines = list(dict.fromkeys(frame["line"]))
    size = _axis_label(axes, frame, axis, lines)
    for number, line in enumerate(lines):
        points = frame[frame["line"] == line]
        look = style.line_style(number)
        x = points["x"] / size
        several = points["runs"].max() > 1
        label = f"{line}, mean of {points['runs'].max()}" if several and len(lines) <= 4 else line
        axes.plot(x, points["mean"], label=label, markevery=style.markers(len(points)), **look)
        if points["half_width"].notna().any():
            low, high = points["mean"] - points["half_width"], points["mean"] + points["half_width"]
            axes.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)
    if _in_bytes(axis) and (frame["x"] > 0).any():
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(_bytes_tick))
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif len(frame):
        axes.set_xlim(left=0)
    if metric in ("suboptimality", "gradient_norm") and (frame["mean"] > 0).all():
        axes.set_yscale("log")
    axes.set_ylabel(units.label_of(metric))
    against = {"bytes-up": "uploads", "bytes-down": "downloads", "time": "virtual time"}.get(axis, axis)
    text = units.name_of(metric)
    if np.isfinite(frame["half_width"]).any():
        against += ", with 95 % bands"
    if len(lines) > 4 and frame["runs"].max() > 1:
        text = f"mean {text}"
    style.set_title(axes, runs, f"{text[0].upper()}{text[1:]} against {against}")
    if len(lines) > 4:  # no corner is free
        legend_below(axes)
    elif len(lines) > 1 or len(runs) > 1:
        place = "upper right"
        if _rises(frame):
            place = "upper left" if _in_bytes(axis) else "lower right"
        axes.legend(loc=place)
    return figure, frame


def _bytes_tick(value, _):
    symbol, size = units.scale("B", value)
    return f"{value / size:g} {symbol}"


def _rises(frame):
    first = frame.groupby("line")["mean"].first().mean()
    last = frame.groupby("line")["mean"].last().mean()
    return last >= first
