"""The register workplace as an interface: proposals, codings, decisions and agreement, with the same rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse, Response

from qonys.core.errors import DesignError
from qonys.web import drafts, workplace
from qonys.web.api import BY_TOKEN, FAULTS
from qonys.web.gate import needs, protected
from qonys.web.house import House
from qonys.web.state import work
from qonys.web.state.people import Person
from qonys.web.views.asked import Area

router = APIRouter(prefix="/api/v1/work", tags=["work"], responses=FAULTS, dependencies=[BY_TOKEN])
Id = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]
Analyst = Annotated[Person, needs("analyst")]
Adjudicator = Annotated[Person, needs("adjudicator")]
Code = Annotated[str, Field(max_length=1000)]
Reason = Annotated[str, Field(max_length=4000)]
State = Literal["coding", "adjudication", "accepted", "refused", "withdrawn"]
Coded = Literal["targets", "field", "instrument", "direction", "strength", "general", "level"]


class Closed(BaseModel):
    """What is sent: nothing beside the fields that there are."""

    model_config = ConfigDict(extra="forbid")


class NewProposal(Closed):
    """An entry, as TOML or as column -> text (lists separated by blanks). base_version: the version it follows on; none for a new entry."""

    entry: Annotated[dict[str, Annotated[str, Field(max_length=8000)]], Field(max_length=60)] | None = None
    toml: Annotated[str, Field(max_length=60_000)] | None = None
    base_version: Annotated[int, Field(ge=1, le=10_000)] | None = None
    reason: Reason


class NewCoding(Closed):
    """Codes by column, lists separated by blanks; one that cannot be told is left out."""

    codes: dict[Coded, Code]


class NewDecision(Closed):
    """accepted: with the codes that shall stand, all of them; reasons: why, for each that is not the first coder's."""

    accepted: bool
    reason: Reason
    codes: dict[Coded, Code] = {}
    reasons: dict[Coded, Annotated[str, Field(max_length=1000)]] = {}


class OneCoding(BaseModel):
    """A coding; coder: not told before the decision."""

    coder: str | None
    codes: dict[str, str]


class Decided(BaseModel):
    """A decision. versions: the numbers written to the register."""

    accepted: bool
    adjudicator: str
    day: str
    reason: str
    codes: dict[str, str]
    reasons: dict[str, str]
    versions: list[int]


class ProposalTold(BaseModel):
    """A proposal as far as the asker may see it: null is what they may not. facts: what a second coder codes from."""

    id: str
    state: str
    created_at: datetime
    facts: dict[str, str]
    may: list[Literal["code", "decide", "withdraw"]]
    entry: dict[str, str] | None
    kind: str | None
    base_version: int | None
    stands: int | None
    reason: str | None
    author: str | None
    codings: list[OneCoding] | None
    own_codes: dict[str, str] | None
    decision: Decided | None


class Agreement(BaseModel):
    """Krippendorff's alpha of a coded column; null where it is not defined, see reason. shipped: that of the shipped register."""

    column: str
    metric: str
    units: int
    alpha: float | None
    low: float | None
    high: float | None
    agreeing: float | None
    reason: str | None
    shipped: float | None


@router.get("/proposals", operation_id="work_proposals")
def proposals(request: Request, who: Analyst, state: Annotated[list[State] | None, Query(max_length=5)] = None) -> list[ProposalTold]:
    """Proposals, the newest first."""
    database, house = request.app.state.desk.database, _house(request)
    found = work.listed(database, states=state or (*work.OPEN_STATES, *work.DECIDED, "withdrawn"))
    return [_told(workplace.seen(database, house, one.id, who)) for one in found]


@router.post("/proposals", operation_id="work_propose", status_code=201, dependencies=[Depends(protected)])
def propose(request: Request, who: Analyst, asked: NewProposal) -> ProposalTold:
    """Propose an entry, or a new version of one."""
    database, house = request.app.state.desk.database, _house(request)
    if (asked.entry is None) == (asked.toml is None):
        raise DesignError("an entry is given as entry or as toml", mend="give one of the two")
    entry = drafts.of_toml(asked.toml) if asked.toml is not None else drafts.of_columns(asked.entry or {})
    sent = workplace.send(database, house, who, entry, base=asked.base_version, reason=asked.reason)
    return _told(workplace.seen(database, house, sent.id, who))


