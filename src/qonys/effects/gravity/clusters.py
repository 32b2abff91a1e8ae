"""Standard errors of the coefficients: sandwich, by row or by any number of clusters at once.

V = B M B with B the inverse of sum fitted x~ x~' and x~ the regressors less all effects, weighted by fitted values. M adds up scores
x~ (observed - fitted): squares by row; with clusters, the squares of their sums over each cluster; with several, the sums over all
combinations of them, those of an odd number added, those of an even number taken off (Cameron, Gelbach and Miller 2011, JBES 29(2)).

Small samples, as fixest and pyfixest by default: V times (n - 1) / (n - k) times G / (G - 1) with G the fewest clusters of one of the ways
(by row: n / (n - 1), so n / (n - k) in all); k counts regressors and, of the effects, those whose groups are not nested in a cluster, one
less for each effect after the first of those; where all are nested, one.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from qonys.effects.gravity import kernel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.effects.gravity.estimate import Fit
    from qonys.effects.gravity.panel import Codes, Floats

DENSE = 50_000_000  # a table of all combinations of two codes is looked up if it has no more cells


def together(codes: Sequence[Codes]) -> tuple[Codes, int]:
    """One code for the combinations of several that occur, from zero on, and how many there are."""
    whole, count = codes[0], int(codes[0].max(initial=-1)) + 1
    for code in codes[1:]:
        size = int(code.max(initial=-1)) + 1
        if count * size < min(DENSE, 20 * len(code) + 1000):
            out = np.empty(len(code), dtype=np.int32)
            count = int(kernel.combine(whole, code, size, np.full(count * size, -1, dtype=np.int32), out))
            whole = out
        else:
            seen, place = np.unique(whole.astype(np.int64) * size + code, return_inverse=True)
            whole, count = place.astype(np.int32), len(seen)
    return whole, count


def compact(code: Codes, order: Codes) -> tuple[Codes, int]:
    """The code of the rows in this order with no numbers left out, and how many there are."""
    out = np.empty(len(order), dtype=np.int32)
    count = kernel.renumber(code, order, np.full(int(code.max()) + 1, -1, dtype=np.int32), out)
    return out, int(count)


def variance(fit: Fit, codes: Sequence[Codes], clusters: Sequence[Codes]) -> tuple[Floats, int, bool]:
    """Variance of the coefficients, the fewest clusters, and whether it had to be made positive. Codes are aligned to the whole input."""
    panel, state = fit.panel, fit.state
    k = panel.x.shape[1]
    own = [compact(code, panel.order)[0] for code in clusters]
    fewest = min((int(code.max()) + 1 for code in own), default=len(panel.y))
    meat = np.zeros((k, k))
    given = (panel.start, panel.other, panel.x, panel.y, state.w, fit.mass, state.v)
    if not own:
        meat += panel.each(kernel.scores, *given, np.zeros(0, dtype=np.int32), add=[(1, k), (k, k)])[1][1]
    for number in range(1, len(own) + 1):
        for chosen in combinations(own, number):
            code, size = (chosen[0], int(chosen[0].max()) + 1) if number == 1 else together(chosen)
            total = panel.each(kernel.scores, *given, code, add=[(size, k), (k, k)])[1][0]
            meat += (1 if number % 2 else -1) * (total.T @ total)
    n = len(panel.y)
    factor = (n - 1) / max(n - parameters(fit, codes, own), 1)
    factor *= fewest / max(fewest - 1, 1)
    bread = np.linalg.pinv(fit.square, hermitian=True) if k else np.zeros((0, 0))
    found = factor * bread @ meat @ bread
    found = (found + found.T) / 2
    if not k or not len(own) > 1:
        return found, fewest, False
    unit = np.sqrt(np.maximum(np.diag(bread), 1e-300))
    values, vectors = np.linalg.eigh(found / np.outer(unit, unit))
    if values.min() >= -1e-12 * max(values.max(), 0.0):
        return found, fewest, False
    mended = (vectors * np.maximum(values, 0.0)) @ vectors.T * np.outer(unit, unit)
    return mended, fewest, True


def parameters(fit: Fit, codes: Sequence[Codes], own: Sequence[Codes]) -> int:
    """How many parameters the small-sample factor counts."""
    k = fit.panel.x.shape[1]
    free = []
    for code in codes:
        mine, groups = compact(code, fit.panel.order)
        if not any(kernel.nested(mine, cluster, np.full(groups, -1, dtype=np.int32)) for cluster in own):
            free.append(groups)
    return int(k + max(sum(free) - max(len(free) - 1, 0), 1))
