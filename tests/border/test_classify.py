"""The residence rule: the published cases, equality with the plain reference, and what irregular records come to."""

from __future__ import annotations

import sys
import time
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from border.reference import Rule, reference
from qonys.border import classify, rule, rules
from qonys.core.errors import DataError

START = date(2017, 1, 1)
ANSWERS = ["days_present", "days_observed", "long_term", "resident_before", "resident_after", "migration", "final_on"]


def table(rows: list[tuple[str, object, str]]) -> pa.Table:
    at = [when if isinstance(when, datetime) else datetime(when.year, when.month, when.day, 12, tzinfo=UTC) for _, when, _ in rows]
    return pa.table(
        {
            "person_id": [person for person, _, _ in rows],
            "at": pa.array(at, pa.timestamp("us", tz="UTC")),
            "direction": [way for _, _, way in rows],
        }
    )


def classified(rows, **more) -> pd.DataFrame:
    return classify(table(rows), **more).to_pandas(types_mapper=pd.ArrowDtype)


def plain(frame: pd.DataFrame) -> list[list[object]]:
    return [[None if pd.isna(value) else value for value in row] for row in frame[ANSWERS].itertuples(index=False, name=None)]


# Published cases


def published(real_data) -> pd.DataFrame:
    return pd.read_csv(real_data / "statsnz_1216_test_vectors.csv", parse_dates=["date_crossing", "initial_status_date"])


def cases_with_answers(real_data, given) -> pd.DataFrame:
    """The published crossings with ours beside them. given: what is made of a person's initial status."""
    cases = published(real_data)
    # two crossings of one day follow each other in the order of the file
    cases["minute"] = cases.groupby(["scenario", "person_id", "date_crossing"]).cumcount()
    cases["person"] = [f"{scenario:02d}-{person}" for scenario, person in zip(cases["scenario"], cases["person_id"], strict=True)]
    cases = cases.sort_values(["person", "date_crossing", "minute"], kind="stable").reset_index(drop=True)
    rows = [
        (person, day.to_pydatetime().replace(tzinfo=UTC) + timedelta(minutes=minute), "entry" if way else "exit")
        for person, day, minute, way in zip(cases["person"], cases["date_crossing"], cases["minute"], cases["is_arrival"], strict=True)
    ]
    known = cases.dropna(subset="initial_status_given").drop_duplicates("person")
    found = classified(rows, end=date(2022, 1, 1), initial=given(known))
    assert list(found["person_id"]) == list(cases["person"])
    return pd.concat([cases, found.drop(columns=["person_id"])], axis=1)


def statuses_differ(cases: pd.DataFrame) -> list[tuple[int, int]]:
    expected = cases[["expected_res_before", "expected_res_after", "expected_long_term_migrant"]].astype(bool).to_numpy()
    answers = cases[["resident_before", "resident_after", "long_term"]].astype(bool).to_numpy()
    return [(int(cases["scenario"][row]), int(cases["journey_id"][row])) for row in np.flatnonzero((expected != answers).any(axis=1))]


def test_the_published_cases_of_the_12_16_rule_come_out_all_100_of_them(real_data):
    """Statistics New Zealand's test suite, initial statuses with the day on which they became final."""
    found = cases_with_answers(
        real_data,
        lambda known: pa.table(
            {
                "person_id": list(known["person"]),
                "resident": list(known["initial_status_given"] == 1),
                "final_on": list(known["initial_status_date"].dt.date),
            }
        ),
    )
    assert len(found) == 100
    assert statuses_differ(found) == []


def test_the_days_on_which_the_published_statuses_became_final_come_out_too(real_data):
    found = cases_with_answers(
        real_data, lambda known: {row.person: bool(row.initial_status_given) for row in known.itertuples() if row.scenario not in (24, 26)}
    )
    dated = found.dropna(subset="days_res_after_final")
    first = dated.groupby("person")["date_crossing"].transform("min")
    days = (pd.to_datetime(dated["final_on"]) - first).dt.days
    differ = dated[(days != dated["days_res_after_final"]) & ~dated["scenario"].isin([24, 26])]
    assert len(dated) == 95
    assert differ.empty, differ[["scenario", "journey_id", "final_on", "days_res_after_final"]]


def test_without_the_day_of_the_initial_status_98_published_cases_come_out(real_data):
    """In scenarios 24 and 26 the status given became final on the 502nd day, as the running one did then: it overrides that one."""
    found = cases_with_answers(real_data, lambda known: {row.person: bool(row.initial_status_given) for row in known.itertuples()})
    assert statuses_differ(found) == [(24, 3), (26, 3)]


