"""The residence rule in plain Python, person by person, written to be read and not to be fast. What the kernel must equal.

A walk is followed spell by spell as the official method words it; nothing is shared with the kernel but the words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby, pairwise

OTHER = {"entry": "exit", "exit": "entry"}
MIGRATION = {"entry": "arrival", "exit": "departure"}
EARLIEST = date(1990, 1, 1)
Row = tuple[str, datetime, str]  # person, instant, direction


@dataclass(frozen=True)
class Rule:
    window: int
    threshold: int

    @property
    def tolerance(self) -> int:
        return self.window - self.threshold


@dataclass
class Answer:
    """What the rule says of one crossing. None: not yet known, and for `migration` also: none."""

    person: str
    at: datetime
    direction: str
    days_present: int | None = None
    days_observed: int | None = None
    long_term: bool | None = None
    resident_before: bool | None = None
    resident_after: bool | None = None
    migration: str | None = None
    final_on: date | None = None
    fault: str | None = None
    day: date = field(default=date.min, repr=False)


@dataclass(frozen=True)
class Spell:
    """The time from a crossing to the next, or to the end of the data."""

    direction: str
    first: date
    days: int
    is_open: bool


def reference(
    rows: list[Row], rule: Rule, end: date, *, zone: tzinfo = UTC, given: dict[str, tuple[bool, date | None]] | None = None
) -> list[Answer]:
    """Every crossing, by person and second. given: residence of some persons, and the day it became final (None: before all)."""
    answers = []
    for person, own in groupby(sorted(rows), key=lambda row: row[0]):
        ordered = list(alternating([Answer(person, at, way, day=at.astimezone(zone).date()) for _, at, way in own]))
        sound = [one for one in ordered if EARLIEST <= one.day <= end]
        for one in ordered:
            one.fault = "after_end" if one.day > end else "too_early" if one.day < EARLIEST else None
        for before, one in pairwise(sound):
            one.fault = fault(before, one)
        answer(sound, rule, end, (given or {}).get(person))
        answers += ordered
    return answers


def second(one: Answer) -> datetime:
    return one.at.replace(microsecond=0)


def alternating(ordered: list[Answer]) -> Iterator[Answer]:
    """Records of one second in the order in which entries and exits alternate, as far as they can, with what went before."""
    before: str | None = None
    for _, together in groupby(ordered, key=second):
        waiting = sorted(together, key=lambda one: (one.direction, one.at))
        exits = sum(one.direction == "exit" for one in waiting)
        wanted = OTHER[before] if before else ("exit" if 2 * exits > len(waiting) else "entry")
        while waiting:
            one = next((one for one in waiting if one.direction == wanted), waiting[0])
            waiting.remove(one)
            before = one.direction
            wanted = OTHER[before]
            yield one


def fault(before: Answer, one: Answer) -> str | None:
    at_once, again = second(before) == second(one), before.direction == one.direction
    if at_once:
        return "repeated" if again else "same_instant"
    return ("missed_exit" if one.direction == "entry" else "missed_entry") if again else None


def spells_after(crossings: list[Answer], place: int, end: date) -> list[Spell]:
    following = [*crossings[place + 1 :], None]
    return [
        Spell(one.direction, one.day, ((after.day if after else end) - one.day).days, after is None)
        for one, after in zip(crossings[place:], following, strict=True)
    ]


def walk(spells: list[Spell], rule: Rule) -> tuple[bool | None, date | None]:
    """Is the crossing that opens these spells a migration if it leads to the other status? And the day on which that became final."""
    own, other = 0, 0
    for spell in spells:
        if spell.direction == spells[0].direction:
            if own + spell.days >= rule.threshold:
                return True, spell.first + timedelta(days=rule.threshold - own)
            own += spell.days
        else:
            # who is not back when the last day of the data is over comes back a day later, or after
            if other + spell.days + (1 if spell.is_open else 0) > rule.tolerance:
                return False, spell.first + timedelta(days=rule.tolerance - other)
            other += spell.days
    return None, None


def answer(crossings: list[Answer], rule: Rule, end: date, given: tuple[bool, date | None] | None) -> None:
    """Fill the answers of one person."""
    possible = {crossings[0].direction == "exit"} if crossings else set()  # statuses the person may have; True: resident
    settled: date | None = crossings[0].day if crossings else None  # the day on which that became final; None: not yet
    given_on = given[1] or date.min if given else date.max
    waiting = given is not None and given_on <= end
    for place, one in enumerate(crossings):
        spells = spells_after(crossings, place, end)
        one.days_observed = min(rule.window, (end - one.day).days)
        last = one.day + timedelta(days=one.days_observed)
        one.days_present = sum(
            max((min(spell.first + timedelta(days=spell.days), last) - spell.first).days, 0)
            for spell in spells
            if spell.direction == "entry"
        )
        settled = max(settled, one.day) if settled else None
        if waiting and (settled is None or settled >= given_on):
            possible, settled, waiting = {given[0]}, max(given_on, one.day), False  # type: ignore[index]
        decision, decided = walk(spells, rule)
        against = one.direction == "exit"  # the status in which this crossing could be a migration
        outcomes = {status: decision if status == against else False for status in possible}
        after: set[bool] = set()
        for status, outcome in outcomes.items():
            after |= {status, not status} if outcome is None else {not status} if outcome else {status}
        one.long_term = next(iter(outcomes.values())) if len(set(outcomes.values())) == 1 else None
        one.resident_before = next(iter(possible)) if len(possible) == 1 else None
        one.resident_after = next(iter(after)) if len(after) == 1 else None
        one.migration = MIGRATION[one.direction] if one.long_term else None
        if settled is not None:
            if one.long_term is None or len(possible) > 1:
                settled = None
            elif against in possible:
                assert decided is not None
                settled = max(settled, decided)
        one.final_on = settled
        possible = after
