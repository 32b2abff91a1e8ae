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
_SHARED = ("targets", "groups", "dated", "first", "last", "days", "reading", "between")


def conflicts(measures: ibis.Table, *, reading: Reading, undated: bool = False) -> ibis.Table:
    """Pairs in which one measure tightens while another eases for some of the same people, in the same place, on some of the same days.

    measures, reading, undated: see `overlap.meetings`. Neither entry replaces the other; whom the tightening one lets off is no conflict.
    -> tightening, easing (ids), and of each row, title, issuer, level, field, instrument, agency (`tightening_row`, ...); targets, groups:
    the codes shared; dated, first, last, days: the overlap, null where not known or open; reading; between (`across_levels`,
    `across_agencies`, `same_agency`, `agency_unknown`); relation: `easing_within` (an opening for some beside a wider ban),
    `tightening_within` (a ban on some within a wider opening), `same_people`, `partly`; same_matter: of one field, or at one place
    (`area`), or both rules, not support in money or words, for a group that both name.
    """
    met = _told(meetings(measures, opposed=True, reading=reading, undated=undated), reading)
    rules = _.instrument_1.notin(SUPPORT) & _.instrument_2.notin(SUPPORT)
    listed = met.mutate(
        relation=ibis.cases(
            (_.within_1 & _.within_2, "same_people"), (_.within_2, "easing_within"), (_.within_1, "tightening_within"), else_="partly"
        ),
        same_matter=(_.field_1 == _.field_2) | same(_.area_1, _.area_2) | (_.both_name & rules),
    )  # fmt: skip
    return listed.select(
        tightening="id_1", easing="id_2", **_renamed("tightening", "easing"), relation="relation", same_matter="same_matter"
    )


def duplicates(measures: ibis.Table, *, reading: Reading, undated: bool = False, alike: float = ALIKE) -> ibis.Table:
    """Pairs that seem to do the same for some of the same people, in the same place, on some of the same days, in the same direction.

    measures, reading, undated: see `overlap.meetings`. Listed `because` of the same field and instrument for a group that both name, by
    two agencies (`same_act`), or of titles of one issuer that are nearly the same (`alike_titles`): `likeness`, the shared words over all
    words of the two titles (numbers, and the first five letters of words of three letters or more that say something), is at least `alike`.
    -> one, other (ids, one < other), and of each row, title, issuer, level, field, instrument, agency; direction; targets, groups, dated,
    first, last, days, reading, between as in `conflicts`; likeness (0-1); because.
    """
    met = _told(meetings(measures, opposed=False, reading=reading, undated=undated), reading)
    met = met.mutate(words_1=_words(met.title_1), words_2=_words(met.title_2))
    shared = _.words_1.intersect(_.words_2).length()
    met = met.mutate(likeness=(shared / (_.words_1.length() + _.words_2.length() - shared).nullif(0)).fill_null(0.0))
    two_bodies = (met.between != "same_agency") & (met.agency_1.notnull() | met.agency_2.notnull())
    same_act = (met.field_1 == met.field_2) & (met.instrument_1 == met.instrument_2) & met.both_name & two_bodies
    alike_titles = (met.issuer_1 == met.issuer_2) & (met.likeness >= alike)
    listed = met.mutate(because=ibis.cases((same_act, "same_act"), (alike_titles, "alike_titles"))).filter(_.because.notnull())
    return listed.select(
        one="id_1", other="id_2", direction="direction_1", **_renamed("one", "other"), likeness="likeness", because="because"
    )


def _told(met: ibis.Table, reading: Reading) -> ibis.Table:
    """Add the targets both name (and whether one of them is a group in particular), the reading, and who stands behind the pair."""
    one, other = met.agency_1.lower(), met.agency_2.lower()
    between = ibis.cases(
        ((met.issuer_1 != met.issuer_2) | (met.level_1 != met.level_2), "across_levels"),
        (one.isnull() | other.isnull(), "agency_unknown"),
        (one.contains(other) | other.contains(one), "same_agency"),  # an agency that names the other among several is the same
        else_="across_agencies",
    )
    targets = met.targets_1.intersect(met.targets_2).sort()
    told = met.mutate(targets=targets, reading=ibis.literal(reading), between=between)
    return told.mutate(both_name=_.targets.length() > _.targets.intersect(codes(CATCH_ALL)).length())


def _renamed(one: str, other: str) -> dict[str, str]:
    return {f"{role}_{name}": f"{name}_{side}" for name in _SIDES for role, side in ((one, 1), (other, 2))} | {n: n for n in _SHARED}


def _words(title: ibis.Value) -> ibis.Value:
    """The numbers of a title, and the first five letters of each word that says something."""
    parts = title.lower().re_split(r"[^\p{L}\p{N}]+")
    says = parts.filter(lambda word: ((word.length() >= 3) & word.notin(_STOP)) | word.re_search(r"^\d+$"))
    return says.map(lambda word: word.left(5)).unique()
