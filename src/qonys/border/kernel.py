"""The one heavy step: the residence rule over rows sorted by person and time, compiled.

The walk of the rule is not walked. With P(i) and A(i), the days present and absent before row i, the stay that an entry i opens reaches
the threshold T in the first spell j with P(j+1) - P(i) >= T, and is given up in the first spell k with A(k+1) - A(i) > N; the earlier of
the two decides. Both only move forward as i does, so each is a pointer, and the whole is one pass whatever the number of crossings in a
window. For an exit P and A change places.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from qonys.core.compiled import compiled

UNKNOWN = -1
NEVER = -(2**31)  # a day that has not come
ENTRY = 0
NON_RESIDENT, RESIDENT = 1, 2  # as bits: which statuses are still possible
BOTH = NON_RESIDENT + RESIDENT


@compiled
def residence(
    starts: Any, day: Any, direction: Any, given: Any, given_on: Any, end: int, window: int, threshold: int,
    present: Any, observed: Any, long_term: Any, before: Any, after: Any, final: Any,
) -> None:  # fmt: skip
    """Fill the answers of every row.

    starts: first row of each person, and the number of rows; day: days since 1970, rising within a person; direction: 0 entry, 1 exit;
    given: of each person, 0 or 1 if a status is given, else -1, and given_on, the day it became final; end: the last day of the data.
    """
    tolerance = window - threshold
    longest = 0
    for person in range(len(starts) - 1):
        longest = max(longest, starts[person + 1] - starts[person])
    # days present (column 0) and absent (column 1) before each row of the person
    spent = np.zeros((longest + 1, 2), np.int64)
    reach = np.zeros(2, np.int64)  # for an entry and for an exit: the spell in which the threshold is reached
    leave = np.zeros(2, np.int64)  # the spell in which the stay is given up
    for person in range(len(starts) - 1):
        first, rows = starts[person], starts[person + 1] - starts[person]
        for i in range(rows):
            until = day[first + i + 1] if i + 1 < rows else max(end, day[first + i])
            side = direction[first + i]
            spent[i + 1, side] = spent[i, side] + until - day[first + i]
            spent[i + 1, 1 - side] = spent[i, 1 - side]
        # who is on the other side when the data end is back a day later at the earliest: a day more than those that are over
        open_side = direction[first + rows - 1]
        status = NON_RESIDENT if direction[first] == ENTRY else RESIDENT
        settled: Any = np.int64(day[first])
        sure = True
        waiting = given[person] >= 0 and given_on[person] <= end
        reach[:], leave[:] = 0, 0
        edge = 0
        for i in range(rows):
            row = first + i
            today, side = np.int64(day[row]), direction[row]
            # days in the window
            last: Any = min(today + window, max(end, today))
            edge = max(edge, i)
            while edge + 1 < rows and day[first + edge + 1] <= last:
                edge += 1
            count = spent[edge, 0] - spent[i, 0]
            if direction[first + edge] == ENTRY:
                count += last - day[first + edge]
            present[row], observed[row] = count, last - today
            # what the stay comes to
            other = 1 - side
            j, k = max(reach[side], i), max(leave[side], i)
            while j < rows and spent[j + 1, side] - spent[i, side] < threshold:
                j += 1
            while k < rows - 1 and spent[k + 1, other] - spent[i, other] <= tolerance:
                k += 1
            reach[side], leave[side] = j, k
            if k == rows - 1 and spent[rows, other] - spent[i, other] + (open_side == other) <= tolerance:
                k = rows
            outcome = UNKNOWN
            decided: Any = np.int64(NEVER)
            if j < rows and j < k:
                outcome, decided = 1, day[first + j] + threshold - (spent[j, side] - spent[i, side])
            elif k < rows:
                outcome, decided = 0, day[first + k] + tolerance - (spent[k, other] - spent[i, other])
            # a status given takes the place of one that became final no earlier
            settled = max(settled, today)
            if waiting and (not sure or settled >= given_on[person]):
                status = RESIDENT if given[person] == 1 else NON_RESIDENT
                settled, sure, waiting = max(np.int64(given_on[person]), today), True, False
            # what the outcome means for the statuses still possible; an entry makes a non-resident a migrant, an exit a resident
            against = NON_RESIDENT if side == ENTRY else RESIDENT
            concerned = (status & against) != 0
            following = status
            if concerned and outcome == 1:
                following = BOTH - against
            elif concerned and outcome == UNKNOWN:
                following = BOTH
            known = status != BOTH
            if not concerned or outcome == 0:
                long_term[row] = 0
            else:
                long_term[row] = outcome if known else UNKNOWN
            before[row] = UNKNOWN if not known else (1 if status == RESIDENT else 0)
            after[row] = UNKNOWN if following == BOTH else (1 if following == RESIDENT else 0)
            # final is an answer that rests on nothing open
            sure = sure and known and long_term[row] != UNKNOWN
            final[row] = NEVER
            if sure:
                if concerned:
                    settled = max(settled, decided)
                final[row] = settled
            status = following
