"""A design says what is compared with what: an outcome, an exposure, units, periods, an estimand, a comparison. Read from TOML, no numbers.

    name = "nights" outcome = { table = "nights.csv", unit = "area", period = "month", value = "nights", where = { residence = "Foreign
    country" }, kind = "count" } exposure = { table = "exposure.csv", unit = "destination", period = "period", dose = "dose", announced =
    "announced" } comparison = "not_yet_treated"

Paths are relative to the design. Each table may be CSV, Parquet or XLSX.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from qonys.core.errors import DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["level", "count", "log"]
Comparison = Literal["never_treated", "not_yet_treated"]
Estimand = Literal["att", "dose_response"]
AfterEnd = Literal["keep", "drop"]

TOP = (
    "name",
    "outcome",
    "exposure",
    "comparison",
    "estimand",
    "covariates",
    "cluster",
    "anticipation",
    "coverage",
    "unit_of_outcome",
    "first",
    "last",
    "after_end",
    "substitution",
)
OUTCOME = ("table", "unit", "period", "value", "where", "kind")
EXPOSURE = ("table", "unit", "period", "dose", "on", "threshold", "where", "announced")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which columns of a table are unit, period and value, and which of its rows count (`where`: column -> value or values)."""

    table: str
    unit: str
    period: str
    value: str
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A design, checked for words but not yet against data.

    outcome, exposure: sources; the value of the exposure is its dose. kind: level, count, or log (estimated on logs, refused at zero).
    threshold: a dose above it is "on". announced: column of the exposure with the day of announcement. comparison: never treated units, or
    those not yet treated too. anticipation: periods before the first one in force that count as treated. covariates: columns of the
    outcome table. cluster: one of its columns, by default the unit. first, last: periods. after_end: drop the periods after a
    unit's first treatment ended: what is left stays treated, and says what the measure did while in force. substitution: a battery file
    (see `qonys.evaluation.open_battery`) that is answered after the effect.
    """

    name: str
    outcome: Source
    exposure: Source
    kind: Kind = "level"
    threshold: float = 0.0
    announced: str | None = None
    comparison: Comparison = "not_yet_treated"
    estimand: Estimand = "att"
    covariates: tuple[str, ...] = ()
    cluster: str | None = None
    anticipation: int = 0
    coverage: float = 0.95
    unit_of_outcome: str = "units"
    first: str | None = None
    last: str | None = None
    after_end: AfterEnd = "keep"
    substitution: str | None = None


def read_design(text: str, file: str) -> Design:
    """A design out of TOML text. Errors: DesignError for text that is no TOML, a missing or unknown key, or a value of the wrong kind."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DesignError(f"{file} is not TOML: {error}", mend="see docs/methods/design.md for the form") from None
    _known(found, TOP, file)
    outcome, exposure = (_part(found, name, keys, file) for name, keys in (("outcome", OUTCOME), ("exposure", EXPOSURE)))
    design = Design(
        name=str(found.get("name", file.removesuffix(".toml"))),
        outcome=_source(outcome, outcome.get("value", "value"), file, "outcome"),
        exposure=_source(exposure, exposure.get("dose", exposure.get("on", "dose")), file, "exposure"),
        kind=_one_of(outcome.get("kind", "level"), get_args(Kind), file, "outcome.kind"),
        threshold=_number(exposure.get("threshold", 0.0), file, "exposure.threshold"),
        announced=exposure.get("announced"),
        comparison=_one_of(found.get("comparison", "not_yet_treated"), get_args(Comparison), file, "comparison"),
        estimand=_one_of(found.get("estimand", "att"), get_args(Estimand), file, "estimand"),
        covariates=tuple(found.get("covariates", ())),
        cluster=found.get("cluster"),
        anticipation=int(_number(found.get("anticipation", 0), file, "anticipation")),
        coverage=_number(found.get("coverage", 0.95), file, "coverage"),
        unit_of_outcome=str(found.get("unit_of_outcome", "units")),
        first=found.get("first"),
        last=found.get("last"),
        substitution=found.get("substitution"),
        after_end=_one_of(found.get("after_end", "keep"), get_args(AfterEnd), file, "after_end"),
    )
    if not 0.5 <= design.coverage < 1:
        raise DesignError(f"{file} asks for a coverage of {design.coverage:g}", mend="give a share such as 0.95")
    if design.anticipation < 0:
        raise DesignError(f"{file} has an anticipation of {design.anticipation}", mend="give a number of periods, 0 or more")
    return design


def _known(found: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in found:
        if key not in keys:
            raise DesignError(f"{where} has the key {key!r}", mend=nearest(key, keys))


def _part(found: Mapping[str, Any], name: str, keys: tuple[str, ...], file: str) -> dict[str, Any]:
    part = found.get(name)
    if not isinstance(part, dict) or not isinstance(part.get("table"), str):
        raise DesignError(f"{file} names no table for the {name}", mend=f'add {name} = {{ table = "FILE", unit = "...", period = "..." }}')
    _known(part, keys, f"{file}, {name}")
    return part


def _source(part: Mapping[str, Any], value: str, file: str, name: str) -> Source:
    where = part.get("where", {})
    if not isinstance(where, dict):
        raise DesignError(f"{file}, {name}.where is no table", mend='write where = { column = "value" }')
    return Source(table=part["table"], unit=part.get("unit", "area"), period=part.get("period", "period"), value=value, where=where)


def _one_of(value: Any, words: tuple[str, ...], file: str, key: str) -> Any:
    if value not in words:
        raise DesignError(f"{file}, {key} is {value!r}", mend=nearest(str(value), words))
    return value


def _number(value: Any, file: str, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DesignError(f"{file}, {key} is {value!r}, no number", mend="write a number")
    return float(value)
