"""Importing measures: a file is read by a worker and shown with what would be quarantined, before anything is written to the register."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response

from qonys.core.errors import DataError, DesignError, QonysError
from qonys.i18n import words
from qonys.store.tables import whole_file, write_text
from qonys.web import entry_form
from qonys.web.frame import page
from qonys.web.gate import needs, protected
from qonys.web.house import House
from qonys.web.jobs import files, imports
from qonys.web.pages.runs import step_of
from qonys.web.state import audit, jobs
from qonys.web.state.people import Person

if TYPE_CHECKING:
    from qonys.i18n import Words
    from qonys.web.state.jobs import Job

Language = Literal["en", "ru", "kk"]
Id = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]
Analyst = Annotated[Person, needs("analyst")]
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MOST_TABLES = 200
TAKEN = "taken.txt"  # beside the preview: the name under which it was taken in
router = APIRouter(prefix="/{language}/work/import", include_in_schema=False)


async def uploaded(request: Request) -> AsyncIterator[FormData]:
    """Fields and the file; the file is let go when the answer is made."""
    form = await request.form()
    yield form
    await form.close()


Upload = Annotated[FormData, Depends(uploaded)]


@router.get("")
def choose(request: Request, language: Language, who: Analyst) -> Response:
    """The form, one's own imports, and the tables that were taken in."""
    return _form(request, language, who)


@router.post("", dependencies=[Depends(protected)])
async def upload(request: Request, language: Language, who: Analyst, form: Upload) -> Response:
    """Keep the file, and ask a worker to read it."""
    desk = request.app.state.desk
    given = {name: str(form.get(name) or "") for name in ("publisher", "snapshot", "order")}
    file = form.get("file")
    try:
        if not isinstance(file, UploadFile) or not file.filename:
            raise DataError("no file is given", mend="choose one")
        options = imports.checked(given["publisher"], file.filename, {name: given[name] for name in ("snapshot", "order")})
        content = await file.read()
        job = await run_in_threadpool(queued, desk, who, file.filename, content, given["publisher"], options)
    except QonysError as error:
        return await run_in_threadpool(_form, request, language, who, given, f"{error.what}; {error.mend}", 400)
    return RedirectResponse(f"/{language}/work/import/{job.id}", 303)


def queued(desk: Any, who: Person, name: str, content: bytes, publisher: str, options: dict[str, str]) -> Job:
    """A file kept, and put into the queue to be read. options: checked. Errors: DataError for a name that is none or an empty file."""
    digest = files.keep(desk.settings.home, who.id, name, content)
    asked = {"publisher": publisher, "options": options, "files": {name: digest}}
    return jobs.queue(desk.database, "import", title=name, owner=who, asked=asked)


