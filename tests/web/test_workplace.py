"""The register workplace: nobody acts twice on one entry, a second coder sees no code, versions only grow, and imports wait for a yes."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from datetime import date
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.web.conftest import LANGUAGES, made, signed

from qonys.core.contracts import MEASURE
from qonys.core.errors import QonysError, RegisterError
from qonys.measures import examine_register, unchanged
from qonys.measures.agreement import CODED
from qonys.registers import DEFAULT, check_registers, explain_corridor
from qonys.situation.corridor import why_of
from qonys.store import connect
from qonys.web import drafts, entry_form, house, workplace
from qonys.web.house import House, Written
from qonys.web.jobs import imports
from qonys.web.publish import publish, versions_of
from qonys.web.state import audit, jobs, passwords, people, work
from qonys.web.state.database import Database

SPECIMENS = Path(__file__).parents[1] / "specimens"
SMALL = """issuer = "KAZ"

# what ships
[[measure]]
id = "TT001"
title = "Entry closed for arrivals from Russia"
level = "national"
targets = ["foreign_traveller"]
target_origin = ["RUS"]
field = "health"
instrument = "administrative"
direction = "tightening"
strength = 3
general = true
start = "2020-03-16"
status = "ended"
evidence = "a decree, read 2026-01-15"
coder = "qonys-2026"
"""
ENTRY = {
    "id": "TT900", "title": "Entry opened for labour", "issuer": "KAZ", "level": "national", "targets": "labour", "field": "migration",
    "instrument": "legal", "direction": "easing", "strength": "3", "general": "true", "start": "2021-05", "status": "standing",
    "evidence": "a law, read 2026-02-01",
}  # fmt: skip
CODES = {name: ENTRY[name] for name in CODED}
WHY = "the act was published in full"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
def _cheap():
    passwords.use_hasher(CHEAP)
    yield
    passwords.use_hasher(None)


@pytest.fixture
def shipped_small(monkeypatch):
    """One small file in place of the shipped register."""
    monkeypatch.setattr(house, "_shipped_texts", lambda: {"KAZ.toml": SMALL})


@pytest.fixture
def home(tmp_path, shipped_small) -> House:
    """A home whose register is the small one."""
    found = House(tmp_path / "home")
    found.folder.mkdir(parents=True)
    (found.folder / "KAZ.toml").write_text(SMALL, encoding="utf-8")
    return found


@pytest.fixture
def app(home):
    application = made(home.home)
    application.state.desk.database.migrate()
    return application


@pytest.fixture
def database(app):
    return app.state.desk.database


@pytest.fixture
def staff(app):
    return {
        name: signed(app, name, role)
        for name, role in (("Zhuldyz", "analyst"), ("Dana", "analyst"), ("Serik", "adjudicator"), ("Vera", "viewer"), ("Aigul", "admin"))
    }


def fields(html: str) -> dict[str, list[str]]:
    """What a browser would send back of a form."""
    from html import unescape

    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input([^>]*)>", html):
        own = dict(re.findall(r'([a-z_-]+)="([^"]*)"', tag))
        if "name" in own and (own.get("type") not in ("checkbox", "radio") or " checked" in tag):
            found.setdefault(own["name"], []).append(unescape(own.get("value", "")))
    for name, text in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>(.*?)</textarea>', html, re.S):
        found[name] = [unescape(text)]
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', html, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = [unescape(chosen[1]) if chosen else ""]
    return {name: values for name, values in found.items() if name != "csrf"}


def propose(database, who, entry=None, base=None):
    whole = {**ENTRY, **(entry or {})}
    return work.propose(
        database, who, entry=whole["id"], text=drafts.as_toml(whole), codes=drafts.codes_of(whole), base_version=base, reason=WHY
    )


def accept(database, home, staff, found, codes=None, reasons=None):
    work.code(database, found.id, staff["Dana"].person, CODES)
    return workplace.decide(
        database, home, found.id, staff["Serik"].person, accepted=True, reason=WHY, codes=codes or drafts.codes_of(drafts.of_toml(found.text)),
        reasons=reasons or {},
    )  # fmt: skip


# Laws of the order of work


class Order(RuleBasedStateMachine):
    """People of every role try everything, in any order."""

    def __init__(self):
        super().__init__()
        passwords.use_hasher(CHEAP)
        self.folder = Path(tempfile.mkdtemp(prefix="qonys-work-"))
        self.db = Database(f"sqlite:///{self.folder / 'qonys.db'}")
        self.db.migrate()
        roles = ("viewer", "analyst", "analyst", "adjudicator", "adjudicator", "admin")
        self.people = [people.add(self.db, f"person{place}", role=role, by="root") for place, role in enumerate(roles)]
        self.standing: dict[str, int] = {"TT001": 1}
        self.before: dict[str, dict[tuple[int, ...], str]] = {}
        self.ids: list[str] = []

    def teardown(self):
        assert audit.verify(self.db) is None
        self.db.close()
        shutil.rmtree(self.folder)

    @rule(who=st.integers(0, 5), entry=st.sampled_from(["TT001", "TT900", "TT901"]), stale=st.booleans())
    def propose(self, who, entry, stale):
        base = self.standing.get(entry)
        if stale and base:
            base = max(1, base - 1)
        try:
            self.ids.append(propose(self.db, self.people[who], {"id": entry}, base).id)
        except QonysError:
            assert not self.people[who].may("analyst")

    @precondition(lambda self: self.ids)
    @rule(who=st.integers(0, 5), which=st.integers(0, 9), strength=st.sampled_from(["", "1", "3"]))
    def code(self, who, which, strength):
        id = self.ids[which % len(self.ids)]
        try:
            work.code(self.db, id, self.people[who], {**CODES, "strength": strength})
        except QonysError:
            return
        assert work.proposal(self.db, id).state == "adjudication"

    @precondition(lambda self: self.ids)
    @rule(who=st.integers(0, 5), which=st.integers(0, 9), yes=st.booleans(), strength=st.sampled_from(["3", "4"]), told=st.booleans())
    def decide(self, who, which, yes, strength, told):
        id = self.ids[which % len(self.ids)]
        found = work.proposal(self.db, id)
        reasons = {"strength": "the source says so"} if told else {}
        try:
            made_ = work.decide(
                self.db, id, self.people[who], accepted=yes, reason=WHY, codes={**CODES, "strength": strength}, reasons=reasons,
                standing=self.standing.get(found.entry),
            )  # fmt: skip
        except QonysError:
            assert work.proposal(self.db, id).state == found.state
            return
        if yes:
            assert found.base_version == self.standing.get(found.entry)
            assert list(made_.versions) == [(found.base_version or 0) + 1, (found.base_version or 0) + 2][: len(made_.versions)]
            self.standing[found.entry] = made_.versions[-1]

    @precondition(lambda self: self.ids)
    @rule(who=st.integers(0, 5), which=st.integers(0, 9))
    def withdraw(self, who, which):
        id = self.ids[which % len(self.ids)]
        was = work.proposal(self.db, id)
        try:
            work.withdraw(self.db, id, self.people[who])
        except QonysError:
            assert was.author != self.people[who].id or was.state not in work.OPEN_STATES

    @invariant()
    def nobody_acts_in_two_roles(self):
        may = {one.id: one for one in self.people}
        for id in self.ids:
            found, both, decision = work.proposal(self.db, id), work.codings_of(self.db, id), work.decision_of(self.db, id)
            actors = [one.coder for one in both] + ([decision.adjudicator] if decision else [])
            assert actors[0] == found.author
            assert len(set(actors)) == len(actors) <= 3
            assert all(may[one].may("analyst") for one in actors)
            assert decision is None or (len(both) == 2 and may[decision.adjudicator].may("adjudicator"))
            assert (found.state in work.DECIDED) == (decision is not None)
            assert found.state != "accepted" or (decision.accepted and decision.versions)

    @invariant()
    def versions_only_grow(self):
        now: dict[str, dict[tuple[int, ...], str]] = {}
        for found, decision in work.accepted(self.db):
            numbers = tuple(decision.versions)
            text = "".join(one.text for one in versions_of(found, decision))
            assert numbers not in now.setdefault(found.entry, {})
            now[found.entry][numbers] = text
        for entry, own in now.items():
            numbers = [number for several in own for number in several]
            first = 2 if entry == "TT001" else 1
            assert numbers == list(range(first, first + len(numbers)))
            assert all(own.get(key) == text for key, text in self.before.get(entry, {}).items())
        self.before = now


Order.TestCase.settings = settings(max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
test_no_order_of_acts_lets_one_person_act_twice_or_a_version_shrink = Order.TestCase


@given(st.lists(st.tuples(st.sampled_from(["TT001", "TT900", "TT901"]), st.booleans()), max_size=6), st.booleans())
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_files_of_the_register_only_grow_and_writing_twice_is_writing_once(monkeypatch, acts, update):
    with tempfile.TemporaryDirectory() as folder, monkeypatch.context() as patch:
        texts = {"KAZ.toml": SMALL}
        patch.setattr(house, "_shipped_texts", lambda: texts)
        home, newest, done = House(Path(folder)), {"TT001": 1}, []
        before = ""
        for entry, two in acts:
            for _ in range(1 + two):
                number = newest.get(entry, 0) + 1
                newest[entry] = number
                version = drafts.numbered({**ENTRY, "id": entry}, number, coder="a", day="2026-03-01", change="why")
                done.append(Written("KAZ", entry, number, drafts.as_toml(version, head=False), "by\na [[measure]] \n[[measure]]"))
            home.write(done)
            text = (home.folder / "KAZ.toml").read_text(encoding="utf-8")
            assert text.startswith(before.rstrip())
            assert home.write(done) == 0
            assert (home.folder / "KAZ.toml").read_text(encoding="utf-8") == text
            before = text
        if update and done:
            texts["KAZ.toml"] = SMALL + SMALL.partition("\n")[2].replace("TT001", "TT777")
            home.write([])
            assert "TT777" in (home.folder / "KAZ.toml").read_text(encoding="utf-8")
        if done:
            now, faults = examine_register((home.folder / "KAZ.toml").read_text(encoding="utf-8"), file="KAZ.toml")
            assert not faults
            assert not unchanged(now, examine_register(SMALL, file="KAZ.toml")[0])
            assert not check_registers(connect(), [str(home.folder)]).faults


TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs", "Cc")), max_size=40)


@given(st.fixed_dictionaries({}, optional={column.name: TEXTS for column in drafts.FIELDS}))
@settings(max_examples=60, deadline=None)
def test_what_is_typed_into_the_form_is_the_same_as_text_and_back(typed):
    entry = drafts.of_form({name: [text] for name, text in typed.items()})
    assert drafts.of_toml(drafts.as_toml(entry)) == entry


# What is wrong with an entry


@pytest.mark.parametrize(
    ("change", "column", "told"),
    [
        ({"strength": "9"}, "strength", "from 1 to 4"),
        ({"targets": "labor"}, "targets", "did you mean 'labour'"),
        ({"start": "2021-02-30"}, "start", "wrong start"),
        ({"end": "2020"}, "end", "comes before start"),
        ({"issuer": "KZA"}, "issuer", "is not an area"),
        ({"evidence": ""}, "evidence", "is empty"),
        ({"id": "a b"}, "id", "is no id"),
        ({"id": "TT001"}, "id", "the register has an entry TT001"),
        ({"supersedes": "TT777"}, "supersedes", "there is no such entry"),
        ({"outcome_value": "many"}, "outcome_value", "write digits"),
        ({"title": "x" * 5000}, "title", "shorten it"),
    ],
)
def test_a_fault_is_told_beside_its_field(home, change, column, told):
    found = drafts.faults_of({**ENTRY, **change}, home, base=None)
    assert set(found) == {column}
    assert told in " ".join(found[column])


def test_a_sound_entry_and_a_sound_version_have_no_faults(home):
    assert drafts.faults_of(ENTRY, home, base=None) == {}
    assert drafts.faults_of({**home.versions("TT001")[0], "end": "2020-12"}, home, base=1) == {}
    assert set(drafts.faults_of({**home.versions("TT001")[0], "issuer": "FRA"}, home, base=1)) == {"issuer"}


def test_every_column_of_the_contract_has_its_field():
    shown = [name for names in entry_form.GROUPS.values() for name in names]
    assert sorted([*shown, *drafts.OURS]) == sorted(MEASURE.names)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 20000,
        "x = " + "9" * 6000,
        "d = 2021-02-31",
        'issuer = "KAZ"',
        "\0",
        'issuer = "KAZ"\n[[measure]]\ncolour = "red"',
        "[[measure]]\n" * 2,
    ],
)
def test_text_that_is_no_entry_is_a_sentence(text):
    with pytest.raises(RegisterError):
        drafts.of_toml(text)


def test_a_code_that_is_none_is_refused_in_a_coding(database, staff):
    found = propose(database, staff["Zhuldyz"].person)
    with pytest.raises(RegisterError, match="strength"):
        work.code(database, found.id, staff["Dana"].person, {**CODES, "strength": "9"})
    with pytest.raises(RegisterError, match="not coded"):
        work.code(database, found.id, staff["Dana"].person, {"title": "x"})


# What a second coder sees


def test_pages_and_interface_of_the_second_coder_are_the_same_whatever_the_first_codes_were(database, staff):
    other = {"targets": "student", "field": "education", "instrument": "economic", "direction": "tightening", "strength": "1",
             "general": "false", "level": "regional", "id": "TT777"}  # fmt: skip
    one = propose(database, staff["Zhuldyz"].person, {"exceptions": "student"})
    two = propose(database, staff["Aigul"].person, {**other, "exceptions": "minor", "area": "stay", "status": "draft"})
    paths = ("/{}/work/code/{}", "/{}/work/proposal/{}", "/api/v1/work/proposals/{}")
    for path in paths:
        for language in LANGUAGES if path.count("{}") == 2 else ("",):
            seen = []
            for found in (one, two):
                reply = staff["Dana"].client.get(path.format(*([language] if language else []), found.id))
                assert reply.status_code == 200
                assert not any(word in reply.text for word in ("Zhuldyz", "Aigul", WHY, "TT900", "TT777"))
                plain = reply.text.replace(found.id, "ID")
                seen.append(re.sub(r'value="[0-9a-f]{100,}"|"created_at":"[^"]*"', "", plain))
            assert seen[0] == seen[1]
    listed = staff["Dana"].client.get("/api/v1/work/proposals").json()
    assert [{name for name, value in row.items() if value} for row in listed] == [{"id", "state", "created_at", "facts", "may"}] * 2
    html = staff["Dana"].client.get("/en/work").text
    main = html[html.index("<main") :].partition('<form class="asked"')[0]
    assert "Zhuldyz" not in main
    assert "TT900" not in main
    assert " checked" not in staff["Dana"].client.get(f"/en/work/code/{one.id}").text


def test_the_first_codes_stay_hidden_from_the_second_coder_and_the_second_from_the_author_until_it_is_decided(database, home, staff):
    found = propose(database, staff["Zhuldyz"].person)
    work.code(database, found.id, staff["Dana"].person, {**CODES, "strength": "1"})
    coder = workplace.seen(database, home, found.id, staff["Dana"].person)
    author = workplace.seen(database, home, found.id, staff["Zhuldyz"].person)
    admin = workplace.seen(database, home, found.id, staff["Aigul"].person)
    assert coder.own["strength"] == "1"
    assert (coder.codings, coder.entry, coder.author, coder.reason) == ((), None, None, None)
    assert author.codings == ()
    assert [name for name, _ in admin.codings] == ["", ""]
    assert admin.author is None
    workplace.decide(database, home, found.id, staff["Serik"].person, accepted=False, reason=WHY, codes={}, reasons={})
    after = workplace.seen(database, home, found.id, staff["Dana"].person)
    assert [name for name, _ in after.codings] == ["Zhuldyz", "Dana"]


def test_the_audit_trail_tells_no_code_before_a_decision(database, staff):
    found = propose(database, staff["Zhuldyz"].person)
    work.code(database, found.id, staff["Dana"].person, CODES)
    told = [one for one in audit.entries(database) if one.object == found.id]
    assert {one.action: dict(one.detail) for one in told} == {"proposal.send": {"kind": "new"}, "proposal.code": {}}


# Who may do what


def test_each_role_is_refused_what_is_not_its_own(database, staff):
    found = propose(database, staff["Zhuldyz"].person)
    data = dict(CODES)
    assert staff["Vera"].client.get("/en/work").status_code == 403
    assert staff["Vera"].client.get("/api/v1/work/proposals").status_code == 403
    assert staff["Zhuldyz"].client.get(f"/en/work/code/{found.id}").status_code == 403
    assert staff["Zhuldyz"].post(f"/en/work/code/{found.id}", **data).status_code == 403
    assert staff["Dana"].client.get(f"/en/work/adjudicate/{found.id}").status_code == 403
    assert staff["Serik"].client.get(f"/en/work/adjudicate/{found.id}").status_code == 403  # not coded twice yet
    assert staff["Dana"].client.post(f"/en/work/code/{found.id}", data=data).status_code == 403  # without the secret of the form
    assert staff["Serik"].post(f"/en/work/code/{found.id}", **data).status_code == 303
    assert staff["Serik"].client.get(f"/en/work/adjudicate/{found.id}").status_code == 403  # they coded it
    assert staff["Serik"].post(f"/en/work/adjudicate/{found.id}", verdict="accept", reason=WHY).status_code == 403
    assert staff["Dana"].post(f"/en/work/proposal/{found.id}/withdraw").status_code == 403
    assert staff["Dana"].post(f"/en/work/code/{found.id}", **data).status_code == 409
    assert staff["Dana"].client.get("/en/work/code/0000").status_code == 404
    assert work.proposal(database, found.id).state == "adjudication"


def test_the_interface_keeps_the_same_rules(database, home, staff):
    def send(name, path, body):
        from qonys.web.gate import masked

        return staff[name].client.post(f"/api/v1/work/{path}", json=body, headers={"X-CSRF-Token": masked(staff[name].csrf)})

    assert staff["Zhuldyz"].client.post("/api/v1/work/proposals", json={"entry": ENTRY, "reason": WHY}).status_code == 403
    wrong = send("Zhuldyz", "proposals", {"entry": {**ENTRY, "strength": "9"}, "reason": WHY})
    assert (wrong.status_code, "strength" in wrong.json()["what"]) == (400, True)
    assert send("Zhuldyz", "proposals", {"entry": {**ENTRY, "colour": "red"}, "reason": WHY}).status_code == 400
    assert send("Vera", "proposals", {"entry": ENTRY, "reason": WHY}).status_code == 403
    sent = send("Zhuldyz", "proposals", {"toml": drafts.as_toml(ENTRY), "reason": WHY}).json()
    id = sent["id"]
    assert sent["may"] == ["withdraw"]
    assert send("Zhuldyz", f"proposals/{id}/coding", {"codes": CODES}).status_code == 403
    assert send("Dana", f"proposals/{id}/coding", {"codes": {**CODES, "general": "false"}}).json()["own_codes"]["general"] == "false"
    assert send("Dana", f"proposals/{id}/decision", {"accepted": True, "reason": WHY, "codes": CODES}).status_code == 403
    assert send("Serik", f"proposals/{id}/decision", {"accepted": True, "reason": WHY, "codes": {}}).status_code == 400
    done = send("Serik", f"proposals/{id}/decision", {"accepted": True, "reason": WHY, "codes": CODES}).json()
    assert (done["state"], done["decision"]["versions"], done["author"]) == ("accepted", [1], "Zhuldyz")
    assert 'id = "TT900"' in staff["Dana"].client.get("/api/v1/work/export?issuer=KAZ").text
    assert {row["column"] for row in staff["Dana"].client.get("/api/v1/work/agreement").json()} == set(CODED)


# From the form to the register


def dose(who) -> float:
    """Of the small register's entry in a corridor it reaches."""
    rows = who.client.get("/api/v1/measures/corridor?origin=RUS&category=visitor&on=2020-04-01").json()["blocks"][0]["rows"]
    return next(row["dose"] for row in rows if row["id"] == "TT001")


