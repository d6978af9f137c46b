"""How long devices and rounds take: the distributions, their tails, one line a case."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from .. import style, units
from .legend import legend_below

SHARES = np.sort(np.round(np.append(np.arange(101) / 100, [0.995, 0.999]), 3))
TIMES = ["download_end", "train_end", "upload_end"]


def durations(sweep):
    """{(case, "device" or "round"): seconds}: from selection to the last that was heard of an attempt
    (refused ones never began), and from the close of a round to that of the next."""
    found = {}
    attempts, rounds = sweep.attempts, sweep.rounds
    for case, names in sweep.groups:
        if len(attempts):
            tried = attempts[attempts["run"].isin(names)]
            took = tried[TIMES].max(axis=1) - tried["selected"]
            found[(case, "device")] = took[took.notna()].to_numpy()
        lengths = []
        for name in names:
            closed = rounds.loc[rounds["run"] == name].sort_values("round")
            closed = closed.loc[closed["round"] > 0, "virtual_time"].to_numpy()
            lengths.append(np.diff(closed, prepend=0.0))
        found[(case, "round")] = np.concatenate(lengths)
    return found


def data(sweep):
    """Columns case, of (device or round), count, share, seconds: the quantiles, lower values taken."""
    parts = []
    for (case, of), values in durations(sweep).items():
        values = np.sort(values)
        if len(values):
            place = np.ceil(np.round(SHARES * len(values), 6)).astype(int).clip(1) - 1
            parts.append(pd.DataFrame(
                {"case": case, "of": of, "count": len(values), "share": SHARES, "seconds": values[place]}))
    columns = ["case", "of", "count", "share", "seconds"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


@style.styled
def draw(sweep):
    """The figure and the frame behind it."""
    frame = data(sweep)
    figure = Figure(figsize=(style.TWO_COLUMNS, 2.2), constrained_layout=True)
    panels = figure.subplots(1, 2)
    titles = {"device": "Time of a device, from its selection", "round": "Length of a round"}
    for axes, of in zip(panels, titles):
        shown = frame[frame["of"] == of]
        largest = shown["seconds"].max() if len(shown) else 1
        symbol, size = units.scale("s", largest)
        for number, case in enumerate(sweep.cases):
            line = shown[shown["case"] == case]
            if not len(line):
                continue
            at = line.set_index("share")["seconds"] / size
            tail = ", ".join(f"{at.loc[share]:.3g}" for share in (0.5, 0.95, 0.99))
            axes.plot(line["seconds"] / size, line["share"], drawstyle="steps-post", label=f"{case}: {tail} {symbol}",
                      markevery=12, **style.line_style(number))
        if len(shown) and (shown["seconds"] > 0).all() and largest / shown["seconds"].min() > 20:
            axes.set_xscale("log")
            symbol += ", logarithmic"
        axes.set_xlabel(f"virtual time ({symbol})")
        axes.set_ylabel("share that took no longer")
        axes.set_ylim(0, 1.02)
        style.set_title(axes, sweep, titles[of])
        if len(shown):
            legend_below(axes, title="median, 95 %, 99 %")
    return figure, frame
