"""How commands print: a table in the language asked for, or a file by its suffix."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    import pandas as pd

    from qonys.i18n import Words

Language = Literal["en", "ru", "kk"]
LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of the words: en, ru or kk.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Write to this file instead: CSV, JSON, Parquet or XLSX by suffix.")
]


def tell(text: str) -> None:
    """Talk to the user, beside the data."""
    print(text, file=sys.stderr)


def write_labelled(frame: pd.DataFrame, say: Words, output: Path | None) -> None:
    """A table with the headings of the catalogue, or its own where the catalogue has none."""
    write(frame, {name: say.label("column", name, otherwise=name) for name in frame.columns}, output)


def write(frame: pd.DataFrame, headings: dict[str, str], output: Path | None) -> None:
    """A table to a file by its suffix with its own column names, or to the terminal with headings in the language.

    Piped output is CSV, so that the next program can read it.
    """
    if output is not None:
        from qonys.store import write_table

        write_table(frame, output)
        tell(f"{output}: {len(frame)}")
        return
    from qonys.store.tables import flat

    if not sys.stdout.isatty():
        flat(frame).to_csv(sys.stdout, index=False, lineterminator="\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(show_edge=False, header_style="bold", pad_edge=False)
    for column in frame.columns:
        table.add_column(headings.get(column, column), overflow="fold")
    for row in flat(frame).itertuples(index=False):
        table.add_row(*("" if value is None or value != value else str(value) for value in row))
    Console().print(table)
