"""Which runs belong on one line, and lines of several runs as one.

Runs of the same name and case that differ in their seed are repetitions: their line is the mean on
a common grid, each run keeping its last value between its own points (nothing is extrapolated), with
a 95 % band (Student's t) from three seeds on.
"""

import math

import numpy as np
import pandas as pd

# t of 97.5 % by degrees of freedom; beyond, the normal's.
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
           2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
           2.052, 2.048, 2.045, 2.042)


def student(degrees):
    return STUDENT[degrees - 1] if degrees <= len(STUDENT) else 1.96


def groups_of(runs):
    """[(label, [names of runs])]: repetitions together, in order of first appearance."""
    groups = {}
    for run, name in zip(runs.runs, runs.names):
        groups.setdefault((run.name, run.case), []).append((run, name))
    result = []
    several_names = len({run.name for run in runs.runs}) > 1
    for (name, case), members in groups.items():
        label = "/".join(part for part in ((name if several_names or not case else ""), case) if part)
        seeds = [run.seed for run, _ in members]
        if len(set(seeds)) == len(seeds):
            result.append((label, [unique for _, unique in members]))
            continue
        # The same seed twice: not repetitions but different configurations of one name.
        folders = [run.folder for run, _ in members]
        distinct = len(set(folders)) == len(folders)
        for run, unique in members:
            result.append((run.folder if distinct else unique, [unique]))
    return result


def band(curves):
    """The mean of curves [(x, y)] on the union of their x, with its 95 % half-width (NaN below 3).

    Where a curve has not begun or has ended, it takes no part; the line ends with the last x that
    all of them reach, so that it never jumps because a run is over.
    """
    curves = [(np.asarray(x, float), np.asarray(y, float)) for x, y in curves if len(x)]
    if not curves:
        return pd.DataFrame({"x": [], "mean": [], "half_width": [], "runs": []})
    first, last = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    grid = np.unique(np.concatenate([x for x, _ in curves]))
    grid = grid[(grid >= first) & (grid <= last)]
    values = np.array([y[np.searchsorted(x, grid, side="right") - 1] for x, y in curves]).reshape(len(curves), -1)
    n = len(curves)
    half = np.full(len(grid), np.nan)
    if n >= 3:
        half = student(n - 1) * values.std(axis=0, ddof=1) / math.sqrt(n)
    return pd.DataFrame({"x": grid, "mean": values.mean(axis=0), "half_width": half, "runs": n})
