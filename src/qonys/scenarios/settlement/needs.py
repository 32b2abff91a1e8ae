"""Households, regions and values, checked and set against each other: who fits where, what each needs, what each region has."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd

from qonys.core.errors import DataError, DesignError, nearest
from qonys.scenarios.settlement.cells import days, listed, names, numbers, required
from qonys.scenarios.settlement.features import model_values
from qonys.scenarios.settlement.placement import OUTCOMES, Placement, columns_of
from qonys.scenarios.settlement.predictors import refuse_forbidden
from qonys.scenarios.settlement.prices import Market

# column of regions -> column of households that draws on it
LIMITS = {"places": "members", "households": None, "school_places": "children_school", "housing_units": "housing_need"}
HOUSEHOLD = ("household_id", "members", "adults", "workers", "children_school", "skill", "language", "housing_need", "arrived_on",
             "fixed_region", "barred")  # fmt: skip
MOST_MEMBERS = 100  # beyond, a row is no household
ALL_MUST = 1e4  # what is lost, in persons, by whoever is placed nowhere where everybody must be placed


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What is asked, ready to be placed.

    households: by day of arrival, then household_id. regions: by name. limits: names of the columns of market.need and market.capacity.
    market: one row a household, one column an option: each region, and where jobs are counted each region once more without a job.
    with_jobs: of each option. retention, employment: household x option, NaN where not known. weight: of each household. obstacle: why a
    household fits nowhere (barred, language, service, too_large), else empty. obstacle_limit: what it is too large for. notes: code,
    subject: not_limited (a limit regions do not state), one_unit_each (no housing_need), column_unused, values_unused.
    """

    placement: Placement
    households: pd.DataFrame
    regions: pd.DataFrame
    limits: tuple[str, ...]
    market: Market
    with_jobs: np.ndarray
    retention: np.ndarray
    employment: np.ndarray
    weight: np.ndarray
    obstacle: np.ndarray
    obstacle_limit: np.ndarray
    notes: pd.DataFrame


def needs(
    households: pd.DataFrame,
    regions: pd.DataFrame,
    placement: Placement,
    *,
    values: pd.DataFrame | None = None,
    jobs: pd.DataFrame | None = None,
) -> Needs:
    """Check the tables and set them against each other.

    households: household_id, members, [workers, children_school (persons), skill, language, housing_need (in the units of the regions'
    housing_units), arrived_on, fixed_region, barred (regions, `;` between), needs_SERVICE (0 or 1), and features].
    regions: region, places (persons), [households, school_places, school_places_LANGUAGE, jobs_SKILL, housing_units, languages (of
    services), school_languages, has_SERVICE (0 or 1), and features]: what is free. A limit without a column does not bind (a note); an
    empty cell is refused. jobs: region, skill, jobs, instead of the columns jobs_SKILL. values: household_id, region, retention,
    employment (0-1), [employment_without_job, by default 0]; a row for each household and each region it fits.
    Errors: DataError naming table, row and column; DesignError for columns that may not predict and tables that are not there.
    """
    for table, name in ((households, "households"), (regions, "regions"), (values, "values"), (jobs, "jobs")):
        if table is not None:
            refuse_forbidden(table.columns, name)
    regions = _regions(regions, jobs)
    households = _households(households, regions)
    limits, need, capacity, notes = _limits(households, regions, placement)
    fits, obstacle, obstacle_limit = _fits(households, regions, limits, need, capacity, placement)
    outcome, unused = _outcomes(households, regions, placement, values, fits)
    notes += unused + _unused(households, regions, placement)
    weight = households["members"].to_numpy(float) if placement.weigh == "persons" else np.ones(len(households))
    is_job = np.array([limit.startswith("jobs_") for limit in limits])
    workers = need[:, is_job].sum(axis=1) > 0
    retention, employment, without = outcome["retention"], outcome["employment"], outcome["employment_without_job"]
    place = np.arange(len(regions))
    if placement.jobs == "counted" and is_job.any() and placement.weights["employment"] > 0:
        # a household without workers loses nothing without a job
        without = np.where(workers[:, None], without, employment)
        region, with_jobs = np.tile(place, 2), np.repeat([True, False], len(place))
        retention, employment = np.hstack([retention, retention]), np.hstack([employment, without])
        enough = (need[:, None, is_job] <= capacity[None][:, :, is_job]).all(axis=2)
        fits = np.hstack([fits & enough & workers[:, None], fits])
        takes = ~is_job | with_jobs[:, None]
    else:
        region, with_jobs = place, np.full(len(place), placement.jobs == "needed" and bool(is_job.any()))
        takes = np.repeat((~is_job | (placement.jobs == "needed"))[None, :], len(place), axis=0)
    value = sum(share * found for (name, share), found in zip(placement.weights.items(), (retention, employment), strict=True) if share)
    market = Market(
        value=np.where(fits, value * weight[:, None], np.nan),
        need=need,
        capacity=capacity,
        region=region,
        takes=takes,
        count=np.ones(len(households)),
        nowhere=-ALL_MUST if placement.all_must else 0.0,
    )
    return Needs(
        placement=placement, households=households, regions=regions, limits=limits, market=market, with_jobs=with_jobs,
        retention=retention, employment=employment, weight=weight, obstacle=obstacle, obstacle_limit=obstacle_limit,
        notes=pd.DataFrame(notes, columns=["code", "subject"]),
    )  # fmt: skip


