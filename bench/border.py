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
# The same rule in SQL, as one would write it: the spells of the 487 days that follow each crossing by a join, their running sums by
# windows, the first spell that decides, and the status of a person through time by recursion. Where both give an answer they give the
# same (tests/border/test_sql.py); it has no faults and no `final_on`.
SQL = """
with recursive spells as materialized (
  select *, row_number() over w as place, date_diff('day', "at"::date, coalesce(lead("at") over w, timestamptz '{end}')::date) as days
  from {source} window w as (partition by person_id order by "at")
), walks as (
  select a.person_id, a.place, b.place as later,
         sum(case when a.direction = b.direction then b.days else 0 end) over v as own,
         sum(case when a.direction <> b.direction then b.days else 0 end) over v as other,
         least(b.days, 487 - date_diff('day', a."at"::date, b."at"::date)) as observed, b.direction = 'entry' as inside
  from spells a join spells b on a.person_id = b.person_id and b.place >= a.place and b."at" < a."at" + interval 488 day
  window v as (partition by a.person_id, a.place order by b.place)
), verdicts as materialized (
  select person_id, place, min(later) filter (other > 122) as given_up, min(later) filter (own >= 365) as reached,
         sum(observed) as days_observed, sum(observed) filter (inside) as days_present
  from walks group by all
), judged as materialized (
  select s.*, v.days_present, v.days_observed,
         case when v.given_up <= coalesce(v.reached, v.given_up) then false when v.reached is not null then true end as stays
  from spells s join verdicts v using (person_id, place)
), states as (
  select person_id, place, direction = 'exit' as resident_before, stays as long_term, (direction = 'exit') <> stays as resident_after
  from judged where place = 1
  union all
  select j.person_id, j.place, s.resident_after,
         case when s.resident_after is null then null when s.resident_after = (j.direction = 'exit') then j.stays else false end,
         case when s.resident_after is null then null
              when s.resident_after = (j.direction = 'exit') then s.resident_after <> j.stays else s.resident_after end
  from states s join judged j on j.person_id = s.person_id and j.place = s.place + 1
)
select j.* exclude (place, days, stays), s.resident_before, s.long_term, s.resident_after
from judged j join states s using (person_id, place) order by person_id, "at"
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


def border(rows: int = 2_000_000) -> str:
    """One line: our time from Parquet to Parquet, and its ratios; then both without writing."""
    with tempfile.TemporaryDirectory() as folder:
        source, ours, others = (Path(folder) / f"{name}.parquet" for name in ("crossings", "ours", "others"))
        crossings(source, rows)
        classify(pq.read_table(source).slice(0, 1000))  # compile once
        con = duckdb.connect()
        con.execute("set enable_progress_bar = false; set timezone = 'UTC'")

        def timed(work: Callable[[], object], times: int = 3) -> float:
            found = []
            for _ in range(times):
                started = time.perf_counter()
                work()
                found.append(time.perf_counter() - started)
            return min(found)

        function = partial(classify, end=END, threads=1)
        whole = timed(lambda: map_by_person(source, ours, function))
        order = timed(lambda: con.execute(f"copy (from '{source}' order by person_id, \"at\") to '{others}' (compression zstd)"))
        question = SQL.format(source=f"read_parquet('{source}')", end=END)
        sql = timed(lambda: con.execute(f"copy ({question}) to '{others}' (compression zstd)"), 1)
        table = pq.read_table(source, read_dictionary=["direction", "citizenship"]).combine_chunks()
        memory = timed(lambda: classify(table, end=END))
        read = timed(lambda: pq.read_table(source, read_dictionary=["direction", "citizenship"]))
        inside = timed(lambda: con.execute(f"create or replace temp table answers as {question}"), 1)
    return "\n".join(
        [
            f"border: {whole:.2f} s for {rows:,} crossings from Parquet to Parquet ({rows / whole:,.0f} a second), "
            f"{whole / order:.1f} times the time DuckDB takes to write them in order; in SQL it takes {sql / whole:.1f} times as long",
            f"border, nothing written: {read:.2f} s to read, {memory:.2f} s to classify ({rows / memory:,.0f} a second, "
            f"{rows / memory / STATS_NZ_ROWS_A_SECOND:.0f} times Stats NZ's package); the rule in SQL takes "
            f"{inside / (read + memory):.1f} times as long",
        ]
    )
