"""The files for a container: they cannot be built here, so what can be read in them is read."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from qonys.web.settings import OPENID, SECRETS, Settings, settings

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]
IMAGE = (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
KNOWN = {f"QONYS_WEB_{name.upper()}" for name in ({one.name for one in fields(Settings)} - {"openid"}) | {*OPENID, *SECRETS}}


def steps(word):
    lines = IMAGE.replace("\\\n", " ").splitlines()
    return [line.removeprefix(word).strip() for line in lines if line.startswith(f"{word} ")]


def test_every_variable_that_is_set_is_a_setting():
    told = set(re.findall(r"QONYS_WEB_[A-Z_]+", IMAGE)) | set(COMPOSE["services"]["qonys"]["environment"])
    assert told <= KNOWN
    assert told


def test_the_image_runs_as_nobody_special_and_is_watched():
    assert steps("USER") == ["qonys"]
    assert "/health" in steps("HEALTHCHECK")[0]
    assert steps("FROM")[-1] == "docker.io/library/python:3.12-slim"
    assert [line for line in steps("COPY") if line.startswith("--from=")] == ["--from=made /opt/qonys /opt/qonys"]
    assert "PYTHONDONTWRITEBYTECODE" not in IMAGE  # it would be read anew at each start


def test_whatever_the_image_is_made_from_is_there_and_nothing_else_is_copied():
    copied = [one for line in steps("COPY") if not line.startswith("--from=") for one in line.split()[:-1]]
    assert copied
    assert all((ROOT / one).exists() for one in copied)
    assert "." not in copied
    assert {"pyproject.toml", "requirements.lock", "src", "docs/methods"} <= set(copied)


def test_no_password_is_written_down_anywhere():
    for name, service in COMPOSE["services"].items():
        for variable, value in service["environment"].items():
            if "PASSWORD" in variable or "SECRET" in variable:
                assert variable.endswith("_FILE"), (name, variable)
                assert value.startswith("/run/secrets/")
    assert {one for service in COMPOSE["services"].values() for one in service["secrets"]} <= set(COMPOSE["secrets"])
    assert all("file" in one for one in COMPOSE["secrets"].values())


def test_the_services_fit_each_other(tmp_path):
    web, database = COMPOSE["services"]["qonys"], COMPOSE["services"]["database"]
    environment = {name: str(value) for name, value in web["environment"].items()}
    (tmp_path / "database").write_text("0123abcd\n", encoding="utf-8")
    environment |= {"QONYS_WEB_ADDRESS": "https://qonys.example.org", "QONYS_WEB_DATABASE_PASSWORD_FILE": str(tmp_path / "database")}
    found = settings(tmp_path, environment=environment)
    user, name = database["environment"]["POSTGRES_USER"], database["environment"]["POSTGRES_DB"]
    assert found.database == f"postgresql://{user}:0123abcd@database/{name}"
    assert found.secure
    assert found.proxied
    named = {volume.split(":")[0] for service in (web, database) for volume in service["volumes"]}
    assert named == set(COMPOSE["volumes"])
    assert (ROOT / "deploy" / web["build"]["context"] / web["build"]["dockerfile"]).is_file()
    assert web["ports"] == ["127.0.0.1:8600:8600"]
    assert "ports" not in database


def test_secrets_are_never_committed():
    assert "secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
