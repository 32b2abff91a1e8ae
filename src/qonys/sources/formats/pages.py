"""JSON in pages: an interface that cuts its answer gives one object a page; a kept file holds them one after another."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from qonys.core.errors import SourceError
from qonys.sources.formats.long import Roles, long_batch
from qonys.sources.formats.opening import JSON, decoded, name_of, whole
from qonys.sources.staged import Faults, Staged, staged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from qonys.sources.formats.opening import Source
    from qonys.sources.request import Request

ROWS = 50_000


def documents(source: Source) -> list[Any]:
    """The JSON documents of a file, one after another. Errors: SourceError for text that is no JSON or breaks off."""
    text = decoded(whole(source, largest=JSON)).lstrip("\ufeff")
    reader, at, found = json.JSONDecoder(), 0, []
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            one, at = reader.raw_decode(text, at)
        except (ValueError, RecursionError) as wrong:
            raise SourceError(
                f"{name_of(source)} is no whole JSON: {str(wrong)[:120]}", mend="pull it again; the kept bytes show what came"
            ) from None
        found.append(one)
    return found


def whole_number(value: object) -> int | None:
    """A number of pages or rows, which some interfaces write as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.isdigit() else None


def objects(rows: list[Any], file: str) -> list[dict[str, Any]]:
    """Rows that are objects, as those of an interface are. Errors: SourceError for another."""
    wrong = next((row for row in rows if not isinstance(row, dict)), None)
    if wrong is not None:
        raise SourceError(
            f"{file} has the row {str(wrong)[:80]!r}, not one of names and values", mend="pull it again; the reply changed its shape"
        )
    return rows


def complete(pages: Sequence[int], of: int | None, file: str) -> None:
    """Refuses a file in which pages are missing or repeated. Errors: SourceError naming them."""
    if of is None:
        raise SourceError(f"{file} does not say how many pages there are", mend="pull it again; the reply changed its shape")
    there = set(pages)
    missing = next((page for page in range(1, max(of, 1) + 1) if page not in there), None)
    if missing is not None:
        raise SourceError(f"{file} holds {len(there)} of {of} pages: page {missing} is missing", mend="pull it again, all its pages")
    if len(pages) != len(there):
        raise SourceError(f"{file} holds a page twice", mend="pull it again")


def next_page(asked: Request, page: int) -> Request:
    """The same request for another page."""
    return replace(asked, params=tuple((name, str(page) if name == "page" else value) for name, value in asked.params))


def stage_rows(
    rows: Iterable[Mapping[str, str]], roles: Roles, *, file: str, vintage: str | None = None, notes: Sequence[str] = ()
) -> Staged:
    """Rows of text (a missing key is an empty cell) as a staged table, in batches."""
    of, faults = roles.schema, Faults(file)
    named = [*roles.dimensions.values(), *roles.attributes.values(), roles.value, roles.period, roles.flag, roles.unit, roles.note]
    columns = list(dict.fromkeys(name for name in named if name is not None))

    def made() -> Iterator[pa.RecordBatch]:
        start, left = 0, iter(rows)
        while some := list(islice(left, ROWS)):
            block = {name: pa.array([row.get(name) for row in some], pa.string()) for name in columns}
            out = long_batch(block, len(some), roles, of, faults, lambda row, start=start: f"cell {start + row + 1}")  # type: ignore[misc]
            start += len(some)
            if out.num_rows:
                yield out

    return staged(made(), of=of, dimensions=tuple(roles.dimensions), faults=faults, vintage=vintage, notes=notes)
