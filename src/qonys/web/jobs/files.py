"""Tables that people upload for their rooms and studies. They are read by the process of a run only, and no address leads to them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from qonys.core.errors import DataError, nearest
from qonys.store.tables import whole_file

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIXES = (".csv", ".json", ".parquet", ".toml", ".xlsx")
MOST_FILES = 100  # of one person; the oldest leave
_NAME = re.compile(r"[^\W_][\w ()+.-]{0,99}")
_DIGEST = 64


def checked_name(name: str) -> str:
    """The name of a file beside a room or study, never a path. Errors: DataError for any other."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise DataError(f"{name[:100]!r} is no name of an uploaded file", mend="name the file alone, without folders: households.csv")
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"{name} has the suffix {suffix!r}", mend=nearest(suffix, SUFFIXES))
    return name


def keep(home: Path, owner: str, name: str, content: bytes) -> str:
    """Keep a file of a person -> its hash. The newest of a name is the one that counts; runs know theirs by its hash.

    Errors: DataError for a name that is none, or an empty file.
    """
    checked_name(name)
    if not content:
        raise DataError(f"{name} is empty", mend="choose another file")
    digest = hashlib.sha256(content).hexdigest()
    path = _folder(home, owner) / f"{digest}-{name}"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with whole_file(path) as draft:
        draft.write_bytes(content)
    path.chmod(0o600)
    for old in sorted(path.parent.iterdir(), key=_age)[MOST_FILES:]:
        old.unlink(missing_ok=True)
    return digest


def held(home: Path, owner: str) -> dict[str, str]:
    """Name -> hash of the files of a person, the newest of each name."""
    folder = _folder(home, owner)
    paths = [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()] if folder.is_dir() else []
    found: dict[str, str] = {}
    for path in sorted(paths, key=_age):
        digest, _, name = path.name.partition("-")
        if len(digest) == _DIGEST and name:
            found.setdefault(name, digest)
    return dict(sorted(found.items()))


def place(home: Path, owner: str, named: Mapping[str, str], folder: Path) -> None:
    """Copy files of a person, by name and hash, into the folder of a run. Errors: DataError for one that is gone or was changed."""
    for name, digest in named.items():
        path = _folder(home, owner) / f"{digest}-{checked_name(name)}"
        if not path.is_file() or path.is_symlink():
            raise DataError(f"the file {name} is no longer kept", mend="upload it again and run anew")
        shutil.copyfile(path, folder / name)
        with (folder / name).open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != digest:
                raise DataError(f"the file {name} is not the one that was uploaded", mend="upload it again and run anew")


def _folder(home: Path, owner: str) -> Path:
    return home / "uploads" / owner


def _age(path: Path) -> tuple[float, str]:
    return (-os.stat(path, follow_symlinks=False).st_mtime_ns, path.name)
