"""Whom, where and when: what two measures have in common. The ground on which `conflicts` and `duplicates` stand.

Two entries meet if they act in the same place, on some of the same days, on some of the same people. Place is the issuer, a region with its
country, or a union with those who are its members on that day; entries that name different things to act on (`area`), other borders or
other ways of travel do not meet. People are groups of the codebook (`category.*`: everybody of it, or some) and citizenships. A group that
a measure lets off (`exceptions`) is not reached by it.

Few entries differ in whom they reach: what two of them share is worked out once for each pair of wordings (`whom`: citizenships, `aim`:
groups), and pairs of entries look it up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pandas as pd
from ibis import _

from qonys.core import areas
from qonys.measures.codebook import adopted_statuses, codebook
from qonys.measures.history import FOREVER, Reading, spans
from qonys.measures.reach import EVER, memberships

if TYPE_CHECKING:
    from collections.abc import Iterable

VAGUE = ("UNKNOWN", "OTHER", "REST")  # limited to some, and it is not said to whom
OWN = ("citizen", "internal")  # the categories that hold the issuer's own citizens
TOLD = ("row", "title", "issuer", "level", "field", "instrument", "agency", "area", "targets")
_SLIM = (
    "id", "issuer", "direction", "area", "general", "supersedes", "transposed_by", "borders_with", "modes", "begun", "over", "dated",
    "vague", "whom", "aim",
)  # fmt: skip


def meetings(measures: ibis.Table, *, opposed: bool, reading: Reading, undated: bool = False) -> ibis.Table:
    """Pairs of adopted entries that meet: one that tightens (`_1`) and one that eases (`_2`) if `opposed`, else two of the same direction
    in the order of their ids.

    measures: the entries that stand, with bounds (`history.current`, `history.with_bounds`). Under the certain reading citizenships that
    are not known are not shared, and an entry of which neither the first day nor an end is known has no day. `undated` lets entries without
    a known start meet others on any day up to their end.
    -> `_1` and `_2` of id, row, title, issuer, level, field, instrument, agency, area, targets; direction_1; groups: the categories shared,
    or the targets that belong to none (sorted); dated: both starts are known; first, last: days of the overlap, null if not known or open;
    days: their count, null likewise; within_1, within_2: the people of that one are all among those of the other.
    A day on which one ends and the other begins is no overlap; nor do entries meet that `supersedes` or `transposed_by` links.
    """
    acting = _worded(_acting(measures, reading, undated))
    met = _near(acting, opposed)
    met = met.join(_common_people(acting, met), ["whom_1", "whom_2"]).join(_common_groups(acting, met), ["aim_1", "aim_2"])
    met = met.filter((_.common > 0) | (ibis.literal(reading == "possible") & (_.vague_1 | _.vague_2)))
    all_in_2 = (_.covered_1 == _.groups_1) & (_.common == _.countries_1) & ~_.vague_1 & (_.general_2 | ~_.general_1)
    all_in_1 = (_.covered_2 == _.groups_2) & (_.common == _.countries_2) & ~_.vague_2 & (_.general_1 | ~_.general_2)
    met = met.mutate(dated=_.dated_1 & _.dated_2, closed=_.dated_1 & _.dated_2 & (_.last < FOREVER))
    found = met.select(
        "id_1", "id_2", "direction_1", "groups", "dated", within_1=all_in_2, within_2=all_in_1,
        first=ibis.ifelse(_.dated, _.first, ibis.null("date")), last=ibis.ifelse(_.closed, _.last, ibis.null("date")),
        days=ibis.ifelse(_.closed, _.last.delta(_.first, unit="day") + 1, ibis.null("int64")),
    )  # fmt: skip
    told = measures.select("id", *TOLD)
    return found.join(told.rename("{name}_1"), "id_1").join(told.view().rename("{name}_2"), "id_2")


def codes(given: Iterable[str]) -> ibis.Value:
    """A constant list of codes, to be held against a column of lists."""
    return ibis.literal(sorted(given), "array<string>")


def share(one: ibis.Value, other: ibis.Value) -> ibis.Value:
    """Two lists have a code in common; a list that is null has none."""
    return (one.intersect(other).length() > 0).fill_null(False)


def same(one: ibis.Value, other: ibis.Value) -> ibis.Value:
    """Both are known and the same."""
    return (one == other).fill_null(False)


def _holds(listed: ibis.Value, code: ibis.Value | str) -> ibis.Value:
    return listed.contains(code).fill_null(False)


def _share_or_any(one: ibis.Value, other: ibis.Value) -> ibis.Value:
    """Two lists share a code, or one of them is empty, which stands for all."""
    return (one.length().fill_null(0) == 0) | (other.length().fill_null(0) == 0) | share(one, other)


def _same_or_any(one: ibis.Value, other: ibis.Value) -> ibis.Value:
    return one.isnull() | other.isnull() | (one == other) | (one == "general") | (other == "general")


def _acting(measures: ibis.Table, reading: Reading, undated: bool) -> ibis.Table:
    """Entries in force on some day, from `begun` to `over`; `dated` if their start is known."""
    known = spans(measures, reading=reading).filter(_.begun <= _.over).drop("dose").mutate(dated=True)
    if reading == "certain":  # open-ended from "2020" on: no day is certain
        known = known.filter(_.end_earliest.notnull() | (_.start_earliest == _.start_latest))
    if not undated:
        return known
    lost = measures.filter(_.status.isin(adopted_statuses()), _.start_earliest.isnull())
    lost = lost.mutate(begun=ibis.literal(EVER), over=_.end_latest.fill_null(FOREVER).cast("date"), dated=False)
    return ibis.union(known, lost.select(*known.columns))


def _worded(acting: ibis.Table) -> ibis.Table:
    """Add whom each entry reaches, as text that is the same where it reaches the same people, and the parts of it.

    whom: named, freed (citizenships), shunned (the issuer, where groups of foreigners hold none of its citizens), as_of (the day on which
    unions are looked up: that of the start); aim: aimed_at (targets), let_off (exceptions), own_only (nobody but the issuer's citizens).
    vague: some citizenships are not known.
    """
    limited = (_.target_citizenship.length() > 0).fill_null(False) & ~_holds(_.target_citizenship, "WORLD")
    own = share(acting.targets, codes(_own_targets())) & ~_holds(acting.exceptions, "citizen")
    unions = codes(one.code for one in areas.areas() if one.scheme in ("union", "group"))
    dated = share(acting.target_citizenship, unions) | share(acting.exception_citizenship, unions)
    parts = acting.mutate(
        named=ibis.ifelse(limited, _text(acting.target_citizenship), "STATELESS WORLD"), freed=_text(acting.exception_citizenship),
        shunned=ibis.ifelse(own | limited, "", acting.issuer), as_of=ibis.ifelse(dated, acting.begun, ibis.literal(EVER)),
        own_only=_text(acting.target_citizenship) == acting.issuer, vague=share(acting.target_citizenship, codes(VAGUE)),
        aimed_at=_text(acting.targets), let_off=_text(acting.exceptions),
    )  # fmt: skip
    whom = (parts.named, parts.freed, parts.shunned, parts.as_of.cast("string"))
    aim = (parts.aimed_at, parts.let_off, ibis.ifelse(parts.own_only, "own", ""))
    return parts.mutate(whom=ibis.literal("|").join(whom), aim=ibis.literal("|").join(aim))


def _text(listed: ibis.Value) -> ibis.Value:
    return listed.sort().join(" ").fill_null("")


def _near(acting: ibis.Table, opposed: bool) -> ibis.Table:
    """Pairs in the same place, with days in common and nothing that keeps them apart but the people."""
    one, other = acting.select(*_SLIM).rename("{name}_1"), acting.select(*_SLIM).view().rename("{name}_2")
    if opposed:
        one, other = one.filter(_.direction_1 == "tightening"), other.filter(_.direction_2 == "easing")
    near = one.join(_places(), [("issuer_1", "place_1")]).join(other, [("place_2", "issuer_2")])
    if not opposed:
        near = near.filter(_.id_1 < _.id_2, _.direction_1 == _.direction_2)
    near = near.mutate(first=ibis.greatest(_.begun_1, _.begun_2, _.since), last=ibis.least(_.over_1, _.over_2, _.until))
    handed_over = ((_.begun_1 < _.begun_2) & (_.begun_2 == _.over_1)) | ((_.begun_2 < _.begun_1) & (_.begun_1 == _.over_2))
    linked = [_holds(near[f"{link}_{a}"], near[f"id_{b}"]) for link in ("supersedes", "transposed_by") for a, b in ((1, 2), (2, 1))]
    return near.filter(
        _.first <= _.last, ~handed_over, ~ibis.or_(*linked), _same_or_any(_.area_1, _.area_2),
        _share_or_any(_.borders_with_1, _.borders_with_2), _share_or_any(_.modes_1, _.modes_2),
    )  # fmt: skip


def _places() -> ibis.Table:
    """Which issuers act in the same place: each with itself, a region with its country, a union with its members -> place_1, place_2,
    since, until (the last day)."""
    schema = {"code": "string", "area": "string", "since": "date", "until": "date"}
    rows = [(one.code, area, EVER, FOREVER) for one in areas.areas() for area in (one.code, one.parent) if area]
    spells = memberships().filter(_.code.isin([one.code for one in areas.areas(scheme="union")]))
    last = ibis.ifelse(_.until < FOREVER, _.until - ibis.interval(days=1), _.until).cast("date")
    within = spells.select("code", "area", "since", until=last)
    links = ibis.union(within, ibis.memtable(pd.DataFrame(rows, columns=list(schema)), schema=schema))
    back = links.filter(_.code != _.area).select(place_1="area", place_2="code", since="since", until="until")
    return ibis.union(links.rename(place_1="code", place_2="area"), back)


def _common_people(acting: ibis.Table, met: ibis.Table) -> ibis.Table:
    """-> whom_1, whom_2, common (how many citizenships both reach), countries_1, countries_2 (how many each does)."""
    wordings = acting.select("whom", "named", "freed", "shunned", "as_of").distinct()
    reached = _countries(wordings, "named").anti_join(_countries(wordings, "freed"), ["whom", "country"])
    reached = reached.filter(_.country != _.shunned).select("whom", "country")
    each = reached.group_by("whom").agg(countries=_.count())
    pairs = met.select("whom_1", "whom_2").distinct()
    one, other = reached.rename("{name}_1"), reached.view().rename("{name}_2")
    both = pairs.join(one, "whom_1").join(other, [("whom_2", "whom_2"), ("country_1", "country_2")])
    counted = both.group_by("whom_1", "whom_2").agg(common=_.count()).rename(_1="whom_1", _2="whom_2")
    full = pairs.left_join(counted, [("whom_1", "_1"), ("whom_2", "_2")])
    full = full.left_join(each.rename(_each_1="whom", countries_1="countries"), [("whom_1", "_each_1")])
    full = full.left_join(each.view().rename(_each_2="whom", countries_2="countries"), [("whom_2", "_each_2")])
    return full.select("whom_1", "whom_2", **{name: full[name].fill_null(0) for name in ("common", "countries_1", "countries_2")})


def _countries(wordings: ibis.Table, column: str) -> ibis.Table:
    """The countries behind the codes of a wording: those that belong to a union on the day -> whom, shunned, country."""
    listed = wordings.select("whom", "shunned", "as_of", code=wordings[column].split(" ").unnest()).filter(_.code.notin(VAGUE))
    spells = memberships()
    found = listed.join(spells, [listed.code == spells.code, listed.as_of >= spells.since, listed.as_of < spells.until])
    return found.select("whom", "shunned", country=_.area).distinct()


def _common_groups(acting: ibis.Table, met: ibis.Table) -> ibis.Table:
    """-> aim_1, aim_2, groups (shared, sorted), groups_1, groups_2 (how many each reaches), covered_1, covered_2 (of these, how many the
    other reaches whole); pairs that share none are left out."""
    wordings = acting.select("aim", "own_only", "aimed_at", "let_off").distinct()
    listed = wordings.select("aim", "own_only", exceptions=_.let_off.split(" "), target=_.aimed_at.split(" ").unnest()).join(
        _groups(), "target"
    )
    listed = listed.filter(~share(_.exceptions, _.freed_by), ~_.own_only | _.own | ~_.has_own)
    alone = listed.own_only & ~listed.has_own  # own citizens whom no group of the codebook holds stand for themselves
    reached = listed.select("aim", "exceptions", "target", group=ibis.ifelse(alone, _.target, _.group), whole=_.whole | alone)
    one, other = reached.rename("{name}_1"), reached.view().rename("{name}_2")
    pairs = met.select("aim_1", "aim_2").distinct()
    both = pairs.join(one, "aim_1").join(other, [("aim_2", "aim_2"), ("group_1", "group_2")])
    alike = _.target_1 == _.target_2
    both = both.filter(_.whole_1 | _.whole_2 | alike, ~_holds(_.exceptions_1, _.target_2), ~_holds(_.exceptions_2, _.target_1))
    shared = both.group_by("aim_1", "aim_2").agg(
        groups=_.group_1.collect(distinct=True),
        covered_1=_.group_1.nunique(where=_.whole_2 | alike), covered_2=_.group_1.nunique(where=_.whole_1 | alike),
    )  # fmt: skip
    each = reached.group_by("aim").agg(groups=_.group.nunique())
    counted = shared.join(each.rename(aim_1="aim", groups_1="groups"), "aim_1").join(
        each.view().rename(aim_2="aim", groups_2="groups"), "aim_2"
    )
    return counted.mutate(groups=_.groups.sort())


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
