"""The two kinds of model of how long households stay, fitted by lifelines, in one form: ratios, errors and draws of what they imply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.risk_sets import RiskSets

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from qonys.scenarios.settlement.comparison import Comparison

    Floats = NDArray[np.float64]

# log of lifelines' second parameter -> log of the scale of log time
_SIGN = {"weibull": -1.0, "lognormal": 1.0, "loglogistic": -1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A model fitted to scaled terms (mean 0, standard deviation 1).

    log_ratio, variance: of the terms, clustered by household. proportional_p: of each term; not a number for accelerated models.
    betas: draws + 1 rows of log ratios, the estimate first. still_there(draw, lines, horizon): share that still stays at a horizon (by its
    place), of stays whose terms add up to `lines`.
    """

    log_ratio: Floats
    variance: Floats
    proportional_p: Floats
    betas: Floats
    still_there: Callable[[int, Floats, int], Floats]


def counts(draw: int, households: int, seed: int) -> Floats:
    """How often each household stands in a draw with replacement; once in draw 0, the data as they are."""
    if not draw:
        return np.ones(households)
    picked = np.random.default_rng([seed, draw]).integers(0, households, households)
    return np.bincount(picked, minlength=households).astype(float)


def fit_proportional(found: Comparison, x: Floats, horizons: Floats, *, draws: int, seed: int) -> Fit:
    """Cox's model of the rows: estimate by lifelines, errors and refits by `RiskSets`; a draw is a refit on households drawn again.

    Errors: DesignError for terms that always go together within strata; lifelines.exceptions.ConvergenceError for no optimum.
    """
    from lifelines import CoxPHFitter
    from scipy.stats import chi2, rankdata

    rows = found.rows
    stay, start, stop = (rows[name].to_numpy() for name in ("stay", "start", "stop"))
    left = rows["left"].to_numpy(bool)
    stratum = found.stratum[stay]
    sets = RiskSets(x, start, stop, left, stratum)
    refuse_alike(sets.sums(np.zeros(x.shape[1]), np.ones(len(x))).information, found.terms)
    table = pd.DataFrame(x, columns=_names(x)).assign(stop=stop, left=left)
    late, strata = {}, {}
    if found.late:
        table["start"], late = start, {"entry_col": "start"}
    if stratum.any():
        table["stratum"], strata = stratum, {"strata": ["stratum"]}
    fitted = CoxPHFitter().fit(table, "stop", "left", **late, **strata)
    beta = fitted.params_[_names(x)].to_numpy()
    naive = np.linalg.inv(sets.sums(beta, np.ones(len(x))).information)
    score, schoenfeld = sets.residuals(beta)
    gone = rankdata(stop[left])
    gone -= gone.mean()
    # Grambsch and Therneau (1994): no slope of the scaled residuals over time
    slope = (gone @ schoenfeld @ naive) ** 2 * left.sum() / (np.diag(naive) * (gone @ gone))
    betas = np.empty((draws + 1, x.shape[1]))
    hazards = np.empty((draws + 1, int(found.stratum.max()) + 1, len(horizons)))
    # where nobody drawn left with a measure, its beta runs off: the share that stays goes to 1, and that is the answer
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for draw in range(draws + 1):
            weight = counts(draw, found.household.max() + 1, seed)[found.household[stay]]
            betas[draw] = sets.fit(weight, beta) if draw else beta
            hazards[draw] = sets.baseline(betas[draw], weight, horizons)

    def still_there(draw: int, lines: Floats, horizon: int) -> Floats:
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.exp(-hazards[draw, found.stratum[found.judged], horizon] * np.exp(lines)))

    return Fit(
        log_ratio=beta,
        variance=naive @ _by_household(score, found.household[stay]) @ naive,
        proportional_p=chi2.sf(slope, 1) if gone.any() else np.full(len(beta), np.nan),
        betas=betas,
        still_there=still_there,
    )


