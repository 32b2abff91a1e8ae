"""Newton's method with fixed effects projected out: each step is a weighted least squares, solved by conjugate gradients on group sums.

The first effect is profiled out exactly (its fitted sums are the observed ones at every step), which leaves a convex function of the
regressors' coefficients and the further effects, the likelihood of a multinomial logit; a step that does not lower it is halved. So the
method cannot leave the slope it walks down, and ends where the step is small or the number of steps is spent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qonys.effects.gravity import kernel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qonys.effects.gravity.panel import Flags, Floats, Panel

MOST_PASSES = 2000  # of conjugate gradients
A_STEP = 300  # of them in a step; one cut off there still goes down
HALVINGS = 40
ALIKE = 1e-12  # share of a regressor's variance that is left after effects and other regressors: below it there is none
STILL = 1e-5  # the last step moved the logarithm of every fitted value by less


@dataclass(slots=True)
class State:
    """Where Newton's method stands. v: projections of the columns on the further effects; w: fitted values; d: last change of eta."""

    b: Floats
    a: Floats
    v: Floats
    w: Floats
    r: Floats
    d: NDArray[np.float32]
    value: float = np.inf
    decrement: float = np.inf
    moved: float = np.inf
    steps: int = 0
    passes: int = 0


def project(panel: Panel, w: Floats, r: Floats, v: Floats, tolerance: float, most: int = MOST_PASSES) -> tuple[Floats, Floats, int]:
    """Weights of the blocks, projections of all columns on the further effects (from `v` on), and the passes it took."""
    mass = np.zeros(len(panel.total))
    _, (diagonal,) = panel.each(kernel.weigh, panel.start, panel.other, w, mass, add=[(panel.groups,)])
    if not panel.groups:
        return mass, v, 1
    floor = 1e-14 * max(float(diagonal.max()), 1e-300)
    scale = np.divide(1.0, diagonal, out=np.zeros_like(diagonal), where=diagonal > floor)[:, None]
    _, (b,) = panel.each(kernel.right_side, panel.start, panel.other, panel.x, w, r, mass, add=[v.shape])

    def times(u: Floats) -> Floats:
        return panel.each(kernel.apply, panel.start, panel.other, w, mass, u, add=[u.shape])[1][0]

    v = v.copy()
    rest = b - times(v) if v.any() else b.copy()
    # below the second term there is rounding only: in the columns, and in logarithms of fitted values
    noise = np.r_[1e-26 * np.einsum("i,ik,ik->k", w, panel.x, panel.x), 1e-26 * diagonal.sum()]
    goal = np.maximum(tolerance**2 * (b * b * scale).sum(axis=0), noise)
    z = scale * rest
    size = (rest * z).sum(axis=0)
    way = z.copy()
    passes = 2
    live = size > goal
    while live.any() and passes < most:
        ahead = times(np.ascontiguousarray(way[:, live]))
        passes += 1
        bend = (way[:, live] * ahead).sum(axis=0)
        length = np.divide(size[live], bend, out=np.zeros_like(bend), where=bend > 0)
        v[:, live] += length * way[:, live]
        rest[:, live] -= length * ahead
        z = scale * rest[:, live]
        new = (rest[:, live] * z).sum(axis=0)
        way[:, live] = z + np.divide(new, size[live], out=np.zeros_like(new), where=size[live] > 0) * way[:, live]
        size[live] = new
        live = (size > goal) & (size > 0)
    return mass, v, passes


