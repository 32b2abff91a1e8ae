"""The log t test: do areas, each on a path of its own, come together? (Phillips and Sul 2007, Econometrica 75; 2009)

With h_it = X_it / mean_i X_it, the share of an area in the mean of its group, and H_t = mean_i (h_it - 1)^2, the regression

    log(H_1 / H_t) - 2 log log t = a + b log t + u_t,   t = [rT], ..., T

has b = 2 alpha under convergence of speed alpha, and b < 0 if areas stay apart. The t value of b is one-sided: below -1.65 convergence is
rejected at 5 %. Its long-run variance is that of Andrews (1991, Econometrica 59): quadratic spectral kernel, AR(1) plug-in bandwidth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from qonys.convergence.panel import wide_of
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

REJECTED = -1.65  # one-sided, 5 %
TRIM = 1 / 3  # share of the periods at the start that are left out: what came first says least of where paths lead
FEWEST_PERIODS = 8
NONE_LEFT = 1e-28  # a variance ratio below it is rounding: the areas are alike


@dataclass(frozen=True, slots=True)
class LogT:
    """b, its standard error and t value; areas and periods it rests on. `converges`: not rejected at 5 %."""

    b: float
    error: float
    t: float
    areas: int
    periods: int

    @property
    def converges(self) -> bool:
        """Whether convergence is not rejected."""
        return self.t > REJECTED


def log_t(panel: pd.DataFrame, *, trim: float = TRIM) -> LogT:
    """The log t test of all areas of a panel without gaps: area, period, value (positive, as logs of income or an index).

    Errors: DesignError for gaps, fewer than two areas, too few periods, means that are not above zero, a trim that leaves nothing.
    """
    values = complete(panel)
    b, error, t = (float(one[0]) for one in regressions(sums(values), trim=trim))
    return LogT(b, error, t, *values.shape)


def complete(panel: pd.DataFrame) -> Floats:
    """areas x periods of a panel, by area and period. Errors: DesignError as in `log_t`."""
    wide = wide_of(panel)
    values: Floats = wide.to_numpy()
    if len(wide) < 2:
        raise DesignError(f"the panel has {len(wide)} areas", mend="give two or more: one area has nothing to come near to")
    if not np.isfinite(values).all():
        area, period = (labels[place[0]] for labels, place in zip((wide.index, wide.columns), np.where(~np.isfinite(values)), strict=True))
        raise DesignError(f"{area} has no value in {period}", mend="fill the gap, or leave the area out first")
    if values.shape[1] < FEWEST_PERIODS:
        raise DesignError(f"the panel has {values.shape[1]} periods, and the log t test needs {FEWEST_PERIODS}", mend="give longer series")
    if (values.mean(axis=0) <= 0).any():
        raise DesignError("the mean over areas is not above zero in every period", mend="shares of the mean are needed: shift or use ranks")
    return values


class Sums(NamedTuple):
    """Groups in rows: number of areas (groups), mean and mean square deviation (groups x periods). What `regressions` needs of them."""

    number: Floats
    mean: Floats
    square: Floats


def sums(values: Floats) -> Sums:
    """Those of one group. values: areas x periods."""
    mean = values.mean(axis=0)
    return Sums(np.array([float(len(values))]), mean[None], ((values - mean) ** 2).mean(axis=0)[None])


def joined(group: Sums, more: Floats) -> Sums:
    """Those of one group with one more area, for each of `more` (areas x periods): Welford's update, without summing anew."""
    count = group.number + 1
    step = more - group.mean
    square = (group.square * group.number + step**2 * group.number / count) / count
    return Sums(np.repeat(count, len(more)), group.mean + step / count, square)


def regressions(groups: Sums, *, trim: float = TRIM) -> tuple[Floats, Floats, Floats]:
    """b, its standard error and its t value for each group.

    Where areas are alike in the end, which no finite b describes, t is infinite. Errors: DesignError for a trim that leaves nothing.
    """
    periods = groups.mean.shape[1]
    first = max(round(trim * periods) + 1, 2)
    if not 0 <= trim < 1 or periods - first < 3:
        raise DesignError(f"a trim of {trim:g} leaves too few of {periods} periods", mend="give a share as 0.333")
    # a group that is at zero in a period is alike in it
    ratio = np.divide(groups.square, groups.mean**2, out=np.zeros_like(groups.square), where=groups.square > 0)
    alike = (ratio[:, first - 1 :] < NONE_LEFT).any(axis=1) | (ratio[:, 0] < NONE_LEFT)
    ratio = np.maximum(ratio, NONE_LEFT)
    x = np.log(np.arange(first, periods + 1, dtype=float))
    y = np.log(ratio[:, :1] / ratio[:, first - 1 :]) - 2 * np.log(x)
    centred = x - x.mean()
    b = (y @ centred) / (centred @ centred)
    residual = y - y.mean(axis=1, keepdims=True) - b[:, None] * centred
    error = np.sqrt(long_run_variance(residual) / (centred @ centred))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(alike, np.where(ratio[:, -1] <= NONE_LEFT, np.inf, -np.inf), np.where(error > 0, b / error, np.sign(b) * np.inf))
    return b, error, t


def long_run_variance(residual: Floats) -> Floats:
    """Long-run variance of each row, not below zero: Andrews (1991), equations 2.7 (kernel), 6.2 and 6.4 (bandwidth).

    Covariances are sums over one less than the length, and the longest lag is left out, as in the program Phillips and Sul published.
    """
    length = residual.shape[1]
    early, late = residual[:, :-1], residual[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = np.nan_to_num((early * late).sum(axis=1) / (early**2).sum(axis=1))
        bandwidth = 1.3221 * (4 * rho**2 / (1 - rho) ** 4 * length) ** 0.2
    lags = np.arange(1, length - 1)
    covariance = np.stack([(early[:, lag:] * early[:, :-lag]).sum(axis=1) for lag in lags], axis=1) / (length - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        place = 1.2 * np.pi * lags / bandwidth[:, None]
        weight = np.where(place > 0, 3 / place**2 * (np.sin(place) / place - np.cos(place)), 1.0)
    weight = np.where(bandwidth[:, None] > 0, weight, 0.0)
    variance: Floats = (residual**2).sum(axis=1) / (length - 1) + 2 * (weight * covariance).sum(axis=1)
    return np.maximum(variance, 0.0)
