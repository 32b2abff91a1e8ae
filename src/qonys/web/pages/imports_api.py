"""Imports as JSON: a file of measures sent, what of it would come in and be quarantined, and the yes that takes it in."""

# no annotations from __future__: FastAPI reads the models of the routes when they are made

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from qonys.web.api import BY_TOKEN, FAULTS
from qonys.web.gate import protected
from qonys.web.jobs import imports
from qonys.web.pages.imports import Analyst, Id, import_of, queued, summary_of, taken_in, taken_of
from qonys.web.pages.rooms_api import RunTold, told

Given = Annotated[str, Form(max_length=100)]
router = APIRouter(prefix="/api/v1/work/imports", tags=["work"], responses=FAULTS, dependencies=[BY_TOKEN])


class ImportTold(BaseModel):
    """An import. preview: rows and their fates, reasons with the number of rows, faults of the whole, ids that ship too, a sample; null
    until the run is done. taken_in: the table it was made into, "" until then.
    """

    run: RunTold
    preview: dict[str, Any] | None
    taken_in: str


class TakeIn(BaseModel):
    """The name of the table: small Latin letters, digits and hyphens."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=100)]


@router.post("", operation_id="work_import", status_code=202, dependencies=[Depends(protected)])
async def send(
    request: Request, who: Analyst, file: UploadFile, publisher: Given, snapshot: Given = "", order: Given = ""
) -> ImportTold:  # fmt: skip
    """Send a file of measures of a publisher, or of a register of one's own. A worker reads it; nothing is written to the register."""
    name = file.filename or ""
    options = imports.checked(publisher, name, {"snapshot": snapshot, "order": order})
    content = await file.read()
    job = await run_in_threadpool(queued, request.app.state.desk, who, name, content, publisher, options)
    return ImportTold(run=told(job), preview=None, taken_in="")


@router.get("/{id}", operation_id="work_import_preview")
def look(request: Request, who: Analyst, id: Id) -> ImportTold:
    """How far the worker is, or what it found."""
    home, job = request.app.state.desk.settings.home, import_of(request, id, who)
    return ImportTold(run=told(job), preview=summary_of(home, job), taken_in=taken_of(home, job))


@router.post("/{id}/take-in", operation_id="work_import_take_in", dependencies=[Depends(protected)])
def take_in(request: Request, who: Analyst, id: Id, asked: TakeIn) -> ImportTold:
    """Write the measures to the register's imports, with what was quarantined beside them."""
    taken_in(request, id, who, asked.name)
    return look(request, who, id)
