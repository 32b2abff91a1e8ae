"""Every estimator gives the published figure, and what its library gives when called directly."""

from __future__ import annotations

import warnings

import diff_diff
import numpy as np
import pandas as pd
import pytest

from qonys.core.errors import DesignError
from qonys.effects import Design, Source, checks, estimate, examine, fitting, interrupted_series, panel, shape


def design(**own: object) -> Design:
    source = Source(table="t", unit="unit", period="period", value="value")
    return Design(**{"name": "test", "outcome": source, "exposure": Source(table="e", unit="unit", period="period", value="dose"), **own})


def made(table: pd.DataFrame, one: Design):
    """A panel of a table with unit, period, value and dose."""
    return panel(table.drop(columns="dose"), table[["unit", "period", "dose"]], one)


@pytest.fixture(scope="module")
def causal(real_data):
    return real_data / "reference_inputs" / "05_causal"


@pytest.fixture(scope="module")
def mpdta(causal) -> pd.DataFrame:
    table = pd.read_csv(causal / "mpdta.csv").rename(columns={"countyreal": "unit", "year": "period", "lemp": "value"})
    return table.assign(dose=((table["first.treat"] > 0) & (table["period"] >= table["first.treat"])).astype(float))


def test_the_minimum_wage_lowers_teen_employment_by_four_percent(mpdta):
    """Callaway and Sant'Anna (2021): simple ATT -0.0400, standard error 0.0120 (R package did, never treated counties)."""
    one = design(comparison="never_treated")
    found = estimate(made(mpdta, one), one, "callaway_santanna")
    assert round(found.estimate, 4) == -0.0400
    assert round(found.error, 4) == 0.0120
    assert found.low < -0.0400 < found.high < 0
    assert found.units == 500
    assert found.by_time["event_time"].tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert 0 < found.pre_trend < 1


def test_the_staggered_panel_of_fixest_gives_its_att(causal):
    """fixest, sunab: y ~ x1 + sunab(year_treated, year) | id + year gives an ATT of -1.1337 (0.2051)."""
    table = pd.read_csv(causal / "base_stagg.csv").rename(columns={"id": "unit", "year": "period", "y": "value"})
    table["period"] = table["period"].map("{:02d}".format)
    table["dose"] = (table["period"].astype(int) >= table["year_treated"]).astype(float)
    one = design(comparison="never_treated", covariates=("x1",))
    found = estimate(made(table, one), one, "sun_abraham")
    assert round(found.estimate, 4) == -1.1337
    assert round(found.error, 4) == 0.2051


def test_california_sold_fifteen_packs_less_by_synthetic_difference_in_differences(causal):
    """Arkhangelsky et al. (2021): -15.604."""
    table = pd.read_csv(causal / "california_prop99_synthdid.csv").set_axis(["unit", "period", "value", "dose"], axis=1)
    one = design()
    found = estimate(made(table, one), one, "synthetic_did")
    assert found.estimate == pytest.approx(-15.604, abs=0.0005)
    assert (found.treated, found.comparison) == (1, 38)
    assert found.weights["weight"].sum() == pytest.approx(1, abs=1e-6)


def test_the_smoking_ban_of_sicily_lowers_admissions_by_a_tenth(causal):
    """Bernal, Cummins and Gasparrini (2017): rate ratio 0.894 (0.865 to 0.925), Poisson with the standard population as offset."""
    table = pd.read_csv(causal / "its_sicily.csv").rename(columns={"aces": "value"})
    fit = interrupted_series(table, int(table.loc[table["smokban"] > 0, "time"].min()), offset="stdpop", hac=False)
    ratio, (low, high) = np.exp(fit.params["measure"]), np.exp(fit.conf_int().loc["measure"])
    assert [round(float(one), 3) for one in (ratio, low, high)] == [0.894, 0.865, 0.925]
    seasonal = interrupted_series(table, 37, offset="stdpop", harmonics=2)
    assert 0.86 < np.exp(seasonal.params["measure"]) < 0.91


