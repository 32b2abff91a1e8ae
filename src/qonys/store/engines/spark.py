"""A cluster: the same call as on one machine, through Apache Spark. Same rows in, same rows out.

Spark divides the rows by ranges of person ids and sorts each range; the function is handed whole persons as Arrow tables, a bounded number
of rows at a time, by the Python workers. Without a session of the caller's own, Spark runs inside this process (local mode).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qonys.core.errors import DataError, QonysError
from qonys.store.engines.local import opened
from qonys.store.engines.output import whole_folder, write_in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyspark.sql import SparkSession

PIECE_ROWS = 1_000_000  # rows handed to the function at once
PARTITION_ROWS = 5_000_000  # rows of a partition: what Spark sorts at once
BATCH_ROWS = 100_000
_REFUSED = "qonys refuses: "  # before what a worker has to say to the user
_SETTINGS: dict[str, bool | float | int | str | None] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # its default is a type that others have given up
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.legacy.parquet.nanosAsLong": "true",  # or it reads no file with nanoseconds
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.memory": "2g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


def map_by_person(
    source: Path, target: Path, function: Callable[[pa.Table], pa.Table], *, piece_rows: int = PIECE_ROWS, threads: int = 2,
    before: Callable[[pa.Table], pa.Table] | None = None, tell: Callable[[int, int], None] = lambda *_: None,
    session: SparkSession | None = None,
) -> int:  # fmt: skip
    """`function` over all rows of each person of the Parquet file or folder, written to `target`, whole or not at all -> rows written.

    As `local.map_by_person`: function, a table of whole persons -> a table by person, of the same columns every time; it travels to the
    workers, so it must be importable there. target: a `.parquet` is one file, the very bytes the local engine writes; another name becomes
    a folder of Parquet parts, in the order of the person ids, which no single machine has to write. session: an open Spark session, which
    stays open; its clock must be UTC.
    Errors: DataError if Spark or Java is missing, for a file that is not Parquet or has no person_id, or what the function refuses.
    """
    plain = _plain_schema(source)
    given = function(plain.empty_table()).schema
    spark = session or local_session(threads)
    try:
        frame = spark.read.parquet(str(source))
        if before:
            frame = frame.mapInArrow(partial(_batches, before), frame.schema)
        rows = int(frame.count())
        tell(0, rows)
        parts = max(1, -(-rows // PARTITION_ROWS), threads if rows > BATCH_ROWS else 1)
        sorted_rows = frame.repartitionByRange(parts, "person_id").sortWithinPartitions("person_id")
        mapped = sorted_rows.mapInArrow(_Whole(function, plain, given, piece_rows), _spark_schema(given))
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".parts-") as folder:
            written = Path(folder) / "parts"
            try:
                mapped.write.parquet(str(written), compression="zstd")
            except Exception as error:  # what a worker raised comes wrapped in the words of three languages
                raise _refusal(error) from None
            files = sorted(written.glob("part-*.parquet"))  # Spark numbers them by range
            if target.suffix == ".parquet":
                done = write_in_order(_tables(files, given), target, tell=lambda some: tell(some, rows))
            else:
                done = sum(pq.read_metadata(file).num_rows for file in files)
                with whole_folder(target) as draft:
                    for place, file in enumerate(files):
                        shutil.move(file, draft / f"part-{place:05d}.parquet")
            tell(done, rows)
        return done
    finally:
        if session is None:
            spark.stop()


def local_session(threads: int = 2) -> SparkSession:
    """Spark inside this process. Errors: DataError if it or Java is not installed."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise DataError("Apache Spark is not installed", mend='install it: pip install "qonys[spark]"') from None
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        raise DataError("Apache Spark needs Java, which is not installed", mend="install Java 17, or use --engine local")
    # the workers are this very Python, with what is installed in it
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    try:
        session: SparkSession = SparkSession.builder.master(f"local[{threads}]").appName("qonys").config(map=_SETTINGS).getOrCreate()
    except Exception as error:
        raise DataError(f"Apache Spark does not start: {str(error).splitlines()[0]}", mend="it needs Java 17; java -version says") from None
    session.sparkContext.setLogLevel("OFF")  # what goes wrong reaches the user as a sentence
    return session


