"""Two coders: Krippendorff's alpha against its published examples, the list of differences, the odds of another code."""

from __future__ import annotations

import re

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.contracts import DIRECTIONS, MEASURE
from qonys.core.errors import DesignError, RegisterError
from qonys.measures import agreement, alpha, coded, coded_once, confusion, disagreements, read_coding, read_register
from qonys.measures.agreement import CODED
from qonys.store import shipped
from rows import refusal, typed

# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, section C: 4 observers, 12 units, 7 values missing
OBSERVERS = pd.DataFrame(
    {
        "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
        "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
        "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
        "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
    }
)
CODES = st.sampled_from([None, "a", "b", "c"])
ENTRY = {"id": "M1", "title": "T", "issuer": "KAZ", "targets": "labour", "field": "health", "instrument": "legal", "direction": "easing",
         "strength": "2", "general": "true", "level": "national", "coder": "one"}  # fmt: skip


def units(coders: int = 2) -> st.SearchStrategy[pd.DataFrame]:
    row = st.tuples(*[CODES] * coders)
    return st.lists(row, min_size=2, max_size=12).map(lambda rows: pd.DataFrame(rows, columns=[f"coder{n}" for n in range(coders)]))


def entries(*changes: dict[str, str | None]) -> pd.DataFrame:
    return pd.DataFrame([ENTRY | change for change in changes]).astype("string")


@pytest.mark.parametrize(("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_krippendorffs_example_with_four_observers_and_gaps(metric, published):
    found = alpha(OBSERVERS, metric)
    assert found.value == pytest.approx(published, abs=0.0005)
    assert found.units == 11  # the twelfth has one value


def test_alpha_is_that_of_krippendorffs_example_with_two_observers_and_two_values():
    # the same paper, section A: 10 units, coincidences 10, 4, 4, 2
    assert alpha(pd.DataFrame({"Meg": list("0100000010"), "Owen": list("1110010000")})).value == pytest.approx(0.095, abs=0.0005)


def test_sets_are_compared_by_what_they_share_and_whether_one_holds_the_other():
    # three coders, two texts: distances 0 and 2/3 within the texts, 1 between them, so 1 - (2/9) / (31/45)
    texts = pd.DataFrame({"a": ["love gifts", "slime gaming"], "b": ["gifts love", "slime"], "c": ["love gifts", "gaming slime"]})
    assert alpha(texts, "set").value == pytest.approx(1 - (2 / 9) / (31 / 45))
    assert alpha(texts, "nominal").value < alpha(texts, "set").value


def test_the_distance_of_sets_is_a_third_of_the_way_nearer_where_one_holds_the_other():
    def between(one, other):
        # against one more unit the two agree on, disagreement within the unit grows with the distance alone
        return 1 - alpha(pd.DataFrame({"a": [one, "z"], "b": [other, "z"]}), "set").value

    assert between("a b", "a b") == 0
    assert between("a b", "a") < between("a b", "b c") < between("a b", "c d")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (pd.DataFrame({"one": ["a", "b", "a"]}), "no_pairs"),
        (pd.DataFrame({"one": [None, None], "two": [None, None]}), "no_pairs"),
        (pd.DataFrame({"one": ["a", None], "two": [None, "b"]}), "no_pairs"),
        (pd.DataFrame(), "no_pairs"),
        (pd.DataFrame({"one": ["a", "a"], "two": ["a", "a"]}), "no_variation"),
    ],
    ids=["one coder", "nothing coded", "no unit coded twice", "no units", "one code only"],
)
def test_where_alpha_is_not_defined_it_is_empty_and_says_why(values, reason):
    for metric in ("nominal", "set"):
        found = alpha(values, metric)
        assert (found.value, found.low, found.high, found.reason) == (None, None, None, reason)


@pytest.mark.parametrize("cell", ["many", "nan", "inf"])
def test_a_code_that_is_no_number_is_refused_by_a_metric_that_counts(cell):
    with pytest.raises(DesignError, match=f"'{cell}' is no number, as the ordinal metric needs; give the ranks"):
        alpha(pd.DataFrame({"one": ["1", cell], "two": ["2", "1"]}), "ordinal")


