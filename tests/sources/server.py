"""A publisher on loopback that says what it is told to say, with every fault a network can have; and a clock that does not wait."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from qonys.sources.settings import Pace, Settings


@dataclass(frozen=True, kw_only=True)
class Say:
    """One answer. declare: the Content-Length that is told, None for none; cut: bytes of the body after which the connection is closed;
    drop: closed without a word; delay: seconds before it; chunked: in chunks, without a length."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    declare: int | None = -1
    cut: int | None = None
    drop: bool = False
    delay: float = 0.0
    chunked: bool = False


@dataclass(frozen=True)
class Asked:
    path: str
    headers: dict[str, str]


class Server:
    """`say(path, one, two)`: the first request of a path is answered with one, all later ones with two."""

    def __init__(self, *, certificate: tuple[str, str] | None = None) -> None:
        """certificate: file and key; the server then speaks HTTPS."""
        self.asked: list[Asked] = []
        self._said: dict[str, list[Say | Callable[[Asked], Say]]] = {}
        handler = type("Handler", (_Handler,), {"server_": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
            self._http.handle_error = lambda *_: None  # who refuses the certificate hangs up
        self.url = f"{'http' if certificate is None else 'https'}://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def say(self, path: str, *answers: Say | Callable[[Asked], Say]) -> str:
        self._said[path] = list(answers)
        return self.url + path

    def answer(self, asked: Asked) -> Say:
        self.asked.append(asked)
        said = self._said.get(asked.path.partition("?")[0], [Say(status=404)])
        one = said.pop(0) if len(said) > 1 else said[0]
        return one(asked) if callable(one) else one

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    server_: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        said = self.server_.answer(Asked(self.path, {name.lower(): value for name, value in self.headers.items()}))
        time.sleep(said.delay)
        self.close_connection = True
        if said.drop:
            return
        self.send_response(said.status)
        for name, value in said.headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        body = said.body if said.cut is None else said.body[: said.cut]
        if said.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[i : i + 1000] for i in range(0, len(body), 1000)))
            body += b"" if said.cut is not None else b"0\r\n\r\n"
        elif said.declare is not None:
            self.send_header("Content-Length", str(len(said.body) if said.declare == -1 else said.declare))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:  # the other side has had enough
            return

    def log_message(self, *_: Any) -> None:
        return


def file_of(
    body: bytes, *, etag: str = '"one"', media_type: str = "text/csv", first_cut: int | None = None, heed_if_range: bool = True
) -> Callable[[Asked], Say]:
    """A file that can be had in parts, whose first answer is cut off after `first_cut` bytes."""
    state = {"first": True}

    def answer(asked: Asked) -> Say:
        cut, state["first"] = first_cut if state["first"] else None, False
        headers = {"Content-Type": media_type, "ETag": etag}
        wanted, held = asked.headers.get("range"), asked.headers.get("if-range")
        if wanted and (held == etag or not heed_if_range):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(body):
                return Say(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
            return Say(
                status=206, body=body[start:], headers={**headers, "Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}, cut=cut
            )
        return Say(body=body, headers=headers, cut=cut)

    return answer


class Clock:
    """Time that passes only in sleep."""

    def __init__(self) -> None:
        self.now_ = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_ += seconds

    def settings(self, **own: Any) -> Settings:
        start = datetime(2026, 1, 15, 12, tzinfo=UTC)
        facts: dict[str, Any] = {
            "clock": lambda: self.now_, "sleep": self.sleep, "chance": lambda: 1.0, "now": lambda: start + timedelta(seconds=self.now_),
            "pace": Pace(), "per_minute": 6000, "read_timeout": 5.0, "connect_timeout": 5.0,
        }  # fmt: skip
        return Settings(**(facts | own))
