"""Eurostat's TSV: every cell comes back, whatever its flags; what cannot be read is named by line and column."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import SourceError
from qonys.sources.formats import tsv
from qonys.sources.formats.tsv import stage_tsv

SPECIMENS = Path(__file__).parents[2] / "specimens" / "eurostat"
CODES = st.text("ABCDEFGHIKLMNOPQRSTUVWXYZ0123456789_-", min_size=1, max_size=6)
VALUES = st.one_of(st.none(), st.integers(-10, 10**9), st.decimals(0, 10**6, places=2))
CELL = st.tuples(VALUES, st.sampled_from(["", "p", "b", "e", "u", "n", "bep", "c", "z"]))


def staged(text: str):
    return stage_tsv(io.BytesIO(text.encode()))


def cell(value: object, flag: str) -> str:
    return f"{':' if value is None else value} {flag}".rstrip() + " " * (not flag)


@st.composite
def tables(draw):
    """Series with distinct keys, periods, and a cell for each."""
    dimensions = draw(st.lists(st.sampled_from(["freq", "citizen", "unit", "sex", "age", "geo"]), min_size=1, max_size=4, unique=True))
    periods = [str(year) for year in draw(st.lists(st.integers(1990, 2030), min_size=1, max_size=4, unique=True))]
    keys = draw(st.lists(st.tuples(*[CODES] * len(dimensions)), min_size=1, max_size=6, unique=True))
    return dimensions, periods, {key: [draw(CELL) for _ in periods] for key in keys}


@given(tables(), st.sampled_from([1 << 20, 64]))
def test_every_cell_written_in_the_format_is_read_back_with_its_flag(table, block):
    dimensions, periods, rows = table
    lines = [",".join(dimensions) + "\\TIME_PERIOD\t" + "\t".join(f"{period} " for period in periods)]
    lines += ["\t".join([",".join(key), *(cell(*one) for one in cells)]) for key, cells in rows.items()]
    kept, tsv.BLOCK = tsv.BLOCK, max(block, max(len(line) for line in lines) + 2)
    try:
        result = staged("\n".join(lines) + "\n")
        frame = result.frame()
    finally:
        tsv.BLOCK = kept
    assert result.faults.count == 0
    found = {(*(row[name] for name in dimensions), row["period"]): (row["value"], row["flag"]) for row in frame.to_dict("records")}
    expected = {
        (*key, period): (None if value is None else float(value), flag or (":" if value is None else None))
        for key, cells in rows.items()
        for period, (value, flag) in zip(periods, cells, strict=True)
    }
    assert len(frame) == len(expected)
    assert {key: (None if np.isnan(value) else value, flag) for key, (value, flag) in found.items()} == expected


def test_the_specimen_keeps_flags_gaps_and_codes_as_published():
    result = stage_tsv(SPECIMENS / "migr_imm1ctz.tsv")
    assert result.dimensions == ("freq", "citizen", "agedef", "age", "unit", "sex", "geo")
    assert result.columns[7:] == ("period", "period_as_published", "value", "flag", "note")
    frame = result.frame().set_index(["geo", "citizen", "period"])
    assert frame.loc[("EL", "TOTAL", "2021"), ["value", "flag"]].tolist() == [57120.0, "ep"]
    assert frame.loc[("PL", "UA", "2020"), ["value", "flag"]].tolist() == [0.0, "n"]
    assert np.isnan(frame.loc[("PL", "UA", "2021"), "value"])
    assert frame.loc[("PL", "UA", "2021"), "flag"] == "c"
    assert frame.loc[("UK", "UNK", "2020"), "flag"] == ":"
    assert len(frame) == 12
    assert result.faults.count == 0


def test_the_older_bulk_files_give_iso_months_and_keep_the_published_ones():
    frame = stage_tsv(SPECIMENS / "bulk_before_2023.tsv").frame()
    assert frame[["period", "period_as_published"]].to_numpy().tolist() == [["2020-02", "2020M02"], ["2020-01", "2020M01"]]


def test_a_gzip_file_is_the_same_table():
    plain = (SPECIMENS / "migr_imm1ctz.tsv").read_bytes()
    pd.testing.assert_frame_equal(stage_tsv(io.BytesIO(gzip.compress(plain))).frame(), stage_tsv(io.BytesIO(plain)).frame())


def test_a_cell_a_key_and_a_line_that_cannot_be_read_are_named_and_the_rest_is_kept():
    text = "freq,geo\\TIME_PERIOD\t2019 \t2020 \nA,DE\t1 \tmany \nA\t1 \t2 \nA,FR\t3 \nA,IT\t4 \t5 9\n"
    result = staged(text)
    frame = result.frame()
    assert frame[["geo", "period", "value"]].to_numpy().tolist() == [["DE", "2019", 1.0], ["IT", "2019", 4.0]]
    faults = result.faults.table()
    assert sorted(faults["place"]) == ["line 2", "line 3", "line 4", "line 5"]
    assert faults.set_index("place").loc["line 2", ["column", "found"]].tolist() == ["2020", "many "]
    assert "2 cells, not 3" in faults.set_index("place").loc["line 4", "why"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html><body>Maintenance</body></html>", "is a web page"),
        (b"geo;2019\nDE;1\n", "does not begin with dimensions"),
        (b"freq,geo\\TIME_PERIOD\t2019\t2019\nA,DE\t1\t2\n", "names a period twice"),
        (b"freq,geo,geo\\TIME_PERIOD\t2019\nA,DE,DE\t1\n", "two columns are called 'geo'"),
    ],
)
def test_what_is_no_tsv_is_refused_with_a_sentence(content, said):
    with pytest.raises(SourceError, match=said):
        stage_tsv(io.BytesIO(content))


def test_a_gzip_file_that_breaks_off_is_a_sentence():
    rows = "".join(f"A,C{number}\t{number * 7919 % 10007} \n" for number in range(20_000))
    packed = gzip.compress(("freq,geo\\TIME_PERIOD\t2019 \n" + rows).encode())
    result = stage_tsv(io.BytesIO(packed[: len(packed) // 2]))
    with pytest.raises(SourceError, match="breaks off or is damaged"):
        result.frame()


def test_letters_of_another_encoding_are_a_sentence():
    result = stage_tsv(io.BytesIO("freq,geo\\TIME_PERIOD\t2019\nA,Żółw\t1\n".encode("cp1250")))
    with pytest.raises(SourceError, match="not text in the encoding"):
        result.frame()


def test_a_real_table_written_as_tsv_is_read_back_equal(real_data, tmp_path):
    frame = pq.read_table(real_data / "eurostat_immigration_by_citizenship.parquet").to_pandas()
    keys, number = ["iso3", "citizenship_iso3"], "value"
    frame = frame.dropna(subset=keys).drop_duplicates([*keys, "year"])
    wide = frame.pivot(index=keys, columns="year", values=number)
    path = tmp_path / "table.tsv"
    with path.open("w") as file:
        file.write(",".join(keys) + "\\TIME_PERIOD\t" + "\t".join(f"{year} " for year in wide.columns) + "\n")
        for key, row in zip(wide.index, wide.to_numpy(), strict=True):
            cells = [": " if np.isnan(one) else f"{one:.15g} " for one in row]
            file.write(",".join(key) + "\t" + "\t".join(cells) + "\n")
    result = stage_tsv(path)
    back = result.frame()
    assert result.faults.count == 0
    assert len(back) == wide.size
    back = back.dropna(subset="value").assign(year=lambda rows: rows["period"].astype(int))
    names = dict(zip(result.dimensions, keys, strict=True))
    back = back.rename(columns=names).set_index([*keys, "year"])["value"].sort_index()
    expected = frame.dropna(subset=number).set_index([*keys, "year"])[number].astype(float).sort_index()
    pd.testing.assert_series_equal(back, expected, check_names=False, check_index_type=False, check_exact=True)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path):
    path = tmp_path / "long.tsv"
    with path.open("w") as file:
        file.write("freq,citizen,geo\\TIME_PERIOD\t" + "\t".join(str(year) for year in range(2000, 2040)) + "\n")
        for series in range(50_000):
            file.write(
                f"A,C{series % 250},G{series // 250}\t" + "\t".join(f"{(series * 31 + year) % 99_991} " for year in range(40)) + "\n"
            )
    pool = pa.default_memory_pool()
    rows = most = 0
    for batch in stage_tsv(path).batches:
        rows += batch.num_rows
        most = max(most, pool.bytes_allocated())
    assert rows == 2_000_000
    assert most < 200 << 20  # the whole table would be some 250 MiB
