"""One request over the network, whatever happens on the way: the only module that speaks to a publisher."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import shutil
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.exceptions

from qonys.core.errors import SourceError
from qonys.sources.headers import continues, number, retry_after, validator_of
from qonys.sources.part import Part, opened
from qonys.sources.reply import HEAD, MOST_EXPANDED, Answer, Done, Refuse, Reply, expand, fault, media_type, public, set_aside
from qonys.sources.settings import CA_BUNDLE, OFFLINE, Settings
from qonys.sources.settings import settings as from_environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from qonys.sources.reply import Quirk
    from qonys.sources.request import Request

    Progress = Callable[[int, int | None], None]

CHUNK = 65_536
MOST_TRIES = 200  # of one address, also where each gains some bytes
_AGAIN = (429, 500, 502, 503, 504)
_ELSEWHERE = (301, 302, 303, 307, 308)
_HELD = f"vintages already pulled can be used without the network: {OFFLINE}=1"
_REFUSED = {
    204: ("has no figures for this target", "check the codes of its filters"),
    400: ("does not understand the request", "check the dataset and its filters"),
    401: ("wants a password", "only open data can be pulled"),
    403: ("does not let us in", "open the address in a browser: it may be closed for programs, or for your network"),
    404: ("has nothing at this address", "check the dataset and its filters: qonys sources list"),
    406: ("does not have the format asked for", "tell us: its interface has changed"),
    410: ("has withdrawn what was at this address", "look for its successor: qonys sources list"),
    413: ("says that too much is asked for", "name fewer codes in the target, or a shorter time"),
}


class _Again(Exception):
    """A try failed in a way that may pass. after: seconds the server asks to wait."""

    def __init__(self, why: str, *, mend: str = _HELD, after: float | None = None) -> None:
        super().__init__(why)
        self.why, self.mend, self.after = why, mend, after


@dataclass(slots=True)
class _Pull:
    """What the steps of one fetch share."""

    request: Request
    settings: Settings
    session: requests.Session
    part: Part
    since: float
    largest: int
    progress: Progress | None
    tries: int = 0
    resumed_from: int | None = None


@dataclass(frozen=True, slots=True)
class _Got:
    url: str
    status: int
    headers: dict[str, str]
    whole: bool  # the part holds the body


def fetch(
    request: Request, *, into: Path, settings: Settings | None = None, quirk: Quirk | None = None,
    etag: str = "", last_modified: str = "", progress: Progress | None = None,
) -> Reply:  # fmt: skip
    """The bytes of one reply as a file in the folder `into`, whole and of the shape asked for; nothing is written elsewhere.

    The file's name is made of the address, so the same request meets its own `.part` again after a cut or a kill and asks for the rest
    only, if the server vouches that it is the same reply. etag, last_modified: of the reply held; if the publisher has no newer one, the
    Reply has `changed=False` and no path. quirk: what a publisher's answers mean beside HTTP, see `reply`. progress: called with bytes
    so far and bytes in all (None: not told).
    Errors: SourceError, a sentence with the host and what to do: offline, no connection, certificate, time out, too many requests, refused,
    redirected where it must not, too large, cut off; a reply of a wrong shape is kept in the quarantine, whose path the sentence tells.
    """
    own = settings or from_environment()
    address = _address(request)
    if own.offline:
        raise SourceError(f"{OFFLINE} is set: {urlsplit(address).hostname} was not asked", mend="unset it, or use the vintages held")
    if not re.fullmatch(r"(\.[a-z0-9]{1,10}){0,3}", request.suffix):
        raise SourceError(f"the suffix {request.suffix!r} of a request is no suffix", mend="write it as .tsv.gz")
    name = hashlib.sha256(address.encode()).hexdigest()[:24]
    largest = own.largest if request.largest is None else min(own.largest, request.largest)
    with opened(into / f"{name}.part") as part, requests.Session() as session:
        pull = _Pull(request, own, session, part, own.clock(), largest, progress)
        held = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        got = _settled(pull, address, {key: value for key, value in held.items() if value}, quirk)
        if not got.whole:
            return _reply(pull, got, None, etag, last_modified)
        part.finish()
        final = _place(pull, got, into / f"{name}{request.suffix}")
        return _reply(pull, got, final, etag, last_modified)


def _address(request: Request) -> str:
    parts = urlsplit(request.url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.password:
        raise SourceError(f"{request.url!r} is no address that can be asked", mend="write https://host/path, without a password")
    try:
        url = requests.Request("GET", request.url, params=list(request.params)).prepare().url
    except (requests.RequestException, ValueError) as error:
        raise SourceError(f"{request.url!r} is no address that can be asked: {error}", mend="check it") from None
    return str(url)


def _settled(pull: _Pull, address: str, held: dict[str, str], quirk: Quirk | None) -> _Got:
    """The answer that is the reply: the publisher's quirk may send us elsewhere first, or ask us to wait."""
    own, pause = pull.settings, pull.settings.poll
    while True:
        got = _kept_trying(pull, address, held)
        held = {}
        verdict = quirk(_answer(pull, got)) if quirk is not None else Done()
        if isinstance(verdict, Refuse):
            pull.part.clear()
            raise SourceError(verdict.what, mend=verdict.mend)
        if isinstance(verdict, Done):
            if got.whole and got.status not in (200, 206):
                pull.part.clear()
                raise _refusal(got)
            return got
        pull.part.clear()
        pull.resumed_from = None
        address = verdict.url
        if verdict.wait:
            _sleep(pull, pause, f"{urlsplit(address).hostname} is still preparing the reply")
            pause = min(pause * 1.5, own.longest_pause)


