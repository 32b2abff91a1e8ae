"""Rooms and runs as JSON: what there is, checked, run, how far, cancelled, and the result with the words of the pages."""

# no annotations from __future__: FastAPI reads the models of the routes when they are made

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from qonys.i18n import words
from qonys.web.api import BY_TOKEN, FAULTS, Answer, as_answer
from qonys.web.gate import needs, protected
from qonys.web.jobs.asked import SHIPPED_ROOMS, Asked, check_room, shipped_text
from qonys.web.jobs.fields import groups_of
from qonys.web.pages.rooms import Kind, variant
from qonys.web.pages.runs import ROOM_OF, Id, changeable, result_of, seen
from qonys.web.state import jobs, rooms
from qonys.web.state.jobs import PENDING, Job
from qonys.web.state.people import Person
from qonys.web.state.rooms import MOST_TEXT

router = APIRouter(prefix="/api/v1", responses=FAULTS, dependencies=[BY_TOKEN])
Lang = Literal["en", "ru", "kk"]


class RoomTold(BaseModel):
    """A room to begin with: one that ships or an example by its name, a variant by its id."""

    kind: Kind
    room: str
    name: str
    shared: bool


class RoomAsked(BaseModel):
    """A room to check or run. text: its TOML; without it, that of `room`. options: of the run, such as binding of a corridor."""

    model_config = ConfigDict(extra="forbid")

    room: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] | None = None
    text: Annotated[str, Field(max_length=MOST_TEXT)] | None = None
    options: dict[str, float | bool | str] = {}


class Checked(BaseModel):
    """A room that can be run: the kind of run, its name, how many values may be changed, and the tables it names."""

    kind: str
    name: str
    values: int
    tables: list[str]


class RunTold(BaseModel):
    """A run. done, of: steps; error: what and mend of one that failed or was lost."""

    id: str
    kind: str
    title: str
    state: str
    shared: bool
    done: int
    of: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    error: dict[str, str] | None


def told(job: Job) -> RunTold:
    """A run as the interface tells it."""
    error = {"what": job.error[0], "mend": job.error[1]} if job.error else None
    return RunTold(
        id=job.id, kind=job.kind, title=job.title, state=job.state, shared=job.shared, done=job.progress.done, of=job.progress.of,
        created_at=job.created_at, started_at=job.started_at, ended_at=job.ended_at, error=error,
    )  # fmt: skip


@router.get("/rooms", tags=["rooms"], operation_id="rooms")
def rooms_there(request: Request) -> list[RoomTold]:
    """Rooms that ship, examples, own and shared variants."""
    person = request.state.person
    ships = [RoomTold(kind=kind, room=one, name=one, shared=True) for kind, names in SHIPPED_ROOMS.items() for one in names]  # type: ignore[arg-type]
    own = rooms.listed(request.app.state.desk.database, owner=person) if person else []
    return ships + [RoomTold(kind=one.kind, room=one.id, name=one.name, shared=one.shared) for one in own]  # type: ignore[arg-type]


@router.get("/rooms/{kind}/text", tags=["rooms"], operation_id="rooms_text", response_class=Response)
def text_of(request: Request, kind: Kind, room: str = "") -> Response:
    """The TOML of a room."""
    return Response(_text(request, kind, room or SHIPPED_ROOMS[kind][0])[0], media_type="application/toml; charset=utf-8")


@router.post("/rooms/{kind}/check", tags=["rooms"], operation_id="rooms_check", dependencies=[Depends(protected)])
def check(request: Request, kind: Kind, asked: RoomAsked, person: Annotated[Person, needs("analyst")]) -> Checked:
    """Check a room without running it."""
    found = _asked(request, kind, asked, person)
    values = sum(len(one.fields) for one in groups_of(found.text, words("en")))
    return Checked(kind=found.job, name=found.name, values=values, tables=list(found.files))


@router.post("/rooms/{kind}/run", tags=["rooms"], operation_id="rooms_run", status_code=202, dependencies=[Depends(protected)])
def run(request: Request, kind: Kind, asked: RoomAsked, person: Annotated[Person, needs("analyst")]) -> RunTold:
    """Put a room into the queue."""
    found = _asked(request, kind, asked, person)
    return told(jobs.queue(request.app.state.desk.database, found.job, title=found.name, owner=person, asked=found.to_json()))


@router.get("/runs", tags=["runs"], operation_id="runs")
def listed(request: Request) -> list[RunTold]:
    """Own runs and results that all may see, the latest first; all of them for an administrator."""
    person, database = request.state.person, request.app.state.desk.database
    if person is not None and person.may("admin"):
        return [told(one) for one in jobs.listed(database, limit=200)]
    return [told(one) for one in jobs.listed(database, owner=person.id if person else None, open_to_all=True, limit=200)]


@router.get("/runs/{id}", tags=["runs"], operation_id="runs_one")
def one(request: Request, id: Id) -> RunTold:
    """A run: its state and how far it is."""
    return told(seen(request, id))


@router.get("/runs/{id}/result", tags=["runs"], operation_id="runs_result", response_model=Answer)
def result(request: Request, id: Id, lang: Lang = "en") -> Response:
    """The result of a finished run of a room."""
    job = seen(request, id)
    if job.state in PENDING:
        return JSONResponse({"what": "the run has not ended", "mend": "ask again later"}, 503)
    return JSONResponse(as_answer(result_of(request, job, lang)).model_dump())


@router.post("/runs/{id}/cancel", tags=["runs"], operation_id="runs_cancel", dependencies=[Depends(protected)])
def cancel(request: Request, id: Id, person: Annotated[Person, needs("analyst")]) -> RunTold:
    """Ask that a run end."""
    return told(jobs.cancel(request.app.state.desk.database, changeable(request, id).id, by=person))


def _text(request: Request, kind: str, room: str) -> tuple[str, str]:
    """The text of a room, and the name it ships by."""
    if room in SHIPPED_ROOMS[kind]:
        return shipped_text(room), room
    return variant(request, room).text, ""


def _asked(request: Request, kind: str, asked: RoomAsked, person: Person) -> Asked:
    text, ships = _text(request, kind, asked.room or SHIPPED_ROOMS[kind][0])
    options: dict[str, Any] = dict(asked.options)
    return check_room(
        request.app.state.desk.settings.home, kind, text if asked.text is None else asked.text, options, owner=person.id,
        shipped_as=ships if asked.text is None or asked.room else "",
    )  # fmt: skip


assert set(ROOM_OF.values()) == set(SHIPPED_ROOMS)