# The reference


GAPS = [0, 0, 1, 2, 30, 60, 61, 89, 90, 91, 121, 122, 123, 182, 183, 184, 243, 244, 364, 365, 366, 486, 487, 488]


@st.composite
def histories(draw) -> list[tuple[str, datetime, str]]:
    rows = []
    for person in range(draw(st.integers(1, 3))):
        when = datetime(2017, 1, 1, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 60)), seconds=draw(st.integers(0, 86_399)))
        way = draw(st.sampled_from(["entry", "exit"]))
        for _ in range(draw(st.integers(1, 12))):
            rows.append((f"p{person}", when, way))
            # not all clocks run, and not all of the records are there
            when += timedelta(days=draw(st.sampled_from(GAPS)), seconds=draw(st.sampled_from([0, 1, 3_600, 50_000])))
            way = ("exit" if way == "entry" else "entry") if draw(st.integers(0, 9)) else way
    return rows


@st.composite
def given_statuses(draw) -> dict[str, tuple[bool, date | None]]:
    chosen = draw(st.sets(st.sampled_from(["p0", "p1", "p2", "unknown"])))
    return {
        one: (draw(st.booleans()), draw(st.one_of(st.none(), st.integers(-10, 1200).map(lambda days: START + timedelta(days=days)))))
        for one in sorted(chosen)
    }  # fmt: skip


def statuses(given: dict[str, tuple[bool, date | None]]) -> pa.Table:
    return pa.table(
        {"person_id": pa.array(list(given), pa.string()), "resident": pa.array([one for one, _ in given.values()], pa.bool_()),
         "final_on": pa.array([day for _, day in given.values()], pa.date32())}
    )  # fmt: skip


def expected(rows, chosen, end, **more) -> list[list[object]]:
    answers = reference(rows, Rule(chosen.window_days, chosen.threshold_days), end, **more)
    return [[getattr(one, name) for name in ["person", "at", "direction", *ANSWERS, "fault"]] for one in answers]


def found(table_: pa.Table) -> list[list[object]]:
    columns = [table_[name].to_pylist() for name in ["person_id", "at", "direction", *ANSWERS, "fault"]]
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("name", ["12/16", "12/12", "6/12", "90/180", "9/12"])
@settings(max_examples=100)
@given(rows=histories(), cut=st.integers(-900, 700), given=given_statuses())
def test_the_kernel_equals_the_plain_reference(name, rows, cut, given):
    end = max(when.date() for _, when, _ in rows) + timedelta(days=cut)
    chosen = rule(name)
    assert found(classify(table(rows), rule_=chosen, end=end, initial=statuses(given))) == expected(rows, chosen, end, given=given)


@settings(max_examples=10)
@given(rows=st.lists(st.integers(1, 40), min_size=1, max_size=40), seed=st.integers(0, 2**30))
def test_the_kernel_equals_the_plain_reference_on_ids_that_look_alike(rows, seed):
    """Keyed hashes whose leading letters are the same, others that differ in the last, and ids that are no hashes."""
    rng = np.random.default_rng(seed)
    letters = ["0" * 31 + one for one in "0123456789abcdef"] + ["f" * 16 + one * 16 for one in "09af"] + ["8" + "0" * 31]
    for names in (letters, [f"{name}é" for name in letters], [name[:7] for name in letters], [name[:8] for name in letters]):
        data = []
        for count in rows:
            person = names[rng.integers(len(names))]
            for way in rng.choice(["entry", "exit"], count):
                data.append((person, datetime(2017, 1, 1, tzinfo=UTC) + timedelta(seconds=int(rng.integers(0, 10**8))), str(way)))
        assert found(classify(table(data), end=date(2020, 3, 1))) == expected(data, rule("12/16"), date(2020, 3, 1))


@given(rows=histories(), seed=st.integers(0, 99))
def test_neither_the_order_of_the_rows_nor_their_pieces_change_the_answer(rows, seed):
    rng = np.random.default_rng(seed)
    whole = table(rows).append_column("border_point", pa.array(rng.choice(["a", "b", "c"], len(rows))))
    one = classify(whole, threads=1)
    shuffled = whole.take(pa.array(rng.permutation(len(rows))))
    assert classify(shuffled).equals(one)
    coded = shuffled.set_column(3, "border_point", shuffled["border_point"].dictionary_encode())
    again = classify(coded)
    assert again.set_column(3, "border_point", again["border_point"].cast(pa.string())).equals(one)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["qonys.border.classify"], "PIECE_ROWS", 5)
        for threads in (1, 3):
            assert classify(shuffled, threads=threads).combine_chunks().equals(one.combine_chunks())


