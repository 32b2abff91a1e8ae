"""The convergence laboratory on files and registers: panels come in, evidence is drawn up, and the title question is answered."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from ibis import _

from qonys.convergence.answer import Answer, answer
from qonys.convergence.evidence import Evidence, evidence_of_spread
from qonys.convergence.modal import NO_RULE, departures_by_member, modal_departure, rules_on
from qonys.convergence.portfolio import Distance, distances_on, mean_distance
from qonys.core import areas
from qonys.core.blocs import groups_of, read_division, shipped_division
from qonys.core.contracts import PANEL
from qonys.core.errors import DataError
from qonys.core.numbers import numbers
from qonys.core.periods import latest
from qonys.measures.history import FOREVER, as_days, spans
from qonys.registers import members_of, open_registers
from qonys.store import connect, read_whole, take_in
from qonys.store.tables import read_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.measures.history import Reading

__all__ = ["answer_of", "departure_of", "distances_of", "division", "facts_of", "measures_of", "panel_of"]


def panel_of(path: Path) -> pd.DataFrame:
    """A file of the contract `panel`: area, period, value and, where given, weight, low, high. Bad rows go beside the file.

    Errors: DataError for a file without rows, or with bad ones: a panel without some of its rows is another panel.
    """
    con = connect()
    came = take_in(con, path, PANEL)
    if came.faults:
        raise DataError(
            f"{path.name} has {came.bad_rows} bad rows; the first: {came.faults[0]}", mend=f"mend them; they stand in {came.quarantine}"
        )
    panel = con.to_pandas(came.table.drop("row"))
    if panel.empty:
        raise DataError(f"{path.name} has no rows", mend="check the file")
    return panel.drop(columns=[name for name in ("weight", "low", "high") if name in panel and panel[name].isna().all()])


def facts_of(path: Path) -> pd.DataFrame:
    """A table of area and numeric columns, each area once.

    Errors: DataError for other columns, text among numbers, or an area given twice.
    """
    table = read_whole(path)
    if "area" not in table.columns or len(table.columns) < 2:
        raise DataError(f"{path.name} has the columns {', '.join(map(str, table.columns))}", mend="give area and one or more numbers")
    if (twice := table["area"].duplicated()).any():
        raise DataError(f"{path.name} has {table.loc[twice, 'area'].iloc[0]} twice", mend="leave one row an area")
    for name in table.columns.drop("area"):
        table[name] = numbers(table[name], f"{path.name}, column {name}")
    return table


def division(name: str, codes: Sequence[str]) -> dict[str, str]:
    """The group of each area by a shipped division, or by a TOML file of the same form with one division (see `core.blocs`)."""
    return groups_of(read_division(read_text(Path(name)), name) if name.endswith(".toml") else shipped_division(name), codes)


def measures_of(names: Sequence[str], issuers: Sequence[str], *, reading: Reading = "certain") -> pd.DataFrame:
    """The adopted measures of some issuers with their days in force (`begun`, `over`, `dose`), out of registers."""
    con = connect()
    return as_days(con.to_pandas(spans(open_registers(con, names), reading=reading).filter(_.issuer.isin(list(issuers)))))


def departure_of(
    names: Sequence[str], members: Sequence[str], *, days: Sequence[date] | None = None, reading: Reading = "certain"
) -> tuple[Evidence, pd.DataFrame, pd.DataFrame]:
    """Departure from the modal rule of entry, for citizenships outside the members -> evidence, its counts, each member's share.

    names: registers of entry rules by citizenship, as `qonys measures import passport` makes them. days: by default those on which the
    source saw a rule begin or end, as between two of its snapshots nothing is known.
    Errors: DataError where no measure of the members names a citizenship.
    """
    codes = members_of(members, max(days) if days else date(2021, 1, 1))
    measures = measures_of(names, codes, reading=reading)
    measures = measures[[bool(len(own)) if own is not None else False for own in measures["target_citizenship"]]]
    about = sorted(set().union(*(set(own) for own in measures["target_citizenship"])) - set(codes)) if len(measures) else []
    if not about:
        raise DataError(
            "no measure of the members is about a citizenship", mend="give a register of entry rules: qonys measures import passport"
        )
    seen = sorted({*measures["begun"], *(day for day in measures["over"] if day < FOREVER)})
    rules = rules_on(measures, list(days) if days else seen, codes, about)
    # a day on which nobody has a rule was not looked at
    looked = rules.groupby("period")["rule"].transform(lambda rule: (rule != NO_RULE).any())
    evidence, counts = modal_departure(rules[looked])
    return evidence, counts, departures_by_member(rules[looked])


def distances_of(
    names: Sequence[str], issuers: Sequence[str], days: Sequence[date], *, method: Distance = "gower", reference: str | None = None,
    reading: Reading = "certain",
) -> dict[date, pd.DataFrame]:  # fmt: skip
    """Distances of the portfolios of issuers out of registers on days, unions replaced by their members (see `convergence.distances_on`).

    reference: one more issuer, as the union whose acts are the common ones. Days on which the registers no longer look are left out: those
    after the last day on which any of these issuers' entries began or was seen in force, since all portfolios would look alike there.
    Errors: DataError where no day is left.
    """
    codes = members_of(issuers, max(days))
    if reference:
        areas.area(reference)
    everyone = [*codes, *([reference] if reference else [])]
    measures = measures_of(names, everyone, reading=reading)
    own = measures[measures["issuer"].isin(codes)]
    if own.empty:
        raise DataError("the registers hold no adopted entry of these issuers", mend="name another register with --register")
    until = _looked_until(own)
    looked = [day for day in days if day <= until]
    if not looked:
        raise DataError(f"the registers know nothing new of these issuers after {until}", mend="give earlier days, or a newer register")
    return distances_on(measures, looked, everyone, method=method)


def _looked_until(measures: pd.DataFrame) -> date:
    """The end of the month of the last day on which an entry began or was seen in force."""
    last = max(pd.Timestamp(measures[name].max()) for name in ("start_latest", "seen_until") if measures[name].notna().any())
    return latest(f"{last:%Y-%m}")


def answer_of(
    panel: pd.DataFrame, *, portfolios: Sequence[str] = (), entry_rules: Sequence[str] = (), reading: Reading = "certain",
    coverage: float = 0.95,
) -> Answer:  # fmt: skip
    """The answer for the areas and periods of a panel, from its spread and, where registers are named, distances and departures too."""
    periods, codes = sorted(panel["period"].unique()), sorted(panel["area"].unique())
    ends = {period: latest(period) for period in periods}
    kinds = [evidence_of_spread(panel)]
    if portfolios:
        kinds.append(
            _on(
                periods,
                mean_distance(distances_of(portfolios, codes, list(ends.values()), reading=reading))[0],
                {end.isoformat(): period for period, end in ends.items()},
            )
        )
    if entry_rules:
        found = departure_of(entry_rules, codes, reading=reading)[0]
        # of several days of a period the last one seen stands for it
        inside = {day: period for day in found.periods for period in periods if day.startswith(period)}
        kinds.append(
            _on(periods, found, {max(day for day, own in inside.items() if own == period): period for period in set(inside.values())})
        )
    return answer(kinds, coverage=coverage)


def _on(periods: Sequence[str], one: Evidence, names: dict[str, str]) -> Evidence:
    """Evidence on the periods of the panel; those it does not have are gaps."""
    at = {names[day]: place for place, day in enumerate(one.periods) if day in names}
    value = np.array([one.value[at[period]] if period in at else np.nan for period in periods])
    without = np.stack([one.without[:, at[period]] if period in at else np.full(len(one.areas), np.nan) for period in periods], axis=1)
    return Evidence(one.name, tuple(periods), one.areas, value, without)
