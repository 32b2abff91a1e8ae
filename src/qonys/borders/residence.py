"""Border files: crossings in Parquet through the residence rule, out of core."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd
from ibis import _

from qonys.border import classify, rule
from qonys.border.aliases import one_person
from qonys.borders.imports import hashed_aliases_of
from qonys.core.errors import DataError, nearest
from qonys.core.periods import whole_day
from qonys.store import connect
from qonys.store.engines.local import map_by_person
from qonys.store.raw import read_raw

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ibis.backends import BaseBackend


ENGINES = ("local", "spark")


@dataclass(frozen=True, slots=True)
class Classified:
    """What became of a file of crossings: rows written, the end of the data, rows not yet decided, rows with a fault."""

    rows: int
    end: date
    undecided: int
    faulty: int


def classify_file(
    source: Path, target: Path, *, rule_name: str, end: str | None, zone: str, aliases: Path | None = None, engine: str = "local",
    tell: Callable[[int, int], None] = lambda *_: None,
) -> Classified:  # fmt: skip
    """The residence rule over a Parquet file of crossings. aliases: ids of renewed documents (old, new), hashed as the
    crossings are, by which a person keeps the first. engine: local, or spark, which also reads and writes folders of Parquet parts.

    Errors: DataError for a file that holds no crossings, an output that is the input, an alias table that is none, or an engine that is
    not there.
    """
    chosen = rule(rule_name)
    if engine not in ENGINES:
        raise DataError(f"there is no engine {engine!r}", mend=nearest(engine, ENGINES))
    if engine == "local" and (source.suffix != ".parquet" or target.suffix != ".parquet"):
        raise DataError("crossings are read and written as Parquet", mend="convert them first, and name the output something.parquet")
    if source.resolve() == target.resolve():
        raise DataError(f"{target} is the input too", mend="name another output")
    con = connect()
    last = last_day(con, source, end)
    function = partial(classify, rule_=chosen, end=last, zone=zone, threads=1)
    before = partial(one_person, aliases=hashed_aliases_of(aliases, source)) if aliases else None
    if engine == "spark":
        from qonys.store.engines import spark

        rows = spark.map_by_person(source, target, function, before=before, tell=tell)
    else:
        rows = map_by_person(source, target, function, before=before, tell=tell)
    written = target if target.is_file() else target / "*.parquet"
    counted = con.to_pandas(
        con.read_parquet(written).agg(undecided=_.long_term.isnull().sum().fill_null(0), faulty=_.fault.notnull().sum().fill_null(0))
    )
    return Classified(rows, last, int(counted["undecided"].item()), int(counted["faulty"].item()))


def last_day(con: BaseBackend, source: Path, end: str | None) -> date:
    """The last day the data of a file cover: the one given, else that of the last crossing. Errors: DataError if it holds no crossings."""
    given = whole_day(end) if end else None
    raw = con.read_parquet(source / "*.parquet") if source.is_dir() else read_raw(con, source)[0]
    if "at" not in raw.columns or not raw["at"].type().is_timestamp():
        raise DataError(f"{source.name} has no column 'at' of instants", mend="see qonys contract show crossing")
    if given is not None:
        return given
    newest = con.to_pandas(raw.agg(last=raw["at"].max()))["last"].item()
    if newest is None or newest != newest:
        raise DataError(f"{source.name} holds no crossings", mend="check the export")
    last: date = pd.Timestamp(newest).date()
    return last
