"""Calendars: the country's working days, open time that adds up, and sentences for years that nobody knows."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.scenarios.procedure.calendars import Calendar, known_country, open_days
from qonys.scenarios.procedure.durations import DAY
from qonys.scenarios.procedure.kernel import opening, work_ends, worked

from .reference import finish, open_time, opens

lists = st.lists(st.booleans(), min_size=5, max_size=40).filter(lambda one: any(one[:5]) and one[-1])


def test_kazakhstan_works_in_2021_as_its_calendar_says():
    year = open_days(date(2021, 1, 1), 365, country="KAZ")
    closed = [date(2021, 1, 1) + timedelta(int(day)) for day in np.flatnonzero(~year)]
    for day in ((1, 1), (1, 4), (1, 7), (3, 8), (3, 22), (3, 23), (3, 24), (5, 3), (7, 6), (8, 30), (12, 16)):
        assert date(2021, *day) in closed
    # the Saturday worked for the Monday after the capital's day
    assert date(2021, 7, 3) not in closed
    assert date(2021, 7, 5) in closed


def test_two_halves_of_a_span_are_the_span_across_years_too():
    origin = date(2019, 11, 20)
    whole = open_days(origin, 500, country="DEU", closed=[date(2020, 2, 3)])
    parts = [open_days(origin + timedelta(day), number, country="DEU", closed=[date(2020, 2, 3)]) for day, number in ((0, 100), (100, 400))]
    assert whole.tolist() == np.concatenate(parts).tolist()
    assert not whole[(date(2020, 2, 3) - origin).days]


def test_every_day_is_open_but_those_that_are_closed():
    assert open_days(date(2021, 1, 1), 4, country=None, closed=[date(2021, 1, 2), date(2030, 1, 1), date(2020, 1, 1)]).tolist() == [True, False, True, True]  # fmt: skip


@given(lists, st.data())
def test_open_time_is_that_counted_day_by_day(is_open, data):
    calendar = Calendar.of(np.array(is_open))
    moments = sorted(data.draw(st.lists(st.integers(0, len(is_open) * DAY), min_size=2, max_size=2)))
    begin, end = calendar.worked(np.array(moments))
    assert end - begin == open_time([*is_open, False], *moments)
    inside = moments[0] % (len(is_open) * DAY)
    assert worked(calendar.open_before, inside) == calendar.worked(np.array([inside]))[0]


@given(lists, st.data())
def test_a_piece_of_work_ends_where_its_open_time_is_over(is_open, data):
    calendar = Calendar.of(np.array(is_open))
    ready = data.draw(st.integers(0, (len(is_open) - 1) * DAY))
    start = opening(calendar.open_before, calendar.open_day, ready)
    assert start == opens([*is_open, True], ready)
    left = open_time(is_open, start, len(is_open) * DAY)
    work = data.draw(st.integers(0, left))
    assert work_ends(calendar.open_before, calendar.open_day, start, work) == finish([*is_open, True], start, work)
    assert work_ends(calendar.open_before, calendar.open_day, start, left + 1) == len(is_open) * DAY


def test_a_day_of_work_begun_on_friday_evening_ends_on_monday_evening_and_a_whole_friday_ends_with_it():
    calendar = Calendar.of(np.array([True, False, False, True, True]))
    assert work_ends(calendar.open_before, calendar.open_day, 3 * DAY // 4, DAY) == 3 * DAY + 3 * DAY // 4
    assert work_ends(calendar.open_before, calendar.open_day, 0, DAY) == DAY


def test_countries_and_years_without_known_holidays_are_refused():
    with pytest.raises(DesignError, match="country 'KZ' are not known; countries have the three letters"):
        known_country("KZ")
    with pytest.raises(DesignError, match="'KAS' are not known; did you mean"):
        known_country("KAS")
    with pytest.raises(DesignError, match="KAZ are known from 1991 to 2100, and 1985-01-01 to 1985-01-10"):
        open_days(date(1985, 1, 1), 10, country="KAZ")
    known_country("KAZ")
