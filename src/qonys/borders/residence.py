"""Border files: crossings in Parquet through the residence rule to flows, out of core."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Literal

import ibis
import pandas as pd
from ibis import _

from qonys.border import border_flows, classify, rule
from qonys.core import areas
from qonys.core.errors import DataError, nearest
from qonys.core.periods import earliest, latest
from qonys.store import connect
from qonys.store.engines.local import map_by_person
from qonys.store.raw import read_raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SPLITS = ("citizenship", "sex", "age")


@dataclass(frozen=True, slots=True)
class Classified:
    """What became of a file of crossings: rows written, the end of the data, rows not yet decided, rows with a fault."""

    rows: int
    end: date
    undecided: int
    faulty: int


def classify_file(
    source: Path, target: Path, *, rule_name: str, end: str | None, zone: str, tell: Callable[[int, int], None] = lambda *_: None
) -> Classified:
    """The residence rule over a Parquet file of crossings. Errors: DataError for a file that holds none, or an output that is the input."""
    chosen = rule(rule_name)
    if source.suffix != ".parquet" or target.suffix != ".parquet":
        raise DataError("crossings are read and written as Parquet", mend="convert them first, and name the output something.parquet")
    if source.resolve() == target.resolve():
        raise DataError(f"{target} is the input too", mend="name another output")
    last = _day(end) if end else None
    con = connect()
    raw, _malformed = read_raw(con, source)
    if "at" not in raw.columns or not raw["at"].type().is_timestamp():
        raise DataError(f"{source.name} has no column 'at' of instants", mend="see qonys contract show crossing")
    if last is None:
        newest = con.to_pandas(raw.agg(last=raw["at"].max()))["last"].item()
        if newest is None or newest != newest:
            raise DataError(f"{source.name} holds no crossings", mend="check the export")
        last = pd.Timestamp(newest).date()
    rows = map_by_person(source, target, partial(classify, rule_=chosen, end=last, zone=zone, threads=1), tell=tell)
    counted = con.execute(con.read_parquet(target).agg(undecided=_.long_term.isnull().sum(), faulty=_.fault.notnull().sum())).fillna(0)
    return Classified(rows, last, int(counted["undecided"].item()), int(counted["faulty"].item()))


def flows_of_file(source: Path, *, country: str, end: str, period: Literal["month", "year"], by: tuple[str, ...]) -> pd.DataFrame:
    """Flows of a classified file (see `border.border_flows`). Errors: DataError for a file that is not classified, or an unknown split."""
    areas.area(country)
    vintage = _day(end)
    for name in by:
        if name not in SPLITS:
            raise DataError(f"flows cannot be split by {name!r}", mend=nearest(name, SPLITS))
    con = connect()
    table, _malformed = read_raw(con, source)
    needed = ("long_term", "fault", "at", "direction", *(name if name != "age" else "birth_year" for name in by))
    if absent := [name for name in needed if name not in table.columns]:
        raise DataError(f"{source.name} has no column {', '.join(map(repr, absent))}", mend="make it with qonys border classify")
    found = border_flows(table, country=country, vintage=vintage, period=period, by=by)
    return con.to_pandas(found.order_by("period_start", ibis.desc("destination"), *SPLITS))


def _day(text: str) -> date:
    if earliest(text) != latest(text):
        raise DataError(f"{text!r} is no single day", mend="write it as 2021-12-31")
    return earliest(text)
