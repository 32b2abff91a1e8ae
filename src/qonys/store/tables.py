"""Files out: by suffix, whole or not at all."""

from __future__ import annotations

import errno
import io
import json
import os
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qonys.core.errors import DataError, QonysError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import ibis
    from ibis.backends.duckdb import Backend

LONGEST_SHEET_NAME = 31  # of the XLSX format
MOST_SHEET_ROWS = 1_048_575  # of the XLSX format, below the header
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
_REPRODUCIBLE_DAY = datetime(2020, 1, 1, tzinfo=UTC)  # spreadsheets store when they were made; ours must not differ


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to that becomes `path` only when the block ends well.

    Errors: DataError naming `path` if it is a folder, or the disk takes no more.
    """
    if path.is_dir():
        raise DataError(f"{path} is a folder", mend="name a file in it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    except OSError as error:
        raise DataError(f"{path} cannot be written to: {error.strerror}", mend="choose another path") from None
    os.close(handle)
    draft = Path(name)
    try:
        with room(path):
            yield draft
            draft.chmod(0o644)
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def room(path: Path) -> Iterator[None]:
    """A disk that takes no more becomes a sentence with the path that was named, whichever library met it. Errors: DataError."""
    try:
        yield
    except QonysError:
        raise
    except Exception as error:
        known = [os.strerror(number) for number in _DISK]  # by its words: DuckDB's errors have no number
        why = error.strerror if isinstance(error, OSError) else str(error)
        told = next((words for words in known if words in str(why)), None)
        if told is None:
            raise
        raise DataError(f"{path} cannot be written to: {told}", mend="make room, or choose another path") from None


def read_text(path: Path, *, mend: str = "check the path") -> str:
    """A UTF-8 file a user named, with or without a byte order mark. Errors: DataError if it is missing, with the mend given, or is another
    text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"there is no file {path}", mend=mend) from None
    except UnicodeDecodeError:
        raise DataError(f"{path.name} is not UTF-8 text", mend="save it as UTF-8") from None


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
            flat(frame).to_csv(draft, index=False, lineterminator="\n")
        elif path.suffix == ".json":
            records = json.loads(frame.to_json(orient="records", date_format="iso"))
            draft.write_text(json.dumps(records, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        elif path.suffix == ".xlsx":
            write_workbook({path.stem: frame}, draft)
        else:
            raise DataError(
                f"{path.name} has the suffix {path.suffix!r}", mend=nearest(path.suffix, (".csv", ".json", ".parquet", ".xlsx"))
            )


def read_back(path: Path) -> pd.DataFrame:
    """A Parquet table that `write_table` wrote, with its lists as lists and its gaps in texts as None."""
    table = pq.read_table(path)
    frame = table.to_pandas()
    for field in table.schema:
        if pa.types.is_list(field.type):
            frame[field.name] = table[field.name].to_pylist()
    return frame


def write_lazy(con: Backend, table: ibis.Table, path: Path) -> int:
    """The rows of an expression to a file by suffix, without holding them: Parquet and CSV are written by the engine. Gives their number.

    Order the expression by all that tells its rows apart, or the bytes may differ from run to run.
    """
    if path.suffix not in (".parquet", ".csv"):
        frame = con.to_pandas(table)
        write_table(frame, path)
        return len(frame)
    lists = [name for name, kind in table.schema().items() if kind.is_array()]
    with whole_file(path) as draft:
        if path.suffix == ".parquet":
            con.to_parquet(table, draft, compression="zstd")
        else:
            con.to_csv(table.mutate(**{name: table[name].join(" ") for name in lists}), draft)
        return int(con.execute((con.read_parquet(draft) if path.suffix == ".parquet" else con.read_csv(draft, all_varchar=True)).count()))


def write_workbook(sheets: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Several tables to one XLSX workbook, a sheet each, with frozen and filtered headers."""
    import xlsxwriter

    for name, frame in sheets.items():
        if len(frame) > MOST_SHEET_ROWS:
            raise DataError(f"{name} has {len(frame):,} rows, and a sheet takes {MOST_SHEET_ROWS:,}", mend="write it to .csv or .parquet")
    content = io.BytesIO()  # not the file: what is left of an archive on a full disk would complain once more
    book = xlsxwriter.Workbook(content, {"nan_inf_to_errors": False, "default_date_format": "yyyy-mm-dd", "remove_timezone": True})
    book.set_properties({"created": _REPRODUCIBLE_DAY.replace(tzinfo=None)})
    head = book.add_format({"bold": True, "bottom": 1})
    for name, frame in sheets.items():
        sheet = book.add_worksheet(name if len(name) <= LONGEST_SHEET_NAME else f"{name[: LONGEST_SHEET_NAME - 9]}~{name[-8:]}")
        cells = flat(frame)
        for position, column in enumerate(cells.columns):
            sheet.write_string(0, position, str(column), head)
            values = [None if pd.isna(value) else value for value in cells[column].tolist()]
            for line, value in enumerate(values, start=1):
                if isinstance(value, str):
                    sheet.write_string(line, position, value)  # never a formula, whatever the text begins with
                elif value is not None:
                    sheet.write(line, position, value)
            width = max([len(str(column)), *(len(str(value)) for value in values[:200] if value is not None)])
            sheet.set_column(position, position, min(width + 2, 60))
        sheet.freeze_panes(1, 0)
        if len(cells):
            sheet.autofilter(0, 0, len(cells), max(len(cells.columns) - 1, 0))
    book.close()
    path.write_bytes(content.getvalue())


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Lists as words separated by spaces, so that text formats can hold them and `take_in` reads them back."""
    cells = frame.copy()
    for column in cells.columns:
        if cells[column].dtype == object:
            cells[column] = [" ".join(map(str, value)) if _is_list(value) else value for value in cells[column]]
    return cells


def _is_list(value: object) -> bool:
    return not isinstance(value, (str, bytes)) and hasattr(value, "__iter__")
