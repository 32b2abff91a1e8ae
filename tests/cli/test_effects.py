"""qonys effects: a design is checked, estimated and told in three languages; what is wrong in it is a sentence."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from qonys.cli import app
from qonys.core.errors import DataError, DesignError
from qonys.effects import read_design

DESIGN = """name = "entry"
comparison = "never_treated"
unit_of_outcome = "persons"
outcome = { table = "flows.csv", unit = "area", period = "month", value = "persons", where = { kind = "in" } }
exposure = { table = "closed.csv", unit = "area", period = "month", dose = "dose", announced = "said" }
"""


@pytest.fixture
def folder(tmp_path):
    areas = ["AUT", "BEL", "CZE", "DEU", "ESP", "FRA", "HUN", "ITA", "NLD", "POL"]
    rows, doses = [], []
    for place, area in enumerate(areas):
        for month in range(1, 13):
            on = place < 4 and month >= 7
            rows.append((area, f"2020-{month:02d}", 100 + 5 * place + month % 3 - 30 * on + (place * month * 7) % 5, "in"))
            rows.append((area, f"2020-{month:02d}", 999, "out"))
            if on:
                doses.append((area, f"2020-{month:02d}", 1.0, "2020-07-01"))
    pd.DataFrame(rows, columns=["area", "month", "persons", "kind"]).to_csv(tmp_path / "flows.csv", index=False)
    pd.DataFrame(doses, columns=["area", "month", "dose", "said"]).to_csv(tmp_path / "closed.csv", index=False)
    (tmp_path / "entry.toml").write_text(DESIGN)
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, ["effects", *map(str, words)])


def test_a_design_is_checked_and_its_estimators_proposed(folder):
    done = run("check", folder / "entry.toml")
    assert done.exit_code == 0, done.stderr
    assert "few_treated_clusters" in done.stdout
    assert "Proposed: callaway_santanna, sun_abraham" in done.stderr
    fits = run("check", folder / "entry.toml", "--estimators", "--lang", "kk")
    assert "dcdh,False,шара аяқталмайды" in fits.stdout
    assert run("check", folder / "entry.toml", "--left-out").stdout.startswith("unit,period,why")


@pytest.mark.parametrize(
    ("lang", "said"),
    [("en", "a change that the interval separates from zero"), ("ru", "интервал не содержит нуля"), ("kk", "аралықта нөл жоқ")],
)
def test_an_estimate_is_a_row_and_a_paragraph_in_each_language(folder, lang, said):
    done = run("estimate", folder / "entry.toml", "--lang", lang, "--draws", "5", "--by-time", folder / "by.csv", "-o", folder / "out.csv")
    assert done.exit_code == 0, done.stderr
    row = pd.read_csv(folder / "out.csv").iloc[0]
    assert row["estimate"] == pytest.approx(-30, abs=4)
    assert row["low"] < -30 < row["high"]
    assert said in done.stderr
    drawn = run("estimate", folder / "entry.toml", "--lang", lang, "--draws", "0", "--chart", folder / "effect.svg",
                "--counterfactual", folder / "without.svg", "--forest", folder / "forest.svg", "--estimator", "callaway_santanna",
                "--estimator", "event_study")  # fmt: skip
    assert drawn.exit_code == 0
    for name in ("effect.svg", "without.svg", "forest.svg"):
        assert (folder / name).read_text().startswith("<svg")
    by = pd.read_csv(folder / "by.csv")
    assert by["event_time"].min() in (-6, -5)
    assert by["event_time"].max() == 5


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "is not TOML"), (DESIGN.replace("comparison", "comparision"), "did you mean 'comparison'"),
        (DESIGN.replace("never_treated", "never"), "comparison is 'never'"), (DESIGN + "coverage = 2.0\n", "coverage of 2"),
        (DESIGN.replace("outcome = {", "result = {"), "has the key 'result'"), (DESIGN + "anticipation = -1\n", "anticipation of -1"),
        (DESIGN + 'coverage = "high"\n', "no number"),
    ],
)  # fmt: skip
def test_a_design_that_cannot_be_read_is_refused_in_a_sentence(text, said):
    with pytest.raises(DesignError, match=said):
        read_design(text, "entry.toml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('"persons"', '"people"'), "has no column 'people'"), (('"in"', '"both"'), "no row of flows.csv"),
        (('table = "closed.csv"', 'table = "gone.csv"'), "there is no file"),
    ],
)  # fmt: skip
def test_tables_that_do_not_fit_the_design_are_named(folder, change, said):
    (folder / "entry.toml").write_text(DESIGN.replace(*change))
    done = run("check", folder / "entry.toml")
    assert isinstance(done.exception, DesignError | DataError)
    assert said in str(done.exception)


@pytest.fixture
def flows(tmp_path):
    rng = np.random.default_rng(5)
    places = ["AUT", "BEL", "CZE", "DEU", "ESP", "FRA"]
    rows = [
        (one, other, year, (place * 7 + further * 3 + year) % 2 == 0, 0)
        for place, one in enumerate(places) for further, other in enumerate(places) if one != other for year in range(2016, 2022)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["origin", "destination", "year", "visa_free", "persons"])
    table["persons"] = rng.poisson(np.exp(3 + 0.5 * table["visa_free"] + 0.1 * (table["year"] - 2016)))
    table["copy"] = 2 * table["visa_free"]
    table.loc[(table["origin"] == "FRA") & (table["year"] == 2016), "persons"] = 0
    table.to_csv(tmp_path / "flows.csv", index=False)
    return tmp_path / "flows.csv"


EFFECTS = ("--effect", "origin+year", "--effect", "destination+year", "--effect", "origin+destination")


def test_gravity_gives_coefficients_what_was_left_out_and_flows_without_the_measure(flows):
    done = run("gravity", flows, "--outcome", "persons", "--regressor", "visa_free", "--regressor", "copy", *EFFECTS, "--cluster", "origin")
    assert done.exit_code == 0, done.stderr
    found = pd.read_csv(io.StringIO(done.stdout)).set_index("name")
    assert found.loc["visa_free", "low"] < 0.5 < found.loc["visa_free", "high"]
    assert "Not identified: copy" in done.stderr
    assert "all flows of a group are zero: 5" in done.stderr
    left = run("gravity", flows, "--outcome", "persons", "--regressor", "visa_free", *EFFECTS, "--left-out")
    assert len(left.stdout.splitlines()) == 6
    done = run(
        "gravity", flows, "--outcome", "persons", "--regressor", "visa_free", *EFFECTS, "--without", "visa_free", "--hold", "origin+year"
    )
    flows_without = pd.read_csv(io.StringIO(done.stdout)).dropna()
    totals = flows_without.groupby(["origin", "year"])[["fitted", "without"]].sum()
    assert totals["fitted"].tolist() == pytest.approx(totals["without"].tolist())


def test_gravity_says_what_is_wrong_with_the_table(flows):
    assert "did you mean 'persons'" in str(run("gravity", flows, "--outcome", "person", "--regressor", "visa_free").exception)
    assert "is no number" in str(run("gravity", flows, "--outcome", "origin", "--regressor", "visa_free").exception)


def test_practices_are_an_order_with_ties_and_what_is_not_known_has_no_place(tmp_path):
    rows = [
        (f"m{n}", kind, "labour", value + n % 3, 1.0, "strong")
        for kind, value in (("ban", -20.0), ("quota", 0.0), ("visa", 0.5))
        for n in range(4)
    ]
    rows.append(("w", "tax", "labour", -50.0, 30.0, "weak"))
    table = pd.DataFrame(rows, columns=["measure", "instrument", "target", "estimate", "error", "identified"])
    table.to_csv(tmp_path / "e.csv", index=False)
    done = run("practices", tmp_path / "e.csv", "--better", "lower", "--lang", "kk")
    assert done.exit_code == 0, done.stderr
    found = pd.read_csv(io.StringIO(done.stdout))
    assert found["instrument"].tolist() == ["ban", "quota", "visa", "tax"]
    assert found["tier"].tolist()[:3] == [1, 2, 2]
    assert pd.isna(found["tier"].iloc[3])
    assert found["status"].iloc[3] == "белгісіз"
    assert "4 ішінен 3" in done.stderr
    pairs = run("practices", tmp_path / "e.csv", "--better", "lower", "--pairs")
    assert "tied" in pairs.stdout
    assert run("practices", tmp_path / "e.csv", "--better", "lower", "--evidence").exit_code == 0


BATTERY = """window = ["2020-04", "2020-09"]
before = ["2018-01", "2020-01"]
announced = "2020-02"
until = "2020-12"
cluster = "origin"
direct = { table = "arrivals.csv", unit = "corridor", period = "month", value = "persons", exposed = "treated" }
place = { table = "elsewhere.csv", unit = "corridor", period = "month", value = "persons", exposed = "tie" }
"""


@pytest.fixture
def kept_away(tmp_path):
    """Thirty origins, ten of which lose 40 of 100 a month from April to September 2020; 10 of them go elsewhere."""
    rng = np.random.default_rng(8)
    months = [f"{year}-{month:02d}" for year in (2018, 2019, 2020) for month in range(1, 13)]
    arrivals, elsewhere = [], []
    for place in range(30):
        for month in months:
            shut = place < 10 and "2020-04" <= month <= "2020-09"
            arrivals.append((f"o{place:02d}", f"o{place:02d}.A", month, rng.poisson(60 if shut else 100), float(place < 10)))
            elsewhere.append((f"o{place:02d}", f"o{place:02d}.B", month, rng.poisson(110 if shut else 100), float(place < 10)))
    pd.DataFrame(arrivals, columns=["origin", "corridor", "month", "persons", "treated"]).to_csv(tmp_path / "arrivals.csv", index=False)
    pd.DataFrame(elsewhere, columns=["origin", "corridor", "month", "persons", "tie"]).to_csv(tmp_path / "elsewhere.csv", index=False)
    (tmp_path / "battery.toml").write_text(BATTERY)
    return tmp_path


def test_where_the_kept_away_went_is_told_with_what_is_missing(kept_away):
    done = run("substitution", kept_away / "battery.toml")
    assert done.exit_code == 0, done.exception
    parts = pd.read_csv(io.StringIO(done.stdout)).set_index("channel")
    assert parts.loc["direct", "low"] < -2400 < parts.loc["direct", "high"]
    assert parts.loc["place", "low"] < 600 < parts.loc["place", "high"]
    assert {"time_before", "time_after"} <= set(parts.index)
    assert "Net of all parts" in done.stderr
    assert "did not leave, irregularly" in done.stderr
    assert "refused entries" in run("substitution", kept_away / "battery.toml", "--missing").stdout
    assert "заңсыз" in run("substitution", kept_away / "battery.toml", "--lang", "kk").stderr


def test_an_effect_is_followed_by_its_battery_or_says_that_none_was_asked(kept_away):
    design = """outcome = { table = "arrivals.csv", unit = "corridor", period = "month", value = "persons", kind = "count" }
