"""The truth of a simulated border: a block of people, where they live, and every moment at which they pass the border.

Everybody has a home side, inside or outside the country, which movers change; journeys lead to the other side and back. A journey that
would overlap another one, or a change of home, is not made. So the moments of a person alternate between exit and entry by construction.
Times are whole seconds since the first day of the warm-up. Each step draws from a stream of its own, so that a change of one (another
closure, other faults) leaves the draws of the rest as they were.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from qonys.border.parameters import Closure, Journey, Kind, Parameters

DAY = 86_400
NEVER = 2**34  # after every moment of a simulation, in seconds
APART = 3_600  # between two journeys of a person, and between a journey and a change of home
SHORTEST = 1_800  # seconds a journey lasts at the least
PERSON_BITS = 36  # seconds fit below, the person above: one integer that sorts by both


@dataclass(frozen=True, slots=True)
class People:
    """A block of people: places in the lists of `Words`, and when home changes (NEVER: it does not)."""

    kind: NDArray[np.int64]
    inside: NDArray[np.bool_]  # lives inside at first
    citizenship: NDArray[np.int64]
    citizen: NDArray[np.bool_]
    birth_year: NDArray[np.int64]
    male: NDArray[np.bool_]
    purpose: NDArray[np.int64]
    permit: NDArray[np.int64]
    point: NDArray[np.int64]
    moved: NDArray[np.int64]
    back: NDArray[np.int64]

    def home_inside(self, person: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether these people live inside at these moments."""
        changed = (second >= self.moved[person]) ^ (second >= self.back[person])
        changes: NDArray[np.bool_] = self.inside[person] ^ changed
        return changes


class Moments(NamedTuple):
    """Every passage of the border, by person and time. `move`: home changes with it. `until`: a second of the last permitted day, or -1."""

    person: NDArray[np.int64]
    second: NDArray[np.int64]
    entry: NDArray[np.bool_]
    move: NDArray[np.bool_]
    permit: NDArray[np.int64]
    until: NDArray[np.int64]


class _Journeys(NamedTuple):
    person: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    planned: NDArray[np.int64]
    from_inside: NDArray[np.bool_]


class Words:
    """The words behind the numbers of `People`, and the weights to draw them by."""

    def __init__(self, parameters: Parameters) -> None:
        kinds = parameters.kinds
        self.kinds = [kind.name for kind in kinds]
        self.citizenships = sorted({code for kind in kinds for code in kind.citizenship} | {parameters.country})
        self.purposes = sorted({code for kind in kinds for code in kind.purpose})
        self.permits = sorted(parameters.permit_days)
        self.points = sorted(parameters.border_points)
        self.permit_seconds = np.array([round(parameters.permit_days[name] * DAY) for name in self.permits], dtype=np.int64)
        self.residence = self.permits.index(parameters.residence_permit)
        self.country = self.citizenships.index(parameters.country)
        self.shares = np.array([kind.share for kind in kinds])
        self.point_weights = np.array([parameters.border_points[name] for name in self.points], dtype=np.float64)
        self.calendars = [_calendar(parameters, kind) for kind in kinds]


def people(parameters: Parameters, words: Words, count: int, rng: Generator) -> People:
    """A block of `count` people: kind, where they live, who they are."""
    kind = pick(rng, count, words.shares)
    citizenship, purpose, permit = (np.zeros(count, dtype=np.int64) for _ in range(3))
    age, male, moved, back = (np.zeros(count) for _ in range(4))
    moved[:], back[:] = NEVER, NEVER
    for place, one in enumerate(parameters.kinds):
        mine = np.flatnonzero(kind == place)
        citizenship[mine] = _word(rng, len(mine), one.citizenship, words.citizenships)
        purpose[mine] = _word(rng, len(mine), one.purpose, words.purposes)
        permit[mine] = _word(rng, len(mine), one.permit, words.permits)
        age[mine] = np.clip(rng.normal(one.age.mean, one.age.spread, len(mine)), 0, 95)
        male[mine] = rng.random(len(mine)) < one.male
        if one.move is not None:
            moved[mine] = _days(rng, len(mine), words.calendars[place])
            returns = rng.random(len(mine)) < one.move.back
            later = one.move.back_after * (1 + rng.exponential(0.5, len(mine))) * DAY
            back[mine] = np.where(returns, np.minimum(moved[mine] + later, NEVER), NEVER)
    home = np.array([one.home == "inside" for one in parameters.kinds])
    return People(
        kind, home[kind], citizenship, citizenship == words.country, parameters.start.year - np.floor(age).astype(np.int64),
        male.astype(bool), purpose, permit, pick(rng, count, words.point_weights), moved.astype(np.int64), back.astype(np.int64),
    )  # fmt: skip


