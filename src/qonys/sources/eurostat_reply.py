"""What Eurostat's answers mean beside HTTP: replies that are prepared and fetched later, and errors in envelopes.

Eurostat, "API - Detailed guidelines - Asynchronous API": a request of 500,000 cells or more is answered with an envelope that holds an id;
`1.0/async/status/<id>` tells how far it is, `1.0/async/data/<id>` gives the data. Past 5,000,000 cells the answer is 413.
"""

from __future__ import annotations

import html
import re

from qonys.sources.reply import Answer, Ask, Done, Refuse

_ID = re.compile(r"<(?:\w+:)?id>\s*([A-Za-z0-9-]{1,128})\s*</")
_STATUS = re.compile(r"<(?:\w+:)?status>\s*([A-Z_]{1,40})\s*</")
_FAULT = re.compile(r"<faultstring>\s*(.*?)\s*</faultstring>", re.DOTALL)
_BASE = re.compile(r"(https?://[^?#]*/dissemination)/")
_PREPARING = ("SUBMITTED", "QUEUED", "PROCESSING", "DATA_NOT_YET_AVAILABLE")
_FEWER = "name fewer codes in the target (geo=, citizen=) or a shorter time (since=, until=)"


def verdict(answer: Answer) -> Done | Ask | Refuse:
    """The quirk for `fetch`: wait for what is being prepared, refuse what is too big or empty with Eurostat's own words.

    Addresses are built from the one that was asked; none is taken out of an answer.
    """
    if not answer.head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        return Done()
    text = answer.head.decode("utf-8", "replace")
    fault = _FAULT.search(text)
    if fault is not None or answer.status == 413:
        return _refused(html.unescape(fault[1]) if fault else "", answer.status)
    base, status = _BASE.match(answer.url), _STATUS.search(text)
    if base is None or status is None or ":Envelope" not in text[:2000]:
        return Done()
    asked = re.search(r"/async/status/([A-Za-z0-9-]{1,128})$", answer.url.partition("?")[0])
    found = asked or _ID.search(text)
    if found is None:
        return Refuse("Eurostat prepares the reply and does not say under which number", "pull again later")
    if status[1] in _PREPARING:
        return Ask(f"{base[1]}/1.0/async/status/{found[1]}", wait=True)
    if status[1] == "AVAILABLE" and "/async/data/" not in answer.url:
        return Ask(f"{base[1]}/1.0/async/data/{found[1]}", wait=False)
    said = {"EXPIRED": "has thrown the prepared reply away", "UNKNOWN_REQUEST": "does not know the prepared reply any more"}
    return Refuse(f"Eurostat {said.get(status[1], f'answers {status[1]}')}", "pull again: it will be prepared anew")


def _refused(words: str, status: int) -> Refuse:
    short = re.sub(r"\s+", " ", words)[:300]
    if status == 413 or "TOO_BIG" in words:
        return Refuse(f"Eurostat says that too much is asked for: {short or status}", _FEWER)
    if "NO_RECORDS" in words or "NO_RESULTS" in words or "No results" in words:
        return Refuse(f"Eurostat has no figures for this target: {short}", "check the codes of its filters")
    return Refuse(f"Eurostat refuses ({status}): {short}", "check the dataset and its filters: qonys sources list eurostat")
