"""What states did, against which challenges, and whether they drew together: the questions about policy."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pandas as pd
from ibis import _

from qonys.core.errors import DesignError, RegisterError
from qonys.core.periods import earliest, latest
from qonys.core.results import Measured, Result, addresses
from qonys.measures import adopted_statuses, answers, chronological, coverage
from qonys.studies.tables import Tables, collect, needed, study_areas

if TYPE_CHECKING:
    from qonys.studies.definition import Study

COUNT = Measured(unit="measures", formula="count")


def _named_in_register(table: str, named: set[str], known: set[str]) -> None:
    """Refuse a link to an entry that no register file of the study holds: a lost link would look like a missing answer."""
    lost = sorted(named - known)
    if lost:
        raise RegisterError(
            f"the table {table} names {', '.join(lost)}, which no register file of the study holds", mend="add the file or correct the id"
        )


def objects(tables: Tables, study: Study) -> list[Result]:
    """Groups that policy acts on and the measures named for them, each linked to its entries in the register (Table 1 of the seed)."""
    thing, measure = needed(tables, "objects", "object", "measure")
    del study
    rows = collect(thing.select("id", "category", "population", "group", "measure", "measure_ids", "row"), "id")
    rows["entries"] = [len(ids) if ids is not None else 0 for ids in rows["measure_ids"]]
    named = collect(measure.filter(_.id.isin(sorted({i for ids in rows["measure_ids"].dropna() for i in ids}))), "id")
    found = named.set_index("id")["row"].to_dict()
    _named_in_register("object", {i for ids in rows["measure_ids"].dropna() for i in ids}, set(found))
    rows["inputs"] = [[f"object/{r.row}", *addresses("measure", (found[i] for i in r.measure_ids or ()))] for r in rows.itertuples()]
    entries = named[
        ["id", "title", "start", "end", "status", "direction", "outcome", "outcome_value", "outcome_unit", "agency", "row"]
    ].copy()
    entries["inputs"] = [[f"measure/{row}"] for row in entries.pop("row")]
    pairs = rows.drop_duplicates(["category", "population", "group"])
    summary = {
        "id": "all",
        "groups": len(pairs),
        "measures": rows["measure"].nunique(),
        "entries": len(entries),
        "inputs": addresses("objects", rows["id"]),
    }
    counts = {"groups": Measured(unit="groups", formula="count"), "measures": COUNT, "entries": COUNT}
    return [
        Result("object_counts", pd.DataFrame([summary]), counts),
        Result("objects", rows.drop(columns="row"), {"entries": Measured(unit="measures", formula="count")}),
        Result("object_measures", entries, {"outcome_value": Measured(unit="as_row")}),
    ]


def challenges(tables: Tables, study: Study) -> list[Result]:
    """Challenges with the adopted and proposed measures that answer them, and those that nothing answers (Table 2 of the seed)."""
    challenge, measure = needed(tables, "challenges", "challenge", "measure")
    kept = challenge if not (omit := study.option("challenges", "omit", [])) else challenge.filter(_.id.notin(omit))
    rows = collect(coverage(kept, measure), "challenge").rename(columns={"challenge": "id"})
    rows["measures"] = [sorted(ids) if isinstance(ids, list) else [] for ids in rows["measures"]]
    every = collect(kept.select(measure=_.answered_by.unnest()).distinct(), "measure")["measure"]
    _named_in_register("challenge", set(every), set(collect(measure.select("id"), "id")["id"]))
    rows["inputs"] = [
        [f"challenge/{row}", *addresses("measure", own if isinstance(own, list) else [])]
        for row, own in zip(rows.pop("row"), rows.pop("measure_rows"), strict=True)
    ]
    measured = {"adopted": COUNT, "proposed": COUNT, "fields": Measured(unit="fields", formula="count")}
    groups = [
        {
            "id": answer,
            "challenges": int((rows["answer"] == answer).sum()),
            "of": len(rows),
            "inputs": addresses("challenges", rows.loc[rows["answer"] == answer, "id"]) or addresses("challenges", rows["id"]),
        }
        for answer in ("adopted", "proposed", "none")
    ]
    number = Measured(unit="challenges", formula="count")
    return [Result("challenges", rows, measured), Result("challenge_answers", pd.DataFrame(groups), {"challenges": number, "of": number})]


def policy_mix(tables: Tables, study: Study) -> list[Result]:
    """Fields of policy x kinds of challenge: how many adopted measures of the field answer challenges of the kind (Figure 5)."""
    field, challenge, measure = needed(tables, "policy_mix", "policy_field", "challenge", "measure")
    del study
    fields = collect(field.select("id", "register_fields", "row"), "id")
    kinds = sorted(collect(challenge.select("kind").distinct(), "kind")["kind"])
    if fields.empty or not kinds:
        raise DesignError("there are no fields of policy or no challenges to hold against each other", mend="add rows to both tables")
    answering = collect(answers(challenge, measure).filter(_.adopted), "kind", "field", "measure", "challenge")
    rows = []
    for entry in fields.itertuples():
        own = answering[answering["field"].isin(entry.register_fields or [])]
        for kind in kinds:
            cell = own[own["kind"] == kind]
            rows.append(
                {
                    "id": f"{entry.id}.{kind}",
                    "policy_field": entry.id,
                    "kind": kind,
                    "measures": cell["measure"].nunique(),
                    "challenges": cell["challenge"].nunique(),
                    "in_register": bool(entry.register_fields),
                    "inputs": [
                        f"policy_field/{entry.row}",
                        *addresses("measure", cell["measure_row"]),
                        *addresses("challenge", cell["challenge_row"]),
                    ],
                }
            )
    measured = {"measures": COUNT, "challenges": Measured(unit="challenges", formula="count")}
    table = pd.DataFrame(rows)
    return [Result("policy_mix", table, measured), _mix_summary(fields, answering, table)]


def _mix_summary(fields: pd.DataFrame, answering: pd.DataFrame, table: pd.DataFrame) -> Result:
    """Each field with its adopted measures that answer any challenge, and how many fields have none."""
    rows = []
    for entry in fields.itertuples():
        own = answering[answering["field"].isin(entry.register_fields or [])]
        rows.append(
            {
                "id": entry.id,
                "measures": own["measure"].nunique(),
                "inputs": addresses("policy_mix", table.loc[table["policy_field"] == entry.id, "id"]),
            }
        )
    summary = pd.DataFrame(rows)
    silent = int((summary["measures"] == 0).sum())
    whole = {
        "id": "all",
        "measures": answering["measure"].nunique(),
        "fields": len(fields),
        "silent": silent,
        "inputs": addresses("policy_mix_fields", summary["id"]),
    }
    summary = pd.concat([summary, pd.DataFrame([whole])], ignore_index=True)
    count = Measured(unit="fields", formula="count")
    return Result("policy_mix_fields", summary, {"measures": COUNT, "fields": count, "silent": count})


def register(tables: Tables, study: Study) -> list[Result]:
    """Every adopted measure of the areas and their union with its dates; counts by issuer and direction, and how many have no known end."""
    (measure,) = needed(tables, "register", "measure")
    issuers = [*study_areas(study), *study.option("register", "also", [])]
    window = (date(study.first, 1, 1), date(study.last, 12, 31))
    chosen = measure.filter(_.issuer.isin(issuers), _.status.isin(adopted_statuses()), _.start.notnull())
    rows = chronological(collect(chosen, "id"))
    inside = [
        earliest(start) <= window[1] and (pd.isna(end) or latest(end) >= window[0])
        for start, end in zip(rows["start"], rows["end"], strict=True)
    ]
    rows = rows.loc[pd.Series(inside, index=rows.index, dtype=bool)]
    rows = rows[["id", "issuer", "level", "field", "direction", "area", "start", "end", "row"]].reset_index(drop=True)
    rows["inputs"] = [[f"measure/{row}"] for row in rows.pop("row")]
    counts = []
    for issuer in issuers:
        own = rows[rows["issuer"] == issuer]
        by = own["direction"].value_counts()
        counts.append(
            {
                "id": issuer,
                "issuer": issuer,
                "measures": len(own),
                "open": int(own["end"].isna().sum()),
                "first": own["start"].min() if len(own) else None,
                **{d: int(by.get(d, 0)) for d in ("tightening", "easing", "neutral")},
                "inputs": addresses("register", own["id"]) or addresses("register", rows["id"]),
            }
        )
    names = ("measures", "open", "tightening", "easing", "neutral")
    by_issuer = pd.DataFrame(counts)
    total = {
        "id": "all",
        **{name: int(by_issuer[name].sum()) for name in names},
        "issuers": int((by_issuer["measures"] > 0).sum()),
        "inputs": addresses("register_counts", by_issuer["id"]),
    }
    kinds = dict.fromkeys(names, COUNT) | {"issuers": Measured(unit="issuers", formula="count")}
    return [
        Result("register", rows, {}),
        Result("register_counts", by_issuer, dict.fromkeys(names, COUNT)),
        Result("register_total", pd.DataFrame([total]), kinds),
    ]
