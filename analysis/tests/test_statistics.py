"""Intervals, paired differences, Holm, interquartile means and bootstrap against numbers by hand."""
import math

import numpy as np
import pytest

from skiff_analysis.statistics import (bootstrap_interval, holm, interquartile_mean, interval, paired_difference,
                                       student_quantile, student_tail)


@pytest.mark.parametrize("degrees, t", [(1, 12.7062), (2, 4.30265), (4, 2.77645), (9, 2.26216), (29, 2.04523),
                                        (40, 2.02108), (120, 1.97993)])
def test_quantiles_are_those_of_the_published_table(degrees, t):
    assert student_quantile(0.95, degrees) == pytest.approx(t, abs=6e-6 * t)


def test_tails_have_closed_forms_at_one_and_two_degrees():
    assert student_tail(1.0, 1) == pytest.approx(0.5, abs=1e-13)  # Cauchy: 1 - 2/pi atan(1)
    assert student_tail(2.5, 1) == pytest.approx(1 - 2 / math.pi * math.atan(2.5), abs=1e-13)
    assert student_tail(2.0, 2) == pytest.approx(1 - 2 / math.sqrt(6), abs=1e-13)
    assert student_tail(0.0, 7) == pytest.approx(1)
    assert student_tail(math.inf, 3) == 0


def test_an_interval_by_hand():
    # mean 5, s^2 = (9 + 1 + 1 + 9) / 3 = 20/3, t(3) = 3.18245, half = t sqrt(20/3) / 2
    n, mean, half = interval([2, 4, 6, 8])
    assert (n, mean) == (4, 5)
    assert half == pytest.approx(3.182446 * math.sqrt(20 / 3) / 2, rel=1e-6)


def test_what_is_not_finite_takes_no_part():
    assert interval([1, math.nan, 3, math.inf])[:2] == (2, 2)
    n, mean, half = interval([7])
    assert (n, mean) == (1, 7) and math.isnan(half)
    assert interval([])[0] == 0 and math.isnan(interval([]).mean)


def test_a_paired_difference_by_hand():
    # differences of seeds 1, 2, 3: 1, 3, 2; s = 1, t = 2 sqrt(3), P(|T| > t) = 1 - t / sqrt(2 + t^2)
    result = paired_difference({3: 7, 1: 2, 2: 5, 9: 100}, {1: 1, 2: 2, 3: 5, 8: 0})
    assert (result.n, result.difference) == (3, 2)
    assert result.half_width == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    t = 2 * math.sqrt(3)
    assert result.p == pytest.approx(1 - t / math.sqrt(2 + t * t), abs=1e-12)


def test_pairing_sees_what_means_do_not():
    # Seeds differ by tens, methods by exactly one.
    good, base = {1: 11.0, 2: 21.0, 3: 31.1}, {1: 10.0, 2: 20.0, 3: 30.0}
    assert paired_difference(good, base).half_width < 0.2 < interval(list(good.values())).half_width


def test_equal_and_constant_differences():
    assert paired_difference({1: 1, 2: 2}, {1: 1, 2: 2}).p == 1
    assert paired_difference({1: 2, 2: 3}, {1: 1, 2: 2}).p == 0
    assert math.isnan(paired_difference({1: 2}, {1: 1}).p)
    assert paired_difference({1: 2}, {2: 1}).n == 0


def test_holm_by_hand():
    # sorted 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.04 x 1, never falling: 0.04, 0.06, 0.06, 0.06
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.8]) == pytest.approx([1, 1])
    adjusted = holm([0.02, math.nan])
    assert adjusted[0] == pytest.approx(0.02) and math.isnan(adjusted[1])


def test_interquartile_means_by_hand():
    assert interquartile_mean([100, 1, 2, 3, 4, 5, 6, -50]) == 3.5  # without -50, 1 and 6, 100
    assert interquartile_mean([1, 2, 6]) == 3
    assert math.isnan(interquartile_mean([]))


def test_bootstrap_is_repeatable_and_brackets_the_value():
    values = list(np.linspace(0, 1, 20))
    first, second = bootstrap_interval(values), bootstrap_interval(values)
    assert first == second
    value, low, high = first
    assert value == pytest.approx(0.5) and low < 0.5 < high
    # The mean of 20 values of sd 0.3035: +-1.96 sd / sqrt(20), within the bootstrap's own noise
    mean, low, high = bootstrap_interval(values, statistic=np.mean)
    assert high - low == pytest.approx(2 * 1.96 * np.std(values) / math.sqrt(20), rel=0.05)


def test_strata_are_resampled_apart():
    # Within each scenario nothing varies, so neither does the pooled mean; pooled blindly it would.
    assert bootstrap_interval([[0, 0, 0], [1, 1, 1]], statistic=np.mean) == (0.5, 0.5, 0.5)
    _, low, high = bootstrap_interval([0, 0, 0, 1, 1, 1], statistic=np.mean)
    assert low < 0.5 < high
