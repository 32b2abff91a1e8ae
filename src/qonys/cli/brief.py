"""qonys brief: the arithmetic of a text checked."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write
from qonys.core.errors import DataError

if TYPE_CHECKING:
    from qonys.i18n import Words

app = typer.Typer(no_args_is_help=True, help="Briefs: the arithmetic of a text checked.")

LARGEST_TEXT = 5_000_000  # bytes; a book has about one million


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A text file (txt, md) in UTF-8; - reads standard input.")],
    lang: LanguageOption = "en",
    text_language: Annotated[
        str | None,
        typer.Option("--text-language", help="en, ru or kk: how separators in the text are read; by default as its letters say."),
    ] = None,
    output: OutputOption = None,
    every: Annotated[bool, typer.Option("--all", help="Print what holds too.")] = False,
) -> None:
    """Find the numeric claims in a text and recompute what can be recomputed. Exit 1 if one of them cannot be right.

    Example: qonys brief check brief.txt --all
    """
    import pandas as pd

    from qonys.i18n import words
    from qonys.report.claims import LANGUAGES, check_text

    if text_language is not None and text_language not in LANGUAGES:
        raise typer.BadParameter(f"it can be one of: {', '.join(LANGUAGES)}", param_hint="--text-language")
    say = words(lang)
    report = check_text(_read(file), language=text_language)
    if output is not None:
        write(pd.DataFrame(report.rows()), {}, output)
    elif not report.findings:
        print(say.plain(f"claim.{report.code}"))
    else:
        for finding in report.findings:
            if every or not finding.verdict.startswith("holds"):
                values = {name: str(value) if name == "year" else shown(value, say) for name, value in finding.values.items()}
                verdict = say.label("claim.verdict", finding.verdict)
                print(f"{file}:{finding.line}:{finding.column}: {verdict}. {say.plain(finding.message, **values)}")
                print(f"    {finding.span}")
    held = sum(finding.verdict.startswith("holds") for finding in report.findings)
    tell(
        say.plain(
            "cli.claims",
            numbers=say.number(report.quantity_count),
            claims=say.number(len(report.findings)),
            held=say.number(held),
            faults=say.number(len(report.faults)),
        )
    )
    if report.faults:
        raise typer.Exit(1)


def _read(file: Path) -> str:
    if str(file) == "-":
        raw = sys.stdin.buffer.read(LARGEST_TEXT + 1)
    elif not file.is_file():
        raise DataError(f"there is no file {file}", mend="check the path")
    else:
        with file.open("rb") as stream:
            raw = stream.read(LARGEST_TEXT + 1)
    if len(raw) > LARGEST_TEXT:
        raise DataError(f"{file} is larger than {LARGEST_TEXT // 1_000_000} MB", mend="cut it into chapters")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8 (byte {error.start})", mend="save it as plain text in UTF-8") from None


def shown(value: Any, say: Words) -> str:
    """A value of a finding as the language writes it."""
    if isinstance(value, Decimal | int | float):
        number = Decimal(str(value))
        exponent = number.normalize().as_tuple().exponent
        decimals = min(3 if abs(number) < 1 else 2, max(0, -exponent)) if isinstance(exponent, int) else 0
        return say.number(float(number), decimals)
    if isinstance(value, tuple | list):
        return ", ".join(shown(part, say) for part in value)
    return say.area(value) if isinstance(value, str) and len(value) in (3, 5) and value.isupper() else str(value)
