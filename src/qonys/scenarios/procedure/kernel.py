"""One replication of a procedure, event by event, compiled: who waits, who is at work, what follows.

Only what is under way stands in the heap; who waits stands in a line per agency and priority, first come, first served. At one instant,
first everything that ends is ended, then who applies is taken in, and only then do officers take up who waits: those of the lowest priority
number first, among them who was ready first. The order of what happens at the very same instant is fixed, so that a run repeats itself.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from qonys.core.compiled import compiled
from qonys.scenarios.procedure.durations import DAY

HANDLED, FOLLOWED = 0, 1  # an officer is done; what followed, passing or mending, is over
NEVER = -1


class Plan(NamedTuple):
    """A procedure as arrays. Steps S, agencies G, calendars C of D days, pieces of officers P; instants in ticks.

    next_first (S+1), next_step: steps that need each step. needs (S): how many steps each one needs. agency_of (S): who handles it, -1
    where no officer does. stops, return_stops (S): the clock stands still during the step, and while the applicant mends. queued (G):
    officers are counted. calendar_of (G). piece_first (G+1), piece_at, piece_number (P): officers by date. open_before (C, D+1), open_day
    (C, D): see `Calendar`. clock_calendar: the one that the legal limit counts in, -1 for calendar days. window: the cohort, in which
    lines are measured.
    """

    next_first: Any
    next_step: Any
    needs: Any
    agency_of: Any
    stops: Any
    return_stops: Any
    queued: Any
    calendar_of: Any
    piece_first: Any
    piece_at: Any
    piece_number: Any
    open_before: Any
    open_day: Any
    clock_calendar: Any
    window: Any


@compiled
def worked(open_before: Any, instant: Any) -> Any:
    """Open time from the origin to an instant."""
    day, rest = instant // DAY, instant % DAY
    return open_before[day] * DAY + (open_before[day + 1] - open_before[day]) * rest


@compiled
def opening(open_before: Any, open_day: Any, instant: Any) -> Any:
    """The first instant from this one on at which it is open; the end of the calendar where there is none."""
    day = instant // DAY
    if open_before[day + 1] > open_before[day]:
        return instant
    return open_day[open_before[day]] * DAY if open_before[day] < open_before[-1] else (len(open_before) - 1) * DAY


@compiled
def work_ends(open_before: Any, open_day: Any, start: Any, work: Any) -> Any:
    """When a piece of work begun at an open instant ends; the end of the calendar where it does not fit."""
    if work == 0:
        return start
    end = worked(open_before, start) + work
    last = (end - 1) // DAY  # what ends with a day ends before the night, not when the next day opens
    return open_day[last] * DAY + end - last * DAY if last < open_before[-1] else (len(open_before) - 1) * DAY


@compiled
def replicate(plan: Any, arrival: Any, rank: Any, ranks: Any, first: Any, handling: Any, after: Any) -> Any:
    """Play every case to its end -> finished at all, ready, started, ended, decided, stopped, longest.

    arrival (N): instants, rising. rank (N): place of the priority, 0 .. ranks-1. A job is a step of a case: number case * S + step. Its
    attempts are first[job] .. first[job+1]-1; handling: open time of each; after: of the last attempt the time that passes until the step
    is done, of the others the time in which the applicant mends what was returned.
    ready, started, ended: of each attempt's handling. decided (N). stopped (N): clock time that the clock stood still. longest (G): the
    longest line within the window. False: the calendar ended before the last case did.
    """
    # taken apart once: each look into a named tuple counts references
    (
        next_first,
        next_step,
        needs,
        agency_of,
        stops,
        return_stops,
        queued,
        calendar_of,
        piece_first,
        piece_at,
        piece_number,
        open_before,
        open_day,
        clock_calendar,
        window,
    ) = plan
    cases, steps, agencies = len(arrival), len(needs), len(queued)
    horizon = (open_before.shape[1] - 1) * DAY
    ready, started, ended = np.empty_like(handling), np.empty_like(handling), np.empty_like(handling)
    decided, stopped = np.full(cases, NEVER), np.zeros(cases, np.int64)
    stop_from, stoppers = np.zeros(cases, np.int64), np.zeros(cases, np.int16)
    left = np.full(cases, steps, np.int16)
    at = first[:-1].copy()  # the attempt a job is at
    needed = np.empty(cases * steps, np.int16)
    for place in range(cases * steps):
        needed[place] = needs[place % steps]
    behind = np.empty(cases * steps, np.int64)  # who stands behind a job in its line
    head, tail = np.full((agencies, ranks), NEVER), np.full((agencies, ranks), NEVER)
    waiting, busy, longest = np.zeros(agencies, np.int64), np.zeros(agencies, np.int64), np.zeros(agencies, np.int64)
    piece, wake = piece_first[:-1].copy(), np.full(agencies, NEVER)
    touched = np.zeros(agencies, np.bool_)
    fresh = np.empty(steps, np.int64)  # jobs that are ready now
    heap = [(np.int64(0), np.int64(-1))]
    heap.pop()
    for agency in range(agencies):
        for place in range(piece_first[agency] + 1, piece_first[agency + 1]):
            heappush(heap, (np.int64(piece_at[place]), np.int64(-1 - agency)))
    applied, undecided = 0, cases
    while undecided > 0:
        now: Any = heap[0][0] if applied == cases or (len(heap) > 0 and heap[0][0] < arrival[applied]) else arrival[applied]
        if now >= horizon:
            return False, ready, started, ended, decided, stopped, longest
        clock = worked(open_before[clock_calendar], now) if clock_calendar >= 0 else now
        while True:
            count = 0
            if len(heap) > 0 and heap[0][0] == now:
                code = heappop(heap)[1]
                if code < 0:
                    touched[-1 - code] = True
                    continue
                job = code >> 1
                case, step = job // steps, job % steps
                attempt = at[job]
                last = attempt + 1 == first[job + 1]
                if code & 1 == HANDLED:
                    agency = agency_of[step]
                    if agency >= 0 and queued[agency]:
                        busy[agency] -= 1
                        touched[agency] = True
                    if not last and return_stops[step]:
                        if stoppers[case] == 0:
                            stop_from[case] = clock
                        stoppers[case] += 1
                    if after[attempt] > 0:
                        heappush(heap, (now + after[attempt], np.int64(job * 2 + FOLLOWED)))
                        continue
                if return_stops[step] if not last else stops[step]:
                    stoppers[case] -= 1
                    if stoppers[case] == 0:
                        stopped[case] += clock - stop_from[case]
                if not last:
                    at[job] += 1
                    fresh[0], count = job, 1
                else:
                    for place in range(next_first[step], next_first[step + 1]):
                        other = job - step + next_step[place]
                        needed[other] -= 1
                        if needed[other] == 0:
                            fresh[count] = other
                            count += 1
                    left[case] -= 1
                    if left[case] == 0:
                        decided[case] = now
                        undecided -= 1
            elif applied < cases and arrival[applied] == now:
                for place in range(steps):
                    if needs[place] == 0:
                        fresh[count] = applied * steps + place
                        count += 1
                applied += 1
            else:
                break
            for place in range(count):
                job = fresh[place]
                case, step = job // steps, job % steps
                attempt, agency = at[job], agency_of[step]
                ready[attempt] = now
                if stops[step] and attempt == first[job]:
                    if stoppers[case] == 0:
                        stop_from[case] = clock
                    stoppers[case] += 1
                if agency >= 0 and queued[agency]:
                    line = rank[case]
                    if head[agency, line] == NEVER:
                        head[agency, line] = job
                    else:
                        behind[tail[agency, line]] = job
                    tail[agency, line], behind[job] = job, NEVER
                    waiting[agency] += 1
                    touched[agency] = True
                    continue
                start, end = now, now
                if agency >= 0:
                    before, day = open_before[calendar_of[agency]], open_day[calendar_of[agency]]
                    start = opening(before, day, now)
                    end = work_ends(before, day, start, handling[attempt]) if start < horizon else horizon
                started[attempt], ended[attempt] = start, end
                heappush(heap, (np.int64(end), np.int64(job * 2 + HANDLED)))
        for agency in range(agencies):
            if not touched[agency]:
                continue
            touched[agency] = False
            while piece[agency] + 1 < piece_first[agency + 1] and piece_at[piece[agency] + 1] <= now:
                piece[agency] += 1
            before, day = open_before[calendar_of[agency]], open_day[calendar_of[agency]]
            while waiting[agency] > 0 and busy[agency] < piece_number[piece[agency]]:
                start = opening(before, day, now)
                if start > now:
                    if wake[agency] != start:
                        wake[agency] = start
                        heappush(heap, (np.int64(start), np.int64(-1 - agency)))
                    break
                line = 0
                while head[agency, line] == NEVER:
                    line += 1
                job = head[agency, line]
                head[agency, line] = behind[job]
                waiting[agency] -= 1
                busy[agency] += 1
                attempt = at[job]
                started[attempt], ended[attempt] = now, work_ends(before, day, now, handling[attempt])
                heappush(heap, (np.int64(ended[attempt]), np.int64(job * 2 + HANDLED)))
            if window[0] <= now < window[1]:
                longest[agency] = max(longest[agency], waiting[agency])
    return True, ready, started, ended, decided, stopped, longest
