"""Pooling and the partial order: a published example, an independent computation, laws, refusals, and rates over simulated hierarchies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from qonys.core.errors import DesignError
from qonys.effects.pooling import Data, posterior, quantiles
from qonys.effects.practices import _claims, pool, practices

SEED = 20221130
SCHOOLS = pd.DataFrame(
    {
        "measure": list("ABCDEFGH"), "instrument": list("ABCDEFGH"), "target": "all", "identified": "strong",
        "estimate": [28.0, 8, -3, 7, -1, 1, 18, 12], "error": [15.0, 10, 16, 11, 9, 11, 10, 18],
    }
)  # fmt: skip


def table(values, errors, groups, **more) -> pd.DataFrame:
    """A row for each estimate; groups: a name each."""
    columns = {
        "measure": [f"m{place}" for place in range(len(values))],
        "instrument": list(groups),
        "target": "all",
        "identified": "strong",
    }
    return pd.DataFrame(columns | {"estimate": np.asarray(values, float), "error": np.asarray(errors, float)} | more)


def kinds(*, apart: float = 2.0, seed: int = SEED) -> pd.DataFrame:
    """Five groups of 2 to 6 measures."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(list("abcde"), [2, 3, 4, 5, 6])
    level = dict(zip("abcde", apart * np.array([0, 3, 1, 4, 2]), strict=True))
    errors = rng.uniform(0.5, 1.5, len(groups)).round(3)
    return table((np.array([level[one] for one in groups]) + rng.normal(0, errors)).round(3), errors, groups)


@st.composite
def estimates(draw):
    groups = draw(st.lists(st.sampled_from("abcdef"), min_size=3, max_size=14).filter(lambda names: len(set(names)) > 1))
    # all different: two groups alike in every figure could swap their draws
    tenths = draw(st.lists(st.integers(-60, 60), min_size=len(groups), max_size=len(groups), unique=True))
    errors = draw(st.lists(st.integers(2, 30), min_size=len(groups), max_size=len(groups)))
    return table(np.array(tenths) / 10, np.array(errors) / 10, groups)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Claims and probabilities alike. 0.002: rounding can move a draw or two of 8000 over a bound."""
    pd.testing.assert_frame_equal(one.drop(columns="p_better"), other.drop(columns="p_better"))
    np.testing.assert_allclose(one["p_better"], other["p_better"], atol=0.002)


# Published


def test_eight_schools_come_out_as_published():
    """BDA3, table 5.3: medians of 200 draws, printed as whole numbers; their Monte Carlo error is 0.7, so within 1.5. Mean of mu: 7.9 to 8.1."""
    pooled = pool(SCHOOLS, prior="uniform", within=0)
    assert pooled.draws.median().to_numpy() == pytest.approx([10, 8, 7, 8, 5, 6, 10, 8], abs=1.5)
    assert 7.9 <= pooled.overall["mean"].item() <= 8.1


def test_eight_schools_agree_with_stan():
    """20,000 draws of the example RStan ships (its model: uniform tau), printed with Monte Carlo errors up to 0.07: within 0.2."""
    pooled = pool(SCHOOLS, prior="uniform", within=0)
    assert pooled.groups["mean"].to_numpy() == pytest.approx([11.32, 7.87, 6.14, 7.66, 5.15, 6.21, 10.61, 8.45], abs=0.2)
    assert pooled.overall[["mean", "low", "high"]].to_numpy()[0] == pytest.approx([7.95, -1.73, 18.32], abs=0.5)
    assert pooled.spread.set_index("part").at["between", "median"] == pytest.approx(5.13, abs=0.2)


def test_eight_schools_agree_with_an_integral_over_tau():
    """The same posterior by adaptive quadrature over the one spread: means of the schools and of mu to 0.01, tau's median to 0.01 of probability."""
    y, s = SCHOOLS["estimate"].to_numpy(), SCHOOLS["error"].to_numpy()

    def parts(tau: float) -> tuple[float, np.ndarray]:
        w = 1 / (s**2 + tau**2)
        mu = (w @ y) / w.sum()
        density = np.exp(0.5 * (np.log(w).sum() - np.log(w.sum()) - w @ (y - mu) ** 2) + 20)
        return density, np.append((y * tau**2 + mu * s**2) / (tau**2 + s**2), mu)

    def integral(value, end=2000.0) -> float:
        return sum(quad(value, *ends, limit=200)[0] for ends in ((0, min(10, end)), (min(10, end), min(100, end)), (min(100, end), end)))

    total = integral(lambda tau: parts(tau)[0])
    means = [integral(lambda tau, at=at: parts(tau)[0] * parts(tau)[1][at]) / total for at in range(9)]
    pooled = pool(SCHOOLS, prior="uniform", within=0)
    assert pooled.groups["mean"].to_numpy() == pytest.approx(means[:8], abs=0.01)
    assert pooled.overall["mean"].item() == pytest.approx(means[8], abs=0.01)
    median = pooled.spread.set_index("part").at["between", "median"]
    assert integral(lambda tau: parts(tau)[0], median) / total == pytest.approx(0.5, abs=0.01)


