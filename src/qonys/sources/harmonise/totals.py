"""Totals, parts and what is not known, told apart in a contract's rows; printed totals checked; sums that count people twice refused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from qonys.core import areas
from qonys.core.errors import DataError, nearest
from qonys.core.periods import earliest
from qonys.sources.harmonise.ages import UNKNOWN, bands, overlaps, partition
from qonys.sources.harmonise.plans import AREAS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

DATES = ("period_start", "period_end", "ref_date", "period")
DIMENSIONS = (*AREAS, "basis", "counted", "scope", "category", "sex", "age", *DATES, "source", "vintage")
ALL = ("all", "total")  # of a category
NOT_IN = {"NON_EU": "EU", "NON_CIS": "CIS"}  # groups of all areas that a union does not have
TOTAL = ""  # in a set of codes: the empty cell, which is the total
ROLES = ("total", "part", "unknown", "aggregate")


@dataclass(frozen=True, slots=True)
class Split:
    """What each row is in each dimension. roles: the frame's index, a column a dimension: total, part, unknown or aggregate."""

    frame: pd.DataFrame
    roles: pd.DataFrame

    def rows(self, dimension: str, role: str) -> pd.DataFrame:
        """The rows that are that in a dimension. Errors: DataError for another word."""
        if role not in ROLES or dimension not in self.roles:
            word, known = (role, ROLES) if role not in ROLES else (dimension, tuple(self.roles))
            raise DataError(f"rows are not split by {word!r}", mend=nearest(word, known))
        return self.frame[self.roles[dimension] == role]


def split_totals(frame: pd.DataFrame) -> Split:
    """Rows of a flow, stock or panel (as `harmonise` gives them) by what they are in each of their dimensions of areas, sex and age.

    total: WORLD, an empty citizenship, sex or age, a country whose regions stand beside it. aggregate: unions, groups, and what `aggregate`
    names. unknown: not stated. part: everything else, stateless persons and other countries among them.
    """
    _a_table(frame)
    roles = {}
    for name in DIMENSIONS:
        if name not in frame.columns or (name not in AREAS and name not in ("sex", "age")):
            continue
        column = _cells(frame, name)
        if name == "age":
            known = {TOTAL if age is None else age: band.kind for age, band in bands(frame["age"]).items()}
            roles[name] = column.map(known).replace({"band": "part", "open": "part"})
        elif name == "sex":
            roles[name] = column.map(lambda text: "total" if text == TOTAL else "part")
        else:
            parents = {areas.area(code).parent for code in set(column) & areas.codes()} - {None}
            roles[name] = column.map({code: _area_role(code, parents) for code in set(column)})
    return Split(frame, pd.DataFrame(roles, index=frame.index, dtype="object"))


def _area_role(code: str, parents: set[str | None]) -> str:
    if code in (TOTAL, "WORLD") or code in parents:
        return "total"
    if code == UNKNOWN:
        return "unknown"
    known = code in areas.codes()
    return "part" if known and areas.area(code).kind != "union" and code not in NOT_IN else "aggregate"


