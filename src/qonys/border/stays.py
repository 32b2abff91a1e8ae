"""Stays: who is present by citizenship, permit and purpose, for how long, and whose permission has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
from ibis import _

from qonys.border.disclosure import cell_key
from qonys.border.presence import PRESUMED_AFTER_DAYS, after, classed, present, spells
from qonys.border.visa_free import FOREVER, VisaFree, rules_table, visa_free_rules, window_ends
from qonys.core import areas
from qonys.core.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

STAY_CLASSES = (0, 7, 30, 90, 180, 365)  # days since entry; the 30th day of a stay is 29 days after the entry
OVER_PRESUMED_AFTER = 90  # so long after the end of a permission without a record, a missed exit is likelier than an overstay
PERMIT_STATUSES = ("own_citizen", "valid", "expiring", "expired", "unknown")
BASES = ("permit", "visa_free_stay", "visa_free_window")
BY = ("citizenship", "permit", "purpose", "stay_class", "permit_status")
COLUMNS = (*BY, "over_class", "basis", "doubt", "border_point", "sex")
WITHOUT_VISA = "visa_free"  # the permit of those who have none and need none


def permissions(
    crossings: ibis.Table, *, on: date, country: str, end: date | None = None, within_days: int = 0,
    visa_free: Sequence[VisaFree] | None = None, presumed_after: int = PRESUMED_AFTER_DAYS, over_presumed_after: int = OVER_PRESUMED_AFTER,
    offset_hours: int = 0,
) -> ibis.Table:  # fmt: skip
    """Each person present at the end of the day `on`, with the last day of the permitted stay -> the columns of `present`, permission_ends,
    basis (what ends it: see `BASES`), permit_status (see `PERMIT_STATUSES`), days_over (since the permission ended; null: it has not).

    The last day is `permitted_until`. Where it is not given, and no permit is held (or it is called visa_free), it is that of the visa-free
    rule for the citizenship and the day of entry: the earlier of the last day of the stay (day of entry + days_per_stay - 1) and the last
    on which the days within the window are not exceeded. A permit without an end, a citizenship without a rule, an entry that was not
    seen: `unknown`, and not an overstay. `expired`: it ended before `on`; `expiring`: it ends by `on` + within_days. That somebody is still
    here more than `over_presumed_after` days after the end, with no record since, is `presumed` too.

    country: the state whose border the records are of; its citizens need no permission. visa_free: by default the rules that ship, of which
    Kazakhstan's has no list of citizenships. Errors: DataError for a code that is no area, or days below zero.
    """
    areas.area(country)
    if within_days < 0:
        raise DataError(f"a permission cannot expire within {within_days} days", mend="give zero or more")
    found = spells(crossings, end=end or on, offset_hours=offset_hours)
    here = present(crossings, on=on, end=end, presumed_after=presumed_after, offset_hours=offset_hours, found=found)
    ends = _visa_free_ends(here, found, visa_free_rules() if visa_free is None else visa_free, country, after(on, offset_hours), on)
    ends = ends.mutate(
        permission_ends=_.permitted_until.fill_null(ibis.ifelse(_.stay_ends <= _.window_ends, _.stay_ends, _.window_ends).nullif(FOREVER)),
        basis=ibis.cases(
            (_.permitted_until.notnull(), "permit"), (_.stay_ends <= _.window_ends, "visa_free_stay"), else_="visa_free_window"
        ),
    )  # fmt: skip
    own = (ends.citizenship == country).fill_null(False)
    due = (ends.permission_ends - ibis.interval(days=within_days)).cast("date")
    status = ibis.cases(
        (own, "own_citizen"), (ends.permission_ends.isnull(), "unknown"), (ends.permission_ends < on, "expired"),
        (due <= on, "expiring"), else_="valid",
    )  # fmt: skip
    free = own | ends.permission_ends.isnull()
    over = ibis.ifelse(status == "expired", ibis.literal(on).delta(ends.permission_ends, unit="day").cast("int64"), ibis.null("int64"))
    presumed = (over > over_presumed_after) & ~ends.seen_after & (ends.doubt.isnull() | (ends.doubt == "same_instant"))
    return ends.mutate(
        permission_ends=ibis.ifelse(own, ibis.null("date"), ends.permission_ends),
        basis=ibis.ifelse(free, ibis.null("string"), ends.basis), permit_status=status, days_over=over,
        doubt=ibis.ifelse(presumed.fill_null(False), "presumed", ends.doubt),
    ).drop("stay_ends", "window_ends")  # fmt: skip


def _visa_free_ends(here: ibis.Table, found: ibis.Table, rules: Sequence[VisaFree], country: str, stop: ibis.Value, on: date) -> ibis.Table:
    """here with stay_ends and window_ends, for ever where no rule sets them."""
    forever = ibis.literal(FOREVER)
    table = rules_table(rules, country)
    if table is None:
        return here.mutate(stay_ends=forever, window_ends=forever)
    entered = (ibis.literal(on) - here.days_since_entry.as_interval("D")).cast("date")
    free = here.mutate(
        entered=entered,
        claims=ibis.ifelse(
            here.permitted_until.isnull() & (here.permit.isnull() | (here.permit == WITHOUT_VISA)) & here.since.notnull(),
            here.citizenship,
            ibis.null("string"),
        ),
    )
    ruled = free.left_join(table, [free.claims == table.of, free.entered >= table.valid_from, free.entered <= table.valid_until])
    stay = (ruled.entered + (ruled.per_stay - 1).as_interval("D")).cast("date")
    ruled = ruled.mutate(stay_ends=ibis.ifelse(ruled.per_stay > 0, stay, forever).fill_null(forever))
    if not any(rule.window_days for rule in rules):
        return ruled.mutate(window_ends=forever).select(*here.columns, "stay_ends", "window_ends")
    people = ruled.filter(_.window > 0)
    seen = found.filter(_.entered.fill_null(_.left) < stop)
    bound = window_ends(seen, people).rename(who="person_id", until="window_ends")
    joined = ruled.left_join(bound, [ruled.person_id == bound.who])
    return joined.mutate(window_ends=joined.until.fill_null(forever)).select(*here.columns, "stay_ends", "window_ends")


def stays(
    crossings: ibis.Table, *, on: date, country: str, end: date | None = None, by: Sequence[str] = BY,
    visa_free: Sequence[VisaFree] | None = None, classes: Sequence[int] = STAY_CLASSES, presumed_after: int = PRESUMED_AFTER_DAYS,
    over_presumed_after: int = OVER_PRESUMED_AFTER, offset_hours: int = 0,
) -> ibis.Table:  # fmt: skip
    """Persons present at the end of the day `on`, counted by the columns `by` -> these, persons, cell_key (for `disclosure.protect`).

    by: some of citizenship, permit, purpose, stay_class (days since entry, as "30-89"; null: the entry was not seen), permit_status,
    over_class (days since the permission ended, in the same classes), basis, doubt, border_point, sex. Overstays are the persons with the
    permit status `expired`; by `doubt`, those of whom it is in doubt that they are here stand apart: an exit that nobody recorded looks
    like an overstay without end. The rows counted are those of `permissions`; see there for the parameters.

    Errors: as there, and DataError for a column that is none of these, or classes that do not rise from 0.
    """
    for name in by:
        if name not in COLUMNS:
            raise DataError(f"persons present cannot be counted by {name!r}", mend=nearest(name, COLUMNS))
    people = permissions(
        crossings, on=on, country=country, end=end, visa_free=visa_free, presumed_after=presumed_after,
        over_presumed_after=over_presumed_after, offset_hours=offset_hours,
    )  # fmt: skip
    people = people.mutate(stay_class=classed(people.days_since_entry, classes), over_class=classed(people.days_over, classes))
    return people.group_by(list(by)).agg(persons=_.count(), cell_key=cell_key(people.person_id))
