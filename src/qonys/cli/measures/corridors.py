"""qonys measures exposure: from legal act to corridor, and why a corridor is on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qonys.cli.measures.options import FirstOption, KnownOption, LastOption, ReadingOption, RegisterOption, day, registers, span
from qonys.cli.output import LanguageOption, OutputOption, tell, write

if TYPE_CHECKING:
    import pandas as pd

    from qonys.i18n import Words


def exposure(
    destination: Annotated[list[str] | None, typer.Option("--destination", help="Area reached; EU27_2020 stands for its members.")] = None,
    origin: Annotated[list[str] | None, typer.Option("--origin", help="Area left; a union stands for its members, WORLD for all.")] = None,
    category: Annotated[list[str] | None, typer.Option("--category", help="Category of people; by default all of a corridor.")] = None,
    first: FirstOption = "2020-01",
    last: LastOption = "2022-12",
    by: Annotated[Literal["day", "week", "month"], typer.Option("--by", help="Length of a period.")] = "month",
    reading: ReadingOption = "possible",
    direction: Annotated[Literal["tightening", "easing"], typer.Option("--direction", help="Which measures count.")] = "tightening",
    people: Annotated[Path | None, typer.Option("--people", help="Weights: a flow or stock table with persons.")] = None,
    pooled: Annotated[bool, typer.Option("--pooled", help="All categories of a corridor together.")] = False,
    explain: Annotated[str | None, typer.Option("--explain", help="A destination: say in a sentence why the corridor is on.")] = None,
    on: Annotated[str | None, typer.Option("--on", help="With --explain: the day.")] = None,
    register: RegisterOption = None,
    known_on: KnownOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Compile measures into exposure: a row a corridor, category and period. Or explain one corridor on one day.

    Examples: qonys measures exposure --destination DEU --origin SYR -o exposure.parquet;
    qonys measures exposure --explain DEU --origin SYR --category asylum --on 2020-04-15
    """
    from qonys.core.errors import DataError
    from qonys.i18n import words
    from qonys.registers import compile_exposure, explain_corridor
    from qonys.store import connect, write_lazy

    say, names, known = words(lang), registers(register), day(known_on)
    if explain is not None:
        when = day(on)
        if len(origin or ()) != 1 or len(category or ()) != 1 or when is None:
            raise DataError("one corridor on one day is explained at a time", mend="give --origin, --category and --on, each once")
        corridor = ((origin or [""])[0], explain, (category or [""])[0])
        pairs = explain_corridor(names, *corridor, when, reading=reading, direction=direction, known_on=known)
        print(_sentence(pairs, *corridor, on or "", reading, direction, say))
        for row in pairs[pairs["why"].notna()].to_dict("records"):
            tell(f"  {_named(row, say)}: {say.plain('why.' + row['why'])}")
        if output is not None:
            write(pairs, {}, output)
        return
    if people is None and (not origin or not destination):
        raise DataError("no corridor is named", mend="give --origin and --destination, or --people with the corridors' weights")
    con = connect()
    rows = compile_exposure(
        con, names, origin or (), destination or (), category or (), span(first, last), by=by, reading=reading, direction=direction,
        people=people, pooled=pooled, known_on=known,
    )  # fmt: skip
    if output is not None:
        tell(f"{output}: {write_lazy(con, rows, output)}")
    else:
        write(con.to_pandas(rows), {}, None)


def _sentence(pairs: pd.DataFrame, origin: str, destination: str, category: str, on: str, reading: str, direction: str, say: Words) -> str:
    """Why the corridor is on, or that it is off, in one sentence."""
    reached = pairs[pairs["why"].isna()].sort_values(["dose", "id"], ascending=[False, True])
    about = {
        "corridor": f"{say.area(origin)} → {say.area(destination)}", "category": say.plain(f"category.{category}"), "day": say.date(on),
        "reading": say.plain(f"reading.{reading}"), "direction": say.plain(f"direction.{direction}"),
    }  # fmt: skip
    if reached.empty:
        return say.plain("explain.off", **about, others=say.number(len(pairs)))
    named = "; ".join(_named(row, say) for row in reached.to_dict("records"))
    dose = reached["dose"].max()
    return say.plain("explain.on", **about, dose=say.number(dose, 0 if dose == int(dose) else 1), measures=named)


def _named(row: dict[str, object], say: Words) -> str:
    """A measure in a sentence: title, id, issuer, from when to when, and the act that puts it into force."""
    common = re.sub(r"[^a-z0-9]+", "_", str(row["title"]).lower()).strip("_")  # titles that many entries of a tracker share
    title = say.label("measure", f"{row['id']}.title", otherwise=say.label("title", common, otherwise=str(row["title"])))
    span = say.span(*(None if value is None or value != value else str(value) for value in (row["start"], row["end"])))
    via = row["via"]
    through = "" if via is None or via != via else ", " + say.plain("explain.via", id=via)
    return f"«{title}» ({row['id']}, {say.area(str(row['issuer']))}, {span}{through})"
