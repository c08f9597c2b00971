"""Patrols over HTTP: a phone's track becomes rounds, gaps and alarms; who may look; pages; odd questions."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from appliance.clock import micros, rfc3339
from appliance.settings import load, save
from provisioning.import_files.pipeline import Options, run_import
from tests import homes
from tests.homes import SOUTH, STEP, WEST
from tests.nodes import RunningNode
from tests.patrols.walkers import rows_of, walk
from tests.server.test_routes import is_problem

ZONE = ZoneInfo("Asia/Shanghai")
YESTERDAY = (datetime.now(ZONE) - timedelta(days=1)).date()
CAMERAS = "code,name,street_class,lon,lat\nC1,药城路东口,一类,113.4005,34.1005\nC2,滨河路,二类,113.4105,34.1015\n"
COUNTY = f"{WEST},{SOUTH},{WEST + 20 * STEP},{SOUTH + 10 * STEP}"
FIRST, OTHER = "411081001-1", "411081002-1"
PATHS = (
    "patrols",
    "patrols/summary",
    "patrols/alarms",
    "patrols/odd",
    f"patrols/{FIRST}",
    f"map/patrols?bbox={COUNTY}",
)


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningNode]:
    """A node with two cameras, whose first street was walked twice yesterday, and counted."""
    from appliance.records.store import Records

    home = homes.copy_home(tmp_path_factory.mktemp("patrols") / "home")
    (home / "cameras.csv").write_text(CAMERAS, encoding="utf-8")
    own = {"patrols": {"silent_minutes": 600, "counted_minutes": 0.05}}
    save(home, tomllib.loads((home / "wanmi.toml").read_text(encoding="utf-8")) | own)
    records = Records.open(home, settings=load(home))
    run_import(records, "cameras", home / "cameras.csv", Options(crs="EPSG:4490"))
    records.close()
    running = RunningNode(home).start()
    for hour in (8, 14):
        walk_the_street(running, datetime(YESTERDAY.year, YESTERDAY.month, YESTERDAY.day, hour, 5, tzinfo=ZONE))
    assert running.client("z1").post("/api/v1/jobs/patrol-coverage").is_success
    yield running
    running.stop()


def walk_the_street(node: RunningNode, start: datetime) -> None:
    track = walk("l1", micros(start), rows_of(range(10), range(10)), steps=3)
    lines = (f'{{"account":"l1","at":"{rfc3339(item.at)}","lon":{item.lon},"lat":{item.lat}}}' for item in track)
    assert node.client("l1").post("/api/v1/positions", content="\n".join(lines)).json()["added"] == len(track)


def got(node: RunningNode, path: str) -> Any:
    answer = node.client("z1").get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_yesterdays_rounds_share_and_walkers(walked: RunningNode) -> None:
    found = got(walked, f"patrols?day={YESTERDAY}")
    first, other = found["items"]
    assert (first["duty_grid"], first["name"], first["collector_name"]) == (FIRST, "颍川街道一", "采集员一")
    assert (first["rounds_done"], first["rounds_due"], first["share"], first["behind"]) == (2, 2, 1.0, False)
    assert first["walkers"] == [{"who": "l1", "name": "采集员一", "grids": 100, "own": True}]
    assert (other["rounds_done"], other["passed"], other["behind"], other["last_at"]) == (0, 0, True, None)
    summary = got(walked, f"patrols/summary?day={YESTERDAY}")
    assert (summary["rounds_done"], summary["rounds_due"], summary["share"]) == (2, 4, 0.5)
    assert [worst["duty_grid"] for worst in summary["worst"]] == [OTHER]
    assert summary["alarms"]["camera"] == 2


def test_a_duty_grid_tells_who_was_in_each_unit_grid_and_when(walked: RunningNode) -> None:
    seen: list[Any] = []
    after = ""
    while after is not None:
        answer = got(walked, f"patrols/{FIRST}?day={YESTERDAY}&limit=40&after={after}")
        seen += answer["items"]
        after = answer["next"]
    assert len(seen) == len({grid["grid"] for grid in seen}) == 100
    assert all((grid["rounds"], grid["level"], len(grid["stays"])) == (2, 2, 2) for grid in seen)
    stay = seen[0]["stays"][0]
    assert (stay["who"], stay["name"], stay["own"]) == ("l1", "采集员一", True)
    assert stay["entered_at"] == f"{YESTERDAY}T00:05:00Z"
    assert got(walked, f"patrols/{OTHER}?day={YESTERDAY}")["items"][0]["stays"] == []
    problem = is_problem(walked.client("z1").get("/api/v1/patrols/411081001"), 404, "not-found")
    assert FIRST in problem["detail"]


def test_a_period_is_summed_for_scores(walked: RunningNode) -> None:
    period = f"from={YESTERDAY}&to={YESTERDAY}"
    first, other = got(walked, f"patrols/period?{period}")["items"]
    assert (first["code"], first["name"], first["rounds_due"], first["rounds_done"]) == ("l1", "采集员一", 2, 2)
    assert (other["code"], other["rate"], other["share"]) == ("l2", 0.0, 0.0)
    page = got(walked, f"patrols/period?{period}&by=duty_grid&limit=1")
    assert (page["items"][0]["code"], page["items"][0]["name"], page["next"]) == (FIRST, "颍川街道一", FIRST)
    assert got(walked, "patrols/period?from=2020-01-01&to=2020-02-01")["items"] == []


def test_alarms_come_by_kind_in_pages(walked: RunningNode) -> None:
    whole = got(walked, "patrols/alarms")
    assert whole["numbers"]["camera"] == 2
    assert [alarm["code"] for alarm in whole["items"] if alarm["kind"] == "camera"] == ["C1", "C2"]
    first = got(walked, "patrols/alarms?kind=camera&limit=1")
    second = got(walked, f"patrols/alarms?kind=camera&limit=1&after={first['next']}")
    assert [first["items"][0]["code"], second["items"][0]["code"], second["next"]] == ["C1", "C2", None]
    assert walked.client("s1").post("/api/v1/cameras/C1/looks", json={"found": "nothing"}).is_success
    assert got(walked, "patrols/alarms")["numbers"]["camera"] == 1


def test_an_impossible_position_is_listed(walked: RunningNode) -> None:
    at = datetime(YESTERDAY.year, YESTERDAY.month, YESTERDAY.day, 14, 20, 1, tzinfo=ZONE).astimezone(UTC)
    line = {"account": "l1", "at": at.isoformat(), "lon": WEST + 0.3, "lat": SOUTH}
    assert walked.client("l1").post("/api/v1/positions", json=line).is_success
    assert walked.client("z1").post("/api/v1/jobs/patrol-coverage").is_success
    (odd,) = got(walked, f"patrols/odd?day={YESTERDAY}")["items"]
    assert (odd["who"], odd["lon"]) == ("l1", pytest.approx(WEST + 0.3))
    assert got(walked, f"patrols?day={YESTERDAY}")["items"][0]["rounds_done"] == 2, "it counts for nothing"
    assert got(walked, f"patrols/odd?day={YESTERDAY}&after=999:l9")["items"] == []


def test_who_looks_has_today_counted_by_itself(walked: RunningNode) -> None:
    line = {"account": "l1", "at": datetime.now(UTC).isoformat(), "lon": WEST + STEP / 2, "lat": SOUTH + STEP / 2}
    assert walked.client("l1").post("/api/v1/positions", json=line).is_success
    ends = monotonic() + 30
    while not (found := got(walked, f"map/patrols?bbox={COUNTY}"))["levels"]["passed"]:
        assert monotonic() < ends, "today was never counted"
    assert found["number"] == 200
    assert found["levels"] == {"none": 199, "passed": 1, "planned": 0}
    assert [grid["grid"] for grid in found["grids"] if grid["level"]] == ["411081001001001"]


def test_the_map_has_the_cameras_and_a_day_without_tracks_is_empty(walked: RunningNode) -> None:
    cameras = {camera["code"]: camera["due"] for camera in got(walked, f"map/patrols?bbox={COUNTY}")["cameras"]}
    assert cameras.keys() == {"C1", "C2"}
    assert cameras["C2"] is True
    long_ago = YESTERDAY - timedelta(days=9)
    assert [row["passed"] for row in got(walked, f"patrols?day={long_ago}")["items"]] == [0, 0]
    assert got(walked, f"patrols/{FIRST}?day={long_ago}")["of"]["counted_at"] is None


@pytest.mark.parametrize("path", PATHS)
def test_those_who_lead_look_and_nobody_else(walked: RunningNode, path: str) -> None:
    for account, status in {
        "z1": 200,
        "p1": 200,
        "b1": 200,
        "k1": 200,
        "admin": 200,
        "s1": 403,
        "l1": 403,
        "d1": 403,
    }.items():
        assert walked.client(account).get(f"/api/v1/{path}").status_code == status, account


@pytest.mark.parametrize(
    "path",
    [
        "patrols?day=2026-02-30",
        "patrols?limit=0",
        "patrols/alarms?kind=dog",
        "patrols/alarms?after=dog",
        "patrols/odd?after=x",
        f"patrols/{FIRST}?day=x",
        "patrols/period?from=2026-10-09",
        "patrols/period?from=2026-10-09&to=2026-10-08",
        "patrols/period?from=2026-01-01&to=2026-10-08",
        "patrols/period?from=2026-10-09&to=2026-10-09&by=dog",
        "map/patrols?bbox=1,2,3",
    ],
)
def test_a_wrong_question_is_refused(walked: RunningNode, path: str) -> None:
    is_problem(walked.client("z1").get(f"/api/v1/{path}"), 422, "invalid")