exposure = { table = "shut.csv", unit = "corridor", period = "month", dose = "dose" }
after_end = "drop"
"""
    shut = [(f"o{place:02d}.A", f"2020-{month:02d}", 1.0) for place in range(10) for month in range(4, 10)]
    pd.DataFrame(shut, columns=["corridor", "month", "dose"]).to_csv(kept_away / "shut.csv", index=False)
    for more, said in (("", "in another category: first permits"), ('substitution = "battery.toml"\n', "Net of all parts")):
        (kept_away / "design.toml").write_text(design + more)
        done = run("estimate", kept_away / "design.toml", "--draws", "0", "--estimator", "etwfe_poisson")
        assert done.exit_code == 0, done.exception
        assert said in done.stderr
        row = pd.read_csv(io.StringIO(done.stdout)).iloc[0]
        assert row["low"] < -40 < row["high"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("direct", "directly"), "has no channel direct"), (('cluster = "origin"', ""), "declares no cluster"), (('exposed = "tie"', 'exposed = "ties"'), "did you mean 'tie'"),
        (('table = "elsewhere.csv", unit', 'tabel = "elsewhere.csv", unit'), "has the key 'tabel'"), (("place =", "plaice ="), "did you mean 'place'"),
        (('window = ["2020-04", "2020-09"]', ""), "has no window"), (('value = "persons", exposed = "tie"', 'value = "origin", exposed = "tie"'), "is no number"),
    ],
)  # fmt: skip
def test_a_battery_that_cannot_be_read_is_refused_in_a_sentence(kept_away, change, said):
    (kept_away / "battery.toml").write_text(BATTERY.replace(*change))
    done = run("substitution", kept_away / "battery.toml")
    assert isinstance(done.exception, DesignError | DataError)
    assert said in str(done.exception)
