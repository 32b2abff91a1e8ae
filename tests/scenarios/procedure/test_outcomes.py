"""Tables: arithmetic of visits, documents, costs and shares, intervals that say what they know, agencies that cannot keep up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from qonys.scenarios.procedure.definition import ALWAYS, Agency, Costs
from qonys.scenarios.procedure.durations import Duration
from qonys.scenarios.procedure.setting import loads, prepared
from qonys.scenarios.procedure.simulate import cases, simulate
from qonys.scenarios.procedure.tables import interval
from qonys.scenarios.procedure.variants import variant

from .files import kandas, offices, outcome


@pytest.fixture(scope="module")
def found():
    return simulate(offices())


def of(found, variant, measure):
    return outcome(found.outcomes, variant, measure)["value"]


def test_visits_are_those_of_the_steps_and_of_the_returns_and_documents_those_asked(found):
    for name, visits, documents in (("as_is", 2, 5), ("one_stop", 1, 4), ("fewer_documents", 2, 4), ("all", 1, 2)):
        assert of(found, name, "documents") == documents
        assert of(found, name, "visits") == pytest.approx(visits + of(found, name, "returns"))


def test_costs_add_up(found):
    for name in found.outcomes["variant"].unique():
        parts = [of(found, name, f"cost_{part}") for part in ("officers", "delay", "open", "applicant")]
        assert of(found, name, "cost_total") == pytest.approx(sum(parts))
        assert parts[1] == pytest.approx(3 * of(found, name, "days_beyond_limit"))
        assert parts[2] == pytest.approx(0.5 * of(found, name, "mean_days"))
        assert parts[3] == pytest.approx(4 * of(found, name, "visits") + 2 * of(found, name, "documents"))
    assert set(found.outcomes.loc[found.outcomes["measure"].str.startswith("cost_"), "unit"]) == {"KZT"}


def test_officers_that_are_counted_are_paid_for_their_open_days_others_for_what_they_handle():
    procedure = kandas()
    step = replace(procedure.steps[0], passing=Duration(mean=0.0), handling=Duration(mean=0.5))
    one = replace(procedure, steps=(step,), costs=Costs(), process="even", arrivals=(100.0,) * 12)
    uncounted = replace(one, agencies={"interior": Agency(id="interior", officer_day=40)})
    counted = replace(one, agencies={"interior": Agency(id="interior", officer_day=40, officers=((ALWAYS, 3),))})
    assert of(simulate(uncounted, runs=2), "in_turn", "cost_officers") == pytest.approx(0.5 * 40)
    assert of(simulate(counted, runs=2), "in_turn", "cost_officers") == pytest.approx(3 * 365 * 40 / 1200)


def test_a_file_without_costs_has_no_cost():
    assert not simulate(kandas(), runs=2).outcomes["measure"].str.startswith("cost_").any()


def test_the_clock_stands_still_while_the_applicant_mends_and_while_a_step_stops_it():
    procedure = offices(limit_counts='limit_counts = "days"', order='order = "as_declared"')
    found = simulate(replace(procedure, variants={"as_is": procedure.variants["as_is"]}), runs=2)
    log = cases(procedure).query("step == 'letter'")
    letter = (log["finished_at"] - log["ready_at"]).dt.total_seconds().mean() / 86400
    assert of(found, "as_is", "mean_clock_days") < of(found, "as_is", "mean_days") - 0.8 * letter
    running = tuple(
        replace(step, clock_stops=False, returned=None if step.returned is None else replace(step.returned, clock_stops=False))
        for step in procedure.steps
    )
    found = simulate(replace(procedure, steps=running), runs=2)
    assert of(found, "as_is", "mean_clock_days") == of(found, "as_is", "mean_days")


def test_where_a_step_is_waited_for_its_share_of_all_waiting_and_the_longest_is_the_bottleneck(found):
    waiting = found.waiting
    assert waiting.groupby("variant")["share"].sum().to_numpy() == pytest.approx(1)
    by_agency = waiting.groupby(["variant", "agency"])["mean_days"].sum()
    worst = found.use[found.use["bottleneck"]].set_index("variant")["agency"]
    assert worst.to_dict() == {name: by_agency[name].idxmax() for name in worst.index}
    for name, days in waiting.groupby("variant")["mean_days"].sum().items():
        assert days == pytest.approx(of(found, name, "waiting_days"))


def test_an_agency_that_gets_more_than_it_can_do_is_named(found):
    assert found.overloaded[["variant", "agency"]].to_numpy().tolist() == [["as_is", "migration"]]
    setting = prepared(variant(offices(), "as_is"))
    days = sum(pd.Timestamp(day) < pd.Timestamp("2021-06-01") for day in _open(setting, "migration") if day >= pd.Timestamp("2021-03-01"))
    chance = 1 - 0.9**3
    expected = (120 + 132 + 132) * 0.5 * (1 + chance + chance**2) / (4 * days)
    assert loads(setting)["migration"] == pytest.approx(expected)
    assert found.overloaded["load"].iloc[0] == pytest.approx(expected)


def _open(setting, agency):
    return pd.Timestamp(setting.procedure.month_starts[0]) + pd.to_timedelta(setting.calendar[agency].open_day[:400], unit="D")


def test_where_an_agency_keeps_up_its_officers_are_busy_as_much_as_the_work_that_comes():
    procedure = offices(runs="runs = 30", backlog="backlog = 0")
    found = simulate(replace(procedure, variants={"more_officers": procedure.variants["more_officers"]}), coverage=0.99)
    for row in found.use.itertuples():
        assert row.low <= row.load <= row.high


def test_shares_decided_rise_with_the_days_and_pass_through_the_limit():
    found = simulate(kandas(0.3))
    for name, rows in found.distribution.groupby("variant"):
        for column in ("share", "low", "high"):
            assert rows[column].is_monotonic_increasing
        assert rows["share"].iloc[0] == 0
        assert rows["share"].iloc[-1] >= 0.999
        assert rows.set_index("days")["share"][90] == pytest.approx(of(found, name, "within_limit"))
        assert len(rows) <= 402


def test_differences_are_those_of_the_outcomes_and_narrower_than_without_pairs():
    found = simulate(kandas(0.3))
    row = outcome(found.differences, "at_once", "mean_days")
    one, other = (outcome(found.outcomes, name, "mean_days") for name in ("at_once", "in_turn"))
    assert row["value"] == pytest.approx(one["value"] - other["value"])
    assert row["high"] - row["low"] < np.hypot(one["high"] - one["low"], other["high"] - other["low"])
    assert set(found.differences["variant"]) == {"at_once"}


def test_steps_begin_and_end_as_the_procedure_says():
    found = simulate(kandas(), runs=2).steps.set_index(["variant", "step"])
    assert found.loc[("in_turn", "citizenship"), ["start", "end"]].tolist() == [90, 180]
    assert found.loc[("at_once", "permit"), ["start_median", "end_median"]].tolist() == [0, 30]


def test_with_one_run_there_is_no_interval_and_with_nobody_there_are_gaps():
    found = simulate(kandas(0.3), runs=1)
    for name in ("outcomes", "differences", "distribution", "backlog"):
        assert getattr(found, name)[["low", "high"]].isna().all(axis=None)
    assert found.outcomes["value"].notna().all()
    nobody = simulate(replace(kandas(), arrivals=(1e-9,) * 12), runs=2)
    assert nobody.outcomes.empty
    assert nobody.steps["start"].isna().all()
    assert nobody.backlog["open"].tolist() == [0] * 24


def test_runs_that_all_agree_do_not_prove_a_share():
    mean, low, high = interval(np.ones((20, 1)), coverage=0.95, share=True)
    assert (mean[0], high[0]) == (1, 1)
    assert low[0] == pytest.approx(0.025 ** (1 / 20))
    # Clopper and Pearson for 400 of 400 independent cases
    _, low, _ = interval(np.ones((20, 1)), coverage=0.95, share=True, independent=400)
    assert low[0] == pytest.approx(stats.beta.ppf(0.025, 400, 1))
    assert interval(np.zeros((20, 1)), coverage=0.95, share=True)[2][0] == pytest.approx(1 - 0.025 ** (1 / 20))


@given(st.integers(0, 10**6))
def test_an_interval_is_that_of_student(seed):
    values = np.random.default_rng(seed).normal(50, 1, 12)
    mean, low, high = interval(values, coverage=0.9)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert (mean, low, high) == (pytest.approx(values.mean()), pytest.approx(expected.low), pytest.approx(expected.high))


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_say():
    procedure = kandas(0.3)
    procedure = replace(procedure, arrivals=(20.0,) * 12, variants={"at_once": procedure.variants["at_once"]})
    shape = 0.3**-2
    truth = np.prod([stats.gamma.cdf(90, shape, scale=mean / shape) for mean in (60, 30, 90)])
    rows = [outcome(simulate(procedure, runs=4, seed=seed, threads=1).outcomes, "at_once", "within_limit") for seed in range(100)]
    held = np.mean([row["low"] <= truth <= row["high"] for row in rows])
    assert held == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / 100))
