"""A placement as a room file: whom to place where, what is maximised, what limits it, where values come from. No numbers are reckoned here.

name = "north-2022"
households = "households.csv"
regions = "regions.csv"
objective = { retention = 0.7, employment = 0.3 }
[values]
table = "values.csv"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from qonys.core.errors import DesignError, nearest
from qonys.scenarios.reading import Part, read_part
from qonys.scenarios.settlement.predictors import refuse_forbidden

OUTCOMES = ("retention", "employment")
JOBS = ("counted", "needed")
WEIGHTS = ("persons", "households")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueModel:
    """How probable an outcome is from features of household and region.

    kind: `odds`, log odds = log odds of the baseline + sum; or `hazard`, share = baseline ** exp(sum), as Cox coefficients are used.
    baseline: share, 0-1, where all features are 0. coefficients: by feature, a column of households or regions, `column=level` for a text,
    or a product of these with `*`, such as `skill=farm*rural`.
    """

    kind: Literal["odds", "hazard"]
    baseline: float
    coefficients: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What is known before households arrive one by one.

    history, values: tables of households that came before, and their values. expected: households in all, by default as many as the history
    has. every: arrivals between two reckonings of the prices, by default a fortieth of those expected. trajectories: futures drawn for each
    reckoning. seed: of the draws.
    """

    history: str | None = None
    values: str | None = None
    expected: int | None = None
    every: int | None = None
    trajectories: int = 3
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A placement, checked for words but not yet against tables.

    households, regions, jobs_table (region, skill, jobs), values_table: paths, read by the caller. weights: of retention and employment,
    sum 1. weigh: an outcome counts for each person of a household, or once a household. jobs: `counted`, a household without a job for each
    worker goes but has the employment it has without; `needed`, it does not go. keep_capacity: share of every limit kept for later.
    all_must: place everybody or refuse.
    """

    name: str
    households: str
    regions: str
    weights: Mapping[str, float]
    jobs_table: str | None = None
    values_table: str | None = None
    models: Mapping[str, ValueModel] = field(default_factory=dict)
    jobs: Literal["counted", "needed"] = "counted"
    weigh: Literal["persons", "households"] = "persons"
    keep_capacity: float = 0.0
    all_must: bool = False
    arrivals: Arrivals = field(default_factory=Arrivals)


def read_placement(text: str, file: str) -> Placement:
    """A placement out of TOML text.

    Errors: DesignError for text that is no TOML, a key that is missing, unknown or of a wrong kind, weights that do not sum to 1, values
    both from a table and a model or from neither, and a feature that may not predict (see `predictors`).
    """
    return placement_of(read_part(text, file))


def placement_of(part: Part) -> Placement:
    """The placement of a file's content. Errors: as of `read_placement`."""
    file = part.where
    table, models = _values(part.part("values"))
    placement = Placement(
        name=part.text("name"),
        households=part.text("households"),
        regions=part.text("regions"),
        jobs_table=part.text("jobs_table", None),
        jobs=part.text("jobs", "counted", among=JOBS),
        weigh=part.text("weigh", "persons", among=WEIGHTS),
        keep_capacity=part.share("keep_capacity", 0.0),
        all_must=part.flag("all_must"),
        weights=_weights(part.part("objective")),
        values_table=table,
        models=models,
        arrivals=_arrivals(part.part("arrivals", {})),
    )
    part.done()
    if placement.keep_capacity == 1:
        raise DesignError(f"{file}: keep_capacity = 1 keeps every place back", mend="give a share below 1, such as 0.1")
    if placement.models:
        for outcome, weight in placement.weights.items():
            if weight and outcome not in placement.models:
                raise DesignError(f"{file}: objective counts {outcome}, which no model gives", mend=f"add [values.model.{outcome}]")
    return placement


def _weights(part: Part) -> dict[str, float]:
    weights = {outcome: part.share(outcome, 0.0) for outcome in OUTCOMES}
    part.done()
    if abs(sum(weights.values()) - 1) > 1e-6:
        raise DesignError(
            f"{part.where}: the weights sum to {sum(weights.values()):g}, not 1",
            mend="write shares such as retention = 0.7, employment = 0.3",
        )
    return weights


def _values(part: Part) -> tuple[str | None, dict[str, ValueModel]]:
    table = part.text("table", None)
    models = {name: _model(name, one) for name, one in part.parts("model", {}).items()}
    part.done()
    if (table is None) == (not models):
        raise DesignError(
            f"{part.where} names {'neither a table nor a model' if table is None else 'both a table and a model'}",
            mend='write table = "values.csv", or [values.model.retention], not both',
        )
    return table, models


def _model(name: str, part: Part) -> ValueModel:
    if name not in OUTCOMES:
        raise DesignError(f"{part.where} is the model of no outcome", mend=nearest(name, OUTCOMES))
    kind, baseline = part.text("kind", among=("odds", "hazard")), part.share("baseline")
    if not 0 < baseline < 1:
        raise part.wrong("baseline", baseline, "leaves nothing to chance", "give a share between 0 and 1, such as 0.8")
    terms = part.part("coefficients", {})
    refuse_forbidden((column for term in terms.content for column in columns_of(term)), terms.where, predicting=True)
    # beyond 20 a share is 0 or 1 whatever else: a unit went wrong
    model = ValueModel(kind=kind, baseline=baseline, coefficients={term: terms.number(term, least=-20, most=20) for term in terms.content})
    part.done()
    return model


def columns_of(term: str) -> list[str]:
    """The columns of a feature: `skill=farm*rural` -> skill, rural."""
    return [factor.partition("=")[0].strip() for factor in term.split("*")]


def _arrivals(part: Part) -> Arrivals:
    found = Arrivals(
        history=part.text("history", None),
        values=part.text("values", None),
        expected=part.whole("expected", None, least=1, most=10_000_000),
        every=part.whole("every", None, least=1),
        trajectories=part.whole("trajectories", 3, least=1, most=1000),
        seed=part.whole("seed", 0),
    )
    part.done()
    if found.values and not found.history:
        raise DesignError(f"{part.where} has values of a history but no history", mend='add history = "households-before.csv"')
    return found
