"""How all figures look, and how they are saved.

One column of a paper is 3.3 in wide, two are 6.8; text is 8 pt. Colours are Okabe and Ito's, which
the colour-blind can tell apart; lines differ in marker and dash as well, areas in hatching. Files
are byte for byte the same for the same run.
"""

import functools
import os
import textwrap

import matplotlib
from matplotlib.figure import Figure

ONE_COLUMN, TWO_COLUMNS = 3.3, 6.8  # in

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE, GREY = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999",
)
LINES = [
    dict(color=BLUE, linestyle="-", marker="o"),
    dict(color=VERMILLION, linestyle="--", marker="s"),
    dict(color=GREEN, linestyle="-.", marker="^"),
    dict(color=PURPLE, linestyle=":", marker="D"),
    dict(color=ORANGE, linestyle=(0, (5, 1, 1, 1, 1, 1)), marker="v"),
    dict(color=SKY, linestyle=(0, (7, 2)), marker="P"),
    dict(color=BLACK, linestyle=(0, (1, 1)), marker="X"),
    dict(color=GREY, linestyle=(0, (3, 1)), marker="<"),
]

SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.5,
    "patch.linewidth": 0.5,
    "hatch.linewidth": 0.5,
    "savefig.dpi": 200,
    "lines.markeredgewidth": 0.8,
    "svg.hashsalt": "skiff",
    "svg.fonttype": "path",
    "path.simplify": True,
    "axes.formatter.use_mathtext": True,
}


def line_style(number):
    """Colour, dash and marker of the n-th line; colours come back after eight, with another marker."""
    turn, place = divmod(number, len(LINES))
    return dict(LINES[place], marker=LINES[(place + 3 * turn) % len(LINES)]["marker"])


def markers(points, wanted=8):
    """Where to put markers so that a long line keeps some room between them."""
    return max(1, points // wanted)


def styled(draw):
    """Draws in the common look and leaves matplotlib's own settings as they were."""

    @functools.wraps(draw)
    def in_style(*arguments, **named):
        with matplotlib.rc_context(SETTINGS):
            return draw(*arguments, **named)

    return in_style


def new_figure(width=ONE_COLUMN, height=None):
    """A figure and its axes; call it in a styled function."""
    figure = Figure(figsize=(width, height or 0.72 * width), constrained_layout=True)
    return figure, figure.add_subplot()


def set_title(axes, runs, text):
    """What is shown, and of which run; a heuristic combination is always called one."""
    lines = textwrap.wrap(text, width=int(14 * axes.figure.get_figwidth()))  # of 8 points
    if len(runs) == 1:
        run = runs.runs[0]
        lines.append(f"{run.name}{'/' if run.case else ''}{run.case}, seed {run.seed}")
        if run.attributes["status"] != "ok":
            lines[-1] += f" ({run.attributes['status']})"
    heuristics = sorted({run.attributes["heuristics"] for run in runs.runs} - {""})
    if heuristics:
        lines.append(f"heuristic: {'; '.join(heuristics)}")
    axes.set_title("\n".join(lines), loc="left")


@styled
def save(figure, frame, folder, name):
    """NAME.svg, NAME.png and the frame that they show as NAME.csv. Returns the paths."""
    os.makedirs(folder, exist_ok=True)
    paths = [os.path.join(folder, f"{name}.{ending}") for ending in ("svg", "png", "csv")]
    figure.savefig(paths[0], metadata={"Date": None, "Creator": "skiff"})
    figure.savefig(paths[1], metadata={"Software": "skiff"})
    frame.to_csv(paths[2], index=False, lineterminator="\n")
    return paths
