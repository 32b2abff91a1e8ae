"""Situation: one area on one day. What moved, what is in force, what is out of line."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup
from pydantic import Field

from qonys.core import areas
from qonys.report.charts.periods import lines_over_periods
from qonys.situation import Situation, periods_of, series_of, situation_of
from qonys.web.views.asked import Area, Asked, Day
from qonys.web.views.labels import area_choices, cited, dated, joined, measure_link, number
from qonys.web.views.shown import Figure, Made, Paragraph, Shown, View, table

if TYPE_CHECKING:
    from qonys.i18n import Words
    from qonys.web.views.here import Here
    from qonys.web.views.shown import Listing

BACK = 10  # years drawn before the day


class AskedSituation(Asked):
    """An area and a day."""

    area: Area = "KAZ"
    on: Day = Field(default=date(2020, 4, 15))


def situation(asked: AskedSituation, here: Here) -> Shown:
    """One area on one day: what moved, which measures were in force, what departs from its own past, its peers or other sources."""
    say = here.say
    code = areas.area(asked.area).code
    found = situation_of(code, asked.on, registers=here.registers)
    name, day = say.area(code), say.date(asked.on.isoformat())
    blocks = [
        one
        for one in (
            picture(code, asked.on.year - BACK, asked.on.year, here),
            _moved(found, say),
            _in_force(found, say),
            _out_of_line(found, say),
        )
        if one is not None
    ]
    made = Made(command=f"qonys situation {code} --on {asked.on}", methods=("situation",))
    return Shown(title=say("web.situation.title", area=name, day=day), answer=_answer(found, say), blocks=tuple(blocks), made=made)


def _answer(found: Situation, say: Words) -> tuple[Markup, ...]:
    sure = found.in_force[found.in_force["certainty"].eq("certain")]
    tight = int(sure["direction"].eq("tightening").sum())
    first = say.plural(
        "web.situation.in_force",
        len(sure),
        n=say.number(len(sure)),
        tightening=say.number(tight),
        possible=say.number(len(found.in_force) - len(sure)),
    )
    moved = [_change(row, say) for row in found.moved.to_dict("records")[:3]]
    departing = found.out_of_line[found.out_of_line["departs"].eq(True)] if len(found.out_of_line) else found.out_of_line
    if len(departing):
        kinds = departing["what"].value_counts()
        told = "; ".join(f"{say.plain(f'web.departure.{what}')}: {say.number(count)}" for what, count in kinds.items())
        last = say("web.situation.departs", kinds=told)
    else:
        last = say("web.situation.in_line")
    return (first, *moved, last) if moved else (first, say("web.situation.no_figures"), last)


def _change(row: dict[str, Any], say: Words) -> Markup:
    kind = say.plain(f"web.kind.{row['kind']}")
    unit = row["unit"]
    decimals = 1 if unit == "per_1000" else 0
    if row["mean_change"] is None or pd.isna(row["mean_change"]):
        return say("web.situation.moved_alone", kind=kind, year=row["period"], value=number(row["value"], say, decimals))
    percent = row["mean_change_percent"]
    change = number(row["mean_change"], say, decimals, sign=True)
    told = change if pd.isna(percent) else f"{change} ({number(percent, say, 1, sign=True)} %)"
    return say("web.situation.moved", kind=kind, year=row["period"], value=number(row["value"], say, decimals), change=told)


def picture(
    code: str, first: int, last: int, here: Here, *, kinds: tuple[str, ...] = ("immigration", "emigration", "net"), name: str = "series"
) -> Figure | None:
    """The yearly figures of an area over the measures in force; None where there are no figures to draw."""
    say, series = here.say, series_of(code, first=first, last=last)
    series = series[series["chosen"] & series["value"].notna()] if len(series) else series
    if series.empty:
        return None
    chosen = [kind for kind in kinds if kind in set(series["kind"])] or list(dict.fromkeys(series["kind"]))[:3]
    rows = series[series["kind"].isin(chosen)]
    rows = rows[rows["unit"].eq(rows["unit"].iloc[0])]
    periods = periods_of(code, first, last, registers=here.registers)
    lanes = pd.DataFrame(
        [
            {
                **row,
                "kind": row["direction"],
                "label": "",
                "lane": say.label("field", row["field"], str(row["field"])),
                "shade": False,
            }
            for row in periods.rows.to_dict("records")
        ],
        columns=["lane", "start", "end", "kind", "label", "known_start", "known_end", "sure_until", "shade"],
    )
    area = say.area(code)
    unit = rows["unit"].iloc[0]
    decimals = 1 if unit == "per_1000" else 0
    drawn = pd.DataFrame(
        {
            "x": rows["period"].astype(int),
            "series": rows["kind"],
            "value": rows["value"],
            "label": [say.plain(f"web.kind.{kind}") for kind in rows["kind"]],
        }
    )
    title = say("web.situation.picture", area=area)
    about = say("web.situation.picture.about")
    chart = lines_over_periods(
        drawn,
        lanes,
        title=title.unescape(),
        desc=about.unescape(),
        prefix=f"w-{name}",
        unit=say.plain(f"unit.name.{unit}"),
        gap_label=say.plain("gap.not_published"),
        number_format=lambda value: say.number(value, decimals),
        kind_labels={one: say.label("direction", one) for one in ("tightening", "easing", "neutral")},
        open_label=say.plain("series.open_end"),
        periods_label=say.plain("web.situation.lanes"),
        span=(first, last),
        locale=say.language,
    )
    ends = [rows[rows["kind"].eq(kind)].iloc[-1] for kind in chosen if (rows["kind"].eq(kind)).any()]
    text = "; ".join(f"{say.plain(f'web.kind.{end.kind}')}, {end.period}: {number(end.value, say, decimals)}" for end in ends)
    sources = (*cited(rows["source"], say), *((("register", say.plain("source.register")),) if len(lanes) else ()))
    return Figure(name=name, title=title, chart=chart, data=rows, about=about, text=Markup("{}.").format(text), sources=sources)


def _moved(found: Situation, say: Words) -> Listing | None:
    if found.moved.empty:
        return None

    def shown(row: dict[str, Any], column: str, *, sign: bool = False, percent: bool = False) -> str:
        return number(row[column], say, 1 if percent or row["unit"] == "per_1000" else 0, sign=sign)

    return table(
        "moved",
        say("web.situation.moved.table"),
        found.moved,
        {
            "kind": (say.plain("web.column.kind"), lambda row: say.plain(f"web.kind.{row['kind']}")),
            "period": (say.plain("column.year"), lambda row: row["period"]),
            "value": (say.plain("column.value"), lambda row: shown(row, "value")),
            "change": (say.plain("web.column.change"), lambda row: shown(row, "change", sign=True)),
            "change_percent": (say.plain("web.column.change_percent"), lambda row: shown(row, "change_percent", sign=True, percent=True)),
            "mean_change": (say.plain("web.column.mean_change"), lambda row: shown(row, "mean_change", sign=True)),
            "mean_change_percent": (
                say.plain("web.column.mean_change_percent"),
                lambda row: shown(row, "mean_change_percent", sign=True, percent=True),
            ),
            "status": (say.plain("column.status"), lambda row: say.label("figure_status", row["status"], str(row["status"] or ""))),
            "vintage": (say.plain("column.vintage"), lambda row: row["vintage"] or say.plain("gap.sign")),
        },
        numeric=("value", "change", "change_percent", "mean_change", "mean_change_percent"),
        sources=cited(found.moved["source"], say),
        note=say("web.situation.moved.note"),
    )


def _in_force(found: Situation, say: Words) -> Listing:
    return table(
        "in-force",
        say("web.situation.in_force.table"),
        found.in_force,
        {
            "title": (say.plain("column.measure"), lambda row: measure_link(row, say)),
            "issuer": (say.plain("column.issuer"), lambda row: say.area(row["issuer"])),
            "field": (say.plain("web.field.field"), lambda row: say.label("field", row["field"], str(row["field"]))),
            "direction": (say.plain("web.field.direction"), lambda row: say.label("direction", row["direction"])),
            "strength": (say.plain("web.field.strength"), lambda row: number(row["strength"], say)),
            "targets": (say.plain("web.field.targets"), lambda row: joined("target", row["targets"], say)),
            "certainty": (say.plain("web.column.certainty"), lambda row: say.plain(f"web.certainty.{row['certainty']}")),
            "start": (say.plain("column.start"), lambda row: dated(row["start"], say)),
            "end": (say.plain("column.end"), lambda row: dated(row["end"], say)),
        },
        numeric=("strength",),
        sources=(("register", say.plain("source.register")),),
        note=say("web.situation.in_force.note"),
    )


def _out_of_line(found: Situation, say: Words) -> Listing | Paragraph:
    rows = found.out_of_line
    if rows.empty:
        return Paragraph(title=say("web.situation.out.table"), text=say("web.situation.in_line"))
    return table(
        "out-of-line",
        say("web.situation.out.table"),
        rows,
        {
            "what": (say.plain("web.column.what"), lambda row: _what(row, say)),
            "value": (say.plain("column.value"), lambda row: _plain(row["value"], say)),
            "against": (say.plain("web.column.against"), lambda row: _plain(row["against"], say)),
            "compared": (say.plain("web.column.compared"), lambda row: number(row["compared"], say)),
            "departs": (say.plain("web.column.departs"), lambda row: _verdict(row, say)),
        },
        numeric=("value", "against", "compared"),
        note=say("web.situation.out.note"),
    )


def _what(row: dict[str, Any], say: Words) -> str | Markup:
    what = say.plain(f"web.departure.{row['what']}")
    kind = row.get("kind") if isinstance(row.get("kind"), str) else row["code"] if row["what"] == "flow_change" else ""
    told = say.plain(f"web.kind.{kind}") if kind and say.has(f"web.kind.{kind}") else ""
    if row["what"] == "measures_conflict":
        pair = [part for part in str(row["code"]).replace("/", " ").split() if part]
        links = Markup(", ").join(Markup('<a href="/{}/measures/entry?id={}">{}</a>').format(say.language, one, one) for one in pair)
        return Markup("{}: {}").format(what, links)
    return ": ".join(part for part in (what, told) if part)


def _plain(value: object, say: Words) -> str:
    if value is None or pd.isna(value):
        return say.plain("gap.sign")
    return number(value, say, 0 if abs(float(str(value))) >= 100 else 1)


def _verdict(row: dict[str, Any], say: Words) -> str:
    if isinstance(row["gap"], str) and row["gap"]:
        return say.plain(f"web.gap.{row['gap']}")
    return say.plain("yes" if row["departs"] is True or row["departs"] == 1 else "no")


def _choices(asked: AskedSituation, here: Here) -> dict[str, tuple[tuple[str, str], ...]]:
    return {"area": area_choices(here.say)}


VIEW = View(path="situation", asked=AskedSituation, show=situation, heading="web.view.situation", choices=_choices)
