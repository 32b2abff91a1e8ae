"""Texts put beside points where they cover nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qonys.report.charts.draw import LEADING, Sheet
from qonys.report.charts.theme import widest

if TYPE_CHECKING:
    from collections.abc import Sequence

Box = tuple[float, float, float, float]


def boxes(one: tuple[float, float], other: tuple[float, float]) -> list[Box]:
    """A stroke as small boxes that labels must not cover."""
    count = max(1, round(max(abs(other[0] - one[0]), abs(other[1] - one[1])) / 4))
    points = [(one[0] + (other[0] - one[0]) * i / count, one[1] + (other[1] - one[1]) * i / count) for i in range(count + 1)]
    return [(x - 2, y - 2, x + 2, y + 2) for x, y in points]


@dataclass(slots=True)
class Free:
    """Labels put beside points where they cover nothing: neither the boxes taken nor the edge of the room."""

    sheet: Sheet
    size: float
    taken: list[Box]
    room: Box

    def label(self, point: tuple[float, float], lines: str | Sequence[str], ink: str, *, bold: bool = True) -> None:
        """The text at the first free place around the point; left out where there is none."""
        text = [lines] if isinstance(lines, str) else list(lines)
        half, height = widest(text, self.size, bold=bold) / 2, self.size * LEADING * len(text)
        up = 8 + height / 2 - (self.size * LEADING / 2 - 6)
        beside = [(0.0, -up), (0.0, up), (half + 8, 0.0), (-half - 8, 0.0), (half + 4, 1 - up), (-half - 4, 1 - up), (half + 4, up - 1)]
        for dx, dy in (*beside, (-half - 4, up - 1), (0.0, -up - 12), (0.0, up + 12)):
            x, y = point[0] + dx, point[1] + dy
            box = (x - half, y - height / 2, x + half, y + height / 2)
            inside = box[0] >= self.room[0] and box[1] >= self.room[1] and box[2] <= self.room[2] and box[3] <= self.room[3]
            if any(text) and inside and all(box[2] < t[0] or box[0] > t[2] or box[3] < t[1] or box[1] > t[3] for t in self.taken):
                self.sheet.text(x, y, text, self.size, colour=ink, align="center", bold=bold)
                self.taken.append(box)
                return
