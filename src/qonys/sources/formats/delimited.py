"""Delimited text (CSV and its kin): separator, encoding and sign of the fraction are found in its first lines; read in blocks.

RFC 4180: quotes are doubled within quotes, and a quoted cell may hold line ends.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv

from qonys.core.errors import SourceError
from qonys.sources.formats.long import Roles, long_batch
from qonys.sources.formats.opening import HEAD, beginning, decoded, encoding_of, name_of, opened
from qonys.sources.staged import Faults, Staged, staged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qonys.sources.formats.opening import Source

BLOCK = 8 << 20
SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the first lines of a delimited file show: names of columns, rows of text below, separator, encoding, sign of the fraction.

    skip: lines above the header.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    separator: str
    encoding: str
    decimal: str
    skip: int = 0

    def column(self, name: str) -> list[str]:
        """The first cells of a column."""
        place = self.names.index(name)
        return [row[place] for row in self.rows if len(row) > place]


def look(source: Source, *, separator: str | None = None, encoding: str | None = None, skip: int = 0) -> Look:
    """The first 64 KiB of a file, understood. Errors: SourceError for an empty file, a web page, or one column only."""
    file = name_of(source)
    head = beginning(source)
    encoding = encoding or encoding_of(head)
    try:
        text = head.decode(encoding, errors="ignore" if len(head) >= HEAD else "strict")
    except (UnicodeDecodeError, LookupError):
        raise SourceError(f"{file} is not text in {encoding}", mend="say its encoding, such as utf-8 or cp1251") from None
    lines = text.splitlines(keepends=True)
    lines = lines[skip : -1 if len(head) >= HEAD and len(lines) > skip + 1 else None]
    if not lines:
        raise SourceError(f"{file} has no line after the first {skip}", mend="correct the number of lines to skip")
    separator = separator or max(SEPARATORS, key=lambda one: (_columns(lines, one), -SEPARATORS.index(one)))
    rows = [tuple(row) for row in csv.reader(io.StringIO("".join(lines), newline=""), delimiter=separator) if row]
    names = tuple(name.strip().lstrip("\ufeff") for name in rows[0])
    if len(names) < 2:
        raise SourceError(
            f"{file} has one column only: {names[0][:80]!r}", mend="say its separator, or how many lines stand above the header"
        )
    return Look(names=names, rows=tuple(rows[1:]), separator=separator, encoding=encoding, decimal=_decimal(rows[1:], separator), skip=skip)


def blocks(
    source: Source, seen: Look, faults: Faults, *, names: Sequence[str] | None = None
) -> Iterator[tuple[pa.RecordBatch, Callable[[int], str]]]:
    """The rows as blocks of text columns, each with what names the place of a row. Lines that do not fit the header are faults.

    names: of the columns, if not the file's own, which must be unlike each other.
    """

    def malformed(row: pa.csv.InvalidRow) -> str:
        if row.text.strip():
            faults.add(
                f"row {row.number}" if row.number else "a row",
                "",
                row.text,
                f"has {row.actual_columns} cells, not {row.expected_columns}",
            )
        skipped.append(row.number or 0)
        return "skip"

    skipped: list[int] = []
    own = list(names or seen.names)
    if not seen.rows and len(beginning(source)) < HEAD:
        return  # a header and nothing below it, which Arrow takes for a fault
    reader = pa.csv.open_csv(
        opened(source),
        read_options=pa.csv.ReadOptions(
            column_names=own, skip_rows=seen.skip + 1, block_size=BLOCK, use_threads=False, encoding=strict(seen.encoding)
        ),
        parse_options=pa.csv.ParseOptions(
            delimiter=seen.separator, double_quote=True, newlines_in_values=True, invalid_row_handler=malformed, ignore_empty_lines=True
        ),
        convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(own, pa.string()), strings_can_be_null=False),
    )
    before = seen.skip + 1
    for block in reader:
        yield block, Rows(before, skipped)
        before += block.num_rows


@dataclass(frozen=True, slots=True)
class Rows:
    """The place of each row of a block: rows counted as a spreadsheet does, the header first."""

    before: int
    skipped: list[int]

    def __call__(self, row: int) -> str:
        """The place of one row."""
        line = self.before + row + 1
        for one in self.skipped:
            line += one <= line
        return f"row {line}"


def stage_delimited(
    source: Source, seen: Look, roles: Roles, *, vintage: str | None = None, notes: Sequence[str] = (), names: Sequence[str] | None = None
) -> Staged:
    """A long delimited file as a staged table. Errors: SourceError for a column of `roles` that the file has not."""
    faults, of = Faults(name_of(source)), roles.schema
    own = list(names or seen.names)
    asked = [*roles.dimensions.values(), *roles.attributes.values(), roles.value, roles.period, roles.flag, roles.unit, roles.note]
    for one in asked:
        if one is not None and one not in own:
            raise SourceError(f"{faults.file} has no column {one!r}", mend="its columns are: " + ", ".join(own)[:300])

    def made() -> Iterator[pa.RecordBatch]:
        for block, place in blocks(source, seen, faults, names=own):
            out = long_batch(dict(zip(own, block.columns, strict=True)), block.num_rows, roles, of, faults, place)
            if out.num_rows:
                yield out

    return staged(made(), of=of, dimensions=tuple(roles.dimensions), faults=faults, vintage=vintage, notes=notes)


def strict(encoding: str) -> str:
    """The encoding as Python's own codec reads it, which stops at a wrong byte; Arrow's would pass it by in a line it leaves out."""
    return "utf-8-sig" if encoding.casefold() in ("utf-8", "utf8") else encoding


def _columns(lines: Sequence[str], separator: str) -> int:
    """Columns that most lines agree on with the first, 0 if they do not."""
    counts = [len(row) for row in csv.reader(lines[:50], delimiter=separator) if row]
    agree = sum(count == counts[0] for count in counts) if counts else 0
    return counts[0] if counts and agree * 2 > len(counts) else 0


def _decimal(rows: Sequence[Sequence[str]], separator: str) -> str:
    """The sign of the fraction: a comma only where cells have one, none has a point, and they are not all groups of three digits."""
    import re

    points = commas = 0
    for row in rows:
        for cell in row:
            points += bool(re.fullmatch(r"\s*-?\d+\.\d+\s*", cell))
            commas += bool(re.fullmatch(r"\s*-?\d[\d\s]*,(\d{1,2}|\d{4,})\s*", cell))
    return "," if commas and not points and separator != "," else "," if commas > points else "."


__all__ = ["Look", "Roles", "blocks", "decoded", "look", "stage_delimited"]
