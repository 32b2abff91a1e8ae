"""Bureau of National Statistics of Kazakhstan: workbooks made for print, and the CSV and JSON of its open data, Russian or Kazakh.

Addresses: stat.gov.kz/api/iblock/element/NUMBER/file/ru/ (XLSX), .../csv/file/ru/, .../json/file/ru/. Marks of its publications:
"-" nothing occurred, "x" confidential, "..." no data, "0,0" a negligible value. "-" stays a gap with its mark: nothing is invented.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qonys.core.errors import SourceError
from qonys.sources.formats.cells import iso_period
from qonys.sources.formats.delimited import look, stage_delimited
from qonys.sources.formats.long import Roles
from qonys.sources.formats.pages import documents, objects, stage_rows
from qonys.sources.formats.printed import stage_printed
from qonys.sources.formats.sniff import sniff
from qonys.sources.request import Request
from qonys.sources.staged import own_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from qonys.sources.catalogue import Publisher
    from qonys.sources.staged import Staged

XLSX = ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream", "application/vnd.ms-excel")


def request(dataset: str, filters: Mapping[str, tuple[str, ...]], facts: Publisher) -> Request:
    """The workbook of an element in Russian. Errors: SourceError for a filter: the file is one."""
    if filters:
        raise SourceError(f"bns:{dataset} is one file and takes no filter {next(iter(filters))!r}", mend="pull it whole")
    return Request(url=f"{facts.address}/{dataset}/file/ru/", expects=XLSX, suffix=".xlsx", largest=facts.largest)


def stage(path: Path, dataset: str, facts: Publisher, *, sheet: str | None = None) -> Staged:
    """A file of the bureau as a staged table.

    XLSX (the sheet named, or the first that has a table): see `formats.printed.stage_printed`.
    CSV: its own dimensions (КАТО, ...); the columns that only say a level are attributes. JSON: `term_1`, `term_2`, ... and their labels.
    Errors: SourceError for a file in which no table is found.
    """
    kind = sniff(path)
    if kind == "xlsx":
        return stage_printed(path, sheet)
    if kind == "json":
        return _cube(path)
    if kind == "csv":
        return _open_data(path)
    raise SourceError(f"{path.name} is {kind}, which the bureau does not publish", mend="stage it as what it is")


def _open_data(path: Path) -> Staged:
    """NAM, DAT, PERIOD, then for each dimension its label and a column L..., then VAL; parted by tabulators in spite of its name."""
    seen = look(path)
    if not {"DAT", "VAL"} <= set(seen.names):
        raise SourceError(
            f"{path.name} has no columns DAT and VAL, as the bureau's open data do", mend="write a mapping: qonys sources map"
        )
    plain = [name for name in seen.names if name not in ("NAM", "DAT", "PERIOD", "VAL")]
    levels = [name for name in plain if name.startswith("L") and name[1:] in plain]
    ours = dict(zip(plain, own_names(plain), strict=True))
    worded = "PERIOD" in seen.names and all(_dated(text) for text in seen.column("PERIOD"))
    roles = Roles(
        dimensions={ours[name]: name for name in plain if name not in levels},
        value="VAL",
        period="PERIOD" if worded else "DAT",
        attributes=({"quantity": "NAM"} if "NAM" in seen.names else {}) | {ours[name]: name for name in levels},
        decimal=seen.decimal,
    )
    return stage_delimited(path, seen, roles)


def _cube(path: Path) -> Staged:
    """A list of slices, each with its terms, their names and its periods."""
    found = documents(path)
    slices: list[Any] = found[0] if len(found) == 1 and isinstance(found[0], list) else []
    if not slices or not all(
        isinstance(one, dict) and all(isinstance(one.get(name), list) for name in ("periods", "terms")) for one in slices
    ):
        raise SourceError(f"{path.name} is no cube of the bureau: slices with terms and periods", mend="pull the XLSX; the layout changed")
    width = max(len(one["terms"]) for one in slices)

    def rows() -> Iterator[dict[str, str]]:
        for one in slices:
            labels = one["termNames"] if isinstance(one.get("termNames"), list) else []
            shared = {f"term_{place + 1}": str(term) for place, term in enumerate(one["terms"])}
            shared |= {f"term_{place + 1}_label": str(label) for place, label in enumerate(labels)}
            for period in objects(one["periods"], path.name):
                name, day = str(period.get("name") or ""), str(period.get("date") or "")
                yield shared | {
                    "period": name if _dated(name) else day,
                    "value": "" if period.get("value") is None else str(period["value"]),
                }

    terms = [f"term_{place + 1}" for place in range(width)]
    roles = Roles(
        dimensions={name: name for name in terms},
        value="value",
        period="period",
        attributes={f"{name}_label": f"{name}_label" for name in terms},
    )
    return stage_rows(rows(), roles, file=path.name)


def _dated(text: str) -> bool:
    return bool(re.match(r"^[12]\d{3}($|-)", iso_period(text)))
