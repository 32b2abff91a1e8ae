"""A request: the address of one reply of a publisher, and what the reply may be."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One GET. `fetch` sends it; the publishers' modules only build it.

    url: address without query. params: pairs of the query, in order. headers: pairs beside the common ones.
    expects: content types the reply may have, without parameters; empty: any. suffix: of the kept file, as ".tsv.gz", which
    also says how to stage it. largest: bytes past which the reply is refused; None: the publisher's limit in the catalogue.
    """

    url: str
    params: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    expects: tuple[str, ...] = ()
    suffix: str = ""
    largest: int | None = None
