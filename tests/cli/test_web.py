"""qonys web: the first administrator, people, backup, restore, check, and a server that starts only where it is safe."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request

import pandas as pd
import pytest
from argon2 import PasswordHasher
from sqlalchemy import text as sql

from qonys.web.state import audit, onetime, passwords, people
from qonys.web.state.database import Database
from shell import qonys

PASSWORD = "four unrelated words"


@pytest.fixture(autouse=True)
def _cheap():
    passwords.use_hasher(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield
    passwords.use_hasher(None)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "web"


@pytest.fixture
def begun(home):
    """A home with an administrator."""
    assert qonys("web", "init", "--home", home, "--name", "aigul", "--password-stdin", text=PASSWORD).returncode == 0
    return home


@pytest.fixture
def opened(begun):
    database = Database(f"sqlite:///{begun / 'qonys.db'}")
    yield database
    database.close()


def web(*words, home, **more):
    return qonys("web", *words, "--home", home, **more)


# The first administrator


def test_init_makes_the_first_administrator_once(begun, opened):
    assert people.authenticate(opened, "aigul", PASSWORD).role == "admin"
    assert (begun / "qonys.db").stat().st_mode & 0o777 == 0o600
    again = web("init", "--password-stdin", home=begun, text=PASSWORD)
    assert again.returncode == 1
    assert "has the administrator 'aigul'" in again.stderr
    assert PASSWORD not in again.stderr + str(audit.entries(opened))


@pytest.mark.parametrize(
    ("given", "words", "says"),
    [
        ("", ["--password-stdin"], "holds no password"), ("\n", ["--password-stdin"], "holds no password"), ("short", ["--password-stdin"], "at least 12"),
        ("administrator", ["--password-stdin"], "tried first"), (PASSWORD, [], "--password-stdin"), (PASSWORD, ["--password-stdin", "--name", "a b"], "cannot hold"),
        (PASSWORD, ["--password-stdin", "--name", PASSWORD], "cannot hold"),
    ],
)  # fmt: skip
def test_without_a_good_password_there_is_no_administrator_and_never_a_default(home, given, words, says):
    done = web("init", *words, home=home, text=given)
    assert done.returncode == 1
    assert says in done.stderr
    assert pd.read_csv(pd.io.common.StringIO(web("user", "list", home=home).stdout)).empty


def test_a_password_may_have_blanks_at_its_ends(home):
    web("init", "--password-stdin", home=home, text=f" {PASSWORD} \n")
    database = Database(f"sqlite:///{home / 'qonys.db'}")
    assert people.authenticate(database, "admin", f" {PASSWORD} ")
    assert people.authenticate(database, "admin", PASSWORD) is None
    database.close()


# People


def test_a_person_is_added_with_a_one_time_password_on_standard_output_alone(begun, opened):
    done = web("user", "add", "marat", "--role", "analyst", "--lang", "kk", home=begun)
    word = done.stdout.strip()
    person = people.authenticate(opened, "marat", word)
    assert (person.role, person.language) == ("analyst", "kk")
    assert onetime.until(opened, person) is not None
    assert word not in done.stderr


def test_a_password_that_is_given_is_kept_as_it_is_and_not_printed(begun, opened):
    done = web("user", "add", "marat", "--password-stdin", home=begun, text=PASSWORD)
    assert PASSWORD not in done.stdout + done.stderr
    assert onetime.until(opened, people.authenticate(opened, "marat", PASSWORD)) is None


def test_people_are_changed_by_name_and_it_is_noted_who_did(begun, opened):
    word = web("user", "add", "marat", home=begun).stdout.strip()
    assert web("user", "role", "MARAT", "adjudicator", home=begun).returncode == 0
    assert people.named(opened, "marat").role == "adjudicator"
    assert web("user", "disable", "marat", home=begun).returncode == 0
    assert people.authenticate(opened, "marat", word) is None
    assert web("user", "enable", "marat", home=begun).returncode == 0
    other = web("user", "password", "marat", home=begun).stdout.strip()
    assert people.authenticate(opened, "marat", other)
    web("user", "password", "marat", "--password-stdin", home=begun, text=PASSWORD)
    assert onetime.until(opened, people.authenticate(opened, "marat", PASSWORD)) is None
    found = audit.entries(opened)
    assert [one.action for one in found[:2]] == ["people.password", "people.password"]
    assert all(one.person is None and one.name for one in found)
    listed = pd.read_csv(pd.io.common.StringIO(web("user", "list", home=begun).stdout))
    assert list(listed["name"]) == ["aigul", "marat"]
    assert list(listed["role"]) == ["admin", "adjudicator"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["user", "role", "marta", "viewer"], "did you mean 'marat'"), (["user", "role", "marat", "king"], "no role 'king'"), (["user", "add", "marat"], "is taken"),
        (["user", "disable", "aigul"], "last administrator"), (["user", "role", "aigul", "viewer"], "last administrator"), (["user", "add", "x"], "2 to 64"),
        (["user", "add", "new", "--lang", "de"], "language 'de'"), (["check", "--head", "nonsense"], "number and the hash"), (["user", "password", "nobody"], "no person"),
    ],
)  # fmt: skip
def test_whatever_is_wrong_is_a_sentence(begun, words, says):
    web("user", "add", "marat", home=begun)
    done = web(*words, home=begun)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["user", "list"], ["user", "add", "x1"], ["check"], ["backup", "q.zip"]])
def test_a_folder_that_is_no_home_is_not_made_one(tmp_path, words):
    done = web(*words, home=tmp_path / "none")
    assert done.returncode == 1
    assert "is no home" in done.stderr
    assert not (tmp_path / "none").exists()


# Backup, restore, check


def test_what_was_backed_up_comes_back(begun, tmp_path):
    (begun / "runs").mkdir()
    (begun / "runs" / "one.txt").write_text("kept", encoding="utf-8")
    (tmp_path / "backups").mkdir()
    assert web("backup", tmp_path / "backups", home=begun).returncode == 0
    (archive,) = (tmp_path / "backups").iterdir()
    (begun / "runs" / "one.txt").write_text("changed", encoding="utf-8")
    web("user", "add", "marat", home=begun)
    refused = web("restore", archive, home=begun)
    assert refused.returncode == 1
    assert "nothing was restored" in refused.stderr
    done = web("restore", archive, "--replace", home=begun)
    assert done.returncode == 0
    assert "what was there before is in" in done.stderr
    assert (begun / "runs" / "one.txt").read_text(encoding="utf-8") == "kept"
    assert "marat" not in web("user", "list", home=begun).stdout
    assert web("check", home=begun).returncode == 0


def test_a_backup_is_not_written_into_what_it_backs_up(begun):
    done = web("backup", begun / "q.zip", home=begun)
    assert done.returncode == 1
    assert "inside the home" in done.stderr
    assert not (begun / "q.zip").exists()


def test_an_archive_that_is_none_is_refused(begun, tmp_path):
    for content in (b"", b"PK\x03\x04", b"not an archive"):
        (tmp_path / "q.zip").write_bytes(content)
        assert web("restore", tmp_path / "q.zip", "--replace", home=begun).returncode == 1
    assert web("restore", tmp_path / "none.zip", "--replace", home=begun).returncode == 1
    assert "aigul" in web("user", "list", home=begun).stdout


def test_check_tells_the_head_and_finds_what_was_touched(begun, opened):
    done = web("check", home=begun)
    head = done.stdout.splitlines()[1].removeprefix("head ")
    assert done.stdout.startswith("database 0001\n")
    web("user", "add", "marat", home=begun)
    assert web("check", "--head", head, home=begun).returncode == 0
    assert web("check", "--head", f"1 {'0' * 64}", home=begun).returncode == 1
    with opened.begin() as connection:
        for trigger in connection.scalars(sql("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")).all():
            connection.execute(sql(f"DROP TRIGGER {trigger}"))
        connection.execute(sql("DELETE FROM audit WHERE number = 1"))
    broken = web("check", home=begun)
    assert broken.returncode == 1
    assert "broken at entry 1" in broken.stderr


# The server


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_a_server_that_others_could_reach_does_not_start_without_an_administrator(home, host):
    done = web("run", "--host", host, home=home)
    assert done.returncode == 1
    assert "there is no administrator" in done.stderr


def test_a_port_that_is_taken_or_an_address_of_another_machine_is_a_sentence(begun):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = web("run", "--port", taken.getsockname()[1], home=begun)
    assert done.returncode == 1
    assert "address already in use" in done.stderr
    done = web("run", "--host", "192.0.2.1", home=begun)
    assert done.returncode == 1
    assert "cannot listen at 192.0.2.1" in done.stderr
    assert "plain http" in done.stderr


def test_a_server_prints_its_address_answers_logs_lines_and_ends_when_told(begun):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = os.environ | {"QONYS_WEB_WARM": "0", "QONYS_WEB_JOB_SLOTS": "0"}
    words = [sys.executable, "-m", "qonys", "web", "run", "--home", begun, "--port", str(port)]
    process = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stderr.readline() == f"http://127.0.0.1:{port}\n"
        # the socket listens before the address is printed: whoever asks now is answered when the server is ready
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as reply:
            assert reply.status == 200
            assert "server" not in {name.lower() for name in reply.headers}
        process.send_signal(signal.SIGTERM)
        out, told = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode in (0, -signal.SIGTERM)
    assert out == ""
    assert all(line.startswith("{") for line in told.splitlines())
    assert '"route": "/health"' in told
