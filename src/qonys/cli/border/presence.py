"""qonys border stays, stranded: who is present on a day, and who is stuck."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qonys.cli.measures.options import ReadingOption, RegisterOption, day, registers
from qonys.cli.output import LanguageOption, OutputOption, tell, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from qonys.borders.presence import Day

MOST_NAMED = 5  # entries of the register in a sentence

FileArgument = Annotated[Path, typer.Argument(help="Crossings as Parquet: person_id (keyed hash), at, direction, ...")]
OnOption = Annotated[str, typer.Option("--on", help="The day: who is present when it ends.")]
CountryOption = Annotated[str, typer.Option("--country", help="Whose border it is, as KAZ.")]
EndOption = Annotated[
    str | None, typer.Option("--end", help="Last day the records cover; later records settle doubt. By default the day itself.")
]
VisaFreeOption = Annotated[Path | None, typer.Option("--visa-free", help="Your own visa-free rules with their lists (TOML).")]
ZoneOption = Annotated[int, typer.Option("--zone-hours", help="How far the day of the border runs ahead of UTC.")]
DisclosureOption = Annotated[
    Literal["cell_key", "suppression", "none"],
    typer.Option("--disclosure", help="How counts are protected; none is noted in the audit trail."),
]
EngineOption = Annotated[str, typer.Option("--engine", help="Where it is computed: duckdb, spark.")]


def stays(
    file: FileArgument,
    on: OnOption,
    country: CountryOption,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="citizenship, permit, purpose, stay_class, permit_status, over_class, basis, doubt, border_point, sex; "
                     "may be given several times. By default the first five."),
    ] = None,
    visa_free: VisaFreeOption = None,
    end: EndOption = None,
    zone_hours: ZoneOption = 0,
    disclosure: DisclosureOption = "cell_key",
    totals: Annotated[bool, typer.Option("--totals", help="Add the sums over each column.")] = False,
    micro: Annotated[bool, typer.Option("--micro", help="A row a person instead of counts; noted in the audit trail.")] = False,
    engine: EngineOption = "duckdb",
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:  # fmt: skip
    """Count the persons present when a day ends, by what they hold and whether it has ended. Counts are protected.

    Example: qonys border stays crossings.parquet --on 2020-04-15 --country KAZ --by citizenship --by permit_status -o stays.csv
    """
    from qonys.border.stays import BY
    from qonys.borders.presence import people_of_file, stays_of_file
    from qonys.core.errors import DataError
    from qonys.i18n import words

    asked, say = _day(on, country, end, zone_hours), words(lang)
    _apart(output, file, visa_free)
    if micro:
        if by or totals or engine != "duckdb":
            raise DataError("--micro shows persons, and counts nothing", mend="leave out --by, --totals and --engine, or --micro")
        con, rows = people_of_file(file, asked, visa_free=visa_free)
        if output is None:
            write(con.to_pandas(rows), {}, None)
        else:
            from qonys.store import write_lazy

            tell(f"{output}: {write_lazy(con, rows, output)}")
        return
    found = stays_of_file(file, asked, by=by or BY, visa_free=visa_free, disclosure=disclosure, totals=totals, engine=engine)
    write(found.table, {name: say.label("column", name, otherwise=name) for name in found.table.columns}, output)
    figures = {name: say.number(number) for name, number in found.figures.items()}
    tell(say.plain("cli.present", day=say.date(on), persons=figures["present"]))
    if "expired" in figures:
        tell(say.plain("cli.present_permits", country=say.area(country), own=figures["own_citizens"], expired=figures["expired"],
                       doubtful=figures["in_doubt"], unknown=figures["unknown"]))  # fmt: skip


def stranded(
    file: FileArgument,
    on: OnOption,
    country: CountryOption,
    within_days: Annotated[int, typer.Option("--within-days", min=0, max=3660, help="Permissions that end so soon count too.")] = 30,
    reading: ReadingOption = "certain",
    category: Annotated[
        list[str] | None,
        typer.Option("--category", help="Whose entry at home must be closed: citizen (by default); visitor counts closures to foreigners "
                     "too, an upper bound."),
    ] = None,
    dose: Annotated[float, typer.Option("--dose", help="From which dose a measure closes a way: 87.5 is strength 4.")] = 87.5,
    abroad: Annotated[bool, typer.Option("--abroad", help="Own citizens abroad whose way back is closed, too.")] = False,
    left_within_days: Annotated[int, typer.Option("--left-within-days", min=0, max=3660, help="--abroad: who left so lately.")] = 180,
    visa_free: VisaFreeOption = None,
    register: RegisterOption = None,
    end: EndOption = None,
    zone_hours: ZoneOption = 0,
    disclosure: DisclosureOption = "cell_key",
    engine: EngineOption = "duckdb",
    lang: LanguageOption = "en",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the groups, by border point, to this file: CSV, JSON, Parquet or XLSX by suffix."),
    ] = None,
) -> None:  # fmt: skip
    """List who is stuck by citizenship: present, permission at an end, way home closed by the register. Groups for planning with -o.

    Example: qonys border stranded crossings.parquet --on 2020-04-15 --country KAZ --within-days 30 -o groups.csv
    """
    from qonys.borders.presence import stranded_of_file
    from qonys.i18n import words

    asked, say = _day(on, country, end, zone_hours), words(lang)
    _apart(output, file, visa_free)
    found = stranded_of_file(
        file, asked, within_days=within_days, registers=registers(register), reading=reading, categories=category or ["citizen"],
        dose=dose, abroad=abroad, left_within_days=left_within_days, visa_free=visa_free, disclosure=disclosure, engine=engine,
    )  # fmt: skip
    if output is not None:
        write(found.groups, {}, output)
    summary = found.summary
    shown = summary.assign(
        citizenship=[f"{say.area(code)} ({code})" for code in summary["citizenship"]],
        closed_at=[say.plain(f"closed_at.{code}") for code in summary["closed_at"]],
    )
    write(shown, {name: say.label("column", name, otherwise=name) for name in shown.columns}, None)
    about = {
        "day": say.date(on), "country": say.area(country), "reading": say.plain(f"reading.{reading}"), "closed": say.number(found.closed),
    }  # fmt: skip
    numbers = {name: say.number(int(number)) for name, number in found.figures.items()}
    stuck = {"measures": _named(summary["measure_ids"]), **numbers}
    tell(say.plain("cli.stuck", **about, **stuck) if len(summary) else say.plain("cli.nobody_stuck", **about))
    if found.hidden:
        tell(say.plain("cli.groups_hidden", groups=say.number(found.hidden)))


def _named(ids: Iterable[Sequence[str]]) -> str:
    """The entries that keep most citizenships from home; how many more."""
    found = Counter(one for some in ids for one in some)
    first = [name for name, _ in sorted(found.items(), key=lambda item: (-item[1], item[0]))]
    more = len(first) - MOST_NAMED
    return ", ".join(first[:MOST_NAMED]) + (f", +{more}" if more > 0 else "")


def _apart(output: Path | None, *inputs: Path | None) -> None:
    from qonys.core.errors import DataError

    if output is not None and any(one is not None and one.resolve() == output.resolve() for one in inputs):
        raise DataError(f"{output} is the input too", mend="name another output")


def _day(on: str, country: str, end: str | None, zone_hours: int) -> Day:
    from qonys.borders.presence import Day as Asked
    from qonys.core import areas

    areas.area(country)
    first, last = day(on), day(end)
    assert first is not None
    return Asked(on=first, country=country, end=last, zone_hours=zone_hours)
