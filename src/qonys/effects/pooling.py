"""The posterior of a normal hierarchy of measures within groups, and of groups, with both spreads integrated over.

With y_j the estimate of measure j of group g, and s_j its standard error,

    y = theta + e,   e ~ N(0, S),   theta_j ~ N(mu_g, tau_w^2),   mu_g ~ N(mu, tau_b^2),   mu flat

S has s_j^2 on its diagonal and rho s_i s_j between estimates of one cluster (a country, a study). Given the two spreads everything is
normal; they are integrated over a grid of their joint posterior and never fixed at one value, so that intervals are as wide as few groups
make them. Gelman et al. (2013, Bayesian Data Analysis, 3rd edition, chapter 5); priors as Gelman (2006, Bayesian Analysis 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from scipy.special import ndtr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]

Prior = Literal["half_cauchy", "uniform"]
COARSE, FINE = 24, 40  # nodes of each spread's grid: twice to find where the posterior is, once to integrate over it
FAR = 1e3  # where the grid of a spread ends, in ranges of the estimates and typical errors
NEGLIGIBLE = 12.0  # log density below the top that is not integrated over: 6e-6


class Data(NamedTuple):
    """Estimates about their centre, in typical errors: value, error, group and cluster (codes), correlation, number of groups."""

    value: Floats
    error: Floats
    group: Codes
    cluster: Codes
    rho: float
    groups: int


class Level(NamedTuple):
    """What the data say of all mu_g for each tau_w (rows): independent normals after a rotation (None: they are so as they are).

    precision and estimate of each; ones: the rotated vector of ones; constant: the log density that tau_b has no part in.
    """

    precision: Floats
    estimate: Floats
    ones: Floats
    constant: Floats
    rotation: Floats | None


@dataclass(frozen=True, slots=True)
class Posterior:
    """Nodes (rows) of the two spreads with their weights, and the normals of every mu_g and of mu given each.

    within, between: tau_w and tau_b. mean, deviation: of mu_g. own: derivative of the mean of mu_g by a shift of all the group's estimates.
    centre, centre_deviation: of mu. level, row: what the data say, and the row of it that a node belongs to.
    """

    weight: Floats
    within: Floats
    between: Floats
    mean: Floats
    deviation: Floats
    own: Floats
    centre: Floats
    centre_deviation: Floats
    level: Level
    row: Codes

    def drawn(self, number: int, rng: np.random.Generator) -> Floats:
        """Draws of all mu_g (draws x groups) from their joint posterior; nodes are taken systematically, by weight."""
        node = np.searchsorted(np.cumsum(self.weight), (np.arange(number) + rng.random()) / number)
        node = np.minimum(node, len(self.weight) - 1)
        normal = rng.standard_normal((number, self.mean.shape[1] + 1))
        values = np.empty((number, self.mean.shape[1]))
        for row in np.unique(self.row[node]):
            at = self.row[node] == row
            tau_b = self.between[node[at]][:, None]
            _, pulled = _given(self.level, row, tau_b)
            centre = self.centre[node[at]] + self.centre_deviation[node[at]] * normal[at, -1]
            turned = (1 - pulled) * self.level.estimate[row] + pulled * self.level.ones[row] * centre[:, None]
            turned += np.sqrt(pulled) * tau_b * normal[at, :-1]
            values[at] = turned if self.level.rotation is None else turned @ self.level.rotation[row].T
        return values


def posterior(data: Data, prior: Prior, within: float | None = None) -> Posterior:
    """The joint posterior of both spreads on a grid, and of all mu_g given them. within: tau_w where it is known.

    The half-Cauchy prior has scale 1, which is the typical error. Of a single group tau_b has no part in anything and is put at 0.
    """
    unit = float(data.error.min()) / 10
    end = float(np.arcsinh(FAR * (1 + np.ptp(data.value)) / unit))
    spans = [(0.0, end), (0.0, end)]
    known = (within, 0.0 if data.groups == 1 else None)
    for count in (COARSE, COARSE, FINE):
        (tau_w, log_w), (tau_b, log_b) = (_grid(span, count, unit, at) for span, at in zip(spans, known, strict=True))
        level = _level(data, tau_w)
        log = _log_likelihood(level, tau_b) + log_w[:, None] + log_b
        if prior == "half_cauchy":
            log -= np.log1p(tau_w**2)[:, None] + np.log1p(tau_b**2)
        if count == COARSE:
            spans = [_narrowed(span, log.max(axis=1 - axis)) for axis, span in enumerate(spans)]
    weight = np.exp(log - log.max())
    rows, columns = np.nonzero(weight > np.exp(-NEGLIGIBLE))
    weight = weight[rows, columns] / weight[rows, columns].sum()
    mean, variance, own = (np.empty((len(rows), data.groups)) for _ in range(3))
    centre, total = np.empty(len(rows)), np.empty(len(rows))
    for row in np.unique(rows):
        at = rows == row
        estimate, ones, between = level.estimate[row], level.ones[row], tau_b[columns[at]][:, None]
        share, pulled = _given(level, row, between)
        total[at] = share @ ones**2
        centre[at] = share @ (ones * estimate) / total[at]
        held = (1 - pulled) * estimate + pulled * ones * centre[at][:, None]
        parts = [held, pulled * ones, share * ones, pulled * between**2, 1 - pulled]
        if level.rotation is not None:
            turn = level.rotation[row].T
            parts = [part @ turn for part in parts[:3]] + [part @ turn**2 for part in parts[3:]]
        mean[at], toward, share, spread, kept = parts
        variance[at] = spread + toward**2 / total[at][:, None]
        own[at] = kept + toward * share / total[at][:, None]
    return Posterior(weight, tau_w[rows], tau_b[columns], mean, np.sqrt(variance), own, centre, total**-0.5, level, rows)


def quantiles(weight: Floats, mean: Floats, deviation: Floats, probability: float) -> Floats:
    """Quantile of each column's mixture of normals (nodes in rows), by bisection."""
    low, high = (mean - 40 * deviation).min(axis=0), (mean + 40 * deviation).max(axis=0)
    for _ in range(60):
        middle = (low + high) / 2
        below = weight @ ndtr((middle - mean) / deviation) < probability
        low, high = np.where(below, middle, low), np.where(below, high, middle)
        if ((high - low) < 1e-8 * (1 + np.abs(middle))).all():
            break
    found: Floats = (low + high) / 2
    return found


