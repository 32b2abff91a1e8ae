"""Long runs: the list, one with its progress or its result, cancel, share, keep as a variant, and several side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response

from qonys.core.errors import DataError, DesignError
from qonys.i18n import Words, words
from qonys.report.dossier import study_title
from qonys.web import frame
from qonys.web.frame import page
from qonys.web.gate import needs, protected
from qonys.web.jobs import shown as results
from qonys.web.state import jobs, people, rooms
from qonys.web.state.jobs import Job
from qonys.web.state.people import Person
from qonys.web.views import Figure, Listing, Shown

router = APIRouter(include_in_schema=False)
Language = Literal["en", "ru", "kk"]
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Ids = Annotated[list[Annotated[str, Query(pattern=r"^[0-9a-f]{32}$")]], Query(max_length=4)]
ROOM_OF = {"procedure": "procedure", "corridor": "corridor", "totals": "settlement", "place": "settlement", "retention": "settlement"}
ROOM_KINDS = tuple(ROOM_OF)
COMPARED = (2, 4)  # least and most
_STAGES = {"answer": "question", "report": "language", "load": "contract"}


def may_see(person: Person | None, job: Job) -> bool:
    """Own runs, all for an administrator; for everybody the program's own, shared results, and those of rooms just as they ship."""
    if job.owner is None or (person is not None and (job.owner == person.id or person.may("admin"))):
        return True
    return job.state == "done" and (job.shared or job.asked.get("unchanged") is True)


def may_change(person: Person | None, job: Job) -> bool:
    """Own runs of an analyst; all for an administrator."""
    return person is not None and (person.may("admin") or (job.owner == person.id and person.may("analyst")))


def seen(request: Request, id: str) -> Job:
    """The run, if whoever asks may see it. Errors: 404 if not, as if there were none."""
    try:
        job = jobs.job(request.app.state.desk.database, id)
    except DataError:
        raise HTTPException(404) from None
    if not may_see(request.state.person, job):
        raise HTTPException(404)
    return job


def changeable(request: Request, id: str) -> Job:
    """The run, if whoever asks may change it. Errors: 404."""
    job = seen(request, id)
    if not may_change(request.state.person, job):
        raise HTTPException(404)
    return job


def step_of(job: Job, say: Words) -> str:
    """What a run does now."""
    stage, _, what = job.progress.key.partition(":")
    if job.kind == "study" and say.has(f"cli.{stage}"):
        return say.plain(f"cli.{stage}", what=say.label(_STAGES.get(stage, "cli"), what, what))
    if stage == "words":
        return say.plain("web.step.words", language=say.plain(f"language.{what}"))
    return say.label("web.step", stage or "begin", "")


def result_of(request: Request, job: Job, language: str) -> Shown:
    """A finished run of a room as it is shown. Errors: 404 for a run without a result of its own."""
    if job.state != "done" or job.kind not in ROOM_KINDS:
        raise HTTPException(404)
    desk = request.app.state.desk
    found: Shown = desk.kept.get(("run", job.id, language), lambda: results.shown(results.opened(job, desk.settings.home, words(language))))
    return found


def owners(request: Request, found: list[Job]) -> dict[str | None, str]:
    """Names of the owners of runs."""
    database = request.app.state.desk.database
    return {id: people.person(database, id).name for id in {one.owner for one in found} if id is not None}


@router.get("/{language}/runs")
def listed(request: Request, language: Language, person: Annotated[Person, needs("viewer")]) -> Response:
    """Own runs; all of them for an administrator."""
    found = jobs.listed(request.app.state.desk.database, owner=None if person.may("admin") else person.id, limit=200)
    return _page(request, "runs.html.j2", language, runs=found, owners=owners(request, found), may_change=may_change)


@router.get("/{language}/runs/compare")
def compare(request: Request, language: Language, run: Ids) -> Response:
    """Two to four finished runs of one kind side by side."""
    listing, found, drawn = _compared(request, language, run)
    names = list(dict.fromkeys(name for one in drawn for name in one))
    pictures = [(next(one[name] for one in drawn if name in one), [one.get(name) for one in drawn]) for name in names]
    return _page(
        request, "runs_compare.html.j2", language, listing=listing, jobs=[one.job for one in found], pictures=pictures,
        answers=[one.sentences for one in found], asked_query=urlencode({"run": run}, doseq=True),
    )  # fmt: skip


@router.get("/{language}/runs/compare/compared.{form}")
def compared_file(request: Request, language: Language, form: str, run: Ids) -> Response:
    """The table of key figures as a file."""
    return _file(_compared(request, language, run)[0], form, "compared")


@router.get("/{language}/runs/{id}")
def one(request: Request, language: Language, id: Id) -> Response:
    """A run: how far it is, why it ended, or its result."""
    job = seen(request, id)
    if job.kind == "import":
        return RedirectResponse(f"/{language}/work/import/{id}", 303)
    if job.kind not in ROOM_KINDS or job.state != "done":
        return _page(request, "run.html.j2", language, job=job, may=may_change(request.state.person, job), shown=None)
    shown = result_of(request, job, language)
    return _page(
        request, "run.html.j2", language, job=job, may=may_change(request.state.person, job), shown=shown, room=ROOM_OF[job.kind],
        address=f"/{language}/runs/{id}", files=results.FILES, text=_text_name(job),
    )  # fmt: skip


