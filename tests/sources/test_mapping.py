"""Mappings: what is proposed for a user's file, how it is written down, and what becomes of the rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from qonys.core.contracts import CONTRACTS
from qonys.core.errors import DataError, SourceError
from qonys.sources.mapped import apply
from qonys.sources.mapping import Guess, Mapping, read_mapping, write_mapping
from qonys.sources.proposal import propose
from qonys.sources.staged import Faults
from qonys.sources.user_file import Reading, sample, text_blocks
from qonys.sources.words import age_band, area_code, sex

SPECIMENS = Path(__file__).parents[1] / "specimens"
SAID = {"counted": "moves", "source": "office", "basis": "previous_residence"}


def blocks(table: dict[str, list[str]]):
    return [pa.record_batch({name: pa.array(cells, pa.string()) for name, cells in table.items()})]


def applied(table: dict[str, list[str]], mapping: Mapping):
    result = apply(blocks(table), mapping, file="file.csv")
    return result.batches.read_all().to_pandas(), result


def whole(mapping: Mapping, **said: str) -> Mapping:
    return replace(
        mapping, constants={**{name: text for name, text in SAID.items() if name in mapping.missing}, **mapping.constants, **said}
    )


def reasons(mapping: Mapping) -> dict[str, tuple[str, str]]:
    return {guess.target: (guess.reason, guess.confidence) for guess in mapping.guesses}


FLOWS = {
    "Страна выезда": ["Россия", "Узбекистан", "Всего"], "Страна въезда": ["Казахстан"] * 3, "Пол": ["Мужчины", "Женщины", "Всего"],
    "2019": ["1 200", "..", "5"], "2020": ["3", "4", "6"],
}  # fmt: skip


def test_a_wide_russian_table_of_flows_is_proposed_and_turned_long():
    mapping = propose(pd.DataFrame(FLOWS))
    assert (mapping.contract, mapping.wide) == ("flow", ("2019", "2020"))
    assert mapping.columns == {"origin": "Страна выезда", "destination": "Страна въезда", "sex": "Пол"}
    assert mapping.schemes == {"origin": "names", "destination": "names"}
    assert mapping.missing == ("basis", "counted", "source")
    frame, result = applied(FLOWS, whole(mapping))
    assert frame[["origin", "sex", "period_start", "period_end", "persons"]].fillna("").to_numpy().tolist() == [
        ["RUS", "male", "2019-01-01", "2019-12-31", 1200.0],
        ["WORLD", "", "2019-01-01", "2019-12-31", 5.0],
        ["RUS", "male", "2020-01-01", "2020-12-31", 3.0],
        ["UZB", "female", "2020-01-01", "2020-12-31", 4.0],
        ["WORLD", "", "2020-01-01", "2020-12-31", 6.0],
    ]
    assert result.gaps.table()[["place", "column", "found"]].to_numpy().tolist() == [["row 3", "2019", ".."]]


def test_a_kazakh_table_of_regions_is_a_panel_with_decimal_commas():
    table = {"Облыс": ["Алматы", "Абай облысы", "Түркістан"], "2022 жыл": ["1,5", "2,5", "3"], "2023 жыл": ["1", "2", "…"]}
    mapping = propose(pd.DataFrame(table))
    assert (mapping.contract, mapping.columns, mapping.reading.decimal) == ("panel", {"area": "Облыс"}, ",")
    frame, _ = applied(table, mapping)
    assert frame.to_numpy().tolist() == [
        ["KZ-75", "2022", 1.5],
        ["KZ-10", "2022", 2.5],
        ["KZ-61", "2022", 3.0],
        ["KZ-75", "2023", 1.0],
        ["KZ-10", "2023", 2.0],
    ]


def test_codes_of_eurostat_are_told_by_those_that_iso_does_not_have():
    table = {
        "geo": ["EL", "DE", "UK"],
        "citizen": ["UA", "RU", "TOTAL"],
        "year": ["2020", "2020", "2020Q1"],
        "population": ["10", "20", "30"],
        "flag": ["p", "bep", "A"],
    }
    mapping = propose(pd.DataFrame(table))
    assert (mapping.contract, mapping.schemes) == ("stock", {"residence": "eurostat", "characteristic": "eurostat"})
    assert mapping.constants == {"basis": "citizenship"}
    frame, result = applied(table, whole(mapping))
    assert frame["residence"].tolist() == ["GRC", "DEU"]
    assert frame["flag"].tolist() == ["p", None]
    assert frame["note"].tolist() == [None, "flag bep"]
    assert result.faults.table()[["place", "column", "found", "why"]].to_numpy().tolist() == [["row 4", "year", "2020Q1", "is no date"]]


def test_stocks_and_flows_are_not_told_apart_by_guessing():
    mapping = propose(pd.DataFrame({"geo": ["EL", "DE"], "citizen": ["UA", "RU"], "year": ["2020", "2021"], "value": ["1", "2"]}))
    assert mapping.contract == ""
    assert reasons(mapping)["contract"] == ("stock_or_flow", "low")
    assert set(mapping.unknown) == {"geo", "citizen", "year", "value"}
    with pytest.raises(DataError, match="names no contract"):
        apply([], mapping, file="file.csv")


def test_two_columns_that_want_one_part_leave_it_unknown():
    mapping = propose(pd.DataFrame({"country": ["KAZ", "DEU"], "year": ["2020", "2021"], "persons": ["1", "2"], "people": ["3", "4"]}))
    assert reasons(mapping)["value"] == ("ambiguous", "low")
    assert mapping.contract == ""


def test_a_name_that_its_cells_contradict_is_not_believed():
    mapping = propose(pd.DataFrame({"country": ["blue", "green"], "year": ["2020", "2021"], "value": ["1", "2"]}))
    assert "area" not in mapping.columns
    assert mapping.contract == ""


def test_names_alone_without_a_word_of_either_side_say_panel_by_cells_only_as_low():
    mapping = propose(pd.DataFrame({"x": ["KAZ", "DEU", "FRA"], "when": ["2020", "2021", "2022"], "gdp": ["1.5", "2.5", "3.5"]}))
    assert mapping.contract == "panel"
    assert {reasons(mapping)[part] for part in ("area", "period", "value")} == {("content", "low")}


@pytest.mark.parametrize("name", ["crossing", "flow", "stock", "panel", "case_event", "household", "figure", "measure"])
def test_a_file_with_the_columns_of_a_contract_is_of_that_contract(name):
    contract = CONTRACTS[name]
    mapping = propose(pd.DataFrame({column: ["1", "2"] for column in contract.names} | {"other": ["a", "b"]}))
    assert mapping.contract == name
    assert mapping.columns == {column: column for column in contract.names}
    assert mapping.unknown == ("other",)
    assert mapping.complete


def test_thousands_are_scaled_where_the_unit_says_so():
    table = {
        "Регион": ["Абай", "Астана"],
        "Год": ["2022", "2022"],
        "Значение": ["1,5", "2"],
        "Единица измерения": ["тыс. человек", "тыс. человек"],
    }
    mapping = propose(pd.DataFrame(table))
    assert (mapping.scale, reasons(mapping)["scale"]) == (1000.0, ("unit_words", "low"))
    assert applied(table, mapping)[0]["value"].tolist() == [1500.0, 2000.0]


def test_the_power_of_ten_of_sdmx_is_applied_row_by_row():
    table = {"ref_area": ["DEU", "KOR"], "period": ["2021", "2022"], "value": ["31.5", "2"], "unit_mult": ["3", "0"]}
    mapping = propose(pd.DataFrame(table))
    assert mapping.scale_column == "unit_mult"
    assert applied(table, mapping)[0]["value"].tolist() == [31500.0, 2.0]


@given(st.permutations(list(FLOWS)))
def test_the_order_of_columns_changes_nothing_but_the_order(order):
    mapping = propose(pd.DataFrame(FLOWS)[list(order)])
    reference = propose(pd.DataFrame(FLOWS))
    assert (mapping.contract, mapping.columns, set(mapping.wide)) == (reference.contract, reference.columns, set(reference.wide))


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)


@given(
    st.builds(
        Mapping,
        contract=st.sampled_from(["", "panel"]),
        reading=st.builds(Reading, kind=st.sampled_from(["", "csv"]), separator=st.sampled_from(["", ";", "\t"]), skip=st.integers(0, 9)),
        columns=st.dictionaries(st.sampled_from(["area", "period"]), TEXTS),
        schemes=st.dictionaries(st.just("area"), st.sampled_from(["names", "iso2"])),
        scale=st.sampled_from([1.0, 1000.0, 0.5]),
        scale_column=TEXTS,
        unknown=st.lists(TEXTS, unique=True).map(tuple),
        guesses=st.lists(
            st.builds(Guess, target=TEXTS, reason=st.just("content"), confidence=st.just("low")), unique_by=lambda one: one.target
        ).map(tuple),
    )
)
def test_a_mapping_written_is_read_back_the_same(mapping):
    assert read_mapping(write_mapping(mapping), "map.toml") == mapping


def test_what_is_still_needed_stands_in_the_file_as_a_comment():
    text = write_mapping(propose(pd.DataFrame(FLOWS)))
    assert '# counted = "moves or movers or lifetime"  # needed: the unit of counting' in text
    assert read_mapping(text, "map.toml") == propose(pd.DataFrame(FLOWS))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("contract = ", "is not TOML"),
        ('contract = "flows"', "there is no contract 'flows'; did you mean 'flow'"),
        ('colums = 1', "has an unknown key 'colums'; did you mean 'columns'"),
        ('contract = "flow"\n[columns]\norigine = "a"', "a flow has no 'origine'; did you mean 'origin'"),
        ('contract = "flow"\n[constants]\ncounted = "move"', "counted is 'move'; did you mean 'moves'"),
        ('contract = "flow"\n[columns]\norigin = 3', "origin is 3; write it in quotes"),
        ('contract = "flow"\n[schemes]\norigin = "iso3"', "origin is 'iso3'"),
        ('contract = "flow"\n[columns]\norigin = "a"\n[constants]\norigin = "KAZ"', "origin is a column and a constant"),
        ('contract = "flow"\n[columns]\nperiod = "a"\nperiod_end = "b"', "both period and period_start"),
        ('contract = "flow"\nwide = ["2019"]\n[columns]\npersons = "b"', "stands in 'b' and in wide columns"),
        ('wide = ["a", "a"]', "wide is no list of different names"),
        ("scale = true", "scale is True"),
        ("scale = 0", "scale is 0"),
        ("scale = nan", "scale is nan"),
        ('[file]\nskip = -1', "skip is -1"),
        ('[file]\nseperator = ";"', "has an unknown key 'seperator'"),
        ('[file]\ndecimal = ";"', "decimal is ';'"),
        ("columns = 3", "columns is no table"),
    ],
)  # fmt: skip
def test_a_mapping_that_cannot_be_right_is_refused_with_a_sentence(text, said):
    with pytest.raises(DataError, match=said):
        read_mapping(text, "map.toml")


def test_a_mapping_that_lacks_something_is_not_applied():
    with pytest.raises(DataError, match="does not say basis, counted, source; say under"):
        apply(blocks(FLOWS), propose(pd.DataFrame(FLOWS)), file="file.csv")


def test_a_column_that_the_file_does_not_have_is_named():
    mapping = whole(propose(pd.DataFrame(FLOWS)))
    result = apply(blocks({"a": ["1"]}), mapping, file="file.csv")
    with pytest.raises(DataError, match=r"file\.csv has no column 'Страна выезда'"):
        result.batches.read_all()


@given(
    st.lists(
        st.tuples(st.sampled_from(["KAZ", "DEU", "XXX", "Total", ""]), st.sampled_from(["1", "2.5", "..", "many", ""])),
        min_size=1,
        max_size=12,
    )
)
def test_every_row_is_kept_or_named(rows):
    table = {"area": [area for area, _ in rows], "year": ["2020"] * len(rows), "value": [value for _, value in rows]}
    mapping = Mapping(contract="panel", columns={"area": "area", "period": "year", "value": "value"})
    frame, result = applied(table, mapping)
    good = [(area, float(value)) for area, value in rows if area in ("KAZ", "DEU") and value in ("1", "2.5")]
    assert list(zip(frame["area"], frame["value"], strict=True)) == good
    named = [*result.faults.rows, *result.gaps.rows]
    assert len(frame) + len(named) == len(rows)
    assert len({place for place, *_ in named}) == len(named)


# A user's own file in each format


def flows_as(path: Path) -> Path:
    frame = pd.DataFrame({"origin": ["KAZ", "DEU"], "destination": ["DEU", "KAZ"], "year": [2020, 2021], "flow": [5, 7]})
    if path.suffix == ".csv":
        frame.to_csv(path, index=False, sep=";")
    elif path.suffix == ".parquet":
        frame.assign(year=frame["year"].astype(float)).to_parquet(path)
    else:
        book = Workbook()
        for row in [list(frame.columns), *frame.to_numpy().tolist()]:
            book.active.append(row)
        book.save(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_the_same_table_gives_the_same_mapping_and_rows_in_each_format(suffix, tmp_path):
    path = flows_as(tmp_path / f"flows{suffix}")
    first, how = sample(path)
    mapping = whole(propose(first, reading=how))
    assert mapping.contract == "flow"
    assert mapping.columns == {"origin": "origin", "destination": "destination", "period": "year", "persons": "flow"}
    result = apply(text_blocks(path, mapping.reading, Faults(path.name)), mapping, file=path.name)
    frame = result.batches.read_all().to_pandas()
    assert frame[["origin", "destination", "period_start", "persons"]].to_numpy().tolist() == [
        ["KAZ", "DEU", "2020-01-01", 5.0],
        ["DEU", "KAZ", "2021-01-01", 7.0],
    ]


@pytest.mark.parametrize(
    ("path", "contract"),
    [
        ("px/migration_ru.px", ""),
        ("eurostat/migr_imm8.json", "panel"),
        ("sdmx/generic.xml", "panel"),
        ("oecd/df_mig.csv", ""),
        ("bns/migration_kk.xlsx", "panel"),
    ],
)
def test_formats_that_name_their_dimensions_can_be_mapped_too(path, contract):
    first, how = sample(SPECIMENS / path)
    mapping = propose(first, reading=how)
    assert mapping.contract == contract
    assert read_mapping(write_mapping(mapping), "map.toml") == mapping
    if contract:
        table = pd.concat([one.to_pandas() for one in text_blocks(SPECIMENS / path, mapping.reading, Faults(path))])
        result = apply(text_blocks(SPECIMENS / path, mapping.reading, Faults(path)), mapping, file=path)
        frame = result.batches.read_all().to_pandas()
        assert len(frame) + result.gaps.count + result.faults.count == len(table)
        assert len(frame) > 0
        assert np.isfinite(frame["value"]).all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,a\n1,2\n", "two of one name"),
        (b"a,b\n", "has no rows below its header"),
        (b"<html></html>", "is a web page"),
        (b"PAR1broken", "cannot be read"),
    ],
)
def test_a_user_file_that_cannot_be_read_is_a_sentence(content, said, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=said):
        sample(path)


# Words


@pytest.mark.parametrize(
    ("text", "scheme", "code"),
    [("Germany", "names", "DEU"), ("Германия", "names", "DEU"), ("Қытай", "names", "CHN"), ("Алматинская область", "names", "KZ-19"), ("EL", "eurostat", "GRC"),
     ("EL", "iso2", None), ("KAZ", "codes", "KAZ"), ("kaz", "codes", None), ("Atlantis", "names", None), ("EU27_2020", "codes", "EU27_2020")],
)  # fmt: skip
def test_areas_are_read_by_the_scheme_and_never_by_another(text, scheme, code):
    assert area_code(text, scheme) == code


@pytest.mark.parametrize(("text", "code"), [("F", "female"), ("Мужчины", "male"), ("Әйелдер", "female"), ("T", None), ("Всего", None)])
def test_sexes_are_read_in_three_languages(text, code):
    assert sex(text) == code


@given(st.integers(0, 99), st.integers(0, 99))
def test_an_age_band_is_the_same_however_it_is_written(one, two):
    low, high = sorted((one, two))
    assert {age_band(text) for text in (f"Y{low}-{high}", f"{low}–{high}", f"{low} - {high} лет", f"Y{low}-Y{high}")} == {f"{low}-{high}"}
