"""The residence rule: the published cases, equality with the plain reference, and what irregular records come to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from border.reference import classify_person
from qonys.border import classify, rule, rules
from qonys.core.errors import DataError

START = date(2017, 1, 1)
ANSWERS = ["days_present", "days_observed", "long_term", "resident_before", "resident_after", "migration", "final_on"]


def table(rows: list[tuple[str, object, str]]) -> pa.Table:
    at = [when if isinstance(when, datetime) else datetime(when.year, when.month, when.day, 12, tzinfo=UTC) for _, when, _ in rows]
    return pa.table(
        {
            "person_id": [person for person, _, _ in rows],
            "at": pa.array(at, pa.timestamp("us", tz="UTC")),
            "direction": [way for _, _, way in rows],
        }
    )


def classified(rows, **more) -> pd.DataFrame:
    return classify(table(rows), **more).to_pandas(types_mapper=pd.ArrowDtype)


def plain(frame: pd.DataFrame) -> list[list[object]]:
    return [[None if pd.isna(value) else value for value in row] for row in frame[ANSWERS].itertuples(index=False, name=None)]


# Published cases


def test_the_published_cases_of_the_12_16_rule_come_out(real_data):
    """Statistics New Zealand's test suite: 98 of 100. In scenarios 24 and 26 the third crossing is published as a second migration in the same
    direction: a status given for the start overrides there the status that the first crossing had changed; see docs/methods/residence-rule.md.
    """
    cases = pd.read_csv(real_data / "statsnz_1216_test_vectors.csv", parse_dates=["date_crossing"])
    wrong, seen = [], 0
    for scenario, own in cases.groupby("scenario"):
        for person, rows in own.groupby("person_id"):
            rows = rows.sort_values(["date_crossing", "journey_id"], kind="stable")
            given_status = rows["initial_status_given"].iloc[0]
            initial = None if pd.isna(given_status) else {str(person): bool(given_status)}
            # two crossings of one day follow each other in the order of the file
            at = [datetime(d.year, d.month, d.day, tzinfo=UTC) + timedelta(minutes=place) for place, d in enumerate(rows["date_crossing"])]
            crossings = [(str(person), when, "entry" if way else "exit") for when, way in zip(at, rows["is_arrival"], strict=True)]
            found = classified(crossings, end=date(2022, 1, 1), initial=initial)
            expected = rows[["expected_res_before", "expected_res_after", "expected_long_term_migrant"]].astype(bool).to_numpy()
            answers = found[["resident_before", "resident_after", "long_term"]].astype(bool).to_numpy()
            seen += len(rows)
            wrong += [(scenario, int(rows["journey_id"].iloc[place])) for place in np.flatnonzero((expected != answers).any(axis=1))]
    assert seen == 100
    assert wrong == [(24, 3), (26, 3)]


# The reference


@st.composite
def histories(draw) -> list[tuple[str, datetime, str]]:
    rows = []
    for person in range(draw(st.integers(1, 3))):
        when = datetime(2017, 1, 1, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 60)))
        way = draw(st.sampled_from(["entry", "exit"]))
        for _ in range(draw(st.integers(1, 12))):
            rows.append((f"p{person}", when, way))
            gap = draw(st.sampled_from([0, 1, 2, 30, 60, 61, 121, 122, 123, 243, 244, 364, 365, 366, 487, 488]))
            when += timedelta(days=gap, seconds=draw(st.integers(1, 50)))
            way = ("exit" if way == "entry" else "entry") if draw(st.integers(0, 9)) else way
    return rows


@pytest.mark.parametrize("name", ["12/16", "12/12", "6/12", "90/180", "9/12"])
@settings(max_examples=60)
@given(rows=histories(), cut=st.integers(0, 700), status=st.sampled_from([None, True, False]))
def test_the_kernel_equals_the_plain_reference(name, rows, cut, status):
    days = sorted(when.date() for _, when, _ in rows)
    end = days[-1] + timedelta(days=cut)
    chosen = rule(name)
    initial = None if status is None else {"p0": status, "p1": status, "p2": status}
    found = classified(rows, rule_=chosen, end=end, initial=initial)
    expected = []
    for person in sorted({person for person, _, _ in rows}):
        own = sorted((when, way) for one, when, way in rows if one == person)
        expected += [
            [one.days_present, one.days_observed, one.long_term, one.resident_before, one.resident_after, one.migration, one.final_on]
            for one in classify_person(
                [when.date() for when, _ in own],
                [way for _, way in own],
                end=end,
                window=chosen.window_days,
                threshold=chosen.threshold_days,
                initial=status,
            )
        ]
    assert plain(found) == expected


@given(rows=histories(), seed=st.integers(0, 99))
def test_neither_the_order_of_the_rows_nor_the_threads_change_the_answer(rows, seed):
    shuffled = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    one = classify(table(rows), threads=1)
    assert one.equals(classify(table(shuffled), threads=3))


@given(rows=histories(), cut=st.integers(0, 300))
def test_what_is_final_stays_whatever_comes_later(rows, cut):
    """An answer final on a day of shorter data is the answer of longer data."""
    last = max(when.date() for _, when, _ in rows)
    early = START + timedelta(days=cut)
    known = [row for row in rows if row[1].date() <= early]
    if not known:
        return
    before = classified(known, end=early)
    after = classified(rows, end=last + timedelta(days=600)).head(len(rows))
    later = {(row.person_id, row.at, row.direction): row for row in after.itertuples()}
    for row in before[before["long_term"].notna()].itertuples():
        same = later[row.person_id, row.at, row.direction]
        assert bool(same.long_term) == bool(row.long_term)
        if not pd.isna(row.final_on):
            assert same.final_on == row.final_on <= early


# Edge cases


def one(rows: list[tuple[str, str]], end: str, **more) -> pd.DataFrame:
    return classified([("p", date.fromisoformat(day), way) for day, way in rows], end=date.fromisoformat(end), **more)


def test_somebody_never_seen_again_becomes_a_migrant_on_the_365th_day():
    assert plain(one([("2020-01-01", "entry")], "2020-12-30"))[0][2:] == [None, False, None, None, None]
    assert plain(one([("2020-01-01", "entry")], "2020-12-31"))[0] == [365, 365, True, False, True, "arrival", date(2020, 12, 31)]


def test_a_departure_first_means_a_resident_unless_a_status_is_given():
    found = one([("2020-01-01", "exit")], "2021-12-31")
    assert plain(found)[0][2:6] == [True, True, False, "departure"]
    assert plain(one([("2020-01-01", "exit")], "2021-12-31", initial={"p": False}))[0][2:6] == [False, False, False, None]


def test_the_tolerance_is_exceeded_by_more_than_122_days_and_not_by_122():
    def after(days: int) -> object:
        back = date(2020, 2, 1) + timedelta(days=days)
        return plain(one([("2020-01-01", "entry"), ("2020-02-01", "exit"), (back.isoformat(), "entry")], "2022-12-31"))[0][2]

    assert after(122) is True
    assert after(123) is False


def test_later_crossings_wait_for_an_undecided_one():
    found = plain(one([("2020-01-01", "entry"), ("2020-06-01", "exit"), ("2020-06-10", "entry")], "2020-07-01"))
    assert [row[2] for row in found] == [None, None, None]
    assert [row[3] for row in found] == [False, None, None]


def test_irregular_records_are_kept_and_named():
    rows = [("p", datetime(2020, 1, 1, 8, tzinfo=UTC), "entry"), ("p", datetime(2020, 1, 1, 8, tzinfo=UTC), "entry"),
            ("p", datetime(2020, 2, 1, tzinfo=UTC), "entry"), ("p", datetime(2020, 3, 1, tzinfo=UTC), "exit"),
            ("p", datetime(2020, 3, 1, tzinfo=UTC), "entry"), ("p", datetime(2020, 4, 1, tzinfo=UTC), "exit"),
            ("p", datetime(2020, 5, 1, tzinfo=UTC), "exit"), ("p", datetime(2031, 1, 1, tzinfo=UTC), "entry"),
            ("p", datetime(1970, 1, 1, tzinfo=UTC), "entry")]  # fmt: skip
    found = classified(rows, end=date(2021, 12, 31))
    assert len(found) == len(rows)
    assert [None if pd.isna(fault) else fault for fault in found["fault"]] == [
        "too_early", None, "repeated", "missed_exit", None, "same_instant", None, "missed_entry", "after_end",
    ]  # fmt: skip
    assert found.loc[found["fault"].isin(["too_early", "after_end"]).fillna(False), "long_term"].isna().all()


def test_a_day_begins_where_the_border_is():
    rows = [("p", datetime(2020, 1, 1, 20, tzinfo=UTC), "entry")]
    assert classified(rows, end=date(2021, 12, 31), zone="Asia/Almaty")["final_on"].item() == date(2021, 1, 1)
    assert classified(rows, end=date(2021, 12, 31))["final_on"].item() == date(2020, 12, 31)
    with pytest.raises(DataError, match="there is no time zone 'Asia/Astana2'"):
        classified(rows, zone="Asia/Astana2")


def test_no_crossings_give_no_answers():
    assert classify(table([])).num_rows == 0


def test_rules_are_data_and_any_number_of_months_is_a_rule():
    assert (rule("12/16").window_days, rule("12/16").threshold_days, rule("12/16").tolerance_days) == (487, 365, 122)
    assert set(rules()) == {"12/16", "12/12", "6/12", "90/180"}
    assert rule("3/6").threshold_days == 91
    for wrong in ("16/12", "0/12", "12-16", "12/999", "year"):
        with pytest.raises(DataError):
            rule(wrong)


@pytest.mark.parametrize(
    ("crossings", "said"),
    [
        (pa.table({"person_id": ["p"]}), "the crossings have no column 'at'"),
        (table([("p", START, "in")]), "a crossing has the direction 'in'; write entry or exit"),
        (pa.table({"person_id": ["p"], "at": ["2020"], "direction": ["entry"]}), "the column at holds string, not instants"),
        (pa.table({"person_id": [None], "at": pa.array([datetime(2020, 1, 1, tzinfo=UTC)]), "direction": ["entry"]}), "1 crossings have no person_id"),
    ],
)  # fmt: skip
def test_a_table_that_is_no_crossings_is_refused(crossings, said):
    with pytest.raises(DataError, match=said):
        classify(crossings)
