"""qonys effects: check a design, estimate, see what it rests on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qonys.cli.output import LanguageOption, OutputOption, tell, write

if TYPE_CHECKING:
    from qonys.effects import Effect
    from qonys.i18n.lookup import Words

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
    write(shown, {name: say.label("column", name, otherwise=name) for name in shown.columns}, output)
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
    draws: Annotated[int, typer.Option("--draws", min=0, max=2000, help="Placebo draws in space.")] = 50,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """What the measure did, with its interval, what was assumed, placebos, and on whom it hangs; a table and a paragraph.

    Example: qonys effects estimate nights.toml --estimator etwfe_poisson --lang kk
    """
    import pandas as pd

    from qonys.effects import examine
    from qonys.evaluation import evaluate, open_design
    from qonys.i18n import words
    from qonys.report.effect import effect_paragraph
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
    if chart is not None:
        _draw(done[0][0], chart, say)
    write(shown, {name: say.label("column", name, otherwise=name) for name in shown.columns}, output)
    warned = examine(rows, read)
    for code in warned.loc[warned["weight"] == "warns", "code"]:
        tell(say.label("design", code))
    for effect, found, least in done:
        tell(effect_paragraph(effect, found, least, say))
        if len(found.failed):
            tell(say.plain("cli.check_failed", what="; ".join(f"{row.check}: {row.why}" for row in found.failed.itertuples())))


def _draw(effect: Effect, path: Path, say: Words) -> None:
    """The first estimate by event time as a picture."""
    from qonys.core.errors import DesignError
    from qonys.report.charts import event_study
    from qonys.store.tables import write_text

    if effect.by_time.empty:
        raise DesignError(f"{effect.estimator} gives no estimates by period", mend="take another estimator, or leave --chart out")
    drawn = event_study(
        effect.by_time.rename(columns={"estimate": "value"}), prefix="effect", unit=effect.unit, locale=say.language,
        title=say.plain("chart.event_study", estimator=say.label("estimator", effect.estimator)),
        desc=say.plain("chart.event_study.about", coverage=say.number(100 * effect.coverage)),
        time_label=say.plain("column.event_time"), force_label=say.plain("series.in_force"),
    )  # fmt: skip
    write_text(drawn.wide, path)
    tell(str(path))
