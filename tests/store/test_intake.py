"""The edge: good rows and bad rows are all rows, whatever the file looks like, and nothing but a sentence comes out of garbage."""

from __future__ import annotations

import random
from datetime import date, datetime
from functools import partial

import openpyxl
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qonys.core.contracts import CHALLENGE, CONTRACTS, CROSSING, FIGURE, FLOW, PANEL, STOCK
from qonys.core.errors import DataError
from qonys.store import read_raw, take_in, write_table
from rows import as_csv, bad_rows, good_row, refusal

PLAIN = "area,period,value\n"


def taken(con, folder, content: str | bytes, contract=PANEL, name="f.csv"):
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    came = take_in(con, path, contract)
    return came, con.to_pandas(came.table.order_by("row"))


def places(faults: tuple[str, ...]) -> list[int]:
    return [int(fault.partition("row ")[2].partition(":")[0].partition(",")[0]) for fault in faults]


# Laws


@given(st.sampled_from([FLOW, STOCK, PANEL, CROSSING, FIGURE, CHALLENGE]), st.data())
@settings(max_examples=6)
def test_good_and_bad_rows_are_all_rows_and_good_ones_are_never_lost_with_the_bad(con, tmp_path_factory, contract, data):
    folder = tmp_path_factory.mktemp("edge")
    faulty = [row for row, _, rule in bad_rows(contract) if rule and rule != "repeated"]
    bad = data.draw(st.lists(st.sampled_from(faulty), max_size=8))
    if "id" in contract.names:
        bad = [row | ({"id": f"bad{place}"} if row["id"].strip() else {}) for place, row in enumerate(bad)]
    rows = [(good_row(contract), True) for _ in range(data.draw(st.integers(0, 12)))] + [(row, False) for row in bad]
    random.Random(data.draw(st.integers(0, 99))).shuffle(rows)
    delimiter, suffix = data.draw(st.sampled_from([(",", "csv"), (";", "csv"), ("\t", "tsv")]))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    # a line end inside a cell must be that of the file
    text = as_csv(
        [{k: v.replace("\n", end) for k, v in row.items()} for row, _ in rows], contract.names, delimiter=delimiter, lineterminator=end
    )
    came, table = taken(con, folder, text, contract, f"f.{suffix}")

    assert (came.rows, came.bad_rows) == (len(rows), len(bad))
    assert list(table["row"]) == sorted(f"f.{suffix}:{place}" for place, (_, good) in enumerate(rows, start=2) if good)
    assert sorted(set(places(came.faults))) == [place for place, (_, good) in enumerate(rows, start=2) if not good]
    kept = con.to_pandas(
        came.table.drop("row").cast(dict.fromkeys([c.name for c in contract.columns if c.kind not in ("codes", "areas")], "string"))
    )
    for column in contract.columns:
        expected = {row[column.name].replace("\n", end) for row, good in rows if good}
        if column.kind in ("text", "code", "area", "partial_date"):
            assert set(kept[column.name].dropna()) == expected
        elif column.kind in ("codes", "areas"):
            assert {" ".join(codes) for codes in kept[column.name]} == expected
    quarantine = folder / "f.quarantine.csv"
    assert (came.quarantine == quarantine) == bool(bad) == quarantine.exists()
    if bad:
        out = pd.read_csv(quarantine, dtype=str, keep_default_na=False)
        cells = out[list(contract.names)].replace({end: "\n"}, regex=True).to_dict("records")
        assert cells == [row for row, good in rows if not good]
        assert out["row"].astype(int).tolist() == sorted(set(places(came.faults)))
        assert all(out["why"])


def test_the_order_of_rows_changes_neither_what_is_kept_nor_what_is_refused(con, tmp_path):
    rows = [good_row(FLOW) | {"persons": str(n)} for n in range(20)] + [row for row, _, _ in bad_rows(FLOW)]
    seen = []
    for seed in (1, 2):
        random.Random(seed).shuffle(rows)
        came, table = taken(con, tmp_path, as_csv(rows, FLOW.names), FLOW)
        reasons = sorted(fault.partition(", column ")[2] for fault in came.faults)
        seen.append((came.rows, came.bad_rows, reasons, sorted(table["persons"])))
    assert seen[0] == seen[1]


