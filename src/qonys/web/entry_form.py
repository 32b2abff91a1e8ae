"""The form of an entry: every field of the contract with its label, help, what may be chosen, and what is wrong with what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup

from qonys.core import areas
from qonys.core.contracts import DIRECTIONS, INSTRUMENTS, LEVELS, MEASURE, MEASURE_STATUSES
from qonys.core.errors import QonysError
from qonys.measures import codebook
from qonys.measures.agreement import CODED
from qonys.measures.codebook import STRONGEST
from qonys.web import drafts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qonys.core.contracts import Column
    from qonys.i18n import Words

Choices = tuple[tuple[str, str], ...]
# in which order the fields stand, and under which heading; the last ones are folded until they hold something
GROUPS: dict[str, tuple[str, ...]] = {
    "what": ("id", "issuer", "title"),
    "codes": ("level", "targets", "field", "instrument", "direction", "strength", "general"),
    "when": ("status", "announced", "start", "end", "seen_until"),
    "source": ("evidence", "actor", "agency", "note"),
    "whom": ("target_citizenship", "target_origin", "target_words"),
    "where": ("area", "borders_with", "borders_except", "modes", "reasons"),
    "exempt": ("exceptions", "exception_citizenship", "exception_origin", "exception_words"),
    "links": ("supersedes", "applies_in", "transposed_by"),
    "outcome": ("outcome", "outcome_value", "outcome_unit"),
}
OPEN_GROUPS = ("what", "codes", "when", "source")
_KINDS = {
    "level": ("level", LEVELS), "instrument": ("instrument", INSTRUMENTS), "direction": ("direction", DIRECTIONS),
    "status": ("status", MEASURE_STATUSES),
}  # fmt: skip
_AREAS = ("external_border", "internal_border", "internal_movement", "stay", "labour", "asylum", "return", "certificate", "general")
_EXAMPLES = {name: Markup("<code>{}</code>").format(code) for name, code in (("kaz", "KAZ"), ("unknown", "UNKNOWN"), ("covid", "covid"))}
_LISTS = {"targets": "target", "exceptions": "exception", "modes": "mode"}  # column -> part of the codebook, and kind of the labels


@dataclass(frozen=True, slots=True)
class Field:
    """One field. kind: `text`, `lines`, `choice`, `checks`; faults: sentences; chosen: of a list, the codes that are in."""

    name: str
    kind: str
    label: str
    help: Markup
    value: str
    required: bool
    choices: Choices = ()
    chosen: frozenset[str] = frozenset()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Fields under one heading."""

    name: str
    heading: str
    fields: tuple[Field, ...]
    open: bool


def groups_of(entry: Mapping[str, str], say: Words, faults: Mapping[str, Iterable[str]]) -> tuple[Group, ...]:
    """The whole form, filled in."""
    found = []
    for name, columns in GROUPS.items():
        fields = tuple(field_of(column, entry.get(column, ""), say, faults.get(column, ())) for column in columns)
        used = any(field.value or field.faults for field in fields)
        found.append(Group(name, say.plain(f"web.entry.group.{name}"), fields, name in OPEN_GROUPS or used))
    return tuple(found)


def coded_fields(codes: Mapping[str, str], say: Words, faults: Mapping[str, Iterable[str]]) -> tuple[Field, ...]:
    """The fields that a second coder fills in. None is required: a code that cannot be told stays empty."""
    return tuple(field_of(column, codes.get(column, ""), say, faults.get(column, ()), coding=True) for column in CODED)


def field_of(name: str, value: str, say: Words, faults: Iterable[str] = (), *, coding: bool = False) -> Field:
    """One field, filled in. coding: as a second coder has it."""
    column = MEASURE.column(name)
    label, help_ = say.plain(f"web.entry.{name}"), say(f"web.entry.{name}.help", **_EXAMPLES)
    told = tuple(faults)
    if name in _LISTS:
        return Field(name, "checks", label, help_, value, column.required and not coding, _listed(name, value, say),
                     frozenset(value.split()), told)  # fmt: skip
    choices = _choices(column, value, say)
    if choices:
        empty = say.plain("web.work.not_told" if coding else "web.entry.choose" if column.required else "web.entry.not_given")
        return Field(name, "choice", label, help_, value, column.required and not coding, (("", empty), *choices), faults=told)
    return Field(name, "lines" if name in drafts.LONG else "text", label, help_, value, column.required and not coding, faults=told)


def shown_value(name: str, value: str, say: Words) -> str:
    """A value in words: codes by their labels, areas by their names; as it stands where it is none."""
    column = MEASURE.column(name)
    if name in _LISTS:
        return ", ".join(say.label(_LISTS[name], code, code) for code in value.split())
    if column.kind in ("area", "areas"):
        return ", ".join(say.area(code) if code in areas.codes() else code for code in value.split())
    if column.kind in ("date", "partial_date"):
        try:
            return say.date(value) if value else ""
        except QonysError:
            return value
    return dict(_choices(column, value, say)).get(value, value) if value else ""


def whole_of(entry: Mapping[str, str], say: Words) -> list[tuple[str, str]]:
    """What stands in an entry: what each field is called, and what it holds in words."""
    columns = [column.name for column in drafts.FIELDS if entry.get(column.name)]
    return [(say.plain(f"web.entry.{name}"), shown_value(name, entry[name], say)) for name in columns]


def difference_of(before: Mapping[str, str], after: Mapping[str, str], say: Words) -> list[tuple[str, str, str]]:
    """Fields in which two versions differ: what each is called, before, after."""
    return [
        (say.plain(f"web.entry.{name}"), shown_value(name, one, say), shown_value(name, two, say))
        for name, one, two in drafts.difference(before, after)
    ]


def _listed(name: str, value: str, say: Words) -> Choices:
    part = _LISTS[name]
    known = sorted(((code, say.label(part, code)) for code in codebook()[part]), key=lambda pair: pair[1])
    return (*known, *((code, code) for code in value.split() if code not in codebook()[part]))


def _choices(column: Column, value: str, say: Words) -> Choices:
    known: Choices = ()
    if column.name in _KINDS:
        kind, codes = _KINDS[column.name]
        known = tuple((code, say.label(kind, code)) for code in codes)
    elif column.name == "field":
        known = tuple(sorted(((code, say.label("field", code)) for code in codebook()["field"]), key=lambda pair: pair[1]))
    elif column.name == "area":
        known = tuple((code, say.label("area", code)) for code in _AREAS)
    elif column.name == "strength":
        known = tuple((str(step), str(step)) for step in range(1, STRONGEST + 1))
    elif column.kind == "boolean":
        known = (("true", say.plain("yes")), ("false", say.plain("no")))
    elif column.name == "issuer":
        known = countries(say)
    if known and value and value not in {code for code, _ in known}:
        known = (*known, (value, say.area(value) if column.kind == "area" and value in areas.codes() else value))
    return known


@cache
def countries(say: Words) -> Choices:
    """Countries, unions and groups of them; regions of a country are given as TOML."""
    known = [one.code for one in areas.areas() if one.kind != "region"]
    return tuple(sorted(((code, say.area(code)) for code in known), key=lambda pair: pair[1]))