def evidence(data: Data, post: Posterior) -> tuple[Floats, Floats]:
    """Of each group: how many estimates as good as its best one would say as much (mean over tau_w), and I^2 = 1 - (n - 1) / Q, 0 or more.

    Higgins and Thompson (2002, Statistics in Medicine 21). I^2 is null for a group of one.
    """
    measures = _sums(data.group, np.ones_like(data.value), data.groups)
    effective = np.zeros(data.groups)
    for tau in np.unique(post.within):
        best = np.zeros(data.groups)
        np.maximum.at(best, data.group, 1 / (data.error**2 + tau**2))
        # with errors that go together a poor estimate can sharpen a good one; that is arithmetic on a declared rho, and no evidence
        effective += post.weight[post.within == tau].sum() * np.minimum(_alone(data, tau)[0] / best, measures)
    squares = np.maximum(_alone(data, 0.0)[1], np.finfo(float).tiny)
    return effective, np.where(measures > 1, np.maximum(1 - (measures - 1) / squares, 0), np.nan)


def _alone(data: Data, tau_w: float) -> tuple[Floats, Floats]:
    """1' V^-1 1 of each group by its own estimates alone, and their weighted squares about their own mean (Cochran's Q at tau_w = 0)."""
    diagonal, loading = _factors(data, tau_w)
    # a cluster counts anew in each group: what it says of other groups is no evidence on this one
    cells, cell = np.unique(np.stack([data.group, data.cluster]), axis=1, return_inverse=True)
    weight = 1 / diagonal
    parts: tuple[Floats, ...] = (weight, data.value * weight, data.value**2 * weight)
    crossed = 1 + _sums(cell, loading**2 * weight, len(cells[0]))
    half, toward = (_sums(cell, loading * part, len(cells[0])) for part in parts[:2])
    shared: tuple[Floats, ...] = (half**2 / crossed, half * toward / crossed, toward**2 / crossed)
    pairs = zip(parts, shared, strict=True)
    one, first, second = (_sums(data.group, part, data.groups) - _sums(cells[0], less, data.groups) for part, less in pairs)
    return one, second - first**2 / one


def _sums(code: Codes, values: Floats, number: int) -> Floats:
    return np.bincount(code, values, number).astype(np.float64)


