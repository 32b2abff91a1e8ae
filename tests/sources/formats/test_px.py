"""PX files: keywords, codepages, languages, dots and dashes."""

from __future__ import annotations

import io
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import SourceError
from qonys.sources.formats.px import stage_px

PX = Path(__file__).parents[2] / "specimens" / "px" / "migration_ru.px"


def text() -> str:
    return PX.read_bytes().decode("cp1251")


def staged(content: str, encoding: str = "cp1251", **more):
    return stage_px(io.BytesIO(content.encode(encoding)), **more)


def test_the_specimen_is_read_in_its_codepage_with_codes_labels_unit_and_notes():
    result = stage_px(PX)
    frame = result.frame()
    assert result.dimensions == ("регион", "поток")
    assert result.vintage == "2024-01-15"
    assert result.notes == ("Строка вторая", "..: нет данных")
    assert frame["регион"].unique().tolist() == ["10", "75"]
    assert frame["регион_label"].unique().tolist() == ["Абай", "Алматы г.а."]
    assert frame["unit"].unique().tolist() == ["человек"]
    assert frame["note"].tolist()[0] == "с июня; новая область"
    assert frame["note"].isna().sum() == 7


def test_dots_and_dashes_are_gaps_that_keep_their_mark():
    frame = stage_px(PX).frame()
    assert frame[frame["value"].isna()]["flag"].tolist() == ["..", "-", "..."]
    assert frame["value"].dropna().tolist() == [12.0, 13.5, 1.0, 2.0, 3.0]


def test_another_language_of_the_file_gives_its_names_and_the_same_cells():
    english, russian = stage_px(PX, language="en"), stage_px(PX)
    assert english.dimensions == ("region", "flow")
    one, two = english.frame(), russian.frame()
    assert one["value"].fillna(-1).tolist() == two["value"].fillna(-1).tolist()
    assert one["region"].tolist() == two["регион"].tolist()
    assert one["unit"].unique().tolist() == ["persons"]


def test_lines_with_keys_leave_out_zeros_and_a_line_of_an_unknown_key_is_a_fault():
    content = text().replace('LANGUAGE="ru";', 'LANGUAGE="ru";\nKEYS("Регион")=CODES;\nKEYS("Поток")=VALUES;', 1)
    content = content[: content.index("DATA=")] + 'DATA=\n"10","Прибыло",1 2\n"75","Выбыло",3 ".."\n"99","Выбыло",3 4\n;'
    result = staged(content)
    assert result.frame()["value"].fillna(-1).tolist() == [1, 2, 0, 0, 0, 0, 3, -1]
    assert result.faults.table()["place"].tolist() == ["line 3 of DATA"]


@given(st.lists(st.integers(1, 3), min_size=2, max_size=3), st.sampled_from([" ", ", ", "\n", "\t"]), st.data())
def test_cells_stand_stub_before_heading_whatever_parts_them(sizes, separator, data):
    cells = data.draw(st.lists(st.one_of(st.integers(0, 99), st.just('".."')), min_size=int(np.prod(sizes)), max_size=int(np.prod(sizes))))
    codes = [[f"v{place}{code}" for code in range(size)] for place, size in enumerate(sizes)]
    head = 'CODEPAGE="utf-8";\nSTUB=' + ",".join(f'"d{place}"' for place in range(len(sizes) - 1)) + f';\nHEADING="d{len(sizes) - 1}";\n'
    head += "".join(f'VALUES("d{place}")=' + ",".join(f'"{code}"' for code in one) + ";\n" for place, one in enumerate(codes))
    result = staged(head + "DATA=\n" + separator.join(str(one) for one in cells) + ";\n", "utf-8")
    frame = result.frame()
    assert [tuple(row) for row in frame[[f"d{place}" for place in range(len(sizes))]].to_numpy()] == list(product(*codes))
    assert [None if np.isnan(one) else int(one) for one in frame["value"]] == [None if one == '".."' else one for one in cells]


def test_years_listed_by_timeval_as_a_range_are_periods():
    content = (
        text().replace('TLIST(A1),"2022","2023"', 'TLIST(A1,"2022"-"2023")').replace('VALUES("Год")="2022","2023"', 'VALUES("Год")="a","b"')
    )
    assert staged(content).frame()["period"].unique().tolist() == ["2022", "2023"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("DATA=", "DAT="), "has no DATA|is no keyword"),
        (('"windows-1251"', '"windows-9"'), "names a codepage 'windows-9'"),
        (('STUB="Регион","Поток";', ""), "has 2 codes|cells, its variables make"),
        (("1 2 \n", "1 \n"), "has 7 cells, its variables make 8"),
        (('CODES("Регион")="10","75";', 'CODES("Регион")="10";'), "has 1 codes for 2 values"),
        (('CODES("Регион")="10","75";', 'CODES("Регион")="10","10";'), "has a code twice: '10'"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_with_a_sentence(change, said):
    with pytest.raises(SourceError, match=said):
        staged(text().replace(*change, 1)).frame()


def test_a_language_that_the_file_does_not_have_is_refused():
    with pytest.raises(SourceError, match="is not in 'kk'"):
        stage_px(PX, language="kk")
