"""A procedure played many times, in each of its variants, against the same applicants and the same chance."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.procedure.draws import applicants
from qonys.scenarios.procedure.outcomes import Summary, summary
from qonys.scenarios.procedure.setting import Setting, played, prepared
from qonys.scenarios.procedure.tables import Simulated, gathered
from qonys.scenarios.procedure.variants import variant

if TYPE_CHECKING:
    from qonys.scenarios.procedure.definition import Procedure

MOST_ATTEMPTS = 20_000_000  # at steps, in one run: some 2 GB of memory


def simulate(
    procedure: Procedure, *, runs: int | None = None, seed: int | None = None, coverage: float = 0.95, threads: int | None = None
) -> Simulated:
    """How a procedure does in each variant: kept within the limit or not, days, waiting, officers, backlog, costs.

    runs, seed: instead of those of the file. Runs are independent; the variants of a run meet the same applicants and the same draws, so
    their differences are paired. Intervals are t intervals over the runs, missing with one run. See `Simulated` for the tables.
    threads: by default as many as there are processors; the same procedure, runs and seed give the same tables whatever their number.
    Errors: DesignError for runs that are no count, a run that does not fit the memory, or cases that never end.
    """
    number, base = _count("runs", procedure.runs if runs is None else runs, 1), _count("seed", procedure.seed if seed is None else seed, 0)
    if isinstance(coverage, bool) or not isinstance(coverage, int | float) or not 0.5 <= coverage < 1:
        percent = not isinstance(coverage, bool) and isinstance(coverage, int | float) and 50 <= coverage < 100
        mend = f"write {coverage / 100:g}" if percent else "give a share such as 0.95"
        raise DesignError(f"an interval cannot have a coverage of {coverage!r}", mend=mend)
    settings = [_fitting(procedure, name) for name in procedure.variants]

    def one(run: int) -> list[Summary]:
        people = applicants(procedure, settings[0].country, seed=base, run=run)
        return [summary(played(setting, people, seed=base, run=run)) for setting in settings]

    at_once = MOST_ATTEMPTS / max(1.0, *(_expected_attempts(setting.procedure) for setting in settings))
    workers = max(1, min(threads or os.cpu_count() or 1, number, int(at_once)))
    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(one, range(number)))
    return gathered(settings, list(procedure.variants), found, coverage=coverage, seed=base)


def cases(procedure: Procedure, *, variant_name: str | None = None, run: int = 0, seed: int | None = None) -> pd.DataFrame:
    """Every attempt at every step of one run as a log: the contract `case_event`, by case and time, warm-up and backlog too.

    variant_name: by default the first. outcome: `returned` (a document was wrong; finished_at is when it was sent back) or `done`
    (finished_at is when the step is over, what passes after the officer is done included). Instants are local ones, written as UTC.
    Errors: as `simulate`, and for a variant that does not exist.
    """
    setting = _fitting(procedure, next(iter(procedure.variants)) if variant_name is None else variant_name)
    base, number = _count("seed", procedure.seed if seed is None else seed, 0), _count("run", run, 0)
    people = applicants(procedure, setting.country, seed=base, run=number)
    one = played(setting, people, seed=base, run=number)
    steps, first = setting.procedure.steps, one.attempts.first
    job = np.repeat(np.arange(len(first) - 1), np.diff(first))
    case, step = np.divmod(job, len(steps))
    last = np.zeros(len(job), bool)
    last[first[1:] - 1] = True
    origin = np.datetime64(setting.procedure.month_starts[0], "us")
    over = one.ended + np.where(last, one.attempts.after, 0)
    names = np.array([f"{number}-{place:08d}" for place in range(len(people.arrival))], object)
    rows = pd.DataFrame(
        {
            "case_id": names[case],
            "step": np.array([one.id for one in steps], object)[step],
            "agency": np.array([one.agency for one in steps], object)[step],
            "ready_at": _instants(origin, one.ready),
            "started_at": _instants(origin, one.started),
            "finished_at": _instants(origin, over),
            "outcome": np.where(last, "done", "returned").astype(object),
        }
    )
    return rows.iloc[np.lexsort((one.ready, case))].reset_index(drop=True)


def _instants(origin: np.datetime64, moments: Any) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(origin + moments.astype("timedelta64[us]")).tz_localize("UTC")


def _fitting(procedure: Procedure, name: str) -> Setting:
    found = variant(procedure, name)
    size = _expected_attempts(found)
    if size > MOST_ATTEMPTS:
        raise DesignError(
            f"{procedure.name}, variant {name}: a run handles steps {size:,.0f} times, and {MOST_ATTEMPTS:,} fit",
            mend="take fewer months or applications a run, and more runs",
        )
    return prepared(found)


def _expected_attempts(procedure: Procedure) -> float:
    return (sum(procedure.arrivals) + procedure.backlog) * sum(step.times_handled for step in procedure.steps)


def _count(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise DesignError(f"{name} = {value!r} is no whole number from {least} on", mend=f"give a number such as {max(least, 20)}")
    return value
