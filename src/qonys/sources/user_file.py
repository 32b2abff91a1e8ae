"""A user's own file as blocks of text columns, whatever its format, so that a mapping can be proposed for it and applied to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from qonys.core.errors import SourceError, nearest
from qonys.sources.formats.delimited import blocks, look
from qonys.sources.formats.opening import name_of
from qonys.sources.formats.sniff import SELF_EXPLAINING, sniff, stage_self_explaining
from qonys.sources.formats.workbook import rows, written
from qonys.sources.staged import Faults, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SAMPLE = 2_000  # rows a proposal looks at
ROWS = 5_000
TEXTS = (pa.types.is_dictionary, pa.types.is_large_string, pa.types.is_string_view)
KINDS = (*SELF_EXPLAINING, "csv", "xlsx", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is read; empty: as its first bytes say.

    kind: csv, xlsx, parquet, tsv, sdmx-csv, sdmx-ml, json-stat or px. skip: lines above the header. sheet: of a workbook.
    layout: of a workbook, `rows` (one header row) or `printed` (made for print).
    """

    kind: str = ""
    separator: str = ""
    encoding: str = ""
    decimal: str = "."
    skip: int = 0
    sheet: str = ""
    layout: str = ""


def understood(path: Path, reading: Reading | None = None) -> Reading:
    """How the file is read, with what its first bytes say filled in. Errors: SourceError for an unknown kind or an unreadable file."""
    own = reading or Reading()
    kind = own.kind or sniff(path)
    if kind not in KINDS:
        raise SourceError(f"{path.name}: {kind!r} cannot be read with a mapping", mend=nearest(kind, KINDS))
    if kind == "csv":
        seen = look(path, separator=own.separator or None, encoding=own.encoding or None, skip=own.skip)
        decimal = seen.decimal if reading is None else own.decimal
        return Reading(kind=kind, separator=seen.separator, encoding=seen.encoding, decimal=decimal, skip=own.skip)
    if kind == "xlsx":
        layout = own.layout or ("rows" if _has_one_header(path, own) else "printed")
        return Reading(kind=kind, decimal=own.decimal, skip=own.skip, sheet=own.sheet, layout=layout)
    return Reading(kind=kind)


def text_blocks(path: Path, reading: Reading, faults: Faults) -> Iterator[pa.RecordBatch]:
    """The file as blocks of text columns named as in the file (or staged, where the format explains itself)."""
    if reading.kind == "csv":
        seen = look(path, separator=reading.separator or None, encoding=reading.encoding or None, skip=reading.skip)
        if len(set(seen.names)) < len(seen.names) or not all(seen.names):
            raise SourceError(f"{path.name} has columns without a name, or two of one name", mend="name each column")
        try:
            for block, _ in blocks(path, seen, faults):
                yield block
        except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as wrong:
            raise unreadable(path.name, wrong) from None
    elif reading.kind == "parquet":
        try:
            with pa.parquet.ParquetFile(path) as file:
                for block in file.iter_batches(batch_size=65_536):
                    yield _as_text(block)
        except (pa.ArrowInvalid, OSError) as wrong:
            raise unreadable(path.name, wrong) from None
    elif reading.kind == "xlsx" and reading.layout == "rows":
        yield from _sheet_blocks(path, reading, faults)
    else:
        if reading.kind == "xlsx":
            from qonys.sources.formats.printed import stage_printed

            staged = stage_printed(path, reading.sheet or None)
        else:
            staged = stage_self_explaining(path, reading.kind)
        for block in staged.batches:
            yield _as_text(block)
        faults.rows += staged.faults.rows
        faults.count += staged.faults.count


def sample(path: Path, reading: Reading | None = None) -> tuple[pd.DataFrame, Reading]:
    """The first rows of a file as text, for a proposal, and how it was read. Errors: SourceError as of the format."""
    how = understood(path, reading)
    found: list[pa.RecordBatch] = []
    for block in text_blocks(path, how, Faults(path.name)):
        found.append(block)
        if sum(one.num_rows for one in found) >= SAMPLE:
            break
    if not found:
        raise SourceError(f"{path.name} has no rows below its header", mend="check the file")
    return pa.Table.from_batches(found).slice(0, SAMPLE).to_pandas(), how


def _as_text(block: pa.RecordBatch) -> pa.RecordBatch:
    """Typed columns as text: whole numbers without a point, days without a time."""
    columns = []
    for name, column in zip(block.schema.names, block.columns, strict=True):
        kind = column.type
        if pa.types.is_string(kind):
            columns.append(column)
        elif any(plain(kind) for plain in (*TEXTS, pa.types.is_integer, pa.types.is_boolean, pa.types.is_date)):
            columns.append(column.cast(pa.string()))
        elif pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            raise SourceError(f"the column {name!r} holds {column.type}, not one value a cell", mend="leave it out of the file")
        else:
            columns.append(pa.array([None if one is None or one != one else written(one) for one in column.to_pylist()], pa.string()))
    return pa.RecordBatch.from_arrays(columns, names=block.schema.names)


def _has_one_header(path: Path, reading: Reading) -> bool:
    """Whether the first row that holds anything names every column once, and the rows below are filled."""
    for number, row in enumerate(rows(path, reading.sheet or None)):
        cells = [written(cell) for cell in row]
        if number < reading.skip or not any(cells):
            continue
        while cells and not cells[-1]:
            cells.pop()
        return len(cells) > 1 and all(cells) and len(set(cells)) == len(cells)
    raise SourceError(f"{name_of(path)} has an empty sheet", mend="name the sheet that holds the table")


def _sheet_blocks(path: Path, reading: Reading, faults: Faults) -> Iterator[pa.RecordBatch]:
    reader = enumerate(rows(path, reading.sheet or None), 1)
    header: list[str] = []
    for number, row in reader:
        header = [written(cell) for cell in row]
        if number > reading.skip and any(header):
            break
    while header and not header[-1]:
        header.pop()
    if len(set(header)) < len(header) or not all(header):
        raise SourceError(f"{path.name} has columns without a name, or two of one name", mend="name each column, or say layout = 'printed'")
    part: list[list[str]] = []
    for number, row in reader:
        cells = [written(cell) for cell in row]
        if not any(cells):
            continue
        if any(cells[len(header) :]):
            faults.add(f"row {number}", "", " ".join(cells[len(header) :]), "has cells beyond the header")
        part.append((cells + [""] * len(header))[: len(header)])
        if len(part) == ROWS:
            yield _block(part, header)
            part = []
    if part:
        yield _block(part, header)


def _block(part: list[list[str]], header: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(column, pa.string()) for column in zip(*part, strict=True)], names=header)
