"""The wall's answers of a node inside the process, with units and classes whose names are too long."""

from __future__ import annotations

from typing import Any

import httpx

WEST, SOUTH, STEP = 113.4, 34.1, 0.01
LONG_UNIT = "名字特别长的环境卫生管理与生活垃圾分类服务中心"
LONG_CLASS = "交通信号灯及其附属的倒计时显示设施"


def case(serial: int, light: str | None, **other: Any) -> dict[str, Any]:
    """A case on the wall."""
    return {
        "number": f"41108120261122{serial:05d}", "kind": "part", "edition": "2026", "code": "01002", "name": "污水井盖",
        "state": "handling", "place": "颍川街道 药城社区", "department": "市政管理所", "light": light,
        "supervised": False, "reported_at": "2026-11-22T01:12:00Z", "due_at": "2026-11-22T05:12:00Z", **other,
    }  # fmt: skip


FIGURES: dict[str, Any] = {
    "at": "2026-11-22T06:05:33Z", "county": "411081", "name": "禹州市", "time_zone": "Asia/Shanghai",
    "reported_today": 417, "closed_today": 1038, "open": 7442, "overdue": 96, "waiting_requests": 3,
    "today": {"closed": 1038, "measured": 1000, "on_time": 964, "rate": 0.964},
    "month": {"closed": 12040, "measured": 12000, "on_time": 11500, "rate": 0.9583},
    "hours": [0, 0, 1, 0, 2, 5, 14, 30, 61, 55, 42, 38, 20, 25, 44, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    "departments": [
        {"code": "D02", "name": LONG_UNIT, "open": 3120, "overdue": 61},
        {"code": "D01", "name": "市政管理所", "open": 2400, "overdue": 30},
        {"code": "D03", "name": "城市管理综合执法大队", "open": 1800, "overdue": 5},
        {"code": "", "name": "", "open": 122, "overdue": 0},
    ],
    "urgent": [
        case(7, "red", supervised=True),
        case(6, "red", name=LONG_CLASS, department=LONG_UNIT),
        case(3, "red"),
    ],
    "latest": [case(12, "green"), case(11, None, state="suspended", due_at=None), case(10, "yellow", name=LONG_CLASS)],
}  # fmt: skip
SQUARE = [[WEST, SOUTH], [WEST + STEP, SOUTH], [WEST + STEP, SOUTH + STEP], [WEST, SOUTH + STEP], [WEST, SOUTH]]
MIDDLE = [WEST + STEP / 2, SOUTH + STEP / 2]
PLACES = {
    "bbox": [WEST - STEP, SOUTH - STEP, WEST + 2 * STEP, SOUTH + 2 * STEP],
    "areas": {
        "shown": True,
        "features": [
            {
                "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
                "properties": {"code": "411081001", "name": "颍川街道", "level": "street", "at": MIDDLE},
            }
        ],
    },
}
SPOTS = {
    "number": 3,
    "lights": {"red": 1, "yellow": 1, "green": 0, "none": 1},
    "items": [
        {**case(at, light), "lon": WEST + STEP * at / 4, "lat": SOUTH + STEP * at / 5}
        for at, light in ((1, "red"), (2, "yellow"), (3, None))
    ],
    "cells": [],
}
ANSWERS: dict[str, Any] = {
    "/api/v1/wall": FIGURES,
    "/api/v1/map/extent": {"bbox": [WEST, SOUTH, WEST + STEP, SOUTH + STEP]},
    "/api/v1/map/places": PLACES,
    "/api/v1/map/cases": SPOTS,
}


def answer(request: httpx.Request) -> httpx.Response:
    """The canned answer of a path."""
    return httpx.Response(200, json=ANSWERS[request.url.path])
