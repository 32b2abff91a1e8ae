"""qonys procedure simulate, cases, fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write_labelled

app = typer.Typer(
    name="procedure", no_args_is_help=True, help="How long a procedure takes, who waits where, and how often its deadline is kept."
)

Shown = Literal["outcomes", "differences", "classes", "waiting", "use", "backlog", "distribution", "steps", "overloaded"]
Fitting = Literal["durations", "comparison", "bottleneck", "agencies", "returns", "follows", "arrivals", "case_days", "survival", "notes"]
File = Annotated[Path, typer.Argument(help="A procedure: a TOML file with steps, agencies, arrivals and variants.")]
FolderOption = Annotated[Path | None, typer.Option("--to", help="Write every table, picture and sentence, and the run, to this folder.")]


@app.command()
def simulate(
    file: File,
    show: Annotated[Shown, typer.Option("--show", help="Which table to print.")] = "outcomes",
    runs: Annotated[int | None, typer.Option("--runs", min=1, max=100_000, help="Repetitions, instead of those of the file.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Random seed, instead of that of the file.")] = None,
    to: FolderOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """A procedure in its variants: chance to keep the limit, waiting, use of officers, backlog, visits, documents, costs.

    Example: qonys procedure simulate kandas.toml --show waiting --to out/kandas
    """
    from qonys.i18n import words
    from qonys.report.rooms.naming import Names
    from qonys.report.rooms.procedure import procedure_pictures, procedure_sentences
    from qonys.rooms import check_folder, keep, simulate_file

    check_folder(to)
    say = words(lang)
    procedure, found, labels = simulate_file(file, runs=runs, seed=seed)
    name = Names(say, labels)
    write_labelled(getattr(found, show), say, output)
    sentences = procedure_sentences(procedure, found, name)
    for sentence in sentences:
        tell(sentence)
    if to is not None:
        tables = {one: getattr(found, one) for one in Shown.__args__}  # type: ignore[attr-defined]
        pictures = {key: chart.wide for key, chart in procedure_pictures(procedure, found, name).items()}
        parameters = {"runs": found.runs, "seed": found.seed, "coverage": found.coverage, "language": lang}
        keep(to, procedure.name, parameters=parameters, inputs=[(file, "procedure")], tables=tables, pictures=pictures, sentences=sentences)
        tell(str(to))


@app.command()
def cases(
    file: File,
    variant: Annotated[str | None, typer.Option("--variant", help="Which variant; by default the first.")] = None,
    run: Annotated[int, typer.Option("--run", min=0, help="Which repetition.")] = 0,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """The log of one simulated run, a row a case and step, as a case system would keep it: the contract case_event.

    Example: qonys procedure cases kandas.toml --variant one_stop -o log.parquet
    """
    from qonys.i18n import words
    from qonys.rooms import open_procedure
    from qonys.scenarios.procedure.simulate import cases as log

    procedure, _ = open_procedure(file)
    write_labelled(log(procedure, variant_name=variant, run=run), words(lang), output)


@app.command()
def fit(
    log: Annotated[Path, typer.Argument(help="An event log: a case_event table (CSV, Parquet, XLSX), or XES, plain or gzipped.")],
    declared: Annotated[Path | None, typer.Option("--declared", help="The procedure as it is declared, to compare with.")] = None,
    show: Annotated[Fitting, typer.Option("--show", help="Which table to print.")] = "durations",
    as_of: Annotated[str | None, typer.Option("--as-of", help="Day or moment of the cut, UTC; by default the last of the log.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, max=3660, help="Legal limit in days: the share of cases decided within it.")
    ] = None,
    country: Annotated[str | None, typer.Option("--country", help="Count its working days too: KAZ.")] = None,
    zone: Annotated[str, typer.Option("--zone", help="Time zone of days and months: Asia/Almaty.")] = "UTC",
    last_step: Annotated[str | None, typer.Option("--last-step", help="The step that decides a case; by default found in the log.")] = None,
    procedure: Annotated[Path | None, typer.Option("--procedure", help="Write a procedure file that moves as the log did.")] = None,
    keep_waiting: Annotated[
        bool,
        typer.Option(
            "--keep-waiting", help="With --procedure: waiting is part of the steps, not of a queue; for logs in which finished is decided."
        ),
    ] = False,
    to: FolderOption = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """How long the steps of a procedure take, unfinished cases counted as unfinished; where cases wait; what was declared and what is.

    Example: qonys procedure fit log.csv --declared kandas.toml --limit 90 --procedure fitted.toml
    """
    from qonys.core.errors import DesignError
    from qonys.i18n import words
    from qonys.report.rooms.naming import Names
    from qonys.report.rooms.procedure import fit_pictures, fit_sentences
    from qonys.rooms import check_folder, fit_file, keep, open_procedure, write_procedure

    check_folder(to)
    if procedure is not None and limit is None:
        raise DesignError("a procedure needs its legal limit", mend="give --limit in days")
    say = words(lang)
    done = fit_file(log, declared=declared, as_of=as_of, country=country, zone=zone, last_step=last_step)
    name = Names(say, {} if declared is None else open_procedure(declared)[1])
    for fault in done.faults:
        tell(fault)
    if done.quarantine is not None:
        tell(str(done.quarantine))
    write_labelled(getattr(done.fitted, show), say, output)
    sentences = fit_sentences(done.fitted, name, limit)
    for sentence in sentences:
        tell(sentence)
    if procedure is not None and limit is not None:
        write_procedure(done.fitted, procedure, limit=limit, country=done.country, keep_waiting=keep_waiting)
        tell(str(procedure))
    if to is not None:
        tables = {one: getattr(done.fitted, one) for one in Fitting.__args__}  # type: ignore[attr-defined]
        pictures = {key: chart.wide for key, chart in fit_pictures(done.fitted, name, limit).items()}
        parameters = {"as_of": str(done.fitted.as_of), "country": done.country, "zone": zone, "last_step": last_step, "limit": limit}
        inputs = [(log, "case_event"), *([] if declared is None else [(declared, "procedure")])]
        keep(to, log.stem, parameters=parameters | {"language": lang}, inputs=inputs, tables=tables, pictures=pictures, sentences=sentences)
        tell(str(to))
