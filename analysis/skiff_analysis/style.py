"""How all figures look: sizes for one and two columns of a paper, 8 pt, colours that people with
any colour vision can tell apart (Okabe and Ito 2008), and never colour alone."""

from __future__ import annotations

import functools

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

ONE_COLUMN, TWO_COLUMNS = 3.3, 6.8  # inches

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "*"]
LINES = ["-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 2))]

# What becomes of an attempt; colours and hatches are the same in every figure.
OUTCOMES = {
    "accepted": ("#009E73", ""),
    "late": ("#E69F00", "///"),
    "refused": ("#999999", "..."),
    "aborted": ("#D55E00", "xxx"),
}
PHASES = {
    "download": ("#56B4E9", ""),
    "train": ("#0072B2", ""),
    "upload": ("#E69F00", ""),
}

RC = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "hatch.linewidth": 0.5,
    "svg.hashsalt": "skiff",  # the same bytes for the same data
    "svg.fonttype": "path",
    "figure.dpi": 100,
    "savefig.dpi": 200,
}


def styled(draw):
    """A decorator: the whole of `draw` sees these settings, and nothing after it."""

    @functools.wraps(draw)
    def with_style(*args, **kwargs):
        with plt.rc_context(RC):
            return draw(*args, **kwargs)

    return with_style


def figure(width: float, height: float, **kwargs):
    """A figure of that size in inches; returns (figure, axes)."""
    return plt.subplots(figsize=(width, height), layout="constrained", **kwargs)


def series(index: int) -> dict:
    """Colour, marker and line of the index-th run."""
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": LINES[index % len(LINES)],
    }


def save(fig, folder, name: str, data) -> None:
    """NAME.svg, NAME.png and the NAME.csv behind them, without dates."""
    folder.mkdir(parents=True, exist_ok=True)
    fig.savefig(folder / f"{name}.svg", metadata={"Date": None, "Creator": "skiff"})
    fig.savefig(folder / f"{name}.png", metadata={"Software": "skiff"})
    data.to_csv(folder / f"{name}.csv", index=False, float_format="%.10g")
    plt.close(fig)
