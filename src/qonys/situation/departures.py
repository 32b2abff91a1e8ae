"""What is out of line in an area on a day: with its own past, with its peers, with itself.

Four questions, none of which is a verdict: does the last change of a flow depart from the changes before it; do sources disagree on one
figure; does the area's set of measures, or its rules of entry, depart from those of its peers; which measures in force may not fit
together. Scores and thresholds are those of docs/methods/situation.md.
"""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qonys.convergence import distances_on
from qonys.core import areas
from qonys.core.errors import DataError
from qonys.core.periods import latest
from qonys.laboratory import departure_of
from qonys.registers import DEFAULT, SHIPPED
from qonys.situation.figures import BASE_YEARS, moved, percent, series_of
from qonys.situation.force import certainty_on, issuers_for
from qonys.situation.opened import day_of, fingerprint, held, pairs_held, register_held, remembered
from qonys.situation.reports import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = (
    "what", "code", "kind", "period", "value", "against", "unit", "low", "high", "score", "compared", "departs", "certainty", "basis",
    "gap", "inputs",
)  # fmt: skip
CUT = 3.5  # of the modified score: Iglewicz and Hoaglin (1993), How to Detect and Handle Outliers, section 3.2
SCALE = 0.6745  # makes the median absolute deviation a standard deviation under normality, as there
FEWEST_CHANGES = 7  # past changes below which no spread is taken: with fewer, one quiet year in ten would be called out of line
FEWEST_PEERS = 5
DISAGREEMENT = 1.0  # percent
PEERS = ("EU", "EAEU", "CIS")  # with whom an area is compared: the first of these that it belongs to, and of which enough have entries


@remembered
def out_of_line(
    area: str, on: date | str, *, disagreement: float = DISAGREEMENT, entry_rules: Sequence[str] = (), tables: Sequence[str] = (SHIPPED,),
    registers: Sequence[str] = DEFAULT,
) -> pd.DataFrame:  # fmt: skip
    """What departs in an area on a day, row by row, with what it is held against.

    what: `flow_change` (code: the kind of figure): the last known year against the mean of the three years before, in percent, of a net in
    units, held against the median of the same changes in the years before; low and high: between them the score would be within +-3.5;
    score: 0.6745 (change - median) / median absolute deviation, of logarithms where the figure cannot be negative; compared: past changes.
    `sources_disagree` (code: the source): another report of a figure of the last four years that is more than `disagreement` percent off;
    value: its figure, against: the one used, score: percent of the latter, compared: reports. Reports printed rounded count too.
    `portfolio` (code: the union of the peers): the area's mean distance (0-100) to its peers' sets of measures that day, against the median
    of the peers, scored like a change; compared: peers with entries. `entry_rules` (the same): the share (percent) of citizenships for
    which the area's rule of entry is not the one most members have, against their median; needs registers of rules (`entry_rules`).
    `measures_conflict` (code: the two ids): a pair in force that day that may not fit together, for a person to read. departs: true, false,
    or missing where it is not for a number to say; certainty: of a pair, whether both were surely in force. basis: `own_past`,
    `same_figure`, `peers`, `register`; gap: why there is no score: `no_figures`, `no_three_years`, `too_few_years`, `no_spread`,
    `no_peers`, `too_few_peers`, `no_entries`, `after_register` (the registers know nothing new of the peers after an earlier day),
    `no_entry_rules`. Errors: DataError for a code that is no area, no day, or a disagreement below 0.
    """
    if isinstance(disagreement, bool) or not isinstance(disagreement, int | float) or not 0 <= disagreement < np.inf:
        raise DataError(f"the disagreement is {disagreement!r}", mend="give percents from 0, as 1 for one percent")
    day, code = day_of(on), areas.area(area).code
    rows = [
        *_flow_changes(code, day, tables), *_disagreements(code, day, float(disagreement), tables), *_portfolio(code, day, registers),
        *_entry_rules(code, day, entry_rules), *_conflicts(code, day, registers),
    ]  # fmt: skip
    table = pd.DataFrame([{**dict.fromkeys(COLUMNS), **row} for row in rows], columns=list(COLUMNS))
    return table.astype(dict.fromkeys(("value", "against", "low", "high", "score"), float) | {"compared": "Int64", "departs": "boolean"})


def modified_score(value: float, others: Sequence[float]) -> tuple[float | None, float, float | None]:
    """How far a value lies from the median of others, in units of their spread; the median; and the distance at which the score is `CUT`.

    0.6745 (value - median) / MAD; none where the others do not differ (MAD is 0).
    """
    known = np.asarray(others, dtype=float)
    middle = float(np.median(known))
    spread = float(np.median(np.abs(known - middle)))
    return (None, middle, None) if spread == 0 else (SCALE * (value - middle) / spread, middle, CUT * spread / SCALE)


