"""CoronaNet: a row is a coded policy record, or an update of one; `policy_id` links the records of one policy.

Cheng, C. et al. (2020), COVID-19 Government Response Event Dataset (CoronaNet v.1.0), Nature Human Behaviour 4, 756-768. Reads the release
of today and that of April 2020 (`event_description`, levels as sentences, no kinds). How its codes are read as ours is data:
`data/importers/coronanet.toml`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from qonys.core import areas
from qonys.core.errors import DataError
from qonys.measures.importers.cells import mapping
from qonys.measures.importers.names import Named, country_code, country_codes
from qonys.measures.importers.sorting import Row, Sorting, day, rows_of

if TYPE_CHECKING:
    import ibis

    from qonys.measures.importers.base import Imported

NEED = (
    "record_id", "policy_id", "entry_type", "description", "date_announced", "date_start", "date_end", "country", "init_country_level",
    "type", "target_country", "target_who_what", "target_direction", "travel_mechanism", "compliance", "link",
)  # fmt: skip
OTHER = (
    "update_type", "update_level", "date_end_spec", "iso_a3", "province", "city", "type_sub_cat", "target_geog_level", "target_region",
    "target_province", "target_city", "target_other", "target_who_gen", "enforcer",
)  # fmt: skip
SOURCE = "CoronaNet, policy {policy} (Cheng et al. 2020, Nature Human Behaviour 4, 756-768)"
EUROPEAN_UNION = "European Union"


def read(raw: ibis.Table, *, file: str) -> Imported:
    """Measures of CoronaNet, and the fate of each row.

    A record becomes a measure with the id "CORONANET-" and its record_id. An update supersedes the records of the same policy and kind that
    began last before it, or on the same day as a new entry; a record that says the policy ended closes those that were then in force, and
    is part of them. An end that the publisher wrote for a policy without limit of time, the day of its release, is no end.
    Errors: DataError for a file that lacks a column, or is empty.
    """
    rows = rows_of(raw, file=file, publisher="CoronaNet", need=NEED, other=OTHER, same={"event_description": "description"})
    sorting = Sorting(file)
    seen: dict[tuple[Any, ...], int] = {}
    closing: list[Row] = []
    policies: dict[tuple[str, ...], list[_Record]] = defaultdict(list)
    for row in rows:
        content = tuple(row.values())[2:]  # a record entered twice differs in its row and its record_id alone
        if (what := _unusable(row)) is not None:
            sorting.quarantine(row, *what)
        elif content in seen:
            sorting.quarantine(row, f"repeats row {seen[content]} under another record_id", "keep one of the two")
        elif _short(row["update_type"]) == "End of Policy":
            seen[content] = row["row"]
            closing.append(row)
        else:
            seen[content] = row["row"]
            entry = _entry(row)
            sorting.measure(row, entry)
            if sorting.measures[entry["id"]]["row"] == row["row"]:
                policies[_policy(row)].append(_Record(entry["id"], entry["start"], not row["entry_type"].casefold().startswith("new")))
    for records in policies.values():
        _chain(records, sorting)
    _close(closing, policies, sorting)
    return sorting.imported()


# A policy through time


@dataclass(frozen=True, slots=True)
class _Record:
    id: str
    start: str
    updates: bool

    @property
    def place(self) -> tuple[str, bool]:
        """Its place in the order of the policy: by start, and on one day what is new before what updates it."""
        return self.start, self.updates


def _policy(row: Row) -> tuple[str, ...]:
    return row["policy_id"], row["country"], row["type"], row["type_sub_cat"] or ""


def _chain(records: list[_Record], sorting: Sorting) -> None:
    """Each update supersedes the records that stand before it in the policy; those of one place stand side by side."""
    places = sorted({record.place for record in records})
    standing = {place: [record.id for record in records if record.place == place] for place in places}
    before = dict(zip(places[1:], places, strict=False))
    for record in records:
        if record.updates and record.place in before:
            sorting.measures[record.id]["supersedes"] = standing[before[record.place]]


def _close(closing: list[Row], policies: dict[tuple[str, ...], list[_Record]], sorting: Sorting) -> None:
    """A record of an end gives its day to the records of the policy that stood last on it; of several ends the last one holds."""
    ends: dict[str, str] = {}
    for row in closing:
        last = day(row["date_end"]) or row["date_start"][:10]
        begun = [record for record in policies.get(_policy(row), []) if record.start <= last]
        if not begun:
            what = f"ends policy {row['policy_id']} on {last}, and no record of it began by then"
            sorting.quarantine(row, what, "look for the record it ends")
            continue
        place = max(record.place for record in begun)
        closed = [record.id for record in begun if record.place == place]
        sorting.part(row, *closed)
        for one in closed:
            ends[one] = max(last, ends.get(one, last))
    for one, last in ends.items():
        sorting.measures[one] |= {"end": last, "status": "ended"}


# One record


def _unusable(row: Row) -> tuple[str, str] | None:
    """Why a row cannot become a measure, and the mend."""
    for name in ("record_id", "policy_id", "entry_type", "type"):
        if row[name] is None:
            return f"has no {name}", "fill it in"
    if row["date_start"] is None:
        return "has no date_start", "fill it in"
    for name in ("date_announced", "date_start", "date_end"):
        if row[name] is not None and day(row[name]) is None:
            return f"has {name} {row[name]!r}, which is no day", "write the day as 2020-03-16"
    if not _unlimited(row) and row["date_end"] is not None and row["date_end"][:10] < row["date_start"][:10]:
        return f"ends on {row['date_end'][:10]}, before it starts on {row['date_start'][:10]}", "correct one of the two dates"
    if _issuer(row) is None:
        return f"has the country {row['country'] or row['iso_a3']!r}, which has no code of ours", "correct the name, or leave the row out"
    if _short(row["type"]) not in _codes()["type"]:
        return f"has the type {row['type']!r}, which is not in the table of codes", "add it to data/importers/coronanet.toml"
    return None


def _entry(row: Row) -> dict[str, Any]:
    """One record as an entry of the contract."""
    issuer, own_code = _issuer(row) or ("", False)
    coding = _coding(row, issuer)
    limits, words = _limits(row, coding, issuer)
    targets, narrow, who = _targets(row, coding)
    modes = _modes(row["travel_mechanism"])
    compliance = _parts(row["compliance"])
    only_advised = bool(compliance) and all(part.startswith("Voluntary") for part in compliance)
    excepted = "Mandatory with Exceptions" in compliance
    strength, instrument = coding.get("strength", 1), coding["instrument"]
    if coding.get("closes") and (limits or narrow or modes):
        strength = 2 if modes else 3
    if only_advised:
        strength, instrument = 1, "informational"
    level = "union" if issuer == "EU" else "national" if _is_national(row["init_country_level"]) else "regional"
    place = [*dict.fromkeys(row[name] for name in ("city", "province") if row[name] and row[name] != row["country"])]
    within = [row[name] for name in ("target_province", "target_city") if row[name] and row[name] not in place]
    # a town is a part of its region, unless it is one itself
    local = level == "regional" and (not own_code or (row["city"] or row["province"]) != row["province"])
    part = limits or who or excepted or coding.get("contacts") or within or local or row["update_level"] == "Relaxing"
    spec, end = row["date_end_spec"] or "", None if _unlimited(row) else day(row["date_end"])
    note = [row["update_level"], row["description"], spec if end is None and "unknown" not in spec else None]
    named = "; ".join(filter(None, (*who, words, *within)))
    return {
        "id": f"CORONANET-{row['record_id']}", "title": _short(row["type_sub_cat"]) or _short(row["type"]), "issuer": issuer,
        "level": level, "targets": targets, **limits, "target_words": named or None,
        **{name: coding.get(name) for name in ("field", "direction", "area")},
        "instrument": instrument, "strength": strength, "general": not part, "announced": day(row["date_announced"]),
        "start": day(row["date_start"]), "end": end, "status": "ended" if end else "issued", "agency": row["enforcer"], "modes": modes,
        "actor": ", ".join(place) or (row["country"] if "," in (row["country"] or "") else None),
        "exception_words": "Mandatory with Exceptions" if excepted else None,
        "evidence": "; ".join(filter(None, (SOURCE.format(policy=row["policy_id"]), row["link"]))), "coder": "coronanet",
        "note": " | ".join(filter(None, note)) or None,
    }  # fmt: skip


def _coding(row: Row, issuer: str) -> dict[str, Any]:
    """The codes of its type and kind, with the scope decided."""
    kinds = _codes()["type"][_short(row["type"])]
    coding: dict[str, Any] = {"direction": "neutral"} | kinds["code"] | kinds.get("kind", {}).get(_short(row["type_sub_cat"]), {})
    if coding["scope"] == "either" and not _for_arrivals(row, issuer):
        coding |= {"scope": "inside", "area": "internal_movement", "contacts": True}
    return coding


def _for_arrivals(row: Row, issuer: str) -> bool:
    """Whether a quarantine is for people who come into the state, by its direction, the states it names, whom it aims at, or its words."""
    abroad = row["target_country"] is not None and _states(row["target_country"], issuer) != Named()
    if row["target_direction"] is not None or row["target_country"] == "All countries" or abroad:
        return True
    if not _is_national(row["init_country_level"]):
        return False
    if _codes()["who"].get(_short(row["target_who_what"]), {}).get("travels"):
        return True
    text = (row["description"] or "").casefold()
    return any(word in text for word in _codes()["arrival_words"])


def _limits(row: Row, coding: dict[str, Any], issuer: str) -> tuple[dict[str, tuple[str, ...]], str | None]:
    """The states a measure at the border is limited to, in the column they belong to, and the words that have no code.

    Places left are `target_origin`. For what acts on leaving they are destinations, and for a ban in both directions either: then they are
    the borders with them.
    """
    if coding["scope"] in ("inside", "none"):
        return {}, None
    listed, region = row["target_country"], row["target_region"]
    every = listed == "All countries" or (listed is None and row["target_geog_level"] == "All countries")
    if every:
        return {}, None
    states = country_codes(region or row["target_other"] or "not stated") if listed is None else _states(listed, issuer)
    codes = states.limit()
    if not codes:
        return {}, None
    direction = row["target_direction"]
    leaving = direction == "Outbound" or (direction == "Inbound/Outbound" and coding.get("closes"))
    column = "target_citizenship" if coding.get("limit") == "citizenship" else "borders_with" if leaving else "target_origin"
    return {column: codes}, "; ".join(filter(None, (states.words(), row["target_other"] if listed else None))) or None


@cache
def _states(listed: str, issuer: str) -> Named:
    """The states named, without the issuer itself: a record that names nobody else is about those who enter from anywhere."""
    own = {issuer, *(areas.members("EU", date(2020, 3, 1)) if issuer == "EU" else ())}
    named = country_codes(listed)
    return Named(tuple(code for code in named.codes if code not in own), named.others, named.uncoded)


def _targets(row: Row, coding: dict[str, Any]) -> tuple[list[str], bool, list[str]]:
    """The groups, whether they are a narrow part of those who cross, and the special populations that the groups do not say."""
    special = [one for one in _parts(row["target_who_gen"]) if not one.startswith(("No special", "Not specified", "Everyone"))]
    known = [_codes()["population"].get(one) for one in special]
    who = _codes()["who"].get(_short(row["target_who_what"]))
    if coding["scope"] in ("inside", "none"):
        some = [_short(row["target_who_what"])] if row["target_who_what"] and not _short(row["target_who_what"]).startswith("All") else []
        return coding.get("targets", ["internal" if coding["scope"] == "inside" else "all"]), False, [*some, *special]
    unread = [row["target_who_what"]] if who is None and row["target_who_what"] else []
    if "targets" in coding:
        return coding["targets"], False, [*unread, *special]
    if special and None not in known:
        return sorted({one for one in known if one}), True, []
    who = who or _codes()["who"]["All"]
    side = {"Outbound": "out", "Inbound/Outbound": "both"}.get(row["target_direction"] or "", "in")
    return who[side], bool(who.get("narrow") or unread or special), [*unread, *special]


def _issuer(row: Row) -> tuple[str, bool] | None:
    """The code of who decided, and whether it is its own and not that of the state around it; None if it has none."""
    named = [part.strip() for part in (row["country"] or "").split(",")]
    if EUROPEAN_UNION in named:
        return "EU", True
    iso: str | None = row["iso_a3"]
    state = iso if iso in areas.codes() and "," not in (row["country"] or "") else country_code(row["country"] or "")
    if state is None or row["province"] is None:
        return None if state is None else (state, False)
    own: str | None = _codes()["territory"].get(row["country"], {}).get(row["province"])
    own = _region(row["province"]) if state == "KAZ" else own
    return (state, False) if own is None else (own, True)


@cache
def _region(province: str) -> str | None:
    try:
        return areas.region_code(province)
    except DataError:
        return None  # Baikonur is leased to Russia and no region


def _modes(mechanism: str | None) -> tuple[str, ...]:
    words = _parts(mechanism)
    if any(word.startswith("All kinds") for word in words):
        return ()
    return tuple(sorted({_codes()["mode"][word] for word in words if word in _codes()["mode"]}))


def _is_national(level: str | None) -> bool:
    """The release of today says "National", that of April 2020 "No, it is at the national level"; a row without a level is the state's."""
    return level is None or "national" in level.casefold()


def _unlimited(row: Row) -> bool:
    return (row["date_end_spec"] or "").startswith("The policy has an unlimited time span")


@cache
def _parts(cell: str | None) -> tuple[str, ...]:
    """The words of a cell with several answers, without what stands in brackets."""
    return tuple(_short(part) for part in cell.split(",")) if cell else ()


@cache
def _short(cell: str | None) -> str:
    """An answer without what stands in brackets or after a colon."""
    return " ".join(re.split(r"[(:]", cell or "")[0].split())


def _codes() -> dict[str, Any]:
    return mapping("coronanet")
