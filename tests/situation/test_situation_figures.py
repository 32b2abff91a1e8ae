"""What moved: every report stays, the one used is that of the flows, a gap is a gap, and what is held is what was read."""

from datetime import date

import pandas as pd
import pytest

from qonys.core.contracts import FLOW
from qonys.core.errors import DataError
from qonys.flows import annual_series, disagreements
from qonys.situation import KINDS, areas_known, moved, series_of, situation_of
from qonys.situation.opened import rows_held
from qonys.store import connect, shipped, take_in


def flow(path, rows):
    """A table of the contract: (origin, destination, year, persons, source, vintage)."""
    pd.DataFrame(
        [(o, d, f"{y}-01-01", f"{y}-12-31", p, "previous_residence", "moves", s, v, "final") for o, d, y, p, s, v in rows],
        columns=["origin", "destination", "period_start", "period_end", "persons", "basis", "counted", "source", "vintage", "status"],
    ).to_csv(path, index=False)
    return str(path)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Germany with a gap, France up and down, Italy level, Spain from nothing with a net."""
    rows = [("WORLD", "DEU", year, 100.0, "a", "2020") for year in (2015, 2016, 2018)]
    rows += [("WORLD", "FRA", 2015 + place, value, "a", "2020") for place, value in enumerate((100.0, 200.0, 300.0, 150.0))]
    rows += [("WORLD", "ITA", year, 100.0, "a", "2020") for year in range(2014, 2019)]
    rows += [("WORLD", "ESP", year, 0.0 if year < 2018 else 5.0, "a", "2020") for year in range(2015, 2019)]
    rows += [("ESP", "WORLD", year, 9.0, "a", "2020") for year in range(2015, 2019)]
    return flow(tmp_path_factory.mktemp("flows") / "f.csv", rows)


def test_the_chosen_figures_are_those_of_the_flows_and_the_others_stay_beside_them():
    con = connect()
    shipped_flow = take_in(con, shipped().path("flow/kaz_external.csv"), FLOW, label="flow/kaz_external.csv", quarantine=False).table
    used = con.to_pandas(annual_series(shipped_flow, ["KAZ"], 1991, 2025)).sort_values("year")
    own = series_of("KAZ")
    for kind, column in (("immigration", "inflow"), ("emigration", "outflow"), ("net", "net")):
        chosen = own[(own["kind"] == kind) & own["chosen"] & own["value"].notna()]
        expected = used[used[column].notna()]
        assert chosen["period"].astype(int).tolist() == expected["year"].tolist()
        assert chosen["value"].tolist() == expected[column].tolist()
    others = con.to_pandas(disagreements(shipped_flow, ["KAZ"], 1991, 2025))
    beside = own[~own["chosen"]]
    assert set(others["other"]) <= set(beside["value"])
    assert own.groupby(["kind", "period"])["chosen"].sum().eq(1).all()


def test_every_figure_names_its_rows_and_its_source():
    own = series_of("KAZ", kinds=("immigration", "emigration"))
    rows = rows_held().set_index("row")
    for one in own[own["value"].notna()].itertuples():
        (address,) = one.inputs
        row = rows.loc[address.removeprefix("flow/")]
        assert row["persons"] == one.value
        assert row["source"] == one.source


def test_regions_sum_to_the_moves_of_the_country_and_their_nets_to_zero():
    regions = list(areas_known().query("parent == 'KAZ'")["area"])
    whole = pd.concat([series_of(code, kinds=("in_migration", "net_internal"), first=2022, last=2024) for code in regions])
    sums = whole.groupby(["kind", "period"])["value"].sum()
    assert [sums["in_migration", year] for year in ("2022", "2023", "2024")] == [803_033, 1_023_573, 1_510_337]  # BNS monthly files
    assert all(sums["net_internal", year] == 0 for year in ("2022", "2023", "2024"))
    national = series_of("KAZ", kinds=("internal_moves",), first=2022, last=2024)
    assert national["value"].tolist() == [803_033, 1_023_573, 1_510_337]


def test_a_year_without_a_report_is_a_gap(table):
    own = series_of("DEU", tables=(table,))
    assert own["value"].isna().tolist() == [False, False, True, False]
    assert own.loc[2, "inputs"] == []
    assert own.loc[2, "source"] is None
    assert moved("DEU", date(2019, 1, 1), tables=(table,))["gap"].tolist() == ["no_year_before"]


def test_changes_are_against_the_year_before_and_the_mean_of_three(table):
    (row,) = moved("FRA", "2019-06-01", tables=(table,)).to_dict("records")
    assert (row["period"], row["value"], row["change"], row["change_percent"]) == ("2018", 150, -150, -50)
    assert (row["mean_before"], row["mean_change"], row["mean_change_percent"]) == (200, -50, -25)
    assert row["years_since"] == 0
    assert len(row["inputs"]) == 4


@pytest.mark.parametrize(("day", "year"), [("2018-12-30", "2017"), ("2018-12-31", "2018"), ("2030-01-01", "2018")])
def test_a_year_counts_from_the_day_it_is_over(table, day, year):
    assert moved("ITA", day, tables=(table,))["period"].tolist() == [year]


def test_no_percent_is_taken_of_a_net_or_of_nothing(table):
    found = moved("ESP", "2019-01-01", tables=(table,)).set_index("kind")
    assert pd.isna(found.loc["immigration", "change_percent"])
    assert found.loc["immigration", "change"] == 5
    assert pd.isna(found.loc["net", "change_percent"])
    assert found.loc["net", "value"] == -4


def test_what_is_held_is_read_again_when_its_bytes_change_and_not_spoilt_by_a_reader(tmp_path):
    table = flow(tmp_path / "f.csv", [("WORLD", "DEU", 2015, 100.0, "a", "2020")])
    first = series_of("DEU", tables=(table,))
    first.loc[0, "value"] = -1
    assert series_of("DEU", tables=(table,)).loc[0, "value"] == 100
    flow(tmp_path / "f.csv", [("WORLD", "DEU", 2015, 200.0, "a", "2020")])
    assert series_of("DEU", tables=(table,)).loc[0, "value"] == 200


def test_areas_are_known_by_figures_or_measures_with_their_years():
    known = areas_known().set_index("area")
    assert known.loc["KAZ", ["series", "first_period", "last_period"]].tolist() == [4, "1991", "2025"]
    assert known.loc["AFG", "series"] == 0
    assert known.loc["AFG", "entries"] > 0
    assert known.loc["KZ-75", "parent"] == "KAZ"
    assert known.loc["KZ-75", "entries"] == 0


@pytest.mark.parametrize(("ask", "what"), [
    (lambda: series_of("KZA"), "no area has the code"), (lambda: series_of("KAZ", kinds=("imigration",)), "no series"),
    (lambda: series_of("KAZ", first=2020, last=2010), "after the last"), (lambda: series_of("KAZ", first="2020"), "is no year"),
    (lambda: series_of("KAZ", first=True), "is no year"), (lambda: moved("KAZ", "2020-05"), "no single day"), (lambda: moved("KAZ", 2020), "is no day"),
    (lambda: series_of("KAZ", tables=("nowhere.csv",)), "no flow table"), (lambda: series_of("KAZ", tables=()), "no flow table is named"),
    (lambda: situation_of("KAZ", "2020-13-01"), "is not a date"),
])  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_a_sentence(ask, what):
    with pytest.raises(DataError, match=what):
        ask()


def test_a_table_with_a_bad_row_is_refused_and_not_used_without_it(tmp_path):
    table = flow(tmp_path / "f.csv", [("WORLD", "DEU", 2015, -100.0, "a", "2020")])
    with pytest.raises(DataError, match="a row that is not valid"):
        series_of("DEU", tables=(table,))


def test_a_situation_holds_its_three_tables():
    found = situation_of("KAZ", "2020-05-15")
    assert (found.area, found.on) == ("KAZ", date(2020, 5, 15))
    assert set(found.moved["kind"]) <= set(KINDS)
    assert len(found.in_force)
    assert len(found.out_of_line)
