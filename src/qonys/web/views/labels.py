"""Codes in words: titles of measures, names of sources, choices of forms."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from qonys.i18n import words
from qonys.pipeline import source_list
from qonys.situation import areas_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qonys.i18n import Words

Choices = tuple[tuple[str, str], ...]


def title_of(entry: Mapping[str, Any], say: Words) -> str:
    """The title of a measure in the reader's language, or as its entry has it: a later version may bear another than was translated."""
    key, own = f"measure.{entry['id']}.title", entry.get("title")
    if say.has(key) and (not isinstance(own, str) or _dashes(own) == _dashes(words("en").plain(key))):
        return say.plain(key)
    if entry.get("area") == "internal_border" and entry.get("field") == "border_control":
        return say.plain("measure.internal_border_control")
    title = str(entry.get("title") or entry["id"])
    code = "title." + "".join(letter if letter.isalnum() else "_" for letter in title.lower()).replace("__", "_")
    return say.plain(code) if say.has(code) else title


def _dashes(title: str) -> str:
    return title.replace("\N{EN DASH}", "-").casefold()


def measure_link(entry: Mapping[str, Any], say: Words) -> Markup:
    """A measure by its title, linked to its entry."""
    return Markup('<a href="/{}/measures/entry?id={}">{}</a>').format(say.language, entry["id"], title_of(entry, say))


def cited(keys: Iterable[object], say: Words) -> tuple[tuple[str, str], ...]:
    """Key and name of each source: publisher and year. What has no key is left out."""
    known = _sources()
    found = {}
    for key in sorted({str(one) for one in keys if isinstance(one, str) and one}):
        row = known.get(key)
        year = row["year"] if row and isinstance(row["year"], str) else say.plain("source.undated")
        found[key] = f"{row['publisher']} ({year})" if row else key
    return tuple(found.items())


@cache
def _sources() -> dict[str, dict[str, Any]]:
    return {str(key): row for key, row in source_list().set_index("key").to_dict("index").items()}


def area_choices(say: Words, *, with_figures: bool = False, empty: str = "") -> Choices:
    """Areas that have figures or measures, by name. empty: key of the words for no choice."""
    known = areas_known()
    codes = known.loc[known["series"] > 0, "area"] if with_figures else known["area"]
    named = sorted(((str(code), say.area(str(code))) for code in codes), key=lambda pair: pair[1])
    return ((("", say.plain(empty)),) if empty else ()) + tuple(named)


def code_choices(kind: str, codes: Iterable[str], say: Words, *, empty: str = "web.any") -> Choices:
    """Codes by their labels, and no choice first."""
    return (("", say.plain(empty)), *sorted(((code, say.label(kind, code)) for code in codes), key=lambda pair: pair[1]))


def joined(kind: str, codes: object, say: Words) -> str:
    """A list of codes as labels."""
    return ", ".join(say.label(kind, code, str(code)) for code in codes) if isinstance(codes, list | tuple) else ""


def groups(codes: object, say: Words) -> str:
    """Groups of people as labels, whether the codebook of targets or the categories of corridors know them."""
    own = codes if isinstance(codes, list | tuple) else []
    return ", ".join(say.plain(next((key for key in (f"target.{one}", f"category.{one}") if say.has(key)), f"target.{one}")) for one in own)


def dated(value: object, say: Words) -> str:
    """A date known in whole or in part; a gap where there is none."""
    return say.date(str(value)) if isinstance(value, str) and value else say.plain("gap.sign")


def number(value: object, say: Words, decimals: int = 0, *, sign: bool = False) -> str:
    """A number; a gap where there is none."""
    return say.plain("gap.sign") if value is None or pd.isna(value) else say.number(float(str(value)), decimals, sign=sign)
