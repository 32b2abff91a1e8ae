"""The rest of a plan made anew on a day, from where everybody is: what has left has left, and who meets a closed border waits before it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError
from qonys.scenarios.corridor.network import Network, network
from qonys.scenarios.corridor.plan import Plan, past_of, tables
from qonys.scenarios.corridor.search import NEAR, check_effort, optimum, relative_gap, relaxed
from qonys.scenarios.corridor.solver import INF, TIGHT, Solution, Solver, elastic

if TYPE_CHECKING:
    from qonys.scenarios.corridor.definition import Border, Corridor, Group

HELD = ["day", "leg", "group", "vulnerable", "persons", "border", "place", "held_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replan:
    """plan: of the whole time, past days as they were. changes: group, persons, mean_before, mean_after, days_lost (a person), last_before,
    last_after (missing: not all home), not_home_before, not_home_after; persons of groups new in the file have no `before`.

    held: day, leg, group, vulnerable, persons, border, place, held_at: those under way who found a border closed on the day held_at, and
    the place where they wait: the border's own, or where they had boarded. crowded: place, day, over: where that leaves more persons than
    there is room for, as few as can be. kept: the old plan still keeps all limits and is within the gap, so nothing was changed.
    """

    plan: Plan
    changes: pd.DataFrame
    held: pd.DataFrame
    crowded: pd.DataFrame
    kept: bool


def replan(corridor: Corridor, found: Plan, *, on: date, gap: float = 0.01, seconds: float = 60.0) -> Replan:
    """The plan anew from the day `on`, as the corridor is known then. What of `found` left before that day is done; who is under way
    arrives, unless a border is closed when it is reached; everybody else waits where they are, and the rest is planned with the limits of
    `corridor`.

    corridor: the new state; its first day may be later than the plan's, groups of the plan must be in it unchanged, new ones may come.
    A plan that can still run is kept where it is within the gap or as good as the new one. Room alone may be exceeded, where those who are
    held up have nowhere else to be. Errors: DesignError for a day outside the plan, a group that is gone or changed, a
    place where nobody can be held, and as of `plan`.
    """
    check_effort(gap, seconds)
    old = found.corridor
    new = _continued(corridor, old, on)
    past = past_of(found, on)
    moves, held = _held(past.moves, new, old, on)
    net = network(new, past=replace(past, moves=moves))
    net, bound, crowded = _bound(net, seconds)
    same = _same(net, found, on) if bound < INF else None
    if same is not None and relative_gap(same.value, bound) <= gap:
        best = replace(same, bound=bound)
    else:
        best = optimum(net, gap=gap, seconds=seconds, known=found.schedule)
        if same is not None and same.value <= best.value * (1 + TIGHT) + TIGHT:
            best = replace(same, bound=best.bound, outcome=best.outcome)
    after = tables(net, best)
    kept = same is not None and best.values is same.values
    return Replan(plan=after, changes=_changes(found, after), held=held, crowded=crowded, kept=kept)


def _bound(net: Network, seconds: float) -> tuple[Network, float, pd.DataFrame]:
    """The bound of the relaxation, after rooms have been given what those need who have nowhere else to be: place, day, over."""
    crowded = pd.DataFrame({"place": [], "day": [], "over": []}).astype({"place": object, "day": "datetime64[ns]", "over": np.int64})
    base = Solver(relaxed(net.model)).solve(seconds=seconds)
    rooms = net.limits[net.limits["kind"] == "room"]
    if base.outcome != "infeasible" or not len(rooms):
        return net, base.bound, crowded
    model, rows = net.model, rooms["row"].to_numpy(int)
    solver = Solver(elastic(relaxed(model), rows, -np.ones(len(rows))))
    slack = len(model.cost) + np.arange(len(rows))
    solver.costs(slack, np.ones(len(rows)))
    found = solver.solve(seconds=seconds)
    if found.values is None:
        return net, INF, crowded
    over = np.ceil(found.values[slack] - NEAR)
    upper = model.row_upper.copy()
    upper[rows] += over
    wide = replace(net, model=replace(model, row_upper=upper))
    days = pd.Timestamp(net.corridor.first) + pd.to_timedelta(rooms["day"], unit="D")
    crowded = pd.DataFrame({"place": rooms["name"], "day": days, "over": over.astype(np.int64)}).query("over > 0").reset_index(drop=True)
    return wide, Solver(relaxed(wide.model)).solve(seconds=seconds).bound, crowded


def _same(net: Network, found: Plan, on: date) -> Solution | None:
    """The rest of the old plan in the new network; None where it cannot run there."""
    lower, upper = net.model.lower.copy(), net.model.upper.copy()
    people = pd.DataFrame([(one.group.id, one.vulnerable) for one in net.people], columns=["group", "vulnerable"])
    tables_of = (
        (net.trips, found.schedule, ["leg", "day"], "vehicles"),
        (net.moves.join(people, on="people"), found.moves, ["group", "vulnerable", "leg", "day"], "persons"),
        (net.papers.join(people, on="people"), found.papers, ["group", "vulnerable", "day"], "persons"),
    )
    for new, old, key, what in tables_of:
        later = old[old["day"] >= pd.Timestamp(on)]
        later = later.assign(day=(later["day"] - pd.Timestamp(net.corridor.first)).dt.days)
        to_come = new[new["day"] >= (on - net.corridor.first).days]
        both = to_come.merge(later[[*key, what]], on=key, how="outer")
        if both["column"].isna().any():
            return None
        columns = both["column"].to_numpy(int)
        lower[columns] = upper[columns] = both[what].fillna(0).to_numpy(float)
    solution = Solver(replace(relaxed(net.model), lower=lower, upper=upper)).solve()
    return solution if solution.values is not None else None


def _continued(corridor: Corridor, old: Corridor, on: date) -> Corridor:
    if not old.first <= on <= old.last or not corridor.first <= on <= corridor.last:
        raise DesignError(f"{on} is not a day of both plans", mend=f"name a day from {max(old.first, corridor.first)} to {old.last}")
    new = {group.id: group for group in corridor.groups}
    for group in old.groups:
        same = new.get(group.id)
        if same is None or _moving(same) != _moving(group):
            what = "is gone" if same is None else "has changed"
            raise DesignError(
                f"group {group.id} of the plan {what} in {corridor.name}", mend="keep its persons, place and days; others are a new group"
            )
    late = next((one for one in corridor.groups if one.id not in {group.id for group in old.groups} and one.arriving[0][0] < on), None)
    if late is not None:
        raise DesignError(f"the new group {late.id} is ready before {on}", mend=f"let it be ready from {on} on")
    return replace(corridor, first=old.first)


def _moving(group: Group) -> tuple[object, ...]:
    """What of a group the past depends on; its priority may change."""
    return group.place, group.citizenship, group.destination, group.arriving, group.papers, group.vulnerable


def _held(moves: pd.DataFrame, new: Corridor, old: Corridor, on: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The moves of the past with those that meet a closed border ending before it, and these."""
    legs, groups = {leg.id: leg for leg in old.legs}, {group.id: group for group in old.groups}
    borders, ends, rows = {border.id: border for border in new.borders}, [], []
    for row in moves.itertuples():
        leg, end = legs[row.leg], (row.place, row.arrives)
        for name, after in sorted(leg.crosses, key=lambda one: one[1]):
            at = row.day + pd.Timedelta(days=after)
            border = borders.get(name)
            if border is None or at.date() < on or at > row.arrives or row.place != leg.destination:
                continue
            if _is_closed(border, groups[row.group], at.date()):
                end = (border.place or leg.origin, at)
                rows.append((row.day, row.leg, row.group, row.vulnerable, row.persons, name, *end))
                break
        ends.append(end)
    moved = moves.assign(place=pd.Series([place for place, _ in ends], index=moves.index, dtype=object),
                         arrives=pd.Series([day for _, day in ends], index=moves.index, dtype="datetime64[ns]"))  # fmt: skip
    held = pd.DataFrame(rows, columns=HELD).astype({"day": "datetime64[ns]", "held_at": "datetime64[ns]"})
    return moved, held


def _is_closed(border: Border, group: Group, day: date) -> bool:
    concerned = border.citizenships is None or group.citizenship in border.citizenships
    return concerned and any(span.first <= day <= span.last for span in border.closed)


def _changes(before: Plan, after: Plan) -> pd.DataFrame:
    columns = {"mean_waiting_days": "mean", "last_home": "last", "not_home": "not_home"}
    both = after.groups[["group", "persons", *columns]].merge(
        before.groups[["group", *columns]], on="group", how="left", suffixes=("_after", "_before")
    )
    both = both.rename(columns={f"{name}_{when}": f"{short}_{when}" for name, short in columns.items() for when in ("before", "after")})
    both = both.assign(days_lost=both["mean_after"] - both["mean_before"])
    return both[["group", "persons", "mean_before", "mean_after", "days_lost", "last_before", "last_after", "not_home_before",
                 "not_home_after"]]  # fmt: skip
