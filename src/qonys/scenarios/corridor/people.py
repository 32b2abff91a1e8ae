"""Groups as they travel: the vulnerable apart from the rest, with or without papers, in whole persons, and where each may be and when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qonys.scenarios.corridor.definition import Corridor, Group, Leg


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """Persons of a group who count alike. ready: (day of the plan, with papers, without) as they come; weight: of a day of waiting."""

    group: Group
    vulnerable: bool
    weight: float
    ready: tuple[tuple[int, int, int], ...]

    @property
    def persons(self) -> int:
        """How many they are."""
        return sum(one + other for _, one, other in self.ready)

    @property
    def papered(self) -> bool:
        """Has everybody papers?"""
        return not any(other for _, _, other in self.ready)


def classes(corridor: Corridor) -> tuple[Class, ...]:
    """Each group as one or two classes, the vulnerable first. Shares become whole persons by rounding their running totals."""
    found = []
    for group in corridor.groups:
        kinds: dict[bool, list[tuple[int, int, int]]] = {True: [], False: []}
        come, before = 0, {True: (0, 0), False: (0, 0)}
        for day, persons in group.arriving:
            come += persons
            frail = _rounded(come * group.vulnerable)
            for vulnerable, total in ((True, frail), (False, come - frail)):
                lacking = _rounded(total * (1 - group.papers))
                one, other = before[vulnerable]
                kinds[vulnerable].append(((day - corridor.first).days, total - lacking - one, lacking - other))
                before[vulnerable] = (total - lacking, lacking)
        for vulnerable, ready in kinds.items():
            weight = group.priority * (corridor.vulnerable if vulnerable else 1.0)
            some = tuple(row for row in ready if row[1] or row[2])
            if some:
                found.append(Class(group=group, vulnerable=vulnerable, weight=weight, ready=some))
    return tuple(found)


def takes(leg: Leg, group: Group) -> bool:
    """May the group board the leg?"""
    return leg.carries is None or group.citizenship in leg.carries


def earliest(corridor: Corridor, group: Group, since: Iterable[tuple[str, int]]) -> dict[str, int]:
    """First day of the plan on which the group can be at each place, from places and days where it is; limits and closures aside."""
    found: dict[str, int] = {}
    for place, day in since:
        found[place] = min(day, found.get(place, day))
    moved = True
    while moved:
        moved = False
        for leg in corridor.legs:
            if leg.origin not in found or leg.origin == group.destination or not takes(leg, group):
                continue
            gone = next((day for day in departure_days(corridor, leg) if day >= found[leg.origin]), None)
            if gone is not None and gone + leg.days < found.get(leg.destination, corridor.days):
                found[leg.destination] = gone + leg.days
                moved = True
    return found


def latest(corridor: Corridor, group: Group) -> dict[str, int]:
    """Last day of the plan on which the group can still leave each place and be at its destination by the last day."""
    found = {group.destination: corridor.days - 1}
    moved = True
    while moved:
        moved = False
        for leg in corridor.legs:
            if leg.destination not in found or leg.origin == group.destination or not takes(leg, group):
                continue
            days = [gone for gone in departure_days(corridor, leg) if gone + leg.days <= found[leg.destination]]
            if days and days[-1] > found.get(leg.origin, -1):
                found[leg.origin] = days[-1]
                moved = True
    return found


def departure_days(corridor: Corridor, leg: Leg) -> list[int]:
    """Days of the plan on which the leg leaves, in order."""
    return [(day - corridor.first).days for day, _ in leg.departures]


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)
