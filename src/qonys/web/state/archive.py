"""An archive of a home: a ZIP file with the hash of every member, written whole or not at all, and believed only if it is whole."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from qonys.core.errors import DataError, DesignError

MANIFEST = "manifest.json"
FORMAT = 1
PIECE = 1 << 20
PACKED = {".parquet", ".zst", ".zip", ".gz", ".png", ".xlsx", ".docx", ".pdf"}  # not packed again
MOST_MANIFEST = 64 << 20
MOST_MEMBERS = 1_000_000
MOST_RATIO = 500  # real homes pack to a tenth or so
SPARE = 64 << 20  # bytes of the disk that stay free, and size below which the ratio says nothing
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
REMAKE = "restore an archive made by qonys web backup"


@dataclass(frozen=True, slots=True)
class Member:
    """What the manifest says of a member: its SHA-256 and size in bytes."""

    sha256: str
    size: int


class Writer:
    """Takes members one after the other; the manifest follows when all are in."""

    def __init__(self, whole: zipfile.ZipFile, now: datetime) -> None:
        self._whole, self._now = whole, now
        self.members: dict[str, Member] = {}

    def put(self, name: str, pieces: Iterable[bytes], *, mode: int = 0o600) -> None:
        """Put in a member: its bytes as they come. mode: its rights when restored."""
        info = zipfile.ZipInfo(name, date_time=self._now.timetuple()[:6])
        info.external_attr = (stat.S_IFREG | mode) << 16
        info.compress_type = zipfile.ZIP_STORED if PurePosixPath(name).suffix in PACKED else zipfile.ZIP_DEFLATED
        digest, size = hashlib.sha256(), 0
        with self._whole.open(info, "w", force_zip64=True) as stream:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                stream.write(piece)
        self.members[name] = Member(digest.hexdigest(), size)

    def close(self, facts: Mapping[str, Any]) -> None:
        """Put in the manifest."""
        said = {name: {"sha256": one.sha256, "size": one.size} for name, one in self.members.items()}
        text = json.dumps({"format": FORMAT, **facts, "members": said}, ensure_ascii=False, indent=1, sort_keys=True)
        self._whole.writestr(zipfile.ZipInfo(MANIFEST, date_time=self._now.timetuple()[:6]), text.encode())


@contextmanager
def written(to: Path, now: datetime) -> Iterator[Writer]:
    """A new archive: there under its name once the block has ended well, else not at all. For its owner alone, as it holds secrets.

    Errors: DesignError if there is a file of that name, DataError if it cannot be written.
    """
    if to.exists() or to.is_symlink():
        raise DesignError(f"there is a file {to} already", mend="choose another name")
    try:
        _swept(to.parent)
        part = to.parent / f".{to.name}.{secrets.token_hex(4)}.part"
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            try:
                with zipfile.ZipFile(stream, "w") as whole:
                    yield Writer(whole, now)
                stream.flush()
                os.fsync(stream.fileno())
                part.rename(to)
            finally:
                part.unlink(missing_ok=True)
        synced(to.parent)
    except OSError as error:
        raise DataError(
            f"the archive {to} cannot be written: {error.strerror or error}", mend="choose a folder with room and rights"
        ) from None


def _swept(folder: Path) -> None:
    """Remove what killed backups left: parts that nobody holds any more."""
    for part in folder.glob(".*.part"):
        with suppress(OSError), part.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink(missing_ok=True)


def synced(path: Path) -> None:
    """What was written there is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Archive:
    """An archive whose list of members is sound; their bytes are checked as they are unpacked."""

    def __init__(self, path: Path, whole: zipfile.ZipFile, facts: dict[str, Any], members: dict[str, Member]) -> None:
        self.path, self._whole, self.facts, self.members = path, whole, facts, members

    def unpack(self, into: Path) -> None:
        """Write all members below `into`, a new folder, each as its hash says. Errors: DataError if one is not, or the disk is full."""
        into.mkdir(mode=0o700)
        for name, member in self.members.items():
            target = into / name
            info = self._whole.getinfo(name)
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with self._whole.open(info) as source, target.open("xb") as stream:
                    if _copied(source, stream) != member.sha256:
                        raise DataError(f"{name} of the archive {self.path} is not what was backed up", mend="use another copy of it")
                    stream.flush()
                    os.fsync(stream.fileno())
                target.chmod(info.external_attr >> 16 & 0o755 | 0o600)
            except (zipfile.BadZipFile, RuntimeError, EOFError, NotImplementedError, ValueError, zlib.error):
                raise DataError(f"{name} of the archive {self.path} is damaged", mend="use another copy of it") from None
            except OSError as error:
                raise DataError(
                    f"{name} cannot be unpacked: {error.strerror or error}", mend="check the room and rights of the home"
                ) from None


