"""The register of this house: the shipped one and what was accepted here, as files of the home folder that only grow.

Until something is accepted there is no copy, and the shipped register is the register. From then on `HOME/register` holds every shipped
file with the house's own entries below, so that it can be checked, studied and compared by itself; the shipped files are never written to.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.errors import DataError
from qonys.measures import unchanged
from qonys.registers import DEFAULT, SHIPPED, TRACKER, entries_of
from qonys.situation.opened import fingerprint, held
from qonys.store import shipped
from qonys.store.tables import read_text, write_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_ISSUER = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,31}")
_ENTRY = re.compile(r"(?m)^(?=[ \t]*\[\[measure\]\])")


@dataclass(frozen=True, slots=True)
class Written:
    """A version of an entry as it is written down: its issuer, its text from [[measure]] on, and a remark above it."""

    issuer: str
    id: str
    version: int
    text: str
    remark: str


@dataclass(frozen=True, slots=True)
class House:
    """The register of a home folder."""

    home: Path

    @property
    def folder(self) -> Path:
        """Where it stands, once something was accepted."""
        return self.home / "register"

    @property
    def imports(self) -> Path:
        """Where tables that were taken in stand."""
        return self.folder / "imports"

    def begun(self) -> bool:
        """Was anything accepted yet?"""
        return any(self.folder.glob("*.toml"))

    def names(self) -> tuple[str, ...]:
        """The registers that pages and studies of this house open, as `qonys.registers` names them."""
        return (str(self.folder), TRACKER) if self.begun() else DEFAULT

    def files(self) -> tuple[str, ...]:
        """The same without the tracker: the registers whose versions are kept."""
        return (str(self.folder),) if self.begun() else (SHIPPED,)

    def stamp(self) -> str:
        """Changes when the register does."""
        return " ".join(fingerprint(self.names()))

    def entries(self) -> pd.DataFrame:
        """All versions of all entries, as text."""
        names = self.files()
        found: pd.DataFrame = held(("house", fingerprint(names)), lambda: entries_of(names))
        return found

    def versions(self, id: str) -> list[dict[str, str]]:
        """The versions of an entry, the first one first: column -> text, gaps left out; none for an id that is not there."""
        own = self.entries()
        rows = own[own["id"].eq(id).fillna(False)].drop(columns=["row", "file"])
        texts = [{name: str(value) for name, value in row.items() if isinstance(value, str) and value} for row in rows.to_dict("records")]
        return sorted(texts, key=lambda row: int(row.get("version", "1")))

    def latest(self, id: str) -> int | None:
        """The number of the version that stands; None for an id that is not there."""
        found = self.versions(id)
        return int(found[-1].get("version", "1")) if found else None

    def departures(self) -> tuple[str, ...]:
        """Where a version of this house says other than the shipped register of the same number, which then came later."""
        return unchanged(self.entries(), entries_of([SHIPPED])) if self.begun() else ()

    def tables(self) -> list[Path]:
        """Tables that were taken in, by name."""
        return sorted(path for path in self.imports.glob("*.parquet") if ".quarantine" not in path.name)

    def write(self, versions: Iterable[Written]) -> int:
        """Bring in what the shipped register has and this one lacks, then these versions, each once -> how many were written.

        Text that stands is never changed, and each file is replaced whole. Files with new versions come last: they may name entries of
        others. Errors: DataError for an issuer whose code could not be the name of a file.
        """
        versions = list(versions)
        if not versions and not self.begun():
            return 0
        came, texts, written = _shipped_texts(), self._texts(), 0
        for name, text in came.items():
            fresh = text if name not in texts else _with_later(texts[name], text)
            if fresh != texts.get(name):
                write_text(fresh, self.folder / name)
                texts[name] = fresh
        grown: dict[str, str] = {}
        there = {one for text in texts.values() for one in _numbers(text)}
        for one in versions:
            if (one.id, one.version) in there:
                continue
            name = _file_of(one.issuer, texts)
            text = grown.get(name, texts.get(name, f'issuer = "{one.issuer}"\n'))
            grown[name] = f"{text.rstrip()}\n\n# {' '.join(one.remark.split())}\n{one.text.strip()}\n"
            written += 1
        for name, text in grown.items():
            write_text(text, self.folder / name)
        return written

    def _texts(self) -> dict[str, str]:
        return {path.name: read_text(path) for path in sorted(self.folder.glob("*.toml"))}


def _shipped_texts() -> dict[str, str]:
    package = shipped()
    return {label.partition("/")[2]: read_text(package.path(label)) for label in package.files if label.startswith("register/")}


def _file_of(issuer: str, texts: Mapping[str, str]) -> str:
    if not _ISSUER.fullmatch(issuer):
        raise DataError(f"the issuer {issuer!r} is no code of an area", mend="give the code of a country or a union")
    own = [name for name, text in texts.items() if tomllib.loads(text).get("issuer") == issuer]
    return own[0] if own else f"{issuer}.toml"


def _blocks(text: str) -> list[tuple[tuple[str, int], str]]:
    """Id and version of each entry with its text."""
    content: list[dict[str, Any]] = tomllib.loads(text).get("measure", [])
    parts = _ENTRY.split(text)[1:]
    return [((str(entry.get("id")), int(entry.get("version", 1))), part) for entry, part in zip(content, parts, strict=True)]


def _numbers(text: str) -> list[tuple[str, int]]:
    return [number for number, _ in _blocks(text)]


def _with_later(own: str, came: str) -> str:
    """The house's text with the shipped versions below that follow on those it has."""
    newest: dict[str, int] = {}
    for id, version in _numbers(own):
        newest[id] = max(version, newest.get(id, 0))
    for (id, version), part in _blocks(came):
        if version == newest.get(id, 0) + 1:
            own = f"{own.rstrip()}\n\n{part.strip()}\n"
            newest[id] = version
    return own
