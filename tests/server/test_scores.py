"""Scores over HTTP: who sees what, the cases behind a figure, closing; patrols are in them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests import homes
from tests.cases.desk import Desk
from tests.nodes import RunningNode
from tests.server.test_patrols import YESTERDAY, walked
from tests.server.test_routes import is_problem

__all__ = ["walked"]

ZONE = ZoneInfo("Asia/Shanghai")
LAST_MONTH = (datetime.now(ZONE).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node whose county worked on two cases last month; one was closed."""
    home: Path = homes.copy_home(tmp_path_factory.mktemp("scores") / "home")
    desk = Desk(home, f"{LAST_MONTH}-09 09:00")
    try:
        desk.to_closed()
        desk.to_dispatched()
    finally:
        desk.close()
    running = RunningNode(home).start()
    yield running
    running.stop()


def get(node: RunningNode, account: str, path: str, **query: object) -> httpx.Response:
    return node.client(account).get(f"/api/v1/scores{path}", params=query)  # type: ignore[arg-type]  # plain values


def test_the_office_sees_everybody_and_staff_their_own_row(scored: RunningNode) -> None:
    told = get(scored, "k1", "", period=LAST_MONTH).json()
    assert told["platform"]["filed"] == 2
    assert [row["id"] for row in told["scopes"]["collector"]] == ["l1", "l2"]
    own = get(scored, "l1", "", period=LAST_MONTH).json()
    assert [row["id"] for row in own["scopes"]["collector"]] == ["l1"]
    assert own["scopes"]["acceptor"] == []
    assert [row["id"] for row in own["scopes"]["department"]] == [row["id"] for row in told["scopes"]["department"]]
    one = get(scored, "d2", "", period=LAST_MONTH, scope="department").json()
    best = one["rows"][0]
    assert (best["id"], best["place"], best["grade"]) == ("D01", 1, "C")
    assert one["pack"]["id"] == "national"


def test_a_figure_opens_to_its_cases_for_whom_it_concerns(scored: RunningNode) -> None:
    query = {"period": LAST_MONTH, "scope": "department", "subject": "D01", "code": "close_rate"}
    told = get(scored, "d1", "/cases", **query).json()
    facts = {fact["fact"]: fact for fact in told["facts"]}
    assert (facts["should_close"]["cases"], facts["closed"]["cases"]) == (2, 1)
    number = facts["closed"]["numbers"][0]
    assert scored.client("z1").get(f"/api/v1/cases/{number}").json()["state"] == "closed"
    is_problem(get(scored, "d2", "/cases", **query), 403, "forbidden")
    is_problem(get(scored, "k1", "/cases", **query | {"code": "happiness"}), 422, "invalid")
    is_problem(get(scored, "k1", "/cases", **query | {"subject": "D99"}), 404, "not-found")
    is_problem(get(scored, "k1", "", period="2026-13"), 422, "invalid")
    is_problem(get(scored, "k1", "", scope="everybody"), 422, "invalid")
    is_problem(get(scored, "k1", "", pack="city"), 404, "not-found")


def test_the_assessor_closes_the_month_and_the_trend_shows_it(scored: RunningNode) -> None:
    path = f"/api/v1/scores/periods/{LAST_MONTH}/close"
    is_problem(scored.client("s1").post(path), 403, "forbidden")
    before = get(scored, "k1", "", period=LAST_MONTH).json()
    closed = scored.client("k1").post(path)
    assert closed.status_code == 200, closed.text
    assert closed.json()["closed_by"] == "k1"
    is_problem(scored.client("k1").post(path), 409, "conflict")
    is_problem(scored.client("k1").post(f"/api/v1/scores/periods/{datetime.now(ZONE):%Y-%m}/close"), 409, "conflict")
    after = get(scored, "k1", "", period=LAST_MONTH).json()
    assert {**after, "closed_at": None} == before
    trend = get(scored, "d1", "/trend", scope="department", subject="D01").json()["items"]
    assert [(point["period"], point["place"]) for point in trend] == [(LAST_MONTH, 1)]
    names = [row["name"] for row in get(scored, "k1", "/periods", kind="month").json()["items"]]
    assert names == [LAST_MONTH]
    packs = get(scored, "l1", "/packs").json()["items"]
    assert [grade["code"] for grade in packs[0]["grades"]] == ["A", "B", "C", "D", "E"]


def test_what_cannot_be_counted_is_refused_in_a_sentence(scored: RunningNode) -> None:
    for written in ("0001", "2026-13", "1999-12", "2200"):
        is_problem(get(scored, "k1", "", period=written), 422, "invalid")
    is_problem(get(scored, "l1", "", period=f"{LAST_MONTH}-01..{LAST_MONTH}-03"), 403, "forbidden")
    assert get(scored, "k1", "", period=f"{LAST_MONTH}-01..{LAST_MONTH}-03").status_code == 200
    day = f"{LAST_MONTH}-09"
    with ThreadPoolExecutor(3) as several:
        answers = list(several.map(lambda _: scored.client("k1").post(f"/api/v1/scores/periods/{day}/close"), range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409], [answer.text for answer in answers]


def test_walked_and_video_patrols_are_in_the_scores(walked: RunningNode) -> None:
    day = YESTERDAY.isoformat()
    told = get(walked, "k1", "", period=day).json()
    rates = {row["id"]: row["values"]["patrol_rate"] for row in told["scopes"]["collector"]}
    assert rates == {"l1": 1.0, "l2": 0.0}, "l1 walked both rounds, nobody walked for l2"
    assert told["platform"]["patrol_rate"] == 0.5
    assert told["platform"]["video_rate"] == 0.0
    client = walked.client("s1")
    assert client.post("/api/v1/cameras/C1/looks", json={"found": "nothing"}).is_success
    job = walked.client("z1").post("/api/v1/jobs/count-scores")
    assert job.is_success, job.text
    today = get(walked, "k1", "", period=f"{datetime.now(ZONE):%Y-%m-%d}").json()
    assert {row["id"]: row["values"]["video_looks"] for row in today["scopes"]["acceptor"]}["s1"] == 1
