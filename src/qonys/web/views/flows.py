"""Flows: the yearly figures of an area with every report of them, and who goes where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from qonys.core import areas
from qonys.situation import series_of
from qonys.web.views.asked import Area, Asked, Year
from qonys.web.views.labels import area_choices, cited, number
from qonys.web.views.shown import Made, Shown, View, table
from qonys.web.views.situation import picture

if TYPE_CHECKING:
    import pandas as pd

    from qonys.i18n import Words
    from qonys.web.views.here import Here
    from qonys.web.views.shown import Figure, Listing

EXTERNAL = ("immigration", "emigration", "net")
INTERNAL = ("in_migration", "out_migration", "net_internal")


class AskedSeries(Asked):
    """An area, from the first to the last year."""

    area: Area = "KAZ"
    first: Year | None = None
    last: Year | None = None


def flows(asked: AskedSeries, here: Here) -> Shown:
    """The yearly figures of an area, with the measures in force under the lines; every report of each figure stays."""
    say = here.say
    code = areas.area(asked.area).code
    series = series_of(code, first=asked.first, last=asked.last)
    known = series[series["chosen"] & series["value"].notna()] if len(series) else series
    title = say("web.flows.title", area=say.area(code))
    made = Made(command=f"qonys flows show {code}", methods=("flows-series", "situation"))
    if known.empty:
        return Shown(title=title, answer=(say("web.flows.none", area=say.area(code)),), made=made)
    first, last = int(known["period"].min()), int(known["period"].max())
    kinds = EXTERNAL if set(EXTERNAL) & set(known["kind"]) else INTERNAL
    blocks: list[Figure | Listing] = []
    for name, group in (("external", EXTERNAL), ("internal", INTERNAL)):
        if set(group) & set(known["kind"]):
            drawn = picture(code, first, last, say, kinds=group, name=name)
            if drawn is not None:
                blocks.append(drawn)
    blocks += [_yearly(known, say), _reports(series, say)]
    return Shown(title=title, answer=_answer(known, kinds, say), blocks=tuple(blocks), made=made)


def _answer(known: pd.DataFrame, kinds: tuple[str, ...], say: Words) -> tuple[Markup, ...]:
    out = []
    for kind in dict.fromkeys((*kinds, *known["kind"])):
        own = known[known["kind"].eq(kind)]
        if own.empty:
            continue
        decimals = 1 if own["unit"].iloc[0] == "per_1000" else 0
        last, high, low = own.iloc[-1], own.loc[own["value"].idxmax()], own.loc[own["value"].idxmin()]
        out.append(
            say(
                "web.flows.answer",
                kind=say.plain(f"web.kind.{kind}"),
                year=last["period"],
                value=number(last["value"], say, decimals),
                high=number(high["value"], say, decimals),
                high_year=high["period"],
                low=number(low["value"], say, decimals),
                low_year=low["period"],
            )
        )
    return tuple(out[:4])


def _yearly(known: pd.DataFrame, say: Words) -> Listing:
    kinds = list(dict.fromkeys(known["kind"]))
    wide = (
        known.pivot_table(index="period", columns="kind", values="value", aggfunc="first")
        .reset_index()
        .sort_values("period", ascending=False)
    )
    rates = set(known.loc[known["unit"].eq("per_1000"), "kind"])

    def cell(kind: str) -> Any:
        return lambda row: number(row[kind], say, 1 if kind in rates else 0)

    columns = {"period": (say.plain("column.year"), lambda row: row["period"])} | {
        kind: (say.plain(f"web.kind.{kind}"), cell(kind)) for kind in kinds
    }
    return table("yearly", say("web.flows.yearly"), wide, columns, numeric=tuple(kinds), sources=cited(known["source"], say))


def _reports(series: pd.DataFrame, say: Words) -> Listing:
    several = series[series["value"].notna()]
    several = several[several.duplicated(["kind", "period"], keep=False)]
    return table(
        "reports",
        say("web.flows.reports"),
        several,
        {
            "kind": (say.plain("web.column.kind"), lambda row: say.plain(f"web.kind.{row['kind']}")),
            "period": (say.plain("column.year"), lambda row: row["period"]),
            "value": (say.plain("column.value"), lambda row: number(row["value"], say)),
            "chosen": (say.plain("web.column.chosen"), lambda row: say.plain("yes" if row["chosen"] else "no")),
            "qualifier": (say.plain("column.qualifier"), lambda row: say.label("qualifier", row["qualifier"], str(row["qualifier"] or ""))),
            "status": (say.plain("column.status"), lambda row: say.label("figure_status", row["status"], str(row["status"] or ""))),
            "source": (say.plain("column.source"), lambda row: dict(cited([row["source"]], say)).get(row["source"], "")),
            "vintage": (say.plain("column.vintage"), lambda row: row["vintage"] or say.plain("gap.sign")),
        },
        numeric=("value",),
        note=say("web.flows.reports.note"),
        sources=cited(several["source"], say),
        folded=True,
    )


def _choices(asked: AskedSeries, here: Here) -> dict[str, tuple[tuple[str, str], ...]]:
    return {"area": area_choices(here.say, with_figures=True)}


VIEWS = (View(path="flows", asked=AskedSeries, show=flows, heading="web.view.flows", choices=_choices),)
