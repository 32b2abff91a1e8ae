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

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from qonys.core.errors import DataError
from qonys.store.tables import whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE_ROWS = 2_500_000
GROUP_ROWS = 1_000_000  # rows of a row group of the output
SAMPLE = 100_000


def map_by_person(
    source: Path, target: Path, function: Callable[[pa.Table], pa.Table], *, piece_rows: int = PIECE_ROWS, threads: int = 2,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> int:  # fmt: skip
    """`function` over all rows of each person of the Parquet file, written to `target`, whole or not at all. Gives the rows written.

    function: a table of whole persons, in any order -> a table by person, of the same columns every time. tell: rows done, rows in all.
    Errors: DataError for a file that is not Parquet, or has no person_id.
    """
    rows, edges = _edges(source, piece_rows)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".pieces-") as folder, ThreadPoolExecutor(threads) as pool:
        pieces = _pieces(source, edges, Path(folder), threads)
        done = 0

        def results() -> Iterator[pa.Table]:
            waiting: deque[Future[pa.Table]] = deque()
            for query in pieces:
                waiting.append(pool.submit(_applied, function, query))
                if len(waiting) >= threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        with whole_file(target) as draft:
            writer = None
            left: pa.Table | None = None
            try:
                for table in results():
                    done += table.num_rows
                    tell(min(done, rows), rows)
                    whole = table if left is None else pa.concat_tables([left, table])
                    writer = writer or pq.ParquetWriter(draft, whole.schema, compression="zstd")
                    full = whole.num_rows - whole.num_rows % GROUP_ROWS
                    for start in range(0, full, GROUP_ROWS):
                        writer.write_table(whole.slice(start, GROUP_ROWS).combine_chunks(), row_group_size=GROUP_ROWS)
                    left = whole.slice(full)
                if writer is not None and left is not None and (left.num_rows or done == 0):
                    writer.write_table(left.combine_chunks(), row_group_size=GROUP_ROWS)
            finally:
                if writer is not None:
                    writer.close()
    return done


def _edges(source: Path, piece_rows: int) -> tuple[int, list[str]]:
    """The number of rows, and the person ids at which one piece ends and the next begins, from a sample of the ids."""
    try:
        file = pq.ParquetFile(source)
    except (OSError, pa.ArrowInvalid):
        raise DataError(
            f"{source.name} is no Parquet file that can be read", mend="check it first: qonys contract check FILE --as crossing"
        ) from None
    if "person_id" not in file.schema_arrow.names:
        raise DataError(f"{source.name} has no column 'person_id'", mend="see qonys contract show crossing")
    rows = file.metadata.num_rows
    wanted = -(-rows // piece_rows)
    if wanted <= 1:
        return rows, []
    con = duckdb.connect()
    step = max(rows // SAMPLE, 1)
    numbered = "select person_id, row_number() over () as place from read_parquet(?)"
    found = con.execute(f"select person_id::varchar from ({numbered}) where place % ? = 0", [str(source), step]).fetchall()
    ids = sorted(one for (one,) in found)
    return rows, sorted({ids[len(ids) * place // wanted] for place in range(1, wanted)})


def _pieces(source: Path, edges: list[str], folder: Path, threads: int) -> list[tuple[str, list[str]]]:
    """A query for each piece. Few pieces are cut out of the source; for many it is divided into files once, so it is read only twice."""
    bounds = list(zip([None, *edges], [*edges, None], strict=True))
    if len(bounds) <= 2 * threads:
        queries = []
        for low, high in bounds:
            tests = [("person_id::varchar >= ?", low), ("person_id::varchar < ?", high)]
            used = [(test, edge) for test, edge in tests if edge is not None]
            where = f" where {' and '.join(test for test, _ in used)}" if used else ""
            queries.append((f"select * from read_parquet(?){where}", [str(source), *(edge for _, edge in used)]))
        return queries
    con = duckdb.connect()
    con.execute(f"set threads = {int(threads)}")
    con.execute("set preserve_insertion_order = false")
    con.execute("create temp table edges as select * from (select unnest(?::varchar[]) as edge)", [edges])
    con.execute("create temp table sorted_edges as select list(edge order by edge) as all_edges from edges")
    con.execute(
        "copy (select c.*, list_count(list_filter(all_edges, lambda e: e <= person_id::varchar)) as piece "
        f"from read_parquet('{str(source).replace(chr(39), chr(39) * 2)}') c, sorted_edges) "
        f"to '{str(folder).replace(chr(39), chr(39) * 2)}' (format parquet, partition_by (piece), compression lz4)"
    )
    return [
        ("select * from read_parquet(?, hive_partitioning = false)", [f"{folder}/piece={place}/*.parquet"])
        for place in range(len(bounds)) if (folder / f"piece={place}").is_dir()
    ]  # fmt: skip


def _applied(function: Callable[[pa.Table], pa.Table], query: tuple[str, list[str]]) -> pa.Table:
    return function(_read(query))


def _read(query: tuple[str, list[str]]) -> pa.Table:
    con = duckdb.connect()
    con.execute("set threads = 1")
    con.execute("set timezone = 'UTC'")
    return con.execute(*query).to_arrow_table()
