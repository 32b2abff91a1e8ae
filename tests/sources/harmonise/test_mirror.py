"""Mirror tables: both sides' reports of one flow in one row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.sources.harmonise import mirror

YEAR = {"period_start": "2020-01-01", "period_end": "2020-12-31"}


def report(origin, destination, persons, by, **more):
    basis = {"destination": "previous_residence", "origin": "next_residence"}[by]
    one = {"origin": origin, "destination": destination, **YEAR, "persons": persons, "basis": basis, "counted": "movers", "source": by}
    return one | {"flag": None, "vintage": None, "status": "as_published"} | more


REPORTS = pd.DataFrame(
    [
        report("POL", "DEU", 100.0, "destination", flag="b"), report("POL", "DEU", 25.0, "origin", vintage="2023"),
        report("DEU", "POL", 30.0, "origin"), report("FRA", "DEU", 7.0, "destination", counted="moves"),
        report("WORLD", "DEU", 900.0, "destination"), report("EU27_2020", "DEU", 500.0, "destination"),
    ]
)  # fmt: skip


def test_both_reports_of_a_corridor_stand_in_one_row_with_their_ratio_flags_and_vintages():
    found = mirror(REPORTS)
    row = found.table.set_index(["origin", "destination"]).loc[("POL", "DEU")]
    assert (row["persons_reported_by_destination"], row["persons_reported_by_origin"], row["ratio"]) == (100, 25, 4)
    assert (row["which_side"], row["flag_by_destination"], row["vintage_by_origin"], row["comparable"]) == ("both", "b", "2023", True)
    assert found.table["which_side"].tolist() == ["origin_only", "destination_only", "both"]
    assert found.left_out["origin"].tolist() == ["WORLD", "EU27_2020"]


def test_expected_corridors_that_nobody_reports_are_neither():
    pairs = pd.DataFrame([{"origin": "MLT", "destination": "CYP", **YEAR}, {"origin": "POL", "destination": "DEU", **YEAR}])
    table = mirror(REPORTS, expected=pairs).table.set_index(["origin", "destination"])
    assert table.loc[("MLT", "CYP"), "which_side"] == "neither"
    assert np.isnan(table.loc[("MLT", "CYP"), "ratio"])
    assert len(table) == 4


def test_a_ratio_over_nobody_is_a_gap_and_unlike_counts_are_not_comparable():
    table = mirror(pd.DataFrame([report("POL", "DEU", 5.0, "destination", counted="moves"), report("POL", "DEU", 0.0, "origin")])).table
    assert np.isnan(table["ratio"][0])
    assert not table["comparable"][0]
    assert table["which_side"][0] == "both"


@given(st.permutations(range(len(REPORTS))))
def test_the_order_of_rows_changes_nothing(order):
    pd.testing.assert_frame_equal(mirror(REPORTS.iloc[order]).table, mirror(REPORTS).table)


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("ABC"), st.sampled_from(["destination", "origin"])), unique=True))
def test_no_report_is_lost_or_summed(keys):
    codes = {"A": "AUT", "B": "BEL", "C": "CZE"}
    rows = [report(codes[one], codes[two], float(number), by) for number, (one, two, by) in enumerate(keys) if one != two]
    if rows:
        table = mirror(pd.DataFrame(rows)).table
        both = pd.concat([table["persons_reported_by_destination"], table["persons_reported_by_origin"]]).dropna()
        assert sorted(both) == sorted(row["persons"] for row in rows)


def test_two_sources_of_one_side_are_refused_unless_the_source_is_part_of_the_key():
    twice = pd.concat(
        [REPORTS, pd.DataFrame([report("POL", "DEU", 110.0, "destination", source="oecd", vintage="2024")])], ignore_index=True
    )
    with pytest.raises(DataError, match=r"POL to DEU from 2020-01-01 is reported twice by the destination: destination and oecd of 2024"):
        mirror(twice)
    apart = mirror(twice, source_in_key=True).table
    assert apart[apart["source"] == "oecd"]["which_side"].tolist() == ["destination_only"]


def test_corridors_by_citizenship_are_no_reports_of_the_same_moves():
    with pytest.raises(DataError, match="flows of basis citizenship have no mirror"):
        mirror(REPORTS.assign(basis="citizenship"))


@pytest.mark.parametrize(
    ("flows", "said"),
    [
        (REPORTS.drop(columns="basis"), "no column 'basis'"),
        (REPORTS.assign(persons=-1.0), "-1 persons cannot be"),
        (REPORTS.assign(basis=None), "basis empty have no mirror"),
    ],
)
def test_what_is_no_table_of_flows_is_refused(flows, said):
    with pytest.raises(DataError, match=said):
        mirror(flows)


def test_double_entry_matrix_of_27_members_has_1792_pairs_and_1668_corridors_nobody_reports(real_data):
    """Wisniowski's assembly of Eurostat flows 2010-2019: 7,020 corridor-years (README of the shared data)."""
    wide = pd.read_parquet(real_data / "eu_mirror_flows_double_entry.parquet")
    year = wide["year"].astype(str)
    shared = pd.DataFrame(
        {"origin": wide["orig"], "destination": wide["dest"], "period_start": year + "-01-01", "period_end": year + "-12-31"}
    )
    columns = {"previous_residence": "immigration_reported_by_destination", "next_residence": "emigration_reported_by_origin"}
    flows = pd.concat([shared.assign(persons=wide[name], basis=basis, counted="movers", source=basis) for basis, name in columns.items()])
    counts = {"both": 1792, "neither": 1668, "destination_only": 1832, "origin_only": 1728}
    assert mirror(flows).table["which_side"].value_counts().to_dict() == counts
    assert mirror(flows.dropna(subset=["persons"]), expected=shared).table["which_side"].value_counts().to_dict() == counts
