"""The audit trail: who saw rows of persons, when, by which command, of which files. Lines are only added; each names the one before.

One JSON object a line. Its hash is taken over the line and the hash of the line before, so a line that is changed, taken out, put in or
moved breaks the chain from there on. What is cut off at the end leaves a whole chain: `head` gives the last hash, to be kept elsewhere.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import pwd
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from qonys.core.errors import DataError
from qonys.store.snapshots import sha256, store_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FIRST = "0" * 64  # what the first line names as the one before
FIELDS = ("line", "when", "who", "command", "parameters", "files", "before", "hash")


def audit_file() -> Path:
    """Where the trail is kept: audit.jsonl in the store folder."""
    return store_folder() / "audit.jsonl"


def note(
    command: str, parameters: Mapping[str, Any], files: Iterable[Path] = (), *,
    who: str | None = None, when: datetime | None = None, trail: Path | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Add a line to the trail and give it back: to be called before the rows are shown, so that none is seen without a line.

    files: their SHA-256 is noted. who: by default the user the program runs as. Two programs at once add one line after the other.
    Errors: DataError if the trail is broken at its end, a file is not there, or the line cannot be written.
    """
    path, hashes = trail or audit_file(), {}
    for file in files:
        if not file.is_file():
            raise DataError(f"there is no file {file} to note in the audit trail", mend="check the path")
        hashes[str(file)] = sha256(file)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise DataError(
            f"the audit trail {path} cannot be written: {error.strerror}", mend="mend that: no rows are shown without it"
        ) from None
    with os.fdopen(handle, "r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        last = _last(stream.read(), path)
        entry = {
            "line": last["line"] + 1, "when": (when or datetime.now(UTC)).isoformat(timespec="seconds"), "who": who or _user(),
            "command": command, "parameters": json.loads(json.dumps(parameters, default=str)), "files": hashes, "before": last["hash"],
        }  # fmt: skip
        entry["hash"] = _hash(entry)
        stream.write((json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n").encode())
        stream.flush()
        os.fsync(stream.fileno())
    return entry


def entries(trail: Path | None = None) -> list[dict[str, Any]]:
    """The lines of the trail as they are; an empty list if there is none yet. Errors: DataError for a line that is no JSON object."""
    path = trail or audit_file()
    if not path.is_file():
        return []
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        found.append(_parsed(line, f"{path}, line {number}"))
    return found


def verify(trail: Path | None = None, *, head: str | None = None) -> list[str]:
    """What is wrong with the trail, as sentences; an empty list: nothing was changed, taken out, put in or moved.

    head: the hash of a line known from elsewhere, which must be in the trail: without it a cut at the end cannot be seen.
    """
    path = trail or audit_file()
    faults, before = [], FIRST
    lines = path.read_bytes().splitlines() if path.is_file() else []
    seen = set()
    for number, line in enumerate(lines, start=1):
        where = f"{path}, line {number}"
        try:
            entry = _parsed(line, where)
        except DataError as error:
            faults.append(error.what)
            before = ""
            continue
        if entry["line"] != number:
            faults.append(f"{where}: calls itself line {entry['line']}: lines were taken out, put in or moved")
        if entry["before"] != before and before:
            faults.append(f"{where}: does not follow the line before it")
        if _hash(entry) != entry["hash"]:
            faults.append(f"{where}: was changed after it was written")
        before = entry["hash"]
        seen.add(before)
    if head is not None and head not in seen:
        faults.append(f"{path}: the line with the hash {head} is not in the trail: its end was cut off or it was written anew")
    return faults


def head(trail: Path | None = None) -> str:
    """The hash of the last line, to be kept elsewhere: `verify(head=...)` then finds a trail that was cut off or written anew."""
    lines = entries(trail)
    return str(lines[-1]["hash"]) if lines else FIRST


def _last(content: bytes, path: Path) -> dict[str, Any]:
    if not content:
        return {"line": 0, "hash": FIRST}
    whole = content.endswith(b"\n")
    entry = _parsed(content.splitlines()[-1], f"{path}, its last line") if whole else {}
    if not whole or _hash(entry) != entry["hash"]:
        raise DataError(
            f"the audit trail {path} is broken at its end", mend="keep it as evidence under another name; a new one is then begun"
        )
    return entry


def _parsed(line: bytes, where: str) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, UnicodeDecodeError):
        entry = None
    if not isinstance(entry, dict) or set(entry) != set(FIELDS) or not isinstance(entry["line"], int):
        raise DataError(f"{where}: is not a line of an audit trail", mend="keep it as evidence; see what changed it")
    return entry


def _hash(entry: Mapping[str, Any]) -> str:
    kept = {name: value for name, value in entry.items() if name != "hash"}
    return hashlib.sha256(json.dumps(kept, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def _user() -> str:
    """Whom the system runs the program as: not the environment, which anybody can set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container without a user list
        return f"uid {os.getuid()}"
