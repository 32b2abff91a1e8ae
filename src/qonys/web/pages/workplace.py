"""The register workplace: what waits, a proposal, coding one that another proposed, deciding on two codings. Proposing: `propose`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from qonys.core.errors import QonysError
from qonys.i18n import words
from qonys.measures.agreement import CODED
from qonys.situation.opened import pairs_held, register_held
from qonys.web import drafts, entry_form, workplace
from qonys.web.entry_form import difference_of, shown_value, whole_of
from qonys.web.frame import page
from qonys.web.gate import needs, protected
from qonys.web.house import House
from qonys.web.publish import publish
from qonys.web.state import audit, work
from qonys.web.state.people import Person
from qonys.web.views.labels import title_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qonys.i18n import Words
    from qonys.situation.opened import Register

Language = Literal["en", "ru", "kk"]
Typed = dict[str, list[str]]  # name of a field -> what was typed
router = APIRouter(prefix="/{language}/work", include_in_schema=False)
PAIRS = 25  # conflicts and duplicates on the page
LATELY = 20


async def typed(request: Request) -> Typed:
    """The fields of the form."""
    form = await request.form()
    found: Typed = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            found.setdefault(name, []).append(value)
    return found


Analyst = Annotated[Person, needs("analyst")]
Adjudicator = Annotated[Person, needs("adjudicator")]
Form = Annotated[Typed, Depends(typed)]


def house_of(request: Request) -> House:
    """The register of this home."""
    return House(request.app.state.desk.settings.home)


def reply(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page."""
    return Response(page(request, template, **values), status, media_type="text/html")


@router.get("")
def desk(request: Request, language: Language, who: Analyst, issuer: Annotated[str, Query(max_length=16)] = "KAZ") -> Response:
    """What waits for the asker, and where the register itself wants a look."""
    database, house, say = request.app.state.desk.database, house_of(request), words(language)
    publish(database, house)

    def lines(found: list[work.Proposal]) -> list[dict[str, str]]:
        return [_line(one, say) for one in found]

    to_code, to_decide = work.waiting(database, who)
    mine = work.listed(database, author=who.id, most=LATELY)
    decided = work.listed(database, states=work.DECIDED, most=LATELY)
    opened = register_held(house.names())
    known = sorted(((code, say.area(code)) for code in opened.entries["issuer"].unique()), key=lambda pair: pair[1])
    issuer = issuer if issuer in dict(known) else ""
    return reply(
        request, "work.html.j2", to_code=lines(to_code), to_decide=lines(to_decide),
        mine=lines(mine), decided=lines(decided), issuers=known, issuer=issuer,
        conflicts=_pairs(request, opened, "conflicts", issuer, say), duplicates=_pairs(request, opened, "duplicates", issuer, say),
        exports=workplace.issuers(database), departures=house.departures(),
    )  # fmt: skip


def _line(found: work.Proposal, say: Words) -> dict[str, str]:
    """A proposal in a list: by its title, which holds no code."""
    title = drafts.of_toml(found.text).get("title", "")
    return {
        "id": found.id,
        "title": title,
        "state": say.plain(f"web.work.state.{found.state}"),
        "on": say.date(found.created_at.date().isoformat()),
    }


def _pairs(request: Request, opened: Register, what: Literal["conflicts", "duplicates"], issuer: str, say: Words) -> dict[str, Any]:
    """Those of an issuer in words; held, since they hang on the register alone."""
    spoken = {"conflicts": _conflicts, "duplicates": _duplicates}[what]
    found: dict[str, Any] = request.app.state.desk.kept.get(
        ("work", what, opened.snapshot, issuer, say.language), lambda: spoken(pairs_held(opened, what), issuer, say)
    )
    return found


def _conflicts(pairs: pd.DataFrame, issuer: str, say: Words) -> dict[str, Any]:
    own = pairs[pairs["same_matter"].fillna(False).astype(bool)]
    if issuer:
        own = own[own["tightening_issuer"].eq(issuer) | own["easing_issuer"].eq(issuer)]
    own = own.sort_values(["relation", "tightening", "easing"], kind="stable")
    rows = [
        {
            "one": _entry(row, "tightening", say), "other": _entry(row, "easing", say), "how": say.plain(f"relation.{row['relation']}"),
            "between": say.plain(f"between.{row['between']}"), "when": _when(row, say),
        }
        for row in own.head(PAIRS).to_dict("records")
    ]  # fmt: skip
    return {"rows": rows, "number": len(own)}


