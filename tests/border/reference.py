"""The residence rule in plain Python, person by person, written to be read and not to be fast. What the kernel must equal.

A walk is followed spell by spell as the official method words it; nothing is shared with the kernel but the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True)
class Answer:
    """What the rule says of one crossing. None: not yet known, and for `migration` also: none."""

    days_present: int
    days_observed: int
    long_term: bool | None
    resident_before: bool | None
    resident_after: bool | None
    migration: str | None
    final_on: date | None


def spells_after(days: list[date], directions: list[str], place: int, end: date) -> list[tuple[str, date, int]]:
    """The spells that follow a crossing: the direction that opened each, its first day and its length; the last runs to `end`."""
    edges = [*days[place:], end]
    return [(directions[place + k], edges[k], max((edges[k + 1] - edges[k]).days, 0)) for k in range(len(edges) - 1)]


def walk(days: list[date], directions: list[str], place: int, end: date, window: int, threshold: int) -> tuple[bool | None, date | None]:
    """Does the crossing open a stay (or absence) long enough to be a migration? And the day on which that became final."""
    own, other = 0, 0
    tolerance = window - threshold
    for direction, first, length in spells_after(days, directions, place, end):
        if direction == directions[place]:
            own, before = own + length, own
            if own >= threshold:
                return True, first + timedelta(days=threshold - before)
        else:
            other, before = other + length, other
            if other > tolerance:
                return False, first + timedelta(days=tolerance - before + 1)
    return None, None


def present_in_window(days: list[date], directions: list[str], place: int, end: date, window: int) -> tuple[int, int]:
    """Days in the country within the window that starts at the crossing, and days of the window before the end of the data."""
    observed = max(min(window, (end - days[place]).days), 0)
    last = days[place] + timedelta(days=observed)
    present = 0
    for direction, first, length in spells_after(days, directions, place, end):
        if direction == "entry":
            present += max((min(first + timedelta(days=length), last) - min(first, last)).days, 0)
    return present, observed


def classify_person(
    days: list[date], directions: list[str], *, end: date, window: int, threshold: int, initial: bool | None = None
) -> list[Answer]:
    """Every crossing of one person, in order. `initial`: the status before the first crossing, if it is known."""
    answers: list[Answer] = []
    possible = {directions[0] == "exit" if initial is None else initial}  # statuses the person may have; True: resident
    settled, sure = days[0], True  # the day on which all answers so far were final; whether they are
    for place, (day, direction) in enumerate(zip(days, directions, strict=True)):
        against = direction == "exit"  # the status in which this crossing could be a migration
        long_term, decided = walk(days, directions, place, end, window, threshold)
        outcomes = {status: long_term if status == against else False for status in possible}
        after: set[bool] = set()
        for status, outcome in outcomes.items():
            after |= {status, not status} if outcome is None else {not status} if outcome else {status}
        migrated = next(iter(outcomes.values())) if len(set(outcomes.values())) == 1 else None
        sure = sure and len(possible) == 1 and migrated is not None
        if sure:
            settled = max(settled, day, decided if against in possible and decided else day)
        answers.append(
            Answer(
                *present_in_window(days, directions, place, end, window), migrated, next(iter(possible)) if len(possible) == 1 else None,
                next(iter(after)) if len(after) == 1 else None, ({"entry": "arrival", "exit": "departure"}[direction] if migrated else None),
                settled if sure else None,
            )
        )  # fmt: skip
        possible = after
    return answers
