"""The register is never edited in place: what a register says of its own versions, and whether it kept what it said before."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.contracts import MEASURE
from qonys.measures.agreement import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT = tuple(column.name for column in MEASURE.columns if column.name not in ("id", "version"))


def unchanged(now: pd.DataFrame, before: pd.DataFrame) -> tuple[str, ...]:
    """One sentence for every version of an entry that was in the register `before` and is gone from it, or was edited in place, `now`.

    now, before: the contract as read by `read_register`, all issuers together, or as typed. New entries and new versions are no faults; nor
    is a line that moved, or the order of the codes in a list.
    """
    return tuple(_broken(_by_version(now), _by_version(before)))


def _broken(now: dict[tuple[str, int], dict[str, Any]], before: dict[tuple[str, int], dict[str, Any]]) -> Iterator[str]:
    newest: dict[str, int] = {}
    for name, version in now:
        newest[name] = max(version, newest.get(name, 0))
    for (name, version), old in before.items():
        if (name, version) not in now:
            yield f"{_named(old, version)} was in the register and is gone; put it back: what is no longer in force gets an end"
            continue
        new = now[name, version]
        pairs = [(column, as_text(old.get(column), column), as_text(new.get(column), column)) for column in _KEPT]
        edits = [f"{column} {was or 'empty'!r} became {text or 'empty'!r}" for column, was, text in pairs if was != text]
        if edits:
            mend = f"put the old words back and write version {newest[name] + 1} below"
            yield f"{_named(new, version)} was edited in place: {', '.join(edits)}; {mend}"


def consistent(measures: pd.DataFrame) -> tuple[str, ...]:
    """One sentence for every fault in how entries and their versions hang together.

    measures: the contract as read by `read_register`, all issuers together, or as typed. A fault is: an id under two issuers; a version
    that is missing or given twice; a version coded before the one it replaces; `supersedes` or `transposed_by` that name no entry or
    the entry itself; entries that supersede each other in a ring. What an entry names is taken from its latest version.
    """
    entries: dict[str, list[dict[str, Any]]] = {}
    for row in measures.to_dict("records"):
        entries.setdefault(str(row["id"]), []).append(row)
    for name, rows in entries.items():
        entries[name] = sorted(rows, key=_version)
    latest = {name: rows[-1] for name, rows in entries.items()}
    return tuple(
        sentence
        for name, rows in sorted(entries.items())
        for sentence in (*_two_issuers(rows), *_numbering(rows), *_days(rows), *_names_nobody(name, latest))
    ) + tuple(_rings(latest))


def _two_issuers(rows: list[dict[str, Any]]) -> Iterator[str]:
    first = rows[0]
    for row in rows[1:]:
        if row["issuer"] != first["issuer"]:
            yield f"{_named(row)} has the id of a measure of {first['issuer']} ({_place(first)}); give one of them another id"


def _numbering(rows: list[dict[str, Any]]) -> Iterator[str]:
    numbers = [_version(row) for row in rows]
    for row, before in zip(rows[1:], numbers, strict=False):
        if _version(row) == before and row["issuer"] == rows[0]["issuer"]:
            yield f"{_named(row)} is given twice; number the later one {numbers[-1] + 1}"
    if missing := sorted(set(range(1, numbers[-1] + 1)) - set(numbers)):
        gap = ", ".join(str(number) for number in missing)
        yield f"{_named(rows[-1])} has no version {gap} before it; versions count 1, 2, 3, and none is taken out"


def _days(rows: list[dict[str, Any]]) -> Iterator[str]:
    newest = None
    for row in rows:
        day = as_text(row.get("coded_on"), "coded_on")
        if newest and day and day < newest:
            yield f"{_named(row)} was coded on {day}, before the version it replaces ({newest}); correct its coded_on or its number"
        newest = max(filter(None, (newest, day)), default=None)


def _names_nobody(name: str, latest: dict[str, dict[str, Any]]) -> Iterator[str]:
    for column in ("supersedes", "transposed_by"):
        for other in _named_in(latest[name], column):
            if other == name:
                yield f"{_named(latest[name])} names itself in {column}; take it out"
            elif other not in latest:
                yield f"{_named(latest[name])} names {other} in {column}, and there is no such entry; correct the id or add the entry"


def _rings(latest: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Each ring is told once; one of its links is then cut to look for the next."""
    formers = {name: {one for one in _named_in(row, "supersedes") if one != name and one in latest} for name, row in sorted(latest.items())}
    while True:
        try:
            TopologicalSorter(formers).prepare()
        except CycleError as found:
            ring = list(found.args[1])[:-1]
            start = ring.index(min(ring))
            # the sorter tells a ring from the former to the heir; told from its least id on, it is the same ring in any order of the files
            ring = ring[start:] + ring[:start]
            chain = ", which supersedes ".join([ring[0], *reversed(ring)])
            yield f"{_named(latest[ring[0]])} supersedes itself in a ring: {chain}; take out the link that is wrong"
            formers[ring[0]].discard(ring[-1])
            continue
        return


def _by_version(measures: pd.DataFrame) -> dict[tuple[str, int], dict[str, Any]]:
    return {(str(row["id"]), _version(row)): row for row in measures.to_dict("records")}


def _version(row: dict[str, Any]) -> int:
    text = as_text(row.get("version"), "version")
    return int(float(text)) if text else 1


def _named_in(row: dict[str, Any], column: str) -> list[str]:
    return (as_text(row.get(column), column) or "").split()


def _place(row: dict[str, Any]) -> str:
    place = row.get("row")
    return str(place) if isinstance(place, str) else f"{row['issuer']}.toml, line {place}"


def _named(row: dict[str, Any], version: int | None = None) -> str:
    return f"{_place(row)}, measure {row['id']} version {version or _version(row)}"