@contextmanager
def opened(path: Path, home: Path) -> Iterator[Archive]:
    """An archive, once its list of members is sound: nothing is unpacked, and nothing of the home is touched.

    Errors: DataError if it is no archive of ours, has members that leave the home, are links, come twice or are not in the manifest (or the
    other way round), or more bytes than the disk has room for or than so small a file honestly holds.
    """
    try:
        with zipfile.ZipFile(path) as whole:
            infos = whole.infolist()
            facts = _manifest(path, whole)
            members = {name: _member(path, name, said) for name, said in facts.pop("members").items()}
            _sound(path, infos, members, home)
            yield Archive(path, whole, facts, members)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error):
        raise DataError(f"{path} is no archive, or a damaged one", mend=REMAKE) from None
    except FileNotFoundError:
        raise DataError(f"there is no archive {path}", mend="check the path") from None
    except (IsADirectoryError, PermissionError) as error:
        raise DataError(f"the archive {path} cannot be read: {error.strerror}", mend="check the path and its rights") from None


def _manifest(path: Path, whole: zipfile.ZipFile) -> dict[str, Any]:
    try:
        info = whole.getinfo(MANIFEST)
        if info.file_size > MOST_MANIFEST or info.compress_type not in METHODS:
            raise KeyError
        facts = json.loads(whole.read(info))
        if not isinstance(facts, dict) or not isinstance(facts.get("members"), dict):
            raise TypeError
    except (KeyError, ValueError, TypeError, RecursionError, RuntimeError):
        raise DataError(f"{path} is no archive of Qonys: it has no manifest that can be read", mend=REMAKE) from None
    if facts.get("format") != FORMAT:
        raise DataError(
            f"the archive {path} is of format {facts.get('format')!r}, and this program reads {FORMAT}", mend="use a newer Qonys"
        )
    return facts


def _member(path: Path, name: str, said: Any) -> Member:
    if not isinstance(said, dict) or not isinstance(said.get("sha256"), str) or type(said.get("size")) is not int:
        raise DataError(f"the manifest of {path} does not say the hash and size of {name}", mend=REMAKE)
    return Member(said["sha256"], said["size"])


def _sound(path: Path, infos: list[zipfile.ZipInfo], members: Mapping[str, Member], home: Path) -> None:
    names = [info.filename for info in infos if info.filename != MANIFEST]
    if len(names) > MOST_MEMBERS:
        raise DataError(f"the archive {path} has {len(names)} members", mend=REMAKE)
    there, said = Counter(names), Counter(members.keys())
    for odd in (there - said) + (said - there):
        raise DataError(f"{odd!r} of the archive {path} is not there once and in its manifest", mend=REMAKE)
    for info in infos:
        name, mode = info.filename, info.external_attr >> 16
        if not _inside(name):
            raise DataError(f"{name!r} of the archive {path} leads out of the home", mend=f"do not trust it: {REMAKE}")
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            raise DataError(f"{name!r} of the archive {path} is a link or no file", mend=f"do not trust it: {REMAKE}")
        if info.compress_type not in METHODS or info.flag_bits & 1:
            raise DataError(f"{name!r} of the archive {path} is packed or encrypted in another way", mend=REMAKE)
        if name != MANIFEST and info.file_size != members[name].size:
            raise DataError(f"{name!r} of the archive {path} is not as long as was backed up", mend="use another copy of it")
    total = sum(info.file_size for info in infos)
    if total > SPARE + MOST_RATIO * path.stat().st_size:
        raise DataError(f"the archive {path} would unpack to {total} bytes, too many for its size", mend=f"do not trust it: {REMAKE}")
    free = shutil.disk_usage(home).free
    if total + SPARE > free:
        raise DataError(f"the archive {path} needs {total} bytes, and {free} are free in {home}", mend="make room")


def _inside(name: str) -> bool:
    parts = name.split("/")
    return "\\" not in name and "\0" not in name and all(part not in ("", ".", "..") and len(part.encode()) <= 255 for part in parts)


def _copied(source: IO[bytes], stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := source.read(PIECE):
        digest.update(piece)
        stream.write(piece)
    return digest.hexdigest()