def test_nobody_may_be_called_better_of_the_eight_schools():
    found = practices(SCHOOLS, better="higher")
    assert set(found.order["relation"]) == {"tied"}
    assert found.tiers["tier"].eq(1).all()
    assert list(found.tiers["group"]) == sorted(found.tiers["group"])


def test_one_group_of_eight_measures_has_the_same_mean_as_eight_groups():
    one = pool(SCHOOLS.assign(instrument="coaching"), prior="uniform")
    eight = pool(SCHOOLS, prior="uniform", within=0)
    assert one.groups[["mean", "low", "high"]].to_numpy() == pytest.approx(eight.overall.to_numpy(), abs=1e-6)


@pytest.mark.parametrize("rho", [0.0, 0.4])
def test_the_posterior_given_the_spreads_is_that_of_the_full_matrices(rho):
    """Every node against matrices written out: means and deviations of mu_g, and log weights up to a constant."""
    rng = np.random.default_rng(SEED)
    group, cluster = np.repeat(np.arange(4), 3), np.array([0, 1, 2, 0, 1, 3, 0, 0, 4, 5, 1, 6])
    error, value = rng.uniform(0.5, 1.5, 12), rng.normal(0, 1.5, 12)
    data = Data(value, error, group, cluster, rho, 4)
    post = posterior(data, "half_cauchy")
    z = np.eye(4)[group]
    together = (cluster[:, None] == cluster) & ~np.eye(12, dtype=bool)
    logs = []
    nodes = rng.choice(len(post.weight), 20, replace=False)
    for node in nodes:
        w, b = post.within[node], post.between[node]
        v = np.diag(error**2) + rho * np.outer(error, error) * together + w**2 * np.eye(12)
        total = v + b**2 * z @ z.T
        inverse, one = np.linalg.inv(total), np.ones(12)
        precision = one @ inverse @ one
        mu = one @ inverse @ value / precision
        gain = b**2 * z.T @ inverse
        toward = np.ones(4) - gain @ one
        covariance = b**2 * np.eye(4) - gain @ z * b**2 + np.outer(toward, toward) / precision
        assert post.mean[node] == pytest.approx(mu + gain @ (value - mu), abs=1e-8)
        assert post.deviation[node] == pytest.approx(np.sqrt(np.diag(covariance)), abs=1e-8)
        own = (gain @ z + np.outer(toward, one @ inverse @ z) / precision).diagonal()
        assert post.own[node] == pytest.approx(own, abs=1e-8)
        log = -0.5 * (np.linalg.slogdet(total)[1] + np.log(precision) + (value - mu) @ inverse @ (value - mu))
        # nodes are equally far apart in asinh(tau / unit), so a node's weight has the slope of sinh
        unit = error.min() / 10
        logs.append(log - np.log1p(w**2) - np.log1p(b**2) + np.log(np.hypot(1, w / unit) * np.hypot(1, b / unit)))
    assert np.ptp(np.log(post.weight[nodes]) - logs) < 1e-8


def test_draws_have_the_mean_and_deviation_of_the_posterior():
    rng = np.random.default_rng(SEED)
    group = np.repeat(np.arange(4), 3)
    data = Data(rng.normal(0, 1.5, 12), rng.uniform(0.5, 1.5, 12), group, np.tile([0, 1, 2], 4), 0.4, 4)
    post = posterior(data, "half_cauchy")
    drawn = post.drawn(40_000, rng)
    assert drawn.mean(axis=0) == pytest.approx(post.weight @ post.mean, abs=0.03)
    below = (drawn < quantiles(post.weight, post.mean, post.deviation, 0.975)).mean(axis=0)
    assert below == pytest.approx(0.975, abs=0.004)


