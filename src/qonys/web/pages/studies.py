"""Studies: the list with the state of the last run, their reports, an own one, the way back of a number, and the check of a text."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from markupsafe import Markup
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, RedirectResponse, Response

from qonys.core import areas
from qonys.core.errors import QonysError, StudyError
from qonys.i18n import Words, words
from qonys.pipeline import built_in
from qonys.report.dossier import study_title
from qonys.trace import Step, trace
from qonys.web.frame import page
from qonys.web.gate import may, needs, protected
from qonys.web.jobs import files
from qonys.web.jobs.asked import PERSONAL, check_study
from qonys.web.pages.rooms import typed_form
from qonys.web.pages.runs import Language, step_of
from qonys.web.state import audit, jobs
from qonys.web.state.jobs import Job
from qonys.web.state.people import Person
from qonys.web.views.asked import Code
from qonys.web.views.labels import number
from qonys.web.views.studies import QUESTIONS_OF

if TYPE_CHECKING:
    from qonys.report.claims import ClaimsReport
    from qonys.studies import Study

router = APIRouter(include_in_schema=False)
FILES = {"report.html": "text/html", "tables.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
LONGEST_TEXT = 200_000  # characters that are checked at once
MOST_STEPS = 60  # of a way back that are shown
QUIET = ("row", "note", "evidence", "id", "source", "inputs")  # facts of a row that are told elsewhere
_CODES = (Markup("<code>shipped:</code>"), Markup("<code>pulled:</code>"))
_POLICY = "default-src 'none'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Told:
    """A study as the list has it. job: its run that waits or runs, or the last one if that failed; report: its languages."""

    name: str
    title: str
    study: Study
    built_in: bool
    run_at: datetime | None
    version: str
    job: Job | None
    report: tuple[str, ...]
    inputs: tuple[dict[str, Any], ...] = ()

    @property
    def questions(self) -> list[tuple[str, str]]:
        """(noun, question) of each question that a page shows."""
        return [(noun, one) for one in self.study.questions for noun, those in QUESTIONS_OF.items() if one in those]


def told_of(request: Request, name: str, say: Words) -> Told:
    """A study with the state of its last run. Errors: StudyError for a name that is none."""
    desk = request.app.state.desk
    folder, study = desk.runs.place(name), desk.runs.study(name)
    run = folder / "run.json"
    last = jobs.listed(desk.database, kinds=("study",), title=name, limit=1)
    job = last[0] if last and last[0].state != "done" else None
    at, version, inputs = None, "", ()
    if run.is_file():
        told = _run(run, (stamp := run.stat()).st_mtime_ns)
        at = datetime.fromtimestamp(stamp.st_mtime, UTC)
        version, inputs = str(told["versions"].get("qonys", "")), tuple(told["inputs"])
    report = tuple(language for language in study.languages if _report(folder, study, language).is_file())
    return Told(name, study_title(study, say), study, name in built_in(), at, version, job, report, inputs)


@lru_cache(maxsize=64)
def _run(path: Path, stamp: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@router.get("/{language}/studies")
def overview(request: Request, language: Language) -> Response:
    """All studies."""
    say = words(language)
    found = [told_of(request, name, say) for name in request.app.state.desk.runs.names()]
    return _page(request, "studies.html.j2", language, studies=found, text="", wrong=None, analyst=may(request, "analyst"),
                 signed=may(request, "viewer"), most=LONGEST_TEXT)  # fmt: skip


@router.post("/{language}/studies/new", dependencies=[Depends(protected)])
def new(
    request: Request, language: Language, person: Annotated[Person, needs("analyst")], form: Annotated[FormData, Depends(typed_form)]
) -> Response:
    """Run a study of one's own: its TOML and the tables it names."""
    desk, say = request.app.state.desk, words(language)
    text = str(form.get("text") or "")
    try:
        for upload in form.getlist("tables"):
            if isinstance(upload, UploadFile) and upload.filename:
                name = files.checked_name(upload.filename)
                digest = files.keep(desk.settings.home, person.id, name, upload.file.read())
                with desk.database.begin() as connection:
                    audit.record(connection, person=person, action="uploads.add", object=name, detail={"sha256": digest})
        file = form.get("file")
        if isinstance(file, UploadFile) and file.filename:
            text = file.file.read(2**20).decode("utf-8-sig", errors="replace")
        job = queued(request, text.replace("\r\n", "\n"), person)
    except QonysError as error:
        found = [told_of(request, name, say) for name in desk.runs.names()]
        return _page(request, "studies.html.j2", language, 422, studies=found, text=text, wrong=(error.what, error.mend), analyst=True,
                     signed=True, most=LONGEST_TEXT)  # fmt: skip
    return RedirectResponse(f"/{language}/runs/{job.id}", 303)


