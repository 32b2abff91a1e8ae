"""Waiting against the theory of queues: Erlang C, Pollaczek-Khinchine, Cobham, Jackson."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest

from qonys.scenarios.procedure.simulate import simulate

from .files import queue


def erlang_c(servers, load):
    """Mean wait in a M/M/c queue, in mean services."""
    offered = servers * load
    last = offered**servers / factorial(servers) / (1 - load)
    waits = last / (sum(offered**k / factorial(k) for k in range(servers)) + last)
    return waits / (servers * (1 - load))


def wait(procedure, runs, service_days):
    """Mean wait and its interval, in mean services."""
    found = simulate(procedure, runs=runs, seed=2021, coverage=0.99)
    return (found.waiting[["mean_days", "low", "high"]] / service_days).to_numpy()


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (3, 0.8), (10, 0.9)])
def test_waiting_for_one_of_some_officers_is_that_of_erlang(servers, load):
    ((value, low, high),) = wait(queue(servers=servers, load=load, days=150), 4, servers * load / 1000)
    assert low <= erlang_c(servers, load) <= high
    # three standard errors of the slowest of them to settle
    assert value == pytest.approx(erlang_c(servers, load), rel=0.08)


@pytest.mark.slow
@pytest.mark.parametrize(("servers", "load", "runs"), [(1, 0.7, 6), (3, 0.8, 8), (10, 0.9, 30)])
def test_in_millions_of_cases_it_is_so_within_one_percent(servers, load, runs):
    ((value, low, high),) = wait(queue(servers=servers, load=load, days=720), runs, servers * load / 1000)
    assert value == pytest.approx(erlang_c(servers, load), rel=0.01)
    assert low <= erlang_c(servers, load) <= high


@pytest.mark.parametrize(("service", "variability"), [("cv = 0", 0.5), ('cv = 0.5, distribution = "gamma"', 0.625), ("cv = 1.5", 1.625)])
def test_waiting_for_one_officer_grows_with_the_spread_of_the_work(service, variability):
    # Pollaczek and Khinchine: load / (1 - load) * (1 + cv^2) / 2
    ((value, low, high),) = wait(queue(servers=1, load=0.6, days=150, service=service), 4, 0.6 / 1000)
    assert low <= 1.5 * variability <= high
    assert value == pytest.approx(1.5 * variability, rel=0.04)


def test_two_priorities_wait_as_cobham_says():
    # Cobham (1954): W0 / (1 - r1), W0 / ((1 - r1) (1 - r1 - r2)), and W0 = load for exponential work, in mean services
    more = '[[classes]]\nid = "first"\nshare = 0.3\npriority = 1\n[[classes]]\nid = "usual"\nshare = 0.7\npriority = 2\n'
    load, first = 0.8, 0.8 * 0.3
    found = simulate(queue(servers=1, load=load, days=180, more=more), runs=5, coverage=0.99)
    rows = found.classes[found.classes["measure"] == "waiting_days"].set_index("class")[["low", "high"]] / (load / 1000)
    expected = {"first": load / (1 - first), "usual": load / (1 - first) / (1 - load)}
    for name, theory in expected.items():
        assert rows.loc[name, "low"] <= theory <= rows.loc[name, "high"]
    # what one class gains the other loses: the mean over all is that of one line (Kleinrock 1965)
    assert 0.3 * expected["first"] + 0.7 * expected["usual"] == pytest.approx(erlang_c(1, load))


def test_stations_in_a_row_wait_as_if_alone():
    # Jackson (1957): with exponential work, each station of a tandem is a queue of its own
    found = wait(queue(servers=2, load=0.7, days=150, steps=2), 4, 2 * 0.7 / 1000)
    assert len(found) == 2
    for _, low, high in found:
        assert low <= erlang_c(2, 0.7) <= high


def test_open_cases_are_as_many_as_come_in_the_time_that_each_takes():
    # Little (1961): number in the system = rate * time in it; 12 month ends of 40 runs, apart enough to be independent
    found = simulate(queue(servers=1, load=0.7, days=360, per_day=100), runs=40, seed=2021)
    days = found.outcomes.set_index("measure").loc["mean_days", "value"]
    deviation = np.sqrt(0.7) / 0.3  # of the number in the system
    assert found.backlog["open"].iloc[1:].mean() == pytest.approx(100 * days, abs=4 * deviation / np.sqrt(12 * 40))
