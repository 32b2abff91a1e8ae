"""Eurostat: TSV by the SDMX 2.1 interface where the order of dimensions is known, JSON-stat by name where it is not.

Documentation: wikis.ec.europa.eu, "Eurostat user guides", API - SDMX 2.1 data query and API - Statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.sources import sdmx
from qonys.sources.formats.sniff import stage_self_explaining
from qonys.sources.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from qonys.sources.catalogue import Publisher
    from qonys.sources.staged import Staged

TSV = ("text/tab-separated-values", "application/gzip", "application/x-gzip", "application/octet-stream", "text/plain")


def request(dataset: str, filters: Mapping[str, tuple[str, ...]], facts: Publisher) -> Request:
    """The table as compressed TSV; with filters on a table whose dimensions the catalogue does not name, as JSON-stat."""
    table = facts.table(dataset)
    dimensions = table.dimensions if table is not None else ()
    named = [name for name in filters if name not in sdmx.PERIODS and filters[name] != ("*",)]
    if named and not dimensions:
        since = tuple(
            (param, filters[name][0]) for name, param in (("since", "sinceTimePeriod"), ("until", "untilTimePeriod")) if name in filters
        )
        codes = tuple((name, code) for name in named for code in filters[name])
        url = f"{facts.address}/statistics/1.0/data/{dataset.upper()}"
        return Request(
            url=url, params=(("format", "JSON"), *codes, *since), expects=("application/json",), suffix=".json", largest=facts.largest
        )
    key = sdmx.key(dimensions, filters, what=f"eurostat:{dataset}")
    url = f"{facts.address}/sdmx/2.1/data/{dataset.upper()}" + ("" if key == "all" else f"/{key}")
    params = (("format", "TSV"), ("compressed", "true"), *sdmx.periods(filters))
    return Request(url=url, params=params, expects=TSV, suffix=".tsv.gz", largest=facts.largest)


def stage(path: Path, dataset: str, facts: Publisher) -> Staged:
    """TSV, SDMX-CSV, SDMX-ML or JSON-stat, whichever the bytes are. Only JSON-stat and SDMX-CSV say the vintage.

    The dimension `unit` is the unit. Codes are Eurostat's own: EL, UK, EU27_2020, TOTAL, UNK.
    """
    return stage_self_explaining(path)
