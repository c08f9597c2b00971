"""Canned answers of the shift desk and of the video seat, with names that are too long."""

from __future__ import annotations

from typing import Any

import httpx

from tests.tui import fake_node

LONG_NAME = "欧阳名字特别特别长的值班长同志"
TURN = {"turn": "morning", "turn_name": "早班", "turn_english": "Morning", "day": "2026-11-22"}
TURNS = [
    {"turn": "morning", "name": "早班", "english": "Morning", "begins": "07:00", "ends": "15:00"},
    {"turn": "afternoon", "name": "中班", "english": "Afternoon", "begins": "15:00", "ends": "23:00"},
    {"turn": "night", "name": "晚班", "english": "Night", "begins": "23:00", "ends": "07:00"},
]
MINE = {
    **TURN, "id": 2, "account": "p1", "name": "派遣员一", "seat": "大厅东侧靠窗第二排十七号派遣席", "ended_at": None,
    "started_at": "2026-11-21T23:02:00Z",
}  # fmt: skip
ITEMS = {
    "states": {"reported": {"count": 3, "numbers": [f"41108120261122{n:05d}" for n in (9, 8, 7)]},
               "filed": {"count": 1000, "numbers": [f"41108120261121{n:05d}" for n in range(20)]}},
    "overdue": {"count": 1, "numbers": ["4110812026112200007"]}, "requests": {"count": 0, "numbers": []},
    "supervisions": {"count": 0, "numbers": []}, "callbacks": {"count": 2, "numbers": ["4110812026112100003"]},
}  # fmt: skip
HANDOVER = {
    **TURN, "turn": "night", "turn_name": "晚班", "turn_english": "Night", "day": "2026-11-21", "id": 1, "shift": 1,
    "account": "z1", "name": LONG_NAME, "seat": "1号席", "at": "2026-11-21T23:01:00Z", "items": ITEMS,
    "note": "药城路井盖案件等配件，市政管理所答应今天上午十点前到场；来电人要求办结后务必电话回复，" * 2,
    "confirmed_by": None, "confirmed_name": None, "confirmed_at": None,
}  # fmt: skip
NOW = {
    "at": "2026-11-22T01:00:00Z", "running": [TURN], "mine": MINE, "on_duty": [MINE], "turns": TURNS, "suggested": None,
    "missing": [{**TURN, "account": "s1", "name": LONG_NAME, "starts_at": "2026-11-21T23:00:00Z",
                 "ends_at": "2026-11-22T07:00:00Z"}],
}  # fmt: skip
DAYS = [f"2026-11-{day}" for day in range(16, 23)]
ROSTER = {
    "days": DAYS, "turns": TURNS,
    "staff": [{"account": "s1", "name": LONG_NAME}, {"account": "s2", "name": "坐席二"}],
    "entries": [{"day": day, "account": "s2", "turn": TURNS[at % 3]["turn"]} for at, day in enumerate(DAYS[:5])],
}  # fmt: skip
CAMERA = {"url": None, "lon": 113.4005, "lat": 34.1005, "round": "一类", "minutes": 30.0}
ROUND = {
    "at": "2026-11-22T01:00:00Z", "cameras": 212, "due": 3, "never": 1,
    "items": [
        {**CAMERA, "code": "41108100001320000017", "name": "药城路与轩辕大道交叉口东北角立杆高清全景球机一号点位",
         "street_class": "一类街道", "url": "rtsp://viewer:secret@10.20.30.40:554/Streaming/Channels/101",
         "looked_at": None, "due_at": None},
        {**CAMERA, "code": "C2", "name": "滨河路", "street_class": "二类", "round": "二类", "minutes": 60.0,
         "looked_at": "2026-11-21T22:00:00Z", "due_at": "2026-11-21T23:00:00Z"},
        {**CAMERA, "code": "C3", "name": "南门巷", "street_class": None, "round": "其他", "minutes": 60.0,
         "looked_at": "2026-11-21T23:55:00Z", "due_at": "2026-11-22T00:55:00Z"},
    ],
}  # fmt: skip
ANSWERS: dict[str, Any] = {
    "/api/v1/shifts/now": NOW,
    "/api/v1/handovers": {"items": [HANDOVER], "next": None},
    "/api/v1/shifts/open-items": ITEMS,
    "/api/v1/roster": ROSTER,
    "/api/v1/cameras/round": ROUND,
}


def answer(request: httpx.Request) -> httpx.Response:
    """The canned answer of a path."""
    if (found := ANSWERS.get(request.url.path)) is not None:
        return httpx.Response(200, json=found)
    return fake_node.answer(request)
