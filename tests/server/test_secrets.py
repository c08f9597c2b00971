"""After a day no log of the home holds a password, token, key or citizen's number; what is secret is private."""

from __future__ import annotations

from pathlib import Path

import httpx

from tests.cases.desk import place
from tests.homes import PASSWORD
from tests.nodes import RunningNode
from tests.server.role_matrix import furnished

PHONE, WRONG = "13812344321", "not-the-password-1"
PRIVATE = ("wanmi.toml", "county.db", "keys")


def test_logs_hold_nobody_and_no_secret(tmp_path: Path) -> None:
    keys = furnished(tmp_path / "home")
    node = RunningNode(tmp_path / "home").start()
    try:
        desk = node.client("s1")
        body = {"source": "hotline_12319", "kind": "part", "code": "01002", "description": f"请打 {PHONE}", **place()}
        number = desk.post("/api/v1/cases", json={**body, "reporter": {"name": "张三丰", "phone": PHONE}}).json()[
            "number"
        ]
        assert node.act("s1", number, "accept", reason=f"已回电 {PHONE}").status_code == 200
        httpx.post(f"{node.url}/api/v1/session", json={"account": "s1", "password": WRONG})
        httpx.post(f"{node.url}/api/v1/cases", json=body, headers={"Authorization": "Bearer a-token-that-is-not"})
        httpx.post(f"{node.url}/open311/v2/requests.json", data={"api_key": keys["public"], "phone": PHONE})
        calls = httpx.Client(base_url=node.url, headers={"Authorization": f"Bearer {keys['device']}"})
        assert calls.post("/api/v1/calls", json={"number": PHONE, "seat": "s1"}).status_code == 201
        calls.close()
        assert desk.get("/api/v1/cases", params={"phone": PHONE}).status_code == 200
        token = desk.headers["Authorization"].removeprefix("Bearer ")
    finally:
        node.stop()
    logs = "".join(file.read_text(errors="replace") for file in (node.home / "log").iterdir())
    assert logs, "something was logged"
    secrets = {PASSWORD, WRONG, PHONE, token, "a-token-that-is-not", "张三丰", *keys.values()}
    assert [secret for secret in secrets if secret in logs] == []


def test_what_is_secret_is_read_by_its_owner_only(tmp_path: Path) -> None:
    furnished(tmp_path / "home")
    node = RunningNode(tmp_path / "home").start()
    node.stop()
    for name in PRIVATE:
        for path in (node.home / name, *(node.home / name).rglob("*")):
            if path.is_file():
                assert path.stat().st_mode & 0o077 == 0, path
