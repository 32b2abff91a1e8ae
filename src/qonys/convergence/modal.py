"""Departure from the modal rule: for the same people, how many members ask something else than most of them do?

No index and no weights: rules are only the same or not. For each citizenship (or whatever a rule is about) and period the most common rule
of the members is the modal one; the departure is the share of members whose rule is another, and of all citizenships the mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from qonys.convergence.evidence import Evidence
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

FEWEST_MEMBERS = 3
NO_RULE = "none"  # the rule of a member that has no measure for somebody


def rules_on(measures: pd.DataFrame, days: Sequence[date], members: Sequence[str], about: Sequence[str]) -> pd.DataFrame:
    """The rule of each member for each citizenship on each day -> period (ISO day), area, about, rule, measure_ids.

    measures: the contract, with `begun` and `over` (first and last day in force), limited to citizenships or for all. Of several measures
    the strictest one is the rule: its direction, instrument and strength; where none is in force, NO_RULE.
    """
    wanted, inside = set(about), set(members)
    rows = []
    for one in measures[measures["issuer"].isin(inside)].to_dict("records"):
        named = set(one["target_citizenship"]) if one["target_citizenship"] is not None and len(one["target_citizenship"]) else wanted
        exempt = set(one["exception_citizenship"]) if one.get("exception_citizenship") is not None else set()
        rank = one["strength"] * (1 if one["direction"] == "tightening" else -1)
        rule = f"{one['direction']} {one['instrument']} {one['strength']}"
        for day in days:
            if one["begun"] <= day <= one["over"]:
                rows += [(day.isoformat(), one["issuer"], name, rank, rule, one["id"]) for name in (named & wanted) - exempt]
    found = pd.DataFrame(rows, columns=["period", "area", "about", "rank", "rule", "id"]).sort_values(
        ["rank", "rule", "id"], ascending=[False, True, True]
    )
    keys = ["period", "area", "about"]
    first = found.drop_duplicates(keys)
    ids = found.merge(first[[*keys, "rule"]], on=[*keys, "rule"]).groupby(keys)["id"].agg(lambda ids: " ".join(sorted(set(ids))))
    grid = pd.MultiIndex.from_product([[day.isoformat() for day in days], sorted(inside), sorted(wanted)], names=keys)
    whole = first.set_index(keys)[["rule"]].join(ids.rename("measure_ids")).reindex(grid)
    return whole.assign(rule=whole["rule"].fillna(NO_RULE), measure_ids=whole["measure_ids"].fillna("")).reset_index()


def modal_departure(rules: pd.DataFrame) -> tuple[Evidence, pd.DataFrame]:
    """The mean share of members that depart, by period, with that without each member; and period, members, about (how many), left_out.

    rules: period, area, about, rule. A citizenship counts where FEWEST_MEMBERS members or more have a rule for it; left_out: how many do
    not. A period in which none does has no value. Errors: DesignError for an empty table, or two rules of one member for the same people.
    """
    _check(rules)
    members = sorted(rules["area"].unique())
    value, without, rows = [], [], []
    for period, part in rules.groupby("period", sort=True):
        codes, counts = _counts(part, members)
        enough = counts.sum(axis=1) >= FEWEST_MEMBERS
        codes, counts = codes[enough], counts[enough]
        # without one member the modal rule stays that of all: where two rules are nearly as common, the rule itself would jump, and the
        # jackknife of a jump says nothing
        departs = (codes >= 0) & (codes != counts.argmax(axis=1)[:, None])
        has = codes >= 0
        value.append(_share(departs, has))
        without.append([_share(np.delete(departs, place, axis=1), np.delete(has, place, axis=1)) for place in range(len(members))])
        rows.append((period, part["area"].nunique(), int(enough.sum()), int((~enough).sum())))
    periods = tuple(str(row[0]) for row in rows)
    found = Evidence("departure", periods, tuple(members), np.array(value), np.array(without).T)
    return found, pd.DataFrame(rows, columns=["period", "members", "about", "left_out"])


def departures_by_member(rules: pd.DataFrame) -> pd.DataFrame:
    """How often each member departs -> period, area, about (how many), departure (share of its rules that are not the modal one).

    Where two rules are equally common both are modal: nobody departs by the alphabet.
    """
    _check(rules)
    count = rules.groupby(["period", "about", "rule"]).size().rename("holders").reset_index()
    most = count.groupby(["period", "about"])["holders"].transform("max")
    modal = count.assign(modal=count["holders"] == most)
    found = rules.merge(modal, on=["period", "about", "rule"])
    return found.groupby(["period", "area"], as_index=False).agg(
        about=("about", "size"), departure=("modal", lambda modal: 1 - modal.mean())
    )


def _check(rules: pd.DataFrame) -> None:
    if rules.empty:
        raise DesignError("there are no rules to compare", mend="check members, citizenships and days")
    if (twice := rules.duplicated(["period", "area", "about"])).any():
        row = rules[twice].iloc[0]
        raise DesignError(f"{row['area']} has two rules for {row['about']} in {row['period']}", mend="keep the one that stands")


def _counts(part: pd.DataFrame, members: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """about x members, the rule as a number or -1; about x rules, how many members have it."""
    number, names = pd.factorize(part["rule"], sort=True)
    wide = part.assign(number=number).pivot(index="about", columns="area", values="number").reindex(columns=list(members))
    codes = wide.fillna(-1).to_numpy().astype(np.int64)
    counts = np.stack([(codes == rule).sum(axis=1) for rule in range(len(names))], axis=1)
    return codes, counts


def _share(departs: NDArray[np.bool_], has: NDArray[np.bool_]) -> float:
    """Of each citizenship the share of members with a rule that depart, and of all the mean."""
    return float((departs.sum(axis=1) / np.maximum(has.sum(axis=1), 1)).mean()) if len(has) else float("nan")
