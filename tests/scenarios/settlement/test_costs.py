"""The cost of one more household that stays is a quotient, and has no upper end where the effect is not shown."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DesignError
from qonys.scenarios.settlement.costs import cost_per_retained
from qonys.scenarios.settlement.records import spells
from qonys.scenarios.settlement.retention_design import Cost, RetentionDesign
from qonys.scenarios.settlement.simulated_households import simulate_households
from qonys.scenarios.settlement.support import Effects, support_effects


def effects(*rows: tuple[float, float, float]) -> Effects:
    retained = pd.DataFrame(rows, columns=["difference", "low", "high"]).assign(measure="housing", horizon_months=range(12, 12 + len(rows)))
    empty = pd.DataFrame()
    return Effects(ratios=empty, retained=retained, crude=empty, notes=empty, draws=empty, ratio_of="hazard", coverage=0.95)


HOUSING = {"housing": Cost(per_household=1000, currency="KZT")}


@settings(max_examples=30, deadline=None)
@given(st.floats(0.001, 0.9), st.floats(0.1, 0.99), st.floats(1.01, 5), st.floats(0.01, 1e9))
def test_cost_and_interval_are_the_cost_over_the_difference_and_its_ends(difference, below, above, each):
    found = cost_per_retained(
        effects((difference, difference * below, difference * above)), {"housing": Cost(per_household=each, currency="KZT")}
    ).iloc[0]
    assert found["cost_per_retained"] == pytest.approx(each / difference)
    assert found["low"] < found["cost_per_retained"] < found["high"]
    assert (found["low"] * difference * above, found["high"] * difference * below) == (pytest.approx(each), pytest.approx(each))
    assert (found["code"], found["currency"]) == ("", "KZT")


def test_codes_tell_why_an_end_or_a_cost_is_missing():
    nan = float("nan")
    found = cost_per_retained(
        effects((0.1, -0.1, 0.2), (-0.05, -0.1, 0.2), (-0.2, -0.3, -0.1), (nan, nan, nan), (0.1, nan, nan), (-0.1, nan, nan)), HOUSING
    )
    assert found["code"].tolist() == [
        "effect_not_shown",
        "effect_not_shown;no_gain",
        "fewer_stay",
        "no_effect",
        "no_interval",
        "no_interval;no_gain",
    ]
    np.testing.assert_allclose(found["cost_per_retained"], [10_000, nan, nan, nan, 10_000, nan])
    np.testing.assert_allclose(found["low"], [5000, 5000, nan, nan, nan, nan])
    assert found["high"].isna().all()


def test_a_measure_without_a_cost_has_none_and_a_cost_without_a_measure_is_refused():
    found = cost_per_retained(effects((0.1, 0.05, 0.2)), {})
    assert found[["code", "currency"]].iloc[0].tolist() == ["no_cost", ""]
    assert found["cost_per_retained"].isna().all()
    with pytest.raises(DesignError, match="a cost of 'hosing', but no effect; did you mean 'housing'"):
        cost_per_retained(effects((0.1, 0.05, 0.2)), {"hosing": HOUSING["housing"]})


def test_of_a_fitted_effect_the_cost_is_the_quotient_of_its_table():
    found = support_effects(spells(simulate_households(600, seed=4).records), RetentionDesign(name="north", horizon_months=(24,)), draws=40)
    costs = cost_per_retained(found, HOUSING).set_index("measure")
    row = found.retained.set_index("measure").loc["housing"]
    assert costs.loc["housing", ["cost_per_retained", "low", "high"]].tolist() == pytest.approx(
        [1000 / row["difference"], 1000 / row["high"], 1000 / row["low"]]
    )
    assert (costs.drop("housing")["code"] == "no_cost").all()
