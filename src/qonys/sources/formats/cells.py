"""Cells of tables: text to numbers, marks of gaps, and periods as publishers write them. Vectorised; equal text is looked at once."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

# what offices print where there is no number; "x" and "х" are a Latin and a Cyrillic letter
GAPS = frozenset(("", ":", ".", "..", "...", "....", ".....", "......", "…", "-", "–", "—", "x", "X", "х", "Х", "z", "Z", "NaN", "nan",
                  "n/a", "N/A", "NA", "na", "n.a.", "н/д", "м/ж", "*", "**", "null", "c", "C"))  # fmt: skip
SPACES = " \t\r\n\u00a0\u2007\u2009\u202f\ufeff"
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


class Numbers(NamedTuple):
    """value: float64, null for a gap or no number; mark: the gap's mark; wrong: whether it is neither number nor gap."""

    value: pa.Array
    mark: pa.Array
    wrong: pa.Array | None


def numbers(cells: pa.Array, gaps: frozenset[str] = GAPS, *, decimal: str = ".", trimmed: bool = False) -> Numbers:
    """Text cells as numbers. decimal: the sign of the fraction; the other of `.,` and spaces may part thousands.

    An empty cell is a gap. trimmed: the cells have no spaces around them.

    >>> numbers(pa.array(["1 234,5", "..", "many"]), decimal=",").value.to_pylist()
    [1234.5, None, None]
    """
    text = cells if trimmed else pc.utf8_trim(cells, characters=SPACES)
    mark = pa.nulls(len(text), pa.string())
    empty = pc.equal(text, "")
    left = pc.if_else(empty, pa.scalar(None, pa.string()), text) if pc.any(empty, min_count=0).as_py() else text
    if gaps:
        none = pc.is_in(left, value_set=pa.array(sorted(gaps - {""}), pa.string()))
        if pc.any(none, min_count=0).as_py():
            mark = pc.if_else(none, left, mark)
            left = pc.if_else(none, pa.scalar(None, pa.string()), left)
    if decimal == ".":
        try:
            value = pc.cast(left, pa.float64())
            if pc.all(pc.is_finite(value), min_count=0).as_py():
                return Numbers(value, mark, None)
        except pa.ArrowInvalid:
            pass
    plain = _plain(left, decimal)
    fits = pc.match_substring_regex(plain, NUMBER)
    value = pc.cast(pc.if_else(fits, plain, pa.scalar(None, pa.string())), pa.float64())
    fits = pc.and_kleene(fits, pc.is_finite(value))
    value = pc.if_else(fits, value, pa.scalar(None, pa.float64()))
    wrong = pc.fill_null(pc.invert(fits), False)
    return Numbers(value, mark, wrong if pc.any(wrong, min_count=0).as_py() else None)


def _plain(text: pa.Array, decimal: str) -> pa.Array:
    """Numbers without what parts their thousands, with a point. Only groups of three are parted."""
    other = "," if decimal == "." else "."
    spaced = pc.match_substring_regex(text, r"^[+-]?\d{1,3}([ \x{00a0}\x{2007}\x{2009}\x{202f}']\d{3})+([.,]\d+)?$")
    text = pc.if_else(spaced, pc.replace_substring_regex(text, r"[ \x{00a0}\x{2007}\x{2009}\x{202f}']", ""), text)
    grouped = pc.match_substring_regex(text, rf"^[+-]?\d{{1,3}}(\{other}\d{{3}})+(\{decimal}\d+)?$")
    text = pc.if_else(grouped, pc.replace_substring(text, other, ""), text)
    minus = pc.match_substring_regex(text, "^[\u2212\u2013]\\d")
    text = pc.if_else(minus, pc.replace_substring_regex(text, "^[\u2212\u2013]", "-"), text)
    return pc.replace_substring(text, ",", ".") if decimal == "," else text


CLOCK = r"(T[0-9:.]+(Z|[+-]\d\d:?\d\d)?| 00:00:00)?"


