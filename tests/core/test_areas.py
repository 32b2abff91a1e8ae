"""Areas: names in three languages, days of the map, membership by date, groups that may be compared."""

from __future__ import annotations

import csv
import subprocess
import sys
import tomllib
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path

import pytest
from babel import Locale
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from qonys.core import areas as module
from qonys.core.areas import (
    DATA,
    LANGUAGES,
    area,
    area_name,
    areas,
    comparable,
    is_member,
    lineage,
    members,
    memberships,
    region_code,
    regions_at,
    tiles,
    to_alpha3,
)
from qonys.core.errors import DataError, DesignError

ROOT = Path(__file__).parents[2]
FIGURES = ROOT.parent / "shared" / "figures"
SPLIT_2018, SPLIT_2022 = date(2018, 6, 19), date(2022, 6, 8)

needs_figures = pytest.mark.skipif(not FIGURES.is_dir(), reason=f"the shared figures are not in {FIGURES}")
mapped_days = st.dates(date(2000, 1, 1), date(2030, 12, 31))


def figures(name: str) -> list[dict[str, str]]:
    with (FIGURES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


# Countries


def test_countries_are_the_249_of_iso_and_kosovo():
    countries = areas(kind="country")
    assert len(countries) == 250
    assert area("XKX").alpha2 == "XK"


def test_every_country_code_is_the_one_babel_knows():
    aliases = get_global("territory_aliases")
    assert [one.code for one in areas(kind="country") if one.code != "XKX" and aliases[one.code] != [one.alpha2]] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_area_has_a_name_of_its_own_in_each_language(lang):
    named = defaultdict(list)
    for one in areas():
        assert one.name(lang).strip() == one.name(lang) != ""
        named[one.name(lang)].append(one.code)
    assert {name: codes for name, codes in named.items() if len(codes) > 1} == {}


def test_russian_and_kazakh_names_are_in_cyrillic():
    latin = [one.code for one in areas() for lang in ("ru", "kk") if one.name(lang)[0].isascii()]
    assert latin == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_hand_written_world_and_union_agree_with_cldr(lang):
    cldr = Locale(lang).territories
    assert area_name("WORLD", lang).casefold() == cldr["001"].casefold()
    assert area_name("EU", lang).casefold() == cldr["EU"].casefold()


def test_eurostat_and_iso_differ_in_greece_and_the_united_kingdom():
    assert to_alpha3("EL", "eurostat") == to_alpha3("GR") == "GRC"
    assert to_alpha3("UK", "eurostat") == to_alpha3("GB", scheme="iso2") == "GBR"
    assert to_alpha3("XK", "eurostat") == "XKX"
    assert to_alpha3("EU27_2020", "eurostat") == "EU27_2020"


@given(st.sampled_from(areas(kind="country")))
def test_alpha2_leads_back_to_alpha3(one):
    assert to_alpha3(one.alpha2) == to_alpha3(one.alpha2, "eurostat") == one.code


def test_all_that_eurostat_writes_is_an_area():
    codes = tomllib.loads((DATA / "groups.toml").read_text(encoding="utf-8"))["eurostat"]
    assert {area(to_alpha3(code, "eurostat")).code for code in codes} == set(codes.values())


def test_a_eurostat_code_read_as_iso_is_refused_and_says_so():
    with pytest.raises(DataError, match="scheme='eurostat'"):
        to_alpha3("UK")
    with pytest.raises(DataError, match="did you mean 'eurostat'"):
        to_alpha3("UK", "eurosat")


# Refusals


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("KAz", "KAZ"), ("KZ", "KAZ"), ("UK", "GBR"), ("EL", "GRC"), ("kz-10", "KZ-10"), ("EU27_2021", "EU27_2020"),
        ("Almaty region", "KZ-19"), ("Kazakhstan", "KAZ"), ("SCHENGN", "SCHENGEN"),
    ],
)  # fmt: skip
def test_a_wrong_code_names_the_nearest(wrong, right):
    with pytest.raises(DataError, match=f"did you mean '{right}'"):
        area(wrong)


@given(st.text(max_size=8).filter(lambda text: text not in {one.code for one in areas()}))
def test_any_other_code_is_refused(text):
    with pytest.raises(DataError):
        area(text)


def test_a_language_without_names_is_refused():
    with pytest.raises(DataError, match="en, kk, ru"):
        area_name("KAZ", "zz")


