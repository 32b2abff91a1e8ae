"""A dashboard for tests: a home with both built-in studies finished, an application, a client, and a server for browsers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from qonys.web.app import create_app
from qonys.web.settings import settings
from qonys.web.state import people, sessions

LANGUAGES = ("en", "ru", "kk")
STUDIES = ("kazakhstan", "eu-covid")
PASSWORD = "a long word for tests"


@pytest.fixture(scope="session")
def web_home(tmp_path_factory, ran) -> Path:
    """A home with both built-in studies finished, for tests that change nothing."""
    home = tmp_path_factory.mktemp("web")
    for name in STUDIES:
        shutil.copytree(ran(name), home / "runs" / name)
    return home


def made(home: Path, **own):
    """An application that starts no runs and answers nothing beforehand."""
    return create_app(settings(home, environment={}, warm=False, job_slots=0, **own))


@pytest.fixture(scope="session")
def public(web_home):
    """A client of a public dashboard."""
    with TestClient(made(web_home, public=True), follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


@dataclass
class Signed:
    """A client signed in, with what its forms must carry."""

    client: TestClient
    csrf: str
    person: people.Person

    def post(self, path: str, **data):
        from qonys.web.gate import masked

        return self.client.post(path, data={"csrf": masked(self.csrf), **data})


def signed(app, name: str, role: str) -> Signed:
    """A person of a role, signed in."""
    database = app.state.desk.database
    person = people.named(database, name) or people.add(database, name, role=role, password=PASSWORD, by=None)
    token, session = sessions.open_session(database, person)
    client = TestClient(app, follow_redirects=False, raise_server_exceptions=False, cookies={"qonys_session": token})
    return Signed(client, session.csrf, person)


@pytest.fixture(scope="session")
def served(web_home):
    """The address of a public dashboard in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"QONYS_WEB_WARM": "0", "QONYS_WEB_JOB_SLOTS": "0"}
    command = [
        sys.executable,
        "-c",
        "from qonys.cli import main; main()",
        "web",
        "run",
        "--home",
        str(web_home),
        "--port",
        str(port),
        "--public",
    ]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.25)
        else:
            raise AssertionError("the server did not start")
        yield address
    finally:
        process.terminate()
        process.wait(20)
