"""Where policy answers, where it leaves gaps, and where its measures work against each other or repeat each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from ibis import _

from qonys.core.contracts import LEVELS
from qonys.core.results import Measured, Result, addresses
from qonys.measures import codebook, coverage_by, duplicates, gaps, object_coverage
from qonys.measures import conflicts as opposed
from qonys.studies.tables import Tables, collect, flat, needed, study_areas

if TYPE_CHECKING:
    import ibis

    from qonys.studies.definition import Study

MEASURES = Measured(unit="measures", formula="count")
CHALLENGES = Measured(unit="challenges", formula="count")
PAIRS = Measured(unit="pairs", formula="count")
# how sure it is that the two entries of a pair were in force on the same days
EVIDENCE = ("certain", "possible", "undated")
_RELATIONS = ("same_people", "partly", "tightening_within", "easing_within")


def coverage(tables: Tables, study: Study) -> list[Result]:
    """Adopted measures that answer challenges, by type of migration with field of policy and with level; gaps by type; Table 1 likewise.

    The option `omit` names challenges to leave out; without it those that the question `challenges` leaves out.
    """
    challenge, thing, measure = needed(tables, "coverage", "challenge", "object", "measure")
    omit = study.option("coverage", "omit", study.option("challenges", "omit", []))
    kept = challenge.filter(_.id.notin(omit)) if omit else challenge
    missing = collect(gaps(kept, measure, "migration_type"), "migration_type")
    own = dict(zip(missing["migration_type"], missing.pop("rows"), strict=True))
    missing.insert(0, "id", missing["migration_type"])
    missing["inputs"] = [addresses("challenge", flat(own[kind])) for kind in missing["id"]]
    fields = _grid(kept, measure, "field", sorted(codebook()["field"]), own)
    levels = _grid(kept, measure, "measure_level", list(LEVELS), own)
    counts = dict.fromkeys(("challenges", "adopted", "proposed", "none", "one_field"), CHALLENGES)
    return [
        Result("coverage_fields", fields, {"adopted": MEASURES, "challenges": CHALLENGES}),
        Result("coverage_levels", levels, {"adopted": MEASURES, "challenges": CHALLENGES}),
        Result("coverage_gaps", missing, counts),
        *_objects(thing, measure),
        _summary(kept, measure, fields, missing),
    ]


def _grid(challenge: ibis.Table, measure: ibis.Table, by: str, codes: list[str], own: dict[str, Any]) -> pd.DataFrame:
    """A row for each type of migration and each code, zero where nothing answers; a zero is walked back to the challenges of its type."""
    found = collect(coverage_by(challenge, measure, "migration_type", by), "migration_type", by)
    cells = {(row["migration_type"], row[by]): row for row in found.to_dict("records")}
    rows = []
    for kind, challenges in own.items():
        for code in codes:
            cell = cells.get((kind, code))
            behind = addresses("challenge", flat(challenges))
            if cell:
                behind = [*addresses("challenge", cell["challenge_rows"]), *addresses("measure", cell["measure_rows"])]
            count = {name: int(cell[name]) if cell else 0 for name in ("adopted", "challenges")}
            rows.append({"id": f"{kind}.{code}", "migration_type": kind, by: code, **count, "inputs": behind})
    return pd.DataFrame(rows, columns=["id", "migration_type", by, "adopted", "challenges", "inputs"])


def _objects(thing: ibis.Table, measure: ibis.Table) -> list[Result]:
    """Each category of Table 1: rows, those without an entry of the register, and the fields and levels of the entries."""
    rows = collect(object_coverage(thing, measure), "object")
    listed = []
    for (category, population), own in rows.groupby(["category", "population"]):
        behind = sorted({row for rows_ in own["measure_rows"] if isinstance(rows_, list) for row in rows_})
        listed.append(
            {
                "id": f"{category}.{population}",
                "category": category,
                "population": population,
                "groups": own["group"].nunique(),
                "measures_named": own["named"].nunique(),
                "adopted": len({i for ids in own.loc[own["adopted"] > 0, "measures"] for i in ids}),
                "objects": len(own),
                "unanswered": int((own["answer"] == "none").sum()),
                "field_codes": _union(own["field_codes"]),
                "level_codes": _union(own["level_codes"]),
                "inputs": [*addresses("object", own["row"]), *addresses("measure", behind)],
            }
        )
    names = ["groups", "measures_named", "adopted", "objects", "unanswered"]
    frame = pd.DataFrame(listed, columns=["id", "category", "population", *names, "field_codes", "level_codes", "inputs"])
    lines = Measured(unit="rows", formula="count")
    measured = {"groups": Measured(unit="groups", formula="count"), "measures_named": MEASURES, "adopted": MEASURES}
    return [Result("object_coverage", frame, measured | {"objects": lines, "unanswered": lines})]


def _union(lists: pd.Series) -> list[str]:
    return sorted({code for codes in lists if isinstance(codes, list) for code in codes})


def _summary(challenge: ibis.Table, measure: ibis.Table, fields: pd.DataFrame, missing: pd.DataFrame) -> Result:
    """Over all types: measures that answer, each once, by level; fields with any; challenges answered from one field only."""
    adopted = coverage_by(challenge, measure, "measure_level")
    levels = collect(adopted, "measure_level").set_index("measure_level")
    per_level = {level: int(levels["adopted"].get(level, 0)) for level in LEVELS}
    whole = {
        "id": "all",
        "measures": sum(per_level.values()),
        **{f"level_{level}": count for level, count in per_level.items()},
        "fields": int((fields.groupby("field")["adopted"].sum() > 0).sum()) if len(fields) else 0,
        "of_fields": len(codebook()["field"]),
        **{name: int(missing[name].sum()) for name in ("challenges", "adopted", "one_field", "none")},
        "inputs": [*addresses("coverage_fields", fields["id"]), *addresses("coverage_gaps", missing["id"])],
    }
    field = Measured(unit="fields", formula="count")
    measured = {"measures": MEASURES, "fields": field, "of_fields": field, **{f"level_{level}": MEASURES for level in LEVELS}}
    measured |= dict.fromkeys(("challenges", "adopted", "one_field", "none"), CHALLENGES)
    return Result("coverage_summary", pd.DataFrame([whole]), measured)


def conflicts(tables: Tables, study: Study) -> list[Result]:
    """Candidates for a conflict and for a duplicate among the measures of the study's areas, counts, and the dates that would settle them.

    A pair is `certain` if the two were surely in force on the same days, `possible` if only dates that are not known let them be, `undated`
    if a start is not known. All certain pairs are listed; the others where both act on the same matter. The option `also` adds issuers.
    """
    (measure,) = needed(tables, "conflicts", "measure")
    own = measure.filter(_.issuer.isin([*study_areas(study), *study.option("conflicts", "also", [])]))
    pairs = _pairs(own, opposed, "tightening", "easing")
    pairs["listed"] = (pairs["evidence"] == "certain") | pairs["same_matter"]
    pairs = _in_order(pairs, "relation", list(_RELATIONS), "tightening", "easing")
    twice = _pairs(own, duplicates, "one", "other").rename(columns={"one": "entry", "other": "twin"})
    twice = _in_order(twice, "because", ["same_act", "alike_titles"], "entry", "twin")
    days = Measured(unit="days", formula="days_of_overlap")
    counts = _counts(pairs, twice)
    likeness = Measured(unit="ratio", formula="words_shared", decimals=2)
    return [
        Result("conflicts", pairs, {"days": days, "sure_days": days}),
        Result("duplicates", twice, {"days": days, "sure_days": days, "likeness": likeness}),
        Result("conflict_counts", counts, dict.fromkeys(("pairs", "listed", "openings", "two_bodies", "duplicates"), PAIRS)),
        Result("conflict_dates", _unsettled(pairs, own), {"pairs": PAIRS}),
    ]


def _pairs(measure: ibis.Table, find: Any, one: str, other: str) -> pd.DataFrame:
    """Every pair under the widest reading, and how sure it is that the two met in time; `sure_days` are the days they surely did."""
    every = collect(find(measure, reading="possible", undated=True), one, other)
    sure = collect(find(measure, reading="certain"), one, other).set_index([one, other])["days"].to_dict()
    keys = list(zip(every[one], every[other], strict=True))
    every.insert(0, "id", [f"{a}.{b}" for a, b in keys])
    every["sure_days"] = pd.array([sure.get(key) for key in keys], dtype="Int64")
    every["days"] = every["days"].astype("Int64")
    every["evidence"] = [
        "certain" if key in sure else "possible" if dated else "undated" for key, dated in zip(keys, every["dated"], strict=True)
    ]
    for day in ("first", "last"):
        every[day] = [None if pd.isna(value) else str(value)[:10] for value in every[day]]
    every["inputs"] = [addresses("measure", pair) for pair in zip(every[f"{one}_row"], every[f"{other}_row"], strict=True)]
    told = [f"{side}_{name}" for side in (one, other) for name in ("row", "title", "issuer", "level", "field", "instrument", "agency")]
    return every.drop(columns=["dated", "reading", *told])  # the entries themselves tell it


def _in_order(pairs: pd.DataFrame, column: str, order: list[str], *ids: str) -> pd.DataFrame:
    """The surest evidence first, then by the order of a column."""
    place = pairs.assign(_evidence=pairs["evidence"].map(EVIDENCE.index), _column=pairs[column].map(order.index))
    return place.sort_values(["_evidence", "_column", *ids], kind="stable").drop(columns=["_evidence", "_column"]).reset_index(drop=True)


def _counts(pairs: pd.DataFrame, twice: pd.DataFrame) -> pd.DataFrame:
    """For each kind of evidence and for all: pairs, those listed, of these openings beside a wider restriction and those of two agencies or
    levels, and duplicates."""
    rows = []
    for evidence in (*EVIDENCE, "all"):
        own, own_twice = (frame if evidence == "all" else frame[frame["evidence"] == evidence] for frame in (pairs, twice))
        listed = own[own["listed"].astype(bool)]
        rows.append(
            {
                "id": evidence,
                "pairs": len(own),
                "listed": len(listed),
                "openings": int((listed["relation"] == "easing_within").sum()),
                "two_bodies": int(listed["between"].isin(["across_agencies", "across_levels"]).sum()),
                "duplicates": len(own_twice),
                "inputs": [*addresses("conflicts", own["id"]), *addresses("duplicates", own_twice["id"])]
                or [*addresses("conflicts", pairs["id"]), *addresses("duplicates", twice["id"])],
            }
        )
    return pd.DataFrame(rows)


def _unsettled(pairs: pd.DataFrame, measure: ibis.Table) -> pd.DataFrame:
    """The entries whose dates, if known, would settle listed pairs: without a start, or begun first and without an end known to the day."""
    entries = collect(measure.select("id", "start", "end", "row", "start_earliest"), "id").set_index("id")
    rests: dict[str, list[str]] = {}
    for pair in pairs[pairs["listed"].astype(bool) & (pairs["evidence"] != "certain")].itertuples():
        both = entries.loc[[pair.tightening, pair.easing]]
        begun = both["start_earliest"]
        decisive = both[begun.isna()] if begun.isna().any() else both[begun == begun.min()]
        for entry in decisive.index:
            rests.setdefault(entry, []).append(pair.id)
    rows = [
        {
            "id": entry,
            "lacking": "start" if pd.isna(entries["start"][entry]) else "end" if pd.isna(entries["end"][entry]) else "day",
            "pairs": len(own),
            "inputs": [f"measure/{entries['row'][entry]}", *addresses("conflicts", own)],
        }
        for entry, own in sorted(rests.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    return pd.DataFrame(rows, columns=["id", "lacking", "pairs", "inputs"])
