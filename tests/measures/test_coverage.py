"""Which challenges are answered, by what, and which by nothing."""

from __future__ import annotations

import ibis
import pytest

from qonys.core.contracts import CHALLENGE, MEASURE, OBJECT
from qonys.core.errors import DesignError
from qonys.measures import answers, coverage, coverage_by, gaps, object_coverage
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


COUNTED = [{"id": "m1", "field": "health", "status": "ended", "level": "national"}, {"id": "m2", "field": "migration", "status": "standing", "level": "union"},
           {"id": "m3", "field": "health", "status": "proposed", "level": "national"}, {"id": "m4", "field": "health", "status": "issued", "level": "regional"}]  # fmt: skip
OF_TYPES = [
    {"id": "c1", "migration_type": "labour", "kind": "security", "answered_by": "m1 m2 m4"}, {"id": "c2", "migration_type": "labour", "kind": "social", "answered_by": "m1"},
    {"id": "c3", "migration_type": "ethnic", "kind": "social", "answered_by": "m3"}, {"id": "c4", "migration_type": "ethnic", "kind": "social"},
]  # fmt: skip
THINGS = [{"id": "o1", "measure_ids": "m1 m2"}, {"id": "o2", "measure_ids": "m3"}, {"id": "o3"}, {"id": "o4", "measure_ids": "elsewhere"}]


@pytest.fixture
def counted() -> tuple[ibis.Table, ibis.Table]:
    return typed(CHALLENGE, OF_TYPES, "c.csv"), typed(MEASURE, COUNTED, "m.csv")


def test_answers_are_counted_by_field_and_level_each_measure_and_challenge_once(con, counted):
    by_field = con.to_pandas(coverage_by(*counted, "migration_type", "field")).set_index(["migration_type", "field"])
    assert by_field[["adopted", "proposed", "challenges"]].to_dict("index") == {
        ("labour", "health"): {"adopted": 2, "proposed": 0, "challenges": 2},
        ("labour", "migration"): {"adopted": 1, "proposed": 0, "challenges": 1},
        ("ethnic", "health"): {"adopted": 0, "proposed": 1, "challenges": 0},
    }
    by_level = con.to_pandas(coverage_by(*counted, "measure_level")).set_index("measure_level")
    assert by_level["adopted"].to_dict() == {"national": 1, "union": 1, "regional": 1}
    assert sorted(by_level.loc["national", "challenge_rows"]) == ["c.csv:2", "c.csv:3", "c.csv:4"]
    assert sorted(by_level.loc["national", "measure_rows"]) == ["m.csv:2", "m.csv:4"]


def test_open_challenges_add_up_with_those_answered(con, counted):
    rows = con.to_pandas(gaps(*counted, "migration_type")).set_index("migration_type")
    assert rows.drop(columns="rows").to_dict("index") == {
        "labour": {"challenges": 2, "adopted": 2, "proposed": 0, "none": 0, "one_field": 1},
        "ethnic": {"challenges": 2, "adopted": 0, "proposed": 1, "none": 1, "one_field": 0},
    }
    whole, kinds = con.to_pandas(coverage(*counted)), con.to_pandas(gaps(*counted, "kind"))
    assert kinds["challenges"].sum() == len(whole) == kinds[["adopted", "proposed", "none"]].sum().sum()


def test_a_row_of_objects_without_an_entry_of_the_register_is_a_gap(con, counted):
    rows = con.to_pandas(object_coverage(typed(OBJECT, THINGS, "o.csv"), counted[1])).set_index("object")
    assert rows[["adopted", "proposed", "fields", "levels", "answer"]].to_dict("index") == {
        "o1": {"adopted": 2, "proposed": 0, "fields": 2, "levels": 2, "answer": "adopted"},
        "o2": {"adopted": 0, "proposed": 1, "fields": 0, "levels": 0, "answer": "proposed"},
        "o3": {"adopted": 0, "proposed": 0, "fields": 0, "levels": 0, "answer": "none"},
        "o4": {"adopted": 0, "proposed": 0, "fields": 0, "levels": 0, "answer": "none"},
    }
    assert list(rows.loc["o1", "field_codes"]) == ["health", "migration"]
    assert list(rows.loc["o1", "measures"]) == ["m1", "m2"]


def test_coverage_by_a_column_that_there_is_not_is_refused_with_the_nearest(counted):
    with pytest.raises(DesignError, match="coverage cannot be counted by 'feild'; did you mean 'field'"):
        coverage_by(*counted, "feild")
    with pytest.raises(DesignError, match="coverage cannot be counted by 'field'; it can be one of: kind, level, migration_type"):
        gaps(*counted, "field")
    with pytest.raises(DesignError, match="coverage was asked by no column"):
        coverage_by(*counted)
