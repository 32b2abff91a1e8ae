"""The rooms run: a procedure with queues, a corridor planned, totals of a resettlement, each out of the study's table of assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core.results import Measured, Result
from qonys.scenarios.assumptions import room
from qonys.scenarios.reading import parted
from qonys.studies.assumed import based_on, listed

if TYPE_CHECKING:
    from qonys.scenarios.reading import Part
    from qonys.studies.definition import Study
    from qonys.studies.tables import Tables

NUMBERS = ("mean_days", "p90_days", "waiting_days", "visits", "documents")


def deadline(tables: Tables, study: Study) -> list[Result]:
    """A procedure in its variants with queues: the chance to keep the limit with its interval, days, waits, use of officers, open cases."""
    from qonys.scenarios.procedure.read import procedure_of
    from qonys.scenarios.procedure.simulate import simulate

    name = study.option("deadline", "room")
    values = listed(tables, "deadline")
    procedure = procedure_of(parted(room(values, name))[0])
    found = simulate(procedure)
    basis = based_on(tables, values, name)
    told = found.outcomes.set_index(["variant", "measure"])
    rows = []
    for variant in procedure.variants:
        share = {key: 100 * told.loc[(variant, "within_limit"), of] for key, of in (("share", "value"), ("low", "low"), ("high", "high"))}
        numbers = {key: told.loc[(variant, key), "value"] for key in NUMBERS}
        rows.append({"id": variant, "limit": procedure.limit, **share, **numbers, "inputs": basis})
    steps = found.steps.merge(found.waiting[["variant", "step", "mean_days"]], on=["variant", "step"], how="left")
    steps = steps.rename(columns={"mean_days": "waiting"}).fillna({"waiting": 0.0})
    percent = Measured(unit="percent", formula="simulated", decimals=1)
    days = Measured(unit="days", formula="simulated", decimals=1)
    each = Measured(unit="pieces", formula="simulated", decimals=1)
    return [
        Result(
            "deadline",
            pd.DataFrame(rows),
            {"limit": Measured(unit="days"), "share": percent, "low": percent, "high": percent, "mean_days": days, "p90_days": days,
             "waiting_days": days, "visits": each, "documents": each},
        ),
        Result("deadline_use", _from(found.use, "deadline", "variant", "agency"),
               {"use": Measured(unit="ratio", formula="simulated", decimals=2), "waiting_days": days}),
        Result("deadline_steps", _from(steps, "deadline", "variant", "step"), dict.fromkeys(("start", "end", "waiting"), days)),
        Result("deadline_days", _from(found.distribution, "deadline", "variant", "days"),
               {"share": Measured(unit="ratio", formula="simulated", decimals=3)}),
        Result("deadline_open", _from(found.backlog.assign(on=found.backlog["on"].astype(str)), "deadline", "variant", "on"),
               dict.fromkeys(("open", "low", "high"), Measured(unit="pieces", formula="simulated"))),
    ]  # fmt: skip


def corridor(tables: Tables, study: Study) -> list[Result]:
    """A corridor planned: when all are home, who waits how long and where, what one more of the limits that bind would bring."""
    from qonys.scenarios.corridor import binding, corridor_of, plan
    from qonys.scenarios.corridor.summaries import closures, home_by_day, ways

    name, most = study.option("corridor", "room"), study.option("corridor", "binding", 3)
    values = listed(tables, "corridor")
    asked = corridor_of(parted(room(values, name))[0])
    bound = binding(plan(asked), most=most)
    found = bound.plan
    basis = based_on(tables, values, name)
    row = found.summary.iloc[0]
    kept = ("persons", "home", "not_home", "mean_waiting_days", "vehicles", "seats", "fairness_days")
    whole = {"id": "all", "last_home": _day(row["last_home"]), "gap": 100 * row["gap"], "inputs": basis} | {key: row[key] for key in kept}
    groups = found.groups.assign(id=found.groups["group"], inputs=[["corridor/all"]] * len(found.groups))
    for column in ("first_home", "half_home", "last_home"):
        groups[column] = groups[column].map(_day)
    loosened = bound.loosened.assign(day=bound.loosened["day"].map(_day), last_home=bound.loosened["last_home"].map(_day))
    loosened["id"] = [f"{one.kind}.{one.name}.{one.day or 'all'}" for one in loosened.itertuples(index=False, name="Limit")]
    persons, days = Measured(unit="persons", formula="planned"), Measured(unit="days", formula="planned", decimals=1)
    person_days = Measured(unit="person_days", formula="planned")
    dated = {"home": home_by_day(found), "waiting": found.waiting}
    home, waiting = (frame.assign(day=frame["day"].map(_day)) for frame in dated.values())
    return [
        Result("corridor", pd.DataFrame([whole]), {
            **dict.fromkeys(("persons", "home", "not_home", "seats"), persons), "mean_waiting_days": days, "fairness_days": days,
            "vehicles": Measured(unit="pieces", formula="planned"), "gap": Measured(unit="percent", formula="gap_to_bound", decimals=1),
        }),
        Result("corridor_groups", groups,
               {"persons": persons, "not_home": persons, "mean_waiting_days": days, "vulnerable_mean_days": days}),
        Result("corridor_more", loosened.assign(inputs=[["corridor/all"]] * len(loosened)),
               {"extra": Measured(unit="pieces", formula="planned"), "days_earlier": Measured(unit="days", formula="planned_again"),
                **dict.fromkeys(("person_days_saved", "low", "high"), Measured(unit="person_days", formula="planned_again"))}),
        Result("corridor_ways", _from(ways(found), "corridor", "origin", "destination", "citizenship", of="all"), {"persons": persons}),
        Result("corridor_home", _from(home, "corridor", "citizenship", "day", of="all"), {"persons": persons}),
        Result("corridor_waiting", _from(waiting, "corridor", "place", "day", of="all"),
               dict.fromkeys(("persons", "without_papers"), persons)),
        Result("corridor_closed", _from(closures(asked).astype(str), "corridor", "border", "first", of="all"), {}),
        Result("corridor_price", _priced(bound.prices), {"price": person_days}),
    ]  # fmt: skip


def settlement(tables: Tables, study: Study) -> list[Result]:
    """What the totals of a resettlement tell if families move together, what they leave open, and how many records would tell more."""
    from qonys.scenarios.settlement.totals import from_totals, households_needed

    name = study.option("settlement", "room")
    values = listed(tables, "settlement")
    given = parted(room(values, name))[0]
    returned, resettled = given.whole("returned"), given.whole("resettled", least=1)
    points, months, (shortest, longest) = _numbers(given, "points"), _numbers(given, "months"), _numbers(given, "watched_months", 2)
    totals = from_totals(
        returned, resettled, mean_family=given.number("family", None), watched_months=(shortest, longest), months=months,
    )  # fmt: skip
    given.text("name", name)
    given.done()
    basis = based_on(tables, values, name, "returned", "resettled", "family")
    watched = based_on(tables, values, name, "returned", "resettled", "watched_months", "months")
    shares = totals.returned.assign(id=totals.returned["taken_as"], inputs=[basis] * len(totals.returned))
    bounds = totals.retained.assign(id=totals.retained["months"].astype(str), inputs=[watched] * len(totals.retained))
    needed = pd.DataFrame(
        {"id": f"{fewer:g}", "points": fewer, "households": households_needed(returned=returned / resettled, fewer=fewer / 100),
         "inputs": based_on(tables, values, name, "returned", "resettled", "points")}
        for fewer in points
    )  # fmt: skip
    unknown = pd.DataFrame({"id": list(totals.unknown), "inputs": [basis] * len(totals.unknown)})
    percent = Measured(unit="percent", formula="wilson_interval", decimals=1)
    return [
        Result("settlement", shares, {"deciding": Measured(unit="pieces", formula="returned_by_resettled"),
                                      **dict.fromkeys(("value", "low", "high"), percent)}),
        Result("settlement_bounds", bounds,
               {"months": Measured(unit="months", formula="as_declared"),
                **dict.fromkeys(("low", "high"), Measured(unit="percent", formula="bounds_of_retention", decimals=1))}),
        Result("settlement_needed", needed, {"points": Measured(unit="percent", decimals=0),
                                             "households": Measured(unit="pieces", formula="power_of_two_shares")}),
        Result("settlement_unknown", unknown, {}),
    ]  # fmt: skip


def _numbers(part: Part, key: str, length: int | None = None) -> list[Any]:
    """A list of numbers, so many where a length is given."""
    found = part.get(key)
    numbers = isinstance(found, list) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in found)
    if not numbers or len(found) != (length or max(1, len(found))):
        raise part.wrong(key, found, f"is no list of {length or 'some'} numbers", f"write {key} = [12, 36]")
    return list(found)


def _from(frame: pd.DataFrame, table: str, *key: str, of: str | None = None) -> pd.DataFrame:
    """The frame with ids made of its key columns, each row made from the row of `table` that its first key (or `of`) names."""
    ids = [".".join(row) for row in frame[list(key)].astype(str).itertuples(index=False)]
    return frame.assign(id=ids, inputs=[[f"{table}/{of or first}"] for first in frame[key[0]]])


def _priced(prices: pd.DataFrame) -> pd.DataFrame:
    shown = prices.head(20).assign(day=prices["day"].map(_day))
    return _from(shown, "corridor", "kind", "name", "day", of="all")


def _day(moment: Any) -> str | None:
    return None if moment is None or moment is pd.NaT else str(pd.Timestamp(moment).date())
