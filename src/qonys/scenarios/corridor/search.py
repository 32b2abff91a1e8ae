"""How a network is solved: vehicles as integers over persons that may be fractions, to the gap asked; then whole persons on those vehicles.

The bound is that of the first step, so the gap holds for whole persons too.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.corridor.solver import INF, Model, Solution, Solver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qonys.scenarios.corridor.network import Network

WHOLE_GAP = 1e-4  # relative gap of the step to whole persons
NEAR = 1e-5


def check_effort(gap: float, seconds: float) -> None:
    """Errors: DesignError for a gap that is no share below 1, or no time."""
    if not 0 <= gap < 1:
        raise DesignError(f"a gap of {gap:g} is none", mend="give a share: 0.01 is 1 %")
    if not 0 < seconds < INF:
        raise DesignError(f"{seconds:g} seconds are no time", mend="give the seconds a plan may take, such as 60")


def optimum(net: Network, *, gap: float, seconds: float, known: pd.DataFrame | None = None) -> Solution:
    """The best whole solution found. known: a schedule to which it is never inferior where that can run here.

    Errors: DesignError where there is none.
    """
    found = whole_solution(net, gap=gap, seconds=seconds, known=known)
    if found.outcome == "infeasible":
        raise DesignError(f"no plan of {net.corridor.name} keeps all limits", mend="ask which of them cannot hold together: conflict")
    if found.values is None:
        raise DesignError(
            f"no plan of {net.corridor.name} was found within {seconds:g} seconds, nor was it shown that there is none",
            mend="give more seconds, or ask which limits cannot hold together: conflict",
        )
    return found


def whole_solution(net: Network, *, gap: float, seconds: float, known: pd.DataFrame | None = None) -> Solution:
    """Vehicles first, then whole persons on them; all at once only where that fails. `infeasible` is of the whole problem."""
    clock = Clock(seconds)
    first = whole_vehicles(net, gap, clock, known)
    if first.values is None:
        return first
    vehicles, model = net.trips["column"].to_numpy(int), net.model
    lower, upper = model.lower.copy(), model.upper.copy()
    lower[vehicles] = upper[vehicles] = np.rint(first.values[vehicles])
    fixed = replace(relaxed(model), lower=lower, upper=upper)
    second = Solver(fixed).solve(seconds=clock.left())
    if second.values is None or not _is_whole(net, second.values):
        second = Solver(replace(fixed, whole=whole_columns(net))).solve(gap=WHOLE_GAP * (gap > 0), seconds=clock.left())
    if second.values is None or relative_gap(second.value, first.bound) > gap + NEAR * (gap == 0) >= relative_gap(first.value, first.bound):
        third = Solver(replace(model, whole=whole_columns(net))).solve(gap=gap, seconds=clock.left())
        second = third if third.values is not None or second.values is None else second
        if second.values is None:
            return second
        first = replace(first, bound=max(first.bound, third.bound))
    values, columns = second.values.copy(), np.flatnonzero(whole_columns(net))
    values[columns] = np.rint(values[columns])
    value = float(model.cost @ values)
    met = relative_gap(value, first.bound) <= gap + 1e-6
    return Solution("optimal" if met else "time", value, min(first.bound, value), values, None)


class Clock:
    """What is left of the time; a step begun late still gets a fifth of it."""

    def __init__(self, seconds: float) -> None:
        self._until, self._least = time.monotonic() + seconds, seconds / 5

    def left(self) -> float:
        """Seconds for the next step."""
        return max(self._least, self._until - time.monotonic())

    @property
    def over(self) -> bool:
        """Is the time up?"""
        return time.monotonic() > self._until


def whole_vehicles(net: Network, gap: float, clock: Clock, known: pd.DataFrame | None = None) -> Solution:
    """Whole vehicles over fractional persons. A dive from the relaxation is often within the gap; else branch and cut from there.

    A known schedule is tried first, as it is and with vehicles added to it: two plans that are compared then differ by what differs.
    """
    solver, columns = Solver(relaxed(net.model)), net.trips["column"].to_numpy(int)
    lower, upper = net.model.lower[columns], net.model.upper[columns]
    base = solver.solve(seconds=clock.left())
    if base.outcome != "optimal" or base.values is None:
        return base
    tried: list[Solution | None] = []
    if known is not None:
        counts = counts_of(net, known)
        for most in (counts, upper):
            solver.columns(columns, counts, most)
            begun = solver.solve(seconds=clock.left())
            tried.append(_dive(net, solver, begun, clock, 10, counts, most) if begun.values is not None else None)
    best = _best(base, tried)
    if relative_gap(best.value, base.bound) <= gap:
        return best
    for part in (10, 3) if gap < 0.5 else (2, 10):
        solver.columns(columns, lower, upper)
        tried.append(_dive(net, solver, base, clock, part, lower, upper))
        best = _best(base, tried)
        if relative_gap(best.value, base.bound) <= gap:
            return best
    search = Solver(net.model)
    if best.values is not None:
        search.start(np.arange(len(best.values)), best.values)
    found = search.solve(gap=gap, seconds=clock.left())
    if found.values is None:
        return best if best.values is not None else found
    return replace(found, bound=max(found.bound, base.bound))


def _best(base: Solution, tried: list[Solution | None]) -> Solution:
    """The best of what was tried, with the bound of the relaxation; without values where nothing was found."""
    found = [one for one in tried if one is not None]
    if not found:
        return Solution("time", INF, base.bound, None, None)
    return replace(min(found, key=lambda one: one.value), bound=base.bound)


def counts_of(net: Network, schedule: pd.DataFrame) -> NDArray[np.float64]:
    """Vehicles of a schedule on each trip of the network: none where it has none, no more than may leave."""
    days = (pd.to_datetime(schedule["day"]) - pd.Timestamp(net.corridor.first)).dt.days
    run = pd.Series(schedule["vehicles"].to_numpy(float), index=pd.MultiIndex.from_arrays([schedule["leg"], days]))
    counts = run.reindex(pd.MultiIndex.from_frame(net.trips[["leg", "day"]]), fill_value=0.0).to_numpy(float)
    columns = net.trips["column"].to_numpy(int)
    return np.asarray(
        np.clip(np.minimum(counts, net.trips["most"].to_numpy(float)), net.model.lower[columns], net.model.upper[columns]), dtype=np.float64
    )


def _dive(net: Network, solver: Solver, base: Solution, clock: Clock, part: int, least: NDArray[np.float64],
          most: NDArray[np.float64]) -> Solution | None:  # fmt: skip
    """To whole vehicles: the fullest of those between two counts, one in `part`, are rounded up, solved again, and so on.

    Where that leaves no way, the emptiest are rounded down instead; where neither does, fewer at a time. least, most: vehicles a trip.
    """
    columns = net.trips["column"].to_numpy(int)
    lower, upper = least.copy(), most.copy()
    found, largest = base, len(columns)
    while not clock.over:
        assert found.values is not None
        counts = found.values[columns]
        below = np.floor(counts + NEAR)
        between = np.flatnonzero(counts - below > NEAR)
        if not len(between):
            return found
        order = between[np.argsort(below[between] - counts[between], kind="stable")]
        size = min(largest, max(1, len(order) // part))
        for bound, batch, shift in ((lower, order[:size], 1.0), (upper, order[::-1][:size], 0.0)):
            before = bound[batch].copy()
            bound[batch] = below[batch] + shift
            solver.columns(columns, lower, upper)
            tried = solver.solve(seconds=clock.left())
            if tried.values is not None:
                found, largest = tried, 2 * size
                break
            bound[batch] = before
        else:
            if size == 1:
                return None
            largest = size // 4 or 1
    return None


def relative_gap(value: float, bound: float) -> float:
    """(value - bound) / value, 0 where both are."""
    return max(0.0, value - bound) / abs(value) if value else 0.0 if bound >= 0 else INF


def whole_columns(net: Network) -> NDArray[np.bool_]:
    """Columns that count vehicles or persons on the move or documents; those who wait follow from them."""
    whole = net.model.whole.copy()
    for table in (net.moves, net.papers, net.stays, net.lacking):
        whole[table["column"].to_numpy(int)] = True
    return whole


def relaxed(model: Model) -> Model:
    """The model with fractions allowed everywhere."""
    return replace(model, whole=np.zeros(len(model.whole), dtype=bool))


def _is_whole(net: Network, values: NDArray[np.float64]) -> bool:
    found = values[whole_columns(net)]
    return bool(np.all(np.abs(found - np.rint(found)) < NEAR))
