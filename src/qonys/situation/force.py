"""What is in force: the measures of an area and of the unions it belongs to on a day, and the same as periods along a chart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from qonys.core import areas
from qonys.core.errors import DataError, nearest
from qonys.core.periods import earliest, latest
from qonys.measures import adopted_statuses
from qonys.measures.history import FOREVER
from qonys.registers import DEFAULT
from qonys.situation.opened import day_of, register_held, remembered

if TYPE_CHECKING:
    from collections.abc import Sequence

CERTAINTIES = ("certain", "possible", "undated")
"""In force that day as far as the dates are known; perhaps, as a date is known only in part; perhaps, as no start is known at all."""
MOST_PERIODS = 12
FORCE = (
    "id", "title", "issuer", "scope", "level", "field", "instrument", "direction", "strength", "general", "targets", "certainty",
    "start", "end", "start_earliest", "start_latest", "end_earliest", "end_latest", "seen_until", "status", "agency", "evidence", "inputs",
)  # fmt: skip


def issuers_for(area: str, on: date) -> dict[str, str]:
    """Whose measures may act in an area on a day: issuer -> scope (`own`, `country`, `union`, `global`)."""
    one = areas.area(area)
    found = {one.code: "own"}
    country = one.parent or one.code
    if country != one.code:
        found[country] = "country"
    unions = [union.code for union in areas.areas(scheme="union") if country in areas.members(union.code, on)]
    return found | dict.fromkeys(unions, "union") | ({"WORLD": "global"} if area != "WORLD" else {})


@remembered
def in_force_on(area: str, on: date | str, *, readings: Sequence[str] = CERTAINTIES, registers: Sequence[str] = DEFAULT) -> pd.DataFrame:
    """The adopted measures of an area, of its country, of the unions it belonged to, and of the world, in force on a day.

    readings: which of `CERTAINTIES` to give -> the columns of `FORCE`: id, title, issuer, scope (`own`, `country`, `union`, `global`),
    level, field, instrument, direction, strength, general, targets, certainty, start and end as known, the days between which each lies,
    seen_until, status, agency, evidence, inputs. By certainty, field, strength (strongest first) and id. A measure of a union is listed
    whether or not it is law in the area without a national act: `entry_of` says where it is.
    Errors: DataError for a code that is no area, no day, or no reading.
    """
    for reading in readings:
        if reading not in CERTAINTIES:
            raise DataError(f"there is no reading {reading!r}", mend=nearest(str(reading), CERTAINTIES))
    day = day_of(on)
    scopes = issuers_for(area, day)
    entries = register_held(registers).entries
    own = entries[entries["issuer"].isin(list(scopes))]
    certainty = certainty_on(own, day)
    own = own.assign(certainty=certainty, scope=own["issuer"].map(scopes), inputs=[[f"measure/{row}"] for row in own["row"]])
    return _sorted(own[certainty.isin(list(readings))])[list(FORCE)].reset_index(drop=True)


def certainty_on(entries: pd.DataFrame, day: date) -> pd.Series:
    """Of each entry of `opened.Register` how surely it was in force on a day (see `CERTAINTIES`); None where it was not."""
    return pd.Series(
        [_certainty(one, day) for one in entries[[*_DAYS, "status", "start_earliest", "end_latest"]].itertuples()],
        index=entries.index, dtype=object,
    )  # fmt: skip


_PERIOD = (
    "lane", "field", "direction", "start", "end", "known_start", "known_end", "sure_until", "count", "strength", "targets", "ids",
)  # fmt: skip
_DAYS = ("begun_certain", "over_certain", "begun_possible", "over_possible")


def _certainty(one: Any, day: date) -> str | None:
    if one.begun_certain is not None and one.begun_certain <= day <= one.over_certain:
        return "certain"
    if one.begun_possible is not None and one.begun_possible <= day <= one.over_possible:
        return "possible"
    unknown = one.start_earliest is None and one.status in adopted_statuses()
    return "undated" if unknown and (one.end_latest is None or one.end_latest >= day) else None


def _sorted(entries: pd.DataFrame) -> pd.DataFrame:
    place = entries["certainty"].map({name: number for number, name in enumerate(CERTAINTIES)})
    keyed = entries.assign(_place=place, _weak=-entries["strength"])
    return keyed.sort_values(["_place", "field", "_weak", "id"], kind="stable").drop(columns=["_place", "_weak"])


@dataclass(frozen=True, slots=True)
class Periods:
    """Measures as stretches of time, and those that cannot be drawn.

    rows: lane (what the stretches stand under: field and direction, or an entry's id where each is drawn by itself), field, direction,
    start, end (ISO days; end none: not known), known_start, known_end (false: known only in part), sure_until (the last day surely in
    force), count, strength (of the strongest), targets, ids. merged: whether several measures were put together in a stretch. undated: ids
    without a known start, which cannot be drawn.
    """

    rows: pd.DataFrame
    merged: bool
    undated: tuple[str, ...]


@remembered
def periods_of(
    area: str, first: object, last: object, *, most: int = MOST_PERIODS, scopes: Sequence[str] = ("own", "country"),
    fields: Sequence[str] = (), directions: Sequence[str] = (), least_strength: int = 1, registers: Sequence[str] = DEFAULT,
) -> Periods:  # fmt: skip
    """The measures of an area as periods for the time axis of a chart: each by itself, or merged by field and direction if there are more
    than `most`.

    first, last: years, months or days between which the chart lies; scopes: whose (see `issuers_for`); fields, directions, least_strength:
    only those. A period begins on the first and ends on the last day a measure may have been in force; no end is none. In a merged period
    measures follow each other without a day between; if one of them has no known end, it has none. Errors: DataError for dates that are
    none or out of order, or a number that is none.
    """
    start, stop = earliest(str(first)), latest(str(last))
    if start > stop:
        raise DataError(f"the first day {start} is after the last day {stop}", mend="give them in the order of time")
    for name, number in (("most", most), ("least_strength", least_strength)):
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise DataError(f"{name} is {number!r}", mend="give a whole number from 1")
    entries = register_held(registers).entries
    whose = {code for day in (start, stop) for code, scope in issuers_for(area, day).items() if scope in scopes}
    own = entries[entries["issuer"].isin(whose) & (entries["strength"] >= least_strength) & entries["status"].isin(adopted_statuses())]
    own = own[(own["field"].isin(list(fields)) | (not fields)) & (own["direction"].isin(list(directions)) | (not directions))]
    undated = tuple(own.loc[own["start_earliest"].isna(), "id"])
    own = own[own["start_earliest"].notna()]
    spans = [_span(one) for one in own.to_dict("records")]
    shown = [one for one in spans if one["start"] <= stop and (one["end"] or one["sure_until"]) >= start]
    merged = len(shown) > most
    rows = _merged(shown) if merged else [{**one, "lane": one["ids"][0]} for one in shown]
    table = pd.DataFrame(rows, columns=list(_PERIOD))
    for name in ("start", "end", "sure_until"):
        table[name] = [None if day is None else day.isoformat() for day in table[name]]
    return Periods(table.sort_values(["field", "direction", "start", "lane"], ignore_index=True), merged, undated)


def _span(one: dict[str, Any]) -> dict[str, Any]:
    end, seen = one["end_latest"], one["end_earliest"]
    if end is not None and end >= FOREVER:
        end = None
    return {
        "field": one["field"], "direction": one["direction"], "start": one["start_earliest"], "end": end,
        "sure_until": seen or one["start_latest"], "known_start": one["start_earliest"] == one["start_latest"],
        "known_end": end is not None and end == seen, "count": 1, "strength": int(one["strength"]), "targets": sorted(one["targets"]),
        "ids": [one["id"]],
    }  # fmt: skip


def _merged(spans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Periods of one field and direction that touch or overlap as one."""
    out: list[dict[str, Any]] = []
    for one in sorted(spans, key=lambda span: (span["field"], span["direction"], span["start"], span["ids"])):
        until = one["end"] or one["sure_until"]
        last = out[-1] if out else None
        if last is None or (last["lane"] != _lane(one)) or one["start"] > last["until"] + timedelta(days=1):
            out.append({**one, "lane": _lane(one), "until": until})
            continue
        if last["end"] is not None and (one["end"] is None or one["end"] > last["end"]):
            last |= {"end": one["end"], "known_end": one["known_end"]}
        last |= {
            "until": max(last["until"], until), "sure_until": max(last["sure_until"], one["sure_until"]), "count": last["count"] + 1,
            "strength": max(last["strength"], one["strength"]), "targets": sorted({*last["targets"], *one["targets"]}),
            "ids": [*last["ids"], *one["ids"]],
            "known_start": last["known_start"] or (one["known_start"] and one["start"] == last["start"]),
        }  # fmt: skip
    return [{**one, "sure_until": one["until"] if one["end"] is None else one["sure_until"]} for one in out]


def _lane(one: dict[str, Any]) -> str:
    return f"{one['field']}.{one['direction']}"