# Laws


@settings(max_examples=12, deadline=None)
@given(estimates(), st.sampled_from([-40.0, 0.5, 1000.0]), st.sampled_from([0.25, 8.0, 1000.0]))
def test_neither_zero_nor_the_unit_changes_the_order(rows, shift, factor):
    found = practices(rows, better="higher")
    moved = practices(rows.assign(estimate=shift + factor * rows["estimate"], error=factor * rows["error"]), better="higher")
    same(found.order, moved.order)
    assert found.groups["best_third"].to_numpy() == pytest.approx(moved.groups["best_third"].to_numpy(), abs=0.002, nan_ok=True)
    assert moved.groups["mean"].to_numpy() == pytest.approx(shift + factor * found.groups["mean"].to_numpy(), abs=1e-5 * factor)
    assert found.groups["shrinkage"].between(0, 1).all()


@settings(max_examples=8, deadline=None)
@given(estimates())
def test_lower_is_better_of_the_opposite_is_the_same_question(rows):
    found, opposite = practices(rows, better="higher"), practices(rows.assign(estimate=-rows["estimate"]), better="lower")
    same(found.order, opposite.order)
    assert opposite.groups["low"].to_numpy() == pytest.approx(-found.groups["high"].to_numpy())
    assert opposite.overall.to_numpy() == pytest.approx(-found.overall[["mean", "high", "low"]].to_numpy())


@settings(max_examples=8, deadline=None)
@given(estimates(), st.permutations("abcdef"), st.randoms(use_true_random=False))
def test_labels_and_rows_permute(rows, names, random):
    new = dict(zip("abcdef", names, strict=True))
    renamed = rows.assign(instrument=rows["instrument"].map(new)).sample(frac=1, random_state=random.randrange(1000))
    found, other = practices(rows, better="higher"), practices(renamed, better="higher")
    mean = other.groups.set_index("instrument")["mean"]
    assert [mean[new[name]] for name in found.groups["instrument"]] == pytest.approx(list(found.groups["mean"]))
    probability = {(row.one[0], row.other[0]): row.p_better for row in other.order.itertuples()}
    probability |= {pair[::-1]: 1 - p for pair, p in probability.items()}
    for row in found.order.itertuples():
        assert probability[new[row.one[0]], new[row.other[0]]] == pytest.approx(row.p_better, abs=0.002)
    tier = other.tiers.set_index("group")["tier"]
    assert all(tier[f"{new[row.group[0]]} / all"] == row.tier for row in found.tiers.itertuples())


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 8), st.integers(0, 10_000), st.floats(0.1, 3), st.floats(0.55, 0.99))
def test_the_order_is_irreflexive_transitive_and_holds_as_a_whole(number, seed, apart, threshold):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(1000, number)) * rng.uniform(0.1, 2, number) + apart * np.arange(number) + rng.standard_t(2, (1000, 1))
    _, claimed, joint = _claims(values, threshold)
    assert not claimed.diagonal().any()
    assert not (claimed & claimed.T).any()
    assert not ((claimed.astype(int) @ claimed.astype(int) > 0) & ~claimed).any()
    one, other = np.nonzero(claimed)
    assert (values[:, one] > values[:, other]).all(axis=1).mean() == joint >= threshold


def test_groups_far_apart_are_ordered_and_tiers_are_by_name():
    found = practices(kinds(apart=6), better="higher")
    assert found.tiers["group"].tolist() == [f"{name} / all" for name in "dbeca"]
    assert found.tiers["tier"].tolist() == found.tiers["lowest"].tolist() == [1, 2, 3, 4, 5]
    assert found.joint >= 0.95
    assert found.groups["group"].is_monotonic_increasing
    assert found.groups["best_third"].sum() == pytest.approx(1)
    wide = practices(pd.concat([kinds(apart=6), table([0.0], [60.0], "z").assign(measure="wide")]), better="higher")
    tiers = wide.tiers.set_index("group")
    # nobody beats it, and it beats nobody: its place is any
    assert (tiers.at["z / all", "tier"], tiers.at["z / all", "lowest"]) == (1, tiers["tier"].max())
    within = wide.tiers.groupby("tier")["group"]
    assert all(names.is_monotonic_increasing for _, names in within)


