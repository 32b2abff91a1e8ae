"""Starts runs that wait, one at a time, each in a process of its own, and watches them; a restart of the server finds them again."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from qonys.core.errors import QonysError
from qonys.web.jobs.worker import JOBS, PART, RUNS, swept, too_large, too_long
from qonys.web.settings import VARIABLE, Settings
from qonys.web.state import jobs
from qonys.web.state.database import Database
from qonys.web.state.jobs import Job
from qonys.web.state.tables import moment

PAUSE = 0.5  # seconds between two rounds
GRACE = 3.0  # seconds from TERM to KILL
SIGN = 20.0  # seconds between two signs of life for a worker that is at home
SPARE = timedelta(seconds=20)  # for a worker to say itself that it is too late
_log = logging.getLogger("qonys.web")


class Runner:
    """One of a server. Its workers outlive it: who starts again finds them by the database."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.database = settings, database
        self._ended, self._thread = threading.Event(), threading.Thread(target=self._loop, name="qonys-runner", daemon=True)
        self._children: dict[int, tuple[str, int]] = {}
        self._signed = time.monotonic()

    def start(self) -> None:
        """Ask for the studies that were never run by this version, and begin."""
        if self.settings.job_slots:
            queue_built_in(self.settings.home, self.database)
            self._thread.start()

    def stop(self) -> None:
        """Begin nothing more. What runs goes on."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _loop(self) -> None:
        while True:
            try:
                self.round()
            except (QonysError, SQLAlchemyError, OSError) as error:
                _log.error("%s", json.dumps({"at": moment().isoformat(), "fault": type(error).__name__, "where": "runner"}))
            if self._ended.wait(PAUSE):
                return

    def round(self) -> None:
        """Look once after what runs, and start what may start."""
        self._reap()
        running = jobs.listed(self.database, states=jobs.ACTIVE)
        here = [one for one in running if one.host == jobs.this_host()]
        if time.monotonic() - self._signed > SIGN:
            self._signed = time.monotonic()
            for one in here:
                if one.pid is not None and jobs.does(one.pid, one.id):
                    jobs.alive(self.database, one.id, one.attempt)
        for one in here:
            late = one.started_at is not None and moment() - one.started_at > timedelta(minutes=self.settings.job_minutes) + SPARE
            if one.pid is not None and (one.state == "cancelling" or late):
                self._end(one, late=one.state != "cancelling")
        if running:
            for one in jobs.recover(self.database):
                swept(self.settings.home, one)
        if not self._ended.is_set() and jobs.waiting(self.database):
            claimed = jobs.claim(self.database, slots=self.settings.job_slots)
            if claimed is not None:
                self._begin(claimed)

    def _begin(self, job: Job) -> None:
        if not (self.settings.home / JOBS).is_dir():
            (self.settings.home / JOBS).mkdir(parents=True, mode=0o700)
        _sweep(self.settings.home, self.database)
        words = [sys.executable, "-m", "qonys.web.jobs", str(self.settings.home), job.id]
        silent = [
            (os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY, 0) for number in range(3)
        ]  # the server's own streams may end before the worker does
        pid = os.posix_spawn(sys.executable, words, _environment(self.settings), file_actions=silent, setsid=True)
        self._children[pid] = (job.id, job.attempt)
        jobs.begun(self.database, job.id, job.attempt, pid)

    def _reap(self) -> None:
        """Children that have ended. One that ended without a word is judged by how."""
        for pid, (id, attempt) in list(self._children.items()):
            try:
                found, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                found, status = pid, 0
            if not found:
                continue
            del self._children[pid]
            job = jobs.job(self.database, id)
            if job.attempt != attempt or job.state not in jobs.ACTIVE:
                continue
            swept(self.settings.home, job)
            if job.state == "cancelling":
                jobs.cancelled(self.database, id, attempt)
            elif os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
                jobs.fail(self.database, id, attempt, *too_long(self.settings.job_minutes))
            elif os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS):
                jobs.fail(self.database, id, attempt, *too_large(self.settings))  # what native libraries do without memory
            elif os.WIFEXITED(status) and os.WEXITSTATUS(status):
                what = f"the process of this run ended before it could say why (code {os.WEXITSTATUS(status)})"
                jobs.fail(self.database, id, attempt, what, f"perhaps {'; '.join(too_large(self.settings))}")
            # else it was killed from outside: it is begun anew

    def _end(self, job: Job, *, late: bool) -> None:
        """The worker and all its processes, first asked to end, then made to."""
        assert job.pid is not None
        for what in (signal.SIGTERM, signal.SIGKILL):
            if not jobs.does(job.pid, job.id):
                break
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(job.pid, what)
            until = time.monotonic() + GRACE
            while time.monotonic() < until and jobs.does(job.pid, job.id):
                if job.pid in self._children and os.waitpid(job.pid, os.WNOHANG)[0]:
                    del self._children[job.pid]
                    break
                time.sleep(0.05)
        swept(self.settings.home, job)
        if late:
            jobs.fail(self.database, job.id, job.attempt, *too_long(self.settings.job_minutes))
        else:
            jobs.cancelled(self.database, job.id, job.attempt)


def queue_built_in(home: Path, database: Database) -> list[Job]:
    """Built-in studies that were never run here, or by another version, put into the queue."""
    from qonys.pipeline import built_in

    queued = []
    for name in built_in():
        try:
            told = json.loads((home / RUNS / name / "run.json").read_text(encoding="utf-8"))
            if told["versions"]["qonys"] == version("qonys"):
                continue
        except (OSError, ValueError, KeyError, TypeError):
            pass
        with database.begin() as connection:
            if not jobs.listed(connection, kinds=("study",), states=jobs.PENDING, title=name):
                queued.append(jobs.queue(connection, "study", title=name, owner=None, asked={"study": name}))
    return queued


def _sweep(home: Path, database: Database) -> None:
    """Parts that no attempt is writing any more."""
    writing = {f"{one.id}-{one.attempt}" for one in jobs.listed(database, states=jobs.ACTIVE)}
    for path in (home / JOBS).glob(f"*{PART}*"):
        if path.name.partition(PART)[0] not in writing:
            shutil.rmtree(path, ignore_errors=True)


def _environment(settings: Settings) -> dict[str, str]:
    """Settings that may have come from the command line, for the worker; and the store where studies find what was pulled."""
    own = {"DATABASE": settings.url, "JOB_MEMORY": str(settings.job_memory), "JOB_MINUTES": str(settings.job_minutes)}
    store = {"QONYS_HOME": str(settings.store)} if settings.store else {}
    return {**os.environ, **store, **{f"{VARIABLE}{name}": value for name, value in own.items()}}
