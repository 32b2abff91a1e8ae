"""The claims check: finds the numeric claims of a text and recomputes what can be recomputed.

`check_text` is the way in. It makes the text ready (`page`, which blanks dates, addresses and references by `masks`),
reads its quantities (`quantities`, with `numbers` in digits and words), and lets each rule look at each sentence:
sums of parts (`parts`, `sums`), shares (`shares`), changes (`changes`), shares of a known whole (`known`, with the
published `totals`) and successive steps (`steps`). `judge` gives the verdicts by interval arithmetic; `findings` holds
what comes out, in codes and numbers, with the keys of the sentences that say it in three languages.
"""

from .check import LANGUAGES, check_text
from .findings import CODE_MESSAGES, FAULTS, MESSAGES, PLACEHOLDERS, RULE_NAMES, RULES, VERDICT_NAMES, VERDICTS, ClaimsReport, Finding
from .quantities import Quantity
from .totals import AREA_NAMES, ReferenceTotal, read_totals, shipped_totals

__all__ = [
    "AREA_NAMES",
    "CODE_MESSAGES",
    "FAULTS",
    "LANGUAGES",
    "MESSAGES",
    "PLACEHOLDERS",
    "RULES",
    "RULE_NAMES",
    "VERDICTS",
    "VERDICT_NAMES",
    "ClaimsReport",
    "Finding",
    "Quantity",
    "ReferenceTotal",
    "check_text",
    "read_totals",
    "shipped_totals",
]
