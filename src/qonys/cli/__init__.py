"""The command line: noun, then verb. Data to stdout, talk to stderr; exit 0 done, 1 bad data, 2 bad usage.

One module a noun. Each command reads, calls the same function as Python does, and renders; heavy libraries are imported when a command
runs, so that `qonys --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

from qonys.cli import (
    border,
    brief,
    contract,
    convergence,
    corridor,
    effects,
    flows,
    measures,
    procedure,
    settle,
    situation,
    sources,
    study,
    trace,
    web,
)
from qonys.core.errors import QonysError

app = typer.Typer(
    name="qonys", no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Decision support for migration policy: from border record to policy decision, every number traceable.",
)  # fmt: skip
app.add_typer(study.app, name="study")
app.add_typer(contract.app, name="contract")
app.command("situation")(situation.situation)
app.add_typer(flows.app, name="flows")
app.add_typer(measures.app, name="measures")
app.add_typer(border.app, name="border")
app.add_typer(convergence.app, name="convergence")
app.add_typer(effects.app, name="effects")
app.add_typer(procedure.app, name="procedure")
app.add_typer(corridor.app, name="corridor")
app.add_typer(settle.app, name="settle")
app.add_typer(sources.app, name="sources")
app.add_typer(brief.app, name="brief")
app.add_typer(web.app, name="web")
app.command("trace")(trace.trace)


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as of

    print(of("qonys"))


def main() -> None:
    """Run the command line; an error a user can mend is one sentence and exit 1."""
    try:
        app()
    except QonysError as error:
        print(f"qonys: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except (PermissionError, IsADirectoryError, FileNotFoundError) as error:
        print(f"qonys: {error.filename}: {error.strerror}; choose another path", file=sys.stderr)
        raise SystemExit(1) from None
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(0) from None
    except Exception as error:
        if os.environ.get("QONYS_DEBUG"):
            raise
        if "Query interrupted" in str(error):  # so DuckDB passes Ctrl-C on
            _stopped()
        print(
            f"qonys: a fault of the program, not of your files ({type(error).__name__}: {error}); "
            "run it again with QONYS_DEBUG=1 and report what it prints",
            file=sys.stderr,
        )
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        _stopped()


def _stopped() -> NoReturn:
    print("qonys: stopped; nothing half-written was left", file=sys.stderr)
    raise SystemExit(130) from None
