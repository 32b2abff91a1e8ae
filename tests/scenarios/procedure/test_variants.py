"""Variants: order, one stop, officers and documents, combined and based on one another."""

from __future__ import annotations

from datetime import date

import pytest

from qonys.core.errors import DesignError
from qonys.scenarios.procedure.read import read_procedure
from qonys.scenarios.procedure.variants import variant

from .files import OFFICES, kandas, offices


def of(name, more="", swap=("", "")):
    return variant(read_procedure((OFFICES + more).replace(*swap), "offices.toml"), name)


def test_in_turn_each_step_waits_for_the_one_before_and_at_once_none_waits():
    assert [step.after for step in variant(kandas(), "in_turn").steps] == [(), ("residence",), ("permit",)]
    assert [step.after for step in variant(kandas(), "at_once").steps] == [(), (), ()]


def test_one_stop_takes_each_document_once_in_one_visit_before_any_step():
    counter, *steps = of("one_stop").steps
    assert counter.documents == ("passport", "photo", "autobiography", "no_record")
    assert counter.visits == 1
    # the passport is wrong as often as where it is wrong most often, the certificate as at the step that asks for it
    assert counter.chance_returned == pytest.approx(1 - 0.9**3 * 0.95)
    assert (counter.returned.days.mean, counter.returned.most, counter.returned.clock_stops) == (6, 3, True)
    assert [step.after for step in steps] == [("one_stop",), ("intake",), ("check",)]
    assert all(not step.documents and not step.visits and step.returned is None for step in steps)


def test_fewer_documents_come_back_less_often():
    as_is, fewer = of("as_is").steps[0], of("fewer_documents").steps[0]
    assert (as_is.chance_returned, fewer.chance_returned) == (pytest.approx(1 - 0.9**3), pytest.approx(1 - 0.9**2))
    half = of("half", "[variants.half]\ndocuments_share = 0.5\n").steps
    assert [step.documents for step in half] == [("passport", "photo"), ("passport",), ()]
    none = of("none", "[variants.none]\ndocuments_share = 0\n").steps
    assert {step.chance_returned for step in none} == {0.0}


def test_officers_change_by_number_or_by_percent_in_all_their_pieces():
    more = of("more_officers").agencies
    assert more["migration"].officers == ((date.min, 6),)
    assert more["justice"].officers == ((date.min, 5),)
    cut = of("cut", '[variants.cut]\nofficers = { justice = "-60%" }\n').agencies
    assert cut["justice"].officers == ((date(2021, 1, 1), 1), (date(2021, 4, 15), 2))


def test_the_time_that_passes_changes_by_percent_and_its_spread_in_proportion_stays():
    faster = "[variants.faster]\npassing = {{ {step} = {change} }}\n"
    as_is = of("as_is").steps
    step = next(one for one in as_is if one.passing.mean)
    changed = of("faster", faster.format(step=step.id, change='"-25%"')).steps[as_is.index(step)]
    assert changed.passing.mean == pytest.approx(0.75 * step.passing.mean)
    assert changed.passing.cv == step.passing.cv
    with pytest.raises(DesignError, match="is no change of the time"):
        of("faster", faster.format(step=step.id, change="45"))
    with pytest.raises(DesignError, match="step that is not declared"):
        of("faster", faster.format(step="nothing", change='"-25%"'))


def test_a_variant_adds_to_the_one_it_is_based_on():
    both = of("all")
    assert both.steps[0].documents == ("passport", "photo")
    assert both.agencies["migration"].officers == ((date.min, 8),)
    assert [step.after for step in both.steps[1:]] == [("one_stop",)] * 3
    back = of("back", "[variants.back]\nbased_on = 'all'\none_stop = false\n")
    assert len(back.steps) == 3


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("[variants.x]\nbased_on = 'one_stops'\n", "variant 'x' is based on 'one_stops', which does not exist; did you mean 'one_stop'"),
        ("[variants.x]\nbased_on = 'y'\n[variants.y]\nbased_on = 'x'\n", "is based on itself"),
        ("[variants.x]\nofficers = { migrations = 3 }\n", "agency that is not declared; did you mean 'migration'"),
        ("[variants.x]\nofficers = { migration = 1.25 }\n", r'is no whole number; write a count, or a change in quotes: "\+25%"'),
        ("[variants.x]\nofficers = { migration = 0 }\n", "out of range"),
        ("[variants.x]\nofficers = { migration = '25' }\n", r'is no change of officers; write "\+25%"'),
        ("[variants.x]\nofficers = { migration = '-100%' }\n", "is no change of officers"),
        ("[variants.x]\nofficers = { post = '+25%' }\n", "changes officers that are not given"),
        ("[variants.x]\ndrop_documents = ['photos']\n", "is asked by no step; did you mean 'photo'"),
        ("[variants.x]\ndocuments_share = 50\n", r"if you mean 50 %, write 0\.5"),
        ("[variants.x]\norder = 'at_ones'\n", "did you mean 'at_once'"),
        ("[variants.x]\none_stop = 'yes'\n", "neither true nor false"),
        ("[variants.x]\nofficer = { migration = 5 }\n", "did you mean 'officers'"),
    ],
)
def test_a_variant_that_cannot_be_is_refused(more, words):
    with pytest.raises(DesignError, match=words):
        read_procedure(OFFICES + more, "offices.toml")


def test_a_listing_in_turn_that_contradicts_what_steps_need_is_refused():
    text = """
limit = 9
first = 2021-01-01
arrivals.per_month = 5
agencies.a = {}
steps = [
    { id = "one", agency = "a", after = ["two"], passing.mean = 1 },
    { id = "two", agency = "a", passing.mean = 1 },
]
"""
    assert read_procedure(text, "x.toml").order == "as_declared"
    with pytest.raises(DesignError, match="in turn, 'one' stands before 'two', which it needs; list 'two' first"):
        read_procedure(text + "variants.x.order = 'in_turn'", "x.toml")


def test_a_variant_that_does_not_exist_is_refused():
    with pytest.raises(DesignError, match="offices has no variant 'one_shop'; did you mean 'one_stop'"):
        variant(offices(), "one_shop")
