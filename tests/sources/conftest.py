"""A publisher on loopback and a clock for tests of the network."""

from __future__ import annotations

import pytest
from server import Clock, Server


@pytest.fixture
def server():
    with Server() as running:
        yield running


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(autouse=True)
def _own_network(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "QONYS_OFFLINE", "QONYS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
