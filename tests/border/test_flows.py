"""Flows from crossings: nets balance with residence, parts add up to wholes, and a vintage never takes back what was final."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from qonys.border import border_flows, classify
from qonys.border.flows import net as net_of
from qonys.border.flows import protected
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
    assert set(seen.ignored) == {"undecided", "cell_key", "undecided_key"}


def test_a_month_begins_where_the_border_is(con):
    late = pa.table({"person_id": ["p"], "at": [datetime(2018, 1, 31, 20, tzinfo=UTC)], "direction": ["entry"]})
    for zone, start in (("UTC", date(2018, 1, 1)), ("Asia/Almaty", date(2018, 2, 1))):
        rows = ibis.memtable(classify(late, end=END, zone=zone))
        assert pd.Timestamp(con.to_pandas(border_flows(rows, country="KAZ", vintage=END))["period_start"].item()).date() == start


def test_records_with_a_wrong_clock_are_in_no_month(con):
    rows = pa.table(
        {"person_id": ["p", "q"], "at": [datetime(1970, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC)], "direction": ["entry"] * 2}
    )
    found = con.to_pandas(border_flows(ibis.memtable(classify(rows, end=END)), country="KAZ", vintage=END))
    assert found["persons"].tolist() == [1.0]


def test_net_is_arrivals_less_departures_with_all_undecided_between_its_bounds(con):
    found = flows(con, by=("citizenship",))
    nets = net_of(found)
    assert nets["net"].sum() == net(found)
    assert not nets.duplicated(["period_start", "citizenship"]).any()
    assert (nets["high"] - nets["low"]).sum() == found["undecided"].sum()
    assert ((nets["status"] == "final") == (nets["low"] == nets["high"])).all()


def test_intervals_of_a_net_are_the_root_of_both_squared(con):
    found = flows(con)
    one = net_of(found.assign(low=found["persons"] - 3, high=found["persons"] + 4))
    both = one[(one["arrivals"] > 0) & (one["departures"] > 0)]
    assert (both["low"] == np.floor(both["net"] - 5)).all()
    assert (both["high"] == np.ceil(both["net"] + 5)).all()


def test_the_same_people_have_the_same_number_in_every_table_of_flows(con):
    whole = protected(flows(con, period="year"), by=())
    parts = flows(con, period="year", by=("sex",))
    of_all = parts.groupby(["destination", "period_start"], as_index=False).agg(
        {"persons": "sum", "undecided": "sum", "cell_key": "sum", "undecided_key": "sum"}
    )
    again = protected(of_all.assign(cell_key=of_all["cell_key"] % 2**32, undecided_key=of_all["undecided_key"] % 2**32), by=())
    keys = ["destination", "period_start"]
    joined = whole[[*keys, "persons", "undecided"]].merge(again[[*keys, "persons", "undecided"]], on=keys, suffixes=("", "_again"))
    assert len(joined) == len(whole)
    assert (joined["persons"] == joined["persons_again"]).all()
    assert (joined["undecided"] == joined["undecided_again"]).all()
    assert not whole["persons"].isin([1, 2]).any()
    assert "cell_key" not in whole.columns
    assert "undecided_key" not in whole.columns


def test_suppressed_flows_leave_gaps_and_nets_of_gaps_are_gaps(con):
    hidden = protected(flows(con, by=("citizenship",)), by=("citizenship",), method="suppression")
    assert hidden["persons"].isna().any()
    assert not hidden["persons"].between(1, 9).fillna(False).any()
    assert net_of(hidden)["net"].isna().any()