class _Whole:
    """What a worker does: batches of rows by person in, whole persons through the function, batches out."""

    def __init__(self, function: Callable[[pa.Table], pa.Table], plain: pa.Schema, given: pa.Schema, piece_rows: int) -> None:
        self.function, self.plain, self.given, self.piece_rows = function, plain, given, piece_rows

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: list[pa.Table] = []
        rows = 0
        for batch in batches:
            held.append(_cast(pa.Table.from_batches([batch]), self.plain))
            rows += batch.num_rows
            if rows < self.piece_rows:
                continue
            whole = pa.concat_tables(held)
            ids = whole["person_id"]
            last = ids[-1]  # this person may go on in the next batch
            cut = rows - (pc.sum(pc.equal(ids, last)).as_py() if last.is_valid else rows)
            if cut:
                yield from self._answers(whole.slice(0, cut))
            held, rows = [whole.slice(cut)], rows - cut
        if rows:
            yield from self._answers(pa.concat_tables(held))

    def _answers(self, table: pa.Table) -> Iterator[pa.RecordBatch]:
        try:
            found = self.function(table.unify_dictionaries().combine_chunks())
        except QonysError as error:
            raise RuntimeError(_REFUSED + json.dumps([error.what, error.mend])) from None
        yield from _cast(found, _travelling(self.given)).to_batches(BATCH_ROWS)


def _batches(before: Callable[[pa.Table], pa.Table], batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield from before(pa.Table.from_batches([batch])).to_batches()


def _plain_schema(source: Path) -> pa.Schema:
    """The columns as the function gets them: text as codes, but for the ids."""
    first = next(iter(sorted(source.glob("*.parquet"))), source) if source.is_dir() else source
    codes = pa.dictionary(pa.int32(), pa.string())
    fields = [
        field.with_type(codes) if field.name != "person_id" and pa.types.is_string(field.type) else field
        for field in opened(first).schema_arrow
    ]
    return pa.schema(fields)


def _travelling(schema: pa.Schema) -> pa.Schema:
    """The columns as Spark knows them: text instead of codes, instants in microseconds, nanoseconds as numbers."""

    def plain(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_dictionary(kind):
            return kind.value_type
        if pa.types.is_timestamp(kind):
            return pa.int64() if kind.unit == "ns" else pa.timestamp("us", kind.tz and "UTC")
        return kind

    return pa.schema([pa.field(field.name, plain(field.type)) for field in schema])


def _cast(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = []
    for field in schema:
        column = table[field.name]
        if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        elif field.type != column.type and pa.types.is_timestamp(column.type) and pa.types.is_integer(field.type):
            column = column.cast(pa.int64())
        columns.append(column.cast(field.type) if column.type != field.type else column)
    return pa.table(columns, schema=schema)


def _spark_schema(given: pa.Schema) -> Any:
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(_travelling(given), prefer_timestamp_ntz=True)


def _tables(files: Iterable[Path], given: pa.Schema) -> Iterator[pa.Table]:
    """What Spark wrote, as the local engine would hand it over."""
    codes = [field.name for field in given if pa.types.is_dictionary(field.type)]
    yield given.empty_table()
    for file in files:
        with pq.ParquetFile(file, read_dictionary=codes) as reader:
            for group in range(reader.num_row_groups):
                yield _cast(reader.read_row_group(group), given)


def _refusal(error: Exception) -> Exception:
    """The sentence a worker left for the user, or, of Spark's own words, the first line."""
    text = str(error)
    if found := re.search(re.escape(_REFUSED) + r"(\[.*\])", text):
        what, mend = json.loads(found[1])
        return DataError(what, mend=mend)
    lines = [line for line in text.splitlines() if line.strip()]
    return DataError(f"Apache Spark gave up: {lines[0] if lines else type(error).__name__}", mend="use --engine local, or see its log")
