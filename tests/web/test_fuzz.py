"""The interface against its own description: whatever is asked of it, the answer is one that is described, and no fault of the program."""

from __future__ import annotations

import shutil

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance
from starlette.testclient import TestClient
from tests.web.conftest import made

from qonys.web.state import audit, people, sessions
from qonys.web.views import VIEWS

DESCRIBED = [status_code_conformance, content_type_conformance, response_schema_conformance]


def fuzzed(app, wanted, headers=None, examples=3) -> int:
    """Ask every operation that is wanted what its description allows -> how many answers there were."""
    asked = 0
    for found in schemathesis.openapi.from_asgi("/api/openapi.json", app, headers=headers or {}).get_all_operations():
        operation = found.ok()
        if not wanted(operation):
            continue

        @given(case=operation.as_strategy())
        @settings(max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def ask(case):
            nonlocal asked
            reply = case.call(timeout=300, headers=headers)
            asked += 1
            assert reply.status_code < 500 or reply.status_code == 503, (case.path, reply.text[:400])
            assert "Traceback" not in reply.text
            case.validate_response(reply, checks=DESCRIBED)

        ask()
    return asked


@pytest.mark.slow
def test_no_question_makes_the_interface_fail(public):
    assert fuzzed(public.app, lambda operation: operation.method.lower() == "get") > 6 * len(VIEWS) / 2


@pytest.mark.slow
def test_nothing_that_is_sent_makes_the_interface_fail(web_home, tmp_path):
    """By somebody who may do everything, so that it comes as far as it can."""
    home = shutil.copytree(web_home, tmp_path / "home")
    with TestClient(made(home), raise_server_exceptions=False) as client:
        database = client.app.state.desk.database
        person = people.add(database, "fuzz", role="admin", by=None)
        token, _ = sessions.issue_token(database, person, "fuzz", days=1, role="admin")
        sent = fuzzed(client.app, lambda operation: operation.method.lower() != "get", {"Authorization": f"Bearer {token}"}, 12)
        assert sent > 20
        assert audit.verify(database) is None


def test_the_description_names_every_view_and_refuses_what_it_does_not_know(public):
    told = public.get("/api/openapi.json").json()
    for path in VIEWS:
        assert f"/api/v1/{path}" in told["paths"]
        assert public.get(f"/api/v1/{path}?no_such_thing=1").status_code == 422


def test_the_description_says_that_a_token_opens_it(public):
    told = public.get("/api/openapi.json").json()
    assert told["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert all(one["security"] == [{"token": []}] for path in told["paths"].values() for one in path.values())
