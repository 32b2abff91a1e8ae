"""Register work: an entry is proposed, coded by a second person who does not see the first codes, and decided by a third.

    propose -> coding --code--> adjudication --decide--> accepted | refused          the author may withdraw until it is decided

Nobody acts in two of the three roles on one proposal. What is accepted is kept here; the files of the register are written from it
(`qonys.web.publish`). Who may see what of a proposal say `sight` and `decides`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import pandas as pd
from sqlalchemy import Connection, Row, func, insert, select, update

from qonys.core.errors import DataError, DesignError, RegisterError
from qonys.measures import read_coding
from qonys.measures.agreement import CODED
from qonys.web.state import audit
from qonys.web.state.database import Database, reading, writing
from qonys.web.state.people import Person
from qonys.web.state.tables import PROPOSAL_STATES, adjudications, codings, moment, new_id, proposals

Sight = Literal["whole", "own", "blind"]
OPEN_STATES = ("coding", "adjudication")
DECIDED = ("accepted", "refused")
REASON = (10, 2000)  # characters of a reason
MOST_TEXT = 60_000
MOST_OPEN = 50  # proposals of one person at a time
HOUSE = "house"  # the register proposals are for


class NotThere(DataError):
    """There is no such proposal."""

    status = 404


class NotYours(DesignError):
    """Someone may not do this to this proposal."""

    status = 403


class TooLate(DesignError):
    """The proposal, or the register, has moved on."""

    status = 409


@dataclass(frozen=True, slots=True)
class Proposal:
    """A version of an entry that someone proposes. text: TOML; base_version: the version it follows on, None for a new entry."""

    id: str
    entry: str
    kind: str
    register: str
    text: str
    base_version: int | None
    reason: str
    author: str
    created_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Coding:
    """What one person coded: column -> code, lists separated by blanks; a code that could not be told is left out."""

    id: str
    proposal: str
    coder: str
    codes: Mapping[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What a third person decided: the codes that stand, why where they are not the first coder's, and the versions written.

    versions: number of the first coder's version, and of the adjudicator's own where it differs; none if refused. names: of author, coder
    and adjudicator, as they were on that day; day: what the versions bear as the day of coding.
    """

    id: str
    proposal: str
    adjudicator: str
    accepted: bool
    codes: Mapping[str, str]
    reasons: Mapping[str, str]
    versions: Sequence[int]
    names: Mapping[str, str]
    day: str
    reason: str
    created_at: datetime


def propose(
    where: Database | Connection, who: Person, *, entry: str, text: str, codes: Mapping[str, str], base_version: int | None, reason: str,
    now: datetime | None = None,
) -> Proposal:  # fmt: skip
    """A new proposal, with its author's codes as the first coding. base_version: None for a new entry.

    The entry must have been examined (`qonys.web.drafts`). Errors: NotYours for who is no analyst, DesignError for a reason of another
    length, a text too long or too many open proposals, RegisterError for a code that is none.
    """
    _may(who, "analyst")
    reason, own, at = checked_reason(reason), checked_codes(codes), moment(now)
    if missing := [name for name in CODED if name not in own]:
        raise RegisterError(f"the entry has no {missing[0]}", mend="fill it in")
    if len(text) > MOST_TEXT:
        raise DesignError(f"an entry of {len(text)} characters is too long", mend=f"shorten it to {MOST_TEXT}")
    values: dict[str, Any] = {
        "id": new_id(), "entry": entry, "kind": "new" if base_version is None else "change", "register": HOUSE, "text": text,
        "base_version": base_version, "reason": reason, "author": who.id, "created_at": at, "state": "coding",
    }  # fmt: skip
    with writing(where) as connection:
        mine = select(func.count()).where(proposals.c.author == who.id, proposals.c.state.in_(OPEN_STATES))
        if (connection.scalar(mine) or 0) >= MOST_OPEN:
            raise DesignError(f"{who.name!r} has {MOST_OPEN} proposals that are not decided", mend="withdraw one, or wait")
        connection.execute(insert(proposals).values(values))
        connection.execute(insert(codings).values(id=new_id(), proposal=values["id"], coder=who.id, codes=own, created_at=at))
        # neither codes nor the entry: those who read the trail may code too
        audit.record(connection, person=who, action="proposal.send", object=values["id"], detail={"kind": values["kind"]}, now=at)
    return Proposal(**values)


