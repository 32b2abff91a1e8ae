"""What people call the parts of a room: the labels of its file first, then the catalogue, then the id itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qonys.i18n import Words


@dataclass(frozen=True, slots=True)
class Names:
    """Names of ids in one language. labels: id -> language -> name, as a room file gives them."""

    say: Words
    labels: Mapping[str, Mapping[str, str]]

    def __call__(self, kind: str, code: str) -> str:
        """The name of a part; `kind` is the group of the catalogue it would stand in."""
        own = self.labels.get(code, {})
        if found := own.get(self.say.language, own.get("en")):
            return found
        return self.say.label(kind, code, code)
