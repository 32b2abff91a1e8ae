"""What a terminal gets and a pipe does not: tables made narrow for the eye, and a bar while bytes come."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from qonys.cli.output import tell, write_labelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pandas as pd

    from qonys.i18n import Words


def write_narrow(frame: pd.DataFrame, say: Words, output: Path | None) -> None:
    """A table to a file or a pipe as it is; on a terminal only the columns whose cells differ, what is the same in all rows above it."""
    if output is None and sys.stdout.isatty() and len(frame) > 1:
        frame = frame.dropna(axis="columns", how="all")
        same = [name for name in frame.columns if frame[name].nunique(dropna=False) == 1]
        once = {name: _cell(name, frame[name].iloc[0], say) for name in same if name != "copy"}
        told = [f"{say.label('column', name, name)}: {cell}" for name, cell in once.items() if cell != ""]
        if told:
            tell("; ".join(told))
        frame = frame.drop(columns=same)
        frame = frame.assign(**{name: [_cell(name, one, say) for one in frame[name]] for name in frame.columns})
    write_labelled(frame, say, output)


def _cell(name: str, value: object, say: Words) -> object:
    """A cell for the eye: whole numbers without a point, shares of a percent rounded, moments to the minute, codes of ours in words."""
    if isinstance(value, float) and value == value:
        return f"{value:.4g}" if name in ("percent", "ratio") else f"{value:.15g}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M") if value == value else None
    kind = {"what": "revision", "which_side": "mirror"}.get(name)
    return say.label(kind, value, str(value)) if kind else value


@contextmanager
def progress_bar(task: str) -> Iterator[Callable[[int, int | None], None] | None]:
    """Bytes as they come, to be called with those so far and those in all; None where nobody looks at a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    shown = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*shown, console=Console(stderr=True)) as bar:
        row = bar.add_task(task[:50], total=None)
        yield lambda done, total: bar.update(row, completed=done, total=total)
