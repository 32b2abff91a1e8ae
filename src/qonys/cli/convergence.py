"""qonys convergence: spread, clubs, distance of portfolios, departure from the modal rule, and the answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qonys.cli.measures.options import ReadingOption, RegisterOption, registers
from qonys.cli.output import LanguageOption, OutputOption, tell, write

if TYPE_CHECKING:
    import pandas as pd

    from qonys.i18n.lookup import Words

app = typer.Typer(no_args_is_help=True, help="Convergence or distancing: spread, clubs, distances, departures, the answer.")
PanelArgument = Annotated[Path, typer.Argument(help="A panel: area, period, value; and low, high where values have bands.")]


@app.command()
def spread(
    panel: PanelArgument,
    measure: Annotated[Literal["sd", "cv", "iqr", "gini", "ordinal"], typer.Option("--measure", help="Measure of dispersion.")] = "sd",
    scale: Annotated[Literal["as_given", "logit", "rank"], typer.Option("--scale", help="logit: of the share of 0 to 100.")] = "as_given",
    dates: Annotated[bool, typer.Option("--breaks", help="The dates at which the level broke, instead.")] = False,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """How far apart areas are in each period, with a band, the trend, and the breaks. Weights of the panel are used where it has them.

    Example: qonys convergence spread panel.csv --measure iqr --breaks
    """
    from qonys.convergence import breaks, dispersion, trend
    from qonys.i18n import words
    from qonys.laboratory import panel_of

    say, table = words(lang), panel_of(panel)
    weights = table.groupby("area")["weight"].mean().to_dict() if "weight" in table.columns else None
    found = dispersion(table, measure, scale=scale, weights=weights)
    shown = breaks(found).dates if dates else found.by_period
    write(shown, _headings(shown, say), output)
    slope, low, high, _share = trend(found)
    tell(say.plain("cli.trend", slope=say.number(slope, 4), low=say.number(low, 4), high=say.number(high, 4)))
    _name_left_out(found.left_out, say)


@app.command()
def beta(
    panel: PanelArgument,
    first: Annotated[str | None, typer.Option("--first", help="Where the catching up begins; else the first period.")] = None,
    last: Annotated[str | None, typer.Option("--last", help="Where it ends; else the last period.")] = None,
    given: Annotated[Path | None, typer.Option("--given", help="A table of area and numbers, what catching up is conditional on.")] = None,
    steps: Annotated[bool, typer.Option("--steps", help="From period to period, with effects of areas and periods.")] = False,
    rolling: Annotated[int | None, typer.Option("--rolling", min=1, help="Over every span of so many periods.")] = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Do areas that start low rise faster? The speed of catching up a period and the half-life of a gap, with standard errors.

    Example: qonys convergence beta gdp.csv --first 1990 --last 2019 --given facts.csv
    """
    import pandas as pd

    from qonys import convergence
    from qonys.core.errors import DesignError
    from qonys.i18n import words
    from qonys.laboratory import facts_of, panel_of

    say, table = words(lang), panel_of(panel)
    if sum((steps, rolling is not None, given is not None or first is not None or last is not None)) > 1:
        raise DesignError("--steps, --rolling and a span of one's own exclude each other", mend="choose one")
    if rolling is not None:
        shown = convergence.rolling_beta(table, rolling)
        write(shown, _headings(shown, say), output)
        return
    if steps:
        found = convergence.panel_beta(table)
    else:
        found = convergence.beta(table, first=first, last=last, given=None if given is None else facts_of(given))
    names = ("speed", "speed_error", "half_life", "half_life_error", "coefficient", "coefficient_error", "areas", "periods")
    shown = pd.DataFrame([{name: getattr(found, name) for name in names}])
    write(shown, _headings(shown, say), output)
    if found.left_out:
        tell(say.plain("answer.left_out", what=", ".join(found.left_out)))


@app.command()
def clubs(
    panel: PanelArgument,
    draws: Annotated[int, typer.Option("--draws", min=1, max=1000, help="Draws for each combination of options.")] = 10,
    trim: Annotated[float, typer.Option("--trim", min=0, max=0.8, help="Share of the first periods left out.")] = 1 / 3,
    merging: Annotated[
        Literal["none", "phillips_sul", "lyncker_thoennessen"], typer.Option("--merging", help="Which clubs are joined.")
    ] = "none",
    pairs: Annotated[bool, typer.Option("--pairs", help="The share of runs in which pairs are together, instead.")] = False,
    lang: LanguageOption = "en",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress display.")] = False,
    output: OutputOption = None,
) -> None:
    """Groups of areas that come together, with the shares of runs over options and draws in which they do. No partition without its shares.

    Example: qonys convergence clubs panel.csv --draws 14 -o clubs.csv
    """
    from qonys.convergence import Options, stability
    from qonys.i18n import words
    from qonys.laboratory import panel_of

    say = words(lang)

    def progress(done: int, runs: int) -> None:
        if not quiet and done % 100 == 0:
            tell(f"{say.number(done)} / {say.number(runs)}")

    found = stability(panel_of(panel), Options(trim=trim, merging=merging), draws=draws, tell=progress)
    shown = found.pairs if pairs else found.members
    write(shown, _headings(shown, say), output)
    for one in found.partition.clubs.itertuples():
        tell(say.plain("cli.club", club=one.club, areas=say.number(one.areas), b=say.number(one.b, 3), t=say.number(one.t, 3)))
    counts = "; ".join(f"{row.clubs}: {say.number(100 * row.share, 1)} %" for row in found.counts.itertuples())
    tell(say.plain("cli.club_counts", runs=say.number(found.runs), counts=counts))


