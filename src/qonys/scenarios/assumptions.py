"""A room file as a table of its values, each with where it comes from: a figure of the seed, a published figure, or an assumption of ours.

A file that a study may run carries `[[origins]]`: patterns of keys, and for each the origin, the figure it is, what it means and why
it was chosen. Every number, day and switch must fall under one of them, so that nothing in a report rests on a value that is not listed.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.errors import DesignError, StudyError
from qonys.scenarios.reading import Part, read_part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ORIGINS = ("seed", "published", "assumed", "setting")
LANGUAGES = ("en", "ru", "kk")
_SEGMENT = re.compile(r"([^.\[\]]+)|\[([^\[\]]*)\]")
_TEXTS = [f"{name}{'' if language == 'en' else '_' + language}" for name in ("what", "reason") for language in LANGUAGES]
COLUMNS = ("room", "place", "key", "value", "number", "origin", "entry", "figure", "factor", "summed", *_TEXTS, "source")


def assumptions(text: str, file: str) -> pd.DataFrame:
    """The values of a room file -> the contract `assumption` as text, one row a value in the order of the file, with `row` "file:key".

    Keys are paths: `steps[permit].passing.mean` is `mean` in `passing` of the entry of `steps` whose id (or place) is `permit`. A list of
    plain values is one value, written as JSON. Rows of names and texts that no pattern covers have no origin.

    Errors: DesignError for a number, day or switch without an origin, a pattern that fits nothing, or a faulty origin.
    """
    whole = read_part(text, file)
    origins = [_origin(part) for part in whole.rows("origins", [])]
    source, room = whole.text("source", "own"), file.rpartition("/")[2].removesuffix(".toml")
    content = {key: value for key, value in whole.content.items() if key not in ("origins", "source")}
    used: set[int] = set()
    rows: list[dict[str, Any]] = []
    for key, value in _leaves(content, ""):
        entry = next((place for place, one in enumerate(origins) if any(pattern.fullmatch(key) for pattern in one["patterns"])), None)
        if entry is None and not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            raise DesignError(
                f"{file}: {key} = {value} has no origin", mend="add its key to an [[origins]] entry: seed, published, assumed"
            )
        found = {} if entry is None else origins[entry]
        used |= set() if entry is None else {entry}
        number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
        rows.append(
            {
                "row": f"{file}:{key}",
                "room": room,
                "place": len(rows) + 1,
                "key": key,
                "value": json.dumps(_plain(value), ensure_ascii=False),
                "number": number,
            }
            | {"entry": None if entry is None else entry + 1, "source": source}
            | {name: found.get(name) for name in ("origin", "figure", "factor", "summed", *_TEXTS)}
        )
    idle = [origins[place]["keys"] for place in range(len(origins)) if place not in used]
    if idle:
        raise DesignError(f"{file}: no value has the key {idle[0][0]!r}, named in [[origins]]", mend="correct the key, or take it out")
    return pd.DataFrame(rows, columns=["row", *COLUMNS])


def room(table: pd.DataFrame, name: str) -> Part:
    """The content of one room file out of the contract `assumption`; days are text. Errors: StudyError if the table has no such room."""
    own = table[table["room"] == name].sort_values("place")
    if own.empty:
        raise StudyError(f"no table of the contract assumption holds the room {name!r}", mend="add its file under [tables]: assumption")
    content: dict[str, Any] = {}
    for key, value in zip(own["key"], own["value"], strict=True):
        _put(content, _path(key), json.loads(value))
    return Part(_listed(content), f"{name}.toml")


def confirm(table: pd.DataFrame, figures: Mapping[str, float]) -> None:
    """See that each value said to be a figure, or the sum of those said to be one, is that figure times its factor.

    Errors: StudyError naming value and figure.
    """
    said = table[table["figure"].notna()]
    summed = said["summed"].eq(True)
    sums = (
        said[summed]
        .groupby(["room", "entry"], as_index=False)
        .agg(key=("key", "first"), number=("number", "sum"), figure=("figure", "first"), factor=("factor", "first"))
    )
    sums["key"] = "the sum of " + sums["key"].astype(str) + " and its like"
    for row in [*said[~summed].itertuples(), *sums.itertuples()]:
        if row.figure not in figures:
            raise StudyError(
                f"{row.room}.toml: {row.key} is said to be the figure {row.figure}, which no table holds", mend="correct the id"
            )
        factor = 1.0 if pd.isna(row.factor) else float(row.factor)
        expected = figures[row.figure] * factor
        if pd.isna(row.number) or abs(float(row.number) - expected) > 1e-9 * max(1.0, abs(expected)):
            raise StudyError(
                f"{row.room}.toml: {row.key} is {row.number}, but the figure {row.figure} times {factor:g} is {expected:g}",
                mend="correct the value, or call it assumed",
            )


def _origin(part: Part) -> dict[str, Any]:
    keys = part.texts("keys")
    found: dict[str, Any] = {
        "keys": keys,
        "patterns": [re.compile(re.escape(key).replace(r"\*", r"[^.\[\]]*")) for key in keys],
        "origin": part.text("origin", among=ORIGINS),
        "figure": part.text("figure", None),
        "factor": part.number("factor", None),
        "summed": part.flag("sum"),
    }
    for name, key in (("what", "what"), ("reason", "why")):
        texts = part.part(key, {})
        for language in LANGUAGES:
            found[name if language == "en" else f"{name}_{language}"] = texts.text(language, None)
        texts.done()
    part.done()
    if (found["origin"] in ("seed", "published")) != (found["figure"] is not None):
        raise DesignError(
            f"{part.where}: origin {found['origin']} {'without' if found['figure'] is None else 'with'} a figure",
            mend="seed and published name the figure they are; assumed and setting name none",
        )
    return found


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, part in value.items():
            if re.search(r"[.\[\]]", key):
                raise DesignError(f"the key {key!r} holds a point or a bracket", mend="use letters, digits, spaces and hyphens in names")
            yield from _leaves(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
        names = [one.get("id") for one in value]
        named = all(isinstance(name, str) and not re.search(r"[.\[\]]", name) for name in names) and len(set(names)) == len(names)
        for place, one in enumerate(value, 1):
            yield from _leaves(one, f"{path}[{one['id'] if named else place}]")
    else:
        yield path, value


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def _path(key: str) -> list[tuple[bool, str]]:
    """Steps of a key: (is it an entry of a list, its name)."""
    return [(match.group(1) is None, match.group(1) or match.group(2)) for match in _SEGMENT.finditer(key)]


class _Entries(dict[str, Any]):
    """Entries of a list, by id or place, in order."""


def _put(content: dict[str, Any], path: list[tuple[bool, str]], value: Any) -> None:
    for place, (_, name) in enumerate(path[:-1]):
        content = content.setdefault(name, _Entries() if path[place + 1][0] else {})
    content[path[-1][1]] = value


def _listed(content: Any) -> Any:
    if isinstance(content, _Entries):
        return [_listed(one) for one in content.values()]
    return {key: _listed(value) for key, value in content.items()} if isinstance(content, dict) else content
