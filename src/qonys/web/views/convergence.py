"""How alike sets of measures were on chosen days: a map that does not turn between them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from qonys.convergence import mean_distance, neighbours, policy_map
from qonys.laboratory import distances_of
from qonys.report.charts import policy_map as drawn
from qonys.web.views.asked import Asked, Day
from qonys.web.views.labels import number
from qonys.web.views.shown import Figure, Made, Shown, View, table

if TYPE_CHECKING:
    from qonys.web.views.here import Here

MEMBERS = ("EU27_2020",)


class AskedMap(Asked):
    """Three days, in the order of time."""

    before: Day = date(2020, 2, 1)
    on: Day = date(2020, 4, 15)
    after: Day = date(2021, 2, 1)


def likeness(asked: AskedMap, here: Here) -> Shown:
    """Where each member of the Union stood among the others on three days, by its set of measures surely in force."""
    say = here.say
    days = sorted({asked.before, asked.on, asked.after})
    # the same in every language
    found: dict[date, pd.DataFrame] = here.kept.get(
        ("distances", *days, here.runs.stamp()), lambda: distances_of(here.registers, MEMBERS, days)
    )
    tables = {day: 100 * own for day, own in found.items()}
    evidence, _ = mean_distance(tables)
    means = dict(zip(tables, map(float, evidence.value), strict=True))
    maps = policy_map(list(tables.values()))
    rows = pd.concat([own.assign(period=day.isoformat()) for day, own in zip(tables, maps, strict=True)], ignore_index=True)
    sentences = [say("web.map.answer", day=say.date(day.isoformat()), value=number(mean, say, 1)) for day, mean in means.items()]
    codes = ", ".join(f"{code} {say.area(code)}" for code in sorted(rows["issuer"].unique(), key=say.area))
    frame = pd.DataFrame({"panel": [say.date(one) for one in rows["period"]], "label": rows["issuer"], "x": rows["x"], "y": rows["y"]})
    title, about = say("chart.policy_map"), Markup(" ").join((say("chart.policy_map.about"), say("note.codes", codes=codes)))
    chart = drawn(
        frame, title=title.unescape(), desc=about.unescape(), prefix="w-map", unit=say.plain("unit.name.points"), number_format=say.number
    )
    near = pd.concat([neighbours(own).assign(period=day.isoformat()) for day, own in tables.items()], ignore_index=True)
    listing = table(
        "neighbours",
        say("web.map.neighbours"),
        near,
        {
            "period": (say.plain("web.field.on"), lambda row: say.date(row["period"])),
            "issuer": (say.plain("column.member"), lambda row: say.area(row["issuer"])),
            "other": (say.plain("web.column.nearest"), lambda row: say.area(row["other"])),
            "distance": (say.plain("column.distance"), lambda row: number(row["distance"], say, 1)),
        },
        numeric=("distance",),
        folded=True,
    )
    figure = Figure(
        name="map",
        title=title,
        chart=chart,
        data=rows,
        about=about,
        text=Markup(" ").join(sentences),
        sources=(("register", say.plain("source.register")),),
    )
    shown = list(means)
    change = number(means[shown[-1]] - means[shown[0]], say, 1, sign=True)
    first = say("web.map.change", first=say.date(shown[0].isoformat()), last=say.date(shown[-1].isoformat()), change=change)
    made = Made(command=f"qonys convergence distance EU {' '.join(f'--on {day}' for day in days)}", methods=("portfolios",))
    return Shown(title=say("web.map.title"), answer=(first, *sentences), blocks=(figure, listing), made=made)


VIEWS = (View(path="convergence/map", asked=AskedMap, show=likeness, heading="web.view.convergence/map"),)
