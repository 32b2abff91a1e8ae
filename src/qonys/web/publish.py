"""What was accepted, written to the files of the register of this house; the database decides, and writing can be repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qonys.web import drafts
from qonys.web.house import Written
from qonys.web.state import audit, work

if TYPE_CHECKING:
    from qonys.web.house import House
    from qonys.web.state.database import Database
    from qonys.web.state.work import Decision, Proposal


def publish(database: Database, house: House) -> int:
    """Write what was accepted and is not in the files yet, and what the shipped register has newly -> how many versions were written.

    Writers take turns over all processes, as they do in the database. A process that ends between a decision and this leaves the files as
    they were, and the next call brings them up.
    """
    with database.begin() as connection:
        done = [one for found, decision in work.accepted(connection) for one in versions_of(found, decision)]
        written = house.write(done)
        if written:
            audit.record(connection, person=None, action="register.write", object=str(house.folder.name), detail={"versions": written})
    return written


def versions_of(found: Proposal, decision: Decision) -> list[Written]:
    """The versions that a decision puts into the register: that of the first coder, and below it the adjudicator's own if it differs."""
    entry = drafts.of_toml(found.text)
    names, numbers = decision.names, decision.versions
    remark = (
        f"proposal {found.id}: coded by {names.get('author', '')} and {names.get('coder', '')}, decided by {names.get('adjudicator', '')}"
    )
    first = drafts.numbered(entry, numbers[0], coder=coder_code(names.get("author", "")), day=decision.day, change=found.reason)
    versions = [(numbers[0], first)]
    if len(numbers) > 1:
        why = "; ".join([decision.reason, *(f"{column}: {text}" for column, text in sorted(decision.reasons.items()))])
        own = drafts.with_codes(entry, decision.codes)
        last = drafts.numbered(own, numbers[1], coder=adjudicator_code(names.get("adjudicator", "")), day=decision.day, change=why)
        versions.append((numbers[1], last))
    return [Written(entry["issuer"], entry["id"], number, drafts.as_toml(version, head=False), remark) for number, version in versions]


def coder_code(name: str) -> str:
    """A coder as the register names them. A name that ends as an adjudicator's would be taken for one (see `measures.agreement`)."""
    return f"{name}-coder" if name.endswith("adjudicator") else name or "unknown"


def adjudicator_code(name: str) -> str:
    """An adjudicator as the register names them."""
    return name if name.endswith("adjudicator") else f"{name}-adjudicator"
