"""Restriction and support: what the register's own indices count, the laws they keep, and how far a draw may move them."""

from __future__ import annotations

import random
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from qonys.core.errors import DesignError, RegisterError
from qonys.measures import Confusion, band, daily_index, days_between, read_register_indices, register_index
from rows import Prepared, bounded

FIRST, LAST = date(2020, 3, 1), date(2020, 4, 30)
ISSUERS = ["KAZ", "KGZ"]
RESTRICTION, SUPPORT = register_index("restriction"), register_index("support")


def act(**own: object) -> dict[str, object]:
    return {
        "id": "m", "issuer": "KAZ", "level": "national", "targets": "foreign_traveller", "strength": 4, "general": "true", "direction": "tightening",
        "start": "2020-03-16", "end": "2020-03-31", "status": "ended", "field": "health", "instrument": "legal",
    } | own  # fmt: skip


INDICES = Prepared(
    lambda measures, issuers, which, **asked: daily_index(measures, days_between(FIRST, LAST, "day"), issuers, which, **asked)
)


def daily(con, rows, *, reading="possible", by="all", which=RESTRICTION, issuers=ISSUERS) -> pd.Series:
    found = INDICES(con, bounded(rows), issuers=issuers, which=which, reading=reading, by=by)
    return con.to_pandas(found).assign(day=lambda t: pd.to_datetime(t["day"]).dt.date).set_index(["issuer", "day", "part"]).sort_index()


def test_the_index_is_the_mean_over_categories_of_the_strongest_measure_that_means_them(con):
    found = daily(con, [act(strength=2), act(id="n", targets="labour", strength=4), act(id="easy", direction="easing")])
    on, off = date(2020, 3, 20), date(2020, 4, 1)
    # of ten categories: labour 100, student, family, asylum, visitor and returnee 50; labour migrants are a part of residents
    assert found.loc["KAZ", on, "all"]["value"] == pytest.approx((100 + 5 * 50 + 87.5) / 10)
    assert list(found.loc["KAZ", on, "all"]["measure_ids"]) == ["m", "n"]
    assert found.loc["KAZ", off, "all"]["value"] == 0
    assert (found.loc["KGZ"]["value"] == 0).all()
    assert daily(con, [act(direction="easing")], which=SUPPORT).loc["KAZ", on, "all"]["value"] == pytest.approx(60)
    assert len(found) == 2 * 61


def test_by_category_the_index_is_their_mean_and_by_field_each_stands_alone(con):
    rows = [act(), act(id="n", field="migration", targets="all", strength=1)]
    whole = daily(con, rows)["value"].droplevel("part")
    cells = daily(con, rows, by="category")["value"].groupby(level=[0, 1]).mean()
    np.testing.assert_allclose(cells, whole)
    fields = daily(con, rows, by="field")["value"].unstack("part").loc["KAZ", :].loc[date(2020, 3, 20)]
    assert (fields["health"], fields["migration"], fields["housing"]) == (60, 25, 0)


def test_the_two_readings_bound_a_measure_whose_end_is_not_known(con):
    rows = [act(end=None, start="2020-03")]
    certain, possible = (daily(con, rows, reading=reading)["value"].droplevel("part")["KAZ"] for reading in ("certain", "possible"))
    assert (certain > 0).sum() == 1
    assert (possible > 0).all()


def registers(number: int) -> list[list[dict[str, object]]]:
    chance = random.Random(7)

    def one(place: int) -> dict[str, object]:
        start = FIRST + timedelta(days=chance.randrange(50))
        return act(
            id=f"m{place}", targets=chance.choice(["all", "labour student", "seasonal_worker", "internal", "citizen"]), strength=chance.randint(1, 4),
            general=chance.choice(["true", "false"]), start=start.isoformat(), field=chance.choice(["health", "migration"]),
            end=chance.choice([None, (start + timedelta(days=chance.randrange(1, 30))).isoformat()]), issuer=chance.choice(ISSUERS),
        )  # fmt: skip

    return [[one(place) for place in range(5)] for _case in range(number)]


def split(row: dict[str, object]) -> list[dict[str, object]]:
    if not row["end"]:
        return [row]
    cut = date.fromisoformat(str(row["start"]))
    return [row | {"end": cut.isoformat()}, row | {"id": f"{row['id']}b", "start": (cut + timedelta(days=1)).isoformat()}]


