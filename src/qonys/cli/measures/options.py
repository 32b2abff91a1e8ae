"""Options that several verbs of `qonys measures` share."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import typer

RegisterOption = Annotated[
    list[str] | None,
    typer.Option("--register", help="shipped, tracker, a folder or a file; may be given several times. By default shipped and tracker."),
]
ReadingOption = Annotated[Literal["certain", "possible"], typer.Option("--reading", help="What is done with dates that are not known.")]
KnownOption = Annotated[str | None, typer.Option("--known-on", help="Take the versions that stood on this day.")]
FirstOption = Annotated[str, typer.Option("--first", help="First day, month or year: 2020-03-16, 2020-03, 2020.")]
LastOption = Annotated[str, typer.Option("--last", help="Last day, month or year.")]


def span(first: str, last: str) -> tuple[date, date]:
    """The days a first and a last partial date stand for."""
    from qonys.core.periods import earliest, latest

    return earliest(first), latest(last)


def day(text: str | None) -> date | None:
    """A whole day, or nothing."""
    from qonys.core.periods import whole_day

    return None if text is None else whole_day(text)


def registers(names: list[str] | None) -> tuple[str, ...]:
    """The registers asked for, or those that ship with the package."""
    from qonys.registers import DEFAULT

    return tuple(names) if names else DEFAULT
