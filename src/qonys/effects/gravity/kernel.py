"""Passes over the rows, compiled. Rows lie in blocks of the first effect, the one with most groups, which is eliminated inside its block.

Names: `start` first row of each block and one more (blocks + 1); `other` (rows, further effects): place of the row's group among the groups
of all further effects; `x` (rows, regressors); `w` weights; `r` weights times what is to be explained. A column of the projection is a
regressor or, as the last one, r / w; nothing is divided by a weight of a row, so weights may be zero.
"""

from __future__ import annotations

import numpy as np

from qonys.core.compiled import compiled


@compiled
def profile(first, last, start, other, x, y, total, b, a, w):  # type: ignore[no-untyped-def]
    """Fill `w` with fitted values whose sums in each block are its total; give sum of total log(sum exp eta) - y eta, to be made least."""
    value = 0.0
    for p in range(first, last):
        top = -np.inf
        linear = 0.0
        for i in range(start[p], start[p + 1]):
            eta = 0.0
            for k in range(x.shape[1]):
                eta += x[i, k] * b[k]
            for e in range(other.shape[1]):
                eta += a[other[i, e]]
            w[i] = eta
            linear += y[i] * eta
            top = max(top, eta)
        whole = 0.0
        for i in range(start[p], start[p + 1]):
            w[i] = np.exp(w[i] - top)
            whole += w[i]
        for i in range(start[p], start[p + 1]):
            w[i] *= total[p] / whole
        value += total[p] * (top + np.log(whole)) - linear
    return value


@compiled
def weigh(first, last, start, other, w, mass, diagonal):  # type: ignore[no-untyped-def]
    """Weight of each block into `mass`; what the rows of each further group add to the diagonal of the reduced system, into `diagonal`."""
    for p in range(first, last):
        whole = 0.0
        for i in range(start[p], start[p + 1]):
            whole += w[i]
        mass[p] = whole
        if whole > 0:
            for i in range(start[p], start[p + 1]):
                for e in range(other.shape[1]):
                    diagonal[other[i, e]] += w[i] * (1 - w[i] / whole)


@compiled
def right_side(first, last, start, other, x, w, r, mass, out):  # type: ignore[no-untyped-def]
    """Sums over further groups of weight times column, each column less its mean in the block, into `out` (groups, columns)."""
    regressors = x.shape[1]
    mean = np.zeros(regressors + 1)
    for p in range(first, last):
        if mass[p] <= 0:
            continue
        mean[:] = 0.0
        for i in range(start[p], start[p + 1]):
            for k in range(regressors):
                mean[k] += w[i] * x[i, k]
            mean[regressors] += r[i]
        mean /= mass[p]
        for i in range(start[p], start[p + 1]):
            for e in range(other.shape[1]):
                g = other[i, e]
                for k in range(regressors):
                    out[g, k] += w[i] * (x[i, k] - mean[k])
                out[g, regressors] += r[i] - w[i] * mean[regressors]


@compiled
def apply(first, last, start, other, w, mass, v, out):  # type: ignore[no-untyped-def]
    """The reduced system times `v` (groups, columns), into `out`: the sums of `right_side` for the column that `v` spans."""
    columns = v.shape[1]
    mean = np.zeros(columns)
    effects = other.shape[1]
    for p in range(first, last):
        if mass[p] <= 0 or start[p + 1] - start[p] < 2:
            continue  # a row alone in its block is explained by it
        mean[:] = 0.0
        for i in range(start[p], start[p + 1]):
            for e in range(effects):
                g = other[i, e]
                for k in range(columns):
                    mean[k] += w[i] * v[g, k]
        mean /= mass[p]
        for i in range(start[p], start[p + 1]):
            for k in range(columns):
                s = -mean[k]
                for e in range(effects):
                    s += v[other[i, e], k]
                s *= w[i]
                for e in range(effects):
                    out[other[i, e], k] += s


@compiled
def gram(first, last, start, other, x, w, r, mass, v, out):  # type: ignore[no-untyped-def]
    """Weighted products of the regressors less all effects, with each other and, in the last column, with what is to be explained."""
    regressors = x.shape[1]
    mean = np.zeros(regressors + 1)
    left = np.zeros(regressors)
    for p in range(first, last):
        if mass[p] <= 0:
            continue
        mean[:] = 0.0
        for i in range(start[p], start[p + 1]):
            for k in range(regressors + 1):
                s = 0.0
                for e in range(other.shape[1]):
                    s += v[other[i, e], k]
                mean[k] += w[i] * (x[i, k] - s) if k < regressors else r[i] - w[i] * s
        mean /= mass[p]
        for i in range(start[p], start[p + 1]):
            for k in range(regressors):
                s = x[i, k] - mean[k]
                for e in range(other.shape[1]):
                    s -= v[other[i, e], k]
                left[k] = s
            s = mean[regressors]
            for e in range(other.shape[1]):
                s += v[other[i, e], regressors]
            rest = r[i] - w[i] * s
            for k in range(regressors):
                for j in range(k + 1):
                    out[k, j] += w[i] * left[k] * left[j]
                out[k, regressors] += left[k] * rest


