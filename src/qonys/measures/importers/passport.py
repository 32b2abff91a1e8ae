"""The Passport Index: what a state asks of the citizens of another becomes a measure from the first day it was seen to the last.

The publisher prints the whole matrix of passports and destinations anew every few weeks: each print is a snapshot. A measure is what one
destination asked, in all snapshots from one to another, of a set of citizenships: those for which it began and ended together. What the
words mean in our codes is data: `data/importers/passport.toml`.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
from ibis import _

from qonys.core.errors import DataError
from qonys.measures.importers.base import MEASURE, NO_MEASURE, QUARANTINED, Imported
from qonys.measures.importers.cells import column, countries, day, fault, mapping, needed, text, with_repeats
from qonys.measures.importers.runs import runs

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "Passport Index"
EASING = "visa_free"


def read(raw: ibis.Table, *, file: str, snapshot: date | None = None, easing: bool = True) -> Imported:
    """The measures of the file and the fate of its rows.

    raw: a panel of snapshots (snapshot, passport, destination, requirement), or one snapshot as published: tidy (Passport, Destination,
    Requirement or Code) or a matrix (Passport, then a column a destination), with ISO 3166-1 alpha-3 codes.
    snapshot: the day of a file that holds only one. easing: whether freedom from visas is a measure; if not, its rows hold none.

    A row becomes part of a measure by what its cell asks; a state's own citizens are no measure; a row whose passport, destination,
    requirement or day cannot be read is quarantined, and so are several rows for the same pair and day. A row of a matrix is quarantined
    whole if one of its cells cannot be read.
    Errors: DataError for a file without the columns, a matrix whose columns are no areas, or a day that is missing or given twice.
    """
    cells, wide = _cells(raw, file=file, snapshot=snapshot)
    judged = _judged(cells, file=file)
    judged = judged.mutate(used=judged.asks.notnull() if easing else judged.asks != EASING)
    if wide:
        judged = judged.mutate(why=judged.why.min().over(ibis.window(group_by="row")))
        rows = judged.group_by("row").agg(why=_.why.min(), used=_.used.any())
    else:
        rows = judged
    fate = ibis.cases((rows.why.notnull(), QUARANTINED), (rows.used.fill_null(False), MEASURE), else_=NO_MEASURE)
    seen = runs(judged.filter(_.why.isnull(), _.asks.notnull()), by=("passport", "destination"), at="day", value=("asks",))
    return Imported(_measures(seen if easing else seen.filter(_.asks != EASING), file=file), rows.select("row", fate=fate, why=rows.why))


def _cells(raw: ibis.Table, *, file: str, snapshot: date | None) -> tuple[ibis.Table, bool]:
    """One row a cell -> row, passport, destination, asked, printed (text), day, column (of `asked`); and whether the file is a matrix."""
    passport = needed(raw, "Passport", file=file, publisher=NAME)
    printed = column(raw, "snapshot")
    if printed is None and snapshot is None:
        raise DataError(f"{file} does not say on which day it was published", mend="give the day of the snapshot, as snapshot 2025-01-12")
    if printed is not None and snapshot is not None:
        raise DataError(f"{file} has a column {printed!r}, and the day {snapshot} was given beside it", mend="leave that day out")
    facts = {
        "passport": text(raw[passport]),
        "printed": text(raw[printed]) if printed else ibis.literal(str(snapshot)),
        "day": day(raw[printed]) if printed else ibis.literal(snapshot, type="date"),
    }
    if (destination := column(raw, "Destination")) is not None:
        asked = needed(raw, "Requirement", "Code", file=file, publisher=NAME)
        return raw.select("row", **facts, destination=text(raw[destination]), asked=text(raw[asked]), column=ibis.literal(asked)), False
    places = [name for name in raw.columns if name not in ("row", passport, printed)]
    strange = [name for name in places if name not in countries()]
    if strange or not places:
        what = f"has the column {strange[0]!r}, which is no country" if strange else "has no column of a destination"
        raise DataError(f"{file} {what}", mend="take the edition with ISO 3166-1 alpha-3 codes (iso3), without other columns")
    pairs = [ibis.struct({"destination": ibis.literal(place), "asked": text(raw[place])}) for place in places]
    cells = raw.select("row", **facts, cell=ibis.array(pairs).unnest()).unpack("cell")
    return cells.mutate(column=cells.destination), True


def _judged(cells: ibis.Table, *, file: str) -> ibis.Table:
    """The cells and what they ask -> row, passport, destination, day, asks (class; null: own citizens), why (null: it can be used)."""
    strange = {name: ~cells[name].isin(countries()).fill_null(False) for name in ("passport", "destination")}
    cells = with_repeats(cells, ("day", "passport", "destination"), ~(strange["passport"] | strange["destination"] | cells.day.isnull()))
    words = _words(mapping("passport"))
    cells = cells.left_join(words, cells.asked.lower() == words.word)
    own = cells.passport == cells.destination
    cells = cells.mutate(asks=ibis.ifelse(own | (cells.day > cells.until), ibis.null("string"), cells.means))
    unknown = cells.asks.isnull() & ~own

    def wrong(held: str, name: ibis.Value | str, what: str, mend: str) -> ibis.Value:
        return fault(cells.row, cells[held], what, mend, file=file, name=name)

    why = ibis.cases(
        *((strange[name], wrong(name, name, "is not a country", "write ISO 3166-1 alpha-3, as the edition iso3 does")) for name in strange),
        (cells.day.isnull(), wrong("printed", "snapshot", "is not a day", "write it as 2025-01-12")),
        (cells.again, wrong("destination", "destination", "stands in several rows for that passport and day", "keep one of them")),
        (unknown & cells.means.notnull(), wrong("asked", cells.column, "was a code in the first snapshots only", "write the later word")),
        (unknown, wrong("asked", cells.column, "is not a requirement we know", "write a word of the publisher, or a number of days")),
    )  # fmt: skip
    return cells.select("row", "passport", "destination", "day", "asks", why=why)


def _words(facts: Mapping[str, Any]) -> ibis.Table:
    """What the publisher's words and numbers mean -> word (small letters), means (class), until (last day on which it meant that)."""
    numbers, ever = facts["numbers"], date.max
    rows = [(word.lower(), code, ever) for code, own in facts["class"].items() for word in own["words"]]
    rows += [(str(days), numbers["days_class"], ever) for days in range(numbers["days"][0], numbers["days"][1] + 1)]
    rows += [(word, code, numbers["codes_until"]) for word, code in numbers["codes"].items()]
    frame = pd.DataFrame(rows, columns=["word", "means", "until"])
    return ibis.memtable(frame, schema={"word": "string", "means": "string", "until": "date"})


