"""How far an index of the register would move had dates not known in full, and codes not agreed on, come out otherwise.

Each draw is one register that the evidence allows: a start and an end within their bounds, and codes as a second coder might have given
them (`agreement.confusion`). The index of every draw is computed; the band is where the middle share of the draws lies.

An end that is not known is drawn too: `standing` measures run on; of the others the duration is that of a measure of the same direction
whose start and end are known, drawn at random. Where no such measure is known they end on the last day looked at.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.measures.codebook import STRONGEST, adopted_statuses
from qonys.measures.strictness import meanings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from qonys.measures.agreement import Confusion
    from qonys.measures.strictness import RegisterIndex

SEED = 20221130


def band(
    measures: pd.DataFrame, first: date, last: date, issuers: Sequence[str], which: RegisterIndex, *,
    noise: Confusion | None = None,
    draws: int = 500, coverage: float = 0.9, seed: int = SEED,
) -> pd.DataFrame:  # fmt: skip
    """The index of every issuer and day with its band -> issuer, day, value (median of the draws), low, high (0-100).

    measures: the contract with bounds, collected; noise: the odds of another strength or scope by another coder. Without it only dates
    are drawn.
    Coverage is the share of draws between low and high on a day. The same seed gives the same band.

    Errors: DesignError for fewer than 20 draws or a coverage outside (0, 1).
    """
    if draws < 20 or not 0 < coverage < 1:
        raise DesignError(
            f"a band of {draws} draws and coverage {coverage} says nothing", mend="take 20 draws or more, and a coverage as 0.9"
        )
    adopted = measures["status"].isin(adopted_statuses()) & measures["start_earliest"].notna()
    known = measures[adopted & (measures["direction"] == which.direction)].sort_values("id", kind="stable").reset_index(drop=True)
    own = known["issuer"].isin(list(issuers))
    rng = np.random.default_rng(seed)
    begun, over = _drawn_days(known, first, last, draws, rng)
    dose_whole, dose_part = _drawn_doses(known, noise, draws, rng)
    length = (last - first).days + 1
    meant = meanings(which)
    total = sum(which.weights.values())
    rows = []
    for issuer in sorted(set(issuers)):
        places = np.flatnonzero(own & (known["issuer"] == issuer))
        index = np.zeros((draws, length))
        for category, weight in which.weights.items():
            parts = meant[meant["category"] == category].set_index("target")["part"]
            index += weight * _strongest(known, places, parts, begun, over, dose_whole, dose_part, length)
        values = index / total
        low, middle, high = np.quantile(values, [(1 - coverage) / 2, 0.5, (1 + coverage) / 2], axis=0)
        rows.append(pd.DataFrame({"issuer": issuer, "day": pd.date_range(first, last).date, "value": middle, "low": low, "high": high}))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["issuer", "day", "value", "low", "high"])


def _strongest(
    known: pd.DataFrame, places: NDArray[np.intp], parts: pd.Series,
    begun: NDArray[np.int64], over: NDArray[np.int64], whole: NDArray[np.float64], part: NDArray[np.float64], length: int,
) -> NDArray[np.float64]:  # fmt: skip
    """The greatest dose of the category on each day of each draw -> draws x days."""
    day = np.arange(length)
    found = np.zeros((begun.shape[1], length))
    for place in places:
        matched = [bool(parts[target]) for target in known["targets"].iloc[place] if target in parts.index]
        if matched:
            dose = (part if all(matched) else whole)[place][:, None]
            force = (day >= begun[place][:, None]) & (day <= over[place][:, None])
            np.maximum(found, np.where(force, dose, 0.0), out=found)
    return found


def _drawn_days(
    known: pd.DataFrame, first: date, last: date, draws: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last day of each measure in each draw, counted from `first` -> measures x draws, twice."""

    def offset(column: str) -> NDArray[np.float64]:
        return ((pd.to_datetime(known[column]) - pd.Timestamp(first)).dt.days).to_numpy(dtype="float64", na_value=np.nan)

    start_low, start_high, end_low, end_high = (offset(f"{name}_{bound}") for name in ("start", "end") for bound in ("earliest", "latest"))
    begun = rng.integers(start_low.astype("int64")[:, None], start_high.astype("int64")[:, None] + 1, (len(known), draws))
    open_end = np.isnan(end_low)
    low, high = np.where(open_end, 0, end_low).astype("int64"), np.where(open_end, 0, end_high).astype("int64")
    over = np.maximum(rng.integers(low[:, None], high[:, None] + 1, (len(known), draws)), begun)
    exact = ~open_end & (start_low == start_high) & (end_low == end_high)
    durations = (end_low - start_low)[exact].astype("int64")
    horizon = (last - first).days
    spare = rng.choice(durations, (len(known), draws)) if len(durations) else np.full((len(known), draws), horizon)
    standing = (known["status"] == "standing").to_numpy()
    runs_on = np.where(standing[:, None] | (len(durations) == 0), np.maximum(horizon, begun), begun + spare)
    return begun, np.where(open_end[:, None], runs_on, over)


def _drawn_doses(
    known: pd.DataFrame, noise: Confusion | None, draws: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Dose of each measure in each draw, for a category it means in whole and one it means in part -> measures x draws, twice."""
    strength = _drawn_codes(known, "strength", noise.strength if noise else None, draws, rng)
    general = _drawn_codes(known, "general", noise.general if noise else None, draws, rng)
    part = 100 * (strength - 0.5) / STRONGEST
    return np.where(general > 0, 100 * strength / STRONGEST, part), part


def _drawn_codes(known: pd.DataFrame, column: str, noise: pd.DataFrame | None, draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    codes = known[column].astype("float64").to_numpy()
    drawn = np.asarray(np.repeat(codes[:, None], draws, axis=1), dtype="float64")
    if noise is None:
        return drawn
    for (direction, code), chances in noise.groupby(["direction", column]):
        places = np.flatnonzero((known["direction"] == direction) & (codes == float(code)))
        if len(places):
            weights = chances["probability"].to_numpy(dtype="float64")
            drawn[places] = rng.choice(chances["drawn"].astype("float64").to_numpy(), (len(places), draws), p=weights / weights.sum())
    return drawn
