"""qonys effects: check a design, estimate, see what it rests on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write_labelled

if TYPE_CHECKING:
    import pandas as pd

    from qonys.effects.substitution import Battery
    from qonys.i18n.lookup import Words
    from qonys.report.charts import Chart

app = typer.Typer(no_args_is_help=True, help="What worked? Designs, estimates and their checks.")
DesignArgument = Annotated[Path, typer.Argument(help="A design: a TOML file that names outcome, exposure and comparison.")]


@app.command()
def check(
    design: DesignArgument,
    estimators: Annotated[bool, typer.Option("--estimators", help="Which estimators fit, instead, and why others do not.")] = False,
    left_out: Annotated[bool, typer.Option("--left-out", help="Units and periods that are left out, and why, instead.")] = False,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """What the design can tell before anything is estimated: what refuses, what warns, each with the mend; and which estimators fit.

    Example: qonys effects check nights.toml --estimators
    """
    from qonys.effects import examine, fitting
    from qonys.evaluation import open_design
    from qonys.i18n import words

    say = words(lang)
    read, rows = open_design(design)
    found, fits = examine(rows, read), fitting(rows, read)
    if left_out:
        shown = rows.left_out
    elif estimators:
        shown = fits.assign(name=[say.label("estimator", one) for one in fits["estimator"]],
                            why=[say.label("fit", one) if one else "" for one in fits["why"]])  # fmt: skip
    else:
        shown = found.assign(said=[say.label("design", code) for code in found["code"]],
                             mend=[say.label("design", f"{code}.mend") for code in found["code"]])  # fmt: skip
        shown["weight"] = [say.label("weight", one) for one in shown["weight"]]
    write_labelled(shown, say, output)
    if found.empty:
        tell(say.plain("cli.check_clean"))
    names = ", ".join(fits.loc[fits["fits"], "estimator"])
    tell(say.plain("cli.proposed", names=names) if names else say.plain("cli.none_fits"))


@app.command("estimate")
def estimate_(
    design: DesignArgument,
    estimator: Annotated[
        list[str] | None, typer.Option("--estimator", help="By default the first that fits; several may be given.")
    ] = None,
    by_time: Annotated[Path | None, typer.Option("--by-time", help="Write the estimates by period since the measure to this file.")] = None,
    chart: Annotated[Path | None, typer.Option("--chart", help="Draw the estimates by period since the measure to this SVG file.")] = None,
    counterfactual: Annotated[
        Path | None, typer.Option("--counterfactual", help="Draw what came beside what would have come to this SVG file.")
    ] = None,
    forest: Annotated[Path | None, typer.Option("--forest", help="Draw all estimates with their intervals to this SVG file.")] = None,
    draws: Annotated[int, typer.Option("--draws", min=0, max=2000, help="Placebo draws in space.")] = 50,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """What the measure did, with its interval, what was assumed, placebos, and on whom it hangs; a table and a paragraph.

    Example: qonys effects estimate nights.toml --estimator etwfe_poisson --lang kk
    """
    import pandas as pd

    from qonys.effects import examine, without
    from qonys.effects.substitution import NEEDS
    from qonys.evaluation import evaluate, open_battery, open_design
    from qonys.i18n import words
    from qonys.report.effect import counterfactual_chart, effect_paragraph, event_chart, forest_chart
    from qonys.store import write_table

    say = words(lang)
    read, rows = open_design(design)
    done = [evaluate(read, rows, one, draws=draws) for one in estimator or (None,)]
    shown = pd.concat([effect.table() for effect, _, _ in done], ignore_index=True)
    if by_time is not None:
        paths = [effect.by_time.assign(estimator=effect.estimator) for effect, _, _ in done if len(effect.by_time)]
        table = pd.concat(paths, ignore_index=True) if paths else done[0][0].by_time
        write_table(table, by_time)
        tell(f"{by_time}: {len(table)}")
    first = done[0][0]
    if chart is not None:
        _save(event_chart(first, say), chart)
    if forest is not None:
        _save(forest_chart([effect for effect, _, _ in done], say), forest)
    if counterfactual is not None:
        _save(counterfactual_chart(first, without(first, rows.rows), say), counterfactual)
    write_labelled(shown, say, output)
    warned = examine(rows, read)
    for code in warned.loc[warned["weight"] == "warns", "code"]:
        tell(say.label("design", code))
    for effect, found, least in done:
        tell(effect_paragraph(effect, found, least, say))
        for message in effect.messages:
            tell(say.plain("cli.library_says", message=message))
        if len(found.failed):
            tell(
                say.plain(
                    "cli.check_failed", what="; ".join(f"{say.label('check', row.check)}: {row.why}" for row in found.failed.itertuples())
                )
            )
    if read.substitution is None:
        tell(" ".join([say.plain("substitution.not_asked"), "; ".join(say.label("substitution.needs", kind) for kind in NEEDS)]))
    else:
        _tell_battery(open_battery(design.parent / read.substitution), say)


@app.command()
def gravity(
    flows: Annotated[Path, typer.Argument(help="A table of flows: a row an origin, destination and period, with regressors.")],
    outcome: Annotated[str, typer.Option("--outcome", help="Column of the flows: zero or more.")],
    regressor: Annotated[list[str], typer.Option("--regressor", help="A column of numbers; may be given several times.")],
    effect: Annotated[
        list[str] | None, typer.Option("--effect", help="A fixed effect: a column, or several joined by a plus: origin+year.")
    ] = None,
    cluster: Annotated[list[str] | None, typer.Option("--cluster", help="Clusters of errors, in the same form, several ways.")] = None,
    without: Annotated[str | None, typer.Option("--without", help="Flows had this regressor been zero, instead of coefficients.")] = None,
    hold: Annotated[list[str] | None, typer.Option("--hold", help="With --without: effects whose totals stay what they were.")] = None,
    left_out: Annotated[bool, typer.Option("--left-out", help="Rows that were left out, and why, instead.")] = False,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Gravity: Poisson regression of flows with any number of fixed effects; what separates or does not identify is named.

    Example: qonys effects gravity flows.csv --outcome persons --regressor visa_free --effect origin+year --effect destination+year
    --effect origin+destination --cluster origin --cluster destination --without visa_free --hold origin+year
    """
    from qonys.effects.gravity import ppml
    from qonys.effects.gravity import without as flows_without
    from qonys.i18n import words
    from qonys.store import read_whole

    say, table = words(lang), read_whole(flows)
    table = _numeric(table, [outcome, *regressor], flows)
    effects, clusters, held = ([tuple(one.split("+")) if "+" in one else one for one in given or ()] for given in (effect, cluster, hold))
    fit = ppml(table, outcome, regressor, effects, cluster=clusters)
    shown = fit.left_out if left_out else fit.coefficients
    if without is not None:
        shown = flows_without(fit, table, without, hold=held)
    write_labelled(shown, say, output)
    tell(say.plain("gravity.rows", used=say.number(fit.rows_used), rows=say.number(fit.rows)))
    for why, number in fit.left_out["why"].value_counts().items():
        tell(say.plain("gravity.left_out", why=say.label("gravity.why", str(why).replace(" ", "_")), number=say.number(number)))
    if len(fit.not_identified):
        tell(say.plain("gravity.not_identified", names=", ".join(fit.not_identified["regressor"])))
    if not fit.converged:
        tell(say.plain("gravity.not_converged", reached=f"{fit.reached:.1e}", steps=say.number(fit.steps)))


