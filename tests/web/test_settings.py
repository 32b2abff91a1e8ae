"""How the dashboard is set up: the file, then variables, then the command line; each wrong setting gets a sentence that names it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qonys.core.errors import DataError
from qonys.web.settings import BOUNDS, settings

SERVICE = 'openid = {issuer = "https://id.example.kz", client = "qonys"}'


def with_file(home, text):
    home.mkdir(exist_ok=True)
    (home / "web.toml").write_text(text, encoding="utf-8")
    return home


def test_the_command_line_goes_before_variables_and_they_before_the_file(tmp_path):
    home = with_file(tmp_path, "port = 1\nidle = 2\nlongest = 300\n")
    found = settings(home, environment={"QONYS_WEB_PORT": "3", "QONYS_WEB_IDLE": "4"}, port=5)
    assert (found.port, found.idle, found.longest) == (5, 4, 300)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("portt = 1", "did you mean 'port'"), ("port = 'x'", "whole number"), ("port = true", "whole number"), ("port = 70000", "65535"), ("port = 1.5", "whole number"),
        ("public = 1", "true or false"), ("public = 'perhaps'", "true or false"), ("idle = 0", "from 1"), ("idle = 100\nlongest = 50", "longer than it lasts"),
        ("embedding = ['example.kz']", "origins"), ("embedding = [\"https://a;script-src *\"]", "origins"), ("embedding = ['https://a b']", "origins"),
        ("address = 'example.kz'", "https://host"), ("address = '*'", "https://host"), ("address = 'https://a/b'", "https://host"), ("address = 'https://u@a'", "https://host"),
        ("database = ''", "text"), ("openid = 1", "issuer and client"), ('openid = {issuer = "https://a"}', "issuer and client"),
        ('openid = {issuer = "http://id.example.kz", client = "c"}', "no https address"), ('openid = {issuer = "https://a", client = "c", role = "admin"}', "viewer"),
        ('openid = {issuer = "https://a", client = "c", secret = "s"}', "OPENID_SECRET"), ("= broken", "not TOML"), ("home = 'x'", "unknown setting"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_with_what_to_write(tmp_path, text, says):
    with pytest.raises(DataError, match=r".") as error:
        settings(with_file(tmp_path, text), environment={})
    assert says in str(error.value)


@pytest.mark.parametrize("variable", ["QONYS_WEB_PUBLC", "QONYS_WEB_OPENID", "QONYS_WEB_"])
def test_a_variable_that_is_no_setting_is_refused(tmp_path, variable):
    with pytest.raises(DataError, match="no setting"):
        settings(tmp_path, environment={variable: "1"})


@given(name=st.sampled_from(sorted(BOUNDS)), value=st.text(max_size=30))
def test_whatever_a_variable_says_is_a_number_within_bounds_or_a_sentence(tmp_path_factory, name, value):
    try:
        found = getattr(settings(tmp_path_factory.getbasetemp() / "none", environment={f"QONYS_WEB_{name.upper()}": value}), name)
    except DataError as error:
        found = str(error).lower()
    assert name in found if isinstance(found, str) else BOUNDS[name][0] <= found <= BOUNDS[name][1]


def test_secrets_come_from_files_and_are_never_shown(tmp_path):
    home = with_file(tmp_path, f'database = "postgresql://qonys@db:5432/qonys"\n{SERVICE}\n')
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"s3cret/{name}\n", encoding="utf-8")
    found = settings(
        home, environment={"QONYS_WEB_DATABASE_PASSWORD_FILE": str(tmp_path / "one"), "QONYS_WEB_OPENID_SECRET_FILE": str(tmp_path / "two")}
    )
    assert found.database == "postgresql://qonys:s3cret%2Fone@db:5432/qonys"
    assert found.openid.secret == "s3cret/two"
    assert "s3cret" not in repr(found)


def test_a_password_that_fits_no_database_is_refused(tmp_path):
    (tmp_path / "one").write_text("x", encoding="utf-8")
    for database in ("", "sqlite:////q.db", "postgresql://db/qonys", "postgresql://qonys:x@db/qonys"):
        environment = {"QONYS_WEB_DATABASE_PASSWORD_FILE": str(tmp_path / "one")} | ({"QONYS_WEB_DATABASE": database} if database else {})
        with pytest.raises(DataError, match="no password"):
            settings(tmp_path / "home", environment=environment)
    with pytest.raises(DataError, match="cannot be read"):
        settings(tmp_path / "home", environment={"QONYS_WEB_DATABASE_PASSWORD_FILE": str(tmp_path / "none")})


def test_a_service_may_be_set_by_variables_alone(tmp_path):
    found = settings(
        tmp_path,
        environment={
            "QONYS_WEB_OPENID_ISSUER": "https://id.example.kz",
            "QONYS_WEB_OPENID_CLIENT": "qonys",
            "QONYS_WEB_OPENID_ROLE": "analyst",
        },
    )
    assert (found.openid.issuer, found.openid.client, found.openid.role, found.openid.secret) == (
        "https://id.example.kz",
        "qonys",
        "analyst",
        "",
    )


def test_an_address_in_numbers_of_the_new_kind_is_written_in_brackets(tmp_path):
    assert settings(tmp_path, environment={}, host="::1", port=8601).shown_address == "http://[::1]:8601"
