"""One machine: records of persons from Parquet to Parquet, in pieces that fit into memory, on all cores.

A piece holds whole persons, and pieces follow each other in the order of the person ids; so the output is sorted whatever the number of
pieces and threads, and its bytes are the same.
"""

from __future__ import annotations

import tempfile
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from qonys.core.errors import DataError
from qonys.store.engines.division import BATCH_ROWS, Division, edges_of, sample
from qonys.store.engines.output import write_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE_ROWS = 1_000_000
MEMORY = 1_500_000_000  # bytes of rows held between reading and writing; what is worked on comes on top


def map_by_person(
    source: Path, target: Path, function: Callable[[pa.Table], pa.Table], *, piece_rows: int = PIECE_ROWS, threads: int = 2,
    memory: int = MEMORY, before: Callable[[pa.Table], pa.Table] | None = None, tell: Callable[[int, int], None] = lambda *_: None,
) -> int:  # fmt: skip
    """`function` over all rows of each person of the Parquet file, written to `target`, whole or not at all. Gives the rows written.

    function: a table of whole persons, in any order -> a table by person, of the same columns every time; text may come as codes
    (dictionaries) and may be given back so. piece_rows: about how many rows the function gets. memory: bytes of rows held before they go to
    files beside the target. before: done to rows before they are divided, as ids may change by it; it keeps columns and rows. tell: rows
    done (half when read, half when written), rows in all.
    Errors: DataError for a file that is not Parquet, or has no person_id.
    """
    file = opened(source)
    rows = file.metadata.num_rows
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pieces-") as folder, ThreadPoolExecutor(threads) as pool:
        ids = sample(source) if rows > piece_rows else []
        division = Division(edges_of(ids, -(-rows // piece_rows)), Path(folder), memory)
        codes = [field.name for field in file.schema_arrow if field.name != "person_id" and pa.types.is_string(field.type)]

        def divide(group: int) -> None:
            # a reader of its own for each thread: readers are not to be shared
            reader = pq.ParquetFile(source, metadata=file.metadata, read_dictionary=codes)
            for batch in reader.iter_batches(BATCH_ROWS, row_groups=[group], use_threads=False):
                rows = pa.Table.from_batches([batch])
                division.add(before(rows) if before else rows)

        read = 0
        try:
            for group, _ in enumerate(pool.map(divide, range(file.num_row_groups))):
                read += file.metadata.row_group(group).num_rows
                tell(read // 2, rows)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        finally:
            division.close()

        def results() -> Iterator[pa.Table]:
            waiting: deque[Future[pa.Table]] = deque()
            for table in _pieces(division, piece_rows, file.schema_arrow):
                waiting.append(pool.submit(function, table))
                del table
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        return write_in_order(results(), target, tell=lambda done: tell((rows + done) // 2, rows))


def opened(source: Path) -> pq.ParquetFile:
    """A Parquet file that holds persons. Errors: DataError for any other."""
    try:
        file = pq.ParquetFile(source)
    except (OSError, pa.ArrowInvalid):
        raise DataError(
            f"{source.name} is no Parquet file that can be read", mend="check it first: qonys contract check FILE --as crossing"
        ) from None
    if "person_id" not in file.schema_arrow.names:
        raise DataError(f"{source.name} has no column 'person_id'", mend="see qonys contract show crossing")
    if not pa.types.is_string(file.schema_arrow.field("person_id").type):
        raise DataError(f"the person_id of {source.name} is not text", mend="import it first: qonys border import")
    return file


def _pieces(division: Division, piece_rows: int, schema: pa.Schema) -> Iterator[pa.Table]:
    """Pieces in the order of the ids; one that came out much too large, as the sample misled, is divided again."""
    found = False
    for place, rows in enumerate(division.rows):
        if rows > 4 * piece_rows:
            yield from _smaller(division, place, piece_rows, schema)
            found = True
        elif rows:
            yield _whole(division, place)
            found = True
    if not found:
        yield schema.empty_table()


def _smaller(division: Division, place: int, piece_rows: int, schema: pa.Schema) -> Iterator[pa.Table]:
    rows = division.rows[place]
    folder = division.folder / f"{place:05d}"
    folder.mkdir()
    smaller = Division(edges_of(division.sample(place), -(-rows // piece_rows)), folder, division.memory // 2)
    for table in division.tables(place):
        smaller.add(table)
    smaller.close()
    if max(smaller.rows) == rows:  # one person's: it cannot be divided
        yield _whole(smaller, smaller.rows.index(rows))
    else:
        yield from _pieces(smaller, piece_rows, schema)


def _whole(division: Division, place: int) -> pa.Table:
    return pa.concat_tables(division.tables(place)).unify_dictionaries().combine_chunks()
