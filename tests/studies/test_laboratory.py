"""The questions of the laboratory in the study of the EU: laws that their results keep, and what they find."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from qonys.core.periods import months
from qonys.studies.response import by_year


@pytest.fixture(scope="module")
def results(answered):
    return answered("eu-covid").results


def test_all_evidence_but_the_days_of_control_breaks_in_march_2020_and_points_apart(results):
    phases = results["turning_points"].rows.set_index("first")
    turn = phases.loc["2020-03"]
    assert turn["verdict"] == "leaning_distancing"
    assert (turn["for"], turn["against"], turn["undecided"], turn["kinds"]) == (6, 0, 1, 7)
    assert turn["earliest"] == "2020-03"


def test_phases_cover_the_months_once_and_a_change_is_walked_to_both_phases(results):
    phases, evidence = results["turning_points"].rows, results["turning_points_evidence"].rows
    covered = [month for row in phases.itertuples() for month in months(row.first, row.last)]
    assert covered == list(months("2019-11", "2021-02"))
    assert len(evidence) == 7 * (len(phases) - 1)
    for row in evidence.itertuples():
        inside = set(phases.loc[phases["phase"].isin([row.phase - 1, row.phase]), ["first", "last"]].apply(tuple, axis=1))
        expected = {month for first, last in inside for month in months(first, last)}
        assert {address.rpartition("/")[2].removeprefix("all.") for address in row.inputs} == expected
        assert row.low <= row.change <= row.high
        assert (row.verdict == "undecided") == (row.low <= 0 <= row.high)


@pytest.mark.parametrize("suffix", ["low", "high"])
def test_the_parts_of_the_variance_add_up(results, suffix):
    rows = results[f"layers_{suffix}"].rows
    assert rows.groupby("period")["share"].sum().tolist() == pytest.approx([100] * 16)
    assert rows["share"].between(0, 100).all()
    assert (rows["low"] <= rows["high"]).all()


@pytest.mark.parametrize("suffix", ["low", "high"])
def test_departure_of_all_subjects_is_the_mean_of_each_and_a_share(results, suffix):
    rows = results[f"departure_{suffix}"].rows
    wide = rows.pivot(index="period", columns="subject", values="value")
    assert wide["all"].tolist() == pytest.approx(((wide["entry_ban"] + wide["internal_control"]) / 2).tolist())
    assert rows["value"].between(0, 100).all()
    assert set(rows.loc[rows["subject"] == "internal_control", "areas"]) == {22}  # members in Schengen when the panel begins


def test_the_mean_of_all_pairs_is_the_mean_of_the_members_means_and_the_nearest_are_nearest(results):
    places, near = results["portfolio_places"].rows, results["portfolio_neighbours"].rows
    assert set(places["period"]) == {"2020-02-15", "2020-04-15", "2020-07-15", "2020-12-15"}
    mean = places.groupby("period")["distance"].mean()
    assert mean["2020-02-15"] < mean["2020-12-15"] < mean["2020-04-15"]
    assert (near.groupby(["area", "period"])["distance"].diff().dropna() >= 0).all()
    assert (near["area"] != near["other"]).all()
    joined = near.merge(near, left_on=["area", "other", "period"], right_on=["other", "area", "period"])
    assert (joined["distance_x"] == joined["distance_y"]).all()


def test_gaps_close_slower_if_open_ends_run_on(results):
    rows = results["catching_up"].rows.set_index("id")
    assert rows.loc["low", "half_life"] < rows.loc["high", "half_life"]
    assert rows["left"].between(0, 100).all()


def test_no_group_is_told_without_the_share_of_runs_that_keep_it(results):
    members, counts, pairs = (results[name].rows for name in ("clubs", "club_counts", "club_pairs"))
    assert members.loc[members["club"].notna(), "own_share"].notna().all()
    assert counts["share"].sum() == pytest.approx(100)
    assert len(pairs) == 27 * 26 / 2
    assert pairs["together"].between(0, 100).all()


def test_immigration_and_the_share_of_the_year_closed_are_told_with_a_placebo(results):
    fits, members = results["response"].rows.set_index("id"), results["response_members"].rows
    assert len(members) == 27
    assert members[["certain", "possible"]].stack().between(0, 100).all()
    assert (members["certain"] <= members["possible"] + 1e-9).all()
    assert members["change"].tolist() == pytest.approx((100 * (members["shock"] / members["before"] - 1)).tolist())
    for row in fits.itertuples():
        assert row.low < row.effect < row.high
        assert row.placebo_low < 0 < row.placebo_high
    assert members.set_index("area").loc["SWE", "certain"] == pytest.approx(76.1, abs=0.1)  # the Swedish entry ban ran from 19 March


def test_the_response_by_year_has_every_year_but_the_one_compared_with(results):
    fits, years = results["response"].rows.set_index("id"), results["response_years"].rows
    for reading, own in years.groupby("reading"):
        assert own["year"].tolist() == [*range(2013, 2019), 2020]
        assert own["event_time"].tolist() == [*range(-7, -1), 0]
        assert (own["low"].lt(own["effect"]) & own["effect"].lt(own["high"])).all()
        before = own[own["event_time"].lt(0)]
        assert fits.loc[reading, ["earlier", "apart"]].tolist() == [6, (before["low"].gt(0) | before["high"].lt(0)).sum()]


def test_a_response_by_year_without_noise_is_recovered_exactly():
    areas, years, truth = list("abcdefghij"), [2016, 2017, 2018, 2019, 2020], {2016: 0.1, 2017: -0.05, 2018: 0.0, 2020: -0.6}
    dose = pd.Series(np.linspace(0, 1, len(areas)) ** 2, index=areas)
    flows = pd.DataFrame([
        {"area": area, "year": year, "inflow": np.exp(5 + place / 3 + 0.2 * (year - 2016) + truth.get(year, 0.0) * dose[area])}
        for place, area in enumerate(areas) for year in years
    ])  # fmt: skip
    found = by_year(flows, dose, "low", 2020)
    assert found["effect"].tolist() == pytest.approx([100 * np.expm1(value) for value in truth.values()], abs=1e-4)


def test_shocks_of_kazakhstan_are_set_against_the_past_of_each_series(answered):
    rows = answered("kazakhstan").results["shocks"].rows.set_index("id")
    assert len(rows) == 6
    assert rows["effect"].tolist() == pytest.approx((rows["observed"] - rows["projected"]).tolist())
    net = rows.loc["KAZ.net.pandemic", "observed"]
    assert net == pytest.approx(rows.loc["KAZ.inflow.pandemic", "observed"] - rows.loc["KAZ.outflow.pandemic", "observed"])
    assert rows.loc["KAZ.inflow.inflow", "share_as_far"] == pytest.approx(100 / 15)  # no earlier year strayed as far
    assert not rows["decided"].any()
