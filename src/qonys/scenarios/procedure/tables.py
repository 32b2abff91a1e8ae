"""Runs put together: each measure with its interval over the runs, and the differences between variants, paired by run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.scenarios.procedure.outcomes import PER_CLASS
from qonys.scenarios.procedure.setting import loads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from qonys.scenarios.procedure.definition import Procedure
    from qonys.scenarios.procedure.outcomes import Summary
    from qonys.scenarios.procedure.setting import Setting

UNITS = {
    "cases": "cases",
    "within_limit": "share",
    "returned_share": "share",
    "returns": "returns",
    "visits": "visits",
    "documents": "documents",
}
BINS = 400  # points of the distribution at the most
TAIL = 0.999  # share decided at which it ends


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulated:
    """A procedure simulated. Every value is the mean over the runs; low and high hold it with the coverage, and are missing with one run.

    outcomes: variant, measure, value, low, high, unit; of the cohort: cases (their number), within_limit (share decided within the legal
    limit), mean, median and p90 of days from application to decision, mean_clock_days (on the legal clock), days_beyond_limit,
    waiting_days (ready, and not yet handled), handling_days (of officers), mending_days (with the applicant), returned_share, returns,
    visits, documents, and where the file has costs cost_officers, cost_delay, cost_open, cost_applicant and cost_total, all a case.
    differences: the same columns, each variant less the first, paired by run.
    classes: variant, class and the same, where cases differ in priority.
    waiting: variant, agency, step, mean_days, low, high, p90_days, share (of all waiting of the variant).
    use: variant, agency, use (busy share of the officers' open time), low, high, load (work that comes over work that can be done),
    longest_line, waiting_days (a case), bottleneck (the agency that is most waited for).
    backlog: variant, on (a month's last day), open (cases at its end), low, high.
    distribution: variant, days, share (decided within so many days), low, high.
    steps: variant, step, agency, start, start_median, end, end_median: days since application.
    overloaded: variant, agency, load: where 1 or more comes, the line grows with the months and no waiting time is one of a steady state.
    """

    outcomes: pd.DataFrame
    differences: pd.DataFrame
    classes: pd.DataFrame
    waiting: pd.DataFrame
    use: pd.DataFrame
    backlog: pd.DataFrame
    distribution: pd.DataFrame
    steps: pd.DataFrame
    overloaded: pd.DataFrame
    runs: int
    seed: int
    coverage: float


def interval(
    values: NDArray[np.float64], *, coverage: float, least: float = 0.0, share: bool = False, independent: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean over runs (first axis), and the t interval that holds it, cut at the least the mean can be; missing with one run.

    share: the interval ends at 1. Where all runs agree on 0 or on 1, they do not prove it: the bound is the share p at which
    they would still all agree with probability (1 - coverage) / 2, p^n or (1 - p)^n (Clopper and Pearson 1934). independent: n, how many
    independent trials stand behind, cases where nobody queues; else n is the number of runs, as a run whose share is 1 with probability p
    has an expected share of p or more.
    """
    runs = len(values)
    if runs == 0:
        gap = np.full(values.shape[1:], np.nan)
        return gap, gap, gap
    mean = values.mean(axis=0)
    if runs == 1:
        return mean, np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    from scipy import stats

    half = stats.t.ppf(0.5 + coverage / 2, runs - 1) * values.std(axis=0, ddof=1) / np.sqrt(runs)
    low, high = np.maximum(mean - half, least), mean + half
    if share:
        high = np.minimum(high, 1)
        bound = ((1 - coverage) / 2) ** (1 / (independent or runs))
        low, high = np.where((values == 1).all(axis=0), bound, low), np.where((values == 0).all(axis=0), 1 - bound, high)
    return mean, low, high


def gathered(
    settings: Sequence[Setting], names: Sequence[str], found: Sequence[Sequence[Summary]], *, coverage: float, seed: int
) -> Simulated:
    """The tables of runs. found: of each run, a summary of each variant. Runs in which nobody of the cohort applied tell nothing of it."""
    by_variant = [
        _Variant(name, setting, [run[place] for run in found], coverage)
        for place, (name, setting) in enumerate(zip(names, settings, strict=True))
    ]
    procedure = settings[0].procedure
    use = pd.concat([one.use() for one in by_variant], ignore_index=True)
    return Simulated(
        outcomes=_joined(one.outcomes() for one in by_variant),
        differences=_joined([one.less(by_variant[0]) for one in by_variant[1:]] or [by_variant[0].outcomes()[:0]]),
        classes=_joined(one.classes() for one in by_variant),
        waiting=_joined(one.waiting() for one in by_variant),
        use=use,
        backlog=_joined(one.backlog() for one in by_variant),
        distribution=_joined(one.distribution(_grid(by_variant, procedure)) for one in by_variant),
        steps=_joined(one.steps() for one in by_variant),
        overloaded=use.loc[use["load"] >= 1, ["variant", "agency", "load"]].reset_index(drop=True),
        runs=len(found),
        seed=seed,
        coverage=coverage,
    )


def _joined(frames: Iterable[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(list(frames), ignore_index=True)


class _Variant:
    """The runs of one variant."""

    def __init__(self, name: str, setting: Setting, runs: Sequence[Summary], coverage: float) -> None:
        self.name, self.setting, self.all, self.coverage = name, setting, runs, coverage
        self.runs = [run for run in runs if run.number]
        procedure = setting.procedure
        queues = any(procedure.agencies[step.agency].officers is not None and step.handling.mean for step in procedure.steps)
        self.returns = any(step.chance_returned for step in procedure.steps)
        self.independent = 0 if queues else sum(run.number for run in self.runs)
        self.measures = list(self.runs[0].values) if self.runs else []

    def unit(self, measure: str) -> str:
        procedure = self.setting.procedure
        if measure.startswith("cost_"):
            return procedure.costs.currency if procedure.costs is not None else ""
        if measure in ("mean_clock_days", "days_beyond_limit"):
            return procedure.limit_counts
        return UNITS.get(measure, "working_days" if measure == "handling_days" else "days")

    def rows(self, value: Any, low: Any, high: Any, *, name: str = "value", **columns: Any) -> pd.DataFrame:
        return pd.DataFrame({"variant": self.name, **columns, name: value, "low": low, "high": high})

    def of(self, part: str) -> NDArray[np.float64]:
        """Runs by steps."""
        return np.array([run.steps[part] for run in self.runs]).reshape(len(self.runs), len(self.setting.procedure.steps))

    def measured(self, runs: Sequence[Mapping[str, float]], measures: Sequence[str], *, paired: bool = False) -> pd.DataFrame:
        """Measures with intervals. runs: measure -> value, of each run; paired: of each pair, a difference, which may be below zero."""
        found = []
        for name in measures:
            values = np.array([run[name] for run in runs])
            share = not paired and (name == "within_limit" or (name == "returned_share" and self.returns))
            least = -np.inf if paired else 0.0
            one = interval(values, coverage=self.coverage, least=least, share=share, independent=self.independent)
            found.append([float(part) for part in one])
        table = np.array(found, float).reshape(-1, 3).T
        return self.rows(*table, measure=list(measures)).assign(unit=[self.unit(name) for name in measures])

    def outcomes(self) -> pd.DataFrame:
        return self.measured([run.values for run in self.runs], self.measures)

    def less(self, base: _Variant) -> pd.DataFrame:
        pairs = zip(self.runs, base.runs, strict=True)  # the same runs have nobody: applicants are those of the run
        return self.measured(
            [{name: mine.values[name] - its.values[name] for name in mine.values} for mine, its in pairs], self.measures, paired=True
        )

    def classes(self) -> pd.DataFrame:
        found = []
        for kind in self.setting.procedure.classes:
            runs = [run.classes[kind.id] for run in self.runs if kind.id in run.classes]
            rows = self.measured(runs, PER_CLASS if runs else ())
            rows.insert(1, "class", kind.id)
            found.append(rows)
        return _joined(found)

    def waiting(self) -> pd.DataFrame:
        steps = self.setting.procedure.steps
        value, low, high = interval(self.of("waiting"), coverage=self.coverage)
        p90, total = interval(self.of("waiting_p90"), coverage=self.coverage)[0], value.sum()
        rows = self.rows(value, low, high, name="mean_days", agency=[step.agency for step in steps], step=[step.id for step in steps])
        rows = rows.assign(p90_days=p90, share=value / total if total > 0 else np.nan)
        return rows[[bool(step.handling.mean) for step in steps]]

    def use(self) -> pd.DataFrame:
        load = loads(self.setting)
        value, low, high = interval(np.array([run.use for run in self.all]), coverage=self.coverage)
        waiting = self.waiting().groupby("agency")["mean_days"].sum().reindex(list(load), fill_value=0.0).to_numpy()
        rows = self.rows(value, low, high, name="use", agency=list(load)).assign(
            load=np.array(list(load.values()), float),
            longest_line=np.array([run.longest for run in self.all], float).mean(axis=0),
            waiting_days=waiting,
            bottleneck=(waiting == waiting.max(initial=0.0)) & (waiting > 0),
        )
        return rows.astype({"agency": object})

    def backlog(self) -> pd.DataFrame:
        value, low, high = interval(np.array([run.open for run in self.all], float), coverage=self.coverage)
        ends = [day - timedelta(1) for day in self.setting.procedure.month_starts[1:]]
        return self.rows(value, low, high, name="open", on=pd.to_datetime(ends))

    def shares(self, days: NDArray[np.int64]) -> NDArray[np.float64]:
        """Share decided within so many days, runs by days."""
        return np.array([run.by_day[np.minimum(days, len(run.by_day) - 1)] / run.number for run in self.runs]).reshape(-1, len(days))

    def distribution(self, days: NDArray[np.int64]) -> pd.DataFrame:
        value, low, high = interval(self.shares(days), coverage=self.coverage, share=True, independent=self.independent)
        # what is decided within some days is decided within more: a bound at one day is one at the days after it, or before
        low, high = np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1]
        return self.rows(value, low, high, name="share", days=days)

    def steps(self) -> pd.DataFrame:
        steps = self.setting.procedure.steps
        parts = ("start", "start_median", "end", "end_median")
        means = {part: interval(self.of(part), coverage=self.coverage)[0] for part in parts}
        return pd.DataFrame({"variant": self.name, "step": [one.id for one in steps], "agency": [one.agency for one in steps], **means})


def _grid(variants: Sequence[_Variant], procedure: Procedure) -> NDArray[np.int64]:
    """Days at which the share decided is told: round steps up to where nearly all are decided in every variant, and the limit."""
    longest = max((len(run.by_day) for one in variants for run in one.runs), default=1)
    every = np.arange(longest)
    reached = [one.shares(every).mean(axis=0) for one in variants if one.runs]
    last = max((int(np.argmax(share >= TAIL)) for share in reached), default=0)
    step = next(step for size in (1, 10, 100, 1000) for step in (size, 2 * size, 5 * size) if last / step <= BINS)
    days = np.arange(0, last + step, step)
    return np.union1d(days, [int(procedure.limit)]) if procedure.limit == int(procedure.limit) <= last else days
