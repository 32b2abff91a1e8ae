"""Where no plan exists: the fewest named limits that cannot hold together, and how far each would have to give way alone.

The smallest set by implicit hitting sets (Ignatiev, Previti, Liffiton, Marques-Silva 2015, CP 2015, LNCS 9255): a smallest set of limits
that hits every correction set known so far is tried; if a plan keeps it, it is grown until nothing more can be kept, and what is left out
is the next correction set; if none does, it is the answer. A plan is looked for with fractions first, then with whole vehicles and persons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.corridor.loosening import loosen
from qonys.scenarios.corridor.network import Network, network
from qonys.scenarios.corridor.people import departure_days, earliest
from qonys.scenarios.corridor.search import check_effort, relaxed, whole_solution
from qonys.scenarios.corridor.solver import INF, Model, Solver, elastic

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from qonys.scenarios.corridor.definition import Corridor

Family = tuple[str, str, "date | None"]
SLACK = 1e-5  # fractions of a step that are none
ANY = 0.999  # a gap at which any plan will do
TENTHS = 10  # fairness gives way by tenths of a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """exists: a plan keeps all limits, and members is empty. exact: no search was cut short, so the set is a smallest one.

    members: kind, name, first (of a closed span), limit and day (what it is now), needed and needed_day (what would make a plan possible if
    this one alone gave way; missing: nothing would). In days: home_by (a later day), closed (last day of the span; the day before its
    first: not at all). In numbers: vehicles (more on each of the leg's days), fleet, permits, beds, consulate, room, fairness.
    structural: kind, name, day: `no_way` (of a group within the plan, limits aside), `too_late` (its first possible day home is after
    home_by), `late_leg` (no departure arrives within the plan).
    """

    exists: bool
    exact: bool
    members: pd.DataFrame
    structural: pd.DataFrame


def conflict(corridor: Corridor, *, seconds: float = 10.0) -> Conflict:
    """The smallest set of limits that no plan keeps together. Dates and seats of legs and travel days are taken as they are.

    seconds: of each search for a plan in whole numbers; one that is cut short counts as if a plan had been found, and `exact` is false.
    Errors: DesignError for no time.
    """
    check_effort(0.0, seconds)
    search = _Search(network(corridor), seconds)
    everything = frozenset(range(len(search.families)))
    found = frozenset() if search.possible(everything) else search.smallest()
    rows = [search.needed(family) for family in sorted(found)]
    columns = ["kind", "name", "first", "limit", "day", "needed", "needed_day"]
    members = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(["first", "day", "needed_day"], "datetime64[ns]"))
    return Conflict(exists=not found, exact=search.exact, members=members, structural=structural(corridor))


def structural(corridor: Corridor) -> pd.DataFrame:
    """What no loosening of a limit would mend -> kind, name, day; see `Conflict`."""
    rows: list[tuple[str, str, object]] = []
    for group in corridor.groups:
        ready = (group.arriving[-1][0] - corridor.first).days
        reached = earliest(corridor, group, [(group.place, ready)]).get(group.destination)
        if reached is None:
            rows.append(("no_way", group.id, pd.NaT))
            continue
        home = corridor.first + timedelta(days=reached + corridor.settling(group.destination))
        if corridor.home_by is not None and home > corridor.home_by:
            rows.append(("too_late", group.id, home))
    for leg in corridor.legs:
        if departure_days(corridor, leg)[0] + leg.days >= corridor.days:
            rows.append(("late_leg", leg.id, leg.departures[0][0]))
    return pd.DataFrame(rows, columns=["kind", "name", "day"]).astype({"day": "datetime64[ns]"})


def families(net: Network) -> list[Family]:
    """Limits by name, each with all its days: fairness and home_by are one each, a border's closed spans one each."""
    return list(dict.fromkeys(_family(net)))


def _family(net: Network) -> list[Family]:
    """Of each limit's row."""
    limits = net.limits
    together = limits["kind"].isin(["fairness", "home_by"])
    found = zip(limits["kind"], limits["name"].mask(together, ""), limits["first"], strict=True)
    return [(kind, name, first if pd.notna(first) else None) for kind, name, first in found]


class _Search:
    """Which sets of limits a plan can keep: the rows of the others are freed."""

    def __init__(self, net: Network, seconds: float) -> None:
        self.net, self.seconds, self.exact = net, seconds, True
        self.families = families(net)
        place = {family: number for number, family in enumerate(self.families)}
        self.owner = np.array([place[family] for family in _family(net)], dtype=int)

    def possible(self, kept: frozenset[int]) -> bool:
        """Is there a plan in whole numbers that keeps these limits?"""
        net = self._with(kept)
        return self._fractional(net) and self._whole(net)

    def smallest(self) -> frozenset[int]:
        """The fewest limits that no plan keeps together."""
        corrections: list[frozenset[int]] = []
        everything = frozenset(range(len(self.families)))
        while True:
            tried = _hitting(corrections, len(self.families))
            if not self._fractional(self._with(tried)):
                return tried
            grown = self._grown(tried, sorted(everything - tried), lambda kept: self._fractional(self._with(kept)))
            if not self._whole(self._with(grown)):  # whole numbers are harder to please
                if not self._whole(self._with(tried)):
                    return tried
                grown = self._grown(tried, sorted(everything - tried), self.possible)
            corrections.append(everything - grown)

    def _grown(self, kept: frozenset[int], others: list[int], keeps: Callable[[frozenset[int]], bool]) -> frozenset[int]:
        """As many of the others with those kept as can be: all at once where that works, else half of them, then the other half."""
        if not others or keeps(kept | frozenset(others)):
            return kept | frozenset(others)
        if len(others) == 1:
            return kept
        half = len(others) // 2
        return self._grown(self._grown(kept, others[:half], keeps), others[half:], keeps)

    def _with(self, kept: frozenset[int]) -> Network:
        lower, upper = self.net.model.row_lower.copy(), self.net.model.row_upper.copy()
        free = self.net.limits["row"].to_numpy(int)[~np.isin(self.owner, list(kept))]
        lower[free], upper[free] = -INF, INF
        return replace(self.net, model=replace(self.net.model, row_lower=lower, row_upper=upper))

    def _fractional(self, net: Network) -> bool:
        model = relaxed(net.model)
        found = Solver(replace(model, cost=np.zeros(len(model.cost)))).solve(seconds=self.seconds)
        self.exact &= found.outcome != "time"
        return found.outcome != "infeasible"

    def _whole(self, net: Network) -> bool:
        found = whole_solution(net, gap=ANY, seconds=self.seconds)
        self.exact &= found.outcome == "infeasible" or found.values is not None
        return found.outcome != "infeasible"

    def needed(self, number: int) -> tuple[object, ...]:
        """A member and what would make a plan possible if it alone gave way, as a row."""
        kind, name, first = self.families[number]
        corridor = self.net.corridor
        most, now = _reach(corridor, kind, name, first)

        def looser(steps: int) -> Network:
            return network(loosen(corridor, kind=kind, name=name, day=first, extra=steps / TENTHS if kind == "fairness" else steps))

        if kind in ("home_by", "closed"):
            steps = _first(lambda steps: self._fractional(looser(steps)), 0, most)
        else:
            steps = self._least(number, TENTHS if kind == "fairness" else 1)
        if steps is not None and not self._whole(looser(steps)):
            steps = _first(lambda steps: self._whole(looser(steps)), steps, most)
        if isinstance(now, pd.Timestamp):
            given = pd.NaT if steps is None else now + timedelta(days=steps if kind == "home_by" else -steps)
            return kind, name, first, np.nan, now, np.nan, given
        return kind, name, first, now, pd.NaT, np.nan if steps is None else now + (steps / TENTHS if kind == "fairness" else steps), pd.NaT

    def _least(self, number: int, scale: int) -> int | None:
        """The fewest steps, `scale` to a unit, by which all rows of a limit must give way for a plan in fractions."""
        model, limits = relaxed(self.net.model), self.net.limits
        open_days = (limits["kind"] != "consulate") | (limits["limit"] > 0)
        rows = limits["row"].to_numpy(int)[(self.owner == number) & open_days]
        loose = elastic(model, rows, -np.ones(len(rows)), together=True)
        cost = loose.cost.copy()
        cost[-1] = 1.0
        found = Solver(replace(loose, cost=cost)).solve(seconds=self.seconds)
        self.exact &= found.outcome != "time"
        return None if found.values is None else max(1, math.ceil(scale * float(found.values[-1]) - SLACK))


def _hitting(sets: list[frozenset[int]], size: int) -> frozenset[int]:
    """The fewest of `size` things such that each set has one of them."""
    if not sets:
        return frozenset()
    rows = np.concatenate([np.full(len(one), row) for row, one in enumerate(sets)])
    columns = np.concatenate([sorted(one) for one in sets])
    ones = np.ones(len(sets))
    # among the smallest the earlier in the file: a tilt too small to make one more worth it
    model = Model(
        cost=1 + np.arange(size) / (2 * size * size), lower=np.zeros(size), upper=np.ones(size), whole=np.ones(size, dtype=bool),
        row_lower=ones, row_upper=np.full(len(sets), INF), entries=(rows, columns, np.ones(len(rows))),
    )  # fmt: skip
    found = Solver(model).solve(gap=0.0, seconds=600).values
    assert found is not None
    return frozenset(np.flatnonzero(found > 0.5).tolist())


def _first(possible: Callable[[int], bool], low: int, most: int) -> int | None:
    """The fewest steps, above `low` and up to `most`, with which it is possible; None if not even with most."""
    if most <= low or not possible(most):
        return None
    high, step = most, 1
    while low + step < high and not possible(low + step):
        low, step = low + step, 2 * step
    high = min(high, low + step)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if possible(middle) else (middle, high)
    return high


def _reach(corridor: Corridor, kind: str, name: str, first: date | None) -> tuple[int, float | pd.Timestamp]:
    """How many steps a limit can give way at all, and what it is now."""
    persons = corridor.persons
    match kind:
        case "home_by" if corridor.home_by is not None:
            return (corridor.last - corridor.home_by).days, pd.Timestamp(corridor.home_by)
        case "closed":
            span = next(one for one in corridor.border(name).closed if one.first == first)
            return (span.last - span.first).days + 1, pd.Timestamp(span.last)
        case "fairness" if corridor.fairness is not None:
            return TENTHS * corridor.days, corridor.fairness
        case "vehicles":
            leg = next(one for one in corridor.legs if one.id == name)
            return persons, float(max(most for _, most in leg.departures))
        case "fleet":
            return persons, float(corridor.fleets[name].vehicles)
        case "permits":
            return persons, float(corridor.border(name).permits or 0)
        case "beds":
            return persons, float(corridor.quarantines[name].beds)
        case "consulate":
            return persons, float(corridor.consulates[name].per_day)
        case "room":
            return persons, float(corridor.rooms[name])
    raise DesignError(f"there is no limit {kind!r}", mend="ask for one of the corridor's own")
