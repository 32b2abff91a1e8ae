"""How long things take: distributions given by mean and coefficient of variation, and drawn as whole ticks.

Time is kept in whole microseconds, so that sums of durations are exact whatever their order: 60 + 30 + 90 days are 180, not nearly so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from qonys.scenarios.reading import Part

Distribution = Literal["gamma", "lognormal", "weibull", "exponential", "uniform", "constant", "empirical"]
DAY = 86_400_000_000  # ticks: microseconds of a day
LONGEST = 20_000.0  # days; a mean beyond it is in another unit
BEYOND = 1e6  # days; no calendar reaches so far, and ticks do
WIDEST = 10.0  # cv beyond which draws are dominated by a few that no file has seen
NARROWEST = 2e-4  # cv below which a spread is none: less than an hour in half a year
WIDEST_UNIFORM = 1 / math.sqrt(3)  # a uniform duration that may be zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A duration in days: its mean, its cv (standard deviation / mean) and its distribution; for `empirical`, its quantiles.

    quantiles: at equal steps of probability from the least to the most, straight lines between; [5, 9, 30] has the median 9.
    """

    mean: float
    cv: float = 0.0
    distribution: Distribution = "constant"
    quantiles: tuple[float, ...] = ()

    def draw(self, generator: Generator, number: int) -> NDArray[np.int64]:
        """So many independent durations -> whole ticks, zero or more."""
        return ticks(self.mean * self._around_one(generator, number))

    def _around_one(self, generator: Generator, number: int) -> NDArray[np.float64]:
        match self.distribution:
            case "constant":
                return np.ones(number)
            case "exponential":
                return generator.standard_exponential(number)
            case "gamma":
                shape = self.cv**-2
                return generator.standard_gamma(shape, number) / shape
            case "lognormal":
                variance = math.log1p(self.cv**2)
                return np.exp(math.sqrt(variance) * generator.standard_normal(number) - variance / 2)
            case "weibull":
                shape = weibull_shape(self.cv)
                return generator.weibull(shape, number) / math.gamma(1 + 1 / shape)
            case "uniform":
                return 1 + self.cv / WIDEST_UNIFORM * (2 * generator.random(number) - 1)
            case "empirical":
                steps = np.linspace(0, 1, len(self.quantiles))
                return np.interp(generator.random(number), steps, self.quantiles) / self.mean


NOTHING = Duration(mean=0.0)


def ticks(days: NDArray[np.float64]) -> NDArray[np.int64]:
    """Days -> whole ticks, to the nearest; what is longer than any calendar is as long as it was cut."""
    whole: NDArray[np.int64] = np.rint(np.minimum(days, BEYOND) * DAY).astype(np.int64)
    return whole


@lru_cache
def weibull_shape(cv: float) -> float:
    """The shape k of a Weibull distribution with this cv: 1 + cv^2 = G(1 + 2/k) / G(1 + 1/k)^2."""
    from scipy.optimize import brentq

    def gap(log_shape: float) -> float:
        k = math.exp(log_shape)
        return math.lgamma(1 + 2 / k) - 2 * math.lgamma(1 + 1 / k) - math.log1p(cv**2)

    return math.exp(brentq(gap, math.log(0.1), math.log(1e4), xtol=1e-13))


def read_duration(part: Part) -> Duration:
    """A duration out of `{ mean = 60, cv = 0.3, distribution = "gamma" }` or `{ quantiles = [5, 9, 30] }`; days.

    Without a distribution it is gamma, or constant where there is no cv, or one below NARROWEST; exponential has a cv of 1.
    Errors: DesignError for a mean that is not above zero or not in days, a cv in percent, or a cv that the distribution cannot have.
    """
    if part.has("quantiles"):
        return _empirical(part)
    mean = _days(part, "mean")
    cv = _cv(part)
    kind = part.text("distribution", None, among=get_args(Distribution))
    part.done()
    if kind == "empirical":
        raise DesignError(
            f"{part.where}: an empirical distribution lacks quantiles", mend="add quantiles = [least, ..., median, ..., most]"
        )
    if kind == "exponential":
        if cv not in (None, 1.0):
            raise part.wrong("cv", cv, "is no cv of an exponential distribution", "leave cv out, or use gamma")
        return Duration(mean=mean, cv=1.0, distribution="exponential")
    if kind == "constant" or not cv:
        if kind == "constant" and cv:
            raise part.wrong("cv", cv, "is a spread, and a constant has none", "leave cv out, or the distribution")
        if kind not in (None, "constant") and cv is None:
            raise DesignError(f"{part.where}: a {kind} distribution needs a spread", mend="add cv = 0.3, or leave the distribution out")
        return Duration(mean=mean)
    if kind == "uniform" and cv > WIDEST_UNIFORM:
        raise part.wrong("cv", cv, "is more than a uniform duration can have", f"give {WIDEST_UNIFORM:.3f} at the most, or use gamma")
    return Duration(mean=mean, cv=cv, distribution=kind or "gamma")


def _days(part: Part, key: str) -> float:
    found = float(part.number(key, least=0))
    if found == 0:
        raise part.wrong(key, found, "takes no time", "give days above zero, or leave the whole duration out")
    if found > LONGEST:
        raise part.wrong(key, found, "is longer than any procedure", f"durations are in days; divide seconds by 86400: {found / 86400:g}")
    return found


def _cv(part: Part) -> Any:
    found = part.number("cv", None, least=0)
    if found is not None and found > WIDEST:
        mend = f"cv is standard deviation / mean; if you mean {found:g} %, write {found / 100:g}"
        raise part.wrong("cv", found, f"is above {WIDEST:g}", mend)
    return 0.0 if found is not None and found < NARROWEST else found


def _empirical(part: Part) -> Duration:
    found = part.get("quantiles")
    part.text("distribution", "empirical", among=("empirical",))
    part.done()
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, bool) or not isinstance(one, int | float) or not 0 <= one <= LONGEST:
            raise part.wrong("quantiles", found, "is no list of days", "write days from the least to the most: [5, 9, 30]")
    if not isinstance(found, list) or len(found) < 2 or sorted(found) != found or found[-1] == 0:
        raise part.wrong("quantiles", found, "do not rise", "write two days or more, from the least to the most: [5, 9, 30]")
    quantiles = tuple(map(float, found))
    between = np.array([quantiles[:-1], quantiles[1:]])
    mean = float(between.mean())
    second = float(((between**2).sum(axis=0) + between.prod(axis=0)).mean() / 3)
    return Duration(mean=mean, cv=math.sqrt(max(0.0, second / mean**2 - 1)), distribution="empirical", quantiles=quantiles)