@cache
def iso_period(written: str) -> str:
    """A period as ISO 8601 and SDMX write it; what is not understood stays as it is.

    >>> [iso_period(one) for one in ("2020M03", "2020Q1", "2020-A1", "20200316", "2020S2", "2020W9", "2020 год", "I кв. 2020")]
    ['2020-03', '2020-Q1', '2020', '2020-03-16', '2020-S2', '2020-W09', '2020', '2020-Q1']
    """
    text = re.sub(r"\s+", " ", written.strip(SPACES))
    if re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2])(-\d\d)?)?", text):
        return text
    year = r"(?P<year>[12]\d{3})"
    forms = (
        (rf"{year}(-?A1?|-01-01/P1Y|\.0)?", "{year}"),
        (rf"{year}\s*(г\.?|год\w*|ж\.?|жыл\w*|j)\*{{0,3}}", "{year}"),
        (rf"{year}-?M(?P<part>0?[1-9]|1[0-2])", "{year}-{part:02d}"),
        (rf"{year}(?P<part>0[1-9]|1[0-2])", "{year}-{part:02d}"),
        (rf"(?P<part>0?[1-9]|1[0-2])[./]{year}", "{year}-{part:02d}"),
        (rf"{year}\s?[-/]?Q(?P<part>[1-4])", "{year}-Q{part}"),
        (rf"{year}-?[SHB](?P<part>[12])", "{year}-S{part}"),
        (rf"{year}-?W(?P<part>0?[1-9]|[1-4]\d|5[0-3])", "{year}-W{part:02d}"),
        (rf"{year}-?D?(?P<part>0[1-9]|1[0-2])-?(?P<day>0[1-9]|[12]\d|3[01]){CLOCK}", "{year}-{part:02d}-{day:02d}"),
        (rf"(?P<day>0?[1-9]|[12]\d|3[01])\.(?P<part>0?[1-9]|1[0-2])\.{year}", "{year}-{part:02d}-{day:02d}"),
    )  # fmt: skip
    for form, become in forms:
        if found := re.fullmatch(form, text, re.IGNORECASE):
            parts = found.groupdict()
            return become.format(**{name: int(part) for name, part in parts.items() if part is not None})
    if found := re.fullmatch(
        rf"(?P<part>IV|I{{1,3}}|[1-4])[- ]?\w*\s?(кв\.?|квартал\w*|тоқсан\w*|quarter)\s*{year}.*", text, re.IGNORECASE
    ):
        roman = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
        part = found["part"].casefold()
        return f"{found['year']}-Q{roman.get(part) or part}"
    return month_named(text) or text


MONTHS = (
    ("january", "янв", "қаңтар"), ("february", "фев", "ақпан"), ("march", "мар", "наурыз"), ("april", "апр", "сәуір"),
    ("may", "май", "мамыр"), ("june", "июн", "маусым"), ("july", "июл", "шілде"), ("august", "авг", "тамыз"),
    ("september", "сен", "қыркүйек"), ("october", "окт", "қазан"), ("november", "ноя", "қараша"), ("december", "дек", "желтоқсан"),
)  # fmt: skip


def month_named(text: str) -> str | None:
    """The month a text of one month and one year names, in English, Russian or Kazakh; None for anything else.

    >>> month_named("март 2020 года"), month_named("January 2021"), month_named("январь-март 2020")
    ('2020-03', '2021-01', None)
    """
    words = re.findall(r"[^\W\d_]+", text.casefold())
    years = re.findall(r"(?<!\d)[12]\d{3}(?!\d)", text)
    found = [
        place
        for word in words
        for place, names in enumerate(MONTHS, 1)
        if word == names[0]
        or word == names[0][:3]
        or word.startswith(names[1])
        or word.startswith(names[2])
        or (place == 5 and word == "мая")
    ]
    rest = [word for word in words if not re.match(r"г$|год|ж$|жыл|month|мес", word)]
    return f"{years[0]}-{found[0]:02d}" if len(years) == 1 and len(found) == 1 and len(rest) == 1 else None


def periods(written: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Periods in ISO form, and as published where that differs (else null)."""
    coded = written.dictionary_encode()
    unique: Iterable[str | None] = coded.dictionary.to_pylist()
    pairs = [(iso_period(one), one) if one is not None else (None, None) for one in unique]
    iso = pa.array([one for one, _ in pairs], pa.string())
    other = pa.array([was if was != one else None for one, was in pairs], pa.string())
    return iso.take(coded.indices), other.take(coded.indices)
