"""What a run does: exactly what the command line does, with words and pictures in every language."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qonys.core.areas import LANGUAGES
from qonys.core.errors import DesignError
from qonys.i18n import words
from qonys.report.rooms.naming import Names
from qonys.rooms import keep, simulate_file
from qonys.store.tables import write_text
from qonys.web.jobs import files
from qonys.web.jobs.asked import example_table, shipped_text, totals_of

if TYPE_CHECKING:
    import pandas as pd

    from qonys.report.charts import Chart
    from qonys.web.state.jobs import Job

Tell = Callable[[int, int, str], None]  # steps done, of how many, and the key of what is done now
WORDS = "words"  # folder of sentences and pictures, a file a language
FEW = 5  # households below which a group is not shown
MOST_GROUPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A room's results before any word: name, parameters, inputs (path, what it is), tables, and the function that puts them into words.

    speak: names of the parts in a language -> sentences and pictures; call: names -> what codes of a kind are called.
    """

    name: str
    parameters: Mapping[str, Any]
    inputs: list[tuple[Path, str]]
    tables: Mapping[str, pd.DataFrame]
    labels: Mapping[str, Mapping[str, str]]
    speak: Callable[[Names], tuple[list[str], dict[str, Chart]]]
    call: Callable[[Names], dict[str, dict[str, str]]] = lambda _: {}


def do(job: Job, *, home: Path, folder: Path, tell: Tell) -> None:
    """Do a run and write its result into `folder`. Errors: QonysError as sentences."""
    work = folder.with_name(f"{folder.name}.work")
    work.mkdir(parents=True)
    try:
        if job.kind == "study":
            study(job.asked, home=home, owner=job.owner or "", work=work, folder=folder, tell=tell)
            return
        if job.kind == "import":
            from qonys.web.jobs import imports

            files.place(home, job.owner or "", job.asked["files"], work)
            imports.preview(work / next(iter(job.asked["files"])), job.asked, tell, folder)
            return
        room = _placed(job, home, work)
        tell(0, 2 + len(LANGUAGES), "reckon")
        found = REGISTRY[job.kind](room, dict(job.asked.get("options", {})), tell)
        _kept(found, folder, tell)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def study(asked: Mapping[str, Any], *, home: Path, owner: str, work: Path, folder: Path, tell: Tell) -> None:
    """A study, built-in by name or a user's own by its text, with its reports, as `qonys study run` writes it."""
    from qonys.pipeline import open_study, run_study

    name = str(asked["study"])
    if asked.get("text"):
        write_text(asked["text"], work / "study.toml")
        files.place(home, owner, asked.get("files", {}), work)
        found = open_study(str(work / "study.toml"))
    else:
        found = open_study(name)
    steps = len(found.tables) + len(found.questions) + 1 + len(found.languages)
    done = 0

    def step(stage: str, what: str) -> None:
        nonlocal done
        tell(done, steps, f"{stage}:{what}")
        done += 1

    run_study(found, folder, (), step)
    if asked.get("text"):
        shutil.copyfile(work / "study.toml", folder / "study.toml")


def procedure(file: Path, options: Mapping[str, Any], tell: Tell) -> Outcome:
    """A procedure in its variants, simulated."""
    from qonys.report.rooms.procedure import procedure_pictures, procedure_sentences

    asked, found, labels = simulate_file(file)
    names = ("outcomes", "differences", "classes", "waiting", "use", "backlog", "distribution", "steps", "overloaded")
    return Outcome(
        name=asked.name, parameters={"runs": found.runs, "seed": found.seed, "coverage": found.coverage}, inputs=[(file, "procedure")],
        tables={one: getattr(found, one) for one in names}, labels=labels,
        speak=lambda name: (procedure_sentences(asked, found, name), procedure_pictures(asked, found, name)),
    )  # fmt: skip


