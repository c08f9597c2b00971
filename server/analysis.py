"""Analysis of a period over HTTP; it is made in a process beside the node and kept for some minutes."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter

from appliance.analysis.values import check_kind, kinds
from server import answers, examples
from server.aside import run_aside
from server.node import Node, node_of
from server.paging import sent
from server.scores import Name, period_of_request
from server.sign_in import require

KEPT_AT_MOST = 20


class FindingOut(msgspec.Struct):
    """A finding: about whom or what, how many, compared with what, and the cases behind it (the first 500).

    `points` are their positions in the same order; `before` tells how many there were in each of the three periods
    before, where that is counted.
    """

    kind: str
    group: str
    title: str
    english: str
    subject: str
    name: str
    count: int
    of: float | None
    cases: int
    numbers: list[str]
    lon: float | None
    lat: float | None
    before: list[int]
    points: list[tuple[float, float]]


class KindOut(msgspec.Struct):
    """A kind of finding and its rule."""

    kind: str
    group: str
    title: str
    english: str
    rule: str
    rule_english: str
    least: int
    share: float


class AnalysisOut(msgspec.Struct):
    """The findings of a period and the kinds there are."""

    period: str
    items: list[FindingOut]
    kinds: list[KindOut]


class AnalysisController(Controller):
    """Analysis."""

    path = "/api/v1/analysis"
    tags = ["scores"]
    guards = [require("shift_leader", "leader", "assessor", "admin", "technician")]

    @get(operation_id="analysis", responses={**answers.shows(AnalysisOut), **examples.refusals(401, 403, 422)})
    async def all(
        self,
        request: Request[Any, Any, Any],
        period: Name = "",
        kind: Annotated[str, Parameter(max_length=20, description="One kind only; all where left out")] = "",
    ) -> Response[bytes]:
        """Staged checks, units always at the limit, hot spots, parts that fail again, seasonal rise."""
        node = node_of(request)
        if kind:
            check_kind(kind)
        asked = period_of_request(node, period)
        found = await _findings(node, asked.name)
        items = [each for each in found if kind in ("", each["kind"])]
        told = [
            {
                "kind": each.kind, "group": each.group, "title": each.chinese, "english": each.english,
                "rule": each.told[0], "rule_english": each.told[1], "least": each.least, "share": each.share,
            }
            for each in kinds().values()
        ]  # fmt: skip
        return sent({"period": asked.name, "items": items, "kinds": told})


async def _findings(node: Node, name: str) -> list[dict[str, Any]]:
    """The findings of a period, made anew when the kept ones are some minutes old."""
    records = node.office.records
    now, patience = records.clock.now(), node.office.settings.scoring.counted_minutes * 60_000_000
    at, found = node.findings.get(name, (0, []))
    if now - at > patience:
        command = [sys.executable, "-m", "appliance.analysis.analysing", str(records.home), str(now), name]
        found = msgspec.json.decode(await run_aside(command, "分析失败", "The analysis failed"))
        node.findings[name] = (now, found)
        while len(node.findings) > KEPT_AT_MOST:
            node.findings.pop(next(iter(node.findings)))
    return found
