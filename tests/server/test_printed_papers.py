"""Papers over HTTP: the return by Accept, signed by whom it concerns; notices as pages and PDF."""

from __future__ import annotations

import pytest

from tests.nodes import RunningNode
from tests.server.test_routes import is_problem
from tests.server.test_scores import LAST_MONTH, scored

__all__ = ["scored"]


def test_the_assessor_reads_closes_signs_and_lists_the_return(scored: RunningNode) -> None:
    client, path = scored.client("k1"), f"/api/v1/returns/{LAST_MONTH}"
    draft = client.get(path).json()
    assert (draft["state"], draft["rows"][-1]["单位"], draft["rows"][-1]["立案数"]) == ("draft", "合计", 2)
    table = client.get(path, headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv")
    assert table.content.decode("utf-8-sig").splitlines()[-1].startswith("合计,")
    assert client.get(path, headers={"Accept": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
                      ).content.startswith(b"PK")  # fmt: skip
    refused = client.post(f"{path}/submit")
    is_problem(refused, 409, "conflict")
    assert f"wanmi score close {LAST_MONTH}" in refused.json()["detail"]
    assert client.post(f"/api/v1/scores/periods/{LAST_MONTH}/close").status_code == 200
    is_problem(scored.client("z1").post(f"{path}/submit"), 403, "forbidden")
    signed = client.post(f"{path}/submit")
    assert signed.status_code == 200, signed.text
    assert (signed.json()["state"], signed.json()["signed_by"]) == ("submitted", "k1")
    is_problem(scored.client("b1").post(f"{path}/submit"), 409, "conflict")
    assert client.get(path).json()["signed_by_name"] == "考核员一"
    assert client.get(path, params={"draft": True}).json()["state"] == "draft"
    listed = client.get("/api/v1/returns", params={"limit": 1}).json()
    assert ([item["period"] for item in listed["items"]], listed["next"]) == ([LAST_MONTH], None)
    is_problem(client.get("/api/v1/returns/2026-13"), 422, "invalid")
    is_problem(scored.client("l1").get(path), 403, "forbidden")


def test_a_notice_is_a_page_or_pdf_for_who_sees_the_case(scored: RunningNode) -> None:
    number = next(
        item["number"] for item in scored.client("z1").get("/api/v1/cases").json()["items"]
        if item["state"] == "dispatched"
    )  # fmt: skip
    path = f"/api/v1/papers/notice/{number}"
    page = scored.client("d1").get(path)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "整改通知书" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert scored.client("z1").get(path, headers={"Accept": "application/pdf"}).content.startswith(b"%PDF-")
    is_problem(scored.client("d2").get(path), 403, "forbidden")
    is_problem(scored.client("z1").get(f"/api/v1/papers/letter/{number}/1"), 404, "not-found")


@pytest.mark.long
def test_the_bulletin_is_for_the_office(scored: RunningNode) -> None:
    path = f"/api/v1/papers/bulletin/{LAST_MONTH}"
    paper = scored.client("b1").get(path, headers={"Accept": "application/pdf"})
    assert (paper.status_code, paper.content[:5]) == (200, b"%PDF-"), paper.text
    assert paper.headers["content-disposition"] == f'inline; filename="bulletin-{LAST_MONTH}.pdf"'
    is_problem(scored.client("l1").get(path), 403, "forbidden")
    is_problem(scored.client("b1").get("/api/v1/papers/bulletin/soon"), 422, "invalid")


def test_the_office_sees_what_is_due_and_a_job_makes_it(scored: RunningNode) -> None:
    items = scored.client("k1").get("/api/v1/papers/due").json()["items"]
    assert {item["maker"] for item in items} == {"return", "bulletin"}
    own = next(item for item in items if (item["maker"], item["period"]) == ("return", LAST_MONTH))
    assert (own["state"], own["filing"]["signed_by"], own["closed"]) == ("submitted", "k1", True)
    is_problem(scored.client("l1").get("/api/v1/papers/due"), 403, "forbidden")
    assert "make-papers" in {job["name"] for job in scored.client("admin").get("/api/v1/jobs").json()["items"]}
