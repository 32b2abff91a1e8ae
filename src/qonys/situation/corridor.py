"""Why a corridor is on: every measure in force on a day that could concern it, with the reason why it does not reach it, if any."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

import pandas as pd
from ibis import _

from qonys.core.errors import DataError
from qonys.measures import corridor_categories, people, reach
from qonys.registers import DEFAULT
from qonys.situation.opened import fingerprint, held, register_held
from qonys.store import connect

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from qonys.measures.history import Reading
    from qonys.situation.opened import Register

_FACTS = ["id", "title", "area", "field", "issuer", "start", "end"]


class _Reached:
    """`measures.reach` of one register, made ready once: asking for another corridor only changes its table of classes."""

    def __init__(self, opened: Register, reading: Reading) -> None:
        self._con, self._turn = connect(), Lock()
        measures = self._con.create_table("measures", opened.source)
        # held: tables in memory that a view names live as long as the expression
        self._whole = reach(measures, self._classes("KAZ", "RUS"), reading=reading)
        self._con.create_view("reached", self._whole)

    def _classes(self, origin: str, destination: str) -> Any:
        return self._con.create_table("classes", people([origin], [destination], corridor_categories()), overwrite=True)

    def of(self, origin: str, destination: str, category: str, on: date, direction: str) -> pd.DataFrame:
        with self._turn:
            self._classes(origin, destination)
            there = self._con.table("reached").filter(_.category == category, _.direction == direction)
            pairs = there.filter(_.begun <= on, _.over >= on)
            return self._con.to_pandas(pairs.select("id", "via", "side", "dose", "why", "conditions").distinct())


def why_of(
    origin: str, destination: str, category: str, on: date, *, reading: Reading = "possible", direction: str = "tightening",
    register: Sequence[str] = DEFAULT,
) -> pd.DataFrame:  # fmt: skip
    """As `registers.explain_corridor`, from a register that is held open -> id, title, area, field, issuer, start, end, via, side, dose,
    why, conditions; those that reach it first, the strongest first.

    Errors: DataError for a code that is no area, no category of people in a corridor, or a corridor to itself.
    """
    people([origin], [destination], [category])
    if origin == destination:
        raise DataError(f"a corridor leads from one area to another, not from {origin} to itself", mend="choose two areas")
    opened = register_held(register)
    ready: _Reached = held(("reached", fingerprint(tuple(register)), reading), lambda: _Reached(opened, reading))
    found = ready.of(origin, destination, category, on, direction).merge(opened.entries[_FACTS], on="id", how="left")
    order = found.assign(_off=found["why"].notna(), _weak=-found["dose"]).sort_values(["_off", "_weak", "id", "side"], kind="stable")
    return order[[*_FACTS, "via", "side", "dose", "why", "conditions"]].reset_index(drop=True)
