"""The retention design: read as written, refused in a sentence where it cannot be meant."""

from __future__ import annotations

import pytest

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.retention_design import MEASURES, Cost, read_retention_design

FULL = """
name = "north"
horizon_months = [12, 24]
measures = ["rent_cover", "housing"]
covariates = ["members", "skill"]
model = "cox"
strata = ["destination"]
coverage = 0.9
[costs.rent_cover]
per_month = 75000
months = 12
currency = "KZT"
[costs.housing]
per_household = 9000000
currency = "KZT"
"""


def test_a_design_is_read_as_written_and_a_monthly_cost_is_summed():
    design = read_retention_design(FULL, "north.toml")
    assert (design.name, design.horizon_months, design.measures) == ("north", (12, 24), ("rent_cover", "housing"))
    assert (design.covariates, design.strata, design.model, design.coverage) == (("members", "skill"), ("destination",), "cox", 0.9)
    assert design.costs == {
        "rent_cover": Cost(per_household=900_000, currency="KZT"),
        "housing": Cost(per_household=9_000_000, currency="KZT"),
    }


def test_an_empty_design_asks_for_all_measures_at_one_two_and_three_years():
    design = read_retention_design("", "north.toml")
    assert (design.name, design.measures, design.horizon_months, design.model) == ("north", MEASURES, (12, 24, 36), "cox")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a = = 1", "is not valid TOML"),
        ("horizon = [12]", "did you mean 'horizon_months'"),
        ("horizon_months = [12, 6]", "no rising list of months"),
        ("horizon_months = [true]", "no rising list of months"),
        ("horizon_months = []", "no rising list of months"),
        ("horizon_months = [365, 730]", "above 240 months; if these are days, write 24"),
        ('model = "coxx"', "did you mean 'cox'"),
        ('model = "weibull"\nstrata = ["destination"]', "has no place in the model weibull; move it to covariates"),
        ("coverage = 95", "if you mean 95 %, write 0.95"),
        ("coverage = 0.1", "from 0.5 to below 1"),
        ("measures = []", "compares nothing"),
        ('measures = ["Rent cover"]', "is no code"),
        ('covariates = ["ethnicity"]', "unlawful profiling"),
        ('strata = ["религия"]', "unlawful profiling"),
        ('covariates = ["language"]', "stands for ethnicity"),
        ('covariates = ["left_on"]', "is what a stay is made of"),
        ('covariates = ["housing"]', "is among the measures too"),
        ('covariates = ["skill"]\nstrata = ["skill"]', "is among the covariates too"),
        ('covariates = "members"', "is no list"),
        ("[costs.rent]\nper_household = 1", "'rent' is not among the measures"),
        ('[costs.housing]\ncurrency = "KZT"', "needs either per_household or per_month"),
        ('[costs.housing]\nper_household = 1\nper_month = 1\nmonths = 1\ncurrency = "KZT"', "needs either per_household or per_month"),
        ('[costs.housing]\nper_month = 1\ncurrency = "KZT"', "lacks months"),
        ('[costs.housing]\nper_household = -5\ncurrency = "KZT"', "out of range"),
        ('[costs.housing]\nper_household = nan\ncurrency = "KZT"', "is no number"),
        ('[costs.housing]\nper_household = "900 000"\ncurrency = "KZT"', "is no number"),
        ('[costs.housing]\nper_household = 5\ncurrency = "tenge"', "write its three letters"),
        ('[costs.housing]\nper_household = 5\nmonths = 3\ncurrency = "KZT"', "the key 'months', which means nothing here"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(text, sentence):
    with pytest.raises(DesignError, match=sentence):
        read_retention_design(text, "north.toml")
