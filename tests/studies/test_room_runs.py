"""A user's own study runs its own rooms: every number walks back to a line of the room file, and what is not listed or wrong is refused."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from qonys import pipeline
from qonys.core.errors import DesignError, StudyError
from qonys.trace import trace

STUDY = """name = "mine"
areas = ["KAZ"]
first = 2020
last = 2021
questions = ["deadline", "corridor", "settlement", "assumptions"]
languages = ["kk"]
[tables]
figure = ["figures.csv"]
assumption = ["rooms/desk.toml", "rooms/way.toml", "rooms/south.toml"]
[options.deadline]
room = "desk"
[options.corridor]
room = "way"
binding = 1
[options.settlement]
room = "south"
"""
FIGURES = """id,quantity,value,unit,period_start,area,qualifier,source
F1,legal limit,40,days,2021,KAZ,exact,own
F2,people brought home,18,persons,2020,UZB,exact,own
F3,months of a step,2,months,2021,KAZ,exact,own
F4,went back,50,persons,2021,KAZ,exact,own
"""
DESK = """limit = 40
first = 2021-01-01
months = 2
runs = 3
seed = 1
arrivals = { per_month = 40 }
agencies.office = { officers = 4 }
[[steps]]
id = "check"
agency = "office"
handling = { mean = 1.0, cv = 0.5 }
passing = { mean = 20, cv = 0.2 }
[variants.as_is]
order = "in_turn"
[variants.fewer]
officers = { office = 2 }
[labels]
fewer = { en = "fewer officers", kk = "қызметкер аз" }
[[origins]]
keys = ["limit"]
origin = "published"
figure = "F1"
[[origins]]
keys = ["steps[*].passing.mean"]
origin = "published"
figure = "F3"
factor = 10
what.en = "days that pass"
[[origins]]
keys = ["arrivals.*", "agencies.*.*", "steps[*].*.*", "variants.*.*.*"]
origin = "assumed"
why.en = "not published"
[[origins]]
keys = ["first", "months", "runs", "seed"]
origin = "setting"
"""
WAY = """first = 2020-04-06
last = 2020-04-13
[[groups]]
id = "one"
place = "a"
citizenship = "UZB"
destination = "h"
arriving = [{ day = 2020-04-06, persons = 12 }, { day = 2020-04-07, persons = 6 }]
[[legs]]
id = "bus"
from = "a"
to = "h"
mode = "bus"
days = 1
seats = 4
[[origins]]
keys = ["groups[*].arriving[*].persons"]
origin = "seed"
figure = "F2"
sum = true
[[origins]]
keys = ["first", "last", "groups[*].arriving[*].day", "legs[*].days", "legs[*].seats"]
origin = "assumed"
"""
SOUTH = """resettled = 500
returned = 50
family = 4.0
watched_months = [12, 36]
months = [12, 24]
points = [3]
[[origins]]
keys = ["returned"]
origin = "published"
figure = "F4"
[[origins]]
keys = ["resettled", "family", "watched_months", "months", "points"]
origin = "assumed"
"""


def write(folder, *changes, questions='"deadline", "corridor", "settlement", "assumptions"', rooms=("desk", "way", "south")):
    """The study with its rooms and figures, some text replaced, and only some of its questions asked."""
    (folder / "rooms").mkdir(parents=True)
    files = {"mine.toml": STUDY, "figures.csv": FIGURES, "rooms/desk.toml": DESK, "rooms/way.toml": WAY, "rooms/south.toml": SOUTH}
    for file, old, new in changes:
        assert old in files[file]
        files[file] = files[file].replace(old, new)
    files["mine.toml"] = re.sub(r"questions = \[.*\]", f"questions = [{questions}]", files["mine.toml"])
    files["mine.toml"] = re.sub(r"assumption = \[.*\]", f"assumption = {[f'rooms/{room}.toml' for room in rooms]}", files["mine.toml"])
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return pipeline.open_study(str(folder / "mine.toml"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rooms")
    pipeline.run_study(write(folder / "study"), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def tables(run):
    return {path.stem: pd.read_parquet(path) for path in (run / "tables").iterdir()}


def test_each_room_is_answered_from_its_own_file(tables):
    share = tables["deadline"].set_index("id")
    assert share["limit"].tolist() == [40, 40]
    assert share.loc["as_is", "share"] >= share.loc["fewer", "share"]
    whole = tables["corridor"].iloc[0]
    assert (whole["persons"], whole["home"], whole["not_home"], whole["vehicles"]) == (18, 18, 0, 5)
    on_the_way = 18 * 1
    waited = tables["corridor_waiting"]["persons"].sum() + on_the_way
    assert waited == pytest.approx(18 * tables["corridor_groups"]["mean_waiting_days"].iloc[0])
    assert tables["settlement"]["value"].tolist() == pytest.approx([10, 10])
    assert tables["settlement_bounds"][["months", "low", "high"]].to_numpy().tolist() == [[12, 90, 100], [24, 0, 100]]


def test_every_value_that_is_no_name_is_listed_once_with_its_origin(tables):
    counts, listed = tables["assumptions_counts"].iloc[0], tables["assumptions"]
    values = tables["assumption"]
    assert counts["values"] == listed["values"].sum() == values["origin"].notna().sum()
    assert counts[["seed", "published", "assumed", "setting"]].sum() == counts["values"]
    assert counts["seed"] == 2
    assert counts["published"] == 3
    assert listed.set_index("id").loc["way.1", ["smallest", "largest", "figure"]].tolist() == [6, 12, "F2"]


def test_the_report_is_written_in_its_language_with_the_names_of_the_room_file(run):
    page = (run / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") >= 4
    assert "қызметкер аз" in page
    assert "NaN" not in page


@pytest.mark.parametrize(
    ("address", "file"), [("deadline/as_is/share", "rooms/desk.toml"), ("corridor/all/persons", "rooms/way.toml"), ("settlement/families/high", "rooms/south.toml")]
)  # fmt: skip
def test_a_number_of_a_room_is_walked_back_to_the_values_of_its_file_and_to_figures(run, address, file):
    ends = [step for step in trace(run, address) if not step.inputs]
    assert {step.file["file"] for step in ends if step.file is not None} == {file, "figures.csv"}


@pytest.mark.parametrize(
    ("question", "change", "error", "said"),
    [
        ("assumptions", ("rooms/way.toml", "persons = 12", "persons = 13"), StudyError, "the figure F2 times 1 is 18"),
        ("assumptions", ("rooms/way.toml", ', "legs[*].seats"', ""), DesignError, r"legs\[bus\]\.seats = 4 has no origin"),
        ("corridor", ("mine.toml", 'room = "way"', 'room = "wya"'), StudyError, "holds the room 'wya'"),
        ("deadline", ("mine.toml", 'room = "desk"\n', ""), StudyError, "needs the option room"),
        ("assumptions", ("mine.toml", 'figure = ["figures.csv"]\n', ""), StudyError, "needs a table of the contract figure"),
        ("corridor", ("mine.toml", "binding = 1", "bidning = 1"), StudyError, "did you mean 'binding'"),
        ("deadline", ("rooms/desk.toml", "handling = { mean = 1.0", "handling = { maen = 1.0"), DesignError, r"desk\.toml, steps\[1\], handling lacks mean"),
        ("settlement", ("rooms/south.toml", "watched_months = [12, 36]", "watched_months = [12]"), DesignError, r"south\.toml: watched_months = \[12\] is no list of 2 numbers"),
        ("settlement", ("rooms/south.toml", "resettled = 500", "resettled = 0.5"), DesignError, "resettled = 0.5 is out of range"),
        ("settlement", ("rooms/south.toml", "points = [3]", "points = [30]"), DesignError, "is no smaller share"),
    ],
)  # fmt: skip
def test_a_room_that_is_not_listed_or_not_the_figure_it_says_is_refused(tmp_path, question, change, error, said):
    room = {"deadline": "desk", "corridor": "way", "settlement": "south"}.get(question, "way")
    with pytest.raises(error, match=said):
        pipeline.answer(write(tmp_path / "study", change, questions=f'"{question}"', rooms=(room,)))


@pytest.mark.parametrize("key", ["returned", "points"])
def test_a_settlement_that_lacks_a_value_is_refused_with_its_name(tmp_path, key):
    line = next(one for one in SOUTH.splitlines() if one.startswith(f"{key} ="))
    more = {
        "returned": ('[[origins]]\nkeys = ["returned"]\norigin = "published"\nfigure = "F4"\n', ""),
        "points": (', "points"', ""),
    }
    changes = [("rooms/south.toml", f"{line}\n", ""), ("rooms/south.toml", *more[key])]
    with pytest.raises(DesignError, match=rf"south\.toml lacks {key}"):
        pipeline.answer(write(tmp_path / "study", *changes, questions='"settlement"', rooms=("south",)))