def queued(request: Request, text: str, person: Person) -> Job:
    """A study of one's own put into the queue. Errors: QonysError for one that is not valid, or of a name that is another person's."""
    desk = request.app.state.desk
    asked = check_study(desk.settings.home, text, owner=person.id)
    with desk.database.begin() as connection:
        last = jobs.listed(connection, kinds=("study",), title=asked.name, limit=1)
        if last and last[0].owner not in (None, person.id) and not person.may("admin"):
            raise StudyError(f"a study called {asked.name} is another person's", mend="give yours another name")
        return jobs.queue(connection, "study", title=asked.name, owner=person,
                          asked={"study": asked.name, "text": asked.text, "files": dict(asked.files)})  # fmt: skip


def again(request: Request, name: str, person: Person) -> Job:
    """A study run anew as it is; the run that waits already if there is one.

    Errors: StudyError for a name that is none, or an own study of another person.
    """
    desk = request.app.state.desk
    desk.runs.place(name)
    with desk.database.begin() as connection:
        pending = jobs.listed(connection, kinds=("study",), states=jobs.PENDING, title=name, limit=1)
        if pending:
            return pending[0]
        if name in built_in():
            return jobs.queue(connection, "study", title=name, owner=person, asked={"study": name})
        last = jobs.listed(connection, kinds=("study",), title=name, states=("done",), limit=1)
        if not last or (last[0].owner != person.id and not person.may("admin")):
            raise StudyError(f"the study {name} is another person's", mend="ask them to run it")
        return jobs.queue(connection, "study", title=name, owner=person, asked=jobs.job(connection, last[0].id).asked)


@router.get("/{language}/studies/trace")
def way_back(request: Request, language: Language, study: Code, cell: Annotated[str, Query(max_length=500)]) -> Response:
    """The way back of a number: from its cell to the rows as published, with source, file and hash."""
    say = words(language)
    found = steps_of(request, study, cell)
    return _page(
        request, "trace.html.j2", language, study=study, title=study_title(request.app.state.desk.runs.study(study), say), cell=cell,
        first=shown_step(found[0], say, cell), steps=[shown_step(one, say) for one in found[1 : MOST_STEPS + 1]], count=len(found) - 1,
        most=MOST_STEPS,
    )  # fmt: skip


def steps_of(request: Request, study: str, cell: str) -> list[Step]:
    """The steps of a way back. Tables of persons have none. Errors: TraceError, StudyError."""
    desk = request.app.state.desk
    folder = desk.runs.place(study)
    if cell.partition("/")[0] in PERSONAL:
        raise StudyError("rows of persons are not shown", mend="ask for a number of a result")
    found: list[Step] = desk.kept.get(("trace", study, cell, desk.runs.stamp()), lambda: trace(folder, cell))
    return [one for one in found if one.table not in PERSONAL]


@dataclass(frozen=True, slots=True)
class Shown:
    """A step in words: its table and row, the value with unit and formula if it is the number itself, facts, source, file."""

    address: str
    table: str
    value: str
    unit: str
    formula: str
    facts: tuple[
        tuple[str, str, str], ...
    ]  # heading, what stands there, and what that is: a code, English words, or "" for a word or number
    source: str
    link: str
    file: dict[str, Any] | None


