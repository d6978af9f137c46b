"""What became of the attempts of each device class, as shares of its attempts."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from skiff_analysis import style
from skiff_analysis.load import Runs


def table(runs: Runs) -> pd.DataFrame:
    """Rows (class, outcome, cause, attempts)."""
    devices = runs.devices[["run", "case", "seed", "device", "class"]]
    attempts = runs.attempts.merge(devices, on=["run", "case", "seed", "device"])
    counted = attempts.groupby(["class", "outcome", "cause"], observed=True).size()
    return counted.rename("attempts").reset_index()


@style.styled
def draw(runs: Runs, folder: Path) -> None:
    data = table(runs)
    counts = data.pivot_table(index="class", columns="outcome", values="attempts", aggfunc="sum",
                              observed=True, fill_value=0)
    counts = counts.loc[[c for c in counts.index if counts.loc[c].sum() > 0]]
    totals = counts.sum(axis=1)
    shares = counts.div(totals, axis=0) * 100
    fig, ax = style.figure(style.TWO_COLUMNS, 0.9 + 0.33 * len(shares))
    left = pd.Series(0.0, index=shares.index)
    places = range(len(shares))
    for outcome, (colour, hatch) in style.OUTCOMES.items():
        if outcome not in shares:
            continue
        ax.barh(places, shares[outcome], left=left, color=colour, hatch=hatch,
                edgecolor="white", linewidth=0.4, label=outcome, height=0.72)
        for place, share, start in zip(places, shares[outcome], left):
            if share >= 7:
                ax.text(start + share / 2, place, f"{share:.0f} %", ha="center", va="center",
                        fontsize=7, bbox={"boxstyle": "round,pad=0.15", "fc": "white",
                                          "ec": "none", "alpha": 0.8})
        left = left + shares[outcome]
    ax.set_yticks(list(places), [f"{c}  ({int(totals[c]):,})" for c in shares.index])
    ax.invert_yaxis()
    ax.set_xlim(0, 100)
    ax.set_xlabel("share of a class's attempts (%); in brackets: how many")
    ax.grid(axis="y", visible=False)
    causes = data[data["outcome"] != "accepted"]
    causes = causes[causes["cause"] != "none"].groupby("cause", observed=True)["attempts"].sum()
    note = ", ".join(f"{cause} {n:,}" for cause, n in causes.items() if n > 0)
    title = "What became of each device class's attempts"
    ax.set_title(title + (f"   (lost by cause: {note})" if note else ""), loc="left")
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.42 / len(shares) - 0.12), ncols=4)
    style.save(fig, folder, "outcomes", data)
