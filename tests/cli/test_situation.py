"""qonys situation, flows, measures find and entry: the same functions as Python, in three languages."""

import io

import pandas as pd
import pytest
from typer.testing import CliRunner

from qonys.cli import app
from qonys.core.errors import QonysError
from qonys.situation import in_force_on, pairs_of, series_of


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def printed(*words) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(run(*words).stdout))


def test_a_situation_prints_its_tables_and_a_sentence_in_each_language():
    assert (
        printed("situation", "KAZ", "--on", "2020-05-15", "--show", "in_force")["id"].tolist()
        == in_force_on("KAZ", "2020-05-15")["id"].tolist()
    )
    for lang, word in (("en", "In force for certain"), ("ru", "Действует достоверно"), ("kk", "Анық қолданыста")):
        assert word in run("situation", "KAZ", "--on", "2020-05-15", "--lang", lang).stderr


def test_a_workbook_holds_all_three_tables(tmp_path):
    run("situation", "KAZ", "--on", "2020-05-15", "-o", tmp_path / "s.xlsx")
    assert set(pd.read_excel(tmp_path / "s.xlsx", sheet_name=None)) == {"moved", "in_force", "out_of_line"}


def test_flows_are_shown_with_every_report():
    shown = printed("flows", "show", "KAZ", "--first", "2020", "--last", "2022", "--kind", "immigration")
    assert shown["value"].tolist() == series_of("KAZ", first=2020, last=2022, kinds=("immigration",))["value"].tolist()
    assert "KAZ" in set(printed("flows", "areas")["area"])


def test_pairs_are_cells_or_margins_with_a_sentence(tmp_path):
    done = run("flows", "pairs", "--year", "2024", "--lang", "kk")
    assert "жарияланбаған" in done.stderr
    assert len(pd.read_csv(io.StringIO(done.stdout))) == 20
    assert (
        printed("flows", "pairs", "--period", "2021-01/2021-03", "--top", "4")["pairs"].sum()
        == pairs_of("2021-01/2021-03", top=4).cells["pairs"].sum()
    )
    (tmp_path / "own.csv").write_text(
        "origin,destination,period_start,period_end,persons,basis,counted,source,status\n"
        "DEU,FRA,2020-01-01,2020-12-31,5,previous_residence,moves,mine,final\n"
    )
    assert printed("flows", "pairs", "--flows", tmp_path / "own.csv", "--period", "2020")["persons"].sum() == 5


def test_measures_are_found_and_an_entry_is_told():
    assert "SM005" in set(printed("measures", "find", "emergency", "--issuer", "KAZ", "--on", "2020-04-15")["id"])
    assert "SM005" in set(printed("measures", "entry", "SM005")["value"])
    assert printed("measures", "entry", "SM002", "--show", "coding")["column"].tolist()[:2] == ["targets", "field"]
    assert set(printed("measures", "entry", "SM002", "--show", "reach")["side"]) == {"entry"}


@pytest.mark.parametrize("words", [("situation", "KZA"), ("situation", "KAZ", "--on", "today"), ("flows", "show", "KAZ", "--kind", "moves"),
                                   ("flows", "pairs", "--year", "x"), ("measures", "entry", "SM999"), ("measures", "find", "--field", "x")])  # fmt: skip
def test_what_cannot_be_asked_is_one_sentence(words):
    with pytest.raises(QonysError):
        run(*words)