# Unions


@pytest.mark.parametrize(
    ("union", "on", "count"),
    [
        ("EU", date(1957, 12, 31), 0), ("EU", date(1958, 1, 1), 6), ("EU", date(1973, 1, 1), 9),
        ("EU", date(1981, 1, 1), 10), ("EU", date(1986, 1, 1), 12), ("EU", date(1995, 1, 1), 15),
        ("EU", date(2004, 4, 30), 15), ("EU", date(2004, 5, 1), 25), ("EU", date(2007, 1, 1), 27),
        ("EU", date(2013, 7, 1), 28), ("EU", date(2020, 1, 31), 28), ("EU", date(2020, 2, 1), 27),
        ("EAEU", date(2014, 12, 31), 0), ("EAEU", date(2015, 1, 1), 3), ("EAEU", date(2015, 1, 2), 4),
        ("EAEU", date(2015, 8, 11), 4), ("EAEU", date(2015, 8, 12), 5),
        ("CIS", date(2009, 8, 17), 12), ("CIS", date(2009, 8, 18), 11),
        ("SCHENGEN", date(2022, 12, 31), 26), ("SCHENGEN", date(2023, 1, 1), 27),
        ("SCHENGEN", date(2024, 3, 30), 27), ("SCHENGEN", date(2024, 3, 31), 29),
        ("EU28", date(2020, 2, 1), 28), ("EU27_2007", date(2020, 2, 1), 27), ("EU27_2020", date(1990, 1, 1), 27),
    ],
)  # fmt: skip
def test_members_on_the_days_when_they_change(union, on, count):
    assert len(members(union, on)) == count


def test_the_united_kingdom_left_at_the_end_of_january_2020():
    assert is_member("GBR", "EU", date(2020, 1, 31))
    assert not is_member("GBR", "EU", date(2020, 2, 1))
    assert not is_member("GBR", "EU27_2020", date(2010, 1, 1))


def test_the_union_since_2020_is_the_fixed_list_of_eurostat():
    assert members("EU", date(2021, 6, 1)) == members("EU27_2020", date(1990, 1, 1))
    assert set(members("EU28", date(2021, 1, 1))) == {*members("EU27_2020", date(2021, 1, 1)), "GBR"}


def test_bulgaria_and_romania_are_in_schengen_by_air_and_sea_first():
    notes = {spell.area: spell.note for spell in memberships("SCHENGEN")}
    assert notes["BGR"] == notes["ROU"] == "air and sea; land 2025-01-01"


def test_of_the_union_only_cyprus_and_ireland_are_outside_schengen():
    on = date(2025, 1, 1)
    assert set(members("EU", on)) - set(members("SCHENGEN", on)) == {"CYP", "IRL"}
    assert set(members("SCHENGEN", on)) - set(members("EU", on)) == {"CHE", "ISL", "LIE", "NOR"}


@given(st.sampled_from([one.code for one in areas(scheme="union")]), st.dates(date(1950, 1, 1), date(2030, 1, 1)))
def test_members_are_countries_once_each_in_order_and_agree_with_is_member(union, on):
    found = members(union, on)
    assert list(found) == sorted(set(found))
    assert all(area(code).kind == "country" and is_member(code, union, on) for code in found)


def test_a_group_has_no_members_and_a_member_must_be_an_area():
    with pytest.raises(DataError, match="did you mean 'CIS'"):
        members("NON_CIS", date(2020, 1, 1))
    with pytest.raises(DataError, match="did you mean 'KAZ'"):
        is_member("KZ", "EAEU", date(2020, 1, 1))


# Regions of Kazakhstan


@pytest.mark.parametrize(
    ("on", "regions", "cities"),
    [
        (date(2000, 1, 1), 14, 2), (date(2017, 1, 1), 14, 2), (SPLIT_2018 - timedelta(1), 14, 2),
        (SPLIT_2018, 14, 3), (date(2019, 1, 1), 14, 3), (SPLIT_2022 - timedelta(1), 14, 3),
        (SPLIT_2022, 17, 3), (date(2025, 1, 1), 17, 3),
    ],
)  # fmt: skip
def test_regions_and_cities_of_republican_significance_by_day(on, regions, cities):
    kinds = [area(code).kind for code in regions_at(on)]
    assert (kinds.count("region"), kinds.count("city")) == (regions, cities)