def _regions(regions: pd.DataFrame, jobs: pd.DataFrame | None) -> pd.DataFrame:
    required(regions, ("region", "places"), "regions")
    found = regions.assign(region=names(regions, "region", "regions"))
    found = found.sort_values("region", ignore_index=True)
    if jobs is not None:
        required(jobs, ("region", "skill", "jobs"), "jobs")
        if any(str(column).startswith("jobs_") for column in found.columns):
            raise DesignError("jobs stand both in regions (jobs_SKILL) and in a table of their own", mend="keep one of them")
        long = jobs.assign(region=jobs["region"].astype(str), skill=jobs["skill"].astype(str))
        for name in long["region"]:
            if name not in set(found["region"]):
                raise DataError(f"jobs names the region {name!r}, which regions lacks", mend=nearest(name, found["region"]))
        if long.duplicated(["region", "skill"]).any():
            row = long[long.duplicated(["region", "skill"])].iloc[0]
            raise DataError(f"jobs has {row['skill']!r} in {row['region']!r} twice", mend="keep one row for each region and skill")
        wide = long.assign(jobs=numbers(jobs, "jobs", "jobs", "region", whole=True)).pivot(index="region", columns="skill", values="jobs")
        for skill in wide.columns:
            # a skill that a region does not list has no job there
            found[f"jobs_{skill}"] = found["region"].map(wide[skill]).fillna(0)
    for column in found.columns:
        if column in LIMITS or str(column).startswith(("jobs_", "school_places_")):
            found[column] = numbers(found, column, "regions", "region", whole=True)
        if str(column).startswith("has_"):
            found[column] = numbers(found, column, "regions", "region", whole=True, most=1)
    return found


def _households(households: pd.DataFrame, regions: pd.DataFrame) -> pd.DataFrame:
    required(households, ("household_id", "members"), "households")
    found = households.assign(household_id=names(households, "household_id", "households"))
    key = "household_id"
    found["members"] = numbers(found, "members", "households", key, whole=True, least=1, most=MOST_MEMBERS)
    for column in ("adults", "workers", "children_school"):
        if column in found:
            found[column] = numbers(found, column, "households", key, whole=True)
    if "housing_need" in found:
        found["housing_need"] = numbers(found, "housing_need", "households", key)
    for column in found.columns:
        if str(column).startswith("needs_"):
            found[column] = numbers(found, column, "households", key, whole=True, most=1)
            if f"has_{column.removeprefix('needs_')}" not in regions:
                raise DataError(
                    f"households has {column}, but regions does not say where that is",
                    mend=f"add the column has_{column.removeprefix('needs_')} (0 or 1) to regions",
                )
    within = sum((found[column] for column in ("workers", "children_school") if column in found), pd.Series(0.0, found.index))
    for part, what in ((within, "workers and children at school"), (found.get("adults", within), "adults")):
        if (part > found["members"]).any():
            row = found[part > found["members"]].iloc[0]
            raise DataError(
                f"households, {row[key]!r}: more {what} than the {row['members']:g} members",
                mend="members counts everybody; correct one of them",
            )
    known = set(regions["region"])
    for column in ("fixed_region", "barred"):
        if column in found:
            for identity, given in zip(found[key], found[column], strict=True):
                named = listed(given)
                for name in named:
                    if name not in known:
                        raise DataError(
                            f"households, {identity!r}: {column} names {name!r}, which regions lacks", mend=nearest(name, known)
                        )
                if column == "fixed_region" and len(named) > 1:
                    raise DataError(
                        f"households, {identity!r}: fixed_region names {len(named)} regions", mend="name one, or bar the others"
                    )
    if {"fixed_region", "barred"} <= set(found.columns):
        for identity, fixed, barred in zip(found[key], found["fixed_region"], found["barred"], strict=True):
            if set(listed(fixed)) & set(listed(barred)):
                raise DataError(f"households, {identity!r}: must go to {fixed} and is barred from it", mend="drop one of the two")
    order = [key]
    if "arrived_on" in found:
        found["arrived_on"] = days(found, "arrived_on", "households", key)
        order = ["arrived_on", key]
    return found.sort_values(order, ignore_index=True)


