"""qonys web: the dashboard, its people, backup and restore."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qonys.cli.output import tell

if TYPE_CHECKING:
    from qonys.web.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The dashboard: pages in three languages, rooms that run, an interface.")
HomeOption = Annotated[Path | None, typer.Option("--home", help="Folder of everything the dashboard keeps; QONYS_WEB_HOME.")]


@app.command()
def run(
    home: HomeOption = None,
    host: Annotated[str | None, typer.Option(help="Address to listen at; 0.0.0.0 for all.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen at.", min=1, max=65535)] = None,
    public: Annotated[bool | None, typer.Option("--public/--signed-in", help="Anyone may read without signing in.")] = None,
) -> None:
    """Serve the dashboard until it is stopped. Example: qonys web run --home /srv/qonys --public"""
    import uvicorn

    from qonys.web.app import create_app
    from qonys.web.gate import log_lines
    from qonys.web.settings import settings

    found = settings(home, host=host, port=port, public=public)
    application = create_app(found)
    log_lines()
    tell(found.shown_address)
    uvicorn.run(application, host=found.host, port=found.port, log_level="warning", access_log=False, server_header=False,
                proxy_headers=found.proxied, timeout_graceful_shutdown=5)  # fmt: skip


def _settings(home: Path | None) -> Settings:
    from qonys.web.settings import settings

    return settings(home)
