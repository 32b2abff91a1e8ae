"""Crossings through the residence rule, against sorting them, against SQL, and against the one open implementation."""

from __future__ import annotations

import tempfile
import time
from datetime import date
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qonys.border import classify
from qonys.store.engines.local import map_by_person

if TYPE_CHECKING:
    from collections.abc import Callable

END = date(2021, 12, 31)
STATS_NZ_ROWS_A_SECOND = 8_000  # package migrbc on such a machine
# The question of the rule without its last step, the status of a person through time, which SQL cannot say without recursion:
# for each crossing the spells of the following 487 days, their running sums, and the first spell that decides.
SQL = """
with spells as (
  select person_id, "at", direction, row_number() over w as place,
         date_diff('day', "at"::date, coalesce(lead("at") over w, timestamptz '2021-12-31')::date) as days
  from read_parquet(?) window w as (partition by person_id order by "at")
), walks as (
  select a.person_id, a.place, b.place as later,
         sum(case when a.direction = b.direction then b.days else 0 end) over v as own,
         sum(case when a.direction <> b.direction then b.days else 0 end) over v as other
  from spells a join spells b on a.person_id = b.person_id and b.place >= a.place and b."at" < a."at" + interval 487 day
  window v as (partition by a.person_id, a.place order by b.place)
)
select count(*) from (
  select person_id, place, min(later) filter (other > 122) as given_up, min(later) filter (own >= 365) as reached
  from walks group by all
)
"""


def crossings(path: Path, rows: int) -> None:
    """Crossings of rows / 6 persons over five years, directions in turn."""
    rng = np.random.default_rng(1)
    people = rows // 6
    person = rng.integers(0, people, rows)
    seconds = 1_483_228_800 + rng.integers(0, 5 * 365 * 86_400, rows)
    order = np.lexsort((seconds, person))
    first = np.r_[True, person[order][1:] != person[order][:-1]]
    place = np.arange(rows) - np.maximum.accumulate(np.where(first, np.arange(rows), 0))
    entry = np.empty(rows, dtype=bool)
    entry[order] = place % 2 == 0
    ids = np.array([blake2b(str(one).encode(), digest_size=16).hexdigest() for one in range(people)])
    table = pa.table(
        {
            "person_id": pa.array(ids[person]),
            "at": pa.array(seconds.astype("datetime64[s]").astype("datetime64[us]"), pa.timestamp("us", tz="UTC")),
            "direction": pa.array(np.where(entry, "entry", "exit")),
            "citizenship": pa.array(rng.choice(["KAZ", "KGZ", "RUS", "UZB"], rows)),
        }
    )
    pq.write_table(table, path)


def border(rows: int = 1_000_000) -> str:
    """One line: our time for the whole way from Parquet to Parquet, and its ratios."""
    with tempfile.TemporaryDirectory() as folder:
        source, ours, sorted_ = (Path(folder) / f"{name}.parquet" for name in ("crossings", "ours", "sorted"))
        crossings(source, rows)
        classify(pq.read_table(source).slice(0, 1000))  # compile once
        con = duckdb.connect()
        con.execute("set enable_progress_bar = false")

        def timed(work: Callable[[], object]) -> float:
            started = time.perf_counter()
            work()
            return time.perf_counter() - started

        function = partial(classify, end=END, threads=1)
        whole = min(timed(lambda: map_by_person(source, ours, function, piece_rows=rows // 2)) for _ in range(3))
        copy = f"copy (select * from '{source}' order by person_id, \"at\") to '{sorted_}' (compression zstd)"
        order = min(timed(lambda: con.execute(copy)) for _ in range(3))
        sql = timed(lambda: con.execute(SQL, [str(source)]).fetchall())
    return "; ".join(
        [
            f"border: {whole:.2f} s for {rows:,} crossings ({rows / whole:,.0f} a second)",
            f"{whole / order:.1f} times the time of writing them in order with DuckDB",
            f"SQL for the first part of the question takes {sql / whole:.1f} times as long",
            f"{rows / whole / STATS_NZ_ROWS_A_SECOND:.0f} times the rows a second of Stats NZ's package",
        ]
    )
