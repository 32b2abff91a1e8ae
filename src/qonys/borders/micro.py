"""Before rows of persons are shown, or counts without protection, the audit trail says who asked, by which command, of which files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.store.audit import note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


def note_rows(command: str, parameters: Mapping[str, object], files: Iterable[Path]) -> None:
    """Add a line to the audit trail (`store.audit`): to be called before the rows are shown, so that none is seen without a line.

    command: as typed, without its options ("border stays --micro"). files: those the rows are of; their SHA-256 is noted.
    Errors: DataError if the trail is broken or cannot be written, or a file is not there: then nothing may be shown.
    """
    note(command, parameters, files)
