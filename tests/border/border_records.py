"""Crossings for tests: irregular ones of a few persons within a few weeks, and lives of which every crossing was seen."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import ibis
import pandas as pd
from hypothesis import strategies as st

from border.presence_reference import Record

FIRST, END = date(2020, 1, 6), date(2020, 2, 28)
# a number from which a whole table of records is made: a table in full would be too long to print
seeds = st.integers(0, 2**32)
START = datetime.combine(FIRST, datetime.min.time())
_KINDS = {
    "person_id": "string", "at": "timestamp(6)", "direction": "string", "citizenship": "string", "permit": "string", "permitted_until": "date",
    "border_point": "string",
}  # fmt: skip


def crossing_table(records: list[Record]) -> ibis.Table:
    """Records as the table of the contract, without the columns that no test needs."""
    frame = pd.DataFrame(records, columns=list(_KINDS)).astype({name: "string" for name, kind in _KINDS.items() if kind == "string"})
    frame["at"] = pd.to_datetime(frame["at"]).astype("datetime64[us]")
    frame["permitted_until"] = [None if pd.isna(one) else one for one in frame["permitted_until"]]
    return ibis.memtable(frame, schema=_KINDS)


def records(seed: int, persons: int = 60, days: int = 10) -> list[Record]:
    """Anything that a border may have written down of many persons: repeats, same instants, misses. Few hours a day, so that instants meet."""
    chance = random.Random(seed)
    found = []
    for number in range(persons):
        about = chance.choice(("UZB", "KGZ", "DEU", "KAZ", None)), chance.choice((None, None, "visa_free", "work"))
        for _ in range(chance.randint(1, 9)):
            at = START + timedelta(days=chance.randint(0, days), hours=chance.choice((0, 9, 23)))
            until = FIRST + timedelta(days=chance.randint(0, days)) if chance.random() < 0.3 else None
            found.append(Record(f"p{number}", at, chance.choice(("entry", "exit")), *about, until, chance.choice(("road", "rail", None))))
    return found


def clean_lives(seed: int, persons: int = 60) -> list[Record]:
    """Persons first seen entering, with entries and exits in turn, no two in one instant."""
    chance = random.Random(seed)
    return [
        Record(f"p{number}", START + timedelta(hours=hour), ("entry", "exit")[place % 2])
        for number in range(persons)
        for place, hour in enumerate(sorted(chance.sample(range(24 * 45), chance.randint(1, 8))))
    ]
