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
            assert len(cells) == len(before[name][row]), (name, row)
            assert all(map(same, cells, before[name][row])), (name, row, cells, before[name][row])


def same(now: object, before: object) -> bool:
    """Equal; of numbers the sixth digit may differ, and what stands for zero, where a library sums in another order."""
    if isinstance(now, int | float) and isinstance(before, int | float):
        return now == pytest.approx(before, rel=2e-5, abs=1e-6)
    return now == before


@pytest.mark.parametrize("study", built_in())
def test_every_row_of_a_result_is_made_from_rows_that_exist(answered, study):
    done = answered(study)
    known = {name: set(table["row"]) for name, table in done.tables.items()} | {
        name: set(result.rows["id"]) for name, result in done.results.items()
    }
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
