"""Room files: TOML read key by key, each value checked for kind, unit and range, with a sentence that names the place where it is wrong."""

from __future__ import annotations

import math
import tomllib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from qonys.core.errors import DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NONE: Any = object()
BESIDE = ("labels", "origins", "source")  # what a room file says of itself, beside what it declares


class Part:
    """A table of a room file. Each method takes one key out; `done` refuses what nobody took. A default comes back as it is, None too.

    where: file and path of the table, for sentences: `transit.toml, groups[3]`.
    Errors of every method: DesignError for a key that is absent and has no default, or a value of the wrong kind, unit or range.
    """

    def __init__(self, content: Mapping[str, Any], where: str) -> None:
        self.content, self.where = content, where
        self._taken: set[str] = set()

    def has(self, key: str) -> bool:
        """Is the key given?"""
        return key in self.content

    def get(self, key: str, default: Any = _NONE) -> Any:
        """The value as it stands."""
        self._taken.add(key)
        found = self.content.get(key, default)
        if found is _NONE:
            raise DesignError(f"{self.where} lacks {key}", mend=f"add {key} = ...")
        return found

    def number(self, key: str, default: Any = _NONE, *, least: float = -math.inf, most: float = math.inf) -> Any:
        """A number from `least` to `most`."""
        found = self.get(key, default)
        if found is default and default is not _NONE:
            return found
        if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
            raise self.wrong(key, found, "is no number", "write a number without quotes or units")
        if not least <= found <= most:
            reach = f"{least:g} or more" if math.isinf(most) else f"from {least:g} to {most:g}"
            raise self.wrong(key, found, "is out of range", f"give a number {reach}")
        return float(found)

    def whole(self, key: str, default: Any = _NONE, *, least: int = 0, most: int = 2_000_000_000) -> Any:
        """A whole number from `least` to `most`."""
        found = self.number(key, default, least=least, most=most)
        if found is not None and found != int(found):
            raise self.wrong(key, found, "is no whole number", "write a count, such as 12")
        return found if found is None else int(found)

    def share(self, key: str, default: Any = _NONE) -> Any:
        """A share, 0 to 1."""
        found = self.get(key, default)
        if not isinstance(found, bool) and isinstance(found, int | float) and 1 < found <= 100:
            raise self.wrong(key, found, "is above 1", f"shares go from 0 to 1; if you mean {found:g} %, write {found / 100:g}")
        return self.number(key, default, least=0, most=1)

    def text(self, key: str, default: Any = _NONE, *, among: Iterable[str] = ()) -> Any:
        """A text, one of `among` where these are given."""
        found = self.get(key, default)
        if found is default and default is not _NONE:
            return found
        if not isinstance(found, str) or not found.strip():
            raise self.wrong(key, found, "is no text", 'write it in quotes: "..."')
        known = tuple(among)
        if known and found not in known:
            raise self.wrong(key, found, "is not known", nearest(found, known))
        return found

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        found = self.get(key, default)
        if not isinstance(found, bool):
            raise self.wrong(key, found, "is neither true nor false", "write true or false, without quotes")
        return found

    def day(self, key: str, default: Any = _NONE) -> Any:
        """A day, written 2020-04-12 with or without quotes."""
        found = self.get(key, default)
        if found is default and default is not _NONE:
            return found
        return self._day(key, found)

    def days(self, key: str, default: Any = _NONE) -> tuple[date, ...]:
        """A list of days."""
        return tuple(self._day(key, one) for one in self._list(key, default))

    def texts(self, key: str, default: Any = _NONE) -> tuple[str, ...]:
        """A list of texts, each once."""
        found = self._list(key, default)
        for one in found:
            if not isinstance(one, str) or not one.strip():
                raise self.wrong(key, one, "holds what is no text", 'write texts in quotes: ["a", "b"]')
        if len(set(found)) != len(found):
            raise self.wrong(key, found, "names something twice", "name each once")
        return tuple(found)

    def part(self, key: str, default: Any = _NONE) -> Part:
        """A table within this one."""
        found = self.get(key, default)
        if not isinstance(found, dict):
            raise self.wrong(key, found, "is no table", f"begin it with a line [{key}]")
        return Part(found, f"{self.where}, {key}")

    def parts(self, key: str, default: Any = _NONE) -> dict[str, Part]:
        """Tables by name: [key.NAME]."""
        found = self.part(key, default)
        return {name: found.part(name) for name in found.content}

    def rows(self, key: str, default: Any = _NONE) -> list[Part]:
        """A list of tables: [[key]]."""
        found = self._list(key, default)
        if not all(isinstance(one, dict) for one in found):
            raise self.wrong(key, found, "is no list of tables", f"begin each with a line [[{key}]]")
        return [Part(one, f"{self.where}, {key}[{place}]") for place, one in enumerate(found, 1)]

    def done(self) -> None:
        """Refuse keys that nobody asked for. Errors: DesignError naming the nearest one that is known."""
        for key in self.content:
            if key not in self._taken:
                raise DesignError(f"{self.where} has the key {key!r}, which means nothing here", mend=nearest(key, self._taken))

    def wrong(self, key: str, found: Any, what: str, mend: str) -> DesignError:
        """The error for a value of a key."""
        shown = str(found) if isinstance(found, date) else repr(found)
        return DesignError(f"{self.where}: {key} = {shown[:60]} {what}", mend=mend)

    def _list(self, key: str, default: Any) -> list[Any]:
        found = self.get(key, default)
        if not isinstance(found, list | tuple):
            raise self.wrong(key, found, "is no list", f"write {key} = [...]")
        return list(found)

    def _day(self, key: str, found: Any) -> date:
        if isinstance(found, date) and not isinstance(found, datetime):
            return found
        try:
            return date.fromisoformat(found)
        except (TypeError, ValueError):
            raise self.wrong(key, found, "is no day", "write year, month and day: 2020-04-12") from None


def read_part(text: str, file: str) -> Part:
    """The whole of a room file. Errors: DesignError for text that is no TOML."""
    try:
        return Part(tomllib.loads(text), file)
    except tomllib.TOMLDecodeError as error:
        raise DesignError(f"{file} is not valid TOML: {error}", mend="correct that line") from None


def named_part(text: str, file: str) -> tuple[Part, dict[str, dict[str, str]]]:
    """A room file without its `labels`, `origins` and `source`, and the labels: what people call an id, by language.

    Errors: DesignError for text that is no TOML, or labels that are no texts by language.
    """
    return parted(read_part(text, file))


def parted(whole: Part) -> tuple[Part, dict[str, dict[str, str]]]:
    """The same for content that is already read."""
    labels = {name: {language: part.text(language) for language in part.content} for name, part in whole.parts("labels", {}).items()}
    return Part({key: value for key, value in whole.content.items() if key not in BESIDE}, whole.where), labels
