"""Totals, parts and unknown told apart; printed totals checked; sums that count people twice refused."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.sources.harmonise import check_totals, harmonise, published, refuse_double_counting, split_totals
from qonys.sources.staged import Faults, schema, staged

FLOW = {
    "origin": "WORLD", "destination": "DEU", "period_start": "2020-01-01", "period_end": "2020-12-31", "persons": 10.0,
    "basis": "previous_residence", "counted": "movers", "source": "s", "vintage": "2024", "citizenship": None, "sex": None, "age": None,
    "aggregate": None,
}  # fmt: skip


def flows(*changes: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame([FLOW | one for one in changes])


@pytest.mark.parametrize(
    ("column", "pair", "said"),
    [
        ("citizenship", (None, "UKR"), "the total holds UKR"),
        ("citizenship", ("EU27_2020", "FRA"), "EU27_2020 holds FRA"),
        ("citizenship", ("EU27_2020", "EU28"), "EU27_2020 holds EU28"),
        ("citizenship", ("NON_EU", "UKR"), "NON_EU holds UKR"),
        ("origin", ("WORLD", "UNKNOWN"), "WORLD holds UNKNOWN"),
        ("origin", ("KAZ", "KZ-10"), "KAZ holds KZ-10"),
        ("origin", ("CIS", "KAZ"), "CIS holds KAZ"),
        ("origin", ("NEU27_2020_FOR", "UKR"), "NEU27_2020_FOR is a group of areas"),
        ("sex", (None, "female"), "the total of sex holds female"),
        ("age", (None, "0-14"), "all ages and 0-14"),
        ("age", ("0-14", "0-4"), "0-4 and 0-14 are the same people in part"),
        ("basis", ("citizenship", "birth_country"), "basis is birth_country and citizenship"),
        ("counted", ("moves", "movers"), "counted is movers and moves"),
        ("source", ("a", "b"), "source is a and b"),
        ("vintage", ("2023", "2024"), "released as 2023 and 2024"),
    ],
)
def test_a_sum_over_a_total_and_its_parts_is_refused_by_name(column, pair, said):
    frame = flows(*({column: one} for one in pair))
    with pytest.raises(DataError, match=f"a sum over {column} would count twice: .*{said}"):
        refuse_double_counting(frame, over=[column])
    others = [name for name in ("sex", "age", "citizenship") if name != column]
    refuse_double_counting(frame, over=others)  # each is a group of its own


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("citizenship", ("UKR", "FRA", "STATELESS", "UNKNOWN", "OTHER", "SCG", "SRB", "XKX")), ("citizenship", ("EU27_2020", "UKR", "GBR")),
        ("origin", ("KZ-10", "KZ-63")), ("sex", ("female", "male")), ("age", ("0-14", "15-64", "65+", "UNKNOWN")), ("sex", (None,)),
    ],
)  # fmt: skip
def test_parts_may_be_summed(column, values):
    frame = flows(*({column: one} for one in values))
    assert refuse_double_counting(frame, over=[column]) is None


def test_membership_is_that_of_the_day():
    pair = ({"citizenship": "EU"}, {"citizenship": "GBR"})
    later = {"period_start": "2021-01-01", "period_end": "2021-12-31"}
    with pytest.raises(DataError, match="EU holds GBR"):
        refuse_double_counting(flows(*pair), over=["citizenship"])
    assert refuse_double_counting(flows(*(one | later for one in pair)), over=["citizenship"]) is None


def test_a_row_of_nationals_beside_the_country_itself_counts_them_twice():
    frame = flows({"citizenship": "DEU"}, {"citizenship": "DEU", "aggregate": "NAT"}, {"citizenship": "UKR"})
    with pytest.raises(DataError, match="DEU is a group of areas"):
        refuse_double_counting(frame, over=["citizenship"])
    assert refuse_double_counting(frame[frame["aggregate"].isna()], over=["citizenship"]) is None


def test_periods_that_share_days_and_two_dates_of_a_stock_are_refused():
    year_and_month = flows({}, {"period_end": "2020-01-31"})
    with pytest.raises(DataError, match="share days"):
        refuse_double_counting(year_and_month, over=["period_start", "period_end"])
    assert (
        refuse_double_counting(flows({}, {"period_start": "2021-01-01", "period_end": "2021-12-31"}), over=["period_start", "period_end"])
        is None
    )
    stock = pd.DataFrame({"residence": ["KAZ"] * 2, "ref_date": ["2020-01-01", "2021-01-01"], "persons": [1.0, 2.0]})
    with pytest.raises(DataError, match="the same people are there on 2020-01-01 and 2021-01-01"):
        refuse_double_counting(stock, over=["ref_date"])
    panel = pd.DataFrame({"area": ["KAZ"] * 2, "period": ["2020", "2020-03"], "value": [1.0, 2.0]})
    with pytest.raises(DataError, match="2020 holds 2020-03"):
        refuse_double_counting(panel, over=["period"])


def test_a_repeated_row_is_refused_but_several_other_places_are_not_one():
    with pytest.raises(DataError, match=r"2 rows have the dimensions of another: origin WORLD, destination DEU"):
        refuse_double_counting(flows({}, {}), over=["sex"])
    assert refuse_double_counting(flows({"citizenship": "OTHER"}, {"citizenship": "OTHER"}), over=["citizenship"]) is None


def test_a_dimension_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(DataError, match="no dimension 'ages'; did you mean 'age'"):
        refuse_double_counting(flows({}), over=["ages"])


@given(st.lists(st.sampled_from([None, "UKR", "FRA", "EU27_2020", "STATELESS"]), unique=True, min_size=1), st.randoms())
def test_the_order_of_rows_changes_neither_refusal_nor_sentence(values, random):
    def said(order):
        try:
            refuse_double_counting(flows(*({"citizenship": one} for one in order)), over=["citizenship"])
        except DataError as refused:
            return str(refused)
        return ""

    mixed = list(values)
    random.shuffle(mixed)
    assert said(values) == said(mixed)
    assert bool(said(values)) == ((None in values and len(values) > 1) or {"EU27_2020", "FRA"} <= set(values))


def test_rows_are_split_into_total_part_unknown_and_aggregate():
    values = (None, "UKR", "UNKNOWN", "EU27_2020", "FOR", "STATELESS", "DEU")
    frame = flows(*({"citizenship": one} for one in values))
    frame.loc[4, "aggregate"], frame.loc[6, "aggregate"] = "FOR", "NAT"
    found = split_totals(frame)
    assert found.roles["citizenship"].tolist() == ["total", "part", "unknown", "aggregate", "aggregate", "part", "aggregate"]
    assert found.roles["sex"].tolist() == ["total"] * 7
    assert found.rows("citizenship", "part")["citizenship"].tolist() == ["UKR", "STATELESS"]
    with pytest.raises(DataError, match="not split by 'parts'; did you mean 'part'"):
        found.rows("citizenship", "parts")


def test_printed_totals_are_the_sum_of_parts_and_unknown_or_the_gap_is_told():
    frame = flows(
        {"persons": 100.0}, {"citizenship": "UKR", "persons": 60.0}, {"citizenship": "SYR", "persons": 30.0}, {"citizenship": "UNKNOWN", "persons": 7.0},
        {"destination": "MLT", "persons": 5.0},
    )  # fmt: skip
    found = check_totals(frame, over="citizenship")
    assert found[["destination", "printed", "parts", "unknown", "gap", "number"]].values.tolist() == [["DEU", 100.0, 90.0, 7.0, 3.0, 2]]


def test_ages_are_checked_over_one_choice_of_bands_and_sexes_over_both():
    ages = check_totals(
        flows(
            {"persons": 10.0},
            *({"age": age, "persons": number} for age, number in (("0-14", 4.0), ("0-4", 1.0), ("5-14", 3.0), ("15+", 6.0))),
        ),
        over="age",
    )
    assert ages[["parts", "gap", "number"]].values.tolist() == [[10.0, 0.0, 3]]
    sexes = check_totals(flows({"persons": 10.0}, {"sex": "female", "persons": 4.0}, {"sex": "male", "persons": 5.0}), over="sex")
    assert sexes["gap"].tolist() == [1.0]


def test_a_union_is_checked_against_its_members_and_the_missing_are_named():
    frame = flows(
        {"destination": "EU27_2020", "persons": 30.0}, {"destination": "FRA", "persons": 10.0}, {"destination": "DEU", "persons": 15.0}
    )
    found = check_totals(frame, over="destination").iloc[0]
    assert (found["total"], found["parts"], found["gap"], len(found["missing"].split())) == ("EU27_2020", 25.0, 5.0, 25)


def test_a_country_is_checked_against_its_regions():
    frame = flows(
        {"destination": "KAZ", "persons": 30.0}, {"destination": "KZ-10", "persons": 10.0}, {"destination": "KZ-75", "persons": 20.0}
    )
    assert check_totals(frame, over="destination")[["total", "gap"]].values.tolist() == [["KAZ", 0.0]]


def test_totals_cannot_be_checked_over_what_has_none():
    with pytest.raises(DataError, match="over 'basis'"):
        check_totals(flows({}), over="basis")


def test_regions_of_kazakhstan_as_bns_names_them_add_up_to_the_republic_in_all_24_years(real_data):
    """Population on 1 January 2000-2023, Bureau of National Statistics (README of the shared data)."""
    frame = pd.read_csv(real_data / "kazakhstan_regions_annual.csv")
    frame = frame[frame["indicator"] == "population_1jan"]
    shared = pd.DataFrame(
        {"region": frame["region_as_published"], "period": frame["year"].astype(str), "value": frame["value"].astype("float64")}
    )
    of = schema(("region",))
    batches = pa.Table.from_pandas(shared.reindex(columns=of.names), schema=of, preserve_index=False).to_batches()
    found = harmonise(staged(batches, of=of, dimensions=("region",), faults=Faults("bns.xlsx")), "bns", "6584")
    checked = check_totals(found.batches.read_all().to_pandas(), over="area", value="value")
    assert found.faults.count == 0
    assert (len(checked), set(checked["total"]), set(checked["gap"])) == (24, {"KAZ"}, {0.0})


@pytest.fixture(scope="module")
def undesa_rows(real_data):
    """The 2020 revision as UN DESA prints it: both sexes and the world of each destination beside the parts."""
    wide = pd.read_parquet(real_data / "undesa_migrant_stock_2020rev.parquet")
    number = {code: {"XCX": "830", "OOO": "2003"}.get(code) or published(code, "m49") for code in {*wide["dest"], *wide["orig"]}}
    shared = pd.DataFrame({
        "location_code_of_destination": wide["dest"].map(number), "location_code_of_origin": wide["orig"].map(number),
        "period": wide["year"].astype(str), "type_of_data_of_destination": wide["basis"],
    })  # fmt: skip
    long = pd.concat([shared.assign(sex=sex, value=wide[sex].astype("float64")) for sex in ("female", "male")])
    kept = ["location_code_of_destination", "period", "type_of_data_of_destination"]
    both = long.groupby([*kept, "location_code_of_origin"], as_index=False)["value"].sum().assign(sex="both sexes")
    world = both.groupby(kept, as_index=False)["value"].sum().assign(sex="both sexes", location_code_of_origin="900")
    frame = pd.concat([long, both, world], ignore_index=True)
    dimensions = ("location_code_of_destination", "location_code_of_origin", "sex")
    of = schema(dimensions, ("type_of_data_of_destination",))
    batches = pa.Table.from_pandas(frame.reindex(columns=of.names), schema=of, preserve_index=False).to_batches(max_chunksize=40_000)
    found = harmonise(staged(batches, of=of, dimensions=dimensions, faults=Faults("desa.xlsx")), "undesa", "migrant_stock_2020")
    rows = found.batches.read_all().to_pandas()
    assert len(rows) == len(frame)
    return rows


def test_undesa_members_add_up_to_the_published_stocks_of_1990_and_2020(undesa_rows):
    """152,986,157 and 280,598,105: United Nations, International Migrant Stock 2020."""
    members = undesa_rows[undesa_rows["sex"].notna() & (undesa_rows["characteristic"] != "WORLD")]
    refuse_double_counting(members, over=["residence", "characteristic", "sex"])
    totals = members.groupby("ref_date")["persons"].sum()
    assert (totals["1990-07-01"], totals["2020-07-01"]) == (152_986_157, 280_598_105)


def test_undesa_totals_with_their_members_are_refused_and_agree_with_them(undesa_rows):
    one = undesa_rows[(undesa_rows["ref_date"] == "2020-07-01") & undesa_rows["residence"].isin(["KAZ", "JPN", "DEU"])]
    with pytest.raises(DataError, match=r"a sum over characteristic would count twice: WORLD holds \w+ \(residence DEU"):
        refuse_double_counting(one, over=["characteristic"])
    with pytest.raises(DataError, match="the total of sex holds female"):
        refuse_double_counting(one[one["characteristic"] != "WORLD"], over=["sex"])
    assert set(check_totals(one, over="characteristic")["gap"]) == {0.0}
    assert set(check_totals(one[one["characteristic"] != "WORLD"], over="sex")["gap"]) == {0.0}
