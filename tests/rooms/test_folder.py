"""A folder of results: the same input gives the same bytes, a folder holds one run, and a path that is none is said before work begins."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from qonys.core.errors import DataError
from qonys.rooms import check_folder, keep
from rooms.room_files import CORRIDOR, DESIGN, PROCEDURE, contents, households, placement, put, see_folder


def kept(folder, source, tables, pictures=("a",)):
    return keep(folder, "room", parameters={"seed": 1}, inputs=[(source, "kind")], tables=tables,
                pictures=dict.fromkeys(pictures, "<svg xmlns='http://www.w3.org/2000/svg'/>"), sentences=["One.", "Two."])  # fmt: skip


def test_a_folder_holds_what_the_run_says_and_nothing_of_the_run_before(tmp_path):
    one, two = (pd.DataFrame({"day": pd.to_datetime(["2020-04-06"]), "codes": [["a", "b"]], "value": [value]}) for value in (1.5, None))
    first, second = put(tmp_path / "first.toml", "a = 1"), put(tmp_path / "second.toml", "a = 2")
    kept(tmp_path / "out", first, {"one": one, "two": two, "none": pd.DataFrame()})
    assert set(see_folder(tmp_path / "out", pictures={"a"}, inputs={"first.toml"})) == {"one", "two"}
    assert (tmp_path / "out" / "answer.txt").read_text() == "One.\n\nTwo.\n"
    put(tmp_path / "out" / "tables" / "mine.csv", "x")
    again = kept(tmp_path / "out", second, {"two": two})
    assert [path.name for path in sorted((tmp_path / "out" / "tables").iterdir())] == ["mine.csv", "two.parquet"]
    assert [path.name for path in (tmp_path / "out" / "inputs").iterdir()] == ["second.toml"]
    assert json.loads((tmp_path / "out" / "run.json").read_text())["inputs"][0]["sha256"] == again.run.inputs[0].sha256


def test_an_input_that_lies_in_the_folder_of_the_results_survives(tmp_path):
    table = {"one": pd.DataFrame({"value": [1]})}
    kept(tmp_path / "out", put(tmp_path / "room.toml", "a = 1"), table)
    kept(tmp_path / "out", tmp_path / "out" / "inputs" / "room.toml", table)
    assert (tmp_path / "out" / "inputs" / "room.toml").read_text() == "a = 1"


def test_a_list_of_the_run_before_that_leads_out_of_the_folder_takes_nothing_away(tmp_path):
    outside = put(tmp_path / "outside.toml", "a = 1")
    put(tmp_path / "out" / "run.json", json.dumps({"outputs": [{"name": "../../outside"}], "inputs": [{"file": "../../outside.toml"}]}))
    kept(tmp_path / "out", outside, {"one": pd.DataFrame({"value": [1]})})
    assert outside.exists()


@pytest.mark.parametrize("below", [(), ("further", "down")])
def test_a_file_in_the_way_is_said(tmp_path, below):
    way = put(tmp_path / "here", "x")
    with pytest.raises(DataError, match="is a file, not a folder; name another folder with --to"):
        check_folder(way.joinpath(*below))
    check_folder(tmp_path / "new" / "one")
    check_folder(None)
    assert not (tmp_path / "new").exists()


def test_a_folder_without_the_right_to_write_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(DataError, match="nothing may be written to"):
        check_folder(tmp_path / "out")


COMMANDS = [
    ("corridor plan way.toml --binding 1", {"home", "routes", "waiting"}, {"way.toml"}),
    pytest.param("procedure simulate desk.toml", {"gantt", "decided", "backlog"}, {"desk.toml"}, marks=pytest.mark.slow),
    pytest.param("settle retention records.csv --design stay.toml --draws 40", {"survival"}, {"stay.toml"}, marks=pytest.mark.slow),
    pytest.param("settle place north.toml", {"places"}, {"north.toml"}, marks=pytest.mark.slow),
]  # fmt: skip


@pytest.mark.parametrize(("command", "pictures", "inputs"), COMMANDS)
def test_the_same_input_gives_the_same_bytes_from_wherever_it_is_read(qonys, tmp_path, monkeypatch, command, pictures, inputs):
    for place in ("one", "two"):
        for name, text in (("desk.toml", PROCEDURE), ("way.toml", CORRIDOR), ("stay.toml", DESIGN)):
            put(tmp_path / place / name, text)
        households(60).to_csv(tmp_path / place / "records.csv", index=False)
        placement(tmp_path / place)
        monkeypatch.chdir(tmp_path / place)
        done = qonys(*command.split(), "--to", "out", "--lang", "kk")
        assert done.code == 0, done.told
    first, again = contents(tmp_path / "one" / "out"), contents(tmp_path / "two" / "out")
    assert list(first) == list(again)
    assert [file for file in first if first[file] != again[file]] == []
    see_folder(tmp_path / "one" / "out", pictures=pictures, inputs=inputs)