def _duplicates(pairs: pd.DataFrame, issuer: str, say: Words) -> dict[str, Any]:
    own = pairs[pairs["one_issuer"].eq(issuer) | pairs["other_issuer"].eq(issuer)] if issuer else pairs
    own = own.sort_values(["likeness", "one", "other"], ascending=[False, True, True], kind="stable")
    rows = [
        {
            "one": _entry(row, "one", say), "other": _entry(row, "other", say), "how": say.plain(f"because.{row['because']}"),
            "between": say.plain(f"between.{row['between']}"), "when": _when(row, say),
        }
        for row in own.head(PAIRS).to_dict("records")
    ]  # fmt: skip
    return {"rows": rows, "number": len(own)}


def _entry(row: dict[str, Any], side: str, say: Words) -> dict[str, str]:
    facts = {name: row.get(f"{side}_{name}") for name in ("title", "issuer", "field")}
    return {"id": str(row[side]), "title": title_of({**facts, "id": row[side]}, say), "issuer": say.area(str(facts["issuer"]))}


def _when(row: dict[str, Any], say: Words) -> str:
    first, last = (None if value is None or pd.isna(value) else str(value)[:10] for value in (row["first"], row["last"]))
    return say.span(first, last)


@router.get("/proposal/{id}")
def proposal(request: Request, language: Language, id: str, who: Analyst) -> Response:
    """A proposal as far as the asker may see it."""
    say = words(language)
    seen = workplace.seen(request.app.state.desk.database, house_of(request), id, who)
    return reply(request, "work_proposal.html.j2", seen=seen, **_seen(seen, say))


def _seen(seen: workplace.Seen, say: Words) -> dict[str, Any]:
    decision = seen.decision
    return {
        "facts": [(say.plain(f"web.entry.{name}"), shown_value(name, text, say)) for name, text in seen.facts.items()],
        "whole": whole_of(seen.entry, say) if seen.entry is not None else [],
        "difference": difference_of(seen.before, seen.entry, say) if seen.entry is not None and seen.base is not None else [],
        "codings": [
            (say.plain(f"web.entry.{name}"), [shown_value(name, codes.get(name, ""), say) for _, codes in seen.codings],
             shown_value(name, decision.codes.get(name, ""), say) if decision else "", decision.reasons.get(name, "") if decision else "")
            for name in CODED
        ] if seen.codings else [],
    }  # fmt: skip


@router.post("/proposal/{id}/withdraw", dependencies=[Depends(protected)])
def withdraw(request: Request, language: Language, id: str, who: Analyst) -> Response:
    """Take one's own proposal back."""
    work.withdraw(request.app.state.desk.database, id, who)
    return RedirectResponse(f"/{language}/work", 303)


@router.get("/code/{id}")
def coding(request: Request, language: Language, id: str, who: Analyst) -> Response:
    """The form of the second coder: what the source says, and no code."""
    return _coding(request, language, id, who, {}, "", 200)


@router.post("/code/{id}", dependencies=[Depends(protected)])
def code(request: Request, language: Language, id: str, who: Analyst, form: Form) -> Response:
    """Keep the second coding."""
    given = {name: " ".join(form.get(name, [])) for name in CODED}
    try:
        work.code(request.app.state.desk.database, id, who, given)
    except (work.NotThere, work.NotYours, work.TooLate):
        raise
    except QonysError as error:
        return _coding(request, language, id, who, given, f"{error.what}; {error.mend}", 400)
    return RedirectResponse(f"/{language}/work/proposal/{id}", 303)


def _coding(request: Request, language: str, id: str, who: Person, given: Mapping[str, str], wrong: str, status: int) -> Response:
    say = words(language)
    seen = workplace.seen(request.app.state.desk.database, house_of(request), id, who)
    if not seen.may_code:
        raise _refusal(seen, who, "this proposal is not yours to code")
    facts = [(name, say.plain(f"web.entry.{name}"), shown_value(name, text, say)) for name, text in seen.facts.items()]
    return reply(request, "work_code.html.j2", status=status, seen=seen, facts=facts, wrong=wrong,
                 fields=entry_form.coded_fields(given, say, {}))  # fmt: skip


def _refusal(seen: workplace.Seen, who: Person, what: str) -> QonysError:
    if seen.state not in work.OPEN_STATES:
        return work.TooLate(f"this proposal is {seen.state}", mend="choose another one")
    return work.NotYours(what, mend="one person proposes, a second codes, a third decides")


