"""Who is in the country: presence spells of each person, and the persons present at the end of a day.

A state lasts until a record says otherwise. What the records do not show (an exit missed, an entry missed, the order of two crossings in
one instant) is settled by the rules below and marked, so that nobody is dropped and nobody is accused on a guess:

- In one instant, more entries than exits: inside afterwards; more exits: outside; as many: as before. A repeated record changes nothing.
- Before the first record: inside if that takes the person out, else outside.
- An entry after an entry: the exit between was missed. The earlier spell lasts to the later entry (`missed_exit`).
- An exit after an exit: the entry between was missed. The spell is that one instant (`missed_entry`).

The work is one sum by person and instant and one window in the order of time; nothing is carried along but instants and counts.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
from ibis import _

from qonys.border.residence import EARLIEST
from qonys.core.contracts import CROSSING
from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

PRESUMED_AFTER_DAYS = 365  # after so long without a record, that a person is still here is a presumption
OPENED = ("seen", "missed_entry", "before_data")
CLOSED = ("seen", "missed_exit", "open")
# why it is in doubt that a person is present, the gravest first
DOUBTS = ("before_data", "missed_exit", "presumed", "same_instant")
CARRIED = ("citizenship", "birth_year", "sex", "purpose", "permit", "permitted_until", "border_point")
_TYPES = {"birth_year": "int64", "permitted_until": "date"}


def spells(crossings: ibis.Table, *, end: date, offset_hours: int = 0) -> ibis.Table:
    """The spells of presence of each person, by the rules above.

    crossings: the contract, in any order -> person_id, entered (instant of the entry; null: not seen), left (instant of the exit, or of the
    entry that shows that one was missed; null: none by `end`), opened (see `OPENED`), closed (`CLOSED`), same_instant (the order of records
    in one instant is a presumption), first_day and last_day (in the country on both and between; null first day: since before the data;
    last day of an open spell: `end`), records (how many crossings it was made of; each belongs to one spell).

    end: the last day the data cover; later records are left out, as are those before 1990. offset_hours: how far the day of the border runs
    ahead of UTC. Errors: DataError for a table without person_id, at or direction.
    """
    start, stop = _midnight(EARLIEST, offset_hours), after(end, offset_hours)
    sound = _needed(crossings).filter(_.at >= start, _.at < stop)
    instants = sound.group_by("person_id", "at").agg(
        entries=_.count(where=_.direction == "entry"), exits=_.count(where=_.direction == "exit")
    )  # fmt: skip
    order = ibis.window(group_by="person_id", order_by="at")
    earlier = ibis.window(group_by="person_id", order_by="at", rows=(None, -1))
    walked = instants.mutate(
        came=_.at.max(where=_.entries > _.exits).over(earlier), went=_.at.max(where=_.exits > _.entries).over(earlier),
        first=_.at.lag().over(order).isnull(), next_at=_.at.lead().over(order),
        next_entries=_.entries.lead().over(order).fill_null(0), next_exits=_.exits.lead().over(order).fill_null(0),
    )  # fmt: skip
    walked = walked.mutate(
        inside=ibis.cases((_.came.isnull(), _.first & (_.exits > _.entries)), (_.went.isnull(), True), else_=_.came > _.went)
    )
    walked = walked.mutate(
        stays=ibis.ifelse(_.entries == _.exits, _.inside, _.entries > _.exits),
        # an instant holds a spell of its own if an exit comes to somebody outside, or ends what began before the data
        alone=ibis.ifelse(_.inside, _.first, _.exits > 0),
        both=(_.entries > 0) & (_.exits > 0),
    )
    none, own, later, two = (ibis.literal(part, "array<int8>") for part in ([], [0], [1], [0, 1]))
    parts = ibis.cases((walked.alone & walked.stays, two), (walked.stays, later), (walked.alone, own), else_=none)
    return _described(walked.mutate(part=parts).mutate(part=_.part.unnest()), end, offset_hours)


def _described(parts: ibis.Table, end: date, offset_hours: int) -> ibis.Table:
    """part 0: the spell that ends in the instant; part 1: the one that begins in it."""
    begins = parts.part == 1
    day, next_day = (_day(instant, offset_hours) for instant in (parts["at"], parts.next_at))
    of_next = ibis.ifelse(parts.next_entries >= parts.next_exits, parts.next_exits, parts.next_entries + parts.next_exits)
    of_own = ibis.ifelse(parts.stays, 1 + parts.exits, parts.entries + parts.exits)
    taken = ibis.cases((parts.inside, 0), (parts.alone, 1), else_=0)
    return parts.select(
        "person_id",
        entered=ibis.ifelse(begins | (~parts.inside & (parts.entries > 0)), parts["at"], ibis.null(parts["at"].type())),
        left=ibis.ifelse(begins, parts.next_at, parts["at"]),
        opened=ibis.cases((begins, "seen"), (parts.inside, "before_data"), (parts.entries > 0, "seen"), else_="missed_entry"),
        closed=ibis.cases((~begins, "seen"), (parts.next_at.isnull(), "open"), (parts.next_exits > 0, "seen"), else_="missed_exit"),
        same_instant=parts.both | (begins & (parts.next_entries > 0) & (parts.next_exits > 0)),
        first_day=ibis.ifelse(~begins & parts.inside, ibis.null("date"), day),
        last_day=ibis.ifelse(begins, next_day.fill_null(ibis.literal(end)), day),
        records=ibis.ifelse(begins, parts.entries - taken + of_next, of_own),
    )


def present(
    crossings: ibis.Table, *, on: date, end: date | None = None, presumed_after: int = PRESUMED_AFTER_DAYS, offset_hours: int = 0,
    found: ibis.Table | None = None,
) -> ibis.Table:  # fmt: skip
    """The persons in the country at the end of the day `on` -> person_id, since (instant of the entry; null: not seen), days_since_entry
    (0 on the day of entry), seen_after (a later record tells of them), doubt (see `DOUBTS`; null: none), and of the entry, or where it was
    not seen of the exit that followed: citizenship, birth_year, sex, purpose, permit, permitted_until, border_point. Of repeated records
    the smallest of each is kept.

    end: the last day the data cover, by default `on`; what was recorded after `on` settles doubt and changes nobody's presence.
    doubt: `before_data`: the first record is a later exit; `missed_exit`: the next record is another entry, so an exit was missed at some
    time between; `presumed`: no record since, and the entry lies more than `presumed_after` days back; `same_instant`: an entry and an exit
    in one instant. found: the spells to `end`, if they are already at hand. Errors: DataError for an `end` before `on`.
    """
    last = end or on
    if last < on:
        raise DataError(f"the data end on {last}, before {on}", mend="ask for a day that the data cover")
    stop = after(on, offset_hours)
    every = spells(crossings, end=last, offset_hours=offset_hours) if found is None else found
    there = every.filter((_.entered < stop) | (_.opened == "before_data"), _.left.isnull() | (_.left >= stop))
    age = ibis.literal(on).delta(there.first_day, unit="day").cast("int64")
    there = there.select(
        "person_id", "entered", record=ibis.ifelse(there.entered.isnull(), there.left, there.entered),
        shown=ibis.ifelse(there.entered.isnull(), "exit", "entry"), days_since_entry=age, seen_after=there.closed != "open",
        doubt=ibis.cases(
            (there.opened == "before_data", "before_data"), (there.closed == "missed_exit", "missed_exit"),
            ((there.closed == "open") & (age > presumed_after), "presumed"), (there.same_instant, "same_instant"),
        ),
    )  # fmt: skip
    about = carrying(crossings).rename(who="person_id")
    known = there.join(about, [there.person_id == about.who, there.record == about["at"], there.shown == about.direction])
    return known.group_by("person_id").agg(
        since=_.entered.min(),
        days_since_entry=_.days_since_entry.min(),
        seen_after=_.seen_after.max(),
        doubt=_.doubt.min(),
        **{name: known[name].min() for name in CARRIED},
    )


def after(day: date, offset_hours: int = 0) -> ibis.Value:
    """The first instant after a day of the border."""
    return _midnight(day + timedelta(days=1), offset_hours)


def carrying(crossings: ibis.Table) -> ibis.Table:
    """person_id, at, direction and every column of `CARRIED`, empty where the table lacks it."""
    table, kinds = _needed(crossings), {name: _TYPES.get(name, "string") for name in CARRIED}
    return table.select(
        "person_id", "at", "direction",
        **{name: table[name].cast(kind) if name in table.columns else ibis.null(kind) for name, kind in kinds.items()},
    )  # fmt: skip


def classed(days: ibis.Value, bounds: Sequence[int]) -> ibis.Value:
    """The class of a number of days, as "30-89" or "365+": classes begin at the `bounds`, which rise. Errors: DataError if they do not."""
    if not bounds or list(bounds) != sorted(set(bounds)) or bounds[0] != 0:
        raise DataError(f"the classes begin at {', '.join(map(str, bounds)) or 'nothing'}", mend="give rising numbers of days, the first 0")
    names = [f"{low}-{high - 1}" for low, high in pairwise(bounds)]
    below = [(days < high, name) for high, name in zip(bounds[1:], names, strict=True)]
    return ibis.cases((days.isnull(), ibis.null("string")), *below, else_=f"{bounds[-1]}+")


def _midnight(day: date, offset_hours: int) -> ibis.Value:
    moment = datetime.combine(day, time(), tzinfo=UTC) - timedelta(hours=offset_hours)
    return ibis.literal(moment.replace(tzinfo=None), "timestamp")


def _day(instant: ibis.Value, offset_hours: int) -> ibis.Value:
    return (instant + ibis.interval(hours=offset_hours) if offset_hours else instant).date()


def _needed(crossings: ibis.Table) -> ibis.Table:
    if absent := [name for name in CROSSING.required if name not in crossings.columns]:
        raise DataError(f"the crossings have no column {', '.join(map(repr, absent))}", mend="see: qonys contract show crossing")
    kind = crossings["at"].type()
    if not kind.is_timestamp():
        raise DataError(f"the column at holds {kind}, not instants", mend="write the moment in UTC as 2020-03-16T08:30:00")
    return crossings if kind == dt.Timestamp(scale=6) else crossings.mutate(at=crossings["at"].cast("timestamp(6)"))
