"""Variants of a procedure: in turn or at once, one stop, more officers, fewer documents; each is again a procedure."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from qonys.core.errors import DesignError, nearest
from qonys.scenarios.procedure.definition import ONE_STOP, Agency, Returned, Step, Variant, chance_returned, documents_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qonys.scenarios.procedure.definition import Officers, Order, Procedure


def variant(procedure: Procedure, name: str) -> Procedure:
    """The procedure as a variant has it: `after` says the order, steps have the documents still asked and the time
    that then passes, agencies their officers.

    Errors: DesignError for a variant that does not exist or is based on itself, and a listing in turn that contradicts `after`.
    """
    merged = _merged(procedure, name)
    steps = tuple(_changed(step, merged) for step in procedure.steps)
    agencies = dict(procedure.agencies)
    for agency, change in merged.officers.items():
        now = agencies[agency]
        agencies[agency] = replace(now, officers=_scaled(now.officers or (), change) if isinstance(change, float) else change)
    steps = _ordered(steps, merged.order or procedure.order, f"{procedure.name}, variant {name}")
    if merged.one_stop:
        steps, agencies = _one_stop(steps, agencies)
    return replace(procedure, steps=steps, agencies=agencies, order="as_declared", variants={name: merged})


def _merged(procedure: Procedure, name: str, above: tuple[str, ...] = ()) -> Variant:
    known = procedure.variants
    if name not in known:
        where = f"variant {above[-1]!r} is based on" if above else f"{procedure.name} has no variant"
        raise DesignError(f"{where} {name!r}" + (", which does not exist" if above else ""), mend=nearest(name, known))
    if name in above:
        raise DesignError(f"the variant {name!r} of {procedure.name} is based on itself", mend="take one based_on out")
    own = known[name]
    if own.based_on is None:
        return own
    base = _merged(procedure, own.based_on, (*above, name))
    return Variant(
        name=name,
        order=own.order or base.order,
        one_stop=base.one_stop if own.one_stop is None else own.one_stop,
        officers={**base.officers, **own.officers},
        passing={**base.passing, **own.passing},
        drop_documents=tuple(dict.fromkeys((*base.drop_documents, *own.drop_documents))),
        documents_share=base.documents_share if own.documents_share is None else own.documents_share,
    )


def _scaled(officers: Officers, factor: float) -> Officers:
    # rounded to whole people, but an agency that has any keeps one; a half goes up
    return tuple((day, max(1, math.floor(number * factor + 0.5)) if number else 0) for day, number in officers)


def _changed(step: Step, merged: Variant) -> Step:
    kept = tuple(one for one in step.documents if one not in merged.drop_documents)
    if merged.documents_share is not None:
        kept = kept[: math.ceil(round(len(kept) * merged.documents_share, 9))]
    passing = replace(step.passing, mean=step.passing.mean * merged.passing.get(step.id, 1.0))
    return replace(step, documents=kept, chance_returned=chance_returned((step.fault, len(kept))), passing=passing)


def _ordered(steps: tuple[Step, ...], order: Order, where: str) -> tuple[Step, ...]:
    if order == "as_declared":
        return steps
    if order == "at_once":
        return tuple(replace(step, after=()) for step in steps)
    for place, step in enumerate(steps):
        late = next((one.id for one in steps[place:] if one.id in step.after), None)
        if late is not None:
            raise DesignError(
                f"{where}: in turn, {step.id!r} stands before {late!r}, which it needs", mend=f"list {late!r} first, or use as_declared"
            )
    return tuple(replace(step, after=(steps[place - 1].id,) if place else ()) for place, step in enumerate(steps))


def _one_stop(steps: tuple[Step, ...], agencies: dict[str, Agency]) -> tuple[tuple[Step, ...], dict[str, Agency]]:
    """Everything is handed in at a counter, and what is wrong comes back from there; the slowest of the steps' returns is its return."""
    loops = [step.returned for step in steps if step.returned is not None and step.documents]
    # a document that several steps ask for is handed in once, and is wrong as often as where it is wrong most often
    faults = {document: max(step.fault for step in steps if document in step.documents) for document in documents_of(steps)}
    counter = Step(
        id=ONE_STOP,
        agency=ONE_STOP,
        documents=documents_of(steps),
        visits=1,
        chance_returned=chance_returned(*((fault, 1) for fault in faults.values())) if loops else 0.0,
        returned=Returned(
            days=max((loop.days for loop in loops), key=lambda days: days.mean),
            most=max(loop.most for loop in loops),
            visits=max(loop.visits for loop in loops),
            clock_stops=any(loop.clock_stops for loop in loops),
        )
        if loops
        else None,
        stream=len(steps),
    )
    behind = tuple(
        replace(step, after=step.after or (ONE_STOP,), documents=(), visits=0, fault=0.0, returned=None, chance_returned=0.0)
        for step in steps
    )
    return (counter, *behind), {**agencies, ONE_STOP: Agency(id=ONE_STOP)}


def following(steps: Sequence[Step], where: str) -> list[int]:
    """Steps by place in an order in which none comes before what it needs. Errors: DesignError for steps that wait for each other."""
    done: list[str] = []
    order: list[int] = []
    while len(order) < len(steps):
        free = [place for place, step in enumerate(steps) if place not in order and all(one in done for one in step.after)]
        if not free:
            circle = ", ".join(repr(step.id) for place, step in enumerate(steps) if place not in order)
            raise DesignError(f"{where}: the steps {circle} wait for each other", mend="take one `after` out of the circle")
        order += free
        done += [steps[place].id for place in free]
    return order
