"""A node of a few canned answers inside the process, so that pictures are the same every time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

WEST, SOUTH, STEP = 113.4, 34.1, 0.001
EMPTY = (
    "condition", "camera", "part", "query_code", "clock", "due_at", "handle_due_at", "limit", "resume_at",
    "department", "sub_unit", "collector", "department_suggested", "sub_due_at", "external", "upper", "merged_into",
    "accepted_at", "filed_at", "dispatched_at", "handled_at", "checked_at", "closed_at", "satisfaction", "reporter",
    "light",
)  # fmt: skip


def case(serial: int, state: str, **other: Any) -> dict[str, Any]:
    """A case without a running clock, so that no picture depends on the hour."""
    record: dict[str, Any] = dict.fromkeys(EMPTY)
    record |= {
        "number": f"41108120261122{serial:05d}", "kind": "part", "edition": "2026", "code": "01002",
        "class_code": "01", "name": "污水井盖", "source": "hotline_12319", "channel": "public",
        "description": "井盖破了，车都绕着走", "lon": WEST + 0.0005 + serial * 0.0002, "lat": SOUTH + 0.0005,
        "address": "颍川街道药城路18号", "grid": "411081001001001", "duty_grid": "411081001-1",
        "street": "411081001", "community": "411081001001", "state": state, "provisional": False, "rework": 0,
        "extensions": 0, "flags": [], "supervisions": [], "requests": [], "evidence": [], "version": 1,
        "reported_at": "2026-11-22T01:12:00Z",
    }  # fmt: skip
    return record | other


CASES = [
    case(7, "filed", department_suggested="D01", light="red"),
    case(
        6, "handling", department="D02", light="yellow", name="交通信号灯及其附属的倒计时显示设施",
        address="夏都街道药城路与轩辕大道交叉口向北二百米路东第十八号院门前人行道上",
        requests=[{
            "id": 1, "kind": "extension", "reason": "需要调配材料", "until": None, "asked_by": "d2", "in_time": True,
            "asked_at": "2026-11-22T02:00:00Z", "waiting_for": "dispatcher|shift_leader", "approved": None,
            "decided_at": None,
        }],
    ),
    case(5, "suspended", department="D01"),
]  # fmt: skip
HISTORY = [
    {"seq": 1, "action": "report", "actor": "s1", "actor_name": "坐席一", "role": "acceptor", "on_behalf_of": None,
     "at": "2026-11-22T01:12:00Z", "from": None, "to": "reported", "note": None},
    {"seq": 2, "action": "verify_true", "actor": "s1", "actor_name": "坐席一", "role": "collector",
     "on_behalf_of": "l1", "at": "2026-11-22T01:20:00Z", "from": "verifying", "to": "accepted",
     "note": "电话反馈", "method": "site"},
]  # fmt: skip
ACTIONS = [
    {"action": "dispatch", "chinese": "派遣", "english": "Dispatch", "key": "d", "needs": ["department"],
     "may": ["condition"], "target": "dispatched"},
    {"action": "dispute", "chinese": "争议协调", "english": "Dispute", "key": "h", "needs": ["note"], "may": [],
     "target": "coordinating"},
    {"action": "note", "chinese": "备注", "english": "Note", "key": "n", "needs": ["note"], "may": ["evidence"],
     "target": None},
]  # fmt: skip
SQUARE = [[WEST, SOUTH], [WEST + STEP, SOUTH], [WEST + STEP, SOUTH + STEP], [WEST, SOUTH + STEP], [WEST, SOUTH]]
ANSWERS: dict[str, Any] = {
    "/health": {"status": "ok", "county": "411081", "name": "禹州市", "edition": "2026"},
    "/api/v1/session": {"token": "t", "account": "p1", "name": "派遣员一", "roles": ["dispatcher"], "department": None},
    "/api/v1/departments": {
        "items": [{"code": "D01", "name": "市政管理所"}, {"code": "D02", "name": "名字特别长的环境卫生管理服务中心"}]
    },
    "/api/v1/cases": {"items": CASES, "next": None},
    "/api/v1/summary": {"states": {"filed": 1, "handling": 1, "suspended": 1}, "open": 3, "overdue": 1},
    "/api/v1/actions": {"items": ACTIONS},
    "/api/v1/duplicates": {"items": []},
    "/api/v1/codes/own": {"classes": [], "phrases": []},
    "/api/v1/codes/common": {
        "items": [
            {"kind": "part", "code": "01002", "name": "污水井盖", "english": "Sewer cover"},
            {"kind": "event", "code": "01001", "name": "道路两侧名字特别长的违章搭建", "english": "Illegal building"},
        ]
    },
    "/api/v1/sources": {"items": [{"code": "hotline_12319", "name": "12319热线", "english": "12319 hotline"}]},
    "/api/v1/geocode": {
        "items": [
            {"name": "药城路18号", "type": "门牌", "code": "M1", "address": "", "lon": 113.4005, "lat": 34.1005},
        ]
    },
    "/api/v1/locate": {
        "lon": 113.4005,
        "lat": 34.1005,
        "grid": "411081001001001",
        "street": "411081001",
        "street_name": "颍川街道",
        "community": "411081001001",
        "community_name": "药城社区",
        "duty_grid": "411081001-1",
        "collector": "l1",
        "address": "颍川街道药城路18号",
        "parts": [],
        "places": [],
    },
    "/api/v1/suggestion": {"department": "D02", "name": "名字特别长的环境卫生管理服务中心"},
    "/api/v1/shapes/grids": {
        "features": [{"geometry": {"type": "Polygon", "coordinates": [SQUARE]}, "properties": {}}]
    },
    "/api/v1/shapes/parts": {"features": []},
}
AROUND = {
    "history": HISTORY, "actions": ACTIONS, "duplicates": [], "near": CASES, "grids": ANSWERS["/api/v1/shapes/grids"],
    "parts": {"features": []}, "clock": {"remaining": {"value": -2, "unit": "工作时"}},
}  # fmt: skip


def answer(request: httpx.Request) -> httpx.Response:
    """The canned answer of a path; an event stream that never says anything."""
    path = request.url.path
    if path == "/api/v1/events":
        return httpx.Response(200, content=_silence())
    if path.endswith("/history"):
        return httpx.Response(200, json={"items": HISTORY})
    if path.endswith("/around"):
        return httpx.Response(200, json=AROUND)
    if path.startswith("/api/v1/codes/part"):
        limits = [
            {"condition_to_open": text, "value": value, "unit": "工作时"}
            for text, value in (("缺失移位有隐患", 2), ("破损", 8))
        ]
        return httpx.Response(200, json={"limits": limits})
    return httpx.Response(200, json=ANSWERS[path])


async def _silence() -> AsyncIterator[bytes]:
    yield b": cursor 1\n\n"
    await asyncio.Event().wait()
