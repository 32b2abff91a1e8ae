"""Files larger than memory, in: the table of `read_raw` in pieces, with the row numbers of the whole file."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qonys.core.errors import DataError
from qonys.store.connect import connect
from qonys.store.raw import read_raw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PIECE_BYTES = 2**25
PIECE_ROWS = 500_000
MOST_PIECES = 4  # that a line may fill
HEADER = 2**20  # bytes it may have
LONGEST = 50  # line ends in a malformed line; with more a quote has swallowed good lines
_QUOTE, _NEWLINE = ord('"'), ord("\n")


def read_pieces(path: Path, *, piece_bytes: int = PIECE_BYTES, piece_rows: int = PIECE_ROWS) -> Iterator[tuple[pa.Table, pd.DataFrame]]:
    """A file as tables of text (Parquet keeps its types) with `row`, and the malformed lines of each piece (row, found).

    Delimited text comes in pieces of about `piece_bytes`, cut between lines; Parquet in `piece_rows`; other files are one piece. At least
    one piece comes. Errors: as `read_raw`, and DataError for a quote that is never closed; found when the piece is read.
    """
    if path.is_file() and path.suffix.lower() == ".parquet":
        yield from _parquet(path, piece_rows)
    elif path.is_file() and path.suffix.lower() in (".csv", ".tsv") and path.stat().st_size > piece_bytes:
        yield from _delimited(path, piece_bytes)
    else:
        yield _piece(path)


def _piece(path: Path) -> tuple[pa.Table, pd.DataFrame]:
    con = connect()
    table, malformed = read_raw(con, path)
    for line in malformed.itertuples():
        if str(line.found).count("\n") > LONGEST:
            raise DataError(f"{path.name}, row {line.row}: a quote is opened and never closed", mend="close it, or take it out")
    try:
        return con.to_pyarrow(table), malformed
    finally:
        con.disconnect()


def _parquet(path: Path, piece_rows: int) -> Iterator[tuple[pa.Table, pd.DataFrame]]:
    none = pd.DataFrame({"row": pd.Series([], dtype="int64"), "found": pd.Series([], dtype=str)})
    first = 2  # the header is row 1
    try:
        with pq.ParquetFile(path) as file:
            names = [name for name in file.schema_arrow.names if name != "row"]
            empty = file.schema_arrow.empty_table().select(names)
            for batch in file.iter_batches(piece_rows, columns=names):
                yield pa.Table.from_batches([batch]).append_column("row", pa.array(np.arange(first, first + len(batch)))), none
                first += len(batch)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(
            f"{path.name} cannot be read: {str(error).splitlines()[0]}", mend="write it again as Parquet, or as CSV in UTF-8"
        ) from None
    if first == 2:
        yield empty.append_column("row", pa.array([], pa.int64())), none


def _delimited(path: Path, piece_bytes: int) -> Iterator[tuple[pa.Table, pd.DataFrame]]:
    """Each piece is read as a file of its own, with the header before it and under the name of the whole, so that errors name it."""
    done = 0  # rows of earlier pieces, the header left aside
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".pieces-") as folder, path.open("rb") as stream:
        block = stream.read(min(piece_bytes, HEADER))
        ends = _line_ends(block)
        if not len(ends):
            yield _piece(path)
            return
        header, rest = block[: ends[0] + 1], block[ends[0] + 1 :]
        draft = Path(folder) / path.name
        while True:
            more = stream.read(piece_bytes)
            text = rest + more
            if not text:
                return
            ends = _line_ends(text)
            if not len(ends) and len(text) > MOST_PIECES * piece_bytes:  # a quote that is never closed: let the reader name the line
                ends = np.array([text.rfind(b"\n")])
            end = len(text) if not more else int(ends[-1]) + 1 if len(ends) else 0
            text, rest = text[:end], text[end:]
            if not text:  # a line longer than a piece
                continue
            draft.write_bytes(header + text)
            try:
                table, malformed = _piece(draft)
            except DataError as error:
                named = re.sub(r"\brow (\d+)", lambda row: f"row {int(row[1]) + done}", error.what)  # noqa: B023 - used at once
                raise DataError(named, mend=error.mend) from None
            place = table.column_names.index("row")
            table = table.set_column(place, "row", pa.array(table["row"].to_numpy() + done))
            yield table, malformed.assign(row=malformed["row"] + done)
            done += len(ends)


def _line_ends(text: bytes) -> NDArray[np.int64]:
    """Where lines end: line ends that are not between quotes."""
    letters = np.frombuffer(text, dtype=np.uint8)
    ends = letters == _NEWLINE
    if b'"' in text:
        ends &= np.cumsum(letters == _QUOTE, dtype=np.uint8) % 2 == 0  # the parity outlives the overflow
    return np.flatnonzero(ends)
