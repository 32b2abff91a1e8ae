"""Stranded: who is present, may not stay much longer, and has no open way home; and own citizens abroad whose way back is closed.

Which ways are closed on a day the register says (`measures.closed_ways`, `closed_return`); here that table meets the crossings.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import ibis
import pandas as pd
from ibis import _

from qonys.border.disclosure import CELL_KEY, cell_key
from qonys.border.noise import KEYS
from qonys.border.presence import PRESUMED_AFTER_DAYS, after, carrying, spells
from qonys.border.stays import OVER_PRESUMED_AFTER, permissions
from qonys.core import areas
from qonys.core.contracts import STRANDED_GROUP
from qonys.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from qonys.border.visa_free import VisaFree

FIGURES = ("persons", "expired", "expiring", "doubtful")


def stranded(
    crossings: ibis.Table, ways: ibis.Table, *, on: date, country: str, within_days: int = 0, end: date | None = None,
    visa_free: Sequence[VisaFree] | None = None, presumed_after: int = PRESUMED_AFTER_DAYS, over_presumed_after: int = OVER_PRESUMED_AFTER,
    offset_hours: int = 0,
) -> ibis.Table:  # fmt: skip
    """Foreigners present at the end of the day `on` whose permission has expired, or does by `on` + within_days, and whose way home is
    closed -> the contract `stranded_group`: a row a border point of entry, citizenship, permit status (`expired`, `expiring`) and doubt
    that they are present; and cell_key, for `disclosure.protect`.

    crossings: the contract; ways: the closed ways home on that day, a row a citizenship: citizenship, closed_at (`exit`: leaving here,
    `entry`: entering there, `both`), measure_ids. Permissions as in `permissions`. Persons without a citizenship, or whose last permitted
    day is not known, are not among them. Errors: as in `permissions`.
    """
    people = permissions(
        crossings, on=on, country=country, end=end, within_days=within_days, visa_free=visa_free, presumed_after=presumed_after,
        over_presumed_after=over_presumed_after, offset_hours=offset_hours,
    )  # fmt: skip
    due = people.filter(_.permit_status.isin(["expired", "expiring"])).mutate(doubtful=_.doubt.notnull())
    return _groups(due, ways)


def citizens_abroad(
    crossings: ibis.Table, ways: ibis.Table, *, on: date, country: str, left_within_days: int = 180, offset_hours: int = 0
) -> ibis.Table:
    """Own citizens whose last crossing by the day `on` was an exit in the `left_within_days` days to it, if the way back is closed
    -> the contract `stranded_group`: a row a border point of exit, permit status `own_citizen`, all in doubt; and cell_key.

    ways: the closed ways of that day, of which that of the citizens of `country` counts. Where they are, and whether they wish to return,
    no record of this border shows; so the way should be closed from everywhere, and those who left longer ago are taken to live abroad.
    The number is an upper bound of those stranded.

    Errors: DataError for a code that is no area, or days below zero.
    """
    areas.area(country)
    if left_within_days < 0:
        raise DataError(f"nobody left within {left_within_days} days", mend="give zero or more")
    last = spells(crossings, end=on, offset_hours=offset_hours).group_by("person_id").agg(
        inside=ibis.ifelse(_.closed == "open", 1, 0).max(), gone=_.left.max()
    )  # fmt: skip
    gone = last.filter(_.inside == 0, _.gone >= after(on - timedelta(days=left_within_days + 1), offset_hours)).rename(who="person_id")
    about = carrying(crossings)
    joined = about.join(gone, [about.person_id == gone.who, about["at"] == gone.gone]).filter(
        _.direction == "exit", _.citizenship == country
    )
    persons = joined.group_by("person_id").agg(citizenship=_.citizenship.min(), border_point=_.border_point.min()).mutate(
        doubtful=ibis.literal(True), permission_ends=ibis.null("date"), permit_status=ibis.literal("own_citizen")
    )  # fmt: skip
    return _groups(persons, ways)


def sums_by_citizenship(groups: pd.DataFrame) -> pd.DataFrame:
    """Groups summed -> a row a citizenship and figure (see `FIGURES`), and all citizenships together (""): citizenship, figure, persons,
    and the cell keys of the groups if they have them, so that the sums can be protected as cells of their own.
    """
    by_status = {name: groups[groups["permit_status"] == name] for name in ("expired", "expiring")}
    wanted = {"persons": groups, **by_status, "doubtful": groups[groups["doubtful"].astype(bool)]}
    whole = pd.concat([part.assign(figure=name) for name, part in wanted.items()])
    both = pd.concat([whole, whole.assign(citizenship="")])
    counted = [name for name in ("persons", CELL_KEY) if name in groups.columns]
    sums = both.groupby(["citizenship", "figure"], as_index=False)[counted].sum()
    return sums.assign(**{CELL_KEY: sums[CELL_KEY] % KEYS}) if CELL_KEY in counted else sums


def _groups(people: ibis.Table, ways: ibis.Table) -> ibis.Table:
    """people: person_id, citizenship, border_point, permit_status, doubtful, permission_ends -> the contract `stranded_group`, cell_key."""
    counted = people.group_by("citizenship", "border_point", "permit_status", "doubtful").agg(
        persons=_.count(), permission_ends=_.permission_ends.min(), cell_key=cell_key(people.person_id)
    )
    name = [counted.citizenship, counted.border_point.fill_null(""), counted.permit_status]
    name.append(ibis.ifelse(counted.doubtful, "doubtful", "recorded"))
    named = counted.mutate(group_id=ibis.literal(".").join(name), place=_.border_point)
    return named.join(ways, "citizenship").select(*STRANDED_GROUP.names, "cell_key")
