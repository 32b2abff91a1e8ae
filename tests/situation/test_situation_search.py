"""Search of a register, and one entry with all that is known of it."""

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DataError, RegisterError
from qonys.measures import state
from qonys.registers import entries_of, explain_corridor
from qonys.situation import entry_of, find_measures, reach_of
from qonys.situation.opened import register_held
from qonys.situation.search import fold
from qonys.store import connect


def test_without_conditions_every_entry_is_found_once():
    found = find_measures()
    assert sorted(found["id"]) == sorted(register_held().entries["id"])


@given(st.sampled_from(range(900)), st.randoms(use_true_random=False))
def test_words_of_a_title_find_their_entry_in_any_order_and_case(place, chance):
    entry = register_held().entries.iloc[place]
    words = entry["title"].split()
    chance.shuffle(words)
    assert entry["id"] in set(find_measures(text=" ".join(words).upper())["id"])


def test_accents_do_not_matter_and_other_words_may_be_searched_too():
    assert fold("Қоныс Ёлка ÉTÉ") == fold("қоныс елка ete")
    words = {"SM005": "Төтенше жағдай"}
    assert find_measures(text="ТӨТЕНШЕ", words=words)["id"].tolist() == ["SM005"]
    assert find_measures(text="төтенше").empty


@pytest.mark.parametrize(("ask", "column", "values"), [
    ({"issuer": ["KAZ", "DEU"]}, "issuer", {"KAZ", "DEU"}), ({"direction": "easing"}, "direction", {"easing"}), ({"strength": 4}, "strength", {4}),
    ({"level": "union"}, "level", {"union"}), ({"field": "transport"}, "field", {"transport"}), ({"instrument": "legal"}, "instrument", {"legal"}),
])  # fmt: skip
def test_a_condition_holds_for_all_that_is_found_and_for_nothing_that_is_not(ask, column, values):
    found, entries = find_measures(**ask), register_held().entries
    assert set(found[column]) == values
    assert set(found["id"]) == set(entries.loc[entries[column].isin(values), "id"])


def test_targets_hold_if_one_of_them_does():
    found = find_measures(targets=["labour", "student"])
    assert len(found)
    assert all({"labour", "student"} & set(own) for own in found["targets"])


def test_in_force_on_a_day_is_what_the_measures_say():
    con, day = connect(), date(2020, 4, 15)
    measures = con.create_table("measures", register_held().source, temp=True)
    possible = set(con.to_pandas(state(measures, day, reading="possible").select("id"))["id"])
    found = find_measures(on="2020-04-15")
    assert set(found.loc[found["certainty"] != "undated", "id"]) == possible
    assert possible <= set(find_measures(first="2020-04", last="2020-04")["id"])


@pytest.mark.parametrize(
    ("sort", "column", "ascending"),
    [("latest", "start", False), ("start", "start", True), ("strength", "strength", False), ("id", "id", True)],
)
def test_what_is_found_is_in_the_order_asked_for(sort, column, ascending):
    own = find_measures(issuer="KAZ", sort=sort)[column].dropna()
    assert own.is_monotonic_increasing if ascending else own.is_monotonic_decreasing


@pytest.mark.parametrize(("ask", "what"), [
    ({"field": "helth"}, "no field 'helth'"), ({"issuer": "KZA"}, "no area"), ({"strength": 5}, "no strength 5"), ({"strength": True}, "no strength"),
    ({"targets": "labor"}, "no target"), ({"on": "2020"}, "no single day"), ({"first": 2021, "last": 2020}, "after the last day"),
    ({"sort": "size"}, "no order 'size'"), ({"direction": "up"}, "no direction"),
])  # fmt: skip
def test_a_condition_that_is_none_is_refused_with_a_sentence(ask, what):
    with pytest.raises(DataError, match=what):
        find_measures(**ask)


@pytest.mark.parametrize("text", ["%", "' OR 1=1 --", "[", "\\", "<script>", "\0", "𝒜" * 500])
def test_whatever_is_typed_is_searched_as_words(text):
    assert len(find_measures(text=text)) <= len(register_held().entries)


def test_an_entry_has_all_its_versions_and_says_what_changed():
    texts = entries_of(["shipped"])
    several = texts.loc[pd.to_numeric(texts["version"]).fillna(1) > 1, "id"].iloc[0]
    found = entry_of(several)
    assert found.versions["version"].tolist() == list(range(1, len(found.versions) + 1))
    assert found.versions["changed"].iloc[0] == []
    assert found.versions["changed"].iloc[1]
    assert found.current["version"].iloc[0] == found.versions["version"].iloc[-1]


def test_both_codings_stand_beside_each_other():
    coding = entry_of("SM002").coding.set_index("column")
    assert coding.loc["field", ["first", "second", "agree"]].tolist() == ["health", "migration", False]
    assert coding.loc["strength", "agree"]


def test_an_entry_of_the_tracker_has_one_version_and_no_second_coding():
    found = entry_of("OXCGRT-KAZ-C7-20200318")
    assert len(found.versions) == 1
    assert found.coding.empty
    assert found.addresses == ("https://doi.org/10.1038/s41562-021-01079-8",)


def test_pairs_and_links_of_an_entry_name_it():
    found = entry_of("SM002")
    assert ((found.conflicts["tightening"] == "SM002") | (found.conflicts["easing"] == "SM002")).all()
    assert len(found.conflicts)


def test_links_are_followed_both_ways(tmp_path):
    head = 'issuer = "DEU"\n'
    body = """
[[measure]]
id = "{id}"
title = "a"
level = "national"
targets = ["all"]
field = "health"
instrument = "legal"
direction = "tightening"
strength = 2
general = true
start = "{start}"
status = "ended"
evidence = "a"
coder = "a"
{more}"""
    (tmp_path / "DEU.toml").write_text(
        head + body.format(id="A1", start="2020-03-01", more="") + body.format(id="A2", start="2020-05-01", more='supersedes = ["A1"]')
    )
    register = (str(tmp_path),)
    assert entry_of("A1", register=register).links[["relation", "id"]].values.tolist() == [["superseded_by", "A2"]]
    assert entry_of("A2", register=register).links[["relation", "id"]].values.tolist() == [["supersedes", "A1"]]


def test_whom_an_entry_reaches_is_what_its_corridors_are_explained_by():
    reached = reach_of("SM005").set_index(["category", "side"])
    assert (reached["corridors"] <= reached["of"]).all()
    why = explain_corridor(["shipped"], "UZB", "KAZ", "labour", date(2020, 4, 1), reading="possible", direction="tightening")
    mine = why[(why["id"] == "SM005") & (why["side"] == "entry")]
    assert (reached.loc[("labour", "entry"), "corridors"] > 0) == mine["why"].isna().any()


def test_an_entry_that_was_not_adopted_reaches_nobody():
    entries = register_held().entries
    proposed = entries.loc[entries["begun_possible"].isna(), "id"].iloc[0]
    assert reach_of(proposed).empty


def test_an_unknown_entry_is_refused_with_the_nearest_one():
    with pytest.raises(RegisterError, match="SM999"):
        entry_of("SM999")
    with pytest.raises(RegisterError, match="no entry"):
        reach_of("")
