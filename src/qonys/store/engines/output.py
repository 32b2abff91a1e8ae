"""What engines write: tables in the order of persons, to one file whose bytes depend on the rows alone, or to a folder of parts."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qonys.core.errors import DataError
from qonys.store.tables import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

GROUP_ROWS = 500_000  # rows of a row group, whatever the tables that come


def write_in_order(tables: Iterable[pa.Table], target: Path, *, tell: Callable[[int], None] = lambda _: None) -> int:
    """The rows of tables of one schema, one after the other, to a Parquet file, whole or not at all -> their number.

    The same rows give the same bytes however they are divided into tables. tell: rows written so far. Errors: DataError without any table.
    """
    done = 0
    with whole_file(target) as draft:
        writer: pq.ParquetWriter | None = None
        held: list[pa.Table] = []
        waiting = 0
        try:
            for table in tables:
                writer = writer or _writer(draft, table.schema)
                held.append(table)
                waiting += table.num_rows
                while waiting >= GROUP_ROWS:
                    whole = pa.concat_tables(held)
                    writer.write_table(_group(whole.slice(0, GROUP_ROWS), writer.schema), row_group_size=GROUP_ROWS)
                    held, waiting = [whole.slice(GROUP_ROWS)], waiting - GROUP_ROWS
                    done += GROUP_ROWS
                    tell(done)
            if writer is None:
                raise DataError("there is nothing to write", mend="check what makes the tables")
            if waiting or not done:
                writer.write_table(_group(pa.concat_tables(held), writer.schema), row_group_size=GROUP_ROWS)
                done += waiting
                tell(done)
        finally:
            if writer is not None:
                writer.close()
    return done


def _writer(draft: Path, schema: pa.Schema) -> pq.ParquetWriter:
    # ids, many and each a few times, as they are: the compression finds what repeats; numbers and days as their differences; words as codes
    numbers = [field.name for field in schema if pa.types.is_integer(field.type) or pa.types.is_temporal(field.type)]
    codes = [name for name in schema.names if name not in (*numbers, "person_id")]
    return pq.ParquetWriter(
        draft, schema.remove_metadata(), compression="zstd", compression_level=1, use_dictionary=codes or False,
        column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"), store_schema=False,
    )  # fmt: skip


def _group(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A row group: whole columns, and where they stand as codes, codes of the words that occur, in order, whatever they were before."""
    table = table.unify_dictionaries().combine_chunks()
    columns = []
    for field, column in zip(schema, table.columns, strict=True):
        whole = column.chunk(0) if column.num_chunks else pa.array([], column.type)
        columns.append(_canonical(whole) if pa.types.is_dictionary(field.type) else whole)
    return pa.table(dict(zip(schema.names, columns, strict=True)), schema=schema)


def _canonical(column: pa.DictionaryArray) -> pa.DictionaryArray:
    none = len(column.dictionary)  # stands for a missing one
    codes = column.indices.cast(pa.int32()).fill_null(none).to_numpy()
    used = np.zeros(none + 1, dtype=bool)
    used[codes] = True
    old = np.flatnonzero(used[:none])
    words = column.dictionary.take(pa.array(old))
    order = pc.sort_indices(words).to_numpy()
    new = np.zeros(none + 1, dtype=np.int32)
    new[old[order]] = np.arange(len(words))
    return pa.DictionaryArray.from_arrays(
        pa.array(new[codes], mask=codes == none if column.null_count else None), words.take(pa.array(order))
    )


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to write to that becomes `target` only when the block ends well; one that stands there already is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
    try:
        yield draft
        draft.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
