"""Corridors on files: kept plans are planned anew, borders follow the register, conflicts are told, and what is no corridor is refused."""

from __future__ import annotations

import io
import json
import shutil

import pandas as pd
import pytest

from qonys.core.errors import DesignError
from qonys.rooms.corridors import open_corridor, open_plan
from qonys.scenarios.corridor import plan
from rooms.room_files import CORRIDOR, put, see_folder

SHUT = CORRIDOR.replace("permits_per_day = 4", "permits_per_day = 4\nclosed = [{ first = 2020-04-09, last = 2020-04-10 }]")
LONG_SHUT = CORRIDOR.replace("permits_per_day = 4", "permits_per_day = 4\nclosed = [{ first = 2020-04-09, last = 2020-04-13 }]")
TIGHT = CORRIDOR.replace("left = 10", "left = 10, home_by = 2020-04-08")
FOLLOWS = CORRIDOR.replace("permits_per_day = 4", 'register = { origin = "KAZ", destination = "UZB", category = "citizen"HAND }')

REGISTER = """issuer = "KAZ"

[[measure]]
id = "MINE1"
title = "All borders closed"
level = "national"
targets = ["traveller"]
field = "health"
instrument = "legal"
direction = "tightening"
strength = 4
general = true
start = "2020-04-08"
end = "2020-04-10"
status = "ended"
area = "external_border"
evidence = "made up for a test"
coder = "test"
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A plan kept in a folder: made once, copied by who changes it."""
    from qonys.cli.corridor import plan as command
    from rooms.room_files import CORRIDOR

    folder = tmp_path_factory.mktemp("way")
    command(put(folder / "way.toml", CORRIDOR), to=folder / "out", output=folder / "schedule.csv")
    return folder / "out"


def test_a_kept_plan_is_the_plan(kept):
    found = open_plan(kept)
    again = plan(found.corridor)
    assert found.summary["persons"].iloc[0] == 18
    pd.testing.assert_frame_equal(found.moves, again.moves)
    assert {"schedule", "moves", "papers", "home", "groups", "waiting", "days", "use", "summary"} == set(
        see_folder(kept, pictures={"home", "routes", "waiting"}, inputs={"way.toml"})
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHUT, "4 persons under way find the Gate closed and wait at Camp."), (CORRIDOR, "The old plan still stands."),
        (LONG_SHUT, "not all are home by the last day of the plan"),
    ],
)  # fmt: skip
def test_a_kept_plan_is_made_anew_when_a_border_closes_and_its_run_names_the_old_one(kept, qonys, tmp_path, text, said):
    done = qonys("corridor", "replan", put(tmp_path / "now.toml", text), "--done", kept, "--on", "2020-04-09", "--to", tmp_path / "out")
    assert done.code == 0, done.told
    assert said in done.told
    changes = pd.read_csv(io.StringIO(done.out))
    assert changes["group"].tolist() == ["one", "two"]
    assert (changes["days_lost"] >= 0).all()
    before, after = (pd.read_parquet(folder / "tables" / "schedule.parquet") for folder in (kept, tmp_path / "out"))
    gone = [frame[frame["day"] < "2020-04-09"].reset_index(drop=True) for frame in (before, after)]
    pd.testing.assert_frame_equal(*gone)
    run = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert {one["contract"]: one["file"] for one in run["inputs"]} == {"corridor": "now.toml", "plan": "run.json"}
    assert (tmp_path / "out" / "inputs" / "run.json").read_bytes() == (kept / "run.json").read_bytes()


@pytest.mark.slow
def test_a_plan_made_anew_can_be_made_anew_again(kept, qonys, tmp_path):
    now = put(tmp_path / "now.toml", SHUT)
    assert qonys("corridor", "replan", now, "--done", kept, "--on", "2020-04-09", "--to", tmp_path / "out").code == 0
    done = qonys("corridor", "replan", now, "--done", tmp_path / "out", "--on", "2020-04-11")
    assert done.code == 0, done.told
    assert "The old plan still stands." in done.told


@pytest.mark.parametrize("words", [("--gap", "-1"), ("--gap", "2"), ("--gap", "nan"), ("--seconds", "0"), ("--seconds", "nan")])
def test_an_effort_that_is_none_is_refused_before_anything_is_looked_for(qonys, tmp_path, words):
    done = qonys("corridor", "plan", put(tmp_path / "way.toml", CORRIDOR), *words)
    assert (done.code, done.out, done.told.count("\n")) == (1, "", 1)


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("2020-13-01", "is no day"),
        ("soon", "is no day"),
        ("2019-01-01", "from 2020-04-06 to 2020-04-13"),
        ("2021-01-01", "is not a day of both"),
    ],
)
def test_a_day_outside_the_plan_is_refused(kept, qonys, tmp_path, on, said):
    done = qonys("corridor", "replan", put(tmp_path / "now.toml", SHUT), "--done", kept, "--on", on)
    assert (done.code, done.out, done.told.count("\n")) == (1, "", 1)
    assert said in done.told


def test_a_folder_that_holds_no_plan_is_refused(kept, qonys, tmp_path):
    shutil.copytree(kept, tmp_path / "part")
    (tmp_path / "part" / "tables" / "moves.parquet").unlink()
    now = put(tmp_path / "now.toml", SHUT)
    for folder in (tmp_path / "part", tmp_path / "none", now):
        done = qonys("corridor", "replan", now, "--done", folder, "--on", "2020-04-09")
        assert (done.code, done.out) == (1, "")
        assert "holds no plan of a corridor; write one with: qonys corridor plan FILE --to FOLDER" in done.told


