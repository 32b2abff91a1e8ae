"""Both sides' reports of one flow side by side: what the destination counts as immigration and the origin as emigration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core import areas
from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

SIDES = {"previous_residence": "destination", "next_residence": "origin"}  # basis -> who reports
CORRIDOR = ("origin", "destination", "period_start", "period_end")
APART = ("citizenship", "sex", "age", "scope")  # where the flows tell them apart
TOLD = ("persons_reported", "counted", "flag", "source", "vintage", "status")
NEEDED = (*CORRIDOR, "persons", "basis", "counted", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """Both reports of each corridor and period.

    table: origin, destination, period_start, period_end (and citizenship, sex, age, scope, source where they are part of the key),
    persons_reported_by_destination, persons_reported_by_origin, ratio (the first over the second; empty where one is missing or the
    origin's is 0), which_side (both, destination_only, origin_only, neither), comparable (both count the same: moves or movers; empty where
    one is missing), then counted, flag, source, vintage and status by each side. One row a key, in its order.
    left_out: rows of the flows that are no corridor between two areas (WORLD, unions, groups, unknown), with their columns.
    """

    table: pd.DataFrame
    left_out: pd.DataFrame


def mirror(flows: pd.DataFrame, *, expected: pd.DataFrame | None = None, source_in_key: bool = False) -> Mirror:
    """The reports of origin and destination of the same moves, one row a corridor and period.

    flows: rows of the flow contract of basis previous_residence (immigration, as the destination reports it) and next_residence
    (emigration, as the origin does). A row without a number is a report that was asked for and not given. expected: origin, destination,
    period_start, period_end of the corridors that should be there; those nobody reports are `neither`. source_in_key: rows of each
    source by itself.
    Reports are compared, never summed: by which definition each side counts stays with it (Poulain 1993; Raymer et al. 2013, JASA 108).
    Errors: DataError for a missing column, another basis (a citizenship is no corridor), two reports of one side of a key, a negative
    number, or expected corridors that repeat.
    """
    missing = [name for name in NEEDED if name not in flows.columns]
    if missing:
        raise DataError(f"the flows have no column {missing[0]!r}", mend="give rows of the flow contract, as harmonise makes them")
    other = sorted(set(flows["basis"].dropna()) - set(SIDES)) + (["empty"] if flows["basis"].isna().any() else [])
    if other:
        raise DataError(
            f"flows of basis {other[0]} have no mirror: only previous residence (immigration) and next residence (emigration) are reports"
            " of the same moves",
            mend="leave them out",
        )
    numbers = pd.to_numeric(flows["persons"], errors="coerce")
    if (numbers < 0).any() or np.isinf(numbers).any():
        raise DataError(f"a flow of {numbers[(numbers < 0) | np.isinf(numbers)].iloc[0]:g} persons cannot be", mend="correct the number")
    corridor = _is_area(flows["origin"]) & _is_area(flows["destination"]) & (flows["origin"] != flows["destination"])
    if "aggregate" in flows.columns:
        corridor &= flows["aggregate"].isna()
    rows = flows[corridor].assign(persons=numbers[corridor])
    key = [
        *CORRIDOR,
        *(name for name in APART if name in rows.columns and rows[name].notna().any()),
        *(["source"] if source_in_key else []),
    ]
    sides = {who: _side(rows[rows["basis"] == basis], who, key) for basis, who in SIDES.items()}
    table = sides["destination"].merge(sides["origin"], on=key, how="outer")
    if expected is not None:
        table = table.merge(_expected(expected), on=list(CORRIDOR), how="outer")
    return Mirror(table=_finished(table, key), left_out=flows[~corridor])


def _is_area(codes: pd.Series) -> pd.Series:
    """Countries, former states and regions: what people can move between."""
    kinds = {code: code in areas.codes() and areas.area(code).scheme in ("iso3166-1", "iso3166-2") for code in codes.dropna().unique()}
    return codes.map(kinds).fillna(False).astype(bool)


def _side(rows: pd.DataFrame, who: str, key: Sequence[str]) -> pd.DataFrame:
    """One side's reports by key."""
    again = rows.duplicated(list(key), keep=False)
    if again.any():
        first = rows[again].sort_values([*key, "source"], kind="stable")
        one, two = (first.iloc[place] for place in (0, 1))
        both = " and ".join(" of ".join(str(part) for part in (row["source"], row.get("vintage")) if pd.notna(part)) for row in (one, two))
        raise DataError(
            f"{one['origin']} to {one['destination']} from {one['period_start']} is reported twice by the {who}: {both}",
            mend="keep one source and vintage, or say source_in_key=True",
        )
    told = {"persons": f"persons_reported_by_{who}"}
    told |= {name: f"{name}_by_{who}" for name in TOLD[1:] if name in rows.columns and name not in key}
    side = rows[[*key, *told]].rename(columns=told)
    return side.assign(**{f"{name}_by_{who}": None for name in TOLD[1:] if f"{name}_by_{who}" not in side and name not in key})


def _expected(corridors: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in CORRIDOR if name not in corridors.columns]
    if missing:
        raise DataError(f"the expected corridors have no column {missing[0]!r}", mend="give " + ", ".join(CORRIDOR))
    found = corridors[list(CORRIDOR)]
    if found.duplicated().any():
        row = found[found.duplicated()].iloc[0]
        raise DataError(f"the expected corridor {row['origin']} to {row['destination']} is given twice", mend="give each once")
    return found


def _finished(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    came, left = table["persons_reported_by_destination"].astype("float64"), table["persons_reported_by_origin"].astype("float64")
    sides = np.select(
        [came.notna() & left.notna(), came.notna(), left.notna()], ["both", "destination_only", "origin_only"], default="neither"
    )
    alike = (table["counted_by_destination"] == table["counted_by_origin"]).astype("boolean").where(pd.Series(sides, table.index) == "both")
    reports = table.assign(
        persons_reported_by_destination=came,
        persons_reported_by_origin=left,
        ratio=came / left.where(left > 0),
        which_side=sides,
        comparable=alike,
    )
    told = [f"{name}_by_{who}" for name in TOLD[1:] for who in ("destination", "origin") if name not in key]
    numbers = ["persons_reported_by_destination", "persons_reported_by_origin", "ratio", "which_side", "comparable"]
    return reports[[*key, *numbers, *told]].sort_values(list(key), kind="stable", na_position="first").reset_index(drop=True)
