"""What people ask to be run, read and checked before anything is queued: the text of a room or study, the tables it names, its options."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files as package_files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from qonys.core.errors import DataError, DesignError, StudyError, nearest
from qonys.rooms.corridors import open_corridor
from qonys.scenarios.procedure.read import procedure_of
from qonys.scenarios.reading import Part, named_part, read_part
from qonys.scenarios.settlement.placement import placement_of
from qonys.scenarios.settlement.retention_design import retention_design_of
from qonys.store import shipped
from qonys.web.jobs import files
from qonys.web.state.rooms import MOST_TEXT
from qonys.web.state.tables import ROOM_KINDS

SHIPPED, PULLED = "shipped:", "pulled:"
PERSONAL = ("crossing", "classified", "case_event", "household", "stranded_group")  # contracts with rows of persons
STUDY_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
RESERVED = ("trace", "questions", "claims", "new", "cited")  # pages below studies
SHIPPED_ROOMS = {
    "procedure": ("kandas", "permit"), "corridor": ("transit-2020", "home"), "settlement": ("north", "placement", "support"),
}  # fmt: skip
EXAMPLES = ("permit", "home", "placement", "support")  # made up, to begin with
EXAMPLE_TABLES = {"placement": ("households.csv", "regions.csv"), "support": ("records.csv",)}
# deeper than any room, and dear to parse; possessive, so that it takes time in proportion to the text
_DEEP = re.compile(r"(?<![\w\"'-])(?:[\w\"'-]++[ \t]*+\.[ \t]*+){24}|(?:\[\s*+){24}|(?:\{[^{}\n]*+){24}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A room as asked for. job: the kind of run; files: name -> hash of the tables it names, "" for one that ships with the example.

    shipped: the room or example it was made from; unchanged: whether it is just that, with the tables that ship.
    """

    job: str
    name: str
    text: str
    files: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    shipped: str = ""
    unchanged: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it is kept with the run."""
        return {"text": self.text, "files": dict(self.files), "options": dict(self.options), "shipped": self.shipped,
                "unchanged": self.unchanged}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Option:
    """What may be chosen of a run beside its text. least, most: of a number; a text where both are None; kind `flag`: yes or no."""

    kind: str
    default: Any
    least: float | None = None
    most: float | None = None


OPTIONS: dict[str, dict[str, Option]] = {
    "procedure": {},
    "corridor": {
        "binding": Option("whole", 0, 0, 5), "gap": Option("number", 0.01, 0, 0.5), "seconds": Option("number", 60.0, 1, 600),
        "chance": Option("number", 0.0, 0, 0.5),
    },
    "totals": {},
    "place": {"as_they_arrive": Option("flag", False)},
    "retention": {
        "records": Option("text", "records.csv"), "by": Option("text", ""), "draws": Option("whole", 200, 40, 2000),
        "seed": Option("whole", 1, 0, 2_000_000_000),
    },
}  # fmt: skip


def shipped_text(name: str) -> str:
    """A room that ships with the package, or a made-up example to begin with. Errors: DataError for another name."""
    if name in EXAMPLES:
        return _example(f"{name}.toml").read_text(encoding="utf-8")
    known = [one for names in SHIPPED_ROOMS.values() for one in names]
    if name not in known:
        raise DataError(f"there is no room {name!r}", mend=nearest(name, known))
    return shipped().path(f"rooms/{name}.toml").read_text(encoding="utf-8")


def example_table(example: str, name: str) -> Path | None:
    """A table that ships beside an example; None if there is none of that name."""
    return _example(name) if name in EXAMPLE_TABLES.get(example, ()) else None


def read(text: str, file: str) -> Part:
    """The text of a room or study as TOML. Errors: DesignError for one that is too long, too deep or no TOML."""
    if len(text.encode("utf-8", "replace")) > MOST_TEXT:
        raise DesignError(f"{file} is longer than {MOST_TEXT // 1024} kB", mend="put long lists into tables beside it")
    if "\0" in text or _DEEP.search(text):
        raise DesignError(f"{file} is nested too deep, or holds what is no text", mend="write tables as [a.b], a few levels deep")
    try:
        return read_part(text.replace("\r\n", "\n"), file)
    except (RecursionError, ValueError) as error:  # a date that does not exist, a number of too many digits
        raise DesignError(f"{file} is not valid TOML: {error}", mend="correct that line") from None


def job_kind(room: str, content: Mapping[str, Any]) -> str:
    """The kind of run that a room's text asks for: a settlement is two totals, a placement or a question of who stays."""
    if room not in ROOM_KINDS:
        raise DataError(f"there is no room of the kind {room!r}", mend=nearest(room, ROOM_KINDS))
    if room != "settlement":
        return room
    return "totals" if "resettled" in content or "returned" in content else "place" if "households" in content else "retention"


@lru_cache(maxsize=64)
def kind_of(room: str, text: str, file: str) -> str:
    """`job_kind` of a text. Errors: as `read`."""
    return job_kind(room, read(text, file).content)


