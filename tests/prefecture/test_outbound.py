"""A county that nobody can call brings its changes and fetches its orders."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import Any

import httpx
import msgspec
import pytest
from litestar.testing import TestClient

from appliance.clock import local
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.reading import feed_state, read_changes, read_snapshot
from appliance.papers.daily import daily_document, day_of
from server.prefecture import arriving
from server.prefecture.app import create_app
from server.prefecture.daily import Daily, daily_reports
from server.prefecture.down import Evidence, send_case
from server.prefecture.enrolment import Caller, enrol, make_token
from server.prefecture.keys import peer_context
from server.prefecture.replicas import held
from server.prefecture.status import statuses
from server.prefecture.store import Platform
from tests import homes
from tests.cases.desk import Desk
from tests.exchange.replicas import EVERYTHING, PLAIN, sights
from tests.prefecture.city import City
from tests.prefecture.counties import body, same_as_county

NODE = f"/city/nodes/{homes.COUNTY}"


class Calling:
    """A county's side of outbound mode."""

    def __init__(self, http: TestClient[Any], desk: Desk) -> None:
        self.http, self.desk = http, desk
        with desk.office.records.read() as connection:
            self.state = feed_state(connection)

    def slice(self, type_: str, after: str) -> tuple[int, dict[str, Any]]:
        """Send a slice of a snapshot."""
        with self.desk.office.records.read() as connection:
            told, page = read_snapshot(connection, KINDS[type_], after or None, PLAIN)
        headers = {"Wanmi-Feed": self.state.name, "Wanmi-Cursor": str(self.state.last), "Wanmi-After-Id": after,
                   "Wanmi-Next-Id": page.next or ""}  # fmt: skip
        answer = self.http.post(f"{NODE}/snapshot/{type_}", content=b"".join(told), headers=headers)
        return answer.status_code, answer.json()

    def page(self, after: int, **more: str) -> dict[str, Any]:
        """Send a page of changes."""
        with self.desk.office.records.read() as connection:
            page = read_changes(connection, after, 1000, EVERYTHING, sights())
        headers = {"Wanmi-Feed": page.state.name, "Wanmi-After": str(after), "Wanmi-Next": str(page.next),
                   "Wanmi-More": "0", "Wanmi-County-Last": str(page.state.last), **more}  # fmt: skip
        answer = self.http.post(f"{NODE}/feed", content=b"\n".join(page.items), headers=headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def whole_snapshot(self) -> None:
        """Slice after slice, as the platform wants them."""
        wanted: dict[str, Any] = {"type": EVERYTHING[0], "after": ""}
        while wanted["type"]:
            status, wanted = self.slice(wanted["type"], wanted["after"])
            assert status == 200


@pytest.fixture
def county(platform: Platform, desk: Desk) -> Calling:
    """A county that was enrolled and calls with its token."""
    token, _ = make_token(platform, homes.COUNTY, None, None)
    enrol(platform, Caller(token=token), body())
    http = TestClient(create_app(platform))
    http.headers["Authorization"] = f"Bearer {token}"
    return Calling(http, desk)


def test_it_brings_a_snapshot_and_then_its_changes(platform: Platform, desk: Desk, county: Calling) -> None:
    desk.to_dispatched()
    assert county.page(0) == {"snapshot": True}
    county.whole_snapshot()
    desk.report()
    told = county.page(county.state.last)
    assert told["cursor"] > county.state.last
    assert county.page(0) == told, "what comes twice changes nothing"
    assert county.page(told["cursor"] - 1) == told
    assert same_as_county(platform, desk)
    status = statuses(platform)[0]
    assert (status.mode, status.lag_rows) == ("outbound", 0)


def test_a_platform_that_dies_before_a_whole_snapshot_counts_lets_it_count_next_time(
    platform: Platform, desk: Desk, county: Calling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched, suppress(OSError, AssertionError):
        patched.setattr(arriving, "put_in_place", dies)
        county.whole_snapshot()
    assert county.page(county.state.last) == {"snapshot": True}
    assert county.slice("department", "")[1]["type"] is None, "nothing is missing"
    assert county.page(county.state.last)["cursor"] == county.state.last
    assert same_as_county(platform, desk)


def allowed(platform: Platform, county: Calling, scopes: list[str] | None) -> None:
    """The county joins again, and is let read by these scopes."""
    token, _ = make_token(platform, homes.COUNTY, scopes, None)
    enrol(platform, Caller(token=token), body())
    county.http.headers["Authorization"] = f"Bearer {token}"


def test_a_county_that_lets_us_see_more_is_asked_for_a_snapshot(platform: Platform, county: Calling) -> None:
    county.whole_snapshot()
    assert "cursor" in county.page(county.state.last)
    narrow = ["cases.read@411081001", "places.read", "reports.read"]
    allowed(platform, county, narrow)
    assert county.page(county.state.last) == {"snapshot": True}
    county.whole_snapshot()
    assert "cursor" in county.page(county.state.last)
    allowed(platform, county, None)
    assert county.slice("department", "")[0] == 200
    allowed(platform, county, narrow)
    assert statuses(platform)[0].snapshot is not None
    assert "cursor" in county.page(county.state.last)
    assert statuses(platform)[0].snapshot is None, "nobody needs it any more"


def test_large_orders_come_one_by_one_and_pictures_are_kept_only_until_they_are_there(
    city: City, platform: Platform, county: Calling
) -> None:
    for picture in (b"first", b"second"):
        send_case(platform, homes.COUNTY, {"kind": "part"}, [Evidence(picture * 1_000_000)])
    (order,) = county.http.get(f"{NODE}/orders").json()["items"]
    done = {"status": 201, "headers": {}, "body": base64.b64encode(b'{"said":"a\0b"}').decode()}
    assert county.http.post(f"{NODE}/orders/{order['id']}", json=done).status_code == 200
    kept = city.sees("SELECT kind, state, body IS NOT NULL AS kept FROM prefecture.sent ORDER BY made_at, kind")
    assert [tuple(row) for row in kept] == [
        ("evidence", "done", False), ("case", "waiting", True), ("evidence", "waiting", True), ("case", "waiting", True)
    ]  # fmt: skip


def test_a_slice_out_of_turn_is_told_which_one_is_wanted(desk: Desk, county: Calling) -> None:
    assert county.slice("case", "") == (409, {"type": "department", "after": ""})
    assert county.slice("department", "")[0] == 200
    assert county.slice("department", "") == (409, {"type": "grid", "after": ""})


def test_a_page_from_further_on_is_told_where_we_are(desk: Desk, county: Calling) -> None:
    county.whole_snapshot()
    desk.report()
    desk.report()
    assert county.page(county.state.last + 2) == {"feed": county.state.name, "cursor": county.state.last}
    assert county.page(county.state.last, **{"Wanmi-Feed": "restored"}) == {"snapshot": True}


def test_it_fetches_a_case_after_its_picture_and_answers(platform: Platform, county: Calling) -> None:
    send_case(platform, homes.COUNTY, {"kind": "part", "code": "01002"}, [Evidence(b"picture")])
    items = county.http.get(f"{NODE}/orders").json()["items"]
    assert [(item["method"], item["headers"]["Wanmi-Client"]) for item in items] == [("PUT", "prefecture")]
    assert base64.b64decode(items[0]["body"]) == b"picture"
    assert county.http.get(f"{NODE}/orders").json()["items"] == [], "it is under way"
    done = {"status": 201, "headers": {}, "body": base64.b64encode(b"{}").decode()}
    assert county.http.post(f"{NODE}/orders/{items[0]['id']}", json=done).json() == {}
    case = county.http.get(f"{NODE}/orders", params={"wait": 5}).json()["items"][0]
    assert case["path"] == "/exchange/v1/cases"
    assert case["headers"]["Idempotency-Key"]
    done["body"] = base64.b64encode(b'{"number":"41108120261009001"}').decode()
    county.http.post(f"{NODE}/orders/{case['id']}", json=done)
    assert county.http.get(f"{NODE}/orders").json()["items"] == []


def test_its_daily_report_comes_as_the_answer_to_an_order(platform: Platform, desk: Desk, county: Calling) -> None:
    desk.report()
    desk.clock.advance(minutes=5)
    day = f"{local(desk.clock.now(), desk.office.settings.zone):%Y-%m-%d}"

    def ours() -> Daily:
        return daily_reports(platform, day)[0]

    assert ours().trouble is not None
    assert ours().trouble is not None, "asked for once, however often somebody looks"
    (order,) = county.http.get(f"{NODE}/orders").json()["items"]
    assert (order["method"], order["path"]) == ("GET", f"/exchange/v1/reports/daily/{day}")
    with desk.office.records.read() as connection:
        report = daily_document(connection, desk.office, day_of(desk.office, day))
    answer = base64.b64encode(msgspec.json.encode(report)).decode()
    county.http.post(f"{NODE}/orders/{order['id']}", json={"status": 200, "headers": {}, "body": answer})
    told = ours().report
    assert told is not None
    assert told["facts"]["reports"] == 1
    assert len(county.http.get(f"{NODE}/orders").json()["items"]) == 1, "the day is not over, so it is asked again"
    assert daily_reports(platform, "2026-10")[0].trouble is not None
    assert county.http.get(f"{NODE}/orders").json()["items"] == [], "a month is no day and not asked for"


def test_two_calls_at_once_are_told_to_wait_and_never_what_to_send(platform: Platform, county: Calling) -> None:
    """409 means another slice is wanted; a county must not read that out of a refusal."""
    with held(platform, homes.COUNTY) as ours:
        assert ours
        status, told = county.slice("department", "")
    assert (status, told["type"]) == (429, "/problems/too-many")


def test_a_stranger_and_another_county_are_refused(county: Calling) -> None:
    other = county.http.get("/city/nodes/411082/orders")
    assert other.status_code == 403
    assert other.headers["content-type"] == "application/problem+json"
    assert county.http.get(f"{NODE}/orders", headers={"Authorization": ""}).status_code == 401


def test_a_platform_that_ends_does_not_wait_for_who_waits_for_orders(city: City, platform: Platform) -> None:
    token, _ = make_token(platform, homes.COUNTY, None, None)
    enrol(platform, Caller(token=token), body())
    city.start()
    tls = peer_context(None, platform.keys.ca, None, None)
    http = httpx.Client(base_url=city.url, verify=tls, headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    with http, ThreadPoolExecutor(1) as threads:
        assert http.get(f"/nodes/{homes.COUNTY}/orders").json() == {"items": []}
        waiting = threads.submit(http.get, f"/nodes/{homes.COUNTY}/orders?wait=30", timeout=40)
        with suppress(TimeoutError):
            waiting.result(1)  # it waits for orders now
        began = monotonic()
        city.stop()
        assert monotonic() - began < 4
        assert waiting.result().json() == {"items": []}
