"""Contracts: names, pairs and codes that the rest of the software may rely on."""

from __future__ import annotations

import pytest

from qonys.core.contracts import CONTRACTS
from qonys.core.errors import DataError
from qonys.core.validate import contract_named
from qonys.measures import codebook

EVERY = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)


@EVERY
def test_a_contract_names_each_column_once_and_says_what_it_holds(contract):
    assert len(set(contract.names)) == len(contract.columns)
    assert all(column.doc for column in contract.columns)
    assert contract.required


@EVERY
def test_no_column_of_a_contract_is_called_as_the_position_of_a_row(contract):
    assert not {"row", "_place", "why", "line"} & set(contract.names)


@EVERY
def test_ordered_pairs_are_columns_of_one_kind(contract):
    for first, last in contract.ordered:
        assert contract.column(first).kind == contract.column(last).kind


@EVERY
def test_bounds_stand_only_on_numbers_and_codes_only_on_codes(contract):
    for column in contract.columns:
        assert (column.minimum is None and column.maximum is None) or column.kind in ("number", "integer")
        assert not column.allowed or column.kind == "code"


def test_a_measure_has_the_instruments_and_statuses_of_the_codebook():
    assert set(contract_named("measure").column("instrument").allowed) == set(codebook()["instrument"])
    assert set(contract_named("measure").column("level").allowed) == set(codebook()["level"])
    assert set(contract_named("measure").column("status").allowed) == {s for group in codebook()["status"].values() for s in group}


def test_a_wrong_contract_is_refused_with_the_nearest():
    with pytest.raises(DataError, match="did you mean 'flow'"):
        contract_named("flows")
