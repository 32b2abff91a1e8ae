"""Placement files and tables: what is understood, what is refused and with which sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import FORM, households, placement, regions, values

from qonys.core.errors import DataError, DesignError
from qonys.scenarios.settlement.features import model_values
from qonys.scenarios.settlement.needs import needs
from qonys.scenarios.settlement.placement import ValueModel, read_placement

MODEL = """
name = "n"
households = "h.csv"
regions = "r.csv"
objective = { retention = 1 }
[values.model.retention]
kind = "odds"
baseline = 0.7
[values.model.retention.coefficients]
"""


@pytest.mark.parametrize(
    ("objective", "more", "said"),
    [
        ("{ retention = 70, employment = 30 }", "", "if you mean 70 %, write 0.7"),
        ("{ retention = 0.7, employment = 0.2 }", "", r"sum to 0\.9, not 1"),
        ("{ retention = 0.7, employmnt = 0.3 }", "", "did you mean 'employment'"),
        ("{ retention = true }", "", "is no number"),
        ("{ retention = nan }", "", "is no number"),
        ("{}", "", "sum to 0, not 1"),
        ("{ retention = 1 }", "keep_capacity = 30", r"if you mean 30 %, write 0\.3"),
        ("{ retention = 1 }", "keep_capacity = 1", "keeps every place back"),
        ("{ retention = 1 }", 'jobs = "need"', "did you mean 'needed'"),
        ("{ retention = 1 }", 'weigh = "people"', "persons"),
        ("{ retention = 1 }", 'all_must = "yes"', "neither true nor false"),
        ("{ retention = 1 }", "keep_capasity = 0.1", "did you mean 'keep_capacity'"),
        ("{ retention = 1 }", "arrivals = { every = 0 }", "1 or more|from 1 to"),
        ("{ retention = 1 }", 'arrivals = { values = "v.csv" }', "no history"),
        ("{ retention = 1 }", "arrivals = { expected = 2.5 }", "no whole number"),
    ],
)
def test_a_file_that_says_what_cannot_be_is_refused_with_its_key(objective, more, said):
    with pytest.raises(DesignError, match=said):
        placement(objective, more)


def test_values_come_from_a_table_or_a_model_and_the_model_gives_what_is_maximised():
    with pytest.raises(DesignError, match="neither a table nor a model"):
        read_placement(FORM.format(objective="{ retention = 1 }", more="").replace('table = "values.csv"', ""), "f")
    with pytest.raises(DesignError, match="both a table and a model"):
        read_placement(MODEL.replace("[values.model.retention]", '[values]\ntable = "v"\n[values.model.retention]', 1), "f")
    with pytest.raises(DesignError, match="counts employment, which no model gives"):
        read_placement(MODEL.replace("{ retention = 1 }", "{ retention = 0.5, employment = 0.5 }"), "f")
    with pytest.raises(DesignError, match="leaves nothing to chance"):
        read_placement(MODEL.replace("0.7", "1.0"), "f")
    with pytest.raises(DesignError, match="is out of range"):
        read_placement(MODEL + "members = 250", "f")


@pytest.mark.parametrize("feature", ["ethnicity", "religion", '"skill=farm*nationality"', "language", '"дін"'])
def test_a_model_may_not_predict_from_ethnicity_religion_or_language(feature):
    with pytest.raises(DesignError, match=r"not used here|stands for ethnicity"):
        read_placement(f"{MODEL}{feature} = 0.1", "f")


@pytest.mark.parametrize("column", ["ethnicity", "Religion", "Национальность", "діні", "mother_tongue"])
def test_tables_with_ethnicity_or_religion_are_refused_whether_used_or_not(column):
    people, where = households(), regions()
    for one, two in ((people.assign(**{column: "x"}), where), (people, where.assign(**{column: 1}))):
        with pytest.raises(DesignError, match="unlawful profiling"):
            needs(one, two, placement(), values=values(people, where))


def test_a_feature_whose_values_name_peoples_is_refused():
    file = read_placement(MODEL + '"group=Uzbek" = 0.1', "f")
    with pytest.raises(DesignError, match="a people or a faith"):
        needs(households(group=["Uzbek", "Kazakh", "Uzbek"]), regions(), file)


@given(st.floats(0.05, 0.95), st.floats(-2, 2), st.integers(0, 5))
def test_a_model_of_odds_adds_log_odds_and_one_of_hazards_raises_the_baseline(baseline, coefficient, x):
    people, where = households(x=[0, x, 1], skill=["farm", "care", "farm"]), regions(rural=[0, 1])
    odds, hazard = (
        model_values(
            ValueModel(kind=kind, baseline=baseline, coefficients={"x": coefficient, "skill=farm*rural": 0.5}), people, where, where="m"
        )
        for kind in ("odds", "hazard")
    )
    log_odds = np.log(baseline / (1 - baseline)) + coefficient * np.array([[0, 0], [x, x], [1, 1]]) + np.array([[0, 0.5], [0, 0], [0, 0.5]])
    assert np.log(odds / (1 - odds)) == pytest.approx(log_odds, abs=1e-6)
    # a hazard ratio of exp(b): the share that stays is the baseline to that power
    assert hazard[1, 0] == pytest.approx(baseline ** np.exp(coefficient * x))


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        ('"skil=farm"', "did you mean 'skill'"),
        ('"skill=frm"', "did you mean 'farm'"),
        ("skill", 'name its level, such as "skill=farm"'),
        ("gap", "1 empty cells"),
        ("shared", "both have the column"),
    ],
)
def test_a_feature_that_the_tables_do_not_carry_is_refused(feature, said):
    people = households(skill=["farm", "care", "farm"], gap=[1, None, 2], shared=1)
    with pytest.raises(DesignError, match=said):
        needs(people, regions(shared=1), read_placement(f"{MODEL}{feature} = 0.1", "f"))


def people_with(column, cells):
    return households().assign(**{column: cells})


@pytest.mark.parametrize(
    ("people", "said"),
    [
        (households().iloc[:0], "households has no rows"),
        (households().drop(columns="members"), "lacks the column 'members'"),
        (people_with("household_id", ["h1", "h1", "h2"]), "'h1' stands twice"),
        (people_with("household_id", ["h1", None, "h2"]), "row 2: household_id is empty"),
        (people_with("members", [2, 0, 1]), "'h2': members '0' is not from 1 to 100"),
        (people_with("members", [2, 2.5, 1]), "is no whole number"),
        (people_with("members", [2, None, 1]), "is empty"),
        (people_with("members", [2, "many", 1]), "'many' is no number"),
        (people_with("members", [2, np.inf, 1]), "is no number"),
        (people_with("members", pd.Series([2, True, 1], dtype=object)), "'True' is no number"),
        (people_with("members", [2, 10**9, 1]), "is not from 1 to 100"),
        (people_with("workers", [3, 0, 0]), "more workers and children at school than the 2 members"),
        (people_with("adults", [3, 0, 0]), "more adults than the 2 members"),
        (people_with("fixed_region", ["nord", None, None]), "did you mean 'north'"),
        (people_with("fixed_region", ["north;south", None, None]), "names 2 regions"),
        (people_with("barred", ["north;sout", None, None]), "did you mean 'south'"),
        (people_with("fixed_region", ["north", None, None]).assign(barred=["north", None, None]), "is barred from it"),
        (people_with("arrived_on", ["2022-01-01", "soon", "2022-01-03"]), "'soon' is no day"),
        (people_with("arrived_on", [20220101, 20220102, 20220103]), "is no day"),
        (people_with("needs_hospital", [1, 0, 0]), "add the column has_hospital"),
        (people_with("needs_hospital", [2, 0, 0]), "is not from 0 to 1"),
    ],
)
def test_a_table_of_households_that_cannot_be_is_refused_with_the_row(people, said):
    where = regions()
    with pytest.raises(DataError, match=said):
        needs(people, where, placement(), values=values(households(), where))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"region": ["north", "north"]}, "'north' stands twice"),
        ({"places": [5, None]}, "'south': places 'nan' is empty|'south': places .* is empty"),
        ({"places": [5, -1]}, "is not from 0"),
        ({"places": [5, 1e12]}, "is not from 0"),
        ({"school_places": [1, 2]}, "households lacks children_school"),
        ({"jobs_farm": [1, 2]}, "households lacks workers"),
        ({"has_hospital": [0, 7]}, "is not from 0 to 1"),
    ],
)
def test_a_table_of_regions_that_cannot_be_is_refused_with_the_row(columns, said):
    people, where = households(), regions()
    with pytest.raises(DataError, match=said):
        needs(people, where.assign(**columns), placement(), values=values(people, where))


def test_a_skill_or_a_school_language_that_no_region_states_is_refused():
    people = households(workers=1, skill=["farm", "fram", "farm"])
    with pytest.raises(DataError, match=r"'h2'.*did you mean 'farm'\? Or add the column jobs_fram"):
        needs(people, regions(jobs_farm=1), placement(), values=values(people, regions()))
    people = households(children_school=1, language=["a", "z", ""])
    with pytest.raises(DataError, match="language 'z'"):
        needs(people, regions(school_places_a=1), placement(), values=values(people, regions()))


def test_values_cover_each_household_in_each_region_it_fits_once_as_shares():
    people, where = households(), regions()
    table = values(people, where)
    with pytest.raises(DesignError, match=r"give the table values\.csv"):
        needs(people, where, placement())
    for wrong, said in (
        (table.assign(retention=87.0), r"if you mean 87 %, write 0\.87"),
        (table.assign(retention=870.0), "a percentage"),
        (table.assign(retention=-0.1), "is not from 0 to 1"),
        (table.iloc[1:], "no row for household 'h1' in region 'north'"),
        (pd.concat([table, table.iloc[:1]]), "more than one row for household 'h1'"),
        (table.replace({"region": {"north": "nroth"}}), "did you mean 'north'"),
        (table.drop(columns="retention"), "lacks the column 'retention'"),
    ):
        with pytest.raises(DataError, match=said):
            needs(people, where, placement(), values=wrong)


def test_a_table_of_jobs_says_the_same_as_columns_of_jobs():
    people = households(workers=1, skill=["farm", "care", "farm"])
    table = values(people, regions(), retention=0.5, employment=0.5)
    long = pd.DataFrame({"region": ["south", "north"], "skill": ["farm", "care"], "jobs": [2, 1]})
    mix = placement("{ retention = 0.5, employment = 0.5 }")
    one = needs(people, regions(), mix, values=table, jobs=long)
    two = needs(people, regions(jobs_care=[1, 0], jobs_farm=[0, 2]), mix, values=table)
    assert one.limits == two.limits
    assert (one.market.capacity == two.market.capacity).all()
    for wrong, said in (
        (long.assign(region="nort"), "did you mean 'north'"),
        (pd.concat([long, long]), "twice"),
        (long.assign(jobs=[1, -1]), "is not from 0"),
    ):
        with pytest.raises(DataError, match=said):
            needs(people, regions(), mix, values=table, jobs=wrong)
    with pytest.raises(DesignError, match="keep one of them"):
        needs(people, regions(jobs_farm=1), mix, values=table, jobs=long)


def test_what_is_not_limited_and_what_nothing_reads_is_noted():
    people, where = households(note="x"), regions(housing_units=3, school_place=4)
    notes = needs(
        people, where, placement(), values=pd.concat([values(people, where), values(people.replace("h1", "h9"), where).iloc[:2]])
    ).notes
    assert set(notes.itertuples(index=False, name=None)) == {
        ("not_limited", "households"), ("not_limited", "school_places"), ("not_limited", "jobs"), ("one_unit_each", "housing_units"),
        ("column_unused", "households.note"), ("column_unused", "regions.school_place"), ("values_unused", "2"),
    }  # fmt: skip