@app.command()
def layers(
    panel: PanelArgument,
    groups: Annotated[
        str, typer.Option("--groups", help="accession, schengen, visegrad, nordic, or your own division (TOML).")
    ] = "accession",
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """What all members share, what groups of them share, and what is each one's own: the variance of a policy panel by period.

    Example: qonys convergence layers stringency.csv --groups visegrad
    """
    from qonys.convergence import variance_split
    from qonys.i18n import words
    from qonys.laboratory import division, panel_of

    table = panel_of(panel)
    shown = variance_split(table, division(groups, sorted(table["area"].unique())))
    write(shown, _headings(shown, words(lang)), output)


@app.command()
def departure(
    register: Annotated[list[str], typer.Option("--register", help="Entry rules by citizenship: qonys measures import passport.")],
    member: Annotated[list[str], typer.Option("--member", help="A member, or a union for all of its own: EU27_2020.")],
    members: Annotated[bool, typer.Option("--by-member", help="Each member's share, instead of the mean.")] = False,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """The share of members whose rule for the same citizenship departs from the most common one, by the days on which rules were seen.

    Example: qonys convergence departure --register passport.csv --member EU27_2020
    """
    from qonys.i18n import words
    from qonys.laboratory import departure_of

    say = words(lang)
    evidence, counts, by_member = departure_of(register, member)
    shown = by_member if members else evidence.table().merge(counts, on="period")
    write(shown, _headings(shown, say), output)


@app.command()
def distance(
    issuer: Annotated[list[str], typer.Option("--issuer", help="An issuer, or a union for its members.")],
    on: Annotated[list[str], typer.Option("--on", help="A day; may be given several times.")],
    method: Annotated[Literal["gower", "jaccard"], typer.Option("--method", help="How portfolios are compared.")] = "gower",
    reference: Annotated[str | None, typer.Option("--reference", help="The issuer of the common acts, as EU.")] = None,
    register: RegisterOption = None,
    reading: ReadingOption = "certain",
    show: Annotated[
        Literal["mean", "issuers", "neighbours", "map"],
        typer.Option("--show", help="mean of all pairs; each issuer's own; the three nearest of each; places on a map."),
    ] = "mean",
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """How far apart states' sets of measures are on days, by instrument, target, field and direction.

    Example: qonys convergence distance --issuer EU27_2020 --reference EU --on 2020-02-01 --on 2020-04-15
    """
    import pandas as pd

    from qonys.convergence import mean_distance, neighbours, policy_map
    from qonys.core.periods import whole_day
    from qonys.i18n import words
    from qonys.laboratory import distances_of

    say = words(lang)
    days = sorted({whole_day(text) for text in on})
    tables = distances_of(registers(register), issuer, days, method=method, reference=reference, reading=reading)
    if left_out := [str(day) for day in days if day not in tables]:
        tell(say.plain("answer.left_out", what=say.plain("cli.after_register", days=", ".join(left_out))))
    evidence, by_issuer = mean_distance(tables, reference=reference)
    if show in ("mean", "issuers"):
        shown = evidence.table() if show == "mean" else by_issuer
    elif show == "neighbours":
        shown = pd.concat([neighbours(table).assign(period=day.isoformat()) for day, table in tables.items()])
    else:
        shown = pd.concat([one.assign(period=day.isoformat()) for day, one in zip(tables, policy_map(list(tables.values())), strict=True)])
    write(shown, _headings(shown, say), output)


@app.command("answer")
def answer_(
    panel: PanelArgument,
    portfolios: Annotated[
        list[str] | None, typer.Option("--portfolios", help="A register whose portfolios are evidence too: shipped.")
    ] = None,
    entry_rules: Annotated[list[str] | None, typer.Option("--entry-rules", help="A register of entry rules by citizenship, too.")] = None,
    reading: ReadingOption = "certain",
    evidence: Annotated[Path | None, typer.Option("--evidence", help="Write every kind of evidence for every phase to this file.")] = None,
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Convergence or distancing? Phases with dates, the evidence for and against each, what the answer hangs on; in one paragraph.

    Example: qonys convergence answer stringency.csv --portfolios shipped --entry-rules passport.csv --lang kk
    """
    from qonys.i18n import words
    from qonys.laboratory import answer_of, panel_of
    from qonys.report.answer import paragraph
    from qonys.store import write_table

    say = words(lang)
    found = answer_of(panel_of(panel), portfolios=portfolios or (), entry_rules=entry_rules or (), reading=reading)
    if evidence is not None:
        write_table(found.evidence, evidence)
        tell(f"{evidence}: {len(found.evidence)}")
    write(found.phases, _headings(found.phases, say), output)
    tell(paragraph(found, say))


def _headings(shown: pd.DataFrame, say: Words) -> dict[str, str]:
    return {name: say.label("column", name, otherwise=name) for name in shown.columns}


def _name_left_out(left_out: pd.DataFrame, say: Words) -> None:
    if len(left_out):
        tell(say.plain("answer.left_out", what=", ".join(f"{row.what} ({row.why})" for row in left_out.itertuples())))