def corridor(file: Path, options: Mapping[str, Any], tell: Tell) -> Outcome:
    """A corridor planned; where there is no plan, the limits that cannot hold together. binding, chance: asked further if above zero."""
    from qonys.report.rooms.corridor import (
        CorridorNames,
        binding_sentences,
        conflict_sentences,
        corridor_pictures,
        plan_sentences,
        withstood_sentences,
    )
    from qonys.rooms.corridors import open_corridor
    from qonys.scenarios import corridor as rooms
    from qonys.scenarios.corridor.summaries import closures, home_by_day, ways

    opened, effort = open_corridor(file), {"gap": options["gap"], "seconds": options["seconds"]}
    parameters = {"binding": options["binding"], **effort, "chance": options["chance"]}
    try:
        found = rooms.plan(opened.corridor, **effort)
    except DesignError:
        tell(1, 2 + len(LANGUAGES), "conflict")
        against = rooms.conflict(opened.corridor)
        if against.exists:
            raise
        return Outcome(
            name=opened.corridor.name, parameters=parameters | {"outcome": "conflict"}, inputs=[(file, "corridor")], labels=opened.labels,
            tables={"members": against.members, "structural": against.structural},
            speak=lambda name: (conflict_sentences(against, CorridorNames(opened.corridor, name)), {}),
        )  # fmt: skip
    tables: dict[str, pd.DataFrame] = {}
    bound = None
    if options["binding"]:
        tell(1, 2 + len(LANGUAGES), "binding")
        bound = rooms.binding(found, most=options["binding"], **effort)
        found, tables = bound.plan, {"prices": bound.prices, "loosened": bound.loosened}
    held = None
    if options["chance"]:
        tell(1, 2 + len(LANGUAGES), "withstand")
        held = rooms.withstand(opened.corridor, chance=options["chance"])
        tables |= {"withstood": held.results}
    shown = ("schedule", "moves", "papers", "home", "groups", "waiting", "days", "use", "summary")
    from_register = opened.spans.assign(first=opened.spans["first"].astype(str), last=opened.spans["last"].astype(str))

    def speak(name: Names) -> tuple[list[str], dict[str, Chart]]:
        names = CorridorNames(opened.corridor, name)
        told = plan_sentences(found, names)
        told += [] if bound is None else binding_sentences(bound, names)
        told += [] if held is None else withstood_sentences(held, options["chance"], names)
        for row in from_register.itertuples():
            first, last = (name.say.date(day) for day in (row.first, row.last))
            told.append(
                name.say.plain("corridor.from_register", border=names.place(row.border), first=first, last=last, measures=row.measures)
            )
        return told, corridor_pictures(ways(found), home_by_day(found), found.waiting, closures(opened.corridor), name)

    def call(name: Names) -> dict[str, dict[str, str]]:
        names = CorridorNames(opened.corridor, name)
        limits = found.use[["kind", "name"]].drop_duplicates().itertuples(index=False)
        return {
            "group": {one.id: names.group(one.id) for one in opened.corridor.groups},
            "leg": {one.id: names.leg(one.id) for one in opened.corridor.legs},
            "limit": {f"{kind} {code}": names.limit(kind, code) for kind, code in limits},
        }

    return Outcome(
        name=opened.corridor.name, parameters=parameters, inputs=[(file, "corridor")], labels=opened.labels, speak=speak, call=call,
        tables={one: getattr(found, one) for one in shown} | {"ways": ways(found), "closed": from_register} | tables,
    )  # fmt: skip


def totals(file: Path, options: Mapping[str, Any], tell: Tell) -> Outcome:
    """What two totals of a resettlement tell."""
    from qonys.report.rooms.settlement import totals_sentences
    from qonys.scenarios.reading import named_part
    from qonys.scenarios.settlement.totals import from_totals

    part, labels = named_part(file.read_text(encoding="utf-8"), file.name)
    given = totals_of(part)
    watched = None if given["watched_months"] is None else (given["watched_months"][0], given["watched_months"][1])
    found = from_totals(given["returned"], given["resettled"], mean_family=given["family"], watched_months=watched, months=given["months"])
    return Outcome(
        name=given["name"], parameters={}, inputs=[(file, "totals")], tables={"returned": found.returned, "retained": found.retained},
        labels=labels, speak=lambda name: (totals_sentences(found, name), {}),
    )  # fmt: skip


def place(file: Path, options: Mapping[str, Any], tell: Tell) -> Outcome:
    """Households placed. Which household goes where is not kept: no page may show rows of persons."""
    from qonys.report.rooms.settlement import placed_sentences, places_chart
    from qonys.rooms.settlements import place_file

    found = place_file(file, as_they_arrive=options["as_they_arrive"])
    groups = found.placed.groups
    groups = groups[groups["households"] >= FEW].reset_index(drop=True)

    def speak(name: Names) -> tuple[list[str], dict[str, Chart]]:
        pictures = {"places": places_chart(found.placed, name)} if len(found.placed.placements) else {}
        return placed_sentences(found.placed, name), pictures

    return Outcome(
        name=found.placement.name, parameters={"as_they_arrive": options["as_they_arrive"]}, inputs=list(found.inputs), labels=found.labels,
        tables={"regions": found.placed.regions, "summary": found.placed.summary, "groups": groups, "path": found.placed.path}, speak=speak,
    )  # fmt: skip


