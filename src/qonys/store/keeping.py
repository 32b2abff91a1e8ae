"""Vintages, written: bytes that are new become the next vintage of their target, beside its place and then there at once.

A kill leaves nothing half. One process at a time keeps vintages of a target; the lock goes with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from qonys.core.errors import DataError
from qonys.store import cells
from qonys.store.raws import MOST_AGAINST, pack, unpack
from qonys.store.snapshots import MANIFEST, sha256
from qonys.store.tables import room, write_text
from qonys.store.vintages import CELLS, FAULTS, LOOKS, RAW, TARGET, Vintage, folder_of, one_of, opened, state_of, unpacked, vintages

MOST_STEPS = 8  # vintages that must be unpacked to have the bytes of one


class FaultTable(Protocol):
    """What could not be read of a reply: `sources.staged.Faults`."""

    count: int

    def table(self) -> pd.DataFrame:
        """The faults, a row each."""


class Staged(Protocol):
    """A staged table as `sources.staged.Staged` is one."""

    @property
    def batches(self) -> pa.RecordBatchReader:
        """Its cells, to be read once."""

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The columns that tell cells apart, period aside."""

    @property
    def faults(self) -> FaultTable:
        """What could not be read, complete once the batches are read."""

    @property
    def vintage(self) -> str | None:
        """When the publisher released it, if the reply says so."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a reply: the vintage it is, and whether that is new."""

    vintage: Vintage
    new: bool


def keep_reply(
    path: Path, *, target: str, looked_at: datetime, suffix: str | None = None, headers: Mapping[str, str] | None = None,
    publisher_vintage: str | None = None, stage: Callable[[Path], Staged] | None = None, store: Path | None = None,
) -> Kept:  # fmt: skip
    """Keep the bytes of a reply. If they are those of the last vintage only the look is noted; else they become the next one.

    target: its canonical text. looked_at: with a zone. suffix: how the bytes are called when restored; by default the suffixes of `path`.
    publisher_vintage: for a reply that says none itself.
    stage: reads the cells of the bytes, and is called only for new ones; without it only bytes are kept. Of the cells those are kept that
    are new, changed or gone, by all dimensions and the period. The whole is never held in memory.
    Errors: DataError if the file is not there, the store is damaged or cannot be written to, or a cell table is none; what `stage` raises
    goes through, and nothing is kept then.
    """
    if looked_at.tzinfo is None:
        raise DataError(f"the look of {looked_at.isoformat()} has no time zone", mend="give the time as UTC")
    if not path.is_file():
        raise DataError(f"there is no file {path} to keep", mend="fetch it first")
    told = dict(sorted((headers or {}).items()))
    with _locked(target, store) as folder:
        known = vintages(target, store=store)
        digest = sha256(path)
        last = known[-1] if known else None
        if last is None or last.sha256 != digest:
            facts: dict[str, Any] = {
                "target": target, "vintage": len(known) + 1, "looked_at": looked_at.isoformat(), "publisher_vintage": publisher_vintage,
                "sha256": digest, "size": path.stat().st_size, "suffix": "".join(path.suffixes) if suffix is None else suffix,
                "headers": told, "before": sha256(last.folder / MANIFEST) if last else None,
            }  # fmt: skip
            made = _write(folder, path, facts, known, stage, store)
            _look(folder, made, told, looked_at, new=True)
            return Kept(made, True)
        _look(folder, last, told, looked_at, new=False)
        return Kept(last, False)


def keep_look(*, target: str, looked_at: datetime, headers: Mapping[str, str] | None = None, store: Path | None = None) -> Kept:
    """Note that the publisher was asked and had nothing newer. Errors: DataError if there is no vintage yet."""
    one_of(target, None, store)
    with _locked(target, store) as folder:
        last = one_of(target, None, store)
        _look(folder, last, dict(headers or {}), looked_at, new=False)
        return Kept(last, False)


