"""Views as pages: the templates, the menu, the switch of language, the form of what may be asked, and downloads of single blocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin
from urllib.parse import urlencode

import jinja2
import pandas as pd
from markupsafe import Markup

from qonys.core.areas import LANGUAGES
from qonys.i18n import words
from qonys.store.tables import write_table
from qonys.web import methods
from qonys.web.views import NOUNS, VIEWS, Figure, Listing, Paragraph, Shown, View
from qonys.web.views.asked import query_of

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo
    from starlette.requests import Request

    from qonys.i18n import Words

DEFAULT = "en"
PICTURES = {"svg": "image/svg+xml", "png": "image/png"}
TABLES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form: its name, kind (`date`, `number`, `choice`, `check`, `text`), value, and what may be chosen (code, label)."""

    name: str
    kind: str
    value: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    least: str = ""
    most: str = ""


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Markup:
    """A page as HTML. values: what the template needs beside the frame."""
    say = words(language_of(request))
    return Markup(_environment().get_template(template).render(
        say=say, request=request, language=say.language, languages=switches(request), nouns=NOUNS, views=VIEWS, noun=_noun(request),
        person=getattr(request.state, "person", None), csrf=getattr(request.state, "csrf", ""), link=_link(say.language),
        path=request.url.path, query=request.url.query, public=getattr(request.state, "public", False), Figure=Figure, Listing=Listing,
        Paragraph=Paragraph, **values,
    ))  # fmt: skip


def language_of(request: Request) -> str:
    """The language in the address, else the best of those that the browser asks for."""
    first = request.url.path.strip("/").split("/")
    for part in first[:2]:
        if part in LANGUAGES:
            return part
    for wanted in request.headers.get("accept-language", "").lower().split(","):
        code = wanted.partition(";")[0].strip().partition("-")[0]
        if code in LANGUAGES:
            return code
    return DEFAULT


def switches(request: Request) -> list[tuple[str, str]]:
    """Every language with the address of this same view in it."""
    here, query = request.url.path.split("/"), request.url.query
    tail = here[2:] if len(here) > 1 and here[1] in LANGUAGES else here[1:]
    return [(code, f"/{'/'.join([code, *tail])}" + (f"?{query}" if query else "")) for code in LANGUAGES]


def _noun(request: Request) -> str:
    parts = request.url.path.strip("/").split("/")
    return parts[1] if len(parts) > 1 else ""


def _link(language: str) -> Any:
    def link(path: str, **query: object) -> str:
        asked = {name: value for name, value in query.items() if value not in (None, "")}
        return f"/{language}/{path}" + (f"?{urlencode(asked)}" if asked else "")

    return link


def view_body(view: View, asked: BaseModel, shown: Shown, say: Words, *, form: tuple[Input, ...]) -> Markup:
    """What a view shows, without the frame: it hangs on nobody."""
    return Markup(_environment().get_template("view_body.html.j2").render(
        view=view, shown=shown, form=form, asked_query=query_of(asked), siblings=siblings(view), say=say, language=say.language,
        link=_link(say.language), Figure=Figure, Listing=Listing, Paragraph=Paragraph,
    ))  # fmt: skip


def view_page(request: Request, shown: Shown, body: Markup) -> Markup:
    """The page of a view."""
    return page(request, "view.html.j2", shown=shown, body=body)


def siblings(view: View) -> list[View]:
    """The views of the same noun that stand in the menu."""
    return [one for one in VIEWS.values() if one.noun == view.noun and one.menu]


def form_of(
    view: View, asked: BaseModel, say: Words, *, choices: dict[str, tuple[tuple[str, str], ...]] | None = None
) -> tuple[Input, ...]:
    """The form of a view. choices: what may be chosen where the model alone does not say, by field."""
    return tuple(
        _input(name, field, getattr(asked, name), say, (choices or {}).get(name)) for name, field in view.asked.model_fields.items()
    )


def _input(name: str, field: FieldInfo, value: Any, say: Words, choices: tuple[tuple[str, str], ...] | None) -> Input:
    label = say.plain(f"web.field.{name}")
    kinds = [one for one in _kinds(field.annotation) if one is not type(None)]
    shown = "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
    if choices is not None:
        return Input(name, "choice", shown, label, choices)
    literal = [one for kind in kinds if get_origin(kind) is Literal for one in get_args(kind)]
    if literal:
        return Input(name, "choice", shown, label, tuple((str(one), say.label(f"web.choice.{name}", one)) for one in literal))
    if bool in kinds:
        return Input(name, "check", "true" if value else "", label)
    if date in kinds:
        return Input(name, "date", shown, label)
    if int in kinds or float in kinds:
        bounds = {type(one).__name__: one for one in field.metadata}
        least, most = getattr(bounds.get("Ge"), "ge", ""), getattr(bounds.get("Le"), "le", "")
        return Input(name, "number", shown, label, (), str(least), str(most))
    return Input(name, "text", shown, label)


def _kinds(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, UnionType):
        return [kind for one in get_args(annotation) for kind in _kinds(one)]
    if hasattr(annotation, "__metadata__"):
        return _kinds(annotation.__origin__)
    return [annotation]


def download(block: Figure | Listing, form: str) -> bytes | None:
    """A block as a file of that form; None for a picture that is a table, or a form that there is not."""
    if form in PICTURES:
        if not isinstance(block, Figure):
            return None
        return block.chart.wide.encode() if form == "svg" else _png(block.chart.wide)
    if form in TABLES:
        return _table(block.data, block.name, form)
    return None


def _table(frame: pd.DataFrame, name: str, form: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.{form}"
        write_table(frame, path)
        return (b"\xef\xbb\xbf" if form == "csv" else b"") + path.read_bytes()


def _png(svg: str) -> bytes:
    import vl_convert

    return bytes(vl_convert.svg_to_png(svg, scale=2))


def static(name: str) -> bytes | None:
    """A file that ships with the pages; None if there is none of that name."""
    return _statics().get(name)


@cache
def _statics() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in files("qonys.web").joinpath("static").iterdir() if path.is_file()}


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("qonys.web", "templates"), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.globals["stamp"] = _stamp()
    environment.globals["methods"] = methods.names()
    environment.tests["instance_of"] = isinstance
    return environment


@cache
def _stamp() -> str:
    """Changes when a file that ships with the pages changes, so that browsers may keep them for good."""
    from hashlib import sha256

    return sha256(b"".join(content for _, content in sorted(_statics().items()))).hexdigest()[:12]
