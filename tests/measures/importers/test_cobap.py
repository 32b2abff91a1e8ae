"""The COBAP importer: the order of day and month is read off the dates and never guessed, and each row has one fate."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qonys.core.contracts import MEASURE
from qonys.core.errors import DataError
from qonys.core.validate import examine
from qonys.measures import codebook
from qonys.measures.importers import IMPORTERS, cobap
from qonys.measures.importers.cobap import date_order
from qonys.store import read_raw
from rows import refusal

SPECIMENS = Path(__file__).parents[2] / "specimens" / "cobap"
FILE = "cobap_border_closures.parquet"
BACKWARDS = {"BR09", "CK06", "DK32", "GR43", "JP12", "NO06", "NO08", "CA12", "CY17", "JM06", "SC02", "EE12", "IR03", "RU09"}
ORDERS = ("MM_DD_YY", "DD_MM_YY")


def imported(con, path: Path, **options) -> tuple[pd.DataFrame, pd.DataFrame]:
    raw, _malformed = read_raw(con, path)
    came = cobap.read(raw, file=path.name, **options)
    return con.to_pandas(came.measures).set_index("id", drop=False), con.to_pandas(came.fates).set_index("row")


def faults(con, measures: pd.DataFrame) -> list[tuple[object, ...]]:
    frame = measures.reset_index(drop=True).assign(row=range(2, len(measures) + 2))
    return list(con.to_pandas(examine(ibis.memtable(frame), MEASURE, file="m").faults).itertuples(index=False))


def specimen_rows() -> list[dict[str, str]]:
    with (SPECIMENS / "policy_list.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written(rows: list[dict[str, str]]) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(rows, dtype="string").assign(row=range(2, len(rows) + 2)))


@pytest.fixture(scope="module")
def specimen(con):
    return imported(con, SPECIMENS / "policy_list.csv")


@pytest.fixture(scope="module")
def real(con, real_data):
    return imported(con, real_data / FILE)


# The order of day and month

DAYS = st.dates(date(2020, 1, 1), date(2021, 12, 31))


def printed(day: date, order: str) -> str:
    return day.strftime("%m_%d_%y" if order == "MM_DD_YY" else "%d_%m_%y")


def places(texts: list[str]) -> dict[tuple[int, str], str]:
    return {(row, "start_date"): text for row, text in enumerate(texts, start=2)}


@given(st.lists(DAYS, min_size=1, max_size=12), st.sampled_from(ORDERS))
def test_the_order_is_found_where_a_day_above_12_shows_it_and_is_refused_where_none_does(days, order):
    found = refusal(lambda: date_order(places([printed(day, order) for day in days]), file="list.csv"))
    if any(day.day > 12 for day in days):
        assert found is None
        assert date_order(places([printed(day, order) for day in days]), file="list.csv") == order
    else:
        assert found is not None
        assert found.what == "no date of list.csv shows whether the day or the month comes first"
        assert found.mend == "say order='MM_DD_YY' or order='DD_MM_YY'"


@given(st.lists(DAYS.filter(lambda day: day.day > 12), min_size=2, max_size=8), st.integers(1, 7))
def test_dates_of_both_orders_are_refused_with_the_rows_that_contradict(days, cut):
    cut = min(cut, len(days) - 1)
    texts = [printed(day, ORDERS[place >= cut]) for place, day in enumerate(days)]
    found = refusal(lambda: date_order(places(texts), file="list.csv"))
    assert found is not None
    assert found.what.startswith(f"list.csv mixes two orders of day and month: row 2 (start_date {texts[0]})")
    assert f"row {cut + 2} (start_date {texts[cut]})" in found.what
    for order in ORDERS:
        assert date_order(places(texts), file="list.csv", order=order) == order


@settings(max_examples=8)
@given(st.lists(DAYS, min_size=1, max_size=8), st.sampled_from(ORDERS))
def test_with_the_order_given_every_date_is_the_day_that_was_written(con, days, order):
    like = specimen_rows()[1]
    rows = [like | {"ID": f"AR{place}", "START_DATE": printed(day, order)} for place, day in enumerate(days)]
    measures = con.to_pandas(cobap.read(written(rows), file="list.csv", order=order).measures)
    assert measures["start"].tolist() == [day.isoformat() for day in days]


def test_a_date_that_is_no_day_in_either_order_decides_nothing():
    assert date_order(places(["13_32_20", "02_30_20", "03_16_20"]), file="list.csv") == "MM_DD_YY"
    with pytest.raises(DataError, match=r"no date of list\.csv shows"):
        date_order(places(["13_32_20", "02_30_20", "03_06_20"]), file="list.csv")


def test_an_order_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match="there is no order of dates 'YY_MM_DD'; did you mean"):
        date_order({}, file="list.csv", order="YY_MM_DD")


def test_the_file_of_the_project_has_the_month_first_whatever_its_readme_says(con, specimen):
    measures, _fates = specimen
    assert measures.loc["COBAP-KZ01", ["start", "end"]].tolist() == ["2020-03-16", "2020-06-12"]
    wrong, fates = imported(con, SPECIMENS / "policy_list.csv", order="DD_MM_YY")
    assert "COBAP-KZ01" not in wrong.index
    assert fates.loc[2, "why"] == "policy_list.csv, row 2: has the start_date '03_16_20', which is no day; correct it"


# What the project's own file becomes


def test_the_file_of_the_project_is_read(con, specimen):
    measures, fates = specimen
    assert fates["fate"].value_counts().to_dict() == {"measure": 11, "quarantined": 3, "no_measure": 1}
    assert faults(con, measures) == []
    assert set(measures["coder"]) == {"cobap"}
    assert (
        measures.loc["COBAP-KZ01", "evidence"]
        == "COBAP, policy KZ01 (Shiraef et al. 2021, Scientific Data 8, 253); https://example.org/KZ01"
    )


def test_a_complete_closure_is_of_the_greatest_strength_with_its_exceptions_coded(specimen):
    measures, _fates = specimen
    chosen = ["targets", "strength", "general", "exceptions", "exception_citizenship"]
    told = measures.astype(object).where(measures.notna(), None)[chosen]
    assert told.loc["COBAP-KZ01"].tolist() == ["arrival", 4, True, "citizen essential_worker family foreign_resident", None]
    assert told.loc["COBAP-AR03"].tolist() == ["arrival", 4, True, None, None]
    assert told.loc["COBAP-DK01"].tolist() == ["arrival", 4, True, "citizen", "SWE"]
    assert measures.loc["COBAP-DK01", "exception_words"] == "Citizens | Atlantis"
    codes = {code for cell in measures["exceptions"].dropna() for code in cell.split()}
    assert codes | set(cobap.EXCEPTIONS) <= set(codebook()["exception"])


def test_bans_are_limited_to_those_they_name(specimen):
    measures, _fates = specimen
    assert measures.loc["COBAP-IL01", ["targets", "target_citizenship", "strength"]].tolist() == ["foreign_traveller", "CHN CIV ROU", 3]
    assert measures.loc["COBAP-KR01", ["targets", "field", "area", "general"]].tolist() == ["visa_applicant", "foreign", "stay", True]
    assert measures.loc["COBAP-HU01", ["targets", "target_citizenship"]].tolist() == ["asylum_applicant refugee", "AFG PAK IRN"]
    assert measures.loc["COBAP-IL07", ["target_origin", "target_words", "exceptions"]].tolist() == ["UNKNOWN", "MANDVAX", "vaccinated"]


def test_a_row_that_bans_by_two_criteria_is_two_measures(specimen):
    measures, fates = specimen
    assert measures.loc["COBAP-MN01", "target_citizenship"] == "CHN"
    assert measures.loc["COBAP-MN01-2", "target_origin"] == "CHN KOR"
    assert fates.loc[6, "fate"] == "measure"


def test_borders_closed_to_the_same_states_are_one_measure_and_to_others_another(specimen):
    measures, _fates = specimen
    chosen = ["modes", "target_origin", "borders_with", "general", "strength"]
    told = measures.astype(object).where(measures.notna(), None)[chosen]
    assert told.loc["COBAP-KZ04"].tolist() == ["land", None, "KGZ TKM RUS", False, 2]
    assert told.loc["COBAP-NO01"].tolist() == ["air sea", None, None, True, 2]
    assert told.loc["COBAP-NO01-2"].tolist() == ["land", None, "RUS", False, 2]
    assert told.loc["COBAP-EU06"].tolist() == ["air land sea", "BRA IND", None, False, 3]


def test_the_schengen_level_is_a_union(specimen):
    assert specimen[0].loc["COBAP-EU06", ["issuer", "level"]].tolist() == ["EU", "union"]


@pytest.mark.parametrize(
    ("row", "fate", "why"),
    [
        (13, "quarantined", "ends on 2020-03-08, before it starts on 2020-03-30; correct one of the two dates"),
        (14, "quarantined", "has the code 'SOL' (Somaliland), which is no area of ours; correct the code, or leave the row out"),
        (15, "no_measure", "no closure was found for Monaco"),
        (16, "quarantined", "is 'PARTIAL', and no field says what is closed, and to whom; set the flag of the ban"),
    ],
)
def test_a_row_that_is_no_measure_says_why(specimen, row, fate, why):
    assert specimen[1].loc[row].tolist() == [fate, f"policy_list.csv, row {row}: {why}"]


def test_the_names_of_the_readme_are_read_too(con):
    names = {
        "HISTORY_BAN": "history",
        "HISTORY_BAN_LIST": "history_list",
        "VISA_BAN": "visa",
        "VISA_BAN_TYPE": "visa_type",
        "VISA_BAN_LIST": "visa_list",
    }
    rows = [{names.get(name, name): cell for name, cell in row.items()} for row in specimen_rows()]
    came = con.to_pandas(cobap.read(written(rows), file="policy_list.csv").measures)
    pd.testing.assert_frame_equal(came, con.to_pandas(cobap.read(written(specimen_rows()), file="policy_list.csv").measures))


# Files that are not as they should be


@pytest.mark.parametrize("column", ["ID", "ISO3", "START_DATE", "TARGETS_LAND", "WORK_EXCEP"])
def test_a_file_without_a_column_is_refused_with_its_name(column):
    rows = [{name: cell for name, cell in row.items() if name != column} for row in specimen_rows()]
    refused = refusal(lambda: cobap.read(written(rows), file="list.csv"))
    assert refused is not None
    assert refused.what == f"list.csv has no column {column.casefold()!r}, so it is no file of COBAP"


def test_an_empty_file_is_refused(con, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text((SPECIMENS / "policy_list.csv").read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    raw, _malformed = read_raw(con, path)
    refused = refusal(lambda: cobap.read(raw, file=path.name))
    assert refused is not None
    assert str(refused) == "list.csv has no rows; check that the file is whole"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"START_DATE": "NONE"}, "has no start_date; fill it in"),
        ({"START_DATE": "13_32_20"}, "has the start_date '13_32_20', which is no day; correct it"),
        ({"START_DATE": "in March"}, "has the start_date 'in March', which is no day; correct it"),
        ({"END_DATE": "02_30_20"}, "has the end_date '02_30_20', which is no day; correct it"),
        ({"ID": ""}, "has no id; fill it in"),
        ({"ISO3": "XQZ"}, "has the code 'XQZ' (Argentina), which is no area of ours; correct the code, or leave the row out"),
        ({"ID": "KZ01"}, "has the id of row 2, COBAP-KZ01; keep one of the two"),
        ({"POLICY_TYPE": "OTHER"}, "is 'OTHER ESSENTIAL_ONLY', and no field says what is closed, and to whom; set the flag of the ban"),
    ],
)
def test_a_cell_that_cannot_be_read_quarantines_its_row(con, change, why):
    first, second = specimen_rows()[:2]
    came = cobap.read(written([first, second | change]), file="list.csv")
    assert con.to_pandas(came.fates)["why"].tolist()[1] == f"list.csv, row 3: {why}"
    assert con.to_pandas(came.measures)["id"].tolist() == ["COBAP-KZ01"]


def test_an_end_in_words_is_no_end_and_is_kept_in_the_note(con):
    first, second = specimen_rows()[:2]
    measures = con.to_pandas(cobap.read(written([first, second | {"END_DATE": "until further notice"}]), file="list.csv").measures)
    assert measures["end"].tolist() == ["2020-06-12", None]
    assert measures["note"].tolist()[1] == "source quality: Very Sure | end as printed: until further notice"


def test_days_beside_their_raw_text_must_agree_with_it(con):
    like = {name.casefold(): cell for name, cell in specimen_rows()[0].items()} | {"start_date": "2020-03-16", "end_date": "2020-06-12"}
    rows = [like | {"id": "A", "end_date_raw": "06_12_20"}, like | {"id": "B", "end_date_raw": "06_13_20"}]
    came = cobap.read(written(rows), file="list.csv")
    assert con.to_pandas(came.fates)["why"].tolist() == [
        None, "list.csv, row 3: ends on 2020-06-12 in one column and on 06_13_20 in another; correct one of the two dates",
    ]  # fmt: skip


# The real file


def test_every_row_of_the_real_file_has_one_fate(real):
    measures, fates = real
    assert sorted(fates.index) == list(range(2, 1_762 + 2))
    assert fates["fate"].value_counts().to_dict() == {"measure": 1_739, "quarantined": 16, "no_measure": 7}
    assert len(measures) == 1_960
    assert measures["title"].value_counts().to_dict() == {
        "Border closure": 1_021, "Complete closure": 419, "Travel history ban": 265, "Citizenship ban": 189, "Visa ban": 63, "Refugee ban": 3,
    }  # fmt: skip


def test_every_measure_of_the_real_file_holds_to_the_contract(con, real):
    assert faults(con, real[0]) == []


def test_the_14_rows_that_end_before_they_start_are_quarantined_with_both_dates(con, real, real_data):
    raw, _malformed = read_raw(con, real_data / FILE)
    bad = con.to_pandas(cobap.read(raw, file=FILE).quarantined(raw))
    backwards = bad[bad["why"].str.contains("before it starts")]
    assert set(backwards["id"]) == BACKWARDS
    assert len(backwards) == 14
    for one in backwards.itertuples():
        assert (
            one.why
            == f"{FILE}, row {one.row}: ends on {one.end_date:%Y-%m-%d}, before it starts on {one.start_date:%Y-%m-%d}; correct one of the two dates"
        )
    assert set(bad["iso3"]) - set(backwards["iso3"]) == {"SOL"}


def test_the_records_of_the_european_union_have_the_level_of_a_union(real):
    measures, _fates = real
    union = measures[measures["level"] == "union"]
    assert set(union["issuer"]) == {"EU"}
    assert union["id"].str[6:10].nunique() == 18


def test_the_first_closures_are_those_the_authors_print(real):
    """Shiraef et al. (2021): the first restriction was North Korea's, on 22 January 2020."""
    measures, _fates = real
    first = measures.sort_values("start").iloc[0]
    assert first[["issuer", "start"]].tolist() == ["PRK", "2020-01-22"]


def test_kazakhstan_closed_completely_from_16_march_2020(real):
    measures, _fates = real
    closed = measures[(measures["issuer"] == "KAZ") & (measures["strength"] == 4)]
    assert closed[["start", "end"]].values.tolist() == [["2020-03-16", "2020-06-12"]]


def test_the_importer_is_registered():
    assert IMPORTERS["cobap"] is cobap.read