def test_a_number_is_the_same_code_however_it_is_written():
    assert alpha(pd.DataFrame({"one": [1, 2], "two": ["1.0", "2"]})).value == 1
    assert alpha(pd.DataFrame({"one": [1000001, 2], "two": [1000002, 2]})).value < 1


@given(st.lists(st.sampled_from("abc"), min_size=2, max_size=20).filter(lambda codes: len(set(codes)) > 1), st.integers(2, 4))
def test_alpha_of_the_same_coding_is_one(codes, coders):
    found = alpha(pd.DataFrame({f"coder{n}": codes for n in range(coders)}), "set", draws=50)
    assert found.value == 1
    assert (found.low, found.high) == (1, 1)


@given(units(3), st.randoms(use_true_random=False), st.sampled_from(["nominal", "set"]))
def test_neither_the_order_of_units_nor_that_of_coders_changes_anything(values, random, metric):
    rows, columns = list(values.index), list(values.columns)
    random.shuffle(rows)
    random.shuffle(columns)
    assert alpha(values.loc[rows, columns], metric, draws=20) == alpha(values, metric, draws=20)


@given(units(), st.sampled_from("abcd"), st.booleans())
def test_a_unit_that_one_coder_alone_coded_changes_nothing(values, code, first):
    alone = pd.DataFrame([(code, None) if first else (None, code)], columns=values.columns)
    one, more = alpha(values, draws=20), alpha(pd.concat([values, alone], ignore_index=True), draws=20)
    assert one.units == more.units
    assert (one.value is None) == (more.value is None)
    assert one.value is None or more.value == pytest.approx(one.value)


@given(units())
def test_alpha_never_exceeds_one(values):
    found = alpha(values, draws=20)
    assert found.value is None or found.value <= 1
    assert found.low is None or found.low <= found.high <= 1


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "set"])
def test_alpha_of_codes_thrown_by_dice_is_nought_on_the_average(metric):
    thrown = [np.random.default_rng(seed).integers(1, 5, (60, 2)) for seed in range(200)]
    mean = np.mean([alpha(pd.DataFrame(codes), metric, draws=0).value for codes in thrown])
    assert abs(mean) < 0.03


def test_the_interval_holds_alpha_narrows_with_more_units_and_is_the_same_again():
    noise = np.random.default_rng(1)
    truth = noise.integers(1, 5, 400)
    other = np.where(noise.random(400) < 0.2, noise.integers(1, 5, 400), truth)
    values = pd.DataFrame({"one": truth, "two": other})
    wide, narrow = alpha(values[:60]), alpha(values)
    assert wide.low < wide.value < wide.high
    assert narrow.high - narrow.low < wide.high - wide.low
    assert alpha(values) == narrow


def test_differing_codes_are_listed_with_both_coders_and_equal_ones_are_not():
    first = entries({}, {"id": "M2", "title": "U"})
    second = entries({"coder": "two", "strength": "3"}, {"id": "M2", "coder": "two"}).drop(columns="title")
    listed = disagreements(first, second).to_dict("records")
    assert listed == [
        {"id": "M1", "title": "T", "column": "strength", "first": "2", "second": "3", "first_coder": "one", "second_coder": "two", "settled": None}
    ]  # fmt: skip


def test_neither_the_order_of_targets_nor_a_code_that_is_missing_is_a_difference():
    first, second = entries({"targets": "labour student"}), entries({"targets": "student labour", "level": None})
    assert disagreements(first, second).empty


def test_an_entry_that_one_coded_alone_is_counted_apart_and_not_compared():
    first, second = entries({}, {"id": "M2"}), entries({"coder": "two"}, {"id": "M3", "coder": "two", "field": "housing"})
    assert disagreements(first, second).empty
    assert coded_once(first, second)[["id", "coder"]].to_numpy().tolist() == [["M2", "one"], ["M3", "two"]]
    assert set(agreement(first, second, draws=5)["units"]) == {1}