def _limits(
    households: pd.DataFrame, regions: pd.DataFrame, placement: Placement
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, list[tuple[str, str]]]:
    """Names of limits, need (household x limit), capacity (region x limit) and notes."""
    columns: dict[str, np.ndarray] = {}
    notes = [("not_limited", limit) for limit in LIMITS if limit not in regions]
    for limit, column in LIMITS.items():
        if limit not in regions:
            continue
        if column is None or (column == "housing_need" and column not in households):
            columns[limit] = np.ones(len(households))
            notes += [("one_unit_each", limit)] if column else []
        else:
            columns[limit] = _drawn(households, column, limit)
    for prefix, amount, kind in (("school_places_", "children_school", "language"), ("jobs_", "workers", "skill")):
        kinds = [str(column).removeprefix(prefix) for column in regions.columns if str(column).startswith(prefix)]
        if not kinds:
            notes += [("not_limited", prefix.rstrip("_"))] if prefix == "jobs_" else []
            continue
        drawn = _drawn(households, amount, f"{prefix}{kinds[0]}")
        _drawn(households, kind, f"{prefix}{kinds[0]}", number=False)
        # who has no language of its own goes to any school; who works has a skill
        given = households[kind].map(lambda one: ";".join(listed(one)))
        for identity, one, persons in zip(households["household_id"], given, drawn, strict=True):
            if persons > 0 and one not in kinds and (one or kind == "skill"):
                raise DataError(
                    f"households, {identity!r}: no region says what it has for the {kind} {one!r}",
                    mend=f"{nearest(one, kinds)} Or add the column {prefix}{one or kind.upper()} to regions, 0 where there is none",
                )
        columns |= {f"{prefix}{one}": np.where(given == one, drawn, 0.0) for one in kinds}
    need = np.column_stack(list(columns.values()))
    # a share of a place is no place; 1e-9 for shares that are no binary fractions
    capacity = np.floor(regions[list(columns)].to_numpy(float) * (1 - placement.keep_capacity) + 1e-9)
    return tuple(columns), need, capacity, notes


def _drawn(households: pd.DataFrame, column: str, limit: str, *, number: bool = True) -> np.ndarray:
    if column not in households:
        raise DataError(f"regions limits {limit}, but households lacks {column}", mend=f"add {column} to households or leave {limit} out")
    return np.asarray(households[column].to_numpy(float if number else None))


