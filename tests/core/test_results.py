"""Results: every cell has one address, and the run says the same of the same."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from qonys.core.errors import QonysError, TraceError
from qonys.core.results import Measured, Result, addresses
from qonys.core.run import LIBRARIES, InputFile, OutputTable, Run
from qonys.core.units import UNITS


def result(**columns: list[object]) -> Result:
    rows = pd.DataFrame({"id": ["KAZ.2020", "KAZ.2021"], "inputs": [["flow/a.csv:2"], ["flow/a.csv:3"]], **columns})
    return Result("external", rows, {name: Measured(unit="persons", decimals=1) for name in columns})


def test_a_cell_carries_its_address_value_and_unit():
    cell = result(net=[-21217, None]).cell("KAZ.2020", "net")
    assert (cell.address, cell.value, cell.unit, cell.decimals) == ("external/KAZ.2020/net", -21217.0, "persons", 1)


@pytest.mark.parametrize("gap", [None, np.nan, pd.NA, pd.NaT])
def test_a_gap_is_none_and_never_a_number(gap):
    assert result(net=[1, gap]).cell("KAZ.2021", "net").value is None


def test_a_wrong_row_or_column_is_refused_with_the_nearest():
    with pytest.raises(TraceError, match=r"no row 'KAZ.202'; did you mean 'KAZ.202[01]'"):
        result(net=[1, 2]).cell("KAZ.202", "net")
    with pytest.raises(TraceError, match=r"no number 'nett'; did you mean 'net'"):
        result(net=[1, 2]).cell("KAZ.2020", "nett")


def test_a_result_needs_ids_inputs_and_the_columns_it_measures():
    with pytest.raises(TraceError, match="lacks inputs, net"):
        Result("r", pd.DataFrame({"id": ["a"]}), {"net": Measured(unit="persons")})
    with pytest.raises(TraceError, match="has 'a' twice"):
        Result("r", pd.DataFrame({"id": ["a", "a"], "inputs": [[], []]}))


def test_a_row_knows_what_it_was_made_from():
    made = result(net=[1, 2])
    assert made.inputs("KAZ.2021") == ["flow/a.csv:3"]
    assert made.inputs("nowhere") == []
    assert made.has("KAZ.2020")
    assert not made.has("nowhere")
    assert made.records()[1]["net"] == 2


def test_addresses_are_sorted_and_each_once():
    assert addresses("flow", ["b", "a", "b"]) == ["flow/a", "flow/b"]


def test_the_same_run_is_written_the_same_and_names_each_library():
    run = Run("s", {"b": 1, "a": ["ө"]}, (InputFile("x@1", "f.csv", "00", "flow", 3, 1),), (OutputTable("external", 2, "11", {}),))
    assert run.to_json() == replace(run).to_json()
    assert set(json.loads(run.to_json())["versions"]) == {"qonys", *LIBRARIES}


def test_every_error_says_what_happened_and_what_to_do():
    for kind in QonysError.__subclasses__():
        error = kind("the file is empty", mend="add a row")
        assert str(error) == "the file is empty; add a row"
        assert (error.what, error.mend) == ("the file is empty", "add a row")


def test_units_are_described():
    assert all(UNITS.values())
