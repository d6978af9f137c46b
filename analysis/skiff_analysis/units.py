"""Numbers for people: a unit that suits the largest value of an axis."""

from __future__ import annotations

import numpy as np

BYTES = [(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")]
TIMES = [(86400, "days"), (3600, "h"), (60, "min"), (1, "s")]
ENERGIES = [(1e6, "MJ"), (1e3, "kJ"), (1, "J")]


def pick(values, units: list[tuple[float, str]]) -> tuple[float, str]:
    """The largest unit of which the maximum has at least two; (divisor, name)."""
    finite = np.asarray(values, dtype=float)
    finite = finite[np.isfinite(finite)]
    most = float(finite.max()) if finite.size else 0.0
    for divisor, name in units:
        if most >= 2 * divisor:
            return divisor, name
    return units[-1]
