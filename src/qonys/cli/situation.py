"""qonys situation: one area on one day: what moved, what is in force, what is out of line."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from qonys.cli.measures.options import RegisterOption, registers
from qonys.cli.output import LanguageOption, OutputOption, tell, write_labelled

FlowsOption = Annotated[
    list[str] | None, typer.Option("--flows", help="shipped, or a table of the contract flow; may be given several times.")
]


def situation(
    area: Annotated[str, typer.Argument(help="A country, a region of Kazakhstan, or a union: KAZ, KZ-75, DEU.")],
    on: Annotated[str | None, typer.Option("--on", help="The day, as 2020-04-15; else today.")] = None,
    show: Annotated[
        Literal["moved", "in_force", "out_of_line"], typer.Option("--show", help="Which table; an XLSX file holds all three.")
    ] = "moved",
    flows: FlowsOption = None,
    register: RegisterOption = None,
    entry_rules: Annotated[
        list[str] | None, typer.Option("--entry-rules", help="Entry rules by citizenship, to hold a member of the EU against.")
    ] = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """What moved in an area up to a day, which measures are in force on it, and what is out of line with its past and its peers.

    Example: qonys situation KAZ --on 2020-04-15 --show in_force
    """
    from datetime import date

    from qonys.i18n import words
    from qonys.registers import SHIPPED
    from qonys.situation import out_of_line, situation_of
    from qonys.store.tables import whole_file, write_workbook

    say = words(lang)
    tables, names = tuple(flows or (SHIPPED,)), registers(register)
    found = situation_of(area, on or date.today(), tables=tables, registers=names)
    departs = found.out_of_line
    if entry_rules:
        departs = out_of_line(found.area, found.on, entry_rules=tuple(entry_rules), tables=tables, registers=names)
    sheets = {"moved": found.moved, "in_force": found.in_force, "out_of_line": departs}
    if output is not None and output.suffix == ".xlsx":
        with whole_file(output) as draft:
            write_workbook(sheets, draft)
        tell(f"{output}: {', '.join(f'{name} {len(rows)}' for name, rows in sheets.items())}")
    else:
        write_labelled(sheets[show], say, output)
    counts = {name: say.number(int((found.in_force["certainty"] == name).sum())) for name in ("certain", "possible", "undated")}
    pairs = departs["what"] == "measures_conflict"
    out = {"departs": say.number(int(departs["departs"].fillna(False).sum())), "pairs": say.number(int(pairs.sum()))}
    tell(say.plain("cli.situation", area=say.area(found.area, found.on), day=say.date(found.on.isoformat()), **counts, **out))
