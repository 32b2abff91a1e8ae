"""The chance that a crossing not yet decided will prove to be a migration: learnt from earlier days whose outcome is known by now.

For each earlier day the crossings undecided on it are described by what was known on that day (see `unfinished`) and labelled with what
became of them. A gradient boosting classifier (scikit-learn) learns the one from the other. Beside it stands the naive benchmark: the
share of the crossings of that direction, equally long ago, that became migrations. Which of the two is shown is decided by the record of
both (see `intervals`), never here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qonys.border.unfinished import FEATURES, Unfinished

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

SAMPLED = 200  # crossings of one direction and one month, of each earlier day: older ones are few and decide most
LONGEST_AGO = 24  # months; who is undecided for longer is treated alike
LEAST_LEAF = 200
SURE = 1e-5  # no chance is nearer to 0 or 1
STILL = 0.25  # of the rows from which the model learns: those for which the clock ran within a factor of exp(0.25) of the usual
BINS = 255
_GROUPS = 2 * (LONGEST_AGO + 1)


@dataclass(frozen=True, slots=True)
class Lesson:
    """Undecided crossings of an earlier day with what became of them; weight: how many each stands for."""

    features: NDArray[np.float32]
    outcome: NDArray[np.bool_]
    weight: NDArray[np.float64]
    group: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chances:
    """What was learnt: a classifier, or None where the lessons hold one outcome only, and the share of each direction and age."""

    classifier: Any
    share: NDArray[np.float64]

    def of(self, open_: Unfinished, on_month: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The chance of each undecided crossing, by the model and by the naive share."""
        naive = self.share[_group(open_, on_month)]
        if self.classifier is None or not len(open_.row):
            return naive, naive
        with _one_thread():
            return np.clip(self.classifier.predict_proba(_coarse(open_.features))[:, 1], SURE, 1 - SURE), naive


def lesson(open_: Unfinished, outcome: NDArray[np.int8], on_month: int, rng: np.random.Generator) -> Lesson:
    """A sample of the undecided crossings of a day, of each age and direction up to `SAMPLED`. outcome: of all rows of the records."""
    label = outcome[open_.row]
    group = _group(open_, on_month)
    known = np.flatnonzero(label >= 0)
    shuffled = known[rng.permutation(len(known))]
    order = shuffled[np.argsort(group[shuffled], kind="stable")]
    counts = np.bincount(group[order], minlength=_GROUPS)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    taken = order[rank < SAMPLED]
    weight = (counts / np.maximum(np.minimum(counts, SAMPLED), 1))[group[taken]]
    return Lesson(
        open_.features[taken], label[taken] == 1, weight, np.where(np.abs(open_.slowed[taken]) < STILL, 1, -1) * (group[taken] + 1)
    )


def learn(lessons: Sequence[Lesson], *, seed: int = 0) -> Chances:
    """The classifier and the naive shares of some lessons. Rows whose clock was stopped teach neither, unless there are no others."""
    group = np.concatenate([one.group for one in lessons])
    still = group > 0 if (group > 0).any() else np.ones(len(group), dtype=bool)
    features, outcome, weight = (
        np.concatenate([getattr(one, name) for one in lessons])[still] for name in ("features", "outcome", "weight")
    )
    place = np.abs(group[still]) - 1
    all_, long_term = (np.bincount(place, weights=weight * value, minlength=_GROUPS) for value in (1.0, outcome))
    whole = weight @ outcome / weight.sum()
    share = np.clip((long_term + whole) / (all_ + 1.0), SURE, 1 - SURE)  # an age never seen has the share of all
    if outcome.all() or not outcome.any():
        return Chances(None, share)
    from sklearn.ensemble import HistGradientBoostingClassifier

    features = _coarse(features)
    features = np.where(np.isnan(features).all(axis=0), np.float32(0), features)  # a column that is never filled cannot be divided
    classifier = HistGradientBoostingClassifier(
        max_iter=60, learning_rate=0.1, max_leaf_nodes=15, min_samples_leaf=min(LEAST_LEAF, max(len(outcome) // 50, 1)),
        l2_regularization=5.0, early_stopping=False, random_state=seed, max_bins=BINS,
    )  # fmt: skip
    with _one_thread():
        return Chances(classifier.fit(features, outcome, sample_weight=weight), share)


def _coarse(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Days as weeks, and no more values than a tree has bins: with more it would seek weighted quantiles, for most of its time."""
    days = np.array([name.startswith("days") or name.endswith("days_left") for name in FEATURES])
    coarse: NDArray[np.float32] = np.clip(np.floor(features / np.where(days, np.float32(7), np.float32(1))), -BINS // 4, BINS * 3 // 4 - 2)
    return coarse


def _one_thread() -> AbstractContextManager[Any]:
    """Two programs that both take all cores for such small tasks wait for each other ten times as long as they work."""
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[Any] = threadpool_limits(1, user_api="openmp")
    return limited


def _group(open_: Unfinished, on_month: int) -> NDArray[np.int64]:
    """Direction and months since the crossing, as one number."""
    ago = np.clip(on_month - open_.month, 0, LONGEST_AGO).astype(np.int64)
    return ago * 2 + open_.exits