def changes_of(values: pd.Series, *, signed: bool) -> pd.Series:
    """Each year's figure against the mean of the three years before: the logarithm of the ratio, of signed figures the difference.

    values: by year, without gaps filled -> by year, those with all three years before (and, unsigned, nothing at zero).
    """
    out = {}
    for year in values.index:
        before = [values.get(year - back) for back in range(1, BASE_YEARS + 1)]
        if any(one is None for one in before):
            continue
        mean = float(np.mean(np.asarray(before, dtype=float)))
        if signed:
            out[year] = float(values[year]) - mean
        elif mean > 0 and values[year] > 0:
            out[year] = float(np.log(values[year] / mean))
    return pd.Series(out, dtype=float)


def _flow_changes(area: str, day: date, tables: Sequence[str]) -> list[dict[str, Any]]:
    last = moved(area, day, tables=tables)
    if last.empty:
        return [{"what": "flow_change", "code": area, "basis": "own_past", "gap": "no_figures", "inputs": []}]
    series = series_of(area, tables=tables)
    rows = []
    for row in last.itertuples():
        signed = row.kind.startswith("net")
        own = series[(series["kind"] == row.kind) & series["chosen"] & series["value"].notna()]
        own = own[own["period"] <= row.period]
        values = pd.Series(own["value"].to_numpy(float), index=own["period"].astype(int))
        changes = changes_of(values, signed=signed)
        year = int(row.period)
        past = changes[changes.index < year]
        told = {
            "what": "flow_change", "code": row.kind, "kind": row.kind, "period": row.period, "unit": row.unit if signed else "percent",
            "basis": "own_past", "compared": len(past), "inputs": sorted({one for rows in own["inputs"] for one in rows}),
        }  # fmt: skip
        if year not in changes.index:
            rows.append({**told, "gap": "no_three_years"})
            continue
        told["value"] = _shown(float(changes[year]), signed=signed)
        if len(past) < FEWEST_CHANGES:
            rows.append({**told, "gap": "too_few_years"})
            continue
        rows.append({**told, **_scored(float(changes[year]), list(past), signed=signed)})
    return rows


def _scored(value: float, others: list[float], *, signed: bool, least: float = -np.inf) -> dict[str, Any]:
    score, middle, reach = modified_score(value, others)
    told: dict[str, Any] = {"against": _shown(middle, signed=signed), "score": score}
    if score is None or reach is None:
        return {**told, "gap": "no_spread"}
    low, high = (_shown(middle + side * reach, signed=signed) for side in (-1, 1))
    return {**told, "low": max(low, least), "high": high, "departs": abs(score) > CUT}


def _shown(change: float, *, signed: bool) -> float:
    """A change as it is told: of logarithms the percent."""
    return change if signed else 100 * float(np.expm1(change))


def _disagreements(area: str, day: date, least: float, tables: Sequence[str]) -> list[dict[str, Any]]:
    series = series_of(area, kinds=[kind for kind in KINDS if not kind.startswith("net")], tables=tables)
    rows = []
    for (kind, period), own in series[series["value"].notna()].groupby(["kind", "period"], sort=True) if len(series) else []:
        if not _recent(period, day):
            continue
        used = own[own["chosen"]].iloc[0]
        for other in own[~own["chosen"]].itertuples():
            off = percent(other.value, float(used["value"]), signed=False)
            if off is not None and abs(off) > least:
                rows.append({
                    "what": "sources_disagree", "code": other.source, "kind": kind, "period": period, "value": other.value,
                    "against": used["value"],
                    "unit": other.unit, "score": off, "compared": len(own), "departs": True, "basis": "same_figure",
                    "inputs": sorted({*used["inputs"], *other.inputs}),
                })  # fmt: skip
    return rows


def _recent(period: str, day: date) -> bool:
    """A year that was over on the day, and is one of the last four that were."""
    last = day.year if (day.month, day.day) == (12, 31) else day.year - 1
    return last - BASE_YEARS <= int(period) <= last


