"""The Passport Index: CSV, a line a passport, a column a destination, cells days or words; or tidy, a line a pair.

The file says no day: it is the one on which it was read. The importer of measures reads the same file as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.core.errors import SourceError
from qonys.sources.formats.delimited import look
from qonys.sources.formats.wide import stage_wide
from qonys.sources.oxcgrt import CSV
from qonys.sources.undesa import file_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from qonys.sources.catalogue import Publisher
    from qonys.sources.request import Request
    from qonys.sources.staged import Staged


def request(dataset: str, filters: Mapping[str, tuple[str, ...]], facts: Publisher) -> Request:
    """The file, whole. Errors: SourceError for a filter."""
    if filters:
        raise SourceError(f"passport:{dataset} is one file and takes no filter {next(iter(filters))!r}", mend="pull it whole")
    return file_of(dataset, facts, CSV, ".csv")


def stage(path: Path, dataset: str, facts: Publisher) -> Staged:
    """The matrix as a staged table: passport, destination; value: days without a visa; `requirement`: the words, where there is no number.

    -1 is the passport's own country, as published. An empty cell is a gap. Errors: SourceError without a column Passport.
    """
    seen = look(path)
    by = {name.casefold(): name for name in seen.names}
    if "passport" not in by:
        raise SourceError(f"{path.name} has no column 'Passport'", mend="take a matrix or a tidy file of the Passport Index")
    if "destination" in by:
        column = next((by[name] for name in ("requirement", "value", "code") if name in by), None)
        if column is None:
            raise SourceError(f"{path.name} has no column 'Requirement'", mend="take a matrix or a tidy file of the Passport Index")
        snapshot = by.get("snapshot")
        both = {"passport": by["passport"], "destination": by["destination"]}
        return stage_wide(path, seen, dimensions=both, values=[column], named="edition", period=snapshot, text="requirement")
    values = [name for name in seen.names if name.casefold() != "passport"]
    return stage_wide(path, seen, dimensions={"passport": by["passport"]}, values=values, named="destination", text="requirement")
