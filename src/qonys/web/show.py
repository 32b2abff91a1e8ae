"""Routes of the views: a page in each language, its pictures and tables as files, and single pictures for the pages of others."""

# no annotations from __future__: the routes made in a loop hand their own models to FastAPI by annotation

import gzip
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from qonys.i18n import words
from qonys.web import frame
from qonys.web.views import VIEWS, Figure, Here, Listing, Shown, View
from qonys.web.views.asked import query_of

Language = Literal["en", "ru", "kk"]
AT_ONCE, TO_KEEP = 1, 6  # levels of compression
router = APIRouter(include_in_schema=False)


def here(request: Request, language: str) -> Here:
    """Where a view is asked from."""
    desk = request.app.state.desk
    return Here(words(language), desk.runs, desk.settings.store, desk.kept)


def answered(request: Request, view: View, asked: Any, language: str) -> Shown:
    """A view answered for a request."""
    return answer(view, asked, here(request, language))


def answer(view: View, asked: Any, at: Here) -> Shown:
    """A view answered, or the answer held: it is the same for all until a study is run anew or data come."""
    found: Shown = at.kept.get(_key(view, asked, at), lambda: view.show(asked, at))
    return found


def _key(view: View, asked: Any, at: Here) -> tuple[Any, ...]:
    return view.path, query_of(asked), at.language, at.runs.stamp(), view.changes(at)


def page_of(request: Request, view: View, asked: Any, language: str) -> bytes:
    """The page of a view, compressed. What does not hang on the reader is held; in a public dashboard that is the whole page."""
    at = here(request, language)
    key = _key(view, asked, at)
    shown = answer(view, asked, at)

    def body() -> Markup:
        form = frame.form_of(view, asked, at.say, choices=view.choices(asked, at) if view.choices else None)
        return frame.view_body(view, asked, shown, at.say, form=form)

    def whole(level: int) -> bytes:
        # here, in a thread beside the others, and not in the middleware, which would keep everybody waiting
        return gzip.compress(frame.view_page(request, shown, at.kept.get(("body", *key), body)).encode(), level, mtime=0)

    if request.state.person is not None:
        return whole(AT_ONCE)
    found: bytes = at.kept.get(("page", str(request.url.query), *key), lambda: whole(TO_KEEP))
    return found


def block_of(shown: Shown, name: str) -> Figure | Listing:
    """The picture or table of that name. Errors: 404."""
    block = shown.block(name)
    if block is None:
        raise HTTPException(404)
    return block


def _routes(view: View) -> None:
    model = view.asked

    def as_page(request: Request, language: Language, asked: Annotated[model, Query()]) -> Response:  # type: ignore[valid-type]
        content = page_of(request, view, asked, language)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(gzip.decompress(content), media_type="text/html")  # the middleware says that it varies
        return Response(content, media_type="text/html", headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})

    def as_file(request: Request, language: Language, block: str, form: str, asked: Annotated[model, Query()]) -> Response:  # type: ignore[valid-type]
        content = frame.download(block_of(answered(request, view, asked, language), block), form)
        if content is None:
            raise HTTPException(404)
        kind = (frame.PICTURES | frame.TABLES)[form]
        name = f"{view.path.replace('/', '-')}-{block}.{form}"
        return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    def as_embed(request: Request, language: Language, block: str, asked: Annotated[model, Query()]) -> Response:  # type: ignore[valid-type]
        found = block_of(answered(request, view, asked, language), block)
        page = frame.page(request, "embed.html.j2", block=found, view=view, asked_query=query_of(asked))
        return Response(page, media_type="text/html")

    router.add_api_route(f"/{{language}}/{view.path}", as_page, methods=["GET"])
    router.add_api_route(f"/{{language}}/{view.path}/{{block}}.{{form}}", as_file, methods=["GET"])
    router.add_api_route(f"/embed/{{language}}/{view.path}/{{block}}", as_embed, methods=["GET"])


for _view in VIEWS.values():
    _routes(_view)
