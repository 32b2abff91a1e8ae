"""Oxford COVID-19 Government Response Tracker: CSV, a line a jurisdiction and day, a column an indicator, flag or index.

Documentation: github.com/OxCGRT/covid-policy-dataset, data/README. The importer of measures reads the same file as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.core.errors import SourceError
from qonys.sources.formats.delimited import look
from qonys.sources.formats.wide import stage_wide
from qonys.sources.undesa import file_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from qonys.sources.catalogue import Publisher
    from qonys.sources.request import Request
    from qonys.sources.staged import Staged

CODES = ("CountryCode", "RegionCode", "CityCode", "Jurisdiction")
NAMES = ("CountryName", "RegionName", "CityName")
CSV = ("text/csv", "text/plain", "application/octet-stream")


def request(dataset: str, filters: Mapping[str, tuple[str, ...]], facts: Publisher) -> Request:
    """The file, whole. Errors: SourceError for a filter."""
    if filters:
        raise SourceError(f"oxcgrt:{dataset} is one file and takes no filter {next(iter(filters))!r}", mend="pull it whole")
    return file_of(dataset, facts, CSV, ".csv")


def stage(path: Path, dataset: str, facts: Publisher) -> Staged:
    """The file as a staged table: countrycode, regioncode, citycode, jurisdiction, indicator (column as published), day.

    Words in place of numbers (V2B "65-69 yrs", NV) stand in `answer`, without value. Errors: SourceError without CountryCode or Date.
    """
    seen = look(path)
    if missing := [name for name in ("CountryCode", "Date") if name not in seen.names]:
        raise SourceError(f"{path.name} has no column {missing[0]!r}", mend="take a file of OxCGRT's data folder, version 1")
    return stage_wide(
        path,
        seen,
        dimensions={name.casefold(): name for name in CODES if name in seen.names},
        attributes={name.casefold(): name for name in NAMES if name in seen.names},
        values=[name for name in seen.names if name not in (*CODES, *NAMES, "Date")],
        named="indicator",
        period="Date",
        text="answer",
    )