def test_an_entry_goes_from_the_form_to_the_register_and_the_shipped_one_stays_as_it_is(database, home, staff):
    author = staff["Zhuldyz"]
    assert dose(author) == 75
    form = fields(author.client.get("/en/work/propose?entry=TT001").text)
    form |= {"end": ["2020-06"], "reason": [WHY], "do": ["preview"]}
    shown = author.post("/en/work/propose", **form)
    assert "<ins>June 2020</ins>" in shown.text
    form = fields(shown.text) | {"do": ["send"]}
    sent = author.post("/en/work/propose", **form)
    assert sent.status_code == 303
    id = sent.headers["location"].rpartition("/")[2]
    codes = {**drafts.codes_of(home.versions("TT001")[0]), "strength": "4"}
    coded = staff["Dana"].post(f"/ru/work/code/{id}", **{name: text.split() for name, text in codes.items()})
    assert coded.status_code == 303
    page = staff["Serik"].client.get(f"/kk/work/adjudicate/{id}").text
    choice = fields(page) | {"verdict": ["accept"], "choice_strength": ["second"], "reason": [WHY]}
    refused = staff["Serik"].post(f"/kk/work/adjudicate/{id}", **choice)
    assert (refused.status_code, "no reason is given" in refused.text) == (400, True)
    kept = fields(refused.text)
    assert (kept["choice_strength"], kept["reason"]) == (["second"], [WHY])
    assert staff["Serik"].post(f"/kk/work/adjudicate/{id}", **(choice | {"reason_strength": ["all are meant"]})).status_code == 303
    versions = home.versions("TT001")
    assert [(one.get("version"), one["coder"], one["strength"], one.get("end")) for one in versions] == [
        (None, "qonys-2026", "3", None), ("2", "Zhuldyz", "3", "2020-06"), ("3", "Serik-adjudicator", "4", "2020-06"),
    ]  # fmt: skip
    assert versions[1]["change"] == WHY
    assert versions[2]["change"] == f"{WHY}; strength: all are meant"
    text = (home.folder / "KAZ.toml").read_text(encoding="utf-8")
    assert text.startswith(SMALL.rstrip())
    assert "coded by Zhuldyz and Dana, decided by Serik" in text
    assert check_registers(connect(), [str(home.folder)]).faults == ()
    assert dose(author) == 100  # views answer anew
    assert "Serik-adjudicator" in author.client.get("/en/measures/entry?id=TT001").text
    export = staff["Dana"].client.get("/en/work/export.toml").text
    assert len(examine_register(export, file="export")[0]) == 2
    assert (
        "TT001,foreign_traveller,health,administrative,tightening,4,true,national,Dana"
        in staff["Dana"].client.get("/en/work/second.csv").text
    )
    assert [one.action for one in audit.entries(database)][:2] == ["register.export", "register.write"]