def _answer(pull: _Pull, got: _Got) -> Answer:
    head = b""
    if got.whole and pull.part.size:
        with pull.part.path.open("rb") as stream:
            head = stream.read(HEAD)
        if "gzip" in got.headers.get("content-encoding", ""):
            with suppress(zlib.error):
                head = zlib.decompressobj(wbits=31).decompress(head, HEAD)
    return Answer(url=got.url, status=got.status, media_type=media_type(got.headers), head=head)


def _kept_trying(pull: _Pull, address: str, held: dict[str, str]) -> _Got:
    own, failed, host = pull.settings, 0, urlsplit(address).netloc
    for _ in range(MOST_TRIES):
        before = pull.part.size
        try:
            pull.tries += 1
            return _once(pull, address, held)
        except _Again as again:
            failed = 1 if pull.part.size > before else failed + 1
            if failed >= own.tries:
                raise SourceError(f"{host} was asked {pull.tries} times: {again.why}", mend=again.mend) from None
            pause = min(own.backoff * 2 ** (failed - 1), own.longest_pause) * (0.5 + own.chance() / 2)
            if again.after is not None:
                if again.after > own.longest_pause:
                    raise SourceError(f"{host}: {again.why} and asks to wait {again.after:.0f} seconds", mend="pull again then") from None
                pause = max(pause, again.after)
            _sleep(pull, pause, again.why)
    raise SourceError(f"{host} broke off {MOST_TRIES} times", mend="pull again later: what has come is kept")


def _sleep(pull: _Pull, seconds: float, why: str) -> None:
    own = pull.settings
    if own.clock() - pull.since + seconds > own.longest:
        raise SourceError(f"after {own.longest:.0f} seconds {why}", mend="pull again later, or name fewer codes in the target")
    own.sleep(seconds)


