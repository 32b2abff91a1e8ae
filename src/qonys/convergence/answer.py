"""The title question, answered: when did areas converge, when did they drift apart, what speaks for it, what against, and on what it hangs.

Each kind of evidence (spread of an index, distance of portfolios, departure from the modal rule) is cut where its level breaks (`breaks`);
dates that lie within a few periods of each other are one. From each phase to the next every kind gives a verdict with an interval, and the
verdicts together say converging, distancing, or neither. It never says more than the intervals allow: where they disagree it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from qonys.convergence.breaks import MOST, SHORTEST, level_breaks
from qonys.convergence.sigma import joint_verdict
from qonys.core.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.convergence.evidence import Evidence

NEAR = 2  # periods within which breaks of several kinds are one


class Break(NamedTuple):
    """Where one kind of evidence breaks, and where it would without any one area: places in the list of periods."""

    place: int
    kind: str
    earliest: int
    latest: int


@dataclass(frozen=True, slots=True)
class Answer:
    """phases: phase (1, 2, ...), first, last, verdict (of the change to it from the one before; the first: start), found_in (the kinds that
    break there), earliest, latest (where the break lies without any one area). evidence: phase, kind, change, low, high, verdict, supports
    (for, against, undecided), hangs_on (areas without any one of which its verdict is another). left_out: kind,
    period (empty: all of them, as far as breaks go), why.
    """

    phases: pd.DataFrame
    evidence: pd.DataFrame
    left_out: pd.DataFrame
    coverage: float


def answer(kinds: Sequence[Evidence], *, most: int = MOST, shortest: int = SHORTEST, near: int = NEAR, coverage: float = 0.95) -> Answer:
    """Phases with verdicts and what they rest on. kinds: evidence over the same periods, or some of them.

    Errors: DesignError without evidence, for a kind given twice, or where no kind has periods enough.
    """
    if not kinds or len({one.name for one in kinds}) < len(kinds):
        raise DesignError("an answer rests on evidence, each kind once", mend="give a panel, or portfolios, or rules")
    periods = sorted(set().union(*(one.periods for one in kinds)))
    place = {period: number for number, period in enumerate(periods)}
    found: list[Break] = []
    left_out, broken = [], []
    for one in kinds:
        known = np.flatnonzero(np.isfinite(one.value))
        left_out += [(one.name, one.periods[gap], "no value") for gap in np.flatnonzero(~np.isfinite(one.value))]
        if len(known) < 2 * shortest:
            left_out.append((one.name, "", f"{len(known)} periods have a value, too few to find a break between phases of {shortest}"))
            continue
        broken.append(one.name)
        cuts = level_breaks(one.value[known], most, shortest)
        others = [level_breaks(row[known], most, shortest, number=len(cuts)) for row in one.without]
        for number, cut in enumerate(cuts):
            dates = [cut, *(other[number] for other in others)]
            earliest, latest, here = (place[one.periods[known[date]]] for date in (min(dates), max(dates), cut))
            found.append(Break(here, one.name, earliest, latest))
    if not broken:
        raise DesignError("no evidence has periods enough for two phases", mend=f"give panels of {2 * shortest} periods or more")
    groups = _together(sorted(found), near)
    edges = [0, *(group[len(group) // 2].place for group in groups), len(periods)]
    rows, lines = [(1, periods[0], "start", "", "", "")], []
    for number, group in enumerate(groups, start=1):
        before, after = periods[edges[number - 1] : edges[number]], periods[edges[number] : edges[number + 1]]
        mine = [_line(one, before, after, coverage) for one in kinds if _has(one, before) and _has(one, after)]
        verdict = joint_verdict(line["verdict"] for line in mine)
        lines += [{"phase": number + 1, **line, "supports": _supports(line["verdict"], verdict)} for line in mine]
        ends = periods[min(one.earliest for one in group)], periods[max(one.latest for one in group)]
        rows.append((number + 1, periods[edges[number]], verdict, " ".join(sorted({one.kind for one in group})), *ends))
    phases = pd.DataFrame(rows, columns=["phase", "first", "verdict", "found_in", "earliest", "latest"])
    phases.insert(2, "last", [periods[end - 1] for end in edges[1:]])
    columns = ["phase", "kind", "change", "low", "high", "verdict", "hangs_on", "supports"]
    return Answer(phases, pd.DataFrame(lines, columns=columns), pd.DataFrame(left_out, columns=["kind", "period", "why"]), coverage)


def _together(found: list[Break], near: int) -> list[list[Break]]:
    """Breaks in groups: each lies within `near` periods of the first of its group."""
    groups: list[list[Break]] = []
    for one in found:
        if groups and one.place - groups[-1][0].place <= near:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _has(one: Evidence, phase: Sequence[str]) -> bool:
    return bool((np.isin(one.periods, list(phase)) & np.isfinite(one.value)).any())


def _line(one: Evidence, before: Sequence[str], after: Sequence[str], coverage: float) -> dict[str, Any]:
    change, hangs_on = one.change(before, after, coverage)
    return {
        "kind": one.name, "change": change.value, "low": change.low, "high": change.high, "verdict": change.verdict,
        "hangs_on": " ".join(hangs_on),
    }  # fmt: skip


def _supports(own: str, joint: str) -> str:
    if own == "undecided":
        return own
    return "for" if own == joint.removeprefix("leaning_") else "against"
