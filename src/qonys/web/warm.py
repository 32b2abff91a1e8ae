"""Answers made before anybody asks: the first view of each page in each language, again when a study has been run anew."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from qonys.core.areas import LANGUAGES
from qonys.core.errors import QonysError
from qonys.i18n import words
from qonys.situation import prepare
from qonys.web.views import VIEWS, Here

if TYPE_CHECKING:
    from qonys.web.app import Desk

LOOK = 5.0  # seconds between looks whether a study was run anew
_log = logging.getLogger("qonys.web")


class Warm(threading.Thread):
    """A thread beside the server, until `end`."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(name="qonys-warm", daemon=True)
        self.desk, self._over = desk, threading.Event()

    def run(self) -> None:
        """Answer all views, then wait for a change."""
        done = None
        while not self._over.is_set():
            stamp = self.desk.runs.stamp()
            if stamp != done:
                here = Here(words(LANGUAGES[0]), self.desk.runs)
                prepare(here.registers)  # registers and flows, opened once for every view
                self._answer_all()
                done = stamp
            self._over.wait(LOOK)

    def _answer_all(self) -> None:
        from qonys.web.show import answer

        for language in LANGUAGES:
            here = Here(words(language), self.desk.runs, self.desk.settings.store, self.desk.kept)
            for view in VIEWS.values():
                if self._over.wait(0.02):
                    return
                try:
                    answer(view, view.asked(), here)
                except QonysError:
                    continue  # a study that has not been run yet: it will be
                except Exception as error:
                    _log.error('{"fault": "%s", "where": "warm %s"}', type(error).__name__, view.path)

    def end(self) -> None:
        """Stop at the next view."""
        self._over.set()
