"""The dashboard put together: database, gate, views as pages and as an interface, rooms, work and accounts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, RedirectResponse, Response

from qonys.core.errors import QonysError
from qonys.web import api, methods, show
from qonys.web.frame import language_of, page, static
from qonys.web.gate import Bounded, Gate, Refused, refusal
from qonys.web.jobs.runner import Runner
from qonys.web.pages import (
    account,
    account_api,
    admin,
    imports,
    imports_api,
    openid,
    propose,
    rooms,
    rooms_api,
    runs,
    sign,
    studies,
    studies_api,
    workplace,
    workplace_api,
)
from qonys.web.state.backup import recover
from qonys.web.state.database import Database
from qonys.web.views import Kept, Runs
from qonys.web.views.here import NotYet
from qonys.web.warm import Warm

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from qonys.web.settings import Settings

KINDS = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
    "ico": "image/x-icon",
}

THREADS = 6  # that answer at once: they share one interpreter, and with 40 of them each waits longer for its turn than it works
# of two addresses that fit, the first counts
PAGES = (
    sign, openid, account, account_api, admin, imports, imports_api, propose, workplace, workplace_api, rooms, rooms_api, runs, studies,
    studies_api,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """What all routes share, at `request.app.state.desk`."""

    settings: Settings
    database: Database
    runs: Runs
    kept: Kept


def create_app(settings: Settings) -> FastAPI:
    """The application. Its database is brought to the present version when it starts."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    database = Database(settings.url)
    desk = Desk(settings, database, Runs(settings.home / "runs"), Kept())

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = THREADS
        recover(settings.home, database)
        database.migrate()
        warm = Warm(desk)
        if settings.warm:
            warm.start()
        runner = Runner(settings, database)
        runner.start()
        yield
        runner.stop()
        warm.end()

    app = FastAPI(
        title="Qonys", version=version("qonys"), lifespan=life, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json",
        description="Decision support for migration policy: the same views as the pages, as JSON.",
        swagger_ui_oauth2_redirect_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.state.desk = desk
    app.include_router(api.router)
    app.include_router(show.router)
    for one in PAGES:
        app.include_router(one.router)
    app.add_api_route("/", _home, include_in_schema=False)
    app.add_api_route("/{language}/methods/{name}", _method, include_in_schema=False)
    app.add_api_route("/{language}/about", _about, include_in_schema=False)
    app.add_api_route("/health", _health, include_in_schema=False)
    app.add_api_route("/static/{stamp}/{name}", _static, include_in_schema=False)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(QonysError, _sentence)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Bounded, largest=settings.largest_upload)
    app.middleware("http")(Gate(settings, database))
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)
    return app


def _home(request: Request) -> Response:
    person = request.state.person
    return RedirectResponse(f"/{person.language if person else language_of(request)}/situation", 303)


def _health(request: Request) -> Response:
    """For the machine that watches over this one: is the database there?"""
    well = request.app.state.desk.database.healthy()
    return JSONResponse({"state": "well" if well else "no database", "version": version("qonys")}, 200 if well else 503)


def _method(request: Request, language: show.Language, name: str) -> Response:
    text = methods.rendered(name)
    if text is None:
        raise HTTPException(404)
    return Response(page(request, "method.html.j2", name=methods.names()[name], text=text), media_type="text/html")


def _about(request: Request, language: show.Language) -> Response:
    return Response(page(request, "about.html.j2", version=version("qonys"), pages=methods.names()), media_type="text/html")


def _static(stamp: str, name: str) -> Response:
    content = static(name)
    if content is None:
        raise HTTPException(404)
    kind = KINDS.get(name.rpartition(".")[2], "application/octet-stream")
    return Response(content, media_type=kind, headers={"Cache-Control": "public, max-age=31536000, immutable"})


def _refused(request: Request, error: Any) -> Response:
    return refusal(request, error)


def _sentence(request: Request, error: Any) -> Response:
    """What a user can mend, as a sentence."""
    status = getattr(error, "status", 400)
    if isinstance(error, NotYet) and not request.url.path.startswith("/api/"):
        html = page(request, "error.html.j2", key="web.error.not_yet", values={}, sentence=None, again=NotYet.again)
        return Response(html, status, media_type="text/html", headers={"Retry-After": str(NotYet.again)})
    if request.url.path.startswith("/api/"):
        return JSONResponse({"what": error.what, "mend": error.mend}, status)
    return Response(
        page(request, "error.html.j2", key="web.error.sentence", values={}, sentence=(error.what, error.mend)),
        status,
        media_type="text/html",
    )


def _invalid(request: Request, error: Any) -> Response:
    told = [f"{'.'.join(str(part) for part in one['loc'][1:]) or 'request'}: {one['msg']}" for one in error.errors()[:5]]
    if request.url.path.startswith("/api/"):
        return JSONResponse({"what": "; ".join(told), "mend": "see /api/openapi.json"}, 422)
    return Response(
        page(request, "error.html.j2", key="web.error.asked", values={}, sentence=("; ".join(told), "")), 422, media_type="text/html"
    )


def _http(request: Request, error: Any) -> Response:
    key = {404: "web.error.missing", 405: "web.error.method"}.get(error.status_code, "web.error.other")
    return refusal(request, Refused(error.status_code, key))
