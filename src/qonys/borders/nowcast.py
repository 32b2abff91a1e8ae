"""Border files: flows of months that are not decided yet, with intervals, and the record of such forecasts in the past.

One pass over the file learns (from a sample of whole persons, where it is large), a second looks at every crossing. What counts is summed
by the engine: crossings of about the same chance stand together, so that no number of them fills the memory.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import ibis
import numpy as np
import pandas as pd
from ibis import _

from qonys.border import rule
from qonys.border.disclosure import CELL_KEY, THRESHOLD, protect, record_key
from qonys.border.flows import BY, KNOWN_KEY, UNDECIDED_KEY, Period, border_flows, counted, net, protected
from qonys.border.intervals import Calibration, bounds, calibration, cells
from qonys.border.noise import KEYS
from qonys.border.pace import month_of
from qonys.border.revisions import history, triangle, window_months, with_chances
from qonys.border.unfinished import numbers, records
from qonys.borders.flows import splits_of
from qonys.borders.residence import last_day
from qonys.core import areas
from qonys.store import connect
from qonys.store.audit import note
from qonys.store.engines.local import map_by_person, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    import pyarrow as pa
    from ibis.backends import BaseBackend

    from qonys.border.disclosure import Method

LEARN_ROWS = 2_000_000  # of which the forecasts are learnt: more teach little, and a history of them would not fit into memory
BIN = 0.05  # width on the logit scale within which chances are alike
BOUNDS = ("low", "high", "model_low", "model_high")
MONTH = ("vintage", "month")


@dataclass(frozen=True, slots=True)
class Nowcast:
    """flows: the contract `flow` with intervals (see `nowcast_of_file`), or their differences; revisions: the triangle, by direction;
    judged: how wide intervals had to be; share: of the persons from whom it was learnt; end: the last day of the data.
    """

    flows: pd.DataFrame
    revisions: pd.DataFrame
    judged: Calibration
    share: float
    end: date


def nowcast_of_file(
    source: Path, *, country: str, rule_name: str = "12/16", end: str | None = None, zone: str = "UTC", period: Period = "month",
    by: Sequence[str] = (), coverage: float = 0.95, nets: bool = False, disclosure: Method = "cell_key",
    tell: Callable[[str, int, int], None] = lambda *_: None,
) -> Nowcast:  # fmt: skip
    """Flows out of crossings, with what the undecided are expected to add -> the contract `flow`, and known, undecided, method, model_low,
    model_high, disclosure.

    persons: known and expected migrations; low, high: as wide as the revisions of the past ask for (see `border.intervals`); model_low,
    model_high: had only chance been at work; method: model or naive, the one that was better in the past, empty where all is decided. A
    period that has not ended counts its crossings so far. tell: what is done (learn, apply), how far, of how much.
    Errors: DataError for a file without crossings or an unknown split; DesignError where the records are too short (see `history`).
    """
    areas.area(country)
    chosen, split = rule(rule_name), splits_of(by)
    con = connect()
    last = last_day(con, source, end)
    if disclosure == "none":
        given = {"country": country, "rule": rule_name, "end": str(last), "period": period, "by": split, "disclosure": disclosure}
        note("border nowcast", given, [source])
    sample, share = _sample(con, source)
    words = numbers(sample)
    past, chances, ran = history(
        records(sample, end=last, rule_=chosen, zone=zone, words=words), tell=lambda done, all_: tell("learn", done, all_)
    )
    del sample
    vintage, window = _month(last), window_months(chosen)
    judged = calibration(past, as_of=vintage, window=window, coverage=coverage)
    with tempfile.TemporaryDirectory(prefix="qonys-nowcast-") as folder:
        draft = Path(folder) / "chances.parquet"
        function = partial(with_chances, end=last, rule_=chosen, zone=zone, words=words, chances=chances, ran=ran)
        map_by_person(source, draft, function, tell=lambda done, all_: tell("apply", done, all_))
        flows = _forecast(con, con.read_parquet(draft), country=country, vintage=last, period=period, by=split, judged=judged)
    shown = protected(flows, by=split, method=disclosure, bounds=BOUNDS)
    shown = net(shown) if nets else shown.sort_values(["period_start", *split, "destination"], ignore_index=True, kind="stable")
    return Nowcast(shown, _published(triangle(past, window=window, coverage=coverage), disclosure), judged, share, last)


def _sample(con: BaseBackend, source: Path) -> tuple[pa.Table, float]:
    """Whole persons of a file, all or so many that they have about `LEARN_ROWS` crossings; the share of persons."""
    rows = opened(source).metadata.num_rows
    table = con.read_parquet(source)
    share = min(1.0, LEARN_ROWS / max(rows, 1))
    if share < 1:
        # a stretch of the keys, not their lower bits: the same persons at every share, and more of them at a larger one
        table = table.filter(record_key(table.person_id) < int(share * KEYS))
    return con.to_pyarrow(table), share


def _forecast(
    con: BaseBackend, rows: ibis.Table, *, country: str, vintage: date, period: Period, by: tuple[str, ...], judged: Calibration
) -> pd.DataFrame:
    flows = con.to_pandas(border_flows(rows, country=country, vintage=vintage, period=period, by=by))
    flows = flows.rename(columns={"persons": "known", CELL_KEY: KNOWN_KEY})
    flows[CELL_KEY] = (flows[KNOWN_KEY] + flows[UNDECIDED_KEY]) % KEYS  # who may be among the persons
    undecided = counted(rows, period=period, by=by).filter(_.model.notnull())
    alike = con.to_pandas(
        undecided.group_by("period_start", "arriving", *BY, crossed=_.day.truncate("M"), bin=((_.model / (1 - _.model)).ln() / BIN).round())
        .agg(rows=_.count(), model=_.model.mean(), naive=_.naive.mean(), slowed=_.slowed.mean())
        .order_by("period_start", "arriving", *BY, "crossed", "bin")
    )
    key = ["period_start", "exit", *BY]
    flows["exit"] = (flows["destination"] != country).astype(int)
    if len(alike):
        alike = alike.assign(exit=(~alike["arriving"]).astype(int), month=[_month(day) for day in alike["crossed"]])
        open_ = cells(alike.drop(columns=["arriving", "crossed", "bin"]), vintage=_month(vintage), disturbed=0.0)
        added = bounds(open_, judged, by=key).drop(columns="undecided")
    else:
        added = pd.DataFrame(columns=[*key, "expected", *BOUNDS, "method"])
    found = flows.merge(added.astype({name: flows[name].dtype for name in key}), on=key, how="left").drop(columns="exit")
    for name in ("expected", *BOUNDS):
        found[name] = found["known"] + found[name].astype(float).fillna(0.0)
    return found.assign(persons=found["expected"].round(), method=found["method"].astype("string")).drop(columns="expected")


def _published(revisions: pd.DataFrame, method: Method) -> pd.DataFrame:
    """The triangle with days for months and words for directions, its counts protected, each by its own key."""
    by = ["vintage", "month", "direction"]
    table = revisions.assign(
        direction=np.where(revisions["exit"] == 1, "departure", "arrival"),
        **{name: _first_days(revisions[name]) for name in MONTH},
        **{name: revisions[name].round() for name in ("value", "final")},
    ).drop(columns="exit")
    keys = ["known_key", "undecided_key", "final_key"]
    plain = table.drop(columns=keys)
    if method == "suppression":  # differences of vintages are small counts too, and suppression knows nothing of other tables
        plain[["known", "undecided"]] = pd.NA
        large = plain["value"].ge(THRESHOLD) & ~plain["final"].lt(THRESHOLD)
        return plain[large].reset_index(drop=True).assign(disclosure=f"{method} threshold={THRESHOLD}")
    if method == "cell_key":
        both = (table["known_key"] + table["undecided_key"]) % KEYS
        moved = protect(plain.assign(**{CELL_KEY: both}), count="value", by=by, also=BOUNDS)
        for name in ("known", "undecided", "final"):
            cell = table[[*by, name]].assign(**{CELL_KEY: table[f"{name}_key"]})
            moved[name] = protect(cell, count=name, by=by)[name]
        return moved
    return plain.assign(disclosure=method)


def _first_days(months: pd.Series) -> list[date]:
    return [pd.Timestamp(int(month) // 12 + 1970, int(month) % 12 + 1, 1).date() for month in months]


def _month(day: date) -> int:
    return int(month_of(np.array([np.datetime64(day, "D").astype(np.int32)], np.int32))[0])
