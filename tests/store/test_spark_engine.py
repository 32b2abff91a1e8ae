"""On Apache Spark the same call gives the same rows, and as one file the same bytes, as on one machine; and so do the same expressions."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from border.border_records import END as LAST
from border.border_records import FIRST, crossing_table, records
from border.reference import Rule, reference
from qonys.border import classify
from qonys.border.presence import present, spells
from qonys.border.stays import permissions, stays
from qonys.border.stranded import citizens_abroad, stranded
from qonys.border.visa_free import FOREVER, VisaFree
from qonys.core.errors import DataError
from qonys.store.engines import local, spark
from store.test_local_engine import rows_of, tables

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]
END = date(2020, 12, 31)
FUNCTION = partial(classify, end=END, threads=1)


@pytest.fixture(scope="module")
def session():
    one = spark.local_session()
    yield one
    one.stop()


def both(session, table, folder, **more):
    pq.write_table(table, folder / "c.parquet", row_group_size=700)
    here, there = folder / "local.parquet", folder / "spark.parquet"
    assert local.map_by_person(folder / "c.parquet", here, FUNCTION) == len(table)
    assert spark.map_by_person(folder / "c.parquet", there, FUNCTION, session=session, **more) == len(table)
    assert sorted(path.name for path in folder.iterdir()) == ["c.parquet", "local.parquet", "spark.parquet"]
    return here, there


@pytest.mark.parametrize("name", ["one_person", "alike", "few_many", "letters"])
def test_any_ids_give_the_same_bytes_whatever_a_worker_holds_at_once(session, tmp_path, name):
    here, there = both(session, tables(np.random.default_rng(5))[name], tmp_path, piece_rows=200)
    assert there.read_bytes() == here.read_bytes()


def columns(rng, rows: int, unit: str, zone: str | None) -> pa.Table:
    at = (1_483_228_800 + rng.integers(0, 10**8, rows)).astype("datetime64[s]")
    return pa.table(
        {
            "at": pa.array(at, pa.timestamp("s")).cast(pa.timestamp(unit)).cast(pa.timestamp(unit, zone)),
            "person_id": pa.array([f"{place:032x}" for place in rng.integers(0, 90, rows)]),
            "direction": pa.array(rng.choice(["entry", "exit"], rows)).dictionary_encode(),
            "birth_year": pa.array(rng.integers(1940, 2010, rows), pa.int16(), mask=rng.random(rows) < 0.1),
            "permitted_until": pa.array(rng.integers(17_000, 19_000, rows).astype(np.int32), pa.int32(), mask=rng.random(rows) < 0.5).cast(pa.date32()),
            "border_point": pa.array(rng.choice(["korday", None, ""], rows)),
        }
    )  # fmt: skip


@pytest.mark.parametrize(("unit", "zone"), [("us", "UTC"), ("us", None), ("ns", None), ("ms", "Asia/Almaty")])
def test_every_kind_of_column_travels_and_comes_back(session, tmp_path, unit, zone):
    here, there = both(session, columns(np.random.default_rng(7), 1_500, unit, zone), tmp_path)
    assert pq.read_table(there).equals(pq.read_table(here))
    assert pq.read_schema(there).equals(pq.read_schema(here))


def test_the_rows_are_those_of_the_plain_reference(session, tmp_path):
    table = columns(np.random.default_rng(9), 600, "us", "UTC")
    _here, there = both(session, table, tmp_path)
    found = pq.read_table(there)
    rows = [(row["person_id"], row["at"], row["direction"]) for row in table.to_pylist()]
    wanted = reference(rows, Rule(487, 365), END)
    names = ["at", "direction", "days_present", "days_observed", "long_term", "resident_before", "resident_after", "migration", "final_on"]
    assert rows_of(found.select(["person_id", *names])) == [(one.person, *(getattr(one, name) for name in names)) for one in wanted]


def test_a_folder_of_parts_holds_the_same_rows_in_order_and_can_be_read_again(session, tmp_path):
    table = tables(np.random.default_rng(5))["alike"]
    here, _there = both(session, table, tmp_path)
    assert spark.map_by_person(tmp_path / "c.parquet", tmp_path / "parts", FUNCTION, session=session) == len(table)
    parts = [pq.read_table(one) for one in sorted((tmp_path / "parts").iterdir())]
    assert rows_of(pa.concat_tables(parts)) == rows_of(pq.read_table(here))
    again = spark.map_by_person(tmp_path / "parts", tmp_path / "again.parquet", FUNCTION, session=session)
    assert again == len(table)
    assert rows_of(pq.read_table(tmp_path / "again.parquet")) == rows_of(pq.read_table(here))


def test_a_file_without_rows_gives_a_file_without_rows(session, tmp_path):
    here, there = both(session, tables(np.random.default_rng(5))["alike"].slice(0, 0), tmp_path)
    assert there.read_bytes() == here.read_bytes()


def test_what_the_function_refuses_reaches_the_user_as_its_sentence_and_leaves_nothing(session, tmp_path):
    table = tables(np.random.default_rng(5))["alike"]
    pq.write_table(
        table.set_column(0, "person_id", pa.array([None, *table["person_id"].to_pylist()[1:]], pa.string())), tmp_path / "c.parquet"
    )
    for target in (tmp_path / "out.parquet", tmp_path / "out"):
        with pytest.raises(DataError, match="1 crossings have no person_id") as refused:
            spark.map_by_person(tmp_path / "c.parquet", target, FUNCTION, session=session)
        assert "qonys contract check" in refused.value.mend
    assert [path.name for path in tmp_path.iterdir()] == ["c.parquet"]


def test_files_that_hold_no_persons_are_refused_before_spark_is_started(tmp_path):
    (tmp_path / "no.parquet").write_text("no", encoding="utf-8")
    with pytest.raises(DataError, match=r"no\.parquet is no Parquet file"):
        spark.map_by_person(tmp_path / "no.parquet", tmp_path / "out.parquet", FUNCTION)


def test_without_java_the_mend_is_to_install_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(DataError, match="needs Java") as refused:
        spark.local_session()
    assert "Java 17" in refused.value.mend


# Expressions, which an engine only carries out


RULE = VisaFree(
    issuer="KAZ", citizenships=("DEU", "UZB"), days_per_stay=20, days_in_window=7, window_days=15, first=FIRST, last=FOREVER, source="test"
)

WAYS = pa.table({"citizenship": ["UZB", "KAZ"], "closed_at": ["exit", "entry"], "measure_ids": [["KM012", "EM102"], ["KM012"]]})


def answers(con, crossings: ibis.Table) -> dict[str, list[str]]:
    on, later = FIRST + timedelta(days=20), {"on": FIRST + timedelta(days=45), "country": "KAZ"}
    ways = ibis.memtable(WAYS)  # as the pipeline hands it over: small, in memory
    tables = {
        "spells": spells(crossings, end=LAST, offset_hours=5), "present": present(crossings, on=on, end=LAST), "stays": stays(crossings, on=on, end=LAST, country="KAZ", visa_free=[RULE]),
        "permissions": permissions(crossings, on=on, end=LAST, country="KAZ", visa_free=[RULE], within_days=3),
        "stranded": stranded(crossings, ways, within_days=9, visa_free=[RULE], **later), "abroad": citizens_abroad(crossings, ways, **later),
    }  # fmt: skip
    found = {name: con.to_pyarrow(table).to_pylist() for name, table in tables.items()}
    return {name: sorted(repr(sorted((key, str(value)) for key, value in row.items())) for row in rows) for name, rows in found.items()}


def test_stays_and_people_stuck_are_the_same_rows_on_both_engines(con, session, tmp_path):
    for setting, value in (("wholeStage", "false"), ("factoryMode", "NO_CODEGEN")):  # compiling for so few rows takes longer than they do
        session.conf.set(f"spark.sql.codegen.{setting}", value)
    con.to_parquet(crossing_table(records(8, persons=300, days=40)), tmp_path / "crossings.parquet")
    here, there = (answers(engine, engine.read_parquet(tmp_path / "crossings.parquet")) for engine in (con, ibis.pyspark.connect(session)))
    assert min(map(len, here.values())) > 0
    assert here == there
