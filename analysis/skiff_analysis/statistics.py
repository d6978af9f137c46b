"""Numbers over seeds: means with 95 % intervals, paired differences, interquartile means, bootstrap.

Values that are NaN or infinite take no part; every result says by how many values it was made. From
fewer than two values there is no interval (NaN), and none is pretended.
"""

from __future__ import annotations

import math
from collections import namedtuple

import numpy as np

Interval = namedtuple("Interval", "n mean half_width")
Paired = namedtuple("Paired", "n difference half_width p")

RESAMPLES = 10_000


def student_tail(t, degrees):
    """P(|T| > t) of Student's t: the regularised incomplete beta I_{v/(v+t^2)}(v/2, 1/2)."""
    if not math.isfinite(t):
        return math.nan if math.isnan(t) else 0.0
    return _incomplete_beta(degrees / 2, 0.5, degrees / (degrees + t * t))


def student_quantile(share, degrees):
    """The t that a two-sided test at confidence `share` (0.95) uses: P(|T| > t) = 1 - share."""
    low, high = 0.0, 1.0
    while student_tail(high, degrees) > 1 - share:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        if student_tail(middle, degrees) > 1 - share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(a, b, x):
    """I_x(a, b) by its continued fraction, evaluated from the front (Lentz's method)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # converges fast only below
        return 1 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    ) / a
    tiny = 1e-300
    value, c, d = 1.0, 1.0, 0.0
    for step in range(500):
        m = step // 2
        if step == 0:
            numerator = 1.0
        elif step % 2 == 0:
            numerator = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            numerator = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + numerator * d or tiny)
        c = 1 + numerator / c or tiny
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * (value - 1)


def finite(values):
    values = np.asarray(values, float)
    return values[np.isfinite(values)]


def interval(values, confidence=0.95):
    """Mean and half-width t * s / sqrt(n) of Student's interval."""
    values = finite(values)
    n = len(values)
    if n == 0:
        return Interval(0, math.nan, math.nan)
    if n == 1:
        return Interval(1, float(values[0]), math.nan)
    half = student_quantile(confidence, n - 1) * values.std(ddof=1) / math.sqrt(n)
    return Interval(n, float(values.mean()), float(half))


def paired_difference(values, baseline, confidence=0.95):
    """The mean of values - baseline with its interval and two-sided p; both are {seed: value}.

    Only seeds that both have count: rivals of one seed met the same luck, so their difference varies
    less than either of them.
    """
    seeds = sorted(set(values) & set(baseline))
    differences = finite([values[seed] - baseline[seed] for seed in seeds])
    n, mean, half = interval(differences, confidence)
    if n < 2:
        return Paired(n, mean, half, math.nan)
    error = differences.std(ddof=1) / math.sqrt(n)
    t = math.inf if error == 0 and mean != 0 else (0.0 if error == 0 else abs(mean) / error)
    return Paired(n, mean, half, student_tail(t, n - 1))


def holm(p_values):
    """p values adjusted for their number (Holm 1979), in the order given; NaN stays NaN."""
    p_values = np.asarray(p_values, float)
    adjusted = np.full(len(p_values), np.nan)
    known = [i for i in np.argsort(p_values, kind="stable") if np.isfinite(p_values[i])]
    largest = 0.0
    for rank, i in enumerate(known):
        largest = max(largest, min(1.0, (len(known) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def interquartile_mean(values):
    """The mean without the lowest and the highest quarter (n // 4 values at either end)."""
    values = np.sort(finite(values))
    if not len(values):
        return math.nan
    cut = len(values) // 4
    return float(values[cut:len(values) - cut].mean())


def bootstrap_interval(strata, statistic=interquartile_mean, confidence=0.95, resamples=RESAMPLES, seed=0):
    """(value, low, high): percentile interval of a statistic, by resampling seeds within each stratum.

    `strata`: lists of values, one a scenario (or just one list); what is pooled over scenarios is
    resampled scenario by scenario (Agarwal et al. 2021, arXiv:2108.13264). The generator is NumPy's
    frozen one, so that the same values give the same interval under every version.
    """
    if len(strata) and np.isscalar(strata[0]):
        strata = [strata]
    strata = [finite(values) for values in strata]
    strata = [values for values in strata if len(values)]
    if not strata:
        return math.nan, math.nan, math.nan
    chance = np.random.RandomState(seed)
    drawn = [values[chance.randint(0, len(values), (resamples, len(values)))] for values in strata]
    pooled = np.concatenate(drawn, axis=1)
    results = np.array([statistic(row) for row in pooled])
    low, high = np.percentile(results, [50 * (1 - confidence), 50 * (1 + confidence)])
    return statistic(np.concatenate(strata)), float(low), float(high)
