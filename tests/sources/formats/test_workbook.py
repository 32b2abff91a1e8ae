"""Workbooks: tables made for print are taken apart by what they say."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from qonys.core.errors import SourceError
from qonys.sources.formats.printed import printed, stage_printed
from qonys.sources.formats.workbook import grid, rows, sheets

BNS = Path(__file__).parents[2] / "specimens" / "bns"


def book(cells: list[list[object]], merged: tuple[str, ...] = ()) -> io.BytesIO:
    made = Workbook()
    for row in cells:
        made.active.append(row)
    for one in merged:
        made.active.merge_cells(one)
    file = io.BytesIO()
    made.save(file)
    file.seek(0)
    return file


def test_title_unit_levels_of_the_header_sections_and_footnotes_are_told_apart():
    staged = stage_printed(BNS / "migration_ru.xlsx")
    frame = staged.frame()
    assert staged.dimensions == ("регион", "section", "heading")
    assert staged.notes[0] == "Миграция населения Республики Казахстан по регионам"
    assert frame["unit"].unique().tolist() == ["человек"]
    assert frame["period"].unique().tolist() == ["2022", "2023"]
    assert frame["heading"].unique().tolist() == ["Прибыло", "Выбыло"]
    assert frame["section"].unique().tolist() == [None, "Городское население", "Сельское население"]
    assert frame["регион"].unique().tolist() == ["Республика Казахстан", "Абай", "Алматы қ."]
    almaty = frame[frame["регион"] == "Алматы қ."]
    assert almaty["note"].unique().tolist() == ["Данные уточнены."]
    assert almaty["value"].tolist()[:2] == [101234.0, 98765.0]
    assert almaty["value"].tolist()[3] == 12.5


def test_marks_of_gaps_stay_flags_and_a_footnote_of_a_number_goes_to_its_note():
    frame = stage_printed(BNS / "migration_ru.xlsx").frame()
    gaps = frame[frame["value"].isna()]
    assert gaps["flag"].tolist() == ["-", "x", "..."]
    rural = frame[frame["section"] == "Сельское население"]
    assert rural["value"].tolist() == [10.0, 20.0, 30.0]  # the empty cell is no cell
    assert "вновь образованной" in rural["note"].tolist()[2]


def test_a_kazakh_table_in_thousands_is_read_with_its_commas():
    frame = stage_printed(BNS / "migration_kk.xlsx").frame()
    assert frame["unit"].unique().tolist() == ["мың адам"]
    assert frame["value"].fillna(-1).tolist() == [17.4, 16.1, 25.3, -1, 2.1, 3.4, 0.0, -1]
    assert frame["облыс"].unique().tolist() == ["Қазақстан Республикасы", "Түркістан"]


@given(st.lists(st.lists(st.integers(0, 999), min_size=2, max_size=2), min_size=1, max_size=5), st.integers(0, 4), st.integers(0, 3))
def test_the_place_of_a_table_on_its_sheet_does_not_matter(values, down, right):
    cells = [[""] * (right + 3) for _ in range(down)]
    cells.append([*[""] * right, "Регион", "Прибыло", "Выбыло"])
    cells += [[*[""] * right, f"Область {number}", str(one), str(two)] for number, (one, two) in enumerate(values)]
    table = printed(cells, "x")
    assert table.stubs == {"Регион": [f"Область {number}" for number in range(len(values))]}
    assert table.columns == [("Прибыло",), ("Выбыло",)]
    assert [[int(cell) for cell in row] for row in table.cells] == values


def test_years_may_stand_in_the_rows():
    staged = stage_printed(book([["Сальдо миграции, человек"], ["Год", "Прибыло", "Выбыло"], [2019, 1, 2], [2020, 3, "…"]]))
    frame = staged.frame()
    assert staged.dimensions == ("section", "heading")
    assert frame[["period", "heading"]].to_numpy().tolist() == [
        ["2019", "Прибыло"],
        ["2019", "Выбыло"],
        ["2020", "Прибыло"],
        ["2020", "Выбыло"],
    ]
    assert frame["unit"].unique().tolist() == ["человек"]
    assert np.isnan(frame["value"].tolist()[3])


def test_one_year_of_the_title_is_the_period_of_a_table_without_another():
    frame = stage_printed(book([["Migration in 2021, persons"], ["Region", "In", "Out"], ["Abai", 1, 2]])).frame()
    assert frame["period"].tolist() == ["2021", "2021"]
    unclear = stage_printed(book([["Migration in 2021 and 2022"], ["Region", "In", "Out"], ["Abai", 1, 2]])).frame()
    assert unclear["period"].isna().all()


def test_codes_beside_names_name_rows_and_are_no_cells():
    staged = stage_printed(book([["Код КАТО", "Область", 2022, 2023], [100000000, "Абай", 5, 6], [110000000, "Акмола", 7, 8]]))
    frame = staged.frame()
    assert staged.dimensions == ("код_като", "область", "section", "heading")
    assert frame["код_като"].unique().tolist() == ["100000000", "110000000"]
    assert frame["value"].tolist() == [5, 6, 7, 8]


def test_merged_cells_are_filled_with_their_text():
    assert grid(book([["a", "b", None], ["c", 1, 2.5]], ("B1:C1",))) == [["a", "b", "b"], ["c", "1", "2.5"]]


def test_sheets_are_found_by_name_and_a_wrong_name_gives_the_nearest():
    assert sheets(BNS / "migration_ru.xlsx") == ("1",)
    with pytest.raises(SourceError, match="has no sheet 'Tabel 1'"):
        list(rows(BNS.parent / "undesa" / "migrant_stock_2020.xlsx", "Tabel 1"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xd0\xcf\x11\xe0rest", "is an XLS of before 2007, or is locked"),
        (b"PK\x03\x04broken", "is no whole XLSX workbook"),
        (b"<html>Service unavailable</html>", "is a web page"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_workbook_is_refused_with_a_sentence(content, said):
    with pytest.raises(SourceError, match=said):
        sheets(io.BytesIO(content))


def test_a_sheet_without_a_table_is_refused_with_a_sentence():
    with pytest.raises(SourceError, match="no row of a text and numbers"):
        stage_printed(book([["Содержание"], ["Таблица"]]))
