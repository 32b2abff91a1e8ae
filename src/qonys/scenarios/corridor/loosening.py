"""The same corridor with one limit loosened: one more vehicle, a hundred more permits a day, beds, documents, a later day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, TypeVar

from qonys.core.errors import DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qonys.scenarios.corridor.definition import Border, Corridor, Leg

T = TypeVar("T")
LIMITS = ("vehicles", "fleet", "permits", "closed", "beds", "consulate", "room", "fairness", "home_by")


def loosen(corridor: Corridor, *, kind: str, name: str = "", day: date | None = None, extra: float = 1) -> Corridor:
    """The corridor with `extra` more of a limit.

    kind and name: vehicles (of a leg, on `day` or on every day it leaves), fleet (of a mode), permits (a day, at a border), beds (at a
    destination), consulate (documents a day, of a citizenship), room (at a place), fairness (days), home_by (days later), closed (a
    border's span that begins on `day` ends so many days earlier). Errors: DesignError for a limit that the corridor does not have.
    """
    number = int(extra)
    match kind:
        case "vehicles":
            return replace(corridor, legs=tuple(_more(leg, day, number) if leg.id == _of(name, [leg.id for leg in corridor.legs]) else leg
                                                for leg in corridor.legs))  # fmt: skip
        case "fleet":
            return replace(corridor, fleets=_changed(corridor.fleets, name, lambda one: replace(one, vehicles=one.vehicles + number)))
        case "beds":
            return replace(corridor, quarantines=_changed(corridor.quarantines, name, lambda one: replace(one, beds=one.beds + number)))
        case "consulate":
            return replace(corridor, consulates=_changed(corridor.consulates, name, lambda one: replace(one, per_day=one.per_day + number)))
        case "room":
            return replace(corridor, rooms=_changed(corridor.rooms, name, lambda one: one + number))
        case "fairness" if corridor.fairness is not None:
            return replace(corridor, fairness=corridor.fairness + extra)
        case "home_by" if corridor.home_by is not None:
            return replace(corridor, home_by=min(corridor.last, corridor.home_by + timedelta(days=number)))
        case "permits":
            return _at_border(corridor, name, lambda one: replace(one, permits=None if one.permits is None else one.permits + number))
        case "closed":
            return _at_border(corridor, name, lambda one: _opened(one, day, number))
    raise DesignError(f"{corridor.name} has no limit {kind!r}", mend=nearest(kind, LIMITS))


def _of(name: str, known: list[str]) -> str:
    if name not in known:
        raise DesignError(f"nothing with a limit is called {name!r}", mend=nearest(name, known))
    return name


def _changed(table: Mapping[str, T], name: str, how: Callable[[T], T]) -> dict[str, T]:
    return {**table, name: how(table[_of(name, list(table))])}


def _at_border(corridor: Corridor, name: str, how: Callable[[Border], Border]) -> Corridor:
    known = _of(name, [border.id for border in corridor.borders])
    return replace(corridor, borders=tuple(how(border) if border.id == known else border for border in corridor.borders))


def _more(leg: Leg, day: date | None, extra: int) -> Leg:
    if day is not None:
        _of(str(day), [str(leaves) for leaves, _ in leg.departures])
    return replace(leg, departures=tuple((leaves, most + extra * (day is None or leaves == day)) for leaves, most in leg.departures))


def _opened(border: Border, first: date | None, extra: int) -> Border:
    """The span that begins on `first` ends earlier; gone where nothing is left of it."""
    spans = [replace(one, last=one.last - timedelta(days=extra * (one.first == first))) for one in border.closed]
    return replace(border, closed=tuple(one for one in spans if one.last >= one.first))
