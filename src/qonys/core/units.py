"""Units that stand beside a number. Their names and the words after a number are in the catalogues (`unit.name.days`, `unit.days`)."""

from __future__ import annotations

UNITS: dict[str, str] = {
    "persons": "persons, moves or movers as the contract's `counted` says",
    "persons_a_year": "persons, mean of a year",
    "moves": "moves",
    "per_1000": "per 1,000 of the mean population",
    "percent": "per hundred",
    "share_of_days": "share of the days of a month, 0 to 1",
    "points": "points of the strictness scale, 0 to 100",
    "days": "days",
    "person_days": "days of waiting summed over persons",
    "years": "years",
    "regions": "regions",
    "members": "member states",
    "measures": "entries of the register",
    "challenges": "entries of the list of challenges",
    "fields": "fields of policy",
    "pieces": "pieces of evidence",
    "issuers": "issuers of measures",
    "figures": "published figures",
    "groups": "groups of people",
    "pairs": "pairs of entries of the register",
    "rank": "place in an order, 1 is the first",
    "ratio": "share, 0 to 1",
    "rows": "rows of a table",
    "as_row": "the unit the row itself states",
}
