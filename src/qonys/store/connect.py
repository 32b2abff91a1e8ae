"""Connections to engines. DuckDB in memory: facts are Parquet and text files, so no process locks another out."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import ibis

from qonys.core.errors import DataError, nearest

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

ENGINES = ("duckdb", "spark")
MEMORY = "3GB"  # beyond it DuckDB uses files
# DuckDB and Spark merge nested selects themselves; Ibis merging them first, in Python, took more than a fifth of the time of a study
ibis.options.sql.fuse_selects = False


def connect(engine: str = "duckdb", *, threads: int = 2) -> BaseBackend:
    """An Ibis connection to an engine: DuckDB, or Spark inside this process. With one thread DuckDB gives rows in the same order each time.

    Errors: DataError for one not built in or not installed.
    """
    if engine not in ENGINES:
        raise DataError(f"there is no engine {engine!r}", mend=nearest(engine, ENGINES))
    if engine == "spark":
        from qonys.store.engines.spark import local_session

        return ibis.pyspark.connect(local_session())
    con = ibis.duckdb.connect(threads=threads, memory_limit=MEMORY, temp_directory=tempfile.gettempdir())
    con.raw_sql("set enable_progress_bar = false")
    return con
