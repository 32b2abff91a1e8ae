"""OECD: SDMX-CSV with labels, one row an observation.

Documentation: OECD Data API (oecd.org, "API", July 2024): {agency},{dataflow},{version}/{key}?format=csvfilewithlabels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.sources import sdmx
from qonys.sources.formats.sdmx import stage_sdmx
from qonys.sources.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from qonys.sources.catalogue import Publisher
    from qonys.sources.staged import Staged


def request(dataset: str, filters: Mapping[str, tuple[str, ...]], facts: Publisher) -> Request:
    """The dataflow (`agency,dataflow[,version]`; without a version the latest) with codes and labels."""
    table = facts.table(dataset)
    key = sdmx.key(table.dimensions if table is not None else (), filters, what=f"oecd:{dataset}")
    flow = dataset if dataset.count(",") == 2 else f"{dataset},"
    params = (("format", "csvfilewithlabels"), ("dimensionAtObservation", "AllDimensions"), *sdmx.periods(filters))
    return Request(url=f"{facts.address}/data/{flow}/{key}", params=params, expects=sdmx.CSV, suffix=".csv", largest=facts.largest)


def stage(path: Path, dataset: str, facts: Publisher) -> Staged:
    """The message as a staged table. `unit_mult` stays an attribute: a value is in units of 10 to that power. Flag A: a normal value."""
    return stage_sdmx(path)
