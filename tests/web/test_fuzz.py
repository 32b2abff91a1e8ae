"""The interface against its own description: whatever is asked of it, the answer is one that is described, and no fault of the program."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from qonys.web.views import VIEWS

DESCRIBED = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.mark.slow
def test_no_question_makes_the_interface_fail(public):
    described = schemathesis.openapi.from_asgi("/api/openapi.json", public.app)
    asked = 0
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.method.lower() != "get":
            continue

        @given(case=operation.as_strategy())
        @settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        def ask(case):
            nonlocal asked
            reply = case.call(timeout=300)
            asked += 1
            assert reply.status_code < 500 or reply.status_code == 503, (case.path, reply.text[:400])
            assert "Traceback" not in reply.text
            case.validate_response(reply, checks=DESCRIBED)

        ask()
    assert asked > 8 * len(VIEWS) / 2


def test_the_description_names_every_view_and_refuses_what_it_does_not_know(public):
    told = public.get("/api/openapi.json").json()
    for path in VIEWS:
        assert f"/api/v1/{path}" in told["paths"]
        assert public.get(f"/api/v1/{path}?no_such_thing=1").status_code == 422
