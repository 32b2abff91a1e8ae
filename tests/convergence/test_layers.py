"""Departures, portfolios and layers: exact identities, small cases counted by hand, and the published course of the visa matrix."""

from __future__ import annotations

import io
import itertools
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.convergence import (
    departures_by_member,
    distances,
    distances_on,
    mean_distance,
    modal_departure,
    neighbours,
    policy_map,
    portfolios,
    rules_on,
    variance_split,
)
from qonys.core.errors import DataError, DesignError
from qonys.laboratory import departure_of, distances_of, division
from qonys.registers import import_file
from qonys.store import write_table
from shell import qonys

DAY = date(2020, 4, 1)


def measure(issuer, instrument="ban", targets=("visitor",), field="border", direction="tightening", strength=4, dose=100.0, begun=date(2020, 3, 1), over=date(2020, 6, 1),
            citizenships=(), exempt=()):  # fmt: skip
    return {"id": f"{issuer}-{instrument}-{begun}", "issuer": issuer, "instrument": instrument, "targets": list(targets), "field": field, "direction": direction,
            "strength": strength, "dose": dose, "begun": begun, "over": over, "target_citizenship": list(citizenships),
            "exception_citizenship": list(exempt)}  # fmt: skip


def rules(rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["period", "area", "about", "rule"])


# Departure from the modal rule


def test_a_departure_is_counted_by_hand():
    found, counts = modal_departure(rules([
        *(("2020", area, "KAZ", rule) for area, rule in zip("ABCD", ["visa", "visa", "visa", "ban"], strict=True)),
        *(("2020", area, "UZB", rule) for area, rule in zip("ABCD", ["visa", "ban", "free", "ban"], strict=True)),
        *(("2020", area, "KGZ", "visa") for area in "AB"),
    ]))  # fmt: skip
    assert found.value.tolist() == [(0.25 + 0.5) / 2]
    assert counts.to_dict("records") == [{"period": "2020", "members": 4, "about": 2, "left_out": 1}]
    # without D all of KAZ agree, and UZB is split in three
    assert found.without[found.areas.index("D"), 0] == pytest.approx((0 + 2 / 3) / 2)


def test_who_departs_is_known_and_of_two_equally_common_rules_neither_departs():
    found = departures_by_member(
        rules([("2020", area, "KAZ", rule) for area, rule in zip("ABCDE", ["v", "v", "b", "b", "f"], strict=True)])
    )
    assert dict(zip(found["area"], found["departure"], strict=True)) == {"A": 0, "B": 0, "C": 0, "D": 0, "E": 1}


def test_where_two_rules_are_as_common_the_interval_is_not_empty():
    rules = pd.DataFrame({"period": "1", "area": list("abcdef"), "about": "x", "rule": list("vvvfff")})
    table = modal_departure(rules)[0].table()
    assert table["value"][0] == 0.5
    assert table["high"][0] - table["low"][0] > 0.5


@given(st.lists(st.sampled_from("vbf"), min_size=4, max_size=12), st.randoms())
def test_names_of_rules_and_members_are_of_no_account(own, random):
    areas = [f"a{place}" for place in range(len(own))]
    one = modal_departure(rules([("t", area, "KAZ", rule) for area, rule in zip(areas, own, strict=True)]))[0].value[0]
    mixed = random.sample(areas, len(areas))
    other = modal_departure(
        rules([("t", area, "KAZ", {"v": "1", "b": "2", "f": "3"}[rule]) for area, rule in zip(mixed, own, strict=True)])
    )[0].value[0]
    assert one == other == (len(own) - max(map(own.count, own))) / len(own)


def test_the_rule_of_a_day_is_the_strictest_measure_and_says_which_one():
    table = pd.DataFrame([
        measure("A", instrument="visa", strength=2, citizenships=["KAZ", "UZB"], begun=date(2019, 1, 1), over=date(2021, 1, 1)), measure("A", exempt=["UZB"]),
        measure("B", direction="easing", instrument="visa_free", strength=1, citizenships=["KAZ"]),
    ])  # fmt: skip
    found = rules_on(table, [DAY, date(2020, 7, 1)], ["A", "B", "C"], ["KAZ", "UZB"]).set_index(["period", "area", "about"])
    assert found.loc[("2020-04-01", "A", "KAZ"), "rule"] == "tightening ban 4"
    assert found.loc[("2020-04-01", "A", "UZB"), "rule"] == "tightening visa 2"
    assert found.loc[("2020-04-01", "B", "KAZ"), "rule"] == "easing visa_free 1"
    assert found.loc[("2020-07-01", "A", "KAZ"), "rule"] == "tightening visa 2"
    assert found.loc[("2020-04-01", "C", "KAZ"), "rule"] == "none"
    assert found.loc[("2020-04-01", "A", "KAZ"), "measure_ids"] == "A-ban-2020-03-01"