def shown_step(step: Step, say: Words, cell: str = "") -> Shown:
    """A step as it is read."""
    column = cell.rpartition("/")[2] if cell else ""
    value = _plain(step.row.get(column), say, column) if column in step.row else ""
    facts = tuple(
        (say.label("column", name, name), *_fact(one, say, name))
        for name, one in step.row.items()
        if name not in QUIET and name != column and not isinstance(one, dict) and _told(name, step.row, say)
    )
    source = step.source or {}
    link = str(source.get("address", ""))
    return Shown(
        step.address, say.label("table", step.table, step.table), value, say.label("unit.name", step.unit, step.unit) if step.unit else "",
        say.label("formula", step.formula, step.formula) if step.formula else "", facts, str(source.get("title", "")),
        link if link.startswith(("https://", "http://")) else "", step.file,
    )  # fmt: skip


@router.get("/{language}/studies/claims")
def claims_form(request: Request, language: Language) -> Response:
    """Where a text is given to be checked."""
    return _claims(request, language, "", None)


@router.post("/{language}/studies/claims", dependencies=[Depends(protected), needs("viewer")])
def claims(request: Request, language: Language, text: Annotated[str, Form(max_length=LONGEST_TEXT)] = "") -> Response:
    """The numeric claims of a text, recomputed. Nothing of it is kept."""
    return _claims(request, language, text, checked_text(text))


def checked_text(text: str) -> ClaimsReport:
    """The claims of a text as it was typed."""
    from qonys.report.claims import check_text  # its patterns are many: a server that starts does not wait for them

    return check_text(text.replace("\r\n", "\n"))


def findings_of(report: ClaimsReport, say: Words) -> Iterator[tuple[str, str, str, str]]:
    """Of each claim: the verdict's code, the verdict, the sentence, and the words of the text."""
    for one in report.findings:
        values = {name: str(value) if name == "year" else _value(value, say) for name, value in one.values.items()}
        yield one.verdict, say.label("claim.verdict", one.verdict), say.plain(one.message, **values), one.span


@router.get("/{language}/studies/{name}")
def one(request: Request, language: Language, name: Code) -> Response:
    """One study: what it asks, its last run and inputs, its reports."""
    return _page(request, "study.html.j2", language, told=told_of(request, name, words(language)), analyst=may(request, "analyst"))


@router.post("/{language}/studies/{name}/run", dependencies=[Depends(protected)])
def run(request: Request, language: Language, name: Code, person: Annotated[Person, needs("analyst")]) -> Response:
    """Run a study anew."""
    return RedirectResponse(f"/{language}/runs/{again(request, name, person).id}", 303)


@router.get("/reports/{name}/{language}/{file}")
def report_in(request: Request, name: Code, language: Language, file: str) -> Response:
    """The report of a study, or its workbook, in a language."""
    return _report_file(request, name, language, file)


@router.get("/reports/{name}/{file}")
def report(request: Request, name: Code, file: str) -> Response:
    """The same in the study's first language: reports link to each other by these addresses."""
    return _report_file(request, name, "", file)


def _report_file(request: Request, name: str, language: str, file: str) -> Response:
    desk = request.app.state.desk
    if name not in desk.runs.names() or file not in FILES:
        raise HTTPException(404)
    folder, study = desk.runs.place(name), desk.runs.study(name)
    path = _report(folder, study, language or study.languages[0], file)
    if not path.is_file():
        raise HTTPException(404)
    if file != "report.html":
        return FileResponse(path, media_type=FILES[file], filename=f"{name}-{language or study.languages[0]}.xlsx")
    stamp = path.stat().st_mtime_ns
    return Response(path.read_bytes(), media_type="text/html", headers={"Content-Security-Policy": policy_of(path, stamp)})