def test_the_map_before_2000_is_refused():
    with pytest.raises(DataError, match="2000-01-01"):
        regions_at(date(1999, 12, 31))


def test_codes_of_today_begin_as_kato_codes_do():
    for one in areas(scheme="iso3166-2"):
        assert one.parent == "KAZ"
        assert one.kato == f"{one.code[3:]}0000000" or one.code == "KZ-YUZ"


def test_astana_was_called_nur_sultan_for_three_years_and_a_half():
    days = [date(2019, 3, 22), date(2019, 3, 23), date(2022, 9, 16), date(2022, 9, 17)]
    assert [area_name("KZ-71", "en", day) for day in days] == [
        "Astana city", "Nur-Sultan city", "Nur-Sultan city", "Astana city",
    ]  # fmt: skip
    assert area("KZ-71").name("kk", days[1]) == "Нұр-Сұлтан қаласы"
    assert area("KZ-75").name("ru", days[1]) == "город Алматы"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_official_name_leads_to_its_code(lang):
    for one in areas(scheme="iso3166-2"):
        assert region_code(one.name(lang)) == region_code(one.name(lang).upper()) == one.code


def test_codes_of_both_schemes_lead_to_the_code():
    for one in areas(scheme="iso3166-2"):
        assert region_code(one.code) == region_code(one.kato) == one.code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Almaty", "KZ-75"), ("г. Алматы", "KZ-75"), ("Г.АЛМАТЫ", "KZ-75"), ("Alma-Ata's region", "KZ-19"),
        ("Алматы облысы", "KZ-19"), ("АЛМАТИНСКАЯ ОБЛАСТЬ", "KZ-19"), ("Nur-Sultan", "KZ-71"), ("нур-султан", "KZ-71"),
        ("Akmolinsk", "KZ-11"), ("Aktyubinsk oblast", "KZ-15"), ("Jambyl", "KZ-31"), ("Жетысу", "KZ-33"),
        ("Жетісу", "KZ-33"), ("Область Абай", "KZ-10"), ("область Улытау", "KZ-62"), ("Qaraganda", "KZ-35"),
        ("Western-Kazakhstan", "KZ-27"), ("South Kazakhstan", "KZ-YUZ"), ("Оңтүстік Қазақстан", "KZ-YUZ"),
        ("Turkestan region", "KZ-61"), ("Туркестанская 1", "KZ-61"), ("Чимкент", "KZ-79"), ("Карагандинская", "KZ-35"),
        ("РЕСПУБЛИКА КАЗАХСТАН", "KAZ"), ("other regions", "REST"),
    ],
)  # fmt: skip
def test_old_and_other_spellings_lead_to_the_code(name, code):
    assert region_code(name) == code


def test_a_slip_in_a_name_of_a_region_is_refused_with_the_right_one():
    with pytest.raises(DataError, match="did you mean 'Karaganda region'"):
        region_code("Karagnda region")
    with pytest.raises(DataError, match="Turkistan"):
        region_code("Turkistan city")


def test_no_spelling_means_two_areas_of_the_same_kind():
    taken = defaultdict(set)
    for one in module._toml("regions_kaz")["regions"]:
        former = [names[lang] for names in one.get("former_names", ()) for lang in LANGUAGES]
        for name in [*(one[lang] for lang in LANGUAGES), *one["aliases"], *former]:
            taken[module._spelling(name)[0], one["kind"]].add(one["code"])
    assert {name: codes for name, codes in taken.items() if len(codes) > 1} == {}


@needs_figures
@pytest.mark.parametrize("name", ["kaz_population.csv", "kaz_internal.csv", "kaz_net_migration.csv"])
def test_every_region_of_the_shared_figures_has_a_code(name):
    for row in figures(name):
        found = area(region_code(row["region"]))
        assert found.parent == "KAZ" or found.code == "KAZ"
        if row.get("kato"):
            assert region_code(row["kato"]) == found.code


@needs_figures
def test_regions_of_the_external_and_repatriation_figures_have_codes():
    names = {row["region"] for row in figures("kaz_external.csv")} - {"KAZ"}
    names |= {row["breakdown"] for row in figures("kaz_kandas.csv") if "region" in row["breakdown"]}
    assert {area(region_code(name)).scheme for name in names} <= {"iso3166-2", "group"}


