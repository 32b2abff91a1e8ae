"""The network: every fault has an outcome or a sentence, and no half reply is ever taken for a whole one."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace

import pytest
from server import Say, Server, file_of

from qonys.core.errors import SourceError
from qonys.sources.eurostat_reply import verdict
from qonys.sources.fetch import _next, fetch
from qonys.sources.pages import fetch_pages
from qonys.sources.reply import HEAD, set_aside
from qonys.sources.request import Request
from qonys.sources.settings import Pace, Settings, settings

BODY = b"geo,period,value\n" + b"".join(b"DE,%d,%d\n" % (year, year * 7) for year in range(1000, 6000))
CSV = {"Content-Type": "text/csv"}
HTML = b"\n<!DOCTYPE html><html><body>Sorry, we are being maintained</body></html>"


@pytest.fixture
def pull(server, clock, tmp_path):
    """Fetch a path of the server into a folder of the test."""

    def call(path="/data", *, suffix=".csv", quirk=None, progress=None, etag="", params=(), expects=(), largest=None, headers=(), **own):
        request = Request(url=server.url + path, params=params, headers=headers, expects=expects, suffix=suffix, largest=largest)
        return fetch(request, into=tmp_path / "in", settings=clock.settings(**own), quirk=quirk, progress=progress, etag=etag)

    return call


def left(tmp_path):
    folder = tmp_path / "in"
    return sorted(one.name for one in folder.iterdir() if one.is_file()) if folder.is_dir() else []


def test_a_reply_is_kept_byte_for_byte_with_where_and_when_it_came_from(server, pull, tmp_path):
    server.say(
        "/data", Say(body=BODY, headers=CSV | {"ETag": '"a"', "Last-Modified": "Thu, 15 Jan 2026 11:00:00 GMT", "Set-Cookie": "secret=1"})
    )
    seen = []
    reply = pull(params=(("format", "csv"), ("geo", "DE,FR")), progress=lambda have, total: seen.append((have, total)))
    assert reply.path.read_bytes() == BODY
    assert (reply.changed, reply.size, reply.media_type, reply.etag, reply.tries) == (True, len(BODY), "text/csv", '"a"', 1)
    assert reply.url == f"{server.url}/data?format=csv&geo=DE%2CFR"
    assert reply.looked_at.isoformat() == "2026-01-15T12:00:00+00:00"
    assert "secret" not in json.dumps(dict(reply.headers))
    assert seen[-1] == (len(BODY), len(BODY))
    assert left(tmp_path) == [reply.path.name]
    assert "qonys" in server.asked[0].headers["user-agent"]


@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "does not understand"), (401, "wants a password"), (403, "does not let us in"), (404, "nothing at this address"), (410, "has withdrawn"),
     (413, "too much"), (204, "no figures"), (418, "answers 418"), (304, "answers 304"), (206, "another piece")],
)  # fmt: skip
def test_a_refusal_is_a_sentence_and_leaves_nothing(server, pull, tmp_path, status, words):
    server.say("/data", Say(status=status, body=b"" if status in (204, 304) else b"no"))
    with pytest.raises(SourceError, match=words):
        pull()
    assert left(tmp_path) == []


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_again_with_growing_pauses(server, pull, clock, status):
    server.say("/data", Say(status=status), Say(status=status), Say(body=BODY, headers=CSV))
    reply = pull()
    assert (reply.tries, reply.path.read_bytes()) == (3, BODY)
    assert [pause for pause in clock.slept if pause > 0.1] == [1.0, 2.0]


def test_what_does_not_pass_is_given_up_with_a_sentence(server, pull):
    server.say("/data", Say(status=503))
    with pytest.raises(SourceError, match=r"was asked 3 times: it answers 503 \(Service Unavailable\); .*QONYS_OFFLINE"):
        pull(tries=3)


@pytest.mark.parametrize(
    ("told", "pause"), [("30", 30.0), ("Thu, 15 Jan 2026 12:01:00 GMT", 60.0), ("Thu, 15 Jan 2026 11:00:00 GMT", 1.0), ("soon", 1.0)]
)
def test_retry_after_is_heeded_as_seconds_and_as_a_date(server, pull, clock, told, pause):
    server.say("/data", Say(status=429, headers={"Retry-After": told}), Say(body=BODY, headers=CSV))
    pull()
    assert max(clock.slept) == pytest.approx(pause, abs=0.1)


def test_a_publisher_who_wants_an_hour_is_not_waited_for(server, pull, clock):
    server.say("/data", Say(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(SourceError, match=r"asks to wait 3600 seconds; pull again then"):
        pull()
    assert sum(clock.slept) < 1


def test_a_dropped_connection_is_tried_again(server, pull):
    server.say("/data", Say(drop=True), Say(body=BODY, headers=CSV))
    assert pull().path.read_bytes() == BODY


def test_a_server_that_is_not_there_is_a_sentence(server, clock, tmp_path):
    with pytest.raises(SourceError, match="the connection cannot be made"):
        fetch(Request(url="http://127.0.0.1:9/x"), into=tmp_path, settings=clock.settings(tries=2))


def test_a_slow_reply_times_out_and_is_tried_again(server, pull):
    server.say("/data", Say(body=BODY, headers=CSV, delay=0.6), Say(body=BODY, headers=CSV))
    assert pull(read_timeout=0.2).tries == 2
    server.say("/data", Say(body=BODY, headers=CSV, delay=0.6))
    with pytest.raises(SourceError, match="does not answer in time"):
        pull(read_timeout=0.1, tries=2)


def test_pauses_end_when_the_patience_for_the_whole_ends(server, pull):
    server.say("/data", Say(status=503, headers={"Retry-After": "100"}))
    with pytest.raises(SourceError, match="after 150 seconds it answers 503"):
        pull(longest=150.0)


# Cut off, and taken up again


def test_a_body_that_breaks_off_is_taken_up_where_it_broke(server, pull):
    server.say("/data", file_of(BODY, first_cut=20_000))
    reply = pull()
    assert (reply.path.read_bytes(), reply.resumed_from, reply.tries) == (BODY, 20_000, 2)
    assert server.asked[1].headers["range"] == "bytes=20000-"
    assert server.asked[1].headers["if-range"] == '"one"'


def test_a_server_that_ignores_range_is_read_from_the_beginning(server, pull):
    headers = CSV | {"ETag": '"one"'}
    server.say("/data", Say(body=BODY, headers=headers, cut=20_000), Say(body=BODY, headers=headers))
    reply = pull()
    assert (reply.path.read_bytes(), reply.resumed_from) == (BODY, None)


@pytest.mark.parametrize("heed_if_range", [True, False])
def test_a_reply_that_changes_in_between_is_never_mixed(server, pull, heed_if_range):
    other = BODY.replace(b"DE", b"FR")
    server.say("/data", file_of(BODY, first_cut=20_000), file_of(other, etag='"two"', heed_if_range=heed_if_range))
    assert pull().path.read_bytes() == other


@pytest.mark.parametrize("told", ["bytes 1-9/10", "bytes 20000-30000/*", "bytes 20000-20010/90000", "lines 1-2/3", ""])
def test_a_wrong_piece_is_thrown_away(server, pull, told):
    headers = CSV | {"ETag": '"one"'}
    server.say(
        "/data",
        Say(body=BODY, headers=headers, cut=20_000),
        Say(status=206, body=b"xxx", headers=headers | {"Content-Range": told}),
        Say(body=BODY, headers=headers),
    )
    if told == "bytes 20000-30000/*":  # a piece of unknown whole, cut short: it is seen by its length
        server.say(
            "/data",
            Say(body=BODY, headers=headers, cut=20_000),
            Say(status=206, body=BODY[20_000:], declare=90_000, headers=headers | {"Content-Range": told}),
            file_of(BODY),
        )
    assert pull().path.read_bytes() == BODY


def test_without_a_validator_nothing_is_taken_up(server, pull):
    server.say("/data", Say(body=BODY, headers=CSV, cut=20_000), Say(body=BODY, headers=CSV))
    reply = pull()
    assert (reply.path.read_bytes(), reply.resumed_from) == (BODY, None)
    assert "range" not in server.asked[1].headers


def test_a_weak_etag_does_not_vouch_for_bytes(server, pull):
    headers = CSV | {"ETag": 'W/"one"'}
    server.say("/data", Say(body=BODY, headers=headers, cut=20_000), Say(body=BODY, headers=headers))
    pull()
    assert "range" not in server.asked[1].headers


def test_a_body_without_a_length_that_breaks_off_is_seen(server, pull):
    server.say("/data", Say(body=BODY, headers=CSV, chunked=True, cut=20_000), Say(body=BODY, headers=CSV, chunked=True))
    assert pull().path.read_bytes() == BODY


def test_each_try_that_gains_bytes_counts_anew(server, pull):
    whole, cuts = file_of(BODY), iter(range(1000, 60_000, 6000))

    def bit_by_bit(asked):
        said = whole(asked)
        return Say(status=said.status, body=said.body, headers=said.headers, cut=next(cuts, None))

    server.say("/data", bit_by_bit)
    reply = pull(tries=2)
    assert reply.path.read_bytes() == BODY
    assert reply.tries > 3


def test_what_a_failed_pull_left_is_taken_up_by_the_next_and_is_no_reply(server, pull, tmp_path):
    server.say("/data", file_of(BODY, first_cut=20_000), Say(status=503), Say(status=503), file_of(BODY))
    with pytest.raises(SourceError, match="503"):
        pull(tries=2)
    assert all(".part" in name for name in left(tmp_path))
    assert len(left(tmp_path)) == 2
    reply = pull()
    assert (reply.path.read_bytes(), reply.resumed_from) == (BODY, 20_000)
    assert left(tmp_path) == [reply.path.name]


def test_a_killed_pull_leaves_a_part_that_the_next_one_takes_up(server, pull, tmp_path):
    hold = {"now": True}

    def slow(asked):
        return file_of(BODY)(asked) if not hold["now"] else Say(body=BODY, headers=CSV | {"ETag": '"one"'}, cut=20_000, declare=len(BODY))

    server.say("/data", slow)
    code = (
        "import sys; from pathlib import Path; from qonys.sources import Request, Settings, fetch\n"
        "fetch(Request(url=sys.argv[1], suffix='.csv'), into=Path(sys.argv[2]), settings=Settings(backoff=100, read_timeout=5, per_minute=6000))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, f"{server.url}/data", str(tmp_path / "in")], stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while time.monotonic() < until and not any(one.stat().st_size >= 20_000 for one in (tmp_path / "in").glob("*.part")):
        time.sleep(0.02)
    with pytest.raises(SourceError, match="another program is fetching the same reply"):
        pull()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    hold["now"] = False
    reply = pull()
    assert (reply.path.read_bytes(), reply.resumed_from) == (BODY, 20_000)


# The wrong thing


@pytest.mark.parametrize(
    ("suffix", "body", "media_type", "words"),
    [
        (".csv", HTML, "text/csv", "page for people"), (".csv", HTML, "text/html; charset=utf-8", "page for people"), (".tsv.gz", HTML, "text/html", "page for people"),
        (".csv", b"", "text/csv", "is empty"), (".csv", b'{"error": "no"}', "text/csv", "is not CSV text"), (".tsv", b"a\x00b", "text/plain", "is not TSV text"),
        (".csv", b"a,b\n1,2\n", "image/png", "calls itself image/png"), (".json", b"geo,value", "application/json", "is not JSON"),
        (".json", b'{"value": [1, 2', "application/json", "is cut off"), (".xml", b"<m><a/></m", "text/xml", "is cut off"), (".xml", b"no", "text/xml", "is not XML"),
        (".xlsx", b"a,b", "text/csv", "does not begin as a .xlsx file"), (".xlsx", b"PK\x03\x04" + b"x" * 99, "application/zip", "is cut off"),
        (".tsv.gz", gzip.compress(BODY)[:-4], "application/gzip", "is cut off"), (".tsv.gz", gzip.compress(BODY)[:-9] + b"12345678x", "application/gzip", "is not whole gzip|is cut off"), (".parquet", b"PAR1xxxx", "application/octet-stream", "is cut off"),
        ("", b"x", "video/mp4", "calls itself video/mp4"),
    ],
)  # fmt: skip
def test_a_reply_of_a_wrong_shape_is_refused_and_kept_aside_with_what_was_expected(server, pull, tmp_path, suffix, body, media_type, words):
    server.say("/data", Say(body=body, headers={"Content-Type": media_type}))
    with pytest.raises(SourceError, match=words) as refused:
        pull(suffix=suffix, expects=("text/csv",))
    kept, told = sorted((tmp_path / "in" / "quarantine").iterdir())
    assert str(kept) in refused.value.mend
    assert kept.read_bytes() == body
    told = json.loads(told.read_text())
    assert told["expected"]["suffix"] == suffix
    assert told["headers"]["content-type"] == media_type
    assert told["found"] in refused.value.what
    assert left(tmp_path) == []


def test_the_same_wrong_reply_is_kept_once(server, pull, tmp_path):
    server.say("/data", Say(body=HTML, headers={"Content-Type": "text/html"}))
    for _ in range(2):
        with pytest.raises(SourceError, match="page for people"):
            pull(quarantine=tmp_path / "aside")
    assert len(list((tmp_path / "aside").iterdir())) == 2


def test_a_length_that_is_told_too_short_is_seen_at_the_end_of_the_format(server, pull):
    server.say("/data", Say(body=b'{"value": [1, 2, 3]}', declare=12, headers={"Content-Type": "application/json"}))
    with pytest.raises(SourceError, match="is cut off"):
        pull(suffix=".json")


def test_good_workbooks_json_and_gzip_pass(server, pull):
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    for suffix, body in (
        (".xlsx", book.getvalue()),
        (".json", b'\xef\xbb\xbf {"a": 1}\n'),
        (".tsv.gz", gzip.compress(BODY) + gzip.compress(b"more")),
        (".xml", b"<a>\n</a>\n"),
    ):
        server.say("/data", Say(body=body, headers={"Content-Type": "application/octet-stream"}))
        assert pull(suffix=suffix).path.read_bytes() == body


# Size


def test_a_reply_that_is_told_to_be_huge_is_refused_unread(server, pull, tmp_path):
    server.say("/data", Say(body=b"x", declare=10**15, headers=CSV))
    with pytest.raises(SourceError, match="1,000,000,000,000,000 bytes or more, and 1,000 are the most"):
        pull(largest=1000)
    assert left(tmp_path) == []


def test_a_reply_that_turns_out_huge_is_refused(server, pull, tmp_path):
    server.say("/data", Say(body=BODY, chunked=True, headers=CSV))
    with pytest.raises(SourceError, match="1,000 are the most"):
        pull(largest=1000)
    assert left(tmp_path) == []


def test_a_reply_that_unfolds_without_end_is_refused(server, pull):
    server.say("/data", Say(body=gzip.compress(bytes(10**7)), headers={"Content-Type": "application/gzip"}))
    with pytest.raises(SourceError, match="unfolds to more than"):
        pull(suffix=".tsv.gz", largest=20_000)


# Encodings


def test_an_encoding_of_the_way_is_taken_off(server, pull):
    server.say("/data", Say(body=gzip.compress(BODY), headers=CSV | {"Content-Encoding": "gzip"}))
    assert pull().path.read_bytes() == BODY


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}])
def test_what_was_to_be_packed_and_comes_plain_is_kept_as_what_it_is(server, pull, headers):
    body = gzip.compress(BODY) if headers else BODY  # some servers call a .gz file itself an encoding
    server.say("/data", Say(body=body, headers=CSV | headers))
    reply = pull(suffix=".csv.gz")
    assert (reply.path.suffixes, reply.path.read_bytes()) == ([".csv"], BODY)


@pytest.mark.parametrize(
    ("coding", "words"),
    [("gzip", "calls its encoding gzip, and is not whole gzip"), ("br", "has the encoding 'br', which was not asked for")],
)
def test_a_wrong_encoding_is_refused_and_kept(server, pull, tmp_path, coding, words):
    server.say("/data", Say(body=BODY, headers=CSV | {"Content-Encoding": coding}))
    with pytest.raises(SourceError, match=words):
        pull()
    assert max((tmp_path / "in" / "quarantine").iterdir(), key=lambda one: one.stat().st_size).read_bytes() == BODY


# Sent on


def test_redirects_are_followed_and_other_hosts_do_not_get_our_headers(server, pull):
    server.say("/data", Say(status=302, headers={"Location": "/there"}))
    server.say("/there", Say(status=307, headers={"Location": server.url.replace("127.0.0.1", "localhost") + "/at-last"}))
    server.say("/at-last", Say(body=BODY, headers=CSV))
    reply = pull(headers=(("X-Key", "mine"),))
    assert reply.url.endswith("/at-last")
    assert [asked.headers.get("x-key") for asked in server.asked] == ["mine", "mine", None]


def test_a_pause_that_is_too_long_is_told_and_not_waited_for(server, pull, clock):
    server.say("/data", Say(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(
        SourceError, match=r"^127.0.0.1:\d+: it answers 429 \(Too Many Requests\) and asks to wait 3600 seconds; pull again"
    ):
        pull()
    assert clock.slept == []


def test_a_loop_of_redirects_ends_in_a_sentence(server, pull):
    server.say("/data", Say(status=301, headers={"Location": "/data"}))
    with pytest.raises(SourceError, match="sends us on more than 5 times"):
        pull()
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    "place", ["file:///etc/passwd", "ftp://example.org/x", "//user:word@example.org/x", "//:word@example.org/x", "http://[::1"]
)
def test_a_redirect_to_what_is_not_safe_is_refused(server, pull, place):
    server.say("/data", Say(status=302, headers={"Location": place}))
    with pytest.raises(SourceError, match=r"which is not safe|what is no address"):
        pull()


@pytest.mark.parametrize(
    "place", ["http://example.org/x", "https://127.0.0.1/x", "https://169.254.169.254/x", "https://[::1]/x", "https://localhost/x"]
)
def test_no_redirect_leads_from_outside_to_plain_http_or_into_the_own_network(place):
    with pytest.raises(SourceError, match=r"not safe|inside your own network"):
        _next("https://example.org/data", place)
    assert _next("http://example.org/data", "https://example.org/x") == "https://example.org/x"


# Asked before


def test_what_did_not_change_is_not_sent_again(server, pull, tmp_path):
    server.say(
        "/data",
        lambda asked: Say(status=304) if asked.headers.get("if-none-match") == '"a"' else Say(body=BODY, headers=CSV | {"ETag": '"b"'}),
    )
    reply = pull(etag='"a"')
    assert (reply.changed, reply.path, reply.etag, reply.size) == (False, None, '"a"', 0)
    assert left(tmp_path) == []
    assert pull(etag='"old"').etag == '"b"'


def test_a_host_is_asked_no_more_often_than_it_allows(server, pull, clock):
    server.say("/data", Say(body=BODY, headers=CSV))
    pace = Pace()
    for _ in range(3):
        pull(per_minute=1, pace=pace)
    assert clock.slept == [60.0, 60.0]


# Offline, settings


def test_offline_is_a_sentence_and_nobody_is_asked(server, clock, tmp_path):
    offline = settings(environment={"QONYS_OFFLINE": "1"})
    with pytest.raises(SourceError, match=r"QONYS_OFFLINE is set: 127\.0\.0\.1 was not asked"):
        fetch(Request(url=f"{server.url}/data"), into=tmp_path, settings=offline)
    assert server.asked == []
    assert not settings(environment={"QONYS_OFFLINE": "0"}).offline


def test_settings_that_cannot_be_are_sentences(tmp_path):
    with pytest.raises(SourceError, match="QONYS_OFFLINE is 'maybe'"):
        settings(environment={"QONYS_OFFLINE": "maybe"})
    with pytest.raises(SourceError, match="there is no certificate bundle"):
        settings(environment={"QONYS_CA_BUNDLE": str(tmp_path / "none.pem")})
    for wrong in (0, -1, float("nan"), float("inf"), True, "5"):
        with pytest.raises(SourceError, match="the setting read_timeout is"):
            Settings(read_timeout=wrong)


def test_a_proxy_that_does_not_answer_is_a_sentence(server, pull):
    with pytest.raises(SourceError, match="the proxy does not answer; check HTTPS_PROXY"):
        pull(proxies={"http": "http://127.0.0.1:9"}, tries=2)


def test_a_proxy_is_asked_in_place_of_the_host(server, clock, tmp_path):
    server.say("http://data.example/x", Say(body=BODY, headers=CSV))
    reply = fetch(Request(url="http://data.example/x", suffix=".csv"), into=tmp_path, settings=clock.settings(proxies={"http": server.url}))
    assert reply.path.read_bytes() == BODY


def test_the_proxy_of_the_environment_is_used(server, clock, tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.say("http://data.example/x", Say(body=BODY, headers=CSV))
    assert fetch(Request(url="http://data.example/x", suffix=".csv"), into=tmp_path, settings=clock.settings()).size == len(BODY)


def test_a_certificate_that_nobody_vouches_for_is_refused_and_ones_own_bundle_is_heeded(clock, tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which makes the certificate of this test, is not installed")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
    ]
    subprocess.run([*command, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    with Server(certificate=(str(certificate), str(key))) as server:
        request = Request(url=server.say("/data", Say(body=BODY, headers=CSV)), suffix=".csv")
        with pytest.raises(SourceError, match=r"the certificate of 127.* is not accepted; .*QONYS_CA_BUNDLE"):
            fetch(request, into=tmp_path / "in", settings=clock.settings())
        own = settings(environment={"QONYS_CA_BUNDLE": str(certificate)})
        assert fetch(request, into=tmp_path / "in", settings=clock.settings(ca_bundle=own.ca_bundle)).path.read_bytes() == BODY


def test_https_where_there_is_none_is_a_sentence(server, clock, tmp_path):
    with pytest.raises(SourceError, match="was asked 2 times"):
        fetch(Request(url=server.url.replace("http:", "https:") + "/x"), into=tmp_path, settings=clock.settings(tries=2))


@pytest.mark.parametrize(
    "request_",
    [
        Request(url="ftp://x/y"),
        Request(url="https://u:p@x/y"),
        Request(url="x"),
        Request(url="https://x/y", suffix="/../z"),
        Request(url="https:///y"),
    ],
)
def test_a_request_that_cannot_be_is_refused(request_, clock, tmp_path):
    with pytest.raises(SourceError, match=r"no address|no suffix"):
        fetch(request_, into=tmp_path / "in", settings=clock.settings())
    assert not (tmp_path / "z").exists()


def test_a_folder_that_cannot_be_written_to_is_a_sentence(server, clock, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be written to"):
        fetch(Request(url=f"{server.url}/x"), into=tmp_path / "file", settings=clock.settings())


def test_a_fault_found_later_is_kept_aside_as_well(clock, tmp_path):
    path = tmp_path / "reply.csv"
    path.write_bytes(BODY)
    kept = set_aside(
        path,
        folder=tmp_path / "q",
        request=Request(url="https://x/y", suffix=".csv"),
        url="https://x/y",
        headers={},
        found="has no column geo",
        at=clock.settings().now(),
    )
    assert path.exists()
    assert kept.read_bytes() == BODY
    assert json.loads(kept.with_name(f"{kept.name}.json").read_text())["found"] == "has no column geo"


# Pages


def pages(last):
    def answer(asked):
        page = int(asked.path.rpartition("page=")[2])
        return Say(
            body=json.dumps({"page": page, "maxPages": last, "items": [page]}).encode(),
            headers={"Content-Type": "application/json", "ETag": f'"{page}"'},
        )

    return answer


def following(path, asked):
    told = json.loads(path.read_text())
    return replace(asked, params=(("page", str(told["page"] + 1)),)) if told["page"] < told["maxPages"] else None


def test_pages_become_one_file_in_their_order(server, clock, tmp_path):
    request = Request(url=server.say("/data", pages(3)), params=(("page", "1"),), suffix=".json")
    reply = fetch_pages(request, into=tmp_path / "in", following=following, settings=clock.settings())
    assert [json.loads(line)["items"] for line in reply.path.read_text().splitlines()] == [[1], [2], [3]]
    assert (reply.size, reply.etag, reply.tries) == (reply.path.stat().st_size, "", 3)
    assert left(tmp_path) == [reply.path.name]


def test_pages_without_end_or_measure_are_a_sentence_and_leave_nothing(server, clock, tmp_path):
    request = Request(url=server.say("/data", pages(10)), params=(("page", "1"),), suffix=".json")
    with pytest.raises(SourceError, match="come to no end: 1 were had"):
        fetch_pages(request, into=tmp_path / "in", following=lambda _, asked: asked, settings=clock.settings())
    with pytest.raises(SourceError, match="hold more than 100 bytes"):
        fetch_pages(request, into=tmp_path / "in", following=following, settings=clock.settings(largest=100))
    server.say("/data", pages(10), pages(10), Say(status=404))
    with pytest.raises(SourceError, match="nothing at this address"):
        fetch_pages(request, into=tmp_path / "in", following=following, settings=clock.settings())
    assert not [one for one in left(tmp_path) if "pages" in one]


# Eurostat prepares what is large and hands it over later


def envelope(status, *, id_="98de05ea-540a-43d3-903b-7c9e14faf808", name="queued"):
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/"><env:Header/><env:Body>'
        '<ns0:syncResponse xmlns:ns0="http://estat.ec.europa.eu/disschain/soap/extraction" xmlns:ns1="http://estat.ec.europa.eu/disschain/asynchronous">'
        f"<{name}><id>{id_}</id><ns1:status>{status}</ns1:status></{name}></ns0:syncResponse></env:Body></env:Envelope>"
    )
    return Say(body=text.encode(), headers={"Content-Type": "application/xml"})


ASYNC = "/eurostat/api/dissemination/1.0/async"
DATA = "/eurostat/api/dissemination/sdmx/2.1/data/migr_imm1ctz"
JOB = "98de05ea-540a-43d3-903b-7c9e14faf808"


def test_eurostat_is_waited_for_and_the_data_fetched_where_it_says(server, pull, clock):
    packed = gzip.compress(BODY)
    server.say(DATA, envelope("SUBMITTED"))
    server.say(f"{ASYNC}/status/{JOB}", envelope("PROCESSING"), envelope("PROCESSING"), envelope("AVAILABLE"))
    server.say(f"{ASYNC}/data/{JOB}", Say(body=packed, headers={"Content-Type": "application/gzip"}))
    reply = pull(DATA, suffix=".tsv.gz", quirk=verdict)
    assert reply.path.read_bytes() == packed
    assert [asked.path.rsplit("/", 2)[1] for asked in server.asked] == ["data", "status", "status", "status", "data"]
    assert [pause for pause in clock.slept if pause > 0.1] == [10.0, 15.0, 22.5]


def test_an_envelope_that_is_packed_on_the_way_is_understood(server, pull):
    said = envelope("SUBMITTED")
    server.say(DATA, Say(body=gzip.compress(said.body), headers=said.headers | {"Content-Encoding": "gzip"}))
    server.say(f"{ASYNC}/status/{JOB}", envelope("AVAILABLE"))
    server.say(f"{ASYNC}/data/{JOB}", Say(body=BODY, headers=CSV))
    assert pull(DATA, quirk=verdict).path.read_bytes() == BODY


@pytest.mark.parametrize(
    ("status", "words"),
    [("EXPIRED", "has thrown the prepared reply away"), ("UNKNOWN_REQUEST", "does not know"), ("ERROR", "answers ERROR")],
)
def test_a_prepared_reply_that_is_gone_is_a_sentence(server, pull, status, words):
    server.say(DATA, envelope("SUBMITTED"))
    server.say(f"{ASYNC}/status/{JOB}", envelope(status))
    with pytest.raises(SourceError, match=f"Eurostat {words}.*; pull again: it will be prepared anew"):
        pull(DATA, quirk=verdict)


def test_a_reply_that_is_never_ready_ends_with_the_patience(server, pull):
    server.say(DATA, envelope("SUBMITTED"))
    server.say(f"{ASYNC}/status/{JOB}", envelope("PROCESSING"))
    with pytest.raises(SourceError, match=r"after 600 seconds 127.* is still preparing the reply"):
        pull(DATA, quirk=verdict, longest=600.0)


def test_too_much_asked_of_eurostat_is_said_in_its_own_words(server, pull):
    fault = b'<S:Fault xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><faultcode>413</faultcode><faultstring>EXTRACTION_TOO_BIG: The requested extraction is too big, estimated 420709314 rows, max authorised is 5000000</faultstring></S:Fault>'
    server.say(DATA, Say(status=413, body=fault, headers={"Content-Type": "application/xml"}))
    with pytest.raises(SourceError, match=r"too much is asked for: EXTRACTION_TOO_BIG.*420709314 rows.*; name fewer codes"):
        pull(DATA, quirk=verdict)
    server.say(DATA, Say(status=413, body=b""))
    with pytest.raises(SourceError, match="too much"):
        pull(DATA, quirk=verdict)


def test_no_figures_at_eurostat_is_a_sentence(server, pull):
    fault = b"<S:Fault><faultcode>100</faultcode><faultstring>No results found for &quot;geo=XX&quot;</faultstring></S:Fault>"
    server.say(DATA, Say(status=400, body=fault + b" " * 2 * HEAD, headers={"Content-Type": "application/xml"}))
    with pytest.raises(SourceError, match='no figures for this target: No results found for "geo=XX"'):
        pull(DATA, quirk=verdict)


def test_figures_that_look_like_no_envelope_are_left_alone(server, pull):
    body = b'<?xml version="1.0"?><mes:GenericData xmlns:mes="x"><status>PROCESSING</status></mes:GenericData>'
    server.say(DATA, Say(body=body, headers={"Content-Type": "application/xml"}))
    assert pull(DATA, suffix=".xml", quirk=verdict).path.read_bytes() == body
