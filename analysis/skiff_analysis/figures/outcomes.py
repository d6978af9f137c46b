"""What became of the attempts, by device class (one run) or by run (several): who is lost, and why."""

import numpy as np
import pandas as pd

from .. import style
from ..groups import groups_of

LOOKS = {
    "accepted": dict(facecolor=style.GREEN),
    "late": dict(facecolor=style.YELLOW, hatch="///"),
    "refused": dict(facecolor=style.VERMILLION),
    "aborted": dict(facecolor=style.PURPLE),
}
HATCHES = ("", "xxx", "...", "\\\\\\", "+++", "ooo", "---")


def data(runs):
    """Columns row, devices, outcome, cause, attempts, share: one row a bar's piece."""
    attempts = runs.attempts
    if not len(attempts):
        return pd.DataFrame(columns=["row", "devices", "outcome", "cause", "attempts", "share"])
    if len(runs) == 1:
        row = attempts["class"].astype(str)
        order = [c for c in runs.devices["class"].cat.categories if (runs.devices["class"] == c).any()]
        devices = runs.devices["class"].value_counts()
    else:
        label = {name: line for line, names in groups_of(runs) for name in names}
        row = attempts["run"].map(label)
        order = list(dict.fromkeys(label.values()))
        devices = runs.devices["run"].map(label).value_counts()
    table = (
        attempts.assign(row=row)
        .groupby(["row", "outcome", "cause"], observed=True)
        .size()
        .rename("attempts")
        .reset_index()
    )
    table["share"] = table["attempts"] / table.groupby("row")["attempts"].transform("sum")
    table.insert(1, "devices", table["row"].map(devices).astype(int))
    table["row"] = pd.Categorical(table["row"], order)
    return table.sort_values(["row", "outcome", "cause"], ignore_index=True)


def _pieces(frame):
    """[(outcome, cause)] in order, and how each looks."""
    found = frame[["outcome", "cause"]].drop_duplicates().sort_values(["outcome", "cause"])
    looks, of_outcome = {}, {}
    for outcome, cause in found.itertuples(index=False):
        look = dict(LOOKS[outcome])
        number = of_outcome.setdefault(outcome, 0)
        of_outcome[outcome] += 1
        look.setdefault("hatch", HATCHES[number % len(HATCHES)])
        looks[(outcome, cause)] = look
    return looks


def _label(outcome, cause):
    plain = cause == "none" or (outcome, cause) == ("late", "deadline")
    return outcome if plain else f"{outcome}: {cause}"


@style.styled
def draw(runs):
    """The figure and the frame behind it."""
    frame = data(runs)
    rows = list(frame["row"].cat.categories) if len(frame) else []
    looks = _pieces(frame) if len(frame) else {}
    figure, axes = style.new_figure(style.TWO_COLUMNS, 1.25 + 0.24 * max(2, len(rows)) + 0.16 * (len(looks) > 5))
    left = np.zeros(len(rows))
    for (outcome, cause), look in looks.items():
        piece = frame[(frame["outcome"] == outcome) & (frame["cause"] == cause)].set_index("row")["share"]
        width = 100 * piece.reindex(rows).fillna(0).to_numpy()
        axes.barh(rows, width, left=left, height=0.72, edgecolor="white", label=_label(outcome, cause), **look)
        left += width
    counts = frame.groupby("row", observed=False)["attempts"].sum() if len(frame) else {}
    devices = frame.drop_duplicates("row").set_index("row")["devices"] if len(frame) else {}
    for place, row in enumerate(rows):
        tried = int(counts.get(row, 0))
        text = f"{tried:,} by {int(devices.get(row, 0)):,}" if tried else "none"
        axes.text(101, place, text, va="center", ha="left", fontsize=7)
    axes.text(101, -0.75, "attempts by devices", va="center", ha="left", fontsize=7, style="italic")
    axes.set_xlim(0, 100)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("share of attempts (%)")
    axes.set_ylabel("device class" if len(runs) == 1 else "run")
    style.set_title(axes, runs, "Outcome of attempts" + (" by device class" if len(runs) == 1 else " by run"))
    if looks:
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.32), ncol=min(5, len(looks)))
    return figure, frame
