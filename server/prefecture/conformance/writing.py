"""The rules of writing, tried only when asked: a case sent twice is one case, a supervision, a withdrawal."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import msgspec

from server.prefecture.conformance.probes import Node, NotApplicable, Wrong, problem, told


def case_comes_once(node: Node) -> str:
    """`POST cases` with the same Idempotency-Key is the same case; it is supervised and taken back afterwards."""
    body = _case(node)
    key = {"Idempotency-Key": uuid4().hex}
    first = node.http.post("/exchange/v1/cases", json=body, headers=key)
    if first.status_code != 201:
        raise Wrong(f"POST cases: {first.status_code}; {told(first)}")
    second = node.http.post("/exchange/v1/cases", json=body, headers=key)
    number = first.json()["number"]
    if second.status_code not in (200, 201) or second.json()["number"] != number:
        raise Wrong(f"the second time {second.status_code}, {told(second)}")
    other = {**body, "description": "另一件事", "upper": {"number": uuid4().hex[:12]}}
    third = node.http.post("/exchange/v1/cases", json=other, headers=key)
    if third.status_code != 409:
        raise Wrong(f"another case under the same key: {third.status_code}, not 409")
    return f"{number}; another case under its key: {problem(third)}; {_taken_back(node, number)}"


def _taken_back(node: Node, number: str) -> str:
    supervised = node.http.post(f"/exchange/v1/cases/{number}/supervisions", json={"note": "对接测试"})
    if supervised.status_code not in (201, 403):
        raise Wrong(f"supervision: {supervised.status_code}; {told(supervised)}")
    withdrawn = node.http.post(f"/exchange/v1/cases/{number}/withdraw", json={"reason": "对接测试,请忽略"})
    if withdrawn.status_code != 200:
        raise Wrong(f"withdraw: {withdrawn.status_code}; {told(withdrawn)}")
    return f"supervised ({supervised.status_code}) and taken back"


def _case(node: Node) -> dict[str, Any]:
    """A case like one that is there already: its class and place are real in this county."""
    if "case" not in node.types():
        raise NotApplicable("cases may not be read, so that no example can be found")
    if "cases.write" not in node.info.get("scopes", ["cases.write"]):
        raise NotApplicable("this client may send no cases")
    answer = node.get("snapshot/case")
    for line in answer.iter_lines():
        found = msgspec.json.decode(line)["data"] if line else {}
        if found.get("kind") and not found.get("part"):
            return {
                "kind": found["kind"], "code": found["code"], "lon": found["lon"], "lat": found["lat"],
                "description": "对接测试,请忽略", "upper": {"number": f"CHECK-{uuid4().hex[:12]}"},
            }  # fmt: skip
    raise NotApplicable("no case is there from which class and place could be taken")
