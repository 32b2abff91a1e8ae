"""Border records in: a border service's own files become crossings of hashed ids in Parquet, out of core; bad rows stand beside the input.

Document numbers are hashed piece by piece as they are read: neither the output nor the quarantine nor a sentence has one.
"""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from qonys.border.aliases import Aliases, read_aliases, read_hashed_aliases
from qonys.border.keys import KEY_ID, check_same_key
from qonys.border.layout import Layout, read_layout, to_crossings
from qonys.core.contracts import CROSSING
from qonys.core.errors import DataError
from qonys.core.validate import ROW, examine, sentence
from qonys.store import connect
from qonys.store.batches import read_metadata, write_batches
from qonys.store.pieces import read_pieces
from qonys.store.tables import read_text, whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ibis.backends import BaseBackend

    from qonys.border.keys import Key

MOST_NAMED = 5  # faults told as sentences; all of them stand in the quarantine
_TYPES = {"instant": pa.timestamp("us"), "integer": pa.int16(), "date": pa.date32()}
_NUMBER = re.compile(r"\d{5,}")  # as no date or word has it, but a document


@dataclass(frozen=True, slots=True)
class Imported:
    """What came in: rows written, bad rows, the first faults as sentences, the files of bad rows, the id of the key."""

    rows: int
    bad_rows: int
    faults: tuple[str, ...]
    quarantine: tuple[Path, ...]
    key_id: str


def import_files(
    sources: Sequence[Path], target: Path, layout: Layout, key: Key, aliases: Aliases | None = None, *,
    tell: Callable[[Path, int], None] = lambda *_: None,
) -> Imported:  # fmt: skip
    """The records of files of one layout as crossings in one Parquet file, which names the key's id; bad rows beside each file, with `why`.

    A piece of a file is held at a time. aliases: of documents, not of hashes. tell: the file, and its rows so far. If anything fails, or
    the run is interrupted, no file is left, nor changed. Columns are those of the contract that the layout names; `at` is UTC.
    Errors: DataError for a file that cannot be read, holds nothing or is named twice, an output that is an input, a column that is not
    there, or a first piece without a good row, as the layout is then wrong.
    """
    seen = {path.resolve() for path in sources}
    if len(seen) < len(sources):
        raise DataError("a file is named twice", mend="name each file once: its crossings would count twice")
    if target.resolve() in seen:
        raise DataError(f"{target} is the input too", mend="name another output")
    con = connect()
    with ExitStack() as drafts:
        bad = [_Quarantine(path, drafts) for path in sources]

        def crossings() -> Iterator[dict[str, pa.Table]]:
            for path, quarantine in zip(sources, bad, strict=True):
                rows = 0
                for raw, malformed in read_pieces(path):
                    made = to_crossings(raw, layout, key, aliases, file=path.name)
                    good = _admit(con, made, malformed, quarantine)
                    if not rows and not len(good) and quarantine.rows:
                        raise DataError(f"no row of {path.name} is good: {quarantine.faults[0]}", mend="mend the layout")
                    rows += len(made) + len(malformed)
                    tell(path, rows)
                    yield {"crossings": good}
                if not rows:
                    raise DataError(f"{path.name} holds no records", mend="check the export")

        written = write_batches(crossings(), {"crossings": target}, metadata={KEY_ID: key.key_id})
    for quarantine in bad:
        if not quarantine.rows:
            quarantine.file.unlink(missing_ok=True)  # a mended file leaves no old quarantine behind
    faults = [fault for quarantine in bad for fault in quarantine.faults]
    kept = tuple(quarantine.file for quarantine in bad if quarantine.rows)
    return Imported(written["crossings"], sum(quarantine.rows for quarantine in bad), tuple(faults[:MOST_NAMED]), kept, key.key_id)


def layout_of(file: Path) -> Layout:
    """The layout in a TOML file. Errors: DataError for a file that is missing or is none."""
    return read_layout(read_text(file), file=file.name)


def aliases_of(file: Path) -> Aliases:
    """An alias table of documents (see `border.aliases`) in a table file. Errors: DataError as `read_aliases`, and for malformed lines."""
    return read_aliases(_alias_table(file), file=file.name)


