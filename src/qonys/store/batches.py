"""Tables that never stand in memory whole: batches in, Parquet files out, all of them or none."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from qonys.core.errors import DataError
from qonys.store.groups import Groups
from qonys.store.tables import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    import ibis


def streamed(table: ibis.Table, *, rows: int = 65_536) -> pa.RecordBatchReader:
    """The rows of an expression batch by batch, as the engine makes them; to be read once."""

    def made() -> Iterator[pa.RecordBatch]:
        with warnings.catch_warnings():
            warnings.filterwarnings(
                "ignore", "fetch_record_batch", DeprecationWarning
            )  # ibis calls DuckDB by a name that is being replaced
            yield from table.to_pyarrow_batches(chunk_size=rows)

    return pa.RecordBatchReader.from_batches(table.schema().to_pyarrow(), made())


def write_batches(
    batches: Iterable[Mapping[str, pa.Table]],
    paths: Mapping[str, Path],
    *,
    metadata: Mapping[str, str] | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> dict[str, int]:
    """Each batch's tables to the Parquet file of their name -> rows of each file. Only one batch is held.

    paths: name of a table -> its file; tables without one are left out. metadata: kept in each file's schema, see `read_metadata`.
    progress: called after each batch with a table's name and its rows so far. If anything fails or the run is interrupted, no file is left.
    The same rows give the same bytes however they are divided into batches.
    Errors: DataError if there is no batch, a batch lacks a named table, its columns change, or a path is not Parquet.
    """
    for path in paths.values():
        if path.suffix != ".parquet":
            raise DataError(
                f"{path.name} has the suffix {path.suffix!r}", mend="tables written batch by batch are Parquet: call it .parquet"
            )
    # left in this order on the way out: first all writers are closed, then the drafts become files
    with ExitStack() as drafts, ExitStack() as writers:
        drafted = {name: drafts.enter_context(whole_file(path)) for name, path in paths.items()}
        opened: dict[str, Groups] = {}
        for batch in batches:
            for name, draft in drafted.items():
                if name not in batch:
                    raise DataError(f"a batch has no table {name!r}, which {paths[name].name} is for", mend="leave the file out")
                table = batch[name]
                if name not in opened:
                    opened[name] = writers.enter_context(Groups(draft, table.schema, metadata=metadata))
                elif not opened[name].schema.equals(table.schema):
                    raise DataError(f"the columns of {name} change from batch to batch", mend="give all batches the same columns")
                opened[name].write(table)
                if progress is not None:
                    progress(name, opened[name].rows)
        if len(opened) < len(paths):
            raise DataError("there is nothing to write: no batch came", mend="check what makes the batches")
    return {name: opened[name].rows for name in paths}


def read_metadata(path: Path) -> dict[str, str]:
    """What `write_batches` kept beside the columns of a Parquet file, as text. Errors: DataError if it is not Parquet."""
    try:
        found = pq.read_metadata(path).metadata or {}
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}", mend="check the path") from None
    return {key.decode(): value.decode() for key, value in found.items() if not key.startswith(b"ARROW:")}
