"""A border service's file becomes crossings: its words, clocks and spellings read, and what cannot be read left as it is written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.border.keys import Key
from qonys.border.layout import Layout, read_layout, to_crossings
from qonys.border.pseudonym import person_ids
from qonys.core.contracts import CROSSING
from qonys.core.errors import DataError

KEY = Key(b"5f0e6d1c9b7a48e2a3d4c5b6f7081920")
COLUMNS = {"document": "Документ", "at": "Время", "direction": "Куда"}
TOML = '[columns]\ndocument = "Документ"\nat = "Время"\ndirection = "Куда"\n'


def made(column: str, *values: object, **layout: object) -> list[object]:
    """What becomes of values of one more column, or of one of the three."""
    own = COLUMNS.get(column, "Ещё")
    count = len(values)
    raw = {"Документ": ["N1"] * count, "Время": ["2020-03-16 08:30:00"] * count, "Куда": ["въезд"] * count} | {own: pa.array(values)}
    target = "birth_year" if column == "birth_date" else column
    return to_crossings(pa.table(raw), Layout(columns=COLUMNS | {column: own}, **layout), KEY)[target].to_pylist()


# Words


@pytest.mark.parametrize(
    ("column", "words", "code"),
    [
        ("direction", ["въезд", " Въезд ", "ВХОД", "прибытие", "кіру", "Келу", "entry", "IN", "arrival"], "entry"),
        ("direction", ["выезд", "выход", "убытие", "шығу", "Кету", "exit", "departure"], "exit"),
        ("sex", ["ж", "Жен", "женский", "әйел", "Ә", "F", "female"], "female"),
        ("sex", ["м", "МУЖ", "мужской", "ер", "еркек", "M"], "male"),
        ("citizenship", ["KAZ", "kz", " kaz "], "KAZ"),
        ("citizenship", ["D", "DE", "DEU"], "DEU"),
        ("citizenship", ["GBD", "GBN", "gb"], "GBR"),
        ("citizenship", ["XXA"], "STATELESS"),
    ],
)
def test_words_of_three_languages_and_codes_of_travel_documents_are_understood(column, words, code):
    assert made(column, *words) == [code] * len(words)


def test_a_layout_adds_its_own_words_and_what_nobody_knows_stays_as_written():
    assert made("direction", "1", "2", "въезд", "туда", None, directions={"1": "entry", "2": "exit"}) == [
        "entry", "exit", "entry", "туда", None,
    ]  # fmt: skip
    assert made("sex", "1", "?", sexes={"1": "male"}) == ["male", "?"]
    assert made("citizenship", "узбекистан", "Узбекистан ", "Страна", citizenships={"Узбекистан": "UZB"}) == ["UZB", "UZB", "Страна"]


def test_a_day_of_birth_gives_its_year_even_where_the_day_is_not_known():
    days = ["01.02.1980", "1980-02-01", "00.00.1975", "..1990", "1961", "01.02.80", None]
    assert made("birth_date", *days) == ["1980", "1980", "1975", "1990", "1961", "01.02.80", None]
    assert made("birth_date", date(1980, 2, 1), None) == ["1980", None]


# Clocks


def test_almaty_went_from_six_hours_ahead_to_five_on_the_first_of_march_2024():
    local = ["2024-02-29 22:59:59", "2024-02-29 23:30:00", "2024-03-01 00:00:00", "2024-03-01 00:30:00", "2023-07-01 12:00:00"]
    # 23:30 passed twice that night: it is taken for the first
    assert made("at", *local, zone="Asia/Almaty") == [
        "2024-02-29T16:59:59", "2024-02-29T17:30:00", "2024-02-29T19:00:00", "2024-02-29T19:30:00", "2023-07-01T06:00:00",
    ]  # fmt: skip


@given(
    moments=st.lists(st.datetimes(datetime(1991, 1, 1), datetime(2035, 1, 1)), min_size=1, max_size=10),
    zone=st.sampled_from(["UTC", "Asia/Almaty", "Asia/Qyzylorda", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_every_local_moment_gives_the_utc_that_the_zone_tells(moments, zone):
    local = [one.replace(microsecond=0, fold=0) for one in moments]
    real = [
        one for one in local if one.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == one
    ]
    expected = [one.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") for one in real]
    if real:
        assert made("at", *(one.isoformat(sep=" ") for one in real), zone=zone) == expected
        assert made("at", *(f"{one:%d.%m.%Y %H:%M:%S}" for one in real), zone=zone) == expected
        assert made("at", *real, zone=zone) == expected


def test_an_hour_that_summer_time_skips_becomes_its_end():
    assert made("at", "2020-03-29 02:30:00", zone="Europe/Berlin") == ["2020-03-29T01:00:00"]


def test_a_moment_that_names_its_distance_from_utc_needs_no_zone():
    written = ["2024-02-29T23:30:00Z", "2024-02-29 23:30:00+05:00", "2024-02-29T23:30:00.125+0500", "2024-02-29 23:30:00,9"]
    assert made("at", *written, zone="Asia/Almaty") == [
        "2024-02-29T23:30:00", "2024-02-29T18:30:00", "2024-02-29T18:30:00", "2024-02-29T17:30:00",
    ]  # fmt: skip
    aware = pa.array([datetime(2024, 2, 29, 23, 30)], pa.timestamp("ms", "Asia/Tokyo"))
    assert made("at", *aware, zone="Asia/Almaty") == ["2024-02-29T23:30:00"]


@given(days=st.lists(st.dates(date(1990, 1, 1), date(2035, 1, 1)), min_size=1), late=st.integers(29, 32))
def test_a_day_is_read_if_and_only_if_a_calendar_has_it(days, late):
    written = [f"{late:02d}.{one.month:02d}.{one.year}" for one in days]
    known = [(one.replace(day=1) + timedelta(days=late - 1)).month == one.month for one in days]
    expected = [f"{one.year}-{one.month:02d}-{late:02d}" if there else text for one, text, there in zip(days, written, known, strict=True)]
    assert made("permitted_until", *written) == expected
    moments = made("at", *(f"{text} 10:00" for text in written))
    assert [text.endswith("T10:00:00") for text in moments] == known


def test_only_the_formats_of_the_layout_are_tried_where_it_names_them_and_what_they_do_not_read_says_so():
    assert made("at", "03/04/2020 05:06", "2020-04-03 05:06:00", " ", None, formats=("%d/%m/%Y %H:%M",)) == [
        "2020-04-03T05:06:00", "2020-04-03 05:06:00 (read as %d/%m/%Y %H:%M)", None, None,
    ]  # fmt: skip
    assert made("at", "1.4.2020 5:06", "2020-04-01", "03/04/2020 05:06") == [
        "2020-04-01T05:06:00",
        "2020-04-01T00:00:00",
        "03/04/2020 05:06",
    ]
    assert made("permitted_until", "04/2020", days=("%d/%m/%Y", "%Y%m%d")) == ["04/2020 (read as %d/%m/%Y or %Y%m%d)"]
    assert made("permitted_until", date(2020, 4, 1), None) == ["2020-04-01", None]
    assert made("permitted_until", datetime(2020, 4, 1, 23)) == ["2020-04-01"]


# Documents


def test_documents_are_hashed_and_gone_and_batches_change_nothing():
    raw = pa.table(
        {"Документ": ["N 12", "n12", None], "Время": ["2020-03-16"] * 3, "Куда": ["въезд"] * 3, "Имя": ["А"] * 3, "row": [2, 3, 5]}
    )
    layout = Layout(columns=COLUMNS)
    whole = to_crossings(raw, layout, KEY)
    assert whole.column_names == ["person_id", "at", "direction", "row"]
    assert whole["person_id"].combine_chunks().equals(person_ids(pa.array(["N12", "N12", None]), KEY))
    parts = pa.concat_tables([to_crossings(raw.slice(place, 1), layout, KEY) for place in range(3)])
    assert parts.to_pylist() == whole.to_pylist()
    assert to_crossings(raw.slice(0, 0), layout, KEY).num_rows == 0


def test_all_columns_of_the_contract_can_be_had():
    every = [name for name in CROSSING.names if name not in ("person_id", "birth_year")]
    layout = Layout(columns={**{name: name for name in every}, "document": "d", "issuer": "i", "birth_date": "b"})
    raw = pa.table({name: ["2020-03-16"] for name in [*every, "d", "i", "b"]})
    assert set(to_crossings(raw, layout, KEY).column_names) == set(CROSSING.names)


# Layouts that are refused


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[columns\n", "berkut.toml is not valid TOML"),
        ("zone = 'UTC'\n", r"berkut.toml has no \[columns\]"),
        (TOML.replace("document", "dokument"), r"names a column 'dokument'; did you mean 'document'"),
        (TOML.replace('direction = "Куда"', ""), "does not say which column holds direction"),
        (TOML + 'person_id = "x"\n', "names a column 'person_id'"),
        (TOML + 'birth_date = "x"\nbirth_year = "y"\n', "names both birth_date and birth_year"),
        ("zone = 'Asia/Almata'\n" + TOML, "names a time zone 'Asia/Almata'"),
        ("zone = 5\n" + TOML, "zone is 5"),
        ("time_zone = 'UTC'\n" + TOML, "there is no 'time_zone' in a layout"),
        ("formats = '%Y'\n" + TOML, "formats is '%Y'"),
        ("formats = ['%d.%M.%Y']\n" + TOML, r"formats: '%d.%M.%Y' does not say day, month and year"),
        ("days = ['%d.%m']\n" + TOML, r"days: '%d.%m' does not say"),
        ("days = ['%Q']\n" + TOML, r"days: '%Q' does not say"),
        (TOML + "[directions]\n'1' = 'enter'\n", r"directions: '1' stands for 'enter'; .*entry"),
        (TOML + "[citizenships]\n'Узбекистан' = 'UZ'\n", r"citizenships: 'Узбекистан' stands for 'UZ'"),
        (TOML + "[sexes]\n'1' = 1\n", "sexes is"),
    ],
)
def test_a_layout_that_cannot_be_meant_is_refused_by_file_and_field(text, why):
    with pytest.raises(DataError, match=why):
        read_layout(text, file="berkut.toml")


def test_a_column_that_the_file_has_not_is_refused_with_the_nearest_it_has():
    raw = pa.table({"Документы": ["1"], "Время": ["2020-03-16"], "Куда": ["въезд"], "row": [2]})
    with pytest.raises(DataError, match=r"x\.csv has no column 'Документ', which the layout names; did you mean 'Документы'"):
        to_crossings(raw, read_layout(TOML, file="l.toml"), KEY, file="x.csv")
