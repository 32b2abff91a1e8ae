"""One Parquet file, written table by table, whose bytes depend on its rows alone: not on the tables in which they came."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path
    from types import TracebackType

GROUP_ROWS = 500_000  # rows of a row group, whatever the tables that come
_DICTIONARY_BYTES = 32 * 2**20  # the different texts of a row group: each person's id is written once, not once a crossing


class Groups:
    """A Parquet file in row groups of one size; what does not fill one waits. It is whole only when the `with` block ends well."""

    def __init__(self, path: Path, schema: pa.Schema, *, plain: Collection[str] = (), metadata: Mapping[str, str] | None = None) -> None:
        """plain: columns whose text stands as it is, as it repeats from row to row and the compression finds it; other text as codes."""
        self.schema = schema.remove_metadata()
        self.rows = 0
        self._held = self.schema.empty_table()
        # numbers and days as their differences; zstd at its fastest; without Arrow's own schema: every reader sees the same plain types
        numbers = [field.name for field in schema if pa.types.is_integer(field.type) or pa.types.is_temporal(field.type)]
        codes = [name for name in schema.names if name not in (*numbers, *plain)]
        self._writer = pq.ParquetWriter(
            path, self.schema, compression="zstd", compression_level=1, use_dictionary=codes or False,
            column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"), dictionary_pagesize_limit=_DICTIONARY_BYTES, store_schema=False,
        )  # fmt: skip
        if metadata:
            self._writer.add_key_value_metadata(dict(metadata))

    def write(self, table: pa.Table) -> None:
        """Add the rows of a table of the same columns."""
        self.rows += len(table)
        whole = pa.concat_tables([self._held, table.replace_schema_metadata(None)])
        full = len(whole) // GROUP_ROWS * GROUP_ROWS
        for start in range(0, full, GROUP_ROWS):
            self._write(whole.slice(start, GROUP_ROWS))
        self._held = whole.slice(full)

    def _write(self, table: pa.Table) -> None:
        # whole columns, and where they stand as codes, codes of the words that occur, in order, whatever they were before
        table = table.unify_dictionaries().combine_chunks()
        columns = []
        for field, column in zip(self.schema, table.columns, strict=True):
            whole = column.chunk(0) if column.num_chunks else pa.array([], column.type)
            columns.append(_canonical(whole) if pa.types.is_dictionary(field.type) else whole)
        self._writer.write_table(pa.table(columns, schema=self.schema), row_group_size=GROUP_ROWS)

    def __enter__(self) -> Groups:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None and (len(self._held) or not self.rows):
                self._write(self._held)
        finally:
            self._writer.close()


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
