"""Stays and a design -> the rows and terms that a model may compare, and what it may not, with the reason as a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.core.errors import DesignError, nearest
from qonys.scenarios.settlement.predictors import refuse_forbidden, refuse_forbidden_values
from qonys.scenarios.settlement.retention_design import MEASURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qonys.scenarios.settlement.retention_design import RetentionDesign

MOST_LEVELS = 20
MOST_STRATA = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Rows of stays at risk, and the stays behind them.

    people: a row per stay, a column per term: the measures got at any time, the covariates. rows: stay (place in people), start, stop,
    left, and the terms as they were then: a stay is cut where support begins. judged: the stays of people over whom retention may be
    averaged. household, stratum: of each stay, numbered from 0. measures: those that are terms. codes: why a measure is none. late: did
    support begin after a move? notes: code, subject, value of whatever was assumed or left out.
    """

    people: pd.DataFrame
    rows: pd.DataFrame
    judged: NDArray[np.bool_]
    household: NDArray[np.intp]
    stratum: NDArray[np.intp]
    measures: tuple[str, ...]
    codes: dict[str, str]
    notes: tuple[tuple[str, str, float], ...]
    late: bool

    @property
    def terms(self) -> list[str]:
        """Names of terms, measures first."""
        return list(self.people.columns)


def compare(spells: pd.DataFrame, design: RetentionDesign) -> Comparison:
    """What a model can compare.

    A measure that nobody or everybody got is no term (nobody_got, everybody_got). Where nobody with it left (nobody_with_left), its effect
    has no bound, and those with it tell nothing of the other terms: they are left out, as the limit of the likelihood has it; so with
    nobody_without_left, and with a level of a covariate that nobody left. What then no longer varies is not_told_apart.
    Errors: DesignError for columns that are not there, ethnicity and religion, covariates that are days or have too many levels, nobody
    who left, and terms that always go together.
    """
    _check(spells, design)
    notes: list[tuple[str, str, float]] = []
    used = [*design.covariates, *design.strata]
    whole = spells[used].notna().all(axis=1).to_numpy()
    if not whole.all():
        notes.append(("dropped_missing", ";".join(name for name in used if spells[name].isna().any()), float((~whole).sum())))
    stays = spells[whole].reset_index(drop=True)
    if not stays["left"].any():
        raise DesignError(
            f"nobody of {len(stays)} stays left: there is nothing to compare", mend="use retention, whose interval says how many may leave"
        )
    people = pd.DataFrame({name: stays["support"].map(lambda row, name=name: float(name in row)) for name in design.measures})
    for name in design.covariates:
        people = pd.concat([people, _terms(stays[name], name, notes)], axis=1)
    if (stays["days"] <= 0).any():
        notes.append(("same_day", "days", float((stays["days"] <= 0).sum())))
    rows, late = _rows(stays, people, design.measures)
    notes += [("support_taken_from_move", name, np.nan) for name in design.measures if f"{name}_from_days" not in stays]
    people, rows, judged, codes = _separate(people, rows, design.measures, notes)
    stratum = stays.groupby(list(design.strata)).ngroup().to_numpy() if design.strata else np.zeros(len(stays), dtype=np.intp)
    if stratum.max() >= MOST_STRATA:
        raise DesignError(f"{design.name}: strata make more than {MOST_STRATA} groups", mend="use coarser strata, or a covariate")
    return Comparison(
        people=people,
        rows=rows.reset_index(drop=True),
        judged=judged,
        household=pd.factorize(stays["household_id"])[0],
        stratum=stratum,
        measures=tuple(name for name in design.measures if name not in codes),
        codes=codes,
        notes=tuple(notes),
        late=late,
    )


def _check(spells: pd.DataFrame, design: RetentionDesign) -> None:
    if spells.empty:
        raise DesignError("there is no stay to compare", mend="make stays of household records with spells()")
    where = f"design {design.name}"
    refuse_forbidden([*design.covariates, *design.strata], where, predicting=True)
    for name in (*design.covariates, *design.strata):
        if name not in spells:
            raise DesignError(f"{where}: the records have no column {name!r}", mend=nearest(name, map(str, spells.columns)))
        if not pd.api.types.is_numeric_dtype(spells[name]):
            refuse_forbidden_values(spells[name].dropna().unique(), name, where)
    seen = {code for row in spells["support"].unique() for code in row}
    for name in design.measures:
        if name not in seen and name not in MEASURES:
            raise DesignError(f"{where}: {name!r} is no known support and nobody got it", mend=nearest(name, {*seen, *MEASURES}))


