"""Vintages: nothing is lost, nothing is changed, and what changed between two is told cell by cell."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.store.keeping import keep_look, keep_reply
from qonys.store.raws import pack, unpack
from qonys.store.vintages import diff, folder_of, held, latest, looks, restore, table, vintages

TARGET = "eurostat:migr_imm1ctz?age=TOTAL&geo=DE,FR"
DAY = datetime(2026, 1, 15, 12, tzinfo=UTC)
SCHEMA = pa.schema(
    [
        ("geo", pa.string()),
        ("unit", pa.string()),
        ("period", pa.string()),
        ("value", pa.float64()),
        ("flag", pa.string()),
        ("note", pa.string()),
    ]
)


@dataclass
class Faults:
    count: int = 0

    def table(self) -> pd.DataFrame:
        return pd.DataFrame({"place": ["line 3"] * self.count, "found": ["?"] * self.count})


@dataclass
class Staged:
    batches: pa.RecordBatchReader
    dimensions: tuple[str, ...] = ("geo", "unit")
    faults: Faults = field(default_factory=Faults)
    vintage: str | None = None


def staged(rows, *, schema=SCHEMA, dimensions=("geo", "unit"), size=3, **facts):
    batches = [
        pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows[at : at + size]], schema=schema)
        for at in range(0, len(rows), size)
    ]
    return Staged(pa.RecordBatchReader.from_batches(schema, batches), dimensions, **facts)


@pytest.fixture
def keep(tmp_path):
    """Keep rows as the next vintage: their text is the reply."""
    count = iter(range(1000))

    def call(rows, *, target=TARGET, body=None, **facts):
        path = tmp_path / "reply.csv"
        path.write_bytes(body if body is not None else json.dumps(rows).encode())
        headers = facts.pop("headers", {})
        reader = facts.pop("stage", None) or (lambda _: staged(rows, **facts))
        return keep_reply(path, target=target, looked_at=DAY + timedelta(days=next(count)), headers=headers, stage=reader)

    return call


def cells(frame):
    return sorted(
        (tuple(None if pd.isna(cell) else cell for cell in row) for row in frame[[*SCHEMA.names]].itertuples(index=False)), key=str
    )


ONE = [
    ("DE", "NR", "2019", 5.0, None, None),
    ("DE", "NR", "2020", 7.0, "p", None),
    ("FR", "NR", "2019", None, ":c", None),
    ("FR", "NR", "2020", 0.0, None, "n"),
]
TWO = [
    ("DE", "NR", "2019", 5.0, None, None),
    ("DE", "NR", "2020", 8.0, None, None),
    ("FR", "NR", "2019", None, ":", None),
    ("FR", "NR", "2020", 0.0, None, "m"),
    ("DE", "NR", "2021", 9.0, "p", None),
]


def test_the_first_pull_is_the_first_vintage_and_all_its_cells_are_there(con, keep):
    kept = keep(ONE, headers={"etag": '"a"'})
    assert (kept.new, kept.vintage.number, kept.vintage.changed, kept.vintage.rows) == (True, 1, {"added": 4}, 4)
    assert cells(con.to_pandas(table(con, TARGET))) == sorted(ONE, key=str)
    assert kept.vintage.name.startswith("eurostat:migr_imm1ctz@2026-01-15-")
    assert latest(TARGET).headers == {"etag": '"a"'}


def test_the_same_bytes_again_are_only_a_look_and_are_not_read(keep):
    keep(ONE)
    again = keep(ONE, stage=lambda _: pytest.fail("the bytes are known"))
    keep_look(target=TARGET, looked_at=DAY + timedelta(days=9))
    assert (again.new, again.vintage.number, len(vintages(TARGET))) == (False, 1, 1)
    told = looks(TARGET)
    assert told["new"].tolist() == [True, False, False]
    assert told["vintage"].tolist() == [1, 1, 1]
    assert told["looked_at"].max() == pd.Timestamp("2026-01-24 12:00", tz="UTC")


def test_of_the_next_vintage_only_what_changed_is_stored(keep):
    keep(ONE)
    kept = keep(TWO)
    assert kept.vintage.changed == {"added": 1, "revised": 1, "flag_only": 1, "note_only": 1, "vanished": 0}
    assert pq.read_table(kept.vintage.path("cells.parquet")).num_rows == 4


def test_what_changed_is_told_cell_by_cell(con, keep):
    keep(ONE)
    keep(TWO)
    keep(ONE[:3])
    told = con.to_pandas(diff(con, TARGET, 1, 2))
    assert told.columns.tolist() == ["geo", "unit", "period", "copy", "old", "new", "change", "percent", "old_flag", "new_flag", "what"]
    rows = {(row.geo, row.period): row for row in told.itertuples()}
    revised = rows["DE", "2020"]
    assert (revised.old, revised.new, revised.change, round(revised.percent, 3), revised.old_flag, revised.what) == (
        7.0,
        8.0,
        1.0,
        14.286,
        "p",
        "revised",
    )
    assert {key: row.what for key, row in rows.items()} == {
        ("DE", "2020"): "revised",
        ("DE", "2021"): "added",
        ("FR", "2019"): "flag_only",
        ("FR", "2020"): "note_only",
    }
    assert con.to_pandas(diff(con, TARGET, 1, 3))["what"].tolist() == ["vanished"]  # the others came back to what they were
    assert con.to_pandas(diff(con, TARGET, 2, 3)).groupby("what").size().to_dict() == {"flag_only": 1, "revised": 1, "vanished": 2}


def test_a_percentage_of_nothing_is_a_gap_and_that_of_a_loss_keeps_its_sign(con, keep):
    keep([("DE", "NR", "2019", 0.0, None, None), ("DE", "NR", "2020", -10.0, None, None), ("DE", "NR", "2021", None, ":", None)])
    keep([("DE", "NR", "2019", 5.0, None, None), ("DE", "NR", "2020", -5.0, None, None), ("DE", "NR", "2021", 3.0, None, None)])
    told = con.to_pandas(diff(con, TARGET, 1, 2))
    assert told["percent"].fillna(-1).tolist() == [-1, 50.0, -1]
    assert told["change"].fillna(-1).tolist() == [5.0, 5.0, -1]


rows_ = st.lists(
    st.tuples(st.sampled_from(["DE", "FR", "KZ", None]), st.just("NR"), st.sampled_from(["2019", "2020", "2021"]), st.sampled_from([None, 0.0, 1.0, 2.5]), st.sampled_from([None, "p", "b"]), st.sampled_from([None, "n"])),
    max_size=9,
)  # fmt: skip


@settings(max_examples=4)
@given(st.lists(rows_, min_size=3, max_size=3))
def test_every_vintage_can_be_had_again_and_every_difference_leads_from_one_to_the_other(con, tmp_path_factory, history):
    store, path = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("in") / "reply.csv"
    for number, rows in enumerate(history):
        path.write_bytes(f"{number} {rows}".encode() * 3)
        keep_reply(path, target=TARGET, looked_at=DAY + timedelta(days=number), stage=lambda _, rows=rows: staged(rows), store=store)
    for number, rows in enumerate(history, start=1):
        frame = con.to_pandas(table(con, TARGET, number, store=store))
        assert cells(frame) == sorted(rows, key=str)
        assert not frame.duplicated(["geo", "unit", "period", "copy"]).any()
        restore(TARGET, number, path, store=store)
        assert path.read_bytes() == f"{number - 1} {rows}".encode() * 3
    keys = ["geo", "unit", "period", "copy"]
    state = [
        con.to_pandas(table(con, TARGET, number, store=store)).fillna({"geo": "none"}).set_index(keys)[["value", "flag"]]
        for number in range(1, len(history) + 1)
    ]
    for old in range(len(history)):
        for new in range(old + 1, len(history)):
            told = con.to_pandas(diff(con, TARGET, old + 1, new + 1, store=store)).fillna({"geo": "none"})
            assert set(told.loc[told["what"] == "added", keys].itertuples(index=False, name=None)) == set(state[new].index) - set(
                state[old].index
            )
            assert set(told.loc[told["what"] == "vanished", keys].itertuples(index=False, name=None)) == set(state[old].index) - set(
                state[new].index
            )
            both = state[old].join(state[new], how="inner", lsuffix="_old", rsuffix="_new")
            revised = {key for key, row in both.iterrows() if str(row["value_old"]) != str(row["value_new"])}
            assert set(told.loc[told["what"] == "revised", keys].itertuples(index=False, name=None)) == revised


def test_rows_that_say_a_cell_twice_are_all_kept_and_counted(con, keep):
    twice = [*ONE, ("DE", "NR", "2019", 6.0, "b", None), ("DE", "NR", "2019", 6.0, "b", None)]
    kept = keep(twice)
    assert (kept.vintage.repeated, kept.vintage.rows) == (3, 6)
    frame = con.to_pandas(table(con, TARGET))
    assert cells(frame) == sorted(twice, key=str)
    assert sorted(frame.loc[(frame.geo == "DE") & (frame.period == "2019"), "copy"]) == [1, 2, 3]
    assert keep(list(reversed(twice))).vintage.changed == {"added": 0, "revised": 0, "flag_only": 0, "note_only": 0, "vanished": 0}


def test_a_new_dimension_begins_a_new_whole_table(con, keep):
    keep(ONE)
    wider = pa.schema([("geo", pa.string()), ("sex", pa.string()), *[(one.name, one.type) for one in SCHEMA][1:]])
    kept = keep([("DE", "T", "NR", "2019", 5.0, None, None)], schema=wider, dimensions=("geo", "sex", "unit"))
    assert (kept.vintage.whole, kept.vintage.keys) == (True, ("geo", "sex", "unit", "period"))
    assert "sex" in table(con, TARGET, 2).columns
    assert "sex" not in table(con, TARGET, 1).columns
    with pytest.raises(DataError, match=r"from vintage 1 to 2 the dimensions of .* changed: sex"):
        diff(con, TARGET, 1, 2)


def test_a_new_attribute_leaves_cells_comparable(con, keep):
    keep(ONE)
    wider = pa.schema([*SCHEMA, ("source", pa.string())])
    keep([(*row, "s") for row in TWO], schema=wider)
    assert con.to_pandas(diff(con, TARGET, 1, 2)).groupby("what").size().to_dict() == {
        "added": 1,
        "flag_only": 1,
        "note_only": 1,
        "revised": 1,
    }


def test_an_empty_table_is_a_vintage(con, keep):
    keep(ONE)
    assert keep([]).vintage.changed["vanished"] == 4
    assert con.to_pandas(table(con, TARGET)).empty
    assert len(con.to_pandas(table(con, TARGET, 1))) == 4


def test_bytes_without_cells_are_kept_and_cells_can_come_later(con, keep, tmp_path):
    path = tmp_path / "x.xlsx"
    path.write_bytes(b"PK what it is")
    keep_reply(path, target=TARGET, looked_at=DAY)
    with pytest.raises(DataError, match=r"of vintage 1 of .* only the bytes were kept; restore them"):
        table(con, TARGET)
    assert keep(ONE).vintage.whole
    assert restore(TARGET, 1, tmp_path / "back.xlsx").read_bytes() == b"PK what it is"


def test_faults_and_the_publishers_vintage_are_kept_beside_the_cells(keep):
    kept = keep(ONE, faults=Faults(2), vintage="2026-01-14")
    assert (kept.vintage.faults, kept.vintage.publisher_vintage) == (2, "2026-01-14")
    assert pq.read_table(kept.vintage.path("faults.parquet")).num_rows == 2


def test_the_store_lists_what_it_holds(keep):
    keep(ONE, vintage="2026-01-14")
    keep(TWO)
    keep(ONE, target="unhcr:population")
    told = held().set_index("target")
    assert told.loc[TARGET, ["vintages", "rows", "fault"]].tolist() == [2, 5, ""]
    assert told.loc[TARGET, "looked_at"] == pd.Timestamp("2026-01-16 12:00", tz="UTC")
    assert (told["stored"] > 0).all()
    assert held(store=folder_of(TARGET, None)).empty


# Bytes


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4), st.integers(1, 60))
def test_bytes_come_back_as_they_were_alone_and_against_others(tmp_path_factory, pieces, times):
    folder = tmp_path_factory.mktemp("raw")
    before = b"".join(pieces) * times
    after = before[: len(before) // 2] + b"revised" + before[len(before) // 2 :]
    (folder / "a").write_bytes(after)
    for other in (None, before):
        against = pack(folder / "a", folder / "packed", before=other)
        unpack(folder / "packed", folder / "b", before=before if against else None)
        assert (folder / "b").read_bytes() == after


def test_a_reply_that_is_nearly_the_one_before_costs_nearly_nothing(tmp_path):
    noise = random.Random(1).randbytes(300_000)
    text = b"".join(b"%d\t%d\n" % (place, byte) for place, byte in enumerate(noise))
    (tmp_path / "r.tsv").write_bytes(text)
    first = keep_reply(tmp_path / "r.tsv", target=TARGET, looked_at=DAY).vintage
    (tmp_path / "r.tsv").write_bytes(text.replace(b"\n77777\t", b"\n77777\t9"))
    second = keep_reply(tmp_path / "r.tsv", target=TARGET, looked_at=DAY).vintage
    assert second.against == 1
    assert (second.folder / "raw.zst").stat().st_size * 100 < (first.folder / "raw.zst").stat().st_size


def test_what_the_publisher_packed_stays_packed_as_it_was(tmp_path):
    for number in range(2):
        (tmp_path / "r.tsv.gz").write_bytes(gzip.compress(b"geo\tvalue\n" * 1000 + b"%d" % number))
        kept = keep_reply(tmp_path / "r.tsv.gz", target=TARGET, looked_at=DAY).vintage
        assert (kept.against, kept.suffix) == (None, ".tsv.gz")
        assert restore(TARGET, None, tmp_path / "back").read_bytes() == (tmp_path / "r.tsv.gz").read_bytes()


def test_chains_of_differences_are_short(keep, tmp_path, monkeypatch):
    monkeypatch.setattr("qonys.store.keeping.MOST_STEPS", 3)
    for number in range(6):
        keep([], body=b"the same long text " * 500 + b"%d" % number)
    assert [one.against for one in vintages(TARGET)] == [None, 1, 2, 3, None, 5]
    for number in (4, 6):
        assert restore(TARGET, number, tmp_path / "back").read_bytes().endswith(b"%d" % (number - 1))


# What must not happen


def test_what_is_kept_can_only_be_read(keep):
    kept = keep(ONE)
    assert all(one.stat().st_mode & 0o222 == 0 for one in kept.vintage.folder.iterdir())


@pytest.mark.parametrize("name", ["cells.parquet", "raw.zst"])
def test_a_changed_file_is_refused(con, keep, tmp_path, name):
    path = keep(ONE).vintage.folder / name
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(DataError, match="is not the file that was kept"):
        table(con, TARGET) if name == "cells.parquet" else restore(TARGET, 1, tmp_path / "back")
    path.unlink()
    with pytest.raises(DataError, match="has no file"):
        table(con, TARGET) if name == "cells.parquet" else restore(TARGET, 1, tmp_path / "back")


def test_a_changed_or_missing_manifest_breaks_the_chain(keep):
    first = keep(ONE).vintage
    keep(TWO)
    manifest = first.folder / "manifest.json"
    manifest.chmod(0o644)
    text = manifest.read_text()
    manifest.write_text(text.replace('"rows": 4', '"rows": 3'))
    with pytest.raises(DataError, match=r"vintage 2 of .* is missing, or was changed after it was written; restore"):
        vintages(TARGET)
    assert held()["fault"].str.contains("was changed after it was written").all()
    manifest.write_text("{")
    with pytest.raises(DataError, match=r"manifest\.json cannot be read"):
        keep(ONE)
    manifest.write_text(text)
    assert len(vintages(TARGET)) == 2
    first.folder.rename(first.folder.with_name("gone"))
    with pytest.raises(DataError, match=r"vintage 1 of .* is missing"):
        vintages(TARGET)


def test_what_reading_raises_goes_through_and_nothing_is_kept(keep):
    keep(ONE)

    def fails(_):
        raise DataError("the reply has changed its shape", mend="see it")

    with pytest.raises(DataError, match="changed its shape"):
        keep(TWO, stage=fails)
    with pytest.raises(DataError, match="a staged table has no column 'flag'"):
        keep(
            [("DE", "2019", 1.0)],
            schema=pa.schema([("geo", pa.string()), ("period", pa.string()), ("value", pa.float64())]),
            dimensions=("geo",),
        )
    with pytest.raises(DataError, match="cannot have a column 'copy'"):
        keep([(*row, 1) for row in ONE], schema=pa.schema([*SCHEMA, ("copy", pa.int32())]))
    assert len(vintages(TARGET)) == 1
    assert not list(folder_of(TARGET, None).glob(".new-*"))
    assert keep(TWO).vintage.number == 2


@pytest.mark.parametrize("number", [0, 3, -1, True, "1"])
def test_a_vintage_that_is_not_there_is_refused(con, keep, number):
    keep(ONE)
    keep(TWO)
    with pytest.raises(DataError, match="has no vintage"):
        table(con, TARGET, number)


def test_questions_that_cannot_be_answered_are_sentences(con, keep, tmp_path):
    with pytest.raises(DataError, match="was never pulled; qonys sources pull"):
        table(con, TARGET)
    with pytest.raises(DataError, match="was never pulled"):
        keep_look(target=TARGET, looked_at=DAY)
    assert held().empty
    keep(ONE)
    keep(TWO)
    with pytest.raises(DataError, match="vintage 2 is not before vintage 1; name the older one first"):
        diff(con, TARGET, 2, 1)
    with pytest.raises(DataError, match="is not before"):
        diff(con, TARGET, 1, 1)
    with pytest.raises(DataError, match="no time zone"):
        keep_reply(tmp_path / "reply.csv", target=TARGET, looked_at=DAY.replace(tzinfo=None))
    with pytest.raises(DataError, match="there is no file"):
        keep_reply(tmp_path / "none", target=TARGET, looked_at=DAY)
    for wrong in ("", "x" * 5000, "a\nb"):
        with pytest.raises(DataError, match="is no target"):
            vintages(wrong)


@given(st.text(min_size=1, max_size=80))
def test_no_target_leads_out_of_the_store(text):
    store = Path("/store")
    try:
        folder = folder_of(text, store)
    except DataError:
        return
    assert folder.parent == store / "vintages"
    assert folder.name.strip(".") == folder.name


def test_a_store_that_cannot_be_written_to_is_a_sentence(tmp_path):
    (tmp_path / "reply").write_text("x")
    with pytest.raises(DataError, match="cannot be written to"):
        keep_reply(tmp_path / "reply", target=TARGET, looked_at=DAY, store=tmp_path / "reply")


def test_a_pull_killed_while_it_writes_leaves_nothing_half(keep, tmp_path):
    keep(ONE)
    code = (
        "import sys, time; from pathlib import Path; from datetime import datetime, UTC; from qonys.store.keeping import keep_reply\n"
        "def stage(path):\n    print('half', flush=True); time.sleep(600)\n"
        "keep_reply(Path(sys.argv[1]), target=sys.argv[2], looked_at=datetime.now(UTC), stage=stage)"
    )
    (tmp_path / "other").write_text("other bytes")
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "other"), TARGET], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "half\n"
        assert list(folder_of(TARGET, None).glob(".new-*"))
        assert len(vintages(TARGET)) == 1  # a reader does not wait and sees nothing half
        os.kill(process.pid, signal.SIGKILL)
    assert keep(TWO).vintage.number == 2
    assert not list(folder_of(TARGET, None).glob(".new-*"))


def test_a_look_cut_off_by_a_kill_spoils_no_other(keep):
    keep(ONE)
    with (folder_of(TARGET, None) / "looks.jsonl").open("ab") as stream:
        stream.write(b'{"looked_at": "2026-0')
    keep(ONE)
    assert looks(TARGET)["new"].tolist() == [True, False]


def _pull(number, folder):
    for turn in range(2):
        path = Path(folder) / f"{number}"
        path.write_text(f"process {number} turn {turn}")
        keep_reply(path, target=TARGET, looked_at=datetime.now(UTC), store=Path(folder) / "store")
        time.sleep(0.001)


@pytest.mark.slow
def test_several_processes_at_once_make_one_chain(tmp_path):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_pull, args=(number, str(tmp_path))) for number in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    found = vintages(TARGET, store=tmp_path / "store")
    assert [one.number for one in found] == list(range(1, 7))
    assert len({one.sha256 for one in found}) == 6
    assert len(looks(TARGET, store=tmp_path / "store")) == 6
