"""qonys measures coverage: challenges and objects against measures; conflicts and duplicates among measures."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import typer

from qonys.cli.measures.options import ReadingOption
from qonys.cli.output import LanguageOption, OutputOption, tell, write

What = Literal["challenges", "objects", "answers", "gaps", "conflicts", "duplicates"]


def coverage(
    study: Annotated[str, typer.Argument(help="A study: its challenges, objects and register are compared.")] = "kazakhstan",
    what: Annotated[What, typer.Option("--what", help="Which table.")] = "challenges",
    by: Annotated[
        list[str] | None, typer.Option("--by", help="answers, gaps: kind, migration_type, level, field, measure_level, measure_issuer.")
    ] = None,
    reading: ReadingOption = "certain",
    undated: Annotated[bool, typer.Option("--undated", help="conflicts, duplicates: pairs whose dates are not known, too.")] = False,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """List what answers which challenge or object, what nothing answers, and which measures work against or repeat each other.

    Conflicts and duplicates are candidates, to be read by a person. Example: qonys measures coverage kazakhstan --what gaps --by kind
    """
    from qonys.core.errors import StudyError
    from qonys.i18n import words
    from qonys.measures import conflicts, coverage_by, duplicates, gaps, object_coverage
    from qonys.measures import coverage as covered
    from qonys.pipeline import load, open_study
    from qonys.store import connect

    con, say = connect(), words(lang)
    opened = open_study(study)
    wanted = {"measure", {"objects": "object", "conflicts": "measure", "duplicates": "measure"}.get(what, "challenge")}
    for name in sorted(wanted):
        if name not in opened.tables:
            raise StudyError(f"the study {study} has no table {name}", mend="name it under [tables], or take another study")
    needed = replace(opened, tables={name: own for name, own in opened.tables.items() if name in wanted})
    tables = load(con, needed, lambda *_: None)[0]
    measures = tables["measure"]
    if what in ("conflicts", "duplicates"):
        paired = conflicts if what == "conflicts" else duplicates
        found = paired(measures, reading=reading, undated=undated).order_by(
            *(["tightening", "easing"] if what == "conflicts" else ["one", "other"])
        )
        tell(say.plain("cli.candidates"))
    elif what == "objects":
        found = object_coverage(tables["object"], measures).order_by("object")
    elif what == "challenges":
        found = covered(tables["challenge"], measures).order_by("challenge")
    else:
        columns = by or (["kind", "field"] if what == "answers" else ["kind"])
        found = (coverage_by if what == "answers" else gaps)(tables["challenge"], measures, *columns).order_by(*columns)
    frame = con.to_pandas(found)
    frame = frame[[name for name in frame.columns if name != "row" and not name.endswith(("_row", "rows"))]]
    write(frame, {column: say.label("column", column, otherwise=column) for column in frame.columns}, output)
