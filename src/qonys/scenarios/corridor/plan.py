"""The plan of a corridor: what runs when, who is on board, when each group is home, and how far every limit is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.scenarios.corridor.network import Network, Past, network
from qonys.scenarios.corridor.search import check_effort, optimum, relative_gap
from qonys.scenarios.corridor.solver import Solution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qonys.scenarios.corridor.definition import Corridor


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan as tables; days are datetimes, shares 0-1, persons and vehicles whole.

    schedule: day, leg, mode, vehicles, seats, persons, used (share of seats), cost. moves: day, leg, group, vulnerable, persons, place,
    arrives. papers: day, group, vulnerable, persons (documents issued). home: group, day, persons, share (of the group, cumulated).
    groups: group, citizenship, place, persons, home, not_home, first_home, half_home, last_home (missing: not by the last day),
    mean_waiting_days, vulnerable_mean_days (from ready to home, of those not home to the end of the plan).
    waiting: day, place, persons, without_papers (of these), at the end of the day. days: day, to_come, waiting, under_way, quarantine,
    home: every person once. use: kind, name, day, used, limit. summary, a row: persons, home, not_home, person_days, weighted_days,
    mean_waiting_days, first_home, last_home, vehicles, seats, cost, objective, bound, gap, outcome (`optimal`: to the gap asked; `time`),
    fairness_days (by how much the mean of the worst group exceeds that of all).
    """

    corridor: Corridor
    schedule: pd.DataFrame
    moves: pd.DataFrame
    papers: pd.DataFrame
    home: pd.DataFrame
    groups: pd.DataFrame
    waiting: pd.DataFrame
    days: pd.DataFrame
    use: pd.DataFrame
    summary: pd.DataFrame


def plan(corridor: Corridor, *, gap: float = 0.01, seconds: float = 60.0) -> Plan:
    """The plan with the least weighted waiting, to a relative `gap` of its objective, within about `seconds`: a late step gets a fifth.

    Objective: sum over persons of weight x days from ready to home (or to the end of the plan), the corridor's `vehicle` for each vehicle
    and `left` x weight for each person who has not arrived by the last day. Whoever is left is counted so and reported, never dropped.
    Errors: DesignError where no plan keeps all limits (see `conflict`), where none was found in time, or for a gap or time that is none.
    """
    check_effort(gap, seconds)
    net = network(corridor)
    return tables(net, optimum(net, gap=gap, seconds=seconds))


def tables(net: Network, solution: Solution) -> Plan:
    """A solution as the tables of a plan."""
    assert solution.values is not None
    corridor, values = net.corridor, solution.values
    moves = _some(net.moves.assign(persons=_counts(values, net.moves)), "persons")
    home = _home(net, moves)
    groups = _groups(net, moves, values)
    schedule = _schedule(net, moves, values)
    return Plan(
        corridor=corridor, schedule=schedule, moves=_named(net, moves, ["day", "leg"], ["place", "arrives"]),
        papers=_named(net, _some(net.papers.assign(persons=_counts(values, net.papers)), "persons"), ["day"], []), home=home,
        groups=groups, waiting=_waiting(net, values), days=_days(net, moves, values), use=_use(net, values),
        summary=_summary(net, solution, groups, home, schedule),
    )  # fmt: skip


def past_of(found: Plan, on: Any) -> Past:
    """What of a plan has happened before the day `on`: departures and documents of earlier days."""
    before = pd.Timestamp(on)
    legs = {leg.id: leg for leg in found.corridor.legs}
    return Past(on=on, legs=legs, schedule=found.schedule[found.schedule["day"] < before], moves=found.moves[found.moves["day"] < before],
                papers=found.papers[found.papers["day"] < before])  # fmt: skip


def _counts(values: NDArray[np.float64], table: pd.DataFrame) -> NDArray[np.int64]:
    return np.asarray(np.rint(values[table["column"].to_numpy(int)]), dtype=np.int64)


def _some(table: pd.DataFrame, what: str) -> pd.DataFrame:
    return table[table[what] > 0]


def _dates(net: Network, days: pd.Series) -> pd.Series:
    return pd.Timestamp(net.corridor.first) + pd.to_timedelta(days.astype(int), unit="D")


