"""Durations: the mean and spread that the file says, whole ticks, and sentences for what is no duration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.scenarios.procedure.durations import BEYOND, DAY, Duration, read_duration, ticks, weibull_shape
from qonys.scenarios.reading import Part


def read(**content):
    return read_duration(Part(content, "file.toml, handling"))


@pytest.mark.parametrize("kind", ["gamma", "lognormal", "weibull", "uniform"])
@given(mean=st.floats(0.1, 300), cv=st.floats(0.05, 0.55))
def test_draws_have_the_mean_and_the_spread_of_the_file(kind, mean, cv):
    drawn = read(mean=mean, cv=cv, distribution=kind).draw(np.random.default_rng(1), 20_000) / DAY
    assert drawn.mean() == pytest.approx(mean, rel=5 * cv / np.sqrt(20_000))
    assert drawn.std() / drawn.mean() == pytest.approx(cv, rel=0.08)
    assert drawn.min() >= 0


def test_without_a_word_it_is_gamma_and_without_a_spread_constant():
    assert read(mean=60, cv=0.3) == Duration(mean=60, cv=0.3, distribution="gamma")
    assert read(mean=60) == read(mean=60, cv=0) == read(mean=60, distribution="constant") == Duration(mean=60)
    assert read(mean=2, distribution="exponential") == Duration(mean=2, cv=1, distribution="exponential")
    assert set(read(mean=60).draw(np.random.default_rng(0), 5)) == {60 * DAY}


@given(st.floats(0.02, 5))
def test_a_weibull_shape_gives_back_its_cv(cv):
    from scipy.stats import weibull_min

    shape = weibull_shape(cv)
    assert weibull_min.std(shape) / weibull_min.mean(shape) == pytest.approx(cv, rel=1e-6)


def test_a_weibull_with_the_spread_of_an_exponential_is_one():
    assert weibull_shape(1.0) == pytest.approx(1)


@given(st.lists(st.integers(0, 100), min_size=2, max_size=8).map(sorted).filter(lambda one: one[-1] > 0))
def test_quantiles_are_those_of_the_draws_and_their_mean_is_the_mean(quantiles):
    found = read(quantiles=quantiles)
    drawn = found.draw(np.random.default_rng(2), 40_000) / DAY
    assert drawn.mean() == pytest.approx(found.mean, abs=5 * max(found.mean * found.cv, 1e-9) / 200 + 1e-6)
    assert drawn.std() == pytest.approx(found.mean * found.cv, rel=0.05, abs=1e-6)
    assert quantiles[0] <= drawn.min() <= drawn.max() <= quantiles[-1]


def test_a_spread_too_small_to_matter_is_none():
    for cv in (1e-300, 1e-9, 1e-4):
        assert read(mean=60, cv=cv, distribution="weibull") == Duration(mean=60)
    assert read(mean=60, cv=2e-4, distribution="weibull").draw(np.random.default_rng(0), 99).std() / DAY == pytest.approx(
        60 * 2e-4, rel=0.3
    )


def test_a_draw_beyond_every_calendar_stays_a_whole_number():
    assert ticks(np.array([1e300, 0.5])).tolist() == [int(BEYOND) * DAY, DAY // 2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "lacks mean; add mean"),
        ({"mean": 0}, "takes no time"),
        ({"mean": -3}, r"mean = -3 is out of range; give a number 0 or more"),
        ({"mean": True}, "is no number"),
        ({"mean": "60"}, "is no number; write a number without quotes"),
        ({"mean": float("nan")}, "is no number"),
        ({"mean": 5_184_000}, "divide seconds by 86400: 60"),
        ({"mean": 60, "cv": 30}, r"if you mean 30 %, write 0\.3"),
        ({"mean": 60, "cv": -0.1}, "out of range"),
        ({"mean": 60, "sd": 20}, "has the key 'sd', which means nothing here"),
        ({"mean": 60, "cv": 0.3, "distribution": "constant"}, "is a spread, and a constant has none"),
        ({"mean": 60, "cv": 0.3, "distribution": "exponential"}, "leave cv out, or use gamma"),
        ({"mean": 60, "distribution": "lognormal"}, "a lognormal distribution needs a spread"),
        ({"mean": 60, "cv": 0.3, "distribution": "gama"}, "did you mean 'gamma'"),
        ({"mean": 60, "cv": 0.7, "distribution": "uniform"}, r"give 0\.577 at the most"),
        ({"mean": 60, "distribution": "empirical"}, "lacks quantiles"),
        ({"quantiles": [5, 3]}, "do not rise"),
        ({"quantiles": [5]}, "do not rise"),
        ({"quantiles": [0, 0]}, "do not rise"),
        ({"quantiles": [1, "x"]}, "is no list of days"),
        ({"quantiles": 7}, "is no list of days|do not rise"),
        ({"quantiles": [1, 2], "mean": 3}, "has the key 'mean'"),
    ],
)
def test_what_is_no_duration_is_refused_in_a_sentence(content, words):
    with pytest.raises(DesignError, match=words):
        read(**content)
