"""What a simulated border is like: read from TOML, checked once, frozen. The shipped file is `data/border_simulation.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal, TypeVar

from qonys.core.areas import codes
from qonys.core.errors import DesignError, nearest

T = TypeVar("T")
Side = Literal["inside", "outside"]
Weights = Mapping[str, float]
LONGEST_SPAN_DAYS = 36_525  # a century, of any length of time: seconds since the start then fit the packed keys of `journeys`
MOST_WEIGHT = 1_000_000_000
MOST_JOURNEYS = 250  # of a person, on the average of all: tens of thousands of people are drawn at once, and must fit into memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """How often people leave home for a while, and for how long: days are the median of a log-normal length, never above `longest`."""

    per_year: float
    days: float
    spread: float
    longest: float
    at_least: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Home changes to the other side of the border; the share `back` returns after `back_after` days or more."""

    back: float = 0.0
    back_after: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Age:
    """Age in years on the first day: normal, cut at 0 and 95."""

    mean: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of people. See `data/border_simulation.toml` for what each field means."""

    name: str
    share: float
    home: Side
    citizenship: Weights
    purpose: Weights
    permit: Weights
    age: Age
    male: float
    trips: Journey | None = None
    visits: Journey | None = None
    move: Move | None = None
    overstays: bool = False
    growth_per_year: float | None = None
    months: tuple[float, ...] | None = None
    weekdays: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ByGroup:
    """A share for foreigners and one for citizens."""

    foreigners: float = 0.0
    citizens: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Closure:
    """Between two days, both included, a share of the crossings of each group does not take place."""

    start: date
    end: date
    arrivals: ByGroup = ByGroup()
    departures: ByGroup = ByGroup()
    catch_up: float = 0.0
    delay_days: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Shares of records that are not as they should be; all zero: the records are the truth."""

    missed_entries: float = 0.0
    missed_exits: float = 0.0
    repeated: float = 0.0
    repeated_seconds: int = 90
    clock_wrong: float = 0.0
    clock_hours: float = 6.0
    renewals_per_year: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A simulated border: the days it covers, who crosses it, when it was closed, what goes wrong with its records."""

    start: date
    end: date
    country: str
    kinds: tuple[Kind, ...]
    permit_days: Mapping[str, int]
    residence_permit: str
    border_points: Weights
    same_point: float = 0.0
    warm_up_days: int = 365
    growth_per_year: float = 0.0
    months: tuple[float, ...] = (1.0,) * 12
    weekdays: tuple[float, ...] = (1.0,) * 7
    records: Records = Records()
    closures: tuple[Closure, ...] = field(default=())

    @property
    def years(self) -> float:
        """Length of the warm-up and the period, in years of 365.25 days."""
        return ((self.end - self.start).days + 1 + self.warm_up_days) / 365.25


@cache
def border_parameters() -> Parameters:
    """The parameters that ship with the package: Kazakhstan and its neighbours, invented numbers, a closure in 2020."""
    text = files("qonys").joinpath("data", "border_simulation.toml").read_text(encoding="utf-8")
    return read_border_parameters(text, file="border_simulation.toml")


def read_border_parameters(text: str, *, file: str) -> Parameters:
    """The parameters of a file. Errors: DesignError naming the file, the field and the mend."""
    try:
        facts = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DesignError(f"{file} is not valid TOML: {error}", mend="correct that line") from None
    points = dict(_table(facts.pop("border_point", None), f"{file}, border_point"))
    same_point = points.pop("same_point", 0.0)
    kinds = tuple(_kind(name, one, f"{file}, kind {name}") for name, one in _table(facts.pop("kind", None), f"{file}, kind").items())
    closures = facts.pop("closure", [])
    if not isinstance(closures, list):
        raise DesignError(f"{file}: closure is not a list", mend="write each under [[closure]]")
    records = _table(facts.pop("records", {}), f"{file}, records")
    permits = facts.pop("permit_days", None)
    found = _made(
        Parameters,
        {
            **facts,
            "kinds": kinds,
            "border_points": points,
            "same_point": same_point,
            "permit_days": permits,
            "records": _made(Records, records, f"{file}, records"),
            "closures": tuple(_closure(one, f"{file}, closure {place}") for place, one in enumerate(closures, start=1)),
        },
        file,
    )
    return checked(found, where=file)


def checked(found: Parameters, *, where: str = "the parameters") -> Parameters:
    """The same parameters, if they can be simulated. Errors: DesignError that names what cannot be and the mend."""
    days = (found.end - found.start).days
    if not 0 <= days <= LONGEST_SPAN_DAYS:
        raise DesignError(f"{where}: the records run from {found.start} to {found.end}", mend="end on or after the start, within a century")
    if not 0 <= found.warm_up_days <= LONGEST_SPAN_DAYS:
        raise DesignError(f"{where}: warm_up_days is {found.warm_up_days}", mend="give days from 0 on; a year is usual")
    _area(found.country, f"{where}, country")
    _calendar(found, where)
    _weights(found.border_points, f"{where}, border_point")
    _share(found.same_point, f"{where}, border_point, same_point")
    for permit, number in _table(found.permit_days, f"{where}, permit_days").items():
        _between(number, 1, LONGEST_SPAN_DAYS, f"{where}, permit_days, {permit}")
    for one in ("missed_entries", "missed_exits", "repeated", "clock_wrong"):
        _share(getattr(found.records, one), f"{where}, records, {one}")
    for one, most in (("repeated_seconds", 86_400), ("clock_hours", 24 * LONGEST_SPAN_DAYS), ("renewals_per_year", 366)):
        _between(getattr(found.records, one), 0, most, f"{where}, records, {one}")
    if found.residence_permit not in found.permit_days:
        mend = nearest(found.residence_permit, found.permit_days)
        raise DesignError(f"{where}: residence_permit {found.residence_permit!r} has no days", mend=mend)
    if not found.kinds:
        raise DesignError(f"{where} has no kind of people", mend="add [kind.NAME]")
    for kind in found.kinds:
        _check_kind(kind, found, f"{where}, kind {kind.name}")
    shares = _weights({kind.name: kind.share for kind in found.kinds}, f"{where}, kind, share")
    plans = [(kind.share, plan) for kind in found.kinds for plan in (kind.trips, kind.visits) if plan is not None]
    journeys = sum(share * (plan.at_least + plan.per_year * found.years) for share, plan in plans) / sum(shares.values())
    if journeys > MOST_JOURNEYS:
        raise DesignError(
            f"{where}: a person makes {journeys:,.0f} journeys on the average, more than {MOST_JOURNEYS}",
            mend="lower per_year or at_least, or shorten the period",
        )
    last = date.min
    for place, closure in enumerate(found.closures, start=1):
        here = f"{where}, closure {place}"
        if not last < closure.start <= closure.end:
            raise DesignError(f"{here} runs from {closure.start} to {closure.end}", mend="put closures in order of time, without overlap")
        last = closure.end
        for group in (closure.arrivals, closure.departures):
            _share(group.foreigners, f"{here}, foreigners")
            _share(group.citizens, f"{here}, citizens")
        _share(closure.catch_up, f"{here}, catch_up")
        _between(closure.delay_days, 0, LONGEST_SPAN_DAYS, f"{here}, delay_days")
    return found


def _check_kind(kind: Kind, found: Parameters, where: str) -> None:
    if kind.home not in ("inside", "outside"):
        raise DesignError(f"{where}: home is {kind.home!r}", mend="write inside or outside")
    for code in _weights(kind.citizenship, f"{where}, citizenship"):
        _area(code, f"{where}, citizenship")
    _weights(kind.purpose, f"{where}, purpose")
    for permit in _weights(kind.permit, f"{where}, permit"):
        if permit not in found.permit_days:
            raise DesignError(f"{where}: permit {permit!r} has no days", mend=nearest(permit, found.permit_days))
    _share(kind.male, f"{where}, male")
    _between(kind.age.spread, 0, 100, f"{where}, age, spread")
    _calendar(kind, where)
    for one in (kind.trips, kind.visits):
        if one is not None:
            for name, most in (("per_year", 10_000), ("spread", 10), ("at_least", 10_000), ("longest", LONGEST_SPAN_DAYS)):
                _between(getattr(one, name), 0, most, f"{where}, {name}")
            if not 0 < one.days <= one.longest:
                raise DesignError(
                    f"{where}: {one.days} days with {one.longest} as the longest", mend="give days above zero, at most longest"
                )
    if kind.move is not None:
        _share(kind.move.back, f"{where}, move, back")
        _between(kind.move.back_after, 0, LONGEST_SPAN_DAYS, f"{where}, move, back_after")


def _calendar(one: Parameters | Kind, where: str) -> None:
    for name, length in (("months", 12), ("weekdays", 7)):
        weights = getattr(one, name)
        if weights is not None:
            if len(weights) != length:
                raise DesignError(f"{where}: {name} has {len(weights)} weights", mend=f"give {length}")
            _weights({str(place): weight for place, weight in enumerate(weights, start=1)}, f"{where}, {name}")
    if one.growth_per_year is not None and not (_is_number(one.growth_per_year) and -1 < one.growth_per_year < 10):
        raise DesignError(
            f"{where}: growth_per_year is {one.growth_per_year!r}", mend="0.03 stands for 3 % a year; it must be above -1 and below 10"
        )


def _kind(name: str, facts: object, where: str) -> Kind:
    given = dict(_table(facts, where))
    for key, made in (("trips", Journey), ("visits", Journey), ("move", Move), ("age", Age)):
        if key in given:
            given[key] = _made(made, given[key], f"{where}, {key}")
    return _made(Kind, {**given, "name": name}, where)


def _closure(facts: object, where: str) -> Closure:
    given = dict(_table(facts, where))
    for key in ("arrivals", "departures"):
        if key in given:
            given[key] = _made(ByGroup, given[key], f"{where}, {key}")
    return _made(Closure, given, where)


def _made(made: type[T], facts: object, where: str) -> T:
    """A dataclass from a TOML table, its field names and the types of its plain fields checked."""
    given = dict(_table(facts, where))
    known = {one.name: one for one in fields(made)}  # type: ignore[arg-type]
    for name, value in given.items():
        if name not in known:
            raise DesignError(f"{where}: there is no {name!r}", mend=nearest(name, known))
        kind = str(known[name].type)
        right = {
            "float": _is_number(value), "int": isinstance(value, int) and not isinstance(value, bool), "str": isinstance(value, str),
            "bool": isinstance(value, bool), "date": isinstance(value, date) and not isinstance(value, datetime),
        }.get(kind.removesuffix(" | None"), True)  # fmt: skip
        if not right:
            words = {"float": "a number", "int": "a whole number", "str": "a word", "bool": "true or false", "date": "a day as 2020-03-16"}
            raise DesignError(f"{where}: {name} is {value!r}", mend=f"write {words[kind.removesuffix(' | None')]}")
        if isinstance(value, list):
            given[name] = tuple(value)
    absent = [one for one, spec in known.items() if one not in given and spec.default is MISSING and spec.default_factory is MISSING]
    if absent:
        raise DesignError(f"{where} has no {absent[0]}", mend="add it; the shipped border_simulation.toml says what each field means")
    return made(**given)


def _table(facts: object, where: str) -> Mapping[str, Any]:
    if not isinstance(facts, Mapping):
        raise DesignError(f"{where} is not a table", mend="see the shipped border_simulation.toml")
    return facts


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) != float("inf")


def _between(value: object, least: float, most: float, where: str) -> None:
    if not _is_number(value) or not least <= value <= most:  # type: ignore[operator]
        raise DesignError(f"{where} is {value!r}", mend=f"give a number from {least:g} to {most:,}")


def _share(value: object, where: str) -> None:
    if not _is_number(value) or not 0 <= value <= 1:  # type: ignore[operator]
        raise DesignError(f"{where} is {value!r}", mend="give a share from 0 to 1")


def _weights(weights: object, where: str) -> Weights:
    for name, weight in _table(weights, where).items():
        _between(weight, 0, MOST_WEIGHT, f"{where}, {name}")
    if not sum(_table(weights, where).values()) > 0:
        raise DesignError(f"{where}: no weight is above zero", mend="give at least one")
    return weights  # type: ignore[return-value]


def _area(code: object, where: str) -> None:
    if code not in codes():
        raise DesignError(f"{where}: {code!r} is not an area", mend=nearest(str(code), codes()))
