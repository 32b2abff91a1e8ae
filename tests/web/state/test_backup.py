"""Backups and restores: whole or not at all, also when killed; between both databases; and nothing that an archive says is trusted."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from qonys.core.errors import DataError, DesignError
from qonys.web.state import archive, attempts, audit, backup, passwords, people, sessions
from qonys.web.state.archive import MANIFEST
from qonys.web.state.database import Database
from qonys.web.state.tables import HEAD, adjudications, codings, jobs, metadata, new_id, proposals, rooms

from .conftest import CHEAP, NOW, PASSWORD, after

KILLER = Path(__file__).with_name("killer.py")


def furnish(db, home: Path, name: str = "Aigul") -> None:
    """A home with something of everything."""
    passwords.use_hasher(CHEAP)
    home.mkdir(exist_ok=True)
    admin = people.add(db, name, role="admin", password=PASSWORD, full_name="Қоныс «О'Нил» \n", by="root", now=NOW)
    coder = people.add(db, f"{name}-coder", role="analyst", subject="issuer|1", by=admin, now=NOW)
    sessions.open_session(db, admin, now=NOW)
    sessions.issue_token(db, admin, "script", days=5, role="viewer", now=NOW)
    for number in range(3):
        attempts.failed(db, "someone", f"192.0.2.{number}", now=NOW)
    attempts.cleared(db, name, "192.0.2.9", now=NOW)
    first, second, proposal = "f" * 32, "0" * 32, new_id()
    common = {"owner": admin.id, "created_at": NOW}
    room = {**common, "kind": "corridor", "text": 'title = "Дәліз"\n', "changed_at": after(days=1)}
    with db.begin() as connection:
        connection.execute(
            insert(rooms),
            [{**room, "id": first, "name": "parent", "parent": None}, {**room, "id": second, "name": "child", "parent": first}],
        )
        connection.execute(
            insert(jobs).values(
                kind="study",
                title="kazakhstan",
                asked={"study": "kazakhstan", "n": [1, 2.5, None]},
                error={"what": "w", "mend": "m"},
                progress_of=2**40,
                shared=True,
                **common,
            )
        )
        connection.execute(
            insert(proposals).values(
                id=proposal,
                entry="KAZ-2021-003",
                kind="change",
                register="KAZ",
                text="x",
                base_version=2,
                reason="r",
                author=coder.id,
                created_at=NOW,
            )
        )
        connection.execute(insert(codings).values(proposal=proposal, coder=coder.id, codes={"strength": 2}, created_at=NOW))
        connection.execute(
            insert(adjudications).values(proposal=proposal, adjudicator=admin.id, codes={"strength": 3}, reason="r", created_at=NOW)
        )
    (home / "runs" / "r1").mkdir(parents=True)
    (home / "runs" / "r1" / "table.txt").write_text(f"of {name}\n" * 1000)
    (home / "runs" / "r1" / "empty.txt").write_text("")
    (home / "note.txt").write_text(f"note of {name}")
    (home / "note.txt").chmod(0o640)


def rows(db) -> dict[str, list]:
    with db.read() as connection:
        return {
            name: connection.execute(select(table).order_by(*table.primary_key)).all()
            for name, table in metadata.tables.items()
            if name not in ("settings", "sessions")
        }


@pytest.fixture
def home(tmp_path, db):
    furnish(db, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def packed(db, home, tmp_path):
    return backup.backup(db, [home], home, tmp_path / "backup.zip", by="root", now=after(days=2))


def other_home(tmp_path):
    return tmp_path / "other", f"sqlite:///{tmp_path / 'other' / 'qonys.db'}"


@pytest.mark.parametrize("to", ["sqlite", "postgresql"])
def test_what_was_backed_up_is_there_again_in_either_database(db, home, packed, tmp_path, to, fresh):
    before = rows(db)
    url = fresh(to) if to == "postgresql" else other_home(tmp_path)[1]
    restored = backup.restore(packed, tmp_path / "other", url, by="root", now=after(days=3))
    other = Database(url)
    after_ = rows(other)
    # of the backup the old trail tells, of the restore the new one
    assert [one.action for one in before.pop("audit")][-1] == "backup.write"
    assert [one.action for one in after_.pop("audit")][-1] == "backup.restore"
    assert after_ == before
    assert audit.verify(other) is None
    assert (restored.created_at, restored.files, restored.aside) == (after(days=2), 3, None)
    assert restored.rows == sum(len(one) for one in before.values()) + audit.count(other) - 1 + 2
    assert {path.relative_to(tmp_path / "other").as_posix(): path.read_bytes() for path in (tmp_path / "other").rglob("*.txt")} == {
        path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*.txt")
    }
    assert stat.S_IMODE((tmp_path / "other" / "note.txt").stat().st_mode) == 0o640
    assert people.authenticate(other, "Aigul", PASSWORD).may("admin")
    with other.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 0
    attempts.failed(other, "someone", "192.0.2.77", now=after(days=3))  # numbers go on behind those restored
    assert other.healthy()
    assert not (tmp_path / "other" / backup.SIDE).exists()
    other.close()


def test_an_archive_is_for_its_owner_alone_and_says_what_it_holds(db, home, packed):
    assert stat.S_IMODE(packed.stat().st_mode) == 0o600
    with zipfile.ZipFile(packed) as whole:
        facts = json.loads(whole.read(MANIFEST))
        assert whole.testzip() is None
        assert sorted(facts["members"]) == sorted(set(whole.namelist()) - {MANIFEST})
        assert sorted(name for name in whole.namelist() if name.startswith("files/")) == [
            "files/note.txt",
            "files/runs/r1/empty.txt",
            "files/runs/r1/table.txt",
        ]
    assert (facts["revision"], facts["from"], facts["rows"]["people"], facts["rows"]["rooms"]) == (HEAD, db.url.get_backend_name(), 2, 2)
    assert "sessions" not in facts["rows"]


def test_a_restore_over_another_state_keeps_that_one_aside(db, home, packed, tmp_path):
    folder, url = other_home(tmp_path)
    other = Database(url)
    other.migrate()
    furnish(other, folder, "Marat")
    (folder / "own.txt").write_text("own")
    with pytest.raises(DesignError, match=r"nothing was restored: .* holds note.txt"):
        backup.restore(packed, folder, url)
    assert people.listed(other)[0].name == "Marat"
    restored = backup.restore(packed, folder, url, replace=True, now=after(days=4))
    assert [one.name for one in people.listed(other)] == ["Aigul", "Aigul-coder"]
    assert (folder / "note.txt").read_text() == "note of Aigul"
    assert sorted(path.name for path in restored.aside.iterdir()) == ["database.zip", "note.txt", "own.txt", "runs"]
    assert (restored.aside / "own.txt").read_text() == "own"
    # the state before is itself an archive, and what is aside goes into no backup
    third = tmp_path / "third"
    backup.restore(restored.aside / "database.zip", third, f"sqlite:///{third / 'qonys.db'}")
    assert people.listed(Database(f"sqlite:///{third / 'qonys.db'}"))[0].name == "Marat"
    again = backup.backup(other, [folder], folder, tmp_path / "again.zip")
    with zipfile.ZipFile(again) as whole:
        assert not [name for name in whole.namelist() if "own" in name or "before" in name or "qonys.db" in name]
    other.close()


def test_a_database_in_use_is_not_replaced_unasked(packed, db, address, tmp_path):
    before = rows(db)
    with pytest.raises(DesignError, match="nothing was restored: the database is in use"):
        backup.restore(packed, tmp_path / "empty", address)
    assert rows(db) == before


def test_a_damaged_database_is_put_aside_and_restored(packed, tmp_path):
    folder, url = other_home(tmp_path)
    backup.restore(packed, folder, url)
    path = folder / "qonys.db"
    damaged = path.read_bytes()[:4096] + os.urandom(8192) + path.read_bytes()[12288:]
    for suffix in ("-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    path.write_bytes(damaged)
    with pytest.raises(DesignError, match="nothing was restored"):
        backup.restore(packed, folder, url)
    assert path.read_bytes() == damaged
    restored = backup.restore(packed, folder, url, replace=True)
    assert (restored.aside / "qonys.db").read_bytes() == damaged
    again = Database(url)
    assert [one.name for one in people.listed(again)] == ["Aigul", "Aigul-coder"]
    assert audit.verify(again) is None
    again.close()


def test_a_backup_is_of_one_moment_while_others_write(db, home, tmp_path, monkeypatch):
    real = backup._dumped

    def meanwhile(connection, table, count):
        if table.name == "people":
            people.add(db, "Late", role="viewer", by="root", now=NOW)
        return real(connection, table, count)

    monkeypatch.setattr(backup, "_dumped", meanwhile)
    folder, url = other_home(tmp_path)
    backup.restore(backup.backup(db, [home], home, tmp_path / "b.zip"), folder, url)
    other = Database(url)
    assert people.named(db, "Late") is not None
    assert people.named(other, "Late") is None
    assert audit.verify(other) is None
    assert not [one for one in audit.entries(other) if one.detail.get("name") == "Late"]
    other.close()


def test_what_cannot_be_backed_up_is_said(db, home, tmp_path):
    (home / "link").symlink_to("/etc/passwd")
    (home / "runs" / "link").symlink_to("/etc/passwd")
    for given, what in [
        ("../outside", "outside the home"),
        ("/etc/passwd", "outside the home"),
        ("link", "is a link"),
        ("none", "there is no none"),
    ]:
        with pytest.raises(DesignError, match=what):
            backup.backup(db, [Path(given)], home, tmp_path / "b.zip")
    packed = backup.backup(db, [Path("runs"), home / "note.txt", Path("note.txt")], home, tmp_path / "b.zip")
    with zipfile.ZipFile(packed) as whole:
        assert len([name for name in whole.namelist() if name.startswith("files/")]) == 3
    with pytest.raises(DesignError, match="there is a file"):
        backup.backup(db, [home], home, packed)
    with pytest.raises(DataError, match="cannot be written"):
        backup.backup(db, [home], home, tmp_path / "none" / "b.zip")
    assert sorted(path.name for path in tmp_path.iterdir() if "b.zip" in path.name) == ["b.zip"]


def rewritten(packed: Path, to: Path, *, members=None, infos=(), facts=None, sums=True) -> Path:
    """The archive, forged: members by name (None: left out), further (ZipInfo, bytes), other facts; with right sums or the old ones."""
    import hashlib

    with zipfile.ZipFile(packed) as whole:
        content = {name: whole.read(name) for name in whole.namelist() if name != MANIFEST}
        said = json.loads(whole.read(MANIFEST))
    content = {name: one for name, one in {**content, **(members or {})}.items() if one is not None}
    forged = [(zipfile.ZipInfo(name), one) for name, one in content.items()] + list(infos)
    if sums:
        said["members"] = {info.filename: {"sha256": hashlib.sha256(one).hexdigest(), "size": len(one)} for info, one in forged}
    said |= facts or {}
    with warnings.catch_warnings(), zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as whole:
        warnings.simplefilter("ignore")  # a name that comes twice
        for info, one in forged:
            info.compress_type = zipfile.ZIP_DEFLATED
            whole.writestr(info, one)
        whole.writestr(MANIFEST, json.dumps({name: one for name, one in said.items() if one is not None}))
    return to


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


FORGERIES = {
    "a changed file": ({"members": {"files/note.txt": b"note of Forger"[:13]}, "sums": False}, "is not what was backed up|not as long"),
    "a changed file of another length": ({"members": {"files/note.txt": b"longer than it was before"}, "sums": False}, "not as long"),
    "a file left out": ({"members": {"files/note.txt": None}, "sums": False}, "'files/note.txt' .* is not there once"),
    "a file too many": ({"members": {"files/more.txt": b"x"}, "sums": False}, "'files/more.txt' .* is not there once"),
    "a file twice": ({"infos": [(zipfile.ZipInfo("files/note.txt"), b"x")]}, "is not there once"),
    "a way up": ({"members": {"files/../../evil.txt": b"x"}}, "leads out of the home"),
    "a way up within": ({"members": {"files/a/../note2.txt": b"x"}}, "leads out of the home"),
    "a root": ({"members": {"/tmp/evil.txt": b"x"}}, "leads out of the home"),
    "a windows way": ({"members": {"files\\..\\evil.txt": b"x"}}, "leads out of the home"),
    "an empty part": ({"members": {"files//evil.txt": b"x"}}, "leads out of the home"),
    "a folder": ({"members": {"files/folder/": b""}}, "leads out of the home"),
    "a link": ({"infos": [(link("files/link"), b"/etc/passwd")]}, "is a link or no file"),
    "the database": ({"members": {"files/qonys.db": b"x"}}, "has no place in a home"),
    "the side folder": ({"members": {"files/.restoring/marker.json": b"x"}}, "has no place in a home"),
    "the lock": ({"members": {"files/.restoring.lock": b"x"}}, "has no place in a home"),
    "what is aside": ({"members": {"files/.before-1/x": b"x"}}, "has no place in a home"),
    "another place": ({"members": {"elsewhere/x": b"x"}}, "has no place in a home"),
    "another table": ({"members": {"database/sqlite_master.jsonl": b"{}"}}, "has no place in a home"),
    "a newer program": ({"facts": {"revision": "9999"}}, "of a newer program"),
    "another format": ({"facts": {"format": 2}}, "of format 2"),
    "no revision": ({"facts": {"revision": None}}, "does not say of when"),
    "no sums": ({"facts": {"members": {"files/note.txt": {}}}}, "hash and size"),
    "no list": ({"facts": {"members": None}}, "no manifest"),
    "a bomb": ({"members": {"files/zeros.txt": bytes(20 << 20)}}, "too many for its size"),
    "rows of another table": ({"members": {"database/people.jsonl": b'{"id": "x"}\n'}}, "row 1 of people .* its columns are not"),
    "rows that are none": ({"members": {"database/people.jsonl": b"[1]\n"}}, "row 1 of people"),
    "no JSON": ({"members": {"database/people.jsonl": b"\xff\xfe\n"}}, "row 1 of people"),
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    db = Database(f"sqlite:///{folder / 'home' / 'qonys.db'}")
    db.migrate()
    furnish(db, folder / "home")
    yield backup.backup(db, [folder / "home"], folder / "home", folder / "sample.zip", now=NOW)
    db.close()


@pytest.mark.parametrize("forgery", FORGERIES)
def test_an_archive_that_was_tampered_with_changes_nothing(sample, tmp_path, forgery, monkeypatch):
    monkeypatch.setattr(archive, "SPARE", 1 << 20)
    keywords, what = FORGERIES[forgery]
    forged = rewritten(sample, tmp_path / "forged.zip", **keywords)
    folder, url = other_home(tmp_path)
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match=what):
        backup.restore(forged, folder, url, replace=True)
    assert {path.name for path in folder.iterdir()} - {"qonys.db", "qonys.db-wal", "qonys.db-shm", backup.LOCK} == {"mine.txt"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["forged.zip", "other"]


def test_bytes_that_are_no_archive_change_nothing(sample, tmp_path):
    whole = sample.read_bytes()
    folder, url = other_home(tmp_path)
    bad = tmp_path / "bad.zip"
    for content in (b"", b"PK", whole[: len(whole) // 2], whole[:-30], b"x" * 1000):
        bad.write_bytes(content)
        with pytest.raises(DataError, match="no archive"):
            backup.restore(bad, folder, url)
    for place in range(60, len(whole) - 200, len(whole) // 12):
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            backup.restore(bad, folder, url)
        except DataError:
            assert not list(folder.rglob("*.txt"))
        else:  # a byte that means nothing, such as one of a date
            shutil.rmtree(folder)
    for path in (tmp_path / "none.zip", tmp_path):
        with pytest.raises(DataError, match=r"there is no archive|cannot be read"):
            backup.restore(path, folder, url)


def test_a_full_disk_is_said_before_anything_is_unpacked(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(archive.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1))
    folder, url = other_home(tmp_path)
    with pytest.raises(DataError, match="and 1 are free"):
        backup.restore(sample, folder, url)
    assert [path.name for path in folder.iterdir()] == [backup.LOCK]


def test_two_restores_do_not_meet(sample, tmp_path):
    folder, url = other_home(tmp_path)
    folder.mkdir()
    with backup._alone(folder), pytest.raises(DataError, match="a restore runs in"):
        backup.restore(sample, folder, url)


def test_a_home_that_is_no_folder_is_said(sample, tmp_path):
    (tmp_path / "file").write_text("")
    for home in (tmp_path / "file", tmp_path / "file" / "home"):
        with pytest.raises(DataError, match="cannot be written"):
            backup.restore(sample, home, f"sqlite:///{tmp_path / 'qonys.db'}")


def test_a_database_in_a_folder_of_the_home_is_refused(sample, tmp_path):
    with pytest.raises(DesignError, match="lies in a folder of the home"):
        backup.restore(sample, tmp_path, f"sqlite:///{tmp_path / 'deep' / 'qonys.db'}")


def killed(what, url, home, old, new, stride):
    arguments = [what, url, str(home), str(old), str(new), str(stride)]
    done = subprocess.run([sys.executable, str(KILLER), *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def state_of(name):
    return {
        "files": {"note.txt": f"note of {name}", "runs/r1/empty.txt": "", "runs/r1/table.txt": f"of {name}\n" * 1000},
        "people": [name, f"{name}-coder"], "broken": None, "left": False,
    }  # fmt: skip


STRIDES = [7, pytest.param(1, marks=pytest.mark.slow)]  # quickly: every seventh step


@pytest.mark.parametrize("stride", STRIDES)
def test_a_restore_killed_at_any_step_leaves_the_old_state_or_the_new_one_whole(db, address, tmp_path, kind, stride):
    if kind == "postgresql":
        stride *= 2  # each step takes longer there
    folder, url = other_home(tmp_path)
    other = Database(url)
    other.migrate()
    furnish(other, folder, "New")
    new = backup.backup(other, [folder], folder, tmp_path / "new.zip")
    other.close()
    home = tmp_path / "home"
    furnish(db, home, "Old")
    old = backup.backup(db, [home], home, tmp_path / "old.zip")
    db.close()
    seen = killed("restore", address, home, old, new, stride)
    recovered = [one.pop("recovered") for one in seen]
    known = {"Old": state_of("Old"), "New": state_of("New")}
    found = [next((name for name, state in known.items() if state == one), one) for one in seen]
    assert found == sorted(found, key=list(known).index)
    assert found.count("Old") >= 2
    assert found.count("New") >= 2
    assert any(recovered)


def test_a_backup_killed_at_any_step_leaves_a_whole_archive_or_none(db, address, tmp_path):
    home = tmp_path / "home"
    furnish(db, home, "Old")
    db.close()
    (tmp_path / "to").mkdir()
    *seen, left = killed("backup", address, home, tmp_path, tmp_path / "to" / "b.zip", 1)
    whole = [one.pop("whole") for one in seen]
    assert all(one == state_of("Old") for one in seen)
    assert None in whole
    assert all(one is None or "files/note.txt" in one for one in whole)
    assert left == []  # what a killed one left is gone with the next


def test_a_restore_waits_for_nobody_who_uses_the_database(db, home, packed, address, kind, monkeypatch):
    monkeypatch.setattr("qonys.web.state.database.BUSY", 100)
    if kind == "sqlite":
        with db.begin(), pytest.raises(DataError, match="busy with another writer"):
            backup.restore(packed, home, address, replace=True)
    else:
        with db.read() as reader:
            audit.verify(reader)
            with pytest.raises(DataError, match=r"could not be restored: .*lock timeout") as refusal:
                backup.restore(packed, home, address, replace=True)
        assert "stop the server" in refusal.value.mend
    assert not (home / backup.SIDE).exists()
    assert (home / "note.txt").read_text() == "note of Aigul"
    assert not list(home.glob(".before-*"))
    assert audit.verify(db) is None
