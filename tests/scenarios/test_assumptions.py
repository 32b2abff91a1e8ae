"""Every value of a room file is listed with its origin, and the file comes back out of the list."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DesignError, StudyError
from qonys.scenarios.assumptions import assumptions, confirm, room

names = st.text(st.characters(categories=("Ll", "Nd"), include_characters="-_ "), min_size=1, max_size=6).filter(str.strip)
plain = st.one_of(st.integers(-1000, 1000), st.booleans(), st.floats(allow_nan=False, allow_infinity=False, width=32), names)
tables = st.recursive(
    st.dictionaries(names, st.one_of(plain, st.lists(plain, max_size=3)), min_size=1, max_size=3),
    lambda inner: st.dictionaries(names, st.one_of(inner, st.lists(inner, min_size=1, max_size=3)), min_size=1, max_size=3),
    max_leaves=12,
)


def written(content: dict, prefix: str = "") -> str:
    """The content as TOML with inline tables."""

    def value(one):
        if isinstance(one, dict):
            return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)} = {value(v)}" for k, v in one.items()) + "}"
        if isinstance(one, list):
            return "[" + ", ".join(map(value, one)) + "]"
        return repr(one) if isinstance(one, float) else json.dumps(one, ensure_ascii=False)

    return "".join(f"{json.dumps(key, ensure_ascii=False)} = {value(one)}\n" for key, one in content.items())


ORIGINS = '[[origins]]\nkeys = ["{key}"]\norigin = "assumed"\n'


@given(tables.filter(lambda one: not {"origins", "source"} & set(one)))
def test_a_room_comes_back_out_of_its_table(content):
    every = {key for key, _ in _keys(content)}
    text = written(content) + "".join(ORIGINS.format(key=key.replace("\\", "\\\\")) for key in sorted(every))
    found = assumptions(text, "rooms/mine.toml")
    assert room(found, "mine").content == content


def _keys(content):
    from qonys.scenarios.assumptions import _leaves

    return list(_leaves(content, ""))


ROOM = """
name = "kandas"
source = "qonys_rooms"
[[steps]]
id = "residence"
passing = { mean = 60, cv = 0.3 }
[[steps]]
id = "permit"
passing = { mean = 30, cv = 0.3 }
first = 2021-01-01
[[origins]]
keys = ["steps[residence].passing.mean"]
origin = "seed"
figure = "SF057"
factor = 30
what = { en = "registration", ru = "регистрация", kk = "тіркеу" }
[[origins]]
keys = ["steps[*].passing.*", "steps[*].first"]
origin = "assumed"
why = { en = "as in comparable procedures" }
"""


def test_the_first_pattern_that_fits_gives_the_origin_and_names_need_none():
    found = assumptions(ROOM, "rooms/kandas.toml").set_index("key")
    assert found.loc["steps[residence].passing.mean", ["origin", "figure", "number", "what_kk"]].tolist() == ["seed", "SF057", 60, "тіркеу"]
    assert found.loc["steps[permit].passing.mean", "origin"] == "assumed"
    assert found.loc["steps[permit].first", "value"] == '"2021-01-01"'
    assert pd.isna(found.loc["name", "origin"])
    assert found["row"].iloc[1] == "rooms/kandas.toml:steps[residence].id"
    assert set(found["source"]) == {"qonys_rooms"}


def test_a_value_said_to_be_a_figure_must_be_that_figure():
    found = assumptions(ROOM, "rooms/kandas.toml")
    confirm(found, {"SF057": 2.0})
    with pytest.raises(StudyError, match="SF057 times 30 is 90"):
        confirm(found, {"SF057": 3.0})
    with pytest.raises(StudyError, match="which no table holds"):
        confirm(found, {})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace(', "steps[*].first"', ""), "first = 2021-01-01 has no origin"),
        (lambda text: text.replace("steps[*].passing.*", "steps[*].passing.mean"), r"passing.cv = 0.3 has no origin"),
        (lambda text: text.replace('"steps[*].first"', '"steps[*].first"]\norigin = "setting"\n[[origins]]\nkeys = ["nothing"'), "no value has the key 'nothing'"),
        (lambda text: text.replace('figure = "SF057"\n', ""), "origin seed without a figure"),
        (lambda text: text.replace('origin = "assumed"', 'origin = "guessed"'), "is not known"),
    ],
)  # fmt: skip
def test_what_is_not_listed_is_refused(change, sentence):
    with pytest.raises(DesignError, match=sentence):
        assumptions(change(ROOM), "rooms/kandas.toml")


def test_a_room_that_is_not_there_is_said():
    with pytest.raises(StudyError, match="holds the room 'other'"):
        room(assumptions(ROOM, "rooms/kandas.toml"), "other")