def test_nothing_that_was_typed_is_lost_and_html_is_text(staff):
    author = staff["Zhuldyz"]
    form = {**{name: text.split() if name == "targets" else [text] for name, text in ENTRY.items()}, "title": ["<script>alert(1)</script>"],
            "start": ["some day"], "note": ["a \"quoted\" & note"], "reason": ["<b>"], "as": ["form"], "do": ["send"]}  # fmt: skip
    reply = author.post("/en/work/propose", **form)
    assert reply.status_code == 400
    assert "<script>alert" not in reply.text
    kept = fields(reply.text)
    assert all(kept[name] == values for name, values in form.items() if name != "do")
    assert "is not a date" in reply.text
    assert "a reason has 10 to 2000 characters" in reply.text


def test_what_is_typed_goes_from_the_form_to_text_and_back(staff):
    author = staff["Zhuldyz"]
    form = {**{name: [text] for name, text in ENTRY.items()}, "reason": [WHY], "as": ["form"], "do": ["toml"]}
    as_text = fields(author.post("/en/work/propose", **form).text)
    assert drafts.of_toml(as_text["toml"][0]) == ENTRY
    back = fields(author.post("/en/work/propose", **(as_text | {"do": ["form"]})).text)
    assert all(back[name] == [text] for name, text in ENTRY.items())
    broken = author.post("/en/work/propose", **(as_text | {"toml": ["issuer = ["], "do": ["form"]}))
    assert "is not valid TOML" in broken.text
    assert fields(broken.text)["toml"] == ["issuer = ["]