def _once(pull: _Pull, address: str, held: dict[str, str]) -> _Got:
    """One try: the body is in the part at the end, or one of the reasons why not is raised."""
    own, taken = pull.settings, pull.part.held(address)
    asked = {"User-Agent": own.agent, "Accept": ", ".join((*pull.request.expects, "*/*;q=0.1")), "Accept-Encoding": "gzip"}
    if taken is not None:
        asked |= {"Range": f"bytes={taken[0]}-", "If-Range": taken[1]["validator"]}
    else:
        asked |= held
    try:
        response, url = _followed(pull, address, asked)
        with response:
            headers = public(response.headers)
            status = response.status_code
            if status == 304 and held and taken is None:
                return _Got(url, status, headers, whole=False)
            if status in _AGAIN:
                raise _Again(f"it answers {status} ({response.reason})", after=retry_after(headers, own.now()))
            if status == 416 and taken is not None:
                pull.part.clear()
                raise _Again("it does not have the rest of the reply", after=0)
            if status == 206 and taken is not None and continues(headers, *taken):
                pull.resumed_from = taken[0]
                headers = {**taken[1]["headers"], **headers}
            elif status == 206:
                pull.part.clear()
                raise _Again("it sends another piece of the reply than was asked for", after=0)
            else:
                pull.resumed_from = None
                pull.part.begin(address, validator=validator_of(headers) if status == 200 else "", headers=headers)
            _read(pull, response, headers, url)
            return _Got(url, status, headers, whole=True)
    except requests.RequestException as error:
        raise _network(error, urlsplit(address).netloc) from None
    except ValueError as error:  # requests reads where a redirect leads to before we do
        raise SourceError(
            f"{urlsplit(address).netloc} sends us on to what is no address: {error}", mend="tell us: it has changed"
        ) from None
    except (urllib3.exceptions.HTTPError, OSError):
        raise _Again(f"the reply broke off after {pull.part.size:,} bytes") from None


def _followed(pull: _Pull, address: str, asked: dict[str, str]) -> tuple[requests.Response, str]:
    """The answer at the end of a chain of redirects, each of them looked at first."""
    own, url = pull.settings, address
    for _ in range(own.redirects + 1):
        first = urlsplit(url).netloc == urlsplit(address).netloc
        own.pace.wait(urlsplit(url).netloc, own.per_minute, clock=own.clock, sleep=own.sleep)
        response = pull.session.get(
            url, headers={**asked, **(dict(pull.request.headers) if first else {})}, stream=True, allow_redirects=False,
            timeout=(own.connect_timeout, own.read_timeout), verify=str(own.ca_bundle) if own.ca_bundle else None,
            proxies=dict(own.proxies) if own.proxies else None,
        )  # fmt: skip
        place = response.headers.get("location")
        if response.status_code not in _ELSEWHERE or not place:
            return response, url
        response.close()
        url = _next(url, place)
    raise SourceError(
        f"{urlsplit(address).netloc} sends us on more than {own.redirects} times, at last to {url[:200]}",
        mend="tell us: its address has changed",
    )


def _next(url: str, place: str) -> str:
    """Where a redirect leads to, looked at first: never to another scheme, with a password, or from outside into the own network."""
    before = urlsplit(url)
    try:
        address = urljoin(url, place)
        after = urlsplit(address)
        host = after.hostname if after.scheme in ("https", before.scheme) and after.username is None else None
    except ValueError:
        host = None
    if not host:
        raise SourceError(f"{before.netloc} sends us on to {place[:200]!r}, which is not safe", mend="tell us: its address has changed")
    if _inside(host) and not _inside(before.hostname or ""):
        raise SourceError(f"{before.netloc} sends us on to {host}, inside your own network", mend="do not pull from there")
    return address


def _inside(host: str) -> bool:
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return not found.is_global


def _read(pull: _Pull, response: requests.Response, headers: dict[str, str], url: str) -> None:
    """The body as sent, at the end of the part. What is no reply (an error page) is read as far as a quirk may look."""
    part, good = pull.part, response.status_code in (200, 206)
    length, have = number(headers.get("content-length")), part.size
    expected = None if length is None else have + length
    if good and expected is not None and expected > pull.largest:
        part.clear()
        raise _too_large(url, expected, pull.largest)
    for data in response.raw.stream(CHUNK, decode_content=False):
        part.write(data)
        have += len(data)
        if not good and have >= HEAD:
            return
        if have > pull.largest:
            part.clear()
            raise _too_large(url, have, pull.largest)
        if pull.settings.clock() - pull.since > pull.settings.longest:
            raise SourceError(
                f"{urlsplit(url).netloc} sent {have:,} bytes in {pull.settings.longest:.0f} seconds",
                mend="pull again: what has come is kept",
            )
        if good and pull.progress is not None:
            pull.progress(have, expected)
    if good and expected is not None and have != expected:
        raise _Again(f"the reply broke off after {have:,} of {expected:,} bytes")


