"""Suppressed cells: an attacker with linear programming cannot bound them closer than the width, in one-way and two-way tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from qonys.border.suppression import grid, suppressed

THRESHOLD = WIDTH = 10


def bounds(table, gaps):
    """For each gap the least and greatest number of persons that agree with all that is published (Fischetti and Salazar 1999)."""
    counts, free = table.counts, table.free
    rows, columns = counts.shape
    unknown = {tuple(cell): place for place, cell in enumerate(np.argwhere(gaps | free))}
    equations, totals = [], []
    lines = [[(row, column) for column in range(columns)] for row in range(rows)] + [
        [(row, column) for row in range(rows)] for column in range(columns)
    ]
    for line in lines:
        equation, total = np.zeros(len(unknown)), 0.0
        for place, cell in enumerate(line):
            sign = -1 if place == len(line) - 1 else 1
            if cell in unknown:
                equation[unknown[cell]] = sign
            else:
                total -= sign * counts[cell]
        equations.append(equation)
        totals.append(total)
    found = {}
    for cell, place in unknown.items():
        if free[cell]:
            continue
        goal = np.zeros(len(unknown))
        goal[place] = 1
        ends = [linprog(sign * goal, A_eq=np.array(equations), b_eq=totals, bounds=(0, None), method="highs") for sign in (1, -1)]
        # 3 is unbounded: nothing is known upwards
        found[cell] = tuple(np.inf if one.status == 3 else abs(one.fun) for one in ends)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_no_gap_can_be_bounded_closer_than_the_width(seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(2, 7)), int(rng.integers(2, 7))) if seed % 3 else (int(rng.integers(3, 12)),)
    counts = rng.choice([0, 1, 4, 9, 12, 30, 80, 400], size=shape, p=[0.15, 0.1, 0.1, 0.1, 0.15, 0.15, 0.15, 0.1]).astype(np.int64)
    table = grid(counts)
    gaps = suppressed(table, threshold=THRESHOLD, width=WIDTH)
    small = (table.counts > 0) & (table.counts < THRESHOLD) & ~table.free
    assert gaps[small].all()
    assert not gaps[table.counts == 0].any()
    if gaps.sum() == ((table.counts > 0) & ~table.free).sum():
        return  # too few cells: all that are not zero are left out
    for (row, column), (low, high) in bounds(table, gaps).items():
        assert low <= table.counts[row, column] <= high + 1e-6
        assert high - low >= WIDTH - 1e-6


def test_a_table_without_small_counts_is_left_whole():
    assert not suppressed(grid(np.array([[20, 30], [40, 0]])), threshold=THRESHOLD, width=WIDTH).any()


def test_one_small_count_takes_a_second_one_with_it():
    gaps = suppressed(grid(np.array([3, 50, 60, 900])), threshold=THRESHOLD, width=WIDTH)
    assert gaps[0, 0]
    assert gaps.sum() >= 2


def test_of_the_cells_that_could_be_left_out_too_the_smallest_are():
    gaps = suppressed(grid(np.array([[3, 500, 900], [40, 50, 800], [700, 600, 950]])), threshold=THRESHOLD, width=WIDTH)
    assert gaps[0, 0]
    assert table_sum(gaps) < 3 + 500 + 40 + 50 + 1


def table_sum(gaps):
    counts = grid(np.array([[3, 500, 900], [40, 50, 800], [700, 600, 950]])).counts
    return int(counts[gaps].sum())


def test_where_too_few_cells_are_there_all_that_are_not_zero_are_left_out():
    gaps = suppressed(grid(np.array([[2, 0], [0, 5]])), threshold=THRESHOLD, width=WIDTH)
    assert gaps[:2, :2].tolist() == [[True, False], [False, True]]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=9))
def test_the_same_counts_have_the_same_gaps(counts):
    table = grid(np.array(counts, dtype=np.int64))
    first, again = (suppressed(table, threshold=THRESHOLD, width=WIDTH) for _ in range(2))
    assert (first == again).all()
