"""The dashboard under twenty readers at once: every page beside a bare file of the same server, the weight of the first page, the start.

`bench/__main__.py` calls it as `print(web(), flush=True)` after `from bench.web import web`.
"""

from __future__ import annotations

import compileall
import os
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy as np

import qonys
from qonys.pipeline import open_study, run_study
from qonys.web.state import people, sessions
from qonys.web.state.database import Database
from qonys.web.views import VIEWS

READERS, ROUNDS = 20, 6  # readers at once; how often each reads every page
STUDIES = ("kazakhstan", "eu-covid")
LANGUAGES = ("en", "ru", "kk")
# pages that are made for one person, or anew each time
OWN = (
    "rooms", "rooms/procedure", "rooms/corridor", "rooms/settlement", "runs", "studies", "studies/kazakhstan", "studies/claims", "work",
    "work/propose", "work/import", "account", "admin", "admin/trail", "admin/system", "about", "methods/nowcast",
)  # fmt: skip


def web() -> str:
    """One line for readers of a public dashboard, one for people who are signed in: percentiles of the time to the last byte."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name in STUDIES:
            run_study(open_study(name), home / "runs" / name, ("en",))
        return "\n".join(_served(home, public) for public in (True, False))


def _served(home: Path, public: bool) -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", "from qonys.cli import main; main()", "web", "run", "--home", str(home), "--port", str(port)]
    environment = os.environ | {"QONYS_WEB_JOB_SLOTS": "0", "QONYS_WEB_PUBLIC": str(int(public))}
    compileall.compile_dir(Path(qonys.__file__).parent, quiet=1)  # as an installer leaves a package
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        up = _up(address, started)
        cookies = [{}] * READERS if public else [{"qonys_session": _session(home, place)} for place in range(READERS)]
        return f"dashboard, {'public' if public else 'everybody signed in'}: {_read(address, up, cookies)}"
    finally:
        process.terminate()
        process.wait(30)


def _session(home: Path, place: int) -> str:
    database = Database(f"sqlite:///{home / 'qonys.db'}")
    person = people.add(database, f"reader{place}", role="admin", by="bench")
    token, _ = sessions.open_session(database, person)
    database.close()
    return token


def _up(address: str, started: float) -> float:
    while time.perf_counter() - started < 120:
        try:
            if httpx2.get(f"{address}/health").status_code == 200:
                return time.perf_counter() - started
        except httpx2.TransportError:
            time.sleep(0.05)
    raise RuntimeError("the dashboard did not start")


def _read(address: str, up: float, cookies: list[dict[str, str]]) -> str:
    pages = [f"/{language}/{path}" for path in (*VIEWS, *(OWN if cookies[0] else ())) for language in LANGUAGES]
    with httpx2.Client(base_url=address, timeout=120, cookies=cookies[0]) as client:
        first = time.perf_counter()
        weights = {page: _weight(client.get(page)) for page in pages}  # also answers each once, as the server does beforehand
        cold = time.perf_counter() - first
        mark = client.get("/en/situation").text.partition('rel="icon" href="')[2].partition('"')[0]
    bare = _times(address, [mark], cookies)[mark]
    times = _times(address, pages, cookies)
    worst = max(times, key=lambda page: float(np.percentile(times[page], 95)))
    every = np.concatenate(list(times.values()))
    slow = float(np.percentile(times[worst], 95))
    bound = float(np.percentile(bare, 95))
    weight = f"heaviest page {max(weights.values()) / 1000:.0f} kB, first page {weights['/en/situation'] / 1000:.0f} kB as sent"
    return (
        f"{READERS} readers at once, {len(pages)} pages: median {1000 * np.median(every):.0f} ms, 95 % within "
        f"{1000 * np.percentile(every, 95):.0f} ms; the slowest page ({worst}) {1000 * slow:.0f} ms, {slow / bound:.1f} times a bare file "
        f"of the same server; {len(every) / (every.sum() / READERS):.0f} pages a second; {weight}; up after {up:.1f} s, all pages "
        f"answered anew in {cold:.0f} s"
    )


def _weight(reply: httpx2.Response) -> int:
    assert reply.status_code == 200, reply.url
    return reply.num_bytes_downloaded


def _times(address: str, pages: list[str], cookies: list[dict[str, str]]) -> dict[str, np.ndarray]:
    """Seconds of each reading of each page; readers begin at different pages."""

    def reader(place: int) -> list[tuple[str, float]]:
        taken = []
        with httpx2.Client(base_url=address, timeout=120, cookies=cookies[place]) as client:
            own = pages[place * 7 % len(pages) :] + pages[: place * 7 % len(pages)]
            for page in own * ROUNDS:
                begun = time.perf_counter()
                client.get(page).raise_for_status()
                taken.append((page, time.perf_counter() - begun))
        return taken

    with ThreadPoolExecutor(READERS) as pool:
        found = [one for taken in pool.map(reader, range(READERS)) for one in taken]
    return {page: np.array([second for own, second in found if own == page]) for page in pages}
