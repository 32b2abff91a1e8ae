"""The command line as a test meets it, in this process: what a command of its own would print and return."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from qonys.cli import main


@dataclass(frozen=True)
class Done:
    """What a command returned and printed."""

    returncode: int
    stdout: str
    stderr: str


def qonys(*words: object, cwd: Path | None = None, text: str = "") -> Done:
    """The command `qonys words` in the folder `cwd`, with `text` piped into it."""
    out, told = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="", write_through=True) for _ in range(2))
    given = io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8")
    with (
        mock.patch.object(sys, "argv", ["qonys", *map(str, words)]),
        mock.patch.object(sys, "stdin", given),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(told),
        contextlib.chdir(cwd or Path.cwd()),
    ):
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
    return Done(int(code), *(stream.buffer.getvalue().decode() for stream in (out, told)))
