"""Eurostat's TSV: one series a line, its key joined by commas, periods in columns, flags after the value.

    freq,citizen,sex,geo\\TIME_PERIOD	2019 	2020
    A,TOTAL,T,DE	1345943 	994819 p
    A,TOTAL,T,FR	385591 b	: c

Format: Eurostat API, "TSV format" (wikis.ec.europa.eu/display/EUROSTATHELP). The older bulk files write `geo\\time` and `2020M03`.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from qonys.core.errors import SourceError
from qonys.sources.formats.cells import iso_period, numbers
from qonys.sources.formats.delimited import strict
from qonys.sources.formats.opening import beginning, name_of, opened
from qonys.sources.staged import Faults, Staged, batch, own_names, schema, staged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qonys.sources.formats.opening import Source

BLOCK = 8 << 20  # bytes of the file in memory at once
THREADS = min(4, os.cpu_count() or 1)
GAP = frozenset(("", ":"))
FLAGS = r"^[a-zA-Z*]+$"


def stage_tsv(source: Source) -> Staged:
    """A TSV file as a staged table: a row for each cell, gaps too.

    source: path or binary file, plain or gzip. The rows of a block stand by period, then by series. A line with too few or too many
    cells, a key of the wrong length and a cell that is neither number nor gap are faults and give no row.
    Errors: SourceError for a file that does not begin as a TSV of Eurostat does, or breaks off.
    """
    file = name_of(source)
    first = beginning(source).split(b"\n", 1)[0].decode("utf-8-sig", errors="replace").rstrip("\r")
    key, *columns = first.split("\t")
    if "\\" not in key or not columns:
        raise SourceError(
            f"{file} does not begin with dimensions and a time dimension, as in 'freq,geo\\TIME_PERIOD', but with {first[:80]!r}",
            mend="ask for format=TSV, or stage it as what it is",
        )
    dimensions = own_names(key.rpartition("\\")[0].split(","))
    if len(set(columns)) < len(columns):
        raise SourceError(f"{file} names a period twice in its first line", mend="pull it again")
    faults = Faults(file)
    of = schema(dimensions)
    return staged(_batches(source, dimensions, [one.strip() for one in columns], of, faults), of=of, dimensions=dimensions, faults=faults)


def _batches(source: Source, dimensions: tuple[str, ...], columns: list[str], of: pa.Schema, faults: Faults) -> Iterator[pa.RecordBatch]:
    skipped: list[int] = []  # lines that are none of the batches'

    def malformed(row: pa.csv.InvalidRow) -> str:
        skipped.append(row.number)
        if row.text.strip():
            faults.add(f"line {row.number}", "", row.text, f"has {row.actual_columns} cells, not {row.expected_columns}")
        return "skip"

    lines = pa.csv.open_csv(
        opened(source),
        # one thread parses, so that a bad line knows its number; columns are still read ahead
        read_options=pa.csv.ReadOptions(
            column_names=["key", *columns], skip_rows=1, block_size=BLOCK, use_threads=False, encoding=strict("utf-8")
        ),
        parse_options=pa.csv.ParseOptions(delimiter="\t", quote_char=False, invalid_row_handler=malformed, ignore_empty_lines=False),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(["key", *columns], pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    before = 1
    with ThreadPoolExecutor(THREADS) as pool:
        for block in lines:
            place = _Lines(before, block.num_rows, skipped)
            yield from _long(block, dimensions, columns, of, faults, place, pool)
            before += block.num_rows


class _Lines:
    """The line of the file of each row of a block, counted only when a fault asks."""

    def __init__(self, before: int, rows: int, skipped: list[int]) -> None:
        self.before, self.rows, self.skipped = before, rows, skipped

    def __call__(self, row: int) -> str:
        line = self.before + row + 1
        for one in self.skipped:
            line += one <= line
        return f"line {line}"


def _long(
    block: pa.RecordBatch,
    dimensions: tuple[str, ...],
    columns: list[str],
    of: pa.Schema,
    faults: Faults,
    place: _Lines,
    pool: ThreadPoolExecutor,
) -> Iterator[pa.RecordBatch]:
    parts = pc.split_pattern(pc.utf8_trim_whitespace(block.column(0)), ",")
    fits = pc.equal(pc.list_value_length(parts), len(dimensions))
    where: pa.Array | None = None
    if not pc.all(fits, min_count=0).as_py():
        where = pc.indices_nonzero(fits)
        for row in pc.indices_nonzero(pc.invert(fits)).to_pylist():
            if not any(column[row].as_py() for column in block.columns):
                continue  # an empty line
            faults.add(place(row), "key", block.column(0)[row].as_py(), f"has not the {len(dimensions)} dimensions {', '.join(dimensions)}")
        parts, block = parts.take(where), block.take(where)
    key = {name: pc.list_element(parts, position) for position, name in enumerate(dimensions)}
    # columns are independent of each other: Arrow works on several at once, and they come back in order
    for column, cells, (value, flag, wrong) in zip(columns, block.columns[1:], pool.map(_cells, block.columns[1:]), strict=True):
        period = iso_period(column)
        rows = key | {"period": period, "period_as_published": column if column != period else None, "value": value, "flag": flag}
        made = batch(rows, of, block.num_rows)
        if wrong is not None:
            for row in pc.indices_nonzero(wrong).to_pylist():
                line = place(where[row].as_py() if where is not None else row)
                faults.add(line, column, cells[row].as_py(), "is neither a number with flags nor a gap")
            made = made.filter(pc.invert(wrong))
        if made.num_rows:
            yield made


def _cells(cells: pa.Array) -> tuple[pa.Array, pa.Array | None, pa.Array | None]:
    """Value, flag and what is wrong of cells such as "12 p", ": c", ":", "0 n".

    Nearly all cells are a number or a gap and a space, with no flag: those are read at once, the others apart.
    """
    text = pc.ascii_rtrim_whitespace(cells)
    gap, plain = pc.equal(text, ":"), pc.ends_with(cells, " ")
    try:
        value = pc.cast(pc.if_else(pc.and_not(plain, gap), text, pa.scalar(None, pa.string())), pa.float64())
    except pa.ArrowInvalid:
        return _flagged(cells)
    if not pc.all(pc.is_finite(value), min_count=0).as_py():
        return _flagged(cells)
    flags: list[str | None] = [None, ":"]
    which = gap.cast(pa.int8()).to_numpy(zero_copy_only=False).astype(np.int32)
    wrong: pa.Array | None = None
    rest = pc.invert(pc.or_(plain, gap))
    if pc.any(rest, min_count=0).as_py():
        of_rest, flag, bad = _flagged(cells.filter(rest))
        value = pc.replace_with_mask(value, rest, of_rest)
        coded = flag.dictionary_encode()
        which[rest.to_numpy(zero_copy_only=False)] = pc.fill_null(pc.add(coded.indices, len(flags)), 0).to_numpy(zero_copy_only=False)
        flags += coded.dictionary.to_pylist()
        wrong = None if bad is None else pc.replace_with_mask(pa.array(np.zeros(len(cells), bool)), rest, bad)
    return value, pa.array(flags, pa.string()).take(pa.array(which)) if which.any() else None, wrong


def _flagged(cells: pa.Array) -> tuple[pa.Array, pa.Array, pa.Array | None]:
    """The same for any cells: what stands before the first space is the number, what follows the flag."""
    text = pc.ascii_trim_whitespace(cells)
    at = pc.match_substring(text, " ")
    halves = pc.split_pattern(pc.if_else(at, text, pc.binary_join_element_wise(text, "", " ")), " ", max_splits=1)
    flag = pc.ascii_trim_whitespace(pc.list_element(halves, 1))
    found = numbers(pc.list_element(halves, 0), GAP)
    strange = pc.and_(at, pc.invert(pc.match_substring_regex(flag, FLAGS)))
    wrong = strange if found.wrong is None else pc.or_(strange, found.wrong)
    flag = pc.if_else(at, flag, found.mark)
    return found.value, flag, wrong if pc.any(wrong, min_count=0).as_py() else None
