"""The register of measures: TOML files, one an issuer, read into the contract `measure`. The files are data; this only checks them."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.contracts import MEASURE
from qonys.core.errors import DataError, RegisterError, nearest
from qonys.core.periods import earliest
from qonys.measures.codebook import codebook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CODED = {
    "targets": "target", "field": "field", "instrument": "instrument", "level": "level", "exceptions": "exception", "modes": "mode",
}  # fmt: skip
_LISTS = tuple(column.name for column in MEASURE.columns if column.kind in ("codes", "areas"))
_DATES = ("announced", "start", "end")


def examine_register(text: str, *, file: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Entries of one register file as rows of text for the check against the contract, and what is wrong with their words.

    -> the contract's columns as text and `row`, the line on which the entry begins; one sentence a fault, with file and line.
    Errors: RegisterError for text that is not TOML, or whose measures are no tables of their own.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterError(f"{file} is not valid TOML: {error}", mend="correct that line") from None
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if re.match(r"\s*\[\[measure\]\]", line)]
    entries = content.get("measure", [])
    if not isinstance(entries, list) or len(lines) != len(entries) or not all(isinstance(entry, dict) for entry in entries):
        raise RegisterError(f"{file} holds measures that are no tables of their own", mend="begin each entry with a line [[measure]]")
    rows, faults = [], []
    for entry, line in zip(entries, lines, strict=True):
        where = f"{file}, line {line}, measure {entry.get('id', '(no id)')}"
        faults += [f"{where} {what}; {mend}" for what, mend in _faults(entry)]
        rows.append({"row": line, "issuer": content.get("issuer"), **{key: _as_text(value) for key, value in entry.items()}})
    columns = ["row", *MEASURE.names]
    frame = pd.DataFrame(rows, columns=columns).astype({"row": "int64"} | dict.fromkeys(MEASURE.names, "string"))
    return frame, tuple(faults)


def read_register(text: str, *, file: str) -> pd.DataFrame:
    """The same rows. Errors: RegisterError naming the first fault and its line: an unknown key, a code that is none, a wrong date."""
    frame, faults = examine_register(text, file=file)
    if faults:
        more = f" ({len(faults) - 1} more: qonys measures check {file})" if len(faults) > 1 else ""
        what, _, mend = faults[0].rpartition("; ")
        raise RegisterError(what, mend=mend + more)
    return frame


def write_register(measures: pd.DataFrame, issuer: str) -> str:
    """The entries of one issuer as the text of a register file, in the order of the contract; `read_register` gives them back."""
    lines = [f"issuer = {json.dumps(issuer)}"]
    for entry in measures[measures["issuer"] == issuer].to_dict("records"):
        lines += ["", "[[measure]]"]
        for column in MEASURE.columns:
            if column.name != "issuer" and (written := _as_toml(entry.get(column.name), column.kind)) is not None:
                lines.append(f"{column.name} = {written}")
    return "\n".join(lines) + "\n"


def _as_toml(value: Any, kind: str) -> str | None:
    if kind in ("codes", "areas"):
        parts = value.split() if isinstance(value, str) else list(value) if value is not None and hasattr(value, "__iter__") else []
        return json.dumps(parts) if parts else None
    if value is None or value is pd.NA or value is pd.NaT or value != value or value == "":
        return None
    if kind == "boolean":
        return str(value in (True, "true")).lower()
    if kind in ("integer", "number"):
        return f"{float(value):g}"
    return json.dumps(str(value)[:10] if kind == "date" else str(value), ensure_ascii=False)


def _faults(entry: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with the words of one entry, and the mend."""
    for key, value in entry.items():
        if key not in MEASURE.names:
            yield f"has the key {key!r}", nearest(key, MEASURE.names)
        elif isinstance(value, list) != (key in _LISTS):
            shape = 'a list, as in ["…"]' if key in _LISTS else "one value, no list"
            yield f"has {key} = {value!r}", f"write {shape}"
    for column, part in _CODED.items():
        values = entry.get(column, [])
        for value in values if isinstance(values, list) else [values]:
            if not isinstance(value, str) or value not in codebook()[part]:
                yield f"has {value!r}, which is not a code of {column}", nearest(str(value), codebook()[part])
    for column in _DATES:
        if entry.get(column):
            try:
                earliest(str(entry[column]))
            except DataError as error:
                yield f"has a wrong {column}: {error.what}", error.mend
    if entry.get("version", 1) != 1:
        for key, what in (("change", "why"), ("coded_on", "on which day")):
            if not entry.get(key):
                yield f"is version {entry['version']} without {key!r}", f"say there {what} it was coded anew"


def _as_text(value: object) -> str | None:
    if isinstance(value, list):
        return " ".join(str(part) for part in value)
    if isinstance(value, bool):
        return json.dumps(value)
    return str(value)


def chronological(measures: pd.DataFrame, ids: Iterable[str] | None = None) -> pd.DataFrame:
    """Entries in the order of their start, those without a start last; optionally only those named."""
    chosen = measures if ids is None else measures[measures["id"].isin(set(ids))]
    return chosen.sort_values(["start", "id"], na_position="last", kind="stable")
