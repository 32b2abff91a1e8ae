"""Logs as JSON lines that hold no person: no names, addresses, queries, nor what a message was about."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, TextIO

_log = logging.getLogger("qonys.web")


def line(**values: Any) -> None:
    """One line about a request."""
    _log.info("%s", json.dumps(values))


def fault(id: str, error: BaseException) -> None:
    """One line about a fault of the program: its type and the lines of code, not what it says."""
    _log.error("%s", json.dumps({"id": id, **told(error)}))


def told(error: BaseException) -> dict[str, Any]:
    """The type of an error and the last lines of code it went through."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return {"fault": type(error).__name__, "where": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames]}


class Lines(logging.Formatter):
    """Every record as a JSON object of one line.

    Of our own loggers the message, which is an object already; of others only the line of code that speaks, since what it says may be
    anything.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        values: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if record.name.startswith("qonys"):
            values |= _object(record.getMessage())
        else:
            values |= {"logger": record.name, "says": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            values |= told(record.exc_info[1])
        return json.dumps(values, ensure_ascii=False)


def log_lines(stream: TextIO | None = None) -> None:
    """Log so from now on: our requests and faults, and warnings of all libraries."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    _log.handlers.clear()
    _log.setLevel(logging.INFO)
    _log.propagate = True
    logging.captureWarnings(True)


def _object(message: str) -> dict[str, Any]:
    try:
        found = json.loads(message)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"says": message}