def _form(
    request: Request, language: str, who: Person, given: dict[str, str] | None = None, wrong: str = "", status: int = 200
) -> Response:
    desk, say = request.app.state.desk, words(language)
    publishers = [(one, say.plain(f"web.import.{one}")) for one in imports.PUBLISHERS]
    mine = [
        {
            "id": one.id, "title": one.title, "state": say.plain(f"web.state.{one.state}"),
            "on": say.date(one.created_at.date().isoformat()),
        }
        for one in jobs.listed(desk.database, owner=who.id, kinds=("import",), limit=20)
    ]  # fmt: skip
    tables = [path.stem for path in House(desk.settings.home).tables()]
    values: dict[str, Any] = {
        "publishers": publishers,
        "orders": imports.ORDERS,
        "mine": mine,
        "tables": tables,
        "given": given or {},
        "wrong": wrong,
    }
    return Response(
        page(request, "work_import.html.j2", **values, most=desk.settings.largest_upload // 2**20), status, media_type="text/html"
    )


@router.get("/{id}")
def look(request: Request, language: Language, id: Id, who: Analyst) -> Response:
    """How far the worker is, why it ended, or what it found."""
    return _look(request, language, id, who)


def _look(request: Request, language: str, id: str, who: Person, wrong: str = "", name: str = "", status: int = 200) -> Response:
    desk, say, job = request.app.state.desk, words(language), import_of(request, id, who)
    found = summary_of(desk.settings.home, job)
    shown = None if found is None else _shown(found, say)
    taken = taken_of(desk.settings.home, job)
    return Response(
        page(request, "work_imported.html.j2", job=job, found=found, shown=shown, taken=taken, wrong=wrong, name=name or _offer(job),
             publisher=say.plain(f"web.import.{job.asked['publisher']}"), step=lambda one: step_of(one, say)),
        status, media_type="text/html",
    )  # fmt: skip


def import_of(request: Request, id: str, who: Person) -> Job:
    """One's own import. Errors: 404 for all others."""
    try:
        job = jobs.job(request.app.state.desk.database, id)
    except DataError:
        raise HTTPException(404) from None
    if job.kind != "import" or job.owner != who.id:
        raise HTTPException(404)
    return job


def _folder(home: Path, job: Job) -> Path:
    if job.state != "done" or not job.folder:
        raise HTTPException(404)
    return home / job.folder


def summary_of(home: Path, job: Job) -> dict[str, Any] | None:
    """What the worker found; None until it is done."""
    if job.state != "done":
        return None
    found: dict[str, Any] = json.loads((_folder(home, job) / imports.SUMMARY).read_text(encoding="utf-8"))
    return found


def _shown(found: dict[str, Any], say: Words) -> dict[str, Any]:
    columns = list(found["sample"][0]) if found["sample"] else []
    return {
        "headings": [say.plain(f"web.entry.{name}") for name in columns],
        "rows": [[entry_form.shown_value(name, row[name], say) for name in columns] for row in found["sample"]],
        "measures": say.number(found["measures"]), "rows_in": say.number(found["rows"]),
        "counts": {name: say.number(found["counts"].get(name, 0)) for name in ("measure", "no_measure", "quarantined")},
    }  # fmt: skip


def _offer(job: Job) -> str:
    """A name to begin with."""
    stem = re.sub(r"[^a-z0-9]+", "-", Path(job.title).stem.lower()).strip("-")
    return f"{job.asked['publisher']}-{stem}"[:40].strip("-")


def taken_of(home: Path, job: Job) -> str:
    """The table that was made of this import; empty if it was not taken in."""
    mark = home / (job.folder or "") / TAKEN
    return mark.read_text(encoding="utf-8").strip() if job.state == "done" and mark.is_file() else ""


@router.get("/{id}/{name}")
def take(request: Request, language: Language, id: Id, name: Literal["measures.parquet", "quarantine.csv"], who: Analyst) -> Response:
    """The measures, or the rows that were quarantined, as a file."""
    path = _folder(request.app.state.desk.settings.home, import_of(request, id, who)) / name
    if not path.is_file():
        raise HTTPException(404)
    return FileResponse(path, filename=name)


@router.post("/{id}/take-in", dependencies=[Depends(protected)])
async def take_in(request: Request, language: Language, id: Id, who: Analyst, form: Upload) -> Response:
    """Write the measures to the register's imports, with what was quarantined beside them."""
    name = str(form.get("name") or "").strip()[:100]
    try:
        await run_in_threadpool(taken_in, request, id, who, name)
    except QonysError as error:
        return await run_in_threadpool(_look, request, language, id, who, f"{error.what}; {error.mend}", name, 400)
    return RedirectResponse(f"/{language}/work/import/{id}", 303)


def taken_in(request: Request, id: str, who: Person, name: str) -> Path:
    """A finished import as a table of the register -> its path. Errors: DesignError for a name that is none or taken, or no measures."""
    desk, job = request.app.state.desk, import_of(request, id, who)
    house, folder = House(desk.settings.home), _folder(desk.settings.home, job)
    found = summary_of(desk.settings.home, job) or {}
    if not NAME.fullmatch(name):
        raise DesignError(f"{name!r} is no name of a table", mend="write small Latin letters, digits and hyphens")
    if not found.get("measures"):
        raise DesignError("there is no measure to take in", mend="choose another file")
    to = house.imports / f"{name}.parquet"
    with desk.database.begin() as connection:  # writers take turns, so two cannot take the same name
        if taken_of(desk.settings.home, job):
            raise DesignError("this import was taken in already", mend="see the tables that were taken in")
        if to.exists() or len(house.tables()) >= MOST_TABLES:
            raise DesignError(f"there is a table {name} already, or there are too many", mend="choose another name")
        bad = folder / imports.QUARANTINE
        if bad.is_file():
            _copied(bad, house.imports / f"{name}.quarantine.csv")
        _copied(folder / imports.MEASURES, to)
        detail = {
            "publisher": job.asked["publisher"],
            "files": job.asked["files"],
            "measures": found["measures"],
            "counts": found["counts"],
        }
        audit.record(connection, person=who, action="import.take_in", object=name, detail=detail)
        write_text(f"{name}\n", folder / TAKEN)
    return to


def _copied(one: Path, to: Path) -> None:
    with whole_file(to) as draft:
        shutil.copyfile(one, draft)
