"""What the claims check hands back: findings in codes and numbers, and the keys of their sentences."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from .page import Page
    from .quantities import Quantity
    from .totals import ReferenceTotal

HOLDS = "holds"
HOLDS_WITHIN_ROUNDING = "holds_within_rounding"
CONTRADICTION = "contradiction"
REMAINDER = "remainder"
EXCEEDS = "exceeds"
TRUNCATED = "truncated"
CANNOT_TELL = "cannot_tell"
VERDICTS = (HOLDS, HOLDS_WITHIN_ROUNDING, CONTRADICTION, REMAINDER, EXCEEDS, TRUNCATED, CANNOT_TELL)
FAULTS = frozenset({CONTRADICTION, EXCEEDS})  # one of the printed numbers must be wrong, or groups overlap
REMARKS = frozenset({REMAINDER, TRUNCATED})  # legal, but the reader should be told

OK = "ok"
NO_NUMBERS = "no_numbers"
NOTHING_CHECKABLE = "nothing_checkable"

_JUDGED = (HOLDS, HOLDS_WITHIN_ROUNDING, CONTRADICTION)
_RULE_VERDICTS: Mapping[str, tuple[str, ...]] = {
    "sum": (HOLDS, HOLDS_WITHIN_ROUNDING, REMAINDER, EXCEEDS, CANNOT_TELL),
    "part": (HOLDS, EXCEEDS, CANNOT_TELL),
    "equation": _JUDGED,
    "share": (*_JUDGED, TRUNCATED),
    "known_share": (*_JUDGED, CANNOT_TELL),
    "direction": (HOLDS, CONTRADICTION, CANNOT_TELL),
    "fold": _JUDGED,
    "percent_change": (*_JUDGED, TRUNCATED),
    "steps": (*_JUDGED, CANNOT_TELL),
}
RULES = tuple(_RULE_VERDICTS)

MESSAGES: Mapping[tuple[str, str], str] = MappingProxyType(
    {(rule, verdict): f"claim.{rule}.{verdict}" for rule, found in _RULE_VERDICTS.items() for verdict in found}
)
RULE_NAMES: Mapping[str, str] = MappingProxyType({rule: f"claim.rule.{rule}" for rule in RULES})
VERDICT_NAMES: Mapping[str, str] = MappingProxyType({code: f"claim.verdict.{code}" for code in VERDICTS})
CODE_MESSAGES: Mapping[str, str] = MappingProxyType({code: f"claim.{code}" for code in (NO_NUMBERS, NOTHING_CHECKABLE)})

# Names that a sentence of the rule may hold in braces; `Finding.values` carries each of them.
PLACEHOLDERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sum": ("total", "parts", "sum", "gap"),
        "part": ("total", "part", "gap"),
        "equation": ("printed", "computed", "gap"),
        "share": ("part", "total", "printed", "computed", "gap"),
        "known_share": ("area", "year", "part", "total", "printed", "computed", "factor"),
        "direction": ("before", "after", "change"),
        "fold": ("before", "after", "printed", "computed"),
        "percent_change": ("before", "after", "printed", "computed", "gap"),
        "steps": ("steps", "in_turn", "at_once", "printed", "ratio"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One claim of the text, recomputed: where it stands, what is printed, what comes out, and the verdict.

    `printed` and `recomputed` are in the unit of the claim (persons, percent, times, days); `difference` is
    recomputed minus printed. `values` fills the placeholders of the sentence named by `message`.
    `reference` is the published whole of a `known_share`, otherwise None.
    """

    id: str
    rule: str
    verdict: str
    start: int
    end: int
    line: int
    column: int
    span: str
    inputs: tuple[Quantity, ...]
    printed: Decimal
    recomputed: Decimal
    difference: Decimal
    values: Mapping[str, Any]
    reference: ReferenceTotal | None = None

    @property
    def message(self) -> str:
        """The key of the sentence that says this finding."""
        return MESSAGES[self.rule, self.verdict]

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines of all numbers that entered, without repeats."""
        return tuple(sorted({each.line for each in self.inputs}))

    def row(self) -> dict[str, Any]:
        """The finding as one flat row of a table, numbers as floats."""
        return {
            "id": self.id,
            "rule": self.rule,
            "verdict": self.verdict,
            "line": self.line,
            "column": self.column,
            "span": self.span,
            "inputs": "; ".join(f"{each.text} [{each.line}]" for each in self.inputs),
            "printed": float(self.printed),
            "recomputed": float(self.recomputed),
            "difference": float(self.difference),
            "reference": self.reference.source if self.reference else None,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class ClaimsReport:
    """All findings of a text in the order of the text, with every quantity that was read.

    `code` is `ok`, or says why there are no findings: `no_numbers`, `nothing_checkable`.
    """

    findings: tuple[Finding, ...]
    quantities: tuple[Quantity, ...]

    @property
    def code(self) -> str:
        """`ok`, `no_numbers` or `nothing_checkable`."""
        if self.findings:
            return OK
        return NOTHING_CHECKABLE if self.quantities else NO_NUMBERS

    @property
    def quantity_count(self) -> int:
        """How many quantities the text holds."""
        return len(self.quantities)

    @property
    def faults(self) -> tuple[Finding, ...]:
        """Findings in which the printed numbers contradict each other or a known total."""
        return tuple(each for each in self.findings if each.verdict in FAULTS)

    def counts(self) -> dict[str, int]:
        """How many findings carry each verdict, zeros included."""
        return {code: sum(each.verdict == code for each in self.findings) for code in VERDICTS}

    def rows(self) -> list[dict[str, Any]]:
        """The findings as rows of a table."""
        return [each.row() for each in self.findings]


_SPAN = 160


def finding_of(
    page: Page, rule: str, verdict: str, inputs: tuple[Quantity, ...], *, printed: Decimal, recomputed: Decimal,
    values: Mapping[str, Any], reference: ReferenceTotal | None = None,
) -> Finding:  # fmt: skip
    """A finding over its inputs, placed where the first of them stands; the check numbers it afterwards."""
    start, end = min(each.start for each in inputs), max(each.end for each in inputs)
    line, column = page.place(start)
    words = " ".join(page.text[start : min(end, start + 4 * _SPAN)].split())
    return Finding(
        id="", rule=rule, verdict=verdict, start=start, end=end, line=line, column=column,
        span=words if len(words) <= _SPAN else words[: _SPAN - 1] + "…", inputs=inputs, printed=printed, recomputed=recomputed,
        difference=recomputed - printed, values=MappingProxyType(dict(values)), reference=reference,
    )  # fmt: skip