@compiled
def step(first, last, start, other, x, w, r, mass, b, a, d):  # type: ignore[no-untyped-def]
    """Change of eta of each row into `d`, with the block's own part; give its product with r."""
    slope = 0.0
    for p in range(first, last):
        mean = 0.0
        for i in range(start[p], start[p + 1]):
            s = 0.0
            for k in range(x.shape[1]):
                s += x[i, k] * b[k]
            for e in range(other.shape[1]):
                s += a[other[i, e]]
            d[i] = s
            mean += r[i] - w[i] * s
        mean = mean / mass[p] if mass[p] > 0 else 0.0
        for i in range(start[p], start[p + 1]):
            s = d[i] + mean
            d[i] = s
            slope += r[i] * s
    return slope


@compiled
def begin(first, last, start, total, y, w, r):  # type: ignore[no-untyped-def]
    """Weights halfway between an outcome and the mean of its block, and the right side of the least squares that begins from them."""
    for p in range(first, last):
        mean = total[p] / (start[p + 1] - start[p])
        for i in range(start[p], start[p + 1]):
            w[i] = (y[i] + mean) / 2
            r[i] = y[i] - w[i] + w[i] * np.log(w[i])


@compiled
def moments(x, mean, square, raw):  # type: ignore[no-untyped-def]
    """Mean, sum of squares about it and sum of squares of each column."""
    for k in range(x.shape[1]):
        for i in range(len(x)):
            mean[k] += x[i, k]
            raw[k] += np.float64(x[i, k]) ** 2
        mean[k] /= len(x)
        for i in range(len(x)):
            square[k] += (x[i, k] - mean[k]) ** 2


@compiled
def empty(start, other, y, total, sums, kept):  # type: ignore[no-untyped-def]
    """Take rows out of `kept` that lie in a group without outcomes above zero, until none does; `sums`: of the further groups, zeros."""
    for i in range(len(y)):
        for e in range(other.shape[1]):
            sums[other[i, e]] += y[i] > 0
    # outcomes above zero never leave, so that no sum falls and one look over all effects is enough
    for p in range(len(total)):
        for i in range(start[p], start[p + 1]):
            for e in range(other.shape[1]):
                if sums[other[i, e]] == 0:
                    kept[i] = False
            if total[p] <= 0:
                kept[i] = False


@compiled
def renumber(code, order, number, out):  # type: ignore[no-untyped-def]
    """The code in the order of the rows, without numbers that do not occur; `number` (as many as codes) minus one at first."""
    count = 0
    for i in range(len(order)):
        c = code[order[i]]
        if number[c] < 0:
            number[c] = count
            count += 1
        out[i] = number[c]
    return count


@compiled
def combine(one, other, size, number, out):  # type: ignore[no-untyped-def]
    """A code of the combinations of two that occur; `size`: how many the other has; `number` (as many as could be) minus one at first."""
    count = 0
    for i in range(len(one)):
        c = np.int64(one[i]) * size + other[i]
        if number[c] < 0:
            number[c] = count
            count += 1
        out[i] = number[c]
    return count


@compiled
def nested(code, cluster, place):  # type: ignore[no-untyped-def]
    """Whether each group lies in one cluster; `place` (as many as groups) minus one at first."""
    for i in range(len(code)):
        if place[code[i]] < 0:
            place[code[i]] = cluster[i]
        elif place[code[i]] != cluster[i]:
            return False
    return True


@compiled
def deviance(y, w):  # type: ignore[no-untyped-def]
    """2 sum (y log(y / w) - (y - w)), with 0 log 0 = 0."""
    whole = 0.0
    for i in range(len(y)):
        if y[i] > 0:
            whole += y[i] * np.log(y[i] / max(w[i], 1e-300))
        whole -= y[i] - w[i]
    return 2 * whole


@compiled
def scores(first, last, start, other, x, y, w, mass, v, code, out, meat):  # type: ignore[no-untyped-def]
    """Sums over the groups of `code` of regressor less effects times (y - w), into `out`; with no code, squares of the rows into `meat`."""
    regressors = x.shape[1]
    mean = np.zeros(regressors)
    left = np.zeros(regressors)
    for p in range(first, last):
        if mass[p] <= 0:
            continue
        mean[:] = 0.0
        for i in range(start[p], start[p + 1]):
            for k in range(regressors):
                s = x[i, k]
                for e in range(other.shape[1]):
                    s -= v[other[i, e], k]
                mean[k] += w[i] * s
        mean /= mass[p]
        for i in range(start[p], start[p + 1]):
            for k in range(regressors):
                s = x[i, k] - mean[k]
                for e in range(other.shape[1]):
                    s -= v[other[i, e], k]
                left[k] = s * (y[i] - w[i])
            if len(code) > 0:
                for k in range(regressors):
                    out[code[i], k] += left[k]
            else:
                for k in range(regressors):
                    for j in range(regressors):
                        meat[k, j] += left[k] * left[j]