def test_the_latest_version_of_a_coder_counts_and_an_adjudicators_settles_what_it_changed():
    versions = entries(
        {"version": "1", "strength": "1"}, {"version": "2", "strength": "2"},
        {"version": "3", "strength": "4", "coder": "an-adjudicator"}, {"id": "M2", "version": "1"},
    )  # fmt: skip
    second = entries({"strength": "3", "field": "housing", "coder": "two"}, {"id": "M2", "strength": "3", "coder": "two"})
    assert coded(versions)["strength"].tolist() == ["2", "2"]
    listed = disagreements(versions.iloc[::-1], second).set_index(["id", "column"])
    assert listed.loc[("M1", "strength"), ["first", "second", "settled"]].tolist() == ["2", "3", "4"]
    assert pd.isna(listed.loc[("M1", "field"), "settled"])
    assert pd.isna(listed.loc[("M2", "strength"), "settled"])


def test_a_typed_table_is_coded_as_the_text_it_came_from(con):
    rows = [ENTRY | {"id": f"M{n}", "targets": targets, "general": general, "status": "ended", "evidence": "read"}
            for n, (targets, general) in enumerate([("labour", "true"), ("student labour", "false")])]  # fmt: skip
    text = pd.DataFrame(rows, columns=MEASURE.names).astype("string")
    table = con.to_pandas(typed(MEASURE, rows).order_by("id"))
    pd.testing.assert_frame_equal(coded(table), coded(text))
    assert disagreements(table, text).empty


def test_steps_of_strength_are_compared_on_one_scale_only():
    first = entries({}, {"id": "M2", "strength": "3"}, {"id": "M3", "direction": "tightening", "strength": "1"})
    second = entries({}, {"id": "M2", "strength": "3"}, {"id": "M3", "direction": "easing", "strength": "4"})
    found = agreement(first, second, draws=5).set_index(["column", "metric"])
    assert found.loc[("strength", "ordinal"), ["units", "alpha", "agreeing"]].tolist() == [2, 1, 1]
    assert found.loc[("direction", "nominal"), "units"] == 3


def test_two_registers_without_an_entry_in_common_agree_on_nothing_and_say_so():
    found = agreement(entries({}), entries({"id": "M2"}))
    assert set(found["reason"]) == {"no_pairs"}
    assert found[["alpha", "agreeing"]].isna().all(axis=None)
    assert confusion(entries({}), entries({"id": "M2"})).strength["probability"].eq(0.25).all()


def test_the_odds_of_another_code_add_up_to_one_for_each_code():
    noise = confusion(entries({}, {"id": "M2"}), entries({"strength": "3"}, {"id": "M2", "general": "false"}))
    assert len(noise.strength) == len(DIRECTIONS) * 4 * 4
    assert np.allclose(noise.strength.groupby(["direction", "strength"])["probability"].sum(), 1)
    assert np.allclose(noise.general.groupby(["direction", "general"])["probability"].sum(), 1)
    assert np.allclose(noise.direction.groupby("direction")["probability"].sum(), 1)


def test_the_odds_count_each_entry_from_both_sides_and_add_a_half():
    first, second = entries({}, {"id": "M2"}, {"id": "M3"}), entries({}, {"id": "M2", "strength": "3"}, {"id": "M3"})
    noise = confusion(first, second)
    of = noise.strength.set_index(["direction", "strength", "drawn"])["probability"].sort_index()
    # 2 and 2 twice, so four times from both sides; 2 and 3 once
    assert of.loc[("easing", 2)].tolist() == pytest.approx([0.5 / 7, 4.5 / 7, 1.5 / 7, 0.5 / 7])
    assert of.loc[("easing", 3)].tolist() == pytest.approx([0.5 / 3, 1.5 / 3, 0.5 / 3, 0.5 / 3])
    back = confusion(second, first)
    pd.testing.assert_frame_equal(noise.strength, back.strength)
    pd.testing.assert_frame_equal(noise.general, back.general)


