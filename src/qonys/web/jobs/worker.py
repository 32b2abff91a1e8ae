"""The process of one run: its limits, its signs of life, and a result that is there whole or not at all."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import shutil
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path

from qonys.core.errors import QonysError
from qonys.web.settings import Settings
from qonys.web.state import jobs
from qonys.web.state.database import Database
from qonys.web.state.jobs import Job, Progress

JOBS, RUNS, PART = "jobs", "runs", ".part"
PAUSE = 0.5  # seconds between two words to the database, at the least
SIGN = 5.0  # and at the most
NICE = 10
LARGEST_FILE = 4 * 2**30
_AT, _EXCHANGE = -100, 2  # AT_FDCWD, RENAME_EXCHANGE


def run(settings: Settings, id: str) -> int:
    """Do the run with this id in this process -> what the process ends with: 0 also for a run that failed, which says why."""
    database = Database(settings.url)
    job = jobs.job(database, id)
    if not jobs.begun(database, id, job.attempt, os.getpid()):
        return 0
    limited(settings)
    part = part_of(settings.home, job)
    shutil.rmtree(part, ignore_errors=True)
    voice = _Voice(database, job, settings.job_minutes, part)
    voice.start()
    try:
        from qonys.web.jobs.work import do

        do(job, home=settings.home, folder=part, tell=voice.tell)
        voice.stop()
        folder = publish(settings.home, job, part)
        jobs.finish(database, id, job.attempt, folder)
    except QonysError as error:
        voice.stop()
        jobs.fail(database, id, job.attempt, error.what, error.mend)
    except MemoryError:
        voice.stop()
        jobs.fail(database, id, job.attempt, *too_large(settings))
    except Exception as error:
        voice.stop()
        if "bad_alloc" in str(error) or "Cannot allocate memory" in str(error) or type(error).__name__ == "OutOfMemoryException":
            jobs.fail(database, id, job.attempt, *too_large(settings))
        else:
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__}, {Path(place.filename).name}:{place.lineno}"
            mend = f"tell whoever looks after this installation, with the number of the run: {id}"
            jobs.fail(database, id, job.attempt, f"the run met a fault of the program ({where})", mend)
    finally:
        voice.stop()
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(part.with_name(f"{part.name}.work"), ignore_errors=True)
        database.close()
    return 0


def limited(settings: Settings) -> None:
    """Limits of this process: memory that it may write to, processor time, size of a file, no core file, and it gives way to the server."""
    for what, most in (
        (resource.RLIMIT_DATA, settings.job_memory), (resource.RLIMIT_CPU, settings.job_minutes * 60 * max(1, os.cpu_count() or 1)),
        (resource.RLIMIT_FSIZE, LARGEST_FILE), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        _, hard = resource.getrlimit(what)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (soft, hard))
    with suppress(OSError):
        os.nice(NICE)


def too_large(settings: Settings) -> tuple[str, str]:
    """What is said of a run that needs too much memory."""
    return (
        f"the run needs more than the {settings.job_memory // 2**20:,} MB of memory that a run may have",
        "take fewer months, runs or rows, or ask whoever looks after this installation for a larger job_memory",
    )


def too_long(minutes: int) -> tuple[str, str]:
    """What is said of a run that takes too long."""
    return (
        f"the run took longer than the {minutes:,} minutes that a run may take",
        "take fewer runs or scenarios, or ask whoever looks after this installation for more job_minutes",
    )


def part_of(home: Path, job: Job) -> Path:
    """Where an attempt writes until it is whole."""
    return home / JOBS / f"{job.id}-{job.attempt}{PART}"


def swept(home: Path, job: Job) -> None:
    """Take out what an attempt has left."""
    for path in (home / JOBS).glob(f"{job.id}-{job.attempt}{PART}*"):
        shutil.rmtree(path, ignore_errors=True)


def publish(home: Path, job: Job, part: Path) -> str:
    """Put a whole result where it belongs, in place of what was there -> its folder in the home."""
    name = f"{RUNS}/{job.asked['study']}" if job.kind == "study" else f"{JOBS}/{job.id}"
    to = home / name
    to.parent.mkdir(parents=True, exist_ok=True)
    if not to.exists():
        part.rename(to)
    elif not exchanged(part, to):
        old = part.with_name(f"{part.name}.old")
        to.rename(old)
        part.rename(to)
        shutil.rmtree(old, ignore_errors=True)
    return name


def exchanged(one: Path, other: Path) -> bool:
    """Two folders change names in one step; False where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    if rename(_AT, os.fsencode(one), _AT, os.fsencode(other), _EXCHANGE) == 0:
        return True
    if ctypes.get_errno() in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))


class _Voice(threading.Thread):
    """Tells the database how far the run is, and ends the process when it is cancelled, too late, or no longer the one that counts."""

    def __init__(self, database: Database, job: Job, minutes: int, part: Path) -> None:
        super().__init__(daemon=True)
        self._database, self._job, self._minutes, self._part = database, job, minutes, part
        self._now = Progress(0, 0, "begin")
        self._said: Progress | None = None
        self._ended = threading.Event()
        self._begun = time.monotonic()
        self._spoken = 0.0

    def tell(self, done: int, of: int, key: str) -> None:
        """What is done now."""
        self._now = Progress(done, of, key)

    def stop(self) -> None:
        """Say no more. What is being said is said to its end."""
        self._ended.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join()

    def run(self) -> None:
        while not self._ended.wait(PAUSE):
            now = self._now
            if now == self._said and time.monotonic() - self._spoken < SIGN:
                continue
            try:
                state = jobs.tell(self._database, self._job.id, self._job.attempt, now)
            except QonysError:
                continue  # busy: the next word tells more
            self._said, self._spoken = now, time.monotonic()
            late = time.monotonic() - self._begun > 60 * self._minutes
            if state == "running" and not late:
                continue
            if state == "running":
                jobs.fail(self._database, self._job.id, self._job.attempt, *too_long(self._minutes))
            elif state == "cancelling":
                jobs.cancelled(self._database, self._job.id, self._job.attempt)
            for path in (self._part, self._part.with_name(f"{self._part.name}.work")):
                shutil.rmtree(path, ignore_errors=True)
            os._exit(0)
