"""Cells left out of a table so that no small count can be worked out from the totals.

A grid of counts with its margins: one column (a one-way table, with its total) or several (a two-way table with the totals of rows and
columns and of all). Small counts are suppressed; then for each of them a closed cycle of cells is found along which its value may grow by
`width` while every published number stays as it is: another table that an attacker cannot tell from the true one. The cells of the cycle
that were shown are suppressed too, those with the fewest persons first (shortest path).

Reference: Cox (1995), JASA 90 (cycles in two-way tables); Fischetti and Salazar (1999), Mathematical Programming 84 (bounds an attacker
finds, by which the tests check this).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST = 1  # zeros are published, so who sees a gap knows that somebody is in it


@dataclass(frozen=True, slots=True)
class Grid:
    """Counts with margins: the last row and column hold the totals. `free`: margins that do not exist, so nothing is known of them."""

    counts: NDArray[np.int64]
    free: NDArray[np.bool_]

    @property
    def margin(self) -> NDArray[np.bool_]:
        """Cells that enter their row and column with the other sign: totals of one row or one column, not the total of all."""
        found = np.zeros(self.counts.shape, dtype=bool)
        found[-1, :-1] = found[:-1, -1] = True
        return found


def grid(counts: NDArray[np.int64]) -> Grid:
    """The grid of a table: `counts` with one axis (a total is added) or two (totals of rows and columns are added)."""
    one_way = counts.ndim == 1
    inner = counts.reshape(-1, 1) if one_way else counts
    whole = np.zeros((inner.shape[0] + 1, inner.shape[1] + 1), dtype=np.int64)
    whole[:-1, :-1] = inner
    whole[-1, :-1], whole[:-1, -1], whole[-1, -1] = inner.sum(axis=0), inner.sum(axis=1), inner.sum()
    free = np.zeros(whole.shape, dtype=bool)
    free[:, -1] = one_way
    return Grid(whole, free)


def suppressed(table: Grid, *, threshold: int, width: int) -> NDArray[np.bool_]:
    """Which cells of a grid to leave out: those of 1 to threshold - 1 persons, and others until none can be bounded within `width`.

    Where there are too few cells for that, all that are not zero.
    """
    out = (table.counts > 0) & (table.counts < threshold) & ~table.free
    proven = np.zeros_like(out)
    for row, column in np.argwhere(out):
        if proven[row, column]:
            continue
        cycle = _cycle(table, out | table.free, int(row), int(column), width)
        if cycle is None or not _agrees(table, cycle, width):
            return (table.counts > 0) & ~table.free
        for cell in cycle:
            out[cell] |= not table.free[cell]
            proven[cell] = True
    return out


def _agrees(table: Grid, cycle: list[tuple[int, int]], width: int) -> bool:
    """Whether the table moved by `width` along the cycle is one too: a table is not published on the search for the cycle alone."""
    sign = np.where(table.margin, -1, 1)
    change = np.zeros_like(table.counts)
    for place, cell in enumerate(cycle):
        change[cell] += width if place % 2 == 0 else -width
    if table.margin[cycle[0]]:
        change = -change
    moved = table.counts + sign * change
    within = bool((moved[~table.free & (change != 0)] >= LEAST).all())
    return within and not change.sum(axis=0).any() and not change.sum(axis=1).any() and moved[cycle[0]] == table.counts[cycle[0]] + width


def _cycle(table: Grid, out: NDArray[np.bool_], row: int, column: int, width: int) -> list[tuple[int, int]] | None:
    """The cheapest closed cycle through a cell along which its value may grow by `width`: cells alternately grow and shrink.

    Rows and columns are the places, cells the ways between them: a way from a row to a column shrinks an inner cell (or lets a margin
    grow), one back grows it. A way costs the persons of a cell that is still shown. Dijkstra's algorithm over whole rows and columns.
    """
    margin, counts = table.margin, table.counts
    roomy = (counts >= width + LEAST) | table.free
    there = (counts > 0) | table.free
    cost = np.where(out, 0.0, counts.astype(float)) + 1e-6  # of equal paths the shorter one
    grows = np.where(margin, roomy, there)  # may the signed value grow
    shrinks = np.where(margin, there, roomy)
    # a margin grows as its signed value shrinks: the cycle then runs the other way
    ahead, back = (grows, shrinks) if margin[row, column] else (shrinks, grows)
    ahead, back = np.where(ahead & there, cost, np.inf), np.where(back & there, cost, np.inf)
    ahead[row, column] = np.inf
    rows, columns = counts.shape
    distance, before = np.full(rows + columns, np.inf), np.full(rows + columns, -1)
    distance[row] = 0.0
    open_ = np.ones(rows + columns, dtype=bool)
    while True:
        here = int(np.argmin(np.where(open_, distance, np.inf)))
        if not open_[here] or not np.isfinite(distance[here]):
            return None
        if here == rows + column:
            break
        open_[here] = False
        ways, offset = (ahead[here], rows) if here < rows else (back[:, here - rows], 0)
        reached = slice(offset, offset + len(ways))
        nearer = open_[reached] & (distance[here] + ways < distance[reached])
        distance[reached] = np.where(nearer, distance[here] + ways, distance[reached])
        before[reached] = np.where(nearer, here, before[reached])
    cycle, here = [(row, column)], rows + column
    while here != row:
        last = int(before[here])
        cycle.append((last, here - rows) if last < rows else (here, last - rows))
        here = last
    return cycle