def test_a_register_that_moved_on_is_told_and_the_old_base_is_not_accepted(database, home, staff):
    base = home.versions("TT001")[0]
    own = {name: text for name, text in base.items() if name not in drafts.OURS}
    form = fields(staff["Zhuldyz"].client.get("/en/work/propose?entry=TT001").text) | {"end": ["2021"], "reason": [WHY], "do": ["send"]}
    slow = propose(database, staff["Aigul"].person, {**own, "end": "2022"}, 1)
    fast = propose(database, staff["Zhuldyz"].person, {**own, "end": "2020-12"}, 1)
    assert accept(database, home, staff, fast).versions == [2]
    told = staff["Zhuldyz"].post("/en/work/propose", **form)
    assert "The register moved on: version 2 stands now" in told.text
    assert fields(told.text)["end"] == ["2021"]
    assert fields(told.text)["base"] == ["2"]
    work.code(database, slow.id, staff["Dana"].person, CODES)
    page = staff["Serik"].client.get(f"/en/work/adjudicate/{slow.id}").text
    assert "It can only be refused" in page
    assert 'value="accept"' not in page
    reply = staff["Serik"].post(f"/en/work/adjudicate/{slow.id}", verdict="accept", reason=WHY)
    assert (reply.status_code, "the register moved on" in reply.text) == (409, True)
    assert home.latest("TT001") == 2


