"""What the pages and the interface of the register workplace both do: who sees what of a proposal, sending, coding, deciding."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.errors import RegisterError
from qonys.measures import agreement
from qonys.measures.agreement import CODED
from qonys.registers import SHIPPED, entries_of, second_coding
from qonys.situation.opened import held
from qonys.store import shipped
from qonys.web import drafts
from qonys.web.house import House
from qonys.web.publish import publish, versions_of
from qonys.web.state import people, work

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from qonys.web.state.database import Database
    from qonys.web.state.people import Person
    from qonys.web.state.work import Coding, Decision, Proposal

# what a second coder reads: no code, no name, no id by which the entry could be looked up, and not why it was proposed
FACTS = (
    "title", "issuer", "announced", "start", "end", "seen_until", "actor", "agency", "target_words", "exception_words", "outcome",
    "outcome_value", "outcome_unit", "evidence", "note",
)  # fmt: skip


class Faulty(RegisterError):
    """An entry that is not valid, with the sentences for each field."""

    def __init__(self, faults: Mapping[str, list[str]]) -> None:
        self.faults = {name: list(told) for name, told in faults.items()}
        whole = [f"{name or 'the entry'}: {one}" for name, told in faults.items() for one in told]
        what, _, mend = whole[0].rpartition("; ")
        more = f" ({len(whole) - 1} more: {' | '.join(whole[1:])})" if len(whole) > 1 else ""
        super().__init__(what or whole[0], mend=(mend if what else "correct it") + more)


@dataclass(frozen=True, slots=True)
class Seen:
    """A proposal as far as one person may see it. What they may not see is not here at all: None, or empty.

    facts: for all; entry, kind, base, reason, author: for the author, for who decides on it (without the author) and, once it is decided,
    for all. codings: (name of the coder or "", codes), the author's first; own: the person's coding. moved: the version that stands, if it
    is not the base any more.
    """

    id: str
    state: str
    created_at: datetime
    facts: Mapping[str, str]
    may_code: bool
    may_decide: bool
    may_withdraw: bool
    entry: Mapping[str, str] | None = None
    kind: str | None = None
    base: int | None = None
    reason: str | None = None
    author: str | None = None
    codings: tuple[tuple[str, Mapping[str, str]], ...] = ()
    own: Mapping[str, str] | None = None
    decision: Decision | None = None
    moved: bool = False
    stands: int | None = None
    before: Mapping[str, str] = field(default_factory=dict)


def seen(database: Database, house: House, id: str, who: Person) -> Seen:
    """One proposal. Errors: work.NotThere."""
    with database.read() as connection:
        found, both, decision = work.proposal(connection, id), work.codings_of(connection, id), work.decision_of(connection, id)
        names = {one.coder: people.person(connection, one.coder).name for one in both}
    return _seen(found, both, decision, names, house, who)


def _seen(found: Proposal, both: list[Coding], decision: Decision | None, names: Mapping[str, str], house: House, who: Person) -> Seen:
    entry = drafts.of_toml(found.text)
    decides, sight = work.decides(found, both, who), work.sight(found, who)
    given: dict[str, Any] = {}
    if sight != "blind" or decides:
        stands = house.latest(found.entry)
        moved = found.state in work.OPEN_STATES and stands != found.base_version
        given = {
            "entry": entry, "kind": found.kind, "base": found.base_version, "reason": found.reason, "stands": stands,
            "moved": moved, "before": _version(house, found.entry, found.base_version),
        }  # fmt: skip
        if sight == "whole" or decides:
            given["codings"] = tuple((names[one.coder] if sight == "whole" else "", one.codes) for one in both)
        if not decides:
            given["author"] = names[found.author]
        if sight == "whole":
            given["decision"] = decision
    return Seen(
        id=found.id, state=found.state, created_at=found.created_at, facts={name: entry[name] for name in FACTS if name in entry},
        may_code=found.state == "coding" and found.author != who.id and who.may("analyst"), may_decide=decides,
        may_withdraw=found.author == who.id and found.state in work.OPEN_STATES,
        own=next((one.codes for one in both if one.coder == who.id), None), **given,
    )  # fmt: skip


def _version(house: House, id: str, number: int | None) -> Mapping[str, str]:
    return next((row for row in house.versions(id) if int(row.get("version", "1")) == number), {})


def send(database: Database, house: House, who: Person, entry: Mapping[str, str], *, base: int | None, reason: str) -> Proposal:
    """Propose an entry. base: the version that its author saw. Errors: Faulty; work.TooLate if another stands; those of work.propose."""
    if faults := drafts.faults_of(entry, house, base=base):
        raise Faulty(faults)
    if (stands := house.latest(entry["id"])) != base:
        raise work.TooLate(f"the register moved on: {entry['id']} has version {stands} now", mend="compare with it, and send again")
    return work.propose(
        database, who, entry=entry["id"], text=drafts.as_toml(entry), codes=drafts.codes_of(entry), base_version=base, reason=reason
    )


def decide(
    database: Database, house: House, id: str, who: Person, *, accepted: bool, reason: str, codes: Mapping[str, str],
    reasons: Mapping[str, str],
) -> Decision:  # fmt: skip
    """Decide on a proposal, and write what is accepted to the register. Errors: those of work.decide; Faulty for codes that do not fit."""
    found = work.proposal(database, id)
    with database.read() as connection:
        both = work.codings_of(connection, id)
        names = [people.person(connection, one.coder).name for one in both]
    if accepted and work.decides(found, both, who):
        whole = drafts.with_codes(drafts.of_toml(found.text), work.checked_codes(codes))
        if house.latest(found.entry) == found.base_version and (faults := drafts.faults_of(whole, house, base=found.base_version)):
            raise Faulty(faults)
    made = work.decide(
        database, id, who, accepted=accepted, reason=reason, codes=codes, reasons=reasons, standing=house.latest(found.entry),
        day=drafts.coding_day(house, found.entry), names=dict(zip(("author", "coder"), names, strict=False)) | {"adjudicator": who.name},
    )  # fmt: skip
    publish(database, house)
    return made


def agreed(database: Database) -> pd.DataFrame:
    """How far coders agree, by column: `measures.agreement` of this house, and `shipped`: alpha of the shipped register's two codings.

    Of the metrics of a column the last, which knows most of its order.
    """
    first, second = work.both_codings(database)
    package = shipped().name
    known: pd.DataFrame = held(("agreement", package), lambda: agreement(entries_of([SHIPPED]), second_coding()))
    own = held(("agreement", _print_of(first), _print_of(second)), lambda: agreement(first, second))
    last = own.drop_duplicates("column", keep="last").reset_index(drop=True)
    return last.assign(shipped=last["column"].map(known.drop_duplicates("column", keep="last").set_index("column")["alpha"]))


def _print_of(frame: pd.DataFrame) -> str:
    return sha256(frame.to_csv(index=False).encode()).hexdigest()


def export(database: Database, issuer: str) -> str:
    """What was accepted of one issuer, as a register file. Errors: RegisterError for an issuer of whom nothing was."""
    parts = [one for found, decision in work.accepted(database) for one in versions_of(found, decision)]
    own = [one for one in parts if one.issuer == issuer]
    if not own:
        there = ", ".join(sorted({one.issuer for one in parts})) or "nothing was accepted yet"
        raise RegisterError(f"no entry of {issuer or 'no issuer'} was accepted here", mend=f"there is: {there}")
    return f'issuer = "{issuer}"\n' + "".join(f"\n# {' '.join(one.remark.split())}\n{one.text.strip()}\n" for one in own)


def issuers(database: Database) -> dict[str, int]:
    """Of whom entries were accepted, and how many versions."""
    parts = [one.issuer for found, decision in work.accepted(database) for one in versions_of(found, decision)]
    return {issuer: parts.count(issuer) for issuer in sorted(set(parts))}


def second_codings(database: Database) -> str:
    """The second codings of what was accepted, as `measures disagreements` reads them beside the register."""
    entries = {found.id: found.entry for found, _ in work.accepted(database)}
    _, second = work.both_codings(database, decided=True)
    own = second[second["id"].isin(entries)]
    # of an entry that was accepted twice the later coding is that of the version that stands
    own = own.assign(id=own["id"].map(entries)).drop_duplicates("id", keep="last")
    own = own.assign(coder=[people.person(database, one).name for one in own["coder"]])
    return str(own[["id", *CODED, "coder"]].to_csv(index=False))
