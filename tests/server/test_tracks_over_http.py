"""The track of a day over HTTP: what a phone sent, in pages or thinned out, packed or not."""

from __future__ import annotations

import itertools
import signal
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from appliance.clock import micros, rfc3339
from tests.nodes import RunningNode
from tests.patrols.walkers import rows_of, walk
from tests.server.test_routes import is_problem

ZONE = ZoneInfo("Asia/Shanghai")


def send(node: RunningNode, account: str, start: datetime) -> int:
    """A walk over ten grids, sent as a phone does that was off line."""
    track = walk(account, micros(start), rows_of(range(10), [0]))
    lines = (
        f'{{"account":"{account}","at":"{rfc3339(item.at)}","lon":{item.lon},"lat":{item.lat},"speed":1.2}}\n'
        for item in track
    )
    answer = node.client(account).post("/api/v1/positions", content="".join(lines))
    assert answer.json()["added"] == len(track), answer.text
    return len(track)


def test_yesterdays_track_is_the_same_after_packing(shared_node: RunningNode) -> None:
    client = shared_node.client("z1")
    start = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0) - timedelta(days=1)
    day, number = start.date().isoformat(), send(shared_node, "l1", start)
    before = client.get(f"/api/v1/tracks/l1?day={day}").json()
    assert (before["number"], len(before["items"]), before["next"]) == (number, number, None)
    done = client.post("/api/v1/jobs/compact-tracks")
    assert done.json()["result"]["days"][day] == 1
    assert client.get(f"/api/v1/tracks/l1?day={day}").json() == before

    pages, after = [], -1
    while after is not None:
        answer = client.get(f"/api/v1/tracks/l1?day={day}&limit=30&after={after}").json()
        pages += answer["items"]
        after = answer["next"]
    assert pages == before["items"]
    thin = client.get(f"/api/v1/tracks/l1?day={day}&metres=50").json()
    assert (thin["number"], thin["items"][0], thin["items"][-1]) == (number, pages[0], pages[-1])
    assert len(thin["items"]) < number / 2


def test_old_tracks_are_forgotten_by_a_job_and_late_positions_are_taken_as_long(shared_node: RunningNode) -> None:
    now = datetime.now(UTC)
    send(shared_node, "l2", now - timedelta(days=61))
    client = shared_node.client("z1")
    assert client.post("/api/v1/jobs/forget-tracks").json()["result"] == {"forgotten": []}
    old = {"account": "l2", "at": (now - timedelta(days=63)).isoformat(), "lon": 113.4, "lat": 34.1}
    is_problem(shared_node.client("l2").post("/api/v1/positions", json=old), 422, "invalid")


def test_what_was_answered_outlives_a_killed_node(shared_node: RunningNode) -> None:
    """Eight phones send while the node is killed; every position that was answered is there afterwards."""
    node, start = shared_node, datetime.now(UTC) - timedelta(hours=1)
    token, answered = node.client("admin").headers["Authorization"], set[str]()

    def phone(number: int) -> None:
        with httpx.Client(base_url=node.url, headers={"Authorization": token}) as client, suppress(httpx.HTTPError):
            for second in itertools.count(number, 8):
                at = (start + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")
                line = {"account": "l1", "at": at, "lon": 113.4, "lat": 34.1}
                if client.post("/api/v1/positions", json=line).status_code == 201:
                    answered.add(at)
                if len(answered) > 100:
                    enough.set()

    enough = threading.Event()
    phones = [threading.Thread(target=phone, args=(number,)) for number in range(8)]
    for one in phones:
        one.start()
    assert enough.wait(30)
    node.stop(signal.SIGKILL)
    for one in phones:
        one.join()
    node.start()
    days = {start.astimezone(ZONE).date(), datetime.now(ZONE).date()}
    found = [node.client("z1").get(f"/api/v1/tracks/l1?day={day}").json()["items"] for day in days]
    assert answered <= {item["at"] for items in found for item in items}


@pytest.mark.parametrize("query", ["day=2026-13-01", "day=x", "metres=-1", "limit=0", "after=-2"])
def test_a_wrong_question_is_refused(shared_node: RunningNode, query: str) -> None:
    is_problem(shared_node.client("z1").get(f"/api/v1/tracks/l1?{query}"), 422, "invalid")


def test_nobody_else_sees_a_track(shared_node: RunningNode) -> None:
    is_problem(httpx.get(f"{shared_node.url}/api/v1/tracks/l1"), 401, "not-signed-in")
    is_problem(shared_node.client("d1").get("/api/v1/tracks/l1"), 403, "forbidden")
    assert shared_node.client("z1").get("/api/v1/tracks/nobody").json()["items"] == []