def test_a_process_that_ends_between_decision_and_writing_leaves_whole_files_and_the_next_call_brings_them_up(
    database, home, staff, monkeypatch
):
    found = propose(database, staff["Zhuldyz"].person)
    before = (home.folder / "KAZ.toml").read_bytes()

    def torn(text, path):
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(house, "write_text", torn)
        with pytest.raises(OSError, match="no space"):
            accept(database, home, staff, found)
    assert (home.folder / "KAZ.toml").read_bytes() == before
    assert work.proposal(database, found.id).state == "accepted"
    assert publish(database, home) == 1
    assert home.latest("TT900") == 1
    assert publish(database, home) == 0


def test_the_house_has_no_copy_of_the_register_before_something_is_accepted(tmp_path, shipped_small):
    fresh = House(tmp_path)
    assert fresh.names() == DEFAULT
    assert fresh.write([]) == 0
    assert not fresh.folder.exists()


def test_a_coder_called_adjudicator_is_not_taken_for_one():
    from qonys.web.publish import adjudicator_code, coder_code

    assert coder_code("k.adjudicator") == "k.adjudicator-coder"
    assert (adjudicator_code("Serik"), adjudicator_code("k.adjudicator")) == ("Serik-adjudicator", "k.adjudicator")


def test_work_pages_have_words_in_every_language(database, home, staff):
    done = propose(database, staff["Zhuldyz"].person)
    accept(database, home, staff, done)
    open_ = propose(database, staff["Zhuldyz"].person, {"id": "TT901"})
    twice = propose(database, staff["Aigul"].person, {"id": "TT902"})
    work.code(database, twice.id, staff["Dana"].person, CODES)
    pages = [
        ("Dana", "work"), ("Dana", "work/propose"), ("Dana", "work/propose?entry=TT001"), ("Dana", "work/propose?entry=TT001&as=toml"),
        ("Dana", f"work/code/{open_.id}"), ("Serik", f"work/adjudicate/{twice.id}"), ("Dana", f"work/proposal/{done.id}"),
        ("Zhuldyz", f"work/proposal/{open_.id}"), ("Dana", "work/import"),
    ]  # fmt: skip
    for language in LANGUAGES:
        for name, path in pages:
            reply = staff[name].client.get(f"/{language}/{path}")
            assert reply.status_code == 200, (language, path)
            assert not re.search(r">\s*web\.|style=|onclick=", reply.text), (language, path)
            if language != "en":
                assert not english(reply.text), (language, path, english(reply.text))


