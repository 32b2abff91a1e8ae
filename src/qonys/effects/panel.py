"""From an outcome table and an exposure table to the panel that is estimated on: a row a unit and period, and when it was first treated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError, nearest
from qonys.core.numbers import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qonys.effects.design import Design, Source

NEVER = 0  # the first period of a unit that is never treated; times count from 1


@dataclass(frozen=True, slots=True)
class Panel:
    """rows: unit, period, time (1, 2, ...), value, dose, on (treated), first (time of the first period treated, NEVER), announced (time of
    announcement of the first treatment, missing where not known), the covariates, cluster; by unit and time. periods: in order. left_out:
    unit, period, why.
    """

    rows: pd.DataFrame
    periods: tuple[str, ...]
    left_out: pd.DataFrame

    @property
    def first(self) -> pd.Series[int]:
        """The first period treated of each unit."""
        return self.rows.groupby("unit")["first"].first()

    @property
    def always(self) -> pd.Index[str]:
        """Units treated when they enter: they have no before."""
        first = self.first
        return first[(first != NEVER) & (first <= self.rows.groupby("unit")["time"].min())].index


def panel(outcome: pd.DataFrame, exposure: pd.DataFrame, design: Design) -> Panel:
    """Outcome and exposure joined by unit and period. A unit and period without a row of exposure has the dose 0.

    Several rows of one unit and period are added up in the outcome (persons of several groups), and of the doses the greatest counts; rows
    with neither are left out. Errors: DesignError for a missing column or tables that share no unit or period, DataError for text among
    numbers.
    """
    columns = [*design.covariates, *([design.cluster] if design.cluster and design.cluster != design.outcome.unit else [])]
    own = _chosen(outcome, design.outcome, "outcome", [*columns])
    doses = _chosen(exposure, design.exposure, "exposure", [design.announced] if design.announced else [])
    if design.first or design.last:
        own = own[own["period"].between(design.first or own["period"].min(), design.last or own["period"].max())]
    missing = own["value"].isna()
    left_out = own.loc[missing, ["unit", "period"]].assign(why="no value")
    own = own[~missing]
    together: dict[str, tuple[str, str]] = {"value": ("value", "sum"), **{name: (name, "first") for name in columns}}
    rows = own.groupby(["unit", "period"], as_index=False).agg(**together)
    if rows.empty or not set(rows["unit"]) & set(doses["unit"]) or not set(rows["period"]) & set(doses["period"]):
        raise DesignError(
            "outcome and exposure share no unit or no period",
            mend=f"units: {_some(rows['unit'])} and {_some(doses['unit'])}; periods: {_some(rows['period'])} and {_some(doses['period'])}",
        )
    dose = doses.groupby(["unit", "period"], as_index=False)["value"].max().rename(columns={"value": "dose"})
    rows = rows.merge(dose, on=["unit", "period"], how="left")
    rows["dose"] = rows["dose"].fillna(0.0)
    if design.kind == "log":
        zero = rows["value"] <= 0
        left_out = pd.concat([left_out, rows.loc[zero, ["unit", "period"]].assign(why="no logarithm")])
        rows = rows[~zero].assign(value=lambda one: np.log(one["value"]))
    periods = tuple(sorted(rows["period"].unique()))
    time = {period: place for place, period in enumerate(periods, start=1)}
    rows["time"] = rows["period"].map(time)
    rows["on"] = rows["dose"] > design.threshold
    first = rows[rows["on"]].groupby("unit")["time"].min()
    rows["first"] = rows["unit"].map(first).fillna(NEVER).astype(int)
    if design.after_end == "drop":
        gone = rows["unit"].map(_ended(rows)).fillna(np.inf) <= rows["time"]
        left_out = pd.concat([left_out, rows.loc[gone, ["unit", "period"]].assign(why="after the measure ended")])
        rows = rows[~gone]
    rows["announced"] = rows["unit"].map(_announcements(doses, design, time))
    rows["cluster"] = rows[design.cluster] if design.cluster and design.cluster in rows.columns else rows["unit"]
    order = ["unit", "period", "time", "value", "dose", "on", "first", "announced", *design.covariates, "cluster"]
    return Panel(
        rows[order].sort_values(["unit", "time"], ignore_index=True), periods, left_out.reset_index(drop=True)[["unit", "period", "why"]]
    )


def _chosen(table: pd.DataFrame, source: Source, name: str, more: list[str]) -> pd.DataFrame:
    for column in (source.unit, source.period, source.value, *source.where, *more):
        if column not in table.columns:
            raise DesignError(f"the {name} table {source.table} has no column {column!r}", mend=nearest(str(column), list(table.columns)))
    kept = pd.Series(True, index=table.index)
    for column, values in source.where.items():
        kept &= table[column].isin(values if isinstance(values, list) else [values])
    if table.empty:
        raise DesignError(f"{source.table} has no rows", mend="check the file")
    if not kept.any():
        raise DesignError(f"no row of {source.table} is as the design asks ({_said(source.where)})", mend="check the words of `where`")
    chosen = table.loc[kept, [source.unit, source.period, source.value, *more]].copy()
    chosen[source.value] = numbers(chosen[source.value], f"{source.table}, column {source.value}")
    chosen = chosen.rename(columns={source.unit: "unit", source.period: "period", source.value: "value"})
    return chosen.assign(unit=chosen["unit"].astype(str), period=chosen["period"].astype(str))


def _ended(rows: pd.DataFrame) -> pd.Series[int]:
    """The first time after a treatment of each unit."""
    return rows[~rows["on"] & (rows["first"] != NEVER) & (rows["time"] > rows["first"])].groupby("unit")["time"].min()


def _announcements(doses: pd.DataFrame, design: Design, time: Mapping[str, int]) -> dict[str, float]:
    """The time of announcement of the first treatment of each unit; before the panel begins it is 0."""
    if design.announced is None:
        return {}
    treated = doses[(doses["value"] > design.threshold) & doses[design.announced].notna()].sort_values("period")
    said = treated.drop_duplicates("unit").set_index("unit")[design.announced].astype(str)
    periods = sorted(time)
    return {unit: float(sum(period <= day[: len(period)] for period in periods)) for unit, day in said.items()}


def _some(values: pd.Series[str]) -> str:
    known = sorted(values.unique())
    return ", ".join(known[:3]) + (", ..." if len(known) > 3 else "")


def _said(where: Mapping[str, object]) -> str:
    return ", ".join(f"{column} = {value}" for column, value in where.items())
