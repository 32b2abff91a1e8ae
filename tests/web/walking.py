"""All routes of an application, with addresses that fit them and what their forms and queries take; for tests that try each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi.routing import APIRoute

SAFE = {"GET", "HEAD", "OPTIONS"}
# what fits a path parameter by its name; ids fit no row
FITS = {
    "language": "en", "id": "0" * 32, "digest": "0" * 64, "stamp": "x", "form": "csv", "kind": "procedure", "study": "kazakhstan", "name": "x", "block": "x",
}  # fmt: skip
# no session is needed to ask for one
UNPROTECTED = {"/{language}/sign-in", "/{language}/sign-in/password"}


@dataclass(frozen=True)
class Way:
    """One route by one method."""

    method: str
    route: APIRoute

    @property
    def path(self) -> str:
        return self.route.path

    def address(self, **values: str) -> str:
        return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: values.get(found[1], FITS.get(found[1], "x")), self.path)

    def parameters(self, place: str) -> list[Any]:
        """Fields of the path, query or body, with those of what it depends on."""
        return list(_fields(self.route.dependant, place))

    def calls(self) -> list[Any]:
        return list(_calls(self.route.dependant))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def ways(app: Any) -> list[Way]:
    return [Way(method, route) for route in _routes(app.routes) if isinstance(route, APIRoute) for method in sorted(route.methods)]


def unsafe(app: Any) -> list[Way]:
    return [way for way in ways(app) if way.method not in SAFE]


def texts(way: Way, place: str) -> list[str]:
    """Names of fields that take text."""
    found = []
    for field in way.parameters(place):
        annotation = field.field_info.annotation
        if hasattr(annotation, "model_fields"):
            found += [name for name, one in annotation.model_fields.items() if "str" in repr(one.annotation)]
        elif "str" in repr(annotation):
            found.append(field.alias)
    return sorted(set(found))


def _routes(routes: Any) -> Iterator[Any]:
    for route in routes:
        inner = getattr(getattr(route, "original_router", None), "routes", None)
        yield from _routes(inner) if inner is not None else [route]


def _fields(dependant: Any, place: str) -> Iterator[Any]:
    yield from getattr(dependant, f"{place}_params")
    for inner in dependant.dependencies:
        yield from _fields(inner, place)


def _calls(dependant: Any) -> Iterator[Any]:
    for inner in dependant.dependencies:
        yield inner.call
        yield from _calls(inner)


def as_json(way: Way, words: dict[str, str]) -> bytes:
    return json.dumps(words).encode()
