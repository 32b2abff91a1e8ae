"""The one heavy step: the residence rule over rows sorted by person and time, compiled.

The walk of the rule is not walked. With P(i) and A(i), the days present and absent before row i, the stay that an entry i opens reaches
the threshold T in the first spell j with P(j+1) - P(i) >= T, and is given up in the first spell j with A(j+1) - A(i) > N; the earlier of
the two decides. Both only move forward as i does, so each is a pointer: one pass, whatever the number of crossings in a window. For an
exit P and A change places.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNKNOWN = -1
NEVER = -(2**31)  # a day that has not come
ENTRY = 0
NON_RESIDENT, RESIDENT = 1, 2  # as bits: which statuses are still possible


@numba.njit(nogil=True, cache=True)
def residence(
    starts: Any, day: Any, direction: Any, initial: Any, end: int, window: int, threshold: int,
    present: Any, observed: Any, long_term: Any, before: Any, after: Any, final: Any,
) -> None:  # fmt: skip
    """Fill the answers of every row.

    starts: first row of each person, and the number of rows; day: days since 1970, rising within a person; direction: 0 entry, 1 exit;
    initial: of each person, 0 or 1 if the status before the first crossing is given, else -1; end: the last day of the data.
    """
    tolerance = window - threshold
    longest = 0
    for person in range(len(starts) - 1):
        longest = max(longest, starts[person + 1] - starts[person])
    # days present (column 0) and absent (column 1) before each row of the person
    spent = np.zeros((longest + 1, 2), np.int64)
    for person in range(len(starts) - 1):
        first, rows = starts[person], starts[person + 1] - starts[person]
        for i in range(rows):
            until = day[first + i + 1] if i + 1 < rows else max(end, day[first + i])
            length = until - day[first + i]
            side = direction[first + i]
            spent[i + 1, side] = spent[i, side] + length
            spent[i + 1, 1 - side] = spent[i, 1 - side]
        status = (
            (RESIDENT if initial[person] == 1 else NON_RESIDENT)
            if initial[person] >= 0
            else (RESIDENT if direction[first] != ENTRY else NON_RESIDENT)
        )
        settled, sure = day[first], True
        reach = np.zeros(2, np.int64)  # for an entry and for an exit: the spell in which the threshold is reached
        leave = np.zeros(2, np.int64)  # the spell in which the stay is given up
        edge = 0
        for i in range(rows):
            row = first + i
            today, side = day[row], direction[row]
            # days in the window
            last = min(today + window, max(end, today))
            edge = max(edge, i)
            while edge + 1 < rows and day[first + edge + 1] <= last:
                edge += 1
            count = spent[edge, 0] - spent[i, 0]
            if direction[first + edge] == ENTRY:
                count += last - day[first + edge]
            present[row], observed[row] = count, last - today
            # what the stay comes to
            j, k = max(reach[side], i), max(leave[side], i)
            while j < rows and spent[j + 1, side] - spent[i, side] < threshold:
                j += 1
            while k < rows and spent[k + 1, 1 - side] - spent[i, 1 - side] <= tolerance:
                k += 1
            reach[side], leave[side] = j, k
            outcome, decided = UNKNOWN, NEVER
            if j < rows and j < k:
                outcome, decided = 1, day[first + j] + threshold - (spent[j, side] - spent[i, side])
            elif k < rows:
                outcome, decided = 0, day[first + k] + tolerance - (spent[k, 1 - side] - spent[i, 1 - side]) + 1
            # what it means for the statuses still possible; an entry can only make a non-resident a migrant, an exit a resident
            against = NON_RESIDENT if side == ENTRY else RESIDENT
            concerned = (status & against) != 0
            alone = status == against
            following = status
            if concerned:
                if outcome == 1:
                    following = RESIDENT + NON_RESIDENT - against
                elif outcome == UNKNOWN:
                    following = RESIDENT + NON_RESIDENT
            known = status != RESIDENT + NON_RESIDENT
            if not concerned:
                long_term[row] = 0
            elif alone or outcome == 0:
                long_term[row] = outcome
            else:
                long_term[row] = UNKNOWN
            before[row] = UNKNOWN if not known else (1 if status == RESIDENT else 0)
            after[row] = UNKNOWN if following == RESIDENT + NON_RESIDENT else (1 if following == RESIDENT else 0)
            # final is an answer that rests on nothing open: once a status is not known, no later answer of this data is
            sure = sure and known and long_term[row] != UNKNOWN
            final[row] = NEVER
            if sure:
                settled = max(settled, today)
                if concerned:
                    settled = max(settled, decided)
                final[row] = settled
            status = following


@numba.njit(nogil=True, cache=True)
def settle_ties(person: Any, second: Any, direction: Any, order: Any) -> None:
    """Of an entry and an exit of a person in one instant, put the exit first if the record before them was an entry; rows are sorted."""
    for i in range(1, len(person) - 1):
        pair = person[i] == person[i + 1] and second[i] == second[i + 1] and direction[i] != direction[i + 1]
        if pair and person[i - 1] == person[i] and direction[i - 1] == direction[i]:
            direction[i], direction[i + 1] = direction[i + 1], direction[i]
            order[i], order[i + 1] = order[i + 1], order[i]


def person_starts(person: NDArray[np.int64]) -> NDArray[np.int64]:
    """First row of each person in sorted rows, and the number of rows."""
    changes = np.flatnonzero(person[1:] != person[:-1]) + 1
    return np.concatenate([[0], changes, [len(person)]]).astype(np.int64) if len(person) else np.zeros(1, np.int64)
