"""The audit trail: what is noted can be read again, and no change but a cut at the end goes unseen; that one is seen with a hash kept apart."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.store.audit import FIRST, audit_file, entries, head, note, verify
from qonys.store.snapshots import sha256

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def trail_of(folder: Path, lines: int = 5) -> Path:
    path = folder / "audit.jsonl"
    for place in range(lines):
        note("border stays --micro", {"place": place}, who="aigerim", when=WHEN, trail=path)
    return path


def test_a_line_says_who_when_what_and_of_which_files(tmp_path):
    (tmp_path / "c.parquet").write_bytes(b"rows")
    made = note("border stays --micro", {"on": WHEN.date(), "country": "KAZ"}, [tmp_path / "c.parquet"], when=WHEN)
    assert entries() == [made]
    assert audit_file().stat().st_mode & 0o777 == 0o600
    assert made["when"] == "2026-03-01T12:00:00+00:00"
    assert made["parameters"] == {"on": "2026-03-01", "country": "KAZ"}
    assert made["files"] == {str(tmp_path / "c.parquet"): sha256(tmp_path / "c.parquet")}
    assert made["before"] == FIRST
    assert head() == made["hash"]


def test_who_is_whom_the_system_knows_and_not_what_the_environment_says(monkeypatch):
    known = note("x", {})["who"]
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody_else")
    assert note("x", {})["who"] == known != "somebody_else"
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    assert note("x", {})["who"] == f"uid {os.getuid()}"


def test_no_trail_is_a_whole_trail(tmp_path):
    assert entries(tmp_path / "none") == verify(tmp_path / "none") == []
    assert head(tmp_path / "none") == FIRST
    assert verify(trail_of(tmp_path)) == []


@given(data=st.data())
def test_any_change_of_a_byte_breaks_the_trail(tmp_path_factory, data):
    path = trail_of(tmp_path_factory.mktemp("trail"), 3)
    kept = path.read_bytes()
    place = data.draw(st.integers(0, len(kept) - 2))
    byte = data.draw(st.integers(32, 126).filter(lambda one: one != kept[place]))
    path.write_bytes(kept[:place] + bytes([byte]) + kept[place + 1 :])
    assert verify(path)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda lines: lines[:2] + lines[3:], "line 3: calls itself line 4"),
        (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], "line 2: calls itself line 3"),
        (lambda lines: [*lines[:2], lines[1], *lines[2:]], "line 3: calls itself line 2"),
        (lambda lines: [*lines[:2], "not json", *lines[3:]], "line 3: is not a line of an audit trail"),
        (lambda lines: lines[1:], "line 1: calls itself line 2"),
    ],
)
def test_lines_taken_out_put_in_or_moved_are_found_where_they_were(tmp_path, change, where):
    path = trail_of(tmp_path)
    path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
    assert where in verify(path)[0]


def test_a_line_that_is_rewritten_with_a_new_hash_no_longer_carries_the_next_one(tmp_path):
    path, other = trail_of(tmp_path), tmp_path / "other.jsonl"
    lines = path.read_text().splitlines()
    note("border stays --micro", {"place": 0}, who="aigerim", when=WHEN, trail=other)
    note("border stays --micro", {"place": "another"}, who="aigerim", when=WHEN, trail=other)
    lines[1] = other.read_text().splitlines()[1]
    path.write_text("\n".join(lines) + "\n")
    assert verify(path) == [f"{path}, line 3: does not follow the line before it"]


def test_a_cut_at_the_end_is_seen_by_the_hash_that_was_kept_apart(tmp_path):
    path = trail_of(tmp_path)
    last, lines = head(path), path.read_text().splitlines()
    assert verify(path, head=last) == []
    note("x", {}, trail=path)
    assert verify(path, head=last) == []
    path.write_text("\n".join(lines[:4]) + "\n")
    assert verify(path) == []
    assert "its end was cut off" in verify(path, head=last)[0]


@pytest.mark.parametrize(
    "broken", [lambda text: text[:-20], lambda text: text + "{}\n", lambda text: text.replace('"place": 4', '"place": 5')]
)
def test_nothing_is_noted_on_a_trail_that_is_broken_at_its_end(tmp_path, broken):
    path = trail_of(tmp_path)
    path.write_text(broken(path.read_text()))
    kept = path.read_bytes()
    with pytest.raises(DataError, match="audit"):
        note("x", {}, trail=path)
    assert path.read_bytes() == kept


def test_what_cannot_be_noted_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*gone"):
        note("x", {}, [tmp_path / "gone"])
    assert entries() == []
    with pytest.raises(DataError, match="cannot be written"):
        note("x", {}, trail=tmp_path)


def test_programs_that_note_at_once_add_one_line_after_the_other(tmp_path):
    path = tmp_path / "audit.jsonl"
    program = (
        f"from pathlib import Path; from qonys.store.audit import note\nfor _ in range(20): note('x', {{}}, trail=Path({str(path)!r}))"
    )
    running = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [one.wait() for one in running] == [0, 0, 0]
    assert verify(path) == []
    assert len(entries(path)) == 60
