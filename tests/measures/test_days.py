"""What was in force: two readings of what is not known, and what no bookkeeping of the register may change."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pandas as pd
import pytest

from qonys.core.periods import latest
from qonys.measures import calendar, complete_panel, in_force, month_doses, month_shares
from rows import Prepared, bounded

FIRST, LAST = "2020-02", "2020-05"
READINGS = ("certain", "possible")


def measure(
    start: str | None,
    end: str | None,
    *,
    issuer: str = "KAZ",
    strength: int = 4,
    general: bool = True,
    status: str = "ended",
    id: str = "m",
) -> dict[str, object]:
    return {"id": id, "issuer": issuer, "strength": strength, "general": str(general).lower(), "start": start, "end": end, "status": status}


def cases(number: int, chance: random.Random) -> list[list[dict[str, object]]]:
    """Registers of a few measures with dates known in whole, in part or not; each has an issuer of its own, so that one query does them all."""

    def day() -> str:
        return (date(2020, 1, 15) + timedelta(days=chance.randrange(150))).isoformat()[: chance.choice([4, 7, 10, 10, 10])]

    def one(issuer: str, place: int) -> dict[str, object]:
        start, end = sorted((day(), day()), key=latest)
        start = end if end < start else start  # "2020-03" after "2020-03-16"
        return measure(
            chance.choice([start, start, start, None]), chance.choice([end, end, None]), issuer=issuer, strength=chance.randint(1, 4),
            general=chance.random() < 0.5, status=chance.choice(["ended", "standing", "proposed"]), id=f"{issuer}.{place}",
        )  # fmt: skip

    return [[one(f"case{case}", place) for place in range(chance.randint(1, 6))] for case in range(number)]


IN_FORCE = Prepared(lambda measures, reading: in_force(measures, calendar(FIRST, LAST), reading=reading))


def force(con, rows: list[dict[str, object]], reading: str):
    return IN_FORCE(con, bounded(rows), reading=reading)


def monthly(con, rows: list[dict[str, object]], reading: str) -> pd.DataFrame:
    found = force(con, rows, reading)
    shares, doses = con.to_pandas(month_shares(found)), con.to_pandas(month_doses(found))
    return shares.merge(doses, on=["issuer", "month"], how="outer").set_index(["issuer", "month"])[["days", "share", "dose"]].sort_index()


REGISTERS = cases(80, random.Random(20200316))
EVERY = [row for rows in REGISTERS for row in rows]


def test_what_was_certainly_in_force_was_possibly_in_force(con):
    certain, possible = ({(r.id, r.day) for r in con.to_pandas(force(con, EVERY, reading)).itertuples()} for reading in READINGS)
    assert certain < possible


@pytest.mark.parametrize("reading", READINGS)
def test_the_order_of_the_register_changes_nothing(con, reading):
    whole = monthly(con, EVERY, reading)
    assert whole["share"].between(0, 1).all()
    assert whole["dose"].between(0, 100).all()
    shuffled = random.Random(1).sample(EVERY, len(EVERY))
    pd.testing.assert_frame_equal(monthly(con, shuffled, reading), whole)


@pytest.mark.parametrize("reading", READINGS)
def test_a_measure_less_never_raises_a_share_or_a_dose(con, reading):
    whole = monthly(con, EVERY, reading)
    fewer = monthly(con, [row for rows in REGISTERS for row in rows[1:]], reading).reindex(whole.index).fillna(0)
    assert (fewer <= whole + 1e-9).all().all()
    assert (fewer < whole - 1e-9).any().any()


@pytest.mark.parametrize("reading", READINGS)
def test_a_measure_split_into_two_adjoining_spans_is_the_same_measure(con, reading):
    whole, split = [], []
    for n in range(60):
        start = date(2020, 1, 20) + timedelta(days=2 * n)
        middle, end = start + timedelta(days=n // 2), start + timedelta(days=n + 1)
        kind = {"issuer": f"case{n}", "strength": n % 4 + 1, "general": n % 3 > 0}
        whole.append(measure(start.isoformat(), end.isoformat(), id=f"{n}", **kind))
        split += [measure(start.isoformat(), middle.isoformat(), id=f"{n}a", **kind),
                  measure((middle + timedelta(days=1)).isoformat(), end.isoformat(), id=f"{n}b", **kind)]  # fmt: skip
    pd.testing.assert_frame_equal(monthly(con, split, reading), monthly(con, whole, reading))


# start, end, days certainly in force, days possibly in force
BY_HAND = [
    ("2020-03-17", "2020-03-31", {"2020-03": 15}, {"2020-03": 15}),
    ("2020-03-17", "2020-04-02", {"2020-03": 15, "2020-04": 2}, {"2020-03": 15, "2020-04": 2}),
    ("2020-03-17", "2020-03-17", {"2020-03": 1}, {"2020-03": 1}),
    (
        "2020-03",
        "2020-04",
        {"2020-03": 1, "2020-04": 1},
        {"2020-03": 31, "2020-04": 30},
    ),  # from the last day of March to the first of April
    ("2020-03", "2020-03", {}, {"2020-03": 31}),
    ("2020", "2020", {}, {"2020-02": 29, "2020-03": 31, "2020-04": 30, "2020-05": 31}),
    ("2019", "2020-03-02", {"2020-02": 29, "2020-03": 2}, {"2020-02": 29, "2020-03": 2}),
    ("2020-04-20", None, {"2020-04": 1}, {"2020-04": 11, "2020-05": 31}),
    ("2020-04", None, {"2020-04": 1}, {"2020-04": 30, "2020-05": 31}),
    (None, "2020-04-20", {}, {}),
]
LENGTH = {"2020-02": 29, "2020-03": 31, "2020-04": 30, "2020-05": 31}


@pytest.mark.parametrize("reading", READINGS)
def test_days_in_force_are_those_counted_by_hand(con, reading):
    rows = [measure(start, end, issuer=f"case{place}", id=f"{place}") for place, (start, end, *_) in enumerate(BY_HAND)]
    found = monthly(con, rows, reading)
    wanted = {
        (f"case{place}", month): days
        for place, (_, _, *both) in enumerate(BY_HAND)
        for month, days in both[READINGS.index(reading)].items()
    }
    assert found["days"].to_dict() == wanted
    assert found["share"].to_dict() == pytest.approx({case: days / LENGTH[case[1]] for case, days in wanted.items()})
    assert found["dose"].to_dict() == pytest.approx({case: 100 * days / LENGTH[case[1]] for case, days in wanted.items()})


def test_the_dose_of_a_day_is_that_of_its_strongest_measure_half_a_step_off_if_targeted(con):
    rows = [measure("2020-04-01", "2020-04-30", strength=2, general=False, id="a"), measure("2020-04-16", "2020-04-30", strength=3, id="b")]
    assert monthly(con, rows, "certain")["dose"].tolist() == pytest.approx([(15 * 37.5 + 15 * 75) / 30])


def test_a_proposal_is_never_in_force(con):
    assert con.execute(force(con, [measure("2020-03-01", "2020-03-31", status="proposed")], "possible").count()) == 0


def test_an_issuer_without_a_measure_has_zero_and_no_gap(con):
    shares = con.to_pandas(month_shares(force(con, [measure("2020-03-17", "2020-03-31")], "certain")))
    panel = complete_panel(shares, ["UZB", "KAZ"], FIRST, LAST, "share")
    assert len(panel) == 8
    assert panel["share"].notna().all()
    assert panel["share"].sum() == pytest.approx(15 / 31)
    assert panel.set_index(["area", "period"])["rows"].loc["KAZ", "2020-03"] == ["f.csv:2"]
    assert [rows for rows in panel["rows"] if rows] == [["f.csv:2"]]
    empty = complete_panel(shares.iloc[:0], ["KAZ"], FIRST, LAST, "share")
    assert empty["share"].tolist() == [0, 0, 0, 0]


def test_the_calendar_has_every_day_of_its_months(con):
    days_of = con.to_pandas(calendar("2019-12", "2020-02"))
    assert len(days_of) == 31 + 31 + 29
    assert days_of.groupby("month")["days_in_month"].first().to_dict() == {"2019-12": 31, "2020-01": 31, "2020-02": 29}
