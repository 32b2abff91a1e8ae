"""An event log in XES (IEEE 1849-2016) as case events, read as it streams: it costs the memory of its events, not of its text."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import numpy as np
import pandas as pd

from qonys.core.errors import DataError
from qonys.scenarios.procedure.spans import FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_BYTES = 4 * 2**30  # of XML, unpacked: some ten million events
CHUNK = 2**20
UNKNOWN = "unknown"  # agency of events that name none
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# lifecycle:transition -> what it says of the step, and with what outcome it ends; others are of no account or not understood
READY = {"schedule", "assign", "ready", "offered", "reassign"}
STARTED = {"start", "resume"}
FINISHED = {
    "complete": "completed", "autoskip": "skipped", "manualskip": "skipped", "withdraw": "withdrawn", "ate_abort": "aborted",
    "pi_abort": "aborted", "abort": "aborted",
}  # fmt: skip
WITHOUT_EFFECT = {"suspend"}
USED = frozenset(("concept:name", "concept:instance", "org:group", "org:resource", "time:timestamp", "lifecycle:transition"))
COLUMNS = ("case_id", "step", "agency", "ready_at", "started_at", "finished_at", "outcome")
INSTANTS = ("ready_at", "started_at", "finished_at")


@dataclass(frozen=True, slots=True)
class EventLog:
    """A log read. events: case_event, a row per occurrence of a step. faults: trace, event, fault, what: events that could not be used.

    ignored: attribute, events: attributes of events that mean nothing here. notes: code, number: what had to be assumed.
    """

    events: pd.DataFrame
    faults: pd.DataFrame
    ignored: pd.DataFrame
    notes: pd.DataFrame


def read_xes(data: bytes, file: str, *, most_bytes: int = MOST_BYTES) -> EventLog:
    """Case events out of XES, plain or gzipped.

    concept:name of the trace is the case, of the event the step; org:group, or else org:resource, the agency (else unknown);
    time:timestamp the moment, brought to UTC, without a zone taken as UTC. lifecycle:transition: schedule, assign, ready, offered, reassign
    make a step ready, start and resume start it, complete, skips, withdraw and aborts finish it; without a transition an event is complete.
    Events of one step in a case belong to one occurrence until it is finished, told apart by concept:instance where there is one.
    A step of which nothing says when it was ready was so when the case's last step before had finished, or, if none had, when it began.
    notes: naive_taken_as_utc, agency_unknown, without_transition, case_unnamed (events, traces), ready_from_previous, ready_from_itself,
    without_effect (occurrences, events).
    Errors: DataError for what is no XML or no XES, has a document type or entities, exceeds `most_bytes`, or has no usable event.
    """
    reading = _Reading(file)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reading.start, reading.end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = reading.refuse_type
    try:
        for chunk in _chunks(data, file, most_bytes):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise DataError(f"{file} is no whole XML: {error}", mend="fetch or export the log again") from None
    return reading.result()


def _chunks(data: bytes, file: str, most: int) -> Iterator[bytes]:
    large = DataError(f"{file} holds more than {most / 2**30:.3g} GiB of XML", mend="split the log by year")
    if data[:2] != b"\x1f\x8b":
        if len(data) > most:
            raise large
        yield from (data[place : place + CHUNK] for place in range(0, len(data), CHUNK))
        return
    unpack, rest, total = zlib.decompressobj(31), data, 0
    try:
        while rest and not unpack.eof:
            chunk = unpack.decompress(rest, CHUNK)
            rest, total = unpack.unconsumed_tail, total + len(chunk)
            if total > most:
                raise large
            yield chunk
    except zlib.error as error:
        raise DataError(f"{file} is no whole gzip file: {error}", mend="fetch the log again") from None
    if not unpack.eof:
        raise DataError(f"{file} is cut off", mend="fetch the log again")


@dataclass(slots=True)
class _Reading:
    """What has been read so far. Attributes count only directly below a trace or an event: those of globals or of attributes do not.

    trace_at, event_at: how deep the open trace or event stands, 0 if none is open.
    """

    file: str
    depth: int = 0
    trace_at: int = 0
    event_at: int = 0
    case: str = ""
    event: dict[str, str] = field(default_factory=dict)
    kept: list[tuple[int, int, dict[str, str], str]] = field(default_factory=list)
    traces: int = 0
    place: int = 0
    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    faults: list[tuple[int, int, str, str]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)

    def refuse_type(self, *_: object) -> None:
        raise DataError(f"{self.file} declares a document type or entities", mend="a log needs none: remove the declaration")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.event_at:  # most elements by far are attributes of events
            if self.depth == self.event_at + 1:
                key = attributes.get("key", tag)
                if key in USED:
                    self.event[key] = attributes.get("value", "").strip()
                else:
                    self.ignored[key] += 1
            return
        tag = tag.rpartition(":")[2]
        if self.depth == 1 and tag != "log":
            raise DataError(f"{self.file} is no XES: it begins with <{tag[:40]}>", mend="give an event log whose first element is <log>")
        if tag == "event":
            self.event, self.event_at, self.place = {}, self.depth, self.place + 1
        elif tag == "trace" and not self.trace_at:
            self.trace_at, self.case, self.kept, self.place = self.depth, "", [], 0
            self.traces += 1
        elif self.trace_at and self.depth == self.trace_at + 1 and attributes.get("key") == "concept:name":
            self.case = attributes.get("value", "").strip()

    def end(self, tag: str) -> None:
        if self.depth == self.event_at:
            self.take()
            self.event_at = 0
        elif self.depth == self.trace_at:
            self.close()
            self.trace_at = self.place = 0
        self.depth -= 1

    def fault(self, code: str, what: str) -> None:
        trace = self.traces if self.trace_at else 0
        self.faults.append((trace, self.place, code, f"{self.file}, trace {trace}, event {self.place}: {what}"))

    def take(self) -> None:
        """An event that has ended: kept with its moment until the trace ends, or a fault."""
        if not self.trace_at:
            return self.fault("outside", "stands outside a trace, so its case is not known")
        event = self.event
        step, stamp = event.get("concept:name"), event.get("time:timestamp")
        if not step:
            return self.fault("no_name", "has no concept:name, so its step is not known")
        if not stamp:
            return self.fault("no_time", f"{step!r} has no time:timestamp")
        try:
            moment = datetime.fromisoformat(stamp)
        except ValueError:
            return self.fault("not_an_instant", f"time:timestamp {stamp!r} is no moment; write it as 2020-03-16T08:30:00Z")
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            return self.fault("out_of_range", f"time:timestamp {stamp!r} lies outside {FIRST_YEAR} to {LAST_YEAR}")
        if moment.tzinfo is None:
            self.notes["naive_taken_as_utc"] += 1
            moment = moment.replace(tzinfo=UTC)
        transition = event.get("lifecycle:transition", "").lower()
        if not transition:
            self.notes["without_transition"] += 1
            transition = "complete"
        elif transition in WITHOUT_EFFECT:
            self.notes["without_effect"] += 1
            return None
        elif transition not in FINISHED and transition not in READY and transition not in STARTED:
            return self.fault("unknown_transition", f"lifecycle:transition {transition!r} is not known")
        self.kept.append(((moment - EPOCH) // MICROSECOND, self.place, event, transition))
        return None

    def close(self) -> None:
        """A trace that has ended: its events, by moment, become occurrences of steps."""
        case = self.case or f"trace-{self.traces}"
        self.notes["case_unnamed"] += not self.case
        self.kept.sort(key=lambda one: one[:2])
        under_way: dict[tuple[str, str], list[dict[str, Any]]] = {}
        occurrences: list[dict[str, Any]] = []
        last: int | None = None  # when the case's last step finished
        for moment, _, event, transition in self.kept:
            step = event["concept:name"]
            mine = under_way.setdefault((step, event.get("concept:instance", "")), [])
            if transition in FINISHED:
                # the one that was begun first, before those that only wait
                one = next((one for one in mine if one["started_at"] is not None), mine[0] if mine else None)
            elif transition == "resume" and mine and all(one["started_at"] is not None for one in mine):
                continue
            elif transition in STARTED:
                one = next((one for one in mine if one["started_at"] is None), None)
            else:
                one = next((one for one in mine if one["started_at"] is None), None) if transition != "schedule" else None
            if one is None:
                one = {"step": step, "agency": None, "ready_at": None, "started_at": None, "finished_at": None, "outcome": None}
                occurrences.append(one)
                mine.append(one)
                if transition not in READY:
                    self.notes["ready_from_itself" if last is None else "ready_from_previous"] += 1
                one["ready_at"] = moment if transition in READY or last is None else last
            one["agency"] = one["agency"] or event.get("org:group") or event.get("org:resource")
            if transition in STARTED:
                one["started_at"] = moment
            elif transition in FINISHED:
                one["finished_at"], one["outcome"], last = moment, FINISHED[transition], moment
                mine.remove(one)
        for one in occurrences:
            if not one["agency"]:
                self.notes["agency_unknown"] += 1
                one["agency"] = UNKNOWN
            self.columns["case_id"].append(case)
            for name in COLUMNS[1:]:
                self.columns[name].append(one[name])

    def result(self) -> EventLog:
        faults = pd.DataFrame(self.faults, columns=["trace", "event", "fault", "what"])
        if not self.columns["case_id"]:
            first = f": {self.faults[0][3]}" if self.faults else ", which has no traces with events"
            raise DataError(f"no event of {self.file} can be used{first}", mend="export a log with concept:name and time:timestamp")
        events = pd.DataFrame({name: self.columns[name] for name in COLUMNS if name not in INSTANTS})
        for name in INSTANTS:
            events[name] = _moments(self.columns[name])
        ignored = pd.DataFrame(sorted(self.ignored.items()), columns=["attribute", "events"])
        notes = pd.DataFrame(sorted((+self.notes).items()), columns=["code", "number"])
        return EventLog(events[list(COLUMNS)], faults, ignored, notes)


def _moments(ticks: list[int | None]) -> pd.Series:
    empty = np.iinfo(np.int64).min  # how numpy writes "no moment"
    return pd.Series(np.array([empty if one is None else one for one in ticks], np.int64).view("datetime64[us]")).dt.tz_localize("UTC")