def english(html: str) -> list[str]:
    """Latin words of a page that are neither codes, nor of files, nor typed by people."""
    main = re.sub(
        r"<(code|textarea|del|ins)\b.*?</\1>|<[^>]*lang=\"en\"[^>]*>.*?</(p|ul|a|div)>", " ", html[html.index("<main") :], flags=re.S
    )
    text = re.sub(r"<[^>]+>", " ", main)
    known = {"Qonys", "CSV", "COBAP", "CoronaNet", "OxCGRT", *ENTRY["title"].split(), *ENTRY["evidence"].replace(",", "").split(), *SMALL.split(),
             *re.findall(r"\w+", WHY), "Zhuldyz", "Dana", "Serik", "Aigul", "Id"}  # fmt: skip
    words = {re.sub(r"\d", "", one) for one in known}
    return [one for one in re.findall(r"[A-Za-z][A-Za-z'-]+", text) if one not in words and not re.fullmatch(r"TT\d*|XML|TOML", one)]


# Imports


def worked(app) -> list[jobs.Job]:
    """What the worker of a run does, in this process."""
    from qonys.web.jobs import worker
    from qonys.web.jobs.work import do

    home, database, done = app.state.desk.settings.home, app.state.desk.database, []
    while (job := jobs.claim(database)) is not None:
        part = worker.part_of(home, job)
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            do(job, home=home, folder=part, tell=lambda *_: None)
            jobs.finish(database, job.id, job.attempt, worker.publish(home, job, part))
        except QonysError as error:
            jobs.fail(database, job.id, job.attempt, error.what, error.mend)
        done.append(jobs.job(database, job.id))
    return done


