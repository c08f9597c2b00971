"""Sends the messages that the node wrote: text messages by a modem, the others to a webhook. Each result is told.

At least once: an agent that is killed between sending and telling sends again. The node counts the tries and gives up.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from appliance.device_settings import Messages
from appliance.errors import WanmiError
from devices.agent.beat import Beat
from devices.agent.node import NodeAway, NodeClient, NodeRefused
from devices.errors import NotSupported
from devices.ports.owner import PortOwner

SECONDS = 15.0
SEND_SECONDS = 90.0
WEBHOOK_SECONDS = 10.0


class Messenger(Beat):
    """One message after the other."""

    def __init__(self, owners: Mapping[str, PortOwner], settings: Messages, home: Path, client: NodeClient) -> None:
        super().__init__("messenger", SECONDS)
        self._modems = {
            name: owner
            for name, owner in owners.items()
            if any(action.name == "sms" for action in owner.driver.actions)
        }
        self._settings = settings
        self._secret_file = home / settings.webhook_secret_file
        self._client = client
        self._untold: dict[int, dict[str, Any]] = {}

    def beat(self) -> None:
        if not self._settings.channels:
            return
        try:
            while self._tell() and (items := self._client.get("/api/v1/messages", waiting=True)["items"]):
                for message in items:
                    self._untold[message["id"]] = self._sent(message)
                    if self._ending or not self._tell():
                        return
        except (NodeAway, NodeRefused):
            return

    def _tell(self) -> bool:
        """Tell the node what became of messages."""
        for key in list(self._untold):
            self._client.post(f"/api/v1/messages/{key}/result", self._untold[key])
            del self._untold[key]
        return True

    def _sent(self, message: dict[str, Any]) -> dict[str, Any]:
        """What became of one message."""
        try:
            told = self._by_modem(message) if message["channel"] == "sms" else self._by_webhook(message)
            return {"ok": True, "detail": told}
        except WanmiError as error:
            return {"ok": False, "detail": error.zh}
        except (httpx.HTTPError, OSError, TimeoutError) as error:
            return {"ok": False, "detail": str(error) or type(error).__name__}

    def _by_modem(self, message: dict[str, Any]) -> str:
        for name, owner in self._modems.items():
            if owner.open:
                done = owner.do("sms", f"{message['phone']} {message['text']}").result(SEND_SECONDS)
                return f"{name}: {done.facts['parts']}"
        raise NotSupported("没有可用的短信设备。", "There is no modem that works.")

    def _by_webhook(self, message: dict[str, Any]) -> str:
        names = ("id", "event", "case", "department", "department_name", "phone", "text", "at")
        body = msgspec.json.encode({name: message[name] for name in names})
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"message-{message['id']}"}
        if self._secret_file.is_file():
            secret = self._secret_file.read_bytes().strip()
            headers["Wanmi-Signature"] = hmac.new(secret, body, hashlib.sha256).hexdigest()
        answer = httpx.post(
            self._settings.webhook, content=body, headers=headers, timeout=WEBHOOK_SECONDS, trust_env=False
        )
        answer.raise_for_status()
        return f"status {answer.status_code}"
