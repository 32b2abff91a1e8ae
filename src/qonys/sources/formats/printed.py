"""Tables made for print: a title, a unit in a line above, a header of several levels, sections, footnotes, marks of gaps.

As the Bureau of National Statistics of Kazakhstan and many other offices publish. Parts are found by what they say, not where.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from qonys.core.errors import SourceError
from qonys.sources.formats.cells import GAPS, iso_period
from qonys.sources.formats.long import Roles
from qonys.sources.formats.opening import name_of
from qonys.sources.formats.pages import stage_rows
from qonys.sources.formats.workbook import grid, sheets
from qonys.sources.staged import own_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qonys.sources.formats.opening import Source
    from qonys.sources.staged import Staged

PERIOD_HEADS = re.compile(r"\b(год|годы|жыл|жылдар|период|кезең|years?|месяц|ай|квартал|тоқсан|period|month)\b", re.IGNORECASE)
UNIT = re.compile(
    r"^[(\[]?\s*(в\s+)?(?P<unit>(тыс\.?|тысяч\w*|млн\.?|мың|млн|thousand\w*|million\w*)?\s*"
    r"(человек|чел\.?|адам|persons?|people|единиц\w*|бірлік|%|процент\w*|пайыз\w*|percent|per cent|тенге|теңге|"
    r"на 1000 .*|1000 .*шаққанда.*|семей|отбасы))\s*[)\]]?\*?$",
    re.IGNORECASE,
)
UNIT_WORDS = re.compile(r"(единиц\w* измерения|өлшем бірлігі|unit( of measure)?)\s*[:\-–]\s*(?P<unit>.+)", re.IGNORECASE)
MARKER = re.compile(r"(?:(?<=[^\W\d_])|(?<=[)»\".]))\s*(?P<mark>\*{1,3}|\d\)|[¹²³⁴⁵⁶⁷⁸⁹])$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A table made for print, taken apart.

    title, unit, notes: what stands around it. stubs: names of the columns of text on the left (or right) -> their texts in each row.
    sections: the line that heads each row's section. columns: the levels of the header of each column of cells, top first.
    cells: text by row and column. places: the row of the sheet of each row, and the letter of each column. footnotes: mark -> text.
    """

    title: str
    unit: str | None
    notes: tuple[str, ...]
    stubs: dict[str, list[str]]
    sections: list[str]
    columns: list[tuple[str, ...]]
    cells: list[list[str]]
    places: tuple[list[int], list[str]]
    footnotes: dict[str, str] = field(default_factory=dict)


def printed(cells: Sequence[Sequence[str]], file: str) -> Printed:
    """A sheet of text (as `grid` gives it) as a printed table.

    A row of data has a text and, to its right, numbers or marks of gaps; the header is what stands between the first row of data and the
    last line above it that is one text only. A line of one text among the data heads a section; below the data it is a note.
    Errors: SourceError for a sheet in which no such row is found.
    """
    kinds = [_kind(row) for row in cells]
    data = [number for number, kind in enumerate(kinds) if kind == "data"]
    if not data:
        raise SourceError(f"{file} has no row of a text and numbers: no table is found", mend="name the sheet that holds the table")
    width = max(len(row) for row in cells)
    full = [[*row, *[""] * (width - len(row))] for row in cells]
    first, last = _first(full, data), data[-1]
    data = [number for number in data if number >= first]
    head = first
    while head > 0 and kinds[head - 1] not in ("text", "empty"):
        head -= 1
    above = [_text(row) for row in full[:head] if _text(row)]
    unit, above = _unit(above)
    below = [_text(row) for row in full[last + 1 :] if _text(row)]
    used = [place for place in range(width) if any(full[number][place] for number in data)]
    stubs = [place for place in used if _is_stub(place, full, data, head, first)]
    heads = {place: _levels([full[number][place] for number in range(head, first)]) for place in used}
    inside = next((found["unit"] for place in used for level in heads[place] if (found := UNIT.match(level))), None)
    sections, section = [], ""
    for number in range(first, last + 1):
        if kinds[number] == "text":
            section = _text(full[number])
        elif number in data:
            sections.append(section)
    names: dict[str, list[str]] = {}
    for place in stubs:
        name = " ".join(heads[place]) or ("row" if place == stubs[0] else f"row_{place + 1}")
        while name in names:
            name += "_2"
        names[name] = [full[number][place] for number in data]
    values = [place for place in used if place not in stubs]
    notes = [*above[1:], *below]
    return Printed(
        title=above[0] if above else "",
        unit=unit or inside,
        notes=tuple(notes),
        stubs=names,
        sections=sections,
        columns=[heads[place] for place in values],
        cells=[[full[number][place] for place in values] for number in data],
        places=([number + 1 for number in data], [_letter(place) for place in values]),
        footnotes=dict(_footnotes(below)),
    )


