"""qonys flows: the figures of an area as they are known, and who goes where."""

from __future__ import annotations

from typing import Annotated

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write_labelled
from qonys.cli.situation import FlowsOption

app = typer.Typer(no_args_is_help=True, help="Flows: the figures of an area, who goes where.")


@app.command()
def show(
    area: Annotated[str, typer.Argument(help="A country, a region of Kazakhstan, or a union: KAZ, KZ-75, EU27_2020.")],
    first: Annotated[int | None, typer.Option("--first", help="First year; else the first with figures.")] = None,
    last: Annotated[int | None, typer.Option("--last", help="Last year.")] = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="immigration, emigration, net, in_migration, ...; else all.")] = None,
    flows: FlowsOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Every yearly figure of an area with its source; where reports disagree all stay, and the one that is used is marked.

    Example: qonys flows show KAZ --first 2015 --kind immigration
    """
    from qonys.i18n import words
    from qonys.registers import SHIPPED
    from qonys.situation import KINDS, series_of

    found = series_of(area, first=first, last=last, kinds=tuple(kind or KINDS), tables=tuple(flows or (SHIPPED,)))
    write_labelled(found, words(lang), output)


@app.command()
def areas(lang: LanguageOption = "en", output: OutputOption = None) -> None:
    """The areas that have figures, measures or both, and for which years. Example: qonys flows areas"""
    from qonys.i18n import words
    from qonys.situation import areas_known

    write_labelled(areas_known(), words(lang), output)


@app.command()
def pairs(
    period: Annotated[str, typer.Option("--period", "--year", help="A year, a month, or 2021-01/2021-03.")],
    top: Annotated[int, typer.Option("--top", help="The largest areas that stand by themselves; the others are together.")] = 12,
    group: Annotated[str | None, typer.Option("--group", help="A shipped division instead: accession, schengen, visegrad, nordic.")] = None,
    country: Annotated[str, typer.Option("--country", help="The country whose regions are meant, if no table is named.")] = "KAZ",
    flows: FlowsOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Moves between areas in a period: the table of origins and destinations, cut to the largest areas and the rest.

    Of the regions of a country, or, with --flows, of all areas of a table. Where pairs are not published, what came to and left each area.
    Example: qonys flows pairs --period 2021-01/2021-03
    """
    from qonys.i18n import words
    from qonys.situation import pairs_in, pairs_of
    from qonys.situation.opened import rows_held

    say = words(lang)
    if flows:
        found = pairs_in(rows_held(tuple(flows)), period, top=top, group=group)
    else:
        found = pairs_of(period, top=top, group=group, country=country)
    if found.gap is not None:
        tell(say.plain("cli.no_pairs", period=period))
    write_labelled(found.cells if found.gap is None else found.margins, say, output)