@contextmanager
def _locked(target: str, store: Path | None) -> Iterator[Path]:
    """The target's folder, for this process alone; the lock goes with the process, however that ends."""
    folder = folder_of(target, store)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    except OSError as error:
        raise DataError(f"the store {folder} cannot be written to: {error.strerror}", mend="check QONYS_HOME and its rights") from None
    with room(folder), lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for left in folder.glob(".new-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        if not (folder / TARGET).exists():
            write_text(target, folder / TARGET)
        yield folder


def _write(
    folder: Path, path: Path, facts: dict[str, Any], known: tuple[Vintage, ...], stage: Callable[[Path], Staged] | None,
    store: Path | None,
) -> Vintage:  # fmt: skip
    last = known[-1] if known else None
    draft = Path(tempfile.mkdtemp(dir=folder, prefix=".new-"))
    try:
        against, before = None, None
        if last is not None and _steps(last, known) < MOST_STEPS and last.size <= MOST_AGAINST:
            before = unpacked(last, known, draft).read_bytes()
            against = last.number if pack(path, draft / RAW, before=before) else None
            (draft / "unpacked").unlink()
        else:
            pack(path, draft / RAW)
        unpack(draft / RAW, draft / "unpacked", before=before if against else None)
        if sha256(draft / "unpacked") != facts["sha256"]:
            raise DataError(f"{path} changed while it was kept", mend="fetch it again")
        (draft / "unpacked").unlink()
        facts |= {"against": against, **_cells(draft, path, last, stage, store)}
        facts["publisher_vintage"] = facts.pop("staged_vintage", None) or facts["publisher_vintage"]
        facts["files"] = {one.name: sha256(one) for one in sorted(draft.iterdir())}
        (draft / MANIFEST).write_text(json.dumps(facts, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        for one in draft.iterdir():
            one.chmod(0o444)
            _synced(one)
        draft.chmod(0o755)
        _synced(draft)
        place = folder / f"{facts['vintage']:04d}"
        draft.rename(place)
        _synced(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return opened(place)[0]


def _cells(draft: Path, path: Path, last: Vintage | None, stage: Callable[[Path], Staged] | None, store: Path | None) -> dict[str, Any]:
    if stage is None:
        return {"rows": None, "changed": {}, "whole": False, "repeated": 0, "faults": 0, "keys": [], "rest": []}
    staged = stage(path)
    names = staged.batches.schema.names
    keys = (*(name for name in staged.dimensions if name != cells.PERIOD), cells.PERIOD)
    rest = tuple(name for name in names if name not in keys)
    whole = draft / "whole.parquet"
    rows, repeated = cells.write_whole(staged.batches, whole, keys=keys)
    faults = staged.faults
    if faults.count:
        pq.write_table(pa.Table.from_pandas(faults.table(), preserve_index=False), draft / FAULTS, compression="zstd")
    facts = {
        "rows": rows, "repeated": repeated, "faults": faults.count, "keys": list(keys), "rest": list(rest),
        "staged_vintage": staged.vintage,
    }  # fmt: skip
    if last is None or last.rows is None or (last.keys, set(last.rest)) != (keys, set(rest)):
        whole.replace(draft / CELLS)
        return {**facts, "whole": True, "changed": {"added": rows}}
    before = state_of(last, store)
    after = cells.state(whole, {}, keys=keys, rest=rest)
    changed = cells.write_changes(before, after, draft / CELLS, keys=keys, rest=rest)
    whole.unlink()
    return {**facts, "whole": False, "changed": changed}


def _steps(vintage: Vintage, known: tuple[Vintage, ...]) -> int:
    return 0 if vintage.against is None else 1 + _steps(known[vintage.against - 1], known)


def _look(folder: Path, vintage: Vintage, headers: Mapping[str, str], at: datetime, *, new: bool) -> None:
    line = {
        "looked_at": at.isoformat(), "vintage": vintage.number, "new": new, "publisher_vintage": vintage.publisher_vintage,
        "etag": headers.get("etag", ""), "last_modified": headers.get("last-modified", ""),
    }  # fmt: skip
    with (folder / LOOKS).open("a+b") as stream:
        end = stream.seek(0, os.SEEK_END)
        if end:
            stream.seek(end - 1)
            if stream.read(1) != b"\n":  # a look that was cut off by a kill
                stream.write(b"\n")
        stream.write(json.dumps(line).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def _synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
