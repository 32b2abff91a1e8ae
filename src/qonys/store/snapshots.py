"""Snapshots: files as received, named by source and day, hashed, never changed afterwards."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from qonys.core.errors import DataError
from qonys.store.tables import whole_file

if TYPE_CHECKING:
    from collections.abc import Iterable

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Files of one source as they were on one day. `files` maps a name to the SHA-256 of its bytes."""

    source: str
    day: date
    folder: Path
    files: dict[str, str]

    @property
    def name(self) -> str:
        """`source@day-hash`: the same bytes always have the same name."""
        whole = hashlib.sha256("".join(f"{n} {h}\n" for n, h in sorted(self.files.items())).encode()).hexdigest()
        return f"{self.source}@{self.day.isoformat()}-{whole[:12]}"

    def path(self, name: str) -> Path:
        """The path of a file whose bytes are still those of the snapshot. Errors: DataError if they are not."""
        path = self.folder / name
        if name not in self.files or not path.is_file():
            raise DataError(f"snapshot {self.name} has no file {name}", mend="see its manifest.json")
        if sha256(path) != self.files[name]:
            raise DataError(f"{path} is not the file that snapshot {self.name} was made of", mend="restore it or take a new snapshot")
        return path


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def store_folder() -> Path:
    """Where snapshots are kept: QONYS_HOME, or the user's data folder."""
    home = os.environ.get("QONYS_HOME")
    return Path(home) if home else Path.home() / ".local" / "share" / "qonys"


def keep(source: str, day: date, paths: Iterable[Path], *, store: Path | None = None) -> Snapshot:
    """Copy files into the store as a snapshot. The same bytes again give the snapshot that is there; nothing is overwritten."""
    named = {path.name: path for path in paths}
    hashes = {name: sha256(path) for name, path in sorted(named.items())}
    draft = Snapshot(source, day, Path(), hashes)
    folder = (store or store_folder()) / "snapshots" / draft.name
    snapshot = Snapshot(source, day, folder, hashes)
    for name, path in named.items():
        if not (folder / name).exists():
            with whole_file(folder / name) as copy:
                copy.write_bytes(path.read_bytes())
            (folder / name).chmod(0o444)
    if not (folder / MANIFEST).exists():
        with whole_file(folder / MANIFEST) as copy:
            copy.write_text(json.dumps({"source": source, "day": day.isoformat(), "files": hashes}, indent=1) + "\n")
        (folder / MANIFEST).chmod(0o444)
    return snapshot


def opened(folder: Path) -> Snapshot:
    """The snapshot whose manifest lies in `folder`."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    return Snapshot(manifest["source"], date.fromisoformat(manifest["day"]), folder, manifest["files"])


def shipped() -> Snapshot:
    """The reference data inside the package, as the snapshot its manifest describes."""
    return opened(Path(str(files("qonys") / "data")))
