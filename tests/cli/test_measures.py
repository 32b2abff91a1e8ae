"""qonys measures, as its user meets it."""

from __future__ import annotations

import pandas as pd
import pytest

from shell import qonys

pytestmark = pytest.mark.usefixtures("opened_once")
ENTRY = """issuer = "KAZ"

[[measure]]
id = "K1"
title = "Borders closed"
level = "national"
targets = ["foreign_traveller"]
field = "health"
instrument = "administrative"
direction = "tightening"
strength = 4
general = true
start = "2020-03-16"
end = "2020-05-31"
status = "ended"
evidence = "the act, read 2026-11-20"
coder = "me"
"""
SECOND = ENTRY.removeprefix('issuer = "KAZ"\n').replace('id = "K1"', 'id = "K1"\nversion = 2').replace("strength = 4", "strength = 3")
CHANGED = SECOND + 'coded_on = "2026-11-23"\nchange = "the act names states"\n'


@pytest.fixture
def register(tmp_path):
    (tmp_path / "register").mkdir()
    (tmp_path / "register" / "KAZ.toml").write_text(ENTRY, encoding="utf-8")
    return tmp_path / "register"


def test_the_shipped_register_has_no_fault():
    done = qonys("measures", "check")
    assert (done.returncode, done.stdout) == (0, "")
    assert "in 38 files, faults: 0" in done.stderr


def test_every_fault_of_a_register_is_a_sentence_with_file_and_line(register):
    wrong = ENTRY.replace('"foreign_traveller"', '"foreign_traveler"').replace('"2020-03-16"', '"16.03.2020"') + 'supersedes = ["K0"]\n'
    (register / "KAZ.toml").write_text(wrong, encoding="utf-8")
    done = qonys("measures", "check", register)
    assert done.returncode == 1
    assert (
        "KAZ.toml, line 3, measure K1 has 'foreign_traveler', which is not a code of targets; did you mean 'foreign_traveller'?"
        in done.stdout
    )
    assert "K1 has a wrong start: '16.03.2020' is not a date; write 2020, 2020-03 or 2020-03-16" in done.stdout
    assert "K0" in done.stdout
    assert "Traceback" not in done.stderr


def test_an_entry_edited_in_place_is_found_and_a_new_version_is_not(register, tmp_path):
    before = tmp_path / "before.toml"
    before.write_text(ENTRY, encoding="utf-8")
    (register / "KAZ.toml").write_text(ENTRY + CHANGED, encoding="utf-8")
    assert qonys("measures", "check", register, "--since", before).returncode == 0
    (register / "KAZ.toml").write_text(ENTRY.replace("strength = 4", "strength = 3"), encoding="utf-8")
    done = qonys("measures", "check", register, "--since", before)
    assert done.returncode == 1
    assert "was edited in place: strength '4' became '3'" in done.stdout


def test_a_version_without_its_reason_is_a_fault(register):
    (register / "KAZ.toml").write_text(ENTRY + SECOND, encoding="utf-8")
    done = qonys("measures", "check", register)
    assert done.returncode == 1
    assert "is version 2 without 'change'" in done.stdout


def test_the_exposure_of_an_own_register_follows_its_versions(register, tmp_path):
    (register / "KAZ.toml").write_text(ENTRY + CHANGED, encoding="utf-8")
    ask = ("measures", "exposure", "--register", register, "--destination", "KAZ", "--origin", "RUS", "--first", "2020-04", "--last", "2020-04",
           "--category", "labour")  # fmt: skip

    def dose(*more: str) -> float:
        assert qonys(*ask, *more, "-o", tmp_path / "e.csv").returncode == 0
        return pd.read_csv(tmp_path / "e.csv")["dose"].item()

    assert dose() == 75
    assert dose("--known-on", "2026-11-22") == 100


@pytest.mark.parametrize(
    ("lang", "words"), [("en", "Syria → Germany, persons who seek protection, April 15, 2020: on"), ("ru", "Сирия → Германия"), ("kk", "дәліз шаралардың әсерінде")]
)  # fmt: skip
def test_why_a_corridor_is_on_is_one_sentence_that_names_the_measures(lang, words):
    done = qonys(
        "measures", "exposure", "--explain", "DEU", "--origin", "SYR", "--category", "asylum", "--on", "2020-04-15", "--lang", lang
    )
    assert done.returncode == 0
    assert words in done.stdout
    assert "OXCGRT-DEU-C8-20200318" in done.stdout
    assert done.stdout.count("\n") == 1
    assert "EM002" in done.stderr