def test_types_are_those_of_the_contract(con, tmp_path):
    came, table = taken(con, tmp_path, as_csv([good_row(CROSSING)], CROSSING.names), CROSSING)
    assert str(came.table.schema()["at"]).startswith("timestamp")
    row = table.iloc[0]
    assert row["at"] == datetime(2020, 3, 16, 8, 30)
    assert pd.Timestamp(row["permitted_until"]).date() == date(2020, 3, 16)
    assert row["birth_year"] == 1880


def test_a_mended_quarantine_file_can_be_taken_in_again_and_leaves_no_old_one_behind(con, tmp_path):
    taken(con, tmp_path, PLAIN + "KAZ,2020,1\nKAS,2021,2\n")
    first = tmp_path / "f.quarantine.csv"
    came, table = taken(con, tmp_path, first.read_text().replace("KAS", "KAZ", 1).replace(",KAS,", ",KAZ,"), name="mended.csv")
    assert came.bad_rows == 0
    assert table["value"].tolist() == [2]
    taken(con, tmp_path, PLAIN + "KAZ,2020,1\n")
    assert not first.exists()


def test_without_quarantine_nothing_is_written(con, tmp_path):
    (tmp_path / "f.csv").write_text(PLAIN + "KAS,2021,2\n")
    assert take_in(con, tmp_path / "f.csv", PANEL, quarantine=False).bad_rows == 1
    assert [path.name for path in tmp_path.iterdir()] == ["f.csv"]


def test_columns_called_as_our_own_change_nothing(con, tmp_path):
    came, table = taken(
        con,
        tmp_path,
        "area,period,value,row,place,_place,why,line,faults,_position\nKAZ,2020,1,9,9,9:9,9,9,9,9\nKAS,2020,1,9,9,9:9,9,9,9,9\n",
    )
    assert table["row"].tolist() == ["f.csv:2"]
    assert places(came.faults) == [3]


def test_a_figure_keeps_its_own_place_beside_the_place_of_its_row(con, tmp_path):
    _, table = taken(con, tmp_path, as_csv([good_row(FIGURE) | {"place": "Table 2"}], FIGURE.names), FIGURE)
    assert table[["row", "place"]].values.tolist() == [["f.csv:2", "Table 2"]]


# How text comes


@pytest.mark.parametrize(
    "content",
    [
        PLAIN + "KAZ,2020,1\nKAZ,2021,2\n", PLAIN + "KAZ,2020,1\nKAZ,2021,2", "\ufeff" + PLAIN + "KAZ,2020,1\nKAZ,2021,2\n",
        "area,period,value\r\nKAZ,2020,1\r\nKAZ,2021,2\r\n", "area,period,value\rKAZ,2020,1\rKAZ,2021,2\r",
        '"area","period","value"\n"KAZ","2020","1"\n"KAZ","2021","2"\n', " area , period,value\n KAZ ,2020 , 1\nKAZ,2021,2.0\n",
        PLAIN + "KAZ,2020,1e0\nKAZ,2021,+2\n", 'area;period;value\nKAZ;2020;1\n"KAZ";2021;2\n',
    ],
    ids=["plain", "no last line end", "BOM", "CRLF", "CR", "quoted", "spaces", "numbers", "semicolons"],
)  # fmt: skip
def test_the_same_table_is_read_however_it_was_saved(con, tmp_path, content):
    came, table = taken(con, tmp_path, content)
    assert came.faults == ()
    assert table[["area", "period", "value", "row"]].values.tolist() == [["KAZ", "2020", 1, "f.csv:2"], ["KAZ", "2021", 2, "f.csv:3"]]


