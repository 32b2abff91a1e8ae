"""Studies as JSON: the list with the state of the last run, run anew, an own one, and the way back of a number."""

# no annotations from __future__: FastAPI reads the models of the routes when they are made

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from qonys.i18n import words
from qonys.web.api import BY_TOKEN, FAULTS
from qonys.web.gate import needs, protected
from qonys.web.pages.rooms_api import Lang, RunTold, told
from qonys.web.pages.studies import LONGEST_TEXT, MOST_STEPS, again, checked_text, findings_of, queued, shown_step, steps_of, told_of
from qonys.web.state.people import Person
from qonys.web.state.rooms import MOST_TEXT
from qonys.web.views.asked import Code

router = APIRouter(prefix="/api/v1", tags=["studies"], responses=FAULTS, dependencies=[BY_TOKEN])


class StudyTold(BaseModel):
    """A study. run: its run that waits or runs, or the last one if that failed; inputs: file, rows and hash of each table."""

    name: str
    title: str
    built_in: bool
    questions: list[str]
    run_at: datetime | None
    version: str
    run: RunTold | None
    inputs: list[dict[str, Any]]


class StudyAsked(BaseModel):
    """A study of one's own, as TOML. It may name shipped and pulled tables, and files uploaded on the page of studies."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=MOST_TEXT)]


class StepTold(BaseModel):
    """A step on the way back of a number: a row, what it is made of, and where it came in."""

    address: str
    table: str
    value: str
    unit: str
    formula: str
    facts: dict[str, str]
    source: str
    link: str
    file: str
    sha256: str


class ClaimsAsked(BaseModel):
    """A text in English, Russian or Kazakh, whose numeric claims are recomputed. Nothing of it is kept."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=LONGEST_TEXT)]


class ClaimTold(BaseModel):
    """A claim: the verdict's code and words, the sentence that says why, and the words of the text."""

    verdict: str
    called: str
    sentence: str
    span: str


@router.get("/studies", operation_id="studies")
def listed(request: Request, lang: Lang = "en") -> list[StudyTold]:
    """All studies."""
    found = [told_of(request, name, words(lang)) for name in request.app.state.desk.runs.names()]
    return [
        StudyTold(name=one.name, title=one.title, built_in=one.built_in, questions=list(one.study.questions), run_at=one.run_at,
                  version=one.version, run=told(one.job) if one.job else None, inputs=list(one.inputs))
        for one in found
    ]  # fmt: skip


@router.get("/studies/trace", operation_id="studies_trace")
def way_back(request: Request, study: Code, cell: Annotated[str, Query(max_length=500)], lang: Lang = "en") -> list[StepTold]:
    """The way back of a number of a finished study, `table/row/column`: the cell first, then the rows it was made from."""
    say = words(lang)
    found = []
    for place, step in enumerate(steps_of(request, study, cell)[: MOST_STEPS + 1]):
        one = shown_step(step, say, "" if place else cell)
        file = one.file or {}
        facts = {name: value for name, value, _ in one.facts}
        found.append(StepTold(
            address=one.address, table=one.table, value=one.value, unit=one.unit, formula=one.formula, facts=facts, source=one.source,
            link=one.link, file=str(file.get("file", "")), sha256=str(file.get("sha256", "")),
        ))  # fmt: skip
    return found


@router.post("/studies/claims", operation_id="studies_claims", dependencies=[Depends(protected), needs("viewer")])
def claims(request: Request, asked: ClaimsAsked, lang: Lang = "en") -> list[ClaimTold]:
    """The numeric claims of a text, recomputed."""
    found = findings_of(checked_text(asked.text), words(lang))
    return [ClaimTold(verdict=code, called=called, sentence=sentence, span=span) for code, called, sentence, span in found]


@router.post("/studies", operation_id="studies_new", status_code=202, dependencies=[Depends(protected)])
def new(request: Request, asked: StudyAsked, person: Annotated[Person, needs("analyst")]) -> RunTold:
    """Check a study of one's own and put it into the queue."""
    return told(queued(request, asked.text.replace("\r\n", "\n"), person))


@router.post("/studies/{name}/run", operation_id="studies_run", status_code=202, dependencies=[Depends(protected)])
def run(request: Request, name: Code, person: Annotated[Person, needs("analyst")]) -> RunTold:
    """Run a study anew."""
    return told(again(request, name, person))