def moments(parameters: Parameters, words: Words, who: People, rng: Generator, shock: Generator) -> Moments:
    """Every passage of the border by these people, from the warm-up on, and past the end as far as journeys lead. Closures are applied."""
    made = _free(_drawn(parameters, words, who, rng), who)
    for closure in parameters.closures:
        _hold_moves(parameters, closure, who, shock)
        made = _free(_shocked(parameters, closure, made, who, shock), who)
    movers, returners = (np.flatnonzero(day < NEVER) for day in (who.moved, who.back))
    journeys = len(made.person)
    person = np.concatenate((made.person, made.person, movers, returners))
    second = np.concatenate((made.start, made.end, who.moved[movers], who.back[returners]))
    planned = np.concatenate((made.planned, np.zeros(len(person) - journeys, dtype=np.int64)))
    order = np.argsort((person << PERSON_BITS) + second)
    person, second, planned = person[order], second[order], planned[order]
    starts = np.flatnonzero(np.diff(person, prepend=-1))
    place = np.arange(len(person)) - np.repeat(starts, np.diff(starts, append=len(person)))
    entry = (place % 2 == 0) ^ who.inside[person]
    permit = np.where(who.home_inside(person, second - ~entry), words.residence, who.permit[person])
    overstays = np.array([kind.overstays for kind in parameters.kinds])[who.kind[person]]
    allowed = second + words.permit_seconds[permit] - DAY  # the day of entry is the first of the stay
    until = np.where(entry & ~who.citizen[person], np.where(overstays, allowed, np.maximum(allowed, planned)), -1)
    # an exit shows the permission that the entry before it gave
    until[1:] = np.where(~entry[1:] & (place[1:] > 0), until[:-1], until[1:])
    permit[1:] = np.where(~entry[1:] & (place[1:] > 0), permit[:-1], permit[1:])
    return Moments(person, second, entry, order >= 2 * journeys, permit, until)


def seconds_of(parameters: Parameters) -> tuple[int, int]:
    """First second of the records, and the first one after them, counted from the start of the warm-up."""
    first = parameters.warm_up_days * DAY
    return first, first + ((parameters.end - parameters.start).days + 1) * DAY


def _drawn(parameters: Parameters, words: Words, who: People, rng: Generator) -> _Journeys:
    """Journeys as people would make them one by one."""
    parts = []
    for place, kind in enumerate(parameters.kinds):
        mine = np.flatnonzero(who.kind == place)
        for plan, from_inside in ((kind.trips, True), (kind.visits, False)):
            if plan is not None:
                parts.append(_planned(parameters, words, who, mine, plan, kind, from_inside, words.calendars[place], rng))
    if not parts:
        none = np.zeros(0, dtype=np.int64)
        return _Journeys(none, none, none, none, none.astype(bool))
    return _Journeys._make(np.concatenate(column) for column in zip(*parts, strict=True))


def _planned(
    parameters: Parameters, words: Words, who: People, mine: NDArray[np.int64], plan: Journey, kind: Kind, from_inside: bool,
    calendar: NDArray[np.float64], rng: Generator,
) -> _Journeys:  # fmt: skip
    counts = plan.at_least + rng.poisson(plan.per_year * parameters.years, len(mine))
    person = np.repeat(mine, counts)
    start = _days(rng, len(person), calendar)
    days = np.minimum(plan.days * np.exp(plan.spread * rng.standard_normal(len(person))), plan.longest)
    seconds = np.maximum((days * DAY).astype(np.int64), SHORTEST)
    if kind.overstays and not from_inside:
        seconds += words.permit_seconds[who.permit[person]] + DAY
    end = start + seconds
    planned = np.zeros_like(end) if from_inside else end
    return _Journeys(person, start, end, planned, np.full(len(person), from_inside))


def _shocked(parameters: Parameters, closure: Closure, made: _Journeys, who: People, shock: Generator) -> _Journeys:
    """A journey that begins in a closure is made later or not at all; one that would end in it ends after it."""
    first, after = _window(parameters, closure)
    citizen = who.citizen[made.person]
    count = len(citizen)
    chance, fate, waits, stuck, longer = (
        shock.random(count), shock.random(count), shock.exponential(closure.delay_days * DAY, count), shock.random(count),
        shock.exponential(closure.delay_days * DAY, count),
    )  # fmt: skip
    goes_out = made.from_inside
    held = (made.start >= first) & (made.start < after) & (chance < _blocked(closure, ~goes_out, citizen))
    later = np.where(held, after + waits.astype(np.int64) - made.start, 0)
    start, end = made.start + later, made.end + later
    planned = made.planned + np.where(goes_out, 0, later)
    caught = (end >= first) & (end < after) & (stuck < _blocked(closure, goes_out, citizen))
    end = np.where(caught, after + longer.astype(np.int64), end)
    # who is only delayed may not come back before having left
    end = np.maximum(end, start + SHORTEST)
    # who planned to move, and is not back yet, moves after the return
    for day in (who.moved, who.back):
        waits_too = ~held & (made.start < day[made.person]) & (day[made.person] <= end + APART)
        np.maximum.at(day, made.person[waits_too], end[waits_too] + APART + 1)
    _in_order(who)
    keep = ~held | (fate < closure.catch_up)
    return _Journeys(made.person[keep], start[keep], end[keep], planned[keep], goes_out[keep])


