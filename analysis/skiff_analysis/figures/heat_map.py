"""A measure over two swept keys: which corner of the grid is worth it."""

import numpy as np
import pandas as pd

from .. import comparison, style, units
from ..runs import NotARun
from ..statistics import interval


def chosen_keys(sweep, x=None, y=None):
    """The two keys asked for (their last words do), or the only two that vary."""
    def full(word):
        matches = [key for key in sweep.keys if key == word or key.endswith(f".{word}")]
        if len(matches) != 1:
            raise NotARun(f"no swept key {word}; there are {', '.join(sweep.keys) or 'none'}")
        return matches[0]

    chosen = [full(word) if word else None for word in (x, y)]
    others = [key for key in sweep.keys if key not in chosen]
    for i in (0, 1):
        if chosen[i] is None:
            if not others:
                raise NotARun(f"a heat map needs two swept keys; there are {', '.join(sweep.keys) or 'none'}")
            chosen[i] = others.pop(0)
    return chosen


def data(sweep, metric, measure="final", x=None, y=None):
    """Columns x key, y key, seeds, mean, half_width: one row a cell."""
    x, y = chosen_keys(sweep, x, y)
    table = comparison.measures(sweep, metric).merge(sweep.settings[["run", x, y]], on="run")
    if measure not in table:
        raise NotARun(f"no measure {measure}; there are {', '.join(m for m in comparison.MEASURES if m in table)}")
    rows = []
    for (left, top), runs in table.groupby([x, y], sort=False, dropna=False):
        if runs["case"].nunique() > 1:
            raise NotARun(f"{x} = {left}, {y} = {top}: several cases in one cell; other keys vary too")
        rows.append([left, top, *interval(runs[measure])])
    return pd.DataFrame(rows, columns=[x, y, "seeds", "mean", "half_width"])


@style.styled
def draw(sweep, metric, measure="final", x=None, y=None):
    """The figure and the frame behind it."""
    frame = data(sweep, metric, measure, x, y)
    x, y = frame.columns[:2]
    columns, rows = list(dict.fromkeys(frame[x])), list(dict.fromkeys(frame[y]))
    grid = np.full((len(rows), len(columns)), np.nan)
    words = {}
    unit = {"virtual_time": "s", "energy": "J", "bytes_up": "B", "bytes_down": "B", "peak_memory": "B"}.get(measure)
    symbol, size = units.scale(unit, frame["mean"].max()) if unit else ("", 1)
    for row in frame.itertuples(index=False):
        place = rows.index(row[1]), columns.index(row[0])
        grid[place] = row.mean / size
        spread = f"\n± {row.half_width / size:.2g}" if np.isfinite(row.half_width) else ""
        words[place] = f"{row.mean / size:.3g}{spread}"
    figure, axes = style.new_figure(max(2.6, 1.4 + 0.6 * len(columns)), 1.1 + 0.42 * len(rows))
    image = axes.imshow(grid, cmap="viridis", aspect="auto")
    middle = np.nanmean([np.nanmin(grid), np.nanmax(grid)])
    for (top, left), text in words.items():
        colour = "white" if grid[top, left] < middle else "black"
        axes.text(left, top, text, ha="center", va="center", fontsize=6.5, color=colour)
    axes.set_xticks(range(len(columns)), [str(value) for value in columns])
    axes.set_yticks(range(len(rows)), [str(value) for value in rows])
    axes.grid(False)
    axes.set_xlabel(x.rsplit(".", 1)[-1].replace("_", " "))
    axes.set_ylabel(y.rsplit(".", 1)[-1].replace("_", " "))
    name = f"{measure} {units.name_of(metric)}" if measure in ("final", "best") else measure.replace("_", " ")
    figure.colorbar(image, ax=axes, label=f"{name} ({symbol})" if symbol else name)
    style.set_title(axes, sweep, name[0].upper() + name[1:])
    return figure, frame
