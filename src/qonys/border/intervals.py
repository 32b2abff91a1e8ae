"""Intervals for provisional figures, as wide as the revisions of the past ask for.

Forecasts err in two ways. Each crossing may fall either way, which hardly matters where there are many. And all may fall the same way,
since times change: that is a shift e of every chance on the logit scale. The first has the variance v = sum p (1 - p); the second, with a
standard deviation s of e, moves the sum by S(s) - S(0), where S(e) = sum logit^-1(logit p + e). An interval reaches k times the root of
both squared, to the side of the shift.

s is the root mean square of the shifts that would have made the forecasts of the past right, by direction and age; it is raised by
`ALLOWANCE` for each unit by which the border did not run at its usual pace, for which the past is a poor guide. k is the quantile of past
errors over past half-widths: split conformal prediction with weights that halve in `HALF_LIFE` months (Barber, Candes, Ramdas and
Tibshirani 2023, Annals of Statistics 51(2)). No bound goes beyond what is certain: at least those known to have migrated, at most all
undecided crossings besides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

METHODS = ("model", "naive")
SHIFTS = np.linspace(-6, 6, 49)  # of all chances, on the logit scale
AGES = (0, 1, 4, 8, 12)  # months since the crossing at which a band of ages begins
ALLOWANCE = 1.5
HALF_LIFE = 24.0
LEAST_SHIFT, LARGEST_SHIFT = 0.05, 3.0
HALF_A_PERSON = 0.25  # variance of rounding, so that a half-width is never nothing
LEAST_RECORD = 12  # months of forecasts whose outcome is known


@dataclass(frozen=True, slots=True)
class Cells:
    """Sums over the undecided crossings of a month and direction, as they stood at the end of a vintage.

    frame: vintage, month (both since January 1970), exit, [what else names a cell], method, undecided, expected (of them to become
    migrations), variance, slowed (distance from the usual pace); of the past also known (migrations by then) and final (of the undecided
    that became migrations; NaN: not known yet). shifted: `expected` under each of `SHIFTS`.
    """

    frame: pd.DataFrame
    shifted: NDArray[np.float64]

    def __getitem__(self, which: NDArray[np.bool_]) -> Cells:
        return Cells(self.frame[which].reset_index(drop=True), self.shifted[which])


@dataclass(frozen=True, slots=True)
class Calibration:
    """How wide intervals must be, and which method is shown.

    spread: of the shifts, by method, direction and band of ages; factor: half-widths per standard error, by method; method: the better one
    of each direction, by `error`, the mean absolute error; vintages: on how many months this rests.
    """

    spread: dict[tuple[str, int, int], float]
    factor: dict[str, float]
    method: dict[int, str]
    error: dict[tuple[str, int], float]
    coverage: float
    vintages: int


def cells(rows: pd.DataFrame, *, vintage: int, disturbed: float) -> Cells:
    """Undecided crossings summed by month, direction, and what other columns they have, for each method.

    rows: as `open_rows` gives them, and the columns that name a cell; a row stands for as many crossings as its `rows` says, by default
    one. disturbed: see `Pace.disturbed`, of the months before the vintage.
    """
    keys = [name for name in rows.columns if name not in ("slowed", "outcome", "rows", *METHODS)]
    group = rows.groupby(keys, dropna=False, sort=True)
    place, base = group.ngroup().to_numpy(), group.size().rename("undecided").reset_index()
    times = rows["rows"].to_numpy() if "rows" in rows.columns else np.ones(len(rows))

    def total(weight: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(place, weights=weight * times, minlength=len(base)).astype(np.float64)

    base["undecided"] = total(np.ones(len(rows))).astype(np.int64)
    if "outcome" in rows.columns:
        base["final"] = np.where(total(rows["outcome"] < 0) == 0, total(rows["outcome"] == 1), np.nan)
    away = np.maximum(np.abs(rows["slowed"].to_numpy()), disturbed)
    frames, shifted = [], []
    for method in METHODS:
        p = rows[method].to_numpy()
        variance = p * (1 - p)
        logit = np.log(p / (1 - p))
        shifted.append(np.column_stack([total(1 / (1 + np.exp(-(logit + shift)))) for shift in SHIFTS]).reshape(len(base), len(SHIFTS)))
        frames.append(base.assign(vintage=vintage, method=method, expected=total(p), variance=total(variance),
                                  slowed=total(variance * away) / np.maximum(total(variance), 1e-12)))  # fmt: skip
    return Cells(pd.concat(frames, ignore_index=True), np.concatenate(shifted))


def calibration(past: Cells, *, as_of: int, window: int, coverage: float = 0.95) -> Calibration:
    """What the forecasts whose outcome was known in the month `as_of` say of the next ones.

    Errors: DesignError for a coverage that is none, or too short a record.
    """
    if not 0.5 <= coverage < 1:
        raise DesignError(f"an interval cannot have the coverage {coverage:g}", mend="give a share as 0.95")
    settled = past[((past.frame["vintage"] <= as_of - window) & past.frame["final"].notna()).to_numpy()]
    vintages = settled.frame["vintage"].nunique()
    if vintages < LEAST_RECORD:
        raise DesignError(
            f"the outcome of {vintages} months of forecasts is known, {LEAST_RECORD} are the least", mend="give longer records"
        )
    frame = settled.frame.assign(band=_band(settled.frame), weight=0.5 ** ((as_of - window - settled.frame["vintage"]) / HALF_LIFE))
    spread = _spreads(Cells(frame, settled.shifted))
    error = {key: float(np.abs(part["final"] - part["expected"]).mean()) for key, part in frame.groupby(["method", "exit"])}
    method = {side: min(METHODS, key=lambda one: error.get((one, side), np.inf)) for side in (0, 1)}
    factor = {}
    from scipy.stats import norm

    for one in METHODS:
        mine = (frame["method"] == one).to_numpy()
        below, above, noise = _parts(Cells(frame[mine], settled.shifted[mine]), spread, 1.0)
        missed = (frame["final"] - frame["expected"]).to_numpy()[mine]
        score = np.abs(missed) / np.sqrt(np.where(missed < 0, below, above) ** 2 + noise)
        factor[one] = max(_quantile(score, frame["weight"].to_numpy()[mine], coverage), float(norm.ppf(0.5 + coverage / 2)))
    return Calibration(spread, factor, method, error, coverage, int(vintages))


def bounds(forecast: Cells, known: Calibration, *, by: Sequence[str] = ("vintage", "month", "exit")) -> pd.DataFrame:
    """What is to be added to those known to have migrated -> by, undecided, expected, low, high, model_low, model_high, method.

    Cells are summed over all but `by`: shifts add up, chance does so in squares. model_low, model_high: as if nothing but chance could go
    wrong. Of each direction the method that was better so far is shown. Bounds are from 0 to the number of undecided crossings.
    """
    from scipy.stats import norm

    mine = forecast[(forecast.frame["method"] == forecast.frame["exit"].map(known.method)).to_numpy()]
    factor = mine.frame["method"].map(known.factor).to_numpy()
    below, above, noise = _parts(mine, known.spread, factor)
    sums = mine.frame.assign(below=below, above=above, noise=noise).groupby(list(by), dropna=False, sort=True).agg(
        undecided=("undecided", "sum"), expected=("expected", "sum"), variance=("variance", "sum"), below=("below", "sum"),
        above=("above", "sum"), noise=("noise", "sum"), method=("method", "first"),
    ).reset_index()  # fmt: skip
    chance = float(norm.ppf(0.5 + known.coverage / 2)) * np.sqrt(sums["variance"])
    reach = {
        "low": sums["expected"] - np.sqrt(sums["below"] ** 2 + sums["noise"]), "model_low": sums["expected"] - chance,
        "high": sums["expected"] + np.sqrt(sums["above"] ** 2 + sums["noise"]), "model_high": sums["expected"] + chance,
    }  # fmt: skip
    for name, values in reach.items():
        sums[name] = (np.floor(values) if name.endswith("low") else np.ceil(values)).clip(0, sums["undecided"])
    return sums.drop(columns=["variance", "below", "above", "noise"])


def _band(frame: pd.DataFrame) -> NDArray[np.int64]:
    return np.asarray(np.searchsorted(AGES, (frame["vintage"] - frame["month"]).to_numpy(), side="right") - 1, dtype=np.int64)


def _spreads(settled: Cells) -> dict[tuple[str, int, int], float]:
    """Root mean square of the shifts that would have made each vintage's forecast right, by method, direction and band, without what chance
    and an unusual pace explain."""
    keys = ["method", "exit", "band", "vintage"]
    place = settled.frame.groupby(keys, sort=True).ngroup().to_numpy()
    sums = settled.frame.groupby(keys, sort=True).agg(
        final=("final", "sum"), variance=("variance", "sum"), slowed=("slowed", "mean"), weight=("weight", "first")
    ).reset_index()  # fmt: skip
    total = np.zeros((len(sums), len(SHIFTS)))
    np.add.at(total, place, settled.shifted)
    shift = np.array([np.interp(final, row, SHIFTS) for final, row in zip(sums["final"], total, strict=True)])
    square = np.minimum(shift**2, LARGEST_SHIFT**2) - 1 / np.maximum(sums["variance"], 1.0) - (ALLOWANCE * sums["slowed"]) ** 2
    sums["square"] = np.maximum(square, 0.0) * sums["weight"]
    found = sums.groupby(keys[:3])[["square", "weight"]].sum()
    return {key: float(np.sqrt(row["square"] / row["weight"] + LEAST_SHIFT**2)) for key, row in found.iterrows()}


def _parts(
    mine: Cells, spread: dict[tuple[str, int, int], float], factor: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """How far a shift of `factor` standard deviations moves each cell down and up, and the variance of chance, times the factor squared."""
    frame = mine.frame
    keys = zip(frame["method"], frame["exit"], _band(frame), strict=True)
    own = np.array([spread.get(key, LARGEST_SHIFT) for key in keys])
    shift = np.sqrt(own**2 + (ALLOWANCE * frame["slowed"].to_numpy()) ** 2) * factor
    expected = frame["expected"].to_numpy()
    low, high = (np.array([np.interp(sign * e, SHIFTS, row) for e, row in zip(shift, mine.shifted, strict=True)]) for sign in (-1, 1))
    return expected - low, high - expected, np.square(factor) * (frame["variance"].to_numpy() + HALF_A_PERSON)


def _quantile(values: NDArray[np.float64], weight: NDArray[np.float64], share: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][min(int(np.searchsorted(reached, share)), len(order) - 1)])
