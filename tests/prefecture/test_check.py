"""The check tells a node that keeps the contract from one that does not, whoever made it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from server.prefecture.conformance import reading
from server.prefecture.conformance.probes import FAILED, OK, SKIPPED, Node, tried
from server.prefecture.conformance.run import READING

FEED = "f" * 32
REPORTER = {"name": "张*", "phone": "138****4321"}


class Maker:
    """Another maker's node, written from the contract in some lines; each fault is one that a maker could make."""

    def __init__(self, **faults: Any) -> None:
        self.faults, self.asked = faults, 0
        self.cases = [
            {"number": f"A{number:03d}", "reporter": faults.get("reporter", REPORTER), "evidence": []}
            for number in range(40)
        ]
        self.items = [
            {"seq": 2 * place + 1 + kind, "type": ("case", "case_action")[kind], "id": case["number"], "op": "put",
             "at": "2026-10-09T01:00:00Z", "schema": 1, "data": case}
            for place, case in enumerate(self.cases) for kind in (0, 1)
        ]  # fmt: skip

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Any request."""
        path, query = request.url.path.removeprefix("/exchange/v1/"), dict(request.url.params)
        if path == "":
            return self.info()
        if path == "changes":
            return self.changes(query, request.headers)
        if path.startswith("snapshot/"):
            return self.snapshot(path.removeprefix("snapshot/"), query)
        if path.startswith("reports/monthly/"):
            return self.monthly(path.removeprefix("reports/monthly/"), request.headers)
        return self.refusal(404)

    def info(self) -> httpx.Response:
        told = {"county": "411082", "name": "长葛市", "contract": "1", "feed": FEED, "editions": ["2026"], "first": 1,
                "last": 80, "feeds": ["case", "case_action"]}  # fmt: skip
        return httpx.Response(200, json=told)

    def changes(self, query: dict[str, str], headers: httpx.Headers) -> httpx.Response:
        after, limit = int(query.get("after", 0)), int(query.get("limit", 1000))
        types = query.get("types", "case,case_action").split(",")
        if "no_such_type" in types:
            return self.refusal(self.faults.get("unknown", 422))
        if set(types) - {"case", "case_action"}:
            return self.refusal(403)
        if query.get("feed", FEED) != FEED or after > 80:
            return self.refusal(self.faults.get("gone", 410))
        before, shown = 0, []
        for item in self.items:
            if item["type"] not in types:
                continue
            if item["seq"] > after and item["seq"] != self.faults.get("lost"):
                shown.append({**item, "prev": item["seq"] - 1 if self.faults.get("prev") else before})
            before = item["seq"]
        page = shown[:limit]
        more = len(shown) > limit
        next_ = page[-1]["seq"] if more else 80
        common = {"Wanmi-Next": str(next_), "Wanmi-Feed": FEED}
        if headers.get("Accept") == reading.NDJSON:
            body = "".join(json.dumps(item) + "\n" for item in page).encode()
            return httpx.Response(200, content=body, headers=common | {"Content-Type": reading.NDJSON})
        return self.packed({"items": page, "next": next_, "more": more}, headers.get("Accept-Encoding", ""), common)

    def packed(self, told: Any, encoding: str, headers: dict[str, str]) -> httpx.Response:
        body, wanted = json.dumps(told).encode(), None if self.faults.get("plain") else encoding
        packers: dict[str, Callable[[bytes], bytes]] = {
            "gzip": gzip.compress,
            "zstd": zstandard.ZstdCompressor().compress,
        }
        if wanted in packers:
            return httpx.Response(200, content=packers[wanted](body), headers=headers | {"Content-Encoding": wanted})
        return httpx.Response(200, content=body, headers=headers)

    def snapshot(self, type_: str, query: dict[str, str]) -> httpx.Response:
        lines = [{"type": type_, "id": case["number"], "data": case} for case in self.cases]
        if not self.faults.get("resume"):
            lines = [line for line in lines if line["id"] > query.get("after", "")]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        return httpx.Response(200, content=body, headers={"Content-Type": reading.NDJSON, "Wanmi-Cursor": "80"})

    def monthly(self, period: str, headers: httpx.Headers) -> httpx.Response:
        if period > f"{datetime.now(UTC):%Y-%m}":
            return self.refusal(422)
        if headers.get("If-None-Match") == '"m"' and not self.faults.get("forgets"):
            return httpx.Response(304)
        if headers.get("Accept") == "text/csv":
            return httpx.Response(200, text="a", headers={"Content-Type": "text/csv"})
        self.asked += 1
        told = {
            "county": "411082", "period": self.faults.get("period", period), "as_of": "2026-10-31T16:00:00Z",
            "rule": {"id": "r", "sha256": "0a"}, "columns": [{"code": "accepted", "name": "受理数"}],
            "values": {"accepted": self.asked if self.faults.get("moves") else 4},
        }  # fmt: skip
        return httpx.Response(200, json=told, headers={"ETag": '"m"'})

    def refusal(self, status: int) -> httpx.Response:
        media = "text/html" if self.faults.get("html") else "application/problem+json"
        return httpx.Response(status, json={"detail": "no"}, headers={"Content-Type": media})


def checked(**faults: Any) -> dict[str, str]:
    """The state of each check on a node with these faults."""
    nowhere = Path()
    http = httpx.Client(base_url="https://node", transport=httpx.MockTransport(Maker(**faults).answer))
    node = Node("https://node", nowhere, nowhere, nowhere, 0.1, http)
    checks = (("describes itself", reading.describes_itself), *READING)
    return {result.check: result.state for result in (tried(name, node, check) for name, check in checks)}


def test_another_makers_node_that_keeps_the_contract_passes() -> None:
    states = checked()
    wrong = {name for name, state in states.items() if state == FAILED}
    assert wrong == {"long poll returns in time"}, "it answers at once, with an empty page"
    assert {name for name, state in states.items() if state == SKIPPED} == {"evidence with Range and ETag"}
    assert states["type without its scope is 403"] == OK


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ({"lost": 41}, "feed without gaps"), ({"prev": True}, "prev under a filter"),
        ({"gone": 200}, "cursor beyond the last is 410"), ({"gone": 404}, "cursor of another feed is 410"),
        ({"unknown": 400}, "unknown type is 422"), ({"html": True}, "type without its scope is 403"),
        ({"plain": True}, "zstd"), ({"plain": True}, "gzip"),
        ({"resume": True}, "snapshots in order, resumed anywhere"),
        ({"reporter": {"name": "张三", "phone": None}}, "reporters masked"), ({"period": "2020-01"}, "monthly return"),
        ({"moves": True}, "monthly return"), ({"forgets": True}, "monthly return"),
    ],
)  # fmt: skip
def test_each_fault_is_told(fault: dict[str, Any], check: str) -> None:
    assert checked()[check] == OK
    assert checked(**fault)[check] == FAILED
