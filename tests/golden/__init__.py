"""Golden runs: every number of the built-in studies, compact, compared on each run and written anew by `make golden`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qonys.core.results import Result

HERE = Path(__file__).parent
DIGITS = 6
# plans of equal worth are many, and which one a solver finds may hang on the processor: of a corridor its summary is kept, of curves their points
BESIDE = ("corridor_groups", "corridor_more", "corridor_ways", "corridor_home", "corridor_waiting", "corridor_price", "deadline_days")


def compact(results: Mapping[str, Result]) -> dict[str, dict[str, list[Any]]]:
    """Each result as row id -> its numbers and verdicts in the order of the columns, numbers to six significant digits, gaps as null."""
    tables = {}
    for name, result in results.items():
        if name in BESIDE:
            continue
        columns = [column for column in result.rows.columns if column in result.measured or column in ("verdict", "answer")]
        cells = {column: [rounded(value) for value in result.rows[column]] for column in columns}
        tables[name] = {row: [cells[column][place] for column in columns] for place, row in enumerate(result.rows["id"])}
    return tables


def rounded(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    number = float(f"{float(value):.{DIGITS}g}")
    return int(number) if number.is_integer() else number


def text(tables: dict[str, dict[str, list[Any]]]) -> str:
    """One row a line, so that a change is read as a diff."""
    parts = [
        json.dumps(name)
        + ": {\n"
        + ",\n".join(f" {json.dumps(row)}: {json.dumps(cells, ensure_ascii=False)}" for row, cells in rows.items())
        + "\n}"
        for name, rows in tables.items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def path(study: str) -> Path:
    return HERE / f"{study}.json"
