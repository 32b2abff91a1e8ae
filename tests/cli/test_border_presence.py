"""qonys border stays, stranded, as their user meets them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qonys.borders.presence import Day, open_crossings, people_of_file, rules_of, stays_of_file, stranded_of_file
from qonys.core.contracts import STRANDED_GROUP
from qonys.core.errors import DataError, DesignError
from qonys.store import take_in, write_table
from qonys.store.audit import entries
from shell import qonys

pytestmark = pytest.mark.usefixtures("opened_once")
ON = date(2020, 4, 15)
# citizenship, persons, permit, last day of the permitted stay, border point
PEOPLE = [
    ("UZB", 60, "work", date(2020, 3, 20), "konysbaeva"), ("UZB", 33, "work", date(2020, 5, 1), "zhibek_zholy"),
    ("KGZ", 25, "work", date(2020, 4, 14), "korday"), ("KGZ", 2, "work", date(2020, 4, 14), "almaty"),
    ("DEU", 14, "study", date(2020, 12, 31), "almaty"), ("KAZ", 120, None, None, "almaty"), ("FRA", 18, None, None, "almaty"),
]  # fmt: skip
SPRING = Day(on=ON, country="KAZ")
LIST = """
[[rule]]
issuer = "KAZ"
citizenships = ["FRA"]
days_per_stay = 30
source = "the reader's own"
"""


def written(path, rows, **columns):
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(("person_id", "at", "direction"))} | columns)
    pq.write_table(table, path)
    return path


@pytest.fixture(scope="module")
def crossings(tmp_path_factory):
    """Everybody came on 1 March 2020, thirty citizens of Kazakhstan left again; the file ends two weeks after the day asked for."""
    came, left, end = (datetime(2020, month, day, 8, tzinfo=UTC) for month, day in ((3, 1), (3, 10), (4, 29)))
    rows = [
        (f"{code}{permit}{until}{place}{number}", came, "entry", code, permit, until, place)
        for code, persons, permit, until, place in PEOPLE
        for number in range(persons)
    ]
    rows += [(row[0], left, "exit", *row[3:]) for row in rows if row[3] == "KAZ"][:30]
    rows.append(("last", end, "entry", "KAZ", None, None, "almaty"))
    more = {
        name: [row[place] for row in rows] for place, name in enumerate(("citizenship", "permit", "permitted_until", "border_point"), 3)
    }
    return written(tmp_path_factory.mktemp("border") / "crossings.parquet", rows, **more)


def test_persons_present_are_counted_protected_and_told_in_a_sentence(crossings, tmp_path):
    ask = ("border", "stays", crossings, "--on", "2020-04-15", "--country", "KAZ", "--by", "citizenship", "--by", "permit_status")
    done = qonys(*ask, "-o", tmp_path / "stays.csv")
    assert done.returncode == 0
    found = pd.read_csv(tmp_path / "stays.csv").set_index(["citizenship", "permit_status"])["persons"]
    true = {("UZB", "expired"): 60, ("UZB", "valid"): 33, ("KGZ", "expired"): 27, ("DEU", "valid"): 14, ("KAZ", "own_citizen"): 90,
            ("FRA", "unknown"): 18}  # fmt: skip
    assert set(found.index) == set(true)
    assert all(0 < abs(found[cell] - true[cell]) <= 5 or found[cell] == true[cell] for cell in true)
    assert "In the country when April 15, 2020 ends, by the records: 2" in done.stderr
    assert "Not known until when permitted: " in done.stderr
    assert entries() == []


def test_without_protection_the_counts_are_true_and_the_trail_says_who_asked(crossings):
    found = stays_of_file(crossings, SPRING, by=["permit_status"], disclosure="none", totals=True)
    counts = found.table.set_index(["permit_status", "summed"])["persons"].to_dict()
    assert [counts[(status, "")] for status in ("expired", "own_citizen", "unknown", "valid")] == [87, 90, 18, 47]
    assert sum(number for (_status, summed), number in counts.items() if not summed) == 242
    assert found.figures == {"present": 242, "own_citizens": 90, "expired": 87, "in_doubt": 0, "unknown": 18}
    (line,) = entries()
    assert (line["command"], line["parameters"]["disclosure"], list(line["files"])) == ("border stays", "none", [str(crossings)])


def test_the_same_people_have_the_same_number_in_every_table(crossings):
    wide = stays_of_file(crossings, SPRING, by=["citizenship", "permit_status"])
    long = stays_of_file(crossings, SPRING, by=["permit_status", "permit", "citizenship"])
    stuck = stranded_of_file(crossings, SPRING, within_days=0)
    expired = wide.table[wide.table["permit_status"] == "expired"].set_index("citizenship")["persons"]
    assert expired.to_dict() == stuck.summary.set_index("citizenship")["expired"].to_dict()
    same = long.table.groupby(["citizenship", "permit_status"])["persons"].sum()  # one permit each
    assert same.to_dict() == wide.table.set_index(["citizenship", "permit_status"])["persons"].to_dict()
    assert wide.figures["expired"] == stuck.figures["persons"]


def test_who_is_stuck_is_a_file_of_groups_and_a_sentence_that_names_the_entries_of_the_register(crossings, tmp_path, con):
    ask = ("border", "stranded", crossings, "--on", "2020-04-15", "--country", "KAZ", "--within-days", "30")
    done = qonys(*ask, "-o", tmp_path / "groups.csv", "--lang", "ru")
    assert done.returncode == 0
    assert "путь домой закрыт по реестру (достоверное прочтение; KM012): " in done.stderr
    assert "Узбекистан (UZB)" in done.stdout
    taken = take_in(con, tmp_path / "groups.csv", STRANDED_GROUP)
    assert taken.faults == ()
    groups = con.to_pandas(taken.table).set_index("group_id")
    true = {"UZB.konysbaeva.expired.recorded": 60, "UZB.zhibek_zholy.expiring.recorded": 33, "KGZ.korday.expired.recorded": 25}
    assert set(true) <= set(groups.index) <= {*true, "KGZ.almaty.expired.recorded"}
    assert all(abs(groups.loc[group, "persons"] - number) <= 5 for group, number in true.items())
    assert {(one["closed_at"], *one["measure_ids"]) for one in groups.to_dict("records")} == {("exit", "KM012")}


def test_before_the_border_closed_nobody_is_stuck_and_the_sentence_says_so(crossings):
    done = qonys("border", "stranded", crossings, "--on", "2020-03-15", "--country", "KAZ", "--within-days", "60")
    assert (done.returncode, done.stdout) == (0, "citizenship,persons,expired,expiring,doubtful,closed_at,measure_ids\n")
    assert "On March 15, 2020 nobody is shown as stuck: Kazakhstan (what is certain)." in done.stderr


def test_suppressed_groups_are_left_out_and_counted_and_sums_are_of_what_is_shown(crossings):
    found = stranded_of_file(crossings, SPRING, within_days=30, disclosure="suppression")
    assert "KGZ.almaty.expired.recorded" not in set(found.groups["group_id"])
    assert found.hidden == 4 - len(found.groups) >= 2  # one alone could be worked out from the sum
    assert found.figures["persons"] == found.groups["persons"].sum() == found.summary["persons"].sum()


def test_own_citizens_abroad_are_added_where_they_are_asked_for(crossings):
    with_abroad = stranded_of_file(crossings, SPRING, within_days=30, abroad=True, disclosure="none")
    own = with_abroad.groups[with_abroad.groups["citizenship"] == "KAZ"]
    assert own[["permit_status", "persons", "doubtful", "place"]].to_numpy().tolist() == [["own_citizen", 30, True, "almaty"]]
    assert with_abroad.figures == {"persons": 150, "expired": 87, "expiring": 33, "doubtful": 30}


def test_a_list_of_citizenships_makes_overstays_of_a_visa_free_stay(crossings, tmp_path):
    (tmp_path / "mine.toml").write_text(LIST, encoding="utf-8")
    found = stays_of_file(crossings, SPRING, by=["permit_status", "basis"], visa_free=tmp_path / "mine.toml", disclosure="none").table
    assert found[found["basis"] == "visa_free_stay"][["permit_status", "persons"]].to_numpy().tolist() == [["expired", 18]]


def test_rows_of_persons_are_shown_only_for_micro_and_the_trail_is_written_first(crossings, tmp_path, monkeypatch):
    ask = ("border", "stays", crossings, "--on", "2020-04-15", "--country", "KAZ", "--micro", "-o", tmp_path / "people.parquet")
    assert qonys(*ask).returncode == 0
    people = pq.read_table(tmp_path / "people.parquet").to_pandas()
    assert len(people) == people["person_id"].nunique() == 242
    (line,) = entries()
    assert line["parameters"]["on"] == "2020-04-15"
    refused = qonys(*ask, "--by", "citizenship")
    assert "--micro shows persons, and counts nothing; leave out --by" in refused.stderr
    monkeypatch.setenv("QONYS_HOME", str(crossings))  # a file: no trail can be kept there
    with pytest.raises(DataError, match="audit trail"):
        people_of_file(crossings, SPRING)


# Refusals


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"on": date(2020, 2, 1)},
            "has crossings from 2020-03-01 to 2020-04-29, and none shows who was present on 2020-02-01; ask for a day",
        ),
        ({"on": date(2020, 4, 30)}, "none shows who was present on 2020-04-30"),
        ({"on": date(1980, 1, 1)}, "1980-01-01 is no day of border records; give a day from 1990-01-01"),
        ({"end": date(9999, 12, 31)}, "9999-12-31 is no day of border records"),
        ({"end": date(2020, 4, 1)}, "the data end on 2020-04-01, before 2020-04-15"),
        ({"zone_hours": 300}, "no border runs 300 hours ahead of UTC; give -14 to 14"),
        ({"country": "KAX"}, "no area has the code 'KAX'"),
    ],
)
def test_a_day_that_the_records_do_not_show_is_refused(crossings, change, sentence):
    with pytest.raises(DataError, match=sentence):
        stays_of_file(crossings, Day(**{"on": ON, "country": "KAZ"} | change))


def test_a_day_after_the_last_crossing_is_answered_if_the_records_are_said_to_reach_it(crossings):
    found = stays_of_file(crossings, Day(on=date(2020, 4, 30), country="KAZ", end=date(2020, 4, 30)), by=["citizenship"], disclosure="none")
    assert found.figures["present"] == 243


def test_a_file_that_holds_no_crossings_is_refused(con, tmp_path, crossings):
    at = datetime(2020, 4, 1)
    (tmp_path / "text.parquet").write_text("not Parquet", encoding="utf-8")
    bad = {
        "there is no file": tmp_path / "none.parquet", "crossings are read as Parquet": tmp_path / "x.csv",
        "text.parquet cannot be read": tmp_path / "text.parquet",
        "empty.parquet holds no crossings": tmp_path / "empty.parquet",
        "has no column 'direction'": tmp_path / "short.parquet",
        "holds string, not instants": written(tmp_path / "words.parquet", [("a", "2020-04-01", "entry")]),
        "has 2 rows without a person, an instant, or a direction": written(
            tmp_path / "odd.parquet", [("a", at, "entry"), ("b", at, "in"), (None, at, "exit")]
        ),
    }  # fmt: skip
    (tmp_path / "x.csv").touch()
    pq.write_table(pq.read_table(crossings).slice(0, 0), tmp_path / "empty.parquet")
    pq.write_table(pq.read_table(crossings).drop_columns("direction"), tmp_path / "short.parquet")
    for sentence, path in bad.items():
        with pytest.raises(DataError, match=sentence):
            open_crossings(con, path, SPRING)


def test_what_cannot_be_counted_or_protected_is_refused(crossings, tmp_path):
    with pytest.raises(DataError, match="cannot be counted by 'permits'; did you mean 'permit'"):
        stays_of_file(crossings, SPRING, by=["permits"])
    with pytest.raises(DesignError, match="suppression protects tables of one or two columns"):
        stays_of_file(crossings, SPRING, disclosure="suppression")
    with pytest.raises(DataError, match="there is no file"):
        rules_of(tmp_path / "none.toml")
    plain = written(tmp_path / "plain.parquet", [("a", datetime(2020, 4, 1) + timedelta(days=day), "entry") for day in (0, 20)])
    with pytest.raises(DataError, match="does not say until when a stay is permitted, and no visa-free rule of KAZ names a citizenship"):
        stranded_of_file(plain, SPRING, within_days=30)


def test_an_error_is_one_sentence_and_the_input_is_never_the_output(crossings, tmp_path):
    for words, sentence in (
        (("stays", crossings, "--on", "2020", "--country", "KAZ"), "'2020' is no single day"),
        (("stranded", crossings, "--on", "2020-04-15", "--country", "KAZ", "-o", crossings), "crossings.parquet is the input too"),
    ):
        done = qonys("border", *words)
        assert done.returncode == 1
        assert sentence in done.stderr
        assert "Traceback" not in done.stderr
    assert pq.read_metadata(crossings).num_rows == 303


def test_groups_in_parquet_keep_their_lists(crossings, tmp_path, con):
    found = stranded_of_file(crossings, SPRING, within_days=30)
    write_table(found.groups, tmp_path / "groups.parquet")
    assert take_in(con, tmp_path / "groups.parquet", STRANDED_GROUP).faults == ()
