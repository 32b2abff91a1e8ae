"""One form for the answer of every estimator, so that results can be read, drawn, compared and pooled alike."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

BY_TIME = ("event_time", "estimate", "error", "low", "high", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one estimator says.

    estimate, error, low, high: in `unit`, at `coverage`; error is missing where the estimator gives an interval alone, both where it gives
    neither. estimand: what is estimated (a code). by_time: event_time (0: the first period treated), estimate, error, low, high, reference
    (the period compared with). pre_trend: p value of a joint test that all estimates before treatment are zero; missing without such.
    units, treated, comparison: numbers of units; clusters, periods, rows. weights: unit, weight of the comparison, where it is a weighted
    one. messages: what the library warned of, in its words.
    """

    estimator: str
    estimand: str
    estimate: float
    error: float
    low: float
    high: float
    coverage: float
    unit: str
    units: int
    treated: int
    comparison: int
    clusters: int
    periods: int
    rows: int
    by_time: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(BY_TIME)))
    pre_trend: float = float("nan")
    weights: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["unit", "weight"]))
    messages: tuple[str, ...] = ()

    @property
    def decided(self) -> bool:
        """Does the interval leave zero out?"""
        return self.low > 0 or self.high < 0

    def table(self) -> pd.DataFrame:
        """One row: what `Effect` says, without its tables."""
        names = (
            "estimator", "estimand", "estimate", "error", "low", "high", "coverage", "unit", "pre_trend", "units", "treated", "comparison",
            "clusters", "periods", "rows",
        )  # fmt: skip
        return pd.DataFrame([{name: getattr(self, name) for name in names}])


def without(effect: Effect, rows: pd.DataFrame) -> pd.DataFrame:
    """What treated units had, and would have had without the measure -> event_time, observed, without, low, high (means a unit).

    rows: those of the panel. Observed is the mean of the treated units that have that event time; without is it less the estimate, from the
    first period in force on; before, the two differ by what the design leaves unexplained. Empty where there are no estimates by period.
    """
    treated = rows[rows["first"] > 0]
    observed = treated.groupby(treated["time"] - treated["first"])["value"].mean().rename("observed")
    table = effect.by_time.merge(observed, left_on="event_time", right_index=True)
    return pd.DataFrame(
        {
            "event_time": table["event_time"], "observed": table["observed"], "without": table["observed"] - table["estimate"],
            "low": table["observed"] - table["high"], "high": table["observed"] - table["low"],
        }
    )  # fmt: skip
