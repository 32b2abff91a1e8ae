"""Workbooks (XLSX): sheets row by row as typed values, or whole as text with merged cells filled. XLS of before 2007 is refused."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from qonys.core.errors import SourceError, nearest
from qonys.sources.formats.cells import SPACES
from qonys.sources.formats.opening import beginning, name_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qonys.sources.formats.opening import Source

LARGEST = 2 << 30  # bytes of a sheet once unpacked
# what openpyxl raises on archives and sheets that are not whole
DAMAGED = (
    zipfile.BadZipFile, zlib.error, ParseError, KeyError, ValueError, TypeError, IndexError, AttributeError, EOFError, OSError,
    NotImplementedError,
)  # fmt: skip
PRINTED = 400_000  # cells of a printed table, which is read whole


def sheets(source: Source) -> tuple[str, ...]:
    """The names of the sheets. Errors: SourceError for what is no workbook."""
    book = _book(source, stream=True)
    try:
        return tuple(book.sheetnames)
    finally:
        book.close()


def rows(source: Source, sheet: str | None = None) -> Iterator[tuple[Any, ...]]:
    """The rows of a sheet (the first, if none is named), as typed values, one by one. Errors: SourceError for a damaged sheet."""
    book = _book(source, stream=True)
    try:
        yield from _sheet(book, sheet, name_of(source)).iter_rows(values_only=True)
    except DAMAGED as wrong:
        raise _damaged(source, wrong) from None
    finally:
        book.close()


def grid(source: Source, sheet: str | None = None) -> list[list[str]]:
    """A sheet in memory as text, each merged range filled with its text. Errors: SourceError past 400,000 cells."""
    book = _book(source, stream=False)
    page = _sheet(book, sheet, name_of(source))
    height, width = page.max_row, page.max_column
    if height * width > PRINTED:
        raise SourceError(
            f"{name_of(source)}, sheet {page.title!r}, has {height} rows and {width} columns: too many for a printed table",
            mend="save the table as CSV and write a mapping for it",
        )
    cells = [[written(value) for value in row] for row in page.iter_rows(values_only=True)]
    for merged in page.merged_cells.ranges:
        text = cells[merged.min_row - 1][merged.min_col - 1]
        for row in cells[merged.min_row - 1 : merged.max_row]:
            row[merged.min_col - 1 : merged.max_col] = [text] * (merged.max_col - merged.min_col + 1)
    return cells


def written(value: Any) -> str:
    """A cell as text: whole numbers without a point, days as 2020-03-16, spaces made plain.

    >>> written(2020.0), written(" Всего\\n мигрантов "), written(None)
    ('2020', 'Всего мигрантов', '')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return re.sub(r"\s+", " ", str(value).replace("\u00a0", " ")).strip(SPACES)


def _book(source: Source, *, stream: bool) -> Any:
    import openpyxl

    file = name_of(source)
    if beginning(source, 8).startswith(b"\xd0\xcf\x11\xe0"):
        raise SourceError(f"{file} is an XLS of before 2007, or is locked with a password", mend="save it as XLSX without a password")
    handle = io.BytesIO(whole(source))  # not by its name: a kept file may have any
    try:
        with zipfile.ZipFile(handle) as archive:
            size = sum(one.file_size for one in archive.infolist())
        if size > LARGEST:
            raise SourceError(f"{file} unpacks to {size >> 20} MiB", mend="take the table as CSV")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # openpyxl tells of styles and checks that it does not keep
            return openpyxl.load_workbook(handle, read_only=stream, data_only=True)
    except DAMAGED as wrong:
        raise _damaged(source, wrong) from None


def _damaged(source: Source, wrong: Exception) -> SourceError:
    return SourceError(f"{name_of(source)} is no whole XLSX workbook ({str(wrong)[:100]})", mend="pull it again, or save it as XLSX")


def _sheet(book: Any, sheet: str | None, file: str) -> Any:
    if sheet is None:
        return book.worksheets[0]
    named = {name.strip().casefold(): name for name in book.sheetnames}
    if sheet.strip().casefold() not in named:
        raise SourceError(f"{file} has no sheet {sheet!r}", mend=nearest(sheet, book.sheetnames))
    return book[named[sheet.strip().casefold()]]