@router.get("/{language}/runs/{id}/progress")
def progress(request: Request, language: Language, id: Id) -> Response:
    """How far a run is, alone: asked again and again by its page."""
    return _page(request, "run_progress.html.j2", language, job=seen(request, id))


@router.get("/{language}/runs/{id}/files/{name}")
def file(request: Request, language: Language, id: Id, name: str) -> Response:
    """A file of the result: the workbook, the run, or the text it was made from."""
    job = seen(request, id)
    if job.kind in ROOM_KINDS and name == _text_name(job):
        return Response(job.asked["text"], media_type="application/toml; charset=utf-8",
                        headers={"Content-Disposition": f'attachment; filename="{name}"'})  # fmt: skip
    if job.state != "done" or job.kind not in ROOM_KINDS or name not in results.FILES:
        raise HTTPException(404)
    path = request.app.state.desk.settings.home / (job.folder or "") / name
    return FileResponse(path, filename=f"{job.kind}-{name}")


@router.get("/{language}/runs/{id}/{block}.{form}")
def block(request: Request, language: Language, id: Id, block: str, form: str) -> Response:
    """A picture or table of the result as a file."""
    found = result_of(request, seen(request, id), language).block(block)
    if found is None:
        raise HTTPException(404)
    return _file(found, form, block)


@router.post("/{language}/runs/{id}/cancel", dependencies=[Depends(protected)])
def cancel(request: Request, language: Language, id: Id, person: Annotated[Person, needs("analyst")]) -> Response:
    """Ask that a run end."""
    jobs.cancel(request.app.state.desk.database, changeable(request, id).id, by=person)
    return RedirectResponse(f"/{language}/runs/{id}", 303)


@router.post("/{language}/runs/{id}/share", dependencies=[Depends(protected)])
def share(
    request: Request, language: Language, id: Id, person: Annotated[Person, needs("analyst")],
    shared: Annotated[Literal["yes", "no"], Form()] = "yes",
) -> Response:  # fmt: skip
    """Let everyone who reads here see the result, or take that back."""
    jobs.share(request.app.state.desk.database, changeable(request, id).id, shared == "yes", by=person)
    return RedirectResponse(f"/{language}/runs/{id}", 303)


@router.post("/{language}/runs/{id}/save", dependencies=[Depends(protected)])
def save(
    request: Request, language: Language, id: Id, person: Annotated[Person, needs("analyst")],
    name: Annotated[str, Form(max_length=200)] = "",
) -> Response:  # fmt: skip
    """Keep the text of a run as a variant of one's own."""
    job = seen(request, id)
    if job.kind not in ROOM_KINDS:
        raise HTTPException(404)
    found = rooms.save(request.app.state.desk.database, ROOM_OF[job.kind], name or job.title, job.asked["text"], owner=person)
    return RedirectResponse(f"/{language}/rooms/{found.kind}?room={found.id}", 303)


def _compared(request: Request, language: str, ids: list[str]) -> tuple[Listing, list[results.Result], list[dict[str, Figure]]]:
    chosen = list(dict.fromkeys(ids))
    if not COMPARED[0] <= len(chosen) <= COMPARED[1]:
        raise DesignError(f"{len(chosen)} runs cannot be compared", mend="choose two to four finished runs of one kind")
    found = [seen(request, id) for id in chosen]
    if len({one.kind for one in found}) > 1 or any(one.state != "done" or one.kind not in ROOM_KINDS for one in found):
        raise DesignError("runs of different kinds, or without a result, cannot be compared", mend="choose finished runs of one kind")
    desk, say = request.app.state.desk, words(language)
    # runs of one name are told apart by a number
    plain = [results.title_of(one, say) for one in found]
    titles = [f"{one} ({place})" if plain.count(one) > 1 else one for place, one in enumerate(plain, 1)]
    opened = [results.opened(replace(one, title=title), desk.settings.home, say) for one, title in zip(found, titles, strict=True)]
    drawn = [
        {picture.name.removeprefix(f"r{place}-"): picture for picture in results.pictures(one, f"r{place}-")}
        for place, one in enumerate(opened, 1)
    ]
    return results.side_by_side(opened), opened, drawn


def _file(found: Figure | Listing, form: str, name: str) -> Response:
    content = frame.download(found, form)
    if content is None:
        raise HTTPException(404)
    return Response(content, media_type=(frame.PICTURES | frame.TABLES)[form],
                    headers={"Content-Disposition": f'attachment; filename="{name}.{form}"'})  # fmt: skip


def _text_name(job: Job) -> str:
    return f"{job.asked.get('shipped') or job.kind}.toml"


def _page(request: Request, template: str, language: str, **values: Any) -> Response:
    say, runs = words(language), request.app.state.desk.runs

    def called(job: Job) -> str:
        if job.kind == "study" and job.title in runs.names():
            return study_title(runs.study(job.title), say)
        return results.title_of(job, say)

    return Response(page(request, template, step=lambda job: step_of(job, say), called=called, **values), media_type="text/html")