def fit_accelerated(found: Comparison, x: Floats, horizons: Floats, *, model: str, draws: int, seed: int) -> Fit:
    """log(days) = x b + intercept + scale * error, of smallest extreme value (weibull), normal or logistic law.

    Variance: sandwich of lifelines' inverse information and sums of score by household; a draw is one of parameters from their normal law.
    Errors: DesignError for terms that always go together; lifelines.exceptions.ConvergenceError for no optimum.
    """
    from lifelines import LogLogisticAFTFitter, LogNormalAFTFitter, WeibullAFTFitter
    from scipy import stats

    law = {"weibull": stats.gumbel_l, "lognormal": stats.norm, "loglogistic": stats.logistic}[model]
    fitter = {"weibull": WeibullAFTFitter, "lognormal": LogNormalAFTFitter, "loglogistic": LogLogisticAFTFitter}[model]()
    refuse_alike(x.T @ x, found.terms)
    days, left = found.rows["stop"].to_numpy(), found.rows["left"].to_numpy(bool)
    fitter.fit(pd.DataFrame(x, columns=_names(x)).assign(days=days, left=left), "days", "left")
    order = [(fitter._primary_parameter_name, name) for name in [*_names(x), "Intercept"]]
    order.append((fitter._ancillary_parameter_name, "Intercept"))
    estimate = fitter.params_.loc[order].to_numpy()
    inverse = fitter.variance_matrix_.loc[order, order].to_numpy()
    with_one = np.column_stack([x, np.ones(len(x))])

    def likelihood(lines: Floats, second: float) -> Floats:
        scale = np.exp(_SIGN[model] * second)
        z = (np.log(days) - lines) / scale
        return np.asarray(np.where(left, law.logpdf(z) - np.log(scale), law.logsf(z)))

    lines, second, small = with_one @ estimate[:-1], estimate[-1], 1e-5
    by_line = (likelihood(lines + small, second) - likelihood(lines - small, second)) / (2 * small)
    by_second = (likelihood(lines, second + small) - likelihood(lines, second - small)) / (2 * small)
    score = np.column_stack([by_line[:, None] * with_one, by_second])
    variance = inverse @ _by_household(score, found.household[found.rows["stay"]]) @ inverse
    others = np.random.default_rng([seed, 0]).multivariate_normal(estimate, variance, size=draws, method="eigh")
    drawn = np.vstack([estimate, others])

    def still_there(draw: int, lines: Floats, horizon: int) -> Floats:
        z = (np.log(horizons[horizon]) - lines - drawn[draw, -2]) / np.exp(_SIGN[model] * drawn[draw, -1])
        return np.asarray(law.sf(z))

    terms = x.shape[1]
    return Fit(
        log_ratio=estimate[:terms],
        variance=variance[:terms, :terms],
        proportional_p=np.full(terms, np.nan),
        betas=drawn[:, :terms],
        still_there=still_there,
    )


def refuse_alike(information: Floats, terms: list[str]) -> None:
    """Refuse terms of which one follows from others. Errors: DesignError naming them."""
    spread = np.sqrt(np.diag(information).clip(0))
    if not (spread > 1e-6 * spread.max()).all():
        still = terms[int(spread.argmin())]
        raise DesignError(f"{still} is the same for all who are compared with each other", mend="leave it out, or use fewer strata")
    values, vectors = np.linalg.eigh(information / np.outer(spread, spread))
    if values[0] < 1e-9:
        alike = [name for name, part in zip(terms, vectors[:, 0], strict=True) if abs(part) > 0.1]
        raise DesignError(f"{', '.join(alike)} always go together: their effects cannot be told apart", mend="leave one of them out")


def _by_household(score: Floats, household: NDArray[np.intp]) -> Floats:
    """Sum over households of the outer product of their score."""
    sums = np.zeros((household.max() + 1, score.shape[1]))
    np.add.at(sums, household, score)
    return np.asarray(sums.T @ sums)


def _names(x: Floats) -> list[str]:
    """Names that mean nothing to lifelines' formulas."""
    return [f"x{place}" for place in range(x.shape[1])]