@settings(max_examples=100)
@given(rows=histories(), cut=st.integers(0, 1500), name=st.sampled_from(["12/16", "12/12", "90/180"]), given=given_statuses())
def test_what_is_final_on_a_day_is_what_data_up_to_that_day_say(rows, cut, name, given):
    """Nothing that is known changes with later records, and all that is final on a day is known to data that end on it."""
    early = START + timedelta(days=cut)
    known = [row for row in rows if row[1].date() <= early]
    if not known:
        return
    more = {"rule_": rule(name), "initial": statuses(given)}
    before = classify(table(known), end=early, **more).to_pylist()
    late = max(when.date() for _, when, _ in rows) + timedelta(days=1200)
    after = [row for row in classify(table(rows), end=late, **more).to_pylist() if row["at"].date() <= early]
    for then, now in zip(before, after, strict=True):
        assert then["final_on"] == (now["final_on"] if now["final_on"] <= early else None)
        for column in ("long_term", "resident_before", "resident_after", "migration"):
            if then["final_on"] is not None or (then[column] is not None and (given.get(then["person_id"]) or (0, None))[1] is None):
                assert then[column] == now[column]


@given(rows=histories(), place=st.integers(1, 20))
def test_a_history_cut_in_two_goes_on_from_the_last_status_of_its_first_part(rows, place):
    own = sorted(row for row in rows if row[0] == "p0")
    end = own[-1][1].date() + timedelta(days=1200)
    whole = classify(table(own), end=end).to_pylist()
    first, second = whole[:place], whole[place:]
    if (
        not second
        or second[0]["at"].date() < first[-1]["final_on"]
        or second[0]["at"].replace(microsecond=0) == first[-1]["at"].replace(microsecond=0)
    ):
        return
    last = pa.table(
        {"person_id": ["p0"], "resident": [first[-1]["resident_after"]], "final_on": pa.array([first[-1]["final_on"]], pa.date32())}
    )
    again = classify(table([(row["person_id"], row["at"], row["direction"]) for row in second]), end=end, initial=last).to_pylist()
    for one, two in zip(again, second, strict=True):
        assert {name: one[name] for name in ANSWERS} == {name: two[name] for name in ANSWERS}


