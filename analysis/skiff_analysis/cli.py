"""python3 -m skiff_analysis draw RUN.h5 | compare A.h5 B.h5 ... | FIGURE PATH... -o OUT

Exit codes: 0 done; 2 the command line or a file is wrong; 3 a Python package is missing.
"""

import argparse
import os
import sys

from . import figure_verbs

PACKAGES = ("h5py", "numpy", "pandas", "matplotlib", "yaml")


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="python3 -m skiff_analysis", description="Figures of runs: SVG, PNG and the CSV behind each."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    draw = verbs.add_parser("draw", help="the figures of one run")
    draw.add_argument("run", help="run.h5, or the folder that holds it")
    draw.add_argument("-o", "--out", help="folder for the figures; default: beside the run")
    draw.add_argument("--metric", help="instead of the run's own, e.g. test_loss")
    draw.add_argument("--round", type=int, help="of the timeline; default: one of typical length")
    compare = verbs.add_parser("compare", help="two or more runs on one figure")
    compare.add_argument("runs", nargs="+", help="run.h5 files, or folders that hold some")
    compare.add_argument("-o", "--out", required=True, help="folder for the figures")
    compare.add_argument("--metric", help="default: the one that the runs share")
    figure_verbs.add_axes(compare)
    figure_verbs.add(verbs)
    return parser.parse_args(arguments)


def missing_packages():
    from importlib.util import find_spec

    return [package for package in PACKAGES if find_spec(package) is None]


def main(arguments=None):
    options = parse(arguments)
    missing = missing_packages()
    if missing:
        names = " ".join(f"python3-{package}" for package in missing)
        print(f"Python packages are missing: {', '.join(missing)}; on Debian: apt install {names}", file=sys.stderr)
        return 3
    from .runs import NotARun, load

    try:
        if options.verb in figure_verbs.HELP:
            drawn = figure_verbs.run(options)
        elif options.verb == "draw":
            from .draw import draw

            out = options.out or (options.run if os.path.isdir(options.run) else os.path.dirname(options.run) or ".")
            drawn = draw(load(options.run), out, metric=options.metric, round=options.round)
        else:
            from .draw import compare

            drawn = compare(load(options.runs), options.out, metric=options.metric, axes=options.x)
    except (NotARun, OSError) as problem:
        print(problem, file=sys.stderr)
        return 2
    for path in drawn:
        print(path)
    return 0
