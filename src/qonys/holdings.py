"""Publishers' data held: a target is pulled into the store as a vintage, read back, compared with an earlier one, made a contract.

pull          ask the publisher; keep what is new
staged        a vintage as the publisher wrote it
harmonised    a vintage as rows of the contract its table maps to
revisions     what changed between two vintages, cell by cell
touched       which studies name the target
holdings      everything held, and how old it is
stamp         whether that changed
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module
from importlib.metadata import version
from importlib.resources import files
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from qonys.core.errors import DataError, SourceError, nearest
from qonys.sources.catalogue import publisher
from qonys.sources.target import complete, parse
from qonys.store import connect
from qonys.store import vintages as store_vintages
from qonys.store.keeping import keep_look, keep_reply
from qonys.store.snapshots import store_folder
from qonys.store.tables import room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import ibis
    from ibis.backends.duckdb import Backend

    from qonys.sources.harmonise import Harmonised
    from qonys.sources.reply import Reply
    from qonys.sources.request import Request
    from qonys.sources.settings import Settings
    from qonys.sources.staged import Staged
    from qonys.sources.target import Target
    from qonys.store.vintages import Vintage

PULLED = "pulled:"  # how a study names a target
QUARANTINE = "quarantine"
# a target may hold "@" itself, as those of the OECD do: only what looks like a vintage is one
_WHICH = re.compile(r"(?P<target>.+)@(?P<which>\d{1,5}|\d{4}-\d\d-\d\d(-[0-9a-f]{12})?)")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull came to: the target, its vintage, whether that is new, when it was looked at, and how often was asked."""

    target: str
    vintage: Vintage
    new: bool
    looked_at: datetime
    tries: int


def pull(text: str, *, store: Path | None = None, progress: Callable[[int, int | None], None] | None = None, **own: Any) -> Pulled:
    """Ask the publisher for a target and keep what is new. own: settings of the network, see `sources.settings`.

    A reply that has not changed is noted as a look. One of a wrong shape, without a cell, or that cannot be read stands in the store's
    quarantine. One process at a time pulls a target.
    Errors: SourceError as a sentence with the host and the mend; DataError for a store that is damaged or cannot be written to.
    """
    from qonys.sources import settings
    from qonys.sources.part import alone

    target = complete(parse(text))
    facts, module = publisher(target.publisher), _module(target.publisher)
    home = store or store_folder()
    request = module.request(target.dataset, target.codes, facts)
    how = settings(facts, quarantine=home / QUARANTINE, **own)
    last = store_vintages.latest(target.text, store=store)
    into = home / "coming" / target.digest[:16]
    with alone(into), room(home):
        reply = _asked(target.publisher, request, last, into=into, how=how, progress=progress)
        told = {"etag": reply.etag, "last-modified": reply.last_modified, "url": reply.url}
        if not reply.changed or reply.path is None:
            kept = keep_look(target=target.text, looked_at=reply.looked_at, headers=told, store=store)
            return Pulled(target.text, kept.vintage, kept.new, reply.looked_at, reply.tries)
        try:
            kept = keep_reply(
                reply.path, target=target.text, looked_at=reply.looked_at, suffix=request.suffix, headers=told, store=store,
                publisher_vintage=_day(reply.last_modified), stage=lambda path: _filled(module.stage(path, target.dataset, facts)),
            )  # fmt: skip
        except SourceError as error:
            raise _aside(error, target, request, reply, home / QUARANTINE) from None
        finally:
            reply.path.unlink(missing_ok=True)
        return Pulled(target.text, kept.vintage, kept.new, reply.looked_at, reply.tries)


def _asked(
    key: str, request: Request, last: Vintage | None, *, into: Path, how: Settings, progress: Callable[[int, int | None], None] | None
) -> Reply:
    """The publisher's reply, one or all its pages; none where it has nothing newer than the last vintage."""
    from qonys.sources import eurostat_reply
    from qonys.sources.fetch import fetch
    from qonys.sources.pages import fetch_pages

    module, held = _module(key), last.headers if last else {}
    if hasattr(module, "following"):
        return fetch_pages(request, into=into, following=module.following, settings=how, progress=progress)
    return fetch(
        request, into=into, settings=how, quirk=eurostat_reply.verdict if key == "eurostat" else None, etag=held.get("etag", ""),
        last_modified=held.get("last-modified", ""), progress=progress,
    )  # fmt: skip


