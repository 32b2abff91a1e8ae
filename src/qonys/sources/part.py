"""A download under way: a `.part` file that one process holds at a time, and what it needs to be taken up again."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Any

from qonys.core.errors import SourceError


@dataclass(slots=True)
class Part:
    """The bytes of one address so far, as sent. They count for something only beside the validator that the server gave with them."""

    path: Path
    stream: BufferedWriter

    @property
    def _notes(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        """Bytes held."""
        self.stream.flush()
        return os.fstat(self.stream.fileno()).st_size

    def held(self, url: str | None = None) -> tuple[int, dict[str, Any]] | None:
        """Bytes held of `url`, of any if None, and what the server said of them; None if there is nothing to take up."""
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            usable = url in (None, notes["url"]) and bool(notes["validator"]) and isinstance(notes["headers"], dict)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (self.size, notes) if usable and self.size else None

    def begin(self, url: str, *, validator: str, headers: dict[str, str]) -> None:
        """Forget what is held and begin anew. validator: the strong ETag or the time by which a later request can ask for the rest."""
        self.clear()
        notes = {"url": url, "validator": validator, "headers": headers}
        self._notes.write_text(json.dumps(notes), encoding="utf-8")

    def clear(self) -> None:
        """Forget what is held."""
        self._notes.unlink(missing_ok=True)
        self.stream.truncate(0)

    def write(self, data: bytes) -> None:
        """Add bytes at the end. Errors: SourceError if the disk takes no more."""
        try:
            self.stream.write(data)
        except OSError as error:
            raise SourceError(f"{self.path.parent} takes no more bytes: {error.strerror}", mend="make room, then pull again") from None

    def finish(self) -> None:
        """Everything is on the disk."""
        self.stream.flush()
        os.fsync(self.stream.fileno())


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """The folder of a pull for this process alone, from the first byte until the reply is kept: its files are the same for each pull.

    Errors: SourceError if another process is at it, or the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise SourceError(f"{folder} cannot be written to: {error.strerror}", mend="check the folder and its rights") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SourceError(
                f"another program is pulling the same target into {folder}", mend="wait for it to end, then pull again"
            ) from None
        yield
    finally:
        os.close(handle)


@contextmanager
def opened(path: Path) -> Iterator[Part]:
    """The part at `path`, for this process alone. Errors: SourceError if another process is at it, or the folder cannot be written to."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab")
    except OSError as error:
        raise SourceError(f"{path.parent} cannot be written to: {error.strerror}", mend="check the folder and its rights") from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            held = path.stat().st_ino == os.fstat(stream.fileno()).st_ino  # not so if the one before has just tidied it away
        except OSError:
            held = False
        if not held:
            raise SourceError(
                f"another program is fetching the same reply into {path.parent}", mend="wait for it to end, then pull again"
            ) from None
        part = Part(path, stream)
        try:
            yield part
        finally:
            if part.held() is None:
                part.clear()
                path.unlink(missing_ok=True)
