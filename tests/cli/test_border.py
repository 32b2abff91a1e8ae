"""qonys border, as its user meets it."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shell import qonys

ROWS = [
    ("a", datetime(2018, 1, 5, tzinfo=UTC), "entry", "UZB"), ("b", datetime(2018, 1, 9, tzinfo=UTC), "entry", "KGZ"),
    ("b", datetime(2018, 2, 9, tzinfo=UTC), "exit", "KGZ"), ("c", datetime(2020, 12, 1, tzinfo=UTC), "entry", "UZB"),
]  # fmt: skip


@pytest.fixture
def crossings(tmp_path):
    names = ["person_id", "at", "direction", "citizenship"]
    table = pa.table({name: [row[place] for row in ROWS] for place, name in enumerate(names)})
    pq.write_table(table.set_column(1, "at", table["at"].cast(pa.timestamp("us", tz="UTC"))), tmp_path / "crossings.parquet")
    return tmp_path / "crossings.parquet"


def test_from_records_to_flows(crossings, tmp_path):
    done = qonys("border", "classify", crossings, "-o", tmp_path / "c.parquet", "--end", "2020-12-31", "--quiet")
    assert done.returncode == 0
    assert "crossings: 4; data to December 31, 2020; not yet known: 1; with a fault: 0" in done.stderr
    assert pq.read_table(tmp_path / "c.parquet")["long_term"].to_pylist() == [True, False, False, None]
    done = qonys(
        "border",
        "flows",
        tmp_path / "c.parquet",
        "--country",
        "KAZ",
        "--end",
        "2020-12-31",
        "--split",
        "citizenship",
        "--disclosure",
        "none",
        "-o",
        tmp_path / "f.csv",
    )
    assert done.returncode == 0
    found = pd.read_csv(tmp_path / "f.csv")
    assert found[["citizenship", "period_start", "persons", "undecided", "status"]].to_numpy().tolist() == [
        ["UZB", "2018-01-01", 1.0, 0, "final"], ["UZB", "2020-12-01", 0.0, 1, "provisional"],
    ]  # fmt: skip


def test_rules_are_listed():
    assert "12/16,487,365" in qonys("border", "rules").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("classify", "none.parquet", "-o", "o.parquet"), "there is no file none.parquet"),
        (("classify", "x.csv", "-o", "o.parquet"), "crossings are read and written as Parquet"),
        (("classify", "c.parquet", "-o", "c.parquet"), "c.parquet is the input too"),
        (("classify", "c.parquet", "-o", "o.parquet", "--rule", "16/12"), "the rule 16/12 asks for"),
        (("classify", "c.parquet", "-o", "o.parquet", "--end", "2020"), "'2020' is no single day"),
        (("flows", "none.parquet", "--country", "KAZ", "--end", "2020-12-31"), "there is no file none.parquet"),
        (("flows", "none.parquet", "--country", "KAX", "--end", "2020-12-31"), "no area has the code 'KAX'"),
    ],
)
def test_an_error_is_one_sentence_with_its_mend_and_exit_1(tmp_path, words, sentence):
    done = qonys("border", *words, cwd=tmp_path)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
