"""State of charge of the devices that are asked, and how many are at work, over virtual time."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .. import style, units
from ..runs import NotARun
from .round_times import TIMES

BINS = 60


def data(sweep):
    """Columns case, time (s, middle of a bin), low, median, high (the 10th, 50th and 90th percentile of
    the charge at selection), at_work (the mean number of devices between selection and their last word,
    over the runs that go on that long).
    """
    attempts = sweep.attempts
    if not len(attempts) or "battery_start" not in attempts:
        raise NotARun(f"{sweep.runs[0].path}: no attempts were recorded (record.attempts)")
    end = attempts[TIMES].max(axis=1)
    edges = np.linspace(0, max(float(end.max()), float(attempts["selected"].max()), 1e-9), BINS + 1)
    parts = []
    for case, names in sweep.groups:
        mine = attempts["run"].isin(names)
        begun, ended = attempts["selected"][mine].to_numpy(), end[mine].to_numpy()
        known = np.isfinite(ended)
        charge = attempts["battery_start"][mine].to_numpy()
        place = np.clip(np.searchsorted(edges, begun, side="right") - 1, 0, BINS - 1)
        ribbon = [
            np.nanpercentile(here, [10, 50, 90]) if np.isfinite(here).any() else [np.nan] * 3
            for here in (charge[place == b] for b in range(BINS))
        ]
        run_ends = np.sort(end[mine].groupby(attempts["run"][mine], sort=False).max().to_numpy())
        overlap = [
            np.clip(np.minimum(ended[known], high) - np.maximum(begun[known], low), 0, None).sum() / (high - low)
            for low, high in zip(edges[:-1], edges[1:])
        ]
        going_on = len(run_ends) - np.searchsorted(run_ends, edges[1:] - 1e-9 * edges[-1])
        going_on = np.where(going_on > 0, going_on, np.nan)
        low, median, high = np.array(ribbon).T
        parts.append(pd.DataFrame({"case": case, "time": (edges[:-1] + edges[1:]) / 2, "low": low, "median": median,
                                   "high": high, "at_work": np.array(overlap) / going_on}))
    return pd.concat(parts, ignore_index=True)


@style.styled
def draw(sweep):
    """The figure and the frame behind it."""
    frame = data(sweep)
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.6), constrained_layout=True)
    left, right = figure.subplots(1, 2)
    symbol, size = units.scale("s", frame["time"].max())
    for number, (case, line) in enumerate(frame.groupby("case", sort=False)):
        look = style.line_style(number)
        charged = line[line["median"].notna()]
        left.plot(charged["time"] / size, 100 * charged["median"], label=case, markevery=style.markers(len(line)), **look)
        left.fill_between(charged["time"] / size, 100 * charged["low"], 100 * charged["high"], color=look["color"],
                          alpha=0.15, linewidth=0)
        right.plot(line["time"] / size, line["at_work"], label=case, markevery=style.markers(len(line)), **look)
    left.set_ylim(0, 100)
    left.set_ylabel("state of charge (%)")
    right.set_ylim(bottom=0)
    right.set_ylabel("devices")
    for axes in (left, right):
        axes.set_xlim(left=0)
        axes.set_xlabel(f"virtual time ({symbol})")
    style.set_title(left, sweep, "Charge of the devices asked: median, 10 to 90 %")
    style.set_title(right, sweep, "Devices at work")
    if frame["case"].nunique() > 1:
        left.legend(loc="lower left")
    return figure, frame
