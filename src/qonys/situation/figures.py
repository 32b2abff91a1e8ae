"""What moved: the series of an area, the areas that have any, and the last figures known on a day with how they changed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core import areas
from qonys.core.errors import DataError, nearest
from qonys.registers import DEFAULT, SHIPPED
from qonys.situation.opened import day_of, flows_held, register_held, remembered
from qonys.situation.reports import EXTERNAL, KINDS, REPORT

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOLD = ("area", "kind", "value", "unit", "source", "vintage", "status", "qualifier", "flag", "counted")
BASE_YEARS = 3  # the years before, whose mean a year is held against


@remembered
def series_of(
    area: str, *, first: int | None = None, last: int | None = None, kinds: Sequence[str] = KINDS, tables: Sequence[str] = (SHIPPED,)
) -> pd.DataFrame:
    """The yearly figures of an area, every report of every year, and a row without a value for each year that no report is of.

    first, last: years, by default from the first to the last of any report of these kinds; kinds: see `reports.KINDS`; tables: flow tables,
    `shipped` or paths -> the columns of `reports.REPORT`, by kind and period, the chosen report of a year first. A kind that the area has
    no report of has no rows.
    Errors: DataError for a code that is no area, an unknown kind, years in the wrong order, or a table that cannot be used.
    """
    code = areas.area(area).code
    for kind in kinds:
        if kind not in KINDS:
            raise DataError(f"there is no series {kind!r}", mend=nearest(str(kind), KINDS))
    for year in (first, last):
        _check_year(year)
    held = flows_held(tables)
    own = held[(held["area"] == code) & held["kind"].isin(list(kinds))]
    if own.empty:
        return own.reset_index(drop=True)
    known = own["period"].astype(int)
    start, stop = (int(known.min()) if first is None else first), (int(known.max()) if last is None else last)
    if start > stop:
        raise DataError(f"the first year {start} is after the last year {stop}", mend="give them in the order of time")
    inside = own[known.between(start, stop)]
    gaps: list[dict[str, Any]] = []
    for kind, rows in own.groupby("kind", sort=False):
        there = set(rows["period"])
        gaps += [
            dict.fromkeys(REPORT)
            | {"area": code, "kind": kind, "period": str(year), "unit": rows["unit"].iloc[0], "chosen": True, "inputs": []}
            for year in range(start, stop + 1) if str(year) not in there
        ]  # fmt: skip
    whole = pd.concat([inside, pd.DataFrame(gaps, columns=list(REPORT)).astype({"value": float, "chosen": bool})]) if gaps else inside
    place = whole["kind"].map({kind: number for number, kind in enumerate(KINDS)})
    return whole.assign(_place=place).sort_values(["_place", "period"], kind="stable").drop(columns="_place").reset_index(drop=True)


@remembered
def areas_known(*, tables: Sequence[str] = (SHIPPED,), registers: Sequence[str] = DEFAULT) -> pd.DataFrame:
    """The areas that have figures, entries of the register, or both, by code.

    -> area, scheme, kind, parent, series (how many kinds of figures), first_period, last_period (years of figures), entries (how many),
    first_start, last_start (days between which entries began, as far as known; missing without).
    """
    flows, entries = flows_held(tables), register_held(registers).entries
    years = flows.groupby("area").agg(series=("kind", "nunique"), first_period=("period", "min"), last_period=("period", "max"))
    begun = entries.assign(start=entries["start_earliest"]).groupby("issuer")["start"]
    acts = begun.agg(
        entries="size", first_start=lambda own: min(own.dropna(), default=None), last_start=lambda own: max(own.dropna(), default=None)
    )
    both = years.join(acts.rename_axis("area"), how="outer").reset_index()
    facts = [areas.area(code) for code in both["area"]]
    both.insert(1, "scheme", [one.scheme for one in facts])
    both.insert(2, "kind", [one.kind for one in facts])
    both.insert(3, "parent", [one.parent for one in facts])
    return both.fillna({"series": 0, "entries": 0}).astype({"series": int, "entries": int}).sort_values("area", ignore_index=True)


@remembered
def moved(area: str, on: date | str, *, kinds: Sequence[str] = KINDS, tables: Sequence[str] = (SHIPPED,)) -> pd.DataFrame:
    """The last figure of each kind whose year was over on a day, with its change against the year before and the three years before.

    It is what is known today of the time up to that day, not what was known on it: vintages are often not known, and later revisions count.
    -> area, kind, period, value, unit, source, vintage, status, qualifier, flag, counted, years_since (whole years between the end of the
    period and the day), before, change, change_percent (against the year before), mean_before, mean_change, mean_change_percent (against
    the mean of the three years before), gap (null; `no_year_before`, `no_three_years`: what is missing is no number), other_reports (how
    many other reports of that figure there are), inputs. Percents of a net are not taken: its sign changes. No row for a kind without
    figures. Errors: DataError for a code that is no area, or no day.
    """
    day = day_of(on)
    series = series_of(area, kinds=kinds, tables=tables)
    known = series[series["value"].notna() & (series["period"].map(lambda year: date(int(year), 12, 31)) <= day)] if len(series) else series
    rows = []
    for kind, own in known.groupby("kind", sort=False):
        used = own[own["chosen"]].set_index("period")
        last = used.index[-1]
        row = used.loc[last]
        signed = kind not in ("immigration", "emigration", "in_migration", "out_migration", "internal_moves")
        value, year = float(row["value"]), int(last)
        before = _value(used, year - 1)
        three = [_value(used, year - back) for back in range(1, BASE_YEARS + 1)]
        mean = None if None in three else sum(one for one in three if one is not None) / BASE_YEARS
        behind = [str(year - back) for back in range(BASE_YEARS + 1) if str(year - back) in used.index]
        rows.append({
            **{name: row[name] for name in _TOLD},
            "period": last, "years_since": day.year - year - 1,
            "before": before, "change": None if before is None else value - before, "change_percent": percent(value, before, signed=signed),
            "mean_before": mean, "mean_change": None if mean is None else value - mean,
            "mean_change_percent": percent(value, mean, signed=signed),
            "gap": "no_year_before" if before is None else "no_three_years" if mean is None else None,
            "other_reports": int((own["period"] == last).sum()) - 1,
            "inputs": sorted({one for inputs in used.loc[behind, "inputs"] for one in inputs}),
        })  # fmt: skip
    columns = [
        "area", "kind", "period", "value", "unit", "source", "vintage", "status", "qualifier", "flag", "counted", "years_since", "before",
        "change", "change_percent", "mean_before", "mean_change", "mean_change_percent", "gap", "other_reports", "inputs",
    ]  # fmt: skip
    numbers = ("value", "before", "change", "change_percent", "mean_before", "mean_change", "mean_change_percent")
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(numbers, float))


def percent(value: float, base: float | None, *, signed: bool) -> float | None:
    """The change in percent; none of a base that is zero, missing, or of a figure that may be negative."""
    return None if signed or base is None or base <= 0 else 100 * (value / base - 1)


def _value(used: pd.DataFrame, year: int) -> float | None:
    return float(used.at[str(year), "value"]) if str(year) in used.index else None


def _check_year(year: object) -> None:
    if year is not None and (isinstance(year, bool) or not isinstance(year, int) or not 1 <= year <= 9999):
        raise DataError(f"{year!r} is no year", mend="write a whole number, as 2020")


__all__ = ["EXTERNAL", "KINDS", "areas_known", "moved", "percent", "series_of"]
