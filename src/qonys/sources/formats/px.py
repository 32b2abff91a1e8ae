"""PX (PC-Axis): keywords with quoted values, then the cells of a cube, the stub before the heading.

Format: PX file format, AXIS-VERSION 2013 (scb.se, "PX file format"). Files in several languages give codes and the main language's
labels, unless another is asked for. pyaxis 0.4 reads PX through regular expressions and drops CELLNOTE, KEYS and the kinds of dots.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qonys.core.errors import SourceError, nearest
from qonys.sources.formats.cells import iso_period, numbers
from qonys.sources.formats.cube import Cube, Dimension
from qonys.sources.formats.opening import encoding_of, name_of, whole
from qonys.sources.staged import Faults, Staged, staged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from qonys.sources.formats.opening import Source

    Keyword = tuple[str, str, tuple[str, ...]]  # name, language ("": the main one), sub-keys

ROWS = 100_000
KEYED = 50_000_000
CHUNK = 1 << 20  # letters of DATA at once
PARTING = " ,;\t\r\n"
BLANK = str.maketrans(",;\t", "   ")
GAP = frozenset((".", "..", "...", "....", ".....", "......", "-", "…", ":"))
HEAD = re.compile(r'\s*([A-Z][A-Z0-9-]*)\s*(?:\[\s*"?([\w-]+)"?\s*\])?\s*(?:\(((?:\s*"[^"]*"\s*,?)+)\))?\s*=', re.ASCII | re.IGNORECASE)
QUOTED = re.compile(r'"([^"]*)"')


def stage_px(source: Source, *, language: str | None = None) -> Staged:
    """A PX file as a staged table: codes (values where it has none), labels, unit, CELLNOTE as note; dots and dashes are gaps and flags.

    language: of names and labels, one of the file's. LAST-UPDATED, or else CREATION-DATE, is the vintage; NOTE, NOTEX and what the dots
    mean (DATASYMBOL) are notes of the table. `-` is a gap with flag `-`: some offices print it for zero, and only they know.
    Errors: SourceError for a file without DATA, with cells that do not fit its variables, or in an unknown codepage.
    """
    file = name_of(source)
    data = whole(source)
    said, body = _keywords(_text(data, file), file)
    main = _one(said, "LANGUAGE") or ""
    others = said.get(("LANGUAGES", "", ()), [])
    if language is not None and language not in (main, *others):
        raise SourceError(f"{file} is not in {language!r}", mend=nearest(language, [main, *others]))
    lang = "" if language in (None, main) else str(language)
    cube = _cube(said, lang, file)
    notes = [" ".join(values) for (name, of, _), values in said.items() if name in ("NOTE", "NOTEX", "SOURCE") and of == lang]
    notes += [
        f"{_mark(name)}: {' '.join(values)}" for (name, of, _), values in said.items() if name.startswith("DATASYMBOL") and of == lang
    ]
    faults = Faults(file)
    keyed = any(name == "KEYS" for name, _, _ in said)
    cells = _keyed(body, cube, said, file, faults) if keyed else _plain(body, cube, file)
    return staged(
        _batches(cells, cube, _cellnotes(said, cube, lang), faults),
        of=cube.schema,
        dimensions=cube.keys,
        faults=faults,
        vintage=_day(_one(said, "LAST-UPDATED") or _one(said, "CREATION-DATE")),
        notes=notes,
    )


def _text(data: bytes, file: str) -> str:
    """The file in its own codepage, which stands among its keywords."""
    found = re.search(rb'CODEPAGE\s*=\s*"([^"]*)"', data[:65_536])
    page = found[1].decode("ascii", "replace").strip() if found else encoding_of(data[:65_536])
    if data.startswith(b"\xef\xbb\xbf"):
        page = "utf-8-sig"
    try:
        return data.decode(page)
    except LookupError:
        raise SourceError(f"{file} names a codepage {page!r} that is not known", mend="correct CODEPAGE in the file") from None
    except UnicodeDecodeError:
        raise SourceError(f"{file} is not text in its codepage {page!r}", mend="correct CODEPAGE in the file") from None


def _keywords(text: str, file: str) -> tuple[dict[Keyword, list[str]], str]:
    """The keywords with their values, and what follows DATA=."""
    said: dict[Keyword, list[str]] = {}
    at = 0
    while found := HEAD.match(text, at):
        name, language, keys = found[1].upper(), (found[2] or "").lower(), tuple(QUOTED.findall(found[3] or ""))
        if name == "DATA":
            return said, text[found.end() :]
        end = _end(text, found.end())
        if end < 0:
            break
        raw = text[found.end() : end]
        said[name, language, keys] = [raw.strip()] if name == "TIMEVAL" else _values(raw)
        at = end + 1
    line = text.count("\n", 0, at) + 1
    raise SourceError(
        f"{file} has no DATA: line {line} is no keyword of PX: {text[at : at + 60].strip()!r}", mend="pull it again, or save it as PX"
    )


def _end(text: str, at: int) -> int:
    """The semicolon that ends a keyword, outside quotes."""
    quoted = False
    while at < len(text):
        if quoted:
            at = text.find('"', at)
            if at < 0:
                return -1
            quoted = False
        elif text[at] == ";":
            return at
        elif text[at] == '"':
            quoted = True
        at += 1
    return -1


def _values(raw: str) -> list[str]:
    """Quoted values parted by commas; pieces that only a line end parts are one text; a bare word is itself."""
    values: list[str] = []
    end = None
    for found in QUOTED.finditer(raw):
        joined = end is not None and "," not in raw[end : found.start()]
        if joined:
            values[-1] += found[1]
        else:
            values.append(found[1])
        end = found.end()
    return [value.replace("#", " ").strip() for value in values] if values else [raw.strip()]


def _one(said: Mapping[Keyword, list[str]], name: str, keys: tuple[str, ...] = (), language: str = "") -> str | None:
    return next(iter(said.get((name, language, keys), said.get((name, "", keys), []))), None)


def _cube(said: Mapping[Keyword, list[str]], lang: str, file: str) -> Cube:
    variables = [*said.get(("STUB", "", ()), []), *said.get(("HEADING", "", ()), [])]
    named = [*said.get(("STUB", lang, ()), []), *said.get(("HEADING", lang, ()), [])]
    if not variables or len(named) != len(variables):
        raise SourceError(f"{file} has neither STUB nor HEADING", mend="pull it again, or save it as PX with its variables")
    unit = _one(said, "UNITS", (), lang)
    content = _one(said, "CONTVARIABLE")
    dimensions, time = [], None
    for main, name in zip(variables, named, strict=True):
        values = said.get(("VALUES", "", (main,)))
        labels = said.get(("VALUES", lang, (name,)), values)
        codes = said.get(("CODES", "", (main,))) or said.get(("CODES", lang, (name,)))
        timed = said.get(("TIMEVAL", "", (main,)))
        if timed:
            time = name
            codes = _times(timed[0]) or codes
        if values is None or labels is None or len(labels) != len(codes or values):
            raise SourceError(
                f"{file}: the variable {main!r} has {len(codes or ())} codes for {len(labels or ())} values", mend="pull it again"
            )
        units = tuple(
            _one(said, "UNITS", (label,), lang) or _one(said, "UNITS", (value,)) for label, value in zip(labels, values, strict=True)
        )
        dimensions.append(
            Dimension(
                name=name,
                codes=tuple(codes or labels),
                labels=tuple(labels) if codes else (),
                units=units if main == content else (),
            )
        )
    return Cube(dimensions, file=file, time=time, unit=unit)


def _times(said: str) -> list[str] | None:
    """TLIST(A1,"2000"-"2010") or TLIST(M1),"200001","200002": periods one by one; a range only of years."""
    listed = QUOTED.findall(said)
    ranged = re.search(r'TLIST\(\s*A1\s*,\s*"(\d{4})"\s*-\s*"(\d{4})"', said)
    if ranged:
        return [str(year) for year in range(int(ranged[1]), int(ranged[2]) + 1)]
    return listed if listed and "-" not in said.partition(")")[0] else None


def _cellnotes(said: Mapping[Keyword, list[str]], cube: Cube, lang: str) -> dict[int, str]:
    """CELLNOTE("value", ...)="text" by position, for notes of single cells; a note for many ("*") belongs to the table."""
    found = {}
    for (name, language, keys), values in said.items():
        if name not in ("CELLNOTE", "CELLNOTEX") or language not in ("", lang) or len(keys) != len(cube.dimensions):
            continue
        places = []
        for one, key in zip(cube.dimensions, keys, strict=True):
            among = one.labels if key in one.labels else one.codes
            places.append(among.index(key) if key in among else -1)
        if -1 not in places:
            found[int(np.ravel_multi_index(places, cube.sizes))] = " ".join(values)
    return found


def _plain(body: str, cube: Cube, file: str) -> Iterator[tuple[NDArray[np.int64], list[str]]]:
    """All cells in order, whatever parts them: spaces, line ends, commas, semicolons, tabulators."""
    start = at = 0
    while at < len(body):
        end = at + CHUNK
        while end < len(body) and body[end] not in PARTING:
            end += 1
        tokens = body[at:end].translate(BLANK).split()
        if tokens:
            yield np.arange(start, start + len(tokens), dtype=np.int64)[: max(cube.cells - start, 0)], tokens[: max(cube.cells - start, 0)]
        start, at = start + len(tokens), end
    if start != cube.cells:
        raise SourceError(f"{file} has {start} cells, its variables make {cube.cells}", mend="pull it again; the file may be cut")


def _keyed(
    body: str, cube: Cube, said: Mapping[Keyword, list[str]], file: str, faults: Faults
) -> Iterator[tuple[NDArray[np.int64], list[str]]]:
    """Lines that begin with the values or codes of the stub; lines of zeros are left out by PX, and are zeros here."""
    stub = len(said.get(("STUB", "", ()), []))
    width = int(np.prod(cube.sizes[stub:], dtype=np.int64))
    if cube.cells > KEYED:
        raise SourceError(f"{file} has keys for a cube of {cube.cells} cells, which is read in memory", mend="ask for fewer values")
    cells = np.full(cube.cells, "0", dtype=object)
    for number, line in enumerate(body.rpartition(";")[0].strip().splitlines() or [], 1):
        keys, rest = QUOTED.findall(line)[:stub], re.sub(rf'^\s*(?:"[^"]*"\s*,?\s*){{{stub}}}', "", line).replace(",", " ").split()
        places = []
        for one, key in zip(cube.dimensions, keys, strict=False):
            places.append(one.codes.index(key) if key in one.codes else one.labels.index(key) if key in one.labels else -1)
        if len(places) != stub or -1 in places or len(rest) != width:
            faults.add(f"line {number} of DATA", "", line, f"has not {stub} keys of the stub and {width} cells")
            continue
        start = int(np.ravel_multi_index([*places, *[0] * (len(cube.sizes) - stub)], cube.sizes))
        cells[start : start + width] = rest
    for start in range(0, cube.cells, ROWS):
        some = cells[start : start + ROWS].tolist()
        yield np.arange(start, start + len(some), dtype=np.int64), some


def _batches(
    cells: Iterator[tuple[NDArray[np.int64], list[str]]], cube: Cube, notes: Mapping[int, str], faults: Faults
) -> Iterator[pa.RecordBatch]:
    for positions, tokens in cells:
        found = numbers(pa.array([token.strip('"') for token in tokens], pa.string()), GAP)
        note = pa.array([notes.get(at) for at in positions.tolist()], pa.string()) if notes else None
        made = cube.rows(positions, {"value": found.value, "flag": found.mark, "note": note})
        if found.wrong is not None:
            for row in pc.indices_nonzero(found.wrong).to_pylist():
                faults.add(cube.place(int(positions[row])), "DATA", tokens[row], "is neither a number nor a gap")
            made = made.filter(pc.invert(found.wrong))
        if made.num_rows:
            yield made


def _mark(name: str) -> str:
    """The mark a DATASYMBOL keyword explains."""
    kind = name.removeprefix("DATASYMBOL")
    return "-" if kind == "NIL" else "sum" if kind == "SUM" else "." * int(kind) if kind.isdigit() else kind


def _day(written: str | None) -> str | None:
    """20240115 09:00 as 2024-01-15."""
    return iso_period(written.split()[0]) if written and re.match(r"\d{8}", written) else None
