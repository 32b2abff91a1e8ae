"""qonys border rules, classify: border records to residence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write

RuleOption = Annotated[str, typer.Option("--rule", help="Residence rule: 12/16, 12/12, 6/12, 90/180, or any N/M in months.")]
EndOption = Annotated[str | None, typer.Option("--end", help="Last day the data cover; by default that of the last crossing.")]
ZoneOption = Annotated[str, typer.Option("--zone", help="Where days begin and end, as Asia/Almaty.")]


def rules(output: OutputOption = None) -> None:
    """List the residence rules. Example: qonys border rules"""
    import pandas as pd

    from qonys.border import rules as known

    rows = [
        {"rule": r.name, "window_days": r.window_days, "threshold_days": r.threshold_days, "source": r.source} for r in known().values()
    ]
    write(pd.DataFrame(rows), {}, output)


def classify(
    file: Annotated[Path, typer.Argument(help="Crossings as Parquet: person_id (keyed hash), at, direction, ...")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The Parquet file to write; it holds a row a crossing and stays with you.")
    ],
    rule: RuleOption = "12/16",
    end: EndOption = None,
    zone: ZoneOption = "UTC",
    aliases: Annotated[
        Path | None, typer.Option("--aliases", help="Ids of renewed documents, hashed as the crossings are: a table with old, new.")
    ] = None,
    engine: Annotated[str, typer.Option("--engine", help="Where it is computed: local, spark.")] = "local",
    lang: LanguageOption = "en",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress display.")] = False,
) -> None:
    """Apply a residence rule to every crossing. No row is shown or dropped; an interrupted run leaves no file.

    Example: qonys border classify crossings.parquet --rule 12/16 --end 2021-12-31 -o classified.parquet
    """
    from qonys.borders import classify_file
    from qonys.i18n import words

    say = words(lang)

    def progress(done: int, rows: int) -> None:
        if not quiet:
            tell(f"{say.number(done)} / {say.number(rows)}")

    done = classify_file(file, output, rule_name=rule, end=end, zone=zone, aliases=aliases, engine=engine, tell=progress)
    tell(say.plain("cli.classified", rows=say.number(done.rows), last=say.date(done.end.isoformat()), undecided=say.number(done.undecided),
                   faulty=say.number(done.faulty)))  # fmt: skip