# Parity with the library called directly


def simulated(
    seed: int = 1, *, ends: bool = False, cohorts: tuple[int, ...] = (5, 7), units: int = 40, counts: bool = False
) -> pd.DataFrame:
    """unit, period, value, dose: three quarters treated, an effect of -2 (counts: a third less)."""
    rng = np.random.default_rng(seed)
    rows = []
    for unit in range(units):
        first = cohorts[unit % len(cohorts)] if unit < 0.75 * units else 99
        for time in range(1, 13):
            on = first <= time < first + 3 + unit % 2 if ends else time >= first
            mean = 2 + 0.05 * unit + 0.1 * time
            value = rng.poisson(10 * mean * (2 / 3 if on else 1)) if counts else mean - 2 * on + rng.normal(0, 0.3)
            rows.append((f"u{unit:02d}", f"{time:02d}", float(value), float(on) * (1 + unit % 5)))
    return pd.DataFrame(rows, columns=["unit", "period", "value", "dose"])


def quiet(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return call()


def test_switching_treatments_poisson_and_event_study_say_what_the_library_says():
    table = simulated()
    leaves = table["unit"].isin([f"u{n:02d}" for n in range(8, 16)]) & (table["period"] >= "11")
    table.loc[leaves, "value"] += 2 * (table.loc[leaves, "dose"] > 0)
    table.loc[leaves, "dose"] = 0.0
    one = design()
    wrapped = estimate(made(table, one), one, "dcdh")
    own = made(table, one).rows.assign(treated=lambda rows: rows["on"].astype(int))
    direct = quiet(
        lambda: diff_diff.ChaisemartinDHaultfoeuille(seed=20221130).fit(
            own, outcome="value", unit="unit", time="time", treatment="treated", L_max=4
        )
    )
    assert wrapped.estimate == pytest.approx(direct.overall_att)
    assert wrapped.error == pytest.approx(direct.overall_se)
    assert wrapped.low < -2 < wrapped.high
    table = simulated(counts=True)
    one = design(kind="count")
    wrapped = estimate(made(table, one), one, "etwfe_poisson")
    direct = quiet(lambda: diff_diff.WooldridgeDiD(method="poisson").fit(made(table, one).rows, "value", "unit", "time", "first"))
    assert wrapped.estimate == pytest.approx(direct.overall_att)
    assert wrapped.error == pytest.approx(direct.overall_se)
    assert wrapped.estimate < 0
    table = simulated(cohorts=(6,))
    one = design()
    wrapped = estimate(made(table, one), one, "event_study")
    ever = made(table, one).rows.assign(ever=lambda rows: (rows["first"] > 0).astype(int))
    direct = quiet(
        lambda: diff_diff.MultiPeriodDiD(cluster="unit").fit(
            ever, "value", "ever", "time", post_periods=list(range(6, 13)), reference_period=5, unit="unit", absorb=["unit", "time"]
        )
    )
    assert wrapped.estimate == pytest.approx(direct.avg_att)
    assert wrapped.error == pytest.approx(direct.avg_se)
    assert wrapped.pre_trend > 0.001


@pytest.mark.parametrize("estimator", ["callaway_santanna", "sun_abraham", "lp_did"])
def test_staggered_estimators_find_the_effect(estimator):
    one = design()
    found = estimate(made(simulated(), one), one, estimator)
    assert found.estimate == pytest.approx(-2, abs=0.3)
    assert found.low < found.estimate < found.high < 0
    assert found.pre_trend > 0.001
    before = found.by_time[(found.by_time["event_time"] < -1)]
    assert before["estimate"].abs().max() < 0.6


def test_a_synthetic_control_finds_one_treated_unit_and_its_interval_is_that_of_placebos():
    table = simulated(cohorts=(10,), units=16)
    table = table[table["unit"] < "u09"]  # eight donors
    table.loc[(table["unit"] != "u00"), "dose"] = 0.0
    table.loc[(table["unit"].isin([f"u{n:02d}" for n in range(1, 12)])) & (table["period"] >= "10"), "value"] += (
        2  # never treated after all
    )
    one = design()
    found = estimate(made(table, one), one, "synthetic_control")
    assert found.estimate == pytest.approx(-2, abs=0.8)
    assert found.low < found.estimate < found.high
    assert np.isnan(found.error)


def test_unlike_doses_give_the_slope():
    rng = np.random.default_rng(3)
    table = simulated(cohorts=(6,), units=120)
    dose = table["unit"].str[1:].astype(int) % 5 + 1
    on = table["dose"] > 0
    table["dose"] = np.where(on, dose, 0.0)
    table["value"] = rng.normal(0, 0.2, len(table)) - 0.5 * table["dose"]
    one = design(estimand="dose_response", comparison="never_treated")
    found = estimate(made(table, one), one, "dose")
    assert found.estimand == "per_unit_of_dose"
    assert found.estimate == pytest.approx(-0.5, abs=0.1)


def test_local_projections_doses_controls_and_the_wild_bootstrap_say_what_the_library_says():
    one = design()
    rows = made(simulated(), one).rows.assign(treated=lambda own: own["on"].astype(int))
    direct = quiet(
        lambda: diff_diff.LPDiD(pre_window=6, post_window=6, cluster="cluster").fit(rows, "value", "unit", "time", "treated")
    ).pooled.set_index("window")
    wrapped = estimate(made(simulated(), one), one, "lp_did")
    assert wrapped.estimate == pytest.approx(direct.loc["post", "coefficient"])
    assert wrapped.low == pytest.approx(direct.loc["post", "conf_low"])
    table = simulated(cohorts=(6,), units=60)
    one = design(comparison="never_treated")
    rows = made(table, one).rows
    held = rows.assign(dose=rows["unit"].map(rows[rows["on"]].groupby("unit")["dose"].mean()).fillna(0.0))
    direct = quiet(lambda: diff_diff.ContinuousDiD(degree=1).fit(held, "value", "unit", "time", "first", "dose"))
    assert estimate(made(table, one), one, "dose").estimate == pytest.approx(direct.overall_acrt)
    few = table[table["unit"].isin([f"u{n:02d}" for n in range(0, 60, 6)])]
    rows = made(few, one).rows.assign(ever=lambda own: (own["first"] > 0).astype(int), after=lambda own: (own["time"] >= 6).astype(int))
    direct = quiet(
        lambda: diff_diff.TwoWayFixedEffects(
            cluster="unit", inference="wild_bootstrap", n_bootstrap=999, bootstrap_weights="webb", seed=20221130
        ).fit(rows, outcome="value", treatment="ever", time="after", unit="unit")
    )
    wrapped = estimate(made(few, one), one, "twfe_wild")
    assert wrapped.estimate == pytest.approx(direct.att)
    assert (wrapped.low, wrapped.high) == pytest.approx(tuple(map(float, direct.conf_int)))
    assert wrapped.low < -2 < wrapped.high
    unit = few.assign(dose=few["dose"].where(few["unit"] == "u00", 0.0))
    unit.loc[unit["unit"].isin(few.loc[few["dose"] > 0, "unit"]) & (unit["unit"] != "u00") & (unit["period"] >= "06"), "value"] += 2
    rows = made(unit, one).rows.assign(treated=lambda own: own["on"].astype(int))
    direct = quiet(
        lambda: diff_diff.SyntheticControl(seed=20221130, n_starts=1).fit(
            rows, "value", "treated", "unit", "time", pre_period_outcomes="all"
        )
    )
    wrapped = estimate(made(unit, one), one, "synthetic_control", anyway=True)
    assert wrapped.estimate == pytest.approx(direct.att)


# What the panel can tell


def test_a_panel_is_told_before_it_is_estimated():
    table = simulated(ends=True)
    table.loc[table["unit"] == "u00", "dose"] = 1.0
    gone = table[~((table["unit"] == "u05") & (table["period"] == "04"))]
    one = design()
    found = examine(made(gone, one), one).set_index("code")
    assert found.loc["always_treated", "where"] == "u00"
    assert found.loc["gaps", ["count", "where"]].tolist() == [1, "u05"]
    assert {"ends", "several_cohorts"} <= set(found.index)
    fits = fitting(made(gone, one), one).set_index("estimator")
    assert fits.loc["callaway_santanna", "why"] == "treatment_ends"
    assert fits.loc["lp_did", "why"] == "needs_a_whole_panel"
    assert fitting(made(table, one), one).set_index("estimator").loc["lp_did", "fits"]
    with pytest.raises(DesignError, match=r"callaway_santanna does not fit this design \(treatment_ends\)"):
        estimate(made(gone, one), one, "callaway_santanna")
    with pytest.raises(DesignError, match="no estimator 'callaway'"):
        estimate(made(gone, one), one, "callaway")


def test_periods_after_a_measure_ended_may_be_dropped_and_are_named():
    one = design(after_end="drop", comparison="never_treated")
    found = made(simulated(ends=True), one)
    assert set(found.left_out["why"]) == {"after the measure ended"}
    assert shape(found).ends == 0
    effect = estimate(found, one, "callaway_santanna")
    assert effect.low < -2 < effect.high


def test_everyone_treated_alike_is_refused_and_unlike_is_a_slope():
    table = simulated(cohorts=(6,)).query("unit < 'u30'").copy()
    one = design()
    alike = made(table.assign(dose=(table["dose"] > 0).astype(float)), one)
    assert examine(alike, one).set_index("code").loc["everyone_treated", "weight"] == "refuses"
    assert not fitting(alike, one)["fits"].any()
    unlike = made(table, one)
    assert fitting(unlike, one).set_index("estimator")["fits"].loc["universal"]
    assert shape(unlike).never == 0


def test_nullable_numbers_of_a_table_are_numbers():
    one = design()
    table = simulated(cohorts=(6,))
    nullable = table.astype({"value": "Float64"})
    nullable.loc[3, "value"] = pd.NA
    found = made(nullable, one)
    assert found.left_out["why"].tolist() == ["no value"]
    assert estimate(made(nullable.dropna(), one), one, "callaway_santanna").estimate == pytest.approx(-2, abs=0.3)


def test_staggered_and_synthetic_estimators_say_what_the_library_says():
    table = simulated()
    one = design(comparison="never_treated")
    rows = made(table, one).rows
    direct = quiet(
        lambda: diff_diff.CallawaySantAnna(control_group="never_treated", allow_unbalanced_panel=True).fit(
            rows, "value", "unit", "time", "first"
        )
    )
    wrapped = estimate(made(table, one), one, "callaway_santanna")
    assert (wrapped.estimate, wrapped.error) == (pytest.approx(direct.overall_att), pytest.approx(direct.overall_se))
    assert (wrapped.low, wrapped.high) == pytest.approx(tuple(map(float, direct.overall_conf_int)))
    direct = quiet(lambda: diff_diff.SunAbraham().fit(rows, "value", "unit", "time", "first"))
    wrapped = estimate(made(table, one), one, "sun_abraham")
    assert (wrapped.estimate, wrapped.error) == (pytest.approx(direct.overall_att), pytest.approx(direct.overall_se))
    assert (wrapped.low, wrapped.high) == pytest.approx(tuple(map(float, direct.overall_conf_int)))
    table = simulated(cohorts=(9,), units=24)
    rows = made(table, one).rows.assign(ever=lambda own: (own["first"] > 0).astype(int))
    direct = quiet(
        lambda: diff_diff.SyntheticDiD(variance_method="jackknife", seed=20221130).fit(
            rows, "value", "ever", "unit", "time", post_periods=[9, 10, 11, 12]
        )
    )
    wrapped = estimate(made(table, one), one, "synthetic_did")
    assert (wrapped.estimate, wrapped.error) == (pytest.approx(direct.att), pytest.approx(direct.se))
    assert wrapped.estimate == pytest.approx(-2, abs=0.3)


def test_where_everyone_is_treated_unlike_doses_give_what_the_library_gives():
    rng = np.random.default_rng(7)
    table = simulated(cohorts=(6,), units=80).query("unit < 'u60'").copy()
    dose = table["unit"].map(dict(zip(sorted(table["unit"].unique()), rng.uniform(0.0, 2.0, 60), strict=True)))
    late = table["period"] >= "06"
    table["dose"] = np.where(late, dose, 0.0)
    table["value"] = rng.normal(0, 0.1, len(table)) - 1.5 * table["dose"]
    one = design(estimand="dose_response")
    wrapped = estimate(made(table, one), one, "universal")
    two = table.assign(late=late.astype(int)).groupby(["unit", "late"], as_index=False).agg(value=("value", "mean"), dose=("dose", "mean"))
    direct = quiet(
        lambda: diff_diff.HeterogeneousAdoptionDiD(seed=20221130).fit(two, outcome="value", dose="dose", time="late", unit="unit")
    )
    assert wrapped.estimate == pytest.approx(direct.att)
    assert (wrapped.low, wrapped.high) == pytest.approx(tuple(map(float, direct.conf_int)))
    assert wrapped.estimate == pytest.approx(-1.5, abs=0.3)


def test_the_estimand_of_the_design_decides_which_estimators_fit():
    table = simulated(cohorts=(6,))
    fits = {
        name: fitting(made(table, one), one)
        for name in ("att", "dose_response")
        for one in [design(estimand=name, comparison="never_treated")]
    }
    assert "callaway_santanna" in fits["att"].loc[fits["att"]["fits"], "estimator"].tolist()
    slopes = fits["dose_response"]
    assert slopes.loc[slopes["fits"], "estimator"].tolist() == ["dose"]
    assert slopes.set_index("estimator").loc["callaway_santanna", "why"] == "other_estimand"


def test_announcements_before_the_measure_are_named():
    table = simulated(cohorts=(6,)).assign(said=None)
    table["said"] = np.where(table["dose"] > 0, "04", None)
    one = design(announced="said")
    found = panel(table[["unit", "period", "value"]], table[["unit", "period", "dose", "said"]], one)
    assert examine(found, one).set_index("code").loc["announced_before", "count"] == 30
    two = design(announced="said", anticipation=2)
    assert "announced_before" not in set(examine(found, two)["code"])


def test_a_single_series_is_read_as_interrupted_and_its_placebos_find_nothing():
    rng = np.random.default_rng(2)
    months = [f"{year}-{month:02d}" for year in range(2014, 2021) for month in range(1, 13)]
    season = {month: 1 + 0.3 * np.sin(2 * np.pi * int(month[5:]) / 12) for month in months}
    table = pd.DataFrame({"unit": "KAZ", "period": months})
    table["value"] = [float(rng.poisson(1000 * season[month] * (0.6 if month >= "2020-04" else 1))) for month in months]
    table["dose"] = (table["period"] >= "2020-04").astype(float)
    one = design(kind="count")
    whole = made(table, one)
    fits = fitting(whole, one)
    assert fits.loc[fits["fits"], "estimator"].tolist() == ["interrupted"]
    assert not {"few_clusters", "few_treated_clusters"} & set(examine(whole, one)["code"])
    found = estimate(whole, one, "interrupted")
    without = 1000 * np.mean([season[month] for month in months if month >= "2020-04"])
    assert found.low < -0.4 * without < found.high
    placebos = checks(whole, one, found).in_time
    assert placebos["shift"].tolist() == [6, 12, 18]
    assert ((placebos["low"] < 0) & (placebos["high"] > 0)).sum() >= 2


def test_a_table_without_rows_is_refused():
    with pytest.raises(DesignError, match="t has no rows"):
        made(simulated().iloc[:0], design())
