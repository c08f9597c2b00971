"""An administrator with a second factor comes in over HTTP; a program reads from the problem's type what is asked."""

from __future__ import annotations

from pathlib import Path

import httpx
import pyotp

from appliance.people.second_factor import ensure_key, turn_on
from tests.homes import PASSWORD
from tests.nodes import RunningNode
from tests.server.test_doors import outside


def given_to(home: Path, *accounts: str) -> dict[str, pyotp.TOTP]:
    """The telephones of accounts that have a second factor from now on."""
    ensure_key(home)
    uris: dict[str, str] = {}
    for account in accounts:
        outside(
            home,
            lambda unit, account=account: uris.update(
                {account: turn_on(unit, home, account, "禹州市", by="technician").uri}
            ),
        )
    devices = {account: pyotp.parse_uri(uri) for account, uri in uris.items()}
    return {account: device for account, device in devices.items() if isinstance(device, pyotp.TOTP)}


def test_a_code_is_asked_for_by_a_type_of_its_own_and_opens_once(home: Path) -> None:
    telephone = given_to(home, "admin")["admin"]
    node = RunningNode(home, environment={"WANMI_SIGN_IN__SECOND_FACTOR_ROLES": '["admin","acceptor"]'}).start()
    try:
        address, body = f"{node.url}/api/v1/session", {"account": "admin", "password": PASSWORD}
        missing = httpx.post(address, json=body, headers={"Accept-Language": "en"})
        assert (missing.status_code, missing.json()["type"]) == (401, "/problems/second-factor-needed")
        assert "six digits" in missing.json()["detail"]
        assert httpx.get(f"{node.url}/problems/second-factor-needed").json()["status"] == 401
        wrong = httpx.post(address, json=body | {"code": "12345678"})
        assert (wrong.status_code, wrong.json()["type"]) == (401, "/problems/second-factor-wrong")
        guessed = httpx.post(address, json=body | {"password": "not-this-one", "code": telephone.now()})
        assert guessed.json()["type"] == "/problems/not-signed-in", "the code tells nothing of the password"

        code = telephone.now()
        opened = httpx.post(address, json=body | {"code": code})
        assert (opened.status_code, opened.json()["second_factor_due"]) == (201, False)
        assert httpx.post(address, json=body | {"code": code}).json()["type"] == "/problems/second-factor-wrong"
        assert httpx.get(f"{node.url}/ogc/collections", auth=("admin", PASSWORD)).status_code == 401, (
            "Basic has no code"
        )
        bearer = {"Authorization": f"Bearer {opened.json()['token']}"}
        assert httpx.get(f"{node.url}/ogc/collections", headers=bearer).status_code == 200
        acceptor = httpx.post(address, json={"account": "s1", "password": PASSWORD}).json()
        assert acceptor["second_factor_due"], "told, and let in"
    finally:
        node.stop()
