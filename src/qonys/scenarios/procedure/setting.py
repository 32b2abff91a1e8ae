"""A variant made ready for the kernel, and played once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from qonys.core.errors import DesignError
from qonys.scenarios.procedure.calendars import Calendar, open_days, working_years
from qonys.scenarios.procedure.definition import ALWAYS, Procedure
from qonys.scenarios.procedure.draws import Applicants, Attempts, attempts
from qonys.scenarios.procedure.durations import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

TAIL_YEARS = 30  # how long after the last application a case may be open


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A variant with its calendars. agencies: ids; calendar: of each; country: of the country, if anything depends on it.

    clock: calendar of the legal limit, None for calendar days. rank: of each class, its place by priority. plan: see `kernel.Plan`.
    """

    procedure: Procedure
    agencies: tuple[str, ...]
    calendar: dict[str, Calendar]
    country: Calendar | None
    clock: Calendar | None
    rank: tuple[int, ...]
    plan: Any

    @property
    def window(self) -> tuple[int, int]:
        """Beginning and end of the cohort, in ticks."""
        begin, end = self.plan.window
        return int(begin), int(end)


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """What happened in one run; the arrays are those of `kernel.replicate`."""

    setting: Setting
    people: Applicants
    attempts: Attempts
    ready: NDArray[np.int64]
    started: NDArray[np.int64]
    ended: NDArray[np.int64]
    decided: NDArray[np.int64]
    stopped: NDArray[np.int64]
    longest: NDArray[np.int64]


def prepared(procedure: Procedure) -> Setting:
    """A variant (see `variants.variant`) with its calendars and its plan. Errors: DesignError for years whose holidays are not known."""
    from qonys.scenarios.procedure.kernel import Plan

    origin, days = procedure.month_starts[0], _days_covered(procedure)
    country = Calendar.of(open_days(origin, days, country=procedure.country)) if procedure.uses_country else None
    every_day = Calendar.of(np.ones(days, bool))
    found = [every_day] if country is None else [every_day, country]
    agencies = procedure.agencies
    calendar: dict[str, Calendar] = {}
    for name, one in agencies.items():
        calendar[name] = country if one.calendar == "working_days" and country is not None else every_day
        if one.closed:
            of_country = procedure.country if one.calendar == "working_days" else None
            calendar[name] = Calendar.of(open_days(origin, days, country=of_country, closed=one.closed))
            found.append(calendar[name])
    steps, names = procedure.steps, tuple(agencies)
    behind = [[place for place, step in enumerate(steps) if one.id in step.after] for one in steps]
    pieces = [one.officers or ((ALWAYS, 0),) for one in agencies.values()]
    starts, warm_up = procedure.month_starts, procedure.warm_up_months
    priorities = sorted({one.priority for one in procedure.classes})
    open_day = np.zeros((len(found), days), np.int64)
    for place, known in enumerate(found):
        open_day[place, : len(known.open_day)] = known.open_day
    places = [next(place for place, known in enumerate(found) if known is calendar[name]) for name in names]
    in_working_days = procedure.limit_counts == "working_days"
    plan = Plan(
        next_first=_whole(np.cumsum([0, *map(len, behind)])),
        next_step=_whole([place for places_behind in behind for place in places_behind]),
        needs=_whole([len(step.after) for step in steps]),
        agency_of=_whole([names.index(step.agency) if step.handling.mean else -1 for step in steps]),
        stops=np.array([step.clock_stops for step in steps]),
        return_stops=np.array([step.returned is not None and step.returned.clock_stops for step in steps]),
        queued=np.array([one.officers is not None for one in agencies.values()]),
        calendar_of=_whole(places),
        piece_first=_whole(np.cumsum([0, *map(len, pieces)])),
        piece_at=_whole([max((day - origin).days, 0) for piece in pieces for day, _ in piece]) * DAY,
        piece_number=_whole([number for piece in pieces for _, number in piece]),
        open_before=np.stack([known.open_before for known in found]),
        open_day=open_day,
        clock_calendar=1 if in_working_days else -1,
        window=_whole([(starts[warm_up] - origin).days, (starts[warm_up + procedure.months] - origin).days]) * DAY,
    )
    rank = tuple(priorities.index(one.priority) for one in procedure.classes)
    return Setting(procedure, names, calendar, country, country if in_working_days else None, rank, plan)


def played(setting: Setting, people: Applicants, *, seed: int, run: int) -> Played:
    """One run of a variant. Errors: DesignError where cases are still open when the calendar ends."""
    return replayed(setting, people, attempts(setting.procedure, len(people.arrival), seed=seed, run=run))


def replayed(setting: Setting, people: Applicants, drawn: Attempts) -> Played:
    """What follows from these draws. Errors: as `played`."""
    from qonys.scenarios.procedure.kernel import replicate

    rank = _whole(setting.rank)[people.kind]
    ended, *found = replicate(setting.plan, people.arrival, rank, max(setting.rank) + 1, drawn.first, drawn.handling, drawn.after)
    if not ended:
        procedure = setting.procedure
        end = procedure.month_starts[0] + timedelta(_days_covered(procedure))
        over = [f"{name} has {load:.2f} times the work its officers can do" for name, load in loads(setting).items() if load >= 1]
        what = f"{procedure.name}: cases are still open on {end}, when the calendar ends"
        raise DesignError(f"{what} ({', '.join(over)})" if over else what, mend="give officers, or shorten what takes so long")
    return Played(setting, people, drawn, *found)


def loads(setting: Setting) -> dict[str, float]:
    """Of each agency with officers: the work that comes in the cohort's months, over the work its officers can do in them.

    At 1 or more the line grows as long as the months last, and every waiting time is one of this horizon. Returned cases count each time.
    """
    procedure = setting.procedure
    expected = sum(procedure.arrivals[procedure.warm_up_months : procedure.warm_up_months + procedure.months])
    found = {}
    for name, agency in procedure.agencies.items():
        if agency.officers is None:
            continue
        work = sum(step.handling.mean * step.times_handled for step in procedure.steps if step.agency == name)
        capacity = officer_days(setting, name)
        found[name] = expected * work / capacity if capacity else np.inf
    return found


def officer_days(setting: Setting, agency: str) -> float:
    """Open days of an agency in the cohort's months, each times its officers."""
    officers = setting.procedure.agencies[agency].officers or ()
    origin, (begin, end) = setting.procedure.month_starts[0], setting.window
    edges = [*(max((day - origin).days, 0) * DAY for day, _ in officers), end]
    reached = setting.calendar[agency].worked(np.clip(edges, begin, end)) / DAY
    return float((np.diff(reached) * [number for _, number in officers]).sum())


def _days_covered(procedure: Procedure) -> int:
    last = procedure.month_starts[-1].year + TAIL_YEARS
    if procedure.uses_country and procedure.country is not None:
        last = min(last, working_years(procedure.country)[1])
    origin = procedure.month_starts[0]
    last = max(last, procedure.month_starts[-1].year)
    return (date(last, 12, 31) - origin).days + 1


def _whole(values: Iterable[Any]) -> NDArray[np.int64]:
    return np.array(list(values), np.int64)
