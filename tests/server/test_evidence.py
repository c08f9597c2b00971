"""Evidence over HTTP: by content, by size, seen by those who see the case."""

from __future__ import annotations

import pytest

from tests.nodes import RunningNode
from tests.server.test_loop_over_http import CALL, report

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


def test_a_photo_comes_before_its_case_and_is_attached(shared_node: RunningNode) -> None:
    node = shared_node
    client = node.client("s1")
    sent = client.post("/api/v1/evidence", files={"file": ("x.jpg", PNG)}, data={"stage": "report"})
    assert sent.status_code == 201, sent.text
    assert sent.json()["type"] == "png"
    sha = sent.json()["sha256"]
    case = report(node, evidence=[{"sha256": sha, "stage": "before"}])
    assert [item["stage"] for item in case["evidence"]] == ["before"]  # type: ignore[attr-defined]  # JSON
    assert client.get(f"/api/v1/evidence/{sha}").content == PNG
    assert node.client("d1").get(f"/api/v1/evidence/{sha}").status_code == 404


def test_a_file_of_a_case_stands_in_its_record(shared_node: RunningNode) -> None:
    node = shared_node
    number = str(report(node)["number"])
    path = f"/api/v1/cases/{number}/evidence"
    form = {"stage": "after", "lon": "113.4", "lat": "34.1", "taken_at": "2026-10-08T09:30:00+08:00"}
    for _ in range(2):
        answer = node.client("s1").post(path, files={"file": ("a.png", PNG + b"2")}, data=form)
        assert answer.status_code == 201, answer.text
    files = node.client("z1").get(f"/api/v1/cases/{number}").json()["evidence"]
    assert [(item["stage"], item["lon"], item["taken_at"]) for item in files] == [
        ("after", 113.4, "2026-10-08T01:30:00Z")
    ]


def test_the_same_photo_in_another_stage_stands_there_in_both(shared_node: RunningNode) -> None:
    node = shared_node
    client, photo = node.client("s1"), {"file": ("a.png", PNG + b"3")}
    number = str(report(node)["number"])
    for stage in ("before", "after", "after"):
        sent = client.post(f"/api/v1/cases/{number}/evidence", files=photo, data={"stage": stage})
        assert sent.status_code == 201, sent.text
        assert sent.json()["stage"] == stage
    noted = node.act(
        "s1", number, "note", note="核对照片", evidence=[{"sha256": sent.json()["sha256"], "stage": "check"}]
    )
    assert noted.status_code == 200, noted.text
    assert [item["stage"] for item in noted.json()["evidence"]] == ["before", "after", "check"]


def test_every_file_of_a_case_has_its_row_in_the_history(shared_node: RunningNode) -> None:
    node = shared_node
    number = str(report(node)["number"])
    path = f"/api/v1/cases/{number}"
    for _ in range(2):
        sent = node.client("s2").post(f"{path}/evidence", files={"file": ("a", PNG + b"4")}, data={"stage": "verify"})
    assert node.client("z1").get(path).json()["version"] == 2
    rows = node.client("z1").get(f"{path}/history").json()["items"]
    assert [row["action"] for row in rows] == ["report", "evidence"]
    assert (rows[1]["actor"], rows[1]["role"], rows[1]["from"], rows[1]["to"]) == ("s2", "acceptor", *["reported"] * 2)
    assert (rows[1]["sha256"], rows[1]["stage"]) == (sent.json()["sha256"], "verify")


def stored(node: RunningNode) -> list[str]:
    return sorted(path.name for path in (node.home / "evidence").rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("account", "status", "form"),
    [
        ("s1", 422, {"stage": "selfie"}),
        ("s1", 422, {"taken_at": "2026-10-08T09:30:00"}),
        ("s1", 422, {"lon": "nan", "lat": "34.1"}),
        ("s1", 422, {"lon": "113.4", "lat": "91"}),
        ("s1", 422, {"lon": "-180.5", "lat": "34.1"}),
        ("d1", 403, {}),
        ("k1", 403, {}),
    ],
)
def test_a_refusal_leaves_no_file(shared_node: RunningNode, account: str, status: int, form: dict[str, str]) -> None:
    node = shared_node
    number, before = str(report(node)["number"]), stored(node)
    file = {"file": ("a.png", PNG + f"{account}{form}".encode())}
    data = {"stage": "after", **form}
    answer = node.client(account).post(f"/api/v1/cases/{number}/evidence", files=file, data=data)
    assert answer.status_code == status, answer.text
    assert stored(node) == before
    assert node.client("s1").post("/api/v1/cases/1/evidence", files=file, data={"stage": "after"}).status_code == 404
    assert stored(node) == before
    assert node.client("z1").get(f"/api/v1/cases/{number}").json()["evidence"] == []


def test_a_program_is_no_evidence_whatever_it_is_called(shared_node: RunningNode) -> None:
    client = shared_node.client("s1")
    answer = client.post("/api/v1/evidence", files={"file": ("x.jpg", b"#!/bin/sh\n")}, data={"stage": "report"})
    assert answer.status_code == 422
    assert client.post("/api/v1/evidence", files={"photo": ("a.png", PNG)}).status_code == 422
    wrong = client.post("/api/v1/evidence", files={"file": ("x.png", PNG)}, data={"stage": "selfie"})
    assert wrong.status_code == 422


def test_a_file_over_the_limit_is_refused_and_leaves_nothing(shared_node: RunningNode) -> None:
    node = shared_node
    big = b"\x89PNG\r\n\x1a\n" + b"0" * (21 * 1024 * 1024)
    answer = node.client("s1").post("/api/v1/evidence", files={"file": ("x.png", big)}, data={"stage": "report"})
    assert answer.status_code == 413
    assert not list((node.home / "evidence").glob("upload-*"))


def test_a_body_over_the_limit_is_refused(shared_node: RunningNode) -> None:
    answer = shared_node.client("s1").post("/api/v1/cases", json={**CALL, "description": "x" * 3_000_000})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
