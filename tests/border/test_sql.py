"""The rule written in SQL, as the bench times it, and the kernel: two ways that share nothing give the same answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from bench.border import END, SQL

from qonys.border import classify

ANSWERS = ["days_present", "days_observed", "long_term", "resident_before", "resident_after"]


@pytest.mark.parametrize("seed", [1, 2])
def test_sql_and_kernel_agree_wherever_both_answer(seed):
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(400):
        at, way = datetime(2015, 1, 1, 8, tzinfo=UTC) + timedelta(days=int(rng.integers(0, 700))), rng.choice(["entry", "exit"])
        for _ in range(int(rng.integers(1, 12))):
            rows.append((f"p{person:04d}", at, way))
            at += timedelta(days=int(rng.choice([1, 20, 100, 122, 123, 300, 365, 487])))
            way = rng.choice(["entry", "exit"]) if rng.random() < 0.1 else {"entry": "exit", "exit": "entry"}[way]
    rows = [row for row in rows if row[1].date() <= END]
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(("person_id", "at", "direction"))})
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    con.register("crossings", table.set_column(1, "at", table["at"].cast(pa.timestamp("us", tz="UTC"))))
    theirs = con.sql(SQL.format(source="crossings", end=END)).to_arrow_table()
    ours = classify(table, end=END)
    assert ours.num_rows == theirs.num_rows == len(rows)
    answered = 0
    for name in ANSWERS:
        pairs = [pair for pair in zip(ours[name].to_pylist(), theirs[name].to_pylist(), strict=True) if None not in pair]
        assert all(a == b for a, b in pairs), name
        answered += len(pairs)
    assert answered > 0.7 * len(ANSWERS) * len(rows)
