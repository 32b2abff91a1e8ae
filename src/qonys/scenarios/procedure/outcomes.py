"""What one run of a variant came to: the numbers of its cohort, its steps, its agencies and its months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qonys.scenarios.procedure.durations import DAY
from qonys.scenarios.procedure.setting import officer_days

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from qonys.scenarios.procedure.setting import Played

PER_CLASS = ("within_limit", "mean_days", "waiting_days")  # what is told of each class of cases too


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """The numbers of one run. Those of the cohort are missing (number = 0) where nobody applied in it.

    values: measure -> mean of the cohort; classes: class -> the same for some. by_day: how many of the cohort are decided by the end of
    day 0, 1, 2 ... since they applied. waiting, waiting_p90, start, start_median, end, end_median: days, of each step. use, longest: of
    each agency with officers. open: cases at each month's end.
    """

    number: int
    values: Mapping[str, float]
    classes: Mapping[str, Mapping[str, float]]
    by_day: NDArray[np.int64]
    steps: Mapping[str, NDArray[np.float64]]
    use: NDArray[np.float64]
    longest: NDArray[np.int64]
    open: NDArray[np.int64]


def summary(one: Played) -> Summary:
    """A run in numbers, small enough to keep."""
    setting, people = one.setting, one.people
    procedure = setting.procedure
    begin, end = people.cohort
    number, steps = end - begin, len(procedure.steps)
    queued = [place for place, name in enumerate(setting.agencies) if procedure.agencies[name].officers is not None]
    use, longest, still_open = _use(one, queued), one.longest[queued], _open(one)
    if number == 0:
        return Summary(0, {}, {}, np.zeros(1, np.int64), {}, use, longest, still_open)
    first = one.attempts.first[begin * steps : end * steps + 1]
    attempts = slice(first[0], first[-1])
    back = (np.diff(first) - 1).reshape(number, steps)
    each_wait = (one.started[attempts] - one.ready[attempts]) / DAY
    waiting = np.add.reduceat(each_wait, first[:-1] - first[0]).reshape(number, steps)
    arrival, last = people.arrival[begin:end], first[1:] - 1
    since = np.repeat(arrival, steps)
    start = ((one.started[first[:-1]] - since) / DAY).reshape(number, steps)
    over = ((one.ended[last] + one.attempts.after[last] - since) / DAY).reshape(number, steps)
    elapsed = one.decided[begin:end] - arrival
    days, clock = elapsed / DAY, clock_ticks(one)[begin:end]
    within = clock <= round(procedure.limit * DAY)
    mending = (int(one.attempts.after[attempts].sum()) - int(one.attempts.after[last].sum())) / DAY
    median, late = np.quantile(days, [0.5, 0.9])
    values = {
        "cases": float(number),
        "within_limit": float(within.mean()),
        "mean_days": float(days.mean()),
        "median_days": float(median),
        "p90_days": float(late),
        "mean_clock_days": float((clock / DAY).mean()),
        "days_beyond_limit": float(np.maximum(clock / DAY - procedure.limit, 0).mean()),
        "waiting_days": float(waiting.sum(axis=1).mean()),
        "handling_days": float(one.attempts.handling[attempts].sum() / DAY / number),
        "mending_days": mending / number,
        "returned_share": float((back.sum(axis=1) > 0).mean()),
        "returns": float(back.sum() / number),
        "visits": sum(
            step.visits + (step.returned.visits * float(back[:, place].mean()) if step.returned else 0)
            for place, step in enumerate(procedure.steps)
        ),
        "documents": float(sum(len(step.documents) for step in procedure.steps)),
    }
    values |= _costs(one, values, number)
    kinds, classes = people.kind[begin:end], {}
    if len(procedure.classes) > 1:
        of_case = {"within_limit": within, "mean_days": days, "waiting_days": waiting.sum(axis=1)}
        for place, kind in enumerate(procedure.classes):
            if (mine := kinds == place).any():
                classes[kind.id] = {name: float(of_case[name][mine].mean()) for name in PER_CLASS}
    return Summary(
        number,
        values,
        classes,
        np.cumsum(np.bincount(-(-elapsed // DAY))),
        {
            "waiting": waiting.mean(axis=0),
            "waiting_p90": np.quantile(waiting, 0.9, axis=0),
            "start": start.mean(axis=0),
            "start_median": np.median(start, axis=0),
            "end": over.mean(axis=0),
            "end_median": np.median(over, axis=0),
        },
        use,
        longest,
        still_open,
    )


def clock_ticks(one: Played) -> NDArray[np.int64]:
    """Of each case, the time on the legal clock, in ticks: of calendar days or working days, without the spans in which it stood still."""
    clock = one.setting.clock
    if clock is None:
        return one.decided - one.people.arrival - one.stopped
    return clock.worked(one.decided) - clock.worked(one.people.arrival) - one.stopped


def _costs(one: Played, values: Mapping[str, float], number: int) -> dict[str, float]:
    """Costs a case. Officers that are counted are paid for their open days, at work or not; others for the days they handle."""
    procedure = one.setting.procedure
    costs = procedure.costs
    if costs is None:
        return {}
    officers = 0.0
    handled = _by_step(one.attempts.handling, one, cohort=True)
    for name, agency in procedure.agencies.items():
        if agency.officers is not None:
            officers += agency.officer_day * officer_days(one.setting, name) / number
        else:
            mine = [place for place, step in enumerate(procedure.steps) if step.agency == name]
            officers += agency.officer_day * float(handled[mine].sum()) / DAY / number
    found = {
        "cost_officers": officers,
        "cost_delay": costs.delay_day * values["days_beyond_limit"],
        "cost_open": costs.open_day * values["mean_days"],
        "cost_applicant": costs.visit * values["visits"] + costs.document * values["documents"],
    }
    return {**found, "cost_total": sum(found.values())}


def _by_step(ticks: NDArray[np.int64], one: Played, *, cohort: bool) -> NDArray[np.float64]:
    """Sums over attempts -> one a step; of the cohort's cases, or of all."""
    steps = len(one.setting.procedure.steps)
    begin, end = one.people.cohort if cohort else (0, len(one.people.arrival))
    first = one.attempts.first[begin * steps : end * steps + 1]
    if begin == end:
        return np.zeros(steps)
    sums: NDArray[np.float64] = np.add.reduceat(ticks[first[0] : first[-1]], first[:-1] - first[0]).reshape(-1, steps).sum(0, dtype=float)
    return sums


def _use(one: Played, queued: list[int]) -> NDArray[np.float64]:
    """Busy share of the officers' open time in the cohort's months, by whichever case they were kept busy."""
    setting = one.setting
    procedure = setting.procedure
    found: list[Any] = []
    for place in queued:
        name = setting.agencies[place]
        calendar, capacity = setting.calendar[name], officer_days(setting, name)
        started, ended = (calendar.worked(np.clip(moments, *setting.window)) for moments in (one.started, one.ended))
        busy = _by_step(ended - started, one, cohort=False)
        mine = [place for place, step in enumerate(procedure.steps) if step.agency == name and step.handling.mean]
        found.append(busy[mine].sum() / DAY / capacity if capacity else np.nan)
    return np.array(found, float)


def _open(one: Played) -> NDArray[np.int64]:
    starts = one.setting.procedure.month_starts
    ends = np.array([(day - starts[0]).days for day in starts[1:]], np.int64) * DAY
    decided = np.cumsum(np.bincount(np.searchsorted(ends, one.decided), minlength=len(ends) + 1))[: len(ends)]
    left: NDArray[np.int64] = np.searchsorted(one.people.arrival, ends, side="right") - decided
    return left