def marked(label: str) -> tuple[str, str]:
    """A label without the mark of its footnote, and the mark.

    >>> marked("Туркестанская1)"), marked("Алматы*"), marked("г. Алматы")
    (('Туркестанская', '1)'), ('Алматы', '*'), ('г. Алматы', ''))
    """
    found = MARKER.search(label)
    return (label[: found.start()].strip(), found["mark"]) if found else (label, "")


def is_cell(text: str) -> bool:
    """Whether text is a number, or a mark for none."""
    return text in GAPS or bool(re.fullmatch(r"[+\-−–]?[\d \u00a0\u202f]*\d([.,]\d+)?([eE][+-]?\d+)?\s?(\*{1,3}|\d\))?", text))


def stage_printed(source: Source, sheet: str | None = None) -> Staged:
    """A table made for print (of the sheet named, or of the first that has one) as a staged table.

    Dimensions: the columns of text that name the rows, `section` (the line above a block), `heading` (the levels of the column's header
    joined by " / ", without the period). period: of the header, of a column of periods, or the one year of the title. unit: of the line
    above. note: texts of footnotes. An empty cell gives no row. Errors: SourceError for a workbook without such a table.
    """
    file = name_of(source)
    table, wrong = None, None
    for name in [sheet] if sheet is not None else sheets(source):
        try:
            table = printed(grid(source, name), f"{file}, sheet {name!r}")
            break
        except SourceError as error:
            wrong = wrong or error
    if table is None:
        raise wrong or SourceError(f"{file} has no sheet", mend="pull it again")
    own = [f"{name}_of_rows" if name in ("section", "heading") else name for name in own_names(list(table.stubs))]
    stubs = dict(zip(table.stubs, own, strict=True))
    periods = next(
        (name for name in table.stubs if PERIOD_HEADS.search(name) or all(_dated(text) for text in table.stubs[name] if text)), None
    )
    comma = any(re.search(r"\d,\d", text) for row in table.cells for text in row)
    roles = Roles(
        dimensions={name: name for name in (*(column for name, column in stubs.items() if name != periods), "section", "heading")},
        value="value",
        period="period",
        unit="unit",
        note="note",
        decimal="," if comma else ".",
    )
    notes = [note for note in (table.title, *table.notes) if note]
    return stage_rows(_rows(table, stubs, periods), roles, file=file, notes=notes)


def _rows(table: Printed, stubs: Mapping[str, str], periods: str | None) -> Iterator[dict[str, str]]:
    """The cells of a printed table, row by row."""
    titled = re.findall(r"\b(?:19|20)\d\d\b", table.title)
    whole = titled[0] if len(set(titled)) == 1 else ""
    heads = []
    for levels in table.columns:
        period, rest = period_of(levels)
        marks = [marked(level) for level in rest]
        heads.append((period, " / ".join(label for label, _ in marks), [mark for _, mark in marks if mark]))
    for number, cells in enumerate(table.cells):
        shared: dict[str, str] = {}
        own: list[str] = []
        for name, column in stubs.items():
            label, mark = marked(table.stubs[name][number])
            own += [mark] if mark else []
            if name != periods:
                shared[column] = label
        section, mark = marked(table.sections[number])
        dated = marked(table.stubs[periods][number])[0] if periods is not None else None
        for cell, (period, heading, of_head) in zip(cells, heads, strict=True):
            if cell == "":
                continue  # nothing is printed there
            value, of_cell = _cell(cell)
            said = [table.footnotes.get(one, one) for one in dict.fromkeys((*own, mark, *of_head, of_cell)) if one]
            yield shared | {
                "section": section,
                "heading": heading,
                "period": dated or period or whole,
                "value": value,
                "unit": table.unit or "",
                "note": "; ".join(said),
            }


