"""python3 -m skiff_analysis draw RUN.h5 [-o DIR]
python3 -m skiff_analysis compare RUN.h5 RUN.h5... -o DIR
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

NEEDED = {"h5py": "python3-h5py", "numpy": "python3-numpy", "pandas": "python3-pandas",
          "matplotlib": "python3-matplotlib"}


def missing_packages() -> list[str]:
    import importlib.util

    return [debian for module, debian in NEEDED.items() if importlib.util.find_spec(module) is None]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m skiff_analysis", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    draw = verbs.add_parser("draw", help="the standard figures of one run")
    draw.add_argument("run", type=Path)
    draw.add_argument("-o", "--out", type=Path, help="folder; default: where the run is")
    compare = verbs.add_parser("compare", help="several runs on one figure an axis")
    compare.add_argument("runs", type=Path, nargs="+")
    compare.add_argument("-o", "--out", type=Path, required=True)
    return parser.parse_args(arguments)


def draw(run: Path, out: Path | None) -> list[str]:
    """Draws what the run has the data for; answers the names of what was left out, and why."""
    from skiff_analysis.figures import STANDARD
    from skiff_analysis.load import load

    runs = load(run)
    folder = out or runs.paths[0].parent
    skipped = []
    for name, figure in STANDARD.items():
        try:
            figure(runs, folder)
        except (ValueError, KeyError, IndexError) as error:
            skipped.append(f"{name}: {error}")
    return skipped


def compare(paths: list[Path], out: Path) -> None:
    from skiff_analysis.figures import convergence
    from skiff_analysis.load import load

    runs = load(*paths)
    for axis in ("rounds", "bytes", "time", "energy"):
        convergence.draw(runs, out, axis, f"compare_{axis}")


def main(arguments: list[str] | None = None) -> int:
    given = parse(arguments)
    missing = missing_packages()
    if missing:
        print(f"Python packages are missing: apt install {' '.join(missing)}", file=sys.stderr)
        return 3
    from skiff_analysis.load import RunFileError

    try:
        if given.verb == "draw":
            for line in draw(given.run, given.out):
                print(f"not drawn: {line}", file=sys.stderr)
        else:
            compare(given.runs, given.out)
    except RunFileError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
