"""A table against its contract: every fault of every column is caught, and no other."""

from __future__ import annotations

from collections import defaultdict

import ibis
import pandas as pd
import pytest

from qonys.core.contracts import CONTRACTS, FIGURE, MEASURE, PANEL
from qonys.core.errors import DataError, nearest
from qonys.core.validate import examine, sentence
from rows import bad_rows, good_row

EVERY = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)


def raw(rows: list[dict[str, str]]) -> ibis.Table:
    frame = pd.DataFrame(rows).astype("string")
    frame["row"] = range(2, len(frame) + 2)
    return ibis.memtable(frame)


@EVERY
def test_every_fault_of_every_column_is_found_in_its_row_and_named_with_its_mend(con, contract):
    good, faulty = [good_row(contract) for _ in range(3)], bad_rows(contract)
    rows = good + [row for row, _, _ in faulty]
    if contract.key and "id" not in contract.names:  # no row repeats another
        first = contract.key[0]
        rows = [row | {first: row[first].strip() and f"{row[first]}{place}"} for place, row in enumerate(rows)]
    found = defaultdict(set)
    for fault in con.to_pandas(examine(raw(rows), contract, file="f.csv").faults).itertuples():
        found[fault.row].add((fault.column, fault.rule))
    for place, (row, column, rule) in enumerate(faulty, start=2 + len(good)):
        here = found.pop(place, set())
        assert (column, rule) in here or not rule, (column, row[column], here)
        assert {name for name, _ in here} <= {column}, "a fault in a cell is a fault of that cell alone"
        for name, broken in here:
            said = sentence(place=f"f.csv:{place}", column=name, rule=broken, found=row[name], contract=contract)
            assert said.startswith(f"f.csv, row {place}, column {name}: ")
            assert said.rpartition("; ")[2]
    assert not found, "good rows have no fault"


@EVERY
def test_a_file_without_a_required_column_is_refused_with_its_name(contract):
    for name in contract.required:
        row = {column: cell for column, cell in good_row(contract).items() if column != name}
        with pytest.raises(DataError, match=rf"f\.csv has no column '{name}', which {contract.name} needs"):
            examine(raw([row]), contract, file="f.csv")


@EVERY
def test_a_file_may_leave_out_every_column_that_is_not_required(con, contract):
    row = {name: cell for name, cell in good_row(contract).items() if name in contract.required}
    seen = examine(raw([row]), contract, file="f.csv")
    assert set(seen.typed.columns) == {*contract.names, "row"}
    assert con.to_pandas(seen.faults).empty


def test_columns_of_no_contract_are_ignored_and_named():
    seen = examine(raw([good_row(PANEL) | {"remark": "x"}]), PANEL, file="f.csv")
    assert seen.ignored == ("remark",)


def test_a_wrong_word_gets_the_nearest_right_one():
    say = {"place": "f.csv:7", "contract": MEASURE}
    assert sentence(column="issuer", rule="unknown_area", found="KAS", **say).endswith("did you mean 'KAZ'?")
    assert sentence(column="direction", rule="unknown_code", found="tightning", **say).endswith("did you mean 'tightening'?")
    assert sentence(column="strength", rule="out_of_bounds", found="5", **say).endswith("it must be from 1 to 4")


def test_of_equally_near_words_the_one_that_begins_alike_is_meant():
    assert nearest("KAS", ["LKA", "KAZ", "ASK"]) == "did you mean 'KAZ'?"
    assert nearest("zzz", ["one", "two"]) == "it can be one of: one, two"


def test_a_partial_date_is_in_order_with_the_month_that_holds_it(con):
    rows = [
        good_row(FIGURE) | {"period_start": start, "period_end": end}
        for start, end in [
            ("2020-03-16", "2020-03"),
            ("2020", "2020-03"),
            ("2020-03", "2020"),
            ("2020-03-16", "2020-03-16"),
            ("2020-03-16", "2020-02"),
        ]
    ]
    assert con.to_pandas(examine(raw(rows), FIGURE, file="f.csv").faults)["row"].tolist() == [6]


def test_the_first_row_of_an_id_is_kept_and_the_repeated_ones_are_not(con):
    rows = [good_row(FIGURE) | {"id": name} for name in ("a", "b", "a", "a")]
    faults = con.to_pandas(examine(raw(rows), FIGURE, file="f.csv").faults)
    assert sorted(faults["row"]) == [4, 5]
    assert set(faults["rule"]) == {"repeated"}