def upload(who, publisher, path, **options):
    from qonys.web.gate import masked

    data = {"csrf": masked(who.csrf), "publisher": publisher, **options}
    return who.client.post("/en/work/import", data=data, files={"file": (path.name, path.read_bytes())})


def test_an_import_is_shown_with_its_quarantine_before_anything_is_written(app, database, home, staff):
    author = staff["Zhuldyz"]
    sent = upload(author, "cobap", SPECIMENS / "cobap" / "policy_list.csv")
    assert sent.status_code == 303
    at = sent.headers["location"]
    assert "data-follow" in author.client.get(at).text
    (job,) = worked(app)
    assert job.state == "done"
    page = author.client.get(at).text
    assert "15 rows were read: 13 measures would come in, 3 rows would be quarantined" in page
    assert "Somaliland" in page
    assert not home.imports.exists()
    assert staff["Dana"].client.get(at).status_code == 404
    assert staff["Vera"].client.get(at).status_code == 403
    for name in ("../../x", "X", "", "a" * 41):
        assert author.post(f"{at}/take-in", name=name).status_code == 400
    assert not home.imports.exists()
    assert author.post(f"{at}/take-in", name="cobap").status_code == 303
    assert sorted(path.name for path in home.imports.iterdir()) == ["cobap.parquet", "cobap.quarantine.csv"]
    assert author.post(f"{at}/take-in", name="cobap-2").status_code == 400  # taken in already
    (told,) = audit.entries(database, action="import.take_in")
    assert (told.object, told.detail["measures"]) == ("cobap", 13)
    checked = check_registers(connect(), [str(home.imports / "cobap.parquet")])
    assert (checked.entries, checked.faults) == (13, ())


