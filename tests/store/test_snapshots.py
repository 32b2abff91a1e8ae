"""Snapshots: named by their bytes, never changed."""

from __future__ import annotations

import os
from datetime import date

import pytest

from qonys.core.errors import DataError
from qonys.store import connect, keep, shipped
from qonys.store.snapshots import opened, sha256, store_folder

DAY = date(2026, 1, 15)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "flows.csv"
    path.write_text("a\n1\n")
    return path


def test_the_same_bytes_have_the_same_name_and_other_bytes_another(file):
    first = keep("eurostat", DAY, [file])
    assert keep("eurostat", DAY, [file]) == first
    assert first.folder.is_relative_to(os.environ["QONYS_HOME"])
    assert opened(first.folder) == first
    file.write_text("a\n2\n")
    assert keep("eurostat", DAY, [file]).name != first.name
    assert first.path("flows.csv").read_text() == "a\n1\n"


def test_a_snapshot_does_not_follow_the_file_it_was_made_of(file):
    kept = keep("eurostat", DAY, [file])
    file.unlink()
    assert kept.path("flows.csv").read_text() == "a\n1\n"
    assert kept.path("flows.csv").stat().st_mode & 0o222 == 0


def test_a_changed_file_is_refused(file):
    kept = keep("eurostat", DAY, [file])
    copy = kept.folder / "flows.csv"
    copy.chmod(0o644)
    copy.write_text("a\n3\n")
    with pytest.raises(DataError, match="is not the file that snapshot eurostat@2026-01-15-"):
        kept.path("flows.csv")


def test_a_file_that_is_not_in_the_snapshot_is_refused(file):
    kept = keep("eurostat", DAY, [file])
    with pytest.raises(DataError, match=r"has no file other\.csv"):
        kept.path("other.csv")


def test_the_store_is_where_qonys_home_says(tmp_path, monkeypatch):
    monkeypatch.setenv("QONYS_HOME", str(tmp_path / "home"))
    assert store_folder() == tmp_path / "home"
    monkeypatch.delenv("QONYS_HOME")
    assert store_folder().name == "qonys"


def test_the_shipped_manifest_is_that_of_the_shipped_files():
    package = shipped()
    assert {name: sha256(package.folder / name) for name in package.files} == package.files
    lying = {
        path.relative_to(package.folder).as_posix()
        for folder in ("figure", "flow", "stock", "register", "challenge", "object", "policy_field", "coding", "tracker", "rooms", "shapes")
        for path in (package.folder / folder).iterdir()
    }
    assert lying == set(package.files) - {"sources.csv"}


def test_an_engine_that_is_not_built_in_is_refused():
    with pytest.raises(DataError, match="there is no engine 'duck'; "):
        connect("duck")
