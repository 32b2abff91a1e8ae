"""Where a view is asked: the words of the reader, the finished studies of this home, and the store of publishers' data."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qonys.core.errors import StudyError, nearest
from qonys.pipeline import built_in, open_study, reopen
from qonys.web.house import House

if TYPE_CHECKING:
    from qonys.i18n import Words
    from qonys.pipeline import Answered
    from qonys.studies import Study

KEPT = 400  # answers held in memory


class NotYet(StudyError):
    """A study whose run has not ended: ask again later."""

    status = 503
    again = 15  # seconds until it is worth asking again


class Runs:
    """Finished studies below a folder, `runs/NAME`, opened once and again when they are run anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, tuple[int, Answered]] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """Built-in studies, and those of users that were run here."""
        own = sorted(path.parent.name for path in self.folder.glob("*/study.toml"))
        return list(dict.fromkeys([*built_in(), *own]))

    def place(self, name: str) -> Path:
        """The folder of a study's run. Errors: StudyError for a name that is none."""
        if name not in self.names():
            raise StudyError(f"there is no study {name!r}", mend=nearest(name, self.names()))
        return self.folder / name

    def study(self, name: str) -> Study:
        """A study as it is declared, run or not. Own ones stand beside their run."""
        own = self.place(name) / "study.toml"
        return _declared(str(own), own.stat().st_mtime_ns) if own.is_file() else _declared(name, 0)

    def has(self, name: str) -> bool:
        """Was it run to its end?"""
        return (self.place(name) / "run.json").is_file()

    def answered(self, name: str) -> Answered:
        """A finished study. Errors: StudyError for one that does not exist or has not been run yet."""
        folder = self.place(name)
        told = folder / "run.json"
        if not told.is_file():
            raise NotYet(f"the study {name} has not been run here yet", mend="wait for its run, or start it under Studies")
        stamp = told.stat().st_mtime_ns
        with self._lock:
            held = self._open.get(name)
            if held is None or held[0] != stamp:
                held = (stamp, reopen(self.study(name), folder))
                self._open[name] = held
        return held[1]

    def stamp(self) -> tuple[int, ...]:
        """Changes when any study is run anew, or the register of this house grows."""
        files = (*sorted(self.folder.glob("*/run.json")), *sorted(House(self.folder.parent).folder.glob("*.toml")))
        return tuple(path.stat().st_mtime_ns for path in files)


@lru_cache(maxsize=64)
def _declared(name_or_path: str, stamp: int) -> Study:
    return open_study(name_or_path)


class Kept:
    """Answers held in memory, the least used leave first; one is computed once, however many ask for it at the same time."""

    def __init__(self, most: int = KEPT) -> None:
        self.most = most
        self._values: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()
        self._busy: dict[Any, threading.Lock] = {}

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """The value of a key, made if it is not held."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
            busy = self._busy.setdefault(key, threading.Lock())
        try:
            with busy:
                with self._lock:
                    if key in self._values:
                        return self._values[key]
                value = make()
                with self._lock:
                    self._values[key] = value
                    while len(self._values) > self.most:
                        self._values.popitem(last=False)
                return value
        finally:
            with self._lock:
                self._busy.pop(key, None)


@dataclass(frozen=True, slots=True)
class Here:
    """What a view may use."""

    say: Words
    runs: Runs
    store: Path | None = None
    kept: Kept = field(default_factory=Kept)

    @property
    def registers(self) -> tuple[str, ...]:
        """The registers of this house: the shipped ones, or its own once something was accepted."""
        return House(self.runs.folder.parent).names()

    @property
    def language(self) -> str:
        """The language of the reader."""
        return self.say.language