def test_the_interface_imports_by_the_same_rules(app, home, staff):
    from qonys.web.gate import masked

    author, path = staff["Zhuldyz"], SPECIMENS / "cobap" / "policy_list.csv"
    mark, at = {"X-CSRF-Token": masked(author.csrf)}, "/api/v1/work/imports"

    def send(who, publisher, **own):
        files = {"file": (path.name, path.read_bytes())}
        return who.client.post(at, data={"publisher": publisher}, files=files, headers={"X-CSRF-Token": masked(who.csrf)}, **own)

    assert send(staff["Vera"], "cobap").status_code == 403
    assert send(author, "nobody").status_code == 400
    id = send(author, "cobap").json()["run"]["id"]
    assert author.client.get(f"{at}/{id}").json()["preview"] is None
    worked(app)
    told = author.client.get(f"{at}/{id}").json()
    assert (told["preview"]["measures"], told["preview"]["counts"]["quarantined"], told["taken_in"]) == (13, 3, "")
    assert staff["Dana"].client.get(f"{at}/{id}").status_code == 404
    assert author.client.post(f"{at}/{id}/take-in", json={"name": "../x"}, headers=mark).status_code == 400
    assert not home.imports.exists()
    assert author.client.post(f"{at}/{id}/take-in", json={"name": "cobap"}, headers=mark).json()["taken_in"] == "cobap"
    assert (home.imports / "cobap.parquet").is_file()


def test_a_file_that_cannot_be_read_is_a_sentence_and_not_a_table(app, home, staff, tmp_path):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n", encoding="utf-8")
    at = upload(staff["Dana"], "oxcgrt", wrong).headers["location"]
    (job,) = worked(app)
    assert job.state == "failed"
    assert "no column of an indicator of OxCGRT" in staff["Dana"].client.get(at).text
    assert upload(staff["Dana"], "nobody", wrong).status_code == 400
    assert upload(staff["Dana"], "cobap", wrong, snapshot="2020-01-01").status_code == 400
    program = tmp_path / "x.py"
    program.write_text("1", encoding="utf-8")
    assert upload(staff["Dana"], "cobap", program).status_code == 400
    assert not home.imports.exists()


def test_entries_of_ones_own_register_that_are_not_sound_are_quarantined_alone(tmp_path):
    text = SMALL + "".join(
        "\n" + drafts.as_toml({**ENTRY, "coder": "me", **change}, head=False)
        for change in ({"id": "B1", "targets": "labor"}, {"id": "B2", "strength": "7"}, {"id": "B3", "supersedes": "ZZ"})
    )
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    imports.preview(file, {"publisher": "register"}, lambda *_: None, tmp_path / "out")
    told = json.loads((tmp_path / "out" / imports.SUMMARY).read_text(encoding="utf-8"))
    assert told["counts"] == {"measure": 2, "quarantined": 2}
    assert [reason for reason, _ in told["reasons"]] == [
        "has 'labor', which is not a code of targets; did you mean 'labour'?", "strength: 7 is out of bounds; it must be from 1 to 4",
    ]  # fmt: skip
    assert len(told["faults"]) == 1
    assert "names ZZ in supersedes" in told["faults"][0]
    assert (tmp_path / "out" / imports.QUARANTINE).is_file()


# Why is this corridor on?


@pytest.mark.slow
@pytest.mark.parametrize("where", [("RUS", "KAZ", "labour"), ("SYR", "DEU", "asylum"), ("KAZ", "RUS", "citizen")])
def test_a_corridor_is_explained_as_on_the_command_line(where):
    day, columns = date(2020, 4, 15), ["id", "side", "via", "dose", "why"]
    held = why_of(*where, day, reading="certain", direction="tightening")
    asked = explain_corridor(DEFAULT, *where, day, reading="certain", direction="tightening")
    one, other = (frame[columns].sort_values(columns[:2]).reset_index(drop=True).fillna("") for frame in (held, asked))
    assert one.to_dict("records") == other.to_dict("records")


def test_a_corridor_tells_what_reaches_it_in_the_register_of_this_house(app, home, staff):
    reply = staff["Vera"].client.get("/en/measures/corridor?origin=RUS&destination=KAZ&category=visitor&on=2020-04-01")
    assert "Entry closed for arrivals from Russia" in reply.text
    assert (
        "limited to arrivals from elsewhere"
        in staff["Vera"].client.get("/en/measures/corridor?origin=UZB&category=visitor&on=2020-04-01").text
    )
    told = staff["Vera"].client.get("/en/measures/corridor?origin=KAZ&destination=KAZ")
    assert (told.status_code, "leads from one area to another" in told.text) == (400, True)
    for language in LANGUAGES:
        assert staff["Vera"].client.get(f"/{language}/measures/corridor").status_code == 200
    assert staff["Vera"].client.get("/api/v1/measures/corridor?origin=UZB").json()["blocks"][0]["name"] == "reached"
