"""One area on one day: what moved, what is in force, what is out of line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from qonys.core import areas
from qonys.registers import DEFAULT, SHIPPED
from qonys.situation.departures import out_of_line
from qonys.situation.entry import PAIRS
from qonys.situation.figures import areas_known, moved
from qonys.situation.force import in_force_on
from qonys.situation.opened import day_of, pairs_held, register_held

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Situation:
    """One area on one day. moved: see `figures.moved`; in_force: see `force.in_force_on`; out_of_line: see `departures.out_of_line`."""

    area: str
    on: date
    moved: pd.DataFrame
    in_force: pd.DataFrame
    out_of_line: pd.DataFrame


def prepare(registers: Sequence[str] = DEFAULT) -> None:
    """Open the shipped figures and the registers, so that the first page need not wait: some seconds, best in a thread of its own."""
    opened = register_held(registers)
    for what in PAIRS:
        pairs_held(opened, what)
    areas_known()


def situation_of(area: str, on: date | str, *, tables: Sequence[str] = (SHIPPED,), registers: Sequence[str] = DEFAULT) -> Situation:
    """What moved, what is in force and what is out of line in an area on a day.

    Errors: DataError for a code that is no area, or no day; those of a table or a register that cannot be used.
    """
    day, code = day_of(on), areas.area(area).code
    return Situation(
        code, day, moved(code, day, tables=tables), in_force_on(code, day, registers=registers),
        out_of_line(code, day, tables=tables, registers=registers),
    )  # fmt: skip