def _named(net: Network, table: pd.DataFrame, begin: list[str], end: list[str]) -> pd.DataFrame:
    table = table.sort_values([*begin, "people"], kind="stable").reset_index(drop=True)
    people = [net.people[one] for one in table["people"]]
    columns = {name: _dates(net, table[name]) if name in ("day", "arrives") else table[name] for name in (*begin, *end)}
    return pd.DataFrame({
        **{name: columns[name] for name in begin}, "group": pd.Series([one.group.id for one in people], dtype=object),
        "vulnerable": pd.Series([one.vulnerable for one in people], dtype=bool), "persons": table["persons"].astype(np.int64),
        **{name: columns[name] for name in end},
    })  # fmt: skip


def _schedule(net: Network, moves: pd.DataFrame, values: NDArray[np.float64]) -> pd.DataFrame:
    trips = _some(net.trips.assign(vehicles=_counts(values, net.trips)), "vehicles").sort_values(["day", "leg"], kind="stable")
    trips = trips.assign(seats=trips["seats"] * trips["vehicles"], cost=trips["cost"] * trips["vehicles"])
    boarded = moves.groupby(["leg", "day"])["persons"].sum()
    persons = boarded.reindex(pd.MultiIndex.from_frame(trips[["leg", "day"]]), fill_value=0).to_numpy(np.int64)
    return pd.DataFrame({
        "day": _dates(net, trips["day"]), "leg": trips["leg"], "mode": trips["mode"], "vehicles": trips["vehicles"].astype(np.int64),
        "seats": trips["seats"].astype(np.int64), "persons": persons, "used": persons / trips["seats"].to_numpy(float),
        "cost": trips["cost"],
    }).reset_index(drop=True)  # fmt: skip


def _arrivals(net: Network, moves: pd.DataFrame) -> pd.DataFrame:
    """Moves that end at home by the last day, with group and vulnerable."""
    found = moves[moves["home"] < net.corridor.days]
    people = [net.people[one] for one in found["people"]]
    return found.assign(group=pd.Series([one.group.id for one in people], index=found.index, dtype=object),
                        vulnerable=pd.Series([one.vulnerable for one in people], index=found.index, dtype=bool))  # fmt: skip


def _home(net: Network, moves: pd.DataFrame) -> pd.DataFrame:
    daily = _arrivals(net, moves).groupby(["group", "home"], as_index=False)["persons"].sum()
    persons = {group.id: group.persons for group in net.corridor.groups}
    share = daily.groupby("group")["persons"].cumsum() / daily["group"].map(persons).astype(float)
    return pd.DataFrame({"group": daily["group"], "day": _dates(net, daily["home"]), "persons": daily["persons"], "share": share})


def _groups(net: Network, moves: pd.DataFrame, values: NDArray[np.float64]) -> pd.DataFrame:
    waited = pd.Series(0.0, index=range(len(net.people)))
    for table in (net.moves, net.stays, net.lacking, net.papers):
        columns = table["column"].to_numpy(int)
        days = np.rint(values[columns]) * net.waiting[columns]
        waited = waited.add(pd.Series(days).groupby(table["people"].to_numpy(int)).sum(), fill_value=0.0)
    arrived = _arrivals(net, moves).sort_values("home", kind="stable")
    rows = []
    for group in net.corridor.groups:
        of = {vulnerable: [n for n, one in enumerate(net.people) if one.group is group and one.vulnerable == vulnerable]
              for vulnerable in (True, False)}  # fmt: skip
        come = arrived[arrived["group"] == group.id]
        reached = come["persons"].cumsum()
        frail = sum(net.people[n].persons for n in of[True])
        rows.append({
            "group": group.id, "citizenship": group.citizenship, "place": group.place, "persons": group.persons,
            "home": int(come["persons"].sum()), "not_home": group.persons - int(come["persons"].sum()),
            "first_home": _when(net, come["home"].min()), "half_home": _when(net, come["home"][2 * reached >= group.persons].min()),
            "last_home": _when(net, come["home"].max() if int(come["persons"].sum()) == group.persons else np.nan),
            "mean_waiting_days": waited[of[True] + of[False]].sum() / group.persons,
            "vulnerable_mean_days": waited[of[True]].sum() / frail if frail else np.nan,
        })  # fmt: skip
    return pd.DataFrame(rows)


