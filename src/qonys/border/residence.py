"""Rules of residence: how long somebody must stay, within how long a time, to have migrated. Rules are data."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from qonys.core.errors import DataError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS_OF_MONTH = 365.25 / 12
EARLIEST = date(1990, 1, 1)  # electronic border records are younger than that: an earlier day is a wrong clock
LONGEST_WINDOW = 240  # months; a window longer than that is a slip of the pen


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidenceRule:
    """A stay is a migration once it holds `threshold_days` before more than `tolerance_days` were spent on the other side of the border."""

    name: str
    window_days: int
    threshold_days: int
    source: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.threshold_days <= self.window_days:
            raise DataError(
                f"the rule {self.name} asks for {self.threshold_days} days within {self.window_days}",
                mend="the threshold must be a day or more, and fit into the window",
            )

    @property
    def tolerance_days(self) -> int:
        """Days on the other side of the border that do not end the stay."""
        return self.window_days - self.threshold_days


@cache
def rules() -> Mapping[str, ResidenceRule]:
    """The rules that ship with the package, by name."""
    facts = tomllib.loads(files("qonys").joinpath("data", "residence_rules.toml").read_text(encoding="utf-8"))["rule"]
    return {name: ResidenceRule(name=name, **one) for name, one in facts.items()}


def rule(name: str) -> ResidenceRule:
    """A rule by name: a shipped one, or any N/M in months, as "9/12"; months count 365.25 / 12 days, rounded.

    >>> rule("12/16").window_days, rule("9/12").threshold_days
    (487, 274)

    Errors: DataError for a name that is neither, or a threshold that does not fit its window.
    """
    if name in rules():
        return rules()[name]
    if not (found := re.fullmatch(r"(\d{1,3})/(\d{1,3})", name)):
        raise DataError(f"there is no residence rule {name!r}", mend=f"{nearest(name, rules())}, or months as in 9/12")
    threshold, window = (int(months) for months in found.groups())
    if window > LONGEST_WINDOW:
        raise DataError(f"the rule {name} has a window of {window} months", mend=f"give at most {LONGEST_WINDOW}")
    return ResidenceRule(name=name, window_days=round(window * DAYS_OF_MONTH), threshold_days=round(threshold * DAYS_OF_MONTH))
