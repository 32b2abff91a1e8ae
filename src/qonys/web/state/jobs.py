"""The queue of long runs: one is claimed at a time over all processes and hosts, and none is ever silently gone.

A run is begun anew when its worker is lost: runs are deterministic, so that is to resume it. Each beginning has a number, `attempt`, and
only the worker of the latest may write: one that was thought lost and still lives changes nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Text, func, insert, or_, select, type_coerce, update

from qonys.core.errors import DataError, DesignError, nearest
from qonys.web.state import audit
from qonys.web.state.audit import By
from qonys.web.state.database import Database, reading, writing
from qonys.web.state.people import Person
from qonys.web.state.tables import JOB_STATES, moment, new_id
from qonys.web.state.tables import jobs as table

KINDS = ("study", "procedure", "corridor", "totals", "place", "retention", "import")
ACTIVE = ("running", "cancelling")
PENDING = ("waiting", *ACTIVE)
SILENT = timedelta(seconds=60)  # without a sign of life from another host
BEGINNING = timedelta(seconds=20)  # between claim and the first sign of life
MOST_ATTEMPTS = 3
MOST_WAITING = 20  # of one person
MOST_TITLE = 200
MOST = 500  # given at once


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `done` of `of` steps, and the key of what is done now with what it is done to, as `cli.answer:corridor`."""

    done: int
    of: int
    key: str


