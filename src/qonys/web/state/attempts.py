"""Failed sign-ins, and how long the next one must wait. Names and addresses are kept as keyed hashes only.

Three counts of the failures of the last 15 minutes: 5 for a name from an address, 20 for a name from anywhere, 50 for an address with any
name. A full count lets nobody through until its oldest failure is 15 minutes old, so no more passwords than that can be tried, however
patient or parallel the guesser; before that, waits between tries for a name from an address grow from 1 to 16 seconds, and each further
five failures of a day double the 15 minutes, up to an hour.

Nobody can lock another out for good: a name and an address that signed in together within 30 days are judged by their own count alone,
so a guesser elsewhere, who can fill the name's count, does not touch the owner's; and any wait is over within an hour. An address is a /64
network in IPv6, since one machine has all of it.

Ask with `enter`, which counts the try before the password is looked at, so that many tries at once count as many; if it lets one through
(0 seconds) check the password, and on success take the count back with `cleared`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

from sqlalchemy import Connection, delete, insert, or_, select

from qonys.web.state.database import Database, installation_key, reading, writing
from qonys.web.state.people import key_of
from qonys.web.state.tables import attempts as table
from qonys.web.state.tables import moment

WINDOW = timedelta(minutes=15)
LIMITS = {"pair": 5, "name": 20, "address": 50}
PAUSES = (0, 0, 1, 4, 16)  # seconds after so many failures of a pair, within the window
LONGEST = timedelta(hours=1)
REMEMBERED = timedelta(days=1)  # failures
KNOWN = timedelta(days=30)  # pairs that signed in


def enter(where: Database | Connection, name: str, address: str, *, now: datetime | None = None) -> float:
    """0.0 if a password may be tried now, and then the try counts as failed until `cleared`; else the seconds to wait, uncounted."""
    at = moment(now)
    with writing(where) as connection:
        keys = _keys(connection, name, address)
        wait = _longest(connection, keys, at)
        if wait == 0:
            _count(connection, keys, at)
        return wait


def wait_of(where: Database | Connection, name: str, address: str, *, now: datetime | None = None) -> float:
    """Seconds until a password may be tried for this name from this address; 0.0: now."""
    with reading(where) as connection:
        return _longest(connection, _keys(connection, name, address), moment(now))


def failed(where: Database | Connection, name: str, address: str, *, now: datetime | None = None) -> None:
    """Count a failure that `enter` did not count, and forget those too old to matter."""
    with writing(where) as connection:
        _count(connection, _keys(connection, name, address), moment(now))


def cleared(where: Database | Connection, name: str, address: str, *, now: datetime | None = None) -> None:
    """The password was right: the pair's failures are forgotten in all three counts, and the pair is known.

    Only its own: who signs in as themself must not get more tries at others.
    """
    at = moment(now)
    with writing(where) as connection:
        pair = _keys(connection, name, address)["pair"]
        connection.execute(delete(table).where(table.c.pair == pair))
        connection.execute(insert(table).values(kind="known", key=pair, pair=pair, at=at))


def _count(connection: Connection, keys: dict[str, str], at: datetime) -> None:
    connection.execute(insert(table), [{"kind": kind, "key": key, "pair": keys["pair"], "at": at} for kind, key in keys.items()])
    connection.execute(delete(table).where(or_(table.c.at < at - KNOWN, (table.c.at < at - REMEMBERED) & (table.c.kind != "known"))))


def _longest(connection: Connection, keys: dict[str, str], at: datetime) -> float:
    since = {"pair": REMEMBERED, "known": KNOWN, "name": WINDOW, "address": WINDOW}
    matter = (
        (table.c.kind == kind) & (table.c.key == keys.get(kind, keys["pair"])) & (table.c.at > at - long) for kind, long in since.items()
    )
    found: dict[str, list[datetime]] = {kind: [] for kind in since}
    for row in connection.execute(select(table.c.kind, table.c.at).where(or_(*matter)).order_by(table.c.at.desc())):
        found[row.kind].append(row.at)
    judged = ("pair",) if found["known"] else ("pair", "name", "address")
    return min(max(_wait(kind, found[kind], at) for kind in judged), LONGEST.total_seconds())


def _wait(kind: str, failures: Sequence[datetime], at: datetime) -> float:
    limit = LIMITS[kind]
    window = WINDOW
    if kind == "pair":
        window = min(WINDOW * 2 ** max(0, len(failures) // limit - 1), LONGEST)
    recent = [one for one in failures if one > at - window]
    if len(recent) >= limit:
        return (recent[limit - 1] + window - at).total_seconds()
    if kind == "pair" and recent:
        return max(0.0, (recent[0] - at).total_seconds() + PAUSES[len(recent)])
    return 0.0


def _keys(connection: Connection, name: str, address: str) -> dict[str, str]:
    secret, named, placed = installation_key(connection), key_of(name[:1000]), _place(address)
    words = {"pair": f"{named}\n{placed}", "name": named, "address": placed}
    return {kind: hmac.new(secret, f"{kind}\n{word}".encode("utf-8", "replace"), "sha256").hexdigest() for kind, word in words.items()}


def _place(address: str) -> str:
    try:
        found = ip_address(address.strip())
    except ValueError:
        return address.strip()[:1000]
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return str(found)
