"""What all tests share: one DuckDB connection a module, short hypothesis runs, a home for snapshots that is not the user's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

from qonys.store import connect

settings.register_profile(
    # no shrinking: a step of it compiles and runs a query, and a failing case is read well enough as it is
    "qonys", max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)  # fmt: skip
settings.load_profile("qonys")

FIGURES = Path(__file__).parents[2] / "shared" / "figures"
DATA = Path(__file__).parents[2] / "shared" / "data"


def pytest_collection_modifyitems(items):
    """Files with slow tests first: a worker that begins one of them last would keep all others waiting."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="module")
def con():
    return connect()


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("QONYS_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def figures() -> Path:
    if not FIGURES.is_dir():
        pytest.skip(f"the shared figures are not in {FIGURES}")
    return FIGURES


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real files of publishers, read by tests and never committed."""
    if not DATA.is_dir():
        pytest.skip(f"the shared data files are not in {DATA}")
    return DATA


@pytest.fixture(scope="session")
def answered():
    """A built-in study answered once a session."""
    from qonys import pipeline

    return cache(lambda study: pipeline.answer(pipeline.open_study(study)))
