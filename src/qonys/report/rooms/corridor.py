"""A corridor in words and pictures: when everybody is home, what binds, what cannot hold together, who lost how many days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core import areas
from qonys.report.charts import Phase, routes, stacked_days, step_lines

if TYPE_CHECKING:
    from qonys.report.charts import Chart
    from qonys.report.rooms.naming import Names
    from qonys.scenarios.corridor import Binding, Conflict, Corridor, Plan, Replan, Withstood

MOST_LINES = 6  # lines or layers that a picture tells apart


def place(code: str, name: Names) -> str:
    """A place: a state by its name, any other as the file calls it."""
    return name.say.area(code) if code in areas.codes() and code not in name.labels else name("place", code)


def plan_sentences(found: Plan, name: Names) -> list[str]:
    """How many are home and when, how long they waited, by which vehicles, and how near the plan is to the best one."""
    say, row = name.say, found.summary.iloc[0]
    told = [
        say.plain(
            "corridor.says" if row["not_home"] == 0 else "corridor.says_left", persons=say.number(row["persons"]),
            home=say.number(row["home"]), left=say.number(row["not_home"]), last=_day(row["last_home"], name),
            days=say.number(row["mean_waiting_days"], 1), end=say.date(found.corridor.last.isoformat()),
        ),
        say.plain(
            "corridor.vehicles", vehicles=say.number(row["vehicles"]), seats=say.number(row["seats"]),
            used=say.number(100 * (found.schedule["persons"].sum() / row["seats"] if row["seats"] else 0.0)),
        ),
        say.plain(f"corridor.gap.{row['outcome']}", gap=say.number(100 * row["gap"], 1)),
    ]  # fmt: skip
    groups = found.groups.sort_values("mean_waiting_days", kind="stable")
    if len(groups) > 1:
        least, most = groups.iloc[0], groups.iloc[-1]
        told.append(
            say.plain(
                "corridor.groups", least=name("group", least["group"]), least_days=say.number(least["mean_waiting_days"], 1),
                most=name("group", most["group"]), most_days=say.number(most["mean_waiting_days"], 1),
                over=say.number(row["fairness_days"], 1),
            )
        )  # fmt: skip
    return told


def binding_sentences(found: Binding, name: Names) -> list[str]:
    """One more of each limit that binds most, and what it would bring; said to be open where the two plans do not decide it."""
    say, told = name.say, []
    for row in found.loosened.to_dict("records"):
        more = _more(row, name)
        numbers = {key: say.number(row[key]) for key in ("person_days_saved", "low", "high")}
        if row["low"] <= 0:
            told.append(say.plain("corridor.more_open", more=more, **numbers))
        elif row["days_earlier"] == row["days_earlier"] and row["days_earlier"] > 0:
            days = say.plural("unit.days", row["days_earlier"], n=say.number(row["days_earlier"])).unescape()
            told.append(say.plain("corridor.more_days", more=more, days=days, **numbers))
        else:
            told.append(say.plain("corridor.more_same", more=more, **numbers))
    return told or [say.plain("corridor.nothing_binds")]


def _more(row: dict[str, Any], name: Names) -> str:
    """What more of the limit is: "one more vehicle on ... on 12 April 2020"."""
    on = {} if row["day"] is pd.NaT or row["day"] is None else {"day": _day(row["day"], name)}
    return name.say.plain(
        f"corridor.extra.{row['kind']}", name=limit_name(row["kind"], row["name"], name), extra=name.say.number(row["extra"]), **on
    )


def limit_name(kind: str, code: str, name: Names) -> str:
    """What a limit is of: a leg, a border, a state, a mode."""
    if kind == "fleet":
        return name.say.label("mode", code, code)
    if kind in ("beds", "consulate"):
        return place(code, name)
    return place(code, name) if kind == "room" else name("corridor", code)


def conflict_sentences(found: Conflict, name: Names) -> list[str]:
    """That a plan exists; or the fewest limits that cannot hold together, each with what would be needed if it alone gave way."""
    say = name.say
    if found.exists:
        return [say.plain("conflict.none")]
    told = [say.plain("conflict.found" if found.exact else "conflict.found_so_far", number=say.number(len(found.members)))]
    for row in found.members.to_dict("records"):
        now = _day(row["day"], name) if row["limit"] != row["limit"] else say.number(row["limit"], 1 if row["kind"] == "fairness" else 0)
        limit = say.plain(f"conflict.limit.{row['kind']}", name=limit_name(row["kind"], row["name"], name), now=now)
        if row["needed_day"] is not pd.NaT:
            told.append(say.plain("conflict.needs", limit=limit, needed=_day(row["needed_day"], name)))
        elif row["needed"] == row["needed"]:
            told.append(say.plain("conflict.needs", limit=limit, needed=say.number(row["needed"], 1 if row["kind"] == "fairness" else 0)))
        else:
            told.append(say.plain("conflict.needs_nothing", limit=limit))
    for row in found.structural.to_dict("records"):
        day = {} if row["day"] is pd.NaT else {"day": _day(row["day"], name)}
        told.append(say.plain(f"conflict.{row['kind']}", name=name("group", row["name"]), **day))
    return told


def replan_sentences(found: Replan, name: Names) -> list[str]:
    """What the new plan costs each group in days, who is held up on the way, and whether the old plan still stands."""
    say = name.say
    if found.kept:
        return [say.plain("replan.kept"), *plan_sentences(found.plan, name)]
    told = plan_sentences(found.plan, name)
    for row in found.changes.sort_values("days_lost", ascending=False, kind="stable").to_dict("records"):
        if row["days_lost"] != row["days_lost"] or abs(row["days_lost"]) < 0.05:
            continue
        key = "replan.lost" if row["days_lost"] > 0 else "replan.won"
        told.append(say.plain(key, group=name("group", row["group"]), days=say.number(abs(row["days_lost"]), 1),
                              last=_day(row["last_after"], name)))  # fmt: skip
    for (border, where), held in found.held.groupby(["border", "place"]):
        told.append(
            say.plain("replan.held", persons=say.number(held["persons"].sum()), border=name("corridor", border), place=place(where, name))
        )
    return told


def withstood_sentences(found: Withstood, chance: float, name: Names) -> list[str]:
    """The plan and the one that insures against lost trips, on fresh scenarios."""
    say, told = name.say, []
    for row in found.tests.to_dict("records"):
        told.append(
            say.plain(
                f"withstand.{row['plan']}", chance=say.number(100 * chance, 1), tests=say.number(row["scenarios"]),
                share=say.number(100 * row["share_all_home"], 0), days=say.number(row["mean_waiting_days"], 1),
                bad=say.number(row["p95_waiting_days"], 1), vehicles=say.number(row["vehicles"]),
            )
        )  # fmt: skip
    return told


def route_chart(corridor: Corridor, moves: pd.DataFrame, name: Names) -> Chart:
    """Persons by leg and citizenship, from where they wait to where they are home."""
    say = name.say
    legs = {leg.id: leg for leg in corridor.legs}
    whose = {group.id: group.citizenship for group in corridor.groups}
    flat = pd.DataFrame(
        {
            "from": [legs[leg].origin for leg in moves["leg"]],
            "to": [legs[leg].destination for leg in moves["leg"]],
            "citizenship": [whose[group] for group in moves["group"]],
            "value": moves["persons"].to_numpy(float),
        }
    )
    summed = flat.groupby(["from", "to", "citizenship"], as_index=False)["value"].sum()
    rows = pd.DataFrame(
        {
            "from_label": [place(one, name) for one in summed["from"]],
            "to_label": [place(one, name) for one in summed["to"]],
            "group": [say.plain("corridor.citizens", area=say.area(one)) for one in summed["citizenship"]],
            "value": summed["value"],
            "text": [say.number(value) for value in summed["value"]],
        }
    )
    return routes(
        rows, prefix="routes", title=say.plain("chart.routes"), desc=say.plain("chart.routes.about"), unit=say.plain("unit.name.persons")
    )


def waiting_chart(corridor: Corridor, waiting: pd.DataFrame, name: Names) -> Chart:
    """Persons who wait, by day and place, over the spells in which a border is closed."""
    say = name.say
    sums = waiting.groupby("place")["persons"].sum().sort_values(ascending=False)
    kept = list(sums.index[: MOST_LINES - 1 if len(sums) > MOST_LINES else MOST_LINES])
    label = {one: place(one, name) if one in kept else say.plain("corridor.other_places") for one in sums.index}
    rows = waiting.assign(group=waiting["place"].map(label), day=pd.to_datetime(waiting["day"]).dt.strftime("%Y-%m-%d"))
    rows = rows.groupby(["day", "group"], as_index=False)["persons"].sum().rename(columns={"persons": "value"})
    order = {text: rank for rank, text in enumerate(dict.fromkeys(label[one] for one in sums.index))}
    rows = rows.sort_values(["group", "day"], key=lambda column: column.map(order) if column.name == "group" else column, kind="stable")
    every = pd.date_range(corridor.first, corridor.last).strftime("%Y-%m-%d")
    last = max(rows["day"])
    grid = pd.MultiIndex.from_product([list(order), [day for day in every if day <= last]], names=["group", "day"])
    rows = rows.set_index(["group", "day"]).reindex(grid, fill_value=0).reset_index()
    closed = [
        Phase(span.first.isoformat(), span.last.isoformat(), say.plain("corridor.closed", border=name("corridor", border.id)))
        for border in corridor.borders
        for span in border.closed
    ]
    return stacked_days(
        rows, prefix="waiting", title=say.plain("chart.waiting"), desc=say.plain("chart.waiting.about"), unit=say.plain("unit.name.persons"),
        closed=closed, locale=say.language,
    )  # fmt: skip


def home_chart(corridor: Corridor, home: pd.DataFrame, groups: pd.DataFrame, name: Names) -> Chart:
    """Share of each citizenship that is home by each day."""
    say = name.say
    whose = groups.set_index("group")["citizenship"]
    sizes = groups.groupby("citizenship")["persons"].sum()
    every = pd.date_range(corridor.first, max(pd.to_datetime(home["day"]))) if len(home) else pd.DatetimeIndex([corridor.first])
    rows = []
    for citizenship in sizes.sort_values(ascending=False).index[:MOST_LINES]:
        own = home[home["group"].map(whose).eq(citizenship)]
        share = 100 * own.groupby("day")["persons"].sum().reindex(every, fill_value=0).cumsum() / sizes[citizenship]
        rows += [
            {"line": say.plain("corridor.citizens", area=say.area(citizenship)), "x": day.strftime("%Y-%m-%d"), "value": float(value)}
            for day, value in share.items()
        ]
    return step_lines(
        pd.DataFrame(rows), prefix="home", title=say.plain("chart.home"), desc=say.plain("chart.home.about"),
        unit=say.plain("unit.name.percent"), x_label="", number_format=lambda value: say.number(value, 0), locale=say.language,
    )  # fmt: skip


def corridor_pictures(found: Plan, name: Names) -> dict[str, Chart]:
    """Every picture of a plan by its name."""
    return {
        "routes": route_chart(found.corridor, found.moves, name),
        "waiting": waiting_chart(found.corridor, found.waiting, name),
        "home": home_chart(found.corridor, found.home, found.groups, name),
    }


def _day(moment: Any, name: Names) -> str:
    return (
        name.say.plain("corridor.never") if moment is pd.NaT or moment is None else name.say.date(pd.Timestamp(moment).date().isoformat())
    )
