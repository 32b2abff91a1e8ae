"""A whole log fitted: the truth is found again, cases are counted, orders and returns seen, wrong parameters refused."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DataError, DesignError
from qonys.scenarios.procedure.fit import fit_log

from .logs import MEANS, WAITS, instants, row, three_steps

AS_OF = "2020-10-01"


@pytest.fixture(scope="module")
def fitted():
    return fit_log(three_steps(600), as_of=AS_OF)


def test_the_truth_of_a_simulated_log_lies_in_its_intervals_and_the_family_is_found(fitted):
    for step, mean in MEANS.items():
        handling, waiting, whole = (row(fitted.durations, step, part) for part in ("handling", "waiting", "whole"))
        for told, truth in ((handling, mean), (waiting, WAITS[step]), (whole, mean + WAITS[step])):
            assert told["low"] <= truth <= told["high"]
            assert told["high"] / told["low"] < 1.35
    assert row(fitted.durations, "register", "handling")["distribution"] == "lognormal"
    case = row(fitted.durations, None, "case")
    assert case["low"] <= sum(MEANS.values()) + sum(WAITS.values()) <= case["high"]
    assert case["unfinished"] > 0


def test_a_young_log_whose_finished_cases_alone_are_short_is_set_right():
    young = fit_log(three_steps(1500, span=40, seed=5), as_of="2020-03-01")
    case = row(young.durations, None, "case")
    assert case["unfinished"] > 0.3 * case["cases"]
    assert case["low"] <= 38 <= case["high"]
    assert case["naive_mean"] < 32
    assert case["naive_off"] < -0.15


@pytest.mark.slow
def test_the_intervals_hold_as_often_as_they_say():
    truth = {(step, "handling"): mean for step, mean in MEANS.items()} | {(step, "waiting"): mean for step, mean in WAITS.items()}
    share, held = _within(three_steps(20_000, seed=99), 30), []
    for seed in range(12):
        found = fit_log(three_steps(200, span=100, seed=seed), as_of="2020-04-10", draws=20)
        lines = [row(found.durations, *of) for of in truth]
        held += [line["low"] <= truth[line["step"], line["part"]] <= line["high"] for line in lines]
        _, low, high = found.within_limit(30)
        held.append(low <= share <= high)
    assert np.mean(held) >= 0.878  # 0.95 and three standard errors of 84 intervals


def _within(events: pd.DataFrame, days: float) -> float:
    by = events.groupby("case_id")
    spent = (by["finished_at"].max() - by["ready_at"].min()) / pd.Timedelta(1, "D")
    return float((spent <= days).mean())


def test_the_share_decided_by_day_is_the_share_of_the_cases_where_all_are_decided():
    events = three_steps(400)
    found = fit_log(events)
    for limit in (20, 40, 60):
        value, low, high = found.within_limit(limit)
        assert value == pytest.approx(_within(events, limit))
        assert low < value < high
    assert found.within_limit(5000)[0] == 1
    assert 0.98 < found.within_limit(5000)[1] < 1
    assert found.case_days["share_decided"].is_monotonic_increasing
    assert set(found.notes["code"]) == {"as_of_latest", "none_unfinished", "last_step"}


def test_a_case_decided_on_the_last_day_of_the_limit_is_within_it():
    rows = [[f"c{one}", "decide", "office", instants(one), instants(one), instants(one + 90 + (one >= 15) / 1440)] for one in range(20)]
    events = pd.DataFrame(rows, columns=["case_id", "step", "agency", "ready_at", "started_at", "finished_at"])
    assert fit_log(events).within_limit(90)[0] == pytest.approx(0.75)


def test_beyond_what_the_log_has_seen_there_is_no_share(fitted):
    young = fit_log(three_steps(300, span=30), as_of="2020-01-25")
    assert np.isnan(young.within_limit(90)).all()
    assert not np.isnan(young.within_limit(10)).any()
    with pytest.raises(DesignError, match="no whole number of days"):
        fitted.within_limit(89.5)
    with pytest.raises(DesignError, match="not counted in 'working_days'"):
        fitted.within_limit(90, unit="working_days")


@settings(max_examples=2)
@given(st.integers(0, 100))
def test_the_order_of_the_rows_and_the_names_of_the_cases_are_of_no_account(seed):
    events = three_steps(40)
    mixed = events.sample(frac=1, random_state=seed).reset_index(drop=True)
    one, other = (fit_log(table, as_of=AS_OF, draws=20) for table in (events, mixed))
    for name in ("durations", "survival", "returns", "follows", "order", "agencies", "bottleneck", "case_days", "arrivals"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_what_comes_after_the_cut_changes_nothing():
    events = three_steps(200)
    known = events[events["ready_at"] <= pd.Timestamp("2020-06-01")].copy()
    for name in ("started_at", "finished_at"):
        known.loc[known[name] > pd.Timestamp("2020-06-01"), name] = pd.NaT
    one, other = (fit_log(table, as_of=date(2020, 6, 1)) for table in (events, known))
    pd.testing.assert_frame_equal(one.durations, other.durations)
    assert dict(zip(one.notes["code"], one.notes["number"], strict=True))["after_as_of"] == len(events) - len(known)


def test_without_starts_the_whole_is_told_and_waiting_is_said_to_be_unknown():
    found = fit_log(three_steps(200, starts=False), as_of=AS_OF)
    assert set(found.durations["part"]) == {"whole", "case"}
    codes = found.notes.groupby("code")["subject"].apply(list)
    assert codes["starts_not_recorded"] == ["check", "decide", "register"]
    assert "waiting_unknown" in codes
    assert set(found.bottleneck["part"]) == {"whole"}
    assert found.agencies[["busiest", "load", "share"]].isna().all(axis=None)


def test_working_days_are_fewer_than_days():
    weekends = [day for day in pd.date_range("2019-12-01", "2021-06-01") if day.weekday() >= 5]
    found = fit_log(three_steps(300), as_of=AS_OF, closed=weekends, zone="Asia/Almaty")
    for step in MEANS:
        days, working = (row(found.durations, step, "whole", unit)["mean"] for unit in ("days", "working_days"))
        assert working == pytest.approx(days * 5 / 7, rel=0.06)
    assert found.within_limit(40, unit="working_days")[0] > found.within_limit(40)[0]


def test_a_step_of_two_agencies_is_told_for_each_and_for_both():
    events = three_steps(300)
    events.loc[(events["step"] == "register") & (events["case_id"] < "c00150"), "agency"] = "gendarmes"
    found = fit_log(events, as_of=AS_OF).durations
    mine = found[(found["step"] == "register") & (found["part"] == "whole")].set_index("agency")
    assert sorted(mine.index.dropna()) == ["gendarmes", "police"]
    assert mine["events"].max() == mine["events"].sum() / 2


def test_the_steps_that_decide_are_seen_in_turn_and_side_by_side_or_named():
    in_turn = fit_log(three_steps(100), as_of=AS_OF)
    assert in_turn.notes.set_index("code").loc["last_step", "subject"] == "decide"
    rng = np.random.default_rng(3)
    rows = []
    for one in range(200):
        begin = one / 2
        rows += [
            [f"c{one}", step, step, instants(begin), instants(begin), instants(begin + rng.gamma(9, mean / 9))]
            for step, mean in (("a", 10), ("b", 10), ("c", 9))
        ]
    events = pd.DataFrame(rows, columns=["case_id", "step", "agency", "ready_at", "started_at", "finished_at"])
    at_once = fit_log(events)
    assert at_once.within_limit(15)[0] == pytest.approx(_within(events, 15))
    assert at_once.order["after"].tolist() == [(), (), ()]
    first = fit_log(three_steps(100), as_of=AS_OF, last_step="check")
    assert first.within_limit(20)[0] < 1
    with pytest.raises(DesignError, match=r"last_step 'decode' is no step of the log; did you mean 'decide'"):
        fit_log(three_steps(100), last_step="decode")


def test_the_order_of_the_steps_and_what_follows_what_are_seen(fitted):
    assert fitted.order[["step", "after"]].to_numpy().tolist() == [["check", ()], ["register", ("check",)], ["decide", ("register",)]]
    assert fitted.follows[["step", "next_step"]].to_numpy().tolist() == [["check", "register"], ["register", "decide"]]
    assert fitted.follows["median_gap"].tolist() == [0.0, 0.0]


def test_returned_cases_are_counted_with_their_days():
    events = three_steps(200)
    first = events[(events["step"] == "check") & (events["case_id"] < "c00050")].copy()
    first[["ready_at", "started_at", "finished_at"]] += pd.Timedelta(30, "D")
    found = fit_log(pd.concat([events, first, first.head(10).assign(ready_at=first["ready_at"] + pd.Timedelta(1, "h"))]))
    told = found.returns.set_index("step").loc["check"]
    assert told[["cases", "repeated", "repeats"]].tolist() == [200, 50, 60 / 200]
    assert told["share"] == 0.25
    assert told["low"] < 0.25 < told["high"]
    assert told["returned"] == pytest.approx(60 / 260)
    assert found.returns.set_index("step").loc["decide", ["share", "low"]].tolist() == [0, 0]


def test_arrivals_are_by_month_and_seasons_need_two_years():
    events = three_steps(300)
    short = fit_log(events, as_of="2020-09-15").arrivals
    assert short["month"].tolist() == [f"2020-{month:02d}" for month in range(1, 10)]
    assert short["whole"].tolist() == [False] + [True] * 7 + [False]  # the log begins on a second of January
    assert short["cases"].sum() == (events.loc[events["step"] == "check", "ready_at"] <= pd.Timestamp("2020-09-15")).sum()
    assert short["season"].isna().all()
    long = fit_log(three_steps(400, span=800), as_of="2022-03-05").arrivals
    assert long["season"].notna().all()
    assert long.groupby(long["month"].str[-2:])["season"].first().mean() == pytest.approx(1)


def test_rows_with_faults_are_told_and_the_rest_is_fitted():
    events = three_steps(50)
    events.loc[3, "finished_at"] = pd.Timestamp("2019-01-01")
    found = fit_log(pd.concat([events, events.iloc[[7]]]), as_of=AS_OF)
    assert found.faults["fault"].tolist() == ["backwards", "backwards", "repeated"]
    assert found.faults["row"].tolist() == [5, 5, 152]
    assert dict(zip(found.notes["code"], found.notes["number"], strict=True))["faults"] == 2


def test_a_withdrawn_case_is_neither_decided_nor_forgotten():
    events = three_steps(200)
    broken = (events["step"] == "decide") & (events["case_id"] < "c00060")
    events.loc[broken, "outcome"] = "withdrawn"
    found = fit_log(events, as_of="2021-06-01")
    case = row(found.durations, None, "case")
    assert case["unfinished"] == 60
    assert row(found.durations, "decide", "handling")["unfinished"] == 60
    assert {"broken_off", "as_of_after_log"} <= set(found.notes["code"])


def test_the_same_log_and_seed_give_the_same_tables():
    one, other = (fit_log(three_steps(40), as_of=AS_OF) for _ in range(2))
    pd.testing.assert_frame_equal(one.bottleneck, other.bottleneck)
    pd.testing.assert_frame_equal(one.durations, other.durations)


def test_the_curve_of_a_step_is_there_to_be_drawn(fitted):
    curve = fitted.survival[(fitted.survival["step"] == "check") & (fitted.survival["part"] == "whole")]
    assert 20 < len(curve) <= 120
    assert curve["share_open"].is_monotonic_decreasing
    assert set(fitted.candidates["distribution"]) == {"gamma", "lognormal", "weibull", "exponential"}
    assert fitted.candidates.groupby(["part", "step"])["weight"].sum().to_numpy() == pytest.approx(1)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"coverage": 95}, r"write 0\.95"),
        ({"coverage": 0.2}, "no share from 0.5"),
        ({"coverage": True}, "no share"),
        ({"draws": 2}, "draws = 2"),
        ({"seed": -1}, "seed = -1"),
        ({"seed": 1.5}, r"seed = 1\.5"),
        ({"withdrawn": "aborted"}, "is one text"),
        ({"as_of": "2019-01-01"}, "no step was ready by 2019"),
        ({"as_of": 5}, "as_of = 5 is no moment"),
        ({"zone": "Mars"}, "no time zone"),
        ({"last_step": []}, "last_step names no step"),
        ({"declared": pd.DataFrame({"step": ["check"], "whole_mean": [3.0]}), "declared_unit": "weeks"}, "not counted in 'weeks'"),
    ],
)
def test_parameters_that_are_none_are_refused(parameters, words):
    with pytest.raises(DesignError, match=words):
        fit_log(three_steps(30), **parameters)


def test_free_text_is_no_step():
    events = three_steps(300)
    events["step"] = events["case_id"] + events["step"]
    with pytest.raises(DesignError, match="900 different steps"):
        fit_log(events)
    with pytest.raises(DataError, match="has no column"):
        fit_log(events.drop(columns="step"))


def test_attempts_that_were_sent_back_are_returns_and_no_durations():
    days = pd.to_timedelta(range(60), unit="D")
    first = pd.Timestamp("2021-01-04", tz="UTC") + days
    back = pd.DataFrame({"case_id": [f"c{n}" for n in range(60)], "step": "check", "agency": "a", "ready_at": first, "started_at": first,
                         "finished_at": first + pd.Timedelta("1D"), "outcome": "returned"})  # fmt: skip
    spread = pd.to_timedelta([20 + n % 7 for n in range(60)], unit="D")
    done = back.assign(ready_at=first + pd.Timedelta("5D"), started_at=first + pd.Timedelta("5D"), finished_at=first + pd.Timedelta("5D") + spread,
                       outcome="done")  # fmt: skip
    found = fit_log(pd.concat([back, done], ignore_index=True))
    handling = found.durations[found.durations["part"].eq("handling")].iloc[0]
    assert handling["events"] == 60
    assert handling["mean"] == pytest.approx(float(spread.days.to_numpy().mean()), rel=0.02)
    assert found.returns["share"].iloc[0] == 1
    assert found.notes.set_index("code").loc["sent_back", "number"] == 60
