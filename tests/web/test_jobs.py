"""Long runs: claimed once, never silently gone, within their limits, and with a result that is there whole or not at all."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import update

from qonys.core.errors import DataError, DesignError
from qonys.web.jobs import runner as runners
from qonys.web.jobs.asked import check_room, shipped_text
from qonys.web.jobs.runner import Runner
from qonys.web.jobs.worker import part_of, publish
from qonys.web.settings import Settings
from qonys.web.state import audit, jobs, people
from qonys.web.state.database import Database
from qonys.web.state.jobs import Progress
from qonys.web.state.tables import jobs as table
from qonys.web.state.tables import moment

PASSWORD = "four unrelated words"


@pytest.fixture(scope="module")
def cluster():
    """The private server of the tests of `state`."""
    spec = importlib.util.spec_from_file_location("state_conftest", Path(__file__).parent / "state" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if module.BIN is None:
        pytest.skip("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="qonys-pg-", dir="/tmp"))
    server = module.Cluster(folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request, tmp_path):
    """A database of each kind."""
    url = f"sqlite:///{tmp_path / 'qonys.db'}" if request.param == "sqlite" else request.getfixturevalue("cluster").create()
    database = Database(url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def own(tmp_path):
    """Settings and database of a home of one's own."""
    settings = Settings(home=tmp_path / "home", warm=False)
    settings.home.mkdir()
    database = Database(settings.url)
    database.migrate()
    yield settings, database
    database.close()


@pytest.fixture
def quiet(monkeypatch):
    """A runner asks for no studies of its own."""
    monkeypatch.setattr(runners, "queue_built_in", lambda home, database: [])


def analyst(database):
    return people.named(database, "aigul") or people.add(database, "aigul", role="analyst", password=PASSWORD, by=None)


def asked(settings, database, name="north", kind="settlement", **changes):
    """A small run, put into the queue."""
    text = shipped_text(name)
    for old, new in changes.items():
        text = text.replace(*new) if isinstance(new, tuple) else text.replace(old, new)
    person = analyst(database)
    found = check_room(settings.home, kind, text, {}, owner=person.id, shipped_as=name)
    return jobs.queue(database, found.job, title=found.name, owner=person, asked=found.to_json())


