"""The kernel against SimPy case by case; exact days; laws of simulation."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from qonys.core.contracts import CONTRACTS
from qonys.core.errors import DesignError
from qonys.scenarios.procedure.definition import Agency, CaseClass, Procedure, Returned, Step, chance_returned
from qonys.scenarios.procedure.draws import applicants, attempts, returns
from qonys.scenarios.procedure.durations import DAY, NOTHING, Duration
from qonys.scenarios.procedure.setting import played, prepared, replayed
from qonys.scenarios.procedure.simulate import cases, simulate
from qonys.scenarios.procedure.variants import variant

from .files import kandas, offices, outcome
from .reference import open_list, replay

ORIGIN = date(2021, 3, 15)  # a week before Nauryz, when Kazakhstan does not work for days
ALL = CaseClass(id="all", share=1.0, priority=0)
chances = st.sampled_from([0.0, 0.1, 0.5])


def gamma(mean, cv=0.7):
    return Duration(mean=mean, cv=cv, distribution="gamma")


@st.composite
def procedures(draw):
    """Small procedures with everything that a file can ask for."""
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    agencies = {}
    for name in names:
        officers = draw(
            st.sampled_from(
                [None, ((date.min, 1),), ((date.min, 2),), ((date(2021, 3, 1), 2), (date(2021, 3, 30), 1)), ((date.min, 1), (date(2021, 4, 3), 0), (date(2021, 4, 12), 3))]
            )
        )  # fmt: skip
        closed = tuple(ORIGIN + timedelta(day) for day in draw(st.lists(st.integers(0, 40), max_size=4)))
        agencies[name] = Agency(id=name, officers=officers, calendar=draw(st.sampled_from(["every_day", "working_days"])), closed=closed)
    steps = []
    for place in range(draw(st.integers(1, 4))):
        handling = draw(st.sampled_from([NOTHING, gamma(0.4), gamma(1.5)]))
        passing = draw(st.sampled_from([NOTHING, gamma(3.0)])) if handling.mean else gamma(4.0)
        fault = draw(chances)
        steps.append(
            Step(
                id=f"s{place}",
                agency=draw(st.sampled_from(names)),
                after=tuple(f"s{one}" for one in range(place) if draw(st.booleans())),
                handling=handling,
                passing=passing,
                documents=("x", "y"),
                fault=fault,
                returned=Returned(days=gamma(2.0), most=draw(st.integers(1, 3)), clock_stops=draw(st.booleans())) if fault else None,
                clock_stops=draw(st.booleans()),
                stream=place,
                chance_returned=chance_returned((fault, 2)),
            )
        )
    classes = (ALL,)
    if draw(st.booleans()):
        classes = (CaseClass(id="usual", share=0.6, priority=5), CaseClass(id="first", share=0.4, priority=1))
    return Procedure(
        name="small", country="KAZ", limit=20, limit_counts=draw(st.sampled_from(["days", "working_days"])), first=ORIGIN, months=1,
        arrivals=(float(draw(st.integers(3, 30))),), agencies=agencies, steps=tuple(steps), classes=classes, order="as_declared",
        process=draw(st.sampled_from(["poisson", "working_days"])),
    )  # fmt: skip


@settings(max_examples=40)
@given(procedures(), st.integers(0, 10**6))
def test_every_case_goes_as_in_simpy(procedure, seed):
    setting = prepared(procedure)
    people = applicants(procedure, setting.country, seed=seed, run=0)
    drawn = attempts(procedure, len(people.arrival), seed=seed, run=0)
    one = replayed(setting, people, drawn)
    days = 1 + int(one.decided.max(initial=0)) // (24 * 3600 * 10**6) + 40
    agencies = {name: open_list(procedure, name, days) for name in procedure.agencies}
    clock = open_list(procedure, None, days) if procedure.limit_counts == "working_days" else None
    for mine, its in zip(
        (one.ready, one.started, one.ended, one.decided, one.stopped), replay(procedure, agencies, clock, people, drawn), strict=True
    ):
        np.testing.assert_array_equal(mine, its)


def values(found, variant):
    rows = found.outcomes[found.outcomes["variant"] == variant]
    return dict(zip(rows["measure"], rows["value"], strict=True))


def test_without_spread_the_kandas_procedure_takes_180_days_in_turn_and_90_at_once_in_every_case():
    # Mussina et al. (2022)
    procedure = kandas()
    for name, days in (("in_turn", 180), ("at_once", 90)):
        log = cases(procedure, variant_name=name)
        spans = log.groupby("case_id").agg({"ready_at": "min", "finished_at": "max"})
        assert set((spans["finished_at"] - spans["ready_at"]).dt.total_seconds()) == {days * 86400.0}
        found = values(simulate(procedure), name)
        assert {found[one] for one in ("mean_days", "median_days", "p90_days", "mean_clock_days")} == {float(days)}
        assert found["within_limit"] == float(days == 90)


def test_with_spread_parallel_handling_takes_93_days_and_keeps_90_in_half_of_the_cases():
    # the longest of three gamma durations with means 60, 30 and 90 and cv 0.3, by quadrature
    shape = 0.3**-2
    kept = np.prod([stats.gamma.cdf(90, shape, scale=mean / shape) for mean in (60, 30, 90)])
    days = np.linspace(0, 600, 60_001)
    mean = np.trapezoid(1 - np.prod([stats.gamma.cdf(days, shape, scale=one / shape) for one in (60, 30, 90)], axis=0), days)
    assert (mean, kept) == (pytest.approx(93, abs=0.3), pytest.approx(0.51, abs=0.005))
    found = simulate(kandas(0.3), runs=20, coverage=0.99).outcomes
    for name, measure, truth in (("at_once", "mean_days", mean), ("at_once", "within_limit", kept), ("in_turn", "mean_days", 180.0)):
        row = outcome(found, name, measure)
        assert row["low"] <= truth <= row["high"]
        assert row["value"] == pytest.approx(truth, rel=0.01)


def test_a_run_gives_the_same_tables_whatever_the_threads_and_other_ones_with_another_seed():
    procedure = offices()
    one, other = (simulate(procedure, threads=threads) for threads in (1, 2))
    for name in ("outcomes", "differences", "classes", "waiting", "use", "backlog", "distribution", "steps"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert not simulate(procedure, seed=99).outcomes["value"].equals(one.outcomes["value"])


def test_a_variant_gives_the_same_numbers_whoever_stands_beside_it():
    procedure = offices()
    alone = replace(procedure, variants={"more_officers": procedure.variants["more_officers"]})
    assert values(simulate(alone), "more_officers") == values(simulate(procedure), "more_officers")


def test_names_of_steps_and_agencies_and_the_order_of_agencies_change_no_number():
    procedure = offices()
    renamed = {"migration": "z", "justice": "a", "post": "m"}
    ids = {step.id: step.id[::-1] for step in procedure.steps}
    other = replace(
        procedure,
        agencies={renamed[name]: replace(one, id=renamed[name]) for name, one in reversed(procedure.agencies.items())},
        steps=tuple(
            replace(step, id=ids[step.id], agency=renamed[step.agency], after=tuple(ids[one] for one in step.after))
            for step in procedure.steps
        ),
        variants={"as_is": procedure.variants["as_is"]},
    )
    # costs are summed agency by agency: the last digit is that of the order
    assert values(simulate(other), "as_is") == pytest.approx(values(simulate(procedure), "as_is"), rel=1e-12)


def line(officers, classes=(ALL,)):
    """One step at one agency, where people queue."""
    agency = Agency(id="a", officers=((date.min, officers),))
    step = Step(id="s", agency="a", handling=gamma(0.25))
    return Procedure(name="line", limit=9, limit_counts="days", first=ORIGIN, months=2, arrivals=(120.0, 120.0), steps=(step,), agencies={"a": agency}, classes=classes)  # fmt: skip


def play(procedure, seed):
    setting = prepared(procedure)
    return played(setting, applicants(procedure, None, seed=seed, run=0), seed=seed, run=0)


@given(st.integers(0, 10**6), st.integers(1, 3))
def test_with_one_officer_more_nobody_waits_longer(seed, officers):
    fewer, more = (play(line(number), seed) for number in (officers, officers + 1))
    assert (more.started <= fewer.started).all()


@given(st.integers(0, 10**6))
def test_priorities_change_who_waits_and_not_when_the_officer_works(seed):
    two = (CaseClass(id="usual", share=0.7, priority=2), CaseClass(id="first", share=0.3, priority=1))
    plain, ranked = (play(line(1, classes), seed) for classes in ((two[0],), two))

    def busy(one):
        order = np.argsort(one.started)
        starts, ends = one.started[order], one.ended[order]
        breaks = starts[1:] > ends[:-1]
        return starts[np.r_[True, breaks]].tolist(), ends[np.r_[breaks, True]].tolist()

    assert busy(plain) == busy(ranked)
    first = ranked.people.kind == 1
    assert (ranked.started - ranked.ready)[first].mean() <= (plain.started - plain.ready)[first].mean()


@given(st.integers(0, 10**6))
def test_at_once_is_never_slower_than_in_turn_and_fewer_documents_never_come_back_more_often(seed):
    procedure = kandas(0.8)
    in_turn, at_once = (play(variant(procedure, name), seed).decided for name in ("in_turn", "at_once"))
    assert (at_once <= in_turn).all()
    steps = [variant(offices(), name).steps[0] for name in ("as_is", "fewer_documents")]
    more, fewer = (returns(step, 500, seed=seed, run=0) for step in steps)
    assert (fewer <= more).all()
    assert more.max() <= 2


def test_nothing_is_begun_on_a_closed_day_and_officers_work_exactly_their_time():
    setting = prepared(variant(offices(), "as_is"))
    one = played(setting, applicants(setting.procedure, setting.country, seed=5, run=0), seed=5, run=0)
    step = np.repeat(np.tile(np.arange(3), len(one.people.arrival)), np.diff(one.attempts.first))
    for place, agency in ((0, "migration"), (1, "justice")):
        calendar = setting.calendar[agency]
        mine = step == place
        days = one.started[mine] // DAY
        assert (np.diff(calendar.open_before)[days] == 1).all()
        np.testing.assert_array_equal(calendar.worked(one.ended[mine]) - calendar.worked(one.started[mine]), one.attempts.handling[mine])
    closed = (date(2021, 4, 1) - setting.procedure.month_starts[0]).days
    assert not (one.started[step == 1] // DAY == closed).any()


def test_open_cases_at_a_month_end_are_those_that_the_log_shows():
    procedure = offices(runs="runs = 1")
    log = cases(procedure)
    spans = log.groupby("case_id").agg({"ready_at": "min", "finished_at": "max"})
    backlog = simulate(procedure).backlog
    for row in backlog[backlog["variant"] == "as_is"].itertuples():
        end = pd.Timestamp(row.on, tz="UTC") + pd.Timedelta(days=1)
        # an application is a step that is ready at once
        assert row.open == ((spans["ready_at"] <= end) & (spans["finished_at"] > end)).sum()


def test_a_log_is_the_contract_of_case_events():
    log = cases(offices(), variant_name="one_stop", run=2)
    assert [column.name for column in CONTRACTS["case_event"].columns] == list(log.columns)
    assert (log["ready_at"] <= log["started_at"]).all()
    assert (log["started_at"] <= log["finished_at"]).all()
    assert set(log["outcome"]) == {"done", "returned"}
    assert log[log["outcome"] == "done"].groupby("case_id")["step"].nunique().eq(4).all()
    returned = log[log["outcome"] == "returned"]
    assert set(returned["step"]) == {"one_stop"}


def test_what_cannot_be_simulated_is_refused_in_a_sentence():
    procedure = kandas()
    for wrong, words in (
        ({"runs": 0}, "runs = 0 is no whole number"),
        ({"runs": True}, "runs = True"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": 1.5}, "seed = 1.5"),
        ({"coverage": 95}, r"coverage of 95; write 0\.95"),
        ({"coverage": 1.0}, "coverage of 1"),
    ):
        with pytest.raises(DesignError, match=words):
            simulate(procedure, **wrong)
    with pytest.raises(DesignError, match="did you mean 'at_once'"):
        cases(procedure, variant_name="at_one")
    with pytest.raises(DesignError, match=r"handles steps 36,000,000 times, and 20,000,000 fit; take fewer months"):
        simulate(replace(procedure, arrivals=(1e6,) * 12))


def test_a_line_that_outlives_the_calendar_is_refused_with_the_load_that_makes_it():
    procedure = line(1)
    slow = replace(procedure, steps=(replace(procedure.steps[0], handling=gamma(60.0)),))
    with pytest.raises(DesignError, match=r"cases are still open on 2052-01-01, .*a has 23\d\.\d\d times the work its officers can do"):
        simulate(slow, runs=2)
