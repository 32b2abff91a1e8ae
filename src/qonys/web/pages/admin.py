"""Administration: people and their roles, the audit trail, how this server is set up and how it is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, fields
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from qonys.core.errors import DataError, QonysError
from qonys.web.frame import page
from qonys.web.gate import needs, protected
from qonys.web.state import audit, onetime, people
from qonys.web.state.people import Person
from qonys.web.state.tables import HEAD, ROLES, jobs

if TYPE_CHECKING:
    from qonys.web.app import Desk
    from qonys.web.settings import Settings

Language = Literal["en", "ru", "kk"]
Admin = Annotated[Person, needs("admin", in_person=True)]
Id = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
Name = Annotated[str, Form(max_length=300)]
router = APIRouter(prefix="/{language}/admin", include_in_schema=False)
guarded = [Depends(protected)]
ENTRIES = 50  # of the trail on a page
MB = 2**20
NOBODY = {"name": "", "full_name": "", "role": "viewer", "language": "en"}


@dataclass(frozen=True, slots=True)
class System:
    """How the server is: its database and trail, free bytes on the disk of the home, runs that wait and run."""

    version: str
    database: str
    migration: str
    newest: str
    entries: int
    head: str
    free: int
    waiting: int
    running: int


@router.get("")
def admin(request: Request, language: Language, by: Admin) -> Response:
    """The people."""
    return _people(request)


@router.post("/people", dependencies=guarded)
def add(
    request: Request, language: Language, by: Admin, name: Name = "", full_name: Name = "",
    role: Annotated[str, Form(max_length=16)] = "viewer",
    own: Annotated[str, Form(alias="language", max_length=2)] = "en", password: Annotated[str, Form(max_length=1001)] = "",
) -> Response:  # fmt: skip
    """Someone new, with the password typed or a one-time one that this page shows. Either they must replace when they come first."""
    word = password or onetime.made()
    try:
        with _desk(request).database.begin() as connection:
            person = people.add(connection, name, role=role, full_name=full_name, language=own, password=word, by=by)
            onetime.mark(connection, person)
    except QonysError as error:
        return _people(request, error=error, typed={"name": name, "full_name": full_name, "role": role, "language": own}, status=400)
    return _people(request, fresh=person, word="" if password else word)


@router.post("/people/{id}/role", dependencies=guarded)
def role(request: Request, language: Language, by: Admin, id: Id, role: Annotated[str, Form(max_length=16)] = "") -> Response:
    """Another role."""
    return _changed(request, language, lambda db: people.set_role(db, id, role, by=by))


@router.post("/people/{id}/active", dependencies=guarded)
def active(request: Request, language: Language, by: Admin, id: Id, active: Annotated[Literal["yes", "no"], Form()] = "no") -> Response:
    """Shut someone out, or let them in again."""
    return _changed(request, language, lambda db: people.set_active(db, id, active == "yes", by=by))


@router.post("/people/{id}/password", dependencies=guarded)
def password(request: Request, language: Language, by: Admin, id: Id) -> Response:
    """A one-time password for someone who forgot theirs, shown on this one page."""
    database = _desk(request).database
    try:
        person = people.person(database, id)
    except DataError:
        raise HTTPException(404) from None
    return _people(request, fresh=person, word=onetime.give(database, person, by=by))


@router.get("/trail")
def trail(
    request: Request, language: Language, by: Admin, before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    person: Annotated[str, Query(max_length=32)] = "", action: Annotated[str, Query(max_length=64)] = "",
) -> Response:  # fmt: skip
    """The audit trail, the latest first."""
    return _trail(request, before, person, action)


@router.post("/trail/verify", dependencies=guarded)
def verify(request: Request, language: Language, by: Admin) -> Response:
    """Is the trail whole? The answer is noted in it."""
    database = _desk(request).database
    broken = audit.verify(database)
    with database.begin() as connection:
        audit.record(connection, person=by, action="audit.verify", detail={"broken": broken})
    return _trail(request, None, "", "", verified=True, broken=broken)


@router.get("/system")
def system(request: Request, language: Language, by: Admin) -> Response:
    """How it is set up, without secrets, and how it is."""
    desk = _desk(request)
    content = page(request, "admin_system.html.j2", system=system_of(desk), settings=shown_settings(desk.settings))
    return Response(content, media_type="text/html")


def system_of(desk: Desk) -> System:
    """How the server is."""
    database = desk.database
    with database.read() as connection:
        states = {row.state: row[1] for row in connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state))}
        head, entries = audit.head(connection), audit.count(connection)
    return System(
        version=version("qonys"), database=database.url.get_backend_name(), migration=database.version() or "", newest=HEAD,
        entries=entries, head=head.hash if head else "", free=shutil.disk_usage(desk.settings.home).free,
        waiting=states.get("waiting", 0), running=states.get("running", 0) + states.get("cancelling", 0),
    )  # fmt: skip


def shown_settings(settings: Settings) -> dict[str, str | bool]:
    """The settings as text: no password of the database, no secret of OpenID Connect."""
    found = {one.name: getattr(settings, one.name) for one in fields(settings) if one.name not in ("database", "openid")}
    found |= {"database": make_url(settings.url).render_as_string(hide_password=True), "address": settings.shown_address}
    found |= {name: f"{found[name] / MB:g} MB" for name in ("largest_upload", "job_memory")}
    found["embedding"] = " ".join(settings.embedding)
    if settings.openid:
        found |= {f"openid_{name}": getattr(settings.openid, name) for name in ("issuer", "client", "role")}
    return {name: value if isinstance(value, bool) else "" if value is None else str(value) for name, value in found.items()}


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _changed(request: Request, language: str, change: Any) -> Response:
    try:
        change(_desk(request).database)
    except DataError:
        raise HTTPException(404) from None
    except QonysError as error:
        return _people(request, error=error, status=400)
    return RedirectResponse(f"/{language}/admin", 303)


def _people(request: Request, *, status: int = 200, **values: Any) -> Response:
    database = _desk(request).database
    shown: dict[str, Any] = {"error": None, "fresh": None, "word": "", "typed": NOBODY} | values
    content = page(request, "admin.html.j2", people=people.listed(database), roles=ROLES, **shown)
    return Response(content, status, media_type="text/html")


def _trail(
    request: Request, before: int | None, person: str, action: str, *, verified: bool = False, broken: int | None = None
) -> Response:
    database = _desk(request).database
    found = audit.entries(database, before=before, limit=ENTRIES + 1, person=person or None, action=action or None)
    everybody = people.listed(database)
    content = page(
        request, "admin_trail.html.j2", names={one.id: one.name for one in everybody}, entries=found[:ENTRIES],
        more=found[ENTRIES - 1].number if len(found) > ENTRIES else None, before=before, who=person, action=action, people=everybody,
        actions=audit.actions(database), verified=verified, broken=broken, head=audit.head(database),
    )  # fmt: skip
    return Response(content, media_type="text/html")