@pytest.mark.slow
def test_the_visa_matrix_of_the_members_drifted_apart_and_came_back(real_data, tmp_path):
    """Published course (see shared data, README): 0.6 % 2019-11, 15.5 % 2020-11, 33.6 % 2021-10, 5.1 % 2022-04, 0.5 % 2022-06."""
    done = import_file("passport", real_data / "passport_index_panel.parquet")
    write_table(done.measures, tmp_path / "passport.csv")
    evidence, counts, by_member = departure_of([str(tmp_path / "passport.csv")], ["EU27_2020"])
    share = dict(zip(evidence.periods, (100 * evidence.value).round(1), strict=True))
    assert [share[day] for day in ("2019-11-23", "2020-11-19", "2021-10-28", "2022-04-10", "2022-06-06")] == [0.6, 15.5, 33.6, 5.1, 0.5]
    assert set(counts["members"]) == {27}
    assert set(counts["about"]) == {172}
    apart = by_member[by_member["period"] == "2021-10-28"].set_index("area")["departure"]
    assert apart["DEU"] == 0
    assert apart["POL"] > 0.8


def test_rules_twice_or_none_are_refused():
    with pytest.raises(DesignError, match="no rules to compare"):
        modal_departure(rules([]))
    with pytest.raises(DesignError, match="A has two rules for KAZ in 2020"):
        modal_departure(rules([("2020", "A", "KAZ", "v"), ("2020", "A", "KAZ", "b")]))


# Portfolios


BOOK = pd.DataFrame([
    measure("A"), measure("A", instrument="quarantine", dose=50.0), measure("B"), measure("C", instrument="quarantine", dose=100.0),
    measure("D", begun=date(2020, 5, 1)), measure("E", over=date(2020, 3, 31)), measure("A", instrument="aid", direction="easing", dose=75.0),
])  # fmt: skip


def test_a_portfolio_holds_what_is_in_force_with_easing_below_zero():
    held = portfolios(BOOK, DAY, list("ABCDE"), by=("instrument",))
    assert held.loc["A"].to_dict() == {"aid": -75.0, "ban": 100.0, "quarantine": 50.0}
    assert held.loc[["D", "E"]].to_numpy().sum() == 0
    assert list(held.index) == list("ABCDE")


def test_distances_are_counted_by_hand_and_those_who_do_nothing_are_alike():
    held = portfolios(BOOK, DAY, list("ABCDE"), by=("instrument",))
    jaccard = distances(held, "jaccard")
    assert jaccard.loc["A", "B"] == pytest.approx(2 / 3)
    assert jaccard.loc["B", "C"] == 1
    assert jaccard.loc["D", "E"] == 0
    gower = distances(held)
    assert gower.loc["A", "B"] == pytest.approx((1 + 0 + 0.5) / 3)
    assert gower.loc["D", "E"] == 0


@given(st.lists(st.lists(st.sampled_from([-100, -50, 0, 0, 50, 100]), min_size=4, max_size=4), min_size=3, max_size=8))
def test_distances_are_those_of_a_metric_between_zero_and_one(values):
    held = pd.DataFrame(np.array(values, float), index=[f"s{place}" for place in range(len(values))])
    for method in ("gower", "jaccard"):
        table = distances(held, method).to_numpy()
        assert np.allclose(table, table.T)
        assert np.allclose(np.diag(table), 0)
        assert ((table >= -1e-12) & (table <= 1 + 1e-12)).all()
        assert (table[:, :, None] + table[None, :, :] >= table[:, None, :] - 1e-9).all()


def test_the_mean_distance_over_time_and_to_the_common_acts():
    days, by = [date(2020, 1, 1), DAY, date(2020, 5, 15)], ("instrument",)
    tables = distances_on(BOOK, days, list("ABCDE"), by=by)
    found, parts = mean_distance(tables, reference="A")
    assert found.value[0] == 0
    assert found.value[1] > 0
    whole = distances(portfolios(BOOK, DAY, list("BCDE"), by=by), "jaccard").to_numpy().sum() / 12
    assert mean_distance(distances_on(BOOK, [DAY], list("BCDE"), by=by, method="jaccard"))[0].value[0] == pytest.approx(whole)
    without = mean_distance({day: table.drop(index="B", columns="B") for day, table in tables.items()}, reference="A")[0]
    assert found.without[0] == pytest.approx(without.value)
    assert parts[parts["period"] == "2020-04-01"].set_index("issuer")["to_reference"]["B"] < 1


def test_a_map_does_not_turn_or_flip_from_one_time_to_the_next():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(12, 2)) * [3, 1]
    tables = []
    for step in range(6):
        moved = points + step * 0.05 * rng.normal(size=points.shape)
        apart = np.sqrt(((moved[:, None] - moved[None, :]) ** 2).sum(axis=2))
        names = [f"s{place:02d}" for place in range(12)]
        tables.append(pd.DataFrame(apart, index=names, columns=names))
    maps = policy_map(tables)
    for before, after in itertools.pairwise(maps):
        assert np.abs(before[["x", "y"]].to_numpy() - after[["x", "y"]].to_numpy()).max() < 1.5
        assert after["shown"].iloc[0] > 0.95
    near = neighbours(tables[0], 2)
    assert len(near) == 24
    assert (near.sort_values(["issuer", "place"]).groupby("issuer")["distance"].diff().dropna() >= 0).all()