@router.get("/proposals/{id}", operation_id="work_proposal")
def proposal(request: Request, who: Analyst, id: Id) -> ProposalTold:
    """One proposal."""
    return _told(workplace.seen(request.app.state.desk.database, _house(request), id, who))


@router.post("/proposals/{id}/coding", operation_id="work_code", status_code=201, dependencies=[Depends(protected)])
def code(request: Request, who: Analyst, id: Id, asked: NewCoding) -> ProposalTold:
    """Code a proposal of another person."""
    database = request.app.state.desk.database
    work.code(database, id, who, _plain(asked.codes))
    return _told(workplace.seen(database, _house(request), id, who))


@router.post("/proposals/{id}/decision", operation_id="work_decide", status_code=201, dependencies=[Depends(protected)])
def decide(request: Request, who: Adjudicator, id: Id, asked: NewDecision) -> ProposalTold:
    """Accept or refuse a proposal that two others coded."""
    database, house = request.app.state.desk.database, _house(request)
    workplace.decide(
        database, house, id, who, accepted=asked.accepted, reason=asked.reason, codes=_plain(asked.codes), reasons=_plain(asked.reasons)
    )
    return _told(workplace.seen(database, house, id, who))


@router.post("/proposals/{id}/withdraw", operation_id="work_withdraw", dependencies=[Depends(protected)])
def withdraw(request: Request, who: Analyst, id: Id) -> ProposalTold:
    """Take one's own proposal back."""
    database = request.app.state.desk.database
    work.withdraw(database, id, who)
    return _told(workplace.seen(database, _house(request), id, who))


@router.get("/agreement", operation_id="work_agreement")
def agreement(request: Request, who: Analyst) -> list[Agreement]:
    """How far coders agree, by column."""
    found = workplace.agreed(request.app.state.desk.database)
    return [Agreement(**row) for row in json.loads(found.to_json(orient="records"))]


@router.get("/export", operation_id="work_export", responses={200: {"content": {"application/toml": {}}}})
def export(request: Request, who: Analyst, issuer: Area) -> Response:
    """What was accepted of an issuer, as a register file."""
    return PlainTextResponse(workplace.export(request.app.state.desk.database, issuer), media_type="application/toml")


def _plain(codes: Mapping[Coded, str]) -> dict[str, str]:
    return {str(name): text for name, text in codes.items()}


def _house(request: Request) -> House:
    return House(request.app.state.desk.settings.home)


def _told(seen: workplace.Seen) -> ProposalTold:
    may: dict[Literal["code", "decide", "withdraw"], bool] = {
        "code": seen.may_code, "decide": seen.may_decide, "withdraw": seen.may_withdraw,
    }  # fmt: skip
    made = seen.decision
    decided: dict[str, Any] | None = None
    if made is not None:
        decided = {
            "accepted": made.accepted, "adjudicator": made.names.get("adjudicator", ""), "day": made.day, "reason": made.reason,
            "codes": dict(made.codes), "reasons": dict(made.reasons), "versions": list(made.versions),
        }  # fmt: skip
    return ProposalTold(
        id=seen.id, state=seen.state, created_at=seen.created_at, facts=dict(seen.facts), may=[name for name, yes in may.items() if yes],
        entry=dict(seen.entry) if seen.entry is not None else None, kind=seen.kind, base_version=seen.base, stands=seen.stands,
        reason=seen.reason, author=seen.author,
        codings=[OneCoding(coder=name or None, codes=dict(codes)) for name, codes in seen.codings] or None,
        own_codes=dict(seen.own) if seen.own is not None else None, decision=Decided(**decided) if decided else None,
    )  # fmt: skip
