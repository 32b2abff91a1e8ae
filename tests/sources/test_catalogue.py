"""The catalogue of publishers: whole in three languages, checked key by key."""

from __future__ import annotations

import re

import pytest

from qonys.core.contracts import CONTRACTS
from qonys.core.errors import SourceError
from qonys.sources.catalogue import LANGUAGES, publisher, publishers, read_catalogue
from qonys.sources.target import complete, parse

GOOD = """
[office]
name = { en = "Office", ru = "Служба", kk = "Қызмет" }
address = "https://office.example/api"
formats = ["csv"]
licence = "CC BY 4.0"
cite = "Office, {dataset}, read {day}"
per_minute = 10
largest = 1000
datasets = "[a-z]+"
[office.table.flows]
title = { en = "Flows", ru = "Потоки", kk = "Ағындар" }
contract = "flow"
frequency = "A"
dimensions = ["geo", "sex"]
filters = { sex = "T" }
"""
TABLES = [(one, table) for one in publishers().values() for table in one.tables.values()]


def test_the_publishers_of_this_step_are_all_there():
    assert list(publishers()) == ["eurostat", "undesa", "unhcr", "worldbank", "ilostat", "oecd", "oxcgrt", "bns", "passport", "sdmx"]
    assert set(publisher("eurostat").tables) == {
        "migr_imm1ctz", "migr_emi1ctz", "migr_imm8", "migr_asyappctzm", "migr_asydcfstq", "migr_resfirst", "migr_eirfs", "migr_asytpsm", "tour_occ_nim", "demo_pjan",
    }  # fmt: skip


@pytest.mark.parametrize("one", publishers().values(), ids=publishers())
def test_every_publisher_says_how_it_is_cited_and_how_often_it_may_be_asked(one):
    assert "read 2026-01-15" in one.cite.format(dataset="x", day="2026-01-15")
    assert one.licence
    assert 1 <= one.per_minute <= 60


@pytest.mark.parametrize(("one", "table"), TABLES, ids=[f"{one.key}-{table.id}" for one, table in TABLES])
def test_every_table_is_a_target_and_has_its_title_in_three_languages(one, table):
    target = parse(f"{one.key}:{table.id}")
    assert target.dataset == table.id
    assert parse(complete(target).text) == complete(target)
    assert set(table.title) == set(LANGUAGES)
    assert re.search("[а-яё]", table.title["ru"])
    assert re.search("[а-яәіңғүұқөһ]", table.title["kk"])
    assert len(set(table.title.values())) == len(LANGUAGES)
    assert table.contract in ("", *CONTRACTS)
    assert bool(table.path) == (not one.datasets and one.key != "unhcr")


def test_a_good_catalogue_is_read():
    found = read_catalogue(GOOD, "mine.toml")["office"]
    assert (found.per_minute, found.tables["flows"].filters) == (10, (("sex", ("T",)),))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("per_minute = 10", "per_minute = 0", "office: per_minute is 0; write a whole number"), ("per_minute = 10", "per_minute = true", "per_minute is True"),
        ("per_minute = 10", "per_minute = 10.5", "per_minute is 10.5"), ("largest = 1000", "largest = -1", "largest is -1"), ("largest = 1000\n", "", "has no largest"),
        ("licence =", "license =", "unknown key 'license'; did you mean 'licence'"), ('"https://office', '"http://office', "address is 'http://"),
        ('"csv"', '"cvs"', "formats holds 'cvs'; did you mean 'csv'"), ('formats = ["csv"]', 'formats = "csv"', "formats is 'csv'; write a list"),
        (', kk = "Қызмет"', "", "name is not in all of en, ru, kk"), ('"[a-z]+"', '"[a-z"', "datasets is no pattern"), ('"flow"', '"flows"', "contract is 'flows'; did you mean 'flow'"),
        ('"A"', '"Y"', "frequency is 'Y'"), ('{ sex = "T" }', '{ sx = "T" }', "filters names 'sx'; did you mean 'sex'"), ('{ sex = "T" }', "3", "filters is 3"),
        ("frequency", "frequncy", "unknown key 'frequncy'; did you mean 'frequency'"), ("[office.table.flows]", "[Office.table.flows]", "is no publisher|has no"),
        ('frequency = "A"', 'frequency = "A"\npath = "../x"', "path is '../x'"), ("[office]", "[office", "is not TOML"), ("dimensions = [", "dimensions = [3, ", "dimensions is"),
    ],
)  # fmt: skip
def test_a_fault_of_a_catalogue_is_a_sentence(old, new, words):
    assert old in GOOD
    with pytest.raises(SourceError, match=re.escape(words) if "|" not in words else words):
        read_catalogue(GOOD.replace(old, new, 1), "mine.toml")


@pytest.mark.parametrize("text", ["x = 3", "[a]\ntable = 3", "[a]\n[a.table]\nb = 3", "[a]\nname = 3"])
def test_other_toml_is_a_sentence(text):
    with pytest.raises(SourceError, match=r"mine\.toml"):
        read_catalogue(text, "mine.toml")


def test_an_unknown_publisher_is_refused_with_the_nearest():
    with pytest.raises(SourceError, match="there is no publisher 'eurstat'; did you mean 'eurostat'"):
        publisher("eurstat")
