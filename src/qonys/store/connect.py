"""Connections to engines. DuckDB in memory: facts are Parquet and text files, so no process locks another out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from qonys.core.errors import DataError, nearest

if TYPE_CHECKING:
    from ibis.backends import BaseBackend

ENGINES = ("duckdb",)


def connect(engine: str = "duckdb") -> BaseBackend:
    """An Ibis connection to an engine. Errors: DataError for an engine that is not built in."""
    if engine not in ENGINES:
        raise DataError(f"there is no engine {engine!r}", mend=nearest(engine, ENGINES))
    con = ibis.duckdb.connect(threads=2)
    con.raw_sql("set enable_progress_bar = false")
    return con