def grams(panel: Panel, w: Floats, r: Floats, mass: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Products of the regressors less effects (regressors x regressors), and with what is to be explained."""
    k = panel.x.shape[1]
    _, (out,) = panel.each(kernel.gram, panel.start, panel.other, panel.x, w, r, mass, v, add=[(k, k + 1)])
    square = np.tril(out[:, :k])
    return square + np.tril(square, -1).T, out[:, k]


def solved(square: Floats, right: Floats) -> Floats:
    """Solution of a small positive system, scaled so that units do not matter; least norm where it is singular."""
    if not len(right):
        return right
    unit = np.sqrt(np.maximum(np.diag(square), 1e-300))
    found: Floats = np.linalg.lstsq(square / np.outer(unit, unit), right / unit, rcond=1e-13)[0] / unit
    return found


def fresh(panel: Panel) -> State:
    """At the start: all effects and coefficients zero."""
    n, k = panel.x.shape
    return State(np.zeros(k), np.zeros(panel.groups), np.zeros((panel.groups, k + 1)), np.zeros(n), np.zeros(n), np.zeros(n, np.float32))


def evaluate(panel: Panel, state: State, b: Floats, a: Floats) -> float:
    """Fill the fitted values for these coefficients and give what is to be made least."""
    found, _ = panel.each(kernel.profile, panel.start, panel.other, panel.x, panel.y, panel.total, b, a, state.w)
    return float(sum(found))


def walk(panel: Panel, state: State, tolerance: float) -> bool:
    """One step; False where no step goes down any more."""
    first = not np.isfinite(state.value)
    if first:  # weights halfway between the outcome and its mean, as is usual: fitted values of nothing would be too far off
        panel.each(kernel.begin, panel.start, panel.total, panel.y, state.w, state.r)
    else:
        np.subtract(panel.y, state.w, out=state.r)
    state.v[:, -1] = 0.0
    mass, v, passes = project(panel, state.w, state.r, state.v, tolerance, A_STEP)
    state.v = v
    state.passes += passes
    square, right = grams(panel, state.w, state.r, mass, v)
    b = solved(square, right)
    a = v[:, -1] - v[:, :-1] @ b
    found, _ = panel.each(kernel.step, panel.start, panel.other, panel.x, state.w, state.r, mass, b, a, state.d)
    slope = float(sum(found))
    state.steps += 1
    if first:
        none = evaluate(panel, state, state.b, state.a)
        value = evaluate(panel, state, b, a)
        if value < none:
            state.b, state.a, state.value = b, a, value
        else:
            state.value = evaluate(panel, state, state.b, state.a)
        return True
    state.decrement = abs(slope)
    state.moved = float(max(state.d.max(initial=0.0), -state.d.min(initial=0.0)))
    slack = 1e-13 * abs(state.value)
    length = 1.0
    for _ in range(HALVINGS):
        value = evaluate(panel, state, state.b + length * b, state.a + length * a)
        if value <= state.value - 1e-4 * length * slope + slack:
            state.b, state.a, state.value = state.b + length * b, state.a + length * a, value
            return True
        length /= 2
    evaluate(panel, state, state.b, state.a)
    return bool(slope <= slack)


def independent(panel: Panel) -> tuple[Flags, list[tuple[int, list[int]]]]:
    """Which regressors say something after the effects and those before them; for each other one, the regressors it goes with."""
    k = panel.x.shape[1]
    r = np.zeros(len(panel.y))
    w = np.ones(len(panel.y))
    mass, v, _ = project(panel, w, r, np.zeros((panel.groups, k + 1)), 1e-8)
    square, _ = grams(panel, w, r, mass, v)
    whole, raw = np.zeros(k), np.zeros(k)
    kernel.moments(panel.x, np.zeros(k), whole, raw)
    keep = np.zeros(k, dtype=bool)
    gone: list[tuple[int, list[int]]] = []
    for one in range(k):
        had = np.flatnonzero(keep)
        share = solved(square[np.ix_(had, had)], square[had, one])
        left = square[one, one] - square[one, had] @ share
        if square[one, one] <= ALIKE * whole[one] or whole[one] <= 1e-24 * raw[one]:
            gone.append((one, []))
        elif left <= 1e-9 * square[one, one]:
            unit = np.sqrt(np.diag(square))
            gone.append((one, [int(j) for j, part in zip(had, share, strict=True) if abs(part) * unit[j] > 1e-6 * unit[one]]))
        else:
            keep[one] = True
    return keep, gone
