"""World Bank: JSON in pages, each a list of what it says of itself and the rows. `lastupdated` is the vintage.

Documentation: datahelpdesk.worldbank.org, "About the Indicators API", version 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qonys.core.errors import SourceError
from qonys.sources.formats.long import Roles
from qonys.sources.formats.pages import complete, documents, next_page, objects, stage_rows, whole_number
from qonys.sources.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from qonys.sources.catalogue import Publisher
    from qonys.sources.staged import Staged

PAGE = 20_000
FIRST, LAST = "1960", "2050"  # what stands for an open end: the interface wants both


def request(dataset: str, filters: Mapping[str, tuple[str, ...]], facts: Publisher) -> Request:
    """The first page; `following` gives the next. Filters: country (ISO alpha-3 or the bank's own), since, until."""
    countries = filters.get("country", ("*",))
    who = "all" if countries == ("*",) else ";".join(countries)
    params = [("format", "json"), ("per_page", str(PAGE)), ("page", "1")]
    if "since" in filters or "until" in filters:
        params.append(("date", f"{_bank(filters.get('since', (FIRST,))[0])}:{_bank(filters.get('until', (LAST,))[0])}"))
    url = f"{facts.address}/country/{who}/indicator/{dataset}"
    return Request(url=url, params=tuple(params), expects=("application/json",), suffix=".json", largest=facts.largest)


def following(path: Path, asked: Request) -> Request | None:
    """The request for the page after the last one of the file; None if there is none. Replies are kept one after another in one file."""
    heads = [_head(reply, path.name) for reply in documents(path)]
    page = max((whole_number(head.get("page")) or 1 for head in heads), default=0) + 1
    last = whole_number(heads[-1].get("pages")) if heads else None
    return None if last is None or page > last else next_page(asked, page)


def stage(path: Path, dataset: str, facts: Publisher) -> Staged:
    """Pages as a staged table: country (alpha-3, or the bank's code of a group), indicator, with their labels; obs_status is the flag.

    A null value is a gap. Errors: SourceError for a missing page or a message of the service ("Invalid value").
    """
    replies = documents(path)
    heads = [_head(reply, path.name) for reply in replies]
    last = whole_number(heads[-1].get("pages")) if heads else None
    complete([whole_number(head.get("page")) or 1 for head in heads], last or 1, path.name)
    rows = (
        {
            "country": _text(item.get("countryiso3code")) or _part(item, "country", "id"),
            "country_label": _part(item, "country", "value"),
            "indicator": _part(item, "indicator", "id"),
            "indicator_label": _part(item, "indicator", "value"),
            "period": _text(item.get("date")),
            "value": _text(item.get("value")),
            "unit": _text(item.get("unit")),
            "flag": _text(item.get("obs_status")),
            "decimals": _text(item.get("decimal")),
        }
        for reply in replies
        for item in objects(reply[1] or [], path.name)
    )
    labels = ("country_label", "indicator_label", "decimals")
    roles = Roles(
        dimensions={"country": "country", "indicator": "indicator"},
        value="value",
        period="period",
        flag="flag",
        unit="unit",
        attributes={name: name for name in labels},
        gaps=frozenset(("",)),
    )
    vintages = sorted({_text(head.get("lastupdated")) for head in heads} - {""})
    if len(vintages) > 1:
        raise SourceError(f"{path.name} joins pages of {vintages[0]} and of {vintages[-1]}", mend="pull it again: it was updated meanwhile")
    return stage_rows(rows, roles, file=path.name, vintage=vintages[0] if vintages else None)


def _head(reply: Any, file: str) -> dict[str, Any]:
    """What a page says of itself; a message of the service is refused."""
    if isinstance(reply, list) and reply and isinstance(reply[0], dict):
        if isinstance(reply[0].get("message"), list):
            said = "; ".join(f"{one.get('key', '')}: {one.get('value', '')}" for one in reply[0]["message"] if isinstance(one, dict))
            raise SourceError(f"the World Bank says: {said[:300]}", mend="check the indicator and the countries")
        if len(reply) == 2 and (reply[1] is None or isinstance(reply[1], list)):
            return reply[0]
    raise SourceError(
        f"{file} holds no page of the World Bank: a list of [about the page, rows]", mend="pull it again; the reply may have changed"
    )


def _bank(period: str) -> str:
    """2020-03 as 2020M03. Errors: SourceError for a half-year, which the bank does not have."""
    year, _, part = period.partition("-")
    if part.startswith("S"):
        raise SourceError(f"the World Bank has no half-years as {period}", mend="write a year, a quarter or a month")
    return year if not part else f"{year}{part}" if part.startswith("Q") else f"{year}M{part[:2]}"


def _part(item: dict[str, Any], name: str, part: str) -> str:
    """The id or the words of a country or an indicator."""
    found = item.get(name)
    return _text(found.get(part)) if isinstance(found, dict) else ""


def _text(value: Any) -> str:
    return "" if value is None else str(value)
