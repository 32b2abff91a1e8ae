"""Spread across areas: what leaves it unchanged, what scales it, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from qonys.convergence import change_of_spread, joint_verdict, spread
from qonys.convergence.sigma import FEWEST_AREAS
from qonys.core.errors import DesignError

MONTHS = [f"2020-{month:02d}" for month in range(1, 5)]
BEFORE, AFTER = MONTHS[:2], MONTHS[2:]
values = arrays(
    float, st.tuples(st.integers(FEWEST_AREAS, 12), st.just(len(MONTHS))), elements=st.integers(-1000, 1000).map(lambda n: n / 10)
)


def panel(table: np.ndarray, areas: list[str] | None = None) -> pd.DataFrame:
    names = areas or [f"A{place:02d}" for place in range(len(table))]
    return pd.DataFrame(
        [(area, month, table[i, t]) for i, area in enumerate(names) for t, month in enumerate(MONTHS)], columns=["area", "period", "value"]
    )


@given(values)
def test_the_spread_is_the_sample_standard_deviation(table):
    found = spread(panel(table))
    np.testing.assert_allclose(found["sd"], table.std(axis=0, ddof=1), atol=1e-9)
    np.testing.assert_allclose(found["mean"], table.mean(axis=0), atol=1e-9)
    assert (found["areas"] == len(table)).all()


@given(values)
def test_an_interval_is_in_order_and_never_below_zero(table):
    found = spread(panel(table))
    assert (found["low"] <= found["high"]).all()
    assert (found["low"] >= 0).all()
    change = change_of_spread(panel(table), BEFORE, AFTER, draws=50)
    assert change.low <= change.high
    assert 0 <= change.share_above <= 1


@given(values, st.integers(-500, 500))
def test_adding_the_same_to_every_area_leaves_the_spread_unchanged(table, constant):
    one, two = spread(panel(table)), spread(panel(table + constant))
    np.testing.assert_allclose(one["sd"], two["sd"], atol=1e-6)
    # the interval ranks the draws, and rounding may turn a tie: nearly the same, then
    assert (abs(one[["low", "high"]] - two[["low", "high"]]).max(axis=1) <= 0.2 * (one["high"] - one["low"]) + 1e-6).all()
    changes = [change_of_spread(panel(moved), BEFORE, AFTER, draws=50) for moved in (table, table + constant)]
    assert changes[0].value == pytest.approx(changes[1].value, abs=1e-6)


@given(values, st.sampled_from([0.5, 2.0, 8.0, -1.0]))
def test_another_unit_scales_the_spread_and_its_interval(table, factor):
    one, two = spread(panel(table)), spread(panel(table * factor))
    np.testing.assert_allclose(abs(factor) * one[["sd", "low", "high"]], two[["sd", "low", "high"]], atol=1e-6)
    changes = [change_of_spread(panel(unit), BEFORE, AFTER, draws=50) for unit in (table, table * factor)]
    for part in ("value", "low", "high"):
        assert abs(factor) * getattr(changes[0], part) == pytest.approx(getattr(changes[1], part), abs=1e-6)


@given(values, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing_at_all(table, chance):
    given_ = panel(table)
    shuffled = given_.sample(frac=1, random_state=chance.randint(0, 99))
    pd.testing.assert_frame_equal(spread(given_), spread(shuffled))
    assert change_of_spread(given_, BEFORE, AFTER, draws=50) == change_of_spread(shuffled, BEFORE, AFTER, draws=50)


@given(values, st.randoms(use_true_random=False))
def test_the_names_of_the_areas_do_not_change_the_estimate(table, chance):
    # the interval may move a little: draws pick areas by their place in the order of names
    names = [f"A{place:02d}" for place in range(len(table))]
    renamed = panel(table, chance.sample(names, len(names)))
    np.testing.assert_allclose(spread(panel(table))["sd"], spread(renamed)["sd"], atol=1e-9)
    assert change_of_spread(panel(table), BEFORE, AFTER, draws=20).value == pytest.approx(
        change_of_spread(renamed, BEFORE, AFTER, draws=20).value, abs=1e-9
    )


@given(values)
def test_time_run_backwards_turns_the_change_round(table):
    there, back = change_of_spread(panel(table), BEFORE, AFTER, draws=50), change_of_spread(panel(table), AFTER, BEFORE, draws=50)
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low), abs=1e-9)


def test_areas_that_are_all_alike_have_no_spread_and_no_verdict():
    table = np.full((8, len(MONTHS)), 3.0)
    assert spread(panel(table))[["sd", "low", "high"]].to_numpy().tolist() == [[0, 0, 0]] * len(MONTHS)
    assert change_of_spread(panel(table), BEFORE, AFTER, draws=50).verdict == "undecided"


def test_a_gap_is_left_out_and_a_period_of_few_areas_has_no_spread():
    table = np.random.default_rng(1).normal(size=(7, len(MONTHS)))
    table[0, 0] = np.nan
    table[:3, 1] = np.nan
    found = spread(panel(table))
    assert found["areas"].tolist() == [6, 4, 7, 7]
    assert found["sd"].iloc[0] == pytest.approx(table[1:, 0].std(ddof=1))
    assert found.loc[1, ["sd", "low", "high"]].isna().all()


def test_the_same_seed_gives_the_same_interval_and_another_one_nearly_the_same():
    given_ = panel(np.random.default_rng(1).normal(size=(25, len(MONTHS))))
    assert spread(given_).equals(spread(given_))
    one, two = (change_of_spread(given_, BEFORE, AFTER, draws=2000, seed=seed) for seed in (1, 2))
    assert one.low == pytest.approx(two.low, abs=0.05)


def test_what_cannot_be_answered_is_refused_with_what_is_missing():
    table = np.random.default_rng(1).normal(size=(8, len(MONTHS)))
    for answer in (spread, lambda empty: change_of_spread(empty, BEFORE, AFTER)):
        with pytest.raises(DesignError, match="the panel is empty; check areas and period"):
            answer(panel(table).iloc[:0])
    with pytest.raises(DesignError, match=rf"the panel has {FEWEST_AREAS - 1} areas; a spread needs at least {FEWEST_AREAS}"):
        change_of_spread(panel(table[: FEWEST_AREAS - 1]), BEFORE, AFTER)
    for phases in ((["1999-01", "1999-02"], AFTER), (BEFORE, ["1999-01", "1999-02"])):
        with pytest.raises(DesignError, match=r"no period from 1999-01 to 1999-02.*; choose phases inside the panel"):
            change_of_spread(panel(table), *phases)
    with pytest.raises(DesignError, match="a phase"):
        change_of_spread(panel(table), [], AFTER)


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        (["distancing"] * 3, "distancing"), (["converging"] * 2, "converging"), (["undecided"] * 2, "undecided"),
        (["converging", "undecided"], "leaning_converging"), (["converging", "distancing", "undecided"], "contradictory"), ([], "undecided"),
        (["converging", "undecided", "undecided"], "undecided"),
    ],
)  # fmt: skip
def test_several_verdicts_agree_lean_or_contradict(verdicts, together):
    assert joint_verdict(verdicts) == together
    assert joint_verdict(reversed(verdicts)) == together


# What the intervals are worth, by simulation


def normal(chance: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return chance.normal(size=size)


def shares(chance: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
    return chance.beta(0.5, 0.5, size=size)


DRAWN = [(normal, 1.0), (shares, np.sqrt(0.125))]


@pytest.mark.slow
@pytest.mark.parametrize(("draw", "truth"), DRAWN, ids=["normal", "beta"])
def test_the_interval_of_a_spread_holds_the_truth_about_as_often_as_it_says(draw, truth):
    chance, held = np.random.default_rng(20200316), []
    for _ in range(300):
        found = spread(panel(draw(chance, (25, len(MONTHS)))))
        held += list((found["low"] <= truth) & (truth <= found["high"]))
    print(f"coverage of the spread's interval, n=25, {draw.__name__}: {np.mean(held):.3f}")
    assert 0.90 <= np.mean(held) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("draw", "truth"), DRAWN, ids=["normal", "beta"])
def test_a_spread_that_falls_by_half_is_called_converging_and_one_that_stays_undecided(draw, truth):
    chance, verdicts, held = np.random.default_rng(20200316), {1.0: [], 0.5: []}, []
    for seed in range(300):
        for scale, said in verdicts.items():
            table = draw(chance, (25, len(MONTHS)))
            table[:, 2:] *= scale
            change = change_of_spread(panel(table), BEFORE, AFTER, draws=400, seed=seed)
            said.append(change.verdict)
            held.append(change.low <= (scale - 1) * truth <= change.high)
    shown = {scale: {word: said.count(word) / len(said) for word in set(said)} for scale, said in verdicts.items()}
    print(f"verdicts, n=25, {draw.__name__}: {shown}; coverage of the change's interval: {np.mean(held):.3f}")
    assert verdicts[0.5].count("converging") > 0.80 * 300
    assert verdicts[1.0].count("undecided") > 0.88 * 300
    assert 0.90 <= np.mean(held) <= 0.97


def test_the_band_stays_within_reach_where_one_member_alone_differs():
    values = np.zeros((27, len(MONTHS)))
    values[0] = 100.0
    values[1] = 0.01
    found = spread(panel(values))
    assert (found["high"] < 4 * found["sd"]).all()
