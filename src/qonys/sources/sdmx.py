"""Any SDMX source by its address, and what the SDMX publishers share: keys and periods of a REST query (SDMX 2.1, section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.core.errors import SourceError, nearest
from qonys.sources.formats.sdmx import stage_sdmx
from qonys.sources.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from qonys.sources.catalogue import Publisher
    from qonys.sources.staged import Staged

CSV = ("text/csv", "application/vnd.sdmx.data+csv", "text/plain")
XML = ("application/xml", "text/xml", "application/vnd.sdmx.genericdata+xml", "application/vnd.sdmx.structurespecificdata+xml",
       "application/vnd.sdmx.data+xml")  # fmt: skip
ACCEPT = (
    "application/vnd.sdmx.data+csv;q=1, application/vnd.sdmx.structurespecificdata+xml;version=2.1;q=0.8, "
    "application/vnd.sdmx.genericdata+xml;version=2.1;q=0.6"
)
PERIODS = ("since", "until")


def request(dataset: str, filters: Mapping[str, tuple[str, ...]], facts: Publisher) -> Request:
    """The address itself, with its own query; CSV is preferred where the query names no format."""
    params = tuple((name, code) for name, codes in filters.items() for code in codes)
    headers = () if any(name.casefold() == "format" for name, _ in params) else (("Accept", ACCEPT),)
    return Request(url=dataset, params=params, headers=headers, expects=(*CSV, *XML), suffix=".sdmx", largest=facts.largest)


def stage(path: Path, dataset: str, facts: Publisher) -> Staged:
    """A data message in CSV or XML. Errors: as `formats.sdmx.stage_sdmx`."""
    return stage_sdmx(path)


def key(dimensions: Sequence[str], filters: Mapping[str, tuple[str, ...]], *, what: str) -> str:
    """The key of a query: codes joined by `+`, dimensions by a point, nothing for all; `all` where no dimension is named.

    `since` and `until` are no part of it. Errors: SourceError for a filter while the order of the dimensions is not known, or for a
    dimension that the table does not have.

    >>> key(("freq", "citizen", "geo"), {"geo": ("DE", "FR"), "freq": ("*",)}, what="migr_imm1ctz")
    '..DE+FR'
    """
    asked = {name: codes for name, codes in filters.items() if name not in PERIODS and codes != ("*",)}
    if not asked:
        return "all"
    if not dimensions:
        name = next(iter(asked))
        raise SourceError(
            f"the order of the dimensions of {what} is not known, so {name!r} cannot be asked for", mend="pull the whole table"
        )
    for name in asked:
        if name not in dimensions:
            raise SourceError(f"{what} has no dimension {name!r}", mend=nearest(name, dimensions))
    return ".".join("+".join(asked.get(name, ())) for name in dimensions)


def periods(filters: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, str], ...]:
    """startPeriod and endPeriod of a query."""
    named = (("since", "startPeriod"), ("until", "endPeriod"))
    return tuple((param, filters[name][0]) for name, param in named if filters.get(name))
