"""qonys corridor plan, replan, conflict, withstand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write_labelled

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from qonys.report.rooms.corridor import CorridorNames
    from qonys.rooms.corridors import Opened
    from qonys.scenarios.corridor import Plan

app = typer.Typer(
    name="corridor", no_args_is_help=True, help="Who is brought home on which train, bus or flight, what binds, and what holds."
)

Shown = Literal["schedule", "moves", "papers", "home", "groups", "waiting", "days", "use", "summary"]
File = Annotated[Path, typer.Argument(help="A corridor: a TOML file with groups, legs, borders and limits.")]
GapOption = Annotated[float, typer.Option("--gap", help="How far from the best plan this one may be: 0.01 is 1 %.")]
SecondsOption = Annotated[float, typer.Option("--seconds", help="Time for each solution.")]
FolderOption = Annotated[Path | None, typer.Option("--to", help="Write every table, picture and sentence, and the run, to this folder.")]
ShowOption = Annotated[Shown, typer.Option("--show", help="Which table to print.")]


@app.command()
def plan(
    file: File,
    show: ShowOption = "schedule",
    binding: Annotated[
        int, typer.Option("--binding", min=0, help="Say what one more of so many limits would bring; each is solved anew.")
    ] = 0,
    gap: GapOption = 0.01,
    seconds: SecondsOption = 60.0,
    to: FolderOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """The plan with the least weighted waiting: what runs when, who is on board, when each group is home. Where none exists: why.

    Example: qonys corridor plan transit.toml --binding 3 --to out/transit
    """
    from qonys.core.errors import DesignError
    from qonys.report.rooms.corridor import binding_sentences, conflict_sentences, plan_sentences
    from qonys.rooms import check_folder
    from qonys.rooms.corridors import open_corridor
    from qonys.scenarios.corridor import binding as what_binds
    from qonys.scenarios.corridor import conflict as what_conflicts
    from qonys.scenarios.corridor import plan as make
    from qonys.scenarios.corridor.search import check_effort

    check_folder(to)
    check_effort(gap, seconds)
    opened = open_corridor(file)
    names = _names(opened, lang)
    try:
        found = make(opened.corridor, gap=gap, seconds=seconds)
    except DesignError as none:
        tell(names.say.plain("conflict.looking"))
        against = what_conflicts(opened.corridor)
        if against.exists:
            raise
        for sentence in conflict_sentences(against, names):
            tell(sentence)
        raise DesignError(none.what, mend="loosen one of the limits above") from None
    sentences = plan_sentences(found, names)
    tables: dict[str, pd.DataFrame] = {}
    if binding:
        bound = what_binds(found, most=binding, gap=gap, seconds=seconds)
        found, tables = bound.plan, {"prices": bound.prices, "loosened": bound.loosened}
        sentences = plan_sentences(found, names) + binding_sentences(bound, names)
    write_labelled(getattr(found, show), names.say, output)
    for sentence in sentences:
        tell(sentence)
    parameters = {"binding": binding, "gap": gap, "seconds": seconds, "language": lang}
    _keep(to, found, names, [(file, "corridor")], sentences, tables, parameters)


@app.command()
def replan(
    file: File,
    done: Annotated[Path, typer.Option("--done", help="Folder of the plan that was followed until then.")],
    on: Annotated[str, typer.Option("--on", help="First day that is planned anew: 2020-05-01.")],
    show: Annotated[
        Literal["changes", "held", "crowded", "schedule", "groups"], typer.Option("--show", help="Which table to print.")
    ] = "changes",
    gap: GapOption = 0.01,
    seconds: SecondsOption = 60.0,
    to: FolderOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """The rest of a plan made anew on a day, as the file now says: who is under way goes on, who meets a closed border waits before it.

    Example: qonys corridor replan transit_closed.toml --done out/transit --on 2020-05-01
    """
    from qonys.report.rooms.corridor import replan_sentences
    from qonys.rooms import check_folder
    from qonys.rooms.corridors import open_corridor, open_plan
    from qonys.scenarios.corridor import replan as again

    check_folder(to)
    opened = open_corridor(file)
    names = _names(opened, lang)
    found = again(opened.corridor, open_plan(done), on=_day(on), gap=gap, seconds=seconds)
    tables = {"changes": found.changes, "held": found.held, "crowded": found.crowded}
    write_labelled(tables[show] if show in tables else getattr(found.plan, show), names.say, output)
    sentences = replan_sentences(found, names)
    for sentence in sentences:
        tell(sentence)
    inputs = [(file, "corridor"), (done / "run.json", "plan")]
    _keep(to, found.plan, names, inputs, sentences, tables, {"on": on, "gap": gap, "seconds": seconds, "language": lang})


@app.command()
def conflict(
    file: File,
    seconds: SecondsOption = 10.0,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Where no plan exists: the fewest limits that cannot hold together, and what would be needed if each alone gave way.

    Example: qonys corridor conflict transit.toml --lang kk
    """
    from qonys.report.rooms.corridor import conflict_sentences
    from qonys.rooms.corridors import open_corridor
    from qonys.scenarios.corridor import conflict as what_conflicts

    opened = open_corridor(file)
    names = _names(opened, lang)
    found = what_conflicts(opened.corridor, seconds=seconds)
    write_labelled(found.members, names.say, output)
    for sentence in conflict_sentences(found, names):
        tell(sentence)


