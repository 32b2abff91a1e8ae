"""XES in its several flavours: what is read, what is assumed and said, what is a fault, what is refused."""

from __future__ import annotations

import gzip
from xml.sax.saxutils import quoteattr

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.scenarios.procedure.event_log import COLUMNS, read_xes
from qonys.scenarios.procedure.fit import fit_log

from .logs import three_steps

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849.2016" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<global scope="event"><string key="concept:name" value="DEFAULT"/><date key="time:timestamp" value="1970-01-01T00:00:00Z"/></global>
<classifier name="Activity" keys="concept:name"/>
<string key="concept:name" value="the log"/>"""


def event(step=None, at=None, transition=None, **more) -> str:
    given_ = {"concept:name": step, "time:timestamp": at, "lifecycle:transition": transition} | {
        k.replace("_", ":"): v for k, v in more.items()
    }
    kinds = {"time:timestamp": "date"}
    return (
        "<event>"
        + "".join(
            f"<{kinds.get(key, 'string')} key={quoteattr(key)} value={quoteattr(value)}/>"
            for key, value in given_.items()
            if value is not None
        )
        + "</event>"
    )


def trace(*events, case="a") -> str:
    name = "" if case is None else f'<string key="concept:name" value="{case}"/>'
    return f"<trace>{name}{''.join(events)}</trace>"


def read(*traces, **more):
    return read_xes((HEAD + "".join(traces) + "</log>").encode(), "log.xes", **more)


def row(log, place=0):
    """Step, agency, the three moments as text, and the outcome."""
    found = log.events.iloc[place]
    moments = [None if found[name] is pd.NaT else found[name].strftime("%m-%d %H:%M") for name in ("ready_at", "started_at", "finished_at")]
    return found["step"], found["agency"], *moments, found["outcome"]


def notes(log):
    return dict(zip(log.notes["code"], log.notes["number"], strict=True))


def test_a_whole_life_of_a_step_is_one_row_in_utc():
    log = read(
        trace(
            event("check", "2021-03-01T09:00:00.000+06:00", "schedule", org_group="office"),
            event("check", "2021-03-02T09:00:00+06:00", "START", org_group="office", org_resource="Ada"),
            event("check", "2021-03-03T00:00:00Z", "suspend"),
            event("check", "2021-03-04T00:00:00Z", "resume"),
            event("check", "2021-03-05T10:30:00Z", "complete"),
        )
    )
    assert list(log.events.columns) == list(COLUMNS)
    assert row(log) == ("check", "office", "03-01 03:00", "03-02 03:00", "03-05 10:30", "completed")
    assert str(log.events["ready_at"].dtype) == "datetime64[us, UTC]"
    assert log.faults.empty
    assert notes(log) == {"without_effect": 1}


def test_with_completions_alone_a_step_is_ready_when_the_one_before_was_finished():
    log = read(trace(event("one", "2021-01-01T00:00:00Z"), event("two", "2021-01-04T00:00:00Z"), event("one", "2021-01-09T00:00:00Z")))
    assert row(log, 0) == ("one", "unknown", "01-01 00:00", None, "01-01 00:00", "completed")
    assert row(log, 1) == ("two", "unknown", "01-01 00:00", None, "01-04 00:00", "completed")
    assert row(log, 2) == ("one", "unknown", "01-04 00:00", None, "01-09 00:00", "completed")
    assert notes(log) == {"agency_unknown": 3, "ready_from_itself": 1, "ready_from_previous": 2, "without_transition": 3}


def test_events_out_of_order_are_put_in_order():
    log = read(trace(event("two", "2021-01-04T00:00:00Z"), event("one", "2021-01-01T00:00:00Z")))
    assert [row(log, place)[0] for place in range(2)] == ["one", "two"]


def test_what_is_not_finished_is_open_and_what_is_broken_off_says_so():
    log = read(
        trace(event("one", "2021-01-01T00:00:00Z", "start"), event("two", "2021-01-02T00:00:00Z", "assign")),
        trace(event("one", "2021-01-01T00:00:00Z", "start"), event("one", "2021-01-03T00:00:00Z", "ate_abort"), case="b"),
    )
    assert row(log, 0) == ("one", "unknown", "01-01 00:00", "01-01 00:00", None, None)
    assert row(log, 1) == ("two", "unknown", "01-02 00:00", None, None, None)
    assert row(log, 2)[4:] == ("01-03 00:00", "aborted")


def test_steps_side_by_side_are_told_apart_by_instance_and_else_the_first_begun_ends_first():
    moments = [f"2021-01-0{day}T00:00:00Z" for day in range(1, 5)]
    transitions = ("start", "start", "complete", "complete")
    plain = read(trace(*(event("one", at, way) for at, way in zip(moments, transitions, strict=True))))
    named = read(
        trace(*(event("one", at, way, concept_instance=which) for at, way, which in zip(moments, transitions, "1221", strict=True)))
    )
    ends = [[row(log, place)[3:5] for place in range(2)] for log in (plain, named)]
    assert ends[0] == [("01-01 00:00", "01-03 00:00"), ("01-02 00:00", "01-04 00:00")]
    assert ends[1] == [("01-01 00:00", "01-04 00:00"), ("01-02 00:00", "01-03 00:00")]


def test_attributes_below_attributes_and_of_the_log_mean_nothing_and_unknown_ones_are_named():
    nested = '<event><string key="cost" value="3"><string key="concept:name" value="no"/></string><string key="concept:name" value="one"/><date key="time:timestamp" value="2021-01-01T00:00:00Z"/></event>'
    log = read(trace(nested, nested))
    assert set(log.events["step"]) == {"one"}
    assert log.ignored.to_numpy().tolist() == [["cost", 2]]


def test_a_moment_without_a_zone_is_taken_as_utc_and_that_is_said():
    log = read(trace(event("one", "2021-01-01T05:00:00")), trace(event("one", "2021-01-01T05:00:00Z"), case=None))
    assert row(log)[2] == "01-01 05:00"
    assert notes(log)["naive_taken_as_utc"] == 1
    assert notes(log)["case_unnamed"] == 1
    assert log.events["case_id"].tolist() == ["a", "trace-2"]


@pytest.mark.parametrize(
    ("broken", "fault", "words"),
    [
        (event(None, "2021-01-01T00:00:00Z"), "no_name", "has no concept:name"),
        (event("one"), "no_time", "'one' has no time:timestamp"),
        (event("one", "soon"), "not_an_instant", "'soon' is no moment"),
        (event("one", "0001-01-01T00:00:00Z"), "out_of_range", "lies outside 1900 to 2199"),
        (event("one", "2021-01-01T00:00:00Z", "dreaming"), "unknown_transition", "'dreaming' is not known"),
    ],
)
def test_a_broken_event_is_kept_as_a_fault_with_its_place(broken, fault, words):
    log = read(trace(event("one", "2021-01-01T00:00:00Z")), trace(event("one", "2021-01-01T00:00:00Z"), broken, case="b"))
    assert len(log.events) == 2
    assert log.faults[["trace", "event", "fault"]].to_numpy().tolist() == [[2, 2, fault]]
    assert log.faults["what"][0].startswith("log.xes, trace 2, event 2: ")
    assert words in log.faults["what"][0]


def test_an_event_outside_a_trace_is_a_fault():
    log = read(event("one", "2021-01-01T00:00:00Z"), trace(event("one", "2021-01-01T00:00:00Z")))
    assert log.faults[["trace", "fault"]].to_numpy().tolist() == [[0, "outside"]]


LAUGHS = '<?xml version="1.0"?><!DOCTYPE log [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><log><trace>&c;</trace></log>'


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (LAUGHS.encode(), "declares a document type or entities"),
        (LAUGHS.encode("utf-16"), "declares a document type or entities"),
        (b"<pnml/>", "it begins with <pnml>"),
        (b"case_id,step\n1,2\n", "is no whole XML"),
        (b"", "is no whole XML"),
        ((HEAD + trace(event("one", "2021-01-01T00:00:00Z"))).encode(), "is no whole XML"),
        ((HEAD + "</log>").encode(), "no event of log.xes can be used, which has no traces"),
        ((HEAD + trace(event("one")) + "</log>").encode(), "can be used: log.xes, trace 1, event 1: 'one' has no time"),
        (gzip.compress((HEAD + "</log>").encode())[:-20], "is cut off"),
        (b"\x1f\x8bnothing", "is no whole gzip"),
    ],
)
def test_what_is_no_log_or_no_safe_one_is_refused(data, words):
    with pytest.raises(DataError, match=words):
        read_xes(data, "log.xes")


def test_a_log_that_unpacks_beyond_the_limit_is_refused_as_it_unpacks():
    large = (HEAD + " " * 5_000_000 + "</log>").encode()
    for data in (large, gzip.compress(large)):
        with pytest.raises(DataError, match="more than"):
            read_xes(data, "log.xes", most_bytes=2_000_000)


def as_xes(events: pd.DataFrame) -> bytes:
    """The events of a table, one after the other by moment."""
    traces = []
    for case, rows in events.groupby("case_id"):
        stamps = [
            (getattr(one, column), place, event(one.step, f"{getattr(one, column).isoformat()}Z", transition, org_group=one.agency))
            for one in rows.itertuples()
            for place, (column, transition) in enumerate((("ready_at", "schedule"), ("started_at", "start"), ("finished_at", "complete")))
            if getattr(one, column) is not pd.NaT
        ]
        traces.append(trace(*(text for _, _, text in sorted(stamps)), case=case))
    return (HEAD + "".join(traces) + "</log>").encode()


@settings(max_examples=8)
@given(st.integers(0, 1000), st.booleans())
def test_a_table_written_as_xes_and_read_again_is_the_same_table(seed, packed):
    events = three_steps(20, seed=seed)
    as_of = pd.Timestamp("2020-08-01")
    for name in ("started_at", "finished_at"):
        events.loc[events[name] > as_of, name] = pd.NaT
    events = events[events["ready_at"] <= as_of]
    data = as_xes(events)
    log = read_xes(gzip.compress(data) if packed else data, "log.xes")
    assert log.faults.empty
    order = ["case_id", "ready_at"]
    again, before = (table.sort_values(order).reset_index(drop=True)[list(COLUMNS[:-1])] for table in (log.events, events))
    for name in ("ready_at", "started_at", "finished_at"):
        again[name] = again[name].dt.tz_localize(None)
        assert np.array_equal(again[name].to_numpy(), before[name].to_numpy("datetime64[us]"), equal_nan=True)
    assert again[["case_id", "step", "agency"]].equals(before[["case_id", "step", "agency"]])


def test_a_log_read_from_xes_is_fitted_as_the_table_is():
    events = three_steps(80)
    one, other = (fit_log(table, as_of="2020-09-01") for table in (events, read_xes(as_xes(events), "log.xes").events))
    pd.testing.assert_frame_equal(one.durations, other.durations)
    pd.testing.assert_frame_equal(one.case_days, other.case_days)
