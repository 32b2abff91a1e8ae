"""Durations of which some are still running: maximum likelihood with right censoring, Kaplan-Meier, and a mean with an honest interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Numbers = NDArray[Any]

FEWEST_FINISHED = 10  # below this a mean is a guess
MOST_POINTS = 1000  # more different durations than this are put on a grid of their logarithm: cells of about 2 %
ALPHA_OF_FIT = 0.01  # level at which the largest gap to Kaplan-Meier is remarked
GAP_THAT_MATTERS = 0.05  # and the share of cases below which it is of no account, however many there are


@dataclass(frozen=True, slots=True)
class Sample:
    """Durations by value: `points` ascending (days), how many finished and were left open there; the point of each, and if it is done."""

    points: Numbers
    finished: Numbers
    still_open: Numbers
    place: Numbers
    done: Numbers


def sample(days: Numbers, finished: Numbers, *, most: int = MOST_POINTS) -> Sample:
    """Durations and whether each had finished -> their distinct values with counts.

    Above `most` values they are put on a logarithmic grid, each cell standing at the mean of its durations: the error of a mean is of
    second order in the width of a cell (about 1e-5 of it), and a million cases cost as much as a thousand.
    """
    # sorting is what costs: of many durations the first tell whether there are too many values
    if len(days) <= most or len(pd.unique(days[: 20 * most])) <= most:
        points, place = np.unique(days, return_inverse=True)
    else:
        points = days
    if len(points) > most:
        positive = days > 0
        logarithm = np.log(np.where(positive, days, 1.0))
        low, high = logarithm[positive].min(), logarithm[positive].max()
        cell = np.where(positive, 1 + np.floor((logarithm - low) / (high - low) * (most - 2)), 0).astype(np.int64)
        used = np.bincount(cell) > 0
        place = (np.cumsum(used) - 1)[cell]
        points = np.bincount(place, days) / np.bincount(place)
    size = len(points)
    return Sample(points, np.bincount(place[finished], minlength=size), np.bincount(place[~finished], minlength=size), place, finished)


def kaplan_meier(one: Sample, *, coverage: float, block: Numbers | None = None) -> pd.DataFrame:
    """Share still open after each duration -> days, share_open, low, high, at_risk.

    Kaplan and Meier (1958); intervals on the log(-log) scale with Greenwood's variance, as in lifelines. Where that has no answer the
    bound is exact binomial: before the first finish (none of those at risk finished) and after the last (all had finished).
    block: the number of a block of durations that are not independent of one another; the variance is then that between blocks (each one's
    influence on the curve), if it is the larger, with t of blocks - 1 degrees of freedom.
    """
    at_risk = np.cumsum((one.finished + one.still_open)[::-1])[::-1]
    left = at_risk - one.finished
    share = np.cumprod(left / at_risk)
    upper = (1 + coverage) / 2
    with np.errstate(all="ignore"):
        variance, quantile = np.cumsum(one.finished / (at_risk * left)), scipy.stats.norm.ppf(upper)
        if block is not None and (blocks := int(block.max()) + 1) > 1:
            variance = np.fmax(variance, _between(one, block, blocks, at_risk))
            quantile = scipy.stats.t.ppf(upper, blocks - 1)
        logarithm = np.log(share)
        reach = quantile * np.sqrt(variance) / logarithm
        low, high = (np.exp(-np.exp(np.log(-logarithm) + side * reach)) for side in (-1, 1))
        low = np.where(share == 1, (1 - upper) ** (1 / at_risk), np.where(share == 0, 0.0, low))
        high = np.where(share == 1, 1.0, np.where(share == 0, 1 - (1 - upper) ** (1 / max(1, one.finished.sum())), high))
    return pd.DataFrame({"days": one.points, "share_open": share, "low": low, "high": high, "at_risk": at_risk})


def _between(one: Sample, block: Numbers, blocks: int, at_risk: Numbers) -> Numbers:
    """Variance of the cumulative hazard between blocks: sum of squares of what each has finished more than its share."""
    total, size = np.zeros(len(one.points)), len(one.points)
    rate = one.finished / at_risk
    for number in range(blocks):
        own = block == number
        finished = np.bincount(one.place[own & one.done], minlength=size)
        present = np.cumsum(np.bincount(one.place[own], minlength=size)[::-1])[::-1]
        total += np.cumsum((finished - present * rate) / at_risk) ** 2
    return total * blocks / (blocks - 1)


def time_by_which(curve: pd.DataFrame, share: float) -> float:
    """Days by which `share` have finished, by Kaplan-Meier; NaN where the log does not reach that far."""
    there = np.flatnonzero(curve["share_open"].to_numpy() <= 1 - share + 1e-12)
    return float(curve["days"].iloc[there[0]]) if len(there) else np.nan


# --- the four families, by the logarithm of a shape and of a scale --------------------------------------------------------------------


def _exponential(theta: Numbers, t: Numbers) -> tuple[Numbers, Numbers]:
    rest = -t * np.exp(-theta[0])
    return rest - theta[0], rest


def _weibull(theta: Numbers, t: Numbers) -> tuple[Numbers, Numbers]:
    scale, shape = theta[0], np.exp(theta[1])
    height = shape * (np.log(t) - scale)
    rest = -np.exp(np.minimum(height, 700))
    return theta[1] + height - np.log(t) + rest, rest


def _lognormal(theta: Numbers, t: Numbers) -> tuple[Numbers, Numbers]:
    z = (np.log(t) - theta[0]) * np.exp(-theta[1])
    return -np.log(t) - theta[1] - 0.5 * np.log(2 * np.pi) - z**2 / 2, scipy.special.log_ndtr(-z)


def _gamma(theta: Numbers, t: Numbers) -> tuple[Numbers, Numbers]:
    """By its mean and shape: these two are nearly independent, which keeps the search short."""
    shape = np.exp(theta[1])
    x = shape * t * np.exp(-theta[0])
    constant = scipy.special.gammaln(shape)
    rest = scipy.special.gammaincc(shape, x)
    # where it is below the smallest number, the leading term of its expansion for large x
    far = (shape - 1) * np.log(x) - x - constant - np.log(np.maximum(1 - (shape - 1) / x, 1e-3))
    return shape * np.log(x) - np.log(t) - x - constant, np.where(rest > 1e-290, np.log(np.maximum(rest, 1e-300)), far)


def _weibull_moments(theta: Numbers) -> tuple[float, float]:
    one, two = (scipy.special.gammaln(1 + k * np.exp(-theta[1])) for k in (1, 2))
    return theta[0] + one, np.sqrt(np.expm1(min(two - 2 * one, 700)))


# name -> (log density and log share left at t, parameters; log mean and cv)
FAMILIES: dict[str, tuple[Callable[..., Any], int, Callable[..., Any]]] = {
    "gamma": (_gamma, 2, lambda theta: (theta[0], np.exp(-theta[1] / 2))),
    "lognormal": (
        _lognormal,
        2,
        lambda theta: (theta[0] + np.exp(2 * theta[1]) / 2, np.sqrt(np.expm1(min(np.exp(2 * theta[1]), 700)))),
    ),
    "weibull": (_weibull, 2, _weibull_moments),
    "exponential": (_exponential, 1, lambda theta: (theta[0], 1.0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """A family fitted to a sample of positive durations.

    theta: logarithms of scale (gamma: of the mean; lognormal: the mean of the logarithms) and shape (lognormal: their standard deviation).
    influence: what a duration at each point moves the logarithm of the mean by, finished and left open.
    """

    distribution: str
    theta: Numbers
    log_mean: float
    cv: float
    aic: float
    influence: tuple[Numbers, Numbers]

    def share_left(self, days: Numbers) -> Numbers:
        """Share still open after so many days."""
        with np.errstate(all="ignore"):
            return np.where(days > 0, np.exp(FAMILIES[self.distribution][0](self.theta, np.maximum(days, 1e-300))[1]), 1.0)


def fit(one: Sample, distribution: str) -> Lifetime | None:
    """A family by maximum likelihood with right censoring; None where the likelihood has no top inside.

    sum over finished log f(t) + sum over open log S(t), Klein and Moeschberger (2003), Survival Analysis, 3.5. The search is that of
    Nelder and Mead on durations in units of their mean, then Newton's.
    """
    terms, size, moments = FAMILIES[distribution]
    kept = one.points > 0
    points, done, still_open = one.points[kept], one.finished[kept], one.still_open[kept]
    unit = float(np.average(points, weights=done + still_open))
    t, total = points / unit, float((done + still_open).sum())
    logs = np.log(t)
    centre = np.average(logs, weights=done + still_open)
    wide = max(0.05, float(np.sqrt(np.average((logs - centre) ** 2, weights=done + still_open))))
    begin = {"gamma": (0.0, -2 * np.log(wide)), "lognormal": (centre, np.log(wide)), "weibull": (0.0, np.log(1.2 / wide)),
             "exponential": (0.0,)}[distribution]  # fmt: skip

    def contributions(theta: Numbers) -> tuple[Numbers, Numbers]:
        density, left = terms(theta, t)
        return np.where(done > 0, density, 0.0), np.where(still_open > 0, left, 0.0)

    def loss(theta: Numbers) -> float:
        density, left = contributions(theta)
        value = -(done @ density + still_open @ left) / total
        return float(value) if np.isfinite(value) else 1e10

    steps = np.eye(size) * 1e-4

    def slope(theta: Numbers) -> tuple[Numbers, Numbers]:
        """Each point's score, finished and open."""
        pairs = [(contributions(theta + step), contributions(theta - step)) for step in steps]
        ended, left = (np.array([(up[side] - down[side]) / 2e-4 for up, down in pairs]) for side in (0, 1))
        return ended, left

    def curvature(theta: Numbers) -> Numbers:
        h = np.eye(size) * 2e-3
        cells = [[(loss(theta + a + b) - loss(theta + a - b) - loss(theta - a + b) + loss(theta - a - b)) / 1.6e-5 for b in h] for a in h]
        return np.array(cells) * total

    with np.errstate(all="ignore"):
        # a search without linear algebra: of two unknowns, a threaded library spends ten times as long on waking its threads
        simplex = np.array(begin) + 0.3 * np.vstack([np.zeros(size), np.eye(size)])
        theta = scipy.optimize.minimize(
            loss, begin, method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-8, "initial_simplex": simplex}
        ).x
        for _ in range(3):
            bent = curvature(theta)
            if not np.all(np.isfinite(bent)) or np.linalg.eigvalsh(bent)[0] <= 1e-9 * total:
                return None
            score = slope(theta)
            better = theta + np.linalg.solve(bent, score[0] @ done + score[1] @ still_open)
            theta = better if loss(better) <= loss(theta) else theta
        score = slope(theta)
        log_mean, cv = (float(value) for value in moments(theta))
        turn = np.array([(moments(theta + step)[0] - moments(theta - step)[0]) / 2e-4 for step in steps])
        weight = np.linalg.solve(bent, turn)
        # the score, but not the shape of the curve, knows the zeros: they move nothing here
        influence = tuple(np.zeros(len(kept)) for _ in range(2))
        for into, part in zip(influence, score, strict=True):
            into[kept] = weight @ part
        scale = np.zeros(size)
        scale[0] = np.log(unit)
        loglikelihood = -loss(theta) * total - done.sum() * np.log(unit)
    if not np.isfinite(log_mean + loglikelihood) or log_mean > 500:
        return None
    return Lifetime(
        distribution=distribution, theta=theta + scale, log_mean=log_mean + float(np.log(unit)), cv=cv,
        aic=2 * size - 2 * float(loglikelihood), influence=(influence[0], influence[1]),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """What is said of one kind of duration: a row for the table of durations, a row per candidate, and the Kaplan-Meier curve."""

    row: dict[str, Any]
    candidates: list[dict[str, Any]]
    curve: pd.DataFrame


def estimate(days: Numbers, finished: Numbers, block: Numbers, *, coverage: float, alone: bool = True) -> Estimated:
    """The mean and shape of durations of which some had not finished, each with what it rests on.

    days: at the finish, or as far as they went; finished: bool; block: numbers, from 0 without a gap, of durations that are not independent
    of one another: those of a case, or of cases that stood in the same queue. alone: blocks are single cases, and the curve takes its
    durations for independent.
    row: distribution, mean, low, high, cv, median, p90, zero_share, naive_mean, naive_off, least_mean, aic, gap, why.
    Durations of zero have a share of their own: mean = (1 - zero_share) x mean of the rest, which alone is fitted. The family of the lowest
    AIC is chosen. low, high: on the logarithm of the mean, from each block's influence (Huber's sandwich),
    t with finished - 2 or blocks - 1 degrees of freedom, whichever is less, widened by what the choice of family moves the mean (Buckland,
    Burnham and Augustin 1997, Biometrics 53). median, p90: Kaplan-Meier. naive_mean: of the finished alone; naive_off: naive / mean - 1.
    least_mean: the area under Kaplan-Meier as far as the log goes, below which the mean cannot be, whatever the family. gap: the largest
    distance between the family and Kaplan-Meier, as a share.
    why: empty, or few_finished, mostly_unfinished, no_spread, no_fit (no mean is given); poor_fit (it is, but the curve does not follow).
    """
    one = sample(days, finished)
    curve = kaplan_meier(one, coverage=coverage, block=None if alone else block)
    share = curve["share_open"].to_numpy()
    done = int(finished.sum())
    row: dict[str, Any] = {
        "distribution": None, "mean": np.nan, "low": np.nan, "high": np.nan, "cv": np.nan,
        "median": time_by_which(curve, 0.5), "p90": time_by_which(curve, 0.9), "zero_share": np.nan,
        "naive_mean": float(days[finished].mean()) if done else np.nan, "naive_off": np.nan,
        "least_mean": float(np.diff(one.points, prepend=0.0) @ np.concatenate([[1.0], share[:-1]])),
        "aic": np.nan, "gap": np.nan, "why": None,
    }  # fmt: skip
    if done < FEWEST_FINISHED:
        return Estimated(row=row | {"why": "few_finished"}, candidates=[], curve=curve)
    if 2 * done <= len(days):
        return Estimated(row=row | {"why": "mostly_unfinished"}, candidates=[], curve=curve)
    positive = days > 0
    zero = finished & ~positive
    told = positive | zero
    none = float(zero.sum() / told.sum())
    row["zero_share"] = none
    spread = days[finished & positive]
    if len(spread) == 0 or np.ptp(spread) <= 1e-9 * spread.max():
        value = float(spread[0]) if len(spread) else 0.0
        if days[~finished].max(initial=0) > value * (1 + 1e-9) or 0 < none < 1:
            return Estimated(row=row | {"why": "no_spread"}, candidates=[], curve=curve)
        return Estimated(row=row | {"distribution": "constant", "mean": value, "low": value, "high": value, "cv": 0.0,
                                    "naive_off": 0.0 if value else np.nan, "gap": 0.0}, candidates=[], curve=curve)  # fmt: skip
    fits = [found for name in FAMILIES if (found := fit(one, name)) is not None]
    if len(spread) < FEWEST_FINISHED or not fits:
        return Estimated(row=row | {"why": "no_fit" if fits == [] else "few_finished"}, candidates=[], curve=curve)
    best = min(fits, key=lambda found: found.aic)
    weights = np.exp(-np.array([found.aic - best.aic for found in fits]) / 2)
    weights /= weights.sum()
    errors = [_error(found, one, told, zero, none, block) for found in fits]
    error = float(sum(w * np.hypot(e, found.log_mean - best.log_mean) for w, e, found in zip(weights, errors, fits, strict=True)))
    mean = (1 - none) * float(np.exp(best.log_mean))
    reach = float(scipy.stats.t.ppf((1 + coverage) / 2, max(1, min(len(spread) - 2, int(block.max()))))) * error
    before = np.concatenate([[1.0], share[:-1]])
    gaps = {}
    for found in fits:
        model = (1 - none) * found.share_left(one.points)
        off = np.maximum(np.abs(model - share), np.where(one.points > 0, np.abs(model - before), 0.0))
        gaps[found.distribution] = float(off[one.finished > 0].max())
    gap = gaps[best.distribution]
    poor = gap > max(GAP_THAT_MATTERS, float(scipy.stats.kstwobign.ppf(1 - ALPHA_OF_FIT)) / np.sqrt(done))
    row |= {
        "distribution": best.distribution, "mean": mean, "low": mean * np.exp(-reach), "high": mean * np.exp(reach),
        "cv": float(np.sqrt(max(0.0, (1 + best.cv**2) / (1 - none) - 1))), "naive_off": row["naive_mean"] / mean - 1,
        "aic": best.aic, "gap": gap, "why": "poor_fit" if poor else None,
    }  # fmt: skip
    candidates = [
        {"distribution": found.distribution, "mean": (1 - none) * float(np.exp(found.log_mean)), "aic": found.aic, "weight": float(weight),
         "gap": gaps[found.distribution]}
        for found, weight in zip(fits, weights, strict=True)
    ]  # fmt: skip
    return Estimated(row=row, candidates=candidates, curve=curve)


def _error(found: Lifetime, one: Sample, told: Numbers, zero: Numbers, none: float, block: Numbers) -> float:
    """Standard error of the logarithm of the mean, zeros included, with the durations of a block taken together."""
    moved = np.where(one.done, found.influence[0][one.place], found.influence[1][one.place])
    moved = moved - np.where(told, zero - none, 0.0) / (told.sum() * (1 - none))
    sums, blocks = np.bincount(block, moved), int(block.max()) + 1
    return float(np.sqrt((sums**2).sum() * blocks / max(1, blocks - 1)))
