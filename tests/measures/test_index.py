"""Indices from a codebook: the published values of OxCGRT, the laws of a mean, and what a codebook may not say."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibis import _

from qonys.core.errors import DataError, RegisterError
from qonys.measures import components, index, index_book, off_scale, read_index_book

BOOK = index_book("oxcgrt")
PUBLISHED = ("stringency", "containment_health", "government_response", "economic_support")
COLUMNS = [name for one in BOOK.indicators.values() for name in (one.level, one.flag) if name]
# The worked example of the index methodology 3.6: level and flag of each indicator, and the printed indices.
EXAMPLE = {
    "c1": (2, 1), "c2": (0, None), "c3": (2, 0), "c4": (2, 0), "c5": (0, None), "c6": (1, 0), "c7": (1, 1), "c8": (3, None), "e1": (2, 0),
    "e2": (2, None), "h1": (2, 0), "h2": (3, None), "h3": (2, None), "h6": (2, 0), "h7": (2, 1), "h8": (2, 1),
}  # fmt: skip
# the methodology prints 57.18 for the first, cut off rather than rounded: the mean is 57.1875
PRINTED = {"government_response": 57.19, "containment_health": 52.86, "stringency": 43.98, "economic_support": 87.50}


def day(levels: dict[str, tuple[float | None, float | None]], **key: str) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(COLUMNS) | {"country_code": "KAZ", "date": "2020-04-15"} | key
    for name, (level, flag) in levels.items():
        row[name] = level
        if f"{name}_flag" in row:
            row[f"{name}_flag"] = flag
    return row


def levels(*rows: dict[str, object]) -> ibis.Table:
    frame = pd.DataFrame(list(rows))
    return ibis.memtable(frame.astype(dict.fromkeys(COLUMNS, "Float64")))


def values(con, *rows: dict[str, object], book=BOOK) -> pd.DataFrame:
    return con.to_pandas(index(levels(*rows), book))


def test_the_worked_example_of_the_publisher_comes_out(con):
    assert values(con, day(EXAMPLE)).iloc[0][list(PRINTED)].to_dict() == PRINTED


def test_every_published_index_of_every_country_and_day_comes_out_to_the_last_decimal(con, real_data):
    """202,847 country-days with levels; the government response index has 278 more, without levels, which nobody can compute."""
    table = con.read_parquet(real_data / "oxcgrt_national_daily.parquet")
    key = list(BOOK.key)
    computed = index(table, BOOK)
    both = con.to_pandas(computed.join(table.select(*key, *(f"{name}_index" for name in PUBLISHED)), key))
    assert len(both) == 204_952
    for name in PUBLISHED:
        ours, printed = both[name], both[f"{name}_index"]
        assert ours.notna().sum() == 202_847
        there = ours.notna()
        assert printed[there].notna().all()
        assert (ours[there] == printed[there]).all()
        assert int((printed.notna() & ~there).sum()) == (278 if name == "government_response" else 0)
    assert con.to_pandas(off_scale(table, BOOK).count()) == 0


def test_an_index_names_what_it_is_made_of(con):
    table = levels(day(EXAMPLE))
    for name, printed in PRINTED.items():
        parts = con.to_pandas(components(table, BOOK, name))
        assert set(parts["indicator"]) == set(BOOK.indices[name].weights)
        assert parts["points"].sum() == pytest.approx(printed, abs=0.0051)


def test_a_level_that_is_missing_counts_zero_up_to_the_number_the_codebook_allows(con):
    whole = values(con, day(EXAMPLE)).iloc[0]
    one, two = (values(con, day(EXAMPLE | dict.fromkeys(gone, (None, None)))).iloc[0] for gone in (("c1",), ("c1", "c3")))
    assert one["stringency"] == pytest.approx(whole["stringency"] - 66.67 / 9, abs=0.01)
    assert pd.isna(two["stringency"])
    assert pd.isna(values(con, day(EXAMPLE | {"e1": (None, None)})).iloc[0]["economic_support"])


def test_a_level_off_its_scale_is_named(con):
    found = con.to_pandas(off_scale(levels(day(EXAMPLE | {"c8": (5, None), "c1": (2, 3)})), BOOK)).sort_values("indicator")
    assert found[["country_code", "indicator", "level"]].to_numpy().tolist() == [["KAZ", "C1", 2.0], ["KAZ", "C8", 5.0]]


# Laws


@st.composite
def days(draw) -> dict[str, tuple[float | None, float | None]]:
    return {
        one.level: (draw(st.integers(0, one.maximum)), draw(st.sampled_from([None, 0, 1])) if one.flag else None)
        for one in BOOK.indicators.values()
    }  # fmt: skip


@given(days())
def test_an_index_lies_between_0_and_100_and_a_lower_level_never_raises_it(con, drawn):
    lower = {name: (max(level - 1, 0), flag) for name, (level, flag) in drawn.items()}
    found, less = values(con, day(drawn), day(lower, date="2020-04-16")).sort_values("date")[list(PUBLISHED)].to_numpy()
    assert ((found >= 0) & (found <= 100)).all()
    assert (less <= found).all()


def test_the_top_of_every_scale_is_100_and_its_foot_0(con):
    top = {one.level: (one.maximum, 1) for one in BOOK.indicators.values()}
    foot = {one.level: (0, None) for one in BOOK.indicators.values()}
    assert values(con, day(top)).iloc[0][list(PUBLISHED)].tolist() == [100.0] * 4
    assert values(con, day(foot)).iloc[0][list(PUBLISHED)].tolist() == [0.0] * 4


OWN = """
key = ["area"]
[indicator]
A = { level = "a", maximum = 2 }
B = { level = "b", maximum = 4, flag = "b_flag" }
[index.both]
weights = { A = 3, B = 1 }
"""


def test_a_codebook_of_ones_own_weighs_its_indicators(con):
    table = ibis.memtable({"area": ["KAZ"], "a": [1], "b": [2], "b_flag": [0]})
    found = con.to_pandas(index(table, read_index_book(OWN, file="own.toml")))
    assert found["both"].item() == pytest.approx((3 * 50 + 37.5) / 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("key = [", "own.toml is not valid TOML"),
        (OWN.replace("key =", "keys ="), "own.toml has the key 'keys'; did you mean 'key'"),
        ('key = ["area"]', "own.toml has no indicator"),
        (OWN.replace("maximum = 2", "maximum = 0"), "indicator A has maximum = 0; give the top of its ordinal scale"),
        (OWN.replace("maximum = 2", 'maximum = "2"'), "indicator A has maximum = '2'"),
        (OWN.replace("A = 3", "C = 3"), "index both is made of 'C', which is no indicator"),
        (OWN.replace("A = 3", "A = -3"), "gives A the weight -3"),
        (OWN + "missing = 2", "index both has missing = 2; give a whole number from 0 to 1"),
        (OWN.replace("weights = { A = 3, B = 1 }", "of = []"), "index both has no indicator with a weight"),
        (OWN.replace("[index.both]\n", "[index.both]\nfloor = 1\n"), "index both has the key 'floor'"),
        ('precision = "half"\n' + OWN, "own.toml has precision = 'half'"),
    ],
)  # fmt: skip
def test_a_wrong_codebook_is_refused_with_its_place(text, said):
    with pytest.raises(RegisterError, match=said):
        read_index_book(text, file="own.toml")


def test_a_table_without_a_column_of_the_codebook_is_refused(con):
    with pytest.raises(DataError, match="the table of levels has no column 'c8'"):
        index(levels(day(EXAMPLE)).drop("c8"), BOOK)
    with pytest.raises(RegisterError, match="no index codebook is called 'oxcgr'; did you mean 'oxcgrt'"):
        index_book("oxcgr")
    with pytest.raises(RegisterError, match="has no index 'stringenc'; did you mean 'stringency'"):
        components(levels(day(EXAMPLE)), BOOK, "stringenc")


def test_rounding_takes_a_half_to_the_even_neighbour(con):
    book = read_index_book(
        'key = ["area"]\ndecimals = 0\n[indicator]\nA = { level = "a", maximum = 200 }\n[index.one]\nof = ["A"]', file="half.toml"
    )
    table = ibis.memtable({"area": ["KAZ"] * 4, "a": [1, 3, 5, 7]})
    assert sorted(con.to_pandas(index(table.filter(_.a > 0), book))["one"]) == [0.0, 2.0, 2.0, 4.0]
