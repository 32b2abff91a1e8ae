"""How a publisher is asked: how long, how often, how fast, through what. Clock and sleep can be put in, so that tests do not wait."""

from __future__ import annotations

import math
import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qonys.core.errors import SourceError

if TYPE_CHECKING:
    from qonys.sources.catalogue import Publisher

OFFLINE, CA_BUNDLE = "QONYS_OFFLINE", "QONYS_CA_BUNDLE"
# names us; without the first word some publishers' gates answer 403 to any program
AGENT = "Mozilla/5.0 (compatible; qonys; official statistics of migration)"
_YES, _NO = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


class Pace:
    """When each host may be asked next. One is shared by all that a process fetches."""

    def __init__(self) -> None:
        self._next: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, host: str, per_minute: int, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        """Sleep until `host` may be asked again; then a minute's share passes before the next."""
        with self._lock:
            now = clock()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + 60 / per_minute
        if turn > now:
            sleep(turn - now)


_PACE = Pace()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How to fetch. Times are seconds, sizes bytes.

    tries: of one request in a row without a byte gained. backoff: pause before the second try, doubled from try to try, with chance.
    longest_pause: of one pause, whatever the publisher asks for. longest: of a fetch in all. poll: between questions for a reply that
    is being prepared. quarantine: where replies of a wrong shape are kept; None: `quarantine` in the folder fetched into.
    proxies: scheme -> address, beside HTTPS_PROXY and its kin of the environment. Errors: SourceError for a number that is none.
    """

    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    tries: int = 5
    backoff: float = 1.0
    longest_pause: float = 120.0
    longest: float = 4 * 3600.0
    poll: float = 10.0
    redirects: int = 5
    per_minute: int = 20
    largest: int = 2_000_000_000
    offline: bool = False
    ca_bundle: Path | None = None
    proxies: Mapping[str, str] | None = None
    quarantine: Path | None = None
    agent: str = AGENT
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    pace: Pace = _PACE

    def __post_init__(self) -> None:
        for name in ("connect_timeout", "read_timeout", "tries", "longest_pause", "longest", "poll", "per_minute", "largest"):
            number = getattr(self, name)
            if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number) or number <= 0:
                raise SourceError(f"the setting {name} is {number!r}", mend="give a number above zero")
        if self.ca_bundle is not None and not Path(self.ca_bundle).exists():
            raise SourceError(f"there is no certificate bundle {self.ca_bundle}", mend=f"check the path in {CA_BUNDLE}")


def settings(publisher: Publisher | None = None, *, environment: Mapping[str, str] = os.environ, **own: Any) -> Settings:
    """Settings from the catalogue's facts of a publisher, from QONYS_OFFLINE and QONYS_CA_BUNDLE, and from `own`, which count most.

    Errors: SourceError for QONYS_OFFLINE that is neither yes nor no, or a bundle that is not there.
    """
    word = environment.get(OFFLINE, "").strip().lower()
    if word not in (*_YES, *_NO):
        raise SourceError(f"{OFFLINE} is {environment[OFFLINE]!r}", mend="set it to 1 or 0")
    bundle = environment.get(CA_BUNDLE, "").strip()
    found = Settings(offline=word in _YES, ca_bundle=Path(bundle) if bundle else None)
    if publisher is not None:
        found = replace(found, per_minute=publisher.per_minute, largest=publisher.largest)
    return replace(found, **own)
