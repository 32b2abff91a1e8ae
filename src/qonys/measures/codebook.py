"""The codebook: which codes an entry of the register may use, and what they mean."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def codebook() -> dict[str, Any]:
    """The codebook as shipped: target, field, instrument, level (code -> meaning), strength by direction, statuses."""
    text = files("qonys").joinpath("data", "codebook.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def adopted_statuses() -> tuple[str, ...]:
    """Statuses of measures that were adopted, whether they ended since or not."""
    return tuple(codebook()["status"]["adopted"])


STRONGEST = 4  # the top of the strength scale
