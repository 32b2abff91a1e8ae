"""Every vintage of every table pulled, read: the bytes as received, the table as it was, what changed from one to another.

    <store>/vintages/<publisher>-<dataset>-<hash of the target>/   looks.jsonl   0001/   0002/ ...
    <vintage>/   manifest.json   raw.zst   cells.parquet (the first whole, later ones what changed)   faults.parquet

Immutable, dated, hashed; each manifest names the hash of the one before. `store.keeping` writes them; readers never wait for it.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.errors import DataError, nearest
from qonys.store import cells
from qonys.store.raws import unpack
from qonys.store.snapshots import MANIFEST, sha256, store_folder
from qonys.store.tables import whole_file

if TYPE_CHECKING:
    import ibis
    from ibis.backends.duckdb import Backend

RAW, CELLS, FAULTS, LOOKS, TARGET = "raw.zst", "cells.parquet", "faults.parquet", "looks.jsonl", "target.txt"
LONGEST = 4000  # characters of a target
LOOK = ("looked_at", "vintage", "new", "publisher_vintage", "etag", "last_modified")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vintage:
    """One state of a target. Its facts are those of its manifest, which was found whole and in its place in the chain.

    rows: of the whole table, None if it was not staged; changed: cells by kind against the vintage before; whole: its cells are a whole
    table, as it is the first or its columns are others than those before; repeated: rows that say a cell again; faults: cells not read.
    """

    target: str
    number: int
    looked_at: datetime
    publisher_vintage: str | None
    sha256: str
    size: int
    suffix: str
    headers: Mapping[str, str]
    rows: int | None
    changed: Mapping[str, int]
    whole: bool
    repeated: int
    faults: int
    keys: tuple[str, ...]
    rest: tuple[str, ...]
    against: int | None
    files: Mapping[str, str]
    folder: Path

    @property
    def name(self) -> str:
        """`publisher:dataset@day-hash`, as snapshots are named: what a figure carries."""
        return f"{self.target.partition('?')[0]}@{self.looked_at.date().isoformat()}-{self.sha256[:12]}"

    def path(self, name: str) -> Path:
        """A file of the vintage whose bytes are still those of the manifest. Errors: DataError if they are not."""
        path = self.folder / name
        if name not in self.files or not path.is_file():
            raise DataError(f"vintage {self.number} of {self.target} has no file {name}", mend=f"see {self.folder / MANIFEST}")
        if sha256(path) != self.files[name]:
            raise DataError(f"{path} is not the file that was kept", mend="restore it from a copy of the store; do not go on with it")
        return path


def vintages(target: str, *, store: Path | None = None) -> tuple[Vintage, ...]:
    """All vintages of a target, the oldest first; none if it was never pulled.

    Errors: DataError for a manifest that is missing, unreadable, changed after it was written, or of another target.
    """
    folder, found, before = folder_of(target, store), [], None
    numbers = sorted(int(one.name) for one in folder.glob("[0-9]*") if one.name.isdigit()) if folder.is_dir() else []
    for place, number in enumerate(numbers, start=1):
        vintage, facts = opened(folder / f"{number:04d}")
        if number != place or facts["before"] != before or vintage.target != target or vintage.number != number:
            raise DataError(
                f"vintage {place} of {target} is missing, or was changed after it was written",
                mend=f"restore {folder} from a copy of the store",
            )
        before = sha256(vintage.folder / MANIFEST)
        found.append(vintage)
    return tuple(found)


def latest(target: str, *, store: Path | None = None) -> Vintage | None:
    """The last vintage of a target, or None: its headers say what to ask the publisher against."""
    found = vintages(target, store=store)
    return found[-1] if found else None


def table(con: Backend, target: str, vintage: int | None = None, *, store: Path | None = None) -> ibis.Table:
    """The whole table of a vintage (the last if None), lazily: dimensions, period, copy, value, flag and what else was staged.

    `copy` is 1 but for rows in which the publisher says a cell again. The rows come in no order. Errors: DataError for a vintage that is
    not there, was kept without cells, or whose files were changed.
    """
    return _view(con, state_of(one_of(target, vintage, store), store))


def restore(target: str, vintage: int | None, to: Path, *, store: Path | None = None) -> Path:
    """The bytes of a vintage as they were received, to the file `to`.

    Errors: DataError if they cannot be had bit for bit, or `to` cannot be written to.
    """
    wanted = one_of(target, vintage, store)
    known = vintages(target, store=store)
    with whole_file(to) as draft, tempfile.TemporaryDirectory(dir=to.parent, prefix=".restore-") as scratch:
        unpacked(wanted, known, Path(scratch)).replace(draft)
    return to


def diff(con: Backend, target: str, old: int, new: int, *, store: Path | None = None) -> ibis.Table:
    """What changed from one vintage to a later one, a row each cell, lazily and in the order of its dimensions.

    -> dimensions, period, copy, old, new, change (new - old), percent (of the absolute old; empty where that is zero), old_flag, new_flag,
    what: revised, flag_only, note_only (note, unit or another attribute), added, vanished.
    Errors: DataError for a vintage that is not there or without cells, `old` not before `new`, or other dimensions in between.
    """
    first, last = one_of(target, old, store), one_of(target, new, store)
    if not first.number < last.number:
        raise DataError(f"vintage {old} is not before vintage {new}", mend="name the older one first")
    if first.keys != last.keys:
        other = sorted(set(first.keys) ^ set(last.keys))
        raise DataError(
            f"from vintage {old} to {new} the dimensions of {target} changed: {', '.join(other)}",
            mend="their cells cannot be told to be the same",
        )
    span = vintages(target, store=store)[first.number : last.number]
    shared = tuple(name for name in last.rest if name in first.rest)
    if any(one.whole for one in span):
        query = cells.changes(state_of(first, store), state_of(last, store), keys=last.keys, rest=shared)
    else:
        later = {one.number: one.path(CELLS) for one in span}
        query = cells.between(later, keys=last.keys, rest=shared)
    by = ", ".join(f'"{name}"' for name in (*last.keys, cells.COPY))
    return _view(
        con,
        f'select {by}, "old_value" as old, "value" as new, "value" - "old_value" as change, '
        f'100 * ("value" - "old_value") / nullif(abs("old_value"), 0) as percent, "old_flag", "flag" as new_flag, what '
        f"from ({query}) order by {by}",
    )


def looks(target: str, *, store: Path | None = None) -> pd.DataFrame:
    """Each time the publisher was asked -> looked_at (UTC), vintage, new, publisher_vintage, etag, last_modified."""
    frame = pd.DataFrame(_looks(folder_of(target, store)), columns=list(LOOK))
    return frame.assign(looked_at=pd.to_datetime(frame["looked_at"], utc=True, format="ISO8601"))


def held(*, store: Path | None = None) -> pd.DataFrame:
    """All targets held -> target, vintages, publisher_vintage, looked_at (UTC), rows, bytes (as received), stored, fault.

    fault: what is wrong with a target's vintages, empty if nothing; its other columns are then as far as known.
    """
    rows = []
    for folder in sorted(((store or store_folder()) / "vintages").glob("*")):
        told = folder / TARGET
        if not told.is_file():
            continue
        target = told.read_text(encoding="utf-8")
        row: dict[str, Any] = {
            "target": target,
            "stored": sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()),
            "fault": "",
        }
        try:
            found, asked = vintages(target, store=store), _looks(folder)
            row |= {"vintages": len(found), "bytes": sum(one.size for one in found)}
            if found:
                row |= {"publisher_vintage": found[-1].publisher_vintage, "rows": found[-1].rows}
                row["looked_at"] = max([found[-1].looked_at, *(datetime.fromisoformat(look["looked_at"]) for look in asked)])
            else:
                continue  # a first pull that failed or was killed
        except DataError as error:
            row["fault"] = error.what
        rows.append(row)
    columns = ["target", "vintages", "publisher_vintage", "looked_at", "rows", "bytes", "stored", "fault"]
    frame = pd.DataFrame(rows, columns=columns).astype({"vintages": "Int64", "rows": "Int64", "bytes": "Int64", "stored": "int64"})
    return frame.assign(looked_at=pd.to_datetime(frame["looked_at"], utc=True))


def folder_of(target: str, store: Path | None) -> Path:
    """Where the vintages of a target are. Errors: DataError for what is no target."""
    if not target or len(target) > LONGEST or not target.isprintable():
        raise DataError(f"{target[:80]!r} is no target", mend="write publisher:dataset")
    words = re.sub(r"[^a-z0-9_]+", "-", target.partition("?")[0].lower()).strip("-")[:60]
    return (store or store_folder()) / "vintages" / f"{words}-{hashlib.sha256(target.encode()).hexdigest()[:16]}"


def one_of(target: str, number: int | None, store: Path | None) -> Vintage:
    """A vintage by its number, the last if None. Errors: DataError if there is none."""
    known = vintages(target, store=store)
    if not known:
        raise DataError(f"{target} was never pulled", mend=f"qonys sources pull {target!r}")
    if number is None:
        return known[-1]
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(known):
        raise DataError(f"{target} has no vintage {number!r}", mend=nearest(str(number), [str(one.number) for one in known]))
    return known[number - 1]


def state_of(vintage: Vintage, store: Path | None) -> str:
    """SQL of the whole table of a vintage. Errors: DataError if only its bytes were kept, or a file was changed."""
    if vintage.rows is None:
        raise DataError(f"of vintage {vintage.number} of {vintage.target} only the bytes were kept", mend="restore them and read them anew")
    known = vintages(vintage.target, store=store)[: vintage.number]
    start = max(one.number for one in known if one.whole)
    later = {one.number: one.path(CELLS) for one in known[start:]}
    return cells.state(known[start - 1].path(CELLS), later, keys=vintage.keys, rest=vintage.rest)


def _view(con: Backend, query: str) -> ibis.Table:
    import ibis

    name = ibis.util.gen_name("vintage")
    con.raw_sql(f'create temp view "{name}" as {query}')
    return con.table(name)


def unpacked(vintage: Vintage, known: tuple[Vintage, ...], scratch: Path) -> Path:
    """The bytes of a vintage as a file in `scratch`."""
    before = None if vintage.against is None else unpacked(known[vintage.against - 1], known, scratch).read_bytes()
    draft = scratch / "unpacked"
    unpack(vintage.path(RAW), draft, before=before)
    if sha256(draft) != vintage.sha256:
        raise DataError(f"{vintage.folder / RAW} does not give the bytes that were received", mend="restore it from a copy of the store")
    return draft


def opened(folder: Path) -> tuple[Vintage, dict[str, Any]]:
    """The vintage in a folder and all that its manifest says. Errors: DataError for a manifest that cannot be read."""
    try:
        facts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        vintage = Vintage(
            target=facts["target"], number=facts["vintage"], looked_at=datetime.fromisoformat(facts["looked_at"]), folder=folder,
            keys=tuple(facts["keys"]), rest=tuple(facts["rest"]),
            **{name: facts[name] for name in ("publisher_vintage", "sha256", "size", "suffix", "headers", "rows", "changed", "whole",
                                              "repeated", "faults", "against", "files")},
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{folder / MANIFEST} cannot be read", mend="restore it from a copy of the store") from None
    return vintage, facts


def _looks(folder: Path) -> list[dict[str, Any]]:
    found = []
    path = folder / LOOKS
    for line in path.read_bytes().splitlines() if path.is_file() else []:
        try:
            look = json.loads(line)
        except ValueError:  # cut off by a kill
            continue
        if isinstance(look, dict) and set(look) == set(LOOK):
            found.append(look)
    return found
