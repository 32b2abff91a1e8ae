"""qonys procedure, corridor, settle: data to stdout, talk to stderr in three languages, and one sentence for whatever is wrong."""

from __future__ import annotations

import io
import re
from dataclasses import fields

import pandas as pd
import pytest

from qonys.i18n import words
from qonys.rooms import fit_file, simulate_file
from qonys.rooms.corridors import open_corridor
from qonys.rooms.settlements import place_file, retention_of_file
from qonys.scenarios.corridor import binding, conflict, plan, replan, withstand
from qonys.scenarios.settlement.totals import from_totals
from qonys.store import write_table
from rooms.room_files import CORRIDOR, DESIGN, PROCEDURE, households, placement, put, qonys  # noqa: F401

TIGHT = CORRIDOR.replace("left = 10", "left = 10, home_by = 2020-04-08")
SHUT = CORRIDOR.replace("permits_per_day = 4", "permits_per_day = 4\nclosed = [{ first = 2020-04-09, last = 2020-04-13 }]")
VERBS = [
    "procedure simulate desk.toml", "procedure cases desk.toml", "procedure fit log.csv --declared desk.toml --limit 40",
    "corridor plan way.toml --binding 1", "corridor conflict way.toml", "corridor conflict tight.toml",
    "corridor replan shut.toml --done plan --on 2020-04-09", "corridor withstand way.toml --chance 0.1 --scenarios 2 --tests 3",
    "settle retention records.csv --design stay.toml --by rent_cover --draws 40", "settle totals 770 9206 --family 4",
    "settle place north.toml", "settle place north.toml --as-they-arrive",
]  # fmt: skip
UNSHOWN = ("candidates", "order", "faults", "draws", "tests", "nominal")  # of a result, and printed by no command
SAID = {"en": r"[a-z]{3} [a-z]{2}", "ru": r"[а-я]{3}", "kk": r"[әғқңөұүһі]"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Small files of every room, and a plan that is kept; read only."""
    from qonys.cli.corridor import plan as command
    from qonys.cli.procedure import cases as log

    made = tmp_path_factory.mktemp("rooms")
    for name, text in (("desk.toml", PROCEDURE), ("way.toml", CORRIDOR), ("tight.toml", TIGHT), ("shut.toml", SHUT), ("stay.toml", DESIGN)):
        put(made / name, text)
    households(120).to_csv(made / "records.csv", index=False)
    placement(made)
    log(made / "desk.toml", output=made / "log.csv")
    command(made / "way.toml", to=made / "plan", output=made / "schedule.csv")
    return made


@pytest.mark.parametrize("lang", ["kk", pytest.param("en", marks=pytest.mark.slow), pytest.param("ru", marks=pytest.mark.slow)])
@pytest.mark.parametrize("command", VERBS)
def test_every_verb_gives_a_table_to_the_next_program_and_sentences_in_the_language(qonys, folder, monkeypatch, command, lang):  # noqa: F811
    monkeypatch.chdir(folder)
    done = qonys(*command.split(), "--lang", lang)
    assert done.code == 0, done.told
    table = pd.read_csv(io.StringIO(done.out))
    assert len(table.columns) > 2
    assert not any(column.startswith("Unnamed") for column in table.columns)
    sentences = done.told.splitlines()
    assert sentences or "cases" in command
    for sentence in sentences:
        assert re.search(SAID[lang], sentence), sentence
        assert not re.search(r"\{|\}|NaN|\bNone\b|[a-z]{2}\.[a-z]{2}|Traceback|Warning", sentence), sentence
        assert not re.search(r"[a-z]+_[a-z]+", sentence.replace("as_is", "")), sentence


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet", ".xlsx"])
def test_a_table_goes_to_a_file_by_its_suffix_and_nothing_to_stdout(qonys, folder, tmp_path, suffix):  # noqa: F811
    done = qonys("corridor", "plan", folder / "way.toml", "--show", "groups", "-o", tmp_path / f"groups{suffix}")
    assert (done.code, done.out) == (0, "")
    assert done.told.splitlines()[0] == f"{tmp_path / f'groups{suffix}'}: 2"


def test_every_column_of_every_table_has_a_heading_in_every_language(folder):
    _, simulated, _ = simulate_file(folder / "desk.toml", runs=2)
    opened = open_corridor(folder / "way.toml")
    planned = plan(opened.corridor)
    bound, stayed = binding(planned, most=1), retention_of_file(folder / "records.csv", design=folder / "stay.toml", draws=0)
    results = [
        simulated, fit_file(folder / "log.csv", declared=folder / "desk.toml").fitted, planned, bound, conflict(opened.corridor),
        replan(open_corridor(folder / "shut.toml").corridor, planned, on=opened.corridor.first),
        withstand(opened.corridor, chance=0.1, scenarios=1, tests=1), stayed.retention, stayed.effects, place_file(folder / "north.toml").placed,
        from_totals(770, 9206),
    ]  # fmt: skip
    shown = [(one, field.name) for one in results for field in fields(one) if field.name not in UNSHOWN]
    tables = {f"{type(one).__name__}.{name}": getattr(one, name) for one, name in shown} | {"costs": stayed.costs}
    columns = {(name, column) for name, table in tables.items() if isinstance(table, pd.DataFrame) for column in table.columns}
    for lang in ("en", "ru", "kk"):
        assert {column: name for name, column in columns if not words(lang).has(f"column.{column}")} == {}


READERS = [
    "procedure simulate", "procedure cases", "corridor plan", "corridor conflict", "corridor withstand --chance 0.1",
    "corridor replan --done plan --on 2020-04-09", "settle place",
]  # fmt: skip
LOGS = ["procedure fit", "settle retention"]
FILES = {
    "none.toml": None, "empty.toml": b"", "bytes.toml": bytes(range(256)), "cyrillic.toml": 'name = "\u049a"'.encode("utf-16"), "nothing.toml": b"x",
    "labels.toml": b"labels = 3\n", "other.toml": b'title = "a study"\nareas = ["KAZ"]\n',
}  # fmt: skip
TABLES = {
    "none.csv": None, "empty.csv": b"", "bytes.csv": bytes(range(256)) * 4, "cyrillic.csv": "case_id,step\nшаг,1\n".encode("cp1251"),
    "other.csv": b"a,b\n1,2\n", "rubbish.parquet": b"PAR1rubbish", "rubbish.xlsx": b"rubbish", "desk.toml": PROCEDURE.encode(),
    "rows.csv": b"case_id,step,agency,ready_at,household_id,moved_on\n", "twice.csv": b"case_id,case_id\n1,2\n",
}  # fmt: skip
XES = {
    "empty.xes": b"",
    "bytes.xes": bytes(range(256)),
    "cut.xes": b'<?xml version="1.0"?><log><trace>',
    "plain.xes.gz": b"no gzip",
    "log.csv.gz": b"x",
}


@pytest.mark.parametrize(
    ("command", "name", "content"),
    [(command, *file) for command in READERS for file in FILES.items()] + [(command, *file) for command in LOGS for file in TABLES.items()]
    + [("procedure fit", *file) for file in XES.items()],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_sentence_and_exit_1(qonys, folder, tmp_path, monkeypatch, command, name, content):  # noqa: F811
    if content is not None:
        put(tmp_path / name, content)
    monkeypatch.chdir(folder)
    noun, verb, *options = command.split()
    done = qonys(noun, verb, tmp_path / name, *options)
    refused(done, name)


def refused(done, name=""):
    assert (done.code, done.out) == (1, "")
    assert done.told.startswith("qonys: ")
    assert done.told.count("\n") == 1
    assert name in done.told or "the log has no rows" in done.told
    assert ";" in done.told
    assert "a fault of the program" not in done.told


@pytest.mark.parametrize("command", READERS + LOGS)
def test_a_directory_is_no_file(qonys, folder, tmp_path, monkeypatch, command):  # noqa: F811
    (tmp_path / "here.toml").mkdir()
    monkeypatch.chdir(folder)
    noun, verb, *options = command.split()
    refused(qonys(noun, verb, tmp_path / "here.toml", *options), "here.toml")


@pytest.mark.parametrize("command", ["procedure simulate desk.toml", "corridor plan way.toml", "settle place north.toml"])
def test_the_file_of_one_room_is_refused_by_the_others(qonys, folder, monkeypatch, command):  # noqa: F811
    monkeypatch.chdir(folder)
    noun, verb, own = command.split()
    for other in {"desk.toml", "way.toml", "north.toml", "stay.toml"} - {own}:
        refused(qonys(noun, verb, other), other)


@pytest.mark.parametrize("command", ["procedure simulate desk.toml", "procedure fit log.csv", "corridor plan way.toml", "settle place north.toml",
                                     "corridor replan shut.toml --done plan --on 2020-04-09", "settle retention records.csv"])  # fmt: skip
def test_a_file_where_the_results_should_go_is_said_before_anything_is_reckoned(qonys, folder, tmp_path, monkeypatch, command):  # noqa: F811
    monkeypatch.chdir(folder)
    way = put(tmp_path / "here", "x")
    refused(qonys(*command.split(), "--to", way), "here")
    refused(qonys(*command.split(), "--to", way / "below"), "here")


@pytest.mark.parametrize(
    ("words_", "code"),
    [
        ("procedure", 2), ("procedure simulate", 2), ("procedure simulate desk.toml --show outcome", 2), ("procedure simulate desk.toml --lang de", 2),
        ("procedure simulate desk.toml --runs x", 2), ("procedure simulate desk.toml --seed -1", 2), ("procedure cases desk.toml --run -1", 2),
        ("procedure cases desk.toml --variant mor", 1), ("procedure simulate desk.toml -o x.doc", 1), ("corridor withstand way.toml", 2),
        ("corridor replan shut.toml --on 2020-04-09", 2), ("corridor withstand way.toml --chance 5", 1), ("corridor withstand way.toml --chance nan", 1),
        ("corridor withstand way.toml --chance 0.1 --tests 0", 1), ("corridor plan way.toml --binding -1", 2), ("corridor conflict tight.toml --seconds 0", 1),
        ("settle retention records.csv --by nothing", 1), ("settle retention records.csv --show costs", 1),
        ("settle retention records.csv --design stay.toml --draws -1", 1), ("settle retention records.csv --design desk.toml", 1),
        ("settle retention records.csv --by household_id", 1), ("settle place north.toml --show nothing", 2),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_refused(qonys, folder, monkeypatch, words_, code):  # noqa: F811
    monkeypatch.chdir(folder)
    done = qonys(*words_.split())
    assert (done.code, "Traceback" in done.told, "a fault of the program" in done.told) == (code, False, False)
    assert done.out == "" or words_ == "procedure"
    if code == 1:
        refused(done)


@pytest.mark.slow
def test_a_log_stored_as_parquet_is_read_as_it_is_as_csv(folder, tmp_path):
    write_table(pd.read_csv(folder / "log.csv"), tmp_path / "log.parquet")
    first, again = (fit_file(one).fitted.durations for one in (folder / "log.csv", tmp_path / "log.parquet"))
    pd.testing.assert_frame_equal(first, again)
