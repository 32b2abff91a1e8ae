"""qonys measures: the register of measures, search, importers, indices, exposure, and the gaps between challenges and measures."""

from __future__ import annotations

import typer

from qonys.cli.measures import answers, corridors, indices, register, search

app = typer.Typer(no_args_is_help=True, help="Measures: the register, importers, indices, exposure, coverage.")
app.command("check")(register.check)
app.command("disagreements")(register.disagreements)
app.command("import")(register.import_)
app.command("index")(indices.index)
app.command("exposure")(corridors.exposure)
app.command("coverage")(answers.coverage)
app.command("find")(search.find)
app.command("entry")(search.entry)
