"""Examples for the OpenAPI document: one case on its way, as a client would send and get it."""

from __future__ import annotations

from typing import Any

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example

from server.schemas import Problem

REPORT = {
    "source": "hotline_12319", "kind": "part", "code": "01002", "description": "井盖破了,车都绕着走", "lon": 113.4716,
    "lat": 34.1595, "address": "药城路18号", "reporter": {"name": "张先生", "phone": "13812341234"},
}  # fmt: skip
DISPATCH = {"department": "D01", "condition": 1}
VERIFY = {"method": "site", "lon": 113.4716, "lat": 34.1595, "at": "2026-10-08T01:30:00Z"}
SIGN_IN = {"account": "s1", "password": "********", "code": "123456"}
PASSWORD = {"old": "********", "new": "**********"}
REQUEST = {"kind": "extension", "reason": "配件明天到"}
DECISION = {"approve": True, "note": "同意一次"}
POSITIONS = '{"account":"l1","at":"2026-10-08T01:30:00Z","lon":113.4716,"lat":34.1595,"speed":1.2}\n'
CALL = {"number": "13812341234", "seat": "s1"}

CASE = {
    "number": "4110812026100800001", "kind": "part", "edition": "2026", "code": "01002", "class_code": "01",
    "name": "污水井盖", "condition": None, "source": "hotline_12319", "channel": "public", "camera": None,
    "description": "井盖破了,车都绕着走", "lon": 113.4716, "lat": 34.1595, "address": "药城路18号",
    "grid": "411081001001001", "duty_grid": "411081001-1", "street": "411081001", "community": "411081001001",
    "part": None, "query_code": "JEDEP22KLP", "state": "reported", "clock": "accept",
    "due_at": "2026-10-08T01:30:00Z", "handle_due_at": None, "provisional": False, "limit": None, "resume_at": None,
    "department": None, "sub_unit": None, "department_suggested": "D01", "collector": None, "rework": 0,
    "extensions": 0, "sub_due_at": None, "external": None, "upper": None, "flags": [], "supervisions": [],
    "requests": [], "merged_into": None, "reported_at": "2026-10-08T01:00:00Z", "accepted_at": None, "filed_at": None,
    "dispatched_at": None, "handled_at": None, "checked_at": None, "closed_at": None, "satisfaction": None,
    "evidence": [], "version": 1, "reporter": {"name": "张先生", "phone": "13812341234"}, "light": "green",
}  # fmt: skip


def body_example(value: Any) -> list[Example]:
    """One example of a body."""
    return [Example(summary="example", value=value)]


def refusals(*statuses: int) -> dict[int, ResponseSpec]:
    """The problem responses of a route."""
    texts = {
        400: "Not readable", 401: "Not signed in", 403: "Not this role, or out of sight", 404: "Not there",
        409: "Stale version or conflict", 413: "Too large", 422: "Not possible, or a wrong value",
        428: "If-Match is missing", 429: "Too many", 500: "Broken",
    }  # fmt: skip
    return {
        status: ResponseSpec(Problem, description=texts[status], media_type="application/problem+json")
        for status in statuses
    }
