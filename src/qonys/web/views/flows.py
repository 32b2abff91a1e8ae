"""Flows: the yearly figures of an area with every report of them, and who goes where."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pandas as pd
from markupsafe import Markup
from pydantic import Field

from qonys.core import areas
from qonys.registers import SHIPPED
from qonys.report.charts import tile_map
from qonys.report.charts.flows import chord, od_matrix
from qonys.report.charts.worlds import area_map, mapped
from qonys.situation import areas_known, moved, pair_periods, pairs_of, series_of
from qonys.situation.opened import rows_held
from qonys.web.views.asked import Area, Asked, Year
from qonys.web.views.labels import area_choices, cited, number
from qonys.web.views.shown import Figure, Made, Shown, View, table
from qonys.web.views.situation import picture

if TYPE_CHECKING:
    from qonys.i18n import Words
    from qonys.web.views.here import Here
    from qonys.web.views.shown import Listing

SHAPES, REGIONS = "natural_earth_2018", "natural_earth_regions"
Cited = tuple[tuple[str, str], ...]  # key and name of each source
DRAWN = date(2017, 12, 31)  # the day whose regions have shapes
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
            drawn = picture(code, first, last, here, kinds=group, name=name)
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
            "source": (
                say.plain("column.source"),
                lambda row: Markup('<span lang="en">{}</span>').format(dict(cited([row["source"]], say)).get(row["source"], "")),
            ),
            "vintage": (say.plain("column.vintage"), lambda row: row["vintage"] or say.plain("gap.sign")),
        },
        numeric=("value",),
        note=say("web.flows.reports.note"),
        sources=cited(several["source"], say),
        folded=True,
    )


class AskedRegions(Asked):
    """A year, or a period for which moves between pairs of regions are published, and how many regions stand by themselves."""

    period: Annotated[str, Field(pattern=r"^\d{4}(-\d\d(/\d{4}-\d\d)?)?$")] = "2024"
    top: Annotated[int, Field(ge=2, le=27)] = 8


def regions(asked: AskedRegions, here: Here) -> Shown:
    """Moves between the regions of Kazakhstan: who gained and lost, and, where pairs are published, who went where."""
    say = here.say
    found = pairs_of(asked.period, top=asked.top)
    margins = found.margins
    period = _period(asked.period, say)
    title = say("web.regions.title", period=period)
    made = Made(command=f"qonys flows pairs --period {asked.period} --top {asked.top}", methods=("regional-net", "situation"))
    if margins.empty:
        return Shown(title=title, answer=(say("web.regions.none", period=period),), made=made)
    known = margins[margins["net"].notna()].sort_values("net")
    answer = []
    if len(known):
        low, high = known.iloc[0], known.iloc[-1]
        answer.append(
            say(
                "web.regions.answer",
                most=_area(high["area"], say),
                gain=number(high["net"], say, sign=True),
                least=_area(low["area"], say),
                loss=number(low["net"], say, sign=True),
            )
        )
    if found.gap is None:
        top = found.cells[found.cells["persons"].notna()].nlargest(1, "persons")
        for row in top.to_dict("records"):
            answer.append(
                say(
                    "web.regions.largest",
                    origin=_area(row["origin"], say),
                    destination=_area(row["destination"], say),
                    value=number(row["persons"], say),
                    share=number(100 * row["share"], say, 1),
                )
            )
    else:
        answer.append(say("web.regions.no_pairs"))
    blocks: list[Figure | Listing] = []
    sources = cited(found.sources, say)
    if asked.period.isdigit():
        blocks = [_tiles(margins, asked.period, sources, say), *_boundaries(margins, asked.period, sources, say)]
    if found.gap is None:
        blocks += _ribbons(found.cells, period, sources, say)
    blocks.append(_margins(margins, sources, say))
    return Shown(title=title, answer=tuple(answer), blocks=tuple(blocks), made=made)


def _period(period: str, say: Words) -> str:
    first, _, last = period.partition("/")
    return say.date(first) if not last else f"{say.date(first)} – {say.date(last)}"


def _area(code: str, say: Words) -> str:
    return say.plain("web.regions.rest") if code == "REST" else say.area(code)


def _tiles(margins: pd.DataFrame, period: str, sources: Cited, say: Words) -> Figure:
    values = dict(zip(margins["area"], margins["net"], strict=True))
    frame = pd.DataFrame(
        {
            "code": code,
            "label": say.area(code),
            "short": say.plain(f"region.short.{code}"),
            "row": row,
            "col": column,
            "value": values.get(code),
            "text": number(values.get(code), say, sign=True),
        }
        for code, (row, column) in areas.tiles("KAZ", date(int(period[:4]), 12, 31)).items()
    )
    title, about = say("web.regions.map", period=_period(period, say)), say("web.regions.map.about")
    chart = tile_map(
        frame,
        title=title.unescape(),
        desc=about.unescape(),
        prefix="w-regions",
        unit=say.plain("unit.name.persons"),
        missing_label=say.plain("gap.not_published"),
        low_label=say.plain("scale.loss"),
        high_label=say.plain("scale.gain"),
    )
    return Figure(name="net", title=title, chart=chart, data=margins, about=about, sources=sources)


def _boundaries(margins: pd.DataFrame, period: str, sources: Cited, say: Words) -> list[Figure]:
    """The same on the boundaries there were until 2018: a region made since is added to the one it came from. None where a part lacks."""
    end = date(int(period), 12, 31)
    if end < DRAWN or not set(areas.regions_at(end)) <= set(margins["area"]):
        return []
    values, rows = margins.set_index("area")["net"], []
    for group in areas.comparable({*areas.regions_at(end), *areas.regions_at(DRAWN)}, DRAWN, end):
        (code,) = (one for one in group if areas.area(one).exists(DRAWN))
        net = values.reindex([one for one in group if areas.area(one).exists(end)]).sum(skipna=False)
        parts = " + ".join(say.area(one) for one in group if areas.area(one).exists(end))
        rows.append({"code": code, "label": say.plain(f"region.short.{code}"), "regions": parts, "value": None if pd.isna(net) else net,
                     "text": number(net, say, sign=True)})  # fmt: skip
    frame = pd.DataFrame(rows)
    title, about = say("web.regions.boundaries", period=_period(period, say)), say("web.regions.boundaries.about")
    chart = area_map(
        frame, title=title.unescape(), desc=about.unescape(), prefix="w-regions-map", unit=say.plain("unit.name.persons"),
        missing_label=say.plain("gap.not_published"), number_format=say.number, view="kazakhstan", classes="quantiles",
    )  # fmt: skip
    return [Figure(name="boundaries", title=title, chart=chart, data=frame, about=about, sources=(*sources, *cited([REGIONS], say)))]


def _ribbons(cells: pd.DataFrame, period: str, sources: Cited, say: Words) -> list[Figure]:
    ends = {side: [_area(one, say) for one in cells[side]] for side in ("origin", "destination")}
    rows = pd.DataFrame({**ends, "value": cells["persons"]})
    about = say("web.regions.pairs.about")
    common: dict[str, Any] = {
        "desc": about.unescape(), "unit": say.plain("unit.name.persons"), "number_format": say.number,
        "missing_label": say.plain("gap.not_published"),
    }  # fmt: skip
    pairs, matrix = say("web.regions.pairs", period=period), say("web.regions.matrix", period=period)
    ribbons = chord(
        rows, title=pairs.unescape(), prefix="w-chord", small_label=say.plain("web.regions.small"), out_label=say.plain("web.regions.out"),
        in_label=say.plain("web.regions.in"), rest=say.plain("web.regions.rest"), **common,
    )  # fmt: skip
    grid = od_matrix(rows, title=matrix.unescape(), prefix="w-pairs", total_label=say.plain("web.regions.sum"), **common)
    return [
        Figure(name="pairs", title=pairs, chart=ribbons, data=cells, about=about, sources=sources),
        Figure(name="matrix", title=matrix, chart=grid, data=cells, about=about, sources=sources),
    ]


def _margins(margins: pd.DataFrame, sources: Cited, say: Words) -> Listing:
    return table(
        "margins",
        say("web.regions.margins"),
        margins,
        {
            "area": (say.plain("web.field.area"), lambda row: _area(row["area"], say)),
            "inflow": (say.plain("web.kind.in_migration"), lambda row: number(row["inflow"], say)),
            "outflow": (say.plain("web.kind.out_migration"), lambda row: number(row["outflow"], say)),
            "net": (say.plain("web.kind.net_internal"), lambda row: number(row["net"], say, sign=True)),
        },
        numeric=("inflow", "outflow", "net"),
        note=say("web.regions.margins.note"),
        sources=sources,
    )


class AskedMap(Asked):
    """What of which year is mapped."""

    year: Year = 2020
    kind: Literal["immigration", "emigration", "net"] = "immigration"
    shown: Literal["change", "value"] = "change"


def world(asked: AskedMap, here: Here) -> Shown:
    """Countries by a yearly figure, or by its change against the mean of the three years before."""
    say = here.say
    rows = []
    known = areas_known()
    for code in known.loc[(known["series"] > 0) & known["kind"].eq("country"), "area"]:
        for row in moved(code, date(asked.year, 12, 31), kinds=(asked.kind,)).to_dict("records"):
            if row["period"] == str(asked.year):
                rows.append(row)
    frame = pd.DataFrame(rows)
    kind = say.plain(f"web.kind.{asked.kind}")
    title = say(f"web.world.{asked.shown}", kind=kind, year=asked.year)
    made = Made(command="", methods=("situation",))
    signed = asked.kind == "net"
    column = "value" if asked.shown == "value" else "mean_change" if signed else "mean_change_percent"
    frame = frame[frame[column].notna()] if len(frame) else frame
    if frame.empty:
        return Shown(title=title, answer=(say("web.world.none"),), made=made)
    percent = column == "mean_change_percent"

    def text(value: float) -> str:
        return number(value, say, 0, sign=asked.shown == "change") + (" %" if percent else "")

    drawn = pd.DataFrame(
        {
            "code": frame["area"],
            "label": [say.area(one) for one in frame["area"]],
            "value": frame[column].astype(float),
            "text": [text(value) for value in frame[column]],
        }
    )
    drawn = drawn[drawn["code"].isin(mapped("europe"))] if len(set(drawn["code"]) & mapped("europe")) > 3 else drawn
    view: Literal["world", "europe"] = "europe" if set(drawn["code"]) <= mapped("europe") else "world"
    about, unit = say("web.world.about"), "unit.name.percent" if percent else "unit.name.persons"
    chart = area_map(
        drawn,
        title=title.unescape(),
        desc=about.unescape(),
        prefix="w-world",
        unit=say.plain(unit),
        missing_label=say.plain("gap.sign"),
        number_format=say.number,
        view=view,
    )
    low, high = frame.loc[frame[column].idxmin()], frame.loc[frame[column].idxmax()]
    answer = say(
        "web.world.answer",
        n=say.number(len(frame)),
        low=say.area(low["area"]),
        low_value=text(low[column]),
        high=say.area(high["area"]),
        high_value=text(high[column]),
    )
    figure = Figure(
        name="map", title=title, chart=chart, data=frame, about=about, text=answer,
        sources=cited([*frame["source"], SHAPES], say),
    )  # fmt: skip
    listing = table(
        "values",
        say("web.world.values"),
        frame.sort_values("area"),
        {
            "area": (say.plain("web.field.area"), lambda row: say.area(row["area"])),
            "value": (kind, lambda row: number(row["value"], say)),
            "mean_before": (say.plain("web.column.mean_before"), lambda row: number(row["mean_before"], say)),
            "change": (say.plain("web.column.mean_change"), lambda row: number(row["mean_change"], say, sign=True)),
            "percent": (say.plain("web.column.mean_change_percent"), lambda row: number(row["mean_change_percent"], say, 1, sign=True)),
        },
        numeric=("value", "mean_before", "change", "percent"),
        sources=cited(frame["source"], say),
    )
    return Shown(title=title, answer=(answer,), blocks=(figure, listing), made=made)


def _region_choices(asked: AskedRegions, here: Here) -> dict[str, tuple[tuple[str, str], ...]]:
    known = areas_known()
    regions_ = known[known["parent"].eq("KAZ") & (known["series"] > 0)]
    years = [str(year) for year in range(int(regions_["last_period"].max()), int(regions_["first_period"].min()) - 1, -1)]
    spans = [_named(row.period_start, row.period_end) for row in pair_periods(rows_held((SHIPPED,))).itertuples()]
    return {"period": tuple((one, _period(one, here.say)) for one in dict.fromkeys([*years, *spans]))}


def _named(start: object, end: object) -> str:
    first, last = str(start)[:7], str(end)[:7]
    return first[:4] if (first[5:], last[5:]) == ("01", "12") and first[:4] == last[:4] else first if first == last else f"{first}/{last}"


def _choices(asked: AskedSeries, here: Here) -> dict[str, tuple[tuple[str, str], ...]]:
    return {"area": area_choices(here.say, with_figures=True)}


VIEWS = (
    View(path="flows", asked=AskedSeries, show=flows, heading="web.view.flows", choices=_choices),
    View(path="flows/regions", asked=AskedRegions, show=regions, heading="web.view.flows/regions", choices=_region_choices),
    View(path="flows/map", asked=AskedMap, show=world, heading="web.view.flows/map"),
)