def test_limits_that_cannot_hold_together_are_named_with_what_each_would_have_to_be(qonys, tmp_path):
    done = qonys("corridor", "conflict", put(tmp_path / "tight.toml", TIGHT))
    assert done.code == 0
    members = pd.read_csv(io.StringIO(done.out))
    assert "home_by" in set(members["kind"])
    told = done.told.splitlines()
    assert told[0].startswith(f"No plan keeps all limits. These {len(members)}")
    assert len(told) == 1 + len(members)
    assert "all home by April 8, 2020; alone it would have to become April 12, 2020" in told
    planned = qonys("corridor", "plan", tmp_path / "tight.toml", "--to", tmp_path / "out")
    assert (planned.code, planned.out) == (1, "")
    assert planned.told.splitlines()[1:-1] == told  # before them that it is looked for, after them that there is none
    assert planned.told.splitlines()[-1].startswith("qonys: no plan of way keeps all limits")
    assert not (tmp_path / "out").exists()


def test_a_plan_is_held_against_lost_departures(qonys, tmp_path):
    done = qonys("corridor", "withstand", put(tmp_path / "way.toml", CORRIDOR), "--chance", 0.1, "--scenarios", 2, "--tests", 5)
    assert done.code == 0
    found = pd.read_csv(io.StringIO(done.out))
    assert found["plan"].tolist() == ["nominal", "robust"]
    assert found["share_home"].between(0, 1).all()
    assert "10.0 %" in done.told
    assert qonys("corridor", "withstand", tmp_path / "way.toml", "--chance", 0.1, "--seed", -1).code == 2


@pytest.mark.slow
def test_a_border_that_follows_the_register_is_closed_where_measures_close_it_by_name_and_not_twice(tmp_path):
    text = FOLLOWS.replace('"citizen"HAND }', '"citizen" }\nclosed = [{ first = 2020-04-09, last = 2020-04-09, why = "by hand" }]')
    opened = open_corridor(put(tmp_path / "way.toml", text), register=[str(put(tmp_path / "own.toml", REGISTER))])
    assert [tuple(map(str, span)) for span in opened.spans.itertuples(index=False)] == [
        ("gate", "2020-04-08", "2020-04-08", "MINE1"), ("gate", "2020-04-10", "2020-04-10", "MINE1"),
    ]  # fmt: skip
    assert [(one.first.day, one.last.day, one.why) for one in opened.corridor.borders[0].closed] == [
        (8, 8, "MINE1"), (9, 9, "by hand"), (10, 10, "MINE1"),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_span_out_of_the_shipped_register_is_told_with_its_entries(qonys, tmp_path):
    done = qonys("corridor", "plan", put(tmp_path / "way.toml", FOLLOWS.replace("HAND", "")), "--lang", "ru", "--to", tmp_path / "out")
    assert done.code == 0, done.told
    assert "KM012" in done.told.splitlines()[0]
    assert "Ворота" in done.told.splitlines()[0]
    assert pd.read_csv(io.StringIO(done.out)).empty
    see_folder(tmp_path / "out", pictures={"home", "waiting"}, inputs={"way.toml"})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("HAND", ", dose = 500"), "give a number from 0 to 100"), (('"UZB", category', '"UZB", categroy'), "categroy"),
        (("HAND", ', reading = "maybe"'), "is not known"), (('origin = "KAZ", ', ""), "lacks origin"),
    ],
)  # fmt: skip
def test_a_register_that_is_asked_wrongly_is_refused_before_it_is_read(tmp_path, change, said):
    with pytest.raises(DesignError, match=said):
        open_corridor(put(tmp_path / "way.toml", FOLLOWS.replace(*change).replace("HAND", "")))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("persons = 12", "persons = -1"), "1 or more|from 1"), (("persons = 12", "persons = 1e300"), "out of range"),
        (("seats = 4\nvehicles", "saets = 4\nvehicles"), "lacks seats"), (('id = "two"', 'id = "one"'), "two groups are called 'one'"),
        (("days = 2", "days = 48"), "if these are hours, write 2"), (("vulnerable = 0.5", "vulnerable = 50"), "write 0.5"),
        (("last = 2020-04-13", "last = 2020-04-01"), "lies before first"), (("last = 2020-04-13", "last = 2090-04-13"), "more than 730 days"),
        (("[[borders]]", "[borders]"), "is no list"), (("crosses = { gate = 1 }", "crosses = { gaet = 1 }"), "did you mean 'gate'"),
        (('place = "c"', 'place = "z"'), "which no group, leg or border has"),
    ],
)  # fmt: skip
def test_what_is_no_corridor_is_refused_in_a_sentence_that_names_the_place(tmp_path, change, said):
    assert change[0] in CORRIDOR
    with pytest.raises(DesignError, match=said) as error:
        open_corridor(put(tmp_path / "way.toml", CORRIDOR.replace(*change, 1)))
    assert str(error.value).startswith("way.toml")


@pytest.mark.parametrize("borders", ["5", "true", "2020-04-08", '"gate"', "[5]"])
def test_borders_that_are_no_tables_are_refused(tmp_path, borders):
    text = CORRIDOR[: CORRIDOR.index("[[borders]]")] + CORRIDOR[CORRIDOR.index("[labels]") :]
    with pytest.raises(DesignError, match="borders = "):
        open_corridor(put(tmp_path / "way.toml", f"borders = {borders}\n{text}"))
