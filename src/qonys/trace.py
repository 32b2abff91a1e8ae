"""The way back: from one printed number of a finished study to its rows, sources and files.

It reads only the folder the study was written to: `run.json` and `tables/*.parquet`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.errors import TraceError, nearest

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Book", "Step", "trace"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way back from a number: a row of a result, or a row as it came in."""

    address: str
    table: str
    row: dict[str, Any]
    unit: str
    formula: str
    source: dict[str, Any] | None
    file: dict[str, Any] | None
    inputs: tuple[str, ...]


def trace(folder: Path, address: str) -> list[Step]:
    """Walk from one cell (`table/row/column`) of a finished study back to the rows of its files.

    The first step is the cell's row, the last ones are rows as published, each with its source, file and hash.
    Errors: TraceError naming the nearest table, row or column.
    """
    book = Book(folder)
    table, row, column = book.split(address)
    steps: list[Step] = []
    seen: set[str] = set()
    queue = [f"{table}/{row}"]
    while queue:
        here = queue.pop(0)
        if here in seen:
            continue
        seen.add(here)
        step = book.step(here, column if not steps else None)
        steps.append(step)
        queue += step.inputs
    return steps


class Book:
    """The tables of a finished study, read as they are asked for."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "run.json").is_file():
            raise TraceError(f"{folder} holds no run.json", mend="give the folder a study was written to")
        self.folder = folder
        self.run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        self.outputs = {output["name"]: output for output in self.run["outputs"]}
        self.files = {file["file"]: file for file in self.run["inputs"]}
        self._frames: dict[str, pd.DataFrame] = {}

    def frame(self, table: str) -> pd.DataFrame:
        """The table of that name, rows by their ids. Errors: TraceError naming the nearest table."""
        if table not in self._frames:
            if table not in self.outputs:
                raise TraceError(f"the run has no table {table!r}", mend=nearest(table, self.outputs))
            frame = pd.read_parquet(self.folder / "tables" / f"{table}.parquet")
            key = "key" if table == "source" else "id" if "inputs" in frame.columns else "row"
            self._frames[table] = frame.set_index(key, drop=False)
        return self._frames[table]

    def split(self, address: str) -> tuple[str, str, str | None]:
        """Table, row and column of an address; no column for the address of a row. Errors: TraceError naming the nearest."""
        table, _, rest = address.partition("/")
        frame = self.frame(table)
        if rest in frame.index:
            return table, rest, None
        row, _, column = rest.rpartition("/")
        if row not in frame.index:
            raise TraceError(f"{table} has no row {row or rest!r}", mend=nearest(row or rest, frame.index))
        if column not in frame.columns:
            raise TraceError(f"{table} has no column {column!r}", mend=nearest(column, frame.columns))
        return table, row, column

    def step(self, address: str, column: str | None) -> Step:
        """One row with what it was made from, or with its source and file where it came in."""
        table, _, row = address.partition("/")
        frame = self.frame(table)
        if row not in frame.index:
            raise TraceError(f"{table} has no row {row!r}", mend="the folder was changed after the run; run the study again")
        record = frame.loc[row].to_dict()
        made_from = tuple(record.pop("inputs", ()))
        spec = self.outputs[table]["columns"].get(column or "", {})
        known = {name: value for name, value in record.items() if not (pd.api.types.is_scalar(value) and pd.isna(value))}
        return Step(address if column is None else f"{address}/{column}", table, known, spec.get("unit", ""), spec.get("formula", ""),
                    self._source(record), self.files.get(row.rpartition(":")[0]) if not made_from else None, made_from)  # fmt: skip

    def _source(self, record: dict[str, Any]) -> dict[str, Any] | None:
        if "evidence" in record:
            return {"title": record["evidence"]}
        sources = self.frame("source")
        return (
            {k: v for k, v in sources.loc[record["source"]].to_dict().items() if not pd.isna(v)}
            if record.get("source") in sources.index
            else None
        )
