"""The secret key of the hashed ids: from a file only its owner can read, or from the environment; never beside the data, never printed."""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TYPE_CHECKING

from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

VARIABLE = "QONYS_KEY"
KEY_ID = "qonys.key_id"  # under which a file of crossings names its key
LEAST_LETTERS = 32
LEAST_DIFFERENT = 8
_NEW = "make one: qonys border key KEYFILE"


@dataclass(frozen=True, slots=True)
class Key:
    """A secret key and its public id. The secret is never printed."""

    secret: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """16 letters that tell keys apart and give nothing of the key away: may be kept beside the data."""
        return hashlib.blake2b(b"id of a key", key=self.secret, digest_size=8, person=b"qonys-key-id").hexdigest()


def make_key(file: Path) -> Key:
    """A new key of 256 random bits in a file that only its owner can read. Errors: DataError if the file is there already."""
    text = token_hex(32)
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise DataError(f"there is a file {file} already", mend="keep it: who loses a key loses the people hashed with it") from None
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(text + "\n")
    return _strong(text, "the new key")


def load_key(file: Path | None = None, *, beside: Iterable[Path] = ()) -> Key:
    """The key in a file, or without one that in the environment variable QONYS_KEY.

    beside: files of data that are read or written; a key in the folder of one of them is refused.
    Errors: DataError for no key, a weak one, a file that others may read, or one that lies with the data.
    """
    if file is None:
        if VARIABLE not in os.environ:
            raise DataError(f"no key was given: neither a key file nor the variable {VARIABLE}", mend=_NEW)
        return _strong(os.environ[VARIABLE], f"the key in {VARIABLE}")
    if not file.is_file():
        raise DataError(f"there is no key file {file}", mend=_NEW)
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise DataError(f"the key file {file} is open to others (mode {mode:03o})", mend=f"close it: chmod 600 {file}")
    home = file.resolve().parent
    for path in beside:
        if home in (path.resolve().parent, path.resolve()):
            raise DataError(
                f"the key file {file} lies in the folder of {path}: who copies the data copies the key", mend="move it elsewhere"
            )
    try:
        return _strong(file.read_text(encoding="utf-8"), f"the key in {file}")
    except UnicodeDecodeError:
        raise DataError(f"the key file {file} is not text", mend=_NEW) from None


def check_same_key(files: Mapping[str, str | None]) -> str | None:
    """The one key id that all these files name (file -> key id, None: it names none); None if no file names one.

    Errors: DataError if two differ, or only some name one: their ids are not of the same people.
    """
    named = list(files.items())
    for file, key_id in named[1:]:
        if key_id != named[0][1]:
            one, two = (f"key {found}" if found else "no key" for found in (named[0][1], key_id))
            raise DataError(
                f"{named[0][0]} was hashed with {one} and {file} with {two}: the same person has two ids",
                mend="import both again with one key",
            )
    return named[0][1] if named else None


def _strong(text: str, where: str) -> Key:
    secret = text.strip()
    if len(secret) < LEAST_LETTERS:
        raise DataError(f"{where} has {len(secret)} letters, {LEAST_LETTERS} are the least", mend=_NEW)
    if len(set(secret)) < LEAST_DIFFERENT or (secret + secret).find(secret, 1) < len(secret) or _is_a_run(secret):
        raise DataError(f"{where} is weak: it repeats or counts", mend=_NEW)
    raw = secret.encode()
    return Key(raw if len(raw) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(raw).digest())


def _is_a_run(secret: str) -> bool:
    """Mostly letters that follow one another in the alphabet, as 0123456789abcdef."""
    steps = [abs(ord(two) - ord(one)) for one, two in itertools.pairwise(secret)]
    return sum(step <= 1 for step in steps) > len(steps) / 2
