"""Which ways home are closed on a day: to which states of citizenship people cannot go from a country, and whether its own cannot return.

A way is closed if a tightening measure in force on the day reaches the corridor with a dose that closes (see `reach`). Rules on paper:
flights that do not fly, what a journey costs, a charter that was let through are not in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
from ibis import _

from qonys.core import areas
from qonys.core.errors import DataError
from qonys.measures.reach import people, reach

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from qonys.measures.history import Reading

CLOSED_DOSE = 87.5  # strength 4, entry or exit closed for all or nearly all; half a step less where it is not general
LEAVING = "visitor"  # leaving is asked for the category that no exception of a whole category lets off


def closed_ways(
    measures: ibis.Table, *, country: str, on: date, reading: Reading = "certain", dose: float = CLOSED_DOSE,
    categories: Sequence[str] = ("citizen",),
) -> ibis.Table:  # fmt: skip
    """The states of citizenship to which the way home from `country` is closed on a day -> citizenship, closed_at (`exit`: leaving here,
    `entry`: entering there, `both`), measure_ids (sorted; of a union's measure the national act too).

    measures: the contract with bounds. A measure closes if it tightens, is in force on the day under the reading, and reaches the corridor
    with at least that dose (87.5: strength 4; 62.5 takes in bans on named states and groups). Entry is looked at for `categories`:
    `citizen`, citizens of the state who return. Trackers that record only what holds for foreigners say nothing of them; with `visitor`
    added such a closure counts too, which is an upper bound. Leaving is looked at for everybody alike.

    Errors: DataError for a code that is no area or no category, or a dose outside 0 to 100.
    """
    classes = people([country], _others(country), sorted({*categories, LEAVING})).mutate(citizenship=_.destination)
    counts = (_.side == "exit") & (_.category == LEAVING) | (_.side == "entry") & _.category.isin(list(categories))
    return _by_citizenship(_closing(measures, classes, on, reading, dose).filter(counts))


def closed_return(measures: ibis.Table, *, country: str, on: date, reading: Reading = "certain", dose: float = CLOSED_DOSE) -> ibis.Table:
    """The way back into `country` of its own citizens, if it is closed on a day wherever they are -> as `closed_ways`: one row or none.

    It is closed if from every other country at least one measure closes it; closures of departure there are not looked at. Parameters and
    errors as for `closed_ways`.
    """
    origins = _others(country)
    found = _closing(measures, people(origins, [country], ["citizen"]), on, reading, dose).filter(_.side == "entry")
    everywhere = found.group_by("citizenship").agg(places=_.origin.nunique()).filter(_.places == len(origins))
    return _by_citizenship(found.semi_join(everywhere, "citizenship"))


def _others(country: str) -> list[str]:
    return [one.code for one in areas.areas(scheme="iso3166-1", kind="country") if one.code != country]


def _closing(measures: ibis.Table, classes: ibis.Table, on: date, reading: Reading, dose: float) -> ibis.Table:
    if not 0 <= dose <= 100:
        raise DataError(f"a way cannot be closed from a dose of {dose:g}", mend="give a dose from 0 to 100; 87.5 is strength 4")
    reached = reach(measures, classes, reading=reading, unreached=False)
    return reached.filter(_.direction == "tightening", _.begun <= on, _.over >= on, _.dose >= dose)


def _by_citizenship(found: ibis.Table) -> ibis.Table:
    ids = ibis.union(
        found.select("citizenship", "side", "id"), found.filter(_.via.notnull()).select("citizenship", "side", id=_.via)
    )  # fmt: skip
    closed = ids.group_by("citizenship").agg(first=_.side.min(), last=_.side.max(), measure_ids=_.id.collect(distinct=True).sort())
    return closed.select(
        "citizenship", closed_at=ibis.ifelse(closed["first"] == closed["last"], closed["first"], "both"), measure_ids=closed.measure_ids
    )
