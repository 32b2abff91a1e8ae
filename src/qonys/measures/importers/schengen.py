"""Border control reintroduced at internal borders of the Schengen area, as member states notify it (Schengen Borders Code, art. 25 ff).

Three shapes of one list: the Commission's own (a number, the state, a text with the duration, a text with reasons and scope), the same with
the days read off (`begin`, `end`, and who read which neighbours), and one row a state and neighbour (F. Guelzau), where a control over the
turn of a year stands in two rows. Coded as the register's own entries. A prolongation is a notification of its own: it adjoins the one
before and does not supersede it. Words and codes are data: `data/importers/schengen.toml`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING, Any

from qonys.core import areas
from qonys.measures.importers.cells import mapping
from qonys.measures.importers.names import country_code
from qonys.measures.importers.sorting import Row, Sorting, day, rows_of

if TYPE_CHECKING:
    import ibis

    from qonys.measures.importers.base import Imported

PUBLISHER = "notifications of border control at internal borders"
SAME = {"reasons_scope": "text", "reasons": "text", "reason": "text"}
EVIDENCE = (
    "European Commission (DG HOME), Member States' notifications of the temporary reintroduction of border control at internal borders "
    "pursuant to Article 25 and 28 et seq. of the Schengen Borders Code, {which}"
)


_TIME = r"\b\d{1,2}:\d{2}\b"


def read(raw: ibis.Table, *, file: str) -> Imported:
    """Measures of the notifications, and the fate of each row.

    One notification is one measure, "SCHENGEN-", its number, the state and the first day. In a table of neighbours the rows of one state,
    duration and reason are one measure with their borders; the duration gives its days, because the rows are cut at the end of each year.
    A row whose days contradict its duration is quarantined. Errors: DataError for a file that lacks a column, or is empty.
    """
    names = {re.sub(r"\W+", "_", name.casefold()).strip("_") for name in raw.columns}
    sorting = Sorting(file)
    if "neighbour_iso3" in names:
        need = ("id", "iso3_state", "neighbour_iso3", "begin", "end", "duration", "text")
        _neighbours(rows_of(raw, file=file, publisher=PUBLISHER, need=need, other=("check_length", "category"), same=SAME), sorting)
    else:
        need = ("nb", "member_state", "text", *(("begin", "end") if "begin" in names else ("duration",)))
        other = ("iso3_state", "duration", "neighbours_controlled", "reason_dw")
        for row in rows_of(raw, file=file, publisher=PUBLISHER, need=need, other=other, same=SAME):
            _notification(row, sorting)
    return sorting.imported()


# One row a notification


def _notification(row: Row, sorting: Sorting) -> None:
    """Say what became of a row. A text of durations may hold several, and each is a measure."""
    state = row["iso3_state"] or country_code(row["member_state"] or "")
    if state not in areas.codes():
        name = row["member_state"] or row["iso3_state"]
        return sorting.quarantine(row, f"has the member state {name!r}, which is no area of ours", "correct the name")
    if "begin" in row:
        begin, end = day(row["begin"]), day(row["end"])
        for name, given, found in (("begin", row["begin"], begin), ("end", row["end"], end)):
            if given is not None and found is None:
                return sorting.quarantine(row, f"has the {name} {given!r}, which is no day", "write the day as 2020-03-16")
        if begin is None:
            return sorting.quarantine(row, "has no begin", "fill it in")
        spells: list[tuple[str, str | None]] = [(begin, end)]
        told = durations(row["duration"])
        if told and (begin, end) not in told:
            return sorting.quarantine(row, f"is from {begin} to {end}, and its duration says {row['duration']!r}", "correct one of the two")
    else:
        spells = [*durations(row["duration"])]
    if not spells:
        what = f"has the duration {row['duration']!r}, in which no days can be read"
        return sorting.quarantine(row, what, "write it as 15/04/2020 - 05/05/2020")
    for begin, end in spells:
        if end is not None and end < begin:
            return sorting.quarantine(row, f"ends on {end}, before it begins on {begin}", "correct one of the two dates")
    neighbours = (row["neighbours_controlled"] or "").split()
    if unknown := [one for one in neighbours if one not in areas.codes()]:
        return sorting.quarantine(row, f"has the neighbour {unknown[0]!r}, which is no area of ours", "correct the code")
    scope, which = _scope(row["text"] or "", state, neighbours), f"number {row['nb'] or 'not given'}"
    common = _entry(row["text"], row["reason_dw"], state, which) | scope
    number = re.sub(r"\W+", "", row["nb"] or "X")
    entries = [{"id": f"SCHENGEN-{number}-{state}-{begin}", "start": begin, "end": end, **common} for begin, end in spells]
    return sorting.measure(row, *entries)


def _scope(text: str, state: str, neighbours: list[str]) -> dict[str, Any]:
    """Which borders, by which ways of travel, and whether all, as the text says; the neighbours others read where it says nothing."""
    words = _words()["scope"]
    found = re.split(words["lifted"], text, flags=re.IGNORECASE)[0]
    everywhere = re.search(words["all"], found, re.IGNORECASE)
    first = re.search(words["border"], found, re.IGNORECASE)
    place, *spared = re.split(words["except"], found[first.start() :] if first else "", flags=re.IGNORECASE)
    # "land borders with Austria, all air borders": what is named before is a limit
    if everywhere and first and not [code for code in _states(found[first.start() : everywhere.start()]) if code != state]:
        modes = _modes(everywhere.group(1))
        whole = not spared and (not modes or {"land", "air"} <= {*modes}) and re.search(words["perhaps"], found, re.IGNORECASE) is None
        left_out = [code for part in spared for code in _states(part) if code != state]
        return {"general": whole, "modes": [] if len(modes) == len(_words()["mode"]) else modes, "borders_except": left_out}
    pairs = re.findall(r"\b[A-Z]{2}-[A-Z]{2}\b", found)  # FR-ES land border
    named = [code for code in _states(" ".join([place, *pairs])) if code != state]
    modes = _modes(found)
    # at airports or ports, and none named: those who come from any; at borders by land, from some that are not told
    return {"general": False, "modes": modes, "borders_with": named or neighbours or ([] if modes and "land" not in modes else ["UNKNOWN"])}


def durations(text: str | None) -> tuple[tuple[str, str], ...]:
    """The first and last days in a text such as "21-28/10/2006", "9/1/06-8/2/06", "21.10.06", or several of these with semicolons.

    A month or year that the first day lacks is that of the last. If one of several cannot be read, none is.

    >>> durations("21-28/10/2006, 08:00-20:00")
    (('2006-10-21', '2006-10-28'),)
    """
    plain = re.sub(rf"{_TIME}\s*-\s*{_TIME}|{_TIME}|[\s,()]", "", (text or "").replace("–", "-"))
    spells = [_spell(part) for part in plain.split(";") if part]
    return tuple(spell for spell in spells if spell) if None not in spells else ()


def _spell(text: str) -> tuple[str, str] | None:
    if iso := re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:-(\d{4}-\d{2}-\d{2}))?", text):
        first, last = day(iso.group(1)), day(iso.group(2) or iso.group(1))
        return (first, last) if first and last else None
    parts = [[int(number) for number in re.findall(r"\d+", part)] for part in text.split("-")]
    if not re.fullmatch(r"[\d/.]+(-[\d/.]+)?", text) or len(parts[-1]) != 3:
        return None
    ends = [part + parts[-1][len(part) :] for part in parts]
    try:
        first, *_rest, last = [date(year + 2000 if year < 100 else year, month, dom).isoformat() for dom, month, year in [*ends, ends[-1]]]
    except ValueError:
        return None
    return first, last


# One row a state and neighbour


def _neighbours(rows: list[Row], sorting: Sorting) -> None:
    """Join the rows of one notification."""
    controls: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if (what := _contradiction(row)) is not None:
            sorting.quarantine(row, *what)
        else:
            controls[row["iso3_state"], row["duration"], row["text"] or ""].append(row)
    for (state, duration, text), pieces in controls.items():
        (begin, end), first = durations(duration)[0], pieces[0]
        entry = _entry(text or None, first["category"], state, f"coded by neighbour by F. Guelzau, row {first['id']}")
        borders = list(dict.fromkeys(piece["neighbour_iso3"] for piece in pieces))
        # the table is of land borders only, whatever else the text names
        entry |= {"general": _scope(text, state, [])["general"], "modes": ["land"], "borders_with": borders}
        one = f"SCHENGEN-{first['id']}-{state}-{begin}"
        sorting.measure(first, {"id": one, "start": begin, "end": end, **entry})
        for piece in pieces[1:]:
            sorting.part(piece, one)


def _contradiction(row: Row) -> tuple[str, str] | None:
    """Why a row cannot be used, and the mend."""
    for name in ("iso3_state", "neighbour_iso3"):
        if row[name] not in areas.codes():
            return f"has the {name} {row[name]!r}, which is no area of ours", "correct the code"
    begin, end, told = day(row["begin"]), day(row["end"]), durations(row["duration"])
    if begin is None or end is None:
        return f"is from {row['begin']} to {row['end']}, which are no days", "write them as 2020-03-16"
    if len(told) != 1:
        return f"has the duration {row['duration']!r}, in which not one spell of days can be read", "write it as 2020-03-16 - 2020-03-26"
    if end < begin or not told[0][0] <= begin <= end <= told[0][1]:
        return f"is from {begin} to {end}, and its duration says {row['duration']!r}", "correct one of the two"
    days = (date.fromisoformat(end) - date.fromisoformat(begin)).days
    if row["check_length"] is not None and row["check_length"] not in (str(days), str(days + 1)):
        return f"is from {begin} to {end}, {days} days on, and its check_length is {row['check_length']}", "correct one of the two"
    return None


# What all shapes share


def _entry(text: str | None, category: str | None, state: str, which: str) -> dict[str, Any]:
    return {
        "title": "Control at internal borders", "issuer": state, "level": "national", "targets": ["traveller"], "field": "border_control",
        "instrument": "administrative", "direction": "tightening", "strength": 1, "status": "ended", "area": "internal_border",
        "reasons": _reasons(text or "", category), "evidence": EVIDENCE.format(which=which), "coder": "schengen", "note": text,
    }  # fmt: skip


def _reasons(text: str, category: str | None) -> list[str]:
    """The reasons a text gives; else the threat to public order it names, else the category of those who tabulated it."""
    words = _words()
    found = [code for code, pattern in words["reason"].items() if re.search(pattern.replace("\n", ""), text, re.IGNORECASE)]
    found = found or [code for code, pattern in words["otherwise"].items() if re.search(pattern, text, re.IGNORECASE)]
    return found or [words["category"].get((category or "").casefold(), "not_stated")]


def _states(text: str) -> list[str]:
    """The states a text names, in the order of their names; also by their two letters."""
    patterns = {code: rf"\b(?:{pattern}|{areas.area(code).alpha2}\b)" for code, pattern in _words()["state"].items()}
    at = {code: spot.start() for code, pattern in patterns.items() if (spot := re.search(pattern, text))}
    return sorted(at, key=lambda code: at[code])


def _modes(text: str) -> list[str]:
    return [mode for mode, pattern in _words()["mode"].items() if re.search(pattern, text, re.IGNORECASE)]


def _words() -> dict[str, Any]:
    return mapping("schengen")
