"""Who moved first: ranks that hold whatever the order of the issuers, and lags that say what days known in part allow."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.measures import adoption, chosen, lags, order
from rows import bounded

CONTROL = {"field": "border_control", "reasons": ["covid"]}
DAY = date(2020, 3, 11)


def control(id: str, issuer: str, start: str | None, **more: object) -> dict[str, object]:
    base = {"field": "border_control", "reasons": "covid", "direction": "tightening", "strength": 1, "general": "true", "status": "ended"}
    return {"id": id, "issuer": issuer, "start": start, **base, **more}


def measures(rows: list[dict[str, object]]) -> ibis.Table:
    return bounded(rows)


def first_days(spans: dict[str, tuple[int, int] | None]) -> ibis.Table:
    """An adoption table: for each issuer the earliest and the latest first day, counted from 11 March 2020, or never."""
    rows = [(issuer, *([DAY + timedelta(days=day) for day in span] if span else [None, None])) for issuer, span in spans.items()]
    schema = {"issuer": "string", "earliest": "date", "latest": "date"}
    return ibis.memtable(pd.DataFrame(rows, columns=list(schema)), schema=schema)


def ranks(con, spans: dict[str, tuple[int, int] | None]) -> dict[str, tuple[float, float]]:
    frame = con.to_pandas(order(first_days(spans)))
    return {row.issuer: (row.lowest, row.highest) for row in frame.itertuples()}


spans_of_issuers = st.dictionaries(
    st.sampled_from(list("ABCDEFGH")),
    st.one_of(st.none(), st.tuples(st.integers(0, 30), st.integers(0, 6)).map(lambda one: (one[0], one[0] + one[1]))),
    min_size=1,
)


@settings(max_examples=20)
@given(spans_of_issuers, st.integers(-400, 400), st.randoms(use_true_random=False))
def test_ranks_are_those_counted_one_by_one_and_neither_shuffling_nor_shifting_changes_them(con, spans, shift, chance):
    moved = {issuer: span for issuer, span in spans.items() if span}
    by_hand = {
        issuer: (1 + sum(late < span[0] for _, late in moved.values()), sum(early <= span[1] for early, _ in moved.values()))
        for issuer, span in moved.items()
    }
    issuers = list(spans)
    chance.shuffle(issuers)
    shifted = {issuer: spans[issuer] and tuple(day + shift for day in spans[issuer]) for issuer in issuers}
    found = ranks(con, shifted)
    assert {issuer: rank for issuer, rank in found.items() if spans[issuer]} == by_hand
    assert all(pd.isna(low) and pd.isna(high) for issuer, (low, high) in found.items() if not spans[issuer])
    assert all(1 <= low <= high <= len(moved) for low, high in by_hand.values())


@settings(max_examples=20)
@given(spans_of_issuers)
def test_every_order_that_the_days_allow_keeps_each_issuer_within_its_ranks(con, spans):
    found = ranks(con, spans)
    moved = {issuer: span for issuer, span in spans.items() if span}
    for pick in (0, 1):  # everybody as early, or as late, as may be
        days = {issuer: span[pick] for issuer, span in moved.items()}
        for issuer, day in days.items():
            place = 1 + sum(other < day for other in days.values())
            assert found[issuer][0] <= place <= found[issuer][1]


@settings(max_examples=15)
@given(spans_of_issuers, st.integers(-10, 40), st.integers(0, 5), st.integers(0, 7))
def test_lags_are_differences_of_days_and_their_class_is_the_only_one_possible(con, spans, act, imprecise, window):
    acts = ibis.memtable(
        pd.DataFrame(
            {"id": ["act"], "start_earliest": [DAY + timedelta(days=act)], "start_latest": [DAY + timedelta(days=act + imprecise)]}
        ),
        schema={"id": "string", "start_earliest": "date", "start_latest": "date"},
    )
    for row in con.to_pandas(lags(first_days(spans), acts, window=window)).itertuples():
        span = spans[row.issuer]
        if span is None:
            assert row.moved == "never"
            assert pd.isna(row.low)
            continue
        every = {day - when for day in range(span[0], span[1] + 1) for when in range(act, act + imprecise + 1)}
        assert (row.low, row.high) == (min(every), max(every))
        classes = {"before" if lag < 0 else "with" if lag <= window else "after" for lag in every}
        assert row.moved == (classes.pop() if len(classes) == 1 else "undecided")


def test_the_first_day_is_that_of_the_first_entry_of_the_kind_and_an_issuer_without_one_is_kept(con):
    rows = [
        control("a1", "AUT", "2020-03-11"), control("a2", "AUT", "2020-03-14"), control("a0", "AUT", "2019-11-12", reasons="terrorism"),
        control("b1", "BEL", "2020-03"), control("b2", "BEL", "2020-03-20"),
        control("c1", "CZE", "2020-03-14", status="proposed"), control("c2", "CZE", None),
        control("d1", "DNK", "2019-12-30"), control("d2", "DNK", "2020-05-12"), control("e1", "EST", "2020-03-17"),
    ]  # fmt: skip
    frame = con.to_pandas(adoption(measures(rows), ["AUT", "BEL", "CZE", "DNK"], of=CONTROL, since=date(2020, 1, 1)))
    found = {row.issuer: (str(row.earliest)[:10], str(row.latest)[:10], row.never, list(row.measures)) for row in frame.itertuples()}
    assert found == {
        "AUT": ("2020-03-11", "2020-03-11", False, ["a1"]),
        "BEL": ("2020-03-01", "2020-03-20", False, ["b1", "b2"]),  # some day in March, and no later than the other entry
        "CZE": ("NaT", "NaT", True, []),
        "DNK": ("2020-05-12", "2020-05-12", False, ["d2"]),
    }


def test_a_version_that_corrects_the_day_moves_the_first_day(con):
    rows = [control("a", "AUT", "2020-03-11"), control("a", "AUT", "2020-03-13", version=2, change="misread", coded_on="2026-11-20")]
    frame = con.to_pandas(adoption(measures(rows), ["AUT"], of=CONTROL))
    assert str(frame["earliest"][0])[:10] == "2020-03-13"


@pytest.mark.parametrize(
    ("of", "ids"),
    [
        ({"direction": "easing"}, {"e"}),
        ({"targets": ["labour", "student"]}, {"e", "t"}),
        ({"strength": 3}, {"t"}),
        ({"target_citizenship": []}, {"e"}),
        ({"general": True, "field": ["health", "migration"]}, {"e"}),
        ({}, {"e", "t"}),
    ],
)
def test_measures_are_chosen_by_their_codes(con, of, ids):
    rows = [
        {"id": "e", "direction": "easing", "targets": "labour", "strength": 2, "general": "true", "field": "health"},
        {"id": "t", "direction": "tightening", "targets": "student family", "strength": 3, "general": "false", "field": "health",
         "target_citizenship": "CHN"},
    ]  # fmt: skip
    assert set(con.to_pandas(chosen(measures(rows), of))["id"]) == ids


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ({"feild": "health"}, "measures cannot be chosen by 'feild'; did you mean 'field'"),
        ({"field": "helth"}, "no measure has the field 'helth'; did you mean 'health'"),
        ({"targets": ["labor"]}, "no measure has the targets 'labor'; did you mean 'labour'"),
        ({"direction": "tighten"}, "no measure has the direction 'tighten'; did you mean 'tightening'"),
        ({"strength": 5}, "a kind of measures cannot have the strength 5; write a whole number from 1 to 4"),
        ({"strength": "4"}, "a kind of measures cannot have the strength '4'"),
    ],
)
def test_a_kind_that_there_is_not_is_refused_with_the_nearest(of, said):
    with pytest.raises(DesignError) as refused:
        chosen(measures([control("a", "AUT", "2020-03-11")]), of)
    assert str(refused.value).startswith(said)


def test_a_window_below_zero_is_refused():
    with pytest.raises(DesignError, match="a window of -1 days is none; write 0 or more"):
        lags(first_days({"A": (0, 0)}), measures([]), window=-1)
