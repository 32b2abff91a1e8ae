"""Chance: who applies when, and how long each attempt at each step takes. Every variant of a run meets the same draws.

Each purpose, step and attempt has a stream of random numbers of its own, and in it each case its place. So two variants give a case the
same officer time for the same attempt, whatever else differs, and the difference between them is that of the variants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qonys.scenarios.procedure.durations import DAY

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from qonys.scenarios.procedure.calendars import Calendar
    from qonys.scenarios.procedure.definition import Procedure, Step

NUMBER, TIME, CLASS, HANDLING, PASSING, RETURN, MENDING = range(7)  # what a stream is for; part of what a seed means


@dataclass(frozen=True, slots=True, eq=False)
class Applicants:
    """Who applies, by time. arrival: ticks since the origin; kind: place of the class; cohort: from which case to which."""

    arrival: NDArray[np.int64]
    kind: NDArray[np.int64]
    cohort: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Attempts:
    """What the attempts at each job (case * steps + step) take: see `kernel.replicate`."""

    first: NDArray[np.int64]
    handling: NDArray[np.int64]
    after: NDArray[np.int64]


def stream(seed: int, run: int, *purpose: int) -> Generator:
    """The random numbers of one purpose in one run."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(run, *purpose)))


def applicants(procedure: Procedure, working: Calendar | None, *, seed: int, run: int) -> Applicants:
    """Who applies in a run, after those who wait at the beginning. working: the country's calendar, for people who go on working days."""
    starts = procedure.month_starts
    edges = np.array([(day - starts[0]).days for day in starts], np.int64) * DAY
    expected = np.array(procedure.arrivals)
    if procedure.process == "even":
        number: NDArray[np.int64] = np.diff(np.rint(np.cumsum(expected)), prepend=0.0).astype(np.int64)
    else:
        number = stream(seed, run, NUMBER).poisson(expected).astype(np.int64)
    month = np.repeat(np.arange(len(number)), number)
    if procedure.process == "even":
        place = (np.arange(len(month)) - np.repeat(np.cumsum(number) - number, number) + 0.5) / number[month]
    else:
        place = stream(seed, run, TIME).random(len(month))
    if procedure.process == "working_days" and working is not None:
        open_edges = working.worked(edges)
        moment = open_edges[month] + (place * np.diff(open_edges)[month]).astype(np.int64)
        times = working.open_day[moment // DAY] * DAY + moment % DAY
    else:
        times = edges[month] + np.rint(place * np.diff(edges)[month]).astype(np.int64)
    arrival = np.concatenate((np.zeros(procedure.backlog, np.int64), np.sort(times)))
    shares = np.cumsum([one.share for one in procedure.classes])
    kind = np.searchsorted(shares / shares[-1], stream(seed, run, CLASS).random(len(arrival)), side="right")
    before = int(procedure.backlog + number[: procedure.warm_up_months].sum())
    inside = int(number[procedure.warm_up_months : procedure.warm_up_months + procedure.months].sum())
    return Applicants(arrival, kind, (before, before + inside))


def returns(step: Step, number: int, *, seed: int, run: int) -> NDArray[np.int64]:
    """How often each case is sent back: P(k times or more) = P(returned)^k, up to the most.

    One uniform number a case, so a case that is sent back less often at a lower chance is never sent back more often at a higher one.
    """
    if step.returned is None or step.chance_returned == 0:
        return np.zeros(number, np.int64)
    if step.chance_returned == 1:
        return np.full(number, step.returned.most)
    luck = 1 - stream(seed, run, RETURN, step.stream).random(number)
    return np.minimum(np.log(luck) / math.log(step.chance_returned), step.returned.most).astype(np.int64)


def attempts(procedure: Procedure, number: int, *, seed: int, run: int) -> Attempts:
    """How long each attempt of so many cases at each step of a variant takes, and what follows it."""
    steps = procedure.steps
    back = np.column_stack([returns(step, number, seed=seed, run=run) for step in steps])
    first = np.concatenate(([0], np.cumsum(1 + back.ravel())))
    handling, after = np.empty(first[-1], np.int64), np.empty(first[-1], np.int64)
    for place, step in enumerate(steps):
        begin, times = first[place : -1 : len(steps)], back[:, place]
        for attempt in range(int(times.max(initial=0)) + 1):
            # all cases draw, so that a case finds its number at its place whoever else was sent back
            has = slice(None) if attempt == 0 else times >= attempt
            at = begin[has] + attempt
            handling[at] = step.handling.draw(stream(seed, run, HANDLING, step.stream, attempt), number)[has]
            if attempt and step.returned is not None:
                after[at - 1] = step.returned.days.draw(stream(seed, run, MENDING, step.stream, attempt), number)[has]
        after[begin + times] = step.passing.draw(stream(seed, run, PASSING, step.stream), number)
    return Attempts(first, handling, after)
