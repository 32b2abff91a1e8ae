"""Publishers: addresses as they document them, and their true formats as staged tables."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qonys.core.errors import QonysError, SourceError
from qonys.sources import bns, eurostat, ilostat, oecd, oxcgrt, passport, sdmx, undesa, unhcr, worldbank
from qonys.sources.catalogue import publisher, publishers
from qonys.sources.target import complete, parse

SPECIMENS = Path(__file__).parents[1] / "specimens"
MODULES = {
    "eurostat": eurostat, "undesa": undesa, "unhcr": unhcr, "worldbank": worldbank, "ilostat": ilostat, "oecd": oecd, "oxcgrt": oxcgrt, "bns": bns,
    "passport": passport, "sdmx": sdmx,
}  # fmt: skip


def asked(text: str):
    target = parse(text)
    return MODULES[target.publisher].request(target.dataset, complete(target).codes, publisher(target.publisher))


def staged(name: str, path: Path | str, dataset: str = "x"):
    return MODULES[name].stage(SPECIMENS / path, dataset, publisher(name))


def test_every_publisher_of_the_catalogue_has_a_module_and_each_of_its_tables_a_request():
    assert set(MODULES) == set(publishers())
    for key, facts in publishers().items():
        for dataset in facts.tables:
            request = asked(f"{key}:{dataset}")
            assert request.url.startswith(facts.address + "/")
            assert request.largest == facts.largest
            assert request.expects
            assert request.suffix.startswith(".")


@pytest.mark.parametrize(
    ("target", "url", "params"),
    [
        (
            "eurostat:migr_imm1ctz?geo=DE,FR&since=2015",
            "https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/data/MIGR_IMM1CTZ/..COMPLET.TOTAL..T.DE+FR",
            {"format": "TSV", "compressed": "true", "startPeriod": "2015"},
        ),
        (
            "eurostat:migr_imm8",
            "https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1/data/MIGR_IMM8",
            {"format": "TSV", "compressed": "true"},
        ),
        (
            "eurostat:lfsa_argan?geo=DE&until=2020",
            "https://ec.europa.eu/eurostat/api/dissemination/statistics/1.0/data/LFSA_ARGAN",
            {"format": "JSON", "geo": "DE", "untilTimePeriod": "2020"},
        ),
        (
            "oecd:OECD.ELS.IMD,DSD_MIG@DF_MIG,1.0?ref_area=DEU&until=2022",
            "https://sdmx.oecd.org/public/rest/data/OECD.ELS.IMD,DSD_MIG@DF_MIG,1.0/DEU...B11....",
            {"format": "csvfilewithlabels", "dimensionAtObservation": "AllDimensions", "endPeriod": "2022"},
        ),
        (
            "ilostat:DF_MFL_NCIT_SEX_CCT_NB?since=2015&until=2020",
            "https://sdmx.ilo.org/rest/data/ILO,DF_MFL_NCIT_SEX_CCT_NB/all",
            {"format": "csv", "startPeriod": "2015", "endPeriod": "2020"},
        ),
        (
            "unhcr:population?coo=UKR,AFG&since=2020",
            "https://api.unhcr.org/population/v1/population/",
            {"limit": "10000", "page": "1", "cf_type": "ISO", "coo": "AFG,UKR", "coa_all": "true", "yearFrom": "2020"},
        ),
        (
            "worldbank:SM.POP.NETM?country=KAZ,DEU&since=2015&until=2023",
            "https://api.worldbank.org/v2/country/DEU;KAZ/indicator/SM.POP.NETM",
            {"format": "json", "per_page": "20000", "page": "1", "date": "2015:2023"},
        ),
        ("bns:6584", "https://stat.gov.kz/api/iblock/element/6584/file/ru/", {}),
        ("sdmx:https://example.org/rest/data/FLOW/A..DE?format=csv", "https://example.org/rest/data/FLOW/A..DE", {"format": "csv"}),
    ],
)
def test_an_address_is_built_as_the_publisher_documents_it(target, url, params):
    request = asked(target)
    assert request.url == url
    assert dict(request.params) == params


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("ilostat:DF_MFL_NCIT_SEX_CCT_NB?sex=SEX_T", "the order of the dimensions .* is not known"),
        ("undesa:migrant_stock_2020?since=2015", "is one workbook and takes no filter 'since'"),
        ("bns:6584?since=2015", "is one file and takes no filter"),
        ("oxcgrt:compact_national?country=KAZ", "is one file and takes no filter"),
        ("passport:matrix?passport=KAZ", "is one file and takes no filter"),
        ("worldbank:SM.POP.NETM?since=2020-S1", "has no half-years as 2020-S1"),
    ],
)
def test_a_filter_that_the_publisher_does_not_take_is_refused(target, said):
    with pytest.raises(SourceError, match=said):
        asked(target)


def test_eurostat_files_of_all_its_formats_are_staged():
    kinds = {path: staged("eurostat", f"eurostat/{path}") for path in ("migr_imm1ctz.tsv", "migr_resfirst.csv", "migr_imm8.json")}
    assert {path: (len(one.frame()), one.vintage) for path, one in kinds.items()} == {
        "migr_imm1ctz.tsv": (12, None), "migr_resfirst.csv": (3, "2026-05-22"), "migr_imm8.json": (6, "2026-03-12"),
    }  # fmt: skip


def test_undesa_sheets_give_codes_sexes_and_years_and_keep_the_world_beside_countries():
    result = staged("undesa", "undesa/migrant_stock_2020.xlsx")
    frame = result.frame()
    assert result.vintage == "2020-12"
    assert result.dimensions == ("location_code_of_destination", "location_code_of_origin", "sex")
    cells = frame.set_index([*result.dimensions, "period"])
    assert cells.loc[("900", "900", "female", "2020"), "value"] == 530
    assert cells.loc[("398", "643", "both sexes", "2020"), "flag"] == ".."
    assert np.isnan(cells.loc[("398", "643", "both sexes", "2020"), "value"])
    assert cells.loc[("398", "643", "male", "2015"), "note"] == "1"
    assert frame["type_of_data_of_destination"].unique().tolist() == [None, "B R"]
    faults = result.faults.table().set_index("place")
    assert faults.loc["row 14, column 13", "found"] == "few"
    assert "Notes: (1)" in faults.loc["row 16", "found"]
    assert len(frame) == 17


def test_undesa_without_its_sheet_or_header_is_a_sentence():
    with pytest.raises(SourceError, match="has no sheet 'Table 9'"):
        undesa.stage(SPECIMENS / "undesa" / "migrant_stock_2020.xlsx", "x", publisher("undesa"), sheet="Table 9")
    with pytest.raises(SourceError, match="no row has a location code and years"):
        undesa.stage(SPECIMENS / "undesa" / "migrant_stock_2020.xlsx", "x", publisher("undesa"), sheet="Contents")


def pages(tmp_path: Path, *names: str) -> Path:
    path = tmp_path / "pages.json"
    path.write_text("\n".join((SPECIMENS / name).read_text() for name in names))
    return path


def test_unhcr_pages_become_one_row_a_figure_and_dashes_stay_gaps(tmp_path):
    path = pages(tmp_path, "unhcr/population_1.json", "unhcr/population_2.json")
    result = unhcr.stage(path, "population", publisher("unhcr"))
    frame = result.frame().set_index(["coo_iso", "coa_iso", "figure", "period"])
    assert result.dimensions == ("coo_iso", "coo", "coa_iso", "coa", "figure")
    assert frame.loc[("UKR", "POL", "refugees", "2022"), "value"] == 956633
    assert frame.loc[("UKR", "POL", "asylum_seekers", "2022"), "value"] == 3310
    assert frame.loc[("AFG", "KAZ", "oip", "2022"), "flag"] == "-"
    assert len(frame) == 18


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("unhcr", "unhcr/population_1.json", "unhcr/population_2.json"),
        ("worldbank", "worldbank/SM.POP.NETM_1.json", "worldbank/SM.POP.NETM_2.json"),
    ],
)
def test_pages_are_asked_for_one_after_another_and_a_missing_one_is_refused(tmp_path, name, first, second):
    module, facts = MODULES[name], publisher(name)
    dataset = "population" if name == "unhcr" else "SM.POP.NETM"
    request = module.request(dataset, {}, facts)
    following = module.following(pages(tmp_path, first), request)
    assert dict(following.params) == {**dict(request.params), "page": "2"}
    assert module.following(pages(tmp_path, first, second), following) is None
    with pytest.raises(SourceError, match="holds 1 of 2 pages: page 2 is missing"):
        module.stage(pages(tmp_path, first), dataset, facts)
    with pytest.raises(SourceError, match="holds a page twice"):
        module.stage(pages(tmp_path, first, second, second), dataset, facts)


def test_world_bank_pages_give_the_vintage_and_groups_of_countries_keep_their_code(tmp_path):
    result = worldbank.stage(pages(tmp_path, "worldbank/SM.POP.NETM_1.json", "worldbank/SM.POP.NETM_2.json"), "x", publisher("worldbank"))
    frame = result.frame()
    assert result.vintage == "2026-07-01"
    assert frame["country"].tolist() == ["KAZ", "KAZ", "XC"]
    assert frame["value"].fillna(0).tolist() == [-18128.0, 0.0, 1.5]
    assert frame["flag"].tolist() == [None, "F", "E"]
    assert frame["country_label"].tolist()[2] == "Euro area"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("worldbank", (SPECIMENS / "worldbank" / "error.json").read_text(), "Invalid value: The provided parameter value is not valid"),
        ("worldbank", '{"rows": []}', "holds no page of the World Bank"),
        ("unhcr", '{"message": "Not found"}', "a message of the service: Not found"),
        ("unhcr", '{"page": 1, "items": [', "is no whole JSON"),
        ("unhcr", '{"page": 1, "items": []}', "does not say how many pages there are"),
        ("unhcr", '{"page": 1, "maxPages": 1, "items": [{"coo": "A"}]}', "has rows without a year"),
        ("bns", '{"sheet": []}', "is no cube of the bureau"),
    ],
)
def test_a_reply_that_changed_its_shape_is_a_sentence(tmp_path, name, text, said):
    path = tmp_path / "reply.json"
    path.write_text(text)
    with pytest.raises(SourceError, match=said):
        MODULES[name].stage(path, "x", publisher(name))


def test_ilostat_comes_as_sdmx_or_as_a_bulk_file():
    one, two = staged("ilostat", "ilostat/df_mfl_ncit.csv"), staged("ilostat", "ilostat/bulk.csv")
    assert one.dimensions == ("ref_area", "freq", "measure", "sex", "cct")
    assert two.dimensions == ("ref_area", "source", "indicator", "sex", "classif1")
    first, second = one.frame(), two.frame()
    assert first["flag"].tolist() == [None, "U", "O"]
    assert first["unit_mult"].unique().tolist() == ["3"]
    assert first["unit"].unique().tolist() == ["PS"]
    assert second[["value", "flag"]].to_numpy().tolist() == [[12.345, None], [5.1, "U"]]
    assert second["note"].tolist() == ["I20:1", "I20:1_T2:80"]


def test_oxcgrt_gives_a_row_an_indicator_and_keeps_words_as_answers():
    result = staged("oxcgrt", "oxcgrt/compact_national.csv")
    frame = result.frame().set_index(["indicator", "period"])
    assert result.dimensions == ("countrycode", "regioncode", "jurisdiction", "indicator")
    assert frame.loc[("C8EV_International travel controls", "2020-03-16"), "value"] == 4
    assert frame.loc[("MajorityVaccinated", "2021-04-01"), "answer"] == "NV"
    assert np.isnan(frame.loc[("ConfirmedCases", "2021-04-01"), "value"])
    assert frame.loc[("StringencyIndex_Average", "2020-03-16"), "period_as_published"] == "20200316"
    assert result.faults.count == 0


def test_the_passport_matrix_gives_days_or_words():
    result = staged("passport", "passport/matrix.csv")
    frame = result.frame().set_index(["passport", "destination"])
    assert result.dimensions == ("passport", "destination")
    assert frame.loc[("DEU", "KAZ"), "value"] == 30
    assert frame.loc[("KAZ", "PRK"), "requirement"] == "no admission"
    assert frame.loc[("KAZ", "KAZ"), "value"] == -1
    assert frame.loc[("DEU", "PRK"), ["value", "requirement"]].isna().all()
    assert len(frame) == 12


def test_the_open_data_of_the_bureau_are_read_as_csv_and_json():
    csv, cube = staged("bns", "bns/open_data.csv"), staged("bns", "bns/open_data.json")
    assert csv.dimensions == ("като_по_каталогу", "сп")
    frame = csv.frame()
    assert frame["period"].tolist() == ["2023", "2023", "2022"]
    assert frame["value"].fillna(-1).tolist() == [20033842.0, 1198000.5, -1.0]
    assert frame["flag"].tolist() == [None, None, "x"]
    assert frame["quantity"].unique().tolist() == ["Численность населения"]
    cells = cube.frame()
    assert cells["period"].tolist() == ["2022", "2023", "2024-Q1"]
    assert cells["term_1_label"].tolist()[2] == "г.Алматы"
    assert np.isnan(cells["value"].tolist()[2])


def test_a_workbook_of_the_bureau_is_read_as_printed():
    assert len(staged("bns", "bns/migration_ru.xlsx").frame()) == 15


DAMAGES = (b"", b"\x00", b"\n", b'"', b",", b"{", b"}", b"null", b"-1", b"1e999", b"\xff\xfe", b"<x>", b"\t", b";", b"[]", b'""')


@pytest.mark.parametrize("seed", range(60))
def test_no_damage_of_a_file_gives_a_stack_trace(seed, tmp_path):
    chance = random.Random(seed)
    name = chance.choice(sorted(MODULES))
    content = bytearray(chance.choice(sorted(path for path in (SPECIMENS / name).iterdir() if path.is_file())).read_bytes())
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(content) + 1)
        content[start : start + chance.randint(0, 40)] = chance.choice(DAMAGES)
    path = tmp_path / "damaged"
    path.write_bytes(content[: chance.choice([len(content), chance.randrange(len(content) + 1)])])
    said = None
    try:
        result = MODULES[name].stage(path, "x", publisher(name))
        shape = result.frame().shape
    except QonysError as error:
        said = error
    assert said.mend if said else shape[1] == len(result.columns)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("worldbank", '[{"page": 1, "pages": 1}, [1]]', "has the row '1'"),
        ("worldbank", '[{"message": 3}]', "no page of the World Bank"),
        ("unhcr", '{"page": 1, "maxPages": 1, "items": [1]}', "has the row '1'"),
        ("unhcr", '{"page": 1, "maxPages": 99999999999999, "items": []}', "page 2 is missing"),
        ("bns", '[{"periods": [1], "terms": [1]}]', "has the row '1'"),
    ],
)
def test_json_of_another_shape_is_a_sentence(tmp_path, name, text, said):
    (tmp_path / "reply.json").write_text(text)
    with pytest.raises(SourceError, match=said):
        MODULES[name].stage(tmp_path / "reply.json", "x", publisher(name)).frame()


# Full-size tables: real files, written in the publisher's format and read back


def test_a_real_passport_matrix_comes_back_equal(real_data, tmp_path):
    panel = pd.read_parquet(real_data / "passport_index_panel.parquet")
    last = panel[panel["snapshot"] == panel["snapshot"].max()].astype(str)
    path = tmp_path / "matrix.csv"
    last.pivot(index="passport", columns="destination", values="requirement").rename_axis("Passport").to_csv(path)
    frame = passport.stage(path, "matrix", publisher("passport")).frame()
    frame["cell"] = frame["requirement"].where(frame["value"].isna(), frame["value"].map("{:.0f}".format))
    found = frame.dropna(subset="cell").set_index(["passport", "destination"])["cell"].sort_index()
    expected = last.set_index(["passport", "destination"])["requirement"].sort_index()
    pd.testing.assert_series_equal(found, expected, check_names=False, check_dtype=False)


@pytest.mark.slow
def test_real_unhcr_populations_come_back_equal(real_data, tmp_path):
    table = pd.read_parquet(real_data / "unhcr_population.parquet")
    table = table[table["year"] >= 2023].astype({"year": int})
    keys = ["year", "coo_iso", "coa_iso"]
    figures = [name for name in table.columns if name not in keys]
    path, size = tmp_path / "pages.json", 10_000
    parts = [table.iloc[start : start + size] for start in range(0, len(table), size)]
    with path.open("w") as file:
        for number, part in enumerate(parts, 1):
            file.write(json.dumps({"page": number, "maxPages": len(parts), "items": json.loads(part.to_json(orient="records"))}))
    frame = unhcr.stage(path, "population", publisher("unhcr")).frame()
    cells = frame.assign(year=frame["period"].astype(int)).groupby([*keys, "figure"])["value"]
    found = cells.sum(min_count=1).unstack("figure")
    expected = table.groupby(keys)[figures].sum(min_count=1).astype(float)
    pd.testing.assert_frame_equal(found[figures].sort_index(), expected.sort_index(), check_names=False, check_dtype=False)
