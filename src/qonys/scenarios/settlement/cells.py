"""Columns of tables of households and regions, checked cell by cell: the first wrong one is named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from qonys.core.errors import DataError, nearest

MOST = 2_000_000_000


def required(table: pd.DataFrame, columns: Iterable[str], name: str) -> None:
    """Errors: DataError if the table has no rows, lacks one of the columns or has a column twice."""
    if table.columns.has_duplicates:
        raise DataError(f"{name} has the column {table.columns[table.columns.duplicated()][0]!r} twice", mend="keep one of them")
    for column in columns:
        if column not in table:
            raise DataError(f"{name} lacks the column {column!r}", mend=nearest(column, map(str, table.columns)))
    if table.empty:
        raise DataError(f"{name} has no rows", mend="give at least one")


def names(table: pd.DataFrame, column: str, name: str) -> pd.Series:
    """A column of names as text. Errors: DataError for an empty cell or a name that stands twice."""
    found = table[column].astype(str).str.strip()
    empty = (table[column].isna() | (found == "")).to_numpy()
    if empty.any():
        raise DataError(f"{name}, row {int(np.flatnonzero(empty)[0]) + 1}: {column} is empty", mend="give each row its name")
    if found.duplicated().any():
        raise DataError(f"{name}: {column} {found[found.duplicated()].iloc[0]!r} stands twice", mend="keep one row for each")
    return found


def numbers(
    table: pd.DataFrame, column: str, name: str, key: str, *, whole: bool = False, least: float = 0, most: float = MOST, share: bool = False
) -> np.ndarray:
    """A column of numbers from `least` to `most`; `key`: the column that names a row. Errors: DataError naming the first that is wrong."""
    given = table[column]
    truth = given.map(lambda one: isinstance(one, bool | np.bool_)).to_numpy(bool)
    found = pd.to_numeric(given, errors="coerce").to_numpy(float)
    percent = " (a percentage? shares go from 0 to 1)" if share else ""
    for bad, how, mend in (
        (given.isna().to_numpy(), "is empty", "fill it, or leave the whole column out"),
        (truth | ~np.isfinite(found), "is no number", "write a number without units"),
        ((found < least) | (found > most), f"is not from {least:g} to {most:g}{percent}", "correct it"),
        ((found != np.floor(found)) & whole, "is no whole number", "write a count, such as 4"),
    ):
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise DataError(
                f"{name}, {table[key].iloc[row]!r}: {column} {str(given.iloc[row])[:40]!r} {how}", mend=_divided(found[row], share) or mend
            )
    return np.asarray(found)


def _divided(found: float, share: bool) -> str:
    return f"if you mean {found:g} %, write {found / 100:g}" if share and 1 < found <= 100 else ""


def listed(cell: Any) -> list[str]:
    """The names in a cell, `;` between them; none if it is empty."""
    if cell is None or (isinstance(cell, float) and np.isnan(cell)) or cell is pd.NA or cell is pd.NaT:
        return []
    return [one.strip() for one in str(cell).split(";") if one.strip()]


def days(table: pd.DataFrame, column: str, name: str, key: str) -> pd.Series:
    """A column of days. Errors: DataError for a cell that is empty or no day."""
    given = table[column]
    # numbers would be read as nanoseconds since 1970
    odd = given.map(lambda one: isinstance(one, int | float | np.number)).to_numpy(bool)
    found = pd.to_datetime(given.where(~odd), errors="coerce", format="ISO8601" if given.dtype == object else None)
    if found.isna().any():
        row = int(np.flatnonzero(found.isna())[0])
        raise DataError(
            f"{name}, {table[key].iloc[row]!r}: {column} {str(given.iloc[row])[:40]!r} is no day", mend="write it as 2022-03-31"
        )
    return found.dt.normalize()
