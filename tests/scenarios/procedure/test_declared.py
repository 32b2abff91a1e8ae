"""The log against the declared procedure, and a procedure file made of the log."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from qonys.core.errors import DesignError
from qonys.scenarios.procedure.declared import compare
from qonys.scenarios.procedure.fit import as_procedure, fit_log
from qonys.scenarios.procedure.read import read_procedure
from qonys.scenarios.procedure.simulate import cases, simulate

from .logs import MEANS, row, three_steps

AS_OF = "2020-10-01"


@pytest.fixture(scope="module")
def fitted():
    return fit_log(three_steps(600), as_of=AS_OF)


def declared(**more) -> pd.DataFrame:
    return pd.DataFrame({"step": ["check", "register", "decide"], "agency": ["office", "police", "court"]} | more)


@pytest.fixture(scope="module")
def compared(fitted):
    return lambda table: compare(fitted.durations, table, unit="days")


def test_what_is_declared_is_kept_exceeded_or_undercut(compared):
    found = compared(declared(handling_mean=[3.0, 2.0, 20.0], passing_mean=[np.nan, 1.0, 10.0]))
    assert found["part"].unique().tolist() == ["handling"]
    assert found["declared"].tolist() == [3.0, 3.0, 30.0]
    assert found["verdict"].tolist() == ["as_declared", "longer", "shorter"]
    assert found["ratio"].to_numpy() == pytest.approx(found["fitted"] / found["declared"])
    assert found[["agency", "agency_seen"]].iloc[2].tolist() == ["court", "office"]


def test_steps_only_declared_and_only_seen_are_told(compared):
    found = compared(pd.DataFrame({"step": ["check", "appeal"], "whole_mean": [5.0, 9.0]})).set_index("step")
    assert found["verdict"].to_dict() == {
        "check": "as_declared",
        "appeal": "never_seen",
        "register": "not_declared",
        "decide": "not_declared",
    }
    assert np.isnan(found.loc["appeal", "fitted"])
    assert found.loc["register", "fitted"] > 0


def test_what_the_log_does_not_determine_has_no_verdict():
    no_starts = fit_log(three_steps(100, starts=False), as_of=AS_OF, declared=declared(handling_mean=[3.0, 2.0, 9.0])).comparison
    assert no_starts[["verdict", "why"]].drop_duplicates().to_numpy().tolist() == [["not_determined", "starts_not_recorded"]]
    young = fit_log(three_steps(200, span=20), as_of="2020-01-26", declared=declared(whole_mean=[3.0, 2.0, 9.0])).comparison
    assert young.set_index("step").loc["decide", ["verdict", "why"]].tolist() == ["not_determined", "mostly_unfinished"]


def test_working_days_are_held_against_working_days():
    weekends = [day for day in pd.date_range("2019-12-01", "2021-06-01") if day.weekday() >= 5]
    table = declared(whole_mean=[5 * 5 / 7, 17 * 5 / 7, 16 * 5 / 7])
    found = fit_log(three_steps(300), as_of=AS_OF, closed=weekends, declared=table, declared_unit="working_days")
    assert found.comparison["verdict"].tolist() == ["as_declared"] * 3
    assert compare(found.durations, table, unit="days")["verdict"].tolist() == ["longer"] * 3


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (pd.DataFrame({"step": ["check"]}), "no step or no mean"),
        (pd.DataFrame({"step": ["chek"], "whole_mean": [3.0]}), r"no declared step is in the log: 'chek' is not; did you mean 'check'"),
        (pd.DataFrame({"step": ["check", "check"], "whole_mean": [3.0, 4.0]}), "twice"),
        (pd.DataFrame({"step": [None], "whole_mean": [3.0]}), "row 1 of the declared procedure names no step"),
        (pd.DataFrame({"step": ["check"], "whole_mean": [-3.0]}), "zero or more"),
        (pd.DataFrame({"step": ["check"], "whole_mean": [np.inf]}), "zero or more"),
        (pd.DataFrame({"step": ["check"], "whole_mean": [True]}), "no number"),
        (pd.DataFrame({"step": ["check"], "whole_mean": ["3 days"]}), "no number"),
        (pd.DataFrame({"step": ["check"], "whole_mean": [259200.0]}), "if these are seconds, write 3"),
    ],
)
def test_a_declaration_that_is_none_is_refused(compared, table, words):
    with pytest.raises(DesignError, match=words):
        compared(table)


def as_toml(content: dict) -> str:
    """Nested dicts as TOML, each value on its line."""

    def text(value) -> str:
        if isinstance(value, dict):
            return "{ " + ", ".join(f"{key} = {text(one)}" for key, one in value.items()) + " }"
        if isinstance(value, list | tuple):
            return "[" + ", ".join(map(text, value)) + "]"
        return value.isoformat() if isinstance(value, date) else json.dumps(value)

    return "\n".join(f"{key} = {text(value)}" for key, value in content.items())


def test_the_procedure_made_of_a_log_is_a_procedure_file(fitted):
    found = read_procedure(as_toml(as_procedure(fitted, limit=60, keep_waiting=True)), "fitted.toml")
    assert [(step.id, step.agency, step.after) for step in found.steps] == [
        ("check", "office", ()), ("register", "police", ("check",)), ("decide", "office", ("register",)),
    ]  # fmt: skip
    for step in found.steps:
        told = row(fitted.durations, step.id, "handling")
        assert step.handling.mean == pytest.approx(told["mean"], rel=1e-5)
        assert step.handling.distribution == told["distribution"]
        assert abs(step.handling.mean / MEANS[step.id] - 1) < 0.15
    assert found.agencies["police"].officers[0][1] == fitted.agencies.set_index("agency").loc["police", "busiest"]
    assert found.arrivals == pytest.approx([60] * 12, rel=0.05)
    # with the recorded waiting kept, it takes as long as the log does
    days = simulate(found, runs=4, seed=1).outcomes.set_index("measure").loc["mean_days", "value"]
    assert days == pytest.approx(row(fitted.durations, None, "case")["mean"], rel=0.05)


def test_without_starts_the_whole_time_passes_and_nobody_queues():
    found = as_procedure(fit_log(three_steps(200, starts=False), as_of=AS_OF), limit=60)
    assert all("passing" in step and "handling" not in step for step in found["steps"])
    assert all("officers" not in agency for agency in found["agencies"].values())
    read_procedure(as_toml(found), "fitted.toml")


def test_a_step_that_takes_no_time_or_is_rare_is_left_out_and_the_order_goes_through_it():
    events = three_steps(200)
    middle = events["step"] == "register"
    events.loc[middle, ["started_at", "finished_at"]] = events.loc[middle, ["ready_at", "ready_at"]].to_numpy()
    found = as_procedure(fit_log(events, as_of=AS_OF), limit=60)
    assert [(step["id"], step["after"]) for step in found["steps"]] == [("check", []), ("decide", ["check"])]


@pytest.mark.slow
def test_a_simulated_queue_is_found_again_with_its_officers_returns_and_waiting():
    text = """
        name = "queue"
        limit = 40
        first = 2021-01-01
        warm_up_months = 3
        arrivals = { per_month = 300 }
        agencies = { office = { officers = 6 }, court = { officers = 4 } }
        [[steps]]
        id = "check"
        agency = "office"
        handling = { mean = 0.5, cv = 0.8 }
        documents = ["form"]
        fault = 0.1
        returned = { days = { mean = 5, cv = 0.5 } }
        [[steps]]
        id = "decide"
        agency = "court"
        handling = { mean = 0.38, cv = 1.0, distribution = "lognormal" }
    """
    true = read_procedure(text, "queue.toml")
    log = fit_log(cases(true), as_of="2021-10-01")
    assert log.agencies.set_index("agency")["busiest"].to_dict() == {"office": 6, "court": 4}
    assert log.returns.set_index("step").loc["check", "returned"] == pytest.approx(0.1, abs=0.015)
    assert log.returns.set_index("step").loc["check", "return_days"] == pytest.approx(5, rel=0.1)
    again = read_procedure(as_toml(as_procedure(log, limit=40)), "again.toml")
    one, other = (simulate(each, runs=6, seed=2).outcomes.set_index("measure")["value"] for each in (true, again))
    assert other["mean_days"] == pytest.approx(one["mean_days"], rel=0.35)
    assert again.steps[1].handling.distribution == "lognormal"


@pytest.mark.parametrize("limit", [0, -1, True, "90", float("nan"), float("inf")])
def test_a_limit_that_is_none_is_refused(fitted, limit):
    with pytest.raises(DesignError, match="no number of days"):
        as_procedure(fitted, limit=limit)


def test_no_procedure_is_made_of_steps_whose_mean_is_not_determined():
    with pytest.raises(DesignError, match=r"how long step 'register' takes is not determined by the log \(mostly_unfinished\)"):
        as_procedure(fit_log(three_steps(200, span=20), as_of="2020-01-22", last_step="check"), limit=60)
