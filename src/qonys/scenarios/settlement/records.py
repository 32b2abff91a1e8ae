"""Household records -> stays: how long each household has stayed, whether it left, and which support it had by then."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.core.errors import DataError, nearest
from qonys.scenarios.settlement.retention_design import MEASURES

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_STAY = 36_525  # days; a hundred years is a wrong year
_MADE = ("stay", "days", "left")


def spells(records: pd.DataFrame, *, measures: Iterable[str] = MEASURES) -> pd.DataFrame:
    """One row per stay: household_id, stay, moved_on, days, left, support, [MEASURE_from_days], and the other columns as given.

    records: household_id, moved_on, left_on (empty: has not left), observed_until (last day known to be there; needed where left_on is
    empty), support (codes, a list or text parted by ; , or spaces), [MEASURE_from: day the support began], any other columns.
    stay: 1, 2, ... of a household that came more than once. days: from the move to leaving (left true) or to the last day known
    (left false; a stay that goes on is cut off there, not ended). support: sorted codes. MEASURE_from_days: days after the move, 0 where it
    began before; empty where not received, or not yet by the end of the stay. Without that column support is taken as given at the move.
    measures: the codes that support may hold. Index as in records (one called `row` is named in sentences), sorted by household and move.
    Errors: DataError naming household and row for days that are none, in the wrong order or a century apart, stays that have neither
    left_on nor observed_until, that overlap or stand twice, and support that is unknown or began when the household had gone.
    """
    known = tuple(measures)
    _check_columns(records, known)
    moved, left, until = (_dates(records, name) for name in ("moved_on", "left_on", "observed_until"))
    _first(records, moved.isna(), "has no moved_on", "give the day of the move")
    _first(records, left.isna() & until.isna(), "has neither left_on nor observed_until", "give the last day it was known to be there")
    _first(records, left < moved, "left before it moved in", "exchange or correct the days")
    _first(records, until < moved, "was last seen before it moved in", "correct observed_until")
    _first(
        records,
        until > left,
        "was seen there after it left",
        "observed_until is the last day it was known to be there, not the day of the extract: leave it empty where left_on is given",
    )
    end = left.fillna(until)
    days = (end - moved).dt.days.astype(float)
    _first(records, days > LONGEST_STAY, "stayed more than a hundred years", "correct the year")
    found = records.drop(columns=["left_on", "observed_until", *(f"{name}_from" for name in known if f"{name}_from" in records)])
    found = found.assign(moved_on=moved, days=days, left=left.notna(), support=_support(records, known))
    for name in known:
        if f"{name}_from" in records:
            found[f"{name}_from_days"] = _begins(records, name, found["support"], moved, end, left)
    order = found.assign(_end=end).sort_values(["household_id", "moved_on"], kind="stable")
    _refuse_overlap(records, order)
    found = found.loc[order.index]
    found.insert(1, "stay", found.groupby("household_id").cumcount() + 1)
    first = ["household_id", "stay", "moved_on", "days", "left", "support"]
    return found[first + [name for name in found if name not in first]]


def _check_columns(records: pd.DataFrame, known: tuple[str, ...]) -> None:
    if records.empty:
        raise DataError("there is no household record", mend="give a table with a row per household and move")
    if not records.index.is_unique:
        raise DataError("the records have row labels that repeat", mend="number the rows: records.reset_index(drop=True)")
    for name in ("household_id", "moved_on", "left_on", "observed_until", "support"):
        if name not in records:
            raise DataError(f"the records have no column {name}", mend=nearest(name, map(str, records.columns)))
    for name in _MADE:
        if name in records:
            raise DataError(f"the records have a column {name}, which is made from the days here", mend="leave it out or rename it")
    for name in records:
        if str(name).endswith("_from") and str(name).removesuffix("_from") not in known:
            raise DataError(f"the column {name} begins no known support", mend=nearest(str(name), [f"{one}_from" for one in known]))
    _first(records, records["household_id"].map(_blank), "has no household_id", "give each household a code")


def _blank(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value)) or value == ""


def _first(records: pd.DataFrame, wrong: pd.Series, what: str, mend: str) -> None:
    """The error for the first row that is wrong, where one is."""
    if wrong.any():
        place = int(np.flatnonzero(wrong.to_numpy())[0])
        more = int(wrong.sum()) - 1
        also = f" (and {more} more)" if more else ""
        row = records.index[place] if records.index.name == "row" else place + 1
        raise DataError(f"household {records['household_id'].iloc[place]!r}, row {row}: {what}{also}", mend=mend)


def _dates(records: pd.DataFrame, name: str) -> pd.Series:
    """A column of days, empty where nothing stands."""
    column = records[name]
    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.tz_localize(None).dt.normalize()
    empty = column.map(lambda value: _blank(value) or (isinstance(value, str) and not value.strip())).astype(bool)
    text = column.where(~empty, None).map(lambda value: None if value is None else str(value).strip().removesuffix(" 00:00:00"))
    days = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce").astype("datetime64[ns]")
    wrong = days.isna() & ~empty
    if wrong.any():
        _first(records, wrong, f"{name} = {str(column[wrong].iloc[0])!r} is no day", "write year, month and day: 2020-04-12")
    return days


def _support(records: pd.DataFrame, known: tuple[str, ...]) -> pd.Series:
    """Sorted codes of each row."""

    def codes(value: Any) -> tuple[str, ...] | None:
        if isinstance(value, list | tuple | set | frozenset | np.ndarray):
            return tuple(sorted({str(one).strip() for one in value} - {""}))
        if _blank(value):
            return ()
        return tuple(sorted(set(re.split(r"[;,|\s]+", value.strip(" ;,|[]"))) - {""})) if isinstance(value, str) else None

    column = records["support"].map(codes)
    _first(records, column.isna(), "support is no list of codes", "write codes parted by semicolons: rent_cover;housing")
    for code in sorted({code for row in column.unique() for code in row} - set(known)):
        wrong = column.map(lambda row, code=code: code in row)
        _first(records, wrong, f"got {code!r}, which is no known support", nearest(code, known))
    return column


def _begins(records: pd.DataFrame, name: str, support: pd.Series, moved: pd.Series, end: pd.Series, left: pd.Series) -> pd.Series:
    """Days from the move to the day a support began; empty where it had not begun by the end of the stay."""
    began = _dates(records, f"{name}_from")
    got = support.map(lambda row: name in row)
    _first(records, got & began.isna(), f"got {name} but has no {name}_from", "give the day it began, or drop that column for all")
    _first(records, ~got & began.notna(), f"has {name}_from but did not get {name}", "add it to support, or take the day out")
    _first(records, began > left, f"got {name} from a day after it left", f"correct {name}_from or left_on")
    return (began - moved).dt.days.clip(lower=0).where(began <= end)


def _refuse_overlap(records: pd.DataFrame, order: pd.DataFrame) -> None:
    """Refuse a household that comes twice on one day, or comes again before it left. order: sorted stays with their `_end`."""
    before = order.shift(1)
    same = (order["household_id"] == before["household_id"]).reindex(records.index)
    twice = (order["moved_on"] == before["moved_on"]).reindex(records.index)
    unfinished = ((before["left"] == False) | (order["moved_on"] < before["_end"])).reindex(records.index)  # noqa: E712
    _first(records, same & twice, "stands twice with the same moved_on", "keep one row of a stay")
    _first(records, same & unfinished, "came again before it had left", "give left_on of the stay before, or make both one stay")
