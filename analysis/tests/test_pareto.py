"""Fronts and volumes that a ruler can check."""
import itertools
import math

import numpy as np

from skiff_analysis.pareto import front, hypervolume


def test_a_front_by_hand():
    points = [(1, 0.2), (2, 0.5), (3, 0.4), (4, 0.9), (4, 0.9), (5, 0.9), (0.5, math.nan)]
    assert list(front(points)) == [True, True, False, True, True, False, False]


def test_directions():
    points = [(1, 1), (2, 2)]
    assert list(front(points, ("min", "min"))) == [True, False]
    assert list(front(points, ("max", "max"))) == [False, True]
    assert list(front(points, ("min", "max"))) == [True, True]


def test_an_area_by_hand():
    # up to (4, 0): strip 1..2 of height 0.2, strip 2..4 of height 0.5
    assert math.isclose(hypervolume([(1, 0.2), (2, 0.5), (3, 0.4)], (4, 0)), 0.2 + 1.0)
    assert hypervolume([(5, 1)], (4, 0)) == 0
    assert hypervolume([], (4, 0)) == 0


def test_dominated_and_equal_points_add_nothing():
    best = ("min", "min", "min")
    points = [(1, 1, 1), (2, 2, 2), (1, 1, 1)]
    assert hypervolume(points, (3, 3, 3), best) == 8


def test_three_dimensions_against_counting_cells():
    chance = np.random.RandomState(5)
    points = chance.randint(0, 6, (7, 3))
    cells = sum(
        any(all(p <= c for p, c in zip(point, cell)) for point in points)
        for cell in itertools.product(range(6), repeat=3)
    )
    assert hypervolume(points, (6, 6, 6), ("min", "min", "min")) == cells