def test_a_header_without_rows_is_a_table_without_rows(con, tmp_path):
    came, table = taken(con, tmp_path, "area,period,value")
    assert (came.rows, came.faults, len(table)) == (0, (), 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "does not begin with a header; put the names of the columns in the first row"),
        ("\n\n" + PLAIN, "does not begin with a header"),
        ("area,period,value,note\nKAZ,2020,1,көші-қон\n".encode("utf-16"), "save it as UTF-8"),
        ("area,period,value,note\n" + "KAZ,2020,1,a\n" * 9999 + "KAZ,2020,1,миграция\n", None),
        (("area,period,value,note\nKAZ,2020,1,миграция\n").encode("cp1251"), "save it as UTF-8"),
        (("area,period,value,note\n" + "KAZ,2020,1,a\n" * 9999 + "KAZ,2020,1,миграция\n").encode("cp1251"), "is not UTF-8 text: row 10001 cannot be read; save it as UTF-8"),
        ("area|period|value\nKAZ|2020|1\n", "the file has area|period|value; add or rename it"),
        ("area,period,value,value\nKAZ,2020,1,2\n", "has the column 'value' twice"),
        ("area,period,value\r\nKAZ,2020,1\nKAZ,2021,2\r\n", "one kind of line end"),
        (PLAIN + "KAZ\n" * 1200, "has more than 1000 malformed lines, the first is row 2; check the delimiter and the quotes"),
    ],
    ids=["empty", "blank first line", "UTF-16", "UTF-8 late", "cp1251", "cp1251 late", "bars", "repeated column", "mixed ends", "malformed"],
)  # fmt: skip
def test_a_file_that_cannot_be_a_table_is_refused_in_one_sentence(con, tmp_path, content, said):
    if said is None:
        assert taken(con, tmp_path, content)[0].rows == 10000
        return
    with pytest.raises(DataError, match=r"^f\.csv ") as refused:
        taken(con, tmp_path, content)
    assert said in str(refused.value)


def test_rows_after_a_malformed_line_keep_the_number_a_spreadsheet_shows(con, tmp_path):
    came, table = taken(
        con, tmp_path,
        'area,period,value,note\nKAZ,2020,1,"two\nlines"\nKAZ,2021\nKAZ,2022,x,\n\nKAZ,2023,1,2,3\nKAZ,2024,5,\nKAZ,"2025"a,1,\nKAZ,2026,y,\n',
    )  # fmt: skip
    assert places(came.faults) == [3, 4, 6, 8, 9]
    assert table["row"].tolist() == ["f.csv:2", "f.csv:7"]
    out = pd.read_csv(tmp_path / "f.quarantine.csv", dtype=str, keep_default_na=False)
    assert out["row"].tolist() == ["3", "4", "6", "8", "9"]
    assert out["line"].tolist() == ["KAZ,2021", "", "KAZ,2023,1,2,3", 'KAZ,"2025"a,1,', ""]
    assert came.rows == 7
    assert came.faults[0] == "f.csv, row 3: the line does not fit the header; check its separators and quotes"


@given(st.lists(st.sampled_from(["good", "short", "long", "blank", "bad"]), max_size=40))
@example(["blank", "short", "short", "good", "blank", "blank", "long", "bad"])
@settings(max_examples=5)
def test_each_row_keeps_its_number_whatever_lines_lie_before_it(con, tmp_path_factory, kinds):
    lines = {"good": "KAZ,2020,1", "short": "KAZ", "long": "KAZ,2020,1,2,3", "blank": "", "bad": "KAZ,2020,x"}
    came, table = taken(con, tmp_path_factory.mktemp("lines"), PLAIN + "".join(lines[kind] + "\n" for kind in kinds))
    assert sorted(table["row"], key=lambda row: int(row[6:])) == [f"f.csv:{n}" for n, kind in enumerate(kinds, start=2) if kind == "good"]
    assert places(came.faults) == [n for n, kind in enumerate(kinds, start=2) if kind in ("short", "long", "bad")]


