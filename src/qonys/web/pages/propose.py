"""Proposing an entry of the register, or a new version of one: the form, what is wrong with it, what it would change, and sending it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from qonys.core.errors import DataError, QonysError
from qonys.i18n import words
from qonys.measures import corridor_categories
from qonys.situation.corridor import why_of
from qonys.web import drafts, entry_form, workplace
from qonys.web.gate import protected
from qonys.web.pages.workplace import Analyst, Form, Language, house_of, reply
from qonys.web.state import work
from qonys.web.views.corridor import sentence_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from qonys.i18n import Words
    from qonys.web.house import House

router = APIRouter(prefix="/{language}/work", include_in_schema=False)


@router.get("/propose")
def begin(
    request: Request, language: Language, who: Analyst, entry: Annotated[str, Query(max_length=80)] = "",
    written: Annotated[Literal["form", "toml"], Query(alias="as")] = "form",
) -> Response:  # fmt: skip
    """The form of a new entry, or of a new version of one."""
    house = house_of(request)
    versions = house.versions(entry) if entry else []
    if entry and not versions:
        raise work.NotThere(f"the register has no entry {entry!r}", mend="choose one under Measures, or propose a new one")
    base = house.latest(entry) if entry else None
    start = {name: text for name, text in (versions[-1] if versions else {}).items() if name not in drafts.OURS}
    return _form(request, language, start, base=base, written=written, toml=drafts.as_toml(start) if written == "toml" else "")


@router.post("/propose", dependencies=[Depends(protected)])
def propose(request: Request, language: Language, who: Analyst, form: Form) -> Response:
    """Show what was typed with what is wrong and what would change; or send it. Nothing that was typed is lost."""
    database, house = request.app.state.desk.database, house_of(request)
    one = {name: values[-1] for name, values in form.items()}
    do, written, reason, toml = one.get("do", "preview"), one.get("as", "form"), one.get("reason", "")[:4000], one.get("toml", "")
    replaces = one.get("base_entry", "")[:80]
    base = int(one["base"]) if one.get("base", "").isdigit() and len(one["base"]) < 6 else None
    given: Mapping[str, str] = {}
    told: dict[str, list[str]] = {}
    try:
        given = drafts.of_toml(toml) if written == "toml" else drafts.of_form(form)
    except QonysError as error:
        told = {"": [f"{error.what}; {error.mend}"]}
    if not told and replaces and given.get("id") != replaces:
        given = {**given, "id": replaces}
    stands = house.latest(replaces) if replaces else None
    moved = bool(replaces) and stands != base
    base = stands if replaces else None
    if do in ("form", "toml") and not told:
        return _form(request, language, given, base=base, written=do, toml=drafts.as_toml(given), reason=reason, asked=one, moved=moved)
    told = told or drafts.faults_of(given, house, base=base)
    try:
        reason = work.checked_reason(reason)
    except QonysError as error:
        told.setdefault("reason", []).append(f"{error.what}; {error.mend}")
    if told or moved or do != "send":
        values: dict[str, Any] = {"written": written, "toml": toml, "reason": reason, "asked": one, "moved": moved, "faults": told}
        return _form(request, language, given, base=base, previewed=not told, status=400 if told and do == "send" else 200, **values)
    try:
        sent = workplace.send(database, house, who, given, base=base, reason=reason)
    except QonysError as error:
        faults = {"": [f"{error.what}; {error.mend}"]}
        return _form(request, language, given, base=house.latest(replaces) if replaces else None, written=written, toml=toml, reason=reason,
                     asked=one, moved=isinstance(error, work.TooLate), faults=faults, status=getattr(error, "status", 400))  # fmt: skip
    return RedirectResponse(f"/{language}/work/proposal/{sent.id}", 303)


def _form(
    request: Request, language: str, entry: Mapping[str, str], *, base: int | None, written: str, toml: str = "", reason: str = "",
    asked: Mapping[str, str] | None = None, moved: bool = False, faults: Mapping[str, list[str]] | None = None, previewed: bool = False,
    status: int = 200,
) -> Response:  # fmt: skip
    house, say, told, asked = house_of(request), words(language), faults or {}, asked or {}
    replaces = entry.get("id", "") if base is not None else ""
    before = house.versions(replaces)[-1] if replaces else {}
    corridor, corridor_fault = None, ""
    if previewed and asked.get("why_origin") and asked.get("why_destination"):
        try:
            corridor = _corridor(entry, house, asked, base, say)
        except (QonysError, ValueError) as error:
            corridor_fault = f"{error.what}; {error.mend}" if isinstance(error, QonysError) else "this is no day; write it as 2020-04-15"
    choices = {
        "why_destination": entry_form.countries(say), "why_origin": entry_form.countries(say),
        "why_category": tuple((code, say.plain(f"category.{code}")) for code in corridor_categories()),
        "why_direction": tuple((code, say.label("direction", code)) for code in ("tightening", "easing")),
    }  # fmt: skip
    defaults = {
        "why_destination": entry.get("issuer", ""),
        "why_direction": entry.get("direction", "tightening"),
        "why_on": entry.get("start", ""),
    }
    return reply(
        request, "work_propose.html.j2", status=status, groups=entry_form.groups_of(entry, say, told), entry=entry, base=base,
        replaces=replaces, written=written, toml=toml, reason=reason, moved=moved, faults=told, previewed=previewed, corridor=corridor,
        corridor_fault=corridor_fault, choices=choices, asked=defaults | {name: text for name, text in asked.items() if text},
        difference=entry_form.difference_of(before, entry, say) if previewed else [], shown=entry_form.whole_of(entry, say),
    )  # fmt: skip


def _corridor(entry: Mapping[str, str], house: House, asked: Mapping[str, str], base: int | None, say: Words) -> dict[str, Any]:
    """A corridor as the register stands, and as it would stand."""
    on = date.fromisoformat(asked.get("why_on", ""))
    origin, destination, category = asked["why_origin"], asked["why_destination"], asked.get("why_category") or "visitor"
    direction = asked.get("why_direction") or "tightening"
    if direction not in ("tightening", "easing"):
        raise DataError(f"there is no direction {direction!r}", mend="choose tightening or easing")
    where = (origin, destination, category)
    now = why_of(*where, on, direction=direction, register=house.names())
    then = drafts.explained(entry, house, where, on, base=base, reading="possible", direction=direction)
    own = then[then["id"] == entry["id"]]
    reaches = bool(own["why"].isna().any())
    why = "" if reaches or own.empty else say.plain(f"why.{own['why'].iloc[0]}")
    return {
        "now": sentence_of(now, *where, on, "possible", direction, say), "then": sentence_of(then, *where, on, "possible", direction, say),
        "changes": _on(now) != _on(then), "reaches": reaches, "listed": not own.empty, "why": why,
    }  # fmt: skip


def _on(pairs: pd.DataFrame) -> tuple[bool, float]:
    reached = pairs[pairs["why"].isna()]
    return (not reached.empty, float(reached["dose"].max()) if len(reached) else 0.0)