def _when(net: Network, day: Any) -> Any:
    return pd.NaT if pd.isna(day) else pd.Timestamp(net.corridor.first) + timedelta(days=int(day))


def _waiting(net: Network, values: NDArray[np.float64]) -> pd.DataFrame:
    stays = net.stays.assign(persons=_counts(values, net.stays), without_papers=0)
    start = {n: one.group.place for n, one in enumerate(net.people)}
    parts = [stays]
    for table, lacks in ((net.lacking, True), (net.papers, False)):
        persons = _counts(values, table)
        parts.append(table.assign(place=table["people"].map(start), persons=persons, without_papers=persons if lacks else 0))
    found = pd.concat([part for part in parts if len(part)]).groupby(["day", "place"], as_index=False)[["persons", "without_papers"]].sum()
    found = found[found["persons"] > 0].reset_index(drop=True)
    return found.assign(day=_dates(net, found["day"]))


def _days(net: Network, moves: pd.DataFrame, values: NDArray[np.float64]) -> pd.DataFrame:
    """Where every person is at the end of each day, counted from the moves; who waits is counted apart, so that the sum is a check."""
    days = net.corridor.days
    come, gone, off, at_home, quarantine = (np.zeros(days + 1, dtype=np.int64) for _ in range(5))
    for one in net.people:
        for day, ready, lacking in one.ready:
            come[day] += ready + lacking
    for row in moves.itertuples():
        ends = row.place == net.people[row.people].group.destination
        gone[row.day] += row.persons
        off[row.arrives] += row.persons
        if ends:
            quarantine[row.arrives] += row.persons
            at_home[row.home] += row.persons
    under_way, held, home = np.cumsum(gone - off), np.cumsum(quarantine - at_home), np.cumsum(at_home)
    waits = np.zeros(days, dtype=np.int64)
    for table in (net.stays, net.lacking, net.papers):
        np.add.at(waits, table["day"].to_numpy(int), _counts(values, table))
    return pd.DataFrame({
        "day": pd.date_range(net.corridor.first, periods=days), "to_come": net.corridor.persons - np.cumsum(come)[:days], "waiting": waits,
        "under_way": under_way[:days], "quarantine": held[:days], "home": home[:days],
    })  # fmt: skip


def _use(net: Network, values: NDArray[np.float64]) -> pd.DataFrame:
    activity = net.model.activity(values)
    limits = net.limits[net.limits["kind"] != "home_by"]
    used = activity[limits["row"].to_numpy(int)]
    found = pd.DataFrame({"kind": limits["kind"], "name": limits["name"], "day": _dates(net, limits["day"]),
                          "used": used, "limit": limits["limit"].astype(float)})  # fmt: skip
    return found.reset_index(drop=True)


def _summary(net: Network, solution: Solution, groups: pd.DataFrame, home: pd.DataFrame, schedule: pd.DataFrame) -> pd.DataFrame:
    assert solution.values is not None
    waited = (groups["mean_waiting_days"] * groups["persons"]).sum()
    weighted = sum(
        net.people[row.people].weight * net.waiting[row.column] * np.rint(solution.values[row.column])
        for table in (net.moves, net.stays, net.lacking, net.papers) for row in table.itertuples()
    )  # fmt: skip
    mean = waited / net.corridor.persons
    all_home = int(groups["not_home"].sum()) == 0
    return pd.DataFrame([{
        "persons": net.corridor.persons, "home": int(groups["home"].sum()), "not_home": int(groups["not_home"].sum()),
        "person_days": float(waited), "weighted_days": float(weighted), "mean_waiting_days": mean,
        "first_home": home["day"].min() if len(home) else pd.NaT, "last_home": home["day"].max() if all_home else pd.NaT,
        "vehicles": int(schedule["vehicles"].sum()), "seats": int(schedule["seats"].sum()), "cost": float(schedule["cost"].sum()),
        "objective": solution.value, "bound": solution.bound, "gap": relative_gap(solution.value, solution.bound),
        "outcome": solution.outcome, "fairness_days": float((groups["mean_waiting_days"] - mean).max()),
    }])  # fmt: skip
