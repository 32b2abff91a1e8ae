"""Which challenges are answered, by what, and which by nothing."""

from __future__ import annotations

import ibis
import pytest

from qonys.core.contracts import CHALLENGE, MEASURE
from qonys.measures import answers, coverage
from rows import typed

MEASURES = [{"id": "m1", "field": "health", "status": "ended"}, {"id": "m2", "field": "migration", "status": "standing"},
            {"id": "m3", "field": "health", "status": "proposed"}]  # fmt: skip
CHALLENGES = [
    {"id": "c1", "answered_by": "m1 m2 m3"}, {"id": "c2", "answered_by": "m3"}, {"id": "c3"}, {"id": "c4", "answered_by": "elsewhere"},
]  # fmt: skip


@pytest.fixture
def tables() -> tuple[ibis.Table, ibis.Table]:
    return typed(CHALLENGE, CHALLENGES, "c.csv"), typed(MEASURE, MEASURES, "m.csv")


def test_each_challenge_is_counted_once_with_its_adopted_and_proposed_measures(con, tables):
    rows = con.to_pandas(coverage(*tables)).set_index("challenge")
    assert rows[["adopted", "proposed", "fields", "answer"]].to_dict("index") == {
        "c1": {"adopted": 2, "proposed": 1, "fields": 2, "answer": "adopted"},
        "c2": {"adopted": 0, "proposed": 1, "fields": 0, "answer": "proposed"},
        "c3": {"adopted": 0, "proposed": 0, "fields": 0, "answer": "none"},
        "c4": {"adopted": 0, "proposed": 0, "fields": 0, "answer": "none"},
    }


def test_the_counts_add_up_to_the_answers(con, tables):
    rows, pairs = con.to_pandas(coverage(*tables)), con.to_pandas(answers(*tables))
    assert rows["adopted"].sum() + rows["proposed"].sum() == len(pairs) == 4
    assert pairs.loc[pairs["adopted"], "measure"].tolist().count("m1") == 1
    assert set(pairs["challenge_row"]) == {"c.csv:2", "c.csv:3"}
