"""How a publisher's table becomes a contract: the entries of `data/harmonise.toml`, checked key by key."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from qonys.core.contracts import CONTRACTS
from qonys.core.errors import SourceError, nearest
from qonys.sources.catalogue import publisher as publisher_named
from qonys.sources.harmonise.codes import SCHEMES
from qonys.sources.harmonise.facts import facts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INTO = ("flow", "stock", "panel")
REFERENCES = ("first", "middle", "last")
AREAS = ("origin", "destination", "residence", "characteristic", "citizenship", "area")  # columns of the contracts that hold areas


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What becomes of a table. The keys are those of `data/harmonise.toml`, which explains them at its head.

    columns: column of the contract -> staged columns, the first that is there counts. constants: the same text in every row.
    """

    publisher: str
    table: str
    contract: str
    areas: str
    flags: str
    columns: Mapping[str, tuple[str, ...]]
    constants: Mapping[str, str]
    fixed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reference: str = ""
    units: Mapping[str, float] = field(default_factory=dict)
    power: str = ""
    bulk: float = 1.0
    basis_by: Basis | None = None
    direction: Direction | None = None
    noted: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    total: str = "WORLD"

    def column(self, name: str, staged: Sequence[str]) -> str | None:
        """The staged column that a column of the contract is read from; None where there is none."""
        return next((one for one in self.columns.get(name, ()) if one in staged), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """A basis that the letters in a column say, the first in the order of `codes` counts; `estimated`: letters of estimates."""

    column: tuple[str, ...]
    codes: Mapping[str, str]
    estimated: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """Arrivals and departures side by side: the words of a column that name them, and the area on the other side."""

    column: str
    arrivals: tuple[str, ...]
    departures: tuple[str, ...]
    partner: str


def plan(publisher: str, table: str, *, keep: Mapping[str, str | Sequence[str]] | None = None) -> Plan:
    """The plan of a publisher's table.

    keep: dimension -> code, or codes, of the rows that are meant, in place of what the plan fixes; `()` lets all of them in.
    Errors: SourceError for a publisher or table that has no plan, with the nearest.
    """
    publisher_named(publisher)
    known = facts().get(publisher, {}).get("table", {})
    if table not in known:
        raise SourceError(f"nothing says how {publisher}:{table} becomes a contract", mend=_mend(table, known))
    found = _plan(publisher, table)
    if not keep:
        return found
    fixed = dict(found.fixed) | {name: (codes,) if isinstance(codes, str) else tuple(codes) for name, codes in keep.items()}
    return replace(found, fixed={name: codes for name, codes in fixed.items() if codes})


def _mend(table: str, known: Mapping[str, Any]) -> str:
    near = nearest(table, known)
    return near if near.startswith("did you mean") else "write a mapping for it: qonys sources map FILE"


@cache
def _plan(publisher: str, table: str) -> Plan:
    return read_plan(publisher, table, facts()[publisher], "harmonise.toml")


def read_plan(publisher: str, table: str, said: Mapping[str, Any], file: str) -> Plan:
    """The plan of a table from a publisher's part of a file like `data/harmonise.toml`.

    Errors: SourceError naming file, table and key for what is missing, unknown or of another kind.
    """
    where = f"{file}: {publisher}, table {table}"
    own = dict(said["table"][table])
    contract = own.pop("contract", "")
    if contract not in INTO:
        raise SourceError(f"{where}: contract is {contract!r}", mend=nearest(str(contract), INTO))
    columns, constants = _columns(own.pop("columns", {}), contract, where, directed="direction" in own)
    for name in ("basis", "counted", "scope", "category"):
        if name in own:
            constants[name] = own.pop(name)
            allowed = CONTRACTS[contract].column(name).allowed if name in CONTRACTS[contract].names else ()
            if allowed and constants[name] not in allowed:
                raise SourceError(f"{where}: {name} is {constants[name]!r}", mend=nearest(constants[name], allowed))
    for key in own:
        if key not in Plan.__dataclass_fields__ or key in ("publisher", "table", "columns", "constants", "areas", "flags"):
            raise SourceError(f"{where} has the unknown key {key!r}", mend=nearest(key, Plan.__dataclass_fields__))
    for name, choice, words in (("areas", said.get("areas"), SCHEMES), ("flags", said.get("flags"), facts()["flags"])):
        if choice not in words:
            raise SourceError(f"{file}: {publisher}: {name} is {choice!r}", mend=nearest(str(choice), words))
    if contract == "stock" and own.get("reference") not in REFERENCES:
        raise SourceError(f"{where}: reference is {own.get('reference')!r}", mend=nearest(str(own.get("reference")), REFERENCES))
    if contract in ("flow", "stock") and sum(("basis" in constants, "basis_by" in own, "direction" in own)) != 1:
        raise SourceError(f"{where} does not say one basis", mend="say basis, basis_by or direction: one of them")
    if "basis_by" in own:
        own["basis_by"] = Basis(**own["basis_by"] | {"column": _words(own["basis_by"]["column"])})
    if "direction" in own:
        words = {name: _words(own["direction"][name]) for name in ("arrivals", "departures")}
        own["direction"] = Direction(**own["direction"] | words)
    own["fixed"] = {name: _words(codes) for name, codes in own.get("fixed", {}).items()}
    own |= {name: _words(own.get(name, ())) for name in ("noted", "same")}
    more = {"columns": columns, "constants": constants, "areas": said["areas"], "flags": said["flags"]}
    return Plan(publisher=publisher, table=table, contract=contract, **more, **own)


def _columns(said: Mapping[str, Any], contract: str, where: str, *, directed: bool) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    known = (*CONTRACTS[contract].names, "area") if directed else CONTRACTS[contract].names
    columns: dict[str, tuple[str, ...]] = {}
    constants: dict[str, str] = {}
    for name, source in said.items():
        if name not in known:
            raise SourceError(f"{where}: columns names {name!r}, which a {contract} does not have", mend=nearest(name, known))
        if isinstance(source, str) and source.startswith("="):
            constants[name] = source[1:]
        else:
            columns[name] = _words(source)
    needed = ("area",) if directed or contract == "panel" else tuple(one for one in AREAS if one in CONTRACTS[contract].required)
    for name in needed:
        if name not in columns and name not in constants:
            raise SourceError(f"{where}: columns does not name {name}", mend=f"say which staged column it is: {name} = '...'")
    return columns, constants


def _words(said: Any) -> tuple[str, ...]:
    return (said,) if isinstance(said, str) else tuple(said)
