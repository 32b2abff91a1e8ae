"""From codes and columns to a fit: rows that cannot be used leave, Newton's method runs, and what it says at the end is a sentence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from qonys.effects.gravity import kernel
from qonys.effects.gravity.panel import chosen, panel_of, with_flows
from qonys.effects.gravity.separation import separated
from qonys.effects.gravity.solve import STILL, State, evaluate, fresh, grams, independent, project, walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.effects.gravity.panel import Codes, Flags, Floats, Panel, Places


NEXT_TO_NOTHING = 1e-8  # of the mean outcome


@dataclass(slots=True)
class Fit:
    """A fit of sorted rows. `kept`: which regressors are in it; `gone`: the others, with those they go with; `square`: their products."""

    panel: Panel
    state: State
    kept: Flags
    gone: list[tuple[int, list[int]]]
    square: Floats
    mass: Floats
    converged: bool
    reached: float
    why: str
    zero: Places  # rows of groups that are all zero
    separated: Places
    deviance: float


def estimate(codes: Sequence[Codes], given: list[Floats], *, tolerance: float, most: int, threads: int = 2) -> Fit:
    """The fit of y on x and the effects. given: x and y, taken out of the list. Rows left out are given by their places in the input."""
    whole, zero = panel_of(codes, given, threads=threads)
    apart: list[Places] = []
    steps = passes = 0
    state: State | None = None
    while True:
        kept, gone = independent(whole)
        panel = whole if kept.all() else replace(whole, x=np.ascontiguousarray(whole.x[:, kept]))
        last, state = state, fresh(panel)
        if last is not None and len(last.b) == len(state.b):  # from where it stood with the rows that left
            state.b, state.a = last.b, last.a
            state.value = evaluate(panel, state, state.b, state.a)
        converged, lost = climb(panel, state, tolerance, most - steps)
        steps += state.steps
        passes += state.passes
        state.steps, state.passes = steps, passes
        if not lost.any():
            break
        whole, before = chosen(whole, ~lost), whole
        whole = chosen(whole, with_flows(whole))
        apart.append(np.setdiff1d(before.order, whole.order, assume_unique=True).astype(np.int64))
    state.r[:] = 0.0
    mass, state.v, more = project(panel, state.w, state.r, state.v, 1e-9)
    state.passes += more
    square, _ = grams(panel, state.w, state.r, mass, state.v)
    state.r, state.d = state.r[:0].copy(), state.d[:0].copy()  # let go: they are as long as the table
    reached = state.decrement / max(float(kernel.deviance(panel.y, state.w)), 1.0)
    why = "" if converged else (
        f"after {state.steps} steps the last one still moved a fitted value by a factor of {np.exp(min(state.moved, 700.0)):.6g}"
        f" (relative gain {reached:.1e}, asked: {tolerance:.1e}): the data hardly identify some effect or regressor"
    )  # fmt: skip
    return Fit(
        panel, state, kept, gone, square, mass, converged, reached, why, zero,
        np.sort(np.concatenate(apart)) if apart else np.zeros(0, dtype=np.int64), float(kernel.deviance(panel.y, state.w)),
    )  # fmt: skip


def climb(panel: Panel, state: State, tolerance: float, most: int) -> tuple[bool, Flags]:
    """Newton's steps until the likelihood and every fitted value are at rest, or rows are found separated; whether at rest; those rows."""
    none = np.zeros(len(panel.y), dtype=bool)
    inner = 1e-2
    mean = float(panel.total.sum()) / len(panel.y)
    looked = 0
    while state.steps < most:
        before = state.moved
        goes = walk(panel, state, inner)
        if not np.isfinite(state.decrement):
            continue
        size = max(abs(state.decrement), 0.0)
        rest = max(float(panel.total.sum()) * 1e-6, float(kernel.deviance(panel.y, state.w)))
        gain = size / max(rest, 1e-300)
        if gain <= tolerance and state.moved <= STILL:
            # next to nothing: below what the projections resolve, so that whether it still falls cannot be seen
            tiny = (panel.y == 0) & (state.w <= NEXT_TO_NOTHING * mean)
            lost = separated(panel, tiny) if tiny.any() else none
            return not lost.any(), lost
        # a tighter projection the nearer the end: what the last steps gain is not lost in it
        inner = min(1e-2, max(1e-6, np.sqrt(gain) * 1e-2))
        falling = (panel.y == 0) & (state.d < -1e-2)
        # a fitted value that is only small comes to rest with the square of the last step; one that has no rest falls on
        if falling.any() and ((gain <= tolerance and looked < 4 and state.moved > before / 2) or state.steps % 25 == 0):
            looked += 1
            for candidates in (falling, (panel.y == 0) & (state.w <= 1e-3 * mean)):
                lost = separated(panel, candidates)
                if lost.any():
                    return False, lost
        if not goes:
            return state.moved <= 1e-3, none
    return False, none
