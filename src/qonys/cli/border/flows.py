"""qonys border flows, nowcast: arrivals, departures and net, of what is decided and of what is not yet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from qonys.cli.border.presence import CountryOption, DisclosureOption
from qonys.cli.border.residence import RuleOption, ZoneOption
from qonys.cli.output import LanguageOption, OutputOption, tell, write

if TYPE_CHECKING:
    import pandas as pd

    from qonys.borders.nowcast import Nowcast
    from qonys.i18n.lookup import Words

PeriodOption = Annotated[Literal["month", "year"], typer.Option("--by", help="Length of a period.")]
SplitOption = Annotated[list[str] | None, typer.Option("--split", help="citizenship, sex, age; may be given several times.")]
NetOption = Annotated[bool, typer.Option("--net", help="Arrivals, departures and their difference in one row.")]


def flows(
    file: Annotated[Path, typer.Argument(help="A classified file, as qonys border classify writes it.")],
    country: CountryOption,
    end: Annotated[str, typer.Option("--end", help="Last day the data cover: the vintage.")],
    period: PeriodOption = "month",
    split: SplitOption = None,
    net: NetOption = False,
    disclosure: DisclosureOption = "cell_key",
    lang: LanguageOption = "en",
    output: OutputOption = None,
) -> None:
    """Count migrant arrivals and departures; a period is provisional while crossings of it are undecided. Counts are protected.

    Example: qonys border flows classified.parquet --country KAZ --end 2021-12-31 --split citizenship -o flows.csv
    """
    from qonys.borders import flows_of_file
    from qonys.i18n import words

    found = flows_of_file(file, country=country, end=end, period=period, by=tuple(split or ()), nets=net, disclosure=disclosure)
    _write(found, words(lang), output)


def nowcast(
    file: Annotated[Path, typer.Argument(help="Crossings as Parquet: person_id (keyed hash), at, direction, ...")],
    country: CountryOption,
    rule: RuleOption = "12/16",
    end: Annotated[str | None, typer.Option("--end", help="Last day the data cover; by default that of the last crossing.")] = None,
    zone: ZoneOption = "UTC",
    period: PeriodOption = "month",
    split: SplitOption = None,
    coverage: Annotated[float, typer.Option("--coverage", min=0.5, max=0.999, help="Share of outcomes the intervals are to hold.")] = 0.95,
    net: NetOption = False,
    revisions: Annotated[Path | None, typer.Option("--revisions", help="Write the revision triangle to this file.")] = None,
    charts: Annotated[Path | None, typer.Option("--charts", help="Draw the revisions into this folder (SVG).")] = None,
    disclosure: DisclosureOption = "cell_key",
    lang: LanguageOption = "en",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress display.")] = False,
    output: OutputOption = None,
) -> None:
    """Estimate the flows of months whose crossings are not all decided yet, with intervals as wide as past revisions ask for.

    Every earlier month is forecast as it could have been then, and compared with what came out; that is said beside the figures.

    Example: qonys border nowcast crossings.parquet --country KAZ --end 2021-12-31 --revisions triangle.csv -o flows.csv
    """
    from qonys.borders import nowcast_of_file
    from qonys.i18n import words
    from qonys.store import write_table

    say = words(lang)

    def progress(what: str, done: int, of: int) -> None:
        if not quiet:
            tell(f"{say.plain(f'progress.{what}')}: {say.number(done)} / {say.number(of)}")

    found = nowcast_of_file(
        file, country=country, rule_name=rule, end=end, zone=zone, period=period, by=tuple(split or ()), coverage=coverage, nets=net,
        disclosure=disclosure, tell=progress,
    )  # fmt: skip
    if revisions is not None:
        write_table(found.revisions, revisions)
        tell(f"{revisions}: {len(found.revisions)}")
    if charts is not None:
        _draw(found.revisions, say, charts)
    _write(found.flows, say, output)
    _judge(found, say)


def _write(found: pd.DataFrame, say: Words, output: Path | None) -> None:
    write(found, {name: say.label("column", name, otherwise=name) for name in found.columns}, output)


def _draw(revisions: pd.DataFrame, say: Words, folder: Path) -> None:
    from qonys.report.revisions import revision_charts
    from qonys.store.tables import write_text

    for direction, chart in revision_charts(revisions, say).items():
        write_text(chart.wide, folder / f"revisions-{direction}.svg")
        write_text(chart.narrow, folder / f"revisions-{direction}-narrow.svg")
        tell(str(folder / f"revisions-{direction}.svg"))


def _judge(found: Nowcast, say: Words) -> None:
    """The record of the forecasts, in two sentences."""
    settled = found.revisions[found.revisions["covered"].notna()]
    percent = {name: say.number(100 * float(settled[name].astype(float).mean()), 1) for name in ("covered", "model_covered")}
    wide, chance = ((settled[f"{side}high"] - settled[f"{side}low"]).astype(float).mean() for side in ("", "model_"))
    tell(say.plain(
        "cli.nowcast", last=say.date(found.end.isoformat()), forecasts=say.number(len(settled)), held=percent["covered"],
        coverage=say.number(100 * found.judged.coverage), chance=percent["model_covered"], times=say.number(wide / chance, 1),
    ))  # fmt: skip
    for side, direction in enumerate(("arrival", "departure")):
        error = {name: say.number(found.judged.error.get((name, side), float("nan")), 1) for name in ("model", "naive")}
        shown = say.plain(f"nowcast.{found.judged.method[side]}")
        tell(say.plain("cli.nowcast_method", direction=say.plain(f"nowcast.{direction}"), method=shown, **error))
    if found.share < 1:
        tell(say.plain("cli.nowcast_sample", share=say.number(100 * found.share, 1)))
