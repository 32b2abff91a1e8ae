"""The built-in studies give the numbers they gave before. After a change that is meant: make golden, and read the diff."""

from __future__ import annotations

import json

import pytest
from golden import compact, path

from qonys.studies import built_in


@pytest.mark.parametrize("study", built_in())
def test_a_built_in_study_gives_the_numbers_it_gave_before(answered, study):
    before = json.loads(path(study).read_text(encoding="utf-8"))
    now = compact(answered(study).results)
    assert list(now) == list(before)
    for name, rows in now.items():
        assert list(rows) == list(before[name]), name
        for row, cells in rows.items():
            # the sixth digit may differ where a library sums in another order
            assert [round_(cell) for cell in cells] == pytest.approx([round_(cell) for cell in before[name][row]], rel=2e-5, abs=1e-9, nan_ok=True), (name, row)


def round_(cell: object) -> object:
    return float("nan") if cell is None else cell


@pytest.mark.parametrize("study", built_in())
def test_every_row_of_a_result_is_made_from_rows_that_exist(answered, study):
    done = answered(study)
    known = {name: set(table["row"]) for name, table in done.tables.items()} | {name: set(result.rows["id"]) for name, result in done.results.items()}
    for name, result in done.results.items():
        for row in result.rows["id"]:
            for address in result.inputs(row):
                table, _, rest = address.partition("/")
                assert rest in known[table], (name, row, address)


@pytest.mark.parametrize("study", built_in())
def test_every_row_that_holds_a_number_says_what_it_was_made_from(answered, study):
    for name, result in answered(study).results.items():
        for record in result.records():
            if any(record[column] not in (None, 0) for column in result.measured):
                assert record["inputs"], (name, record["id"])


def test_golden_files_are_small():
    assert all(path(study).stat().st_size < 300_000 for study in built_in())
