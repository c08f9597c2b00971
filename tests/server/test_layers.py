"""Thematic layers over HTTP: made, filled, and seen on new cases."""

from __future__ import annotations

import time

from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report


def test_a_layer_is_made_filled_and_flags_new_cases(node: RunningNode) -> None:
    z1 = node.client("z1")
    assert node.client("s1").put("/api/v1/layers/games", json={"name": "赛事保障"}).status_code == 403
    saved = z1.put("/api/v1/layers/games", json={"name": "赛事保障", "case_flag": "games"})
    assert saved.json() == {"code": "games", "name": "赛事保障", "case_flag": "games", "note": None, "members": 0}
    wrong = z1.post("/api/v1/layers/games/members", json={"kind": "grid", "codes": ["411081001001001", "1"]})
    assert wrong.status_code == 422
    good = z1.post("/api/v1/layers/games/members", json={"kind": "grid", "codes": ["411081001001001"]})
    assert good.json() == {"added": 1}
    assert z1.get("/api/v1/layers").json()["items"][0]["members"] == 1
    assert z1.get("/api/v1/layers/games/members/grid").json() == {"items": ["411081001001001"]}
    ends = time.monotonic() + 10
    while report(node)["flags"] != ["games"]:  # the office looks for new reference data once a second
        assert time.monotonic() < ends
    assert z1.delete("/api/v1/layers/games").status_code == 204
    assert z1.get("/api/v1/layers").json()["items"] == []
    assert z1.post("/api/v1/layers/games/members", json={"kind": "grid", "codes": ["1"]}).status_code == 404
