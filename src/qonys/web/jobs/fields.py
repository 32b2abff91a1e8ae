"""The numbers, days and switches of a room's TOML as fields of a form, each with what it is and its origin, and back into the text.

A field is called by its place among the values of the text the form was made from, which comes back with the form. What was changed is
put into the text as it stands, so that comments and order stay.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from qonys.core.errors import DesignError
from qonys.report.rooms.naming import Names
from qonys.web.jobs.asked import read

if TYPE_CHECKING:
    from qonys.i18n import Words

Path = tuple[str | int, ...]
MOST_FIELDS = 400  # what comes after stands in the text alone
PREFIX = "n-"
CHANGE = re.compile(r"[+-]\d+(?:\.\d+)? ?%")  # "+25%", of a variant
BESIDE = ("labels", "origins", "source", "name", "title")
NAMED = ("agencies", "variants", "places", "fleet", "consulates", "quarantine")  # tables by name: [agencies.NAME]
BY_NAME = ("officers", "passing", "crosses", "coefficients")  # tables whose keys are names of something else
OPEN = ("", "agencies", "steps", "arrivals", "fleet", "quarantine", "objective")


@dataclass(frozen=True, slots=True)
class Field:
    """One value. entry: what it belongs to, such as a step; kind: number, date, text or flag; origin: seed, published, assumed, setting, or
    "" where the file does not say.
    """

    name: str  # in the form
    path: Path
    entry: str
    label: str
    kind: str
    value: str
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together, and what the file says of where they come from: (origin, what it is, why)."""

    code: str
    title: str
    fields: tuple[Field, ...]
    told: tuple[tuple[str, str, str], ...]

    @property
    def entries(self) -> list[tuple[str, list[Field]]]:
        """The fields by what they belong to."""
        found: dict[str, list[Field]] = {}
        for field in self.fields:
            found.setdefault(field.entry, []).append(field)
        return list(found.items())

    @property
    def open(self) -> bool:
        """Whether it is among what is changed most."""
        return self.code in OPEN


@lru_cache(maxsize=64)
def groups_of(text: str, say: Words, file: str = "room.toml") -> tuple[Group, ...]:
    """The fields of a text, by the part of the file they stand in. Errors: DesignError for text that is no TOML."""
    content = dict(read(text, file).content)
    labels = content.get("labels")
    names = Names(say, {key: one for key, one in labels.items() if isinstance(one, dict)} if isinstance(labels, dict) else {})
    origins = [_origin(one, say) for one in content.get("origins", ()) if isinstance(one, dict)]
    found: dict[str, list[tuple[Field, int | None]]] = {}
    for name, (path, value) in _values(content).items():
        part = "" if len(path) == 1 or (len(path) == 2 and isinstance(path[1], int)) else str(path[0])
        key = _key(content, path)
        place = next((at for at, (patterns, _) in enumerate(origins) if any(one.fullmatch(key) for one in patterns)), None)
        origin = "" if place is None else origins[place][1][0]
        field = Field(name, path, *_label(content, path, names), _kind(value), _shown(value), origin)
        found.setdefault(part, []).append((field, place))
    return tuple(
        Group(
            part, say.label("web.part", part or "general", part), tuple(field for field, _ in pairs),
            tuple(dict.fromkeys(origins[place][1] for _, place in pairs if place is not None and (origins[place][1][1]))),
        )
        for part, pairs in found.items()
    )  # fmt: skip


def changed(text: str, base: str, given: Mapping[str, str], file: str = "room.toml") -> tuple[str, dict[Path, str], tuple[str, str] | None]:
    """The text with what was changed in the fields: those whose value is not the one of `base`, from which the form was made.

    -> the new text, what was typed into fields that could not be put in, and what is wrong with the first of them. A text that is no TOML
    stays as it is.
    """
    before = dict(read(base, file).content)
    typed = {path: (was, given[name].strip()) for name, (path, was) in _values(before).items() if name in given}
    typed = {path: (was, new) for path, (was, new) in typed.items() if new != _shown(was)}
    try:
        content = dict(read(text, file).content)
    except DesignError as error:
        return text, {path: new[:60] for path, (_, new) in typed.items()}, (error.what, error.mend)
    put: dict[Path, Any] = {}
    failed: dict[Path, str] = {}
    wrong: tuple[str, str] | None = None
    for path, (was, new) in typed.items():
        try:
            if _at(content, path) is None:
                raise DesignError(f"{file}: {_dotted(path)} is not in the text any more", mend="take it out of the fields too")
            put[path] = _read(path, was, new)
        except DesignError as error:
            failed[path], wrong = new[:60], wrong or (error.what, error.mend)
    return (_edited(text, content, put) if put else text), failed, wrong


def _edited(text: str, content: dict[str, Any], put: Mapping[Path, Any]) -> str:
    import tomli_w

    for path, value in put.items():
        _put(content, path, value)
    try:
        import tomlkit

        document = tomlkit.parse(text)
        for path, value in put.items():
            _put(document, path, value)
        edited = tomlkit.dumps(document)
        if tomllib.loads(edited) == content:
            return edited
    except Exception:  # an editor's fault must not lose what was typed
        pass
    return str(tomli_w.dumps(content))


def _put(content: Any, path: Path, value: Any) -> None:
    for part in path[:-1]:
        content = content[part]
    content[path[-1]] = value


def _at(content: Any, path: Path) -> Any:
    try:
        for part in path:
            content = content[part]
    except (KeyError, IndexError, TypeError):
        return None
    return content if _kind(content) else None


