"""JSON-stat: the order of cells, sparse values, status of each cell."""

from __future__ import annotations

import io
import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import SourceError
from qonys.sources.formats.jsonstat import stage_jsonstat

SPECIMENS = Path(__file__).parents[2] / "specimens" / "eurostat"


def staged(read: object):
    return stage_jsonstat(io.BytesIO(json.dumps(read).encode()))


def dataset(sizes, values, **more):
    names = [f"d{place}" for place in range(len(sizes) - 1)] + ["time"]
    codes = [[f"c{place}_{code}" for code in range(size)] for place, size in enumerate(sizes[:-1])] + [
        [str(2000 + year) for year in range(sizes[-1])]
    ]
    dimension = {name: {"category": {"index": index}} for name, index in zip(names, codes, strict=True)}
    return {"version": "2.0", "class": "dataset", "id": names, "size": list(sizes), "dimension": dimension, "value": values, **more}, codes


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4).flatmap(
    lambda sizes: st.tuples(st.just(sizes), st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=int(np.prod(sizes)), max_size=int(np.prod(sizes))))
))  # fmt: skip
def test_the_last_dimension_runs_fastest_and_sparse_values_say_the_same(drawn):
    sizes, values = drawn
    dense, codes = dataset(sizes, values)
    frame = staged(dense).frame()
    keys = [tuple(row) for row in frame[[*(f"d{place}" for place in range(len(sizes) - 1)), "period"]].to_numpy()]
    assert keys == list(product(*codes))
    assert [None if np.isnan(one) else one for one in frame["value"]] == values
    sparse = staged(dataset(sizes, {str(at): value for at, value in enumerate(values) if value is not None})[0]).frame()
    assert sparse["value"].tolist() == [value for value in values if value is not None]
    assert [tuple(row) for row in sparse[[*(f"d{place}" for place in range(len(sizes) - 1)), "period"]].to_numpy()] == [
        key for key, value in zip(keys, values, strict=True) if value is not None
    ]


def test_the_specimen_has_labels_status_and_vintage():
    result = stage_jsonstat(SPECIMENS / "migr_imm8.json")
    frame = result.frame()
    assert result.vintage == "2026-03-12"
    assert result.dimensions == ("freq", "sex", "geo")
    assert frame[["geo", "geo_label", "period"]].to_numpy().tolist()[0] == ["DE", "Germany", "2019"]
    assert frame["flag"].tolist() == [None, None, ":", "p", None, "c"]
    assert np.isnan(frame["value"].tolist()[2])
    assert np.isnan(frame["value"].tolist()[5])


@pytest.mark.parametrize("status", ["e", ["e", "e"], {"0": "e", "1": "e"}])
def test_a_status_may_be_one_for_all_a_list_or_an_object(status):
    assert staged(dataset([1, 2], [1, 2], status=status)[0]).frame()["flag"].tolist() == ["e", "e"]


def test_units_stand_with_the_categories_that_name_them():
    read, _ = dataset([2, 1], [1, 2])
    read["dimension"]["d0"]["category"]["unit"] = {"c0_0": {"label": "persons"}, "c0_1": {"base": "percent"}}
    assert staged(read).frame()["unit"].tolist() == ["persons", "percent"]


def test_a_bundle_of_one_and_a_dimension_of_one_code_without_index_are_read():
    read, _ = dataset([1, 2], [1, 2])
    read["dimension"]["d0"]["category"] = {"label": {"T": "Total"}}
    old = {
        "dataset": {
            "value": read["value"],
            "dimension": {**read["dimension"], "id": read["id"], "size": read["size"], "role": {"time": ["time"]}},
        }
    }
    assert staged(old).frame()[["d0", "d0_label", "period", "value"]].to_numpy().tolist() == [
        ["T", "Total", "2000", 1.0],
        ["T", "Total", "2001", 2.0],
    ]


def test_a_position_outside_the_cube_and_a_word_in_a_cell_are_faults():
    result = staged(dataset([1, 2], {"0": 1, "7": 2, "1": "many", "01": 3})[0])
    assert result.frame()["value"].tolist() == [1.0]
    assert result.faults.table()[["place", "found"]].to_numpy().tolist() == [["value 01", "3"], ["value 7", "2"], ["c0_0 2001", "many"]]


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ([1], "is JSON, but no JSON-stat"),
        ({"error": [{"status": 400, "label": "no such dimension"}]}, "holds a message of the service"),
        ({"class": "collection", "link": {"item": [{"class": "dataset", "href": "https://example.org"}]}}, "a collection of 1 addresses"),
        (dataset([1, 2], [1])[0], "has 1 values for 2 cells"),
        ({**dataset([1, 2], [1, 2])[0], "size": [1, 3]}, "has 2 codes, its size is 3"),
        ({**dataset([1, 2], [1, 2])[0], "id": ["d0", "other"]}, "that it does not describe"),
    ],
)
def test_what_is_no_dataset_is_refused_with_a_sentence(read, said):
    with pytest.raises(SourceError, match=said):
        staged(read)


def test_json_that_breaks_off_is_a_sentence():
    whole = (SPECIMENS / "migr_imm8.json").read_bytes()
    with pytest.raises(SourceError, match="is no whole JSON"):
        stage_jsonstat(io.BytesIO(whole[: len(whole) // 2]))
