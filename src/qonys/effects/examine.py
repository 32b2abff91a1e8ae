"""Before anything is estimated: what the panel can tell, what it cannot, and which estimators fit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from qonys.effects.panel import NEVER

if TYPE_CHECKING:
    from qonys.effects.design import Design
    from qonys.effects.panel import Panel

Weight = Literal["refuses", "warns", "notes"]
FEW_CLUSTERS = 20  # below it cluster errors are too small (Cameron, Gelbach and Miller 2008), and few treated ones are worse
FEW_COMPARED = 5  # never treated units, on whom all rests once the last of the others is treated
FEW_BEFORE = 3  # periods before treatment that a test of trends needs
FEW_BEFORE_SYNTHETIC = 8
SLOPES = ("dose", "universal")  # estimators of what one more unit of dose does


@dataclass(frozen=True, slots=True)
class Shape:
    """What a panel looks like. units, never (never treated), always (treated when it begins), cohorts (distinct first periods),
    ends (units whose treatment ends), restarts, once (units that switch once), gaps (unit-periods missing), clusters,
    treated_clusters, before (periods before the first treatment), doses (distinct among treated), varies (units whose
    dose changes while on), counts (nothing negative).
    """

    units: int
    never: int
    always: int
    cohorts: int
    ends: int
    restarts: int
    once: int
    gaps: int
    clusters: int
    treated_clusters: int
    before: int
    doses: int
    varies: int
    counts: bool

    @property
    def treated(self) -> int:
        """Units that are treated at some time and not from the beginning."""
        return self.units - self.never - self.always


def shape(panel: Panel) -> Shape:
    """What a panel looks like."""
    rows = panel.rows
    first = panel.first
    by_unit = rows.groupby("unit")
    flips = by_unit["on"].agg(lambda on: int((on.astype(int).diff() == -1).sum()))
    begins = by_unit["on"].agg(lambda on: int((on.astype(int).diff() == 1).sum()) + int(on.iloc[0]))
    always = panel.always
    starts = first[(first != NEVER) & ~first.index.isin(always)]
    on = rows[rows["on"]]
    return Shape(
        units=len(first),
        never=int((first == NEVER).sum()),
        always=len(always),
        cohorts=starts.nunique(),
        ends=int((flips > 0).sum()),
        restarts=int((begins > 1).sum()),
        once=int(((flips + begins) == 1).sum()) - len(always),
        gaps=len(first) * len(panel.periods) - len(rows),
        clusters=rows["cluster"].nunique(),
        treated_clusters=rows.loc[rows["first"] != NEVER, "cluster"].nunique(),
        before=int(starts.min()) - 1 if len(starts) else 0,
        doses=on["dose"].round(9).nunique(),
        varies=int((on.groupby("unit")["dose"].nunique() > 1).sum()),
        counts=bool((rows["value"] >= 0).all()),
    )


def examine(panel: Panel, design: Design) -> pd.DataFrame:
    """What to know before estimating -> code, weight (refuses, warns, notes), count, where (units or periods concerned, some of them).

    Codes: nobody_treated, everyone_treated, no_comparison, few_comparison, always_treated, ends, restarts, few_clusters,
    few_treated_clusters, gaps, left_out, few_before, announced_before (units told of the measure earlier than `anticipation` periods before
    it), dose_varies, several_cohorts, negative_counts.
    """
    facts, rows, found = shape(panel), panel.rows, []
    first = panel.first

    def say(code: str, weight: Weight, count: int, where: pd.Index | list[str] | None = None) -> None:
        names = [str(one) for one in (where if where is not None else [])]
        found.append((code, weight, count, " ".join(names[:6]) + (" ..." if len(names) > 6 else "")))

    if facts.treated == 0:
        say("nobody_treated", "refuses", facts.units)
    if facts.never == 0 and facts.cohorts <= 1 and facts.treated:
        say("everyone_treated", "refuses" if facts.doses <= 1 else "warns", facts.units)
    elif facts.never == 0 and design.comparison == "never_treated":
        say("no_comparison", "refuses", facts.units)
    if 0 < facts.never < FEW_COMPARED and facts.treated > facts.never:
        say("few_comparison", "warns", facts.never, first[first == NEVER].index)
    if facts.always:
        say("always_treated", "warns", facts.always, panel.always)
    ended = rows.groupby("unit")["on"].agg(lambda on: (on.astype(int).diff() == -1).any())
    if facts.ends:
        say("ends", "warns", facts.ends, ended[ended].index)
    if facts.restarts:
        say("restarts", "warns", facts.restarts)
    if 0 < facts.clusters < FEW_CLUSTERS and facts.units > 1:
        say("few_clusters", "warns", facts.clusters)
    if 0 < facts.treated_clusters < 5 and facts.units > 1:
        say("few_treated_clusters", "warns", facts.treated_clusters)
    if facts.gaps:
        count = rows.groupby("unit").size()
        say("gaps", "warns", facts.gaps, count[count < len(panel.periods)].index)
    if len(panel.left_out):
        say("left_out", "warns", len(panel.left_out), list(panel.left_out["unit"].unique()))
    if facts.treated and facts.before < FEW_BEFORE:
        say("few_before", "warns", facts.before)
    told = rows.drop_duplicates("unit").set_index("unit")
    early = told[(told["first"] != NEVER) & (told["announced"] < told["first"] - design.anticipation)]
    if len(early):
        say("announced_before", "warns", len(early), early.index)
    if facts.varies:
        say("dose_varies", "notes", facts.varies)
    if facts.cohorts > 1:
        say("several_cohorts", "notes", facts.cohorts)
    if design.kind == "count" and not facts.counts:
        say("negative_counts", "refuses", int((rows["value"] < 0).sum()))
    return pd.DataFrame(found, columns=["code", "weight", "count", "where"])


def fitting(panel: Panel, design: Design) -> pd.DataFrame:
    """Which estimators fit -> estimator, fits, why (a code; empty where it fits), in the order in which they are proposed."""
    facts = shape(panel)
    stays = facts.ends == 0
    none = "" if facts.treated else "nobody_treated"
    compared = facts.never > 0 or (design.comparison == "not_yet_treated" and facts.cohorts > 1)
    absorbing = none or ("" if stays else "treatment_ends") or ("" if compared else "no_comparison")
    whole = "" if facts.gaps == 0 else "needs_a_whole_panel"
    block = absorbing or ("" if facts.cohorts == 1 else "several_first_periods") or ("" if facts.never > 0 else "no_never_treated")
    enough = "" if facts.before >= FEW_BEFORE_SYNTHETIC else "few_periods_before"
    why = {
        "callaway_santanna": absorbing,
        "sun_abraham": absorbing or ("" if facts.never > 0 else "no_never_treated"),
        "dcdh": none or ("" if not stays else "treatment_stays") or ("" if facts.once > 1 else "all_switch_twice") or whole,
        "lp_did": none or ("" if compared or not stays else "no_comparison") or ("" if stays else whole),
        "etwfe_poisson": absorbing or ("" if design.kind == "count" and facts.counts else "no_counts"),
        "dose": absorbing or ("" if facts.doses > 2 else "one_dose") or ("" if facts.never > 0 else "no_never_treated") or whole,
        "universal": none
        or ("" if facts.never == 0 and facts.cohorts == 1 else "not_everyone")
        or ("" if facts.doses > 2 else "one_dose")
        or whole,
        "synthetic_control": block or ("" if facts.treated == 1 else "several_treated") or enough or whole,
        "synthetic_did": block or enough or whole,
        "event_study": block or whole,
        "twfe_wild": block,
        "interrupted": none or ("" if facts.units == 1 else "several_units") or enough,
    }
    if design.estimand == "dose_response":
        why = {name: reason or ("" if name in SLOPES else "other_estimand") for name, reason in why.items()}
    staggered = ["etwfe_poisson", "callaway_santanna", "sun_abraham"]
    first = [*staggered, "lp_did", "dcdh"] if stays else ["dcdh", "lp_did", *staggered]
    order = [*first, "dose", "universal", "synthetic_did", "synthetic_control", "event_study", "twfe_wild", "interrupted"]
    return pd.DataFrame({"estimator": order, "fits": [not why[name] for name in order], "why": [why[name] for name in order]})