def _filled(staged: Staged) -> Staged:
    """The same table, refused at its end if not one cell came: a publisher that says nothing has not revised every figure away."""

    def read() -> Iterator[pa.RecordBatch]:
        rows = 0
        for batch in staged.batches:
            rows += batch.num_rows
            yield batch
        if not rows:
            unread = f", and {staged.faults.count} that cannot be read" if staged.faults.count else ""
            raise SourceError(f"it holds no cell{unread}", mend="check the codes of its filters")

    return replace(staged, batches=pa.RecordBatchReader.from_batches(staged.batches.schema, read()))


def _aside(error: SourceError, target: Target, request: Request, reply: Reply, folder: Path) -> SourceError:
    """The reply goes to the quarantine; the sentence says what is wrong with it and where it is."""
    from qonys.sources.reply import set_aside

    assert reply.path is not None
    found = error.what.replace(reply.path.name, "the reply")  # its name is one of ours
    kept = set_aside(reply.path, folder=folder, request=request, url=reply.url, headers=reply.headers, found=found, at=reply.looked_at)
    return SourceError(f"{target.text} came in a shape that is not understood: {found}", mend=f"{error.mend}; it is kept in {kept}")


def parted(text: str) -> tuple[str, str]:
    """A target and which of its vintages: `("oecd:...@DF_MIG,1.0", "2")` of `oecd:...@DF_MIG,1.0@2`; "" where none is named."""
    named = _WHICH.fullmatch(text)
    return (named["target"], named["which"]) if named else (text.removesuffix("@"), "")


def found(text: str, *, store: Path | None = None) -> Vintage:
    """A vintage held, by `TARGET` (the last), `TARGET@NUMBER`, `TARGET@2026-11-30` (the last that was new on or before that day), or by
    the name that a figure carries, `publisher:dataset@2026-11-30-0123456789ab`, of whatever filters it is.

    Errors: SourceError for a target that was never pulled, or a vintage that is not there; DataError for a store that is damaged.
    """
    name, which = parted(text)
    if len(which) > len("2026-11-30"):
        return _named(name, text, store)
    target = complete(parse(name))
    known = store_vintages.vintages(target.text, store=store)
    if not known:
        near = nearest(target.text, store_vintages.held(store=store)["target"])
        meant = f"; or {near}" if near.startswith("did you mean") else ""
        raise SourceError(f"{target.text} was never pulled", mend=f"pull it: qonys sources pull '{target.text}'{meant}")
    if not which:
        return known[-1]
    if which.isdigit():
        if 1 <= int(which) <= len(known):
            return known[int(which) - 1]
        raise SourceError(f"{target.text} has no vintage {which}", mend=f"it has 1 to {len(known)}")
    try:
        days = [one for one in known if one.looked_at.date() <= date.fromisoformat(which)]
    except ValueError:
        raise SourceError(f"{which} is no day", mend="write TARGET@2026-11-30 or TARGET@NUMBER") from None
    if not days:
        raise SourceError(f"{target.text} has no vintage of {which}", mend=f"the first is of {known[0].looked_at.date()}")
    return days[-1]


def _named(dataset: str, name: str, store: Path | None) -> Vintage:
    """The vintage of that name, among the targets of a dataset that are whole."""
    held = store_vintages.held(store=store)
    of = [str(row.target) for row in held.itertuples() if not row.fault and str(row.target).partition("?")[0] == dataset.partition("?")[0]]
    for target in of:
        for one in store_vintages.vintages(target, store=store):
            if one.name == f"{dataset.partition('?')[0]}@{name.rpartition('@')[2]}":
                return one
    raise SourceError(f"no vintage held is called {name}", mend="see which are: qonys sources status")


def staged(con: Backend, vintage: Vintage, *, store: Path | None = None) -> ibis.Table:
    """A vintage as the publisher wrote it: its own dimensions and codes, period, value, flag, unit, note; lazily, in no order."""
    return store_vintages.table(con, vintage.target, vintage.number, store=store)


def harmonised(
    vintage: Vintage, *, store: Path | None = None, aggregates: bool = False, keep: Mapping[str, str | Sequence[str]] | None = None
) -> Harmonised:
    """A vintage as rows of the contract that its table maps to; every row carries the vintage. aggregates, keep: as in `harmonise`.

    Errors: SourceError for a table without a plan, DataError for a table without a column that its plan reads.
    """
    from qonys.sources.harmonise import harmonise
    from qonys.sources.staged import Faults, Staged
    from qonys.store.batches import streamed

    target = parse(vintage.target)
    con = connect(threads=1)  # rows come in the same order each time; sorting them would cost more than all the rest
    table = staged(con, vintage, store=store).drop("copy")
    whole = Staged(
        batches=streamed(table), dimensions=tuple(key for key in vintage.keys if key != "period"), faults=Faults(vintage.name),
        vintage=vintage.publisher_vintage or vintage.looked_at.date().isoformat(),
    )  # fmt: skip
    return harmonise(whole, target.publisher, target.dataset, aggregates=aggregates, keep=keep)


