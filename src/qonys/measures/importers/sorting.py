"""A publisher's file of some thousand rows, sorted row by row: into memory as text, and back into lazy tables as measures and fates.

`rows_of` is the one step that collects. An importer looks at each row, and tells a `Sorting` what became of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
from ibis import _

from qonys.core.contracts import MEASURE as CONTRACT
from qonys.core.errors import DataError
from qonys.measures.importers.base import MEASURE, NO_MEASURE, QUARANTINED, Imported, need_columns
from qonys.measures.importers.cells import text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

Row = dict[str, Any]  # a cell is text or None; `row` is a number
_ARROW = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}  # all else as text, lists with a space between
MEASURES = pa.schema([*((one.name, _ARROW.get(one.kind, pa.string())) for one in CONTRACT.columns), ("rows", pa.int64())])
FATES = pa.schema([("row", pa.int64()), ("fate", pa.string()), ("why", pa.string())])


def rows_of(
    raw: ibis.Table,
    *,
    file: str,
    publisher: str,
    need: Iterable[str],
    other: Iterable[str] = (),
    same: Mapping[str, str] | None = None,
    missing: Collection[str] = ("NA",),
) -> list[Row]:
    """The rows of a file as text, in their order: the columns `need` and `other`, and `row`.

    Names of columns are compared without case and with "_" for all that is no letter or digit; `same` says which other names a column goes
    by. Text is trimmed; empty text and the words `missing` are None, as is every cell of a column in `other` that the file lacks.
    Errors: DataError for a file without a needed column, or without rows.
    """
    own = {re.sub(r"\W+", "_", name.casefold()).strip("_"): name for name in raw.columns}
    own |= {name: own[alias] for alias, name in (same or {}).items() if alias in own and name not in own}
    named = raw.select(row=_.row, **{name: raw[source] for name, source in own.items() if name != "row"})
    need_columns(named, need, file=file, publisher=publisher)
    wanted = {name: text(named[name]) if name in named.columns else ibis.null("string") for name in dict.fromkeys([*need, *other])}
    none = [*missing] or [""]
    cells = {name: ibis.ifelse(cell.isin(none), ibis.null("string"), cell) for name, cell in wanted.items()}
    rows: list[Row] = named.select("row", **cells).order_by("row").to_pyarrow().to_pylist()
    if not rows:
        raise DataError(f"{file} has no rows", mend="check that the file is whole")
    return rows


@cache
def day(cell: str | None) -> str | None:
    """A cell as a day, "2020-03-16", also where the file has an instant; None if it is no day of the calendar."""
    if cell is None or not re.match(r"\d{4}-\d{2}-\d{2}($|[T ])", cell):
        return None
    try:
        return date.fromisoformat(cell[:10]).isoformat()
    except ValueError:
        return None


@dataclass(slots=True)
class Sorting:
    """What became of each row so far. An importer must say it once for every row."""

    file: str
    measures: dict[str, dict[str, Any]] = field(default_factory=dict)
    fates: list[tuple[int, str, str | None]] = field(default_factory=list)

    def measure(self, row: Row, *entries: dict[str, Any]) -> None:
        """The row became these entries of the contract `measure`, one as a rule; one with the id of an earlier row is quarantined."""
        for entry in entries:
            if entry["id"] in self.measures:
                first = self.measures[entry["id"]]["row"]
                return self.quarantine(row, f"has the id of row {first}, {entry['id']}", "keep one of the two")
        self.measures |= {entry["id"]: {"row": row["row"], "rows": 1, **entry} for entry in entries}
        return self.fates.append((row["row"], MEASURE, None))

    def part(self, row: Row, *ids: str) -> None:
        """The row is part of measures that earlier rows became."""
        for one in ids:
            self.measures[one]["rows"] += 1
        self.fates.append((row["row"], MEASURE, None))

    def no_measure(self, row: Row, why: str) -> None:
        """The row says that nothing was in force."""
        self.fates.append((row["row"], NO_MEASURE, f"{self.file}, row {row['row']}: {why}"))

    def quarantine(self, row: Row, what: str, mend: str) -> None:
        """The row could not be used; `what` and `mend` make the sentence."""
        self.fates.append((row["row"], QUARANTINED, f"{self.file}, row {row['row']}: {what}; {mend}"))

    def imported(self) -> Imported:
        """The measures in the order of the file, and the fates by row."""
        fates = sorted(self.fates, key=lambda fate: fate[0])
        entries = {name: [_as_text(entry.get(name)) for entry in self.measures.values()] for name in MEASURES.names}
        told = {name: [fate[place] for fate in fates] for place, name in enumerate(FATES.names)}
        return Imported(ibis.memtable(pa.table(entries, schema=MEASURES)), ibis.memtable(pa.table(told, schema=FATES)))


def _as_text(value: Any) -> Any:
    """A list as words; nothing listed is nothing said."""
    return (" ".join(value) or None) if isinstance(value, (tuple, list)) else value