def hashed_aliases_of(file: Path, crossings: Path) -> Aliases:
    """An alias table of hashed ids for crossings that are hashed already: for `border.aliases.one_person`.

    Errors: DataError for a table that is none, or that was hashed with another key than the crossings, as far as the files say.
    """
    aliases = read_hashed_aliases(_alias_table(file), file=file.name)
    if file.suffix == ".parquet":
        check_same_key({one.name: read_metadata(one).get(KEY_ID) for one in (crossings, file)})
    return aliases


def _alias_table(file: Path) -> pa.Table:
    tables = []
    for table, malformed in read_pieces(file):
        if len(malformed):
            raise DataError(
                f"{file.name}, row {malformed[ROW].iloc[0]}: the line does not fit the header", mend="check its separators and quotes"
            )
        tables.append(table)
    return pa.concat_tables(tables)


class _Quarantine:
    """The bad rows of one file, written as they come: where they stand and why, and what was made of them; never a document."""

    def __init__(self, source: Path, drafts: ExitStack) -> None:
        self.source = source
        self.file = source.with_name(f"{source.stem}.quarantine.csv")
        self.rows = 0
        self.faults: list[str] = []
        self._drafts = drafts
        self._stream: TextIO | None = None

    def add(self, rows: pd.DataFrame) -> None:
        """rows: why, row, and the columns of the contract."""
        if self._stream is None:  # begun with the first bad row: a good file has no quarantine
            draft = self._drafts.enter_context(whole_file(self.file))
            self._stream = self._drafts.enter_context(draft.open("w", encoding="utf-8", newline=""))
        rows.to_csv(self._stream, index=False, header=not self.rows, lineterminator="\n")
        self.faults += rows["why"].head(MOST_NAMED - len(self.faults)).tolist() if len(self.faults) < MOST_NAMED else []
        self.rows += len(rows)


def _admit(con: BaseBackend, made: pa.Table, malformed: pd.DataFrame, quarantine: _Quarantine) -> pa.Table:
    """The good rows, typed; the others go to the quarantine."""
    name = quarantine.source.name
    names = [one for one in CROSSING.names if one in made.column_names]
    seen = examine(ibis.memtable(made), CROSSING, file=name)
    faults = con.to_pandas(seen.faults)
    typed = con.to_pyarrow(seen.typed.select(ROW, *names).order_by(ROW))
    if len(faults) or len(malformed):
        bad = np.isin(made[ROW].to_numpy(), faults[ROW].to_numpy())
        quarantine.add(_bad_rows(made.filter(pa.array(bad)), faults, malformed, name))
        typed = typed.filter(pa.array(~np.isin(typed[ROW].to_numpy(), faults[ROW].to_numpy())))
    return typed.select(names).cast(pa.schema({one: _TYPES.get(CROSSING.column(one).kind, pa.string()) for one in names}))


def _bad_rows(rows: pa.Table, faults: pd.DataFrame, malformed: pd.DataFrame, file: str) -> pd.DataFrame:
    cells = rows.to_pandas().astype({name: "string" for name in rows.column_names if name != ROW})
    for name in cells.columns.difference(["person_id", ROW]):
        cells[name] = cells[name].str.replace(_NUMBER, _hidden, regex=True)
    by_row = cells.set_index(ROW)
    why: dict[int, list[str]] = {int(row): [f"{file}, row {row}: the line does not fit the header"] for row in malformed[ROW]}
    for fault in faults.sort_values([ROW, "column", "rule"]).itertuples():
        found = by_row.at[fault.row, fault.column]
        text = sentence(
            place=f"{file}:{fault.row}", column=fault.column, rule=fault.rule, found=None if pd.isna(found) else found, contract=CROSSING
        )
        why.setdefault(int(fault.row), []).append(text)
    # of a malformed line nothing is kept but where it is: nobody knows in which place a document stands
    out = by_row.reindex(sorted(why)).reset_index()
    out.insert(0, "why", [" | ".join(why[row]) for row in out[ROW]])
    return out


def _hidden(found: re.Match[str]) -> str:
    return "#" * len(found[0])
