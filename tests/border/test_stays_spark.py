"""The same rows on Apache Spark as on DuckDB: stays and people stuck are expressions, and an engine only carries them out."""

from __future__ import annotations

from datetime import timedelta

import ibis
import pyarrow as pa
import pytest
from border_records import END, FIRST, crossing_table, records

from qonys.border.presence import present, spells
from qonys.border.stays import permissions, stays
from qonys.border.stranded import citizens_abroad, stranded
from qonys.border.visa_free import FOREVER, VisaFree
from qonys.store import connect

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
RULE = VisaFree(
    issuer="KAZ", citizenships=("DEU", "UZB"), days_per_stay=20, days_in_window=7, window_days=15, first=FIRST, last=FOREVER, source="test"
)

WAYS = pa.table({"citizenship": ["UZB", "KAZ"], "closed_at": ["exit", "entry"], "measure_ids": [["KM012", "EM102"], ["KM012"]]})


@pytest.fixture(scope="module")
def spark():
    engine = connect("spark")
    yield engine
    engine.disconnect()


def answers(con, crossings: ibis.Table) -> dict[str, list[str]]:
    on, later = FIRST + timedelta(days=20), {"on": FIRST + timedelta(days=45), "country": "KAZ"}
    ways = ibis.memtable(WAYS)  # as the pipeline hands it over: small, in memory
    tables = {
        "spells": spells(crossings, end=END, offset_hours=5), "present": present(crossings, on=on, end=END), "stays": stays(crossings, on=on, end=END, country="KAZ", visa_free=[RULE]),
        "permissions": permissions(crossings, on=on, end=END, country="KAZ", visa_free=[RULE], within_days=3),
        "stranded": stranded(crossings, ways, within_days=9, visa_free=[RULE], **later), "abroad": citizens_abroad(crossings, ways, **later),
    }  # fmt: skip
    found = {name: con.to_pyarrow(table).to_pylist() for name, table in tables.items()}
    return {name: sorted(repr(sorted((key, str(value)) for key, value in row.items())) for row in rows) for name, rows in found.items()}


def test_both_engines_give_the_same_rows(con, spark, tmp_path):
    con.to_parquet(crossing_table(records(8, persons=300, days=40)), tmp_path / "crossings.parquet")
    here, there = (answers(engine, engine.read_parquet(tmp_path / "crossings.parquet")) for engine in (con, spark))
    assert min(map(len, here.values())) > 0
    assert here == there
