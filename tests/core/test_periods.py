"""Partial dates and months."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.core.periods import days_of_month, earliest, latest, months

days = st.dates(date(1900, 1, 1), date(2200, 12, 31))


@given(days, st.sampled_from([4, 7, 10]))
def test_a_day_lies_between_the_bounds_of_every_partial_date_it_may_be_written_as(day, width):
    partial = day.isoformat()[:width]
    assert earliest(partial) <= day <= latest(partial)


@given(days)
def test_a_whole_date_is_its_own_bounds(day):
    assert earliest(day.isoformat()) == day == latest(day.isoformat())


@given(days)
def test_the_days_of_a_month_are_all_its_days_in_order(day):
    whole = days_of_month(day.isoformat()[:7])
    assert day in whole
    assert whole[0].day == 1
    assert (whole[-1] + timedelta(days=1)).day == 1
    assert whole == sorted(set(whole))


@given(days, st.integers(0, 60))
def test_the_months_between_two_months_are_as_many_as_the_calendar_has(day, span):
    first = day.year * 12 + day.month - 1
    last = first + span
    found = list(months(day.isoformat(), f"{last // 12:04d}-{last % 12 + 1:02d}"))
    assert found == [f"{m // 12:04d}-{m % 12 + 1:02d}" for m in range(first, last + 1)]


def test_no_month_lies_between_a_month_and_the_one_before():
    assert list(months("2020-03", "2020-02")) == []


@pytest.mark.parametrize(
    "wrong", ["", "20", "2020-13", "2020-1", "2020-02-30", "2020-00", "16.03.2020", "2020-03-16T00:00", "0000", "2020\n"]
)
def test_what_is_not_a_date_is_refused_with_what_to_write(wrong):
    for bound in (earliest, latest):
        with pytest.raises(DataError, match=r"is not a (date|day of the calendar); (write 2020|correct the day)"):
            bound(wrong)
