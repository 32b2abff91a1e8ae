"""COVID Border Accountability Project: a row is a closure of a state's border to those who enter.

Shiraef, M. A. et al. (2021), COVID Border Accountability Project, a hand-coded global database of border closures introduced during 2020,
Scientific Data 8, 253. Reads the project's own `policy_list.csv` (names in capitals, dates as 03_27_20) and tables made from it with dates
as 2020-03-27 beside the raw text. Its README gives the order of the dates as DD_MM_YY, its file has MM_DD_YY: the order is read off the
dates themselves, and not guessed where they do not say it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, get_args

from qonys.core import areas
from qonys.core.errors import DataError, nearest
from qonys.measures.importers.names import country_codes
from qonys.measures.importers.sorting import Row, Sorting, day, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import ibis

    from qonys.measures.importers.base import Imported

Order = Literal["MM_DD_YY", "DD_MM_YY"]
BORDERS = ("air", "land", "sea")
NEED = (
    "id", "country_name", "iso3", "policy_type", "policy_subtype", "start_date", "end_date", *BORDERS,
    *(f"{mode}_type" for mode in BORDERS), *(f"targets_{mode}" for mode in BORDERS), "citizen",
    "citizen_list", "history_ban", "history_ban_list", "refugee", "refugee_list",
    "visa_ban", "visa_ban_list", "citizen_excep", "citizen_excep_list", "country_excep", "country_excep_list", "work_excep",
)  # fmt: skip
SOURCES = (
    "internal_govt_source", "airline_source", "insurance_source", "govt_social_med_source", "ext_govt_source", "internal_media_source",
    "ext_media_source", "other_source", "source0", "source1", "source2", "source3", "source4", "source5",
)  # fmt: skip
OTHER = ("end_date_raw", "visa_ban_type", "source_quality", "comments", *SOURCES)
# the names in the project's README, where they are not those of its file
SAME = {
    "history": "history_ban", "history_list": "history_ban_list",
    "visa": "visa_ban", "visa_type": "visa_ban_type", "visa_list": "visa_ban_list",
}  # fmt: skip
# codes of the project that are no codes of ours: the Schengen area with the EU as one, "EUR"
OWN_CODES = {"EUR": "EU"}
# who is let in despite a complete closure, by the words of the project
EXCEPTIONS = {
    "citizen": r"(?<!foreign )national|citizen", "foreign_resident": r"resident|residence|residency", "diplomat": r"diplomat",
    "essential_worker": r"essential", "family": r"famil|spouse|child|relative|dependent|dependant", "humanitarian": r"humanitarian",
    "medical_treatment": r"medical", "student": r"student", "transport_worker": r"truck|crew|cargo",
}  # fmt: skip
_RAW = re.compile(r"(\d{1,2})[_/.\-](\d{1,2})[_/.\-](\d{4}|\d{2})")


def read(raw: ibis.Table, *, file: str, order: Order | None = None) -> Imported:
    """Measures of the project, and the fate of each row.

    order: of day and month in dates as 03_27_20; without it, the one order in which all of them are days of the calendar. A row becomes one
    measure, "COBAP-" and its id; one that bans by several criteria, or closes several borders to different states, becomes one for each.
    Errors: DataError for a file that lacks a column or is empty, and for dates whose order cannot be told.
    """
    rows = rows_of(raw, file=file, publisher="COBAP", need=NEED, other=OTHER, same=SAME, missing=("NA", "NONE"))
    dates = {(row["row"], name): row[name] for row in rows for name in ("start_date", "end_date") if row[name] and not _is_iso(row[name])}
    dates |= {(row["row"], "end_date_raw"): row["end_date_raw"] for row in rows if row["end_date_raw"] and not row["end_date"]}
    written = {place: text for place, text in dates.items() if _RAW.fullmatch(text)}
    chosen = date_order(written, file=file, order=order) if written or order else None
    sorting = Sorting(file)
    for row in rows:
        _sort(row, sorting, chosen)
    return sorting.imported()


# The order of day and month


def date_order(written: dict[tuple[int, str], str], *, file: str, order: Order | None = None) -> Order:
    """The order of day and month in dates as 03_27_20: the one in which all of them are days, or the one the user says.

    written: (row, column) -> the date as it stands. A date that is a day in neither order decides nothing.
    Errors: DataError if dates of both orders occur, if none decides, or if `order` is no order.
    """
    if order is not None:
        if order not in get_args(Order):
            raise DataError(f"there is no order of dates {order!r}", mend=nearest(order, get_args(Order)))
        return order
    only = {one: [place for place, text in written.items() if _is_only(text, one)] for one in get_args(Order)}
    month_first, day_first = only["MM_DD_YY"], only["DD_MM_YY"]
    if month_first and day_first:
        raise DataError(
            f"{file} mixes two orders of day and month: {_shown(month_first, written)} can only be MM_DD_YY,"
            f" {_shown(day_first, written)} only DD_MM_YY",
            mend="correct the rows of one kind, or say which order holds with order=",
        )
    if not month_first and not day_first:
        what = f"no date of {file} shows whether the day or the month comes first"
        raise DataError(what, mend="say order='MM_DD_YY' or order='DD_MM_YY'")
    return "MM_DD_YY" if month_first else "DD_MM_YY"


def _is_only(text: str, order: str) -> bool:
    other: Order = "DD_MM_YY" if order == "MM_DD_YY" else "MM_DD_YY"
    return _read(text, order) is not None and _read(text, other) is None


def _shown(places: Iterable[tuple[int, str]], written: dict[tuple[int, str], str], most: int = 3) -> str:
    some = sorted(places)
    more = f" and {len(some) - most} more" if len(some) > most else ""
    return ", ".join(f"row {row} ({column} {written[row, column]})" for row, column in some[:most]) + more


def _read(text: str, order: str) -> str | None:
    """A date as 03_27_20 in that order; None if it is no day."""
    parts = _RAW.fullmatch(text)
    if parts is None:
        return None
    first, second, year = map(int, parts.groups())
    month, dom = (first, second) if order == "MM_DD_YY" else (second, first)
    try:
        return date(year + 2000 if year < 100 else year, month, dom).isoformat()
    except ValueError:
        return None


def _is_iso(text: str) -> bool:
    return re.match(r"\d{4}-", text) is not None


def _day(text: str | None, order: Order | None) -> str | None:
    return None if text is None else day(text) if _is_iso(text) else _read(text, order) if order else None


# One row


def _sort(row: Row, sorting: Sorting, order: Order | None) -> None:
    """Say what became of a row."""
    if (row["policy_type"] or "").startswith("NOPOLICY"):
        return sorting.no_measure(row, f"no closure was found for {row['country_name']}")
    printed = row["end_date"] or row["end_date_raw"]
    start, end = _day(row["start_date"], order), _day(printed, order)
    looks_like = printed is not None and (_is_iso(printed) or _RAW.fullmatch(printed) is not None)
    issuer = OWN_CODES.get(row["iso3"] or "", row["iso3"])
    if row["id"] is None:
        return sorting.quarantine(row, "has no id", "fill it in")
    if issuer not in areas.codes():
        what = f"has the code {row['iso3']!r} ({row['country_name']}), which is no area of ours"
        return sorting.quarantine(row, what, "correct the code, or leave the row out")
    if start is None:
        fault = "has no start_date" if row["start_date"] is None else f"has the start_date {row['start_date']!r}, which is no day"
        return sorting.quarantine(row, fault, "fill it in" if row["start_date"] is None else "correct it")
    if end is None and looks_like:
        return sorting.quarantine(row, f"has the end_date {printed!r}, which is no day", "correct it")
    if end is not None and end < start:
        return sorting.quarantine(row, f"ends on {end}, before it starts on {start}", "correct one of the two dates")
    if end and row["end_date_raw"] and end not in (_read(row["end_date_raw"], "MM_DD_YY"), _read(row["end_date_raw"], "DD_MM_YY")):
        what = f"ends on {end} in one column and on {row['end_date_raw']} in another"
        return sorting.quarantine(row, what, "correct one of the two dates")
    parts = list(_complete(row) if row["policy_type"] == "COMPLETE" else _partial(row) if row["policy_type"] == "PARTIAL" else ())
    if not parts:
        kind = " ".join(filter(None, (row["policy_type"], row["policy_subtype"])))
        return sorting.quarantine(row, f"is {kind!r}, and no field says what is closed, and to whom", "set the flag of the ban")
    notes = [row["comments"], f"source quality: {row['source_quality']}" if row["source_quality"] else None]
    notes.append(f"end as printed: {printed}" if printed and end is None else None)
    common = {
        "issuer": issuer, "level": "union" if issuer == "EU" else "national", "instrument": "administrative", "direction": "tightening",
        "start": start, "end": end, "status": "ended" if end else "issued", "evidence": _evidence(row), "coder": "cobap",
        "note": " | ".join(filter(None, notes)) or None,
    }  # fmt: skip
    ids = [f"COBAP-{row['id']}" + (f"-{place}" if place > 1 else "") for place in range(1, len(parts) + 1)]
    return sorting.measure(row, *({"id": one, **common, **part} for one, part in zip(ids, parts, strict=True)))


def _evidence(row: Row) -> str:
    link = next((row[name].strip(" ,") for name in SOURCES if row[name]), None)
    return "; ".join(filter(None, (f"COBAP, policy {row['id']} (Shiraef et al. 2021, Scientific Data 8, 253)", link)))


def _complete(row: Row) -> Iterator[dict[str, Any]]:
    """All newcomers are banned at all borders, with exceptions."""
    states, let_in = country_codes(row["country_excep_list"]), row["citizen_excep_list"]
    exceptions = [code for code, words in EXCEPTIONS.items() if let_in and re.search(words, let_in, re.IGNORECASE)]
    if row["citizen_excep"] == "1" and not exceptions:
        exceptions = ["citizen"]
    if row["work_excep"] == "1":
        exceptions = [*{*exceptions, "essential_worker"}]
    yield {
        "title": "Complete closure", "targets": ["arrival"], "field": "health", "strength": 4, "general": True, "area": "external_border",
        "exceptions": sorted(exceptions), "exception_citizenship": states.codes if row["country_excep"] == "1" else (),
        "exception_words": " | ".join(filter(None, (let_in, states.words()))) or None,
    }  # fmt: skip


def _partial(row: Row) -> Iterator[dict[str, Any]]:
    """One entry for each ban of the row: by visa, citizenship, journey, as a refugee, at a border."""
    closed = {"field": "health", "strength": 3, "general": False, "area": "external_border"}
    if row["visa_ban"] == "1":
        every = row["visa_ban_type"] == "All" and row["visa_ban_list"] is None
        yield {"title": "Visa ban", "targets": ["visa_applicant"], **closed, "field": "foreign", "area": "stay", "general": every,
               **({} if every else _limited("target_citizenship", row["visa_ban_list"]))}  # fmt: skip
    if row["citizen"] == "1":
        some = _limited("target_citizenship", row["citizen_list"])
        yield {"title": "Citizenship ban", "targets": ["foreign_traveller"], **closed, **some}
    if row["history_ban"] == "1":
        yield {"title": "Travel history ban", "targets": ["arrival"], **closed, **_limited("target_origin", row["history_ban_list"])}
    if row["refugee"] == "1":
        yield {"title": "Refugee ban", "targets": ["asylum_applicant", "refugee"], **closed, "field": "migration", "area": "asylum",
               **_limited("target_citizenship", row["refugee_list"])}  # fmt: skip
    yield from _borders(row, closed)


def _borders(row: Row, closed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Borders closed to the same states are one entry, those closed to others another."""
    scopes: dict[tuple[str, ...] | None, tuple[list[str], str | None]] = {}
    for mode in BORDERS:
        listed = row[f"targets_{mode}"]
        if row[mode] == "1":
            every = row[f"{mode}_type"] == "All"
            modes, _listed = scopes.setdefault(None if every else tuple(sorted(country_codes(listed).limit())), ([], listed))
            modes.append(mode)
    for codes, (modes, listed) in scopes.items():
        reach = _limited("borders_with" if modes == ["land"] else "target_origin", listed)
        if codes is None:
            reach = {"general": True, "exceptions": reach["exceptions"]}
        # one way of travel closed leaves the others: crossing is limited to them
        strength = 3 if len(modes) == len(BORDERS) else 2
        yield {"title": "Border closure", "targets": ["arrival"], **closed, "strength": strength, "modes": modes, **reach}


def _limited(column: str, listed: str | None) -> dict[str, Any]:
    """The states of a list, and the words in it that have no code; "MANDVAX" is taken for a condition that the vaccinated meet."""
    states = country_codes(listed or "not stated")
    vaccinated = ["vaccinated"] if "MANDVAX" in states.others else []
    return {column: states.limit(), "target_words": states.words(), "exceptions": vaccinated}
