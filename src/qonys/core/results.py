"""A result: a small table whose every cell has an address, a unit, a formula and the rows it was made from.

The address of a cell is `table/row/column`, as `external/KAZ.2020/net`. A row's `inputs` are the addresses (`table/row`) of the
rows it was computed from: rows of other results, or of the contract tables that came in (`flow/flow/kaz_external.csv:12` is row 12 of the
file `flow/kaz_external.csv` in the table `flow`). So any number can be
walked back to the bytes: see `qonys.trace`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.errors import TraceError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a numeric column holds: its unit and the formula behind it, both codes of the catalogues."""

    unit: str
    formula: str = "as_published"
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """One number with everything a reader may ask of it. `value` is None for a gap."""

    address: str
    value: float | None
    unit: str
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """A named table of numbers. rows: `id` (unique text), `inputs` (list of addresses), then the columns.

    measured: numeric columns with unit and formula; the rest are codes and dates.
    """

    name: str
    rows: pd.DataFrame
    measured: Mapping[str, Measured] = field(default_factory=dict)
    _place: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        missing = {"id", "inputs", *self.measured} - set(self.rows.columns)
        if missing:
            raise TraceError(f"result {self.name} lacks {', '.join(sorted(missing))}", mend="a result needs id, inputs and its columns")
        if not self.rows["id"].is_unique:
            again = self.rows["id"][self.rows["id"].duplicated()].iloc[0]
            raise TraceError(f"result {self.name} has {again!r} twice", mend="give each row an id of its own")
        object.__setattr__(self, "_place", {row: place for place, row in enumerate(self.rows["id"])})

    def cell(self, row: str, column: str) -> Cell:
        """The cell at that row and column. Errors: TraceError naming the nearest right one."""
        if column not in self.measured:
            raise TraceError(f"{self.name} has no number {column!r}", mend=nearest(column, self.measured))
        if row not in self._place:
            raise TraceError(f"{self.name} has no row {row!r}", mend=nearest(row, self._place))
        spec = self.measured[column]
        value = self.rows[column].iat[self._place[row]]
        if pd.isna(value):
            return Cell(f"{self.name}/{row}/{column}", None, spec.unit, spec.decimals)
        decimals = _printed_decimals(float(value)) if spec.unit == "as_row" else spec.decimals
        return Cell(f"{self.name}/{row}/{column}", float(value), spec.unit, decimals)

    def has(self, row: str) -> bool:
        """Is there such a row?"""
        return row in self._place

    def inputs(self, row: str) -> list[str]:
        """Addresses of the rows that a row was made from."""
        return list(self.rows["inputs"].iat[self._place[row]]) if row in self._place else []

    def records(self) -> list[dict[str, Any]]:
        """The rows as dictionaries, gaps as None."""
        return [{k: None if not isinstance(v, list) and pd.isna(v) else v for k, v in row.items()} for row in self.rows.to_dict("records")]


def _printed_decimals(value: float) -> int:
    """Decimals that a figure was printed with, two at the most."""
    return len(f"{value:.2f}".rstrip("0").partition(".")[2])


def addresses(table: str, rows: Iterable[object]) -> list[str]:
    """Addresses of rows of one table, sorted and each once: the `inputs` of a row made from them."""
    return sorted({f"{table}/{row}" for row in rows})