# What is not known


def test_a_group_without_a_strong_estimate_is_not_known_and_has_no_place():
    rows = kinds()
    rows.loc[rows["instrument"].isin(["b", "d"]), "identified"] = "weak"
    rows.loc[rows.index[rows["instrument"] == "b"][0], "identified"] = "strong"
    lone = table([50.0, 3.0, np.nan], [0.1, 1.0, 1.0], "xyv", measure=["m90", "m91", "m92"], identified=["weak", "strong", "strong"])
    found = practices(pd.concat([rows, lone]), better="higher")
    status = found.groups.set_index("instrument")["status"]
    # b: one strong of three; d: five, all weak; v: its one estimate was left out; x: one weak; y: one strong
    assert dict(status) == dict.fromkeys("abcey", "known") | dict.fromkeys("dvx", "not known")
    unknown = found.groups[found.groups["status"] == "not known"]
    assert unknown[["mean", "low", "high", "shrinkage", "best_third"]].isna().all(axis=None)
    assert not set(unknown["group"]) & {*found.order["one"], *found.order["other"], *found.tiers["group"]}
    assert found.left_out.to_dict("records") == [{"measure": "m92", "group": "v / all", "why": "no_estimate"}]
    assert found.groups.set_index("instrument").at["v", "measures"] == 0


def test_where_nothing_is_known_nothing_is_said():
    found = practices(kinds().assign(identified="weak"), better="lower")
    assert found.groups["status"].eq("not known").all()
    assert found.order.empty
    assert found.tiers.empty
    assert len(found.evidence) == 5


def test_one_group_has_no_order_and_no_third():
    found = practices(table([1.0, 2, 3], [1.0, 1, 1], "aaa"), better="higher")
    assert found.order.empty
    assert found.groups["best_third"].isna().all()
    assert found.tiers["tier"].tolist() == [1]
    assert found.groups["shrinkage"].item() == pytest.approx(0)


def test_one_measure_says_less_of_its_kind_than_of_itself():
    row = pool(table([2.0], [1.0], "a")).groups.iloc[0]
    assert row["mean"] == pytest.approx(2)
    assert row["high"] - row["low"] > 2 * 1.96 * 1.0


# Evidence


def test_estimates_of_one_country_count_for_less_when_their_errors_go_together():
    rows = kinds().assign(cluster="one")
    apart, together = (pool(rows, rho=rho).evidence.set_index("group") for rho in (0.0, 0.8))
    assert (together["effective"] < apart["effective"]).all()
    assert (apart["effective"] <= apart["measures"]).all()
    assert together["clusters"].eq(1).all()
    alone = pool(kinds().assign(cluster=None), rho=0.8)
    pd.testing.assert_frame_equal(alone.groups, pool(kinds()).groups)


def test_equal_errors_make_every_estimate_count_alike():
    found = pool(kinds().assign(error=1.0))
    assert found.evidence["effective"].to_numpy() == pytest.approx([2, 3, 4, 5, 6])
    values = kinds().query("instrument == 'e'")["estimate"]
    q = ((values - values.mean()) ** 2).sum()
    assert found.evidence["i2"].iloc[-1] == pytest.approx(max(0, 1 - 5 / q))


def test_groups_lean_on_the_others_the_more_the_less_they_know():
    shrinkage = pool(table([0.0, 1, 2, 0.5], [0.5, 0.5, 0.5, 5], "abcd"), within=0).groups["shrinkage"]
    assert shrinkage.iloc[3] > 2 * shrinkage.iloc[:3].max()


# Refusals


