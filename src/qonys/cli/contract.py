"""qonys contract: the tables that cross a border, and the check of a file against one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write

app = typer.Typer(no_args_is_help=True, help="Contracts: what a table must hold, and whether a file does.")


@app.command("list")
def list_(output: OutputOption = None) -> None:
    """List the contracts. Example: qonys contract list"""
    import pandas as pd

    from qonys.core.contracts import CONTRACTS

    rows = [
        {"contract": c.name, "columns": " ".join(c.required), "optional": " ".join(n for n in c.names if n not in c.required), "doc": c.doc}
        for c in CONTRACTS.values()
    ]
    write(pd.DataFrame(rows), {}, output)


@app.command()
def show(name: Annotated[str, typer.Argument(help="Name of the contract.")], output: OutputOption = None) -> None:
    """Show the columns of a contract with units and codes. Example: qonys contract show flow"""
    import pandas as pd

    from qonys.core.validate import contract_named

    rows = [
        {"column": c.name, "kind": c.kind, "required": c.required, "unit": c.unit, "codes": " ".join(c.allowed), "doc": c.doc}
        for c in contract_named(name).columns
    ]
    write(pd.DataFrame(rows), {}, output)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, JSON, Parquet or XLSX; a register as TOML.")],
    name: Annotated[str, typer.Option("--as", help="The contract it should meet.")],
    lang: LanguageOption = "en",
) -> None:
    """Check a file against a contract; bad rows go to a file beside it. Exit 1 if there are any.

    Example: qonys contract check flows.csv --as flow
    """
    from qonys.i18n import words
    from qonys.pipeline import examine_file

    say = words(lang)
    found = examine_file(file, name)
    for fault in found.faults:
        print(fault)
    if found.ignored:
        tell(say.plain("cli.ignored", columns=", ".join(found.ignored)))
    if found.quarantine:
        tell(say.plain("cli.quarantine", path=found.quarantine))
    tell(say.plain("cli.checked", rows=say.number(found.rows), bad=say.number(found.bad_rows)))
    if found.bad_rows:
        raise typer.Exit(1)