def code(where: Database | Connection, id: str, who: Person, codes: Mapping[str, str], *, now: datetime | None = None) -> Coding:
    """The second coding. Errors: NotThere; NotYours for the author and who is no analyst; TooLate if another has coded it, or it is
    decided or withdrawn; RegisterError for a code that is none, DesignError for none at all.
    """
    _may(who, "analyst")
    own, at = checked_codes(codes), moment(now)
    if not own:
        raise DesignError("no code is given", mend="code at least one variable, or leave the proposal to another")
    with writing(where) as connection:
        found = proposal(connection, id)
        if found.author == who.id:
            raise NotYours("who proposed an entry cannot be its second coder", mend="leave it to another analyst")
        if found.state != "coding":
            raise TooLate("this proposal needs no second coder any more", mend="choose another one")
        values = {"id": new_id(), "proposal": id, "coder": who.id, "codes": own, "created_at": at}
        connection.execute(insert(codings).values(values))
        _move(connection, found, "adjudication")
        audit.record(connection, person=who, action="proposal.code", object=id, now=at)
    return Coding(**values)  # type: ignore[arg-type]


def decide(
    where: Database | Connection, id: str, who: Person, *, accepted: bool, reason: str, codes: Mapping[str, str] | None = None,
    reasons: Mapping[str, str] | None = None, standing: int | None = None, day: str = "", names: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Decision:  # fmt: skip
    """The adjudicator's decision. codes: those that shall stand, all of them; reasons: why, for each that is not the first coder's.

    standing: the version of the entry that the files of the register have; day, names: see `Decision`.
    Errors: NotThere; NotYours for the author, a coder, or who is no adjudicator; TooLate if it is decided, withdrawn or not coded twice,
    or if the register moved on and the proposal's base is not what stands; DesignError for a missing reason, RegisterError for a code.
    """
    _may(who, "adjudicator")
    reason, at, chosen = checked_reason(reason), moment(now), checked_codes(codes or {}) if accepted else {}
    with writing(where) as connection:
        found, both = proposal(connection, id), codings_of(connection, id)
        if who.id == found.author or who.id in {one.coder for one in both}:
            raise NotYours("who proposed or coded an entry cannot decide on it", mend="leave it to another adjudicator")
        if found.state != "adjudication" or len(both) < 2:
            raise TooLate("this proposal does not wait for a decision", mend="choose another one")
        versions: list[int] = []
        own = {name: text.strip() for name, text in (reasons or {}).items() if name in chosen and text.strip()}
        if accepted:
            if missing := [name for name in CODED if name not in chosen]:
                raise DesignError(f"no code is chosen for {missing[0]}", mend="choose that of a coder, or another one")
            stands = max(filter(None, (standing, _last_accepted(connection, found.entry))), default=None)
            if stands != found.base_version:
                now_at, base = f"has version {stands}" if stands else "is not there", found.base_version or "none"
                raise TooLate(
                    f"the register moved on: {found.entry} {now_at} now, and this proposal follows on {base}",
                    mend="refuse it, and have it proposed anew",
                )
            first = both[0].codes
            differing = [name for name in CODED if chosen[name] != first.get(name)]
            for name in differing:
                if not own.get(name):
                    raise DesignError(f"the code chosen for {name} is not the first coder's, and no reason is given", mend="say why")
            number = (found.base_version or 0) + 1
            versions = [number, number + 1] if differing else [number]
        kept: dict[str, Any] = {
            "accepted": accepted, "codes": chosen, "reasons": own, "versions": versions, "names": dict(names or {}),
            "day": day or at.date().isoformat(),
        }  # fmt: skip
        row = {"id": new_id(), "proposal": id, "adjudicator": who.id, "codes": kept, "reason": reason, "created_at": at}
        connection.execute(insert(adjudications).values(row))
        _move(connection, found, "accepted" if accepted else "refused")
        detail = {"entry": found.entry, "versions": versions}
        audit.record(connection, person=who, action="proposal.accept" if accepted else "proposal.refuse", object=id, detail=detail, now=at)
        return Decision(id=str(row["id"]), proposal=id, adjudicator=who.id, reason=reason, created_at=at, **kept)


def withdraw(where: Database | Connection, id: str, who: Person, *, now: datetime | None = None) -> Proposal:
    """Take a proposal back. Errors: NotThere; NotYours for all but the author; TooLate if it is decided or withdrawn."""
    with writing(where) as connection:
        found = proposal(connection, id)
        if found.author != who.id:
            raise NotYours("only who proposed an entry can withdraw it", mend="ask them, or an adjudicator to refuse it")
        if found.state not in OPEN_STATES:
            raise TooLate(f"this proposal is {found.state}", mend="propose it anew if you need to")
        _move(connection, found, "withdrawn")
        audit.record(connection, person=who, action="proposal.withdraw", object=id, now=now)
        return proposal(connection, id)


def proposal(where: Database | Connection, id: str) -> Proposal:
    """The proposal of that id. Errors: NotThere."""
    with reading(where) as connection:
        row = connection.execute(select(proposals).where(proposals.c.id == id)).first() if id.isascii() and id.isalnum() else None
    if row is None:
        raise NotThere("there is no such proposal", mend="choose one of the list")
    return Proposal(**row._mapping)


def listed(
    where: Database | Connection, *, states: Sequence[str] = PROPOSAL_STATES, author: str | None = None, most: int = 200
) -> list[Proposal]:
    """Proposals, the newest first."""
    wanted = (
        select(proposals).where(proposals.c.state.in_(tuple(states))).order_by(proposals.c.created_at.desc(), proposals.c.id).limit(most)
    )
    if author is not None:
        wanted = wanted.where(proposals.c.author == author)
    with reading(where) as connection:
        return [Proposal(**row._mapping) for row in connection.execute(wanted)]


def codings_of(where: Database | Connection, id: str) -> list[Coding]:
    """The codings of a proposal: its author's first."""
    wanted = select(codings, proposals.c.author).join(proposals, codings.c.proposal == proposals.c.id).where(codings.c.proposal == id)
    with reading(where) as connection:
        rows = sorted(connection.execute(wanted), key=lambda row: row.coder != row.author)
    return [_coding(row) for row in rows]


def decision_of(where: Database | Connection, id: str) -> Decision | None:
    """The decision on a proposal; None before it is made."""
    with reading(where) as connection:
        row = connection.execute(select(adjudications).where(adjudications.c.proposal == id)).first()
    return None if row is None else _decision(row)


def waiting(where: Database | Connection, who: Person, *, most: int = 200) -> tuple[list[Proposal], list[Proposal]]:
    """Proposals that someone could code, and that they could decide on, the oldest first."""
    with reading(where) as connection:
        rows = [one for one in listed(connection, states=OPEN_STATES, most=10 * most) if one.author != who.id]
        coded = set(connection.scalars(select(codings.c.proposal).where(codings.c.coder == who.id)))
    rows = [one for one in reversed(rows) if one.id not in coded]
    to_code = [one for one in rows if one.state == "coding" and who.may("analyst")]
    to_decide = [one for one in rows if one.state == "adjudication" and who.may("adjudicator")]
    return to_code[:most], to_decide[:most]


def sight(found: Proposal, who: Person) -> Sight:
    """How much of a proposal someone may see: its author all they wrote (`own`); adjudicators all once it was coded twice; every analyst
    all once it is decided (`whole`); others what a second coder needs and neither codes nor names (`blind`).
    """
    if found.state in DECIDED:
        return "whole"
    if found.author == who.id:
        return "own"
    return "blind"


def decides(found: Proposal, both: Sequence[Coding], who: Person) -> bool:
    """May this person decide on it now? Then they see both codings too."""
    return found.state == "adjudication" and who.may("adjudicator") and who.id not in {found.author, *(one.coder for one in both)}


def accepted(where: Database | Connection) -> list[tuple[Proposal, Decision]]:
    """What was accepted, in the order of decisions."""
    wanted = select(adjudications).join(proposals, adjudications.c.proposal == proposals.c.id).where(proposals.c.state == "accepted")
    with reading(where) as connection:
        rows = connection.execute(wanted.order_by(adjudications.c.created_at, adjudications.c.id)).all()
        return [(proposal(connection, row.proposal), _decision(row)) for row in rows]


def both_codings(where: Database | Connection, *, decided: bool = False) -> tuple[pd.DataFrame, pd.DataFrame]:
    """First and second coding of all that was coded twice, as `measures.agreement` wants them: id (of the proposal), coder, the codes.

    decided: only of what was decided.
    """
    states = DECIDED if decided else (*DECIDED, "adjudication", "withdrawn")
    wanted = select(codings, proposals.c.author).join(proposals, codings.c.proposal == proposals.c.id).where(proposals.c.state.in_(states))
    with reading(where) as connection:
        rows = list(connection.execute(wanted.order_by(proposals.c.created_at, proposals.c.id)))
    twice = {row.proposal for row in rows if row.coder != row.author}
    frames = []
    for first in (True, False):
        own = [{"id": r.proposal, "coder": r.coder, **r.codes} for r in rows if (r.coder == r.author) is first and r.proposal in twice]
        frames.append(pd.DataFrame(own, columns=["id", "coder", *CODED]).astype("string"))
    return frames[0], frames[1]


def checked_codes(codes: Mapping[str, str]) -> dict[str, str]:
    """Codes of the coded columns, tidied; those left empty are left out. Errors: RegisterError for a column or code that is none."""
    if unknown := sorted(set(codes) - set(CODED)):
        raise RegisterError(f"{unknown[0]!r} is not coded", mend=f"code {', '.join(CODED)}")
    tidy = {name: " ".join(sorted(set(str(codes.get(name) or "").split()))) for name in CODED}
    stream = io.StringIO()
    writer = csv.DictWriter(stream, ["id", *CODED, "coder"])
    writer.writeheader()
    writer.writerow({"id": "1", "coder": "1", **tidy})
    row = read_coding(stream.getvalue(), file="the coding").iloc[0]
    return {name: str(row[name]) for name in CODED if isinstance(row[name], str)}


def checked_reason(reason: str) -> str:
    """A reason as it is kept. Errors: DesignError for one too short or too long."""
    reason = " ".join("".join(letter if letter.isprintable() else " " for letter in reason).split())
    if not REASON[0] <= len(reason) <= REASON[1]:
        raise DesignError(f"a reason has {REASON[0]} to {REASON[1]} characters, not {len(reason)}", mend="say what speaks for it")
    return reason


def _may(who: Person, role: str) -> None:
    if not who.may(role):
        raise NotYours(f"this needs the role {role}", mend="ask an administrator")


def _move(connection: Connection, found: Proposal, to: str) -> None:
    connection.execute(update(proposals).where(proposals.c.id == found.id).values(state=to))


def _last_accepted(connection: Connection, entry: str) -> int | None:
    wanted = select(adjudications.c.codes).join(proposals, adjudications.c.proposal == proposals.c.id)
    kept = connection.scalars(wanted.where(proposals.c.entry == entry, proposals.c.state == "accepted"))
    return max((number for one in kept for number in one["versions"]), default=None)


def _coding(row: Row[Any]) -> Coding:
    return Coding(row.id, row.proposal, row.coder, row.codes, row.created_at)


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        id=row.id, proposal=row.proposal, adjudicator=row.adjudicator, reason=row.reason, created_at=row.created_at, **row.codes
    )
