"""Presence in plain Python, person by person and day by day, written to be read. What the expressions over tables must equal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple


class Record(NamedTuple):
    person_id: str
    at: datetime
    direction: str
    citizenship: str | None = "UZB"
    permit: str | None = None
    permitted_until: date | None = None
    border_point: str | None = "road"


@dataclass
class Spell:
    """A spell and the records it was made of. `known_first` and `known_last`: the days that records show, where they do not show all."""

    person_id: str
    entered: datetime | None
    left: datetime | None
    opened: str
    closed: str
    records: int

    def days(self, end: date) -> set[date]:
        """The days in the country that records show."""
        last = end if self.left is None else self.left.date()
        if self.entered is None:
            return {last}
        first = self.entered.date()
        if self.closed == "missed_exit":
            return {first}
        return {first + timedelta(days=day) for day in range((last - first).days + 1)}


def spells_of(person: str, records: list[Record]) -> list[Spell]:
    """Walk through the instants of one person."""
    found: list[Spell] = []
    open_: Spell | None = None
    instants = [(at, list(same)) for at, same in groupby(sorted(records, key=lambda one: one.at), key=lambda one: one.at)]
    for place, (at, same) in enumerate(instants):
        entries = sum(one.direction == "entry" for one in same)
        exits = len(same) - entries
        if place == 0 and exits > entries:
            open_ = Spell(person, None, None, "before_data", "open", 0)
        inside = open_ is not None
        stays = inside if entries == exits else entries > exits
        if open_ is not None:
            open_.left, open_.closed = at, "seen" if exits else "missed_exit"
            open_.records += exits if stays else exits + entries
            found.append(open_)
            entries = entries if stays else 0
        elif exits:
            visited = entries > 0
            used = 1 if stays else entries
            found.append(Spell(person, at if visited else None, at, "seen" if visited else "missed_entry", "seen", exits + used))
            entries -= used
        open_ = Spell(person, at, None, "seen", "open", entries) if stays else None
    return found + ([open_] if open_ else [])


def all_spells(records: list[Record], end: date) -> list[Spell]:
    """The spells of everybody, from the records up to the day `end`."""
    sound = sorted((one for one in records if date(1990, 1, 1) <= one.at.date() <= end), key=lambda one: one.person_id)
    return [spell for person, own in groupby(sound, key=lambda one: one.person_id) for spell in spells_of(person, list(own))]


def present_on(records: list[Record], on: date, end: date) -> dict[str, Spell]:
    """Who is inside at the midnight that ends the day."""
    stop = datetime.combine(on + timedelta(days=1), datetime.min.time())
    return {
        one.person_id: one
        for one in all_spells(records, end)
        if (one.opened == "before_data" or (one.entered is not None and one.entered < stop)) and (one.left is None or one.left >= stop)
    }


def days_in_window(days: set[date], last: date, window: int) -> int:
    """Days of the set within the window that ends on a day."""
    return sum((last - day).days < window for day in days if day <= last)


@dataclass(frozen=True)
class Free:
    """A visa-free rule for some citizenships: days a stay, and days within a window; None: not set."""

    of: tuple[str, ...]
    per_stay: int | None
    in_window: int | None
    window: int | None


def last_day_in_window(before: set[date], first: date, allowed: int, window: int) -> date:
    """The last day on which somebody who came on `first` and stays on has been here no more than `allowed` days of the window, day by day."""
    start = first + timedelta(days=1) if first in before else first  # back on the day of an exit: that day is counted already
    day, here = start, set(before)
    while True:
        here.add(day)
        if days_in_window(here, day, window) > allowed:
            return day - timedelta(days=1)
        day += timedelta(days=1)


def permission(
    records: list[Record], spell: Spell, on: date, end: date, country: str, rules: list[Free], within: int
) -> tuple[date | None, str]:
    """The last permitted day of a person present, and what it means on the day `on`."""
    shown = [
        one
        for one in records
        if one.person_id == spell.person_id and (one.at, one.direction) in ((spell.entered, "entry"), (spell.left, "exit"))
    ]
    shown = [one for one in shown if (one.direction == "entry") == (spell.entered is not None)]
    citizenship, permit, until = (
        min((value for one in shown if (value := getattr(one, name)) is not None), default=None)
        for name in ("citizenship", "permit", "permitted_until")
    )
    if citizenship == country:
        return None, "own_citizen"
    if until is None and permit in (None, "visa_free") and spell.entered is not None:
        first, ends = spell.entered.date(), []
        earlier = [
            one for one in all_spells(records, end) if one.person_id == spell.person_id and (one.entered or one.left) < spell.entered
        ]
        before = {day for one in earlier for day in one.days(end)}
        for rule in rules:
            if citizenship in rule.of:
                if rule.per_stay:
                    ends.append(first + timedelta(days=rule.per_stay - 1))
                if rule.in_window and rule.window:
                    ends.append(last_day_in_window(before, first, rule.in_window, rule.window))
        until = min(ends, default=None)
    if until is None:
        return None, "unknown"
    return until, "expired" if until < on else "expiring" if until <= on + timedelta(days=within) else "valid"
