"""How far areas are apart in each period, by the measure that fits the scale, with bands from a bootstrap over areas.

Areas are drawn with their whole history, so that what a band says of one period and of the next goes together; the same draws serve the
trend and the breaks. Weighted, every sum over areas is one over their weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import pandas as pd

from qonys.convergence.panel import FEWEST_AREAS, wide_of
from qonys.core.errors import DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Measure = Literal["sd", "cv", "iqr", "gini", "ordinal"]
Scale = Literal["as_given", "logit", "rank"]
DRAWS = 2000
EDGE = 0.005  # of a bounded scale: its ends are moved in by so much before the logit, which has none


@dataclass(frozen=True, slots=True)
class Dispersion:
    """by_period: period, areas, mean, value, low, high. draws: draws x periods of the table, NaN where too few areas were drawn.

    left_out: area or period, why: nothing is dropped in silence.
    """

    by_period: pd.DataFrame
    draws: Floats
    left_out: pd.DataFrame
    measure: Measure
    coverage: float


def dispersion(
    panel: pd.DataFrame, measure: Measure = "sd", *, weights: Mapping[str, float] | None = None, scale: Scale = "as_given",
    bounds: tuple[float, float] = (0.0, 100.0), coverage: float = 0.95, draws: int = DRAWS, seed: int = 20221130,
) -> Dispersion:  # fmt: skip
    """How far apart areas are in each period. panel: area, period, value; may have gaps, late entrants and constant stretches.

    measure: sd (sample, unit of the value); cv (sd over the mean, of values above zero); iqr (third quartile less the first); gini (mean
    difference over twice the mean, of values not below zero); ordinal (Leik 1966: 0 all alike, 1 half at each end, of whole codes).
    weights: of areas, as their population; the sd is then that of frequencies. scale: `logit` of the share of the `bounds`, `rank` within
    a period over the number of areas, or as given. Periods with fewer than FEWEST_AREAS areas have no value; of periods in which all areas
    are alike it is zero; a cv or gini of a mean of zero is missing.
    Errors: DesignError for an empty panel, values that the measure or the scale does not know, weights that are missing or not above zero.
    """
    if measure not in get_args(Measure):
        raise DesignError(f"there is no measure of dispersion {measure!r}", mend=nearest(measure, get_args(Measure)))
    wide = rescaled(wide_of(panel), scale, bounds)
    values = wide.to_numpy()
    _suits(wide, measure)
    mass = _weights(wide.index, weights)
    left_out = [(area, "has no value in any period") for area in wide.index[~np.isfinite(values).any(axis=1)]]
    few = np.isfinite(values).sum(axis=0) < FEWEST_AREAS
    left_out += [(period, f"fewer than {FEWEST_AREAS} areas have a value") for period in wide.columns[few]]
    levels = np.unique(values[np.isfinite(values)])
    of = _MEASURES[measure]
    value = np.where(few, np.nan, of(values, mass, levels))
    picks = np.random.default_rng(seed).integers(0, len(values), size=(draws, len(values)))
    drawn = np.array([of(values[rows], mass[rows], levels) for rows in picks]).reshape(draws, values.shape[1])
    drawn[:, few] = np.nan
    low, high = _band(drawn, coverage)
    known = np.isfinite(values)
    mean = np.divide((np.where(known, values, 0) * mass[:, None]).sum(axis=0), (known * mass[:, None]).sum(axis=0),
                     out=np.full(values.shape[1], np.nan), where=known.any(axis=0))  # fmt: skip
    table = pd.DataFrame({"period": wide.columns, "areas": known.sum(axis=0), "mean": mean, "value": value, "low": low, "high": high})
    return Dispersion(table, drawn, pd.DataFrame(left_out, columns=["what", "why"]), measure, coverage)


def trend(found: Dispersion) -> tuple[float, float, float, float]:
    """Theil-Sen slope of the dispersion a period, its interval over the draws, and the share of draws in which it rises.

    The median of the slopes between all pairs of periods (Sen 1968): one odd month moves it little.
    """
    series = found.by_period["value"].to_numpy()
    if np.isfinite(series).sum() < 3:
        raise DesignError("a trend needs a dispersion in three periods", mend="give longer panels, or one with more areas")
    slopes = np.array([_sen(row) for row in found.draws])
    low, high = (float(one[0]) for one in _band(slopes[:, None], found.coverage))
    return float(_sen(series)), low, high, float(np.mean(slopes > 0))


def rescaled(wide: pd.DataFrame, scale: Scale, bounds: tuple[float, float]) -> pd.DataFrame:
    """The panel on another scale: logit of the share of the bounds, or ranks from 0 to 1 in each period."""
    if scale == "as_given":
        return wide
    if scale == "rank":
        ranked: pd.DataFrame = (wide.rank(axis=0) - 0.5) / wide.notna().sum()
        return ranked
    if scale != "logit":
        raise DesignError(f"there is no scale {scale!r}", mend=nearest(scale, get_args(Scale)))
    low, high = bounds
    if not low < high or (wide < low).any(axis=None) or (wide > high).any(axis=None):
        raise DesignError(f"a value lies outside of {low:g} to {high:g}", mend="give the bounds of the scale")
    share = ((wide - low) / (high - low)).clip(EDGE, 1 - EDGE)
    logit: pd.DataFrame = np.log(share / (1 - share))
    return logit


def _suits(wide: pd.DataFrame, measure: Measure) -> None:
    values = wide.to_numpy()
    known = values[np.isfinite(values)]
    if measure in ("cv", "gini") and (known < 0).any():
        raise DesignError(f"a {measure} needs values that are not below zero", mend="take sd or iqr")
    if measure == "ordinal" and ((known % 1) != 0).any():
        raise DesignError("ordinal dispersion needs whole codes", mend="take sd or iqr, or give the codes themselves")


def _weights(areas: pd.Index, weights: Mapping[str, float] | None) -> Floats:
    if weights is None:
        return np.ones(len(areas))
    found = np.array([float(weights.get(area, np.nan)) for area in areas])
    if not (found > 0).all():
        raise DesignError(f"{areas[np.flatnonzero(~(found > 0))[0]]} has no weight above zero", mend="give each area one, or none at all")
    scaled: Floats = found / found.mean()
    return scaled


def _band(draws: Floats, coverage: float) -> tuple[Floats, Floats]:
    """Lower and upper quantile of the draws of each column; NaN where fewer than half of the draws have a value."""
    missing = np.isnan(draws).mean(axis=0) > 0.5
    held = np.where(missing, 0.0, draws)
    low, high = np.nanquantile(held, [(1 - coverage) / 2, (1 + coverage) / 2], axis=0)
    return np.where(missing, np.nan, low), np.where(missing, np.nan, high)


def _sen(series: Floats) -> float:
    place = np.flatnonzero(np.isfinite(series))
    first, second = np.triu_indices(len(place), k=1)
    slopes = (series[place[second]] - series[place[first]]) / (place[second] - place[first])
    return float(np.median(slopes)) if len(slopes) else float("nan")


# The measures. values: areas x periods, mass: of the areas, levels: the codes that occur -> one number a period


def _moments(values: Floats, mass: Floats) -> tuple[Floats, Floats, Floats]:
    known = np.isfinite(values)
    weight = known * mass[:, None]
    total = weight.sum(axis=0)
    held = np.where(known, values, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (held * weight).sum(axis=0) / total
        square = (np.where(known, values - mean, 0.0) ** 2 * weight).sum(axis=0)
    return total, mean, square


def _sd(values: Floats, mass: Floats, _levels: Floats) -> Floats:
    total, _, square = _moments(values, mass)
    count = np.isfinite(values).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.sqrt(square / total * count / (count - 1))
    return np.where(count > 1, found, np.nan)


def _cv(values: Floats, mass: Floats, levels: Floats) -> Floats:
    _, mean, _ = _moments(values, mass)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mean > 0, _sd(values, mass, levels) / mean, np.nan)


def _iqr(values: Floats, mass: Floats, _levels: Floats) -> Floats:
    low, high = (np.array([_quantile(column, mass, share) for column in values.T]) for share in (0.25, 0.75))
    found: Floats = high - low
    return found


def _quantile(column: Floats, mass: Floats, share: float) -> float:
    """With equal weights the usual quantile (Hyndman and Fan 1996, type 7); else the same along the running weights."""
    known = np.isfinite(column)
    if not known.any():
        return float("nan")
    order = np.argsort(column[known], kind="stable")
    values, weight = column[known][order], mass[known][order]
    reached = np.cumsum(weight) - weight  # weight below each value
    whole = reached[-1]
    return float(np.interp(share * whole, reached, values)) if whole > 0 else float(values[0])


def _gini(values: Floats, mass: Floats, _levels: Floats) -> Floats:
    found = np.full(values.shape[1], np.nan)
    for place, column in enumerate(values.T):
        known = np.isfinite(column)
        own, weight = column[known], mass[known]
        total = weight.sum()
        if not known.any() or (mean := float(own @ weight / total)) <= 0:
            continue
        order = np.argsort(own, kind="stable")
        own, weight = own[order], weight[order]
        before = np.cumsum(weight) - weight
        # sum over pairs of |x - y| w v, from sorted values
        pairs = 2 * float((own * weight) @ (2 * before + weight - total))
        found[place] = pairs / (2 * mean * total**2)
    return found


def _ordinal(values: Floats, mass: Floats, levels: Floats) -> Floats:
    """Leik's D over the range of codes that occur in the panel: the mean distance of the cumulative shares from the nearer end, doubled."""
    total, _, _ = _moments(values, mass)
    if len(levels) < 2:
        return np.where(total > 0, 0.0, np.nan)
    codes = np.arange(levels[0], levels[-1])
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.array([(np.where(np.isfinite(values), values <= code, False) * mass[:, None]).sum(axis=0) / total for code in codes])
    found: Floats = 2 * np.minimum(share, 1 - share).mean(axis=0)
    return found


_MEASURES: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {"sd": _sd, "cv": _cv, "iqr": _iqr, "gini": _gini, "ordinal": _ordinal}