def _given(level: Level, row: int, tau_b: Floats) -> tuple[Floats, Floats]:
    """Weight of each rotated group in mu, and its pull toward mu (0-1), for nodes in rows."""
    variance = 1 / level.precision[row]
    weight = 1 / (tau_b**2 + variance)
    return weight, variance * weight


def _grid(span: tuple[float, float], count: int, unit: float, known: float | None) -> tuple[Floats, Floats]:
    """Nodes of a spread, equally far apart in asinh(tau / unit), and their log weights.

    Near zero they are a fixed step apart, further out a fixed ratio. The integrand is even, so the midpoint rule loses next to nothing; and
    no node is at zero, where all groups would be tied in the draws.
    """
    if known is not None:
        return np.array([known]), np.zeros(1)
    edges = np.linspace(*span, count + 1)
    place = (edges[1:] + edges[:-1]) / 2
    return unit * np.sinh(place), np.log(np.cosh(place))


def _narrowed(span: tuple[float, float], log: Floats) -> tuple[float, float]:
    """The cells of the span where the density is not negligible, and one more on both sides."""
    edges = np.linspace(*span, len(log) + 1)
    inside = np.flatnonzero(log > log.max() - NEGLIGIBLE)
    return float(edges[max(inside[0] - 1, 0)]), float(edges[min(inside[-1] + 2, len(log))])


def _factors(data: Data, tau_w: float) -> tuple[Floats, Floats]:
    """V = D + U U' with a column of U for each cluster of two or more: the diagonal of D, and of each row the one entry of U."""
    joint = np.bincount(data.cluster)[data.cluster] > 1
    loading = np.where(joint, np.sqrt(data.rho) * data.error, 0.0)
    return data.error**2 - loading**2 + tau_w**2, loading


def _level(data: Data, tau_w: Floats) -> Level:
    """By Woodbury, so that no matrix is larger than the number of groups; one eigendecomposition serves every tau_b."""
    joint = data.rho > 0 and bool((np.bincount(data.cluster) > 1).any())
    cells, cell = np.unique(np.stack([data.group, data.cluster]), axis=1, return_inverse=True)
    matrices, totals, rest = [], [], []
    for tau in tau_w:
        diagonal, loading = _factors(data, tau)
        precision, total = (_sums(data.group, part / diagonal, data.groups) for part in (np.ones_like(diagonal), data.value))
        outside = np.log(diagonal).sum() + (data.value**2 / diagonal).sum()
        if joint:
            half = np.zeros((data.groups, int(data.cluster.max()) + 1))
            half[cells[0], cells[1]] = np.bincount(cell, loading / diagonal)
            crossed = 1 + np.bincount(data.cluster, loading**2 / diagonal)
            toward = np.bincount(data.cluster, loading * data.value / diagonal)
            precision = np.diag(precision) - (half / crossed) @ half.T
            total = total - half @ (toward / crossed)
            outside += np.log(crossed).sum() - (toward**2 / crossed).sum()
        matrices.append(precision)
        totals.append(total)
        rest.append(outside)
    precision, total = np.array(matrices), np.array(totals)
    rotation: Floats | None = None
    if joint:
        precision, rotation = np.linalg.eigh(precision)
        total = np.einsum("wgk,wg->wk", rotation, total)
    estimate = total / precision
    ones = np.ones_like(precision) if rotation is None else rotation.sum(axis=1)
    constant = -(np.array(rest) + np.log(precision).sum(axis=1) - (precision * estimate**2).sum(axis=1)) / 2
    return Level(precision, estimate, ones, constant, rotation)


def _log_likelihood(level: Level, tau_b: Floats) -> Floats:
    """Restricted log likelihood (mu integrated out) of each tau_w (rows) and tau_b (columns), up to a constant."""
    variance = 1 / level.precision[:, None, :] + tau_b[:, None] ** 2
    ones, estimate = level.ones[:, None, :], level.estimate[:, None, :]
    total = (ones**2 / variance).sum(axis=2)
    centre = (ones * estimate / variance).sum(axis=2) / total
    squares = ((estimate - ones * centre[..., None]) ** 2 / variance).sum(axis=2)
    value: Floats = level.constant[:, None] - (np.log(variance).sum(axis=2) + squares + np.log(total)) / 2
    return value