@needs_figures
def test_regions_add_up_to_kazakhstan_in_every_year_of_the_population():
    persons = defaultdict(dict)  # the last release of a cell stands
    for row in figures("kaz_population.csv"):
        if row["area"] == "total":
            persons[int(row["year"])][region_code(row["region"])] = int(float(row["value"]))
    years = {year: cells for year, cells in persons.items() if len(cells) > 1}
    assert min(years) == 2000
    assert len(years) == 26
    for year, cells in years.items():
        whole = cells.pop("KAZ")
        assert sum(cells.values()) == whole, year  # exactly, in all 26 years


@needs_figures
def test_population_figures_have_the_units_of_their_day_but_where_bns_went_back():
    units = defaultdict(set)
    for row in figures("kaz_population.csv"):
        units[int(row["year"])].add(region_code(row["region"]))
    for year, codes in units.items():
        if year >= 2000:
            expected = set(regions_at(date(year, 1, 1)))
            if year <= 2018:  # South Kazakhstan under the name of Turkistan; from 2017 with Shymkent apart
                expected = expected - {"KZ-YUZ"} | {"KZ-61"} | ({"KZ-79"} if year >= 2017 else set())
            if year == 2022:  # the three regions of June shown on 1 January
                expected |= {"KZ-10", "KZ-33", "KZ-62"}
            assert codes - {"KAZ"} == expected, year


# What may be compared


def test_groups_across_the_change_of_2022():
    codes = regions_at(date(2023, 1, 1))
    groups = comparable(codes, date(2021, 1, 1), date(2023, 1, 1))
    assert {group for group in groups if len(group) > 1} == {
        ("KZ-10", "KZ-63"), ("KZ-19", "KZ-33"), ("KZ-35", "KZ-62"),
    }  # fmt: skip
    assert len(groups) == 17


def test_groups_across_the_change_of_2018():
    codes = {*regions_at(date(2017, 1, 1)), *regions_at(date(2019, 1, 1))}
    groups = comparable(codes, date(2017, 1, 1), date(2019, 1, 1))
    assert {group for group in groups if len(group) > 1} == {("KZ-61", "KZ-79", "KZ-YUZ")}
    assert len(groups) == 16


def test_south_kazakhstan_printed_as_turkistan_is_compared_with_both_parts():
    assert comparable(["KZ-61", "KZ-79"], date(2016, 1, 1), date(2020, 1, 1)) == (("KZ-61", "KZ-79"),)


def test_the_day_of_a_change_is_already_the_new_map():
    codes = ("KZ-10", "KZ-63")
    assert len(comparable(codes, SPLIT_2022, date(2024, 1, 1))) == 2
    assert len(comparable(codes, SPLIT_2022 - timedelta(1), SPLIT_2022)) == 1


@pytest.mark.parametrize(("codes", "lacking"), [(["KZ-63"], "KZ-10"), (["KZ-10", "KZ-75"], "KZ-63")])
def test_a_region_without_the_part_that_split_off_is_not_comparable(codes, lacking):
    with pytest.raises(DesignError, match=f"add {lacking}"):
        comparable(codes, date(2021, 1, 1), date(2023, 1, 1))


def test_states_stand_alone_unless_a_former_state_is_among_them():
    span = date(2004, 1, 1), date(2008, 1, 1)
    assert comparable(["SRB", "KAZ", "MNE"], *span) == (("KAZ",), ("MNE",), ("SRB",))
    assert comparable(["SRB", "KAZ", "MNE", "SCG"], *span) == (("KAZ",), ("MNE", "SCG", "SRB"))
    with pytest.raises(DesignError, match="add MNE"):
        comparable(["SCG", "SRB"], *span)


@given(mapped_days, mapped_days, st.sets(st.sampled_from([one.code for one in areas(kind="country")])))
def test_comparable_is_a_symmetric_partition_of_its_codes(start, end, countries):
    codes = {*regions_at(start), *regions_at(end), *countries}
    groups = comparable(codes, start, end)
    assert sorted(code for group in groups for code in group) == sorted(codes)
    assert groups == comparable(sorted(codes, reverse=True), end, start)


