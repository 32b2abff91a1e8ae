"""UN DESA, International Migrant Stock: a workbook with a sheet for each table, wide by sex and year below notes of its own.

Documentation: un.org/development/desa/pd, "International Migrant Stock", the CONTENTS and NOTES sheets of the 2020 and 2024 workbooks.
Places have M49 codes, groups of places too (900 is the world); `..` is no figure, and a type of data stands beside each destination.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from qonys.core.errors import SourceError
from qonys.sources.formats.long import Roles, long_batch
from qonys.sources.formats.workbook import rows, sheets, written
from qonys.sources.request import Request
from qonys.sources.staged import Faults, own_names, staged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from qonys.sources.catalogue import Publisher
    from qonys.sources.staged import Staged

XLSX = ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream", "application/zip")
SHEET = "Table 1"  # numbers of migrants; the other tables are shares and rates made from it
SEXES = {"both sexes": "both sexes", "male": "male", "males": "male", "female": "female", "females": "female"}
GAP = frozenset(("", "..", "...", "-", "Z"))
SEARCHED = 60  # rows in which the header must be
ROWS = 2_000
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


def request(dataset: str, filters: Mapping[str, tuple[str, ...]], facts: Publisher) -> Request:
    """The workbook, whole: the publisher takes no filters. Errors: SourceError for a filter, or a table without a file in the catalogue."""
    if filters:
        raise SourceError(f"undesa:{dataset} is one workbook and takes no filter {next(iter(filters))!r}", mend="pull it whole")
    return file_of(dataset, facts, XLSX, ".xlsx")


def file_of(dataset: str, facts: Publisher, expects: tuple[str, ...], suffix: str) -> Request:
    """The request for a table that is a file below the publisher's address. Errors: SourceError where the catalogue names no file."""
    table = facts.table(dataset)
    if table is None or not table.path:
        raise SourceError(
            f"the catalogue names no file for {facts.key}:{dataset}", mend="pull one of its tables: " + ", ".join(facts.tables)
        )
    return Request(url=f"{facts.address}/{table.path}", expects=expects, suffix=suffix, largest=facts.largest)


def stage(path: Path, dataset: str, facts: Publisher, *, sheet: str = SHEET) -> Staged:
    """A sheet as a staged table: location codes (M49, as published: 4, 398, 900) of destination and, where there is one, origin; sex; year.

    Names, type of data, index and other columns are attributes; notes of a place stand in `note`. Names lose the spaces that indent them.
    The vintage is the revision's month where the sheet says it, or else its year.
    Errors: SourceError where no row has a location code and years.
    """
    names = sheets(path)
    chosen = next((name for name in names if name.strip().casefold() == sheet.casefold()), None)
    if chosen is None:
        raise SourceError(f"{path.name} has no sheet {sheet!r}", mend="its sheets are: " + ", ".join(names)[:300])
    reading = rows(path, chosen)
    above: list[list[str]] = []
    for row in reading:
        cells = [written(cell) for cell in row]
        if _is_header(cells):
            header = cells
            break
        above.append(cells)
        if len(above) > SEARCHED:
            raise SourceError(f"{path.name}, sheet {chosen!r}: no row has a location code and years", mend="the layout changed: report it")
    else:
        raise SourceError(f"{path.name}, sheet {chosen!r}: no row has a location code and years", mend="the layout changed: report it")
    years = [place for place, text in enumerate(header) if re.fullmatch(r"(19|20)\d\d", text)]
    named = [place for place, text in enumerate(header) if text and place not in years]
    ours = dict(zip(own_names([header[place] for place in named]), named, strict=True))
    dimensions = [name for name in ours if name.startswith("location_code")]
    notes = next((name for name in ours if name.startswith("notes")), None)
    attributes = [name for name in ours if name not in dimensions and name != notes]
    groups = _groups(above, years)
    roles = Roles(
        dimensions={name: name for name in (*dimensions, "sex")},
        value="value",
        period="year",
        note=notes,
        attributes={name: name for name in (*attributes, "quantity")},
        gaps=GAP,
    )
    of, faults = roles.schema, Faults(path.name)
    said = [text for line in above for text in line if text]

    def made() -> Iterator[pa.RecordBatch]:
        number, part = len(above) + 1, []
        for row in reading:
            number += 1
            cells = [written(cell) for cell in row]
            if len(cells) > max(years) and any(cells[ours[name]] for name in dimensions):
                part.append((number, cells))
            elif any(cells):
                faults.add(f"row {number}", "", " ".join(filter(None, cells)), "has no location code: a note, not a place")
            if len(part) == ROWS:
                yield _batch(part, ours, years, header, groups, roles, of, faults)
                part = []
        if part:
            yield _batch(part, ours, years, header, groups, roles, of, faults)

    return staged(made(), of=of, dimensions=tuple(roles.dimensions), faults=faults, vintage=_vintage(said), notes=said)


def _is_header(cells: Sequence[str]) -> bool:
    return any(text.casefold().startswith("location code") for text in cells) and any(re.fullmatch(r"(19|20)\d\d", text) for text in cells)


def _groups(above: Sequence[Sequence[str]], years: Sequence[int]) -> dict[int, tuple[str, str]]:
    """(sex, quantity) of each column of years: the nearest title on its left in the row that has one above them; it may be merged."""
    titled: dict[int, str] = {}
    for line in reversed(above):
        inside = {place: text for place, text in enumerate(line) if text and years[0] <= place <= years[-1]}
        if inside:
            titled = inside
            break
    found = {}
    for place in years:
        title = next((titled[left] for left in sorted(titled, reverse=True) if left <= place), "")
        words = re.search(r"\b(both sexes|females?|males?)\b", title, re.IGNORECASE)
        found[place] = (SEXES[words[1].casefold()] if words else "both sexes", title)
    return found


def _batch(
    part: Sequence[tuple[int, list[str]]], ours: Mapping[str, int], years: Sequence[int], header: Sequence[str],
    groups: Mapping[int, tuple[str, str]], roles: Roles, of: pa.Schema, faults: Faults,
) -> pa.RecordBatch:  # fmt: skip
    """Rows of the sheet as cells, a row after the other."""
    block: dict[str, Any] = {
        name: pa.array([cells[place] for _, cells in part for _ in years], pa.string()) for name, place in ours.items()
    }
    block["sex"] = pa.array([groups[place][0] for place in years] * len(part), pa.string())
    block["quantity"] = pa.array([groups[place][1] for place in years] * len(part), pa.string())
    block["year"] = pa.array([header[place] for place in years] * len(part), pa.string())
    block["value"] = pa.array([cells[place] for _, cells in part for place in years], pa.string())

    def place_of(row: int) -> str:
        return f"row {part[row // len(years)][0]}, column {years[row % len(years)] + 1}"

    return long_batch(block, len(part) * len(years), roles, of, faults, place_of)


def _vintage(said: Sequence[str]) -> str | None:
    text = " ".join(said)
    if found := re.search(rf"\b({'|'.join(MONTHS)})\s+(20\d\d)\b", text):
        return f"{found[2]}-{MONTHS.index(found[1]) + 1:02d}"
    found = re.search(r"Rev\.?\s?(20\d\d)|\((20\d\d)\)", text)
    return (found[1] or found[2]) if found else None