def _too_large(url: str, size: int, largest: int) -> SourceError:
    return SourceError(
        f"{urlsplit(url).netloc} sends {size:,} bytes or more, and {largest:,} are the most",
        mend="name fewer codes in the target, or a shorter time",
    )


def _place(pull: _Pull, got: _Got, final: Path) -> Path:
    """The part becomes a file, without the encoding of the way, if it has the right shape; else it goes to the quarantine."""
    request, own, draft = pull.request, pull.settings, pull.part.path.with_suffix(".body")
    try:
        wrong = _unwrapped(pull, got.headers.get("content-encoding", "").strip().lower(), draft)
        if request.suffix.endswith(".gz") and not _packed(draft):  # not every server packs what it is asked to pack
            request, final = replace(request, suffix=request.suffix.removesuffix(".gz")), final.with_suffix("")
        wrong = wrong or fault(draft, headers=got.headers, request=request, largest=pull.largest)
        if wrong is not None:
            folder = own.quarantine or final.parent / "quarantine"
            kept = set_aside(draft, folder=folder, request=pull.request, url=got.url, headers=got.headers, found=wrong, at=own.now())
            pull.part.clear()
            raise SourceError(f"the reply of {urlsplit(got.url).netloc} {wrong}", mend=f"it is kept for you to look at: {kept}")
        with draft.open("rb+") as stream:
            os.fsync(stream.fileno())
        draft.replace(final)
        pull.part.clear()
    except OSError as error:
        raise SourceError(f"{final.parent} cannot be written to: {error.strerror}", mend="make room, then pull again") from None
    finally:
        draft.unlink(missing_ok=True)
    return final


def _unwrapped(pull: _Pull, coding: str, draft: Path) -> str | None:
    """The part without its encoding as the file `draft`; as it came, and what is wrong with it, if that cannot be taken off."""
    wrong = None
    if coding in ("gzip", "x-gzip"):
        wrong = expand(pull.part.path, draft, most=pull.largest * MOST_EXPANDED)
        if wrong is None:
            return None
        wrong = f"calls its encoding gzip, and {wrong}"
    elif coding not in ("", "identity"):
        wrong = f"has the encoding {coding!r}, which was not asked for"
    shutil.copyfile(pull.part.path, draft)
    return wrong


def _packed(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _reply(pull: _Pull, got: _Got, final: Path | None, etag: str, last_modified: str) -> Reply:
    digest = ""
    if final is not None:
        with final.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    told, known = got.headers, final is not None
    return Reply(
        path=final, url=got.url, looked_at=pull.settings.now(), changed=known, size=final.stat().st_size if final else 0, sha256=digest,
        media_type=media_type(told), etag=told.get("etag", "" if known else etag), headers=told, tries=pull.tries,
        last_modified=told.get("last-modified", "" if known else last_modified), resumed_from=pull.resumed_from,
    )  # fmt: skip


def _refusal(got: _Got) -> SourceError:
    what, mend = _REFUSED.get(got.status, (f"answers {got.status}", "open the address in a browser, or pull again later"))
    host = urlsplit(got.url).netloc
    return SourceError(f"{host} {what} ({got.status}): {got.url[:300]}", mend=mend)


def _network(error: requests.RequestException, host: str) -> Exception:
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError) and "certificate" in text.lower():
        return SourceError(
            f"the certificate of {host} is not accepted", mend=f"if your network has its own, name its bundle in {CA_BUNDLE}"
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return _Again("the proxy does not answer", mend="check HTTPS_PROXY")
    if isinstance(error, requests.exceptions.Timeout):
        return _Again("it does not answer in time")
    if isinstance(error, (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        unknown = "NameResolution" in text or "getaddrinfo" in text
        return _Again("its name is not known here" if unknown else "the connection cannot be made or is cut")
    return SourceError(f"{host} cannot be asked: {text[:200]}", mend="check the address")
