"""Whom a measure reaches: from targets, citizenships, places of departure, borders, levels and exceptions to classes of people.

A class is a set of people whom every measure treats alike: origin, destination, citizenship, category. For each class and each measure
that could concern it there is one row, and `why` is empty where the measure reaches the class, else the first reason why it does not. The
exposure is compiled from the rows without a reason, and explained from all of them.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import ibis
import pandas as pd
from ibis import _

from qonys.core import areas
from qonys.core.errors import DataError, nearest
from qonys.measures.codebook import STRONGEST, codebook
from qonys.measures.history import FOREVER, Reading, spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EVER = date(1, 1, 1)
# why a measure does not reach a class, in the order in which the reasons are looked at
REASONS = ("not_transposed", "target", "citizenship", "origin", "border", "exempt_citizenship", "exempt_origin", "exempt_category")


def corridor_categories() -> tuple[str, ...]:
    """Categories of people who move between countries; the codebook holds two more, of people who do not."""
    return tuple(code for code in codebook()["category"] if code not in ("resident", "internal"))


def people(origins: Iterable[str], destinations: Iterable[str], categories: Sequence[str]) -> ibis.Table:
    """A class for every corridor and category, when nothing is known of who moves: citizens of the origin, and among `citizen` those of
    the destination -> origin, destination, category, citizenship, weight (1). Corridors from an area to itself are left out.

    Errors: DataError for a code that is no area, or no category.
    """
    for code in (*origins, *destinations):
        areas.area(code)
    for category in categories:
        if category not in corridor_categories():
            raise DataError(f"there is no category {category!r} of people in a corridor", mend=nearest(category, corridor_categories()))
    grid = _memtable([(o, d) for o in sorted(set(origins)) for d in sorted(set(destinations)) if o != d], "origin", "destination")
    kinds = _memtable([(category,) for category in categories], "category")
    classes = grid.cross_join(kinds)
    return classes.mutate(citizenship=ibis.ifelse(_.category == "citizen", _.destination, _.origin), weight=ibis.literal(1.0))


def people_of(table: ibis.Table, categories: Sequence[str]) -> ibis.Table:
    """Classes with the weights of a flow or a stock -> as `people`.

    table: origin, destination, persons, [citizenship, category], or the contract `stock` (residence is the destination, characteristic the
    origin and citizenship). Persons without a citizenship are taken for citizens of the origin. With a category column only rows of these
    categories count; without one every category has the same weights. `citizen` holds citizens of the destination, the others the rest.

    Errors: DataError for a table that is neither, or a category that the codebook does not have.
    """
    stock = "residence" in table.columns  # its categories are those of permits
    if stock:
        table = table.rename(origin="characteristic", destination="residence")
    if absent := [name for name in ("origin", "destination", "persons") if name not in table.columns]:
        raise DataError(
            f"the table of people has no column {', '.join(map(repr, absent))}",
            mend="give origin, destination, persons, [citizenship, category]",
        )
    for category in categories:
        if category not in corridor_categories():
            raise DataError(f"there is no category {category!r} of people in a corridor", mend=nearest(category, corridor_categories()))
    citizenship = table.citizenship.fill_null(table.origin) if "citizenship" in table.columns else table.origin
    own = table.mutate(citizenship=citizenship, weight=table.persons.cast("float64")).filter(_.weight > 0, _.origin != _.destination)
    if "category" in own.columns and not stock:
        classes = own.filter(_.category.isin(categories))
    else:
        kinds = _memtable([(category,) for category in categories], "category")
        classes = own.drop("category") if "category" in own.columns else own
        classes = classes.cross_join(kinds).filter((_.category == "citizen") == (_.citizenship == _.destination))
    return classes.group_by("origin", "destination", "category", "citizenship").agg(weight=_.weight.sum())


def reach(measures: ibis.Table, classes: ibis.Table, *, reading: Reading, unreached: bool = True) -> ibis.Table:
    """Every class with every measure that could concern it: those of its destination, those of its origin that act on leaving, those of the
    unions the destination belongs to.

    measures: the contract with bounds; classes: origin, destination, category, citizenship and what else they carry -> these, id, row, side
    (`entry` or `exit`), via (the entry that puts a union's measure into force), direction, begun, over (dates), dose (0-100), announced,
    conditions (exceptions that let off people whose number is not known), why (see `REASONS`; null: it reaches them).

    A union named in a list stands for its members on the day the measure began. A measure limited to states that the source does not name
    (UNKNOWN) reaches nobody by that under the certain reading, everybody under the possible one. Without `unreached` the rows with a
    reason are left out, which spares most of the work.
    """
    force = spans(measures, reading=reading).filter(_.begun <= _.over)
    entry = classes.join(_entries(force, unreached=unreached), [("destination", "place")]).drop("place")
    leaving = force.filter(_.targets.filter(lambda one: one.isin(_exit_targets())).length() > 0)
    nothing, unbounded = ibis.null("string"), ibis.null("float64")
    out = leaving.select("id", "begun", "over", side=ibis.literal("exit"), via=nothing, why=nothing, most=unbounded, place=_.issuer)
    pairs = ibis.union(entry, classes.join(out, [("origin", "place")]).drop("place").select(*entry.columns))
    # beyond: the place on the other side of the border of the issuer
    pairs = pairs.mutate(beyond=ibis.ifelse(pairs.side == "entry", pairs.origin, pairs.destination))
    facts = force.select(
        "id", "row", "direction", "strength", "general", "announced",
        conditions=_.exceptions.filter(lambda one: one.notin(_freeing())),
        **{f"names_{column}": _listed(force, column) for column in _TESTS.values()},
        **{f"unsure_{column}": _unknown(force, column) for column in _TESTS.values()},
    )  # fmt: skip
    kinds = _kinds(force)
    if not unreached:
        pairs = pairs.semi_join(kinds, ["id", "side", "category"])
    pairs = _marked(pairs.join(facts, "id"), kinds, ["id", "side", "category"], "part")
    pairs = _marked(pairs, _freed(force), ["id", "category"], "freed")
    for test, column in _TESTS.items():
        of = "citizenship" if column.endswith("citizenship") else "beyond"
        pairs = _marked(pairs, _members(force, column).select("id", **{of: _.area}, **{test: ibis.literal(True)}), ["id", of], test)
    possible = reading == "possible"

    def outside(test: str) -> ibis.Value:
        """Limited to some, and this is not one of them, as far as is known."""
        column = _TESTS[test]
        unsure = pairs[f"unsure_{column}"] if possible else ibis.literal(False)
        return pairs[f"names_{column}"] & pairs[test].isnull() & ~unsure

    why = ibis.cases(
        (pairs.why.notnull(), pairs.why),
        (pairs.part.isnull(), "target"),
        (outside("aimed_citizenship"), "citizenship"),
        (outside("aimed_origin"), "origin"),
        (outside("border") | pairs.spared.notnull(), "border"),
        (pairs.exempt_citizenship.notnull(), "exempt_citizenship"),
        (pairs.exempt_origin.notnull(), "exempt_origin"),
        (pairs.freed.notnull(), "exempt_category"),
    )
    whole = pairs.general & ~pairs.part.fill_null(False)
    dose = 100 * (pairs.strength - ibis.ifelse(whole, 0.0, 0.5)) / STRONGEST
    found = pairs.mutate(why=why, dose=ibis.least(dose, pairs.most.fill_null(100.0)))
    if not unreached:
        found = found.filter(_.why.isnull())
    return found.select(
        *classes.columns, "id", "row", "side", "via", "direction", "begun", "over", "dose", "announced", "conditions", "why"
    )


# each test: in which list of the measure the citizenship, or the place beyond the border, is looked up
_TESTS = {
    "aimed_citizenship": "target_citizenship", "aimed_origin": "target_origin", "border": "borders_with",
    "spared": "borders_except", "exempt_citizenship": "exception_citizenship", "exempt_origin": "exception_origin",
}  # fmt: skip


def _entries(force: ibis.Table, *, unreached: bool) -> ibis.Table:
    """Where a measure acts on those who arrive -> id, side, via, begun, over, why, most, place.

    A country's measure acts there; one of a group of states at national level in each of them; a union's where it applies without a
    national act, or while an entry that transposes it is in force, and there it goes no further than that entry (`most`, its dose).
    Elsewhere in the union it is marked `not_transposed`.
    """
    nothing, unbounded = ibis.null("string"), ibis.null("float64")
    aimed = force.filter(_.targets.filter(lambda one: one.notin(codebook()["exit"]["only"])).length() > 0)
    unions = sorted(one.code for one in areas.areas(scheme="union"))
    own = aimed.filter(_.issuer.notin(unions)).select("id", "begun", "over", via=nothing, why=nothing, place=_.issuer)
    common = aimed.filter(_.issuer.isin(unions))
    each = _spelled(common.filter(_.level != "union").select("id", "begun", "over", code=_.issuer))
    direct = _spelled(common.filter(_.level == "union").select("id", "begun", "over", code=_.applies_in.unnest()))
    named = common.select("id", "begun", "over", national=_.transposed_by.unnest())
    acts = force.select(national=_.id, place=_.issuer, act_begun=_.begun, act_over=_.over, most=_.dose)
    both = named.join(acts, "national").mutate(begun=ibis.greatest(_.begun, _.act_begun), over=ibis.least(_.over, _.act_over))
    transposed = both.filter(_.begun <= _.over).select("id", "begun", "over", "place", "most", via=_.national)
    there = ibis.union(direct.select("id", "place"), transposed.select("id", "place"), each.select("id", "place")).distinct()
    elsewhere = _spelled(common.filter(_.level == "union").select("id", "begun", "over", code=_.issuer)).anti_join(there, ["id", "place"])
    columns = ("id", "begun", "over", "via", "why", "most", "place")
    parts = [own.mutate(most=unbounded), transposed.mutate(why=nothing)]
    parts += [part.mutate(via=nothing, why=nothing, most=unbounded) for part in (each, direct)]
    if unreached:
        parts.append(elsewhere.mutate(via=nothing, why=ibis.literal("not_transposed"), most=unbounded))
    return ibis.union(*(part.select(*columns) for part in parts)).mutate(side=ibis.literal("entry"))


def _spelled(measures: ibis.Table) -> ibis.Table:
    """The members of the union `code` on the days of the measure -> id, begun, over (cut to the membership), place."""
    spells = memberships()
    joined = measures.join(spells, [measures.code == spells.code, measures.begun < spells.until, measures.over >= spells.since])
    last = ibis.ifelse(joined.until == FOREVER, joined.until, (joined.until - ibis.interval(days=1)).cast("date"))
    return joined.select("id", begun=ibis.greatest(joined.begun, joined.since), over=ibis.least(joined.over, last), place=joined.area)


def _members(force: ibis.Table, column: str) -> ibis.Table:
    """The areas a list of a measure stands for on the day it began -> id, area."""
    codes = force.select("id", "begun", code=_listed_codes(force, column).unnest())
    spells = memberships()
    return (
        codes.join(spells, [codes.code == spells.code, codes.begun >= spells.since, codes.begun < spells.until])
        .select("id", "area")
        .distinct()
    )


def _listed_codes(force: ibis.Table, column: str) -> ibis.Value:
    """A control at internal borders that names no border is at all borders with states of the common area."""
    if column != "borders_with":
        return force[column]
    inner = (force.area == "internal_border") & (force.borders_with.isnull() | (force.borders_with.length() == 0))
    return ibis.ifelse(inner, ibis.array(["SCHENGEN"]), force.borders_with)


def _listed(force: ibis.Table, column: str) -> ibis.Value:
    return _listed_codes(force, column).length().fill_null(0) > 0


def _unknown(force: ibis.Table, column: str) -> ibis.Value:
    return force[column].contains("UNKNOWN").fill_null(False)


def _marked(pairs: ibis.Table, marks: ibis.Table, keys: list[str], mark: str) -> ibis.Table:
    """Left join of one column, `mark`, that is null where the pair is not among the marks."""
    other = marks.select(**{f"_{key}": marks[key] for key in keys}, **{mark: marks[mark]})
    joined = pairs.left_join(other, [pairs[key] == other[f"_{key}"] for key in keys])
    return joined.drop(*(f"_{key}" for key in keys))


def _kinds(force: ibis.Table) -> ibis.Table:
    """The categories a measure means -> id, side, category, part (true: only some of them)."""
    aimed = force.select("id", target=_.targets.unnest())
    entry = [
        (category, target, part)
        for category, facts in codebook()["category"].items()
        for part in ("whole", "part")
        for target in facts[part]
    ]
    meant = _memtable([("entry", category, target, part == "part") for category, target, part in entry]
                      + [("exit", category, target, False) for category in corridor_categories() for target in _exit_targets()],
                      "side", "category", "target", "part")  # fmt: skip
    return aimed.join(meant, "target").group_by("id", "side", "category").agg(part=_.part.all())


def _freed(force: ibis.Table) -> ibis.Table:
    """The categories an exception of the measure lets off -> id, category, freed (true)."""
    frees = _memtable([(category, one, True) for category, facts in codebook()["category"].items() for one in facts["freed_by"]],
                      "category", "exception", "freed")  # fmt: skip
    return force.select("id", exception=_.exceptions.unnest()).join(frees, "exception").select("id", "category", "freed").distinct()


def _exit_targets() -> list[str]:
    return [*codebook()["exit"]["both"], *codebook()["exit"]["only"]]


def _freeing() -> list[str]:
    return sorted({one for facts in codebook()["category"].values() for one in facts["freed_by"]})


def memberships() -> ibis.Table:
    """What each code stands for, and when -> code, area, since, until (not included). A country stands for itself."""
    return ibis.memtable(pd.DataFrame(_spells(), columns=["code", "area", "since", "until"]),
                         schema={"code": "string", "area": "string", "since": "date", "until": "date"})  # fmt: skip


@cache
def _spells() -> list[tuple[str, str, date, date]]:
    countries = [one.code for one in areas.areas(scheme="iso3166-1", kind="country")]
    spells = [(one.code, one.code, EVER, FOREVER) for one in areas.areas() if one.scheme != "union"]
    for union in areas.areas(scheme="union"):
        spells += [(union.code, one.area, one.start or EVER, one.end or FOREVER) for one in areas.memberships(union.code)]
    spells += [("WORLD", code, EVER, FOREVER) for code in countries]
    for group, union_code in (("NON_EU", "EU27_2020"), ("NON_CIS", "CIS")):
        inside = areas.memberships(union_code)
        for code in countries:
            since = EVER
            for spell in sorted((one for one in inside if one.area == code), key=lambda one: one.start or EVER):
                if (begins := spell.start or EVER) > since:
                    spells.append((group, code, since, begins))
                since = spell.end or FOREVER
            if since < FOREVER:
                spells.append((group, code, since, FOREVER))
    return spells


def _memtable(rows: Sequence[tuple[object, ...]], *columns: str) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(rows, columns=list(columns)))
