"""ILOSTAT: SDMX-CSV of its REST interface, or the CSV of its bulk files with small letters and notes of its own.

Documentation: ILOSTAT SDMX API, Data dissemination web service reference guide (2020); ilostat.ilo.org/data/bulk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.core.errors import SourceError
from qonys.sources import sdmx
from qonys.sources.formats.delimited import look, stage_delimited
from qonys.sources.formats.long import Roles
from qonys.sources.formats.sdmx import stage_sdmx
from qonys.sources.formats.sniff import sniff
from qonys.sources.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from qonys.sources.catalogue import Publisher
    from qonys.sources.staged import Staged

NOTES = ("note_indicator", "note_source", "note_classif")


def request(dataset: str, filters: Mapping[str, tuple[str, ...]], facts: Publisher) -> Request:
    """The dataflow of the agency ILO as SDMX-CSV, latest version."""
    table = facts.table(dataset)
    key = sdmx.key(table.dimensions if table is not None else (), filters, what=f"ilostat:{dataset}")
    url = f"{facts.address}/data/ILO,{dataset}/{key}"
    return Request(url=url, params=(("format", "csv"), *sdmx.periods(filters)), expects=sdmx.CSV, suffix=".csv", largest=facts.largest)


def stage(path: Path, dataset: str, facts: Publisher) -> Staged:
    """SDMX, or a bulk file (ref_area, source, indicator, sex, classif1, time, obs_value, obs_status, notes).

    obs_status is the flag: B break, E estimate, U unreliable and so on, as published.
    """
    if sniff(path) != "csv":
        return stage_sdmx(path)
    seen = look(path)
    if not {"ref_area", "time", "obs_value"} <= set(seen.names):
        raise SourceError(
            f"{path.name} has neither ILOSTAT's columns nor SDMX's: {', '.join(seen.names)[:200]}", mend="write a mapping for it"
        )
    parts = ("time", "obs_value", "obs_status", *NOTES)
    plain = [name for name in seen.names if name not in parts]
    codes = [name for name in plain if not name.endswith((".label", "_label"))]
    labels = [name for name in plain if name not in codes]
    note = next((name for name in NOTES if name in seen.names), None)
    roles = Roles(
        dimensions={name: name for name in codes},
        value="obs_value",
        period="time",
        flag="obs_status" if "obs_status" in seen.names else None,
        note=note,
        attributes={name.replace(".", "_"): name for name in (*labels, *(one for one in NOTES if one in seen.names and one != note))},
        decimal=seen.decimal,
    )
    return stage_delimited(path, seen, roles)
