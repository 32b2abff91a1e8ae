"""Files in: everything as text with row numbers, and the lines that do not fit the header."""

from __future__ import annotations

import csv
import json
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from qonys.core.errors import DataError, nearest
from qonys.store.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ibis.backends.duckdb import Backend

MOST_MALFORMED_LINES = 1000


def read_raw(con: Backend, path: Path) -> tuple[ibis.Table, pd.DataFrame]:
    """A file as a table of text columns (Parquet keeps its types) with `row`, and its malformed lines.

    `row` counts as a spreadsheet does: the header is row 1. Malformed lines: row, found.
    Errors: DataError for a missing file, an unknown suffix, a file that is not what its suffix says, or text that is not UTF-8.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}", mend="check the path")
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise DataError(f"{path.name} has the suffix {path.suffix!r}", mend=nearest(suffix, _READERS))
    return _READERS[suffix](con, path)


def read_whole(path: Path) -> pd.DataFrame:
    """A small file as it lies, in memory, that no contract describes. Errors: DataError as in `read_raw`, and for malformed lines."""
    con = connect()
    raw, malformed = read_raw(con, path)
    if len(malformed):
        raise DataError(f"{path.name}, row {malformed['row'].iloc[0]} does not fit the header", mend="mend the row")
    whole: pd.DataFrame = con.to_pandas(raw.drop("row"))
    return whole


def _unreadable(path: Path, why: object, mend: str) -> DataError:
    return DataError(f"{path.name} cannot be read: {str(why).partition(chr(10))[0].removeprefix('Invalid Input Error: ')}", mend=mend)


def _header(path: Path, names: Iterable[object]) -> list[str]:
    """Column names trimmed, nameless columns called by their position. Errors: DataError for a name given twice."""
    header = [("" if name is None else str(name).strip()) or f"column{place}" for place, name in enumerate(names)]
    folded = [name.casefold() for name in header]
    twice = [name for name in header if folded.count(name.casefold()) > 1]
    if twice:
        raise DataError(f"{path.name} has the column {twice[0]!r} twice", mend="rename or remove one of them")
    return header


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


# Delimited text


def _read_delimited(delimiter: str) -> Callable[[Backend, Path], tuple[ibis.Table, pd.DataFrame]]:
    def read(con: Backend, path: Path) -> tuple[ibis.Table, pd.DataFrame]:
        header = _first_line(path, delimiter)
        name = ibis.util.gen_name("raw")
        columns = ", ".join(f"{_quoted(f'c{place}')}: 'VARCHAR'" for place in range(len(header)))
        options = f"auto_detect=false, header=true, delim={_quoted(delimiter)}, quote='\"', escape='\"', strict_mode=true"
        keep = f"store_rejects=true, rejects_table='{name}_r', rejects_scan='{name}_s', rejects_limit=0"
        source = _quoted(str(path.resolve()).replace("[", "[[]").replace("*", "[*]").replace("?", "[?]"))  # a name, not a pattern
        try:
            con.raw_sql(
                f"create temp table {name}_all as select row_number() over () + 1 as _position, * "
                f"from read_csv({source}, columns={{{columns}}}, {options}, {keep})"
            )
        except Exception as error:
            raise _unreadable(path, error, "save it as CSV in UTF-8 with a header row and one kind of line end") from None
        malformed = _malformed(con, path, f"{name}_r")
        lost = sorted({*malformed["row"], *_blank_rows(path, delimiter)})
        if lost:  # DuckDB numbers the rows it kept: move them past each line it did not
            thresholds = {line - place: place + 1 for place, line in enumerate(lost)}
            con.create_table(f"{name}_shift", pd.DataFrame(thresholds.items(), columns=["threshold", "shift"], dtype="int64"), temp=True)
            con.raw_sql(
                f"create temp table {name} as select a.* exclude (_position), _position + coalesce(s.shift, 0) as row "
                f"from {name}_all a asof left join {name}_shift s on a._position >= s.threshold order by row"
            )
            con.raw_sql(f"drop table {name}_all; drop table {name}_shift")
        else:
            con.raw_sql(f"alter table {name}_all rename _position to row; alter table {name}_all rename to {name}")
        table = con.table(name)
        return table.select(**{own: table[f"c{place}"] for place, own in enumerate(header) if own != "row"}, row=table["row"]), malformed

    return read


def _read_csv(con: Backend, path: Path) -> tuple[ibis.Table, pd.DataFrame]:
    """Values between commas, or between semicolons, as spreadsheets write them where the comma is the decimal sign."""
    header = _first_line(path, ",")
    return _read_delimited(";" if len(header) == 1 and ";" in header[0] else ",")(con, path)


def _first_line(path: Path, delimiter: str) -> list[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header = next(csv.reader(stream, delimiter=delimiter), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(path, error, "save it as UTF-8") from None
    if not "".join(header).strip() or "\0" in "".join(header):
        raise DataError(f"{path.name} does not begin with a header", mend="put the names of the columns in the first row")
    return _header(path, header)


def _malformed(con: Backend, path: Path, table: str) -> pd.DataFrame:
    rejects = con.raw_sql(
        f"select line, bool_or(error_type = 'INVALID ENCODING'), any_value(csv_line) from {table} group by line order by line"
    ).fetchall()
    foreign = [line for line, encoding, _ in rejects if encoding]
    if foreign:
        raise DataError(f"{path.name} is not UTF-8 text: row {foreign[0]} cannot be read", mend="save it as UTF-8")
    if len(rejects) > MOST_MALFORMED_LINES:
        raise DataError(
            f"{path.name} has more than {MOST_MALFORMED_LINES} malformed lines, the first is row {rejects[0][0]}",
            mend="check the delimiter and the quotes",
        )
    return pd.DataFrame([(line, text.strip()) for line, _, text in rejects], columns=["row", "found"]).astype({"row": "int64"})


def _blank_rows(path: Path, delimiter: str) -> list[int]:
    """Rows that hold nothing at all, which DuckDB steps over without counting them."""
    with path.open("rb") as stream:
        tail, blank = b"", False
        while not blank and (block := stream.read(1 << 20)):
            seen = (tail + block).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            blank, tail = b"\n\n" in seen, block[-2:]
    if not blank:
        return []
    limit = csv.field_size_limit(1 << 30)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return [row for row, cells in enumerate(csv.reader(stream, delimiter=delimiter), start=1) if not cells]
    finally:
        csv.field_size_limit(limit)


# Parquet, JSON, spreadsheets


def _read_parquet(con: Backend, path: Path) -> tuple[ibis.Table, pd.DataFrame]:
    try:
        table = con.read_parquet(path, file_row_number=True)
    except Exception as error:
        raise _unreadable(path, error, "write it again as Parquet, or as CSV in UTF-8") from None
    return table.mutate(row=table["file_row_number"].cast("int64") + 2).drop("file_row_number"), _none_malformed()


def _none_malformed() -> pd.DataFrame:
    return pd.DataFrame({"row": pd.Series([], dtype="int64"), "found": pd.Series([], dtype=str)})


def _read_json(con: Backend, path: Path) -> tuple[ibis.Table, pd.DataFrame]:
    del con
    try:
        records = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, error, "write it as a list of objects in UTF-8") from None
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise DataError(f"{path.name} is not a list of objects", mend='write it as [{"column": value, ...}, ...]')
    keys = list(dict.fromkeys(key for record in records for key in record))
    return _from_cells(path, keys, [(place, [record.get(key) for key in keys]) for place, record in enumerate(records, start=2)])


def _read_workbook(con: Backend, path: Path) -> tuple[ibis.Table, pd.DataFrame]:
    """The first sheet; rows that hold nothing are left out but counted."""
    import openpyxl

    del con
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        try:
            sheet = book.worksheets[0]
            sheet.reset_dimensions()  # some programs write wrong ones
            rows = [list(row) for row in sheet.iter_rows(values_only=True)]
        finally:
            book.close()
    except Exception as error:
        raise _unreadable(path, error, "save it again as XLSX, or as CSV in UTF-8") from None
    if not rows or all(cell is None for cell in rows[0]):
        raise DataError(f"{path.name} does not begin with a header", mend="put the names of the columns in row 1 of the first sheet")
    width = max(map(len, rows))
    header, *filled = [row + [None] * (width - len(row)) for row in rows]
    held = [(place, row) for place, row in enumerate(filled, start=2) if any(cell is not None for cell in row)]
    return _from_cells(path, header, held)


def _from_cells(path: Path, names: Sequence[object], rows: Sequence[tuple[int, Sequence[Any]]]) -> tuple[ibis.Table, pd.DataFrame]:
    header = _header(path, names)
    columns = {
        name: pd.Series([_as_text(cells[place]) for _, cells in rows], dtype="string") for place, name in enumerate(header) if name != "row"
    }
    return ibis.memtable(pd.DataFrame({**columns, "row": pd.Series([row for row, _ in rows], dtype="int64")})), _none_malformed()


def _as_text(cell: object) -> str | None:
    """A cell as it would be written in CSV."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat()
    if isinstance(cell, list):
        return " ".join(str(part) for part in cell)
    if isinstance(cell, dict):
        return json.dumps(cell, ensure_ascii=False)
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(cell).encode("utf-8", "replace").decode()


_READERS: dict[str, Callable[[Backend, Path], tuple[ibis.Table, pd.DataFrame]]] = {
    ".csv": _read_csv,
    ".tsv": _read_delimited("\t"),
    ".parquet": _read_parquet,
    ".json": _read_json,
    ".xlsx": _read_workbook,
}