def test_a_corridor_without_a_measure_is_off_and_says_so():
    done = qonys("measures", "exposure", "--explain", "DEU", "--origin", "SYR", "--category", "citizen", "--on", "2020-04-15")
    assert "off" in done.stdout
    assert "OXCGRT-DEU-C8-20200318" in done.stderr


def test_an_index_of_a_codebook_leaves_out_what_is_off_its_scale_and_keeps_it_beside(tmp_path):
    (tmp_path / "own.toml").write_text(
        'key = ["area"]\n[indicator]\nA = { level = "a", maximum = 2 }\n[index.one]\nof = ["A"]\n', encoding="utf-8"
    )
    (tmp_path / "levels.csv").write_text("area,a\nKAZ,1\nUZB,3\nKGZ,two\nTJK,\n", encoding="utf-8")
    done = qonys("measures", "index", tmp_path / "own.toml", tmp_path / "levels.csv", "-o", tmp_path / "out.csv")
    assert done.returncode == 0
    assert pd.read_csv(tmp_path / "out.csv")["one"].dropna().tolist() == [50.0]
    assert set(pd.read_csv(tmp_path / "levels.quarantine.csv")["area"]) == {"UZB", "KGZ"}
    assert "off their scale: 2" in done.stderr


def test_restriction_names_its_measures_and_its_band(tmp_path):
    days = ("--issuer", "KAZ", "--first", "2020-03-16", "--last", "2020-03-17")
    assert qonys("measures", "index", "restriction", *days, "-o", tmp_path / "i.csv").returncode == 0
    found = pd.read_csv(tmp_path / "i.csv")
    assert found["value"].between(1, 100).all()
    assert found["measure_ids"].str.contains("KM012").all()
    assert qonys("measures", "index", "restriction", *days, "--band", "-o", tmp_path / "b.csv").returncode == 0
    band = pd.read_csv(tmp_path / "b.csv")
    assert (band["low"] <= band["value"]).all()
    assert (band["value"] <= band["high"]).all()


def test_disagreements_are_listed_with_alpha_beside():
    done = qonys("measures", "disagreements")
    assert done.returncode == 0
    assert done.stdout.startswith("id,title,column,first,second")
    assert "strength: alpha 0." in done.stderr


IMPORT = "id,country_name,iso3,policy_type,policy_subtype,start_date,end_date\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("measures", "import", "coronet", "x.csv"), "there is no importer 'coronet'; did you mean 'coronanet'?"),
        (("measures", "import", "cobap", "none.csv"), "there is no file none.csv"),
        (("measures", "index", "oxcgrt"), "the codebook oxcgrt needs a table of levels"),
        (("measures", "index", "restriction", "--issuer", "KAX"), "no area has the code 'KAX'"),
        (("measures", "exposure"), "no corridor is named"),
        (("measures", "exposure", "--explain", "DEU"), "one corridor on one day is explained at a time"),
        (("measures", "exposure", "--explain", "DEU", "--origin", "SYR", "--category", "asylum", "--on", "2020-04"), "'2020-04' is no single day"),
        (("measures", "exposure", "--origin", "SYR", "--destination", "DEU", "--register", "none"), "there is no register none"),
        (("measures", "exposure", "--origin", "SYR", "--destination", "DEU", "--first", "2021", "--last", "2020"), "the period ends on 2020-12-31"),
        (("measures", "check", "none.toml"), "there is no register file none.toml"),
    ],
)  # fmt: skip
def test_an_error_is_one_sentence_with_its_mend_and_exit_1(tmp_path, words, sentence):
    done = qonys(*words, cwd=tmp_path)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("what", "columns"),
    [
        ("challenges", {"challenge", "answer", "measures"}),
        ("objects", {"object", "named", "answer"}),
        ("answers", {"kind", "field", "adopted"}),
        ("gaps", {"kind", "none"}),
        ("conflicts", {"tightening", "easing", "first", "last"}),
        ("duplicates", {"one", "other", "because"}),
    ],
)
def test_coverage_of_kazakhstan_is_a_table_for_every_question(tmp_path, what, columns):
    assert qonys("measures", "coverage", "kazakhstan", "--what", what, "-o", tmp_path / "c.csv").returncode == 0
    found = pd.read_csv(tmp_path / "c.csv")
    assert columns <= set(found.columns)
    assert len(found)


def test_coverage_of_a_study_without_challenges_is_refused():
    done = qonys("measures", "coverage", "eu-covid")
    assert done.returncode == 1
    assert "the study eu-covid has no table challenge" in done.stderr
