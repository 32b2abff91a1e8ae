"""qonys measures index: indices of a codebook from a table of levels, and the register's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qonys.cli.measures.options import FirstOption, KnownOption, LastOption, ReadingOption, RegisterOption, day, registers, span
from qonys.cli.output import LanguageOption, OutputOption, tell, write

if TYPE_CHECKING:
    import pandas as pd


def index(
    name: Annotated[str, typer.Argument(help="restriction or support; or a codebook: oxcgrt, or the path of your own.")],
    levels: Annotated[Path | None, typer.Argument(help="For a codebook: the table of levels.")] = None,
    parts: Annotated[str | None, typer.Option("--parts", help="For a codebook: what this index is made of, row by row.")] = None,
    issuer: Annotated[list[str] | None, typer.Option("--issuer", help="For the register: an issuer; may be given several times.")] = None,
    first: FirstOption = "2020-01",
    last: LastOption = "2022-12",
    by: Annotated[Literal["all", "category", "field"], typer.Option("--by", help="For the register: the whole, or its parts.")] = "all",
    reading: ReadingOption = "possible",
    band: Annotated[bool, typer.Option("--band", help="For the register: how far doubt about dates and codes would move it.")] = False,
    register: RegisterOption = None,
    known_on: KnownOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Compute an index, 0 to 100. Examples: qonys measures index oxcgrt levels.parquet; qonys measures index restriction --issuer KAZ"""
    from qonys.core.errors import DataError

    if levels is not None:
        rows = _of_codebook(name, levels, parts, lang)
    elif name in ("restriction", "support"):
        rows = _of_register(name, issuer or [], span(first, last), by, reading, band, registers(register), day(known_on))
    else:
        raise DataError(f"the codebook {name} needs a table of levels", mend="name the file, or ask for restriction or support")
    write(rows, {}, output)


def _of_codebook(name: str, path: Path, parts: str | None, lang: str) -> pd.DataFrame:
    from qonys.i18n import words
    from qonys.registers import index_file

    done = index_file(name, path, parts=parts)
    if done.quarantine:
        say = words(lang)
        tell(say.plain("cli.off_scale", rows=say.number(done.bad_rows)))
        tell(say.plain("cli.quarantine", path=done.quarantine))
    return done.rows


def _of_register(
    name: str, issuers: list[str], days: tuple[date, date], by: Literal["all", "category", "field"],
    reading: Literal["certain", "possible"], band: bool, names: tuple[str, ...], known_on: date | None,
) -> pd.DataFrame:  # fmt: skip
    from qonys.core import areas
    from qonys.measures import band as band_of
    from qonys.measures import confusion, daily_index, days_between, register_index
    from qonys.registers import entries_of, open_registers, second_coding
    from qonys.store import connect

    con = connect()
    measures = open_registers(con, names, known_on=known_on)
    for code in issuers:
        areas.area(code)
    chosen = issuers or sorted(con.to_pandas(measures.select("issuer").distinct())["issuer"])
    which = register_index(name)
    if band:
        noise = confusion(entries_of(["shipped"]), second_coding())
        # the coders read the word "general" in two ways: that is a rule to settle, not an error to draw from
        noise = replace(noise, general=noise.general.iloc[:0])
        return band_of(con.to_pandas(measures), *days, chosen, which, noise=noise)
    found = daily_index(measures, days_between(*days, "day"), chosen, which, reading=reading, by=by)
    return con.to_pandas(found.order_by("issuer", "day", "part"))
