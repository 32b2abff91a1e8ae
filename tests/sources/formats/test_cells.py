"""Cells: numbers with parted thousands, marks of gaps, periods; encodings and separators of delimited files."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import SourceError
from qonys.sources.formats.cells import GAPS, iso_period, numbers
from qonys.sources.formats.delimited import Roles, look, stage_delimited
from qonys.sources.formats.sniff import sniff
from qonys.sources.staged import own_names

ROLES = Roles(dimensions={"geo": "geo"}, value="value", period="year")


def read(text: list[str], decimal: str = "."):
    return numbers(pa.array(text), decimal=decimal)


@given(st.lists(st.one_of(st.floats(-1e12, 1e12), st.integers(-(10**15), 10**15)), min_size=1))
def test_numbers_come_back_exactly(values):
    assert read([repr(value) for value in values]).value.to_pylist() == [float(value) for value in values]


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [("1 234 567", ".", 1234567), ("1\u00a0234,5", ",", 1234.5), ("12,5", ",", 12.5), ("1,234,567", ".", 1234567), ("1.234,5", ",", 1234.5),
     ("−5", ".", -5), ("1e3", ".", 1000), (" 7 ", ".", 7)],
)  # fmt: skip
def test_thousands_may_be_parted_and_a_minus_may_be_printed(text, decimal, value):
    assert read([text], decimal).value.to_pylist() == [value]


@pytest.mark.parametrize("text", ["1,23,4", "12 34", "abc", "1..2", "inf", "--1", "1 2", "0x10", "5%", "1,2345"])
def test_what_is_no_number_is_wrong_and_never_half_read(text):
    found = read([text, "1"])
    assert found.wrong.to_pylist() == [True, False]
    assert found.value.to_pylist() == [None, 1.0]


@given(st.lists(st.sampled_from(sorted(GAPS)), min_size=1))
def test_every_mark_of_a_gap_is_a_gap_that_keeps_its_mark(marks):
    found = read(marks)
    assert found.wrong is None
    assert found.value.null_count == len(marks)
    assert found.mark.to_pylist() == [mark or None for mark in marks]


@pytest.mark.parametrize(
    ("written", "iso"),
    [("2020", "2020"), ("2020-03", "2020-03"), ("2020M3", "2020-03"), ("2020-M12", "2020-12"), ("2020-Q4", "2020-Q4"), ("2020Q4", "2020-Q4"),
     ("2020-S1", "2020-S1"), ("2020-W05", "2020-W05"), ("2020W5", "2020-W05"), ("20200316", "2020-03-16"), ("2020-03-16T00:00:00", "2020-03-16"),
     ("16.03.2020", "2020-03-16"), ("2020 г.", "2020"), ("2022 жыл", "2022"), ("март 2020 г.", "2020-03"), ("2020 наурыз", "2020-03"),
     ("мая 2021", "2021-05"), ("1 квартал 2024 года", "2024-Q1"), ("III квартал 2023", "2023-Q3"), ("2024*", "2024*"), ("январь-март 2020", "январь-март 2020"),
     ("2015-2020", "2015-2020"), ("total", "total"), ("202013", "202013")],
)  # fmt: skip
def test_periods_are_iso_where_they_are_understood_and_else_as_written(written, iso):
    assert iso_period(written) == iso


@given(st.integers(1900, 2100), st.integers(1, 12))
def test_a_month_is_the_same_however_it_is_written(year, month):
    iso = f"{year}-{month:02d}"
    assert {
        iso_period(one) for one in (iso, f"{year}M{month:02d}", f"{year}-M{month:02d}", f"{year}{month:02d}", f"{month:02d}.{year}")
    } == {iso}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
def test_separator_and_encoding_are_found(separator, encoding):
    rows = [
        ["geo", "year", "value", "примечание"],
        ["Қостанай" if encoding != "cp1251" else "Костанай", "2020", "1", "новая, область; да"],
        ["Абай", "2021", "2", ""],
    ]
    text = "\r\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    source = io.BytesIO(text.encode(encoding))
    seen = look(source)
    assert (seen.separator, seen.names) == (separator, tuple(rows[0]))
    roles = Roles(dimensions={"geo": "geo"}, value="value", period="year", note="примечание")
    frame = stage_delimited(source, seen, roles).frame()
    assert frame["geo"].tolist() == [rows[1][0], "Абай"]
    assert frame["note"].tolist() == ["новая, область; да", None]


def test_a_decimal_comma_is_found_where_commas_are_no_separators():
    seen = look(io.BytesIO(b"geo;year;value\nDE;2020;1,5\nFR;2020;12,25\n"))
    assert seen.decimal == ","
    assert look(io.BytesIO(b"geo;year;value\nDE;2020;1,234\nFR;2020;5,678\n")).decimal == "."


def test_quoted_line_ends_stay_in_their_cell_and_short_lines_are_named():
    source = io.BytesIO(b'geo,year,value\n"D\nE",2020,1\nFR,2020\nIT,2020,2\nES,2020,x1\n')
    staged = stage_delimited(source, look(source), ROLES)
    assert staged.frame()[["geo", "value"]].to_numpy().tolist() == [["D\nE", 1.0], ["IT", 2.0]]
    assert staged.faults.table()["found"].tolist() == ["FR,2020", "x1"]


def test_a_column_that_is_not_there_is_named_with_those_that_are():
    source = io.BytesIO(b"geo,value\nDE,1\n")
    with pytest.raises(SourceError, match="has no column 'year'; its columns are: geo, value"):
        stage_delimited(source, look(source), ROLES)


def test_faults_are_counted_beyond_those_kept():
    source = io.BytesIO(b"geo,year,value\n" + b"DE,2020,bad\n" * 10_050)
    staged = stage_delimited(source, look(source), ROLES)
    assert len(staged.frame()) == 0
    assert (staged.faults.count, len(staged.faults.table())) == (10_050, 10_000)


@pytest.mark.parametrize(
    ("head", "kind"),
    [(b"freq,geo\\TIME_PERIOD\t2019\n", "tsv"), (b"DATAFLOW,FREQ,OBS_VALUE\n", "sdmx-csv"), (b'"STRUCTURE[;]";"STRUCTURE_ID"\n', "sdmx-csv"),
     (b"<?xml version='1.0'?><a/>", "sdmx-ml"), (b'{"version":"2.0","class":"dataset"}', "json-stat"), (b'{"items":[]}', "json"),
     (b'CHARSET="ANSI";\nMATRIX="x";', "px"), (b"PK\x03\x04rest", "xlsx"), (b"PAR1rest", "parquet"), (b"a,b\n1,2\n", "csv")],
)  # fmt: skip
def test_a_format_is_known_by_its_first_bytes(head, kind):
    assert sniff(io.BytesIO(head)) == kind


def test_binary_of_no_format_is_refused():
    with pytest.raises(SourceError, match="is binary and of no known format"):
        sniff(io.BytesIO(b"\x00\x01\x02\x03" * 10))


def test_names_that_would_hide_ours_get_another_end():
    assert own_names(["VALUE", "Flag", "unit", "Код КАТО"]) == ("value_code", "flag_code", "unit", "код_като")
    with pytest.raises(SourceError, match="two columns are called 'geo'"):
        own_names(["geo", "GEO"])


def test_a_file_that_a_caller_opened_stays_open():
    source = io.BytesIO(b"geo,year,value\nDE,2020,1\n")
    seen = look(source)
    assert np.array_equal(stage_delimited(source, seen, ROLES).frame()["value"], [1.0])
    assert not source.closed