def _portfolio(area: str, day: date, registers: Sequence[str]) -> list[dict[str, Any]]:
    opened = register_held(registers)
    told: dict[str, Any] = {
        "what": "portfolio",
        "code": area,
        "period": day.isoformat(),
        "unit": "distance",
        "basis": "peers",
        "inputs": [],
    }
    rows = []
    for union in (union for union in PEERS if area in areas.members(union, day)):
        entries = opened.entries
        own = entries[entries["issuer"].isin(areas.members(union, day)) & entries["begun_certain"].notna()]
        # only what one coder coded for the area and enough of its peers: a register that looked closely at one state alone compares coders
        own = own[own["coder"].map(own.groupby("coder")["issuer"].nunique()) > FEWEST_PEERS]
        peers = sorted(set(own["issuer"]) - {area})
        row = {**told, "code": union, "compared": len(peers)}
        if len(peers) < FEWEST_PEERS:
            rows.append({**row, "gap": "too_few_peers"})
        elif area not in set(own["issuer"]):
            rows.append({**row, "gap": "no_entries"})
        elif day > _looked_until(own):
            rows.append({**row, "gap": "after_register"})
        else:
            distances, inputs = held(("portfolio", opened.snapshot, union, day), partial(_distances, own, day))
            others = [distances[peer] for peer in peers]
            return [{**row, "value": distances[area], "inputs": inputs[area], **_scored(distances[area], others, signed=True, least=0)}]
    return rows[-1:] or [{**told, "gap": "no_peers"}]


def _looked_until(entries: pd.DataFrame) -> date:
    """The end of the month in which an entry last began or was last seen in force: after it all look alike, as nobody looked."""
    last = max(max(entries[name].dropna(), default=date.min) for name in ("start_latest", "seen_until"))
    return latest(f"{last:%Y-%m}")


def _distances(own: pd.DataFrame, day: date) -> tuple[dict[str, float], dict[str, list[str]]]:
    """The mean distance of each issuer to the others' sets of measures in force on a day, 0-100, and the rows it rests on."""
    issuers = sorted(own["issuer"].unique())
    table = distances_on(own.rename(columns={"begun_certain": "begun", "over_certain": "over"}), [day], issuers)[day]
    means = 100 * table.loc[issuers, issuers].to_numpy().sum(axis=1) / (len(issuers) - 1)
    force = own[[begun <= day <= over for begun, over in zip(own["begun_certain"], own["over_certain"], strict=True)]]
    inputs = {code: [f"measure/{row}" for row in sorted(force.loc[force["issuer"] == code, "row"])] for code in issuers}
    return dict(zip(issuers, map(float, means), strict=True)), inputs


def _entry_rules(area: str, day: date, names: Sequence[str]) -> list[dict[str, Any]]:
    told = {"what": "entry_rules", "basis": "peers", "period": day.isoformat(), "unit": "percent", "inputs": []}
    if not areas.is_member(area, "EU", day):
        return []
    told["code"] = "EU"
    if not names:
        return [{**told, "gap": "no_entry_rules"}]
    try:
        members = held(("entry_rules", fingerprint(names), day), lambda: departure_of(names, ["EU"], days=[day])[2])
    except DataError:
        return [{**told, "gap": "no_entry_rules"}]
    shares = {row.area: 100 * float(row.departure) for row in members.itertuples()}
    others = [share for code, share in shares.items() if code != area]
    if area not in shares or len(others) < FEWEST_PEERS:
        return [{**told, "gap": "no_entries" if area not in shares else "too_few_peers"}]
    return [{**told, "value": shares[area], "compared": len(others), **_scored(shares[area], others, signed=True, least=0)}]


def _conflicts(area: str, day: date, registers: Sequence[str]) -> list[dict[str, Any]]:
    opened = register_held(registers)
    pairs, own = pairs_held(opened, "conflicts"), issuers_for(area, day)
    mine = ("own", "country")
    rows = []
    for pair in pairs[pairs["dated"] & pairs["same_matter"]].itertuples():
        scopes = [own.get(issuer) for issuer in (pair.tightening_issuer, pair.easing_issuer)]
        if None in scopes or not set(scopes) & set(mine) or not _between(pair.first, pair.last, day):
            continue
        rows.append({
            "what": "measures_conflict", "code": f"{pair.tightening} {pair.easing}", "kind": pair.relation, "period": day.isoformat(),
            "basis": "register", "inputs": [f"measure/{pair.tightening_row}", f"measure/{pair.easing_row}"],
        })  # fmt: skip
    entries = opened.entries.set_index("id")
    for row in rows:
        sure = certainty_on(entries.loc[row["code"].split()], day)
        row["certainty"] = "certain" if (sure == "certain").all() else "possible"
    return sorted(rows, key=lambda row: (row["certainty"], row["code"]))


def _between(first: date | None, last: date | None, day: date) -> bool:
    return (first is None or first <= day) and (last is None or last >= day)
