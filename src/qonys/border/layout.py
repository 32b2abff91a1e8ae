"""A border service's own file becomes the contract `crossing`: columns and words renamed, local time to UTC, documents to hashed ids.

Pure: a table of text in, a table of text out. What cannot be read is left as it is written, so that the edge (`store.take_in`) puts the row
into quarantine with a sentence; a document number never goes there, only its hash.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qonys.border import words
from qonys.border.pseudonym import area_codes, by_value, person_ids
from qonys.core.areas import codes
from qonys.core.contracts import CROSSING
from qonys.core.errors import DataError, nearest

if TYPE_CHECKING:
    from qonys.border.aliases import Aliases
    from qonys.border.keys import Key

ROW = "row"  # the row of the file, kept so that a fault can name it
# a column of the contract that the file has in another form: the number of a document, who issued it, a day of birth
SPECIAL = ("document", "issuer", "birth_date")
_PROBE = datetime(2021, 11, 23, 14, 35, 46)  # no two of its numbers are alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a border service writes its records.

    columns: contract column, or document, issuer, birth_date -> the file's column. zone: in which its clocks run, as Asia/Almaty.
    formats, days: how it writes moments and days, as %d.%m.%Y %H:%M, tried in order. directions, sexes, citizenships: its words -> ours,
    added to those known.
    """

    columns: Mapping[str, str]
    zone: str = "UTC"
    formats: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    directions: Mapping[str, str] = field(default_factory=dict)
    sexes: Mapping[str, str] = field(default_factory=dict)
    citizenships: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = [*SPECIAL, *(name for name in CROSSING.names if name != "person_id")]
        for name in self.columns:
            if name not in known:
                raise DataError(f"the layout names a column {name!r}", mend=nearest(name, known))
        for name in ("document", "at", "direction"):
            if name not in self.columns:
                raise DataError(f"the layout does not say which column holds {name}", mend=f"add {name} = its column under [columns]")
        if "birth_date" in self.columns and "birth_year" in self.columns:
            raise DataError("the layout names both birth_date and birth_year", mend="keep one of them")
        for name, given, allowed in (
            ("directions", self.directions, ("entry", "exit")),
            ("sexes", self.sexes, CROSSING.column("sex").allowed),
            ("citizenships", self.citizenships, codes()),
        ):
            for word, meaning in given.items():
                if meaning not in allowed:
                    raise DataError(f"the layout, {name}: {word!r} stands for {meaning!r}", mend=nearest(str(meaning), allowed))
        for name, forms in (("formats", self.formats), ("days", self.days)):
            for one in forms:
                if not _shows_the_day(one):
                    raise DataError(f"the layout, {name}: {one!r} does not say day, month and year", mend="write it as %d.%m.%Y %H:%M")
        try:
            pc.assume_timezone(pa.array([0], pa.timestamp("s")), timezone=self.zone)
        except (pa.ArrowInvalid, pa.ArrowException):
            raise DataError(f"the layout names a time zone {self.zone!r}", mend="write it as Asia/Almaty") from None


def read_layout(text: str, *, file: str) -> Layout:
    """A layout from TOML. Errors: DataError naming the file, for text that is not TOML, an unknown field, or what `Layout` refuses."""
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"{file} is not valid TOML: {error}", mend="correct that line") from None
    right: dict[str, Callable[[Any], bool]] = {
        **dict.fromkeys(("columns", "directions", "sexes", "citizenships"), _maps_words),
        **dict.fromkeys(("formats", "days"), lambda value: isinstance(value, list) and all(isinstance(one, str) for one in value)),
        "zone": lambda value: isinstance(value, str),
    }
    for name, value in facts.items():
        if name not in right:
            raise DataError(f"{file}: there is no {name!r} in a layout", mend=nearest(name, right))
        if not right[name](value):
            raise DataError(f"{file}: {name} is {value!r}", mend="see docs/how-to/import-border-records.md")
    if "columns" not in facts:
        raise DataError(f"{file} has no [columns]", mend="say which column of the file holds document, at and direction")
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}
    try:
        return Layout(**given)
    except DataError as error:
        raise DataError(f"{file}: {error.what}", mend=error.mend) from None


def to_crossings(raw: pa.Table, layout: Layout, key: Key, aliases: Aliases | None = None, *, file: str = "the file") -> pa.Table:
    """A border service's records as the contract `crossing`, in text, and `row`: to be examined at the edge.

    raw: the file's own columns as text (or typed, as Parquet has them), and `row` where it is known. Whole or in batches, the outcome is
    the same. Documents are normalised, brought to the person's first one by `aliases` (of documents, not of hashes), and hashed; then they
    are gone. A day of birth gives its year. Moments in the layout's zone give UTC; in an hour that the end of summer time repeats, the
    first.
    Errors: DataError for a column that the layout names and the file has not.
    """
    for name in layout.columns.values():
        if name not in raw.column_names:
            raise DataError(f"{file} has no column {name!r}, which the layout names", mend=nearest(name, set(raw.column_names) - {ROW}))

    def given(name: str) -> pa.ChunkedArray:
        return raw[layout.columns[name]]

    issuers = given("issuer") if "issuer" in layout.columns else None
    made = {"person_id": person_ids(given("document"), key, issuers=issuers, aliases=aliases)}
    made["at"] = _moments(given("at"), layout)
    made["direction"] = _meant(given("direction"), {**words.meanings("direction"), **layout.directions})
    if "citizenship" in layout.columns:
        made["citizenship"] = by_value(_meant(given("citizenship"), layout.citizenships), area_codes)
    if "sex" in layout.columns:
        made["sex"] = _meant(given("sex"), {**words.meanings("sex"), **layout.sexes})
    if "birth_date" in layout.columns:
        made["birth_year"] = _by_word(given("birth_date"), _year)
    if "permitted_until" in layout.columns:
        made["permitted_until"] = _days(given("permitted_until"), layout)
    for name in ("birth_year", "purpose", "permit", "border_point"):
        if name in layout.columns:
            made[name] = given(name).cast(pa.string())
    if ROW in raw.column_names:
        made[ROW] = raw[ROW]
    return pa.table(made)