@router.get("/adjudicate/{id}")
def deciding(request: Request, language: Language, id: str, who: Adjudicator) -> Response:
    """Both codings side by side, how far coders agree, and the form of the decision."""
    return _deciding(request, language, id, who, {}, "", 200)


@router.post("/adjudicate/{id}", dependencies=[Depends(protected)])
def decide(request: Request, language: Language, id: str, who: Adjudicator, form: Form) -> Response:
    """Accept with the codes chosen, or refuse."""
    database, house = request.app.state.desk.database, house_of(request)
    seen = workplace.seen(database, house, id, who)
    if not seen.may_decide:
        raise _refusal(seen, who, "this proposal is not yours to decide")
    one = {name: values[-1] for name, values in form.items()}
    first, second = (codes for _, codes in seen.codings)
    codes = {
        name: {"first": first.get(name, ""), "second": second.get(name, "")}.get(
            one.get(f"choice_{name}", "first"), " ".join(form.get(name, []))
        )
        for name in CODED
    }
    reasons = {name: one.get(f"reason_{name}", "")[:1000] for name in CODED}
    try:
        workplace.decide(
            database,
            house,
            id,
            who,
            accepted=one.get("verdict") == "accept",
            reason=one.get("reason", "")[:4000],
            codes=codes,
            reasons=reasons,
        )
    except (work.NotThere, work.NotYours):
        raise
    except QonysError as error:
        kept: dict[str, Any] = {**one, **{name: " ".join(form.get(name, [])) for name in CODED}}
        return _deciding(request, language, id, who, kept, f"{error.what}; {error.mend}", getattr(error, "status", 400))
    return RedirectResponse(f"/{language}/work/proposal/{id}", 303)


def _deciding(request: Request, language: str, id: str, who: Person, given: Mapping[str, str], wrong: str, status: int) -> Response:
    say, database = words(language), request.app.state.desk.database
    seen = workplace.seen(database, house_of(request), id, who)
    if not seen.may_decide:
        raise _refusal(seen, who, "this proposal is not yours to decide")
    first, second = (codes for _, codes in seen.codings)
    rows = []
    for name in CODED:
        field = entry_form.field_of(name, given.get(name, "") or first.get(name, ""), say, coding=True)
        rows.append({
            "field": field, "first": shown_value(name, first.get(name, ""), say), "second": shown_value(name, second.get(name, ""), say),
            "agree": first.get(name) == second.get(name), "told": name in second,
            "choice": given.get(f"choice_{name}", "first"), "reason": given.get(f"reason_{name}", ""),
        })  # fmt: skip
    return reply(
        request, "work_decide.html.j2", status=status, seen=seen, rows=rows, wrong=wrong, reason=given.get("reason", ""),
        agreement=_agreement(workplace.agreed(database), say), **_seen(seen, say),
    )  # fmt: skip


def _agreement(found: pd.DataFrame, say: Words) -> list[dict[str, str]]:
    gap = say.plain("gap.sign")

    def number(value: object) -> str:
        return gap if value is None or pd.isna(value) else say.number(float(str(value)), 2)

    return [
        {
            "variable": say.plain(f"web.entry.{row['column']}"), "entries": say.number(row["units"]), "alpha": number(row["alpha"]),
            "interval": gap if pd.isna(row["low"]) else f"{number(row['low'])}–{number(row['high'])}",
            "agreeing": gap if row["agreeing"] is None or pd.isna(row["agreeing"]) else f"{say.number(100 * row['agreeing'])} %",
            "shipped": number(row["shipped"]),
        }
        for row in found.to_dict("records")
    ]  # fmt: skip


@router.get("/export.toml")
def export(request: Request, language: Language, who: Analyst, issuer: Annotated[str, Query(max_length=16)] = "") -> Response:
    """What was accepted of an issuer, as a register file."""
    database = request.app.state.desk.database
    there = workplace.issuers(database)
    issuer = issuer or (next(iter(there)) if len(there) == 1 else "")
    text = workplace.export(database, issuer)
    with database.begin() as connection:
        audit.record(connection, person=who, action="register.export", object=issuer)
    return PlainTextResponse(
        text, headers={"Content-Disposition": f'attachment; filename="{issuer}.toml"', "Content-Type": "application/toml"}
    )


@router.get("/second.csv")
def second(request: Request, language: Language, who: Analyst) -> Response:
    """The second codings of what was accepted."""
    text = workplace.second_codings(request.app.state.desk.database)
    return PlainTextResponse(
        text, headers={"Content-Disposition": 'attachment; filename="second.csv"', "Content-Type": "text/csv; charset=utf-8"}
    )
