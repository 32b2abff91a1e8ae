"""The register of measures: TOML files, one an issuer, read into the contract `measure`. The files are data; this only checks them."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from qonys.core.contracts import MEASURE
from qonys.core.errors import DataError, RegisterError, nearest
from qonys.core.periods import earliest
from qonys.measures.codebook import codebook

if TYPE_CHECKING:
    from collections.abc import Iterable

_CODED = {"targets": "target", "field": "field", "instrument": "instrument", "level": "level"}
_LISTS = tuple(column.name for column in MEASURE.columns if column.kind in ("codes", "areas"))


def read_register(text: str, *, file: str) -> pd.DataFrame:
    """Entries of one register file as rows of text for the check against the contract, `row` being the entry's line.

    Errors: RegisterError naming file and line for text that is not TOML, an unknown key, or a code outside the codebook.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"{file} is not valid TOML: {error}", mend="correct that line") from None
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if re.match(r"\s*\[\[measure\]\]", line)]
    entries = content.get("measure", [])
    if not isinstance(entries, list) or len(lines) != len(entries) or not all(isinstance(entry, dict) for entry in entries):
        raise RegisterError(f"{file} holds measures that are no tables of their own", mend="begin each entry with a line [[measure]]")
    rows = []
    for entry, line in zip(entries, lines, strict=True):
        _check_words(entry, f"{file}, line {line}, measure {entry.get('id', '(no id)')}")
        rows.append({"row": line, "issuer": content.get("issuer"), **{key: _as_text(value) for key, value in entry.items()}})
    columns = ["row", *MEASURE.names]
    return pd.DataFrame(rows, columns=columns).astype({"row": "int64"} | dict.fromkeys(MEASURE.names, "string"))


def _check_words(entry: dict[str, Any], where: str) -> None:
    for key in entry:
        if key not in MEASURE.names:
            raise RegisterError(f"{where} has the key {key!r}", mend=nearest(key, MEASURE.names))
    for column, part in _CODED.items():
        values = entry.get(column, [])
        for value in values if isinstance(values, list) else [values]:
            if not isinstance(value, str) or value not in codebook()[part]:
                raise RegisterError(f"{where}: {value!r} is not a code of {column}", mend=nearest(str(value), codebook()[part]))
    for column in ("announced", "start", "end"):
        if entry.get(column):
            try:
                earliest(str(entry[column]))
            except DataError as error:
                raise RegisterError(f"{where}: {column} {error.what}", mend=error.mend) from None


def _as_text(value: object) -> str | None:
    if isinstance(value, list):
        return " ".join(str(part) for part in value)
    if isinstance(value, bool):
        return json.dumps(value)
    return str(value)


def with_bounds(measures: ibis.Table) -> ibis.Table:
    """Add the days between which each measure began and ended, as far as is known: columns `start_earliest`, `start_latest`,
    `end_earliest`, `end_latest` (dates). An end that is not known is null; so is a start that is not known.
    """
    return measures.mutate(
        **{f"{name}_earliest": _first_day(measures[name]) for name in ("start", "end")},
        **{f"{name}_latest": _last_day(measures[name]) for name in ("start", "end")},
    )


def _first_day(partial: ibis.Value) -> ibis.Value:
    return partial.concat(ibis.cases((partial.length() == 4, "-01-01"), (partial.length() == 7, "-01"), else_="")).cast("date")


def _last_day(partial: ibis.Value) -> ibis.Value:
    first = _first_day(partial)
    year, month = first + ibis.interval(years=1), first + ibis.interval(months=1)
    day = ibis.interval(days=1)
    return ibis.cases((partial.length() == 4, (year - day).cast("date")), (partial.length() == 7, (month - day).cast("date")), else_=first)


def chronological(measures: pd.DataFrame, ids: Iterable[str] | None = None) -> pd.DataFrame:
    """Entries in the order of their start, those without a start last; optionally only those named."""
    chosen = measures if ids is None else measures[measures["id"].isin(set(ids))]
    return chosen.sort_values(["start", "id"], na_position="last", kind="stable")
