"""PPML gravity: published coefficients, laws, refusals, what pyfixest finds, and recovery of what was simulated."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from qonys.core.errors import DesignError
from qonys.effects.gravity import ppml, ppml_table, without

THREE = [("origin", "year"), ("destination", "year"), ("origin", "destination")]
FILES = "reference_inputs/04_ppml_gravity"


def panel(seed, places=12, years=5, b=(0.4, -0.3), noise=0.5, mean=3.0):
    rng = np.random.default_rng(seed)
    o, d, t = (one.ravel() for one in np.meshgrid(np.arange(places), np.arange(places), np.arange(years), indexing="ij"))
    apart = o != d
    o, d, t = o[apart], d[apart], t[apart]
    fo, fd = rng.normal(0, 0.5, (2, places, years))
    pair = rng.normal(0, 1, (places, places))
    base = fo[o, t] + fd[d, t] + pair[o, d]
    x1 = (rng.uniform(size=len(o)) < 1 / (1 + np.exp(-base / 2))).astype(float)
    x2 = rng.normal(size=len(o)) + 0.3 * base
    lam = np.exp(mean + base + b[0] * x1 + b[1] * x2) * np.exp(rng.normal(-(noise**2) / 2, noise, len(o)))
    return pd.DataFrame({"origin": o, "destination": d, "year": t, "visa": x1, "wage": x2, "persons": rng.poisson(lam).astype(float)})


def value(fit, name):
    return float(fit.coefficients.set_index("name").loc[name, "value"])


def error(fit, name):
    return float(fit.coefficients.set_index("name").loc[name, "error"])


# published


def test_log_of_gravity(real_data):
    table = pd.read_csv(real_data / FILES / "log_of_gravity.csv.gz")
    own = ["lypex", "lypim", "lyex", "lyim", "ldist", "border", "comlang", "colony", "landl_ex", "landl_im", "lremot_ex", "lremot_im"]
    fit = ppml(table, "trade", [*own, "comfrt_wto", "open_wto"])
    assert (round(value(fit, "ldist"), 3), round(error(fit, "ldist"), 3)) == (-0.784, 0.055)
    assert round(value(fit, "constant"), 2) == -32.33
    fit = ppml(table, "trade", ["ldist", "border", "comlang", "colony", "comfrt_wto"], ["s2_ex", "s1_im"])
    assert (round(value(fit, "ldist"), 3), round(error(fit, "ldist"), 3)) == (-0.750, 0.041)


def test_trade_agreements_of_ppmlhdfe(real_data):
    table = pd.read_csv(real_data / FILES / "ppmlhdfe_trade_fta_total.csv.gz")
    fit = ppml(table, "trade", ["fta"], [("isoexp", "year"), ("isoimp", "year"), ("isoexp", "isoimp")], cluster=[("isoexp", "isoimp")])
    assert fit.converged
    assert value(fit, "fta") == pytest.approx(0.1924455, abs=1e-7)


def test_introduction_of_fixest(real_data):
    table = pd.read_csv(real_data / FILES / "fixest_trade.csv.gz")
    table["far"] = np.log(table["dist_km"])
    fit = ppml(table, "Euros", ["far"], ["Origin", "Destination", "Product", "Year"], cluster=["Origin"])
    assert value(fit, "far") == pytest.approx(-1.528, abs=5e-4)


def test_korea(real_data):
    import pyfixest as pf

    table = pd.read_csv(real_data / FILES / "korea_migration.csv.gz")
    table["far"], table["next"] = np.log(table["dist_cent"]), table["contig"].astype(float)
    table = table[table["orig"] != table["dest"]].reset_index(drop=True)
    fit = ppml(table, "flow", ["far", "next"], [("orig", "year"), ("dest", "year")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = pf.fepois("flow ~ far + next | orig^year + dest^year", table, vcov="hetero")
    assert fit.coefficients["value"].to_numpy() == pytest.approx(other.coef().to_numpy(), abs=1e-4)
    assert fit.coefficients["error"].to_numpy() == pytest.approx(other.se().to_numpy(), rel=1e-3)


# separation


def separated_by_programme(codes, x, y):
    """The rows for which a linear programme finds z above zero, z zero where y > 0 and nowhere below zero."""
    from scipy.optimize import linprog

    zero = y == 0
    parts = [np.ones((len(y), 1)), (x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1)]
    whole = np.hstack([*parts, *[np.eye(code.max() + 1)[code] for code in codes]])
    p, q = whole.shape[1], int(zero.sum())
    found = linprog(
        np.r_[np.zeros(p), -np.ones(q)],
        A_ub=np.hstack([-whole[zero], np.eye(q)]),
        b_ub=np.zeros(q),
        A_eq=np.hstack([whole[~zero], np.zeros((len(y) - q, q))]),
        b_eq=np.zeros(len(y) - q),
        bounds=[(None, None)] * p + [(0, 1)] * q,
    )
    return np.flatnonzero(zero)[found.x[p:] > 0.5]


@pytest.mark.parametrize("number", range(1, 19))
def test_separated_rows_are_those_of_the_linear_programme(real_data, number):
    table = pd.read_csv(real_data / FILES / f"separation/{number:02d}.csv")
    regressors, effects = ([one for one in table if one.startswith(kind)] for kind in ("x", "id"))
    fit = ppml(table, "y", regressors, effects)
    codes = [pd.factorize(table[one])[0] for one in effects]
    truth = separated_by_programme(codes, table[regressors].to_numpy(dtype=float), table["y"].to_numpy(dtype=float))
    assert sorted(fit.left_out["row"]) == truth.tolist()
    assert fit.converged


def test_groups_of_zeros_are_named_as_such():
    table = panel(1)
    table.loc[(table["origin"] == 3) & (table["year"] == 2), "persons"] = 0
    fit = ppml(table, "persons", ["visa"], THREE)
    gone = fit.left_out.set_index("row")["why"]
    assert set(gone[table.loc[gone.index, "origin"].eq(3).to_numpy()]) == {"zero group"}
    assert fit.fitted[gone.index].isna().all()


def test_a_real_panel_on_which_demeaning_fails(real_data):
    """Flows of all pairs of countries, 1990-2015, 49,836 rows drawn: pyfixest 0.60 ends in "Demeaning failed after 10000 iterations"."""
    flows = pd.read_parquet(real_data / "abel_cohen_bilateral_flows.parquet", columns=["orig", "dest", "year0", "da_pb_closed"]).dropna()
    pairs = pd.read_parquet(real_data / "gravity_dyads.parquet", columns=["iso_o", "iso_d", "distw", "contig", "comlang_off"]).dropna(
        subset="distw"
    )
    pairs = pairs.rename(columns={"iso_o": "orig", "iso_d": "dest"}).query("orig != dest")
    table = pairs.merge(pd.DataFrame({"year0": flows["year0"].unique()}), how="cross").merge(flows, how="left")
    table = table[table["orig"].isin(flows["orig"]) & table["dest"].isin(flows["dest"])]
    table["flow"] = table["da_pb_closed"].fillna(0).astype(float)
    late = (table["year0"] >= 2005).astype(float)
    table = table.assign(
        next=table["contig"].fillna(0).astype(float) * late,
        far=np.log(table["distw"]) * table["year0"],
        talk=table["comlang_off"].fillna(0).astype(float) * late,
    )
    table = table.sample(49_836, random_state=3).reset_index(drop=True)
    fit = ppml(
        table,
        "flow",
        ["next", "far", "talk"],
        [("orig", "year0"), ("dest", "year0"), ("orig", "dest")],
        cluster=["orig", "dest", ("orig", "dest")],
    )
    assert fit.converged, fit.why
    assert len(fit.coefficients) == 3
    assert set(fit.left_out["why"]) == {"zero group", "separated"}
    used = fit.fitted.notna()
    assert (table.loc[fit.left_out["row"], "flow"] == 0).all()
    both = table[used].assign(fitted=fit.fitted).groupby(["dest", "year0"])[["flow", "fitted"]].sum()
    assert both["fitted"].to_numpy() == pytest.approx(both["flow"].to_numpy(), rel=1e-5)


# other programs


@pytest.mark.parametrize("seed", range(3))
def test_three_ways_as_pyfixest(seed):
    import pyfixest as pf

    table = panel(seed)
    table["pair"] = table["origin"] * 100 + table["destination"]
    fit = ppml(table, "persons", ["visa", "wage"], THREE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = pf.fepois(
            "persons ~ visa + wage | origin^year + destination^year + pair", table, vcov="hetero", fixef_tol=1e-10, iwls_tol=1e-12
        )
    assert fit.coefficients["value"].to_numpy() == pytest.approx(other.coef().to_numpy(), abs=5e-5)
    assert fit.coefficients["error"].to_numpy() == pytest.approx(other.se().to_numpy(), rel=2e-3)


def test_errors_by_two_clusters_as_by_hand():
    table = panel(4)
    fit = ppml(table, "persons", ["visa", "wage"], ["origin", "year"], cluster=["origin", "destination"])
    design = np.hstack(
        [table[["visa", "wage"]].to_numpy(), *[pd.get_dummies(table[one]).to_numpy(dtype=float) for one in ("origin", "year")]]
    )
    mu, y = fit.fitted.to_numpy(), table["persons"].to_numpy()
    dummies, root = design[:, 2:], np.sqrt(mu)[:, None]
    left = design[:, :2] - dummies @ np.linalg.lstsq(dummies * root, design[:, :2] * root, rcond=1e-10)[0]
    score = left * (y - mu)[:, None]
    meat = np.zeros((2, 2))
    for keys, sign in ((["origin"], 1), (["destination"], 1), (["origin", "destination"], -1)):
        total = pd.DataFrame(score).groupby([table[one] for one in keys]).sum().to_numpy()
        meat += sign * total.T @ total
    bread = np.linalg.inv(left.T @ (left * mu[:, None]))
    n, k = len(y), 2 + 5  # effects of origins lie in a cluster, those of years do not
    assert fit.vcov == pytest.approx((n - 1) / (n - k) * 12 / 11 * bread @ meat @ bread, rel=1e-6)


# laws


def test_order_of_rows_does_not_matter():
    table = panel(5)
    one, other = (
        ppml(table, "persons", ["visa", "wage"], THREE),
        ppml(table.sample(frac=1, random_state=1), "persons", ["visa", "wage"], THREE),
    )
    assert one.coefficients["value"].to_numpy() == pytest.approx(other.coefficients["value"].to_numpy(), abs=1e-9)
    pd.testing.assert_series_equal(one.fitted, other.fitted.sort_index(), rtol=1e-6)


def test_units_of_the_flow_do_not_matter():
    table = panel(6)
    one = ppml(table, "persons", ["visa", "wage"], THREE)
    other = ppml(table.assign(persons=table["persons"] / 1000), "persons", ["visa", "wage"], THREE)
    assert one.coefficients.drop(columns="name").to_numpy() == pytest.approx(other.coefficients.drop(columns="name").to_numpy(), abs=1e-7)
    assert other.fitted.to_numpy() * 1000 == pytest.approx(one.fitted.to_numpy(), rel=1e-6)


def test_fitted_sums_are_observed_sums_in_every_group():
    table = panel(7, mean=0.0)
    fit = ppml(table, "persons", ["visa", "wage"], THREE)
    used = table[fit.fitted.notna()].assign(fitted=fit.fitted)
    for keys in map(list, THREE):
        both = used.groupby(keys)[["persons", "fitted"]].sum()
        assert both["fitted"].to_numpy() == pytest.approx(both["persons"].to_numpy(), rel=1e-6, abs=1e-6)


def test_rows_split_in_two_change_nothing():
    table = panel(8)
    half = table.assign(persons=table["persons"] / 2)
    twice = pd.concat([half, half], ignore_index=True)
    assert value(ppml(twice, "persons", ["visa"], THREE), "visa") == pytest.approx(
        value(ppml(table, "persons", ["visa"], THREE), "visa"), abs=1e-8
    )


def test_effects_of_none_one_and_two():
    table = panel(9)
    for effects in ([], ["origin"], ["origin", "destination"]):
        fit = ppml(table, "persons", ["visa"], effects)
        assert fit.converged
        assert fit.fitted.sum() == pytest.approx(table["persons"].sum())


# sentences


def test_regressors_that_say_nothing_are_named():
    table = panel(10).assign(one=1.0, sum=lambda t: t["visa"] + 2 * t["wage"], far=lambda t: np.hypot(t["origin"], t["destination"]))
    fit = ppml(table, "persons", ["visa", "wage", "one", "sum", "far"], THREE)
    why = fit.not_identified.set_index("regressor")["why"]
    assert list(fit.coefficients["name"]) == ["visa", "wage"]
    assert why["one"] == "one does not vary within the groups of origin-year, destination-year, origin-destination"
    assert why["sum"].startswith("sum is a combination of visa, wage and the effects")
    assert why["far"].startswith("far does not vary within")


def test_refusals():
    table = panel(11)
    with pytest.raises(DesignError, match="no column 'vsa'; did you mean 'visa'"):
        ppml(table, "persons", ["vsa"], THREE)
    with pytest.raises(DesignError, match="wage has no value in row 7"):
        ppml(table.assign(wage=table["wage"].where(table.index != 7)), "persons", ["wage"], THREE)
    with pytest.raises(DesignError, match="year has no value in row 3"):
        ppml(table.assign(year=table["year"].where(table.index != 3)), "persons", ["wage"], THREE)
    with pytest.raises(DesignError, match="persons is below zero in row 2"):
        ppml(table.assign(persons=table["persons"].where(table.index != 2, -1)), "persons", ["wage"], THREE)
    with pytest.raises(DesignError, match="persons is zero in every row"):
        ppml(table.assign(persons=0), "persons", ["wage"], THREE)


def test_a_fit_cut_short_says_so():
    fit = ppml(panel(12), "persons", ["visa"], THREE, most=2)
    assert not fit.converged
    assert "after 2 steps" in fit.why


# an engine


def test_ibis_gives_the_same(con):
    import ibis

    table = panel(13, mean=0.0)
    options = {"regressors": ["visa", "wage"], "effects": THREE, "cluster": ["origin", "destination", ("origin", "destination")]}
    here, there = ppml(table, "persons", **options), ppml_table(ibis.memtable(table), "persons", **options)
    assert there.coefficients.drop(columns="name").to_numpy() == pytest.approx(here.coefficients.drop(columns="name").to_numpy(), abs=1e-6)
    assert there.left_out["why"].value_counts().to_dict() == here.left_out["why"].value_counts().to_dict()
    with pytest.raises(DesignError, match="wage has no value"):
        ppml_table(ibis.memtable(table.assign(wage=table["wage"].where(table.index != 7))), "persons", ["wage"], THREE)


# predictions


def test_without_a_measure_that_is_held_partly():
    table = panel(14)
    fit = ppml(table, "persons", ["visa", "wage"], THREE)
    out = without(fit, table, "visa")
    assert (out["without"] / out["fitted"]).to_numpy() == pytest.approx(np.exp(-value(fit, "visa") * table["visa"].to_numpy()))
    assert ((out["low"] <= out["without"]) & (out["without"] <= out["high"])).all()
    row = fit.coefficients.set_index("name").loc["visa"]
    changed = out[table["visa"] == 1].iloc[0]
    assert changed["low"] == pytest.approx(changed["fitted"] * np.exp(-row["high"]), rel=1e-6)


def test_without_a_measure_totals_that_are_held_stay():
    table = panel(15)
    fit = ppml(table, "persons", ["visa", "wage"], THREE)
    for hold in (THREE[:1], THREE[:2]):
        out = without(fit, table, "visa", hold=hold)
        for keys in map(list, hold):
            sums = out.groupby(keys)[["fitted", "without"]].sum()
            assert sums["without"].to_numpy() == pytest.approx(sums["fitted"].to_numpy(), rel=1e-7)
    assert without(fit, table.assign(visa=0), "visa")["difference"].abs().max() == 0
    with pytest.raises(DesignError, match="'vsa' has no coefficient"):
        without(fit, table, "vsa")
    with pytest.raises(DesignError, match="not the one that was fitted"):
        without(fit, table.iloc[1:], "visa")


# recovery


@pytest.mark.slow
def test_intervals_hold_what_they_say():
    held = []
    for seed in range(60):
        fit = ppml(
            panel(1000 + seed, places=20, years=6, noise=0.3), "persons", ["visa", "wage"], THREE, cluster=[("origin", "destination")]
        )
        both = fit.coefficients.set_index("name")
        held += [both.loc[name, "low"] <= truth <= both.loc[name, "high"] for name, truth in (("visa", 0.4), ("wage", -0.3))]
    assert binom.ppf(0.001, len(held), 0.95) <= sum(held) < len(held)