def _hold_moves(parameters: Parameters, closure: Closure, who: People, shock: Generator) -> None:
    """Moves into or out of the country wait until a closure is over; nobody gives one up."""
    first, after = _window(parameters, closure)
    for day, inwards in ((who.moved, ~who.inside), (who.back, who.inside)):
        chance, waits = shock.random(len(day)), shock.exponential(closure.delay_days * DAY, len(day))
        held = (day >= first) & (day < after) & (chance < _blocked(closure, inwards, who.citizen))
        day[held] = after + waits[held].astype(np.int64)
    _in_order(who)


def _in_order(who: People) -> None:
    """Nobody returns home before having left it."""
    late = (who.back < NEVER) & (who.back < who.moved + DAY)
    who.back[late] = who.moved[late] + DAY


def _free(made: _Journeys, who: People) -> _Journeys:
    """Only journeys that start from home, end before home changes, and do not overlap an earlier one of the same person."""
    person, start, end = made.person, made.start, made.end
    good = who.home_inside(person, start) == made.from_inside
    for day in (who.moved[person], who.back[person]):
        good &= (day < start - APART) | (day > end + APART)
    made = _Journeys._make(column[good] for column in made)
    order = np.argsort((made.person << PERSON_BITS) + made.start)
    made = _Journeys._make(column[order] for column in made)
    base = made.person << PERSON_BITS
    ends = np.maximum.accumulate(base + made.end + APART)
    free = np.ones(len(order), dtype=bool)
    free[1:] = base[1:] + made.start[1:] > ends[:-1]
    return _Journeys._make(column[free] for column in made)


def _blocked(closure: Closure, inwards: NDArray[np.bool_], citizen: NDArray[np.bool_]) -> NDArray[np.float64]:
    shares = np.array(
        [[closure.departures.foreigners, closure.departures.citizens], [closure.arrivals.foreigners, closure.arrivals.citizens]]
    )
    found: NDArray[np.float64] = shares[inwards.astype(np.int64), citizen.astype(np.int64)]
    return found


def _window(parameters: Parameters, closure: Closure) -> tuple[int, int]:
    zero = parameters.start - timedelta(days=parameters.warm_up_days)
    return (closure.start - zero).days * DAY, ((closure.end - zero).days + 1) * DAY


def _calendar(parameters: Parameters, kind: Kind) -> NDArray[np.float64]:
    """Chance that a journey of this kind begins on the first day, up to the second, ...: season, weekday and growth."""
    zero = parameters.start - timedelta(days=parameters.warm_up_days)
    days = np.arange((parameters.end - zero).days + 1)
    dates = np.datetime64(zero) + days
    months = np.asarray(kind.months or parameters.months, dtype=np.float64)[dates.astype("datetime64[M]").astype(int) % 12]
    weekdays = np.asarray(kind.weekdays or parameters.weekdays, dtype=np.float64)[(days + zero.weekday()) % 7]
    growth = parameters.growth_per_year if kind.growth_per_year is None else kind.growth_per_year
    weight = np.cumsum(months * weekdays * (1 + growth) ** (days / 365.25))
    if not weight[-1] > 0:
        weight = np.arange(1.0, len(days) + 1)  # the period holds only days without weight
    scaled: NDArray[np.float64] = weight / weight[-1]
    return scaled


def _days(rng: Generator, count: int, calendar: NDArray[np.float64]) -> NDArray[np.int64]:
    """Moments whose days follow the calendar, at any second of the day."""
    day = np.minimum(np.searchsorted(calendar, rng.random(count), side="right"), len(calendar) - 1)
    return day * DAY + rng.integers(0, DAY, count)


def pick(rng: Generator, count: int, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places in a list of weights, drawn by them."""
    total = np.cumsum(weights)
    return np.minimum(np.searchsorted(total / total[-1], rng.random(count), side="right"), len(weights) - 1)


def _word(rng: Generator, count: int, weights: Mapping[str, float], words: list[str]) -> NDArray[np.int64]:
    places = np.array([words.index(word) for word in weights], dtype=np.int64)
    return places[pick(rng, count, np.array(list(weights.values()), dtype=np.float64))]
