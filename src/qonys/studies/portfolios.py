"""What states had in force, measure by measure: how far apart their portfolios are, and who departs from the rule of most.

Distances are in points: 100 is that of two states which differ in every item as far as any two ever did.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from qonys.convergence import distances_on, mean_distance, modal_departure, neighbours, policy_map, rules_on
from qonys.core import areas
from qonys.core.periods import earliest, latest, months
from qonys.core.results import Measured, Result, addresses
from qonys.measures import as_days, chosen, spans
from qonys.studies.tables import READINGS, Tables, collect, needed, study_areas

if TYPE_CHECKING:
    from datetime import date

    import ibis

    from qonys.convergence import Evidence
    from qonys.measures.history import Reading
    from qonys.studies.definition import Study

NEAREST = 3
DISTANCE = Measured(unit="points", formula="gower", decimals=1)
DEPARTURE = Measured(unit="percent", formula="departure", decimals=0)


class Compared(NamedTuple):
    """One reading of a question: the evidence by month, and the same as a result."""

    evidence: Evidence
    result: Result


def portfolios(tables: Tables, study: Study) -> list[Result]:
    """Mean distance of the members' portfolios at the end of each month and to the common acts; where each member stands on some days.

    Options: first, last (months), common (the issuer of the common acts), days (for which a map and the nearest are given).
    """
    return [*(portfolio_distance(tables, study, suffix).result for suffix in READINGS), *_places(tables, study)]


def portfolio_distance(tables: Tables, study: Study, suffix: str) -> Compared:
    """The mean distance by month under one reading: `portfolio_distance_low` or `_high`."""
    (measure,) = needed(tables, "portfolios", "measure")
    periods, common = _months(study, "portfolios"), study.option("portfolios", "common")
    ends = {latest(period): period for period in periods}
    members = study_areas(study)
    held = _held(measure, [*members, common], READINGS[suffix])
    evidence, by_issuer = mean_distance(_in_points(distances_on(held, list(ends), [*members, common])), reference=common)
    evidence = replace(evidence, name=f"distance_{suffix}", periods=tuple(periods))
    rows = evidence.table().assign(
        areas=len(members),
        to_common=by_issuer.groupby("period", sort=False)["to_reference"].mean().to_numpy(),
        inputs=[_standing(held, day) for day in ends],
    )
    rows.insert(0, "id", rows["period"])
    measured = {"areas": Measured(unit="members", formula="count"), **dict.fromkeys(("value", "low", "high", "to_common"), DISTANCE)}
    return Compared(evidence, Result(f"portfolio_distance_{suffix}", rows, measured))


def _places(tables: Tables, study: Study) -> list[Result]:
    """Where each member stood on the days of the option `days`, by what was surely in force: the map, its means, and the nearest others."""
    (measure,) = needed(tables, "portfolios", "measure")
    common, members = study.option("portfolios", "common"), study_areas(study)
    days = [earliest(day) for day in study.option("portfolios", "days")]
    held = _held(measure, [*members, common], "certain")
    by_day = _in_points(distances_on(held, days, [*members, common]))
    _, by_issuer = mean_distance(by_day, reference=common)
    inside = {day: table.loc[members, members] for day, table in by_day.items()}
    maps = pd.concat([one.assign(period=str(day)) for day, one in zip(inside, policy_map(list(inside.values())), strict=True)])
    places = maps.merge(by_issuer, on=["period", "issuer"]).rename(columns={"issuer": "area", "to_reference": "to_common"})
    places.insert(0, "id", places["area"] + "." + places["period"])
    places["shown"] *= 100
    places["inputs"] = [_standing(held, earliest(row.period), row.area) for row in places.itertuples()]
    near = pd.concat([neighbours(table, NEAREST).assign(period=str(day)) for day, table in inside.items()])
    near = near.rename(columns={"issuer": "area"})
    near.insert(0, "id", [f"{row.area}.{row.period}.{row.place}" for row in near.itertuples()])
    near["inputs"] = [addresses("portfolio_places", [f"{row.area}.{row.period}", f"{row.other}.{row.period}"]) for row in near.itertuples()]
    place = Measured(unit="points", formula="classical_scaling", decimals=1)
    shown = Measured(unit="percent", formula="share_of_squared_distances")
    return [
        Result("portfolio_places", places, {"x": place, "y": place, "shown": shown, "distance": DISTANCE, "to_common": DISTANCE}),
        Result("portfolio_neighbours", near, {"place": Measured(unit="rank", formula="order_with_ties"), "distance": DISTANCE}),
    ]


def _in_points(tables: dict[date, pd.DataFrame]) -> dict[date, pd.DataFrame]:
    return {day: 100 * table for day, table in tables.items()}


def departure(tables: Tables, study: Study) -> list[Result]:
    """How many members depart from the rule of most, for each subject and for all of them, at the end of each month.

    A subject has id, of (which measures, see `measures.chosen`), and may have members_of (a union: only its members of the first day are
    in). A member's rule is its strictest measure of the subject in force, or none. Options: first, last (months), subjects.
    """
    return [rule_departure(tables, study, suffix).result for suffix in READINGS]


def rule_departure(tables: Tables, study: Study, suffix: str) -> Compared:
    """The departure by month under one reading: `departure_low` or `_high`."""
    (measure,) = needed(tables, "departure", "measure")
    periods, subjects = _months(study, "departure"), study.option("departure", "subjects")
    ends = {latest(period): period for period in periods}
    held = {subject["id"]: _held(chosen(measure, subject["of"]), study_areas(study), READINGS[suffix]) for subject in subjects}
    rules = {subject["id"]: _rules(held[subject["id"]], list(ends), study, subject, earliest(periods[0])) for subject in subjects}
    found = {name: modal_departure(own) for name, own in (*rules.items(), ("all", pd.concat(list(rules.values()))))}
    found = {name: (evidence.times(100), counts) for name, (evidence, counts) in found.items()}  # percent
    frames = []
    for name, (evidence, counts) in found.items():
        own = evidence.table()
        own["high"] = own["high"].clip(upper=100.0)
        used = list(held.values()) if name == "all" else [held[name]]
        own["inputs"] = [sorted({row for one in used for row in _standing(one, day)}) for day in ends]
        own["areas"] = counts["members"].to_numpy()
        frames.append(own.assign(subject=name, period=periods))
    rows = pd.concat(frames, ignore_index=True)
    rows.insert(0, "id", rows["subject"] + "." + rows["period"])
    measured = {"areas": Measured(unit="members", formula="count"), **dict.fromkeys(("value", "low", "high"), DEPARTURE)}
    whole = replace(found["all"][0], name=f"departure_{suffix}", periods=tuple(periods))
    return Compared(whole, Result(f"departure_{suffix}", rows, measured))


def _rules(held: pd.DataFrame, days: list[date], study: Study, subject: dict[str, Any], first: date) -> pd.DataFrame:
    """The rule of each member on each day; whom a measure of the subject names beyond it does not matter."""
    union = subject.get("members_of")
    members = [area for area in study_areas(study) if union is None or areas.is_member(area, union, first)]
    return rules_on(held.assign(target_citizenship=None, exception_citizenship=None), days, members, [subject["id"]])


def _months(study: Study, question: str) -> list[str]:
    return list(months(study.option(question, "first"), study.option(question, "last")))


def _held(measure: ibis.Table, issuers: list[str], reading: Reading) -> pd.DataFrame:
    """The adopted measures of the issuers with their days in force."""
    return as_days(collect(spans(measure.filter(measure.issuer.isin(issuers)), reading=reading), "id"))


def _standing(held: pd.DataFrame, on: date, issuer: str | None = None) -> list[str]:
    """Addresses of the measures in force on a day; where there are none, of all looked at: it says that none was."""
    own = held if issuer is None or issuer not in set(held["issuer"]) else held[held["issuer"] == issuer]
    inside = own[(own["begun"] <= on) & (own["over"] >= on)]
    return addresses("measure", sorted(set((inside if len(inside) else own)["row"])))