def until(condition, seconds=90.0):
    """Wait for what another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def sleeper(job, words="import time; time.sleep(300)"):
    """A process that looks like the worker of a run."""
    return subprocess.Popen([sys.executable, "-c", words, job.id], start_new_session=True)


def parts(settings):
    return [path.name for path in (settings.home / "jobs").glob("*.part*")]


# the queue


def test_a_run_is_claimed_once_however_many_ask_for_it_at_the_same_time(both):
    for number in range(3):
        jobs.queue(both, "totals", title=str(number), owner=None, asked={})
    found = []

    def claim():
        other = Database(both.url.render_as_string(hide_password=False))
        found.append(jobs.claim(other, slots=2))
        other.close()

    threads = [Thread(target=claim) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    claimed = [one.title for one in found if one is not None]
    assert sorted(claimed) == ["0", "1"]  # two slots, the oldest first, each once
    assert all(one.attempt == 1 and one.state == "running" for one in found if one)


def test_only_the_worker_of_the_latest_beginning_writes(both):
    jobs.queue(both, "totals", title="one", owner=None, asked={})
    first = jobs.claim(both)
    assert jobs.begun(both, first.id, 1, os.getpid())
    with both.begin() as connection:
        connection.execute(update(table).values(state="waiting"))
    second = jobs.claim(both)
    assert second.attempt == 2
    assert jobs.tell(both, first.id, 1, Progress(1, 2, "reckon")) == ""
    assert not jobs.finish(both, first.id, 1, "jobs/x")
    assert not jobs.fail(both, first.id, 1, "no", "no")
    assert jobs.tell(both, first.id, 2, Progress(1, 2, "reckon")) == "running"
    assert jobs.finish(both, first.id, 2, "jobs/x")
    assert jobs.job(both, first.id).progress == Progress(1, 2, "reckon")


def test_a_run_whose_process_is_gone_is_begun_anew_and_after_three_times_reported_lost(both):
    one = jobs.queue(both, "totals", title="one", owner=None, asked={})
    for attempt in (1, 2, 3):
        claimed = jobs.claim(both)
        assert claimed.attempt == attempt
        gone = sleeper(claimed, "pass")
        gone.wait()
        jobs.begun(both, one.id, attempt, gone.pid)
        (now,) = jobs.recover(both)
        assert now.state == ("lost" if attempt == 3 else "waiting")
    assert "was lost 3 times" in now.error[0]
    assert now.ended_at is not None
    assert jobs.recover(both) == []


def test_a_run_of_another_host_is_gone_when_it_gives_no_sign_for_a_minute(both):
    jobs.queue(both, "totals", title="one", owner=None, asked={})
    claimed = jobs.claim(both)
    with both.begin() as connection:
        connection.execute(update(table).values(host="elsewhere", pid=os.getpid()))
    assert jobs.recover(both, now=moment() + timedelta(seconds=50)) == []
    (now,) = jobs.recover(both, now=moment() + timedelta(seconds=70))
    assert (now.id, now.state) == (claimed.id, "waiting")


def test_a_process_of_another_program_with_the_number_of_the_worker_is_not_taken_for_it(both):
    jobs.queue(both, "totals", title="one", owner=None, asked={})
    claimed = jobs.claim(both)
    jobs.begun(both, claimed.id, 1, os.getpid())  # of this test, which does no run
    assert [one.state for one in jobs.recover(both)] == ["waiting"]


def test_what_is_asked_and_cancelled_stands_in_the_trail(both):
    person = analyst(both)
    one = jobs.queue(both, "totals", title="one", owner=person, asked={"text": "x"})
    assert jobs.cancel(both, one.id, by=person).state == "cancelled"
    assert [(entry.action, entry.object, entry.name) for entry in audit.entries(both)[:2]] == [
        ("jobs.cancel", one.id, "aigul"),
        ("jobs.queue", one.id, "aigul"),
    ]
    assert jobs.cancel(both, one.id, by=person).state == "cancelled"  # once more changes nothing
    assert audit.verify(both) is None


def test_a_run_of_an_unknown_kind_or_too_many_of_one_person_are_refused(both):
    with pytest.raises(DesignError, match="no run of the kind 'wars'"):
        jobs.queue(both, "wars", title="", owner=None, asked={})
    person = analyst(both)
    for _ in range(jobs.MOST_WAITING):
        jobs.queue(both, "totals", title="x", owner=person, asked={})
    with pytest.raises(DesignError, match="wait already"):
        jobs.queue(both, "totals", title="x", owner=person, asked={})
    with pytest.raises(DataError, match="no such run"):
        jobs.job(both, "0" * 32)


def test_everyone_sees_what_is_shared_and_rooms_as_they_ship_and_nothing_else(both):
    person = analyst(both)
    for title, asked_, state in (
        ("own", {"text": '"unchanged":true'}, "done"),
        ("ships", {"unchanged": True}, "done"),
        ("waits", {"unchanged": True}, "waiting"),
    ):
        one = jobs.queue(both, "totals", title=title, owner=person, asked=asked_)
        with both.begin() as connection:
            connection.execute(update(table).where(table.c.id == one.id).values(state=state))
    assert [one.title for one in jobs.listed(both, open_to_all=True)] == ["ships"]
    mine = next(one for one in jobs.listed(both) if one.title == "own")
    jobs.share(both, mine.id, True, by=person)
    assert {one.title for one in jobs.listed(both, open_to_all=True)} == {"ships", "own"}
    with pytest.raises(DataError, match="finished run"):
        jobs.share(both, next(one.id for one in jobs.listed(both) if one.title == "waits"), True, by=person)


# processes


@pytest.mark.slow
def test_two_servers_on_one_database_do_each_run_once_and_one_at_a_time(own, quiet):
    settings, database = own
    both = [asked(settings, database), asked(settings, database)]
    second = Database(settings.url)
    servers = [Runner(settings, database), Runner(settings, second)]
    for one in servers:
        one.start()
    most = 0
    try:

        def over():
            nonlocal most
            most = max(most, len(jobs.listed(database, states=jobs.ACTIVE)))
            return all(not jobs.job(database, one.id).pending for one in both)

        until(over)
    finally:
        for one in servers:
            one.stop()
        second.close()
    assert most == 1
    for one in (jobs.job(database, job.id) for job in both):
        assert (one.state, one.attempt, one.error, one.folder) == ("done", 1, None, f"jobs/{one.id}")
        made = sorted(
            path.relative_to(settings.home / one.folder).as_posix() for path in (settings.home / one.folder).rglob("*") if path.is_file()
        )
        assert made == [
            "answer.txt", "inputs/north.toml", "run.json", "tables.xlsx", "tables/retained.parquet", "tables/returned.parquet",
            "words/en.json", "words/kk.json", "words/ru.json",
        ]  # fmt: skip
    assert parts(settings) == []


@pytest.mark.slow
def test_a_run_outlives_a_server_that_is_killed_and_the_next_one_finds_it(own, quiet):
    settings, database = own
    one = asked(settings, database)
    words = (
        "import sys, time; from pathlib import Path; from qonys.web.jobs import runner; from qonys.web.settings import Settings; "
        "from qonys.web.state.database import Database; runner.queue_built_in = lambda home, database: []; "
        "s = Settings(home=Path(sys.argv[1])); runner.Runner(s, Database(s.url)).start(); time.sleep(300)"
    )
    server = subprocess.Popen([sys.executable, "-c", words, str(settings.home)], start_new_session=True)
    until(lambda: jobs.job(database, one.id).pid is not None or not jobs.job(database, one.id).pending)
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()
    again = Runner(settings, database)
    again.start()
    try:
        until(lambda: not jobs.job(database, one.id).pending)
    finally:
        again.stop()
    found = jobs.job(database, one.id)
    assert (found.state, found.attempt) == ("done", 1)
    assert parts(settings) == []


def test_a_worker_that_is_killed_is_begun_anew(own, quiet, monkeypatch):
    settings, database = own
    one = asked(settings, database)
    begun = []
    monkeypatch.setattr(runners.os, "posix_spawn", lambda *_, **__: begun.append(sleeper(one)) or begun[-1].pid)
    server = Runner(settings, database)
    server.round()
    assert jobs.job(database, one.id).pid == begun[0].pid
    part = part_of(settings.home, jobs.job(database, one.id))
    part.mkdir()
    begun[0].kill()
    until(lambda: (server.round(), len(begun) == 2)[1], 20)
    assert jobs.job(database, one.id).attempt == 2
    assert not part.exists()
    begun[1].kill()
    for process in begun:
        process.returncode = 0  # the runner has seen their end


def test_cancel_ends_the_worker_with_all_its_processes_and_leaves_nothing_half_written(own, quiet, monkeypatch):
    settings, database = own
    one = asked(settings, database)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)"
    worker = []
    monkeypatch.setattr(runners, "GRACE", 0.5)
    monkeypatch.setattr(runners.os, "posix_spawn", lambda *_, **__: worker.append(sleeper(one, deaf)) or worker[-1].pid)
    server = Runner(settings, database)
    server.round()
    job = jobs.job(database, one.id)
    part = part_of(settings.home, job)
    for folder in (part, part.with_name(f"{part.name}.work")):
        folder.mkdir(parents=True)
    time.sleep(0.5)  # until it is deaf
    assert jobs.cancel(database, one.id, by=analyst(database)).state == "cancelling"
    server.round()
    worker[0].returncode = 0
    assert not jobs.does(job.pid, job.id)
    assert jobs.job(database, one.id).state == "cancelled"
    assert parts(settings) == []
    assert not (settings.home / "jobs" / one.id).exists()


def test_a_run_that_takes_too_long_is_ended_with_a_sentence(own, quiet, monkeypatch):
    settings, database = own
    one = asked(settings, database)
    worker = []
    monkeypatch.setattr(runners.os, "posix_spawn", lambda *_, **__: worker.append(sleeper(one)) or worker[-1].pid)
    server = Runner(settings, database)
    server.round()
    with database.begin() as connection:
        connection.execute(update(table).values(started_at=moment() - timedelta(minutes=settings.job_minutes + 1)))
    server.round()
    worker[0].returncode = 0
    found = jobs.job(database, one.id)
    assert found.state == "failed"
    assert "longer than the 60 minutes" in found.error[0]
    assert not jobs.does(worker[0].pid, one.id)


@pytest.mark.slow
def test_a_run_that_needs_too_much_memory_fails_with_a_sentence(own, quiet):
    settings, database = own
    settings = replace(settings, job_memory=200 * 2**20)
    one = asked(settings, database, "permit", "procedure", runs=("runs = 10", "runs = 1"))
    server = Runner(settings, database)
    server.start()
    try:
        until(lambda: not jobs.job(database, one.id).pending)
    finally:
        server.stop()
    found = jobs.job(database, one.id)
    assert found.state == "failed"
    assert "the 200 MB of memory" in " ".join(found.error)
    assert parts(settings) == []


def test_a_result_takes_the_place_of_an_older_one_at_once(tmp_path, own):
    settings, database = own
    one = replace(jobs.queue(database, "study", title="s", owner=None, asked={"study": "s"}), attempt=1)
    for text in ("old", "new"):
        part = part_of(settings.home, one)
        part.mkdir(parents=True)
        (part / "run.json").write_text(text)
        assert publish(settings.home, one, part) == "runs/s"
        shutil.rmtree(part, ignore_errors=True)
    assert (settings.home / "runs" / "s" / "run.json").read_text() == "new"
    assert [path.name for path in (settings.home / "runs").iterdir()] == ["s"]


def test_studies_that_were_never_run_by_this_version_are_asked_for_once(own):
    settings, database = own
    queued = runners.queue_built_in(settings.home, database)
    assert sorted(one.title for one in queued) == ["eu-covid", "kazakhstan"]
    assert all(one.owner is None for one in queued)
    assert runners.queue_built_in(settings.home, database) == []
