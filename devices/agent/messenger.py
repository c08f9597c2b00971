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
import structlog

from appliance.device_settings import Messages
from appliance.errors import WanmiError
from devices.agent.beat import Beat
from devices.agent.node import NodeAway, NodeClient, NodeRefused
from devices.errors import NotSupported
from devices.ports.owner import PortOwner

SECONDS = 15.0
SEND_SECONDS = 300.0
DETAIL_AT_MOST = 300
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
        channels = self._channels()
        if not channels:
            return
        try:
            self._tell()
            while items := self._client.post("/api/v1/messages/take", {"channels": channels})["items"]:
                for message in items:
                    if self._ending:
                        return  # what was taken waits at the node until its time is over
                    self._untold[message["id"]] = self._sent(message)
                    self._tell()
        except (NodeAway, NodeRefused):
            return

    def _channels(self) -> list[str]:
        """What this agent can serve now."""
        modem = any(owner.open for owner in self._modems.values())
        served = {"sms": modem, "webhook": bool(self._settings.webhook)}
        channels = [channel for channel in self._settings.channels if served[channel]]
        return [*channels, *(["emergency"] if self._settings.emergency_webhook else [])]

    def _tell(self) -> None:
        """Tell the node what became of messages; one that it knows no more is forgotten."""
        for key in list(self._untold):
            try:
                self._client.post(f"/api/v1/messages/{key}/result", self._untold[key])
            except NodeRefused as error:
                structlog.get_logger("wanmi").warning("result", message=key, error=error.en)
            del self._untold[key]

    def _sent(self, message: dict[str, Any]) -> dict[str, Any]:
        """What became of one message."""
        try:
            told = self._by_modem(message) if message["channel"] == "sms" else self._by_webhook(message)
            return {"ok": True, "detail": told}
        except WanmiError as error:
            return {"ok": False, "detail": error.zh[:DETAIL_AT_MOST]}
        except Exception as error:  # whatever a driver or an address does: this message failed, and the next one goes
            return {"ok": False, "detail": (str(error) or type(error).__name__)[:DETAIL_AT_MOST]}

    def _by_modem(self, message: dict[str, Any]) -> str:
        for name, owner in self._modems.items():
            if owner.open:
                order = owner.do("sms", f"{message['phone']} {message['text']}")
                try:
                    done = order.result(SEND_SECONDS)
                finally:
                    order.cancel()
                return f"{name}: {done.facts.get('parts', 1)}"
        raise NotSupported("没有可用的短信设备。", "There is no modem that works.")

    def _by_webhook(self, message: dict[str, Any]) -> str:
        settings = self._settings
        address = settings.emergency_webhook if message["channel"] == "emergency" else settings.webhook
        names = ("id", "event", "case", "department", "department_name", "phone", "text", "at")
        body = msgspec.json.encode({name: message[name] for name in names})
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"message-{message['id']}"}
        secret = self._secret_file.read_bytes().strip() if self._secret_file.is_file() else b""
        if secret:
            headers["Wanmi-Signature"] = hmac.new(secret, body, hashlib.sha256).hexdigest()
        answer = httpx.post(address, content=body, headers=headers, timeout=WEBHOOK_SECONDS, trust_env=False)
        answer.raise_for_status()
        return f"status {answer.status_code}"