@app.command()
def withstand(
    file: File,
    chance: Annotated[float, typer.Option("--chance", help="Chance that a departure is lost, 0 to 1.")],
    scenarios: Annotated[int, typer.Option("--scenarios", help="Scenarios the robust plan is made for.")] = 20,
    tests: Annotated[int, typer.Option("--tests", help="Fresh scenarios both plans are held against.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed.")] = 1,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """The plan, and one with vehicles in reserve, when each departure may be lost: how often everybody is home in time, and when.

    Example: qonys corridor withstand transit.toml --chance 0.05
    """
    from qonys.report.rooms.corridor import withstood_sentences
    from qonys.rooms.corridors import open_corridor
    from qonys.scenarios.corridor import withstand as hold

    opened = open_corridor(file)
    names = _names(opened, lang)
    found = hold(opened.corridor, chance=chance, scenarios=scenarios, tests=tests, seed=seed)
    write_labelled(found.results, names.say, output)
    for sentence in withstood_sentences(found, chance, names):
        tell(sentence)


def _names(opened: Opened, lang: str) -> CorridorNames:
    """Names in the language; spans that came from the register are told on the way."""
    from qonys.i18n import words
    from qonys.report.rooms.corridor import CorridorNames
    from qonys.report.rooms.naming import Names

    names = CorridorNames(opened.corridor, Names(words(lang), opened.labels))
    for row in opened.spans.itertuples():
        first, last = (names.say.date(day.isoformat()) for day in (row.first, row.last))
        tell(names.say.plain("corridor.from_register", border=names.place(row.border), first=first, last=last, measures=row.measures))
    return names


def _day(text: str) -> date:
    from qonys.core.errors import DesignError

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DesignError(f"{text!r} is no day", mend="write year, month and day: 2020-05-01") from None


def _keep(
    to: Path | None,
    found: Plan,
    names: CorridorNames,
    inputs: list[tuple[Path, str]],
    sentences: list[str],
    tables: dict[str, pd.DataFrame],
    parameters: Mapping[str, object],
) -> None:
    if to is None:
        return
    from qonys.report.rooms.corridor import corridor_pictures
    from qonys.rooms import keep
    from qonys.scenarios.corridor.summaries import closures, home_by_day, ways

    every = {one: getattr(found, one) for one in Shown.__args__} | tables  # type: ignore[attr-defined]
    drawn = corridor_pictures(ways(found), home_by_day(found), found.waiting, closures(found.corridor), names.name)
    pictures = {key: chart.wide for key, chart in drawn.items()}
    keep(
        to,
        found.corridor.name,
        parameters=parameters,
        inputs=inputs,
        tables=every,
        pictures=pictures,
        sentences=sentences,
    )
    tell(str(to))
