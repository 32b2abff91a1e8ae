"""Effects of support: lifelines' own fits, a simulated truth recovered, and silence with a code where nothing can be told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, LogLogisticAFTFitter, LogNormalAFTFitter, WeibullAFTFitter
from lifelines.statistics import proportional_hazard_test
from scipy.stats import binom

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.records import spells
from qonys.scenarios.settlement.retention_design import MEASURES, RetentionDesign
from qonys.scenarios.settlement.simulated_households import simulate_households
from qonys.scenarios.settlement.support import support_effects

# Freireich et al. (1963), as printed in Cox (1972)
TREATED = [6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]


def design(**more) -> RetentionDesign:
    return RetentionDesign(**({"name": "north", "covariates": ("members",)} | more))


@pytest.fixture(scope="module")
def simulated():
    return simulate_households(400, seed=2)


@pytest.fixture(scope="module")
def stays(simulated) -> pd.DataFrame:
    return spells(simulated.records)


@pytest.fixture(scope="module")
def plain(stays) -> pd.DataFrame:
    """The same as lifelines wants it."""
    got = {name: stays["support"].map(lambda row, name=name: float(name in row)) for name in MEASURES}
    return pd.DataFrame(got).assign(members=stays["members"].astype(float), days=stays["days"], left=stays["left"])


def own(*groups: tuple[tuple[str, ...], list[int]]) -> pd.DataFrame:
    """Stays by support; minus: cut off."""
    rows = [(abs(time), time > 0, support) for support, times in groups for time in times]
    found = pd.DataFrame(rows, columns=["days", "left", "support"]).astype({"days": float})
    return found.assign(household_id=[f"H{row}" for row in range(len(found))], stay=1)


def test_the_hazard_ratio_of_freireich_is_4_82():
    # Kalbfleisch and Prentice (1980), Collett (2015): beta 1.57 by Efron's ties, so exp(-1.57) with treatment
    found = support_effects(
        own((("housing",), TREATED), ((), PLACEBO)), design(measures=("housing",), covariates=(), horizon_months=(1,)), draws=0
    )
    row = found.ratios.iloc[0]
    assert 1 / row["ratio"] == pytest.approx(4.82, abs=0.01)
    assert (row["stays"], row["left"]) == (21, 9)


def test_hazard_ratios_and_the_test_of_proportion_are_those_of_lifelines(stays, plain):
    fitted = CoxPHFitter().fit(plain, "days", "left", robust=True)
    found = support_effects(stays, design(), draws=0).ratios.set_index("term")
    names = list(fitted.params_.index)
    np.testing.assert_allclose(np.log(found.loc[names, "ratio"]), fitted.params_, atol=1e-6)
    width = np.log(found["high"] / found["low"]) / 2 / 1.959964
    np.testing.assert_allclose(width[names], fitted.standard_errors_, rtol=0.01)  # lifelines knows no ties here
    tested = proportional_hazard_test(CoxPHFitter().fit(plain, "days", "left"), plain)
    np.testing.assert_allclose(
        found.loc[names, "proportional_p"], pd.Series(tested.p_value, tested.name)[names], rtol=0.02
    )  # its ranks part ties by order


@pytest.mark.parametrize(
    ("model", "fitter"),
    [
        ("weibull", WeibullAFTFitter),
        pytest.param("lognormal", LogNormalAFTFitter, marks=pytest.mark.slow),
        pytest.param("loglogistic", LogLogisticAFTFitter, marks=pytest.mark.slow),
    ],
)
def test_time_ratios_are_those_of_lifelines_and_so_is_the_standardised_retention(stays, plain, model, fitter):
    two = ("rent_cover", "housing")
    part, rows = stays.iloc[:80], plain.iloc[:80][[*two, "members", "days", "left"]]
    fitted = fitter().fit(rows, "days", "left", robust=True)
    found = support_effects(part, design(model=model, measures=two), draws=0)
    assert found.ratio_of == "time"
    ratios = found.ratios.set_index("term")
    params = fitted.params_.loc[fitted._primary_parameter_name].drop("Intercept")
    np.testing.assert_allclose(np.log(ratios.loc[params.index, "ratio"]), params, atol=0.01)  # it stops a little early on terms as they are
    errors = fitted.standard_errors_.loc[fitted._primary_parameter_name].drop("Intercept")
    np.testing.assert_allclose(np.log(ratios["high"] / ratios["low"])[params.index] / 2 / 1.959964, errors, rtol=0.02)
    row = found.retained.set_index(["measure", "horizon_months"]).loc[("housing", 24)]
    expected = fitted.predict_survival_function(rows.assign(housing=1.0), times=[730]).iloc[0].mean()
    assert row["retained_with"] == pytest.approx(expected, abs=1e-3)


def test_standardised_retention_is_the_mean_of_lifelines_predictions(stays, plain):
    fitted = CoxPHFitter().fit(plain, "days", "left")
    found = support_effects(stays, design(horizon_months=(24,)), draws=0).retained.set_index("measure")
    for name in MEASURES:
        for column, value in (("retained_with", 1.0), ("retained_without", 0.0)):
            expected = fitted.predict_survival_function(plain.assign(**{name: value}), times=[730]).iloc[0].mean()
            assert found.loc[name, column] == pytest.approx(expected, abs=1e-6)


def test_the_truth_of_a_simulation_is_found_within_twice_the_interval_and_the_interval_holds_the_estimate():
    made = simulate_households(3000, seed=11)
    found = support_effects(spells(made.records), design(), draws=40).retained
    found = found.merge(made.truth, on=["measure", "horizon_months"], suffixes=("", "_true"))
    reach = (found["high"] - found["low"]) / 2
    assert ((found["difference"] - found["difference_true"]).abs() < 2 * reach).all()
    assert reach.max() < 0.05
    assert (found["low"] <= found["difference"]).all()
    assert (found["difference"] <= found["high"]).all()


def test_the_same_seed_gives_the_same_table_and_order_and_labels_of_rows_are_of_no_account(stays):
    wanted = design(measures=("housing",), strata=("destination",), horizon_months=(12,))
    one, other = support_effects(stays, wanted, draws=40, seed=3), support_effects(stays, wanted, draws=40, seed=3)
    pd.testing.assert_frame_equal(one.draws, other.draws)
    turned = support_effects(stays.iloc[::-1].set_index(np.arange(len(stays)) + 7), wanted, draws=0)
    np.testing.assert_allclose(turned.retained["difference"], one.retained["difference"], atol=1e-8)


def test_a_household_counted_twice_as_two_stays_adds_no_certainty(stays):
    again = pd.concat([stays, stays.assign(stay=2)], ignore_index=True)
    once, twice = (support_effects(table, design(measures=("housing",)), draws=0).ratios for table in (stays, again))
    # only the ties that doubling makes tell them apart
    np.testing.assert_allclose(np.log(twice["high"] / twice["low"]), np.log(once["high"] / once["low"]), rtol=0.05)


def test_support_that_begins_late_counts_from_then_and_shows_no_effect_where_there_is_none():
    rng = np.random.default_rng(5)
    stay, waits = np.ceil(rng.exponential(600, 1500)), rng.integers(100, 500, 1500)
    got = waits < stay
    data = pd.DataFrame({"household_id": range(1500), "stay": 1, "days": stay.clip(max=1200), "left": stay <= 1200})
    data["support"] = [("housing",) if one else () for one in got]
    wanted = design(measures=("housing",), covariates=(), horizon_months=(12,))
    taken_from_move = support_effects(data, wanted, draws=0)
    assert taken_from_move.ratios["high"].iloc[0] < 0.6  # immortal time: who left early could not get it
    assert "support_taken_from_move" in set(taken_from_move.notes["code"])
    late = support_effects(data.assign(housing_from_days=np.where(got, waits, np.nan)), wanted, draws=0)
    assert late.ratios["low"].iloc[0] < 1 < late.ratios["high"].iloc[0]
    assert late.notes[["code", "subject"]].to_numpy().tolist() == [["immortal_time", "housing"]]
    assert late.crude.empty


def test_where_nobody_with_a_measure_left_there_is_no_ratio_but_the_exact_bound_and_the_rest_is_estimated():
    data = own((("housing",), [-400] * 12), (("rent_cover",), [50, 100, -400, -400] * 10), ((), [30, 60, 90, -400] * 10))
    found = support_effects(data, design(measures=("housing", "rent_cover", "business_loan"), covariates=(), horizon_months=(12,)), draws=0)
    assert found.ratios.set_index("term")["code"].to_dict() == {
        "housing": "nobody_with_left",
        "rent_cover": "",
        "business_loan": "nobody_got",
    }
    housing = found.retained.iloc[0]
    assert housing["retained_with"] == 1
    assert np.isnan(housing["difference"])
    crude = found.crude.set_index(["measure", "group"])
    assert crude.loc[("housing", "with"), "low"] == pytest.approx(0.025 ** (1 / 12))
    # the limit of the likelihood: the twelve tell nothing of rent cover
    alone = support_effects(data.iloc[12:], design(measures=("rent_cover",), covariates=(), horizon_months=(12,)), draws=0)
    assert found.ratios["ratio"].iloc[1] == pytest.approx(alone.ratios["ratio"].iloc[0])


def test_where_terms_together_part_all_who_left_from_the_rest_no_ratio_is_made_up():
    # without housing those of 2 members leave, with it those of 5
    data = own((("housing",), [-400] * 8 + [100, 120]), ((), [50, 70, 90] + [-400] * 8))
    data["members"] = [2] * 8 + [5, 6] + [2] * 3 + [1] * 8
    found = support_effects(data, design(measures=("housing",), horizon_months=(6,)), draws=0)
    assert found.ratios["code"].tolist() == ["separated", "separated"]
    assert found.ratios[["ratio", "low", "high"]].isna().all(axis=None)
    assert found.retained[["code", "difference"]].astype(str).to_numpy().tolist() == [["separated", "nan"]]


def test_what_everybody_got_and_few_departures_are_told_by_code():
    data = own((("housing", "rent_cover"), [50, -400] * 4), (("housing",), [30, 60, -400] * 2))
    found = support_effects(data, design(measures=("housing", "rent_cover"), covariates=(), horizon_months=(12, 24)), draws=0)
    assert found.ratios["code"].tolist() == ["everybody_got", "few_events"]
    assert found.retained["code"].tolist() == ["everybody_got"] * 2 + ["few_events", "few_events;beyond_follow_up"]
    assert found.retained["difference"].isna().tolist() == [True, True, False, True]


def test_a_ratio_that_changes_with_time_is_told_by_code():
    # housing keeps all for a year, then they leave faster than the rest
    data = own((("housing",), list(range(360, 460)) + [-600] * 20), ((), list(range(5, 405, 4)) + [-600] * 20))
    row = support_effects(data, design(measures=("housing",), covariates=(), horizon_months=(12,)), draws=0).ratios.iloc[0]
    assert row["code"] == "not_proportional"
    assert row["proportional_p"] < 0.001


def test_missing_covariates_and_levels_are_noted(stays):
    data = stays.assign(skill=["builder", "teacher", "farmer", None] * 100)
    found = support_effects(data, design(covariates=("skill",), horizon_months=(12,)), draws=0)
    notes = found.notes.set_index("code")
    assert notes.loc["dropped_missing", ["subject", "value"]].tolist() == ["skill", 100]
    assert notes.loc["reference", "subject"] == "skill=builder"
    assert found.ratios["term"].tolist() == [*MEASURES, "skill=farmer", "skill=teacher"]


@pytest.mark.parametrize(
    ("change", "wanted", "more", "sentence"),
    [
        ({}, {"covariates": ("ethnicity",)}, {}, "unlawful profiling"),
        ({"group": ["Uzbek", "farmer"] * 200}, {"covariates": ("group",)}, {}, "'group' holds 'Uzbek', a people or a faith"),
        ({}, {"covariates": ("member",)}, {}, "no column 'member'; did you mean 'members'"),
        ({}, {"measures": ("hosing",)}, {}, "did you mean 'housing'"),
        ({"twice": lambda d: 2 * d["members"]}, {"covariates": ("members", "twice")}, {}, "members, twice always go together"),
        (
            {"district": lambda d: d["destination"]},
            {"covariates": ("district",), "strata": ("destination",)},
            {},
            "is the same for all who are compared",
        ),
        ({"wealth": float("inf")}, {"covariates": ("wealth",)}, {}, "holds an infinite number"),
        ({"wealth": [1.0, float("inf")] * 200}, {"covariates": ("wealth",)}, {}, "wealth holds an infinite number"),
        ({}, {"covariates": ("moved_on",)}, {}, "moved_on holds days"),
        ({}, {"covariates": ("household_id",)}, {}, "household_id has 400 levels"),
        ({}, {"strata": ("household_id",)}, {}, "more than 100 groups"),
        ({"left": False}, {}, {}, "nobody of 400 stays left"),
        ({}, {}, {"draws": 5}, "5 draws are none; give 0 for no interval, or 40"),
        ({}, {}, {"draws": True}, "True draws are none"),
        ({}, {}, {"seed": -1}, "the seed -1 is none"),
        (
            {"housing_from_days": lambda d: d["support"].map(lambda row: 5.0 if "housing" in row else np.nan)},
            {"model": "weibull"},
            {},
            "no place in weibull",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(stays, change, wanted, more, sentence):
    with pytest.raises(DesignError, match=sentence):
        support_effects(stays.assign(**change), design(**wanted), **({"draws": 0} | more))


@pytest.mark.slow
@pytest.mark.parametrize(("model", "sets"), [("cox", 16), ("weibull", 8)])
def test_intervals_hold_the_truth_as_often_as_they_say(model, sets):
    held = {"ratio": [], "difference": []}
    for seed in range(sets):
        made = simulate_households(500, seed=1000 + seed, shape=0.8)
        found = support_effects(spells(made.records), design(model=model, horizon_months=(24,)), draws=100)
        truth = made.truth[made.truth["horizon_months"] == 24].set_index("measure")
        ratios, retained = found.ratios.set_index("term").loc[truth.index], found.retained.set_index("measure")
        # of a Weibull law, log time ratio = - log hazard ratio / shape
        expected = truth["log_hazard_ratio"] if model == "cox" else -truth["log_hazard_ratio"] / 0.8
        held["ratio"] += list((np.log(ratios["low"]) <= expected) & (expected <= np.log(ratios["high"])))
        held["difference"] += list((retained["low"] <= truth["difference"]) & (truth["difference"] <= retained["high"]))
    for times in held.values():
        # five intervals a set, nearly independent: within the 0.1 % tails of 95 %, less what percentiles of 100 draws lose
        assert binom.ppf(0.001, 5 * sets, 0.93) <= sum(times) <= binom.ppf(0.999, 5 * sets, 0.97)
