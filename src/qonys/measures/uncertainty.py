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
    weights, total = np.array(list(which.weights.values())), sum(which.weights.values())
    rows = []
    for issuer in sorted(set(issuers)):
        cells = np.zeros((len(weights), draws, length))
        for place in np.flatnonzero(own & (known["issuer"] == issuer)):
            _raise(
                cells,
                list(which.weights),
                meant,
                known["targets"].iloc[place],
                begun[place],
                over[place],
                dose_whole[place],
                dose_part[place],
            )
        values = np.tensordot(weights, cells, axes=1) / total
        low, middle, high = np.quantile(values, [(1 - coverage) / 2, 0.5, (1 + coverage) / 2], axis=0)
        rows.append(pd.DataFrame({"issuer": issuer, "day": pd.date_range(first, last).date, "value": middle, "low": low, "high": high}))
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["issuer", "day", "value", "low", "high"])


def _raise(
    cells: NDArray[np.float64], categories: list[str], meant: pd.DataFrame, targets: Sequence[str],
    begun: NDArray[np.int64], over: NDArray[np.int64], whole: NDArray[np.float64], part: NDArray[np.float64],
) -> None:  # fmt: skip
    """Raise the cells (category x draw x day) that one measure means to its dose, on the days it is in force in each draw."""
    length = cells.shape[2]
    first, last = max(int(begun.min()), 0), min(int(over.max()), length - 1)
    if last < first:
        return
    day = np.arange(first, last + 1)
    force = (day >= begun[:, None]) & (day <= over[:, None])
    own = meant[meant["target"].isin(list(targets))]
    for place, category in enumerate(categories):
        parts = own.loc[own["category"] == category, "part"]
        if len(parts):
            dose = np.where(force, (part if parts.all() else whole)[:, None], 0.0)
            np.maximum(cells[place, :, first : last + 1], dose, out=cells[place, :, first : last + 1])


def _drawn_days(
    known: pd.DataFrame, first: date, last: date, draws: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last day of each measure in each draw, counted from `first` -> measures x draws, twice."""

    def offset(column: str) -> NDArray[np.float64]:
        days = (pd.to_datetime(known[column]) - pd.Timestamp(first)).dt.days
        return np.asarray(days.to_numpy(dtype="float64", na_value=np.nan))

    start_low, start_high, end_low, end_high = (offset(f"{name}_{bound}") for name in ("start", "end") for bound in ("earliest", "latest"))
    begun = rng.integers(start_low.astype("int64")[:, None], start_high.astype("int64")[:, None] + 1, (len(known), draws))
    open_end = np.isnan(end_high)
    seen = np.where(np.isnan(end_low), start_low, end_low).astype("int64")  # an open end comes no earlier than the measure was last seen
    low, high = np.where(open_end, 0, seen), np.where(open_end, 0, np.nan_to_num(end_high)).astype("int64")
    over = np.maximum(rng.integers(low[:, None], high[:, None] + 1, (len(known), draws)), begun)
    exact = ~open_end & (start_low == start_high) & (end_low == end_high)
    durations = (end_low - start_low)[exact].astype("int64")
    horizon = (last - first).days
    spare = rng.choice(durations, (len(known), draws)) if len(durations) else np.full((len(known), draws), horizon)
    standing = (known["status"] == "standing").to_numpy()
    runs_on = np.where(standing[:, None] | (len(durations) == 0), np.maximum(horizon, begun), begun + spare)
    return begun, np.where(open_end[:, None], np.maximum(runs_on, seen[:, None]), over)


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
