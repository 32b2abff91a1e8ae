"""Effects on files: a design and its tables come in, the panel is made, and estimates go out."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from qonys.core.errors import DesignError, nearest
from qonys.core.numbers import numbers
from qonys.effects import Checks, Design, Effect, Panel, checks, estimate, fitting, least_effect, panel, read_design
from qonys.effects.substitution import Battery, Channel, battery, timing
from qonys.store import read_whole
from qonys.store.tables import read_text

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["evaluate", "open_battery", "open_design"]

CHANNEL = ("table", "unit", "period", "value", "exposed", "window", "before")
BATTERY = ("name", "window", "before", "announced", "until", "cluster", "coverage")


def open_design(path: Path) -> tuple[Design, Panel]:
    """A design file with its tables, joined. Errors: DesignError or DataError as sentences."""
    design = read_design(read_text(path), path.name)
    outcome, exposure = (read_whole(path.parent / source.table) for source in (design.outcome, design.exposure))
    return design, panel(outcome, exposure, design)


def open_battery(path: Path) -> Battery:
    """A battery file, answered: who was kept away by a measure, and where those went instead (see `effects.substitution`).

        window = ["2020-04", "2020-09"]       # in force
        before = ["2018-01", "2020-02"]       # the usual level; it ends before the announcement
        announced = "2020-03"                 # with `until`, what came early and what came late
        until = "2021-03"
        cluster = "origin"                    # column of all tables whose values are independent of each other
        direct = { table = "arrivals.csv", unit = "corridor", period = "month", value = "persons", exposed = "treated" }
        place = { table = "elsewhere.csv", unit = "corridor", period = "month", value = "persons", exposed = "tie" }

    exposed: the column with the weight of each unit, 0 for those compared with. Other channels: category.NAME, return, irregular.
    Errors: DesignError for keys that are not known or lacking, tables without the columns, weights that change within a unit.
    """
    try:
        found = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise DesignError(f"{path.name} is not TOML: {error}", mend="see docs/methods/substitution.md for the form") from None
    channels: dict[str, dict[str, Any]] = {}
    for key, value in found.items():
        if key in BATTERY:
            continue
        if not isinstance(value, dict):
            raise DesignError(f"{path.name} has the key {key!r}", mend=nearest(key, [*BATTERY, "direct"]))
        nested = {f"{key}.{own}": part for own, part in value.items() if isinstance(part, dict)}
        channels |= nested or {key: value}
    if "direct" not in channels:
        raise DesignError(f"{path.name} has no channel direct", mend='add direct = { table = "FILE", exposed = "COLUMN" }')
    if "cluster" not in found:
        # left to the single unit, intervals of place and net would hold three times of four only
        raise DesignError(f"{path.name} declares no cluster", mend='write cluster = "origin", or "unit" if units move by themselves')
    cluster = str(found["cluster"])
    made = {label: _channel(path, label, part, found, cluster) for label, part in channels.items()}
    direct = made.pop("direct")
    others: dict[str, Channel | None] = {**made}
    if "announced" in found and "until" in found:
        others |= timing(direct, announced=str(found["announced"]), until=str(found["until"]))
    return battery(direct, others, coverage=float(found.get("coverage", 0.95)), cluster=cluster)


def _channel(path: Path, label: str, part: dict[str, Any], whole: dict[str, Any], cluster: str) -> Channel:
    """One channel of a battery file with its table."""
    for key in part:
        if key not in CHANNEL:
            raise DesignError(f"{path.name}, {label} has the key {key!r}", mend=nearest(key, CHANNEL))
    if not isinstance(part.get("table"), str):
        raise DesignError(f"{path.name}, {label} names no table", mend=f'write {label} = {{ table = "FILE" }}')
    table = read_whole(path.parent / part["table"])
    names = {name: str(part.get(name, name)) for name in ("unit", "period", "value", "exposed")}
    keys = [*names.values(), *([cluster] if cluster != "unit" else [])]
    for column in keys:
        if column not in table.columns:
            raise DesignError(f"{part['table']} has no column {column!r}", mend=nearest(column, list(table.columns)))
    rows = table[list(dict.fromkeys(keys))].rename(columns={own: name for name, own in names.items()})
    if cluster != "unit" and cluster not in rows.columns:
        rows[cluster] = table[cluster]
    for name in ("value", "exposed"):
        rows[name] = numbers(rows[name], f"{part['table']}, column {names[name]}")
    weights = rows.groupby(rows["unit"].astype(str))["exposed"].agg(["min", "max"]).fillna(0.0)
    if (uneven := weights["min"] < weights["max"]).any():
        raise DesignError(
            f"{part['table']}: the weight of {weights.index[uneven][0]} changes", mend="give each unit one weight for all periods"
        )
    spans = {}
    for name in ("window", "before"):
        span = part.get(name, whole.get(name))
        if not isinstance(span, list) or len(span) != 2:
            raise DesignError(f"{path.name}, {label} has no {name}", mend=f'write {name} = ["2020-04", "2020-09"]')
        spans[name] = (str(span[0]), str(span[1]))
    return Channel(
        name=label.split(".")[0],
        table=rows.drop(columns="exposed"),
        exposed=weights["max"].to_dict(),
        window=spans["window"],
        before=spans["before"],
    )


def evaluate(design: Design, rows: Panel, estimator: str | None = None, *, draws: int = 50) -> tuple[Effect, Checks, float]:
    """The effect by an estimator (by default the first that fits), its checks, and the least effect the panel could have found.

    Errors: DesignError where none fits, or the one asked for does not.
    """
    if estimator is None:
        proposed = fitting(rows, design)
        if not proposed["fits"].any():
            raise DesignError("no estimator fits this design", mend="see `qonys effects check` for what it lacks")
        estimator = str(proposed.loc[proposed["fits"], "estimator"].iloc[0])
    effect = estimate(rows, design, estimator)
    return effect, checks(rows, design, effect, draws=draws), least_effect(rows, design)
