"""UNHCR refugee statistics: JSON in pages, one row an origin, asylum and year, populations side by side.

Documentation: api.unhcr.org/docs/refugee-statistics. Origin and asylum are told apart only if `coo_all` and `coa_all` say so; else they are
counted together, and `-` stands for all. Numbers may be text; `-` is no figure. Counts under five are rounded by UNHCR.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qonys.core.errors import SourceError
from qonys.sources.formats.long import Roles
from qonys.sources.formats.pages import complete, documents, next_page, objects, stage_rows, whole_number
from qonys.sources.request import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from qonys.sources.catalogue import Publisher
    from qonys.sources.staged import Staged

PAGE = 10_000
TOGETHER = "TOTAL"  # as a filter: all of them together, not one by one
# dimensions of all its tables; every other key of a row is a figure
DIMENSIONS = (
    "coo_iso", "coo", "coa_iso", "coa", "procedure_type", "app_type", "app_pc", "dec_level", "dec_pc", "ptype", "location", "urban_rural",
    "accommodation_type",
)  # fmt: skip
LABELS = ("coo_name", "coa_name", "coo_id", "coa_id")


def request(dataset: str, filters: Mapping[str, tuple[str, ...]], facts: Publisher) -> Request:
    """The first page; `following` gives the next. Filters: coo, coa (ISO alpha-3; TOTAL: all together), since, until.

    Errors: SourceError for TOTAL beside other codes.
    """
    params = [("limit", str(PAGE)), ("page", "1"), ("cf_type", "ISO")]
    for name in ("coo", "coa"):
        codes = filters.get(name, ("*",))
        if codes == ("*",):
            params.append((f"{name}_all", "true"))
        elif TOGETHER not in codes:
            params.append((name, ",".join(codes)))
        elif len(codes) > 1:
            raise SourceError(
                f"unhcr:{dataset} is asked for {name} together and one by one", mend=f"write {name}={TOGETHER} or name the codes"
            )
    for name, param in (("since", "yearFrom"), ("until", "yearTo")):
        if name in filters:
            params.append((param, filters[name][0][:4]))
    expects = ("application/json",)
    return Request(url=f"{facts.address}/{dataset}/", params=tuple(params), expects=expects, suffix=".json", largest=facts.largest)


def following(path: Path, asked: Request) -> Request | None:
    """The request for the page after the last one of the file; None if there is none. Replies are kept one after another in one file."""
    pages, last = _pages(documents(path), path.name)
    page = max(pages) + 1
    return None if last is None or page > last else next_page(asked, page)


def stage(path: Path, dataset: str, facts: Publisher) -> Staged:
    """Pages as a staged table: coo_iso, coo, coa_iso, coa (UNHCR's own codes), ... and `figure`, the name of the population.

    Errors: SourceError for a missing page, a message of the service, or rows without year and figures.
    """
    replies = documents(path)
    pages, last = _pages(replies, path.name)
    complete(pages, last, path.name)
    items = objects([item for reply in replies for item in reply["items"]], path.name)
    keys = list(dict.fromkeys(key for item in items for key in item))
    if items and "year" not in keys:
        raise SourceError(
            f"{path.name} has rows without a year: {', '.join(keys)[:200]}", mend="pull it again; the reply changed its shape"
        )
    known = [name for name in DIMENSIONS if name in keys]
    labels = [name for name in LABELS if name in keys]
    figures = [key for key in keys if key not in (*known, *labels, "year")]
    roles = Roles(
        dimensions={name: name for name in (*known, "figure")},
        value="value",
        period="year",
        attributes={name: name for name in labels},
        gaps=frozenset(("", "-", "*")),
    )

    def rows() -> Iterator[dict[str, str]]:
        for item in items:
            shared = {name: _text(item.get(name)) for name in (*known, *labels, "year")}
            for name in figures:
                if name in item:
                    yield shared | {"figure": name, "value": _text(item[name])}

    return stage_rows(rows(), roles, file=path.name)


def _pages(replies: list[Any], file: str) -> tuple[list[int], int | None]:
    """The numbers of the pages, and how many there are."""
    pages: list[int] = []
    last = None
    for reply in replies:
        if not isinstance(reply, dict) or not isinstance(reply.get("items"), list):
            said = reply.get("message") or reply.get("error") if isinstance(reply, dict) else None
            what = f"a message of the service: {str(said)[:200]}" if said else "no pages of UNHCR, which have 'items'"
            raise SourceError(f"{file} holds {what}", mend="check dataset and filters; the reply may have changed its shape")
        page = whole_number(reply.get("page"))
        pages.append(len(pages) + 1 if page is None else page)
        last = whole_number(reply.get("maxPages"))
    if not pages:
        raise SourceError(f"{file} holds no page", mend="pull it again")
    return pages, last


def _text(value: Any) -> str:
    return "" if value is None else str(value)
