"""Pareto fronts and their hypervolume: what no rival beats in every respect, and how much it covers."""

from __future__ import annotations

import numpy as np


def oriented(points, best):
    """Points (n, d) turned so that less is better; `best` is "min" or "max" for each column."""
    points = np.array(points, float).reshape(-1, len(best))
    return points * [1.0 if way == "min" else -1.0 for way in best]


def front(points, best=("min", "max")):
    """Which rows no other row dominates: as good in every column and better in one. Equal rows all stay.

    A row with a NaN is on no front.
    """
    points = oriented(points, best)
    known = ~np.isnan(points).any(axis=1)
    result = known.copy()
    for i in np.flatnonzero(known):
        as_good = (points[known] <= points[i]).all(axis=1)
        better = (points[known] < points[i]).any(axis=1)
        result[i] = not (as_good & better).any()
    return result


def hypervolume(points, reference, best=("min", "max")):
    """The volume that the points dominate, up to the reference (worse than all that shall count).

    Exact in any dimension, by slicing along the last column: meant for fronts of tens of points.
    """
    points = oriented(points, best)
    reference = oriented([reference], best)[0]
    points = points[(points < reference).all(axis=1)]  # drops NaN as well
    return float(_volume(points, reference))


def _volume(points, reference):
    if not len(points):
        return 0.0
    if points.shape[1] == 1:
        return reference[0] - points[:, 0].min()
    points = points[np.argsort(points[:, -1], kind="stable")]
    total = 0.0
    for i, height in enumerate(points[:, -1]):
        top = points[i + 1, -1] if i + 1 < len(points) else reference[-1]
        if top > height:
            total += (top - height) * _volume(points[:i + 1, :-1], reference[:-1])
    return total