@lru_cache(maxsize=32)
def policy_of(path: Path, stamp: int) -> str:
    """The policy of a report that we wrote: its one style, its one script and the sizes of its pictures, by their hashes.

    A page with more of them than we write is not ours: then none is allowed.
    """
    text = path.read_text(encoding="utf-8")
    styles, scripts = (re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL) for tag in ("style", "script"))
    allowed = []
    if len(styles) == 1 == len(re.findall(r"<style", text)):
        sizes = sorted(
            {one for one in re.findall(r' style="([^"]*)"', text) if re.fullmatch(r"width:\d+px;max-width:100%;height:auto", one)}
        )
        allowed.append(f"style-src {_hash(styles[0])} 'unsafe-hashes' {' '.join(_hash(html.unescape(one)) for one in sizes)}")
    if len(scripts) == 1 == len(re.findall(r"<script", text)):
        allowed.append(f"script-src {_hash(scripts[0])}")
    return "; ".join([_POLICY, *allowed])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _report(folder: Path, study: Study, language: str, file: str = "report.html") -> Path:
    """Where a report stands: that of the first language in the folder itself, others below."""
    return folder / file if language == study.languages[0] else folder / language / file


def _claims(request: Request, language: str, text: str, report: ClaimsReport | None) -> Response:
    say = words(language)
    rows = list(findings_of(report, say)) if report else []
    summary: Markup | str = ""
    if report is not None:
        held = sum(verdict.startswith("holds") for verdict, *_ in rows)
        summary = say("cli.claims", numbers=say.number(report.quantity_count), claims=say.number(len(rows)), held=say.number(held),
                      faults=say.number(len(report.faults))) if rows else say(f"claim.{report.code}")  # fmt: skip
    return _page(
        request, "claims.html.j2", language, text=text, rows=rows, summary=summary, most=LONGEST_TEXT, signed=may(request, "viewer")
    )


def _value(value: Any, say: Words) -> str:
    from decimal import Decimal

    if isinstance(value, tuple | list):
        return ", ".join(_value(part, say) for part in value)
    if not isinstance(value, Decimal | int | float):
        return say.area(value) if isinstance(value, str) and len(value) in (3, 5) and value.isupper() else str(value)
    found = Decimal(str(value))
    exponent = found.normalize().as_tuple().exponent
    decimals = min(3 if abs(found) < 1 else 2, max(0, -exponent)) if isinstance(exponent, int) else 0
    return say.number(float(found), decimals)


def _plain(value: Any, say: Words, name: str) -> str:
    """A fact of a row: numbers as the language writes them, years as they are, codes by their names where there are any."""
    if hasattr(value, "tolist") and not isinstance(value, str | float | int):
        value = value.tolist()
    if isinstance(value, list):
        return ", ".join(_plain(one, say, name) for one in value)
    if isinstance(value, bool):
        return say.plain("yes" if value else "no")
    if isinstance(value, int | float):
        if name in ("period", "year", "first", "last", "version"):
            return str(value).removesuffix(".0")
        whole = float(value) == int(value)
        return number(value, say, 0 if whole else 1 if abs(value) >= 100 else 3)
    text = str(value).removesuffix(" 00:00:00")
    if re.fullmatch(r"\d{4}-\d\d(-\d\d)?", text):
        return say.date(text)
    if name in _PLACES and text in areas.codes():
        return say.area(text)
    return say.label(_KINDS.get(name, name), text, text)


def _fact(value: Any, say: Words, name: str) -> tuple[str, str]:
    """A fact as it is printed, and whether that is a code or words that have no translation."""
    shown = _plain(value, say, name)
    same = isinstance(value, str) and shown == value and re.search(r"[A-Za-z]{3}", shown)
    return shown, "" if not same else "code" if re.fullmatch(r"[\w.:/-]+", shown) else "en"


def _told(name: str, row: dict[str, Any], say: Words) -> bool:
    """Texts in other languages than the reader's stay out."""
    stem, _, language = name.rpartition("_")
    return not (language in ("ru", "kk") and stem in row and language != say.language)


_KINDS = {"status": "figure_status", "targets": "target", "kind": "web.kind"}
_PLACES = ("area", "origin", "destination", "residence", "issuer", "citizenship", "target_citizenship", "member")


def _page(request: Request, template: str, language: str, status: int = 200, **values: Any) -> Response:
    say = words(language)
    return Response(page(request, template, step=lambda job: step_of(job, say), codes=_CODES, **values), status, media_type="text/html")
