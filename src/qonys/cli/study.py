"""qonys study: list, show and run studies."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write

if TYPE_CHECKING:
    from qonys.i18n import Words

app = typer.Typer(no_args_is_help=True, help="Declared studies: from data to report.")


@app.command("list")
def list_(lang: LanguageOption = "en", output: OutputOption = None) -> None:
    """List the built-in studies. Example: qonys study list --lang kk"""
    import pandas as pd

    from qonys.i18n import words
    from qonys.pipeline import built_in, open_study
    from qonys.report.dossier import study_title

    say = words(lang)
    studies = [(name, open_study(name)) for name in built_in()]
    rows = [
        {"study": name, "title": study_title(s, say), "first": s.first, "last": s.last, "questions": len(s.questions)}
        for name, s in studies
    ]
    write(pd.DataFrame(rows), {column: say.plain(f"column.{column}") for column in rows[0]}, output)


@app.command()
def show(name: Annotated[str, typer.Argument(help="A built-in study, or the path of a study file.")]) -> None:
    """Print a study file, to copy and change. Example: qonys study show kazakhstan > my.toml"""
    from qonys.pipeline import find_study

    print(find_study(name).read_text(encoding="utf-8"), end="")


@app.command()
def run(
    name: Annotated[str, typer.Argument(help="A built-in study, or the path of a study file.")],
    folder: Annotated[Path | None, typer.Option("--output", "-o", help="Folder to write to; by default out/NAME.")] = None,
    lang: Annotated[list[str] | None, typer.Option("--lang", help="Language of the report; may be given several times.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress display.")] = False,
) -> None:
    """Run a study and print the path of its report. Example: qonys study run kazakhstan --lang kk -o out"""
    from qonys.i18n import words
    from qonys.pipeline import open_study, run_study

    started = time.monotonic()
    study = open_study(name)
    languages = tuple(lang) if lang else study.languages
    folder = folder or Path("out") / study.name
    say = words(languages[0])
    with _Progress(study.name, say, quiet) as progress:
        done = run_study(study, folder, languages, progress.step)
    for fault in done.faults[:20]:
        tell(fault)
    if len(done.faults) > 20:
        tell(say.plain("cli.more_faults", count=len(done.faults) - 20))
    for path in done.quarantines:
        tell(say.plain("cli.quarantine", path=path))
    tell(say.plain("cli.done", seconds=say.number(time.monotonic() - started, 1)))
    for report in done.reports.values():
        print(report)


class _Progress:
    """A line on stderr that says which step is running: redrawn on a terminal, one line a step elsewhere."""

    def __init__(self, name: str, say: Words, quiet: bool) -> None:
        self.name, self.say, self.quiet, self.terminal = name, say, quiet, sys.stderr.isatty()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.terminal and not self.quiet:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def step(self, stage: str, what: str) -> None:
        if self.quiet:
            return
        kinds = {"answer": "question", "report": "language", "load": "contract"}
        line = f"{self.name}: {self.say.plain(f'cli.{stage}', what=self.say.label(kinds.get(stage, 'cli'), what, what))}"
        print(f"\r\033[K{line}" if self.terminal else line, end="" if self.terminal else "\n", file=sys.stderr, flush=True)
