"""Where the displaced went: simulated panels with a known effect and known diversion, laws, and refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from qonys.core.errors import DesignError
from qonys.effects.substitution import Channel, battery, ties, timing

SEED = 20221130
WINDOW, ANNOUNCED, UNTIL = ("2018-04", "2019-03"), "2018-01", "2019-09"
LOSS = 0.4
# share of the lost persons that each channel receives; the net is what is left of the loss
DIVERTED = {"place": 0.30, "category": 0.10, "time_before": 0.10, "time_after": 0.15, "return": 0.05, "irregular": 0.05}
NOWHERE = dict.fromkeys(DIVERTED, 0.0)


def simulate(
    rng, diverted=DIVERTED, *, origins=40, treated=20, destinations=6, shock=0.15, noise=0.15, since=2015, by_ties=True, realised=False
):
    """Channels of a measure of destination 0 against some origins, and the true persons of each.

    Counts are Poisson about a mean with a season, a trend, an origin's shock that lasts (AR 0.5, common to all its corridors and tables)
    and a corridor's own gamma noise. Ties are the shares of stocks, alike but not equal to those of the flows. The effect is that on the
    means; realised: on the counts that the origins' shocks would have given.
    """
    months, before = [f"{year}-{month:02d}" for year in range(since, 2020) for month in range(1, 13)], (f"{since}-01", "2017-12")
    time = np.arange(len(months))
    window, rush, tail = (
        np.array([first <= month <= last for month in months]) for first, last in (WINDOW, (ANNOUNCED, "2018-03"), ("2019-04", UNTIL))
    )
    hit = np.arange(origins) < treated
    push = np.zeros((origins, len(months)))
    push[:, 0] = rng.normal(size=origins)
    for month in time[1:]:
        push[:, month] = 0.5 * push[:, month - 1] + np.sqrt(0.75) * rng.normal(size=origins)
    push = np.exp(shock * push - shock**2 / 2)
    course = np.exp(0.003 * time) * (1 + 0.2 * np.sin(2 * np.pi * time / 12))
    level = rng.lognormal(4.5, 0.7, size=origins)[:, None] * rng.dirichlet(8 * np.ones(destinations), size=origins) * destinations / 2
    mean = level[:, :, None] * course
    stock = level[:, 1:] * rng.lognormal(0, 0.4, size=(origins, destinations - 1))
    tie = stock / stock.sum(axis=1, keepdims=True)
    lost = np.where(hit[:, None] & window, LOSS * mean[:, 0], 0.0)
    side = dict.fromkeys(("category", "return"), 0.5 * level[:, :1] * course) | {"irregular": 0.2 * level[:, :1] * course}
    total = lost.sum(axis=1, keepdims=True)
    mean[:, 0] += diverted["time_before"] * total * rush / rush.sum() + diverted["time_after"] * total * tail / tail.sum() - lost
    spread = tie if by_ties else np.eye(destinations - 1)[0][None, :]
    mean[:, 1:] += diverted["place"] * spread[:, :, None] * lost[:, None, :]
    for name, sign in (("category", 1), ("return", -1), ("irregular", 1)):
        side[name] = side[name] + sign * diverted[name] * lost

    def counted(means):
        own = rng.gamma(1 / noise**2, noise**2, size=means.shape)
        return rng.poisson(means * (push[:, None, :] if means.ndim == 3 else push) * own)

    names = [f"O{number:02d}" for number in range(origins)]
    flows = counted(mean)

    def table(counts, word):
        rows = pd.DataFrame(
            {"unit": np.repeat([f"{name}{word}" for name in names], len(months)), "period": months * origins, "value": counts.ravel()}
        )
        return rows.assign(origin=rows["unit"].str[:3])

    def channel(name, tables, exposed):
        return Channel(name=name, table=tables, exposed=exposed, window=WINDOW, before=before)

    direct = channel("direct", table(flows[:, 0], ">D0"), {f"{names[one]}>D0": 1.0 for one in range(treated)})
    elsewhere = pd.concat([table(flows[:, place], f">D{place}") for place in range(1, destinations)], ignore_index=True)
    weights = {f"{names[one]}>D{place}": tie[one, place - 1] for one in range(treated) for place in range(1, destinations)}
    others = {"place": channel("place", elsewhere, weights)} | timing(direct, announced=ANNOUNCED, until=UNTIL)
    for name, means in side.items():
        others[name] = channel(name, table(counted(means), f":{name}"), {f"{names[one]}:{name}": 1.0 for one in range(treated)})
    gone = (lost * push).sum() if realised else lost.sum()
    truth = {"direct": -gone} | {name: share * gone for name, share in diverted.items()}
    return direct, others, truth


def recovered(draws, diverted=DIVERTED, *, seed=SEED, coverage=0.95, **shape):
    """channel: true and estimated mean persons, share of the intervals that hold the truth, their mean half width."""
    rows = []
    for rng in np.random.default_rng(seed).spawn(draws):
        direct, others, truth = simulate(rng, diverted, **shape)
        found = battery(direct, others, coverage=coverage, cluster="origin")
        parts = found.parts.set_index("channel")
        rows += [(name, truth[name], row.persons, row.low, row.high, row.method) for name, row in parts.iterrows()]
        rows += [
            (f"{name}_share", diverted[name], row.share_of_direct, row.share_low, row.share_high, row.method)
            for name, row in parts.iterrows()
            if name != "direct"
        ]
        rows.append(("net", sum(truth.values()), found.net.persons, found.net.low, found.net.high, found.net.method))
        over = sum(truth[name] for name in ("direct", "time_before", "time_after"))
        rows.append(("over_time", over, found.over_time.persons, found.over_time.low, found.over_time.high, found.over_time.method))
    table = pd.DataFrame(rows, columns=["channel", "truth", "persons", "low", "high", "method"])
    table = table.dropna()  # a share is not told where the direct effect is not
    table = table.assign(
        holds=(table["low"] <= table["truth"]) & (table["truth"] <= table["high"]), reach=(table["high"] - table["low"]) / 2
    )
    return table.groupby("channel", sort=False).agg(
        truth=("truth", "mean"), persons=("persons", "mean"), holds=("holds", "mean"), reach=("reach", "mean"), method=("method", "first")
    )


@pytest.fixture(scope="module")
def simulated():
    return simulate(np.random.default_rng(SEED))


def small(rng, *, origins=12, treated=6, level=30.0):
    direct, others, _ = simulate(rng, origins=origins, treated=treated, destinations=3)
    scale = level / 100
    thin = {
        name: replace(one, table=one.table.assign(value=(one.table["value"] * scale).round()))
        for name, one in (others | {"direct": direct}).items()
    }
    return thin.pop("direct"), thin


@pytest.mark.slow
@pytest.mark.parametrize("diverted", [DIVERTED, NOWHERE], ids=["diversion", "no diversion"])
def test_parts_and_net_are_within_their_intervals_as_often_as_they_say(diverted):
    draws = 60
    found = recovered(draws, diverted)
    assert set(found["method"]) == {"jackknife"}
    # each of the fifteen within the 0.1 % tails of 60 intervals of 95 %, their mean within three errors of one alone, for they go together
    assert (found["holds"] >= binom.ppf(0.001, draws, 0.95) / draws).all(), found
    assert found["holds"].mean() == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / draws) / 2)
    # and they are not within them only because they are far off: an interval reaches two errors, the mean of 60 has an eighth of one
    assert ((found["persons"] - found["truth"]).abs() < 0.25 * found["reach"]).all(), found


@pytest.mark.slow
def test_with_few_origins_the_past_gives_intervals_that_hold_no_less_often():
    found = recovered(30, origins=8, treated=3, since=2012)
    assert set(found["method"]) == {"placebo"}
    assert (found["holds"] >= binom.ppf(0.001, 30, 0.95) / 30).all(), found
    assert found["holds"].mean() >= 0.93


def test_net_is_the_sum_of_the_parts_and_the_total_over_time_that_of_the_periods(simulated):
    direct, others, _ = simulated
    found = battery(direct, others, cluster="origin")
    persons = found.parts.set_index("channel")["persons"]
    assert found.net.persons == pytest.approx(persons.sum())
    assert found.over_time.persons == pytest.approx(persons[["direct", "time_before", "time_after"]].sum())
    assert list(persons.index) == ["direct", *others]
    assert found.missing.empty
    assert found.parts.set_index("channel")["share_of_direct"]["place"] == pytest.approx(persons["place"] / -persons["direct"])


def test_one_origin_left_out_leaves_all_channels_so_that_opposite_parts_have_no_doubt_together(simulated):
    direct, _, _ = simulated
    mirror = replace(direct, name="return")  # counts the same persons with a minus
    found = battery(direct, {"return": mirror}, cluster="origin")
    assert found.net.persons == pytest.approx(0, abs=1e-6)
    assert found.net.high - found.net.low == pytest.approx(0, abs=1e-6)


def test_without_a_cluster_the_doubt_of_place_is_understated(simulated):
    direct, others, _ = simulated
    wide, narrow = (battery(direct, {"place": others["place"]}, cluster=name).parts.iloc[1] for name in ("origin", "unit"))
    assert wide.high - wide.low > narrow.high - narrow.low


@settings(max_examples=8)
@given(st.integers(0, 50), st.sampled_from([0.01, 3.0, 250.0]))
def test_counts_times_a_factor_give_parts_times_that_factor(seed, factor):
    direct, others = small(np.random.default_rng(seed))
    scaled = {
        name: replace(one, table=one.table.assign(value=one.table["value"] * factor)) for name, one in (others | {"direct": direct}).items()
    }
    one, other = battery(direct, others, cluster="origin"), battery(scaled.pop("direct"), scaled, cluster="origin")
    columns = ["persons", "low", "high"]
    pd.testing.assert_frame_equal(one.parts[columns] * factor, other.parts[columns])
    assert (one.net.low * factor, one.net.high * factor) == pytest.approx((other.net.low, other.net.high))


@settings(max_examples=8)
@given(st.integers(0, 50), st.sampled_from([2, 12]))
def test_names_and_order_of_units_change_nothing(seed, treated):
    rng = np.random.default_rng(seed)
    direct, others = small(rng, origins=12 if treated == 2 else 24, treated=treated)
    shuffled = rng.permutation(24)

    def renamed(one):
        def name(unit):
            return f"X{shuffled[int(unit[1:3])]}{unit[3:]}"

        table = one.table.sample(frac=1, random_state=seed)
        table = table.assign(unit=table["unit"].map(name), origin=table["origin"].map(name))
        return replace(one, table=table, exposed={name(unit): weight for unit, weight in one.exposed.items()})

    found = battery(renamed(direct), {name: renamed(one) for name, one in others.items()}, cluster="origin")
    pd.testing.assert_frame_equal(battery(direct, others, cluster="origin").parts, found.parts)


@given(st.integers(0, 50), st.sampled_from(["place", "category", "irregular", "direct"]), st.floats(0, 1))
def test_zeros_do_not_stop_it(seed, where, share):
    rng = np.random.default_rng(seed)
    direct, others = small(rng, level=2.0)
    channels = others | {"direct": direct}
    table = channels[where].table
    channels[where] = replace(channels[where], table=table.assign(value=table["value"].where(rng.random(len(table)) > share, 0.0)))
    try:
        found = battery(channels.pop("direct"), channels, cluster="origin")
    except DesignError:
        assert where == "direct"
        return
    assert {*found.parts["channel"], *found.missing["channel"]} == {"direct", *channels}
    assert np.isfinite(found.parts[["persons", "low", "high"]].to_numpy()).all()


def test_a_measure_without_effect_on_constant_counts_has_parts_of_zero():
    months = [f"{year}-{month:02d}" for year in (2018, 2019) for month in range(1, 13)]
    table = pd.DataFrame(
        [(f"O{one}", month, 10 * (one + 1) + int(month[5:])) for one in range(12) for month in months], columns=["unit", "period", "value"]
    )
    exposed = {f"O{one}": 1.0 for one in range(6)}
    direct = Channel(name="direct", table=table, exposed=exposed, window=("2019-01", "2019-03"), before=("2018-01", "2018-12"))
    others = {"category.study": replace(direct, name="category", table=table.assign(value=7))}
    found = battery(direct, others)
    # months are not matched with one year before, so only what all units share drops out
    assert found.parts["persons"].iloc[1] == pytest.approx(0)
    assert found.parts["channel"].tolist() == ["direct", "category.study"]


def test_ties_add_up_to_one_and_leave_out_the_treated_destination_and_home():
    flows = pd.DataFrame(
        [
            ("UZB", "RUS", 80),
            ("UZB", "KAZ", 15),
            ("UZB", "KAZ", 5),
            ("UZB", "KOR", 30),
            ("UZB", "UZB", 9),
            ("KGZ", "TUR", 7),
            ("UZB", "TUR", None),
        ],
        columns=["origin", "destination", "persons"],
    )
    assert ties(flows, "UZB", "RUS") == pytest.approx({"KAZ": 0.4, "KOR": 0.6})
    with pytest.raises(DesignError, match="nobody of KGZ"):
        ties(flows, "KGZ", "TUR")
    with pytest.raises(DesignError, match="no row with the origin 'TJK'"):
        ties(flows, "TJK", "RUS")
    with pytest.raises(DesignError, match="below zero"):
        ties(flows.assign(persons=-1.0), "UZB", "RUS")


@given(st.lists(st.tuples(st.sampled_from("ABCDE"), st.integers(0, 1000)), min_size=1))
def test_ties_of_any_flows_add_up_to_one(rows):
    flows = pd.DataFrame([("O", *row) for row in rows], columns=["origin", "destination", "persons"])
    if flows.loc[flows["destination"] != "A", "persons"].sum() == 0:
        return
    found = ties(flows, "O", "A")
    assert sum(found.values()) == pytest.approx(1)
    assert "A" not in found


def test_what_has_no_table_or_too_small_a_one_is_named_with_what_it_needs(simulated):
    direct, others, _ = simulated
    place, category, irregular = others["place"], others["category"], others["irregular"]
    found = battery(
        direct,
        {
            "place": replace(place, table=place.table.iloc[:0]),
            "category": replace(category, table=category.table[category.table["unit"].isin(category.exposed)]),
            "time_before": None,
            "irregular": replace(irregular, table=irregular.table.drop(columns="value")),
        },
        cluster="origin",
    )
    needs = found.missing.set_index("channel")["needs"]
    assert set(needs.index) == {"place", "category", "time_before", "time_after", "return", "irregular"}
    assert "has no period 2015-01" in needs["place"]
    assert "no unit that the measure did not touch" in needs["category"]
    assert "announced" in needs["time_before"]
    assert "treated place as origin" in needs["return"]
    assert "no column value" in needs["irregular"]
    assert found.parts["channel"].tolist() == ["direct"]
    assert found.net.persons == found.parts["persons"].sum()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: one.assign(value=-1), "below zero"),
        (lambda one: one.assign(value="many"), "no numbers"),
        (lambda one: pd.concat([one, one.iloc[:1]]), "two values"),
        (lambda one: one[one["period"] != "2018-06"], "lacks a period"),
        (lambda one: one.assign(origin=one["period"]), "not in one origin"),
        (lambda one: one.assign(period=one["period"].replace("2018-06", "2018-06-01")), "has the period"),
        (
            lambda one: one[one["period"].str[5:] != "99"].assign(value=one["value"].where(~one["unit"].str.endswith(":category"), 0)),
            "counted nobody",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_alone(simulated, change, says):
    direct, others, _ = simulated
    found = battery(direct, others | {"category": replace(others["category"], table=change(others["category"].table))}, cluster="origin")
    assert says in found.missing.set_index("channel")["needs"]["category"]
    assert len(found.parts) == len(others)


def test_persons_are_not_counted_twice(simulated):
    direct, others, _ = simulated
    place = others["place"]
    both = replace(place, table=pd.concat([place.table, direct.table]), exposed=dict(place.exposed) | {"O00>D0": 1.0})
    found = battery(direct, {"place": both, "time_after": replace(direct, name="time_after")}, cluster="origin")
    gone = found.left_out[found.left_out["channel"] == "place"]
    assert set(gone["why"]) == {"treated_itself"}
    assert len(gone) == 20
    assert "in part that of the direct effect" in found.missing.set_index("channel")["needs"]["time_after"]
    early = replace(direct, name="time_before", before=("2015-01", "2016-12"), window=("2017-10", "2018-03"))
    assert "takes its level from the window" in battery(direct, {"time_before": early}).missing["needs"].iloc[0]


def test_units_with_a_gap_or_not_in_the_table_are_named(simulated):
    direct, others, _ = simulated
    table = others["return"].table
    rows = table[~((table["unit"] == "O03:return") & (table["period"] == "2018-07"))]
    found = battery(
        direct,
        {"return": replace(others["return"], table=rows, exposed=dict(others["return"].exposed) | {"O99:return": 1.0})},
        cluster="origin",
    )
    assert found.left_out.to_numpy().tolist() == [["O03:return", "return", "gap"], ["O99:return", "return", "not_in_table"]]


def test_ties_in_proportion_to_the_flows_need_an_untied_comparison():
    rng = np.random.default_rng(SEED)
    direct, others, _ = simulate(rng)
    table = others["place"].table
    tied = table[table["unit"].isin([unit for unit in others["place"].exposed if unit.startswith("O00")])].assign(value=10.0)
    names = sorted(tied["unit"].unique())
    table = tied.assign(value=tied["value"] * tied["unit"].map({name: place + 1 for place, name in enumerate(names)}))
    weights = {name: (place + 1) / 15 for place, name in enumerate(names)}
    found = battery(direct, {"place": replace(others["place"], table=table, exposed=weights)}, cluster="origin")
    assert "all ties are in the same proportion" in found.missing.set_index("channel")["needs"]["place"]


def test_what_cannot_be_asked_is_refused(simulated):
    direct, others, _ = simulated
    with pytest.raises(DesignError, match="did you mean 'place'"):
        battery(direct, {"plase": None})
    with pytest.raises(DesignError, match="no channel 'place \\(category\\)'"):
        battery(direct, {"place": others["category"]})
    with pytest.raises(DesignError, match="name it direct"):
        battery(others["place"], {})
    with pytest.raises(DesignError, match="coverage of 95"):
        battery(direct, {}, coverage=95)
    with pytest.raises(DesignError, match="give weights from 0 to 1"):
        replace(direct, exposed={"O00>D0": 2.0})
    with pytest.raises(DesignError, match="periods 2015-01 to 2018-04 before"):
        replace(direct, before=("2015-01", "2018-04"))
    with pytest.raises(DesignError, match="there is no channel 'weather'"):
        replace(direct, name="weather")
    with pytest.raises(DesignError, match="before the announcement"):
        timing(direct, announced="2017-11", until="2019-09")
    with pytest.raises(DesignError, match="no exposed unit"):
        battery(replace(direct, exposed={}), {})


@pytest.mark.parametrize(
    "labels", [[f"{year}-Q{quarter}" for year in range(2010, 2020) for quarter in range(1, 5)], [str(year) for year in range(1990, 2020)]]
)
def test_quarters_and_years_are_read_too(labels):
    table = pd.DataFrame([(f"O{one}", label, 100.0 + one) for one in range(12) for label in labels], columns=["unit", "period", "value"])
    hit = table["unit"].isin([f"O{one}" for one in range(5)]) & (table["period"] >= labels[-4])
    direct = Channel(
        name="direct", table=table.assign(value=table["value"].where(~hit, table["value"] / 2)), exposed={f"O{one}": 1.0 for one in range(5)}, window=(labels[-4], labels[-1]), before=(labels[0], labels[-5])
    )  # fmt: skip
    assert battery(direct, {}).parts["persons"].iloc[0] == pytest.approx(-510 * 4 / 2)


def test_of_one_origin_what_rises_with_the_ties_is_counted_and_what_rises_everywhere_is_not():
    months = [f"{year}-{month:02d}" for year in range(2015, 2019) for month in range(1, 13)]
    late = np.array([month >= "2018-01" for month in months])
    rng = np.random.default_rng(SEED)
    level = rng.uniform(20, 60, size=15)
    tie = rng.dirichlet(np.ones(15))
    counts = level[:, None] * np.where(late, 1.2, 1.0) + 40 * tie[:, None] * late  # a fifth more everywhere, and 40 a month by ties
    place = pd.DataFrame({"unit": np.repeat([f"D{one}" for one in range(15)], 48), "period": months * 15, "value": counts.ravel()})
    corridors = np.where(late & (np.arange(6) == 0)[:, None], 60.0, 100.0) * rng.uniform(0.95, 1.05, size=(6, 48))
    table = pd.DataFrame({"unit": np.repeat([f"O{one}" for one in range(6)], 48), "period": months * 6, "value": corridors.ravel()})
    both = {"window": ("2018-01", "2018-12"), "before": ("2015-01", "2017-12")}
    direct = Channel(name="direct", table=table, exposed={"O0": 1.0}, **both)
    found = battery(direct, {"place": Channel(name="place", table=place, exposed={f"D{one}": tie[one] for one in range(15)}, **both)})
    rows = found.parts.set_index("channel")
    assert rows.loc["place", "persons"] == pytest.approx(480)
    assert rows.loc["place", ["estimator", "method"]].tolist() == ["ties", "jackknife"]
    assert rows.loc["direct", ["estimator", "method"]].tolist() == ["sum", "placebo"]
    assert found.net.method == "mixed"
    # nothing says how the two move together, so their doubts are added
    assert found.net.high - found.net.low == pytest.approx((rows["high"] - rows["low"]).sum())
