"""How the compiled steps are compiled: on first use, without the interpreter's lock, and kept between runs where they can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba

if TYPE_CHECKING:
    from collections.abc import Callable


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function compiled; what is compiled is kept beside the package, or in the user's cache, or, with neither writable, not at all."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba looked for a place to keep it and found none
        return numba.njit(nogil=True)(function)
