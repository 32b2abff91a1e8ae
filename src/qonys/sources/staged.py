"""A publisher's table between its file and a contract: own names and codes, but typed, one cell a row, in batches.

dimensions ...  period  period_as_published  value  flag  unit  note  attributes ...
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from qonys.core.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

CELL = ("period", "period_as_published", "value", "flag", "unit", "note")
FAULTS = ("place", "column", "found", "why")


@dataclass(slots=True)
class Faults:
    """What could not be read, found while batches are read: all are counted, the first `most` are kept.

    rows: (place, column, found, why); `place` is a line, a row, a cell or a series of the file.
    """

    file: str
    most: int = 10_000
    count: int = 0
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)

    def add(self, place: str, column: str, found: object, why: str) -> None:
        """One fault; what was found is cut at 200 characters."""
        self.count += 1
        if len(self.rows) < self.most:
            self.rows.append((place, column, str(found)[:200], why))

    def table(self) -> pd.DataFrame:
        """The faults kept -> place, column, found, why (text)."""
        return pd.DataFrame(self.rows, columns=list(FAULTS), dtype="string")


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A staged table that is read once, batch by batch.

    batches: the dimensions (text, codes as published), period (ISO where it can be: 2020, 2020-03, 2020-Q1, 2020-W12), period_as_published
    (only where it differs), value (float64; null: a gap), flag (the publisher's letters; of a gap without letters the mark printed for
    it), unit, note, and the publisher's attributes (text). Several rows have the same dimensions and period only if the publisher repeats
    them. faults: what could not be read, complete once the batches are read; such a cell gives no row. vintage: when the publisher
    released it, if the reply says so. notes: of the table as a whole.
    """

    batches: pa.RecordBatchReader
    dimensions: tuple[str, ...]
    faults: Faults
    vintage: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in order."""
        return tuple(self.batches.schema.names)

    def frame(self) -> pd.DataFrame:
        """All rows in memory, for small tables and tests."""
        return self.batches.read_all().to_pandas()


def own_names(published: Sequence[str]) -> tuple[str, ...]:
    """Names of columns for a publisher's names: small letters, words joined by `_`; those that would hide ours get `_code` at their end.

    `unit` stays itself: it is ours. Names of the store's own (`copy`, `what`, `old_...`) get it too.
    Errors: SourceError for two names that become one.

    >>> own_names(["REF_AREA", "Location code of origin", "VALUE", "unit"])
    ('ref_area', 'location_code_of_origin', 'value_code', 'unit')
    """
    names: list[str] = []
    for one in published:
        words = "".join(letter if letter.isalnum() else " " for letter in one.casefold()).split()
        name = "_".join(words) or "column"
        ours = (name in CELL and name != "unit") or name in ("copy", "what") or name.startswith("old_")
        name = f"{name}_code" if ours else name
        if name in names:
            raise SourceError(f"two columns are called {name!r}", mend="give one of them another name")
        names.append(name)
    return tuple(names)


def schema(dimensions: Sequence[str], attributes: Sequence[str] = ()) -> pa.Schema:
    """The columns of a staged table."""
    names = [*dimensions, *(name for name in CELL if name not in dimensions), *attributes]
    return pa.schema([(name, pa.float64() if name == "value" else pa.string()) for name in names])


def batch(columns: Mapping[str, pa.Array | str | None], of: pa.Schema, rows: int) -> pa.RecordBatch:
    """A batch of that schema: a column given as one text is that text in all rows, a column not given is empty."""

    def filled(name: str) -> pa.Array:
        given = columns.get(name)
        if isinstance(given, str):
            return pa.repeat(pa.scalar(given, pa.string()), rows)
        return pa.nulls(rows, of.field(name).type) if given is None else given

    return pa.RecordBatch.from_arrays([filled(name) for name in of.names], schema=of)


def staged(
    batches: Iterable[pa.RecordBatch],
    *,
    of: pa.Schema,
    dimensions: Sequence[str],
    faults: Faults,
    vintage: str | None = None,
    notes: Sequence[str] = (),
) -> Staged:
    """A staged table of batches that are made as they are read; what Arrow cannot read becomes a sentence.

    Errors: SourceError while reading, naming the file.
    """
    reader = pa.RecordBatchReader.from_batches(of, _said(batches, faults.file))
    return Staged(batches=reader, dimensions=tuple(dimensions), faults=faults, vintage=vintage, notes=tuple(notes))


def _said(batches: Iterable[pa.RecordBatch], file: str) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except (pa.ArrowInvalid, OSError, EOFError, UnicodeDecodeError) as wrong:
        raise unreadable(file, wrong) from None


def unreadable(file: str, wrong: Exception) -> SourceError:
    """The sentence for bytes that break off or are no text of the encoding they should have."""
    said = str(wrong).splitlines()[0][:200] if str(wrong) else type(wrong).__name__
    low = said.casefold()
    if any(word in low for word in ("truncated", "inflate", "end of stream", "end-of-stream", "crc", "premature", "zlib", "zstd", "gzip")):
        return SourceError(f"{file} breaks off or is damaged ({said})", mend="pull it again")
    if "utf" in low or "codec" in low or "decode" in low:
        return SourceError(
            f"{file} is not text in the encoding it should have ({said})", mend="say its encoding in the mapping, or save it as UTF-8"
        )
    return SourceError(f"{file} cannot be read ({said})", mend="look at the kept bytes; the publisher may have changed the format")
