"""What all charts share: sizes, colours that colour-blind readers can tell apart, and how much room a text needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FONT = "system-ui, 'Noto Sans', 'DejaVu Sans', sans-serif"
INK, SOFT, AXIS, GRID, PALE, PAPER = "#1b1f24", "#4d5661", "#8c959f", "#dfe3e8", "#f4f6f8", "#ffffff"
MISSING = "hatch"
"""A fill that `svg.finish` turns into grey hatching; `fade-RRGGBB` likewise fades to the right, `rise-RRGGBB` to the left."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#aa4499", "#56b4e9", "#b8860b", "#6b7280", "#332288")
"""Okabe and Ito (2008), the yellow and the two lightest replaced so that a line shows on white."""
KINDS: Mapping[str, str] = {"tightening": "#d55e00", "easing": "#0072b2", "neutral": "#7a828c"}
NEGATIVE, POSITIVE = "#d55e00", "#0072b2"
BEFORE, DURING, AFTER = "#7a828c", "#d55e00", "#0072b2"

_SEQUENTIAL = ("#eef3f8", "#c6dbef", "#9ecae1", "#6baed6", "#3182bd", "#08519c", "#08306b")
_DIVERGING = ("#b35806", "#e08214", "#fdc98a", "#f4f4f4", "#b5d4ea", "#5a9fd0", "#15609f")
_THIN = frozenset("iljtfrI1.,:;'’!|()[]·-‐ і")
_BROAD = frozenset("−+=<>mwMWшщжюыфмЩШЖЮМФЫДQOGCОСҚҒӨ@%—…")


@dataclass(frozen=True, slots=True)
class Layout:
    """One of the two drawings of a chart: its width and its text sizes, in pixels."""

    name: str
    width: int
    label: float  # names of rows and series
    small: float  # axes, captions, printed values

    @property
    def narrow(self) -> bool:
        """Whether this is the drawing for a telephone."""
        return self.name == "narrow"


WIDE = Layout("wide", 760, 13, 12)
NARROW = Layout("narrow", 360, 12.5, 12)


def series_colour(index: int) -> str:
    """The colour of the series with this place in the chart."""
    return SERIES[index % len(SERIES)]


def kind_colour(kind: str) -> str:
    """The colour of a kind of measure; an unknown kind is neutral."""
    return KINDS.get(kind, KINDS["neutral"])


def sequential(share: float) -> str:
    """Light to dark blue for a share between 0 and 1."""
    return _between(_SEQUENTIAL, share)


def diverging(share: float) -> str:
    """Orange to blue for a number between -1 and 1, nearly white at 0."""
    return _between(_DIVERGING, (share + 1) / 2)


def ink_on(fill: str) -> str:
    """Black or white, whichever reads better on the fill; one of them always has a contrast above 4.5."""
    return "#000000" if contrast(fill, "#000000") >= contrast(fill, PAPER) else PAPER


def ink_of(colour: str) -> str:
    """The colour darkened until text in it reads on white (contrast 4.5)."""
    while contrast(colour, PAPER) < 4.5:
        colour = _hex([channel * 0.94 for channel in _rgb(colour)])
    return colour


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Room that a text needs in pixels, on the safe side of the usual sans-serif faces."""
    ems = sum(0.36 if c in _THIN else 0.84 if c in _BROAD else 0.66 if c.isupper() or c.isdigit() else 0.585 for c in text)
    return ems * size * (1.06 if bold else 1.0)


def widest(lines: Sequence[str], size: float, *, bold: bool = False) -> float:
    """Width of the longest of some lines; 0 for none."""
    return max((text_width(line, size, bold=bold) for line in lines), default=0.0)


def wrap(text: str, width: float, size: float, *, bold: bool = False, lines: int = 9) -> list[str]:
    """The text in as few even lines as the width allows; a longer word stands out rather than be cut.

    At most `lines` of them, be they too long.

    >>> wrap("Западно-Казахстанская область и город", 180, 13)
    ['Западно-Казахстанская', 'область и город']
    """
    # not at spaces that bind, as in 7 100
    words, most = [word for word in text.replace("\n", " ").split(" ") if word], text_width(text, size, bold=bold)
    if not words:
        return []

    def fill(room: float) -> list[str]:
        out = [words[0]]
        for word in words[1:]:
            if text_width(f"{out[-1]} {word}", size, bold=bold) <= room:
                out[-1] += f" {word}"
            else:
                out.append(word)
        return out

    room = width
    while len(fill(room)) > lines and room < most:
        room += size
    target = len(fill(room))
    while room > size and len(fill(room - size / 2)) == target and widest(fill(room - size / 2), size, bold=bold) <= room:
        room -= size / 2
    return fill(room)


def hyphenate(word: str, width: float, size: float) -> list[str]:
    """A word too long for its tile in two parts, cut after a vowel before consonant and vowel; else as it is."""
    if text_width(word, size) <= width:
        return [word]
    vowels = "aeiouyäöüаеёиоуыэюяәөұүі"
    lower = word.lower()
    cuts = [
        at for at in range(2, len(word) - 1)
        if lower[at + 1] in vowels and lower[at] not in vowels and any(c in vowels for c in lower[:at])
        and text_width(word[:at] + "-", size) <= width
    ]  # fmt: skip
    if not cuts:
        return [word]
    best = min(cuts, key=lambda at: abs(at - len(word) / 2))
    return [word[:best] + "-", word[best:]]


def _between(stops: Sequence[str], share: float) -> str:
    place = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    left = min(int(place), len(stops) - 2)
    return _hex([a + (b - a) * (place - left) for a, b in zip(_rgb(stops[left]), _rgb(stops[left + 1]), strict=True)])


def _rgb(colour: str) -> list[float]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


def _hex(channels: Sequence[float]) -> str:
    return "#" + "".join(f"{round(channel):02x}" for channel in channels)


def _luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in (channel / 255 for channel in _rgb(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
