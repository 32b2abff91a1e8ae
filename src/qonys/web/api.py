"""The interface: every view as JSON, with the words of the pages."""

# no annotations from __future__: the routes made in a loop hand their own models to FastAPI by annotation

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Security
from fastapi.security import HTTPBearer
from pydantic import BaseModel, create_model
from starlette.responses import JSONResponse, Response

from qonys.web import show
from qonys.web.views import VIEWS, Figure, Paragraph, Shown, View

# only for the description: who asks is known before any route is chosen (`gate`)
BY_TOKEN = Security(HTTPBearer(auto_error=False, scheme_name="token", description="A token of a person, made under Account."))
router = APIRouter(prefix="/api/v1", dependencies=[BY_TOKEN])


class Cited(BaseModel):
    """A source as it is cited."""

    key: str
    name: str


class Block(BaseModel):
    """A picture, a table or words of a view. rows: the data behind it."""

    kind: Literal["figure", "table", "text"]
    name: str = ""
    title: str
    about: str = ""
    text: str = ""
    rows: list[dict[str, Any]] = []
    sources: list[Cited] = []


class Answer(BaseModel):
    """A view answered."""

    title: str
    answer: list[str]
    blocks: list[Block]
    command: str
    methods: list[str]
    study: str
    inputs: list[dict[str, str]]


class Fault(BaseModel):
    """What went wrong, and what to do."""

    what: str
    mend: str


FAULTS: dict[int | str, dict[str, Any]] = {code: {"model": Fault} for code in (400, 401, 403, 404, 413, 422, 429, 503)}


def as_answer(shown: Shown) -> Answer:
    """A view as the interface tells it."""
    blocks = []
    for block in shown.blocks:
        if isinstance(block, Paragraph):
            blocks.append(Block(kind="text", title=_plain(block.title), text=_plain(block.text)))
            continue
        rows = json.loads(block.data.to_json(orient="records", date_format="iso"))
        common = {
            "name": block.name,
            "title": _plain(block.title),
            "rows": rows,
            "sources": [Cited(key=key, name=name) for key, name in block.sources],
        }
        if isinstance(block, Figure):
            blocks.append(Block(kind="figure", about=_plain(block.about), text=_plain(block.text), **common))
        else:
            blocks.append(Block(kind="table", about=_plain(block.note), **common))
    made = shown.made
    return Answer(
        title=_plain(shown.title), answer=[_plain(one) for one in shown.answer], blocks=blocks, command=made.command,
        methods=list(made.methods), study=made.study, inputs=[{"file": file, "sha256": digest} for file, digest in made.inputs],
    )  # fmt: skip


def _plain(text: Any) -> str:
    return str(text.striptags()) if hasattr(text, "striptags") else str(text)


def _route(view: View) -> None:
    name = view.path.replace("/", "_").replace("-", "_")
    language: Any = (Literal["en", "ru", "kk"], "en")
    model = create_model(f"Asked_{name}", __base__=view.asked, lang=language)

    def endpoint(request: Request, asked: Annotated[model, Query()]) -> Response:  # type: ignore[valid-type]
        own = view.asked.model_construct(**{name: getattr(asked, name) for name in view.asked.model_fields})
        return JSONResponse(as_answer(show.answered(request, view, own, asked.lang)).model_dump())  # type: ignore[attr-defined]

    doc = (view.show.__doc__ or "").partition("\n")[0]
    router.add_api_route(f"/{view.path}", endpoint, methods=["GET"], response_model=Answer, responses=FAULTS, summary=view.path,
                         description=doc, operation_id=name, tags=[view.noun])  # fmt: skip


for _view in VIEWS.values():
    _route(_view)
