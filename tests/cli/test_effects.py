"""qonys effects: a design is checked, estimated and told in three languages; what is wrong in it is a sentence."""

from __future__ import annotations

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
    drawn = run("estimate", folder / "entry.toml", "--lang", lang, "--draws", "0", "--chart", folder / "effect.svg")
    assert drawn.exit_code == 0
    assert (folder / "effect.svg").read_text().startswith("<svg")
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
