"""The importer of border control notified at internal borders: one notification is one measure, and it is coded as the register does."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from functools import cache
from pathlib import Path

import ibis
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.contracts import MEASURE
from qonys.core.validate import examine
from qonys.measures import codebook, read_register
from qonys.measures.importers import IMPORTERS, schengen
from qonys.measures.importers.cells import mapping
from qonys.measures.importers.schengen import durations
from qonys.store import read_raw, shipped
from rows import refusal

SPECIMENS = Path(__file__).parents[2] / "specimens" / "schengen"
LIST, NEIGHBOURS = "schengen_border_control_notifications.csv", "schengen_border_controls_dyadic.csv"
SPELL = ["issuer", "start", "end"]
SHAPES = {"commission_list.csv": ["nb", "member state", "duration", "reasons/scope"], "notifications.csv": ["nb", "member_state", "begin", "end"],
          "TemporaryBorderControls.csv": ["id", "iso3_state", "neighbour_iso3", "begin", "end", "duration"]}  # fmt: skip


def imported(con, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    raw, _malformed = read_raw(con, path)
    came = schengen.read(raw, file=path.name)
    return con.to_pandas(came.measures).set_index("id", drop=False), con.to_pandas(came.fates).set_index("row")


@pytest.fixture(scope="module")
def listed(con, real_data):
    return imported(con, real_data / LIST)


@pytest.fixture(scope="module")
def by_neighbour(con, real_data):
    return imported(con, real_data / NEIGHBOURS)


@pytest.fixture(scope="module")
def specimen(con):
    return cache(lambda name: imported(con, SPECIMENS / name))


def faults(con, measures: pd.DataFrame) -> list[tuple[object, ...]]:
    frame = measures.reset_index(drop=True).assign(row=range(2, len(measures) + 2))
    return list(con.to_pandas(examine(ibis.memtable(frame), MEASURE, file="m").faults).itertuples(index=False))


def written(rows: list[dict[str, str]]) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(rows, dtype="string").assign(row=range(2, len(rows) + 2)))


def specimen_rows(name: str) -> list[dict[str, str]]:
    with (SPECIMENS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def told(measures: pd.DataFrame, one: str, *columns: str) -> list[object]:
    return [None if pd.isna(value) else value for value in measures.loc[one, list(columns)]]


# Days in words

DAYS = st.dates(date(2000, 1, 1), date(2029, 12, 31))


@given(DAYS, DAYS)
def test_days_are_read_however_the_list_writes_them(one, other):
    first, last = sorted((one, other))
    expected = ((first.isoformat(), last.isoformat()),)
    assert durations(f"{first:%d/%m/%Y}- {last:%d/%m/%Y}") == expected
    assert durations(f"{first.day}/{first.month}/{first:%y}-{last.day}/{last.month}/{last:%y}") == expected
    assert durations(f"{first:%d/%m/%Y} (17:23) – {last:%d/%m/%Y} (9:00)") == expected
    assert durations(f"{first} - {last}") == expected
    if first.year == last.year:
        assert durations(f"{first:%d/%m}-{last:%d/%m/%Y}") == expected
        assert durations(f"{first:%d/%m}/-{last:%d/%m/%y}") == expected
    if (first.year, first.month) == (last.year, last.month):
        assert durations(f"{first.day}-{last:%d/%m/%Y}") == expected
    assert durations(f"{first:%d.%m.%y}") == ((first.isoformat(), first.isoformat()),)
    assert durations(f"{first:%d/%m/%Y}, 08:00-20:00; {last:%d/%m/%Y}") == ((first.isoformat(),) * 2, (last.isoformat(),) * 2)


@pytest.mark.parametrize(
    "text", [None, "", "soon", "12 May 2020", "7/10/2/05 5/2/05", "221/3-23/3/02", "31/2/2020", "13-29/11", "1/2/2020; later"]
)
def test_what_cannot_be_read_as_days_gives_none(text):
    assert durations(text) == ()


# The three shapes of the list


def test_the_list_of_the_commission_is_read(con, specimen):
    measures, fates = specimen("commission_list.csv")
    assert fates["fate"].value_counts().to_dict() == {"measure": 8, "quarantined": 3}
    assert faults(con, measures) == []
    spells = measures[SPELL].values.tolist()
    assert spells[:3] == [["DEU", "2020-04-15", "2020-05-05"], ["DEU", "2020-05-12", "2020-11-11"], ["NOR", "2020-03-26", "2020-04-15"]]
    assert ["FRA", "2008-09-27", "2008-09-27"] in spells
    assert measures.loc["SCHENGEN-174-DEU-2020-04-15", "borders_with"] == "AUT CHE FRA LUX DNK ITA ESP"


def test_a_notification_is_coded_as_the_register_codes_them(specimen):
    measures, _fates = specimen("notifications.csv")
    same = ["level", "targets", "field", "instrument", "direction", "strength", "status", "area", "title"]
    register = read_register(shipped().path("register/AUT.toml").read_text(encoding="utf-8"), file="AUT.toml")
    like = register[register["id"].str.startswith("IB")].iloc[0]
    for _, one in measures.iterrows():
        assert [str(one[name]) for name in same] == like[same].tolist()
    assert set(measures["coder"]) == {"schengen"}


def test_rows_of_one_notification_are_one_measure_over_the_turn_of_the_year(con, specimen):
    measures, fates = specimen("TemporaryBorderControls.csv")
    assert faults(con, measures) == []
    assert told(measures, "SCHENGEN-28-BEL-2000-12-26", *SPELL, "borders_with", "modes", "rows") == [
        "BEL",
        "2000-12-26",
        "2001-01-10",
        "NLD LUX",
        "land",
        4,
    ]
    assert told(measures, "SCHENGEN-26-ESP-2000-12-20", *SPELL, "rows") == ["ESP", "2000-12-20", "2001-01-07", 2]
    assert fates["fate"].tolist() == ["measure"] * 6 + ["quarantined"] * 4


@pytest.mark.parametrize(
    ("one", "general", "borders", "spared", "modes"),
    [
        ("SCHENGEN-154-NOR-2020-03-26", True, None, None, None),  # all internal borders
        ("SCHENGEN-149-CHE-2020-03-25", False, None, "LIE", "air"),  # all air borders except
        ("SCHENGEN-25-NOR-2011-07-22", False, "UNKNOWN", None, None),  # says nothing of borders
        ("SCHENGEN-12-FRA-2009-03-30", False, "BEL LUX DEU CHE ITA ESP", None, "air land"),  # by two letters
        ("SCHENGEN-8-FRA-2008-09-27", False, "ESP", None, "land sea"),  # FR-ES
    ],
)
def test_which_borders_are_controlled_is_read_off_the_text(specimen, one, general, borders, spared, modes):
    measures, _fates = specimen("commission_list.csv")
    assert told(measures, one, "general", "borders_with", "borders_except", "modes") == [general, borders, spared, modes]


@pytest.mark.parametrize(
    ("one", "general", "borders", "reasons"),
    [
        ("SCHENGEN-17-NOR-2009-11-27", False, "FIN SWE", "event"),  # the neighbours others read
        ("SCHENGEN-157-FRA-2020-05-01", True, None, "covid terrorism"),
        ("SCHENGEN-163-SWE-2020-05-12", False, None, "terrorism external_borders"),  # may concern all
        ("SCHENGEN-171-NOR-2020-05-12", False, "DNK DEU SWE", "terrorism secondary_movements"),
    ],
)
def test_reasons_and_neighbours_are_read(specimen, one, general, borders, reasons):
    measures, _fates = specimen("notifications.csv")
    assert told(measures, one, "general", "borders_with", "reasons") == [general, borders, reasons]


def test_the_words_lead_to_codes_that_exist():
    words = mapping("schengen")
    assert set(words["mode"]) <= set(codebook()["mode"])
    known = {*words["reason"], *words["otherwise"], "not_stated"}
    assert set(words["category"].values()) <= known
    used = {reason for entry in register_entries()["reasons"] for reason in entry.split()}
    assert used <= known


# Files that are not as they should be


@pytest.mark.parametrize(
    ("name", "row", "why"),
    [
        ("commission_list.csv", 10, "has the member state None, which is no area of ours; correct the name"),
        (
            "commission_list.csv",
            11,
            "has the duration '221/3-23/3/2006', in which no days can be read; write it as 15/04/2020 - 05/05/2020",
        ),
        ("commission_list.csv", 12, "has the member state 'Atlantis', which is no area of ours; correct the name"),
        (
            "TemporaryBorderControls.csv",
            8,
            "is from 2001-12-03 to 2002-02-01, and its duration says '2001-12-03 - 2002-01-31'; correct one of the two",
        ),
        (
            "TemporaryBorderControls.csv",
            9,
            "is from 2001-12-03 to 2001-12-31, 28 days on, and its check_length is 99; correct one of the two",
        ),
        ("TemporaryBorderControls.csv", 10, "has the neighbour_iso3 'XXX', which is no area of ours; correct the code"),
        ("TemporaryBorderControls.csv", 11, "is from soon to 2001-12-31T00:00:00Z, which are no days; write them as 2020-03-16"),
        ("notifications.csv", 7, "ends on 2021-02-15, before it begins on 2021-02-28; correct one of the two dates"),
        ("notifications.csv", 8, "has the begin '28.02.2021', which is no day; write the day as 2020-03-16"),
    ],
)
def test_a_row_that_cannot_be_used_is_quarantined_with_a_sentence(specimen, name, row, why):
    assert specimen(name)[1].loc[row].tolist() == ["quarantined", f"{name}, row {row}: {why}"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"begin": ""}, "has no begin; fill it in"),
        (
            {"duration": "27/11/2009-13/12/2009"},
            "is from 2009-11-27 to 2009-12-12, and its duration says '27/11/2009-13/12/2009'; correct one of the two",
        ),
        ({"neighbours_controlled": "FIN XQZ"}, "has the neighbour 'XQZ', which is no area of ours; correct the code"),
    ],
)
def test_days_and_neighbours_that_contradict_or_lack_are_flagged(con, change, why):
    came = schengen.read(written([specimen_rows("notifications.csv")[0] | change]), file="list.csv")
    assert con.to_pandas(came.fates)["why"].tolist() == [f"list.csv, row 2: {why}"]


def test_one_number_state_and_day_is_one_measure(con):
    rows = specimen_rows("notifications.csv")[:1]
    came = schengen.read(written(rows * 2), file="list.csv")
    assert con.to_pandas(came.fates)["why"].tolist() == [
        None,
        "list.csv, row 3: has the id of row 2, SCHENGEN-17-NOR-2009-11-27; keep one of the two",
    ]


@pytest.mark.parametrize(
    ("name", "column"), [(name, column) for name, columns in SHAPES.items() for column in columns if column != "begin"]
)
def test_a_file_without_a_column_is_refused(name, column):
    rows = [{own: cell for own, cell in row.items() if own.casefold() != column} for row in specimen_rows(name)]
    if column == "neighbour_iso3":  # then it is taken for a list without neighbours
        column = "nb"
    refused = refusal(lambda: schengen.read(written(rows), file="list.csv"))
    assert refused is not None
    named = {"member state": "member_state", "reasons/scope": "text"}.get(column, column)
    assert f"list.csv has no column {named!r}" in refused.what


@pytest.mark.parametrize("name", SHAPES)
def test_an_empty_file_is_refused(con, tmp_path, name):
    path = tmp_path / "list.csv"
    path.write_text((SPECIMENS / name).read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    raw, _malformed = read_raw(con, path)
    refused = refusal(lambda: schengen.read(raw, file=path.name))
    assert refused is not None
    assert str(refused) == "list.csv has no rows; check that the file is whole"


# The real files


def test_every_notification_is_one_measure(con, listed):
    measures, fates = listed
    assert sorted(fates.index) == list(range(2, 253 + 2))
    assert set(fates["fate"]) == {"measure"}
    assert len(measures) == 253
    assert faults(con, measures) == []


def test_every_row_by_neighbour_is_part_of_one_measure(con, by_neighbour):
    measures, fates = by_neighbour
    assert sorted(fates.index) == list(range(2, 831 + 2))
    assert set(fates["fate"]) == {"measure"}
    assert len(measures) == 268
    assert measures["rows"].sum() == 831
    assert faults(con, measures) == []


def test_the_table_by_neighbour_agrees_with_the_list_where_both_reach(listed, by_neighbour):
    """Since October 2006 the table is made from the list; controls without a land border are in the list alone."""
    of_list = Counter(map(tuple, listed[0][SPELL].values))
    since = by_neighbour[0][by_neighbour[0]["start"] >= "2006-10-01"]
    assert len(since) == 216
    assert not Counter(map(tuple, since[SPELL].values)) - of_list


@cache
def register_entries() -> pd.DataFrame:
    parts = [
        read_register(path.read_text(encoding="utf-8"), file=path.name) for path in sorted((shipped().folder / "register").glob("*.toml"))
    ]
    whole = pd.concat(parts)
    return whole[whole["id"].str.startswith("IB")]


def test_notifications_and_the_register_agree_on_state_first_and_last_day(listed):
    """Both were read from the Commission's list, by others and by us. Their common time: controls begun from October 2019 to 14 February 2021."""
    measures, _fates = listed
    begun = measures[measures["start"] >= "2019-10-01"]
    own = register_entries()[register_entries()["start"] <= begun["start"].max()]
    theirs, ours = (Counter(map(tuple, one[SPELL].fillna("").values)) for one in (begun, own))
    assert begun["start"].max() == "2021-02-14"
    assert (theirs.total(), ours.total(), (theirs & ours).total()) == (142, 148, 141)
    assert sorted((theirs - ours).elements()) == [("ESP", "2021-02-10", "2021-02-28")]  # the register has the day after: 1 March
    assert sorted((ours - theirs).elements()) == [
        ("ESP", "2021-02-10", "2021-03-01"),
        # Iceland has no land border, and is not in the file
        ("ISL", "2020-04-24", "2020-05-04"), ("ISL", "2020-05-04", "2020-05-15"), ("ISL", "2020-05-14", "2020-06-03"),
        ("ISL", "2020-06-04", "2020-06-15"), ("ISL", "2020-06-16", "2020-06-22"),
        ("NOR", "2020-11-12", "2021-05-11"),  # ports
    ]  # fmt: skip


def test_reasons_and_borders_agree_with_the_register_where_the_days_do(listed):
    def coded(table: pd.DataFrame, *lists: str) -> Counter[tuple[object, ...]]:
        sets = [table[name].fillna("").map(lambda cell: tuple(sorted(cell.split()))) for name in lists]
        return Counter(zip(*(table[name].fillna("") for name in SPELL), *sets, strict=True))

    measures, own = listed[0], register_entries()
    assert (coded(measures, "reasons") & coded(own, "reasons")).total() == 140
    assert (coded(measures, "borders_with") & coded(own, "borders_with")).total() == 139


def test_the_importer_is_registered():
    assert IMPORTERS["schengen"] is schengen.read
