"""The same procedure as processes of SimPy, with working time counted day by day: slow, plain, and what the kernel is held against."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import simpy

from qonys.scenarios.procedure.durations import DAY


def opens(is_open, instant):
    while not is_open[instant // DAY]:
        instant = (instant // DAY + 1) * DAY
    return instant


def finish(is_open, start, work):
    now = start
    while work > 0:
        now = opens(is_open, now)
        spent = min(work, (now // DAY + 1) * DAY - now)
        now, work = now + spent, work - spent
    return now


def open_time(is_open, begin, end):
    total, now = 0, begin
    while now < end:
        until = min(end, (now // DAY + 1) * DAY)
        total += (until - now) * bool(is_open[now // DAY])
        now = until
    return total


class Office:
    """Officers with closed days, whose number changes: after all else at an instant, who waits is taken up by priority and time."""

    def __init__(self, env, is_open, officers, origin):
        self.env, self.is_open, self.waiting, self.busy = env, is_open, [], 0
        self.pieces = [(max((day - origin).days, 0) * DAY if day.year > 1 else 0, number) for day, number in officers]
        for at, _ in self.pieces:
            env.process(self.look_at(at))

    def look_at(self, at):
        yield self.env.timeout(at - self.env.now)
        self.look()

    def look(self):
        event = self.env.event()
        event._ok, event._value = True, None
        event.callbacks.append(self.take)
        self.env.schedule(event, priority=9)

    def take(self, _):
        now = self.env.now
        if self.waiting and not self.is_open[now // DAY]:
            self.env.process(self.look_at(opens(self.is_open, now)))
            return
        number = [number for at, number in self.pieces if at <= now][-1]
        self.waiting.sort(key=lambda one: one[:3])
        while self.waiting and self.busy < number:
            self.busy += 1
            self.waiting.pop(0)[3].succeed()

    def free(self):
        self.busy -= 1
        self.look()


def replay(procedure, open_by_agency, clock_open, people, drawn):
    """ready, started, ended of each attempt; decided, stopped of each case; by processes. open_by_agency: of each day, is it open?"""
    env = simpy.Environment()
    steps, origin = procedure.steps, procedure.month_starts[0]
    ready, started, ended = (np.full(len(drawn.handling), -1) for _ in range(3))
    decided, stopped = np.full(len(people.arrival), -1), np.zeros(len(people.arrival), int)
    offices = {}
    for name, agency in procedure.agencies.items():
        always = agency.officers is not None and len(agency.officers) == 1 and all(open_by_agency[name])
        if always:
            offices[name] = simpy.PriorityResource(env, capacity=agency.officers[0][1])
        elif agency.officers is not None:
            offices[name] = Office(env, open_by_agency[name], agency.officers, origin)

    def step_of(case, place, done, spans):
        step = steps[place]
        yield env.all_of([done[one] for one in step.after])
        began = env.now
        job = case * len(steps) + place
        for attempt in range(drawn.first[job], drawn.first[job + 1]):
            ready[attempt] = env.now
            is_open, office = open_by_agency[step.agency], offices.get(step.agency)
            work = int(drawn.handling[attempt])
            if not step.handling.mean:
                started[attempt] = env.now
            elif office is None:
                yield env.timeout(opens(is_open, env.now) - env.now)
                started[attempt] = env.now
                yield env.timeout(finish(is_open, env.now, work) - env.now)
            elif isinstance(office, Office):
                turn = env.event()
                office.waiting.append((procedure.classes[people.kind[case]].priority, env.now, job, turn))
                office.look()
                yield turn
                started[attempt] = env.now
                yield env.timeout(finish(is_open, env.now, work) - env.now)
                office.free()
            else:
                with office.request(priority=procedure.classes[people.kind[case]].priority) as turn:
                    yield turn
                    started[attempt] = env.now
                    yield env.timeout(work)
            ended[attempt] = env.now
            returned = attempt + 1 < drawn.first[job + 1]
            if returned and step.returned.clock_stops:
                spans.append((env.now, env.now + int(drawn.after[attempt])))
            yield env.timeout(int(drawn.after[attempt]))
        if step.clock_stops:
            spans.append((began, env.now))
        done[step.id].succeed()

    def case_of(case):
        yield env.timeout(int(people.arrival[case]))
        done, spans = {step.id: env.event() for step in steps}, []
        for place in range(len(steps)):
            env.process(step_of(case, place, done, spans))
        yield env.all_of(done.values())
        decided[case] = env.now
        reached = 0
        for begin, end in sorted(spans):
            begin = max(begin, reached)
            if end > begin:
                stopped[case] += end - begin if clock_open is None else open_time(clock_open, begin, end)
                reached = end

    for case in range(len(people.arrival)):
        env.process(case_of(case))
    env.run()
    return ready, started, ended, decided, stopped


def open_list(procedure, agency, days):
    """Of each day: is the agency open? Asked of the holidays library day by day."""
    import holidays

    works = procedure.agencies[agency] if agency else None
    known = holidays.country_holidays(procedure.country) if procedure.country else None
    origin, found = procedure.month_starts[0], []
    for place in range(days):
        day = origin + timedelta(place)
        working = agency is not None and works.calendar == "every_day"
        found.append((working or known.is_working_day(day)) and not (works and day in works.closed))
    return found
