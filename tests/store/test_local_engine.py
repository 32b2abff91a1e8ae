"""Whole persons through a function, in pieces: the same bytes however it is cut, and nothing half-written."""

from __future__ import annotations

from datetime import date
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qonys.border import classify
from qonys.core.errors import DataError
from qonys.store.engines.local import map_by_person


@pytest.fixture(scope="module")
def crossings(tmp_path_factory):
    rng = np.random.default_rng(3)
    rows = 20_000
    at = (1_483_228_800 + rng.integers(0, 4 * 365 * 86_400, rows)).astype("datetime64[s]").astype("datetime64[us]")
    table = pa.table(
        {
            "person_id": [f"{place:08x}" for place in rng.integers(0, 4_000, rows)], "at": pa.array(at, pa.timestamp("us", tz="UTC")),
            "direction": rng.choice(["entry", "exit"], rows), "citizenship": rng.choice(["KAZ", "UZB"], rows),
        }
    )  # fmt: skip
    path = tmp_path_factory.mktemp("crossings") / "c.parquet"
    pq.write_table(table, path)
    return path


def test_pieces_and_threads_leave_the_bytes_alone(crossings, tmp_path):
    function = partial(classify, end=date(2020, 12, 31))  # the end of all data, which no piece knows by itself
    whole = function(pq.read_table(crossings))
    outputs = []
    for place, (piece_rows, threads) in enumerate([(100_000, 1), (7_000, 2), (900, 2)]):
        target = tmp_path / f"{place}.parquet"
        assert map_by_person(crossings, target, function, piece_rows=piece_rows, threads=threads) == 20_000
        assert pq.read_table(target).equals(whole)
        outputs.append(target.read_bytes())
    assert outputs[0] == outputs[1] == outputs[2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.parquet", "1.parquet", "2.parquet"]


def rows_of(table: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*[column.to_pylist() for column in table.columns], strict=True))


def tables(rng) -> dict[str, pa.Table]:
    """Data on which a division may go wrong."""
    rows = 3_000
    at = pa.array((1_483_228_800 + rng.integers(0, 10**8, rows)).astype("datetime64[s]"), pa.timestamp("ms", tz="UTC"))
    ways = pa.array(rng.choice(["entry", "exit"], rows))
    ids = {
        "one_person": ["a"] * rows,
        "alike": [f"person-of-the-border-{place}" for place in rng.integers(0, 500, rows)],
        "in_order": sorted(f"{place:032x}" for place in rng.integers(0, 500, rows)),
        "few_many": [f"{min(place, 3):032x}" for place in rng.integers(0, 500, rows)],
        "lengths": ["x" * place for place in rng.integers(0, 60, rows)],
        "letters": [chr(0x400 + place) * 3 + "é" for place in rng.integers(0, 200, rows)],
    }
    point = pa.array(rng.choice(["a", "b", None], rows))
    return {name: pa.table({"person_id": own, "at": at, "direction": ways, "border_point": point}) for name, own in ids.items()}


@pytest.mark.parametrize("name", ["one_person", "alike", "in_order", "few_many", "lengths", "letters"])
def test_any_ids_are_divided_into_whole_persons_in_memory_and_on_disk(tmp_path, name):
    table = tables(np.random.default_rng(5))[name]
    source = tmp_path / "c.parquet"
    pq.write_table(table, source, row_group_size=400)
    seen: list[set[str]] = []

    def function(piece: pa.Table) -> pa.Table:
        if piece.num_rows:
            seen.append(set(piece["person_id"].to_pylist()))
        return classify(piece, end=date(2020, 12, 31), threads=1)

    whole = classify(table, end=date(2020, 12, 31))
    outputs = set()
    for place, more in enumerate([{}, {"piece_rows": 300}, {"piece_rows": 50, "memory": 0, "threads": 3}]):
        seen.clear()
        target = tmp_path / f"{place}.parquet"
        assert map_by_person(source, target, function, **more) == 3_000
        assert rows_of(pq.read_table(target)) == rows_of(whole)
        assert sum(map(len, seen)) == len(set().union(*seen))
        outputs.add(target.read_bytes())
    assert len(outputs) == 1
    if name in ("alike", "in_order", "letters"):
        assert len(seen) > 20
    assert {path.suffix for path in tmp_path.iterdir()} == {".parquet"}


def test_a_file_without_rows_gives_a_file_without_rows(tmp_path):
    pq.write_table(tables(np.random.default_rng(5))["alike"].slice(0, 0), tmp_path / "c.parquet")
    assert map_by_person(tmp_path / "c.parquet", tmp_path / "out.parquet", classify) == 0
    assert "final_on" in pq.read_table(tmp_path / "out.parquet").column_names


def test_an_interrupted_run_leaves_nothing_behind(crossings, tmp_path):
    def stop(done: int, rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        map_by_person(crossings, tmp_path / "out.parquet", classify, piece_rows=3_000, memory=0, tell=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_function_that_fails_leaves_nothing_behind(crossings, tmp_path):
    def fails(table: pa.Table) -> pa.Table:
        raise DataError("no", mend="none")

    with pytest.raises(DataError):
        map_by_person(crossings, tmp_path / "out.parquet", fails, piece_rows=5_000)
    assert list(tmp_path.iterdir()) == []


def test_progress_ends_at_the_number_of_rows(crossings, tmp_path):
    seen: list[tuple[int, int]] = []
    map_by_person(crossings, tmp_path / "out.parquet", classify, piece_rows=3_000, tell=lambda done, rows: seen.append((done, rows)))
    assert seen == sorted(seen)
    assert seen[-1] == (20_000, 20_000)


def test_a_file_that_holds_no_persons_is_refused(tmp_path):
    (tmp_path / "no.parquet").write_text("no", encoding="utf-8")
    with pytest.raises(DataError, match=r"no\.parquet is no Parquet file"):
        map_by_person(tmp_path / "no.parquet", tmp_path / "out.parquet", classify)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="has no column 'person_id'"):
        map_by_person(tmp_path / "a.parquet", tmp_path / "out.parquet", classify)