CODING = "id,targets,field,instrument,direction,strength,general,level,coder\nM1,labour student,health,legal,easing,2,true,national,two\n"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (CODING.replace("strength", "force"), r"second\.csv has no column strength; its columns are id, targets"),
        ("", r"second\.csv has no column id"),
        (CODING.replace("student", "studnt"), r"second\.csv, row 2, column targets has 'studnt'; did you mean 'student'\?"),
        (CODING.replace(",2,", ",5,"), r"row 2, column strength has '5'; it can be one of: 1, 2, 3, 4"),
        (CODING.replace("true", "yes"), r"row 2, column general has 'yes'; it can be one of: false, true"),
        (CODING.replace("easing", "easng"), r"row 2, column direction has 'easng'; did you mean 'easing'\?"),
        (CODING.replace("M1", ""), r"row 2 has no id; give each entry one row"),
        (CODING + CODING.splitlines()[1], r"row 3 has the id 'M1', which is given before"),
    ],
    ids=["column", "empty file", "target", "strength", "general", "direction", "no id", "twice"],
)
def test_a_wrong_second_coding_is_refused_with_its_row_and_column(wrong, said):
    with pytest.raises(RegisterError, match=said):
        read_coding(wrong, file="second.csv")


def test_a_code_may_be_left_out_of_a_second_coding():
    second = read_coding("\ufeff" + CODING.replace("health", ""), file="second.csv")
    assert pd.isna(coded(second).loc["M1", "field"])
    assert coded(second).loc["M1", "targets"] == "labour student"


@given(st.text(max_size=60))
def test_a_file_that_is_no_coding_is_refused_in_a_sentence(text):
    assert re.search(r"second\.csv", str(refusal(lambda: read_coding(text, file="second.csv"))))


@pytest.fixture(scope="module")
def both():
    package = shipped()
    parts = [
        read_register(package.path(name).read_text(encoding="utf-8"), file=name) for name in package.files if name.startswith("register/")
    ]
    second = read_coding(package.path("coding/second.csv").read_text(encoding="utf-8"), file="coding/second.csv")
    return pd.concat(parts, ignore_index=True), second


def test_all_but_the_notified_border_controls_of_the_shipped_register_are_coded_twice(both):
    alone = coded_once(*both)
    assert len(alone) == 165
    assert alone["id"].str.startswith("IB").all()


def test_the_shipped_codings_agree_as_the_method_page_says(both):
    found = agreement(*both).set_index(["column", "metric"])
    printed = {
        ("targets", "set"): (255, 0.67, 0.61, 0.72), ("field", "nominal"): (255, 0.43, 0.34, 0.51), ("instrument", "nominal"): (255, 0.83, 0.77, 0.89),
        ("direction", "nominal"): (255, 0.92, 0.88, 0.96), ("strength", "ordinal"): (243, 0.92, 0.89, 0.95),
        ("general", "nominal"): (255, 0.18, 0.05, 0.32), ("level", "nominal"): (255, 0.78, 0.67, 0.87),
    }  # fmt: skip
    for place, (pairs, *figures) in printed.items():
        assert found.loc[place, "units"] == pairs
        assert found.loc[place, ["alpha", "low", "high"]].astype(float).tolist() == pytest.approx(figures, abs=0.006), place


def test_the_differences_of_the_shipped_codings_are_those_of_the_method_page(both):
    listed = disagreements(*both)
    counts = listed["column"].value_counts().reindex(CODED).tolist()
    assert counts == [81, 115, 28, 12, 42, 71, 19]
    assert listed["settled"].notna().sum() == 42
    # what an adjudicator decides does not change how far the two agreed
    first = both[0][both[0]["version"].isna()]
    pd.testing.assert_frame_equal(agreement(first, both[1], draws=20), agreement(*both, draws=20))


def test_the_shipped_codings_give_odds_that_can_be_drawn_from_in_an_expression(both, con):
    table = con.to_pandas(ibis.memtable(confusion(*both).strength).group_by("direction", "strength").agg(sum=ibis._.probability.sum()))
    assert np.allclose(table["sum"], 1)
