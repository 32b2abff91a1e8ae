"""Who moved first, and how long after the acts of the union?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from ibis import _

from qonys.core import areas
from qonys.core.errors import StudyError
from qonys.core.periods import earliest
from qonys.core.results import Measured, Result, addresses
from qonys.measures import adoption, chosen, lags, order
from qonys.studies.tables import Tables, collect, needed, study_areas

if TYPE_CHECKING:
    import ibis

    from qonys.studies.definition import Study

MOVED = ("before", "with", "after", "undecided", "never")
STATES = Measured(unit="issuers", formula="count")


def diffusion(tables: Tables, study: Study) -> list[Result]:
    """For each subject of the option `subjects`: the first day of each state, its place in the order, and the days since each act.

    A subject has id, of (which measures, see `measures.chosen`), acts (entries of the register), and may have label, since (a day: what
    began before is left out), also (more issuers) and members_of (a union: only its members on the day of the first act are in). The
    option `window` is the number of days after an act on which a move still counts as made with it.
    """
    (measure,) = needed(tables, "diffusion", "measure")
    subjects = study.option("diffusion", "subjects")
    window = study.option("diffusion", "window", 3)
    parts = [_subject(measure, study, subject, window) for subject in subjects]
    placed, lagged = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    place, days = Measured(unit="rank", formula="order_with_ties"), Measured(unit="days", formula="days_since_act")
    counts = dict.fromkeys(("issuers", "adopted", *MOVED), STATES) | {"window": Measured(unit="days", formula="as_declared")}
    ranks = {"lowest": place, "highest": place, "tied": STATES}
    return [
        Result("diffusion", placed, ranks),
        Result("diffusion_lags", lagged, {"low": days, "high": days}),
        Result("diffusion_acts", _by_act(lagged, window), counts),
    ]


def _subject(measure: ibis.Table, study: Study, subject: dict[str, Any], window: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    acts = collect(measure.filter(_.id.isin(subject["acts"])), "id").set_index("id")
    if lost := sorted(set(subject["acts"]) - set(acts.index)):
        raise StudyError(
            f"question 'diffusion' asks for the acts {', '.join(lost)}, which no register file of the study holds",
            mend="add the file or correct the id",
        )
    issuers = list(dict.fromkeys([*study_areas(study), *subject.get("also", [])]))
    if union := subject.get("members_of"):
        day = acts["start_earliest"].min().date()
        issuers = [issuer for issuer in issuers if areas.is_member(issuer, union, day)]
    since = earliest(str(subject["since"])) if "since" in subject else None
    adopted = adoption(measure, issuers, of=subject["of"], since=since)
    placed = collect(order(adopted), "lowest", "highest", "issuer")
    placed.insert(0, "id", subject["id"] + "." + placed["issuer"])
    placed.insert(1, "subject", subject["id"])
    # never is walked back to all entries of the kind: it says that none of them is of this issuer
    every = collect(chosen(measure, subject["of"]).select("row"), "row")["row"]
    placed["inputs"] = [addresses("measure", rows or every) for rows in placed.pop("rows")]
    for column in ("lowest", "highest", "tied"):
        placed[column] = placed[column].astype("Int64")
    for column in ("earliest", "latest"):
        placed[column] = _days(placed[column])
    lagged = collect(
        lags(adopted, measure.filter(_.id.isin(subject["acts"])), window=window), "act_earliest", "act", "low", "high", "issuer"
    )
    lagged.insert(0, "id", [f"{subject['id']}.{row.issuer}.{row.act}" for row in lagged.itertuples()])
    lagged.insert(1, "subject", subject["id"])
    for column in ("low", "high"):
        lagged[column] = lagged[column].astype("Int64")
    for column in ("act_earliest", "act_latest"):
        lagged[column] = _days(lagged[column])
    lagged["inputs"] = [[f"diffusion/{subject['id']}.{r.issuer}", f"measure/{acts['row'][r.act]}"] for r in lagged.itertuples()]
    return placed, lagged


def _days(column: pd.Series) -> list[str | None]:
    return [None if pd.isna(day) else str(day)[:10] for day in column]


def _by_act(lagged: pd.DataFrame, window: int) -> pd.DataFrame:
    """How many states moved before each act, with it and after it, and how many have no entry."""
    rows = []
    for (subject, act), own in lagged.groupby(["subject", "act"], sort=False):
        by = own["moved"].value_counts()
        counts = {moved: int(by.get(moved, 0)) for moved in MOVED}
        rows.append(
            {
                "id": f"{subject}.{act}",
                "subject": subject,
                "act": act,
                "act_earliest": own["act_earliest"].iloc[0],
                "issuers": len(own),
                "adopted": len(own) - counts["never"],
                **counts,
                "window": window,
                "inputs": addresses("diffusion_lags", own["id"]),
            }
        )
    names = ["id", "subject", "act", "act_earliest", "issuers", "adopted", *MOVED, "window", "inputs"]
    return pd.DataFrame(rows, columns=names)
