"""Flows from crossings: nets balance with residence, parts add up to wholes, and a vintage never takes back what was final."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from qonys.border import border_flows, classify
from qonys.core.contracts import FLOW
from qonys.core.validate import examine

END = date(2021, 12, 31)


def crossings(seed: int = 1, people: int = 400) -> pa.Table:
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        when = datetime(2017, 1, 1, 9, tzinfo=UTC) + timedelta(days=int(rng.integers(0, 900)))
        way, citizenship, born = rng.choice(["entry", "exit"]), rng.choice(["KAZ", "UZB", "KGZ"]), int(rng.integers(1930, 2015))
        for _step in range(int(rng.integers(1, 8))):
            rows.append((f"p{person:04d}", when, way, citizenship, born, ["female", "male"][person % 2]))
            when += timedelta(days=int(rng.choice([3, 40, 200, 500])), seconds=7)
            way = "exit" if way == "entry" else "entry"
    names = ["person_id", "at", "direction", "citizenship", "birth_year", "sex"]
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})
    return table.set_column(1, "at", table["at"].cast(pa.timestamp("us", tz="UTC")))


def flows(con, end: date = END, **more) -> pd.DataFrame:
    every = crossings()
    known = every.filter(pa.compute.less_equal(every["at"].cast(pa.date32()), pa.scalar(end)))
    table = ibis.memtable(classify(known, end=end).to_pandas(types_mapper=pd.ArrowDtype))
    return con.to_pandas(border_flows(table, country="KAZ", vintage=end, **more))


def net(frame: pd.DataFrame) -> float:
    return frame.loc[frame["destination"] == "KAZ", "persons"].sum() - frame.loc[frame["origin"] == "KAZ", "persons"].sum()


def test_net_migration_is_the_change_of_residents(con):
    found = classify(crossings(), end=END).to_pandas(types_mapper=pd.ArrowDtype)
    decided = found.groupby("person_id").filter(lambda own: own["long_term"].notna().all())
    ends = decided.groupby("person_id").agg(first=("resident_before", "first"), last=("resident_after", "last"))
    change = int(ends["last"].sum()) - int(ends["first"].sum())
    table = ibis.memtable(decided)
    assert net(con.to_pandas(border_flows(table, country="KAZ", vintage=END))) == change


@pytest.mark.parametrize("by", [("citizenship",), ("sex",), ("age",), ("citizenship", "sex", "age")])
def test_parts_add_up_to_the_whole(con, by):
    keys = ["origin", "destination", "period_start"]
    whole = flows(con).set_index(keys)[["persons", "undecided"]].sort_index()
    parts = flows(con, by=by).groupby(keys)[["persons", "undecided"]].sum().sort_index()
    pd.testing.assert_frame_equal(parts, whole, check_dtype=False)


def test_months_add_up_to_years(con):
    months = flows(con).assign(year=lambda t: pd.to_datetime(t["period_start"]).dt.year).groupby(["origin", "year"])["persons"].sum()
    years = (
        flows(con, period="year")
        .assign(year=lambda t: pd.to_datetime(t["period_start"]).dt.year)
        .groupby(["origin", "year"])["persons"]
        .sum()
    )
    assert months.to_dict() == years.to_dict()


def test_a_final_month_is_never_revised_and_a_provisional_one_grows_by_no_more_than_its_undecided(con):
    keys = ["origin", "destination", "period_start"]
    early, late = flows(con, end=date(2019, 6, 30)).set_index(keys), flows(con).set_index(keys)
    both = early.join(late, rsuffix="_late", how="left").fillna({"persons_late": 0})
    final = both[both["status"] == "final"]
    assert len(final) > 10
    assert (final["persons"] == final["persons_late"]).all()
    assert (both["persons_late"] >= both["persons"]).all()
    assert (both["persons_late"] <= both["persons"] + both["undecided"]).all()
    assert (both["status"] == "provisional").any()


def test_flows_keep_their_contract(con):
    found = flows(con, by=("citizenship", "sex", "age"))
    found["row"] = range(len(found))
    for name in ("citizenship", "sex", "age"):
        found[name] = found[name].astype("string")
    seen = examine(ibis.memtable(found), FLOW, file="flows")
    assert con.to_pandas(seen.faults).to_dict("records") == []
    assert seen.ignored == ("undecided",)
