"""Rooms: the three of them, their numbers as a form, checked and run; variants kept and shared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from qonys.core.errors import DataError, DesignError, QonysError
from qonys.i18n import Words, words
from qonys.web.frame import language_of, page
from qonys.web.gate import may, needs, protected
from qonys.web.jobs import files
from qonys.web.jobs import shown as results
from qonys.web.jobs.asked import EXAMPLES, OPTIONS, SHIPPED_ROOMS, Asked, Option, check_room, kind_of, read, shipped_text
from qonys.web.jobs.fields import Group, changed, groups_of
from qonys.web.pages.runs import ROOM_OF, Id, Language, seen
from qonys.web.state import audit, jobs, rooms
from qonys.web.state.people import Person
from qonys.web.state.rooms import Room

router = APIRouter(include_in_schema=False)
Kind = Literal["procedure", "corridor", "settlement"]
LATEST = 8  # runs told of below a room
OPTION = "o-"


@dataclass(slots=True, kw_only=True)
class Sheet:
    """A form as it is shown: the text, its fields, what was typed into them, and what is wrong."""

    kind: str
    room: str  # what it was begun from: a shipped room, a variant or a run
    text: str
    shipped: str = ""
    parent: str | None = None
    title: str = ""
    groups: tuple[Group, ...] = ()
    base: str = ""  # the text that the fields are those of
    typed: Mapping[tuple[str | int, ...], str] = field(default_factory=dict)
    options: Mapping[str, tuple[Option, Any]] = field(default_factory=dict)
    wrong: tuple[str, str] | None = None
    holds: Asked | None = None
    saved: bool = False


async def typed_form(request: Request) -> AsyncIterator[FormData]:
    """What was typed, fields and files; files are let go when the answer is made."""
    form = await request.form()
    yield form
    await form.close()


@router.get("/{language}/rooms")
def overview(request: Request, language: Language) -> Response:
    """The three rooms, each with the latest result of the one that ships, own and shared variants, and the latest runs."""
    desk, say, person = request.app.state.desk, words(language), request.state.person
    runs = jobs.listed(desk.database, owner=person.id if person else None, kinds=tuple(ROOM_OF), open_to_all=True)
    parts = []
    for kind in SHIPPED_ROOMS:
        own = [one for one in runs if ROOM_OF[one.kind] == kind]
        latest = next((one for one in own if one.state == "done" and one.title == SHIPPED_ROOMS[kind][0]), None)
        answer = results.opened(latest, desk.settings.home, say).sentences[:1] if latest else []
        parts.append((kind, latest, answer, rooms.listed(desk.database, owner=person, kind=kind) if person else [], own[:LATEST]))
    return _page(request, "rooms.html.j2", parts=parts, kinds_of=ROOM_OF)


@router.get("/{language}/rooms/{kind}")
def ask(request: Request, language: Language, kind: Kind, room: str = "", run: str = "") -> Response:
    """The form of a room, begun from the one that ships, an example, a variant (`room`) or a run (`run`)."""
    sheet = _begun(request, kind, f"run:{run}" if run else room)
    return _form(request, _filled(sheet, words(language), {}), language)


@router.post("/{language}/rooms/{kind}", dependencies=[Depends(protected)])
def act(
    request: Request, language: Language, kind: Kind, person: Annotated[Person, needs("analyst")],
    form: Annotated[FormData, Depends(typed_form)],
) -> Response:  # fmt: skip
    """Check, run, keep or load what was typed. Whatever is wrong, it is shown again as it was typed, with a sentence."""
    desk, say = request.app.state.desk, words(language)
    given = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    sheet = Sheet(kind=kind, room=given.get("room", "")[:64], text=given.get("text", "").replace("\r\n", "\n"))
    begun = _begun(request, kind, sheet.room)
    sheet.shipped, sheet.parent, sheet.title = begun.shipped, begun.parent, given.get("name", "")[:200]
    action = given.get("action", "check")
    try:
        sheet.base = given.get("base", "").replace("\r\n", "\n")
        sheet.text, sheet.typed, sheet.wrong = changed(sheet.text, sheet.base, given, f"{sheet.shipped or kind}.toml")
        _take_in(request, person, form)
        if action == "load":
            return _form(request, _filled(_loaded(sheet, form), say, {}), language)
        _filled(sheet, say, given)
        if sheet.wrong:
            return _form(request, sheet, language, 422)
        if action == "save":
            return _saved(request, sheet, person, language)
        sheet.holds = check_room(desk.settings.home, kind, sheet.text, _options(sheet, given), owner=person.id, shipped_as=sheet.shipped)
    except QonysError as error:
        sheet.wrong = (error.what, error.mend)
        return _form(request, _filled(sheet, say, given), language, 422)
    if action != "run":
        return _form(request, sheet, language)
    title = sheet.holds.name if sheet.holds.unchanged else sheet.title.strip() or sheet.holds.name
    job = jobs.queue(desk.database, sheet.holds.job, title=title, owner=person, asked=sheet.holds.to_json())
    return RedirectResponse(f"/{language}/runs/{job.id}", 303)


@router.post("/{language}/rooms/variants/{id}/share", dependencies=[Depends(protected)])
def share(
    request: Request, language: Language, id: Id, person: Annotated[Person, needs("analyst")],
    shared: Annotated[Literal["yes", "no"], Form()] = "yes",
) -> Response:  # fmt: skip
    """Let all analysts use a variant, or take that back."""
    found = rooms.share(request.app.state.desk.database, _own(request, person, id).id, shared == "yes", by=person)
    return RedirectResponse(f"/{language}/rooms/{found.kind}?room={id}", 303)


@router.post("/{language}/rooms/variants/{id}/remove", dependencies=[Depends(protected)])
def remove(request: Request, language: Language, id: Id, person: Annotated[Person, needs("analyst")]) -> Response:
    """Take a variant out."""
    rooms.remove(request.app.state.desk.database, _own(request, person, id).id, by=person)
    return RedirectResponse(f"/{language}/rooms", 303)


def variant(request: Request, id: str) -> Room:
    """A variant that whoever asks may use: own, or shared. Errors: 404."""
    person: Person | None = request.state.person
    try:
        found = rooms.room(request.app.state.desk.database, id)
    except DataError:
        raise HTTPException(404) from None
    if person is None or not (found.owner == person.id or person.may("admin") or found.shared):
        raise HTTPException(404)
    return found


def _own(request: Request, person: Person, id: str) -> Room:
    found = variant(request, id)
    if found.owner != person.id and not person.may("admin"):
        raise HTTPException(404)
    return found


def _begun(request: Request, kind: str, room: str) -> Sheet:
    if room.startswith("run:"):
        job = seen(request, room.removeprefix("run:"))
        if ROOM_OF.get(job.kind) != kind:
            raise HTTPException(404)
        return Sheet(kind=kind, room=room, text=job.asked["text"], shipped=job.asked.get("shipped", ""), title=job.title)
    room = room or SHIPPED_ROOMS[kind][0]
    if room in SHIPPED_ROOMS[kind]:
        return Sheet(kind=kind, room=room, text=shipped_text(room), shipped=room)
    found = variant(request, room)
    if found.kind != kind:
        raise HTTPException(404)
    return Sheet(kind=kind, room=room, text=found.text, parent=room, title=found.name)


def _filled(sheet: Sheet, say: Words, given: Mapping[str, str]) -> Sheet:
    """The sheet with the fields and options of its text; of a text that is no TOML, those from which it was begun."""
    kind = {"settlement": "place"}.get(sheet.kind, sheet.kind)
    for text in dict.fromkeys((sheet.text, sheet.base)):
        try:
            kind = kind_of(sheet.kind, text, f"{sheet.shipped or sheet.kind}.toml")
        except QonysError as error:
            sheet.wrong = sheet.wrong or (error.what, error.mend)
            continue
        sheet.base, sheet.groups = text, groups_of(text, say)
        break
    sheet.options = {
        name: (option, given.get(f"{OPTION}{name}", "" if option.kind == "flag" and given else _shown(option.default)))
        for name, option in OPTIONS[kind].items()
    }
    return sheet


def _options(sheet: Sheet, given: Mapping[str, str]) -> dict[str, Any]:
    """Options as typed, in their types. Errors: DesignError for what is no number."""
    found: dict[str, Any] = {}
    for name, (option, _) in sheet.options.items():
        typed = given.get(f"{OPTION}{name}", "").strip()
        if option.kind == "flag":
            found[name] = typed == "true"
        elif option.kind == "text":
            found[name] = typed
        elif typed:
            try:
                found[name] = float(typed.replace(",", "."))
            except ValueError:
                raise DesignError(f"{name} = {typed[:40]!r} is no number", mend="write a number without units") from None
    return found


def _take_in(request: Request, person: Person, form: FormData) -> None:
    """Uploaded tables, kept for this person."""
    desk = request.app.state.desk
    for upload in form.getlist("tables"):
        if isinstance(upload, UploadFile) and upload.filename:
            name = files.checked_name(upload.filename)
            digest = files.keep(desk.settings.home, person.id, name, upload.file.read())
            with desk.database.begin() as connection:
                audit.record(connection, person=person, action="uploads.add", object=name, detail={"sha256": digest})


def _loaded(sheet: Sheet, form: FormData) -> Sheet:
    upload = form.get("file")
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise DataError("no file was chosen", mend="choose a TOML file, or paste its text")
    content = upload.file.read(rooms.MOST_TEXT + 1)
    try:
        sheet.text = content.decode("utf-8-sig").replace("\r\n", "\n")
        sheet.shipped, sheet.typed, sheet.wrong = "", {}, None
    except UnicodeDecodeError as error:
        raise DataError(f"the file is not UTF-8 text (byte {error.start})", mend="save it as UTF-8") from None
    return sheet


def _saved(request: Request, sheet: Sheet, person: Person, language: str) -> Response:
    read(sheet.text, f"{sheet.kind}.toml")
    found = rooms.save(request.app.state.desk.database, sheet.kind, sheet.title, sheet.text, owner=person, parent=sheet.parent)
    return RedirectResponse(f"/{language}/rooms/{sheet.kind}?room={found.id}", 303)


def _form(request: Request, sheet: Sheet, language: str, status: int = 200) -> Response:
    desk, person = request.app.state.desk, request.state.person
    analyst = may(request, "analyst")
    own = rooms.listed(desk.database, owner=person, kind=sheet.kind) if analyst else []
    here = next((one for one in own if one.id == sheet.room), None)
    mine = here is not None and person is not None and (here.owner == person.id or person.may("admin"))
    return _page(
        request, "room.html.j2", status, sheet=sheet, shipped=SHIPPED_ROOMS[sheet.kind], examples=EXAMPLES, variants=own, analyst=analyst,
        here=here, mine=mine, held=files.held(desk.settings.home, person.id) if analyst else {}, option=OPTION,
    )  # fmt: skip


def _shown(value: Any) -> str:
    return ("true" if value else "") if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    say = words(language_of(request))
    called = partial(results.title_of, say=say)
    return Response(page(request, template, called=called, **values), status, media_type="text/html")
