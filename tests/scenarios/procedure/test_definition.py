"""The file of a procedure: what it says is what is read, and everything that cannot be is a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.scenarios.procedure.calendars import Calendar, open_days
from qonys.scenarios.procedure.draws import applicants, attempts
from qonys.scenarios.procedure.durations import DAY
from qonys.scenarios.procedure.read import read_procedure

from .files import OFFICES, kandas, offices


def test_a_file_is_read_key_by_key():
    procedure = offices()
    assert (procedure.limit, procedure.limit_counts, procedure.country) == (60, "working_days", "KAZ")
    assert procedure.agencies["justice"].officers == ((date(2021, 1, 1), 3), (date(2021, 4, 15), 4))
    assert [(one.id, one.priority) for one in procedure.classes] == [("vulnerable", 1), ("others", 2)]
    assert procedure.steps[0].chance_returned == pytest.approx(1 - 0.9**3)
    assert procedure.steps[2].clock_stops
    assert procedure.month_starts[0] == date(2021, 2, 1)
    assert procedure.month_starts[-1] == date(2021, 7, 1)
    assert list(procedure.variants) == ["as_is", "one_stop", "more_officers", "fewer_documents", "all"]
    assert list(replace(procedure).variants) == list(procedure.variants)


def test_seasons_move_applications_within_the_year_and_not_their_number():
    procedure = offices()
    # February of the warm-up to June of the cool-down
    assert procedure.arrivals == pytest.approx([108, 120, 132, 132, 120])
    year = read_procedure(
        OFFICES.replace("months = 3", "months = 12").replace("warm_up_months = 1", "").replace("cool_down_months = 1", ""), "x"
    )
    assert sum(year.arrivals) == pytest.approx(12 * 120)


def test_a_file_without_variants_is_as_it_is_and_steps_are_in_turn_unless_they_say_after():
    text = "limit = 9\nfirst = 2021-01-01\narrivals.per_month = 1\nagencies.a = {}\n[[steps]]\nid = 's'\nagency = 'a'\npassing.mean = 2\n"
    procedure = read_procedure(text, "short.toml")
    assert list(procedure.variants) == ["as_is"]
    assert (procedure.name, procedure.order, procedure.runs) == ("short", "in_turn", 20)
    assert offices().order == "as_declared"


@given(st.integers(0, 10**6))
def test_the_cohort_are_those_who_apply_in_its_months(seed):
    procedure = offices()
    country = Calendar.of(open_days(date(2021, 2, 1), 200, country="KAZ"))
    people = applicants(procedure, country, seed=seed, run=1)
    begin, end = people.cohort
    edges = [(day - date(2021, 2, 1)).days * DAY for day in (date(2021, 3, 1), date(2021, 6, 1))]
    inside = (people.arrival >= edges[0]) & (people.arrival < edges[1])
    assert np.flatnonzero(inside).tolist() == list(range(begin, end))
    assert (people.arrival[:10] == 0).all()
    assert (np.diff(people.arrival) >= 0).all()
    # on working days the number of the month is kept, and nobody comes on a closed day
    assert country.open_before[people.arrival[10:] // DAY + 1].tolist() == (country.open_before[people.arrival[10:] // DAY] + 1).tolist()


def test_even_applications_are_as_many_as_the_file_says_and_evenly_apart():
    procedure = replace(kandas(), process="even", arrivals=(31.0, 14.0, 15.5, 15.5), months=4)
    people = applicants(procedure, None, seed=1, run=0)
    assert len(people.arrival) == 76
    assert set(np.diff(people.arrival)[:30]) == {DAY}
    assert people.arrival[0] == DAY // 2


def test_a_backlog_waits_at_the_beginning_and_is_no_part_of_the_cohort():
    procedure = replace(kandas(), backlog=7)
    people = applicants(procedure, None, seed=1, run=0)
    assert (people.arrival[:7] == 0).all()
    assert people.cohort == (7, len(people.arrival))


@given(st.integers(0, 10**6))
def test_returns_come_as_often_as_documents_are_wrong(seed):
    procedure = offices()
    drawn = attempts(procedure, 4000, seed=seed, run=0)
    back = (np.diff(drawn.first) - 1).reshape(-1, 3)
    for place, step in enumerate(procedure.steps):
        chance = step.chance_returned
        assert (back[:, place] > 0).mean() == pytest.approx(chance, abs=0.04)
        assert back[:, place].mean() == pytest.approx(step.times_handled - 1, abs=0.06)
    assert back.max(axis=0).tolist()[2] == 0
    assert back[:, 0].max() == 2


STEP = '[[steps]]\nid = "intake"'


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("limit = 60", "limit = 0", "gives no time to decide"),
        ("limit = 60", "limit = 7200", "if you mean hours, write 300"),
        ("limit = 60", "limits = 60", "lacks limit"),
        ("limit = 60", "limit = true", "is no number"),
        ("limit = 60\n", "limit = 60\nofficers = 3\n", "has the key 'officers', which means nothing here"),
        ('"working_days"\nfirst', '"workdays"\nfirst', "did you mean 'working_days'"),
        ("first = 2021-03-01", "first = 2021-01-31", "cannot begin every month; give a day from 1 to 28"),
        ("first = 2021-03-01", "first = '2021-13-01'", "is no day"),
        ("first = 2021-03-01", "first = 1950-03-01", "begin with from|known from 1991"),
        ("\nmonths = 3", "\nmonths = 0", "out of range"),
        ("\nmonths = 3", "\nmonths = 2.5", "is no whole number"),
        ("warm_up_months = 1", "warm_up_months = -1", "out of range"),
        ("backlog = 10", "backlog = -1", "out of range"),
        ("runs = 4", "runs = 0", "out of range"),
        ('country = "KAZ"\n', "", "counts working days and names no country"),
        ('country = "KAZ"', 'country = "KZ"', "three letters of ISO 3166-1"),
        ("per_month = 120", "per_month = -5", "is no number of applications"),
        ("per_month = 120", "per_month = [1, 2, 3]", "has 3 values for 5 months; 1 of warm-up, 3 of the cohort and 1 after it"),
        ("per_month = 120", "per_month = 0\n", None),
        ("seasonality = [0.9,", "seasonality = [90,", "has a mean of 8.4"),
        ("seasonality = [0.9, 0.9", "seasonality = [0.9", "is no list of twelve factors"),
        ('process = "working_days"', 'process = "poison"', "did you mean 'poisson'"),
        ("officers = 4", "officers = 0", "out of range"),
        ("officers = 4", 'officers = "many"', "is no number"),
        ("{ from = 2021-01-01, number = 3 }", "{ from = 2021-05-01, number = 3 }", "are days out of order"),
        ("{ from = 2021-01-01, number = 3 }, ", "", "leaves 2021-02-01 without officers; begin with from = 2021-02-01"),
        ("number = 4 }]", "number = 0 }]", "leaves nobody to decide"),
        ("officer_day = 50", "officer_day = -1", "out of range"),
        ("closed = [2021-04-01]", "closed = 2021-04-01", "is no list"),
        ('agency = "post"', 'agency = "posts"', "is not declared; did you mean 'post'"),
        ('id = "check"', 'id = "intake"', "has the step 'intake' twice"),
        ('id = "letter"', 'id = "one_stop"', "may not be called 'one_stop'"),
        ('after = ["check"]', 'after = ["letter"]', "is the step itself"),
        ('after = ["check"]', 'after = ["chek"]', "is no step; did you mean 'check'"),
        ('after = ["intake"]', 'after = ["letter"]', "the steps 'check', 'letter' wait for each other"),
        ("passing = { quantiles = [1, 3, 9] }\n", "", "step 'letter' takes no time"),
        ("fault = 0.05", "fault = 5", r"if you mean 5 %, write 0\.05"),
        ("fault = 0.05\n", "", "returns documents that are never wrong"),
        ('documents = ["passport", "no_record"]\n', "", "belongs to documents, and there are none"),
        ('returned = { days = { mean = 4, cv = 0.5 }, clock = "runs" }\n', "", "nothing says for how long"),
        ("most = 2", "most = 0", "out of range"),
        ('clock = "runs"', 'clock = "run"', "did you mean 'runs'"),
        ('["passport", "no_record"]', '["passport", "passport"]', "names something twice"),
        ("share = 0.2", "share = 20", r"if you mean 20 %, write 0\.2"),
        ("share = 0.2\npriority = 1", "share = 0.7\npriority = 1\n[[classes]]\nid = 'b'\nshare = 0.6\npriority = 2", r"sum to 1\.3, above 1"),
        ("share = 0.2\npriority = 1", "share = 0.7\npriority = 1\n[[classes]]\nid = 'vulnerable'\nshare = 0.3\npriority = 2", "a class twice"),
        ("visit = 4", "visits = 4", "did you mean 'visit'"),
        ("delay_day = 3", "delay_day = inf", "is no number"),
        ("limit = 60", "limit = 60 days", "is not valid TOML"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(old, new, words):
    assert old in OFFICES
    text = OFFICES.replace(old, new, 1)
    if words is None:  # with a backlog there is something to decide, without there is nothing
        text, words = text.replace("backlog = 10", "backlog = 0"), "nobody applies"
    with pytest.raises(DesignError, match=words):
        read_procedure(text, "offices.toml")


def test_an_empty_table_of_variants_is_refused():
    with pytest.raises(DesignError, match=r"empty table of variants; add \[variants.NAME\]"):
        read_procedure("variants = {}\n" + OFFICES[: OFFICES.index("[variants.as_is]")], "x.toml")


def test_a_procedure_without_steps_is_refused():
    with pytest.raises(DesignError, match="lacks steps"):
        read_procedure("limit = 9\nfirst = 2021-01-01\narrivals.per_month = 1", "x.toml")
    with pytest.raises(DesignError, match="has no steps"):
        read_procedure("limit = 9\nfirst = 2021-01-01\narrivals.per_month = 1\nsteps = []", "x.toml")
