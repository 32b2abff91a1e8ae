"""Measures that work against each other, and measures that do the same twice: candidates, to be read by a person.

A pair is listed for its codes and dates alone. That a ban has an opening beside it is often meant so: `relation` says which of the two
reaches fewer people, `between` whether one body stands behind both.
"""

from __future__ import annotations

import ibis
from ibis import _

from qonys.measures.history import Reading
from qonys.measures.overlap import codes, meetings, same

ALIKE = 0.5  # share of the words of two titles from which they are nearly the same
CATCH_ALL = ("all", "arrival", "foreign_traveller", "foreigner", "traveller")  # targets that name nobody in particular
SUPPORT = ("economic", "informational")  # instruments that give money or words, and rule nothing
_STOP = ("and", "for", "from", "into", "not", "than", "that", "the", "their", "who", "with")
_SIDES = ("row", "title", "issuer", "level", "field", "instrument", "agency")


def conflicts(measures: ibis.Table, *, reading: Reading, undated: bool = False) -> ibis.Table:
    """Pairs in which one measure tightens while another eases for some of the same people, in the same place, on some of the same days.

    measures, reading, undated: see `overlap.meetings`. Neither entry replaces the other; whom the tightening one lets off is no conflict.
    -> tightening, easing (ids), and of each row, title, issuer, level, field, instrument, agency (`tightening_row`, ...); targets, groups:
    the codes shared; dated, first, last, days: the overlap, null where not known or open; reading; between (`across_levels`,
    `across_agencies`, `same_agency`, `agency_unknown`); relation: `easing_within` (an opening for some beside a wider ban),
    `tightening_within` (a ban on some within a wider opening), `same_people`, `partly`; same_matter: of one field, or at one place
    (`area`), or both rules, not support in money or words, for a group that both name.
    """
    met = meetings(measures, reading=reading, undated=undated).filter(_.direction_1 == "tightening", _.direction_2 == "easing")
    named = _.targets.length() > _.targets.intersect(codes(CATCH_ALL)).length()
    rules = _.instrument_1.notin(SUPPORT) & _.instrument_2.notin(SUPPORT)
    relation = ibis.cases(
        (_.within_1 & _.within_2, "same_people"), (_.within_2, "easing_within"), (_.within_1, "tightening_within"), else_="partly"
    )
    listed = met.mutate(
        reading=ibis.literal(reading), between=_between(met), relation=relation,
        same_matter=(_.field_1 == _.field_2) | same(_.area_1, _.area_2) | (named & rules),
    )  # fmt: skip
    sides = {f"{role}_{name}": f"{name}_{side}" for name in _SIDES for role, side in (("tightening", 1), ("easing", 2))}
    return listed.select(
        tightening="id_1", easing="id_2", **sides, **{name: name for name in _SHARED}, relation="relation", same_matter="same_matter"
    )


_SHARED = ("targets", "groups", "dated", "first", "last", "days", "reading", "between")


def duplicates(measures: ibis.Table, *, reading: Reading, undated: bool = False, alike: float = ALIKE) -> ibis.Table:
    """Pairs that seem to do the same for some of the same people, in the same place, on some of the same days, in the same direction.

    measures, reading, undated: see `overlap.meetings`. Listed `because` of the same field and instrument for a group that both name, by
    two agencies (`same_act`), or of titles of one issuer that are nearly the same (`alike_titles`): `likeness`, the shared words over all
    words of the two titles (the first five letters of words of three letters or more, without articles and the like), is at least `alike`.
    -> one, other (ids, one < other), and of each row, title, issuer, level, field, instrument, agency; direction; targets, groups, dated,
    first, last, days, reading, between as in `conflicts`; likeness (0-1); because.
    """
    met = meetings(measures, reading=reading, undated=undated).filter(_.id_1 < _.id_2, _.direction_1 == _.direction_2)
    met = met.mutate(between=_between(met), words_1=_words(met.title_1), words_2=_words(met.title_2), reading=ibis.literal(reading))
    shared = _.words_1.intersect(_.words_2).length()
    met = met.mutate(likeness=(shared / (_.words_1.length() + _.words_2.length() - shared).nullif(0)).fill_null(0.0))
    named = _.targets.length() > _.targets.intersect(codes(CATCH_ALL)).length()
    act = (
        (_.field_1 == _.field_2)
        & (_.instrument_1 == _.instrument_2)
        & named
        & (_.between != "same_agency")
        & (_.agency_1.notnull() | _.agency_2.notnull())
    )
    listed = met.mutate(because=ibis.cases((act, "same_act"), ((_.issuer_1 == _.issuer_2) & (_.likeness >= alike), "alike_titles")))
    sides = {f"{role}_{name}": f"{name}_{side}" for name in _SIDES for role, side in (("one", 1), ("other", 2))}
    return listed.filter(_.because.notnull()).select(
        one="id_1",
        other="id_2",
        direction="direction_1",
        **sides,
        **{name: name for name in _SHARED},
        likeness="likeness",
        because="because",
    )


def _between(met: ibis.Table) -> ibis.Value:
    """One body or two behind a pair; an agency that names the other among several is the same."""
    one, other = met.agency_1.lower(), met.agency_2.lower()
    return ibis.cases(
        ((met.issuer_1 != met.issuer_2) | (met.level_1 != met.level_2), "across_levels"),
        (one.isnull() | other.isnull(), "agency_unknown"),
        (one.contains(other) | other.contains(one), "same_agency"),
        else_="across_agencies",
    )


def _words(title: ibis.Value) -> ibis.Value:
    """The first five letters of each word of a title that says something."""
    parts = title.lower().re_split(r"[^\p{L}\p{N}]+")
    return parts.filter(lambda word: (word.length() >= 3) & word.notin(_STOP)).map(lambda word: word.left(5)).unique()
