"""Cells of a published table from vintage to vintage, in SQL: what is new, changed or gone, and the table that follows from all changes.

A whole table has its dimensions, `copy` (1, 2, ... for rows that the publisher repeats), value, flag and what else there is. A file of
changes has the same columns, as they are now (empty for what is gone), `what`, and the columns of before under `old_`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from qonys.core.errors import DataError
from qonys.store.batches import write_batches
from qonys.store.connect import connect

if TYPE_CHECKING:
    from pathlib import Path

    from ibis.backends import BaseBackend

COPY, PERIOD, VALUE, FLAG = "copy", "period", "value", "flag"
MEMORY = "1GB"  # of the engine while two vintages are compared; beyond it, files
KINDS = ("added", "revised", "flag_only", "note_only", "vanished")


def own_engine() -> BaseBackend:
    """An engine for comparing, apart from the user's and with less memory."""
    con = connect()
    con.raw_sql(f"set memory_limit = '{MEMORY}'")
    con.raw_sql("set preserve_insertion_order = false")
    return con


def write_whole(batches: pa.RecordBatchReader, path: Path, *, keys: Sequence[str]) -> tuple[int, int]:
    """A table, batch by batch, to Parquet with its `copy` column -> rows, and rows that repeat the dimensions of another.

    Errors: DataError for a table without value, flag or a dimension, or one with a column whose name is ours; and no rows are lost: those
    that say the same cell twice are numbered, in the order of what they say.
    """
    rows = write_batches(({"cells": table} for table in _numbered(batches, keys)), {"cells": path})["cells"]
    con = own_engine()
    try:
        by = _list(keys)
        con.raw_sql(f"create temp table twice as select {by} from {_file(path)} group by {by} having count(*) > 1")
        repeated = _one(con, f"select count(*) from {_file(path)} as new semi join twice on {_same('new', 'twice', keys)}")
        if repeated:
            drafted = path.with_name(f"{path.stem}-numbered.parquet")
            rest = [name for name in _columns(con, path) if name not in (*keys, COPY)]
            con.raw_sql(
                f"copy (select * from {_file(path)} as new anti join twice on {_same('new', 'twice', keys)} union all "
                f"select * replace (row_number() over (partition by {by} order by {_list(rest)})::integer as {COPY}) "
                f"from {_file(path)} as new semi join twice on {_same('new', 'twice', keys)}) to '{_quoted(drafted)}' {_PARQUET}"
            )
            drafted.replace(path)
    finally:
        con.disconnect()
    return rows, int(repeated)


def write_changes(before: str, after: str, path: Path, *, keys: Sequence[str], rest: Sequence[str]) -> dict[str, int]:
    """The cells that differ between two whole tables (SQL of each) to Parquet, in the order of `keys` -> how many of each kind."""
    con = own_engine()
    try:
        con.raw_sql(
            f"copy ({changes(before, after, keys=keys, rest=rest)} order by {_list((*keys, COPY))}) to '{_quoted(path)}' {_PARQUET}"
        )
        found = con.raw_sql(f"select what, count(*) from {_file(path)} group by what").fetchall()
    finally:
        con.disconnect()
    return {kind: dict(found).get(kind, 0) for kind in KINDS}


def changes(before: str, after: str, *, keys: Sequence[str], rest: Sequence[str]) -> str:
    """SQL: the cells that differ between two whole tables; `rest` are the columns that are no keys, value and flag among them."""
    others = [name for name in rest if name not in (VALUE, FLAG)]
    there, gone = f'new."{COPY}" is null', f'old."{COPY}" is null'
    note = " or ".join(f'new."{name}" is distinct from old."{name}"' for name in others) or "false"
    columns = [f'coalesce(new."{name}", old."{name}") as "{name}"' for name in (*keys, COPY)]
    columns += [f'new."{name}"' for name in rest] + [f'old."{name}" as "old_{name}"' for name in rest]
    kind = (
        f"case when {gone} then 'added' when {there} then 'vanished' when new.\"{VALUE}\" is distinct from old.\"{VALUE}\" then 'revised' "
        f"when new.\"{FLAG}\" is distinct from old.\"{FLAG}\" then 'flag_only' when {note} then 'note_only' end"
    )
    return (
        f"select * from (select {', '.join(columns)}, {kind} as what from ({after}) as new full join ({before}) as old "
        f"on {_same('new', 'old', (*keys, COPY))}) where what is not null"
    )


def state(whole: Path, later: Mapping[int, Path], *, keys: Sequence[str], rest: Sequence[str]) -> str:
    """SQL: the whole table after all later changes, given by the number of their vintage. Its rows come in no order."""
    columns, by = _list((*keys, COPY, *rest)), (*keys, COPY)
    if not later:
        return f"select {columns} from {_file(whole)}"
    last = f"select * from ({_stacked(later)}) qualify row_number() over (partition by {_list(by)} order by _vintage desc) = 1"
    return (
        f"select {columns} from {_file(whole)} as new anti join ({last}) as last on {_same('new', 'last', by)} "
        f"union all select {columns} from ({last}) where what <> 'vanished'"
    )


def between(later: Mapping[int, Path], *, keys: Sequence[str], rest: Sequence[str]) -> str:
    """SQL: what several vintages changed together, of the form of `changes`; a cell that came back to what it was is not among them."""
    by = _list((*keys, COPY))
    first = f"select * from ({_stacked(later)}) qualify row_number() over (partition by {by} order by _vintage) = 1"
    last = f"select * from ({_stacked(later)}) qualify row_number() over (partition by {by} order by _vintage desc) = 1"
    was = ", ".join(f'"old_{name}" as "{name}"' for name in rest)
    before = f"select {by}, {was} from ({first}) where what <> 'added'"
    after = f"select {_list((*keys, COPY, *rest))} from ({last}) where what <> 'vanished'"
    return changes(before, after, keys=keys, rest=rest)


_PARQUET = "(format parquet, compression zstd, row_group_size 500000)"


def _numbered(batches: pa.RecordBatchReader, keys: Sequence[str]) -> Iterator[pa.Table]:
    names = batches.schema.names
    lacking = [name for name in (*keys, VALUE, FLAG) if name not in names]
    if lacking:
        raise DataError(f"a staged table has no column {lacking[0]!r}", mend="tell us: this is a fault of the reader")
    taken = [name for name in names if name in (COPY, "what", "_vintage") or name.startswith("old_") or '"' in name]
    if taken:
        raise DataError(f"a staged table cannot have a column {taken[0]!r}", mend="tell us: this is a fault of the reader")
    none = pa.RecordBatch.from_pylist([], schema=batches.schema)
    for batch in chain([none], batches):
        yield pa.Table.from_batches([batch]).append_column(COPY, pa.array(np.ones(batch.num_rows, dtype=np.int32)))


def _stacked(later: Mapping[int, Path]) -> str:
    return " union all ".join(f"select *, {number} as _vintage from {_file(path)}" for number, path in sorted(later.items()))


def _same(one: str, other: str, names: Sequence[str]) -> str:
    return " and ".join(f'{one}."{name}" is not distinct from {other}."{name}"' for name in names)


def _list(names: Sequence[str]) -> str:
    return ", ".join('"' + name.replace('"', '""') + '"' for name in names)


def _file(path: Path) -> str:
    return f"read_parquet('{_quoted(path)}')"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _columns(con: BaseBackend, path: Path) -> list[str]:
    return [str(row[0]) for row in con.raw_sql(f"describe select * from {_file(path)}").fetchall()]


def _one(con: BaseBackend, query: str) -> int:
    return int(con.raw_sql(query).fetchone()[0])
