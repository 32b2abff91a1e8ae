"""qonys border: border records to residence, migration flows, persons present and stranded."""

from __future__ import annotations

import typer

from qonys.cli.border import flows, intake, presence, residence, simulate

app = typer.Typer(no_args_is_help=True, help="Border records: residence, migration flows, persons present and stranded.")
app.command("key")(intake.key)
app.command("import")(intake.import_)
app.command("rules")(residence.rules)
app.command("classify")(residence.classify)
app.command("flows")(flows.flows)
app.command("nowcast")(flows.nowcast)
app.command("stays")(presence.stays)
app.command("stranded")(presence.stranded)
app.command("simulate")(simulate.simulate)
app.command("audit")(intake.audit)
