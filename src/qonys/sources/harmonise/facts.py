"""`data/harmonise.toml`, read once."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def facts() -> Mapping[str, Any]:
    """The shipped facts of harmonisation, as written; the head of the file says what its keys mean."""
    return tomllib.loads(files("qonys").joinpath("data/harmonise.toml").read_text(encoding="utf-8"))