@pytest.mark.parametrize(
    ("change", "options", "says"),
    [
        ({"error": 0.0}, {}, "measure m0 has the error 0; give a finite number above zero"),
        ({"estimate": np.inf}, {}, "measure m0 has the estimate inf"),
        ({"estimate": np.nan}, {}, "no row of the estimates has both"),
        ({"identified": "stron"}, {}, "did you mean 'strong'"),
        ({"measure": "same"}, {}, "measure same is twice in the group a / all"),
        ({"target": None}, {}, "row 1 of the estimates has no target"),
        ({}, {"by": ("instrument", "level")}, "have no column level"),
        ({}, {"by": "instrument"}, "cannot be grouped by 'instrument'"),
        ({}, {"by": ("instrument", "group")}, "cannot be grouped by"),
        ({}, {"rho": 0.5}, "has no clusters"),
        ({}, {"rho": 1.0}, "cannot be correlated by 1"),
        ({}, {"prior": "uniform", "by": ("measure",)}, "has no posterior with 2 groups of 2 estimates"),
        ({}, {"prior": "flat"}, "there is no prior 'flat'"),
        ({}, {"within": -1.0}, "no spread within groups is -1"),
        ({}, {"coverage": 1.0}, "no interval covers"),
        ({}, {"draws": 10}, "10 draws are too few"),
        ({}, {"better": "high"}, "did you mean 'higher'"),
        ({}, {"threshold": 0.5}, "cannot be claimed with a probability of 0.5"),
    ],
)
def test_what_cannot_be_answered_is_refused(change, options, says):
    rows = table([1.0, 2.0], [1.0, 1.0], "aa").assign(**change)
    with pytest.raises(DesignError, match=says):
        practices(rows, **({"better": "higher"} | options))


def test_groups_whose_joined_names_are_one_are_refused():
    rows = table([1.0, 2.0], [1.0, 1.0], ["a", "a / b"]).assign(target=["b / c", "c"])
    with pytest.raises(DesignError, match="two groups have one name"):
        pool(rows)


# Rates


def hierarchy(groups: int, measures: int, within: float, between: float, rng: np.random.Generator):
    """Means of the groups, and data with errors of 0.6 to 1.8 about their centre, in typical errors."""
    mean, group = rng.normal(0, between, groups), np.repeat(np.arange(groups), measures)
    error = np.exp(rng.normal(0, 0.3, len(group)))
    value = mean[group] + rng.normal(0, np.hypot(within, error))
    centre, scale = value.mean(), np.median(error)
    return (mean - centre) / scale, Data((value - centre) / scale, error / scale, group, np.arange(len(group)), 0.0, groups)


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "measures", "within"), [(2, 3, 0.0), (3, 8, 1.0), (6, 3, 1.0), (12, 3, 0.0)])
def test_groups_that_are_equal_are_seldom_called_different(groups, measures, within):
    """At most 5 % of 120 data sets with any claim, and two Monte Carlo errors (4 %)."""
    rng = np.random.default_rng([SEED, groups, measures])
    claims = []
    for _ in range(120):
        post = posterior(hierarchy(groups, measures, within, 0.0, rng)[1], "half_cauchy")
        claims.append(_claims(post.drawn(2000, rng), 0.95)[1].any())
    assert np.mean(claims) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 120)


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "measures", "within", "between"), [(4, 3, 0.5, 1.0), (8, 2, 1.0, 1.0), (8, 5, 0.5, 0.5)])
def test_intervals_cover_and_wrong_claims_are_few(groups, measures, within, between):
    """Of 100 hierarchies each: 95 % intervals of mu_g cover, within two errors of 100 (of a hierarchy they go together); at most 5 % have a wrong
    claim, and two Monte Carlo errors."""
    rng = np.random.default_rng([SEED, groups, measures])
    inside, wrong = [], []
    for _ in range(100):
        mean, data = hierarchy(groups, measures, within, between, rng)
        post = posterior(data, "half_cauchy")
        low, high = (quantiles(post.weight, post.mean, post.deviation, one) for one in (0.025, 0.975))
        inside.append(((low < mean) & (mean < high)).mean())
        one, other = np.nonzero(_claims(post.drawn(2000, rng), 0.95)[1])
        wrong.append((mean[one] < mean[other]).any())
    assert 0.906 <= np.mean(inside) <= 0.994
    assert np.mean(wrong) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 100)


def test_two_hundred_groups_are_ordered():
    rng = np.random.default_rng(SEED)
    groups = np.repeat([f"g{place:03d}" for place in range(200)], 3)
    rows = table(rng.normal(0, 2, 600), rng.uniform(0.5, 1.5, 600), groups)
    found = practices(rows, better="higher")
    assert len(found.order) == 200 * 199 / 2