def _terms(column: pd.Series, name: str, notes: list[tuple[str, str, float]]) -> pd.DataFrame:
    """A covariate as numbers, or as one column for each level but the most frequent."""
    if pd.api.types.is_datetime64_any_dtype(column):
        raise DesignError(f"covariate {name} holds days", mend="give a number, such as a year, or groups")
    number = pd.api.types.is_numeric_dtype(column)
    if number and np.isinf(column.to_numpy(float)).any():
        raise DesignError(f"covariate {name} holds an infinite number", mend="leave the field empty where the value is not known")
    if column.nunique() == 1:
        notes.append(("constant", name, np.nan))
        return pd.DataFrame(index=column.index)
    if number:
        return column.astype(float).to_frame(name)
    text = column.astype(str)
    levels = sorted(text.unique(), key=lambda level: (-int((text == level).sum()), level))
    if len(levels) > MOST_LEVELS:
        raise DesignError(f"covariate {name} has {len(levels)} levels", mend=f"put them together into {MOST_LEVELS} at most")
    notes.append(("reference", f"{name}={levels[0]}", float((text == levels[0]).sum())))
    return pd.DataFrame({f"{name}={level}": (text == level).astype(float) for level in levels[1:]})


def _rows(stays: pd.DataFrame, people: pd.DataFrame, measures: tuple[str, ...]) -> tuple[pd.DataFrame, bool]:
    """Stays cut where support began after the move; was any? In people, support that had not begun by the end is taken out."""
    stay = np.arange(len(stays))
    start = np.zeros(len(stays))
    # who leaves on the day of the move was there for half of it
    stop = stays["days"].to_numpy(float).clip(0.5)
    ends = stop.copy()
    begins = {}
    for name in measures:
        if f"{name}_from_days" not in stays:
            continue
        begin = stays[f"{name}_from_days"].fillna(np.inf).to_numpy(float)
        begins[name] = begin
        cut = (start < begin[stay]) & (begin[stay] < stop)
        after = stay[cut], begin[stay][cut], stop[cut]
        stop = np.where(cut, begin[stay], stop)
        stay, start, stop = (np.concatenate(pair) for pair in zip((stay, start, stop), after, strict=True))
    rows = people.iloc[stay].reset_index(drop=True)
    for name, begin in begins.items():
        rows[name] = (begin[stay] <= start).astype(float)
        people[name] = (begin < ends).astype(float)
    left = stays["left"].to_numpy(bool)[stay] & (stop == ends[stay])
    rows.insert(0, "left", left)
    for name, values in (("stop", stop), ("start", start), ("stay", stay)):
        rows.insert(0, name, values)
    return rows, any(bool(((begin > 0) & (people[name] > 0)).any()) for name, begin in begins.items())


def _separate(
    people: pd.DataFrame, rows: pd.DataFrame, measures: tuple[str, ...], notes: list[tuple[str, str, float]]
) -> tuple[pd.DataFrame, pd.DataFrame, NDArray[np.bool_], dict[str, str]]:
    """Terms without an estimate taken out, with the rows that tell nothing of the rest; one after another, for each may make the next.

    Only rows go, never a stay for what came later: the days waited before support stay in, or who waited long would be picked out.
    """
    codes: dict[str, str] = {}
    judged = np.ones(len(people), dtype=bool)
    while True:
        for name in people:
            values = rows[name]
            binary = values.isin((0.0, 1.0)).all()
            if values.nunique() == 1:
                code = "not_told_apart" if people[name].nunique() > 1 else "everybody_got" if values.iloc[0] else "nobody_got"
                keep = None
            elif binary and not rows.loc[values == 1, "left"].any():
                code, keep = "nobody_with_left", 0.0
            elif binary and not rows.loc[values == 0, "left"].any():
                code, keep = "nobody_without_left", 1.0
            else:
                continue
            if name in measures:
                codes[str(name)] = code
            else:
                notes.append((code, str(name), np.nan))
            if keep is not None:
                judged &= people[name].to_numpy() == keep
                notes.append(("stays_left_out", str(name), float((people[name] != keep).sum())))
                rows = rows[values == keep]
            rows, people = rows.drop(columns=name), people.drop(columns=name)
            break
        else:
            return people, rows, judged, codes
