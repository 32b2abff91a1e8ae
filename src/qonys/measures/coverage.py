"""Which challenges are answered by which measures, by which field of policy, and which by none."""

from __future__ import annotations

import ibis
from ibis import _

from qonys.measures.codebook import adopted_statuses


def answers(challenge: ibis.Table, measure: ibis.Table) -> ibis.Table:
    """One row for each challenge and each measure that answers it.

    -> challenge, kind, migration_type, level, measure, field, direction, status, adopted, challenge_row, measure_row.
    """
    named = challenge.select("kind", "migration_type", "level", challenge=_.id, challenge_row=_.row, measure=_.answered_by.unnest())
    register = measure.select("field", "direction", "status", measure=_.id, measure_row=_.row, adopted=_.status.isin(adopted_statuses()))
    return named.join(register, "measure")


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
    full = joined.drop("challenge_right").mutate(
        adopted=_.adopted.fill_null(0), proposed=_.proposed.fill_null(0), fields=_.fields.fill_null(0)
    )
    return full.mutate(answer=ibis.cases((_.adopted > 0, "adopted"), (_.proposed > 0, "proposed"), else_="none"))
