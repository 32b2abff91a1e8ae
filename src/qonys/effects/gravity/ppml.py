"""Poisson pseudo maximum likelihood with fixed effects: E[flow] = exp(x'b + sum of effects). Santos Silva and Tenreyro (2006)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import scipy

from qonys.core.errors import DesignError, nearest
from qonys.effects.gravity.clusters import compact, together, variance
from qonys.effects.gravity.estimate import Fit, estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.effects.gravity.panel import Codes, Floats

Effect = str | tuple[str, ...]
COVERAGE = 0.95
TOLERANCE = 1e-8
MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Gravity:
    """A gravity fit.

    coefficients: name, value, error, low, high (at `coverage`; a constant comes first if there are no effects); `vcov` in their order.
    converged, and if not, `why`: the sentence. reached: relative gain of the last step (half of it is the likelihood still to win, over the
    deviance); steps of Newton's method; passes of the inner solver over the rows. rows given and rows used; groups: how many groups of each
    effect are used; clusters: fewest of one way (rows, if none is given); floored: the variance of several ways was not positive and its
    negative eigenvalues are put to zero. deviance. left_out: row (label in the index of the table), why ("zero group": all outcomes of a
    fixed-effect group are zero, or "separated"). not_identified: regressor, why. fitted: flows by row of the table, NaN where left out.
    """

    outcome: str
    regressors: tuple[str, ...]
    effects: tuple[Effect, ...]
    coefficients: pd.DataFrame
    vcov: Floats
    converged: bool
    why: str
    reached: float
    steps: int
    passes: int
    rows: int
    rows_used: int
    groups: dict[str, int]
    clusters: int
    floored: bool
    deviance: float
    left_out: pd.DataFrame
    not_identified: pd.DataFrame
    fitted: pd.Series = field(repr=False)
    coverage: float = COVERAGE


def ppml(
    table: pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    effects: Sequence[Effect] = (),
    *,
    cluster: Sequence[Effect] = (),
    tolerance: float = TOLERANCE,
    most: int = MOST,
) -> Gravity:
    """PPML of the outcome on regressors and any number of fixed effects, a column each or the combinations of several.

    table: outcome (flows, zero or above, in persons or money), regressors (numbers), columns of effects and clusters -> `Gravity`.
    It ends: at rest (every fitted value moves by less than 1e-5 and a step gains less than `tolerance` of the deviance), or after `most`
    steps with a sentence in `why`. With no cluster, errors are robust by row. Intervals are of the t distribution with one degree less than
    there are clusters, of the normal with none.
    Errors: DesignError for columns that are not there, missing or infinite values, outcomes below zero, or all zero.
    """
    for one in [outcome, *regressors, *columns_of([*effects, *cluster])]:
        if one not in table.columns:
            raise DesignError(f"the table has no column {one!r}", mend=nearest(one, map(str, table.columns)))
    if not len(table):
        raise DesignError("the table has no rows", mend="give rows with flows")
    y, x = (
        numbers(table, outcome),
        np.column_stack([numbers(table, one) for one in regressors]) if regressors else np.zeros((len(table), 0)),
    )
    if (y < 0).any():
        raise DesignError(
            f"{outcome} is below zero in row {table.index[int(np.argmax(y < 0))]}", mend="a flow is zero or more: mend the row"
        )
    cache: dict[str, Codes] = {}
    codes = [code_of(table, effect, cache) for effect in effects]
    ways = [code_of(table, effect, cache) for effect in cluster]
    fit = fit_of(codes, [x, y], outcome, tolerance=tolerance, most=most)
    fitted = np.full(len(y), np.nan)
    fitted[fit.panel.order] = fit.state.w
    labels = table.index
    left_out = pd.DataFrame(
        {"row": labels[fit.zero].append(labels[fit.separated]), "why": ["zero group"] * len(fit.zero) + ["separated"] * len(fit.separated)}
    )
    return result(fit, outcome, regressors, effects, codes, cluster, ways, left_out, pd.Series(fitted, index=labels, name="fitted"))


def fit_of(codes: Sequence[Codes], given: list[Floats], outcome: str, *, tolerance: float, most: int) -> Fit:
    """The fit of columns that are checked; given: x and y, taken out of the list. Errors: DesignError where every outcome is zero."""
    if not given[-1].any():
        raise DesignError(f"{outcome} is zero in every row", mend="give rows with flows above zero: nothing can be told from zeros alone")
    return estimate(codes, given, tolerance=tolerance, most=most)


def result(
    fit: Fit, outcome: str, regressors: Sequence[str], effects: Sequence[Effect], codes: Sequence[Codes], cluster: Sequence[Effect],
    ways: Sequence[Codes], left_out: pd.DataFrame, fitted: pd.Series,
) -> Gravity:  # fmt: skip
    """What a fit says, in names."""
    gone = [
        {"regressor": regressors[one], "why": reason(regressors[one], [regressors[place] for place in along], effects)}
        for one, along in fit.gone
    ]
    names = [one for one, kept in zip(regressors, fit.kept, strict=True) if kept]
    value = fit.state.b
    vcov, fewest, floored = variance(fit, codes, ways)
    if not effects:
        value, vcov, names, floored = with_constant(fit, ways, names)
    error = np.sqrt(np.maximum(np.diag(vcov), 0.0))
    if cluster and fewest < 2:
        error[:] = np.nan  # one cluster has no spread
    reach = (scipy.stats.t.ppf(0.5 + COVERAGE / 2, max(fewest - 1, 1)) if cluster else scipy.stats.norm.ppf(0.5 + COVERAGE / 2)) * error
    coefficients = pd.DataFrame({"name": names, "value": value, "error": error, "low": value - reach, "high": value + reach})
    order = fit.panel.order
    return Gravity(
        outcome=outcome,
        regressors=tuple(regressors),
        effects=tuple(effects),
        coefficients=coefficients,
        vcov=vcov,
        converged=fit.converged,
        why=fit.why,
        reached=fit.reached,
        steps=fit.state.steps,
        passes=fit.state.passes,
        rows=len(order) + len(left_out),
        rows_used=len(order),
        groups={name_of(effect): compact(code, order)[1] for effect, code in zip(effects, codes, strict=True)},
        clusters=fewest,
        floored=floored,
        deviance=fit.deviance,
        left_out=left_out,
        not_identified=pd.DataFrame(gone, columns=["regressor", "why"]),
        fitted=fitted,
    )


def with_constant(fit: Fit, ways: Sequence[Codes], names: list[str]) -> tuple[Floats, Floats, list[str], bool]:
    """Coefficients, variance and names with the constant first: the one block, put back among the regressors."""
    panel, state = fit.panel, fit.state
    x = np.column_stack([np.ones(len(panel.y)), panel.x])
    constant = np.log(panel.total[0]) - np.log(np.exp(panel.x @ state.b - (top := (panel.x @ state.b).max())).sum()) - top
    # a weight of nothing in the block keeps it from being taken off the regressors again
    square = x.T @ (state.w[:, None] * x)
    whole = replace(fit, panel=replace(panel, x=x), square=square, mass=np.full(1, np.inf))
    vcov, _, floored = variance(whole, (), ways)
    n, k = x.shape
    vcov = vcov * (n - k - 1) / (n - k) if n > k + 1 else vcov  # the constant was counted twice
    return np.r_[constant, state.b], vcov, ["constant", *names], floored


def reason(name: str, along: Sequence[str], effects: Sequence[Effect]) -> str:
    """Why a regressor is not identified, as a sentence."""
    within = "the groups of " + ", ".join(name_of(effect) for effect in effects) if effects else "the rows"
    if along:
        return f"{name} is a combination of {', '.join(along)}" + (
            f" and the effects of {', '.join(map(name_of, effects))}" if effects else " and a constant"
        )
    return f"{name} does not vary within {within}" if effects else f"{name} does not vary between {within}"


def name_of(effect: Effect) -> str:
    """The effect as one word: origin-year."""
    return effect if isinstance(effect, str) else "-".join(effect)


def columns_of(effects: Sequence[Effect]) -> list[str]:
    """The columns that effects are made of, each once."""
    return list(dict.fromkeys(one for effect in effects for one in ([effect] if isinstance(effect, str) else effect)))


def code_of(table: pd.DataFrame, effect: Effect, cache: dict[str, Codes]) -> Codes:
    """Numbers of the groups of an effect, from zero on, by row. Errors: DesignError for missing values."""
    names = columns_of([effect])
    for one in names:
        if one not in cache:
            code, _ = pd.factorize(table[one])
            if (code < 0).any():
                raise missing(one, table.index[int(np.argmax(code < 0))])
            cache[one] = code.astype(np.int32)
    return together([cache[one] for one in names])[0] if len(names) > 1 else cache[names[0]]


def numbers(table: pd.DataFrame, name: str) -> Floats:
    """A column as numbers. Errors: DesignError for what is missing, infinite or no number."""
    try:
        values: Floats = table[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as fault:
        raise DesignError(f"{name} holds what is not a number", mend="give numbers, as 0 and 1 for no and yes") from fault
    if not np.isfinite(values).all():
        raise missing(name, table.index[int(np.argmax(~np.isfinite(values)))])
    return values


def missing(name: str, row: object) -> DesignError:
    """The refusal of a gap."""
    return DesignError(f"{name} has no value in row {row}", mend="leave such rows out, or fill them, first")
