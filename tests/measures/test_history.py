"""The register through time: playing its changes gives the state of a day, versions replace one another, a renewal ends what it renews."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.contracts import MEASURE
from qonys.core.periods import earliest, latest
from qonys.measures import current, events, replay, state
from rows import Prepared, bounded, typed

DAYS = st.dates(date(2020, 1, 1), date(2020, 6, 30))
READINGS = ("certain", "possible")
EVENTS = Prepared(events)


@st.composite
def partial(draw, day: date | None = None) -> str:
    return (day or draw(DAYS)).isoformat()[: draw(st.sampled_from([4, 7, 10, 10, 10]))]


@st.composite
def registers(draw) -> list[dict[str, object]]:
    rows = []
    for place in range(draw(st.integers(1, 8))):
        first, last = sorted((draw(DAYS), draw(DAYS)))
        rows.append(
            {
                "id": f"m{place}", "issuer": "KAZ", "strength": draw(st.integers(1, 4)), "general": "true",
                "start": draw(st.none() | partial(first)), "end": draw(st.none() | partial(last)),
                "status": draw(st.sampled_from(["ended", "standing", "proposed"])),
                "supersedes": draw(st.none() | st.sampled_from([f"m{other}" for other in range(place)] or [None])),
            }
        )  # fmt: skip
    return rows


def known(rows: list[dict[str, object]], on: date, reading: str) -> set[str]:
    """What was in force, worked out entry by entry in plain Python: the independent state the replay must equal."""

    def adopted(row: dict[str, object]) -> bool:
        return row["status"] != "proposed" and row["start"] is not None

    found = set()
    for row in filter(adopted, rows):
        heirs = [other for other in rows if other["supersedes"] == row["id"] and adopted(other)]
        ends = {}
        for bound, of in (("earliest", earliest), ("latest", latest)):
            own = [of(str(row["end"]))] if row["end"] else []
            replaced = [min(of(str(heir["start"])) for heir in heirs) - timedelta(days=1)] if heirs else []
            ends[bound] = min(own + replaced) if own + replaced else None
        if reading == "certain":
            begun, over = latest(str(row["start"])), ends["earliest"] or latest(str(row["start"]))
        else:
            begun, over = earliest(str(row["start"])), ends["latest"] or date.max
        if begun <= on <= over:
            found.add(str(row["id"]))
    return found


@pytest.mark.parametrize("reading", READINGS)
@settings(max_examples=10)
@given(rows=registers(), on=DAYS)
def test_replaying_the_register_to_a_day_gives_the_independent_state_of_that_day(con, reading, rows, on):
    measures = bounded(rows)
    replayed = set(con.to_pandas(replay(EVENTS(con, measures, reading=reading), on))["id"])
    assert replayed == known(rows, on, reading) == set(con.to_pandas(state(measures, on, reading=reading))["id"])


def test_the_shipped_register_replays_to_its_state_on_every_first_of_a_month(con):
    from qonys.pipeline import load, open_study

    measures = load(con, open_study("eu-covid"), lambda *_: None)[0]["measure"]
    for reading in READINGS:
        changes = con.create_table(f"changes_{reading}", events(measures, reading=reading), temp=True)
        for on in pd.date_range("2019-10-01", "2022-12-01", freq="MS").date:
            there = set(con.to_pandas(state(measures, on, reading=reading))["id"])
            assert set(con.to_pandas(replay(changes, on))["id"]) == there
            if reading == "possible" and date(2020, 3, 1) < on < date(2021, 6, 1):
                assert len(there) > 20


def entry(**own: object) -> dict[str, object]:
    return {"id": "m", "issuer": "KAZ", "strength": 1, "general": "true", "start": "2020-03-01", "status": "ended"} | own


def test_the_latest_version_stands_and_an_earlier_day_shows_what_was_known_then(con):
    rows = [
        entry(strength=1), entry(version=2, strength=3, coded_on="2026-12-01", change="the decree was read"),
        entry(version=3, strength=2, coded_on="2027-02-01", change="adjudicated"), entry(id="late", coded_on="2027-01-01"),
    ]  # fmt: skip
    measures = typed(MEASURE, rows)

    def strengths(day: date | None) -> dict[str, int]:
        return con.to_pandas(current(measures, day)).set_index("id")["strength"].to_dict()

    assert strengths(None) == {"m": 2, "late": 1}
    assert strengths(date(2027, 1, 15)) == {"m": 3, "late": 1}
    assert strengths(date(2026, 11, 30)) == {"m": 1}


def test_a_renewal_ends_what_it_renews_the_day_before_it_starts(con):
    rows = [
        entry(),
        entry(id="next", start="2020-04-01", supersedes="m"),
        entry(id="only words", start="2020-03-10", supersedes="m", status="proposed"),
    ]
    ends = con.to_pandas(bounded(rows)).set_index("id")[["end_earliest", "end_latest"]]
    assert [pd.Timestamp(day).date() for day in ends.loc["m"]] == [date(2020, 3, 31)] * 2
    assert ends.loc["next"].isna().all()


def test_a_measure_without_an_end_was_certainly_in_force_until_it_was_last_seen(con):
    measures = bounded([entry(seen_until="2020-03-20"), entry(id="unseen")])
    for on, there in ((date(2020, 3, 1), {"m", "unseen"}), (date(2020, 3, 20), {"m"}), (date(2020, 3, 21), set())):
        assert set(con.to_pandas(state(measures, on, reading="certain"))["id"]) == there
    assert set(con.to_pandas(state(measures, date(2021, 1, 1), reading="possible"))["id"]) == {"m", "unseen"}


def test_an_end_known_before_the_renewal_stays(con):
    rows = [entry(end="2020-03-15"), entry(id="next", start="2020-04", supersedes="m")]
    ends = con.to_pandas(bounded(rows)).set_index("id")
    assert pd.Timestamp(ends.loc["m", "end_latest"]).date() == date(2020, 3, 15)
