"""Run by a test: does a backup or a restore again and again, killed by SIGKILL before each step it takes on the disk or in the database.

python killer.py backup|restore URL HOME OLD_ARCHIVE NEW_ARCHIVE STRIDE -> a JSON list of what was found after each kill, on stdout.
STRIDE: 1 for each step, 2 for every other.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from sqlalchemy import Engine, event

from qonys.web.state import archive, audit, backup, people
from qonys.web.state.database import Database

STEPS = {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "shutil.rmtree"}


def killed_at(step: int, task) -> bool:
    """Do the task in a process of its own that is killed before that step; whether it was."""
    child = os.fork()
    if child == 0:
        left = step

        def count(name: str, *_: object) -> None:
            nonlocal left
            left -= name in STEPS
            if left <= 0 and name in STEPS:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        event.listen(Engine, "commit", lambda _: count("os.rename"))
        try:
            task()
        except BaseException as error:
            sys.stderr.write(repr(error))
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("the task failed")
    return os.WIFSIGNALED(status)


def found(url: str, home: Path) -> dict:
    """What the home and the database hold."""
    db = Database(url)
    files = {path.relative_to(home).as_posix(): path.read_text() for path in sorted(home.rglob("*.txt")) if ".before" not in str(path)}
    try:
        state = {
            "files": files,
            "people": [one.name for one in people.listed(db)],
            "broken": audit.verify(db),
            "left": (home / backup.SIDE).exists(),
        }
    finally:
        db.close()
    return state


def restores(url: str, home: Path, old: Path, new: Path, stride: int) -> list:
    seen, step, killed = [], 1 - stride, True
    while killed:
        step += stride
        killed = killed_at(step, lambda: backup.restore(new, home, url, replace=True))
        db = Database(url)
        recovered = backup.recover(home, db)
        db.close()
        state = found(url, home)
        seen.append({**state, "recovered": recovered})
        if killed and "Old" not in state["people"]:
            backup.restore(old, home, url, replace=True)
    return seen


def backups(url: str, home: Path, to: Path, stride: int) -> list:
    seen, step, killed = [], 1 - stride, True
    while killed:
        step += stride
        killed = killed_at(step, lambda: backup.backup(Database(url), [home], home, to))
        whole = None
        if to.exists():
            with archive.opened(to, to.parent) as one:
                one.unpack(to.parent / "unpacked")
                whole = sorted(one.members)
            shutil.rmtree(to.parent / "unpacked")
            to.unlink()
        seen.append({**found(url, home), "whole": whole})
    return [*seen, sorted(path.name for path in to.parent.iterdir())]


if __name__ == "__main__":
    what, url, home, old, new = sys.argv[1], sys.argv[2], *map(Path, sys.argv[3:6])
    stride = int(sys.argv[6])
    Database(url).migrate()  # what is imported late is there before the forks
    json.dump(restores(url, home, old, new, stride) if what == "restore" else backups(url, home, new, stride), sys.stdout)
