"""What a procedure is: steps, agencies with officers and calendars, documents, priorities, a legal clock, arrivals, variants."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from qonys.scenarios.procedure.durations import NOTHING, Duration

Order = Literal["in_turn", "at_once", "as_declared"]
Counts = Literal["days", "working_days"]
OpenOn = Literal["every_day", "working_days"]
Process = Literal["poisson", "even", "working_days"]
Officers = tuple[tuple[date, int], ...]  # from a day on, so many
ALWAYS = date.min  # officers without a day are there from the beginning
ONE_STOP = "one_stop"  # id of the step, and of the agency, at which everything is handed in at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What happens when a document is wrong: the applicant mends it in some days, at the most so often, and the step is handled again.

    visits: of the applicant for each return. clock_stops: the legal clock waits for the applicant.
    """

    days: Duration
    most: int = 3
    visits: int = 1
    clock_stops: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of an agency: officer time (`handling`, in working days), then time that just passes (`passing`, in calendar days).

    after: steps that must be done before. fault: chance that a document is wrong. clock_stops: the legal clock stands still from the
    moment the step is ready until it is done. stream: which stream of random numbers is its own, so that variants meet the same ones.
    """

    id: str
    agency: str
    after: tuple[str, ...] = ()
    handling: Duration = NOTHING
    passing: Duration = NOTHING
    documents: tuple[str, ...] = ()
    visits: int = 0
    fault: float = 0.0
    returned: Returned | None = None
    clock_stops: bool = False
    stream: int = 0
    chance_returned: float = 0.0

    @property
    def times_handled(self) -> float:
        """How often a case is handled here, on average: 1 + p + ... + p^m at a chance p of being returned, m times at the most."""
        most = 0 if self.returned is None else self.returned.most
        return sum(self.chance_returned**times for times in range(most + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """Who handles steps. officers: (from a day on, number), by day; None: as many as are needed, nobody queues. officer_day: its cost."""

    id: str
    officers: Officers | None = None
    calendar: OpenOn = "every_day"
    closed: tuple[date, ...] = ()
    officer_day: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClass:
    """A share of the cases with a priority: the lower number is taken up first, whoever is at work is not interrupted."""

    id: str
    share: float
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Money: of a day beyond the limit, of a day that a case is open, of a visit and of a document."""

    delay_day: float = 0.0
    open_day: float = 0.0
    visit: float = 0.0
    document: float = 0.0
    currency: str = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What differs from the file. A None is: as in the file.

    one_stop: all documents are handed in in one visit, once each, and checked before any step begins; no step returns documents after that.
    officers: of an agency, a number from a day on, or a factor on the number it has. passing: of a step, a factor on the mean of the time
    that passes; its spread in proportion stays. drop_documents, documents_share: documents that are no
    longer asked, or the share of each step's list, from its beginning and rounded up, that still is.
    """

    name: str
    based_on: str | None = None
    order: Order | None = None
    one_stop: bool | None = None
    officers: Mapping[str, Officers | float] = field(default_factory=dict)
    passing: Mapping[str, float] = field(default_factory=dict)
    drop_documents: tuple[str, ...] = ()
    documents_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """A procedure as one file tells it. arrivals: expected applications of each month, from the warm-up to the cool-down."""

    name: str
    limit: float
    limit_counts: Counts
    first: date
    steps: tuple[Step, ...]
    agencies: dict[str, Agency]
    arrivals: tuple[float, ...]
    process: Process = "poisson"
    country: str | None = None
    months: int = 12
    warm_up_months: int = 0
    cool_down_months: int = 0
    backlog: int = 0
    seed: int = 0
    runs: int = 20
    order: Order = "in_turn"
    classes: tuple[CaseClass, ...] = (CaseClass(id="all", share=1.0, priority=0),)
    costs: Costs | None = None
    variants: Mapping[str, Variant] = field(default_factory=lambda: {"as_is": Variant(name="as_is")})

    @property
    def month_starts(self) -> tuple[date, ...]:
        """The first day of each month from the warm-up to the cool-down, and the day after the last."""
        return tuple(months_after(self.first, place - self.warm_up_months) for place in range(len(self.arrivals) + 1))

    @property
    def uses_country(self) -> bool:
        """Does anything depend on the working days of the country?"""
        agencies = {self.agencies[step.agency].calendar for step in self.steps}
        return "working_days" in {self.limit_counts, self.process, *agencies}


def months_after(day: date, months: int) -> date:
    """The same day of the month, so many months later."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, day.day)


def chance_returned(*asked: tuple[float, int]) -> float:
    """Probability that one document or more is wrong: 1 - product of (1 - fault)^documents. asked: (fault, documents), one each step."""
    return 1 - math.prod((1 - fault) ** documents for fault, documents in asked)


def documents_of(steps: Iterable[Step]) -> tuple[str, ...]:
    """Every document that some step asks for, once, in order."""
    return tuple(dict.fromkeys(one for step in steps for one in step.documents))
