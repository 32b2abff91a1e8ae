"""The log t test and its clubs: the published table, laws, and simulated panels whose clubs are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qonys.convergence.clubs import Options, clubs
from qonys.convergence.logt import joined, log_t, regressions, sums
from qonys.convergence.stability import stability
from qonys.core.errors import DesignError


@pytest.fixture(scope="module")
def world(real_data) -> pd.DataFrame:
    """Log GDP per head of 152 countries, 1970-2003, filtered: the data of Phillips and Sul (2009)."""
    table = pd.read_csv(real_data / "reference_inputs" / "02_convergence" / "filteredGDP.csv")
    return table.melt("Countries", var_name="period").rename(columns={"Countries": "area"})


def panel(values: np.ndarray) -> pd.DataFrame:
    areas, periods = values.shape
    return pd.DataFrame(
        {"area": np.repeat([f"a{place:03d}" for place in range(areas)], periods), "period": np.tile(np.arange(2000, 2000 + periods), areas), "value": values.ravel()}
    )  # fmt: skip


def converging(areas: int, periods: int, alpha: float, level: float, rng: np.random.Generator, spread: float = 0.1) -> np.ndarray:
    """Paths of Phillips and Sul (2007, equation 24): loadings about one that come together as 1 / (log t t^alpha)."""
    t = np.arange(1, periods + 1)
    own = rng.normal(0, spread, (areas, 1)) + rng.normal(0, 0.02, (areas, periods)) * spread
    return (level + 0.02 * t) * (1 + own / (np.log(t + 1) * t**alpha))


# Published


def test_the_published_clubs_of_152_countries_come_out(world):
    """Phillips and Sul (2009), as ConvergenceClubs 2.2.5 gives them on these data."""
    found = clubs(world).clubs
    assert found["areas"].tolist() == [50, 30, 21, 24, 14, 11, 2]
    assert found["t"].round(3).tolist() == [9.282, 6.904, 3.402, 2.055, 1.701, 6.024, -0.559]
    assert found["b"].round(3).tolist() == [0.382, 0.240, 0.110, 0.131, 0.190, 1.003, -0.470]
    assert found["error"].round(3).tolist() == [0.041, 0.035, 0.032, 0.064, 0.111, 0.166, 0.842]
    whole = log_t(world)
    assert (round(whole.b, 3), round(whole.t, 3)) == (-0.875, -159.555)
    assert not whole.converges


def test_the_merged_clubs_come_out_too(world):
    for merging in ("phillips_sul", "lyncker_thoennessen"):
        found = clubs(world, Options(merging=merging)).clubs
        assert found["areas"].tolist() == [50, 30, 21, 38, 11, 2]
        assert found["t"].round(3).tolist()[3] == -0.636


def test_other_options_give_other_clubs_and_only_the_shares_say_so(world):
    found = stability(world, grid={"core": ("max", "all"), "trim": (0.25, 1 / 3, 0.4)}, draws=2)
    assert found.runs == 12
    assert len(found.counts) > 2
    assert found.counts["share"].sum() == pytest.approx(1)
    assert found.members["own_share"].between(0, 1).all()
    assert len(found.pairs) == 152 * 151 // 2
    shares = found.members.set_index("area")["own_share"]
    assert shares["United.States"] > 0.8
    assert shares.min() < 0.6


# Laws


def test_the_order_of_the_areas_is_of_no_account(world):
    names = world["area"].unique()
    other = dict(zip(names, np.random.default_rng(1).permutation(names), strict=True))
    renamed = clubs(world.assign(area=world["area"].map(other)).sample(frac=1, random_state=1)).members.set_index("area")["club"]
    assert all(renamed[other[area]] == club for area, club in clubs(world).members.itertuples(index=False))


def test_the_unit_of_the_values_is_of_no_account(world):
    first, again = clubs(world), clubs(world.assign(value=world["value"] * 12.5))
    pd.testing.assert_frame_equal(first.members, again.members)
    pd.testing.assert_frame_equal(first.clubs, again.clubs)


def test_adding_an_area_by_update_is_the_same_as_summing_anew():
    rng = np.random.default_rng(3)
    values, more = rng.gamma(9, size=(7, 20)), rng.gamma(9, size=(4, 20))
    updated = regressions(joined(sums(values), more))
    for place, row in enumerate(more):
        anew = regressions(sums(np.vstack([values, row])))
        assert all(one[place] == pytest.approx(other[0], rel=1e-9) for one, other in zip(updated, anew, strict=True))


def test_two_simulated_clubs_are_found_and_who_belongs_to_neither_is_apart():
    rng = np.random.default_rng(5)
    high, low = converging(15, 40, 0.4, 10, rng), converging(12, 40, 0.4, 6, rng)
    loner = np.linspace(15, 40, 40)[None, :]
    found = clubs(panel(np.vstack([high, low, loner])))
    members = found.members.set_index("area")["club"]
    assert members["a027"] == 0
    assert set(members[[f"a{place:03d}" for place in range(15)]]) == {1}
    assert set(members[[f"a{place:03d}" for place in range(15, 27)]]) == {2}


def test_coder_noise_within_the_bands_is_carried_through():
    rng = np.random.default_rng(7)
    values = np.vstack([converging(10, 30, 0.4, 10, rng), converging(10, 30, 0.4, 6, rng)])
    sure = stability(panel(values).assign(low=lambda one: one["value"], high=lambda one: one["value"]), grid={}, draws=8)
    assert sure.runs == 8
    assert set(sure.pairs["together"]) <= {0.0, 1.0}
    wide = stability(panel(values).assign(low=lambda one: one["value"] * 0.6, high=lambda one: one["value"] * 1.6), grid={}, draws=8)
    assert wide.members["own_share"].mean() < sure.members["own_share"].mean()


@pytest.mark.slow
def test_size_and_power_are_those_of_the_docs():
    """5 % one-sided: of panels that converge (alpha 0.2) few are rejected; of random walks nearly all; counted over 300 seeded panels."""
    rng = np.random.default_rng(11)
    rejected = {"converging": 0, "apart": 0}
    for _ in range(300):
        together = converging(27, 40, 0.2, 5, rng)
        walks = 5 + np.cumsum(rng.normal(0.02, 0.1, (27, 40)), axis=1) + rng.normal(0, 0.2, (27, 1))
        rejected["converging"] += not log_t(panel(together)).converges
        rejected["apart"] += not log_t(panel(walks)).converges
    assert rejected["converging"] <= 0.08 * 300
    assert rejected["apart"] >= 0.9 * 300


# Edge cases and refusals


def test_areas_that_become_exactly_alike_converge_and_areas_that_start_alike_and_part_do_not():
    t = np.arange(30)
    together = 10 + np.array([[1], [-1], [0.5]]) * np.maximum(12 - t, 0) / 12
    assert log_t(panel(together)).t == np.inf
    assert log_t(panel(10 + np.array([[1], [-1], [0.5]]) * np.maximum(t - 12, 0))).t == -np.inf


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one.drop(index=3), "a000 has no value in 2003"),
        (lambda one: one[one["area"] == "a000"], "the panel has 1 areas"),
        (lambda one: one[one["period"] < 2005], "the log t test needs 8"),
        (lambda one: one.assign(value=one["value"] - 100), "the mean over areas is not above zero"),
    ],
)
def test_panels_that_cannot_be_tested_are_refused(change, said):
    with pytest.raises(DesignError, match=said):
        log_t(change(panel(converging(5, 20, 0.3, 10, np.random.default_rng(1)))))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sieve": "fix"}, "no sieve 'fix'"),
        ({"core": "some"}, "no core"),
        ({"merging": "ward"}, "no merging"),
        ({"order": 1.0}, "no share of the periods"),
    ],
)
def test_options_that_do_not_exist_are_refused(given, said):
    with pytest.raises(DesignError, match=said):
        Options(**given)


def test_a_grid_of_unknown_options_or_no_draws_is_refused(world):
    with pytest.raises(DesignError, match="clubs have no option 'kernel'"):
        stability(world, grid={"kernel": ("qs",)})
    with pytest.raises(DesignError, match="0 draws tell nothing"):
        stability(world, grid={}, draws=0)