def test_a_quote_that_is_never_closed_loses_no_row_before_it(con, tmp_path):
    came, table = taken(con, tmp_path, PLAIN + 'KAZ,2020,1\nKAZ,2021,"1\nKAZ,2022,3\n')
    assert places(came.faults) == [3]
    assert table["row"].tolist() == ["f.csv:2"]


def test_a_thousand_malformed_lines_are_quarantined_and_counted(con, tmp_path):
    came, table = taken(con, tmp_path, PLAIN + "KAZ,2020,1\nKAZ\n" * 1000)
    assert (came.rows, came.bad_rows, len(table)) == (2000, 1000, 1000)
    assert table["row"].str[6:].astype(int).sort_values().tolist() == list(range(2, 2002, 2))


@pytest.mark.parametrize("name", ["it's.csv", "f [2020].csv", "f*.csv", "f?.csv", "көші-қон.csv", "F.CSV"])
def test_a_file_may_be_called_anything(con, tmp_path, name):
    (tmp_path / "f2.csv").write_text(PLAIN + "UZB,1999,7\n")  # a pattern would find this one too
    _, table = taken(con, tmp_path, PLAIN + "KAZ,2020,1\n", name=name)
    assert table["row"].tolist() == [f"{name}:2"]


# Other formats


def test_a_missing_file_or_an_unknown_suffix_is_refused(con, tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        take_in(con, tmp_path / "f.csv", PANEL)
    (tmp_path / "f.xls").touch()
    with pytest.raises(DataError, match=r"did you mean '\.xlsx'"):
        take_in(con, tmp_path / "f.xls", PANEL)


@pytest.mark.parametrize("name", ["f.parquet", "f.xlsx", "f.json"])
@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04", b"PAR1", b"\xff\xfe", b"[1, 2]", b'{"area": 1}', b'"x"', b"[" * 99999])
def test_a_file_that_is_not_what_its_suffix_says_is_refused(con, tmp_path, name, content):
    with pytest.raises(DataError, match=r"^f\."):
        taken(con, tmp_path, content, name=name)


def test_cells_of_json_are_read_as_the_same_text_as_in_csv(con, tmp_path):
    came, table = taken(con, tmp_path, '[{"area": "KAZ", "period": 2020, "value": 1.0}, {"area": "KAZ", "period": "2021", "value": NaN},'
                                       ' {"area": "KAZ", "period": true, "value": 1e999}, {"area": {"a": 1}, "value": null}]', name="f.json")  # fmt: skip
    assert table[["period", "value", "row"]].values.tolist() == [["2020", 1, "f.json:2"]]
    assert places(came.faults) == [3, 4, 4, 5, 5, 5]


def test_cells_of_a_spreadsheet_are_read_as_they_are_shown(con, tmp_path):
    book = openpyxl.Workbook()
    for cells in (["residence", "basis", "characteristic", "ref_date", "persons", "source", "note"],
                  ["KAZ", "citizenship", "WORLD", date(2020, 1, 1), 5, "s", "NA"], [],
                  ["KAZ", "citizenship", "WORLD", 2021, 6.5, "s", None], ["KAZ", "citizenship", "WORLD", datetime(2022, 1, 1), "many", "s", None]):  # fmt: skip
        book.active.append(cells)
    book.save(tmp_path / "f.xlsx")
    came = take_in(con, tmp_path / "f.xlsx", STOCK)
    table = con.to_pandas(came.table.order_by("row"))
    assert table[["ref_date", "persons", "row"]].values.tolist() == [["2020-01-01", 5, "f.xlsx:2"], ["2021", 6.5, "f.xlsx:4"]]
    assert table["note"].iloc[0] == "NA"
    assert places(came.faults) == [5]


ROUND = {
    "stock": pd.DataFrame({"residence": ["KAZ", "UZB"], "basis": "citizenship", "characteristic": "WORLD", "ref_date": ["2020", "2021-01-01"],
                           "persons": [1e6, 2.5], "source": "s", "note": ['=1+1, "quoted"', None]}),
    "challenge": pd.DataFrame({"id": ["a", "b"], "migration_type": "x", "level": "global", "kind": "k", "horizon": "short_term", "text": "мәтін",
                               "source": "s", "answered_by": [["m1", "m2"], None], "threshold": [None, 0.1]}),
    "crossing": pd.DataFrame({"person_id": ["a", "b"], "at": pd.to_datetime(["2020-01-01 10:30:00", "2020-01-02 00:00:00"]), "direction": "entry",
                              "permitted_until": [date(2020, 1, 1), None], "birth_year": [1980, None]}),
    "flow": pd.DataFrame({"origin": "KAZ", "destination": "UZB", "period_start": [date(2020, 1, 1)], "period_end": [date(2020, 12, 31)], "persons": [7],
                          "basis": "citizenship", "counted": "moves", "source": "s", "status": "final"}),
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx", "json"])
@pytest.mark.parametrize("name", ROUND)
def test_what_was_written_is_taken_in_the_same(con, tmp_path, name, suffix):
    path, frame = tmp_path / f"f.{suffix}", ROUND[name]
    write_table(frame, path)
    came = take_in(con, path, CONTRACTS[name])
    assert came.faults == ()
    table = con.to_pandas(came.table.order_by("row"))
    for column in frame.columns:
        wanted = [None if not isinstance(v, list) and pd.isna(v) else v for v in frame[column].tolist()]
        found = [
            None if not hasattr(v, "__len__") and pd.isna(v) else list(v) if hasattr(v, "tolist") else v for v in table[column].tolist()
        ]
        if column in ("permitted_until", "period_start", "period_end"):
            found = [None if v is None else pd.Timestamp(v).date() for v in found]
        assert found == wanted, column


FOREIGN = ([1.5, float("nan")], [True, None], [b"\xff", None], [[1], None], [{"a": 1}, None], [date(2020, 1, 1), None])


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda pair: type(pair[0]).__name__)
def test_columns_of_foreign_types_are_faults_and_no_stack_trace(con, tmp_path, foreign):
    frame = pd.DataFrame({column: pd.Series(foreign) for column in FIGURE.names})
    write_table(frame, tmp_path / "f.parquet")
    came = take_in(con, tmp_path / "f.parquet", FIGURE)
    assert (came.rows, came.bad_rows) == (2, 2)
    assert {fault.partition(",")[0] for fault in came.faults} == {"f.parquet"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ROUND)
def test_typed_columns_of_parquet_keep_their_faults_in_their_cells(con, tmp_path, name):
    """Every column once of every foreign type, every third column at once: the others have no fault."""
    frame = ROUND[name]
    for start in range(3):
        for turn in range(len(FOREIGN)):
            foreign = {column: FOREIGN[(place + turn) % len(FOREIGN)] for place, column in enumerate(frame.columns[start::3])}
            cells = {column: pd.Series((pair * 2)[: len(frame)]) for column, pair in foreign.items()}
            write_table(frame.iloc[:2].assign(**cells), tmp_path / "f.parquet")
            came = take_in(con, tmp_path / "f.parquet", CONTRACTS[name], quarantine=False)
            assert came.rows == len(frame)
            assert {fault.partition("column ")[2].partition(":")[0] for fault in came.faults} <= set(foreign)


# Garbage


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode),
                 st.text('KAZ2019,;"\n\r\t\\\0é', max_size=120).map(lambda text: (PLAIN + text).encode())))  # fmt: skip
@settings(max_examples=80)
def test_garbage_never_gives_anything_but_a_table_or_a_sentence(con, tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("garbage")
    for name in ("f.csv", "f.json"):
        path = folder / name
        path.write_bytes(content)
        refused = refusal(partial(looked_at, con, path))
        assert refused is None or refused.mend


def looked_at(con, path) -> None:
    raw, malformed = read_raw(con, path)
    assert con.execute(raw.count()) >= 0
    assert raw.row.type().is_integer()
    assert list(malformed.columns) == ["row", "found"]