@dataclass(frozen=True, slots=True)
class Job:
    """One run. asked: everything it is made from; error: (what, mend) of one that failed or was lost; folder: its result in the home."""

    id: str
    kind: str
    title: str
    owner: str | None
    shared: bool
    state: str
    asked: Mapping[str, Any]
    progress: Progress
    error: tuple[str, str] | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    heartbeat_at: datetime | None
    pid: int | None
    host: str | None
    attempt: int
    folder: str | None

    @property
    def pending(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in PENDING


def this_host() -> str:
    """What this machine is called in the queue."""
    return socket.gethostname()


def queue(
    where: Database | Connection, kind: str, *, title: str, owner: Person | None, asked: Mapping[str, Any], now: datetime | None = None
) -> Job:
    """A run put at the end of the queue. owner: None for one that the program itself asks for.

    Errors: DesignError for an unknown kind, a title that is none, or a person with MOST_WAITING runs that wait already.
    """
    if kind not in KINDS:
        raise DesignError(f"there is no run of the kind {kind!r}", mend=nearest(kind, KINDS))
    title, at = " ".join(title.split())[:MOST_TITLE] or kind, moment(now)
    values: dict[str, Any] = {
        "id": new_id(), "kind": kind, "title": title, "owner": owner.id if owner else None, "asked": dict(asked), "created_at": at,
    }  # fmt: skip
    with writing(where) as connection:
        waiting = select(func.count()).where(table.c.owner == values["owner"], table.c.state == "waiting")
        if owner is not None and (connection.scalar(waiting) or 0) >= MOST_WAITING:
            raise DesignError(f"{MOST_WAITING} of your runs wait already", mend="wait for them, or cancel some")
        connection.execute(insert(table).values(values))
        audit.record(connection, person=owner or "qonys", action="jobs.queue", object=values["id"],
                     detail={"kind": kind, "title": title}, now=at)  # fmt: skip
        return job(connection, values["id"])


def job(where: Database | Connection, id: str) -> Job:
    """The run with this id. Errors: DataError if there is none."""
    found = _first(where, table.c.id == id)
    if found is None:
        raise DataError("there is no such run", mend="choose one of the list of runs")
    return found


def listed(
    where: Database | Connection, *, owner: str | None = None, kinds: tuple[str, ...] = (), states: tuple[str, ...] = (),
    title: str | None = None, open_to_all: bool = False, limit: int = 100,
) -> list[Job]:  # fmt: skip
    """Runs, the latest first, without what was asked: it may be long. owner: an id.

    open_to_all: what everyone may see, with that of the owner if there is one: results that are shared or of a room just as it ships.
    """
    wanted = (
        select(*(one for one in table.c if one.name != "asked")).order_by(table.c.created_at.desc(), table.c.id).limit(min(limit, MOST))
    )
    if open_to_all:
        # canonical JSON: inside a text the marks would be escaped
        open_ = or_(table.c.shared.is_(True), type_coerce(table.c.asked, Text).contains('"unchanged":true'))
        wanted = wanted.where(or_(table.c.owner == owner, open_ & (table.c.state == "done")))
    elif owner is not None:
        wanted = wanted.where(table.c.owner == owner)
    if kinds:
        wanted = wanted.where(table.c.kind.in_(kinds))
    if states:
        wanted = wanted.where(table.c.state.in_(states))
    if title is not None:
        wanted = wanted.where(table.c.title == title)
    with reading(where) as connection:
        return [_job(row) for row in connection.execute(wanted)]


def waiting(where: Database | Connection) -> bool:
    """Whether any run waits."""
    with reading(where) as connection:
        return bool(connection.scalar(select(func.count()).where(table.c.state == "waiting")))


def claim(where: Database, *, slots: int = 1, now: datetime | None = None) -> Job | None:
    """Take the run that waits longest, for this host; None if none waits or `slots` of them run, wherever.

    Transactions that write are one at a time in both databases, so a run is claimed once.
    """
    at = moment(now)
    with where.begin() as connection:
        if (connection.scalar(select(func.count()).where(table.c.state.in_(ACTIVE))) or 0) >= slots:
            return None
        found = connection.execute(
            select(table).where(table.c.state == "waiting").order_by(table.c.created_at, table.c.id).limit(1)
        ).first()
        if found is None:
            return None
        _set(
            connection, table.c.id == found.id, state="running", attempt=found.attempt + 1, started_at=at, heartbeat_at=at,
            host=this_host(), pid=None, progress_done=0, progress_of=0, progress_key="",
        )  # fmt: skip
        return job(connection, found.id)


def begun(where: Database | Connection, id: str, attempt: int, pid: int, now: datetime | None = None) -> bool:
    """Which process does it; False if this attempt is not the one that counts."""
    return _mine(where, id, attempt, pid=pid, heartbeat_at=moment(now))


def tell(where: Database | Connection, id: str, attempt: int, progress: Progress, now: datetime | None = None) -> str:
    """A sign of life with how far it is -> the state the run is in; "" if this attempt is not the one that counts."""
    values = {"progress_done": progress.done, "progress_of": progress.of, "progress_key": progress.key, "heartbeat_at": moment(now)}
    with writing(where) as connection:
        return job(connection, id).state if _mine(connection, id, attempt, **values) else ""


def alive(where: Database | Connection, id: str, attempt: int, now: datetime | None = None) -> bool:
    """A sign of life from whoever watches the worker; False if this attempt is not the one that counts."""
    return _mine(where, id, attempt, heartbeat_at=moment(now))


def finish(where: Database | Connection, id: str, attempt: int, folder: str, now: datetime | None = None) -> bool:
    """It is done; False if this attempt is not the one that counts."""
    return _mine(where, id, attempt, state="done", folder=folder, ended_at=moment(now), error=None, pid=None)


def fail(where: Database | Connection, id: str, attempt: int, what: str, mend: str, now: datetime | None = None) -> bool:
    """It ended without a result, and why; False if this attempt is not the one that counts. One that was to be cancelled is cancelled."""
    with writing(where) as connection:
        state = "cancelled" if job(connection, id).state == "cancelling" else "failed"
        error = None if state == "cancelled" else {"what": what, "mend": mend}
        return _mine(connection, id, attempt, state=state, error=error, ended_at=moment(now), pid=None)


def cancelled(where: Database | Connection, id: str, attempt: int, now: datetime | None = None) -> bool:
    """Its worker is gone, as was asked; False if this attempt is not the one that counts."""
    return _mine(where, id, attempt, state="cancelled", ended_at=moment(now), pid=None)


def cancel(where: Database | Connection, id: str, *, by: By, now: datetime | None = None) -> Job:
    """Ask that it end: at once where it waits, when its worker is gone where it runs. One that has ended stays as it is.

    Errors: DataError if there is none of this id.
    """
    at = moment(now)
    with writing(where) as connection:
        found = job(connection, id)
        if found.state in ("waiting", "running"):
            ended = {"state": "cancelled", "ended_at": at} if found.state == "waiting" else {"state": "cancelling"}
            _set(connection, table.c.id == id, **ended)
            audit.record(connection, person=by, action="jobs.cancel", object=id, detail={"title": found.title}, now=at)
        return job(connection, id)


def share(where: Database | Connection, id: str, shared: bool, *, by: By, now: datetime | None = None) -> Job:
    """Let everyone see its result, or only the owner again. Errors: DataError if there is none of this id, or it has no result."""
    with writing(where) as connection:
        found = job(connection, id)
        if found.state != "done":
            raise DataError("only a finished run can be shared", mend="wait until it is done")
        _set(connection, table.c.id == id, shared=shared)
        audit.record(connection, person=by, action="jobs.share" if shared else "jobs.unshare", object=id, detail={"title": found.title},
                     now=moment(now))  # fmt: skip
        return job(connection, id)


def recover(where: Database, *, now: datetime | None = None) -> list[Job]:
    """Runs whose worker is gone: begun anew, after MOST_ATTEMPTS reported lost, or cancelled where that was asked -> as they are now.

    Of this host a worker is gone when no process does the run; of another when there was no sign of life for SILENT.
    """
    at = moment(now)
    with where.read() as connection:
        gone = [one for one in (_job(row) for row in connection.execute(select(table).where(table.c.state.in_(ACTIVE)))) if _gone(one, at)]
    for one in gone:
        if one.state == "cancelling":
            cancelled(where, one.id, one.attempt, at)
        elif one.attempt < MOST_ATTEMPTS:
            _mine(where, one.id, one.attempt, state="waiting", pid=None, host=None)
        else:
            error = {"what": f"the process of this run was lost {MOST_ATTEMPTS} times: the machine or the process was stopped",
                     "mend": "run it again; if it is lost again, ask whoever looks after the machine"}  # fmt: skip
            _mine(where, one.id, one.attempt, state="lost", error=error, ended_at=at, pid=None)
    return [job(where, one.id) for one in gone]


def does(pid: int, id: str) -> bool:
    """Whether that process of this machine does that run: a number may have passed to another process since."""
    told = Path(f"/proc/{pid}/cmdline")
    if told.parent.parent.is_dir():
        try:
            return id.encode() in told.read_bytes()
        except OSError:
            return False
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _gone(one: Job, at: datetime) -> bool:
    silent = at - (one.heartbeat_at or one.created_at)
    if one.host != this_host():
        return silent > SILENT
    return silent > BEGINNING if one.pid is None else not does(one.pid, one.id)


def _mine(where: Database | Connection, id: str, attempt: int, **values: Any) -> bool:
    with writing(where) as connection:
        return _set(connection, (table.c.id == id) & (table.c.attempt == attempt) & table.c.state.in_(ACTIVE), **values)


def _set(connection: Connection, which: ColumnElement[bool], **values: Any) -> bool:
    return bool(connection.execute(update(table).where(which).values(**values)).rowcount)


def _first(where: Database | Connection, which: ColumnElement[bool]) -> Job | None:
    with reading(where) as connection:
        row = connection.execute(select(table).where(which)).first()
    return None if row is None else _job(row)


def _job(row: Row[Any]) -> Job:
    error = (row.error["what"], row.error["mend"]) if row.error else None
    own: dict[str, Any] = {name: getattr(row, name, {}) for name in _COLUMNS}  # what was asked is not always read
    return Job(progress=Progress(row.progress_done, row.progress_of, row.progress_key), error=error, **own)


_COLUMNS = tuple(one.name for one in fields(Job) if one.name not in ("progress", "error"))
assert {"waiting", *ACTIVE} < set(JOB_STATES)
