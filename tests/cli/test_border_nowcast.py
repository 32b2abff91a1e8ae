"""qonys border nowcast, as its user meets it: on a simulated border."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow.parquet as pq
import pytest

from border.simulated_border import border
from qonys.borders import flows_of_file, nowcast_of_file
from qonys.borders import nowcast as module
from qonys.store.audit import entries
from shell import qonys

pytestmark = pytest.mark.slow
KEYS = ["destination", "period_start"]
END = date(2016, 12, 31)


@pytest.fixture(scope="module")
def crossings(tmp_path_factory):
    file = tmp_path_factory.mktemp("nowcast") / "crossings.parquet"
    pq.write_table(border(people=6_000, seed=21, end=END), file)
    return file


@pytest.fixture(scope="module")
def told(crossings):
    folder = crossings.parent
    return qonys(
        "border", "nowcast", crossings, "--country", "KAZ", "--end", END, "--revisions", folder / "triangle.csv", "--charts", folder / "charts",
        "-o", folder / "flows.csv", "--quiet", cwd=folder,
    )  # fmt: skip


def test_flows_come_with_their_intervals_the_triangle_charts_and_the_record_of_such_forecasts(crossings, told):
    folder = crossings.parent
    assert told.returncode == 0, told.stderr
    assert "intervals of 95 % held" in told.stderr
    assert "Mean absolute error in persons" in told.stderr
    found = pd.read_csv(folder / "flows.csv")
    late = found[found["period_start"] >= "2016-01-01"]
    assert (late["status"] == "provisional").all()
    assert late["method"].isin(["model", "naive"]).all()
    assert (late["low"] <= late["persons"]).all()
    assert (late["persons"] <= late["high"]).all()
    assert (late["high"] - late["low"]).min() > 0
    final = found[found["status"] == "final"]
    assert len(final) > 150
    assert final["method"].isna().all()
    assert (final["low"] == final["high"]).all()
    triangle = pd.read_csv(folder / "triangle.csv")
    assert triangle["months_since"].min() == 0
    assert not triangle["final"].isin([1, 2]).any()
    assert {path.name for path in (folder / "charts").iterdir()} >= {"revisions-arrival.svg", "revisions-departure.svg"}


def test_what_is_final_is_shown_as_qonys_border_flows_shows_it(crossings, told, tmp_path):
    assert told.returncode == 0
    classified = tmp_path / "classified.parquet"
    assert qonys("border", "classify", crossings, "-o", classified, "--end", END, "--quiet").returncode == 0
    flows = flows_of_file(classified, country="KAZ", end=str(END), period="month").astype({"period_start": "datetime64[ns]"})
    found = pd.read_csv(crossings.parent / "flows.csv", parse_dates=["period_start"])
    both = found.merge(flows, on=KEYS, suffixes=("", "_flows"))
    assert len(both) == len(found) == len(flows)
    assert (both["status"] == both["status_flows"]).all()
    final = both["status"] == "final"
    assert (both.loc[final, "persons"] == both.loc[final, "persons_flows"]).all()
    assert (both["undecided"] == both["undecided_flows"]).all()


def test_a_sample_of_the_persons_forecasts_all_of_them_and_years_and_nets_add_up(crossings, monkeypatch):
    monkeypatch.setattr(module, "LEARN_ROWS", pq.read_metadata(crossings).num_rows // 2)
    months = nowcast_of_file(crossings, country="KAZ", end=str(END), disclosure="none")
    assert months.share == pytest.approx(0.5, abs=0.01)
    assert [one["command"] for one in entries()] == ["border nowcast"]
    flows = months.flows
    assert (flows["known"] <= flows["low"]).all()
    assert (flows["low"] <= flows["high"]).all()
    assert (flows["high"] <= flows["known"] + flows["undecided"]).all()
    assert (flows["model_low"] <= flows["model_high"]).all()
    years = nowcast_of_file(crossings, country="KAZ", end=str(END), period="year", nets=True, disclosure="none").flows
    last = years[pd.to_datetime(years["period_start"]).dt.year == END.year].iloc[0]
    mine = flows[pd.to_datetime(flows["period_start"]).dt.year == END.year]
    arriving = mine["destination"] == "KAZ"
    assert last["arrivals"] == pytest.approx(mine.loc[arriving, "persons"].sum(), abs=6)  # each month is rounded
    assert last["net"] == last["arrivals"] - last["departures"]
    assert last["low"] < last["net"] < last["high"]


def test_records_that_are_too_short_are_refused_with_the_months_it_takes(tmp_path):
    table = border(people=300, seed=1, end=END)
    early = table.filter(pd.Series(table["at"].to_pandas().dt.year <= 2010).to_numpy())
    pq.write_table(early, tmp_path / "short.parquet")
    done = qonys("border", "nowcast", tmp_path / "short.parquet", "--country", "KAZ", "-o", tmp_path / "flows.csv", "--quiet")
    assert done.returncode == 1
    assert "too few to learn from" in done.stderr
    assert not (tmp_path / "flows.csv").exists()
