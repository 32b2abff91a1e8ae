"""A simulated border with a closure in its middle, for tests of what is learnt from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pyarrow as pa

from qonys.border.parameters import border_parameters
from qonys.border.simulate import simulate

START, END = date(2008, 1, 1), date(2021, 12, 31)
CLOSED = date(2017, 3, 16), date(2017, 9, 30)


def border(*, people: int, seed: int, end: date = END) -> pa.Table:
    """Crossings from START to `end`, the shipped border but for its years; documents are not renewed."""
    shipped = border_parameters()
    closure = replace(shipped.closures[0], start=CLOSED[0], end=CLOSED[1])
    made = replace(shipped, start=START, end=end, closures=(closure,), records=replace(shipped.records, renewals_per_year=0.0))
    return pa.concat_tables([batch.crossings for batch in simulate(made, people=people, seed=seed)]).unify_dictionaries()
