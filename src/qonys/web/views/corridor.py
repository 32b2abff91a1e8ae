"""Why a corridor is on: which measures reach people who go from one country to another on a day, and why others do not."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from markupsafe import Markup

from qonys.core import areas
from qonys.measures import corridor_categories
from qonys.situation.corridor import why_of
from qonys.web.views.asked import Area, Asked, Day
from qonys.web.views.labels import dated, measure_link, number
from qonys.web.views.shown import Made, Shown, View, table

if TYPE_CHECKING:
    from qonys.i18n import Words
    from qonys.web.views.here import Here
    from qonys.web.views.shown import Listing

MOST_NAMED = 3  # measures in the sentence; all stand in the table


class AskedCorridor(Asked):
    """People of one category who go from one country to another on one day."""

    origin: Area = "RUS"
    destination: Area = "KAZ"
    category: Literal["asylum", "citizen", "family", "irregular", "labour", "returnee", "student", "visitor"] = "labour"
    on: Day = date(2020, 4, 15)
    direction: Literal["tightening", "easing"] = "tightening"
    reading: Literal["possible", "certain"] = "possible"


def corridor(asked: AskedCorridor, here: Here) -> Shown:
    """Whether a corridor is under measures on a day, which reach it, and why others that could concern it do not."""
    say = here.say
    where = (asked.origin, asked.destination, asked.category)
    found = why_of(*where, asked.on, reading=asked.reading, direction=asked.direction, register=here.registers)
    answer = sentence_of(found, *where, asked.on, asked.reading, asked.direction, say)
    reached, missed = found[found["why"].isna()], found[found["why"].notna()]
    command = (
        f"qonys measures exposure --explain {asked.destination} --origin {asked.origin} --category {asked.category} --on {asked.on} "
        f"--direction {asked.direction} --reading {asked.reading}"
    )
    title = say("web.corridor.title", origin=say.area(asked.origin), destination=say.area(asked.destination))
    blocks = (_reached(reached, say), _missed(missed, say))
    return Shown(title=title, answer=(answer,), blocks=blocks, made=Made(command=command, methods=("exposure", "in-force")))


def sentence_of(
    pairs: pd.DataFrame, origin: str, destination: str, category: str, on: date, reading: str, direction: str, say: Words
) -> Markup:  # fmt: skip
    """Why a corridor is on, or that it is off, in one sentence. pairs: as `situation.corridor.why_of`."""
    about = {
        "corridor": f"{say.area(origin)} → {say.area(destination)}", "category": say.plain(f"category.{category}"),
        "day": say.date(on.isoformat()), "reading": say.plain(f"reading.{reading}"), "direction": say.plain(f"direction.{direction}"),
    }  # fmt: skip
    reached = pairs[pairs["why"].isna()].sort_values(["dose", "id"], ascending=[False, True]).drop_duplicates("id")
    if reached.empty:
        return say("explain.off", **about, others=say.number(len(pairs)))
    dose = float(reached["dose"].max())
    named = [
        Markup("{} ({})").format(measure_link(row, say), say.area(str(row["issuer"])))
        for row in reached.head(MOST_NAMED).to_dict("records")
    ]
    told = Markup("; ").join(named)
    if len(reached) > MOST_NAMED:
        told = Markup("{}; {}").format(told, say("web.more_sources", count=len(reached) - MOST_NAMED))
    return say("explain.on", **about, dose=say.number(dose, 0 if dose == int(dose) else 1), measures=told)


def _columns(say: Words) -> dict[str, Any]:
    return {
        "title": (say.plain("column.measure"), lambda row: measure_link(row, say)),
        "issuer": (say.plain("column.issuer"), lambda row: say.area(str(row["issuer"]))),
        "side": (say.plain("web.corridor.side"), lambda row: say.plain(f"web.corridor.side.{row['side']}")),
    }


def _reached(rows: pd.DataFrame, say: Words) -> Listing:
    return table(
        "reached", say("web.corridor.reached"), rows,
        {
            **_columns(say),
            "dose": (say.plain("web.corridor.dose"), lambda row: number(row["dose"], say, 1 if row["dose"] % 1 else 0)),
            "start": (say.plain("column.start"), lambda row: dated(row["start"], say)),
            "end": (say.plain("column.end"), lambda row: dated(row["end"], say)),
            "conditions": (say.plain("web.corridor.conditions"), lambda row: _conditions(row["conditions"], say)),
            "via": (say.plain("web.corridor.via"), lambda row: _via(row["via"], say)),
        },
        numeric=("dose",), sources=(("register", say.plain("source.register")),), note=say("web.corridor.reached.note"),
    )  # fmt: skip


def _missed(rows: pd.DataFrame, say: Words) -> Listing:
    return table(
        "missed", say("web.corridor.missed"), rows,
        {**_columns(say), "why": (say.plain("column.why"), lambda row: say.plain(f"why.{row['why']}"))},
        sources=(("register", say.plain("source.register")),),
    )  # fmt: skip


def _conditions(codes: object, say: Words) -> str:
    return ", ".join(say.label("exception", code, str(code)) for code in codes) if isinstance(codes, list | tuple) else ""


def _via(id: object, say: Words) -> str | Markup:
    return Markup('<a href="/{}/measures/entry?id={}">{}</a>').format(say.language, id, id) if isinstance(id, str) and id else ""


def _choices(asked: AskedCorridor, here: Here) -> dict[str, tuple[tuple[str, str], ...]]:
    say = here.say
    states = tuple(sorted(((one.code, say.area(one.code)) for one in areas.areas(kind="country")), key=lambda pair: pair[1]))
    return {
        "origin": states, "destination": states,
        "category": tuple((code, say.plain(f"category.{code}")) for code in sorted(corridor_categories())),
        "direction": tuple((code, say.label("direction", code)) for code in ("tightening", "easing")),
        "reading": tuple((code, say.plain(f"reading.{code}")) for code in ("possible", "certain")),
    }  # fmt: skip


VIEW = View(path="measures/corridor", asked=AskedCorridor, show=corridor, heading="web.view.measures/corridor", choices=_choices)
