"""Look words up by key. Catalogues are gettext .po files read as they lie, so that a translator edits text and nothing is compiled."""

from __future__ import annotations

import gettext
import io
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from qonys.core.areas import LANGUAGES, area_name
from qonys.core.errors import StudyError, nearest
from qonys.core.periods import earliest

if TYPE_CHECKING:
    from datetime import date

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"


class Words:
    """The words of one language.

    `words(key, name=value)` gives a message with its placeholders filled; values that are not Markup are escaped.
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._messages, self._keys = _catalogue(language)
        self._ready: dict[str, Markup] = {}

    def has(self, key: str) -> bool:
        """Is there a message of that key?"""
        return key in self._keys

    def __call__(self, key: str, **values: object) -> Markup:
        """The message of a key. Errors: StudyError naming the nearest key."""
        message = self._ready.get(key)
        if message is None:
            message = self._ready[key] = Markup(str(escape(self._messages.gettext(self._known(key)))))
        return message.format(**values) if values else message

    def plain(self, key: str, **values: object) -> str:
        """The same as plain text, for a chart, a heading of a workbook or a terminal."""
        return str(self(key, **values).unescape())

    def plural(self, key: str, number: float, **values: object) -> Markup:
        """The message in the plural form that `number` takes in this language."""
        message = Markup(str(escape(self._messages.ngettext(self._known(key), key, _plural_number(number)))))
        return message.format(**values) if values else message

    def label(self, kind: str, code: object, otherwise: str | None = None) -> str:
        """The label of a code, as `label("target", "labour")`; `otherwise` where the catalogue has none (a user's own words)."""
        key = f"{kind}.{code}"
        return self.plain(key) if otherwise is None or self.has(key) else otherwise

    def area(self, code: str, on: date | None = None) -> str:
        """The name of an area."""
        return area_name(code, self.language, on)

    def number(self, value: float, decimals: int = 0, *, sign: bool = False) -> str:
        """A number with the separators of the language; `sign` shows a plus too."""
        from babel.numbers import format_decimal

        fraction = "." + "0" * decimals if decimals else ""
        text = str(format_decimal(abs(value), format=f"#,##0{fraction}", locale=self.language))
        zero = not any(digit in text for digit in "123456789")
        return text if zero else (MINUS if value < 0 else "+" if sign else "") + text

    def date(self, partial: str) -> str:
        """A date known in whole or in part: "16 March 2020", "March 2020", "2020"."""
        return _date(partial, self.language)

    def month(self, month: str) -> str:
        """A short month for an axis: "Mar 2020" """
        from babel.dates import format_skeleton

        return str(format_skeleton("yMMM", earliest(month), locale=self.language))

    def span(self, start: str | None, end: str | None) -> str:
        """From when to when, saying which side is not known."""
        if start is None:
            return self.plain("date.unknown") if end is None else self.plain("date.until", end=self.date(end))
        if end is None:
            return self.plain("date.open", start=self.date(start))
        if start.endswith("-01-01") and end == f"{start[:4]}-12-31":
            return start[:4]
        return self.date(start) if start == end else f"{self.date(start)} {DASH} {self.date(end)}"

    def _known(self, key: str) -> str:
        if key not in self._keys:
            raise StudyError(f"the {self.language} catalogue has no words for {key!r}", mend=nearest(key, self._keys))
        return key


@lru_cache(maxsize=10_000)
def _date(partial: str, language: str) -> str:
    from babel.dates import format_date, format_skeleton

    day = earliest(partial)
    if len(partial) == 4:
        return partial
    if len(partial) == 7:
        return str(format_skeleton("yMMMM", day, locale=language))
    return str(format_date(day, format="long", locale=language))


def _plural_number(number: float) -> int:
    """The whole number whose form fits: a fraction takes that of two ("5,3 процента", "5.3 days")."""
    return int(number) if number == int(number) else 2


@cache
def words(language: str) -> Words:
    """The words of a language. Errors: StudyError for a language without a catalogue."""
    if language not in LANGUAGES:
        raise StudyError(f"there is no catalogue for the language {language!r}", mend=nearest(language, LANGUAGES))
    return Words(language)


@cache
def _catalogue(language: str) -> tuple[gettext.GNUTranslations, frozenset[str]]:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    for_language = files("qonys.i18n").joinpath("locale", language, "LC_MESSAGES", "qonys.po")
    with for_language.open("rb") as stream:
        catalogue = read_po(stream, locale=language)
    write_mo(compiled, catalogue)
    compiled.seek(0)
    keys = frozenset(message.id if isinstance(message.id, str) else message.id[0] for message in catalogue if message.id)
    return gettext.GNUTranslations(compiled), keys
