"""What is in force: as `measures.state` says, with those whose start is not known apart; and the same as periods."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core import areas
from qonys.core.errors import DataError
from qonys.measures import state
from qonys.situation import in_force_on, issuers_for, periods_of
from qonys.situation.opened import register_held
from qonys.store import connect

DAYS = st.dates(date(2019, 6, 1), date(2023, 6, 1))


def test_in_force_is_what_the_measures_say_under_both_readings():
    con = connect()
    measures = con.create_table("measures", register_held().source, temp=True)
    for area, day in (("KAZ", date(2020, 3, 20)), ("DEU", date(2020, 10, 15)), ("KAZ", date(2022, 2, 1))):
        issuers = set(issuers_for(area, day))
        found = in_force_on(area, day)
        for reading, certainties in (("certain", {"certain"}), ("possible", {"certain", "possible"})):
            there = con.to_pandas(state(measures, day, reading=reading).select("id", "issuer"))
            expected = set(there.loc[there["issuer"].isin(issuers), "id"])
            assert set(found.loc[found["certainty"].isin(certainties), "id"]) == expected


@given(DAYS)
def test_a_measure_without_a_known_start_is_listed_apart_until_it_surely_ended(day):
    entries = register_held().entries.set_index("id")
    undated = in_force_on("KAZ", day, readings=("undated",))
    assert undated["start"].isna().all()
    assert all(end is None or end >= day for end in entries.loc[undated["id"], "end_latest"])


@given(DAYS, st.sampled_from(["DEU", "KAZ", "GBR", "NOR", "KZ-75"]))
def test_measures_are_those_of_the_unions_of_that_day(day, area):
    country = areas.area(area).parent or area
    for issuer, scope in issuers_for(area, day).items():
        assert scope != "union" or areas.is_member(country, issuer, day)
    found = in_force_on(area, day)
    assert set(found["scope"]) <= {"own", "country", "union", "global"}
    assert found["strength"].groupby([found["certainty"], found["field"]]).apply(lambda own: own.is_monotonic_decreasing).all()


def test_the_united_kingdom_left_the_measures_of_the_union():
    assert "EU" in issuers_for("GBR", date(2020, 1, 31))
    assert "EU" not in issuers_for("GBR", date(2020, 2, 1))


def test_few_measures_are_drawn_one_by_one_and_many_are_merged():
    each, merged = periods_of("KAZ", 2020, 2020, most=999), periods_of("KAZ", 2020, 2020, most=3)
    assert not each.merged
    assert merged.merged
    assert len(merged.rows) < len(each.rows)
    assert sorted(each.rows["lane"]) == sorted(id for ids in merged.rows["ids"] for id in ids)
    assert merged.rows["count"].sum() == len(each.rows)


def test_a_merged_period_covers_its_measures_and_no_day_without_one():
    each = periods_of("KAZ", 2020, 2022, most=999).rows.set_index("lane")
    for period in periods_of("KAZ", 2020, 2022, most=1).rows.itertuples():
        own = each.loc[period.ids]
        assert period.start == min(own["start"])
        assert (period.end is None) == own["end"].isna().any()
        ends = own["end"].where(own["end"].notna(), own["sure_until"])
        assert period.end is None or period.end == max(ends)
        covered = sorted(zip(own["start"], ends, strict=True))
        reached = covered[0][1]
        for start, end in covered:
            assert date.fromisoformat(start) <= date.fromisoformat(reached) + timedelta(days=1)
            reached = max(reached, end)


def test_a_reader_cannot_spoil_periods_for_the_next_one():
    rows = periods_of("KAZ", 2020, 2022).rows
    rows["field"] = "spoilt"
    assert "spoilt" not in set(periods_of("KAZ", 2020, 2022).rows["field"])


def test_no_end_is_given_where_none_is_known():
    rows = periods_of("KAZ", 2020, 2022, most=999).rows
    entries = register_held().entries.set_index("id")
    for row in rows.itertuples():
        assert (row.end is None) == (entries.at[row.lane, "end_latest"] is None)
        assert not (row.known_end and row.end is None)
    assert all(pd.isna(entries.at[id, "start"]) for id in periods_of("KAZ", 2020, 2022).undated)


@pytest.mark.parametrize(("ask", "what"), [
    (lambda: in_force_on("KAZ", "2020-05-01", readings=("sure",)), "no reading 'sure'"), (lambda: in_force_on("XXX", "2020-05-01"), "no area"),
    (lambda: in_force_on("KAZ", "May 2020"), "is not a date"), (lambda: periods_of("KAZ", 2021, 2020), "after the last day"),
    (lambda: periods_of("KAZ", 2020, 2021, most=0), "most is 0"), (lambda: periods_of("KAZ", 2020, 2021, least_strength=True), "least_strength"),
])  # fmt: skip
def test_what_cannot_be_asked_of_force_is_refused_with_a_sentence(ask, what):
    with pytest.raises(DataError, match=what):
        ask()