def check_totals(frame: pd.DataFrame, *, over: str, value: str = "persons") -> pd.DataFrame:
    """Printed totals against the sum of their parts in one dimension, in each group of the others.

    over: a column of areas, sex or age. Totals are WORLD or an empty cell, a country beside its regions, and unions beside their members
    of the day. Of ages, the parts are one choice of bands that does not overlap (`partition`).
    -> the other dimensions, total (its code; empty where the cell is), printed, parts (sum), unknown (sum), gap = printed - parts -
    unknown, number (of parts), missing (members of a union that have no row). A group without a total or without parts has no row.
    Errors: DataError for a column that is none of these, a repeated row, or age bands of which no choice covers all.
    """
    _a_table(frame)
    if over not in frame.columns or (over not in AREAS and over not in ("sex", "age")):
        raise DataError(
            f"totals cannot be checked over {over!r}", mend=nearest(over, [name for name in DIMENSIONS if name in frame.columns])
        )
    if value not in frame.columns:
        raise DataError(f"the table has no column {value!r}", mend=nearest(value, frame.columns))
    keys = [name for name in DIMENSIONS if name in frame.columns and name != over]
    found = frame.reset_index(drop=True)
    roles, column = split_totals(found).roles[over], _cells(found, over)
    numbers = found[value].astype("float64")
    groups = [("", found.index)] if not keys else [(key, part.index) for key, part in found.groupby(keys, dropna=False, sort=True)]
    rows = []
    for key, index in groups:
        part, unknown = index[roles[index] == "part"], index[roles[index] == "unknown"]
        if over == "age":
            part = partition(found.loc[part]).rows.index
        if not len(part):
            continue
        day = _day(found.loc[index[0]])
        for total in index[roles[index].isin(("total", "aggregate"))]:
            code, below, missing = column[total], part, ""
            if roles[total] == "aggregate":
                if code not in areas.codes() or code in NOT_IN:
                    continue
                inside = set(_members(code, day))
                below = part[column[part].isin(inside)]
                missing = " ".join(sorted(inside - set(column[below])))
            elif over in AREAS and code in areas.codes() and areas.area(code).kind == "country":
                below = part[[one in areas.codes() and areas.area(one).parent == code for one in column[part]]]
            if not len(below):
                continue
            loose = 0.0 if roles[total] == "aggregate" else float(numbers[unknown].sum())
            summed, printed = float(numbers[below].sum()), float(numbers[total])
            one = dict(zip(keys, key, strict=True)) if keys else {}
            rows.append(one | {"total": code or None, "printed": printed, "parts": summed, "unknown": loose,
                               "gap": printed - summed - loose, "number": len(below), "missing": missing})  # fmt: skip
    return pd.DataFrame(rows, columns=[*keys, "total", "printed", "parts", "unknown", "gap", "number", "missing"])


def refuse_double_counting(frame: pd.DataFrame, *, over: Sequence[str]) -> None:
    """Refuse a sum that would count people twice; nothing happens where it would not.

    over: the dimensions that the sum runs over; it is made in each group of the others. Refused, in a group: a union, a group or WORLD
    beside what it holds; a total of citizenship, sex, age or category beside its parts; a country beside its regions; overlapping ages and
    periods; two dates of a stock; two bases, units of counting, sources or vintages; a row that repeats another.
    Where several dimensions are summed over at once, a total in one row and parts in another are refused even if the rest tells them apart.
    Errors: DataError naming both, the group and the mend; or a dimension that the table does not have.
    """
    _a_table(frame)
    here = [name for name in DIMENSIONS if name in frame.columns]
    for name in over:
        if name not in here:
            raise DataError(f"the table has no dimension {name!r}", mend=nearest(name, here))
    keys = [name for name in here if name not in over]
    cells = pd.DataFrame({name: _cells(frame, name) for name in here})
    _once(frame, cells, here)
    for name in over:
        if name == "period_end" and "period_start" in over:
            continue
        columns = [*keys, *(("period_start", "period_end") if name in ("period_start", "period_end") else (name,))]
        unlike = cells[list(dict.fromkeys(columns))].drop_duplicates()
        groups = [((), unlike)] if not keys else unlike.groupby(keys, sort=True)
        for key, part in groups:
            if len(part) < 2:
                continue
            clash = _clash(name, part)
            if clash is not None:
                one, other, why = clash
                where = ", ".join(f"{column} {text}" for column, text in zip(keys, key, strict=True) if text and column not in ("source",))
                raise DataError(
                    f"a sum over {name} would count twice: {why}" + (f" ({where})" if where else ""),
                    mend=f"keep {one} or {other}, or do not sum over {name}",
                )


def _clash(name: str, part: pd.DataFrame) -> tuple[str, str, str] | None:
    """Two values of a group that may not be summed, and why."""
    if name in AREAS:
        return _area_clash(frozenset(part[name]), _day(part.iloc[0].drop(labels=[name])))
    if name == "age":
        return _age_clash(frozenset(part[name]))
    if name in ("period_start", "period_end"):
        spans = sorted(zip(part["period_start"], part["period_end"], strict=True)) if "period_end" in part else []
        pair = next(((a, b) for a, b in pairwise(spans) if b[0] <= a[1]), None)
        return pair and (" to ".join(pair[0]), " to ".join(pair[1]), f"{' to '.join(pair[0])} and {' to '.join(pair[1])} share days")
    values = sorted(part[name])
    if name == "period":
        pair2 = next(((a, b) for a, b in pairwise(values) if b.startswith(a)), None)
        return pair2 and (*pair2, f"{pair2[0]} holds {pair2[1]}")
    if name in ("sex", "category", "scope"):
        total = next(
            (text for text in values if text == TOTAL or text in (*ALL, "all_flows") or (name == "scope" and text == "internal")), None
        )
        if total is None:
            return None
        other = next(text for text in values if text != total)
        return _said(total), other, f"{_said(total)} of {name} holds {other}"
    one, other = values[:2]
    what = {"ref_date": "the same people are there on", "vintage": "the same figures were released as"}.get(name, f"{name} is")
    return _said(one), _said(other), f"{what} {_said(one)} and {_said(other)}"


