"""Spread across areas by period, and whether it grew or shrank between two phases.

Sigma convergence: the spread falls. The areas are the whole population of the question (all members), so the bootstrap over areas does not
stand for a larger world: it says how much the finding hangs on which members are in.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

FEWEST_AREAS = 5


@dataclass(frozen=True, slots=True)
class Change:
    """Change of the mean spread from one phase to another. share_above: share of draws in which it grew."""

    value: float
    low: float
    high: float
    share_above: float
    coverage: float

    @property
    def verdict(self) -> str:
        """`distancing`, `converging`, or `undecided` where the interval holds zero."""
        if self.low > 0:
            return "distancing"
        return "converging" if self.high < 0 else "undecided"


def spread(panel: pd.DataFrame, *, coverage: float = 0.95, draws: int = 2000, seed: int = 20221130) -> pd.DataFrame:
    """Standard deviation across areas in each period, with an interval from resampling whole areas.

    panel: area, period, value -> period, areas (count), mean, sd, low, high (unit of value). Periods in which fewer than FEWEST_AREAS
    areas have a value are given without a spread. The interval is bias-corrected and accelerated: Efron (1987), JASA 82(397).
    Errors: DesignError for an empty panel.
    """
    wide = _wide(panel)
    rows = []
    for period in wide.columns:
        values = wide[period].to_numpy()
        known = int(np.isfinite(values).sum())
        row = {
            "period": period,
            "areas": known,
            "mean": np.nanmean(values) if known else np.nan,
            "sd": np.nan,
            "low": np.nan,
            "high": np.nan,
        }
        if known >= FEWEST_AREAS:
            own = values[np.isfinite(values)]
            low, high, _ = _interval(partial(_deviation_of, own), len(own), coverage, draws, seed)
            row |= {"sd": float(_deviation(own)), "low": low, "high": high}
        rows.append(row)
    return pd.DataFrame(rows)


def change_of_spread(
    panel: pd.DataFrame, before: Sequence[str], after: Sequence[str], *, coverage: float = 0.95, draws: int = 2000, seed: int = 20221130
) -> Change:
    """Mean standard deviation in the periods `after` less that in the periods `before`, resampling whole areas.

    panel: area, period, value. Each draw keeps an area's whole history, so that dependence in time stays in. Errors: DesignError where a
    phase has no period or fewer than FEWEST_AREAS areas.
    """
    wide = _wide(panel)
    if len(wide) < FEWEST_AREAS:
        raise DesignError(f"the panel has {len(wide)} areas", mend=f"a spread needs at least {FEWEST_AREAS}")
    wide = wide.loc[:, wide.notna().sum() >= FEWEST_AREAS]  # as in `spread`, a period that few areas know has none
    for phase in (before, after):
        if not phase:
            raise DesignError("a phase has no periods", mend="give each phase at least one")
        if not set(phase) & set(wide.columns):
            raise DesignError(
                f"the panel has no period from {phase[0]} to {phase[-1]} in which {FEWEST_AREAS} areas have a value",
                mend="choose phases inside the panel",
            )
    values = wide.to_numpy()
    first, second = (np.flatnonzero(wide.columns.isin(list(phase))) for phase in (before, after))

    def difference(rows: NDArray[np.float64]) -> NDArray[np.float64]:
        deviations = _deviation(np.moveaxis(rows, -2, -1))
        change: NDArray[np.float64] = np.nanmean(deviations[..., second], axis=-1) - np.nanmean(deviations[..., first], axis=-1)
        return change

    estimate = float(difference(values))
    low, high, sample = _interval(lambda rows: difference(values[rows]), len(values), coverage, draws, seed)
    return Change(estimate, low, high, float(np.mean(sample > 0)), coverage)


def joint_verdict(verdicts: Iterable[str]) -> str:
    """What several pieces of evidence say together.

    All agree: their verdict. Some agree and the rest are undecided: `leaning_` and their verdict. They point in different directions:
    `contradictory`. None is decided: `undecided`.

    >>> joint_verdict(["distancing", "undecided"])
    'leaning_distancing'
    """
    given = list(verdicts)
    decided = {verdict for verdict in given if verdict != "undecided"}
    if len(decided) != 1:
        return "contradictory" if decided else "undecided"
    verdict = decided.pop()
    return verdict if all(one == verdict for one in given) else f"leaning_{verdict}"


def _wide(panel: pd.DataFrame) -> pd.DataFrame:
    if panel.empty:
        raise DesignError("the panel is empty", mend="check areas and period")
    return panel.pivot(index="area", columns="period", values="value").sort_index().sort_index(axis=1).astype(float)


def _deviation_of(values: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return _deviation(values[rows])


def _deviation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sample standard deviation over the last axis, gaps left out, zero where one value is left."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    centre = np.where(known, values, 0.0).sum(axis=-1) / np.maximum(count, 1)
    squares = np.where(known, (values - centre[..., None]) ** 2, 0.0).sum(axis=-1)
    deviation: NDArray[np.float64] = np.sqrt(squares / np.maximum(count - 1, 1))
    return deviation


def _interval(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]], areas: int, coverage: float, draws: int, seed: int
) -> tuple[float, float, NDArray[np.float64]]:
    """Bounds of a statistic of the areas picked, and its draws. Where every draw gives the same, so do both bounds."""
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            (np.arange(areas),),
            lambda rows, axis: statistic(rows),
            n_resamples=draws,
            confidence_level=coverage,
            method="BCa",
            vectorized=True,
            rng=np.random.default_rng(seed),
        )
    sample = found.bootstrap_distribution
    low, high = found.confidence_interval
    if not np.isfinite([low, high]).all():
        tail = (1 - coverage) / 2 * 100
        low, high = np.percentile(sample, [tail, 100 - tail])
    return float(low), float(high), sample
