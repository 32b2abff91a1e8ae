"""Rows in the order of the effect with most groups, and passes over them on as many threads as are worth it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from qonys.effects.gravity import kernel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int32]
    Places = NDArray[np.int64]
    Flags = NDArray[np.bool_]

WORTH_A_THREAD = 100_000  # rows; below it a second thread costs more than it saves


@dataclass(frozen=True, slots=True)
class Panel:
    """Sorted rows. `order`: place of each in the input; `start`, `other`, `x`, `y` as in `kernel`; `total`: sums of y in the blocks."""

    order: Codes
    start: Places
    other: Codes
    x: Floats
    y: Floats
    total: Floats
    groups: int  # of all further effects together
    spans: tuple[tuple[int, int], ...]  # blocks of each thread

    def each(self, function: Callable[..., Any], *given: object, add: Sequence[tuple[int, ...]] = ()) -> tuple[list[Any], list[Floats]]:
        """Run a pass on each span; its results, and arrays of the shapes `add` that it adds to, summed over the spans."""

        def one(span: tuple[int, int]) -> tuple[Any, list[Floats]]:
            own = [np.zeros(shape) for shape in add]
            return function(*span, *given, *own), own

        if len(self.spans) == 1:
            result, own = one(self.spans[0])
            return [result], own
        with ThreadPoolExecutor(len(self.spans)) as pool:
            done = list(pool.map(one, self.spans))
        for _, own in done[1:]:
            for whole, part in zip(done[0][1], own, strict=True):
                whole += part
        return [result for result, _ in done], done[0][1]


def panel_of(codes: Sequence[Codes], given: list[Floats], *, threads: int = 2) -> tuple[Panel, Places]:
    """The rows in blocks but those of groups without outcomes above zero, and the places of these.

    codes: one an effect (none: the constant); given: x and y, taken out of the list so that they can be let go.
    """
    y, x = given.pop(), given.pop()
    n = len(y)
    sizes = [int(code.max()) + 1 for code in codes]
    lead = int(np.argmax(sizes)) if codes else 0
    order = np.argsort(codes[lead], kind="stable").astype(np.int32) if codes else np.arange(n, dtype=np.int32)
    start = starts(codes[lead][order]) if codes else np.array([0, n], dtype=np.int64)
    rest = [place for place in range(len(codes)) if place != lead]
    other = np.empty((n, len(rest)), dtype=np.int32)
    groups = 0
    for column, place in enumerate(rest):
        np.add(codes[place][order], groups, out=other[:, column], casting="same_kind")
        groups += sizes[place]
    y = y[order]
    panel = Panel(order, start, other, x[:0], y, totals(y, start), groups, spans_of(start, threads))
    kept = with_flows(panel)
    zero = np.sort(order[~kept]).astype(np.int64)
    del order, other, y
    panel = chosen(panel, kept)
    return replace(panel, x=np.ascontiguousarray(x[panel.order])), zero


def chosen(panel: Panel, kept: Flags) -> Panel:
    """The panel of some of its rows."""
    if kept.all():
        return panel
    left = np.add.reduceat(kept, panel.start[:-1], dtype=np.int64)
    start, y = np.r_[0, np.cumsum(left[left > 0])].astype(np.int64), panel.y[kept]
    return Panel(
        panel.order[kept],
        start,
        panel.other[kept],
        panel.x[kept] if len(panel.x) else panel.x,  # not there yet
        y,
        totals(y, start),
        panel.groups,
        spans_of(start, len(panel.spans)),
    )


def starts(block: Codes) -> Places:
    """First row of each run of equal numbers, and the length."""
    found: Places = np.r_[0, np.flatnonzero(block[1:] != block[:-1]) + 1, len(block)].astype(np.int64)
    return found


def totals(y: Floats, start: Places) -> Floats:
    """Sums in the blocks."""
    found: Floats = np.add.reduceat(y, start[:-1], dtype=np.float64)
    return found


def spans_of(start: Places, threads: int) -> tuple[tuple[int, int], ...]:
    """The blocks of each thread, about as many rows each."""
    count = max(1, min(threads, int(start[-1]) // WORTH_A_THREAD, len(start) - 1))
    cuts = np.unique(np.searchsorted(start, np.linspace(0, start[-1], count + 1)))
    return tuple((int(a), int(b)) for a, b in pairwise(cuts))


def with_flows(panel: Panel) -> Flags:
    """The rows whose groups have an outcome above zero, in every effect."""
    kept = np.ones(len(panel.y), dtype=bool)
    kernel.empty(panel.start, panel.other, panel.y, panel.total, np.zeros(panel.groups, dtype=np.int64), kept)
    return kept
