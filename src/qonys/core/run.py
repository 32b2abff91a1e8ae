"""The run behind a result: which bytes went in, with which parameters, through which version of the code."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

LIBRARIES = ("duckdb", "ibis-framework", "pandas", "numpy", "statsmodels")


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file that went in: its snapshot, name, hash, and how many of its rows came through."""

    snapshot: str
    file: str
    sha256: str
    contract: str
    rows: int
    bad_rows: int


@dataclass(frozen=True, slots=True)
class OutputTable:
    """One table that came out: rows, hash, and for each number its unit, formula and decimals."""

    name: str
    rows: int
    sha256: str
    columns: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Run:
    """Everything needed to make the same result again. Holds no clock: the same inputs give the same run, byte for byte."""

    study: str
    parameters: dict[str, Any]
    inputs: tuple[InputFile, ...]
    outputs: tuple[OutputTable, ...]
    versions: dict[str, str] = field(default_factory=lambda: code_versions())

    def to_json(self) -> str:
        """The run as text, keys sorted."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True, default=str) + "\n"


def code_versions() -> dict[str, str]:
    """Versions of this package and of the libraries whose arithmetic it uses."""
    return {name: version(name) for name in ("qonys", *LIBRARIES)}
