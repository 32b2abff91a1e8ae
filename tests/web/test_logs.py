"""Logs: one JSON object a line, and nothing in it by which a person, a place or a question could be known."""

from __future__ import annotations

import io
import json
import logging
import warnings

import pytest
from starlette.testclient import TestClient
from tests.web.conftest import PASSWORD, made

from qonys.web import logs
from qonys.web.state import people


@pytest.fixture
def stream():
    """Where lines go; all loggers are as before afterwards."""
    root, own = logging.getLogger(), logging.getLogger("qonys.web")
    before = root.handlers[:], root.level, own.handlers[:], own.level, own.propagate
    found = io.StringIO()
    logs.log_lines(found)
    yield found
    logging.captureWarnings(False)
    root.handlers[:], own.handlers[:], own.propagate = before[0], before[2], before[4]
    root.setLevel(before[1])
    own.setLevel(before[3])


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_request_is_one_line_without_name_address_or_question(tmp_path, stream):
    app = made(tmp_path / "home")
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False, client=("198.51.100.7", 4)) as client:
        people.add(app.state.desk.database, "aigul", role="viewer", password=PASSWORD, by=None)
        client.get("/en/sign-in?next=/en/flows?area=KAZ", headers={"User-Agent": "Aigul's phone"})
        client.post("/en/sign-in", data={"name": "aigul", "password": "wrong horse"})
        client.post("/en/sign-in", data={"name": "aigul", "password": PASSWORD})
        client.get("/en/work/code/secret-entry?person=marat")
        client.get("/nowhere/of/aigul")
    found = [line for line in lines(stream) if "route" in line]
    assert len(found) == 5
    assert {*found[0]} == {"at", "level", "id", "method", "route", "status", "ms"}
    assert [line["status"] for line in found] == [200, 401, 303, *[line["status"] for line in found[3:]]]
    for secret in ("aigul", "Aigul", "198.51.100.7", "KAZ", "marat", "secret-entry", PASSWORD, "wrong horse", "phone"):
        assert secret not in stream.getvalue()


def test_a_fault_is_a_type_and_lines_of_code(stream):
    try:
        {}["Aigul Serikova"]
    except KeyError as error:
        logs.fault("abc", error)
    (line,) = lines(stream)
    assert (line["fault"], line["id"], line["level"]) == ("KeyError", "abc", "error")
    assert all(":" in place for place in line["where"])
    assert "Aigul" not in stream.getvalue()


def test_what_libraries_say_is_a_line_without_what_they_fill_in(stream):
    try:
        raise ValueError("of Aigul")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application for %s", "198.51.100.7")
    logging.getLogger("asyncio").error(OSError("198.51.100.7"))
    logging.getLogger("uvicorn.error").info("not worth a line")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("of Aigul", UserWarning, stacklevel=1)
    found = lines(stream)
    assert [line["logger"] for line in found] == ["uvicorn.error", "asyncio", "py.warnings"]
    assert found[0]["fault"] == "ValueError"
    assert "Aigul" not in stream.getvalue()
    assert "198.51.100.7" not in stream.getvalue()


@pytest.mark.parametrize("message", ["plain words", '{"broken', "[1, 2]", '"text"', "line\nbreak", "\x1b[31mred", '{"fault": "x"}'])
def test_whatever_our_own_modules_log_is_one_object_a_line(stream, message):
    logging.getLogger("qonys.web").error("%s", message)
    assert len(stream.getvalue().splitlines()) == 1
    (line,) = lines(stream)
    assert line["level"] == "error"