def test_somebody_who_crosses_every_day_for_a_century_costs_no_more_than_many_who_do_not():
    """A walk may look at all crossings of a window; taken for each of them anew, 200,000 rows would be 100 million steps, or, undecided, more."""
    days = 100_000
    at = pa.array(np.repeat(np.arange(days), 2) % 10_000 * 86_400 + np.tile([0, 3600], days) + 10**9, pa.timestamp("s", tz="UTC"))
    one = pa.table(
        {"person_id": np.repeat([f"{p:032x}" for p in range(10)], 2 * days // 10), "at": at, "direction": ["entry", "exit"] * days}
    )
    many = one.set_column(0, "person_id", pa.array([f"{p:032x}" for p in range(2 * days)]))

    def seconds(crossings: pa.Table) -> float:
        started = time.process_time()
        classify(crossings, threads=1)
        return time.process_time() - started

    seconds(one), seconds(many)
    assert min(seconds(one) for _ in range(3)) < 5 * min(seconds(many) for _ in range(3))


# Edge cases


def one(rows: list[tuple[str, str]], end: str, **more) -> pd.DataFrame:
    return classified([("p", date.fromisoformat(day), way) for day, way in rows], end=date.fromisoformat(end), **more)


def test_somebody_never_seen_again_becomes_a_migrant_on_the_365th_day():
    assert plain(one([("2020-01-01", "entry")], "2020-12-30"))[0][2:] == [None, False, None, None, None]
    assert plain(one([("2020-01-01", "entry")], "2020-12-31"))[0] == [365, 365, True, False, True, "arrival", date(2020, 12, 31)]


def test_a_departure_first_means_a_resident_unless_a_status_is_given():
    found = one([("2020-01-01", "exit")], "2021-12-31")
    assert plain(found)[0][2:6] == [True, True, False, "departure"]
    assert plain(one([("2020-01-01", "exit")], "2021-12-31", initial={"p": False}))[0][2:6] == [False, False, False, None]


def test_the_tolerance_is_exceeded_by_more_than_122_days_and_not_by_122():
    def after(days: int) -> object:
        back = date(2020, 2, 1) + timedelta(days=days)
        return plain(one([("2020-01-01", "entry"), ("2020-02-01", "exit"), (back.isoformat(), "entry")], "2022-12-31"))[0][2]

    assert after(122) is True
    assert after(123) is False


def test_later_crossings_wait_for_an_undecided_one():
    found = plain(one([("2020-01-01", "entry"), ("2020-06-01", "exit"), ("2020-06-10", "entry")], "2020-07-01"))
    assert [row[2] for row in found] == [None, None, None]
    assert [row[3] for row in found] == [False, None, None]


def test_irregular_records_are_kept_and_named():
    rows = [("p", datetime(2020, 1, 1, 8, tzinfo=UTC), "entry"), ("p", datetime(2020, 1, 1, 8, tzinfo=UTC), "entry"),
            ("p", datetime(2020, 2, 1, tzinfo=UTC), "entry"), ("p", datetime(2020, 3, 1, tzinfo=UTC), "exit"),
            ("p", datetime(2020, 3, 1, tzinfo=UTC), "entry"), ("p", datetime(2020, 4, 1, tzinfo=UTC), "exit"),
            ("p", datetime(2020, 5, 1, tzinfo=UTC), "exit"), ("p", datetime(2031, 1, 1, tzinfo=UTC), "entry"),
            ("p", datetime(1970, 1, 1, tzinfo=UTC), "entry")]  # fmt: skip
    found = classified(rows, end=date(2021, 12, 31))
    assert len(found) == len(rows)
    assert [None if pd.isna(fault) else fault for fault in found["fault"]] == [
        "too_early", None, "repeated", "missed_exit", None, "same_instant", None, "missed_entry", "after_end",
    ]  # fmt: skip
    assert found.loc[found["fault"].isin(["too_early", "after_end"]).fillna(False), "long_term"].isna().all()


def test_a_day_begins_where_the_border_is():
    rows = [("p", datetime(2020, 1, 1, 20, tzinfo=UTC), "entry")]
    assert classified(rows, end=date(2021, 12, 31), zone="Asia/Almaty")["final_on"].item() == date(2021, 1, 1)
    assert classified(rows, end=date(2021, 12, 31))["final_on"].item() == date(2020, 12, 31)
    with pytest.raises(DataError, match="there is no time zone 'Asia/Astana2'"):
        classified(rows, zone="Asia/Astana2")


def test_clocks_beyond_any_calendar_are_named_and_harm_nobody():
    seconds = [-(2**45), 1_577_836_800, 1_583_020_800, 2**44]
    strange = pa.table(
        {"person_id": ["p"] * 4, "at": pa.array(seconds, pa.timestamp("s", tz="UTC")), "direction": ["entry", "entry", "exit", "exit"]}
    )
    for zone in ("UTC", "Asia/Almaty"):
        faults = classify(strange, end=date(2021, 12, 31), zone=zone)
        assert faults["fault"].to_pylist() == ["too_early", None, None, "after_end"]
        assert faults["long_term"].to_pylist() == [None, False, False, None]


def test_no_crossings_give_no_answers():
    assert classify(table([])).num_rows == 0


def test_rules_are_data_and_any_number_of_months_is_a_rule():
    assert (rule("12/16").window_days, rule("12/16").threshold_days, rule("12/16").tolerance_days) == (487, 365, 122)
    assert set(rules()) == {"12/16", "12/12", "6/12", "90/180"}
    assert rule("3/6").threshold_days == 91
    for wrong in ("16/12", "0/12", "12-16", "12/999", "year"):
        with pytest.raises(DataError):
            rule(wrong)


@pytest.mark.parametrize(
    ("crossings", "said"),
    [
        (pa.table({"person_id": ["p"]}), "the crossings have no column 'at'"),
        (table([("p", START, "in")]), "a crossing has the direction 'in'; write entry or exit"),
        (pa.table({"person_id": ["p"], "at": ["2020"], "direction": ["entry"]}), "the column at holds string, not instants"),
        (pa.table({"person_id": [None], "at": pa.array([datetime(2020, 1, 1, tzinfo=UTC)]), "direction": ["entry"]}), "1 crossings have no person_id"),
    ],
)  # fmt: skip
def test_a_table_that_is_no_crossings_is_refused(crossings, said):
    with pytest.raises(DataError, match=said):
        classify(crossings)
