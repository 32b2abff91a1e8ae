"""A file in pieces is the file: the same rows, numbers and faults, wherever it is cut."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.store import connect, read_raw
from qonys.store.pieces import read_pieces

CELLS = st.text(alphabet='ab ,;"\n\r1ж', max_size=6)
LINE = '"{}",{}\n'


def whole(path):
    table, malformed = read_raw(connect(), path)
    return table.to_pyarrow().to_pylist(), malformed["row"].tolist()


def joined(pieces):
    rows, malformed = [], []
    for table, lost in pieces:
        rows += table.to_pylist()
        malformed += lost["row"].tolist()
    return rows, malformed


@given(rows=st.lists(st.tuples(CELLS, st.integers(0, 999), st.booleans()), min_size=1, max_size=30), size=st.integers(20, 200))
def test_a_text_file_is_the_same_wherever_it_is_cut(tmp_path_factory, rows, size):
    path = tmp_path_factory.mktemp("cut") / "rows.csv"
    quoted = [LINE.format(text.replace('"', '""').replace("\r", " "), number) for text, number, _ in rows]
    path.write_bytes(("﻿text,number\n" + "".join(quoted)).encode())
    assert joined(read_pieces(path, piece_bytes=size)) == whole(path)
    assert [one.name for one in path.parent.iterdir()] == ["rows.csv"]


def test_blank_and_malformed_lines_keep_their_row_numbers_over_the_cuts(tmp_path):
    path = tmp_path / "rows.csv"
    lines = [f"w{number},{number}" if number % 7 else ("a,b,c" if number % 2 else "") for number in range(1, 200)]
    path.write_text("text,number\n" + "\n".join(lines) + "\n", encoding="utf-8")
    rows, malformed = joined(read_pieces(path, piece_bytes=100))
    assert {int(row["number"]): row["row"] for row in rows} == {number: number + 1 for number in range(1, 200) if number % 7}
    assert malformed == [number + 1 for number in range(7, 200, 14)]


def test_parquet_comes_in_pieces_with_its_types_and_an_empty_file_as_one_piece(tmp_path):
    pq.write_table(pa.table({"n": pa.array(range(10)), "row": ["own"] * 10}), tmp_path / "n.parquet")
    pieces = [table for table, _ in read_pieces(tmp_path / "n.parquet", piece_rows=4)]
    assert [len(one) for one in pieces] == [4, 4, 2]
    assert pa.concat_tables(pieces).to_pydict() == {"n": list(range(10)), "row": list(range(2, 12))}
    pq.write_table(pa.table({"n": pa.array([], pa.int64())}), tmp_path / "none.parquet")
    assert [table.schema.names for table, _ in read_pieces(tmp_path / "none.parquet")] == [["n", "row"]]


def test_a_workbook_is_one_piece(tmp_path):
    pd.DataFrame({"text": ["a", "b"]}).to_excel(tmp_path / "b.xlsx", index=False, engine="xlsxwriter")
    assert joined(read_pieces(tmp_path / "b.xlsx")) == ([{"text": "a", "row": 2}, {"text": "b", "row": 3}], [])


def test_what_cannot_be_read_is_refused_by_its_own_name(tmp_path):
    (tmp_path / "no.parquet").write_bytes(b"no")
    (tmp_path / "latin.csv").write_bytes(b"text,number\n" + b"a,1\n" * 50 + "ж,1\n".encode("cp1251") + b"a,1\n" * 50)
    for name, sentence in (("no.parquet", "no.parquet cannot be read"), ("latin.csv", r"latin\.csv .* save it as UTF-8")):
        with pytest.raises(DataError, match=sentence):
            joined(read_pieces(tmp_path / name, piece_bytes=100))
    with pytest.raises(DataError, match=r"there is no file .*gone\.csv"):
        joined(read_pieces(tmp_path / "gone.csv"))


def test_a_quote_that_is_never_closed_is_refused_as_it_swallows_lines_and_one_within_a_word_is_a_letter(tmp_path):
    path = tmp_path / "open.csv"
    path.write_text('text,number\na,1\n"b,2\n' + "c,3\n" * 400, encoding="utf-8")
    with pytest.raises(DataError, match=r"open\.csv, row 3: a quote is opened and never closed"):
        joined(read_pieces(path, piece_bytes=100))
    path.write_text('text,number\na,1\n5" b,2\n' + "c,3\n" * 400, encoding="utf-8")
    rows, malformed = joined(read_pieces(path, piece_bytes=100))
    assert (len(rows), malformed) == (402, [])
