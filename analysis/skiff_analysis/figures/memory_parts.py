"""What a device class needs, by part, against what it may take: one bar a class and plan, 100 % the limit."""

import numpy as np
import pandas as pd

from .. import style
from .legend import legend_below

PARTS = {
    "weights": dict(facecolor=style.BLUE),
    "gradients": dict(facecolor=style.ORANGE, hatch="///"),
    "optimizer_state": dict(facecolor=style.GREEN),
    "activations": dict(facecolor=style.SKY, hatch="..."),
    "adapters": dict(facecolor=style.PURPLE),
    "scratch": dict(facecolor=style.YELLOW, hatch="xxx"),
    "runtime": dict(facecolor=style.GREY),
}
CUT = 150.0  # %; a longer bar is cut there and its number written beside


def plans(sweep):
    """{(case, plan): {part: bytes}} of the first run of each case: a plan's memory knows no chance."""
    memory = sweep.memory
    found = {}
    for case, names in sweep.groups:
        of_run = memory[memory["run"] == names[0]] if len(memory) else memory
        for plan in dict.fromkeys(of_run["plan"]) if len(of_run) else ():
            parts = of_run[of_run["plan"] == plan].set_index("part")["bytes"]
            found[(case, plan)] = {part: int(parts.get(part, 0)) for part in PARTS}
    return found


def runtimes(sweep, found):
    """{class: bytes} that its process takes before any model: peak of a device less its plan's parts.

    Taken from devices that did train, in cases of one plan, the least of them; a class that never did
    is not there.
    """
    devices = sweep.devices[sweep.devices["peak_memory"] > 0]
    known = {}
    for case, names in sweep.groups:
        of_case = [parts for (c, _), parts in found.items() if c == case]
        if len(of_case) != 1:
            continue
        mine = devices[devices["run"].isin(names)]
        for name, peak in mine.groupby("class", observed=True)["peak_memory"].max().items():
            known[name] = min(known.get(name, int(peak)), int(peak) - sum(of_case[0].values()))
    return known


def data(sweep):
    """Columns class, case, plan, part, bytes, limit, share: one row a bar's piece. Cases of the same
    memory are one (the first names it); the limit is the smallest of the class's devices."""
    found = plans(sweep)
    runtime = runtimes(sweep, found)
    seen, rows = {}, []
    devices = sweep.devices
    if not found or "class" not in devices:
        return pd.DataFrame(columns=["class", "case", "plan", "part", "bytes", "limit", "share"])
    limits = devices.groupby("class", observed=True)["memory_limit"].min()
    for key, parts in found.items():
        seen.setdefault(tuple(parts.values()), key)
    for name in [c for c in devices["class"].cat.categories if c in limits.index]:
        for case, plan in seen.values():
            parts = dict(found[(case, plan)])
            parts["runtime"] += runtime.get(name, 0)
            for part, size in parts.items():
                rows.append([name, case, plan, part, size, int(limits[name]), size / max(1, int(limits[name]))])
    return pd.DataFrame(rows, columns=["class", "case", "plan", "part", "bytes", "limit", "share"])


@style.styled
def draw(sweep):
    """The figure and the frame behind it."""
    frame = data(sweep)
    bars = list(frame[["class", "case", "plan"]].drop_duplicates().itertuples(index=False, name=None))
    classes = list(dict.fromkeys(bar[0] for bar in bars))
    places = np.array([i + 0.8 * classes.index(bar[0]) for i, bar in enumerate(bars)])
    figure, axes = style.new_figure(style.TWO_COLUMNS, 1.3 + 0.16 * max(3, len(bars) + len(classes)))
    left = np.zeros(len(bars))
    table = frame.set_index(["class", "case", "plan", "part"])
    for part, look in PARTS.items():
        width = np.array([100 * table.loc[(*bar, part), "share"] for bar in bars])
        if width.any():
            seen = np.clip(width, 0, np.maximum(0, CUT - left))
            axes.barh(places, seen, left=left, height=0.8, edgecolor="white", label=part.replace("_", " "), **look)
            left += width
    for place, bar, total in zip(places, bars, left):
        needed = frame[(frame["class"] == bar[0]) & (frame["case"] == bar[1]) & (frame["plan"] == bar[2])]
        word = "" if total <= 100 else ", does not fit"
        text = f"{_mega(needed['bytes'].sum())} of {_mega(needed['limit'].iloc[0])}{word}"
        axes.text(min(total, CUT) + 1, place, text, va="center", fontsize=6)
    axes.axvline(100, color="black", linewidth=1.2, linestyle="--", label="limit")
    several = len({bar[1:] for bar in bars}) > 1
    names = [bar[0] if not several else f"{bar[0]}  {bar[1]}{'' if bar[2] == 'all' else ' ' + bar[2]}" for bar in bars]
    axes.set_yticks(places, names, fontsize=6)
    axes.set_xlim(0, CUT + 45)
    axes.set_xticks(range(0, int(CUT) + 1, 25))
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("memory needed, share of what the class may take (%)")
    style.set_title(axes, sweep, "Memory by part against the limit")
    legend_below(axes, columns=8)
    return figure, frame


def _mega(size):
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
