"""A study file: what it may ask for, and the nearest right word where it asks for something else."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from qonys import pipeline
from qonys.core.areas import codes
from qonys.core.contracts import CONTRACTS
from qonys.core.errors import DesignError, StudyError
from qonys.studies import QUESTIONS, built_in, find_study, read_study
from rows import refusal

GOOD = """name = "mine"
areas = ["KAZ"]
first = 2013
last = 2023
questions = ["internal"]
languages = ["en"]

[tables]
flow = ["flows.csv"]

[options.internal]
first = 2010
"""
OPTIONS = {name: question.options for name, question in QUESTIONS.items()}


def read(folder, text: str | bytes):
    path = folder / "mine.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_study(path, OPTIONS)


def test_a_study_is_read_as_it_is_written(tmp_path):
    study = read(tmp_path, GOOD)
    assert (study.name, study.areas, study.first, study.last, study.questions) == ("mine", ("KAZ",), 2013, 2023, ("internal",))
    assert study.tables == {"flow": ("flows.csv",)}
    assert study.option("internal", "first") == 2010
    assert study.option("internal", "last", "none") == "none"
    assert study.folder == tmp_path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "mine"', 'nam = "mine"', r"has the key 'nam'; did you mean 'name'"),
        ('areas = ["KAZ"]\n', "", r"lacks areas; see a built-in study"),
        ('["internal"]', '["internl"]', r"has the question 'internl'; did you mean 'internal'"),
        ("flow =", "flows =", r"has the table 'flows'; did you mean 'flow'"),
        ('["KAZ"]', '["KAS"]', r"has the area 'KAS'; did you mean 'KAZ'"),
        ('["en"]', '["eng"]', r"has the language 'eng'; did you mean 'en'"),
        ("[options.internal]", "[options.internel]", r"has the question in options 'internel'; did you mean 'internal'"),
        ("first = 2010", "frist = 2010", r"has the option of internal 'frist'; did you mean 'first'"),
        ("first = 2013", "first = 2033", r"first and last must be years in order"),
        ("first = 2013", 'first = "2013"', r"first and last must be years in order"),
        ("first = 2013", "first = true", r"first and last must be years in order"),
        ("last = 2023", "last = 20230", r"first and last must be years in order"),
        ('["KAZ"]', '"KAZ"', r"areas is not a list of words"),
        ('["KAZ"]', "[]", r"areas is not a list of words"),
        ('["internal"]', "[1]", r"questions is not a list of words"),
        ('["en"]', "5", r"languages is not a list of words"),
        ('["flows.csv"]', '"flows.csv"', r"tables.flow is not a list of words"),
        ('[tables]\nflow = ["flows.csv"]', 'tables = ["flow"]', r"tables is not a list of words"),
        ("[options.internal]\nfirst = 2010", "[options]\ninternal = 2010", r"options are not given by question"),
        ("name =", "name", r"is not valid TOML: .*; correct that line"),
    ],
)
def test_a_wrong_study_is_refused_with_the_nearest_right_word(tmp_path, old, new, said):
    assert old in GOOD
    with pytest.raises(StudyError, match=said) as refused:
        read(tmp_path, GOOD.replace(old, new))
    assert str(refused.value).startswith("mine.toml")


def test_a_study_that_is_not_utf8_is_refused(tmp_path):
    with pytest.raises(StudyError, match=r"mine\.toml is not valid TOML"):
        read(tmp_path, "name = 'миграция'".encode("cp1251"))


def test_a_study_is_found_by_its_name_or_its_path(tmp_path):
    assert set(built_in()) == {"eu-covid", "kazakhstan"}
    assert find_study("kazakhstan") == built_in()["kazakhstan"]
    with pytest.raises(StudyError, match="there is no study 'kazahstan'; did you mean 'kazakhstan'"):
        find_study("kazahstan")
    with pytest.raises(StudyError, match=r"there is no study file .*none\.toml; check the path"):
        find_study(str(tmp_path / "none.toml"))


@pytest.mark.parametrize("name", built_in())
def test_a_built_in_study_asks_only_for_what_there_is(name):
    study = pipeline.open_study(name)
    assert set(study.questions) <= set(QUESTIONS)
    assert set(study.tables) <= set(CONTRACTS)
    assert set(study.areas) <= codes()
    assert set(study.languages) == {"en", "ru", "kk"}
    assert set(study.title) == {"en", "ru", "kk"}


@pytest.fixture(scope="module")
def tables(con):
    study = pipeline.open_study("kazakhstan")
    first_of_each = {name: files if name == "measure" else files[:1] for name, files in study.tables.items()}
    return pipeline.load(con, replace(study, tables=first_of_each), lambda *_: None)[0]


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_without_its_tables_or_options_is_refused_in_a_sentence(tmp_path, tables, question):
    study = read(tmp_path, GOOD.replace('"internal"', f'"{question}"').partition("[options")[0])
    with pytest.raises(StudyError, match=r"^question '\w+' needs (a table of the contract|the option) \w+"):
        QUESTIONS[question].answer({}, study)
    refused = refusal(lambda: QUESTIONS[question].answer(tables, study))
    assert (
        refused is None
        or isinstance(refused, DesignError)
        or re.match(r"question '\w+' needs the option \w+; add|.* which no table holds; correct", str(refused))
    )


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_over_tables_without_rows_is_answered_or_refused_in_a_sentence(tables, question):
    study = next(study for study in map(pipeline.open_study, built_in()) if question in (*study.questions, *study.options))
    refused = refusal(lambda: QUESTIONS[question].answer({name: table.limit(0) for name, table in tables.items()}, study))
    assert refused is None or isinstance(refused, DesignError | StudyError), refused