def _moments(written: pa.ChunkedArray, layout: Layout) -> pa.ChunkedArray:
    """UTC as 2020-03-16T08:30:00; what no format reads says so."""
    formats = layout.formats or words.formats("formats")
    if pa.types.is_timestamp(written.type):
        local = written.cast(pa.timestamp("s", written.type.tz), safe=False)
        moments = local if written.type.tz else _in_zone(local, layout.zone)
    else:
        text = pc.utf8_trim_whitespace(written.cast(pa.string()))
        moments = _parsed(text, formats, layout.zone)
        if moments.null_count > text.null_count:
            moments = pc.coalesce(moments, _parsed(_plain(text), formats, layout.zone))
    return _or_say(pc.strftime(moments.cast(pa.timestamp("s", "UTC")), format="%Y-%m-%dT%H:%M:%S"), written, layout.formats)


def _days(written: pa.ChunkedArray, layout: Layout) -> pa.ChunkedArray:
    """Days as 2020-03-16."""
    if pa.types.is_date(written.type) or pa.types.is_timestamp(written.type):
        return written.cast(pa.date32(), safe=False).cast(pa.string())
    formats = layout.days or words.formats("days")
    days = _parsed(pc.utf8_trim_whitespace(written.cast(pa.string())), formats, "UTC")
    return _or_say(days.cast(pa.timestamp("s")).cast(pa.date32()).cast(pa.string()), written, layout.days)


def _parsed(text: pa.ChunkedArray, formats: tuple[str, ...], zone: str) -> pa.ChunkedArray:
    """Moments of UTC, by the first format that reads each text; null where none does."""
    found = pa.chunked_array([pa.nulls(len(text), pa.timestamp("s", "UTC"))])
    for one in formats:
        read = _strictly(text, one)
        found = pc.coalesce(found, (read if read.type.tz else _in_zone(read, zone)).cast(pa.timestamp("s", "UTC")))
        if found.null_count == text.null_count:
            break
    return found


def _strictly(text: pa.ChunkedArray, form: str) -> pa.ChunkedArray:
    """What a format reads, but for days that no calendar has: Arrow takes 30 February for 1 March."""
    read = pc.strptime(text, format=form, unit="s", error_is_null=True)
    day = pc.day(read).fill_null(15).to_numpy()
    doubted = np.flatnonzero((day <= 3) | ((day >= 28) & (read.type.tz is not None)))
    written = text.take(pa.array(doubted))
    doubted = doubted[~pc.equal(pc.strftime(read.take(pa.array(doubted)), format=form), written).to_numpy(zero_copy_only=False)]
    wrong = np.zeros(len(text), dtype=bool)
    wrong[[place for place, one in zip(doubted, text.take(pa.array(doubted)).to_pylist(), strict=True) if not _reads(one, form)]] = True
    return pc.if_else(pa.array(wrong), pa.scalar(None, read.type), read)


def _reads(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def _shows_the_day(form: str) -> bool:
    return _reads(_PROBE.strftime(form), form) and datetime.strptime(_PROBE.strftime(form), form).date() == _PROBE.date()


def _in_zone(local: pa.ChunkedArray, zone: str) -> pa.ChunkedArray:
    return pc.assume_timezone(local, timezone=zone, ambiguous="earliest", nonexistent="latest")


def _plain(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments without fractions of a second, their distance from UTC written as +0500."""
    text = pc.replace_substring_regex(text, pattern=r"(:\d\d)[.,]\d+", replacement=r"\1")
    text = pc.replace_substring_regex(text, pattern=r"(:\d\d)[Zz]$", replacement=r"\1+0000")
    return pc.replace_substring_regex(text, pattern=r"([+-]\d\d):?(\d\d)$", replacement=r"\1\2")


def _or_say(read: pa.ChunkedArray, written: pa.ChunkedArray, formats: tuple[str, ...]) -> pa.ChunkedArray:
    """What was read; else what was written and how the layout reads it, which the edge will refuse; null where nothing was written."""
    if not read.null_count:
        return read
    text = pc.utf8_trim_whitespace(written.cast(pa.string()))
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    tried = pa.scalar(f" (read as {' or '.join(formats)})" if formats else "")
    return pc.coalesce(read, pc.binary_join_element_wise(text, tried, ""))


def _by_word(column: pa.ChunkedArray, change: Callable[[str], str]) -> pa.Array:
    """A function of words applied to each different one."""
    return by_value(column, lambda found: pa.array([None if word is None else change(word) for word in found.to_pylist()], pa.string()))


def _meant(column: pa.ChunkedArray, meanings: Mapping[str, str]) -> pa.Array:
    folded = {word.strip().casefold(): meaning for word, meaning in meanings.items()}
    return _by_word(column, lambda word: folded.get(word.strip().casefold(), word))


def _year(word: str) -> str:
    """The only run of four digits in a day of birth; else the day as written, which is not a year."""
    digits = "".join(letter if letter.isdecimal() else " " for letter in word).split()
    years = [one for one in digits if len(one) == 4]
    return years[0] if len(years) == 1 else word


def _maps_words(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
