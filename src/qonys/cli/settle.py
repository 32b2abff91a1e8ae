"""qonys settle retention, totals, place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write_labelled

app = typer.Typer(
    name="settle", no_args_is_help=True, help="Who stays, by which support and at what cost; which household goes to which region."
)

Stayed = Literal["at_horizon", "curve", "mean_stay", "test", "ratios", "retained", "crude", "costs", "notes"]
Placing = Literal["placements", "unplaced", "regions", "summary", "groups", "path", "notes"]
FolderOption = Annotated[Path | None, typer.Option("--to", help="Write every table, picture and sentence, and the run, to this folder.")]


@app.command()
def retention(
    records: Annotated[Path, typer.Argument(help="Household records: a table of the contract household, with any further columns.")],
    design: Annotated[
        Path | None, typer.Option("--design", help="Which support is judged, beside what, and its costs: a TOML file.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Show groups apart: a column, or a support measure (with, without).")] = None,
    show: Annotated[
        Stayed | None, typer.Option("--show", help="Which table to print; by default retained with a design, else at_horizon.")
    ] = None,
    draws: Annotated[int, typer.Option("--draws", help="Draws for the intervals of effects.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Random seed of these draws.")] = 1,
    to: FolderOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Share of households still there by months since the move; what each support adds, and what a household that stays for it costs.

    Ethnicity and religion are refused as predictors.

    Example: qonys settle retention households.csv --design north.toml --by rent_cover --to out/north
    """
    from qonys.core.errors import DesignError
    from qonys.i18n import words
    from qonys.report.rooms.naming import Names
    from qonys.report.rooms.settlement import effect_sentences, retention_sentences, survival_chart
    from qonys.rooms import check_folder, keep
    from qonys.rooms.settlements import retention_of_file

    check_folder(to)
    found = retention_of_file(records, design=design, by=by, draws=draws, seed=seed)
    say = words(lang)
    name = Names(say, found.labels)
    for fault in found.faults:
        tell(fault)
    if found.quarantine is not None:
        tell(str(found.quarantine))
    tables = {key: getattr(found.retention, key) for key in ("at_horizon", "curve", "mean_stay", "test")}
    if found.effects is not None and found.costs is not None:
        tables |= {key: getattr(found.effects, key) for key in ("ratios", "retained", "crude", "notes")} | {"costs": found.costs}
    wanted = show or ("retained" if found.effects is not None else "at_horizon")
    if wanted not in tables:
        raise DesignError(f"there is no table {wanted} without a question", mend="give --design")
    write_labelled(tables[wanted], say, output)
    sentences = retention_sentences(found.retention, found.stays, name)
    if found.effects is not None and found.costs is not None:
        sentences += effect_sentences(found.effects, found.costs, name)
    for sentence in sentences:
        tell(sentence)
    if to is not None:
        inputs = [(records, "household"), *([] if design is None else [(design, "design")])]
        parameters = {"by": by, "draws": draws, "seed": seed, "language": lang}
        pictures = {"survival": survival_chart(found.retention, name).wide}
        keep(to, found.design.name, parameters=parameters, inputs=inputs, tables=tables, pictures=pictures, sentences=sentences)
        tell(str(to))


@app.command()
def totals(
    returned: Annotated[int, typer.Argument(help="How many went back.")],
    resettled: Annotated[int, typer.Argument(help="How many came.")],
    family: Annotated[float | None, typer.Option("--family", help="Mean persons of a family, who go or stay together.")] = None,
    watched: Annotated[
        tuple[float, float] | None,
        typer.Option("--watched", help="Months from the move to the count, of the last who came and of the first."),
    ] = None,
    show: Annotated[
        Literal["returned", "retained"],
        typer.Option("--show", help="Which table to print: who went back, or bounds of who is still there."),
    ] = "returned",
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """What two published totals tell of going back, with intervals, and what they cannot.

    Example: qonys settle totals 770 9206 --family 4 --watched 0 60 --show retained
    """
    from qonys.i18n import words
    from qonys.report.rooms.naming import Names
    from qonys.report.rooms.settlement import totals_sentences
    from qonys.scenarios.settlement.totals import from_totals

    say = words(lang)
    found = from_totals(returned, resettled, mean_family=family, watched_months=watched)
    write_labelled(getattr(found, show), say, output)
    for sentence in totals_sentences(found, Names(say, {})):
        tell(sentence)


@app.command()
def place(
    file: Annotated[Path, typer.Argument(help="A placement: a TOML file that names households, regions and values.")],
    as_they_arrive: Annotated[
        bool, typer.Option("--as-they-arrive", help="One after the other, for good, with prices that follow.")
    ] = False,
    show: Annotated[Placing, typer.Option("--show", help="Which table to print.")] = "placements",
    to: FolderOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Households to regions, whole, under places, jobs, schools and housing, with the reason for each. No use of ethnicity or religion.

    Example: qonys settle place north.toml --as-they-arrive --to out/place
    """
    from qonys.i18n import words
    from qonys.report.rooms.naming import Names
    from qonys.report.rooms.settlement import placed_sentences, places_chart
    from qonys.rooms import check_folder, keep
    from qonys.rooms.settlements import place_file

    check_folder(to)
    found = place_file(file, as_they_arrive=as_they_arrive)
    say = words(lang)
    name = Names(say, found.labels)
    write_labelled(getattr(found.placed, show), say, output)
    sentences = placed_sentences(found.placed, name)
    for sentence in sentences:
        tell(sentence)
    if to is not None:
        tables = {key: getattr(found.placed, key) for key in Placing.__args__}  # type: ignore[attr-defined]
        pictures = {"places": places_chart(found.placed, name).wide} if len(found.placed.placements) else {}
        parameters = {"as_they_arrive": as_they_arrive, "language": lang}
        keep(to, found.placement.name, parameters=parameters, inputs=found.inputs, tables=tables, pictures=pictures, sentences=sentences)
        tell(str(to))
