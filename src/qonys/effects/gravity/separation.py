"""Rows whose fitted value would have to be zero: found by an iterative rectifier, and never looked for where a fit shows there are none.

A row of outcome zero is separated if some combination z of regressors and effects is zero wherever the outcome is above zero, nowhere below
zero, and above zero in that row: along -z the likelihood grows for ever. A converged fit proves that there is none, as then sum z (fitted -
observed) = 0 over rows where only fitted values above zero meet z. So the rectifier is run where Newton's method has come to rest in the
likelihood but fitted values of some rows still fall. Correia, Guimaraes and Zylkin (2021), "Verifying the existence of maximum likelihood
estimates for generalized linear models", arXiv:1903.01633, algorithm 1: z is the projection of u on the space of regressors and effects,
with a large weight on rows where it must be zero; u is one at first and then max(z, 0), until z is nowhere below zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from qonys.effects.gravity import kernel
from qonys.effects.gravity.solve import grams, project, solved

if TYPE_CHECKING:
    from qonys.effects.gravity.panel import Flags, Floats, Panel

HEAVY = 1e5  # weight of a row where z must be zero, beside one where it need not
NOTHING = 1e-4  # a z that is nearer to zero is zero
STAYS = 0.99
ROUNDS = 300


def separated(panel: Panel, candidates: Flags) -> Flags:
    """Which rows of the panel are separated, of the candidates (outcome zero); all False if the rectifier proves none.

    The answer is checked: z is above zero in the rows named and within `NOTHING` of zero in all others.
    """
    w = np.where(candidates, 1.0, HEAVY)
    u = candidates.astype(float)
    v = np.zeros((panel.groups, panel.x.shape[1] + 1))
    free = candidates.copy()
    z = np.zeros(len(u))
    for round_ in range(ROUNDS):
        z, v = fitted(panel, w, u, v)
        size = float(np.abs(z[free]).max(initial=0.0))
        # were z* >= 0 a separating combination, <u, z*> could not fall and starts at sum z* >= |z*|: so |u| stays at one or above
        if not size or float(np.linalg.norm(u)) < STAYS:
            return np.zeros_like(candidates)
        below = free & (z < -NOTHING * size)
        outside = float(np.abs(z[~free]).max(initial=0.0))
        if not below.any() and outside <= NOTHING * size:
            return free & (z > 10 * NOTHING * size)
        if round_ % 20 == 19:
            # rows that stay at zero while others grow are held at zero: the projection then comes to its end in few rounds
            stuck = free & (u <= NOTHING * size) & (z <= NOTHING * size)
            free &= ~stuck
            w[stuck] = HEAVY
        u = np.where(free, np.maximum(z, 0.0), 0.0)
    return np.zeros_like(candidates)


def fitted(panel: Panel, w: Floats, u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Weighted projection of u on regressors and effects, in each row, and the projections of the columns to go on from."""
    r = w * u
    mass, v, _ = project(panel, w, r, v, 1e-9)
    square, right = grams(panel, w, r, mass, v)
    b = solved(square, right)
    z = np.zeros(len(u))
    panel.each(kernel.step, panel.start, panel.other, panel.x, w, r, mass, b, v[:, -1] - v[:, :-1] @ b, z)
    return z, v
