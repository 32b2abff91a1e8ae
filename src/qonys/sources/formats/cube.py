"""Cubes: cells in the order of their dimensions, the last one running fastest, as JSON-stat and PX keep them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from qonys.core.errors import SourceError
from qonys.sources.formats.cells import iso_period
from qonys.sources.staged import batch, own_names, schema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

TIME_NAMES = frozenset((
    "time", "time_period", "year", "years", "period", "month", "quarter", "tid", "år", "ar", "vuosi", "jahr", "zeit", "tiempo",
    "год", "годы", "период", "месяц", "квартал", "жыл", "жылдар", "кезең", "ай", "тоқсан",
))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A dimension of a cube: its published name, codes in the order of the cells, labels and units by position (None: none)."""

    name: str
    codes: tuple[str, ...]
    labels: tuple[str | None, ...] = ()
    units: tuple[str | None, ...] = ()


class Cube:
    """A cube without its cells: turns positions of cells into rows.

    time: name of the dimension of time; None: the one whose name or codes say so. Its codes become `period`. unit: of all cells.
    Errors: SourceError for a dimension without codes or with a code twice.
    """

    def __init__(self, dimensions: Sequence[Dimension], *, file: str, time: str | None = None, unit: str | None = None) -> None:
        for one in dimensions:
            if not one.codes or len(set(one.codes)) < len(one.codes):
                what = "has no codes" if not one.codes else f"has a code twice: {next(c for c in one.codes if one.codes.count(c) > 1)!r}"
                raise SourceError(f"{file}: the dimension {one.name!r} {what}", mend="pull it again; the kept bytes show what came")
        self.dimensions, self.unit = tuple(dimensions), unit
        self.sizes = tuple(len(one.codes) for one in dimensions)
        self.cells = prod(self.sizes)
        if self.cells >= 1 << 62:
            raise SourceError(f"{file} describes {self.cells} cells", mend="ask for fewer codes")
        self.time = next((one for one in dimensions if one.name == (time or _time(dimensions))), None)
        plain = [one for one in dimensions if one is not self.time]
        self.names = dict(zip([one.name for one in plain], own_names([one.name for one in plain]), strict=True))
        labelled = [self.names[one.name] for one in plain if _labels(one)]
        self.schema = schema(tuple(self.names.values()), [f"{name}_label" for name in labelled])

    @property
    def keys(self) -> tuple[str, ...]:
        """Our names of the dimensions, time aside."""
        return tuple(self.names.values())

    def rows(self, positions: NDArray[np.int64], cells: Mapping[str, pa.Array | None]) -> pa.RecordBatch:
        """The cells at these positions as a staged batch. cells: value, flag, note."""
        made: dict[str, pa.Array | str | None] = dict(cells)
        made.setdefault("unit", self.unit)
        for one, place in zip(self.dimensions, np.unravel_index(positions, self.sizes) if self.sizes else (), strict=True):
            where = pa.array(place)
            if one is self.time:
                iso = [iso_period(code) for code in one.codes]
                made["period"] = pa.array(iso, pa.string()).take(where)
                other = [code if code != period else None for code, period in zip(one.codes, iso, strict=True)]
                made["period_as_published"] = pa.array(other, pa.string()).take(where)
                continue
            name = self.names[one.name]
            made[name] = pa.array(one.codes, pa.string()).take(where)
            if _labels(one):
                made[f"{name}_label"] = pa.array(one.labels, pa.string()).take(where)
            if any(one.units) and name != "unit":
                made["unit"] = pa.array([unit or self.unit for unit in one.units], pa.string()).take(where)
        return batch(made, self.schema, len(positions))

    def place(self, position: int) -> str:
        """A cell by its codes, for the faults."""
        return " ".join(one.codes[int(at)] for one, at in zip(self.dimensions, np.unravel_index(position, self.sizes), strict=True))


def _labels(one: Dimension) -> bool:
    return bool(one.labels) and tuple(one.labels) != one.codes


def _time(dimensions: Sequence[Dimension]) -> str | None:
    named = [one.name for one in dimensions if one.name.casefold() in TIME_NAMES]
    dated = [one.name for one in dimensions if all(re.match(r"^[12]\d{3}(-|$)", iso_period(code)) for code in one.codes)]
    return named[0] if named else dated[0] if len(dated) == 1 else None