def retention(file: Path, options: Mapping[str, Any], tell: Tell) -> Outcome:
    """Who stays and by which support, of uploaded records. Groups too small to be shown are refused."""
    from qonys.report.rooms.settlement import effect_sentences, retention_sentences, survival_chart
    from qonys.rooms.settlements import retention_of_file

    by = options["by"] or None
    records = file.with_name(options["records"])
    found = retention_of_file(records, design=file, by=by, draws=options["draws"], seed=options["seed"])
    sizes = found.retention.curve.groupby("group")["at_risk"].max()
    if by is not None and (len(sizes) > MOST_GROUPS or int(sizes.min()) < FEW):
        raise DesignError(
            f"the groups by {by} are too many or too small to be shown: at most {MOST_GROUPS}, of {FEW} households or more",
            mend="choose a column with fewer values",
        )
    tables = {key: getattr(found.retention, key) for key in ("at_horizon", "curve", "mean_stay", "test")}
    effects, costs = found.effects, found.costs
    if effects is not None and costs is not None:
        tables |= {key: getattr(effects, key) for key in ("ratios", "retained", "crude", "notes")} | {"costs": costs}

    def speak(name: Names) -> tuple[list[str], dict[str, Chart]]:
        told = retention_sentences(found.retention, found.stays, name)
        if effects is not None and costs is not None:
            told += effect_sentences(effects, costs, name)
        if found.faults:
            told.append(name.say.plural("web.runs.unused", len(found.faults), rows=name.say.number(len(found.faults))).unescape())
        return told, {"survival": survival_chart(found.retention, name)}

    return Outcome(
        name=found.design.name, parameters={"by": by, "draws": options["draws"], "seed": options["seed"]},
        inputs=[(records, "household"), (file, "design")], tables=tables, labels=found.labels, speak=speak,
    )  # fmt: skip


REGISTRY: dict[str, Callable[[Path, Mapping[str, Any], Tell], Outcome]] = {
    "procedure": procedure, "corridor": corridor, "totals": totals, "place": place, "retention": retention,
}  # fmt: skip


def _placed(job: Job, home: Path, work: Path) -> Path:
    """The room's text and tables as files beside each other -> the file of the room."""
    asked = job.asked
    example = str(asked.get("shipped", ""))
    room = work / f"{example or job.kind}.toml"
    text = asked["text"]
    # the bytes that ship, so that the run of a shipped room has its hash
    write_text(shipped_text(example) if example and text.strip() == shipped_text(example).strip() else text, room)
    named = dict(asked.get("files", {}))
    files.place(home, job.owner or "", {name: digest for name, digest in named.items() if digest}, work)
    for name in (name for name, digest in named.items() if not digest):
        if (path := example_table(example, name)) is not None:
            shutil.copyfile(path, work / name)
    return room


def _kept(found: Outcome, folder: Path, tell: Tell) -> None:
    """The folder that the command line writes, and beside it sentences and pictures in every language, in both widths."""
    spoken = {}
    for place_, language in enumerate(LANGUAGES, start=1):
        tell(place_, 2 + len(LANGUAGES), f"words:{language}")
        names = Names(words(language), found.labels)
        sentences, pictures = found.speak(names)
        spoken[language] = (sentences, pictures)
        drawn = {name: {"wide": chart.wide, "narrow": chart.narrow} for name, chart in pictures.items()}
        told = {"sentences": sentences, "pictures": drawn, "labels": found.labels, "called": found.call(names)}
        write_text(json.dumps(told, ensure_ascii=False), folder / WORDS / f"{language}.json")
    tell(1 + len(LANGUAGES), 2 + len(LANGUAGES), "write")
    sentences, pictures = spoken[LANGUAGES[0]]
    keep(
        folder, found.name, parameters={**found.parameters, "language": LANGUAGES[0]}, inputs=found.inputs, tables=found.tables,
        pictures={key: chart.wide for key, chart in pictures.items()}, sentences=sentences,
    )  # fmt: skip