def _values(content: Mapping[str, Any]) -> dict[str, tuple[Path, Any]]:
    """Name in the form -> path and value, in the order of the file."""
    leaves = _leaves({key: value for key, value in content.items() if key not in BESIDE}, ())
    return {f"{PREFIX}{place}": leaf for place, leaf in enumerate(islice(leaves, MOST_FIELDS))}


def _read(path: Path, was: Any, typed: str) -> Any:
    """What was typed, as the kind of value that stood there."""
    kind = _kind(was)
    if kind == "flag":
        return typed == "true"
    if kind == "date":
        try:
            return date.fromisoformat(typed)
        except ValueError:
            raise DesignError(f"{_dotted(path)} = {typed[:40]!r} is no day", mend="write year, month and day: 2020-04-12") from None
    if kind == "text":
        if not CHANGE.fullmatch(typed):
            raise DesignError(f"{_dotted(path)} = {typed[:40]!r} is no change", mend="write it with sign and per cent: +25%")
        return typed
    plain = typed.replace(",", ".").replace("\N{NO-BREAK SPACE}", "").replace(" ", "")
    try:
        return int(plain) if re.fullmatch(r"[+-]?\d{1,15}", plain) else _finite(plain)
    except ValueError:
        raise DesignError(f"{_dotted(path)} = {typed[:40]!r} is no number", mend="write a number without units, such as 0.3") from None


def _finite(text: str) -> float:
    found = float(text)
    if found != found or found in (float("inf"), float("-inf")):
        raise ValueError(text)
    return found


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, (*path, key))
    elif isinstance(value, list) and all(isinstance(one, dict) or _kind(one) == "number" for one in value):
        for place, one in enumerate(value):
            yield from _leaves(one, (*path, place))
    elif _kind(value):
        yield path, value


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, date) and not isinstance(value, datetime):
        return "date"
    return "text" if isinstance(value, str) and CHANGE.fullmatch(value) else ""


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value.isoformat()) if isinstance(value, date) else str(value)


def _key(content: Mapping[str, Any], path: Path) -> str:
    """The path as origins name it: `steps[permit].passing.mean`."""
    here: Any = content
    text = ""
    for part in path:
        if isinstance(part, int):
            entry = here[part]
            if isinstance(entry, dict):
                text += f"[{entry['id'] if isinstance(entry.get('id'), str) else part + 1}]"
        else:
            text += f".{part}" if text else part
        here = here[part]
    return text


def _label(content: Mapping[str, Any], path: Path, names: Names) -> tuple[str, str]:
    """What a field is, in words: the entry it belongs to, and the quantity with its unit."""
    say, before, after, rest = names.say, [], [], []
    here: Any = content
    for at, part in enumerate(path):
        entry = here[part]
        if isinstance(part, int):
            own = entry.get("id") if isinstance(entry, dict) else None
            if isinstance(own, str):
                before.append(_entry(names, str(path[0]), own, entry))
            elif len(here) > 1:
                after.append(str(part + 1))
        elif (
            (at == 1 and (path[0] in NAMED or (path[0] == "costs" and isinstance(entry, dict))))
            or (at == 2 and path[:2] == ("values", "model"))
        ):  # fmt: skip
            before.append(_called(names, str(path[0]), str(part)))
        elif at > 2 and path[at - 1] in BY_NAME and (path[0] == "variants" or path[at - 1] in ("crosses", "coefficients")):
            after.append(_called(names, "step" if path[at - 1] == "passing" else "place", str(part)))
        elif part != "model" or path[0] != "values":
            rest.append(str(part))
        here = entry
    code = ".".join(rest)
    return ": ".join(before), ", ".join([say.label("web.number", code, code), *after])


def _entry(names: Names, part: str, code: str, entry: Mapping[str, Any]) -> str:
    """An entry of a list: a leg and a group of a corridor by what they are where the file has no label for them."""
    say = names.say
    if code not in names.labels and part == "legs" and all(isinstance(entry.get(one), str) for one in ("mode", "from", "to")):
        ends = {key: _called(names, "place", entry[one]) for key, one in (("origin", "from"), ("destination", "to"))}
        return say.plain("corridor.leg", mode=say.label("mode", entry["mode"], entry["mode"]), **ends)
    if code not in names.labels and part == "groups" and all(isinstance(entry.get(one), str) for one in ("citizenship", "place")):
        return say.plain(
            "corridor.group", area=_called(names, "place", entry["citizenship"]), place=_called(names, "place", entry["place"])
        )
    return _called(names, part, code)


def _called(names: Names, part: str, code: str) -> str:
    from qonys.core import areas

    if code not in names.labels and code in areas.codes():
        return names.say.area(code)
    kinds = {"agencies": "agency", "steps": "step", "variants": "variant", "fleet": "mode", "costs": "support", "values": "web.objective"}
    return names(kinds.get(part, part), code)


def _origin(entry: Mapping[str, Any], say: Words) -> tuple[list[re.Pattern[str]], tuple[str, str, str]]:
    keys = [one for one in entry.get("keys", ()) if isinstance(one, str)] if isinstance(entry.get("keys"), list) else []
    texts = []
    for name in ("what", "why"):
        by_language = entry.get(name)
        text = by_language.get(say.language, by_language.get("en", "")) if isinstance(by_language, dict) else ""
        texts.append(text if isinstance(text, str) else "")
    origin = entry.get("origin")
    code = origin if isinstance(origin, str) and say.has(f"origin.{origin}") else ""
    return [re.compile(re.escape(key).replace(r"\*", r"[^.\[\]]*")) for key in keys], (code, texts[0], texts[1])


def _dotted(path: Path) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