@pytest.mark.parametrize("rows", registers(4))
@pytest.mark.parametrize("by", ["all", "category", "field"])
def test_an_index_of_the_register_keeps_the_laws(con, rows, by):
    whole = daily(con, rows, by=by)["value"]
    assert whole.between(0, 100).all()
    assert (daily(con, rows[1:], by=by)["value"] <= whole + 1e-9).all()
    pd.testing.assert_series_equal(daily(con, rows[::-1], by=by)["value"], whole)
    pd.testing.assert_series_equal(daily(con, [part for row in rows for part in split(row)], by=by)["value"], whole)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[index", "own.toml is not valid TOML"),
        ("", "own.toml holds no index"),
        ('[index.a]\ndirection = "up"', "index a has direction = 'up'"),
        ('[index.a]\ndirection = "easing"\nweights = { labor = 1 }', "weighs 'labor', which is no category; did you mean 'labour'"),
        ('[index.a]\ndirection = "easing"\nweights = { labour = -1 }', "gives labour the weight -1"),
        ('[index.a]\ndirection = "easing"', "index a weighs no category"),
    ],
)
def test_a_wrong_index_of_the_register_is_refused(text, said):
    with pytest.raises(RegisterError, match=said):
        read_register_indices(text, file="own.toml")


# The band


def drawn(con, rows, issuers=("KAZ",), **more) -> pd.DataFrame:
    return band(con.to_pandas(bounded(rows)), FIRST, LAST, issuers, RESTRICTION, **more).set_index(["issuer", "day"])


def test_without_doubt_the_band_is_the_index(con):
    rows = [act(), act(id="n", strength=2, targets="all", start="2020-04-01", end="2020-04-10")]
    found = drawn(con, rows)
    exact = daily(con, rows, issuers=["KAZ"])["value"].droplevel("part")
    for column in ("value", "low", "high"):
        np.testing.assert_allclose(found[column], exact)


def test_a_month_alone_widens_the_band_inside_that_month_only(con):
    found = drawn(con, [act(start="2020-03", end="2020-04-15")]).loc["KAZ"]
    width = found["high"] - found["low"]
    assert width.loc[date(2020, 3, 5) : date(2020, 3, 25)].gt(0).all()
    assert width.loc[date(2020, 4, 1) :].eq(0).all()


def test_the_same_seed_gives_the_same_band_and_another_nearly_the_same(con):
    rows = [act(start="2020-03", end=None), act(id="n", targets="all", strength=1, start="2020-03-10", end="2020-04-20")]
    one = drawn(con, rows)
    pd.testing.assert_frame_equal(one, drawn(con, rows))
    assert (one["value"] - drawn(con, rows, seed=3, draws=1000)["value"]).abs().mean() < 5


def confused(**tables: pd.DataFrame) -> Confusion:
    nothing = pd.DataFrame(columns=["direction", "strength", "general", "drawn", "probability"])
    return Confusion(**({"strength": nothing, "general": nothing, "direction": nothing} | tables))


def test_doubtful_codes_widen_the_band(con):
    noise = pd.DataFrame([("tightening", 4, 4, 0.5), ("tightening", 4, 3, 0.5)], columns=["direction", "strength", "drawn", "probability"])
    found = drawn(con, [act()], noise=confused(strength=noise)).loc["KAZ", date(2020, 3, 20)]
    assert (found["low"], found["high"]) == (45, 60)
    part = pd.DataFrame(
        [("tightening", True, True, 0.5), ("tightening", True, False, 0.5)], columns=["direction", "general", "drawn", "probability"]
    )
    found = drawn(con, [act()], noise=confused(general=part)).loc["KAZ", date(2020, 3, 20)]
    assert (found["low"], found["high"]) == pytest.approx((52.5, 60))


def test_the_band_holds_the_index_of_registers_drawn_from_the_same_doubt(con):
    """Coverage 0.9: of 200 registers whose start is uniform in March, about nine in ten lie within the band on each day of it."""
    found = drawn(con, [act(start="2020-03", end="2020-04-30")], coverage=0.9, draws=2000).loc["KAZ"]
    rng = np.random.default_rng(5)
    starts = rng.integers(0, 31, 200)
    day = np.arange(61)
    truth = np.where(day[None, :] >= starts[:, None], 60.0, 0.0)
    inside = (truth >= found["low"].to_numpy()) & (truth <= found["high"].to_numpy())
    assert inside.mean(axis=0).min() >= 0.85


def test_too_few_draws_are_refused(con):
    with pytest.raises(DesignError, match="a band of 3 draws"):
        drawn(con, [act()], draws=3)


def test_an_issuer_without_a_measure_has_a_band_of_zero(con):
    assert (drawn(con, [act()], issuers=("UZB",)) == 0).all().all()
