"""Targets: one canonical text each, and no way out of the store or around the publisher."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import SourceError
from qonys.sources.catalogue import publishers
from qonys.sources.target import ALL, Target, complete, parse
from rows import refusal

codes = st.text("ABCDEFTY0123456789_-", min_size=1, max_size=8).filter(lambda code: code[0] != "-")
periods = st.integers(1960, 2030).map(str)


@st.composite
def targets(draw):
    """(text in any order, its canonical parts) of a Eurostat target."""
    table = publishers()["eurostat"].tables[draw(st.sampled_from(sorted(publishers()["eurostat"].tables)))]
    names = draw(st.lists(st.sampled_from(table.dimensions), unique=True, max_size=4))
    filters = {name: draw(st.lists(codes, min_size=1, max_size=5)) for name in names}
    if draw(st.booleans()):
        filters["since"] = [draw(periods)]
    order = draw(st.permutations(sorted(filters)))
    query = "&".join(f"{name}={','.join(filters[name])}" for name in order)
    return (
        f"eurostat:{table.id}" + (f"?{query}" if query else ""),
        table.id,
        {name: tuple(sorted(set(found))) for name, found in filters.items()},
    )


@given(targets())
def test_what_is_written_in_any_order_is_one_target_with_one_text_and_one_folder(drawn):
    text, dataset, filters = drawn
    target = parse(text)
    assert (target.dataset, target.codes) == (dataset, filters)
    assert parse(target.text) == target
    assert parse(text.upper().replace("EUROSTAT:", "eurostat:")).dataset == dataset
    assert list(target.codes) == sorted(target.codes)
    assert re.fullmatch("[0-9a-f]{64}", target.digest)
    assert complete(complete(target)) == complete(target)
    assert complete(target).codes.items() >= target.codes.items()


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_a_sentence(text):
    for attempt in (text, f"eurostat:{text}", f"eurostat:migr_imm1ctz?{text}", f"sdmx:https://{text}", f"oecd:{text}"):
        if refusal(lambda attempt=attempt: parse(attempt)) is None:
            assert parse(parse(attempt).text) == parse(attempt)


def test_the_catalogue_asks_for_what_a_target_does_not_name_unless_all_is_wanted():
    assert complete(parse("eurostat:migr_imm1ctz?geo=DE")).text == "eurostat:migr_imm1ctz?age=TOTAL&agedef=COMPLET&geo=DE&sex=T"
    assert complete(parse("eurostat:migr_imm1ctz?sex=F,M&age=*")).codes == {"age": (ALL,), "agedef": ("COMPLET",), "sex": ("F", "M")}
    assert complete(parse("eurostat:nama_10_gdp?geo=DE")).text == "eurostat:nama_10_gdp?geo=DE"


def test_the_same_place_on_the_web_is_one_target():
    one = parse("sdmx:https://Example.org/rest/data/FLOW/A.B+C.D?format=csv&detail=full")
    assert one == parse("sdmx:HTTPS://example.org/rest/data/FLOW/A.B+C.D?detail=full&format=csv")
    assert one.text == "sdmx:https://example.org/rest/data/FLOW/A.B+C.D?detail=full&format=csv"
    assert parse(one.text) == one
    assert parse("sdmx:https://example.org?x=a%20b%26c").codes == {"x": ("a b&c",)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("eurostat", "is no target; write publisher:dataset"), ("eurostat:", "is no target"), ("", "is no target"), ("eurstat:x", "did you mean 'eurostat'"),
        ("undesa:migrant_stock_2023", "undesa has no table 'migrant_stock_2023'; did you mean 'migrant_stock_20"),
        ("unhcr:populaton", "did you mean 'population'"), ("worldbank:netmigration", "worldbank has no table"), ("bns:abc", "has no table"),
        ("oecd:DSD_MIG@DF_MIG", "oecd has no table"), ("ilostat:MFL_NCIT", "ilostat has no table"), ("eurostat:../../etc/passwd", "is a path"), ("eurostat:/etc", "is a path"),
        ("eurostat:a%2e%2e", "is a path"), ("eurostat:migr_imm1ctz?", ""), ("eurostat:migr_imm1ctz?goe=DE", "has no dimension 'goe'; did you mean 'geo'"),
        ("eurostat:migr_imm1ctz?geo", "is no filter"), ("eurostat:migr_imm1ctz?geo=", "is no filter"), ("eurostat:migr_imm1ctz?=DE", "is no filter"),
        ("eurostat:migr_imm1ctz?geo=DE&geo=FR", "twice; write geo=code,code"), ("eurostat:migr_imm1ctz?geo=DE,,FR", "'' is no code"), ("eurostat:migr_imm1ctz?geo=../x", "is no code"),
        ("eurostat:migr_imm1ctz?geo=*,DE", "asks for all and for one"), ("eurostat:migr_imm1ctz?geo=DE;FR", "is no code"), ("eurostat:migr_imm1ctz?since=15", "'15' is no period"),
        ("eurostat:migr_imm1ctz?since=2015-13", "is no period"), ("eurostat:migr_imm1ctz?since=2015-Q5", "is no period"), ("eurostat:migr_imm1ctz?since=2015,2016", "is no period"),
        ("eurostat:migr_imm1ctz?since=2015-Q1-01", "is no period"), ("eurostat:migr_imm1ctz?since=2016&until=2015", "since 2016 is after until 2015; exchange them"),
        ("eurostat:migr_imm1ctz?since=2015-Q4&until=2015-09", "is after until"), ("eurostat:migr imm", "spaces or control"), ("eurostat:migr\x00", "spaces or control"),
        ("eurostat:migr_imm1ctz?geo=" + ",".join(f"A{n}" for n in range(301)), "names 301 codes"), ("eurostat:" + "x" * 3000, "3009 characters"),
        ("sdmx:example.org/data", "is no address of a web service"), ("sdmx:file:///etc/passwd", "is no address of a web service"), ("sdmx:https://u:p@example.org/x", "user name or a password"),
        ("sdmx:https://example.org/a/../b", "holds '#', '..'"), ("sdmx:https://example.org/a#b", "holds '#'"), ("sdmx:https:///a", "is no address"), ("sdmx:https://[::1/a", "is no address"),
        ("sdmx:https://example.org:99999/a", "is no address"), ("sdmx:https://example.org/a?b", "is no query"), ("sdmx:https://example.org/a?b=%00", "control characters"),
    ],
)  # fmt: skip
def test_a_wrong_target_is_a_sentence(text, words):
    if not words:
        assert parse(text).text == text.rstrip("?")
        return
    with pytest.raises(SourceError) as refused:
        parse(text)
    assert words in str(refused.value)


def test_periods_that_touch_are_in_order():
    for since, until in (("2015", "2015"), ("2015-12", "2015"), ("2015-Q1", "2015-01"), ("2015-S2", "2015-07-01"), ("2014-12-31", "2015")):
        assert parse(f"eurostat:demo_pjan?since={since}&until={until}").codes == {"since": (since,), "until": (until,)}


def test_names_of_the_catalogue_are_known_in_any_case():
    assert parse("worldbank:sm.pop.netm").text == "worldbank:SM.POP.NETM"
    assert parse("Eurostat:NAMA_10_GDP?GEO=DE").text == "eurostat:nama_10_gdp?geo=DE"


def test_a_target_prints_as_its_text():
    assert str(Target(publisher="bns", dataset="6584")) == "bns:6584"
