"""The sums of Cox's model are those of lifelines, and hold where lifelines has none: late support, strata, weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, CoxTimeVaryingFitter

from qonys.scenarios.settlement.risk_sets import RiskSets


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    x = rng.integers(0, 2, (250, 2)).astype(float)
    stay = np.ceil(rng.exponential(size=250) * np.exp(-0.7 * x[:, 0]) * 20)  # few distinct days: many ties
    cut = rng.integers(5, 40, 250)
    return pd.DataFrame(
        {
            "a": x[:, 0],
            "b": x[:, 1] + rng.normal(0, 0.2, 250),
            "days": np.minimum(stay, cut),
            "left": stay <= cut,
            "place": rng.integers(0, 3, 250),
        }
    )


def sets_of(data: pd.DataFrame, *, strata: bool = False) -> RiskSets:
    return RiskSets(
        data[["a", "b"]].to_numpy(),
        data.get("start", pd.Series(0.0, data.index)).to_numpy(),
        data["days"].to_numpy(float),
        data["left"].to_numpy(),
        data["place"].to_numpy() if strata else None,
    )


@pytest.mark.parametrize("strata", [False, True])
def test_beta_errors_likelihood_and_residuals_are_those_of_lifelines_with_ties(data, strata):
    columns = ["a", "b", "days", "left"] + (["place"] if strata else [])
    fitted = CoxPHFitter().fit(
        data[columns], "days", "left", strata=["place"] if strata else None, fit_options={"r_precision": 1e-14, "precision": 1e-12}
    )
    sets = sets_of(data, strata=strata)
    ones = np.ones(len(data))
    beta = sets.fit(ones, np.zeros(2))
    np.testing.assert_allclose(beta, fitted.params_, atol=1e-6)
    found = sets.sums(beta, ones)
    np.testing.assert_allclose(np.linalg.inv(found.information), fitted.variance_matrix_, rtol=1e-5)
    assert found.likelihood == pytest.approx(fitted.log_likelihood_)
    residuals = fitted.compute_residuals(data[columns], "schoenfeld").sort_index()
    np.testing.assert_allclose(sets.residuals(beta)[1], residuals.loc[data.index[data["left"]]], atol=1e-5)


def test_the_baseline_is_that_of_lifelines(data):
    fitted = CoxPHFitter().fit(data[["a", "b", "days", "left"]], "days", "left")
    sets, beta, days = sets_of(data), fitted.params_.to_numpy(), np.array([0.0, 5, 10, 20])
    found = sets.baseline(beta, np.ones(len(data)), days)[0] * np.exp(data[["a", "b"]].mean().to_numpy() @ beta)
    np.testing.assert_allclose(found[1:], fitted.baseline_cumulative_hazard_.loc[days[1:]].iloc[:, 0], rtol=1e-8)
    assert found[0] == 0


def test_score_residuals_add_up_to_no_gradient_and_without_ties_to_lifelines_robust_errors(data):
    rng = np.random.default_rng(1)
    apart = data.assign(days=data["days"] + rng.uniform(0, 0.5, len(data)))
    fitted = CoxPHFitter().fit(apart[["a", "b", "days", "left"]], "days", "left", robust=True)
    sets, beta = sets_of(apart), fitted.params_.to_numpy()
    score = sets.residuals(beta)[0]
    np.testing.assert_allclose(score.sum(axis=0), sets.sums(beta, np.ones(len(apart))).gradient, atol=1e-9)
    inverse = np.linalg.inv(sets.sums(beta, np.ones(len(apart))).information)
    np.testing.assert_allclose(np.sqrt(np.diag(inverse @ score.T @ score @ inverse)), fitted.standard_errors_, rtol=1e-4)


def test_a_weight_of_two_is_the_row_twice(data):
    weight = np.random.default_rng(3).integers(0, 3, len(data)).astype(float)
    twice = data.loc[data.index.repeat(weight.astype(int))].reset_index(drop=True)
    one, other = sets_of(data, strata=True), sets_of(twice, strata=True)
    beta = np.array([0.3, -0.2])
    ones = np.ones(len(twice))
    for a, b in zip(one.sums(beta, weight)[:3], other.sums(beta, ones)[:3], strict=True):
        np.testing.assert_allclose(a, b)
    np.testing.assert_allclose(one.baseline(beta, weight, np.array([10.0])), other.baseline(beta, ones, np.array([10.0])))


def test_cutting_a_stay_in_two_changes_nothing_and_late_rows_fit_as_in_lifelines(data):
    begin = np.random.default_rng(4).integers(1, 15, len(data)).astype(float)
    cut = (begin < data["days"]) & (data["a"] == 1)
    before = data.assign(start=0.0, id=data.index)
    before.loc[cut, "days"], before.loc[cut, "left"] = begin[cut], False
    after = data[cut].assign(start=begin[cut], id=data.index[cut])
    rows = pd.concat([before, after], ignore_index=True)
    ones = np.ones(len(rows))
    np.testing.assert_allclose(sets_of(rows).fit(ones, np.zeros(2)), sets_of(data).fit(np.ones(len(data)), np.zeros(2)), atol=1e-8)
    late = rows.assign(a=np.where(rows["start"] > 0, 1.0, np.where(rows["id"].isin(data.index[cut]), 0.0, rows["a"])))
    reference = CoxTimeVaryingFitter().fit(
        late[["id", "a", "b", "start", "days", "left"]], id_col="id", event_col="left", start_col="start", stop_col="days"
    )
    np.testing.assert_allclose(sets_of(late).fit(ones, np.zeros(2)), reference.params_, atol=1e-4)
