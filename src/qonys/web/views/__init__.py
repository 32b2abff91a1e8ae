"""What may be looked at: every view by its path, which is its address on a page, in an embed, a download and the interface.

A page of the menu is a noun (`measures`); its views stand below it (`measures/corridor`). Adding one is a line in `VIEWS`.
"""

from __future__ import annotations

from qonys.web.views import convergence, corridor, flows, measures, situation, sources
from qonys.web.views.here import Here, Kept, Runs
from qonys.web.views.shown import Figure, Listing, Made, Paragraph, Shown, View
from qonys.web.views.studies import question_view

NOUNS = ("situation", "flows", "measures", "convergence", "effects", "rooms", "studies", "sources")
VIEWS: dict[str, View] = {
    view.path: view
    for view in (
        situation.VIEW,
        *flows.VIEWS,
        *measures.VIEWS,
        corridor.VIEW,
        *sources.VIEWS,
        question_view("flows", "flows/questions"),
        question_view("measures", "measures/questions"),
        question_view("convergence", "convergence"),
        *convergence.VIEWS,
        question_view("effects", "effects"),
        question_view("rooms", "rooms/questions"),
        question_view("studies", "studies/questions"),
    )
}

__all__ = ["NOUNS", "VIEWS", "Figure", "Here", "Kept", "Listing", "Made", "Paragraph", "Runs", "Shown", "View"]
