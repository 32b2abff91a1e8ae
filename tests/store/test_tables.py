"""Tables written: whole or not at all, the same rows the same bytes."""

from __future__ import annotations

import errno
from datetime import date

import openpyxl
import pandas as pd
import pytest

from qonys.core.errors import DataError
from qonys.store import tables, write_table
from qonys.store.tables import read_text, whole_file, write_text, write_workbook

SUFFIXES = ("csv", "json", "parquet", "xlsx")
FRAME = pd.DataFrame(
    {"id": ["a", "b"], "value": [1.5, None], "ids": [["x", "y"], []], "on": [True, False], "day": [date(2020, 1, 1), None]}
)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_table_is_written_as_the_same_bytes(tmp_path, suffix):
    for name in ("one", "two"):
        write_table(FRAME.copy(), tmp_path / name / f"f.{suffix}")
    assert (tmp_path / "one" / f"f.{suffix}").read_bytes() == (tmp_path / "two" / f"f.{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_interrupted_write_leaves_the_old_file_and_no_half_of_the_new_one(tmp_path, monkeypatch, suffix):
    path = tmp_path / f"f.{suffix}"
    write_table(FRAME, path)
    before = path.read_bytes()

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stop:
        stop.setattr("pathlib.Path.replace", stopped)
        with pytest.raises(KeyboardInterrupt):
            write_table(FRAME.iloc[:1], path)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_block_that_fails_leaves_no_file(tmp_path):
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "deep" / "f.txt") as draft:
        draft.write_text(str(1 / len("")))
    assert list((tmp_path / "deep").iterdir()) == []


def test_an_unknown_suffix_is_refused_and_nothing_is_left(tmp_path):
    with pytest.raises(DataError, match=r"did you mean '\.xlsx'"):
        write_table(FRAME, tmp_path / "f.xls")
    assert list(tmp_path.iterdir()) == []


def test_text_is_written_in_utf8_with_one_kind_of_line_end(tmp_path):
    write_text("Қоныс\nқоныс\n", tmp_path / "f.txt")
    assert (tmp_path / "f.txt").read_bytes() == "Қоныс\nқоныс\n".encode()


def test_a_workbook_holds_text_as_text_and_sheets_under_names_excel_allows(tmp_path):
    long = "spread_change_border_strictness_high"
    write_workbook({"cells": pd.DataFrame({"=a": ["=1+1", "+7 700", "@x"]}), long: FRAME}, tmp_path / "f.xlsx")
    book = openpyxl.load_workbook(tmp_path / "f.xlsx")
    assert [cell.value for cell in book["cells"]["A"]] == ["=a", "=1+1", "+7 700", "@x"]
    assert all(cell.data_type == "s" for cell in book["cells"]["A"])
    assert all(len(name) <= 31 for name in book.sheetnames)


def test_a_folder_in_the_place_of_a_file_is_named_as_it_was_given(tmp_path):
    (tmp_path / "f.csv").mkdir()
    with pytest.raises(DataError, match=r"/f\.csv is a folder; name a file in it"):
        write_table(FRAME, tmp_path / "f.csv")
    assert [one.name for one in tmp_path.iterdir()] == ["f.csv"]


@pytest.mark.parametrize(
    "error",
    [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EROFS, "Read-only file system"), RuntimeError("IO Error: No space left on device")],
)  # fmt: skip
def test_a_disk_that_takes_no_more_is_a_sentence_with_the_path_given(tmp_path, error):
    with pytest.raises(DataError, match=r"/f\.csv cannot be written to: (No space|Read-only).*make room"), whole_file(tmp_path / "f.csv"):
        raise error
    with pytest.raises(DataError, match=r"/none/f\.csv cannot be written to: Not a directory"):
        write_text("x", tmp_path / "one" / "none" / "f.csv") if (tmp_path / "one").write_text("") == 0 else None
    assert [one.name for one in tmp_path.iterdir()] == ["one"]


def test_text_with_a_byte_order_mark_is_read_without_it(tmp_path):
    (tmp_path / "f.toml").write_bytes(b"\xef\xbb\xbfname = 1")
    assert read_text(tmp_path / "f.toml") == "name = 1"


def test_rows_that_a_sheet_does_not_take_are_refused_and_none_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_SHEET_ROWS", 1)
    with pytest.raises(DataError, match="f has 2 rows, and a sheet takes 1; write it to"):
        write_table(FRAME, tmp_path / "f.xlsx")
