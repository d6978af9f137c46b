"""One round on the clock: what each invited device did, and when the round was closed.

The round drawn is the middle one of those in which most devices took part.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib.lines as lines
import matplotlib.patches as patches
import numpy as np
import pandas as pd

from skiff_analysis import style, units
from skiff_analysis.load import Runs


def pick_round(rounds: pd.DataFrame) -> int:
    invited = rounds["invited"].to_numpy()
    busiest = rounds.loc[invited == invited.max(), "round"].to_numpy()
    return int(busiest[len(busiest) // 2])


def table(runs: Runs, number: int) -> pd.DataFrame:
    """One row a device: moments in seconds since the round began; absent ones end with the round."""
    key = ["run", "case", "seed", "device"]
    rows = runs.attempts[runs.attempts["round"] == number].merge(
        runs.devices[[*key, "class"]], on=key)
    rows = rows[rows["outcome"] != "refused"].copy()
    close = float(runs.rounds.loc[runs.rounds["round"] == number, "virtual_time"].iloc[0])
    begin = float(rows["selected"].min())
    for column in ("selected", "download_end", "train_end", "upload_end"):
        rows[column] -= begin
    rows["close"] = close - begin
    last = rows[["upload_end", "train_end", "download_end", "selected"]].bfill(axis=1).iloc[:, 0]
    rows["order"] = rows["upload_end"].fillna(rows["close"] + last)
    rows = rows.sort_values(["order", "device"])
    return rows[["device", "class", "outcome", "cause", "selected", "download_end", "train_end",
                 "upload_end", "close", "bytes_down", "bytes_up"]]


@style.styled
def draw(runs: Runs, folder: Path) -> None:
    first = runs.info.iloc[0]
    one = runs.rounds[(runs.rounds["run"] == first["run"]) & (runs.rounds["seed"] == first["seed"])]
    number = pick_round(one)
    data = table(runs, number)
    close = float(data["close"].iloc[0])
    divisor, unit = units.pick([close], units.TIMES)
    fig, ax = style.figure(style.TWO_COLUMNS, 0.9 + 0.13 * max(8, len(data)))
    for place, row in enumerate(data.itertuples()):
        start = row.selected
        for phase, end in (("download", row.download_end), ("train", row.train_end),
                           ("upload", row.upload_end)):
            stop = close if np.isnan(end) else end
            colour, _ = style.PHASES[phase]
            ax.barh(place, (stop - start) / divisor, left=start / divisor, height=0.75,
                    color=colour, linewidth=0)
            if np.isnan(end):
                break
            start = end
        if row.outcome != "accepted":
            ax.plot(min(stop, close) / divisor, place, marker="x", color="black", markersize=4,
                    markeredgewidth=1, clip_on=False)
    ax.axvline(close / divisor, color="black", linewidth=0.8, linestyle="--")
    ax.set_yticks(range(len(data)), list(data["class"]))
    ax.tick_params(axis="y", labelsize=5.5, length=0)
    ax.invert_yaxis()
    ax.set_xlim(0, close / divisor * 1.02)
    ax.set_xlabel(f"virtual time since the round began ({unit})")
    ax.grid(axis="y", visible=False)
    accepted = int((data["outcome"] == "accepted").sum())
    ax.set_title(f"Round {number} of {first['run']}: {len(data)} devices invited, "
                 f"{accepted} accepted", loc="left")
    handles = [patches.Patch(color=c, label=name) for name, (c, _) in style.PHASES.items()]
    handles.append(lines.Line2D([], [], color="black", marker="x", linestyle="", markersize=4,
                                label="not accepted"))
    handles.append(lines.Line2D([], [], color="black", linestyle="--", linewidth=0.8,
                                label="round closed"))
    ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, -0.13), ncols=5)
    style.save(fig, folder, "timeline", data)
