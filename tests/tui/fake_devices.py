"""Canned answers of the devices screen: walls, receivers and a modem, some unwell, with names that are too long."""

from __future__ import annotations

from typing import Any

import httpx

from tests.tui import fake_node

SINCE = 1_795_311_000.0
"""09:30 county time on 22 November 2026."""
TOLD = "2026-11-22T02:00:00Z"
LONG = "大厅东墙三乘五拼接彩色大屏幕主控制器"
SIGN = [
    {"name": "identify", "value": "", "zh": "联机与参数", "en": "is it there, and its parameters"},
    {"name": "status", "value": "", "zh": "开关、亮度、时钟、动态区", "en": "power, brightness, clock, areas"},
    {"name": "brightness", "value": "0-100", "zh": "亮度", "en": "brightness"},
    {"name": "blank", "value": "on|off", "zh": "黑屏", "en": "black out"},
]  # fmt: skip
TEXT = {"name": "text", "value": "TEXT", "zh": "显示文字", "en": "show a text"}
COUNTERS = {"bytes_in": 482113, "frames": 10288, "bad": 3, "opened": 2}


def device(name: str, driver: str, state: str, **other: Any) -> dict[str, Any]:
    """A device as an agent told it."""
    return {
        "name": name, "driver": driver, "port": f"/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_{driver}-if00-port0",
        "state": state, "since": SINCE, "well": True, "zh": "", "en": "", "rate": 115200, "facts": {},
        "counters": COUNTERS, "actions": [], "agent": "agent", "heard": True, "told_at": TOLD, **other,
    }  # fmt: skip


DEVICES = [
    device(
        "car", "nmea", "3d", rate=9600,
        facts={"TPV": {"lat": 34.16221, "lon": 113.47301, "speed": 8.33, "mode": 3}, "SKY": {"uSat": 11, "hdop": 0.9}},
    ),
    device("phone", "modem", "answers", facts={"status": {"registered": "home", "signal": -71}}),
    device(
        "strip", "onbon", "no-answer", well=False, actions=[*SIGN, TEXT],
        zh="条屏连续三次没有应答;请检查电源和 RS485 的 A、B 线是否接反。",
        en="The sign did not answer three times; check its power, and whether A and B of RS485 are swapped.",
    ),
    device(
        LONG, "novastar", "answers", actions=SIGN,
        facts={"status": {"model": "MCTRL300", "brightness": 60, "blank": False, "pattern": "video", "input": "DVI"}},
    ),
    device("depot", "nmea", "3d", heard=False, agent="depot", rate=4800),
]  # fmt: skip


def command(serial: int, action: str, ok: bool | None, **other: Any) -> dict[str, Any]:
    """A command of the ledger."""
    return {
        "id": serial, "device": LONG, "action": action, "value": None, "account": "z1", "name": "值班长一",
        "at": "2026-11-22T01:50:00Z", "answered_at": None, "ok": ok, "answer": None, "zh": "", "en": "", **other,
    }  # fmt: skip


COMMANDS = [
    command(4, "brightness", None, value="35"),
    command(
        3, "notice", False, device="signs", value="[30] 暴雨橙色预警，低洼路段请绕行",
        zh="没有可显示文字的设备。", en="There is no device that shows a text.",
    ),
    command(2, "status", True, answer={"facts": {"brightness": 60}}),
]  # fmt: skip


def message(serial: int, state: str, **other: Any) -> dict[str, Any]:
    """A message to a department."""
    return {
        "id": serial, "event": "dispatch", "case": f"41108120261122{serial:05d}", "department": "D01", "phone": "",
        "department_name": "市政管理所", "channel": "sms", "text": "案件派遣", "state": state, "at": TOLD, "tries": 0,
        "sent_at": None, "detail": "", **other,
    }  # fmt: skip


MESSAGES = [
    message(9, "waiting"),
    message(8, "given_up", tries=6, detail="没有可用的短信设备。", department_name="名字特别长的环境卫生管理服务中心"),
    message(7, "no_phone"),
    message(6, "sent", sent_at=TOLD),
]
POSITIONS = [
    {"who": "car", "name": "car", "at": TOLD, "age": 1, "lon": 113.47301, "lat": 34.16221, "speed": 8.33},
    {"who": "l1", "name": "欧阳上官司马采集员一", "at": TOLD, "age": 130, "lon": 113.47, "lat": 34.16, "speed": 1.1},
    {"who": "l2", "name": "采集员二", "at": TOLD, "age": 7200, "lon": 113.48, "lat": 34.17, "speed": None},
]  # fmt: skip
ANSWERS: dict[str, Any] = {
    "/api/v1/session": {
        "token": "t",
        "account": "z1",
        "name": "值班长一",
        "roles": ["shift_leader"],
        "department": None,
    },
    "/api/v1/devices": {"items": DEVICES, "agents": []},
    "/api/v1/devices/commands": {"items": COMMANDS, "next": None},
    "/api/v1/messages": {"items": MESSAGES, "next": None},
    "/api/v1/positions": {"items": POSITIONS},
}


def answer(request: httpx.Request) -> httpx.Response:
    """The canned answer of a path."""
    if (found := ANSWERS.get(request.url.path)) is not None:
        return httpx.Response(201 if request.method == "POST" else 200, json=found)
    return fake_node.answer(request)
