"""Staged tables as rows of a contract: every row is a row, a fault, or ignored with a reason."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.contracts import CONTRACTS
from qonys.core.errors import DataError, SourceError
from qonys.core.validate import examine
from qonys.sources import bns, eurostat, ilostat, oecd, undesa, unhcr, worldbank
from qonys.sources.catalogue import publisher, publishers
from qonys.sources.harmonise import harmonise, mirror, plan, published
from qonys.sources.harmonise.cells import first_day, last_day, middle_day, panel_period
from qonys.sources.harmonise.facts import facts
from qonys.sources.harmonise.plans import INTO, read_plan
from qonys.sources.staged import Faults, schema, staged

SPECIMENS = Path(__file__).parents[2] / "specimens"
MODULES = {"bns": bns, "eurostat": eurostat, "ilostat": ilostat, "oecd": oecd, "undesa": undesa, "unhcr": unhcr, "worldbank": worldbank}
IMM = ("freq", "citizen", "agedef", "age", "unit", "sex", "geo")


def table(rows: list[dict[str, object]], dimensions: tuple[str, ...], *, attributes: tuple[str, ...] = (), size: int = 3, vintage=None):
    """A staged table of rows; columns that a row does not name are empty."""
    of = schema(dimensions, attributes)
    frame = pd.DataFrame(rows, columns=of.names)
    batches = pa.Table.from_pandas(frame, schema=of, preserve_index=False).to_batches(max_chunksize=size)
    return staged(batches, of=of, dimensions=dimensions, faults=Faults("x.tsv"), vintage=vintage)


def imm(**cell):
    usual = {"freq": "A", "citizen": "TOTAL", "agedef": "COMPLET", "age": "TOTAL", "unit": "NR", "sex": "T", "geo": "DE"}
    return {**usual, "period": "2020", "value": 10.0} | cell


def rows_of(result) -> pd.DataFrame:
    return result.batches.read_all().to_pandas()


def specimen(name: str, path: str, dataset: str, **more):
    return harmonise(MODULES[name].stage(SPECIMENS / path, dataset, publisher(name)), name, dataset, **more)


FILES = [
    ("eurostat", "eurostat/migr_imm1ctz.tsv", "migr_imm1ctz"), ("eurostat", "eurostat/migr_imm8.json", "migr_imm8"),
    ("eurostat", "eurostat/migr_resfirst.csv", "migr_resfirst"), ("undesa", "undesa/migrant_stock_2020.xlsx", "migrant_stock_2020"),
    ("oecd", "oecd/df_mig.csv", "OECD.ELS.IMD,DSD_MIG@DF_MIG,1.0"), ("ilostat", "ilostat/df_mfl_ncit.csv", "DF_MFL_NCIT_SEX_CCT_NB"),
    ("ilostat", "ilostat/bulk.csv", "DF_MFL_NCIT_SEX_CCT_NB"), ("bns", "bns/migration_ru.xlsx", "migration"),
    ("bns", "bns/migration_kk.xlsx", "migration"), ("bns", "bns/open_data.csv", "6584"), ("bns", "bns/open_data.json", "6584"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "path", "dataset"), FILES)
def test_every_row_of_a_publishers_file_is_a_row_a_fault_or_ignored_and_rows_keep_the_contract(con, name, path, dataset):
    total = len(MODULES[name].stage(SPECIMENS / path, dataset, publisher(name)).frame())
    found = specimen(name, path, dataset, aggregates=False)
    rows = rows_of(found)
    assert found.counts.read == total == len(rows) + found.faults.count + found.ignored.count
    assert sum(found.counts.ignored.values()) == found.ignored.count
    if len(rows):
        raw = ibis.memtable(
            rows.assign(row=range(2, len(rows) + 2)).astype({"value" if found.contract == "panel" else "persons": "float64"})
        )
        assert len(con.to_pandas(examine(raw, CONTRACTS[found.contract], file=path).faults)) == 0


def test_every_flow_stock_and_panel_of_the_catalogue_has_a_plan_of_the_same_contract():
    ours = {(key, one.id): one.contract for key, facts in publishers().items() for one in facts.tables.values() if one.contract in INTO}
    # UNHCR's applications and decisions and the like keep their contract; nothing is left without a plan
    assert {(key, name): plan(key, name).contract for key, name in ours} == ours


def test_every_entry_of_the_shipped_facts_is_a_plan():
    for key, said in facts().items():
        for name in said.get("table", {}):
            assert plan(key, name).publisher == key


def test_immigration_by_citizenship_goes_from_the_world_with_the_citizenship_in_its_own_column():
    rows = rows_of(
        harmonise(
            table([imm(citizen="UA", sex="F", age="Y_LT5", geo="EL", flag="bep")], IMM, vintage="2026-01"), "eurostat", "migr_imm1ctz"
        )
    )
    assert rows.dropna(axis=1).to_dict("records") == [
        {
            "origin": "WORLD", "destination": "GRC", "period_start": "2020-01-01", "period_end": "2020-12-31", "persons": 10.0,
            "basis": "previous_residence", "counted": "movers", "source": "eurostat:migr_imm1ctz", "vintage": "2026-01",
            "status": "provisional", "scope": "external", "citizenship": "UKR", "sex": "female", "age": "0-4", "flag": "b",
            "note": "flags bep",
        }
    ]  # fmt: skip


def test_emigration_is_the_same_the_other_way_round():
    rows = rows_of(harmonise(table([imm(citizen="NAT", geo="UK")], IMM), "eurostat", "migr_emi1ctz"))
    assert rows.loc[0, ["origin", "destination", "basis", "citizenship", "aggregate"]].tolist() == [
        "GBR",
        "WORLD",
        "next_residence",
        "GBR",
        "NAT",
    ]


def test_groups_are_kept_with_the_publishers_code_or_left_out_and_counted():
    rows = [imm(citizen=one) for one in ("TOTAL", "UA", "EU27_2020", "NEU27_2020_FOR", "FOR", "STLS", "UNK", "NAT")]
    kept = rows_of(harmonise(table(rows, IMM), "eurostat", "migr_imm1ctz"))
    assert kept["citizenship"].tolist() == [None, "UKR", "EU27_2020", "NEU27_2020_FOR", "FOR", "STATELESS", "UNKNOWN", "DEU"]
    assert kept["aggregate"].tolist() == [None, None, None, "NEU27_2020_FOR", "FOR", None, None, "NAT"]
    bare = harmonise(table(rows, IMM), "eurostat", "migr_imm1ctz", aggregates=False)
    assert rows_of(bare)["citizenship"].tolist() == [None, "UKR", "EU27_2020", "STATELESS", "UNKNOWN"]
    assert bare.ignored.table()["found"].tolist() == ["NEU27_2020_FOR", "FOR", "NAT"]
    assert tuple(bare.batches.schema.names) == CONTRACTS["flow"].names


def test_a_code_that_is_not_known_is_a_fault_with_the_nearest():
    found = harmonise(
        table([imm(citizen="UU"), imm(geo="DEE"), imm(age="old"), imm(sex="Q"), imm(value=-1.0), imm(period="20")], IMM),
        "eurostat",
        "migr_imm1ctz",
    )
    assert len(rows_of(found)) == 0
    assert sorted(found.faults.table()[["place", "column", "found"]].values.tolist()) == [
        ["row 1", "citizen", "UU"], ["row 2", "geo", "DEE"], ["row 3", "age", "old"], ["row 4", "sex", "Q"], ["row 5", "value", "-1"],
        ["row 6", "period", "20"],
    ]  # fmt: skip
    assert "did you mean 'DE'?" in " ".join(found.faults.table()["why"])


def test_gaps_other_units_and_sexes_not_stated_are_ignored_with_their_reason():
    found = harmonise(
        table([imm(value=None, flag="c"), imm(unit="PC"), imm(sex="UNK"), imm(agedef="REACH")], IMM), "eurostat", "migr_imm1ctz"
    )
    assert len(rows_of(found)) == 0
    why = found.ignored.table().set_index("place")["why"]
    assert why["row 1"] == "is a gap"
    assert why["row 2"] == "is in another unit than persons"
    assert "not stated" in why["row 3"]
    assert why["row 4"] == "agedef is not 'COMPLET' or 'COMPLETE'"
    assert found.ignored.table()["found"].tolist()[0] == "c"


POOL = [
    imm(), imm(citizen="UA", value=3.0), imm(citizen="ZZ"), imm(value=None), imm(citizen="FOR"), imm(sex="F", value=4.5), imm(geo="EL", flag="b"),
    imm(geo="EU27_2020", value=99.0), imm(age="Y_GE85"), imm(age="?"), imm(period="2021"), imm(sex="UNK"), imm(unit="THS"),
]  # fmt: skip


@given(st.lists(st.sampled_from(range(len(POOL))), max_size=25), st.integers(1, 7), st.randoms())
def test_neither_the_order_of_rows_nor_the_size_of_batches_changes_what_becomes_of_them(places, size, random):
    def outcome(order):
        found = harmonise(table([POOL[one] for one in order], IMM, size=size), "eurostat", "migr_imm1ctz")
        rows = rows_of(found)
        assert found.counts.read == len(order) == len(rows) + found.faults.count + found.ignored.count
        return sorted(map(str, rows.values.tolist())), sorted(found.faults.table()["found"]), sorted(found.ignored.table()["why"])

    mixed = list(places)
    random.shuffle(mixed)
    assert outcome(places) == outcome(mixed)


@given(
    st.lists(st.tuples(st.sampled_from(["UA", "EL", "UK", "STLS", "UNK", "TOTAL", "CS"]), st.integers(0, 10**6)), min_size=1, max_size=30)
)
def test_sums_of_members_stay_and_labels_come_back(cells):
    rows = rows_of(harmonise(table([imm(citizen=code, value=float(number)) for code, number in cells], IMM), "eurostat", "migr_imm1ctz"))
    back = rows["citizenship"].map(lambda code: "TOTAL" if code is None else published(code, "eurostat"))
    assert list(zip(back, rows["persons"], strict=True)) == [(code, float(number)) for code, number in cells]


def test_faults_past_the_most_that_are_kept_are_still_counted():
    found = harmonise(table([imm(citizen="ZZ")] * 12_000, IMM, size=5000), "eurostat", "migr_imm1ctz")
    assert len(rows_of(found)) == 0
    assert (found.faults.count, len(found.faults.rows), found.faults.rows[-1][0]) == (12_000, 10_000, "row 10000")


def test_thousands_become_persons_and_the_note_says_so():
    rows = rows_of(specimen("bns", "bns/migration_kk.xlsx", "migration"))
    assert rows.loc[0, ["origin", "destination", "persons", "basis", "note"]].tolist() == [
        "WORLD", "KAZ", 17400.0, "previous_residence", "published in units of 1000",
    ]  # fmt: skip
    assert rows_of(specimen("oecd", "oecd/df_mig.csv", "OECD.ELS.IMD,DSD_MIG@DF_MIG,1.0"))["persons"].tolist() == [31500.0, 2.0]
    for path in ("ilostat/bulk.csv", "ilostat/df_mfl_ncit.csv"):
        assert rows_of(specimen("ilostat", path, "DF_MFL_NCIT_SEX_CCT_NB"))["persons"].tolist() == [12345.0, 5100.0]


def test_arrivals_and_departures_of_a_printed_table_are_flows_of_two_bases_and_their_balance_is_none():
    rows = [
        {"row": "Абайская область", "heading": head, "period": "2023", "value": 5.0, "unit": "человек"}
        for head in ("Прибыло", "Выбыло", "Сальдо")
    ]
    found = harmonise(table(rows, ("row", "section", "heading")), "bns", "migration")
    assert rows_of(found)[["origin", "destination", "basis"]].values.tolist() == [
        ["WORLD", "KZ-10", "previous_residence"], ["KZ-10", "WORLD", "next_residence"],
    ]  # fmt: skip
    assert found.counts.ignored == {"is neither arrivals nor departures": 1}


DESA = ("location_code_of_destination", "location_code_of_origin", "sex")


def stock(destination, origin, value, kind, sex="both sexes"):
    return {
        "location_code_of_destination": destination, "location_code_of_origin": origin, "sex": sex, "period": "2020", "value": value,
        "type_of_data_of_destination": kind,
    }  # fmt: skip


def test_birth_and_citizenship_are_kept_apart_by_the_type_of_data_and_what_mixes_them_is_ignored():
    rows = [stock("398", "643", 5.0, "B R"), stock("392", "156", 4.0, "C"), stock("4", "586", 3.0, "R I"), stock("900", "900", 12.0, None)]
    found = harmonise(table(rows, DESA, attributes=("type_of_data_of_destination",)), "undesa", "migrant_stock_2020")
    got = rows_of(found)
    assert got[["residence", "basis", "ref_date", "flag"]].values.tolist() == [
        ["KAZ", "birth_country", "2020-07-01", None], ["JPN", "citizenship", "2020-07-01", None], ["AFG", "birth_country", "2020-07-01", "e"],
    ]  # fmt: skip
    assert [why[:19] for why in found.counts.ignored] == ["is of several bases"]


PANEL = ("freq", "unit", "citizen", "sex", "applicant", "age", "geo")


def test_a_panel_has_one_breakdown_and_another_is_asked_for_by_name():
    cell = {"freq": "M", "unit": "PER", "sex": "T", "age": "TOTAL", "geo": "DE", "period": "2020-03", "value": 7.0, "flag": "p"}
    rows = [cell | {"citizen": citizen, "applicant": applicant} for citizen in ("TOTAL", "UA") for applicant in ("FRST", "ASY_APP")]
    found = rows_of(harmonise(table(rows, PANEL), "eurostat", "migr_asyappctzm"))
    assert found[["area", "period", "value", "flag", "status"]].values.tolist() == [["DEU", "2020-03", 7.0, "p", "provisional"]]
    other = harmonise(table(rows, PANEL), "eurostat", "migr_asyappctzm", keep={"citizen": "UA", "applicant": "ASY_APP"})
    assert len(rows_of(other)) == 1
    with pytest.raises(DataError, match=r"rows with applicant 'ASY_APP' and with applicant 'FRST', and a panel cannot tell them apart"):
        rows_of(harmonise(table(rows, PANEL), "eurostat", "migr_asyappctzm", keep={"applicant": ()}))


def test_a_dimension_of_two_values_that_nothing_reads_is_refused_even_across_batches():
    rows = [{**imm(), "indic": one} for one in ("A", "B")]
    with pytest.raises(DataError, match="counted twice"):
        rows_of(harmonise(table(rows, (*IMM, "indic"), size=1), "eurostat", "migr_imm1ctz"))
    assert len(rows_of(harmonise(table(rows, (*IMM, "indic"), size=1), "eurostat", "migr_imm1ctz", keep={"indic": "A"}))) == 1


def test_a_column_to_keep_rows_by_that_is_not_there_is_refused():
    with pytest.raises(DataError, match="no column 'citizens' to keep rows by; did you mean 'citizen'"):
        harmonise(table([imm()], IMM), "eurostat", "migr_imm1ctz", keep={"citizens": "UA"})


def test_returns_of_refugees_during_a_year_are_no_stock():
    rows = [
        {"coo_iso": "UKR", "coa_iso": "POL", "figure": one, "period": "2022", "value": 5.0} for one in ("refugees", "returned_refugees")
    ]
    found = harmonise(table(rows, ("coo_iso", "coa_iso", "figure")), "unhcr", "population")
    assert rows_of(found)[["category", "ref_date", "basis"]].values.tolist() == [["refugees", "2022-12-31", "citizenship"]]
    assert found.ignored.table()["found"].tolist() == ["returned_refugees"]


def test_a_power_of_ten_or_a_code_that_is_none_is_a_fault_and_no_crash():
    cell = {"ref_area": "DEU", "citizenship": "UKR", "freq": "A", "measure": "B11", "sex": "_T", "period": "2020", "value": 1.0}
    rows = [cell | {"unit_mult": power} for power in ("3", "999", "³", "+-1", None)] + [cell | {"citizenship": "²"}]
    dimensions = ("ref_area", "citizenship", "freq", "measure", "sex")
    found = harmonise(table(rows, dimensions, attributes=("unit_mult",)), "oecd", "OECD.ELS.IMD,DSD_MIG@DF_MIG,1.0")
    assert rows_of(found)["persons"].tolist() == [1000.0, 1.0]
    assert sorted(found.faults.table()["found"]) == ["+-1", "999", "²", "³"]


def test_immigration_of_one_country_and_emigration_of_the_other_become_one_corridor():
    cell = {"freq": "A", "agedef": "COMPLET", "age": "TOTAL", "unit": "NR", "sex": "T", "period": "2020"}
    dimensions = ("freq", "agedef", "age", "unit", "sex", "partner", "geo")
    came = [cell | {"partner": "PL", "geo": "DE", "value": 100.0, "flag": "b"}, cell | {"partner": "TOTAL", "geo": "DE", "value": 900.0}]
    left = [cell | {"partner": "DE", "geo": "PL", "value": 25.0, "flag": "e"}, cell | {"partner": "UK", "geo": "PL", "value": 3.0}]
    both = [(came, "migr_imm5prv", "2026-01"), (left, "migr_emi3nxt", "2025-06")]
    flows = pd.concat([rows_of(harmonise(table(rows, dimensions, vintage=day), "eurostat", name)) for rows, name, day in both])
    row = mirror(flows).table.set_index(["origin", "destination"]).loc[("POL", "DEU")]
    assert row[["persons_reported_by_destination", "persons_reported_by_origin", "ratio", "which_side"]].tolist() == [
        100.0,
        25.0,
        4.0,
        "both",
    ]
    assert row[["flag_by_destination", "vintage_by_destination", "source_by_origin", "status_by_origin"]].tolist() == [
        "b", "2026-01", "eurostat:migr_emi3nxt", "estimate",
    ]  # fmt: skip


def test_an_empty_table_stays_empty():
    found = harmonise(table([], IMM), "eurostat", "migr_imm1ctz")
    assert (len(rows_of(found)), found.counts.read) == (0, 0)


def test_a_staged_table_without_a_column_that_is_read_is_refused():
    with pytest.raises(DataError, match=r"x.tsv has no column 'geo', which eurostat:migr_imm1ctz needs; did you mean 'geo2'"):
        harmonise(table([], (*IMM[:-1], "geo2")), "eurostat", "migr_imm1ctz")


@pytest.mark.parametrize(
    ("name", "dataset", "said"),
    [("eurostat", "migr_imm1ctx", "nothing says how .* did you mean 'migr_imm1ctz'"), ("eurostad", "x", "no publisher 'eurostad'")],
)
def test_a_table_without_a_plan_is_refused_with_the_nearest(name, dataset, said):
    with pytest.raises(SourceError, match=said):
        plan(name, dataset)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("contract = 'flows'", "contract is 'flows'; did you mean 'flow'"),
        ("contract = 'stock'\nbasis = 'citizenship'\nreference = 'first'", "columns names 'area'"),
        ("contract = 'panel'\nbases = 'x'", "unknown key 'bases'"),
        ("contract = 'flow'\nbasis = 'birth'", "columns names 'area'"),
    ],
)
def test_a_plan_that_is_wrong_is_refused_by_table_and_key(change, said):
    text = f"areas = 'iso3'\nflags = 'none'\n[table.t]\n{change}\n[table.t.columns]\narea = 'geo'\n"
    with pytest.raises(SourceError, match=said):
        read_plan("x", "t", tomllib.loads(text), "x.toml")


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ("2020", ("2020-01-01", "2020-07-01", "2020-12-31", "2020")), ("2020-02", ("2020-02-01", "2020-02-01", "2020-02-29", "2020-02")),
        ("2020-Q2", ("2020-04-01", "2020-04-01", "2020-06-30", "2020-04-01")), ("2020-S2", ("2020-07-01", "2020-10-01", "2020-12-31", "2020-07-01")),
        ("2020-W53", ("2020-12-28", "2020-12-28", "2021-01-03", "2020-12-28")), ("2020-03-31", ("2020-03-31",) * 4),
        ("2020-13", (None,) * 4), ("2021-02-29", (None,) * 4), ("", (None,) * 4), ("2021-W53", (None,) * 4),
    ],
)  # fmt: skip
def test_days_of_a_period(period, days):
    assert (first_day(period), middle_day(period), last_day(period), panel_period(period)) == days


def test_the_shipped_facts_are_toml_that_names_no_address():
    text = files("qonys").joinpath("data/harmonise.toml").read_text(encoding="utf-8")
    assert "http" not in text