def _numeric(table: pd.DataFrame, columns: list[str], path: Path) -> pd.DataFrame:
    """Text columns of a file as numbers. Errors: DataError for a column that is not there or what is no number."""
    from qonys.core.errors import DataError, nearest
    from qonys.core.numbers import numbers

    for name in columns:
        if name not in table.columns:
            raise DataError(f"{path.name} has no column {name!r}", mend=nearest(name, list(table.columns)))
    return table.assign(**{name: numbers(table[name], f"{path.name}, column {name}") for name in columns})


@app.command()
def substitution(
    battery: Annotated[Path, typer.Argument(help="A battery: a TOML file that names the direct table and those of other channels.")],
    missing: Annotated[bool, typer.Option("--missing", help="Channels that were not answered, and the table each needs, instead.")] = False,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Where those went whom a measure kept away: elsewhere, in another category, earlier or later; who did not leave; and what is left.

    Example: qonys effects substitution visa_stop.toml --lang ru
    """
    from qonys.evaluation import open_battery
    from qonys.i18n import words

    say = words(lang)
    found = open_battery(battery)
    shown = found.missing if missing else found.parts
    write_labelled(shown, say, output)
    _tell_battery(found, say)


def _tell_battery(found: Battery, say: Words) -> None:
    """What is left of an effect, and what could not be counted."""
    for name, part in (("net", found.net), ("over_time", found.over_time)):
        numbers = {key: say.number(getattr(part, key), sign=True) for key in ("persons", "low", "high")}
        tell(say.plain(f"substitution.{name}", **numbers, coverage=say.number(100 * found.coverage)))
    if len(found.missing):
        names = [say.label("substitution.channel", one.split(".")[0]) for one in found.missing["channel"]]
        tell(say.plain("substitution.missing", names=", ".join(dict.fromkeys(names))))
    for row in found.left_out.itertuples():
        tell(say.plain("answer.left_out", what=f"{row.unit} ({say.label('substitution.why', row.why)})"))


@app.command("practices")
def practices_(
    estimates: Annotated[
        Path, typer.Argument(help="A table: measure, instrument, target, estimate, error, identified (strong, weak), and cluster if any.")
    ],
    better: Annotated[Literal["higher", "lower"], typer.Option("--better", help="Which values are better.")],
    by: Annotated[list[str] | None, typer.Option("--by", help="Columns that make a group; by default instrument and target.")] = None,
    rho: Annotated[float, typer.Option("--rho", help="Correlation of errors within a cluster, as you declare it.")] = 0.0,
    pairs: Annotated[bool, typer.Option("--pairs", help="Every pair with its probability, instead.")] = False,
    evidence: Annotated[bool, typer.Option("--evidence", help="How much evidence there is on each group, instead.")] = False,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Which kinds of measures may be called better than others: an order with ties, and what is not known. No league table.

    Rows stand in the order of the alphabet within what nobody beats, what only those beat, and so on; never by their estimates.

    Example: qonys effects practices estimates.csv --better lower --pairs
    """
    from qonys.effects.practices import BY, practices
    from qonys.i18n import words
    from qonys.store import read_whole

    say = words(lang)
    found = practices(_numeric(read_whole(estimates), ["estimate", "error"], estimates), better=better, by=tuple(by or BY), rho=rho)
    if pairs:
        shown = found.order
    elif evidence:
        shown = found.evidence
    else:
        shown = found.groups.merge(found.tiers[["group", "tier", "lowest"]], on="group", how="left")
        shown = shown.sort_values(["tier", "group"], na_position="last", ignore_index=True)
        shown["status"] = [say.label("practice", str(one).replace(" ", "_")) for one in shown["status"]]
    write_labelled(shown, say, output)
    known = int((found.groups["status"] == "known").sum())
    claims = int((found.order["relation"] != "tied").sum())
    tell(
        say.plain(
            "practices.said", known=say.number(known), groups=say.number(len(found.groups)), claims=say.number(claims),
            pairs=say.number(len(found.order)), joint=say.number(100 * found.joint),
        )
    )  # fmt: skip
    if len(found.left_out):
        tell(say.plain("answer.left_out", what=", ".join(found.left_out["measure"].astype(str))))


def _save(drawn: Chart, path: Path) -> None:
    from qonys.store.tables import write_text

    write_text(drawn.wide, path)
    tell(str(path))
