"""Which challenges and which groups of people are answered by which measures, by field of policy and by level, and which by none."""

from __future__ import annotations

import ibis
from ibis import _

from qonys.core.errors import DesignError, nearest
from qonys.measures.codebook import adopted_statuses

BY = ("kind", "migration_type", "level", "field", "direction", "measure_level", "measure_issuer")


def answers(challenge: ibis.Table, measure: ibis.Table) -> ibis.Table:
    """One row for each challenge and each measure that answers it.

    -> challenge, kind, migration_type, level, measure, field, direction, status, adopted, measure_level, measure_issuer, challenge_row,
    measure_row.
    """
    named = challenge.select("kind", "migration_type", "level", challenge=_.id, challenge_row=_.row, measure=_.answered_by.unnest())
    return named.join(_register(measure), "measure")


def coverage(challenge: ibis.Table, measure: ibis.Table) -> ibis.Table:
    """Each challenge with how many adopted and how many merely proposed measures answer it, in how many fields.

    -> challenge, kind, migration_type, level, adopted, proposed, fields (counts), answer (`adopted`, `proposed` or `none`),
    measures (ids), rows.
    """
    counted = answers(challenge, measure).group_by("challenge").agg(
        adopted=_.measure.nunique(where=_.adopted), proposed=_.measure.nunique(where=~_.adopted), fields=_.field.nunique(where=_.adopted),
        measures=_.measure.collect(), measure_rows=_.measure_row.collect(),
    )  # fmt: skip
    joined = challenge.select("kind", "migration_type", "level", "row", challenge=_.id).left_join(counted, "challenge")
    return _answered(joined.drop("challenge_right"))


def coverage_by(challenge: ibis.Table, measure: ibis.Table, *by: str) -> ibis.Table:
    """How many adopted and proposed measures answer the challenges of each group, and how many challenges the adopted ones answer.

    by: columns of `answers`: kind, migration_type or level of the challenge; field, direction, measure_level or measure_issuer of the
    measure. A group that nothing answers has no row; see `gaps`.
    -> by, adopted, proposed, challenges (counts, each measure and challenge once), measure_rows, challenge_rows.
    Errors: DesignError for a column that does not tell measures or challenges apart.
    """
    return answers(challenge, measure).group_by(_known(by, BY)).agg(
        adopted=_.measure.nunique(where=_.adopted), proposed=_.measure.nunique(where=~_.adopted),
        challenges=_.challenge.nunique(where=_.adopted), measure_rows=_.measure_row.collect(distinct=True),
        challenge_rows=_.challenge_row.collect(distinct=True),
    )  # fmt: skip


def gaps(challenge: ibis.Table, measure: ibis.Table, *by: str) -> ibis.Table:
    """How many challenges of each group are answered, by proposals only, or by nothing.

    by: kind, migration_type or level of the challenge -> by, challenges, adopted, proposed, none (counts of challenges that add up),
    one_field (of those answered: by adopted measures of a single field), rows. Errors: DesignError for another column.
    """
    return coverage(challenge, measure).group_by(_known(by, BY[:3])).agg(
        challenges=_.count(), **{answer: _.challenge.count(where=_.answer == answer) for answer in ("adopted", "proposed", "none")},
        one_field=_.challenge.count(where=_.fields == 1), rows=_.row.collect(),
    )  # fmt: skip


def object_coverage(thing: ibis.Table, measure: ibis.Table) -> ibis.Table:
    """Each row of the table of objects with how many adopted and proposed entries of the register are the measure it names.

    thing: the contract `object` -> object, category, population, group, named (the measure as the source words it), adopted, proposed,
    fields, levels (counts), answer (`adopted`, `proposed`, or `none`: a gap), field_codes, level_codes, measures (sorted), measure_rows,
    row.
    """
    base = thing.select("category", "population", "group", "row", object=_.id, named=_.measure)
    pairs = thing.select(object=_.id, measure=_.measure_ids.unnest()).join(_register(measure), "measure")
    counted = pairs.group_by("object").agg(
        adopted=_.measure.nunique(where=_.adopted), proposed=_.measure.nunique(where=~_.adopted), fields=_.field.nunique(where=_.adopted),
        levels=_.measure_level.nunique(where=_.adopted), field_codes=_.field.collect(distinct=True),
        level_codes=_.measure_level.collect(distinct=True), measures=_.measure.collect(distinct=True),
        measure_rows=_.measure_row.collect(distinct=True),
    )  # fmt: skip
    sorted_codes = {name: counted[name].sort() for name in ("field_codes", "level_codes", "measures")}
    full = _answered(base.left_join(counted.mutate(**sorted_codes), "object").drop("object_right"))
    return full.mutate(levels=_.levels.fill_null(0))


def _register(measure: ibis.Table) -> ibis.Table:
    return measure.select(
        "field", "direction", "status", measure=_.id, measure_row=_.row, adopted=_.status.isin(adopted_statuses()), measure_level=_.level,
        measure_issuer=_.issuer,
    )  # fmt: skip


def _answered(counted: ibis.Table) -> ibis.Table:
    """Counts that are missing as zero, and what they say: answered by adopted measures, by proposals, or by nothing."""
    full = counted.mutate(adopted=_.adopted.fill_null(0), proposed=_.proposed.fill_null(0), fields=_.fields.fill_null(0))
    return full.mutate(answer=ibis.cases((_.adopted > 0, "adopted"), (_.proposed > 0, "proposed"), else_="none"))


def _known(by: tuple[str, ...], known: tuple[str, ...]) -> list[str]:
    if not by:
        raise DesignError("coverage was asked by no column", mend="name one of: " + ", ".join(known))
    for column in by:
        if column not in known:
            raise DesignError(f"coverage cannot be counted by {column!r}", mend=nearest(column, known))
    return list(by)
