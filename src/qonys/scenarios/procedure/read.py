"""A procedure out of TOML: every key is checked for words, units and references, so that everything after it may trust it."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, get_args

from qonys.core.errors import DesignError, nearest
from qonys.scenarios.procedure.calendars import known_country
from qonys.scenarios.procedure.definition import (
    ALWAYS,
    ONE_STOP,
    Agency,
    CaseClass,
    Costs,
    Counts,
    Officers,
    OpenOn,
    Order,
    Procedure,
    Process,
    Returned,
    Step,
    Variant,
    chance_returned,
    months_after,
)
from qonys.scenarios.procedure.durations import NOTHING, read_duration
from qonys.scenarios.procedure.variants import following, variant
from qonys.scenarios.reading import Part, read_part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

MOST_MONTHS = 1200
MOST_OFFICERS = 1_000_000
MEAN_SEASON = 0.05  # how far from 1 the mean of twelve seasonal factors may be before they are no factors
CHANGE = re.compile(r"([+-]\d+(?:\.\d+)?) ?%")


def read_procedure(text: str, file: str) -> Procedure:
    """A procedure out of TOML text. Errors: as `procedure_of`, and DesignError for text that is no TOML."""
    return procedure_of(read_part(text, file))


def procedure_of(top: Part) -> Procedure:
    """A procedure out of the whole of a file; every key is checked.

    Errors: DesignError for unknown or missing keys, values of the wrong kind, unit or range, unknown agencies and steps, steps in a circle,
    shares of classes above 1, and variants that cannot be.
    """
    file = top.where
    first = top.day("first")
    if first.day > 28 or not 1900 <= first.year <= 2400:
        raise top.wrong("first", first, "cannot begin every month", "give a day from 1 to 28, of a year from 1900 to 2400")
    months, warm_up, cool_down = (
        top.whole(key, default, least=least, most=MOST_MONTHS)
        for key, default, least in (("months", 12, 1), ("warm_up_months", 0, 0), ("cool_down_months", 0, 0))
    )
    origin = months_after(first, -warm_up)
    agencies = {name: _agency(part, name, origin) for name, part in top.parts("agencies", {}).items()}
    steps = _steps(top, agencies)
    arrivals, process = _arrivals(top.part("arrivals"), origin, (warm_up, months, cool_down))
    parsed = Procedure(
        name=top.text("name", file.removesuffix(".toml")),
        country=top.text("country", None),
        limit=_limit(top),
        limit_counts=top.text("limit_counts", "days", among=get_args(Counts)),
        first=first,
        months=months,
        warm_up_months=warm_up,
        cool_down_months=cool_down,
        backlog=top.whole("backlog", 0),
        seed=top.whole("seed", 0),
        runs=top.whole("runs", 20, least=1, most=100_000),
        order=top.text("order", "as_declared" if any(step.after for step in steps) else "in_turn", among=get_args(Order)),
        arrivals=arrivals,
        process=process,
        agencies=agencies,
        steps=steps,
        classes=_classes(top),
        costs=_costs(top.part("costs")) if _given(top, "costs") else None,
        variants={name: read_variant(part, name, agencies, steps) for name, part in top.parts("variants", {"as_is": {}}).items()},
    )
    top.done()
    if parsed.country is not None:
        known_country(parsed.country)
    elif parsed.uses_country:
        raise DesignError(f"{file} counts working days and names no country", mend='add country = "KAZ", or whose holidays they are')
    if sum(parsed.arrivals) == 0 and not parsed.backlog:
        raise DesignError(f"{file}: nobody applies", mend="give per_month above zero")
    if not parsed.variants:
        raise DesignError(f"{file} has an empty table of variants", mend="add [variants.NAME], or take [variants] out")
    for name in parsed.variants:
        variant(parsed, name)
    return parsed


def _given(part: Part, key: str) -> bool:
    return part.get(key, None) is not None  # asked with `get`, so that a key misspelt finds it


def _limit(top: Part) -> float:
    found = float(top.number("limit", least=0))
    if found == 0:
        raise top.wrong("limit", found, "gives no time to decide", "write the legal limit in days, such as 90")
    if found > 3660:
        raise top.wrong("limit", found, "is above ten years", f"the limit is in days; if you mean hours, write {found / 24:g}")
    return found


def _agency(part: Part, name: str, origin: date) -> Agency:
    found = Agency(
        id=name,
        officers=read_officers(part, origin) if _given(part, "officers") else None,
        calendar=part.text("calendar", "every_day", among=get_args(OpenOn)),
        closed=tuple(sorted(set(part.days("closed", ())))),
        officer_day=part.number("officer_day", 0.0, least=0),
    )
    part.done()
    return found


def _steps(top: Part, agencies: dict[str, Agency]) -> tuple[Step, ...]:
    parts = top.rows("steps")
    if not parts:
        raise DesignError(f"{top.where} has no steps", mend="add [[steps]] with an id, an agency and its days")
    steps = tuple(_step(part, place, agencies) for place, part in enumerate(parts))
    ids = [step.id for step in steps]
    again = next((one for one, times in Counter(ids).items() if times > 1), None)
    if again is not None:
        raise DesignError(f"{top.where} has the step {again!r} twice", mend="give each step an id of its own")
    for step, part in zip(steps, parts, strict=True):
        for one in step.after:
            if one == step.id:
                raise part.wrong("after", one, "is the step itself", "name the steps before it")
            if one not in ids:
                raise part.wrong("after", one, "is no step", nearest(one, ids))
    following(steps, top.where)
    return steps


def _step(part: Part, place: int, agencies: dict[str, Agency]) -> Step:
    name = part.text("id")
    agency = part.text("agency")
    if agency not in agencies:
        raise part.wrong("agency", agency, "is not declared", nearest(agency, agencies) if agencies else f"add [agencies.{agency}]")
    if ONE_STOP in (name, agency):
        raise part.wrong("id", name, f"may not be called {ONE_STOP!r}, nor its agency", f"{ONE_STOP} is the step of a one-stop variant")
    documents = part.texts("documents", ())
    fault = part.share("fault", 0.0)
    step = Step(
        id=name,
        agency=agency,
        after=part.texts("after", ()),
        handling=read_duration(part.part("handling")) if _given(part, "handling") else NOTHING,
        passing=read_duration(part.part("passing")) if _given(part, "passing") else NOTHING,
        documents=documents,
        visits=part.whole("visits", int(bool(documents)), most=1000),
        fault=fault,
        returned=read_returned(part.part("returned")) if _given(part, "returned") else None,
        clock_stops=_stops(part, "runs"),
        stream=place,
        chance_returned=chance_returned((fault, len(documents))),
    )
    part.done()
    if step.handling.mean + step.passing.mean == 0:
        raise DesignError(
            f"{part.where}: step {name!r} takes no time", mend="add handling = { mean = ... }, passing = { mean = ... } or both"
        )
    if fault and not documents:
        raise part.wrong("fault", fault, "belongs to documents, and there are none", 'add documents = ["..."]')
    if fault and step.returned is None:
        raise part.wrong("fault", fault, "sends cases back, and nothing says for how long", "add returned = { days = { mean = 10 } }")
    if step.returned is not None and not fault:
        raise DesignError(
            f"{part.where}: step {name!r} returns documents that are never wrong", mend="add fault = 0.02, or take returned out"
        )
    return step


def read_returned(part: Part) -> Returned:
    """What follows a wrong document, out of `{ days = { mean = 10 }, most = 3, visits = 1, clock = "stops" }`. Errors: as of every part."""
    found = Returned(
        days=read_duration(part.part("days")),
        most=part.whole("most", 3, least=1, most=100),
        visits=part.whole("visits", 1, most=1000),
        clock_stops=_stops(part, "stops"),
    )
    part.done()
    return found


def _stops(part: Part, default: str) -> bool:
    return bool(part.text("clock", default, among=("runs", "stops")) == "stops")


def _arrivals(part: Part, origin: date, months: tuple[int, int, int]) -> tuple[tuple[float, ...], Process]:
    given, number = part.get("per_month"), sum(months)
    monthly = given if isinstance(given, list) else [given] * number
    for one in monthly:
        if isinstance(one, bool) or not isinstance(one, int | float) or not math.isfinite(one) or not 0 <= one <= 1e9:
            raise part.wrong("per_month", given, "is no number of applications", "write a number, or a list with one a month")
    if len(monthly) != number:
        what = f"has {len(monthly)} values for {number} months"
        raise part.wrong(
            "per_month", given, what, f"{months[0]} of warm-up, {months[1]} of the cohort and {months[2]} after it need one each"
        )
    season = part.get("seasonality", [1.0] * 12)
    if not isinstance(season, list) or len(season) != 12 or not all(_factor(one) for one in season):
        raise part.wrong("seasonality", season, "is no list of twelve factors", "give one a calendar month, January first, 1 for the usual")
    mean = sum(season) / 12
    if abs(mean - 1) > MEAN_SEASON:
        guess = ": percent? divide by 100" if 80 < mean < 120 else ""
        raise part.wrong("seasonality", season, f"has a mean of {mean:.3g}", f"factors have a mean of 1{guess}")
    process: Process = part.text("process", "poisson", among=get_args(Process))
    part.done()
    # the mean of twelve factors that were rounded is not quite 1, and the yearly number is what the file says
    factors = [one / mean for one in season]
    return tuple(one * factors[(origin.month - 1 + place) % 12] for place, one in enumerate(monthly)), process


def _factor(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value) and value >= 0


def _classes(top: Part) -> tuple[CaseClass, ...]:
    found = []
    for part in top.rows("classes", ()):
        found.append(CaseClass(id=part.text("id"), share=part.share("share"), priority=part.whole("priority", least=-1000, most=1000)))
        part.done()
    if not found:
        return (CaseClass(id="all", share=1.0, priority=0),)
    if len({one.id for one in found}) < len(found):
        raise DesignError(f"{top.where} has a class twice", mend="give each class an id of its own")
    total = math.fsum(one.share for one in found)
    if total > 1 + 1e-9:
        raise DesignError(
            f"{top.where}: the shares of the classes sum to {total:g}, above 1", mend="shares of all classes make 1 at the most"
        )
    if total < 1 - 1e-9:
        if any(one.id == "others" for one in found):
            raise DesignError(
                f"{top.where}: the shares of the classes sum to {total:g}", mend="make them sum to 1, or drop the class 'others'"
            )
        found.append(CaseClass(id="others", share=1 - total, priority=max(one.priority for one in found) + 1))
    return tuple(found)


def _costs(part: Part) -> Costs:
    found = Costs(
        **{key: part.number(key, 0.0, least=0) for key in ("delay_day", "open_day", "visit", "document")},
        currency=part.text("currency", "EUR"),
    )
    part.done()
    return found


def read_officers(part: Part, origin: date) -> Officers:
    """Officers out of `12` or `[{ from = 2021-01-01, number = 12 }, ...]`.

    Errors: DesignError for numbers that are no counts, days out of order, or a beginning without officers.
    """
    if not isinstance(part.get("officers"), list):
        return ((ALWAYS, part.whole("officers", least=1, most=MOST_OFFICERS)),)
    found = []
    for row in part.rows("officers"):
        found.append((row.day("from"), row.whole("number", most=MOST_OFFICERS)))
        row.done()
    days = [day for day, _ in found]
    if not found or sorted(set(days)) != days:
        raise part.wrong("officers", [str(day) for day in days], "are days out of order", "give each change of officers once, by day")
    if days[0] > origin:
        raise part.wrong("officers", days[0], f"leaves {origin} without officers", f"begin with from = {origin}, the first day simulated")
    if found[-1][1] == 0:
        raise part.wrong("officers", days[-1], "leaves nobody to decide what is open", "end with one officer or more")
    return tuple(found)


def read_variant(part: Part, name: str, agencies: Mapping[str, Agency], steps: Sequence[Step]) -> Variant:
    """A variant out of its table. Errors: DesignError for agencies and documents that do not exist, and numbers in another unit."""
    officers: dict[str, Officers | float] = {}
    if _given(part, "officers"):
        given = part.part("officers")
        for agency in given.content:
            if agency not in agencies:
                raise given.wrong(agency, given.get(agency), "is the number of an agency that is not declared", nearest(agency, agencies))
            officers[agency] = _change(given, agency, agencies[agency])
    passing: dict[str, float] = {}
    if _given(part, "passing"):
        given, known = part.part("passing"), {step.id: step for step in steps}
        for step in given.content:
            if step not in known:
                raise given.wrong(step, given.get(step), "is the time of a step that is not declared", nearest(step, known))
            if known[step].passing.mean == 0:
                raise given.wrong(step, given.get(step), "changes a step of which no time passes", f"give passing to the step {step}")
            passing[step] = _by_percent(given, step, "the time")
    asked = {document for step in steps for document in step.documents}
    dropped = part.texts("drop_documents", ())
    for document in dropped:
        if document not in asked:
            raise part.wrong("drop_documents", document, "is asked by no step", nearest(document, asked))
    found = Variant(
        name=name,
        based_on=part.text("based_on", None),
        order=part.text("order", None, among=get_args(Order)),
        one_stop=part.flag("one_stop") if _given(part, "one_stop") else None,
        officers=officers,
        passing=passing,
        drop_documents=dropped,
        documents_share=part.share("documents_share", None),
    )
    part.done()
    return found


def _change(given: Part, agency: str, now: Agency) -> Officers | float:
    value = given.get(agency)
    if not isinstance(value, str):
        if isinstance(value, float) and not value.is_integer():
            raise given.wrong(agency, value, "is no whole number", f'write a count, or a change in quotes: "{100 * (value - 1):+.0f}%"')
        return ((ALWAYS, given.whole(agency, least=1, most=MOST_OFFICERS)),)
    factor = _by_percent(given, agency, "officers")
    if now.officers is None:
        raise given.wrong(agency, value, "changes officers that are not given", f"give agencies.{agency} its officers, or here a number")
    return factor


def _by_percent(given: Part, key: str, what: str) -> float:
    """A change in quotes as a factor."""
    value = given.get(key)
    change = CHANGE.fullmatch(value.strip()) if isinstance(value, str) else None
    if change is None or float(change[1]) <= -100:
        raise given.wrong(key, value, f"is no change of {what}", 'write "+25%" or "-10%"')
    return 1 + float(change[1]) / 100
