"""A corridor in words and pictures: when everybody is home, what binds, what cannot hold together, who lost how many days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core import areas
from qonys.report.charts import Phase, routes, stacked_days, step_lines

if TYPE_CHECKING:
    from qonys.i18n import Words
    from qonys.report.charts import Chart
    from qonys.report.rooms.naming import Names
    from qonys.scenarios.corridor import Binding, Conflict, Corridor, Plan, Replan, Withstood

MOST_LINES = 6  # lines or layers that a picture tells apart


@dataclass(frozen=True, slots=True)
class CorridorNames:
    """What people call the parts of a corridor: as its file labels them, or by what they are (a train from A to B, citizens at C)."""

    corridor: Corridor
    name: Names

    @property
    def say(self) -> Words:
        """The words of the language."""
        return self.name.say

    def place(self, code: str) -> str:
        """A place: a state by its name, any other as the file calls it."""
        return place(code, self.name)

    def leg(self, code: str) -> str:
        """A leg: its mode, from where, to where."""
        leg = next((one for one in self.corridor.legs if one.id == code), None)
        if leg is None or code in self.name.labels:
            return self.name("leg", code)
        mode = self.say.label("mode", leg.mode, leg.mode)
        return self.say.plain("corridor.leg", mode=mode, origin=self.place(leg.origin), destination=self.place(leg.destination))

    def group(self, code: str) -> str:
        """A group: of which citizenship, at which place."""
        group = next((one for one in self.corridor.groups if one.id == code), None)
        if group is None or code in self.name.labels:
            return self.name("group", code)
        return self.say.plain("corridor.group", area=self.say.area(group.citizenship), place=self.place(group.place))

    def limit(self, kind: str, code: str) -> str:
        """What a limit is of: a leg, a border, a state, a mode, a place."""
        if kind == "fleet":
            return self.say.label("mode", code, code)
        return self.leg(code) if kind in ("vehicles", "seats") else self.place(code)

    def day(self, moment: Any) -> str:
        """A day in words, or that there is none."""
        if moment is pd.NaT or moment is None:
            return self.say.plain("corridor.never")
        return self.say.date(pd.Timestamp(moment).date().isoformat())


def place(code: str, name: Names) -> str:
    """A place: a state or region by its name, any other as the file calls it."""
    return name.say.area(code) if code in areas.codes() and code not in name.labels else name("place", code)


def plan_sentences(found: Plan, names: CorridorNames) -> list[str]:
    """How many are home and when, how long they waited, by which vehicles, and how near the plan is to the best one."""
    say, row = names.say, found.summary.iloc[0]
    told = [
        say.plain(
            "corridor.says" if row["not_home"] == 0 else "corridor.says_left", persons=say.number(row["persons"]),
            home=say.number(row["home"]), left=say.number(row["not_home"]), last=names.day(row["last_home"]),
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
                "corridor.groups", least=names.group(least["group"]), least_days=say.number(least["mean_waiting_days"], 1),
                most=names.group(most["group"]), most_days=say.number(most["mean_waiting_days"], 1),
                over=say.number(row["fairness_days"], 1),
            )
        )  # fmt: skip
    return told


def binding_sentences(found: Binding, names: CorridorNames) -> list[str]:
    """One more of each limit that binds most, and what it would bring; said to be open where the two plans do not decide it."""
    say, told = names.say, []
    for row in found.loosened.to_dict("records"):
        more = _more(row, names)
        numbers = {key: say.number(row[key]) for key in ("person_days_saved", "low", "high")}
        if row["low"] <= 0:
            told.append(say.plain("corridor.more_open", more=more, **numbers))
        elif row["days_earlier"] == row["days_earlier"] and row["days_earlier"] > 0:
            days = say.plural("unit.days", row["days_earlier"], n=say.number(row["days_earlier"])).unescape()
            told.append(say.plain("corridor.more_days", more=more, days=days, **numbers))
        else:
            told.append(say.plain("corridor.more_same", more=more, **numbers))
    return told or [say.plain("corridor.nothing_binds")]


def _more(row: dict[str, Any], names: CorridorNames) -> str:
    """What more of the limit is: "one more vehicle on ... on 12 April 2020"."""
    on = {} if row["day"] is pd.NaT or row["day"] is None else {"day": names.day(row["day"])}
    return names.say.plain(
        f"corridor.extra.{row['kind']}", name=names.limit(row["kind"], row["name"]), extra=names.say.number(row["extra"]), **on
    )


def conflict_sentences(found: Conflict, names: CorridorNames) -> list[str]:
    """That a plan exists; or the fewest limits that cannot hold together, each with what would be needed if it alone gave way."""
    say = names.say
    if found.exists:
        return [say.plain("conflict.none")]
    told = [say.plain("conflict.found" if found.exact else "conflict.found_so_far", number=say.number(len(found.members)))]
    for row in found.members.to_dict("records"):
        now = names.day(row["day"]) if row["limit"] != row["limit"] else say.number(row["limit"], 1 if row["kind"] == "fairness" else 0)
        limit = say.plain(f"conflict.limit.{row['kind']}", name=names.limit(row["kind"], row["name"]), now=now)
        if row["needed_day"] is not pd.NaT:
            told.append(say.plain("conflict.needs", limit=limit, needed=names.day(row["needed_day"])))
        elif row["needed"] == row["needed"]:
            told.append(say.plain("conflict.needs", limit=limit, needed=say.number(row["needed"], 1 if row["kind"] == "fairness" else 0)))
        else:
            told.append(say.plain("conflict.needs_nothing", limit=limit))
    for row in found.structural.to_dict("records"):
        day = {} if row["day"] is pd.NaT else {"day": names.day(row["day"])}
        told.append(
            say.plain(
                f"conflict.{row['kind']}", name=names.group(row["name"]) if row["kind"] != "late_leg" else names.leg(row["name"]), **day
            )
        )
    return told


def replan_sentences(found: Replan, names: CorridorNames) -> list[str]:
    """What the new plan costs each group in days, who is held up on the way, and whether the old plan still stands."""
    say = names.say
    if found.kept:
        return [say.plain("replan.kept"), *plan_sentences(found.plan, names)]
    told = plan_sentences(found.plan, names)
    for row in found.changes.sort_values("days_lost", ascending=False, kind="stable").to_dict("records"):
        if row["days_lost"] != row["days_lost"] or abs(row["days_lost"]) < 0.05:
            continue
        key = f"replan.{'lost' if row['days_lost'] > 0 else 'won'}{'_left' if row['last_after'] is pd.NaT else ''}"
        told.append(say.plain(key, group=names.group(row["group"]), days=say.number(abs(row["days_lost"]), 1),
                              last=names.day(row["last_after"])))  # fmt: skip
    for (border, where), held in found.held.groupby(["border", "place"]):
        told.append(
            say.plain("replan.held", persons=say.number(held["persons"].sum()), border=names.place(border), place=names.place(where))
        )
    return told


def withstood_sentences(found: Withstood, chance: float, names: CorridorNames) -> list[str]:
    """The plan and the one that insures against lost trips, on fresh scenarios."""
    say, told = names.say, []
    tests = found.tests.groupby("plan").size()
    for row in found.results.to_dict("records"):
        numbers = {key: say.number(100 * row[of]) for key, of in (("share", "share_home"), ("low", "share_low"), ("high", "share_high"))}
        told.append(
            say.plain(
                f"withstand.{row['plan']}", chance=say.number(100 * chance, 1), tests=say.number(tests[row["plan"]]),
                days=say.number(row["mean_waiting_days"], 1), bad=say.number(row["mean_waiting_95"], 1),
                vehicles=say.number(row["vehicles"]), **numbers,
            )
        )  # fmt: skip
    return told


def route_chart(ways: pd.DataFrame, name: Names) -> Chart:
    """Persons by leg and citizenship, from where they wait to where they are home. ways: see `scenarios.corridor.ways`."""
    say = name.say
    rows = pd.DataFrame(
        {
            "from_label": [place(one, name) for one in ways["origin"]],
            "to_label": [place(one, name) for one in ways["destination"]],
            "group": [say.area(one) for one in ways["citizenship"]],
            "value": ways["persons"].astype(float),
            "text": [say.number(value) for value in ways["persons"]],
        }
    )
    unit = say.plain("unit.name.persons")
    return routes(rows, prefix="routes", title=say.plain("chart.routes"), desc=say.plain("chart.routes.about"), unit=unit)


def waiting_chart(waiting: pd.DataFrame, closed: pd.DataFrame, name: Names) -> Chart:
    """Persons who wait, by day and place, over the spells in which a border is closed (border, first, last)."""
    say = name.say
    sums = waiting.groupby("place")["persons"].sum().sort_values(ascending=False, kind="stable")
    kept = list(sums.index[: MOST_LINES - 1 if len(sums) > MOST_LINES else MOST_LINES])
    label = {one: place(one, name) if one in kept else say.plain("corridor.other_places") for one in sums.index}
    rows = waiting.assign(group=waiting["place"].map(label), day=pd.to_datetime(waiting["day"]).dt.strftime("%Y-%m-%d"))
    summed = rows.groupby(["group", "day"])["persons"].sum()
    every = pd.date_range(min(rows["day"]), max(rows["day"])).strftime("%Y-%m-%d")
    grid = pd.MultiIndex.from_product([list(dict.fromkeys(label.values())), every], names=["group", "day"])
    filled = summed.reindex(grid, fill_value=0).rename("value").reset_index()
    spells = [
        Phase(str(row.first), str(row.last), say.plain("corridor.closed", border=place(row.border, name)))
        for row in closed.itertuples(name="Spell")
    ]
    return stacked_days(
        filled, prefix="waiting", title=say.plain("chart.waiting"), desc=say.plain("chart.waiting.about"),
        unit=say.plain("unit.name.persons"), closed=spells, locale=say.language,
    )  # fmt: skip


def home_chart(home: pd.DataFrame, name: Names) -> Chart:
    """Share of each citizenship that is home by each day (citizenship, day, share)."""
    say = name.say
    shown = home[home["citizenship"].isin(list(dict.fromkeys(home["citizenship"]))[:MOST_LINES])]
    rows = pd.DataFrame(
        {
            "line": [say.area(one) for one in shown["citizenship"]],
            "x": pd.to_datetime(shown["day"]).dt.strftime("%Y-%m-%d"),
            "value": 100 * shown["share"],
        }
    )
    return step_lines(
        rows, prefix="home", title=say.plain("chart.home"), desc=say.plain("chart.home.about"), unit=say.plain("unit.name.percent"),
        x_label="", number_format=lambda value: say.number(value, 0), locale=say.language,
    )  # fmt: skip


def corridor_pictures(ways: pd.DataFrame, home: pd.DataFrame, waiting: pd.DataFrame, closed: pd.DataFrame, name: Names) -> dict[str, Chart]:
    """Every picture of a plan by its name; without those for which nobody moves or waits."""
    pictures = {"home": home_chart(home, name)}
    if len(ways):
        pictures["routes"] = route_chart(ways, name)
    if len(waiting):
        pictures["waiting"] = waiting_chart(waiting, closed, name)
    return pictures
