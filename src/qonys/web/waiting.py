"""Work that is slow for a few at a time: the others wait without taking a thread from the readers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

Result = TypeVar("Result")
# of each server that runs: how many of a kind of work there are at once
_limits: RunVar[dict[str, CapacityLimiter]] = RunVar("qonys_limits")


async def a_few(most: int, kind: str, work: Callable[..., Result], *given: object) -> Result:
    """Do the work in a thread when fewer than `most` of its kind are being done -> what it gives."""
    limits = _limits.get({})
    _limits.set(limits)
    return await to_thread.run_sync(partial(work, *given), limiter=limits.setdefault(kind, CapacityLimiter(most)))


async def check_password(work: Callable[..., Result], *given: object) -> Result:
    """Work that checks a password, which takes 64 MB and most of a core."""
    return await a_few(2, "password", work, *given)
