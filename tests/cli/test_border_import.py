"""qonys border key, import, audit, as their user meets them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qonys.border.keys import KEY_ID, Key, load_key, make_key
from qonys.border.layout import Layout
from qonys.border.pseudonym import person_ids
from qonys.borders.imports import hashed_aliases_of, import_files
from qonys.cli import main
from qonys.core.contracts import CROSSING
from qonys.core.errors import DataError
from qonys.store import take_in
from qonys.store.audit import audit_file, note

LAYOUT = """
zone = "Asia/Almaty"
[columns]
document = "Документ"
at = "Время"
direction = "Направление"
citizenship = "Гражданство"
birth_date = "Рождение"
"""
HEADER = "Документ,Время,Направление,Гражданство,Рождение\n"
GOOD = [
    "N 1234567,29.02.2024 23:30,Выезд,kz,01.02.1980", "n1234-567,01.03.2024 00:30,Въезд,KAZ,01.02.1980",
    "C01X00T47,03.03.2024 10:00,Въезд,D,..1990",
]  # fmt: skip
BAD = [
    "AA9999999,30.02.2024 10:00,Въезд,UZB,01.02.1990", "AA9999998,01.03.2024 10:00,AA9999998,UZB,1990",
    ",01.03.2024 10:00,Въезд,UZB,1990", "AA9999997,01.03.2024 10:00,Въезд",
]  # fmt: skip
SECRETS = ("1234567", "1234-567", "999999", "C01X00T47")


@pytest.fixture
def qonys(desk, monkeypatch, capsys):
    """The command line in this process, at the desk."""
    monkeypatch.chdir(desk)

    def run(*words):
        monkeypatch.setattr("sys.argv", ["qonys", *map(str, words)])
        with pytest.raises(SystemExit) as done:
            main()
        said = capsys.readouterr()
        return SimpleNamespace(returncode=done.value.code, stdout=said.out, stderr=said.err)

    return run


@pytest.fixture
def brought_in(qonys):
    def run(*files, **more):
        words = [word for name, value in more.items() for word in (f"--{name.replace('_', '-')}", value)]
        return qonys("border", "import", *files, "--layout", "berkut.toml", "--key-file", "../keys/k", "-o", "c.parquet", *words)

    return run


@pytest.fixture
def desk(tmp_path):
    """A folder with a layout, and a key elsewhere."""
    (tmp_path / "desk").mkdir()
    (tmp_path / "desk" / "berkut.toml").write_text(LAYOUT, encoding="utf-8")
    make_key(tmp_path / "keys" / "k")
    return tmp_path / "desk"


def records(desk, *lines, name="berkut.csv"):
    (desk / name).write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return desk / name


def test_records_become_crossings_of_hashed_ids_and_bad_rows_stand_beside_them_with_reasons_and_without_documents(desk, brought_in):
    records(desk, GOOD[0], BAD[0], GOOD[1], BAD[1], BAD[2], BAD[3], GOOD[2])
    done = brought_in("berkut.csv")
    assert done.returncode == 0
    key = load_key(desk.parent / "keys" / "k")
    assert f"crossings: 3; rejected rows: 4; ids hashed with key {key.key_id}" in done.stderr
    one, _, other = person_ids(pa.array(["N1234567", "N1234567", "C01X00T47"]), key).to_pylist()
    found = pq.read_table(desk / "c.parquet")
    assert [list(row.values()) for row in found.cast(found.schema.set(1, pa.field("at", pa.string()))).to_pylist()] == [
        [one, "2024-02-29 17:30:00.000000", "exit", "KAZ", 1980], [one, "2024-02-29 19:30:00.000000", "entry", "KAZ", 1980],
        [other, "2024-03-03 05:00:00.000000", "entry", "DEU", 1990],
    ]  # fmt: skip
    assert pq.read_metadata(desk / "c.parquet").metadata[KEY_ID.encode()].decode() == key.key_id
    bad = pd.read_csv(desk / "berkut.quarantine.csv")
    assert bad["row"].tolist() == [3, 5, 6, 7]
    assert [why.split("; ")[0] for why in bad["why"]] == [
        "berkut.csv, row 3, column at: '30.02.2024 10:00' is not an instant",
        "berkut.csv, row 5, column direction: 'AA#######' is not one of its codes",
        "berkut.csv, row 6, column person_id: is empty (keyed hash of the person, never a document number)",
        "berkut.csv, row 7: the line does not fit the header",
    ]
    assert bad["person_id"].notna().tolist() == [True, True, False, False]
    for file in (desk / "berkut.quarantine.csv", desk / "c.parquet"):
        assert not [secret for secret in SECRETS if secret.encode() in file.read_bytes()]
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]


def test_what_comes_out_is_taken_in_as_crossings_without_a_fault(desk, con, brought_in):
    brought_in(records(desk, *GOOD))
    assert sorted(one.name for one in desk.iterdir()) == ["berkut.csv", "berkut.toml", "c.parquet"]
    taken = take_in(con, desk / "c.parquet", CROSSING, quarantine=False)
    assert (taken.rows, taken.bad_rows, taken.ignored) == (3, 0, ())


@pytest.mark.parametrize("suffix", ["tsv", "xlsx", "parquet", "json"])
def test_every_kind_of_file_gives_the_same_crossings(desk, suffix, brought_in):
    brought_in(records(desk, *GOOD))
    expected = pq.read_table(desk / "c.parquet")
    frame = pd.read_csv(desk / "berkut.csv", dtype=str)
    path = desk / f"again.{suffix}"
    writers = {
        "tsv": lambda: frame.to_csv(path, index=False, sep="\t"), "xlsx": lambda: frame.to_excel(path, index=False, engine="xlsxwriter"),
        "parquet": lambda: frame.to_parquet(path, index=False), "json": lambda: frame.to_json(path, orient="records", force_ascii=False),
    }  # fmt: skip
    writers[suffix]()
    assert brought_in(path).returncode == 0
    assert pq.read_table(desk / "c.parquet").equals(expected)


def test_several_files_of_one_layout_become_one_and_a_mended_file_leaves_no_old_quarantine(desk, brought_in):
    first, second = records(desk, GOOD[0], BAD[0], name="jan.csv"), records(desk, *GOOD[1:], name="feb.csv")
    assert "crossings: 3; rejected rows: 1" in brought_in(first, second).stderr
    assert (desk / "jan.quarantine.csv").is_file()
    assert not (desk / "feb.quarantine.csv").exists()
    records(desk, GOOD[0], name="jan.csv")
    assert "crossings: 3; rejected rows: 0" in brought_in(first, second).stderr
    assert not (desk / "jan.quarantine.csv").exists()
    assert "is named twice" in brought_in(first, first).stderr


def test_renewed_documents_come_to_the_first(desk, brought_in):
    lines = [f"{document},01.03.2024 10:00,Въезд,UZB,1990" for document in ("A 1", "a2", "A3", "B1")]
    (desk / "renewed.csv").write_text("old,new,on\nA1,A2,2023-01-01\na-2,A3,2024-01-01\n", encoding="utf-8")
    assert brought_in(records(desk, *lines), aliases="renewed.csv").returncode == 0
    ids = pq.read_table(desk / "c.parquet")["person_id"].to_pylist()
    assert [ids.index(one) for one in ids] == [0, 0, 0, 3]


def test_aliases_that_are_hashed_belong_to_crossings_of_the_same_key(desk, brought_in):
    brought_in(records(desk, *GOOD))
    table = pa.table({"old": ["1f"], "new": ["2e"]})
    pq.write_table(table, desk / "a.parquet")
    with pytest.raises(DataError, match="the same person has two ids"):
        hashed_aliases_of(desk / "a.parquet", desk / "c.parquet")
    key_id = pq.read_metadata(desk / "c.parquet").metadata[KEY_ID.encode()]
    pq.write_table(table.replace_schema_metadata({KEY_ID: key_id}), desk / "a.parquet")
    assert hashed_aliases_of(desk / "a.parquet", desk / "c.parquet").resolve(pa.array(["2e"])).to_pylist() == ["1f"]


def test_pieces_change_nothing(desk, monkeypatch):
    lines = [
        f"N{place % 97},{1 + place % 28:02d}.03.2024 10:00,{('Въезд', 'Выезд', '?')[place % 11 // 5]},UZB,1990" for place in range(300)
    ]
    source, layout, key = (
        records(desk, *lines),
        Layout(columns={"document": "Документ", "at": "Время", "direction": "Направление"}),
        Key(b"k" * 40),
    )
    whole = import_files([source], desk / "whole.parquet", layout, key)
    beside = (desk / "berkut.quarantine.csv").read_bytes()
    monkeypatch.setattr("qonys.store.pieces.read_pieces.__kwdefaults__", {"piece_bytes": 2000, "piece_rows": 10})
    told = []
    parts = import_files([source], desk / "parts.parquet", layout, key, tell=lambda _, rows: told.append(rows))
    assert len(told) > 5
    assert parts == whole
    assert pq.read_table(desk / "parts.parquet").equals(pq.read_table(desk / "whole.parquet"))
    assert (desk / "berkut.quarantine.csv").read_bytes() == beside


def test_an_interrupted_import_leaves_no_file(desk, monkeypatch):
    source = records(desk, *(GOOD + BAD[:1]) * 30)
    monkeypatch.setattr("qonys.store.pieces.read_pieces.__kwdefaults__", {"piece_bytes": 2000, "piece_rows": 10})
    before = sorted(desk.iterdir())

    def stop(_, rows):
        if rows > 60:
            raise KeyboardInterrupt

    layout = Layout(columns={"document": "Документ", "at": "Время", "direction": "Направление"})
    with pytest.raises(KeyboardInterrupt):
        import_files([source], desk / "c.parquet", layout, Key(b"k" * 40), tell=stop)
    assert sorted(desk.iterdir()) == before


@pytest.mark.parametrize(
    ("lines", "words", "sentence"),
    [
        ((), (), "berkut.csv holds no records"),
        (BAD[:2], (), "no row of berkut.csv is good: berkut.csv, row 2, column at: '30.02.2024 10:00' is not an instant"),
        (GOOD, ("--layout", "berkut.csv"), "berkut.csv is not valid TOML"),
        (GOOD, ("--layout", "none.toml"), "there is no file none.toml"),
        (GOOD, ("--key-file", "none"), "there is no key file none"),
        (GOOD, ("--key-file", "k"), "lies in the folder of berkut.csv"),
        (GOOD, ("-o", "c.csv"), "call it .parquet"),
        (GOOD, ("-o", "berkut.csv"), "berkut.csv is the input too"),
        (GOOD, ("--aliases", "berkut.csv"), "an alias table has the columns old, new"),
        (GOOD, ("--aliases", "none.csv"), "there is no file none.csv"),
    ],
)  # fmt: skip
def test_an_error_is_one_sentence_with_its_mend_and_leaves_nothing(desk, lines, words, sentence, qonys):
    records(desk, *lines)
    (desk / "k").write_bytes((desk.parent / "keys" / "k").read_bytes())
    (desk / "k").chmod(0o600)
    before = sorted(desk.iterdir())
    given = {"--layout": "berkut.toml", "--key-file": "../keys/k", "-o": "c.parquet"} | dict(zip(words[::2], words[1::2], strict=True))
    done = qonys("border", "import", "berkut.csv", *(word for pair in given.items() for word in pair))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(desk.iterdir()) == before


# The audit trail


def test_the_trail_is_listed_and_whole_until_somebody_changes_it(desk, qonys):
    assert "lines: 0; the trail is whole" in qonys("border", "audit").stderr
    source = records(desk, *GOOD)
    for place in range(3):
        note("border stays --micro", {"on": f"2020-04-1{place}"}, [source])
    done = qonys("border", "audit", "--lang", "kk")
    assert done.returncode == 0
    head = json.loads(audit_file().read_text(encoding="utf-8").splitlines()[-1])["hash"]
    assert "жазба: 3" in done.stderr
    assert head in done.stderr
    assert done.stdout.count("border stays --micro") == 3
    kept = audit_file().read_text(encoding="utf-8")
    audit_file().write_text(kept.replace("2020-04-11", "2020-04-21"), encoding="utf-8")
    done = qonys("border", "audit")
    assert done.returncode == 1
    assert "line 2: was changed after it was written" in done.stderr
    audit_file().write_text("".join(kept.splitlines(keepends=True)[:2]), encoding="utf-8")
    assert qonys("border", "audit").returncode == 0
    done = qonys("border", "audit", "--head", head)
    assert done.returncode == 1
    assert "its end was cut off or it was written anew" in done.stderr


def test_the_example_of_the_docs_works_as_it_is_written(qonys, desk):
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "import-border-records.md").read_text(encoding="utf-8")
    for kind, name in (("csv", "berkut.csv"), ("toml", "berkut.toml")):
        text = page.split(f"```{kind}\n")[1].split("```")[0]
        (desk / name).write_text(text, encoding="utf-8")
    key = desk.parent / "far" / "border.key"
    assert qonys("border", "key", key).returncode == 0
    done = qonys("border", "import", "berkut.csv", "--layout", "berkut.toml", "--key-file", key, "-o", "crossings.parquet")
    assert done.returncode == 0, done.stderr
    assert not (desk / "berkut.quarantine.csv").exists()
    found = pq.read_table(desk / "crossings.parquet").to_pylist()
    assert [row["at"].isoformat() for row in found] == ["2024-02-28T17:30:00", "2024-02-29T19:30:00", "2024-04-02T13:05:00"]
    assert found[1]["person_id"] == found[2]["person_id"] != found[0]["person_id"]
    assert found[1]["citizenship"] == "UZB"
    assert found[1]["birth_year"] == 1992
    assert (
        qonys(
            "border", "classify", "crossings.parquet", "--zone", "Asia/Almaty", "--end", "2024-12-31", "-o", "classified.parquet"
        ).returncode
        == 0
    )
