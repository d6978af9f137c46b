"""One round as it happened: who downloaded, trained and uploaded when, and who was in time."""

import numpy as np
import pandas as pd

from .. import style

PHASES = (
    ("download", "selected", "download_end", dict(facecolor=style.SKY)),
    ("train", "download_end", "train_end", dict(facecolor=style.ORANGE, hatch="...")),
    ("upload", "train_end", "upload_end", dict(facecolor=style.BLUE)),
)
MARKS = {"accepted": ("o", style.GREEN), "late": ("x", style.VERMILLION), "aborted": ("X", style.PURPLE),
         "refused": ("s", style.BLACK)}
MOST_ROWS = 40


def typical_round(runs):
    """The round whose length is the median of those with an accepted update."""
    rounds = runs.rounds
    attempts = runs.attempts
    began = attempts.groupby("round")["selected"].min()
    length = rounds.set_index("round")["virtual_time"] - began
    good = rounds.set_index("round")["accepted"] > 0
    length = length[good.reindex(length.index, fill_value=False)].dropna().sort_values(kind="stable")
    return int(length.index[(len(length) - 1) // 2]) if len(length) else int(attempts["round"].iloc[0])


def data(runs, round=None):
    """Columns device, class, outcome, cause, selected, download_end, train_end, upload_end, in seconds
    since the round began, and end: one row an attempt, the earliest end first."""
    attempts = runs.attempts
    if not len(attempts):
        return pd.DataFrame(), 0, np.nan
    number = typical_round(runs) if round is None else round
    chosen = attempts[attempts["round"] == number]
    times = ["selected", "download_end", "train_end", "upload_end"]
    frame = chosen[["device", "class", "outcome", "cause", *times]].copy()
    start = frame["selected"].min()
    frame[times] -= start
    closed = runs.rounds.loc[runs.rounds["round"] == number, "virtual_time"]
    closed = closed.iloc[0] - start if len(closed) else np.nan
    frame["end"] = frame[times].max(axis=1)
    # Who is late works on until the round is closed, whatever stage that cuts short.
    cut = (frame["outcome"] == "late") & frame["upload_end"].isna() & np.isfinite(closed)
    frame.loc[cut, "end"] = closed
    frame = frame.sort_values(["end", "device"], kind="stable", ignore_index=True)
    return frame, number, closed


PALE = 0.45  # opacity of what was not finished


@style.styled
def draw(runs, round=None):
    """The figure and the frame behind it."""
    frame, number, closed = data(runs, round)
    shown = frame
    if len(frame) > MOST_ROWS:  # evenly from the fastest to the slowest
        places = np.linspace(0, len(frame) - 1, MOST_ROWS).round().astype(int)
        shown = frame.iloc[np.unique(places)].reset_index(drop=True)
    figure, axes = style.new_figure(style.TWO_COLUMNS, 1.3 + 0.13 * max(4, len(shown)))
    places = np.arange(len(shown))
    cut_any = False
    for label, begin, end, look in PHASES:
        if not len(shown):
            break
        width = (shown[end] - shown[begin]).to_numpy(float)
        known = np.isfinite(width)
        axes.barh(places[known], width[known], left=shown[begin][known], height=0.7, label=label,
                  edgecolor="white", **look)
        cut = (shown[begin].notna() & shown[end].isna() & (shown["outcome"] == "late")).to_numpy()
        axes.barh(places[cut], (shown["end"] - shown[begin])[cut], left=shown[begin][cut], height=0.7,
                  edgecolor="white", alpha=PALE, **look)
        cut_any = cut_any or cut.any()
    if cut_any:  # nothing to see: for the legend alone
        axes.barh([0], [0], color="0.4", alpha=PALE, label="cut off by the close")
    for outcome, (marker, colour) in MARKS.items():
        if not len(shown):
            break
        of_outcome = (shown["outcome"] == outcome).to_numpy()
        if not of_outcome.any():
            continue
        axes.plot(shown["end"][of_outcome], places[of_outcome], marker, color=colour, markersize=4,
                  linestyle="none", label=outcome, clip_on=False, zorder=3)
    if np.isfinite(closed):
        axes.axvline(closed, color="black", linewidth=0.9, linestyle="--", label="round closed")
    for place, row in zip(places, shown.itertuples()):
        if row.outcome in ("refused", "aborted"):
            axes.annotate(row.cause, (row.end, place), (5, 0), textcoords="offset points", va="center", fontsize=6)
    names = [f"{c} {d}" for c, d in zip(shown["class"], shown["device"])] if len(shown) else []
    axes.set_yticks(places, names, fontsize=6)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("virtual time since the round began (s)")
    axes.set_ylabel("device")
    more = f", {len(shown)} of its {len(frame)} attempts" if len(shown) < len(frame) else ""
    style.set_title(axes, runs, f"Round {number} as it happened{more}")
    if len(shown):
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure, frame
