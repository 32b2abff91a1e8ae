"""What all tests share: one DuckDB connection a module, the built-in studies run once, short hypothesis runs, a home that is not the user's."""

from __future__ import annotations

import fcntl
from functools import cache
from itertools import count
from pathlib import Path

import ibis
import pytest
from hypothesis import HealthCheck, Phase, settings

from qonys.core.areas import LANGUAGES
from qonys.store import connect

settings.register_profile(
    # no shrinking: a step of it compiles and runs a query, and a failing case is read well enough as it is
    "qonys", max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck)
)  # fmt: skip
settings.load_profile("qonys")

HOMES = count()
FIGURES = Path(__file__).parents[2] / "shared" / "figures"
DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """What waits for a whole study is slow. Files with slow tests first: a worker that begins one last would keep all others waiting."""
    for item in items:
        if "ran" in item.fixturenames:
            item.add_marker("slow")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="module")
def con():
    return connect()


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("QONYS_HOME", str(tmp_path_factory.getbasetemp() / f"home{next(HOMES)}"))  # whoever uses it makes it


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
def ran(tmp_path_factory, request):
    """The folder of a built-in study, run in every language once for all workers (en at the root, the others below it): whoever asks first
    runs it, the others wait for the lock. Nothing may be written into it."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if hasattr(request.config, "workerinput") else own

    @cache
    def folder(study: str) -> Path:
        from qonys.pipeline import open_study, run_study

        done = shared / f"study-{study}"
        with (shared / f"{study}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (done / "kk" / "report.html").is_file():  # what a run writes last
                run_study(open_study(study), done, LANGUAGES)
        return done

    return folder


@pytest.fixture(scope="session")
def answered(ran):
    """A built-in study, answered."""
    from qonys.pipeline import open_study, reopen

    return cache(lambda study: reopen(open_study(study), ran(study)))


@pytest.fixture(scope="session")
def _opened():
    """Registers that ship with the package, opened, by their names and the day they were known on."""
    return {}


@pytest.fixture
def opened_once(monkeypatch, _opened):
    """Commands find the registers that ship with the package opened already; a register of the test's own is opened as ever."""
    from qonys import laboratory, registers
    from qonys.borders import presence

    opening = registers.open_registers

    def opened(con, names=registers.DEFAULT, *, known_on=None):
        if not set(names) <= set(registers.DEFAULT):
            return opening(con, names, known_on=known_on)
        key = (*names, known_on)
        if key not in _opened:
            _opened[key] = con.to_pyarrow(opening(con, names, known_on=known_on))
        return ibis.memtable(_opened[key])

    for module in (registers, laboratory, presence):
        monkeypatch.setattr(module, "open_registers", opened)
