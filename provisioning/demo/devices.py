"""The devices' part of the demo day: a car on the map, a wall dimmed, a notice on the strip, a department told."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

import httpx

from appliance.errors import Broken
from devices.fakes.fake import Fake
from devices.fakes.modem import FakeModem

PATIENCE = 40.0
LOOK = 0.1
Tell = Callable[[str, str, str], None]


def watch_devices(client: httpx.Client, fakes: dict[str, Fake], tell: Tell) -> None:
    """Play it; `client` is a shift leader's.

    Raises:
        Broken: a device did not do what it was told.
    """
    car = _until(lambda: _position(client), "巡查车没有上图", "the car is not on the map")
    tell("agent", "position", f"{car['who']} {car['lon']:.5f},{car['lat']:.5f} {car['speed']} m/s")
    done = _command(client, "wall", "brightness", "55")
    tell("zhiban", "wall", f"亮度 {done['answer']['facts']['brightness']} {done['answer']['request']}")
    _command(client, "signs", "notice", "[5] 暴雨橙色预警 请注意绕行")
    _until(lambda: "暴雨" in str(fakes["strip"].state()["text"]), "条屏没有显示通知", "the strip shows no notice")
    tell("zhiban", "notice", str(fakes["strip"].state()["text"]).replace("\n", " "))
    _command(client, "signs", "normal", None)
    text = _until(lambda: _figures(fakes), "条屏没有恢复", "the strip is not back")
    tell("agent", "strip", text.replace("\n", " "))


def watch_messages(client: httpx.Client, fakes: dict[str, Fake], tell: Tell) -> None:
    """The departments of today's dispatched cases were told by text message; a caller rings.

    Raises:
        Broken: they were not.
    """
    modem = fakes["phone"]
    assert isinstance(modem, FakeModem)
    sent = _until(lambda: modem.sent, "没有发出短信", "no text message was sent")
    tell("agent", "sms", f"{sent[0].phone} {sent[0].text}")
    modem.ring("13800000003")
    call = _until(lambda: _call(client), "来电没有转到坐席", "the call did not ring")
    tell("agent", "call", f"{call['number']} → {call['seat']}")


def _command(client: httpx.Client, device: str, action: str, value: str | None) -> dict[str, Any]:
    answer = client.post(f"/api/v1/devices/{device}/commands", json={"action": action, "value": value})
    path = f"/api/v1/devices/commands/{answer.json()['id']}"
    done: dict[str, Any] = _until(
        lambda: (told := client.get(path).json())["ok"] is not None and told, "设备没有应答", "no answer"
    )
    if not done["ok"]:
        raise Broken(done["zh"], done["en"])
    return done


def _position(client: httpx.Client) -> dict[str, Any] | None:
    items = client.get("/api/v1/positions", params={"seconds": 30}).json()["items"]
    return next((item for item in items if item["who"] == "巡查车1"), None)


def _figures(fakes: dict[str, Fake]) -> str:
    text = str(fakes["strip"].state()["text"])
    return text if "今日上报" in text.replace("\n", "") else ""


def _call(client: httpx.Client) -> dict[str, Any] | None:
    items = client.get("/api/v1/calls", params={"limit": 1}).json()["items"]
    return next((item for item in items if item["number"] == "13800000003"), None)


def _until(look: Callable[[], Any], zh: str, en: str) -> Any:
    ends = monotonic() + PATIENCE
    while not (seen := look()):
        if monotonic() > ends:
            raise Broken(f"{zh}。", f"{en[0].upper()}{en[1:]}.")
        sleep(LOOK)
    return seen