def check_room(
    home: Path, room: str, text: str, options: Mapping[str, Any], *, owner: str = "", shipped_as: str = "", file: str = ""
) -> Asked:
    """A room checked as far as it can be without its tables -> what is to be run.

    owner: whose uploaded tables it may name. Errors: QonysError with file, key and value, and the mend.
    """
    text = text.replace("\r\n", "\n")
    file = file or f"{shipped_as or room}.toml"
    content = read(text, file).content
    kind = job_kind(room, content)
    given = checked_options(kind, options)
    named: list[str] = []
    try:
        part, _ = named_part(text, file)
        if kind == "procedure":
            name = procedure_of(part).name
        elif kind == "corridor":
            with TemporaryDirectory() as folder:
                path = Path(folder) / file
                path.write_text(text, encoding="utf-8")
                name = open_corridor(path).corridor.name
        elif kind == "totals":
            name = totals_of(part)["name"]
        elif kind == "place":
            placement = placement_of(part)
            name, named = placement.name, [one for one in (
                placement.households, placement.regions, placement.jobs_table, placement.values_table, placement.arrivals.history,
                placement.arrivals.values,
            ) if one is not None]  # fmt: skip
        else:
            name, named = retention_design_of(part).name, [given["records"]]
    except (RecursionError, OverflowError) as error:
        raise DesignError(f"{file} cannot be read: {error}", mend="see the keys of the file in the documentation") from None
    tables = _tables(home, owner, named, shipped_as)
    unchanged = bool(shipped_as) and not any(tables.values()) and text.strip() == shipped_text(shipped_as).strip()
    return Asked(kind, name, text, tables, given, shipped_as, unchanged)


def totals_of(part: Part) -> dict[str, Any]:
    """Two totals of a resettlement: name, returned, resettled, family, watched_months, months. Errors: DesignError naming the key."""
    found = {
        "name": part.text("name", part.where.removesuffix(".toml")), "returned": part.whole("returned"),
        "resettled": part.whole("resettled", least=1), "family": part.number("family", None, least=1, most=30),
        "watched_months": _numbers(part, "watched_months", None, 2), "months": _numbers(part, "months", [12, 24, 36]),
    }  # fmt: skip
    _numbers(part, "points", [])
    part.done()
    return found


def checked_options(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a run, those not given by default. Errors: DesignError for an unknown one, another type, or out of bounds."""
    known = OPTIONS[kind]
    for name in given:
        if name not in known:
            raise DesignError(f"a run of this kind has no option {name!r}", mend=nearest(name, known) if known else "leave it out")
    return {name: _option(name, option, given.get(name, option.default)) for name, option in known.items()}


def check_study(home: Path, text: str, *, owner: str) -> Asked:
    """A study of a user checked: it may name shipped and pulled tables, and files its owner uploaded, by name alone.

    Errors: QonysError with key and value, and the mend.
    """
    from qonys.pipeline import built_in, open_study

    content = read(text, "study.toml").content
    name = content.get("name")
    if not isinstance(name, str) or not STUDY_NAME.fullmatch(name):
        raise StudyError("study.toml: name is no code", mend='write letters, digits and hyphens: name = "my-study"')
    if name in built_in() or name in RESERVED:
        raise StudyError(f"a study called {name} is built in", mend="give yours another name")
    tables = content.get("tables")
    given = [one for names in tables.values() if isinstance(names, list) for one in names] if isinstance(tables, dict) else []
    named = []
    for one in given:
        if not isinstance(one, str):
            raise StudyError(f"study.toml: {one!r} is no name of a file", mend="write names in quotes")
        if one.startswith(SHIPPED):
            shipped().path(one.removeprefix(SHIPPED))
        elif not one.startswith(PULLED):
            named.append(one)
    for contract in PERSONAL:
        if isinstance(tables, dict) and contract in tables:
            raise StudyError(
                f"study.toml names tables of {contract}, which hold persons",
                mend="make flows or stocks of them first",
            )
    found = _tables(home, owner, named, "")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "study.toml"
        path.write_text(text, encoding="utf-8")
        open_study(str(path))
    return Asked("study", name, text, found)


def _tables(home: Path, owner: str, named: list[str], example: str) -> dict[str, str]:
    """Hash of each table a text names; "" for one that ships with the example. Errors: DataError for one that was not uploaded."""
    held = files.held(home, owner) if owner else {}
    found = {}
    for name in dict.fromkeys(named):
        files.checked_name(name)
        if name in held:
            found[name] = held[name]
        elif example_table(example, name) is not None:
            found[name] = ""  # an own table of that name comes first
        else:
            raise DataError(
                f"the table {name} was not uploaded", mend="add it under Tables, with just this name" if not held else nearest(name, held)
            )
    return found


def _option(name: str, option: Option, value: Any) -> Any:
    if option.kind == "text":
        if not isinstance(value, str) or len(value) > 100:
            raise DesignError(f"{name} = {str(value)[:60]!r} is no short text", mend="write a name")
        return value.strip()
    if option.kind == "flag":
        if not isinstance(value, bool):
            raise DesignError(f"{name} = {str(value)[:60]!r} is neither true nor false", mend="write true or false")
        return value
    part = Part({name: value}, "options")
    if option.kind == "whole":
        return part.whole(name, least=int(option.least or 0), most=int(option.most or 0))
    return part.number(name, least=option.least or 0.0, most=option.most or 0.0)


def _numbers(part: Part, key: str, default: Any, length: int | None = None) -> Any:
    found = part.get(key, default)
    if found is None:
        return None
    numbers = isinstance(found, list) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in found)
    if not numbers or (length is not None and len(found) != length):
        raise part.wrong(key, found, f"is no list of {length or 'some'} numbers", f"write {key} = [12, 36]")
    return list(found)


def _example(name: str) -> Path:
    return Path(str(package_files("qonys.web.jobs"))) / "examples" / name
