"""The question put to household records, read from TOML: which support, for how long, beside what else, and what each support costs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from qonys.core.errors import DesignError
from qonys.scenarios.reading import Part, read_part
from qonys.scenarios.settlement.predictors import refuse_forbidden

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Model = Literal["cox", "weibull", "lognormal", "loglogistic"]
MEASURES = ("moving_allowance", "rent_cover", "housing", "job_placement", "business_loan")
LONGEST = 240  # months; more is days or a slip
_TAKEN = ("household_id", "stay", "moved_on", "left_on", "observed_until", "days", "left", "support")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one household that gets a measure costs in all, in units of `currency` (ISO 4217)."""

    per_household: float
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionDesign:
    """A question of retention, checked for words but not yet against records.

    horizon_months: how long after the move retention is judged, rising. measures: codes of support, each compared with not getting it.
    covariates: columns held equal. model: cox (hazard ratios, no shape assumed) or an accelerated failure time (time ratios). strata:
    columns within which alone households are compared (cox only). costs: by measure.
    """

    name: str
    horizon_months: tuple[int, ...] = (12, 24, 36)
    measures: tuple[str, ...] = MEASURES
    covariates: tuple[str, ...] = ()
    model: Model = "cox"
    strata: tuple[str, ...] = ()
    costs: Mapping[str, Cost] = field(default_factory=dict)
    coverage: float = 0.95


def days_of(months: int) -> int:
    """Whole days in that many mean months of 365.25 / 12 days.

    >>> [days_of(months) for months in (1, 12, 36)]
    [30, 365, 1096]
    """
    return round(months * 365.25 / 12)


def read_retention_design(text: str, file: str) -> RetentionDesign:
    """A design out of TOML text; `file` names it in sentences.

    Errors: DesignError for text that is no TOML, keys and values of the wrong kind or unit, one column in two parts, ethnicity or religion
    (or what stands for them) anywhere, and strata beside a model that has none.
    """
    return retention_design_of(read_part(text, file))


def retention_design_of(part: Part) -> RetentionDesign:
    """The design of a file's content. Errors: as of `read_retention_design`."""
    measures = part.texts("measures", MEASURES)
    model = part.text("model", "cox", among=get_args(Model))
    covariates, strata = part.texts("covariates", ()), part.texts("strata", ())
    _check_columns(part, measures, covariates, strata)
    if strata and model != "cox":
        raise part.wrong("strata", list(strata), f"has no place in the model {model}", "move it to covariates, or use model = cox")
    coverage = part.share("coverage", 0.95)
    if not 0.5 <= coverage < 1:
        raise part.wrong("coverage", coverage, "is out of range", "give a share from 0.5 to below 1, such as 0.95")
    design = RetentionDesign(
        name=part.text("name", part.where.removesuffix(".toml")),
        horizon_months=_horizons(part),
        measures=measures,
        covariates=covariates,
        model=model,
        strata=strata,
        costs=_costs(part, measures),
        coverage=coverage,
    )
    part.done()
    return design


def _check_columns(part: Part, measures: tuple[str, ...], covariates: tuple[str, ...], strata: tuple[str, ...]) -> None:
    if not measures:
        raise part.wrong("measures", [], "compares nothing", f"name one of {', '.join(MEASURES)}")
    refuse_forbidden(measures, f"{part.where}, measures")
    for key, columns in (("covariates", covariates), ("strata", strata)):
        refuse_forbidden(columns, f"{part.where}, {key}", predicting=True)
        for column in columns:
            if column in _TAKEN:
                raise part.wrong(key, column, "is what a stay is made of", "name columns that were known at the move")
            if column in measures:
                raise part.wrong(key, column, "is among the measures too", "name it once")
            if key == "strata" and column in covariates:
                raise part.wrong(key, column, "is among the covariates too", "name it once")
    for measure in measures:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", measure):
            raise part.wrong("measures", measure, "is no code", "write small letters and underscores: rent_cover")


def _horizons(part: Part) -> tuple[int, ...]:
    found: Any = part.get("horizon_months", [12, 24, 36])
    whole = isinstance(found, list) and all(isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in found)
    if not whole or not found or found != sorted(set(found)):
        raise part.wrong("horizon_months", found, "is no rising list of months", "write horizon_months = [12, 24, 36]")
    if found[-1] > LONGEST:
        raise part.wrong(
            "horizon_months", found[-1], f"is above {LONGEST} months", f"if these are days, write {round(found[-1] / 30.4375)}"
        )
    return tuple(found)


def _costs(part: Part, measures: Iterable[str]) -> dict[str, Cost]:
    costs = {}
    for measure, cost in part.parts("costs", {}).items():
        if measure not in measures:
            raise DesignError(f"{cost.where}: {measure!r} is not among the measures", mend="add it there, or take its cost out")
        monthly = cost.has("per_month")
        if monthly == cost.has("per_household"):
            raise DesignError(
                f"{cost.where} needs either per_household or per_month",
                mend="write per_household = 900000, or per_month = 75000, months = 12",
            )
        each = cost.number("per_month" if monthly else "per_household", least=0, most=1e15)
        currency = cost.text("currency")
        if not re.fullmatch("[A-Z]{3}", currency):
            raise cost.wrong("currency", currency, "is no currency", "write its three letters of ISO 4217: KZT")
        costs[measure] = Cost(per_household=each * (cost.number("months", least=0.5, most=LONGEST) if monthly else 1), currency=currency)
        cost.done()
    return costs
