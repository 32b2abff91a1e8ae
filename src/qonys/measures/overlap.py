"""Whom, where and when: what two measures have in common. The ground on which `conflicts` and `duplicates` stand.

Two entries meet if they act in the same place, on some of the same days, on some of the same people. Place is the issuer, a region with its
country, or a union with those who are its members on that day; entries that name different things to act on (`area`), other borders or
other ways of travel do not meet. People are groups of the codebook (`category.*`: everybody of it, or some) and citizenships. A group that
a measure lets off (`exceptions`) is not reached by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pandas as pd
from ibis import _

from qonys.core import areas
from qonys.measures.codebook import adopted_statuses, codebook
from qonys.measures.history import FOREVER, Reading, spans
from qonys.measures.reach import EVER
from qonys.measures.reach import _memberships as memberships

if TYPE_CHECKING:
    from collections.abc import Iterable

VAGUE = ("UNKNOWN", "OTHER", "REST")  # limited to some, and it is not said to whom
OWN = ("citizen", "internal")  # the categories that hold the issuer's own citizens
SIDES = ("id", "row", "title", "issuer", "level", "field", "instrument", "direction", "agency", "area")
_CARRIED = (*SIDES, "general", "targets", "exceptions", "supersedes", "transposed_by", "borders_with", "modes", "begun", "over", "dated")


def meetings(measures: ibis.Table, *, reading: Reading, undated: bool = False) -> ibis.Table:
    """Every two adopted entries that meet, once in each order: columns of the one end in `_1`, those of the other in `_2`.

    measures: the entries that stand, with bounds (`history.current`, `history.with_bounds`). Under the certain reading citizenships that
    are not known are not shared, and an entry of which neither the first day nor an end is known has no day. `undated` lets entries without
    a known start meet others on any day up to their end.
    -> `_1` and `_2` of id, row, title, issuer, level, field, instrument, direction, agency, area; targets, groups: the codes shared
    (sorted); dated: both starts are known; first, last: days of the overlap, null if not known or open; days: their count, null likewise;
    within_1, within_2: the people of that one are all among those of the other.
    A day on which one ends and the other begins is no overlap; nor do entries meet that `supersedes` or `transposed_by` links.
    """
    acting = _with_countries(_acting(measures, reading, undated))
    one, other = acting.rename("{name}_1"), acting.view().rename("{name}_2")
    near = one.join(_places(), [("issuer_1", "place_1")]).join(other, [("place_2", "issuer_2")]).filter(_.id_1 != _.id_2)
    near = near.mutate(first=ibis.greatest(_.begun_1, _.begun_2, _.since), last=ibis.least(_.over_1, _.over_2, _.until))
    handed_over = ((_.begun_1 < _.begun_2) & (_.begun_2 == _.over_1)) | ((_.begun_2 < _.begun_1) & (_.begun_1 == _.over_2))
    linked = [
        _holds(near[f"{link}_{one}"], near[f"id_{other}"]) for link in ("supersedes", "transposed_by") for one, other in ((1, 2), (2, 1))
    ]
    met = near.filter(
        _.first <= _.last, ~handed_over, ~ibis.or_(*linked), _same_or_any(_.area_1, _.area_2),
        _share_or_any(_.borders_with_1, _.borders_with_2), _share_or_any(_.modes_1, _.modes_2),
    ).mutate(common=_.countries_1.intersect(_.countries_2).length())  # fmt: skip
    unsure = reading == "possible"
    met = met.filter((_.common > 0) | (ibis.literal(unsure) & (_.vague_1 | _.vague_2)))
    full = met.join(_shared_groups(acting, met), ["id_1", "id_2"])
    all_in_2 = (_.covered_1 == _.groups_1) & (_.common == _.countries_1.length()) & ~_.vague_1 & (_.general_2 | ~_.general_1)
    all_in_1 = (_.covered_2 == _.groups_2) & (_.common == _.countries_2.length()) & ~_.vague_2 & (_.general_1 | ~_.general_2)
    full = full.mutate(dated=_.dated_1 & _.dated_2, closed=_.dated_1 & _.dated_2 & (_.last < FOREVER))
    no_day = ibis.null("date")
    return full.select(
        *(f"{name}_{side}" for name in SIDES for side in (1, 2)), "groups", "dated", targets=_.targets_1.intersect(_.targets_2).sort(),
        first=ibis.ifelse(_.dated, _.first, no_day), last=ibis.ifelse(_.closed, _.last, no_day),
        days=ibis.ifelse(_.closed, _.last.delta(_.first, unit="day") + 1, ibis.null("int64")), within_1=all_in_2, within_2=all_in_1,
    )  # fmt: skip


def codes(given: Iterable[str]) -> ibis.Value:
    """A constant list of codes, to be held against a column of lists."""
    return ibis.literal(sorted(given), "array<string>")


def share(one: ibis.Value, other: ibis.Value) -> ibis.Value:
    """Two lists have a code in common; a list that is null has none."""
    return (one.intersect(other).length() > 0).fill_null(False)


def same(one: ibis.Value, other: ibis.Value) -> ibis.Value:
    """Both are known and the same."""
    return (one == other).fill_null(False)


def _holds(listed: ibis.Value, code: ibis.Value) -> ibis.Value:
    return listed.contains(code).fill_null(False)


def _share_or_any(one: ibis.Value, other: ibis.Value) -> ibis.Value:
    """Two lists share a code, or one of them is empty, which stands for all."""
    return (one.length().fill_null(0) == 0) | (other.length().fill_null(0) == 0) | share(one, other)


def _same_or_any(one: ibis.Value, other: ibis.Value) -> ibis.Value:
    return one.isnull() | other.isnull() | (one == other) | (one == "general") | (other == "general")


def _acting(measures: ibis.Table, reading: Reading, undated: bool) -> ibis.Table:
    """Entries in force on some day, from `begun` to `over`."""
    known = spans(measures, reading=reading).filter(_.begun <= _.over).mutate(dated=True)
    if reading == "certain":  # open-ended from "2020" on: no day is certain
        known = known.filter(_.end_earliest.notnull() | (_.start_earliest == _.start_latest))
    force = known.select(*_CARRIED, "target_citizenship", "exception_citizenship")
    if not undated:
        return force
    lost = measures.filter(_.status.isin(adopted_statuses()), _.start_earliest.isnull())
    lost = lost.mutate(begun=ibis.literal(EVER), over=_.end_latest.fill_null(FOREVER).cast("date"), dated=False)
    return ibis.union(force, lost.select(*force.columns))


def _with_countries(force: ibis.Table) -> ibis.Table:
    """Add `countries`, the citizenships reached as far as known, and `vague`, whether some are not known. Groups of foreigners hold no own
    citizens; a union named in a list stands for those who belong to it on some day on which the measure was in force."""
    limited = (force.target_citizenship.length() > 0).fill_null(False) & ~_holds(force.target_citizenship, ibis.literal("WORLD"))
    own = share(force.targets, codes(_own_targets())) & ~_holds(force.exceptions, ibis.literal("citizen"))
    aimed = _countries(force.mutate(named=ibis.ifelse(limited, force.target_citizenship, codes(["WORLD", "STATELESS"])), own=own | limited))
    freed = _countries(force.mutate(named=force.exception_citizenship, own=True))
    reached = aimed.filter(_.own | (_.country != _.issuer)).anti_join(freed, ["id", "country"])
    listed = reached.group_by("id").agg(countries=_.country.collect(distinct=True))
    joined = force.left_join(listed, "id").drop("id_right", "exception_citizenship")
    vague = share(joined.target_citizenship, codes(VAGUE))
    return joined.mutate(countries=joined.countries.fill_null(codes([])), vague=vague).drop("target_citizenship")


def _countries(force: ibis.Table) -> ibis.Table:
    named = force.select("id", "issuer", "own", "begun", "over", code=_.named.unnest()).filter(_.code.notin(VAGUE))
    spells = memberships()
    found = named.join(spells, [named.code == spells.code, named.begun < spells.until, named.over >= spells.since])
    return found.select("id", "issuer", "own", country=_.area)


def _shared_groups(acting: ibis.Table, met: ibis.Table) -> ibis.Table:
    """-> id_1, id_2, groups (shared, sorted), groups_1, groups_2 (how many each reaches), covered_1, covered_2 (of these, how many the
    other reaches whole)."""
    only_own = (acting.countries.length() == 1) & _holds(acting.countries, acting.issuer)
    aimed = acting.select("id", "exceptions", only_own=only_own, target=_.targets.unnest()).join(_groups(), "target")
    aimed = aimed.filter(~share(_.exceptions, _.freed_by), ~_.only_own | _.own | ~_.has_own)
    alone = aimed.only_own & ~aimed.has_own  # own citizens whom no group of the codebook holds stand for themselves
    aimed = aimed.select("id", "target", group=ibis.ifelse(alone, _.target, _.group), whole=_.whole | alone)
    one, other = aimed.rename("{name}_1"), aimed.view().rename("{name}_2")
    both = met.select("id_1", "id_2", "exceptions_1", "exceptions_2").join(one, "id_1")
    both = both.join(other, [("id_2", "id_2"), ("group_1", "group_2")])
    alike = _.target_1 == _.target_2
    both = both.filter(_.whole_1 | _.whole_2 | alike, ~_holds(_.exceptions_1, _.target_2), ~_holds(_.exceptions_2, _.target_1))
    shared = both.group_by("id_1", "id_2").agg(
        groups=_.group_1.collect(distinct=True),
        covered_1=_.group_1.nunique(where=_.whole_2 | alike), covered_2=_.group_1.nunique(where=_.whole_1 | alike),
    )  # fmt: skip
    each = aimed.group_by("id").agg(groups=_.group.nunique())
    counted = shared.join(each.rename(id_1="id", groups_1="groups"), "id_1").join(each.view().rename(id_2="id", groups_2="groups"), "id_2")
    return counted.mutate(groups=_.groups.sort())


def _places() -> ibis.Table:
    """Which issuers act in the same place: each with itself, a region with its country, a union with its members -> place_1, place_2,
    since, until (the last day)."""
    spells = memberships()
    unions = [one.code for one in areas.areas(scheme="union")]
    within = spells.filter(_.code.isin(unions)).select(
        "code", "area", "since", until=ibis.ifelse(_.until < FOREVER, _.until - ibis.interval(days=1), _.until).cast("date")
    )
    regions = [(one.code, one.parent, EVER, FOREVER) for one in areas.areas() if one.parent]
    regions += [(one.code, one.code, EVER, FOREVER) for one in areas.areas()]
    schema = {"code": "string", "area": "string", "since": "date", "until": "date"}
    links = ibis.union(within, ibis.memtable(pd.DataFrame(regions, columns=list(schema)), schema=schema))
    back = links.filter(_.code != _.area).select(place_1="area", place_2="code", since="since", until="until")
    return ibis.union(links.rename(place_1="code", place_2="area"), back)


def _groups() -> ibis.Table:
    """The groups behind each target -> target, group, whole, freed_by (exceptions), own (the group holds own citizens), has_own (a group of
    the target does)."""
    schema = {
        "target": "string",
        "group": "string",
        "whole": "boolean",
        "freed_by": "array<string>",
        "own": "boolean",
        "has_own": "boolean",
    }
    book, own = codebook(), _own_targets()
    rows = [
        (target, name, target in category["whole"], category["freed_by"], name in OWN, target in own)
        for name, category in book["category"].items() for target in (*category["whole"], *category["part"])
    ]  # fmt: skip
    placed = {target for target, *_rest in rows}
    rows += [(target, target, True, [target], True, True) for target in book["target"] if target not in placed]
    return ibis.memtable(pd.DataFrame(rows, columns=list(schema)), schema=schema)


def _own_targets() -> set[str]:
    """Targets that hold the issuer's own citizens; all others are groups of foreigners."""
    book = codebook()
    held = {target for name in OWN for part in ("whole", "part") for target in book["category"][name][part]}
    placed = {target for category in book["category"].values() for part in ("whole", "part") for target in category[part]}
    return held | set(book["exit"]["only"]) | (set(book["target"]) - placed)
