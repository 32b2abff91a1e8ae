"""Spread across areas by period, and whether it grew or shrank between two phases.

Sigma convergence: the spread falls. The areas are the whole population of the question (all members), so an interval does not stand for
a larger world: it says how much the finding hangs on which members are in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from qonys.convergence.panel import FEWEST_AREAS, wide_of
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


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


def spread(panel: pd.DataFrame, *, coverage: float = 0.95) -> pd.DataFrame:
    """Standard deviation across areas in each period, with an interval from leaving out each area in turn.

    panel: area, period, value -> period, areas (count), mean, sd, low, high (unit of value). Periods in which fewer than FEWEST_AREAS
    areas have a value are given without a spread. The interval is the spread plus and minus Student's t times its jackknife error, not
    below zero: Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 11. It was chosen over three bootstrap intervals
    by simulated coverage and width, see docs/decisions/0009. Errors: DesignError for an empty panel.
    """
    wide = wide_of(panel)
    rows = []
    for period in wide.columns:
        values = wide[period].to_numpy()
        own = values[np.isfinite(values)]
        row = {"period": period, "areas": len(own), "mean": own.mean() if len(own) else np.nan, "sd": np.nan, "low": np.nan, "high": np.nan}
        if len(own) >= FEWEST_AREAS:
            row["sd"], row["low"], row["high"] = _spread_interval(own[:, None], coverage)
        rows.append(row)
    return pd.DataFrame(rows)


def change_of_spread(
    panel: pd.DataFrame, before: Sequence[str], after: Sequence[str], *, coverage: float = 0.95, draws: int = 2000, seed: int = 20221130
) -> Change:
    """Mean standard deviation in the periods `after` less that in the periods `before`, with its interval.

    panel: area, period, value. An area is left out, or drawn, with its whole history, so that dependence in time stays in; the interval is
    as in `spread`; the share of draws is a bootstrap over areas. Periods in which fewer than FEWEST_AREAS areas have
    a value are left out, as they have no spread. Errors: DesignError where a phase has no such period, or the panel fewer areas.
    """
    wide = wide_of(panel)
    if len(wide) < FEWEST_AREAS:
        raise DesignError(f"the panel has {len(wide)} areas", mend=f"a spread needs at least {FEWEST_AREAS}")
    wide = wide.loc[:, wide.notna().sum() >= FEWEST_AREAS]
    weights = np.zeros(wide.shape[1])
    for phase, sign in ((before, -1.0), (after, 1.0)):
        inside = wide.columns.isin(list(phase))
        if not len(phase):
            raise DesignError("a phase has no periods", mend="give each phase its first and last period in order")
        if not inside.any():
            raise DesignError(
                f"the panel has no period from {phase[0]} to {phase[-1]} in which {FEWEST_AREAS} areas have a value",
                mend="choose phases inside the panel",
            )
        weights[inside] += sign / inside.sum()
    values = wide.to_numpy()
    estimate, error = _contrast(values, weights)
    picks = np.random.default_rng(seed).integers(0, len(values), size=(draws, len(values)))
    sample, _ = _contrast(values[picks], weights)
    reach = _quantile(coverage, len(values)) * float(error)
    return Change(float(estimate), float(estimate) - reach, float(estimate) + reach, float(np.mean(sample > 0)), coverage)


def joint_verdict(verdicts: Iterable[str]) -> str:
    """What several pieces of evidence say together.

    All agree: their verdict. Half or more agree and the rest are undecided: `leaning_` and their verdict. They point in different
    directions: `contradictory`. Fewer than half are decided, and they agree: `undecided`, as one of many may cross its interval by chance.

    >>> joint_verdict(["distancing", "undecided"])
    'leaning_distancing'
    """
    given = list(verdicts)
    decided = [verdict for verdict in given if verdict != "undecided"]
    if len(set(decided)) > 1:
        return "contradictory"
    if not decided or 2 * len(decided) < len(given):
        return "undecided"
    return decided[0] if len(decided) == len(given) else f"leaning_{decided[0]}"


def _quantile(coverage: float, areas: int) -> float:
    return float(scipy.stats.t.ppf((1 + coverage) / 2, areas - 1))


def _spread_interval(values: Floats, coverage: float) -> tuple[float, float, float]:
    """Standard deviation of one period (areas x 1) with its bounds, not below zero.

    On the plain scale: on that of the log a month in which one member alone differs has no upper bound worth printing.
    """
    whole, without = (found[..., 0] for found in deviations(values))
    deviation = float(whole)
    reach = _quantile(coverage, len(values)) * float(_jackknife_error(without))
    return deviation, max(deviation - reach, 0.0), deviation + reach


def _contrast(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Weighted sum of the periods' deviations and its jackknife error. values: ... x areas x periods."""
    deviation, without = deviations(values)
    return deviation @ weights, _jackknife_error(without @ weights)


def deviations(values: Floats) -> tuple[Floats, Floats]:
    """Sample standard deviation across areas by period, and the same without each area in turn; gaps are left out.

    values: ... x areas x periods -> ... x periods and ... x areas x periods.
    """
    known = np.isfinite(values)
    count = known.sum(axis=-2, keepdims=True)
    held = np.where(known, values, 0.0)
    centred = np.where(known, values - held.sum(axis=-2, keepdims=True) / np.maximum(count, 1), 0.0)
    squares = (centred**2).sum(axis=-2, keepdims=True)
    # leaving x out of n takes x^2 n / (n - 1) off the sum of squares about the mean
    less = squares - centred**2 * count / np.maximum(count - 1, 1)
    whole: Floats = np.sqrt(squares / np.maximum(count - 1, 1))[..., 0, :]
    without: Floats = np.sqrt(np.maximum(less, 0.0) / np.maximum(count - known - 1, 1))
    return whole, without


def _jackknife_error(without: Floats) -> Floats:
    """Standard error from the estimates without each area in turn. without: ... x areas."""
    areas = without.shape[-1]
    error: Floats = np.sqrt((areas - 1) * without.var(axis=-1))
    return error