def _said(text: str) -> str:
    return text or "the total"


@cache
def _age_clash(ages: frozenset[str]) -> tuple[str, str, str] | None:
    pairs = overlaps(None if age == TOTAL else age for age in sorted(ages))
    return (*pairs[0], f"{pairs[0][0]} and {pairs[0][1]} are the same people in part") if pairs else None


@cache
def _area_clash(codes: frozenset[str], day: date | None) -> tuple[str, str, str] | None:
    """The first two areas of which one holds people of the other."""
    known = sorted(codes)
    for whole in known:
        rest = [code for code in known if code != whole]
        if not rest:
            return None
        if whole in (TOTAL, "WORLD"):
            return _said(whole), rest[0], f"{_said(whole)} holds {rest[0]}"
        if whole not in areas.codes():
            name = whole.removeprefix(AGAIN)
            return name, _said(rest[0]), f"{name} is a group of areas, and nothing says that {_said(rest[0])} is not in it"
        for code in rest:
            if code in areas.codes() and _holds(whole, code, day):
                return whole, code, f"{whole} holds {code}"
    return None


AGAIN = "again:"  # before the code of the reporting country, where a row says again what the row of that country says


def _holds(whole: str, code: str, day: date | None) -> bool:
    """Whether an area has people of another one: a union of a member or of a union with a member in common, a country of its region."""
    one, other = areas.area(whole), areas.area(code)
    if other.parent == whole:
        return True
    if whole in NOT_IN:
        return other.kind in ("country", "former_state") and code not in _members(NOT_IN[whole], day)
    if one.kind != "union":
        return False
    inside = set(_members(whole, day))
    if other.kind == "union":
        return bool(inside & set(_members(code, day)))
    return code in inside or other.parent in inside


@cache
def _members(union: str, day: date | None) -> tuple[str, ...]:
    """Members on a day; without a day, all that ever were."""
    if union not in areas.codes() or areas.area(union).kind != "union":
        return ()
    return areas.members(union, day) if day else tuple(sorted({spell.area for spell in areas.memberships(union)}))


def _once(frame: pd.DataFrame, cells: pd.DataFrame, here: Sequence[str]) -> None:
    """Refuse a row that has the dimensions of another. OTHER is not one place: its rows may be several."""
    again = cells.duplicated(keep=False) & ~(cells[[name for name in here if name in AREAS]] == "OTHER").any(axis=1)
    if again.any():
        said = ", ".join(f"{name} {text}" for name, text in cells[again].iloc[0].items() if text)
        raise DataError(f"{int(again.sum())} rows have the dimensions of another: {said}", mend="keep one of each")


def _cells(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column as text, the empty cell TOTAL; of an area column, a row that says another again is marked."""
    text = frame[name].astype("object").where(frame[name].notna(), TOTAL).astype(str)
    if name not in ("citizenship", "characteristic") or "aggregate" not in frame.columns:
        return text
    named = [column for column in AREAS if column in frame.columns and column != name]
    elsewhere = pd.Series(False, index=frame.index)
    for column in named:
        elsewhere |= frame[column].notna() & ~frame[column].isin(areas.codes())
    again = frame["aggregate"].notna() & text.isin(areas.codes()) & ~elsewhere
    return text.where(~again, AGAIN + text)


def _day(row: pd.Series) -> date | None:
    """The first day of a row's period, where it has one."""
    for name in ("period_start", "ref_date", "period"):
        if name in row.index and not pd.isna(row[name]) and row[name] != TOTAL:
            return earliest(str(row[name])[:10])
    return None


def _a_table(frame: pd.DataFrame) -> None:
    if not isinstance(frame, pd.DataFrame) or not len(frame.columns):
        raise DataError("this is no table", mend="give the rows that harmonise gives, as a pandas table")
