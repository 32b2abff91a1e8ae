"""Where cases wait, how sure that is, and how many were at work at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.scenarios.procedure.bottleneck import busiest
from qonys.scenarios.procedure.fit import fit_log

from .logs import instants, three_steps

AS_OF = "2020-10-01"


@pytest.fixture(scope="module")
def fitted():
    return fit_log(three_steps(600), as_of=AS_OF)


def test_the_agency_that_makes_cases_wait_longest_is_the_bottleneck(fitted):
    first = fitted.bottleneck.iloc[0]
    assert first[["agency", "step", "part", "sure"]].tolist() == ["police", "register", "waiting", 1.0]
    assert first["low"] < 8 / 14 < first["high"]
    assert fitted.bottleneck["share"].sum() == pytest.approx(1)
    assert fitted.bottleneck["sure"].sum() == pytest.approx(1)
    agencies = fitted.agencies.set_index("agency")
    assert agencies["share"].sum() == pytest.approx(1)
    assert agencies.loc["police", "share"] == pytest.approx(first["share"])
    assert agencies["steps"].to_dict() == {"office": 2, "police": 1}


def test_the_days_are_those_of_the_log(fitted):
    events = three_steps(600)
    end = pd.Timestamp(AS_OF)
    seen = events[events["ready_at"] <= end]
    waited = (seen["started_at"].clip(upper=end) - seen["ready_at"]) / pd.Timedelta(1, "D")
    assert fitted.agencies["waiting_days"].sum() == pytest.approx(waited.sum())
    begun = seen[seen["started_at"] <= end]
    handled = (begun["finished_at"].clip(upper=end) - begun["started_at"]) / pd.Timedelta(1, "D")
    told = fitted.agencies
    assert told["handling_days"].sum() == pytest.approx(handled.sum())
    assert (told["waiting_share"] * (told["waiting_days"] + told["handling_days"])).to_numpy() == pytest.approx(
        told["waiting_days"].to_numpy()
    )


def test_of_two_that_make_wait_alike_neither_is_surely_the_bottleneck():
    rng = np.random.default_rng(1)
    rows = [
        [f"c{one}", step, step, instants(one + lag), instants(one + lag + rng.exponential(5)), instants(one + lag + 60)]
        for one in range(80)
        for step, lag in (("a", 0), ("b", 60))
    ]
    found = fit_log(pd.DataFrame(rows, columns=["case_id", "step", "agency", "ready_at", "started_at", "finished_at"])).bottleneck
    assert 0.5 <= found["sure"].iloc[0] < 0.99
    assert found["low"].iloc[0] < 0.5 < found["high"].iloc[0]


def test_a_queue_that_comes_and_goes_makes_less_sure_than_as_many_waits_apart():
    rng = np.random.default_rng(2)
    waits = rng.exponential(5, 300)
    rows = []
    for order in (waits, np.sort(waits)):
        table = [
            [f"c{one}", step, step, instants(one), instants(one + wait), instants(one + wait + 1)]
            for one in range(300)
            for step, wait in (("a", order[one]), ("b", 5.0))
        ]
        rows.append(pd.DataFrame(table, columns=["case_id", "step", "agency", "ready_at", "started_at", "finished_at"]))
    mixed, in_queue = (fit_log(table).bottleneck.set_index("step").loc["a"] for table in rows)
    assert in_queue["share"] == pytest.approx(mixed["share"])
    assert in_queue["high"] - in_queue["low"] > 2 * (mixed["high"] - mixed["low"])


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20)), min_size=1, max_size=25))
def test_the_busiest_moment_is_what_counting_finds(spans):
    start = np.array([one for one, _ in spans])
    end = start + np.array([length for _, length in spans])
    counted = max(1, max(int(((start <= at + 0.5) & (end > at + 0.5)).sum()) for at in range(60)))
    assert busiest(instants(start), instants(end)) == counted


def test_officers_that_are_always_at_work_are_all_seen_and_their_load_is_near_one():
    rng = np.random.default_rng(3)
    free = np.zeros(3)
    rows = []
    for one, at in enumerate(np.sort(rng.uniform(0, 400, 1150))):
        officer = int(free.argmin())
        started = max(at, free[officer])
        free[officer] = started + rng.exponential(1.0)
        rows.append([f"c{one}", "decide", "office", instants(at), instants(started), instants(free[officer])])
    found = fit_log(pd.DataFrame(rows, columns=["case_id", "step", "agency", "ready_at", "started_at", "finished_at"]), as_of="2021-02-01")
    told = found.agencies.iloc[0]
    assert told["busiest"] == 3
    assert told["load"] == pytest.approx(1150 / 400 / 3, rel=0.08)


def test_where_nobody_waits_there_is_no_share():
    rows = [[f"c{one}", "decide", "office", instants(one), instants(one), instants(one + 2)] for one in range(12)]
    found = fit_log(pd.DataFrame(rows, columns=["case_id", "step", "agency", "ready_at", "started_at", "finished_at"]))
    assert found.bottleneck[["share", "low", "high", "sure"]].isna().all(axis=None)
    assert found.bottleneck["days"].tolist() == [0.0]
    assert found.agencies["busiest"].tolist() == [2]
