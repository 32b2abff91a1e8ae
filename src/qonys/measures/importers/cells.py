"""Cells of a publisher's file as typed columns, and the sentence for one that cannot be used.

A file may come as text (CSV) or typed (Parquet): both give the same.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import ibis
from ibis import _

from qonys.core import areas
from qonys.measures.importers.base import need_columns

if TYPE_CHECKING:
    from collections.abc import Sequence


BESIDE = -1  # what stands for a cell beside its scale


@cache
def mapping(publisher: str) -> dict[str, Any]:
    """How the publisher's codes become ours, as shipped in `data/importers/`."""
    text = files("qonys").joinpath("data", "importers", f"{publisher}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def countries() -> tuple[str, ...]:
    """Codes that may stand for a country in a publisher's file."""
    return tuple(one.code for one in areas.areas(scheme="iso3166-1"))


def column(raw: ibis.Table, *names: str) -> str | None:
    """The column of the file that bears one of these names, capitals aside; None if there is none."""
    own = {name.casefold(): name for name in raw.columns}
    return next((own[name.casefold()] for name in names if name.casefold() in own), None)


def needed(raw: ibis.Table, *names: str, file: str, publisher: str) -> str:
    """The same, for a column without which nothing can be read. Errors: DataError naming it as the publisher does (the first name)."""
    found = column(raw, *names)
    if found is None:
        need_columns(raw, names[:1], file=file, publisher=publisher)
    return found or names[0]


def text(value: ibis.Value) -> ibis.Value:
    """Trimmed text; an empty cell is missing."""
    return value.cast("string").strip().nullif("")


def ordinal(value: ibis.Value, top: int) -> ibis.Value:
    """The whole number from 0 to `top` that the cell holds, also written 2.00: missing if empty, -1 for anything else."""
    if value.type().is_integer():
        return ibis.cases((value.isnull(), ibis.null("int64")), (value.between(0, top), value.cast("int64")), else_=BESIDE)
    if value.type().is_floating():
        empty, figure = value.isnull() | value.isnan(), value.cast("float64")
    else:
        empty, figure = text(value).isnull(), text(value).try_cast("float64")
    step = figure.isin([float(one) for one in range(top + 1)]).fill_null(False)
    return ibis.cases((empty, ibis.null("int64")), (step, figure.try_cast("int64")), else_=BESIDE)


def day(value: ibis.Value) -> ibis.Value:
    """The day, written 20200316 or 2020-03-16 (or typed); missing where the cell holds no day of the calendar."""
    if value.type().is_date():
        return value
    if value.type().is_timestamp():
        return value.cast("date")
    written = text(value)
    dashed = ibis.ifelse(written.length() == 8, written.substr(0, 4).concat("-", written.substr(4, 2), "-", written.substr(6, 2)), written)
    return ibis.ifelse(dashed.re_search(r"^[12]\d{3}-\d\d-\d\d$"), dashed, ibis.null("string")).try_cast("date")


def fault(row: ibis.Value, found: ibis.Value, what: str, mend: str, *, file: str, name: ibis.Value | str) -> ibis.Value:
    """The sentence for a cell that cannot be used: file, row and column, what it holds, what is wrong with it, the mend."""
    held = ibis.ifelse(text(found).isnull(), ibis.literal("is empty"), ibis.literal("'").concat(text(found), f"' {what}"))
    return ibis.literal(f"{file}, row ").concat(row.cast("string"), ", column ", name, ": ", held, f"; {mend}")


def with_repeats(rows: ibis.Table, keys: Sequence[str], among: ibis.Value) -> ibis.Table:
    """The rows and `again`: whether several of them have the same keys. Only rows `among` which this is asked are counted and marked."""
    several = rows.filter(among).group_by(*keys).agg(times=_.count()).filter(_.times > 1)
    marks = several.select(**{f"_{key}": several[key] for key in keys}, _times=several.times)
    joined = rows.mutate(_asked=among).left_join(marks, [rows[key] == marks[f"_{key}"] for key in keys])
    return joined.mutate(again=joined._asked & joined._times.notnull()).drop(*(f"_{key}" for key in keys), "_times", "_asked")