def contract_file(text: str, contract: str, *, store: Path | None = None) -> tuple[Path, str]:
    """A pulled target as a Parquet file of a contract, made once for a vintage and a plan; and the vintage's name, which a run carries.

    Errors: SourceError as `found`, or for a table that maps to another contract.
    """
    vintage = found(text, store=store)
    rows = harmonised(vintage, store=store)
    if rows.contract != contract:
        raise SourceError(f"{vintage.target} is a {rows.contract}, not a {contract}", mend=f"name it under {rows.contract} in [tables]")
    path = (store or store_folder()) / "contracts" / f"{vintage.folder.parent.name}-{vintage.number:04d}-{_plans()}.parquet"
    if not path.is_file():
        write_rows(rows.batches, path)
    return path, vintage.name


def write_rows(batches: pa.RecordBatchReader, path: Path) -> int:
    """Batches to a Parquet file as they come, with their types also where all cells are empty or no row comes -> number of rows."""
    from qonys.store.batches import write_batches

    none = batches.schema.empty_table()
    tables = chain([none], (pa.Table.from_batches([batch]) for batch in batches))
    return write_batches(({"rows": table} for table in tables), {"rows": path})["rows"]


@cache
def _plans() -> str:
    """What rows of a contract are made by: the plans and this version. Others make a file anew."""
    plans = (files("qonys") / "data" / "harmonise.toml").read_bytes()
    return hashlib.sha256(version("qonys").encode() + plans).hexdigest()[:8]


def revisions(old: Vintage, new: Vintage, *, store: Path | None = None) -> pd.DataFrame:
    """Cells that changed from one vintage of a target to another: dimensions, period, old, new, change, percent, flags, what.

    Errors: DataError for vintages of two targets.
    """
    if old.target != new.target:
        raise DataError(f"{old.target} and {new.target} are two targets", mend="compare two vintages of one target")
    con = connect()
    found_ = store_vintages.diff(con, old.target, old.number, new.number, store=store)
    return con.to_pandas(found_)


def touched(target: str, folders: Iterable[Path]) -> list[Path]:
    """Study files among these, and in these folders and below, that name the target (with or without a vintage).

    Errors: DataError for a folder that is not there.
    """
    wanted = complete(parse(target)).text
    paths: set[Path] = set()
    for folder in folders:
        if not folder.exists():
            raise DataError(f"there is no folder {folder}", mend="check the path of --studies")
        paths |= set(folder.rglob("*.toml")) if folder.is_dir() else {folder}
    touching = []
    for path in sorted(paths):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8")).get("tables", {})
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError):
            continue
        names = [name for group in tables.values() if isinstance(group, list) for name in group] if isinstance(tables, dict) else []
        if any(_same(name, wanted) for name in names if isinstance(name, str) and name.startswith(PULLED)):
            touching.append(path)
    return touching


def holdings(*, store: Path | None = None, now: datetime | None = None) -> pd.DataFrame:
    """Every target held: target, vintages, publisher_vintage, looked_at, days_ago, rows, bytes, stored, fault."""
    table = store_vintages.held(store=store)
    today = now or datetime.now(UTC)
    seen = pd.to_datetime(table["looked_at"], utc=True)
    return table.assign(days_ago=[None if pd.isna(one) else (today - one).days for one in seen])


def _same(name: str, wanted: str) -> bool:
    try:
        return complete(parse(parted(name.removeprefix(PULLED))[0])).text == wanted
    except SourceError:
        return False


def _module(key: str) -> ModuleType:
    """The module of a publisher: its quirks."""
    return import_module(f"qonys.sources.{key}")


def _day(moment: str) -> str | None:
    """The day of a Last-Modified header, for publishers whose replies say no vintage."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(moment).date().isoformat() if moment else None
    except (TypeError, ValueError):
        return None


def stamp(store: Path | None = None) -> int:
    """Changes when a publisher was asked or a vintage came; looks at no file's content. 0 for a store that holds nothing."""
    newest = 0
    for folder in ((store or store_folder()) / "vintages").glob("*"):
        for path in (folder, *folder.glob("*")):
            with suppress(FileNotFoundError):  # a draft of a pull that goes on
                newest = max(newest, path.stat().st_mtime_ns)
    return newest
