"""A procedure as steps with durations: when is the last step done, in turn or all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from qonys.core.errors import DesignError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

Order = Literal["in_turn", "at_once"]
DAYS_PER_MONTH = 30  # administrative time limits count a month as 30 days


def schedule(steps: Mapping[str, float], *, order: Order) -> dict[str, tuple[float, float]]:
    """Start and end of each step in days since the application, at zero spread and without queues.

    Errors: DesignError for an unknown order, a procedure without steps or a negative duration.
    """
    if order not in get_args(Order):
        raise DesignError(f"steps cannot be taken {order!r}", mend=nearest(order, get_args(Order)))
    if not steps:
        raise DesignError("the procedure has no steps", mend="give at least one step with its days")
    for step, days in steps.items():
        if days < 0:
            raise DesignError(f"step {step!r} takes {days:g} days", mend="a duration cannot be negative")
    spans, clock = {}, 0.0
    for step, days in steps.items():
        start = clock if order == "in_turn" else 0.0
        spans[step] = (start, start + days)
        clock = start + days
    return spans


def elapsed_days(steps: Mapping[str, float], *, order: Order) -> float:
    """Days from the application to the end of the last step.

    >>> elapsed_days({"residence": 60, "permit": 30, "citizenship": 90}, order="in_turn")
    180.0
    """
    return float(max(end for _, end in schedule(steps, order=order).values()))