def _fits(
    households: pd.DataFrame, regions: pd.DataFrame, limits: tuple[str, ...], need: np.ndarray, capacity: np.ndarray, placement: Placement
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who could go where were it empty (household x region), and what left a household with nowhere to go."""
    fits = np.ones((len(households), len(regions)), bool)
    obstacle = np.full(len(households), "", object)
    limit = np.full(len(households), "", object)
    region = regions["region"].to_numpy()

    def narrow(mask: np.ndarray, code: str, name: str = "") -> None:
        lost = fits.any(axis=1) & ~(fits & mask).any(axis=1)
        obstacle[lost], limit[lost] = code, name
        np.logical_and(fits, mask, out=fits)

    if "fixed_region" in households:
        narrow(np.array([np.isin(region, listed(one)) | (not listed(one)) for one in households["fixed_region"]]), "barred")
    if "barred" in households:
        narrow(np.array([~np.isin(region, listed(one)) for one in households["barred"]]), "barred")
    if "language" in households:
        wanted = households["language"].map(listed)
        everybody = np.ones(len(households), bool)
        at_school = households["children_school"].to_numpy() > 0 if "children_school" in households else ~everybody
        for column, affected in (("languages", everybody), ("school_languages", at_school)):
            if column in regions:
                spoken = [set(listed(one)) for one in regions[column]]
                able = {one: np.array([bool(set(one) & there) for there in spoken]) for one in set(wanted.map(tuple))}
                narrow(np.array([able[tuple(one)] | (not one) | (not who) for one, who in zip(wanted, affected, strict=True)]), "language")
    for column in households.columns:
        if str(column).startswith("needs_"):
            there = regions[f"has_{column.removeprefix('needs_')}"].to_numpy() > 0
            narrow(there[None, :] | (households[column].to_numpy() == 0)[:, None], "service")
    for place, name in enumerate(limits):
        if not name.startswith("jobs_") or placement.jobs == "needed":
            narrow(need[:, [place]] <= capacity[:, place][None, :], "too_large", name)
    return fits, obstacle, limit


def _outcomes(
    households: pd.DataFrame, regions: pd.DataFrame, placement: Placement, values: pd.DataFrame | None, fits: np.ndarray
) -> tuple[dict[str, np.ndarray], list[tuple[str, str]]]:
    """Outcomes by name, household x region, and notes."""
    nothing = np.full(fits.shape, np.nan)
    if placement.models:
        found = {
            name: model_values(placement.models[name], households, regions, where=f"values.model.{name}")
            if name in placement.models
            else nothing
            for name in OUTCOMES
        }
        return {**found, "employment_without_job": np.zeros(fits.shape)}, []
    if values is None:
        raise DesignError(
            "the placement takes its values from a table, which is not there", mend=f"give the table {placement.values_table}"
        )
    wanted = [outcome for outcome, weight in placement.weights.items() if weight]
    required(values, ("household_id", "region", *wanted), "values")
    rows, columns = (pd.Index(table[key]) for table, key in ((households, "household_id"), (regions, "region")))
    row, column = rows.get_indexer(values["household_id"].astype(str)), columns.get_indexer(values["region"].astype(str))
    if (column < 0).any():
        unknown = str(values["region"].astype(str).to_numpy()[column < 0][0])
        raise DataError(f"values names the region {unknown!r}, which regions lacks", mend=nearest(unknown, columns))
    used = row >= 0
    notes = [("values_unused", str(int((~used).sum())))] if not used.all() else []
    pair = row[used] * len(columns) + column[used]
    counted = np.bincount(pair, minlength=fits.size).reshape(fits.shape)
    for bad, how in ((counted > 1, "more than one row"), (fits & (counted == 0), "no row")):
        if bad.any():
            at, where = (int(axis[0]) for axis in np.nonzero(bad))
            raise DataError(f"values has {how} for household {rows[at]!r} in region {columns[where]!r}", mend="give exactly one")
    outcome = {}
    for name in (*OUTCOMES, "employment_without_job"):
        outcome[name] = np.zeros(fits.shape) if name == "employment_without_job" else nothing.copy()
        if name in values:
            shares = numbers(values[used], name, "values", "household_id", most=1, share=True)
            outcome[name].reshape(-1)[pair] = shares
    return outcome, notes


def _unused(households: pd.DataFrame, regions: pd.DataFrame, placement: Placement) -> list[tuple[str, str]]:
    """Columns that nothing reads: perhaps features for the eye, perhaps a misspelt limit."""
    features = set(chain.from_iterable(columns_of(term) for model in placement.models.values() for term in model.coefficients))
    read = {*HOUSEHOLD, *LIMITS, "region", "languages", "school_languages", *features}
    prefixes = ("jobs_", "school_places_", "has_", "needs_")
    return [
        ("column_unused", f"{name}.{column}")
        for name, table in (("households", households), ("regions", regions))
        for column in table.columns
        if column not in read and not str(column).startswith(prefixes)
    ]