def _cell(text: str) -> tuple[str, str]:
    """A number and the mark of its footnote."""
    found = re.fullmatch(r"(.*\d)\s?(\*{1,3}|\d\))", text)
    return (found[1], found[2]) if found else (text, "")


def _dated(text: str) -> bool:
    return bool(re.match(r"^[12]\d{3}($|-)", iso_period(marked(text)[0])))


def _kind(row: Sequence[str]) -> str:
    """empty, text (one text, perhaps merged over the row), data (a text and cells), head (several texts)."""
    there = [text for text in row if text]
    if not there:
        return "empty"
    if len(set(there)) == 1 and not is_cell(there[0]):
        return "text"
    numbers = [text for text in there if is_cell(text)]
    texts = [text for text in there if not is_cell(text)]
    if len(numbers) > 1 and all(_year(text) for text in numbers) and len(set(numbers)) == len(numbers):
        return "head"  # a line of years
    return "data" if numbers and (texts or _year(there[0])) and not is_cell_only_count(there) else "head"


def is_cell_only_count(texts: Sequence[str]) -> bool:
    """Whether a row only numbers the columns (A, 1, 2, 3), as printed tables do below their header."""
    rest = texts[1:] if texts[0] in ("А", "A", "Б", "B", "1") else []
    start = 2 if texts[0] == "1" else 1
    return len(rest) > 1 and rest == [str(number) for number in range(start, start + len(rest))]


def _year(text: str) -> bool:
    return bool(re.fullmatch(r"(19|20)\d\d", text))


def _first(full: Sequence[Sequence[str]], data: Sequence[int]) -> int:
    """The first row of data: rows above that look like it, but whose cells are years, belong to the header."""
    for number in data:
        cells = [text for text in full[number][1:] if text and is_cell(text)]
        if not (len(cells) > 1 and all(_year(text) for text in cells)):
            return number
    return data[0]


def _text(row: Sequence[str]) -> str:
    """The distinct texts of a row, once each."""
    return " ".join(dict.fromkeys(text for text in row if text))


def _unit(lines: list[str]) -> tuple[str | None, list[str]]:
    """The unit among the lines above a table, and the lines without it."""
    for line in reversed(lines):
        if found := UNIT_WORDS.search(line) or UNIT.match(line):
            rest = [one for one in lines if one != line]
            return found["unit"].strip(" .)(*"), rest
    for line in lines:  # "Migration of the population, persons"
        if found := UNIT.match(line.rpartition(",")[2].strip()):
            return found["unit"].strip(), lines
    return None, lines


def _levels(texts: Sequence[str]) -> tuple[str, ...]:
    """The levels of a column's header, what is repeated by merging once, numbers of columns left out."""
    levels = [text for place, text in enumerate(texts) if text and (place == 0 or text != texts[place - 1])]
    return tuple(level for level in levels if not re.fullmatch(r"\d{1,2}|[АБAB]", level))


def _is_stub(place: int, full: Sequence[Sequence[str]], data: Sequence[int], head: int, first: int) -> bool:
    """A column of texts, of codes or of years that name the rows."""
    texts = [full[number][place] for number in data if full[number][place]]
    words = sum(not is_cell(text) for text in texts)
    if words * 2 > len(texts):
        return True
    named = " ".join(full[number][place] for number in range(head, first)).casefold()
    if re.search(r"\b(код|code|като|kato|коды|№)", named):
        return True
    return place == 0 and all(_year(text) or text in GAPS for text in texts)


def _footnotes(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if found := re.match(r"\s*(\*{1,3}|\d\)|[¹²³⁴⁵⁶⁷⁸⁹])\)?\s*(.+)", line):
            yield found[1], found[2].strip()


def _letter(place: int) -> str:
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def period_of(levels: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
    """The period among the levels of a header, as published, and the other levels."""
    for level in levels:
        if re.match(r"^[12]\d{3}($|-)", iso_period(marked(level)[0])):
            return marked(level)[0], tuple(one for one in levels if one != level)
    return None, tuple(levels)