def test_portfolios_of_nobody_or_of_unknown_facets_are_refused():
    with pytest.raises(DesignError, match="no facet 'instruments'"):
        portfolios(BOOK, DAY, ["A"], by=("instruments",))
    with pytest.raises(DesignError, match="too few for a mean distance"):
        mean_distance(distances_on(BOOK, [DAY], ["A", "B"]))
    with pytest.raises(DesignError, match="no distance 'euclid'"):
        distances(portfolios(BOOK, DAY, ["A", "B"]), "euclid")


# Layers


def panel(values) -> pd.DataFrame:
    areas, periods = values.shape
    return pd.DataFrame(
        {
            "area": np.repeat([f"a{place}" for place in range(areas)], periods),
            "period": np.tile(range(periods), areas),
            "value": values.ravel(),
        }
    ).dropna()


GROUPS = {f"a{place}": "old" if place < 4 else "new" for place in range(10)}


@given(st.integers(0, 1000))
def test_the_parts_are_all_of_the_variance(seed):
    values = np.random.default_rng(seed).normal(size=(10, 5))
    found = variance_split(panel(values), GROUPS, draws=5)
    assert np.allclose(found.groupby("period")["share"].sum(), 1)
    own = found.drop_duplicates("period")["variance"].to_numpy()
    assert np.allclose(own, ((values - values.mean()) ** 2).mean(axis=0))


def test_what_all_do_is_common_what_groups_do_is_theirs_and_the_rest_national():
    rng = np.random.default_rng(3)
    old = np.array([[1.0]] * 4 + [[0.0]] * 6)
    common, group, national = np.zeros((10, 3)), np.zeros((10, 3)), np.zeros((10, 3))
    common[:, 0], group[:, 1:2], national[:, 2] = 5, (old - old.mean()) * 8, rng.normal(0, 4, 10)
    found = variance_split(panel(common + group + national + rng.normal(0, 0.01, (10, 3))), GROUPS, draws=200)
    most = found.loc[found.groupby("period")["share"].idxmax()].set_index("period")["part"]
    assert most[1] == "group"
    assert most[2] == "national"
    assert found[(found["period"] == 1) & (found["part"] == "group")]["low"].item() > 0.5


def test_where_nothing_moves_there_are_no_shares():
    found = variance_split(panel(np.ones((10, 3))), GROUPS, draws=5)
    assert found["share"].isna().all()
    assert (found["variance"] == 0).all()


def test_divisions_are_declared_and_may_be_ones_own(tmp_path):
    assert division("accession", ["DEU", "POL"]) == {"DEU": "eu14", "POL": "eu13"}
    assert division("visegrad", ["DEU", "POL"]) == {"DEU": "rest", "POL": "visegrad"}
    (tmp_path / "mine.toml").write_text('[mine]\nsea = ["GRC", "ITA"]\n', encoding="utf-8")
    assert division(str(tmp_path / "mine.toml"), ["ITA", "AUT"]) == {"ITA": "sea", "AUT": "rest"}


@pytest.mark.parametrize(
    ("groups", "said"), [({"a0": "old"}, "a1 is in no group"), (dict.fromkeys(GROUPS, "one"), "all areas are in one group")]
)  # fmt: skip
def test_panels_that_cannot_be_split_are_refused(groups, said):
    with pytest.raises(DesignError, match=said):
        variance_split(panel(np.random.default_rng(1).normal(size=(10, 3))), groups, draws=5)


@pytest.mark.usefixtures("opened_once")
def test_days_after_the_last_look_of_the_register_are_left_out_and_named():
    call = ["convergence", "distance", "--issuer", "EU27_2020", "--on", "2020-02-15", "--on", "2020-04-15", "--on", "2031-01-01"]
    shown = {show: qonys(*call, "--show", show) for show in ("mean", "issuers", "neighbours", "map")}
    for one in shown.values():
        assert one.returncode == 0, one.stderr
        assert "2031-01-01" in one.stderr
        assert "2031-01-01" not in one.stdout
    near = pd.read_csv(io.StringIO(shown["neighbours"].stdout))
    assert len(near) == 2 * 27 * 3
    drawn = pd.read_csv(io.StringIO(shown["map"].stdout))
    assert len(drawn) == 2 * 27
    assert qonys(*call[:4], "--on", "2031-01-01").returncode == 1


def test_portfolios_of_issuers_without_entries_are_refused():
    with pytest.raises(DataError, match="no adopted entry of these issuers"):
        distances_of(["shipped"], ["BRA", "ARG", "CHL"], [DAY])