def _measures(seen: ibis.Table, *, file: str) -> ibis.Table:
    """Spells of what pairs ask as rows of the contract, and `rows`: passports whose spell is the same make one measure."""
    facts = mapping("passport")
    ended = ibis.ifelse(seen.after.isnull(), ibis.null("date"), seen["last"])
    groups = seen.group_by("destination", "asks", "first", ended=ended).agg(
        citizenships=_.passport.collect().sort().join(" "), rows=_.rows.sum(), from_the_first=_.before.isnull().any(),
        before=_.before.min(), after=_.after.max(), last=_["last"].max(),
    )  # fmt: skip
    one = groups.join(_codes(facts), "asks")
    begun, over, last = (one[name].cast("string") for name in ("first", "ended", "last"))
    day = ibis.interval(days=1)
    began = ibis.ifelse(
        one.from_the_first,
        ibis.literal("there when first seen, on ").concat(begun, ": it may have begun earlier"),
        ibis.literal("it began between ").concat((one.before + day).strftime("%Y-%m-%d"), " and ", begun),
    )
    end = ibis.ifelse(
        over.isnull(),
        ibis.literal("there when last seen, on ").concat(last, ": no end is known"),
        ibis.literal("it ended between ").concat(over, " and ", (one.after - day).strftime("%Y-%m-%d")),
    )
    until = ibis.literal("-").concat(over.replace("-", "")).fill_null("")
    return one.select(
        "title", "field", "instrument", "direction", "strength", "rows",
        id=ibis.literal("PASSPORT-").concat(one.destination, "-", one.asks, "-", begun.replace("-", ""), until),
        issuer=one.destination, level=ibis.literal("national"), targets=ibis.literal("visitor"), target_citizenship=one.citizenships,
        general=ibis.literal(True), start=begun, end=over, status=ibis.ifelse(over.isnull(), "standing", "ended"),
        seen_until=ibis.ifelse(over.isnull(), one["last"].cast("date"), ibis.null("date")),
        area=ibis.literal("external_border"), exception_words=one.exception_words.nullif(""),
        evidence=ibis.literal(f"{facts['evidence']}; snapshots from ").concat(begun, " to ", last, f", in {file}"),
        coder=ibis.literal(facts["coder"]), note=began.concat("; ", end),
    )  # fmt: skip


def _codes(facts: Mapping[str, Any]) -> ibis.Table:
    """What each class is in our codes: the mapping as a table."""
    named = ("title", "field", "instrument", "direction", "strength", "exception_words")
    rows = [{"asks": code} | {name: own.get(name, "") for name in named} for code, own in facts["class"].items()]
    return ibis.memtable(pd.DataFrame(rows))
