"""Files in and out. In: everything as text with row numbers. Out: by suffix, whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qonys.core.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibis.backends.duckdb import Backend

READABLE = (".csv", ".tsv", ".parquet", ".json", ".xlsx")
MOST_MALFORMED_LINES = 1000
LONGEST_SHEET_NAME = 31  # of the XLSX format
_REPRODUCIBLE_DAY = datetime(2020, 1, 1, tzinfo=UTC)  # spreadsheets store when they were made; ours must not differ


def read_raw(con: Backend, path: Path) -> tuple[ibis.Table, pd.DataFrame]:
    """A file as a table of text columns (Parquet keeps its types) with `row`, and its malformed lines.

    `row` counts as a spreadsheet does: the header is row 1. Malformed lines: row, column, rule, found.
    Errors: DataError for a missing file, an unknown suffix, or text that is not UTF-8.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}", mend="check the path")
    if path.suffix not in READABLE:
        raise DataError(f"{path.name} has the suffix {path.suffix!r}", mend=nearest(path.suffix, READABLE))
    none = pd.DataFrame({"row": [], "column": [], "rule": [], "found": []})
    if path.suffix in (".csv", ".tsv"):
        return _read_delimited(con, path, "\t" if path.suffix == ".tsv" else ",")
    if path.suffix == ".parquet":
        table = con.read_parquet(path)
        return table.mutate(row=ibis.row_number() + 2), none
    try:
        frame = pd.read_json(path, dtype=False) if path.suffix == ".json" else pd.read_excel(path, dtype=str)
    except ValueError as error:
        raise DataError(f"{path.name} cannot be read: {error}", mend="save it again as CSV in UTF-8") from None
    text = frame.astype("string").where(frame.notna(), None)
    text["row"] = range(2, len(text) + 2)
    return ibis.memtable(text), none


def _read_delimited(con: Backend, path: Path, delimiter: str) -> tuple[ibis.Table, pd.DataFrame]:
    name = ibis.util.gen_name("raw")
    options = f"all_varchar=true, header=true, delim='{delimiter}', quote='\"', escape='\"', strict_mode=true"
    keep = f"store_rejects=true, rejects_table='{name}_r', rejects_scan='{name}_s', rejects_limit={MOST_MALFORMED_LINES + 1}"
    source = str(path).replace("'", "''")
    try:
        con.raw_sql(
            f"create temp table {name} as select row_number() over () + 1 as _position, * "
            f"from read_csv('{source}', {options}, {keep})"
        )
    except Exception as error:
        raise DataError(f"{path.name} cannot be read: {_first_line(error)}", mend="save it as UTF-8 with a header row") from None
    rejects = con.raw_sql(
        f"select line, error_type, any_value(csv_line) from {name}_r group by 1, 2 order by 1"
    ).fetchall()
    if len(rejects) > MOST_MALFORMED_LINES:
        raise DataError(
            f"{path.name} has more than {MOST_MALFORMED_LINES} malformed lines, the first is line {rejects[0][0]}",
            mend="check the delimiter and the quotes",
        )
    table = con.table(name)
    row = table["_position"]
    for line, _, _ in rejects:  # DuckDB numbers the rows it kept: move them past each line it did not
        row = ibis.ifelse(row >= line, row + 1, row)
    malformed = pd.DataFrame(
        {
            "row": [line for line, _, _ in rejects],
            "column": ["" for _ in rejects],
            "rule": ["malformed_line" for _ in rejects],
            "found": [text for _, _, text in rejects],
        }
    )
    return table.mutate(row=row).drop("_position"), malformed


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].removeprefix("Invalid Input Error: ")


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to that becomes `path` only when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(0o644)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_text(text: str, path: Path) -> None:
    """Text to a UTF-8 file, whole or not at all."""
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="\n")


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """A table to CSV, JSON, Parquet or XLSX by suffix; same rows in, same bytes out."""
    with whole_file(path) as draft:
        if path.suffix == ".parquet":
            table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
            pq.write_table(table, draft, compression="zstd")
        elif path.suffix == ".csv":
            _flat(frame).to_csv(draft, index=False, lineterminator="\n")
        elif path.suffix == ".json":
            records = json.loads(frame.to_json(orient="records", date_format="iso"))
            draft.write_text(json.dumps(records, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        elif path.suffix == ".xlsx":
            write_workbook({path.stem: frame}, draft)
        else:
            raise DataError(
                f"{path.name} has the suffix {path.suffix!r}", mend=nearest(path.suffix, (".csv", ".json", ".parquet", ".xlsx"))
            )


def write_workbook(sheets: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Several tables to one XLSX workbook, a sheet each, with frozen and filtered headers."""
    import xlsxwriter

    book = xlsxwriter.Workbook(path, {"nan_inf_to_errors": False, "default_date_format": "yyyy-mm-dd", "remove_timezone": True})
    book.set_properties({"created": _REPRODUCIBLE_DAY.replace(tzinfo=None)})
    head = book.add_format({"bold": True, "bottom": 1})
    for name, frame in sheets.items():
        sheet = book.add_worksheet(name if len(name) <= LONGEST_SHEET_NAME else f"{name[: LONGEST_SHEET_NAME - 9]}~{name[-8:]}")
        flat = _flat(frame)
        sheet.write_row(0, 0, [str(column) for column in flat.columns], head)
        for position, column in enumerate(flat.columns):
            values = [None if pd.isna(value) else value for value in flat[column].tolist()]
            for line, value in enumerate(values, start=1):
                if isinstance(value, str):
                    sheet.write_string(line, position, value)  # never a formula, whatever the text begins with
                elif value is not None:
                    sheet.write(line, position, value)
            width = max([len(str(column)), *(len(str(value)) for value in values[:200] if value is not None)])
            sheet.set_column(position, position, min(width + 2, 60))
        sheet.freeze_panes(1, 0)
        if len(flat):
            sheet.autofilter(0, 0, len(flat), max(len(flat.columns) - 1, 0))
    book.close()


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Lists as words separated by spaces, so that text formats can hold them and `take_in` reads them back."""
    flat = frame.copy()
    for column in flat.columns:
        if flat[column].dtype == object:
            flat[column] = [" ".join(value) if _is_list(value) else value for value in flat[column]]
    return flat


def _is_list(value: object) -> bool:
    return not isinstance(value, str) and hasattr(value, "__iter__")