@given(mapped_days, mapped_days)
def test_every_group_has_a_part_on_both_days(start, end):
    for group in comparable({*regions_at(start), *regions_at(end)}, start, end):
        assert any(area(code).exists(start) for code in group)
        assert any(area(code).exists(end) for code in group)


@given(mapped_days, mapped_days, mapped_days)
def test_a_longer_span_never_splits_a_group(one, two, three):
    first, middle, last = sorted((one, two, three))
    codes = {code for day in (first, middle, last) for code in regions_at(day)}
    wider = [set(group) for group in comparable(codes, first, last)]
    assert all(any(set(group) <= wide for wide in wider) for group in comparable(codes, first, middle))


def test_on_one_day_every_area_is_comparable_alone():
    on = date(2023, 1, 1)
    assert comparable(regions_at(on), on, on) == tuple((code,) for code in regions_at(on))


def test_lineage_tells_both_sides_and_the_act():
    (change,) = lineage("KZ-61")
    assert (change.on, change.before, change.after) == (SPLIT_2018, ("KZ-YUZ",), ("KZ-61", "KZ-79"))
    assert "702" in change.act
    assert lineage("KZ-63")[0].after == ("KZ-10", "KZ-63")
    assert lineage("KZ-75") == ()
    assert [change.on.year for change in lineage("YUG")] == [1992, 2003]


def test_the_days_of_areas_agree_with_the_changes_of_the_map():
    for one in areas():
        born = [change.on for change in lineage(one.code) if one.code not in change.before]
        gone = [change.on for change in lineage(one.code) if one.code not in change.after]
        assert [one.valid_to] == (gone or [None]), one.code
        if one.scheme == "iso3166-2":
            assert [one.valid_from] == (born or [None]), one.code


# Tile maps


@pytest.mark.parametrize("on", [date(2017, 1, 1), date(2019, 1, 1), date(2023, 1, 1)])
def test_every_region_of_the_day_has_a_tile_and_none_collide(on):
    cells = tiles("KAZ", on)
    assert sorted(cells) == list(regions_at(on))
    assert len(set(cells.values())) == len(cells)


def test_the_tiles_of_today_are_the_twenty_regions():
    assert tiles("KAZ") == tiles("KAZ", date(2025, 1, 1))
    assert tiles("KAZ", date(2017, 1, 1))["KZ-YUZ"] == tiles("KAZ")["KZ-61"]


def test_tiles_lie_roughly_as_the_regions_do():
    cells = tiles("KAZ")
    row, column = ({code: cell[axis] for code, cell in cells.items()} for axis in (0, 1))
    assert column["KZ-27"] < column["KZ-15"] < column["KZ-35"] < column["KZ-63"]  # west to east
    assert row["KZ-59"] < row["KZ-71"] < row["KZ-35"] < row["KZ-31"]  # north to south
    assert row["KZ-47"] > row["KZ-23"] > row["KZ-27"]


def test_the_tiles_of_europe_are_the_27_and_five_neighbours():
    cells = tiles("EU")
    assert set(cells) == {*members("EU27_2020", date(2020, 2, 1)), "CHE", "GBR", "ISL", "LIE", "NOR"}
    assert len(set(cells.values())) == 32


def test_an_unknown_tile_map_is_refused():
    with pytest.raises(DataError, match="EU, KAZ"):
        tiles("Atlantis")


# The house


def test_areas_can_be_listed_by_scheme_and_kind():
    assert len(areas(scheme="iso3166-2")) == len(areas(kind="region")) + len(areas(kind="city")) == 21
    assert {one.code for one in areas(kind="former_state")} >= {"SUN", "YUG", "CSK", "SCG"}
    assert {"WORLD", "NON_CIS", "UNKNOWN", "REST"} <= {one.code for one in areas(scheme="group")}


def test_babel_is_not_loaded_before_a_country_is_named():
    script = "import sys; from qonys.core.areas import area; area('KZ-75').name('kk'); print('babel' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_the_reference_page_lists_every_code_we_wrote_by_hand():
    page = (ROOT / "docs" / "reference" / "areas.md").read_text(encoding="utf-8")
    by_hand = [one for one in areas() if one.kind != "country"]
    assert [one.code for one in by_hand if f"`{one.code}`" not in page] == []
    regions = [one.name(lang) for one in by_hand if one.scheme == "iso3166-2" for lang in LANGUAGES]
    assert [name for name in regions if name not in page] == []
