"""A citizens' app of another maker talks GeoReport v2, as clients did ten years ago: form posts, XML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from appliance.people.keys import add_key
from appliance.records.store import Records
from tests import homes
from tests.cases.desk import place
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report

BASE = "/open311/v2"
HERE = {"lat": str(place()["lat"]), "long": str(place()["lon"])}


class App:
    """The other maker's app: a base address, a key, nothing else."""

    def __init__(self, node: RunningNode, key: str) -> None:
        self.node, self.key = node, key
        self.http = httpx.Client(base_url=node.url, timeout=30)

    def xml(self, path: str, **query: str) -> ElementTree.Element:
        answer = self.http.get(f"{BASE}/{path}.xml", params=query)
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert answer.text.startswith('<?xml version="1.0" encoding="utf-8"?>')
        return ElementTree.fromstring(answer.content)

    def post(self, form: str = "xml", base: str = BASE, **fields: str) -> httpx.Response:
        return self.http.post(f"{base}/requests.{form}", data={"api_key": self.key, **fields})


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = homes.copy_home(tmp_path_factory.mktemp("open311") / "home")
    key = made_key(home)
    running = RunningNode(home, environment={"WANMI_HTTP__PUBLIC_REQUESTS_PER_MINUTE": "100000"}).start()
    yield App(running, key)
    running.stop()


def made_key(home: Path) -> str:
    records = Records.open(home)
    try:
        return records.write(lambda unit: add_key(unit, "市民通", source="wechat_app", by="technician"))
    finally:
        records.close()


def test_discovery_names_two_endpoints_and_two_formats(app: App) -> None:
    found = app.xml("discovery")
    assert [kind.text for kind in found.iterfind("endpoints/endpoint/type")] == ["production", "test"]
    assert {form.text for form in found.iter("format")} == {"text/xml", "application/json"}
    as_json = app.http.get(f"{BASE}/discovery.json").json()
    assert as_json["endpoints"][0]["url"] == f"{app.node.url}{BASE}"


def test_services_and_their_conditions(app: App) -> None:
    codes = [code.text for code in app.xml("services").iterfind("service/service_code")]
    assert len(codes) == len(set(codes)) > 150
    manhole = app.xml("services/part-01002")
    assert manhole.findtext("attributes/attribute/code") == "condition"
    names = [name.text for name in manhole.iterfind("attributes/attribute/values/value/name")]
    assert len(names) == 4
    assert app.http.get(f"{BASE}/services/part-99999.json").status_code == 404


def test_a_request_comes_in_is_followed_and_closed(app: App) -> None:
    posted = app.post(
        service_code="part-01002", description="井盖破了 <急>", first_name="三", last_name="张", phone="13812344321",
        email="z@example.org", media_url="http://example.org/1.jpg", **HERE, **{"attribute[condition]": "2"},
    )  # fmt: skip
    assert posted.status_code == 201, posted.text
    number = ElementTree.fromstring(posted.content).findtext("request/service_request_id")
    assert number is not None
    case = app.node.client("s1").get(f"/api/v1/cases/{number}").json()
    assert (case["source"], case["kind"], case["code"]) == ("wechat_app", "part", "01002")
    assert case["reporter"] == {"name": "张三", "phone": "13812344321"}
    assert case["condition"] == "破损超过25c㎡"

    token = app.http.get(f"{BASE}/tokens/{case['query_code']}.json").json()
    assert token == [{"service_request_id": number, "token": case["query_code"]}]
    seen = app.http.get(f"{BASE}/requests/{number}.xml").text
    assert "井盖破了 &lt;急&gt;" in seen
    for secret in ("13812344321", "张三", "z@example.org"):
        assert secret not in seen

    rejected = app.node.act("s1", number, "reject", reason="重复上报")
    assert rejected.status_code == 200, rejected.text
    (after,) = app.http.get(f"{BASE}/requests/{number}.json").json()
    assert (after["status"], after["status_notes"]) == ("closed", "不予受理: 重复上报")
    updates = app.http.get(f"{BASE}/servicerequestupdates.json").json()
    mine = [update for update in updates if update["service_request_id"] == number]
    assert [update["status"] for update in mine] == ["open", "closed"]


def test_the_list_is_filtered_and_paged(app: App) -> None:
    for code in ("part-01001", "part-01001", "part-01003"):
        assert app.post(form="json", service_code=code, **HERE).status_code == 201
    query = {"service_code": "part-01001,part-01003", "status": "open"}
    found = app.http.get(f"{BASE}/requests.json", params=query).json()
    assert [item["service_code"] for item in found] == ["part-01003", "part-01001", "part-01001"]
    second = app.http.get(f"{BASE}/requests.json", params={**query, "page_size": "2", "page": "2"}).json()
    assert [item["service_code"] for item in second] == ["part-01001"]
    numbers = ",".join(item["service_request_id"] for item in found[:2])
    assert len(app.xml("requests", service_request_id=numbers, status="closed", start_date="")) == 2


def test_what_was_told_on_the_telephone_stays_inside(app: App) -> None:
    number = str(report(app.node)["number"])
    (seen,) = app.http.get(f"{BASE}/requests/{number}.json").json()
    assert (seen["description"], seen["address"]) == ("", "")
    inside = str(report(app.node, "l1", source="collector", reporter=None)["number"])
    assert app.http.get(f"{BASE}/requests/{inside}.json").status_code == 404


def test_the_test_endpoint_answers_and_keeps_nothing(app: App) -> None:
    before = len(app.http.get(f"{BASE}/requests.json").json())
    tried = app.post(form="json", base="/open311/test/v2", service_code="event-06001", **HERE)
    assert tried.status_code in (201, 404), tried.text
    tried = app.post(form="json", base="/open311/test/v2", service_code="part-01002", **HERE)
    assert tried.status_code == 201, tried.text
    assert len(app.http.get(f"{BASE}/requests.json").json()) == before


def test_refusals_are_an_array_with_the_status_of_the_specification(app: App) -> None:
    good = {"service_code": "part-01002", **HERE}
    no_key = app.http.post(f"{BASE}/requests.json", data=good)
    wrong_key = app.http.post(f"{BASE}/requests.json", data={**good, "api_key": "guess"})
    answers = [
        (403, no_key),
        (403, wrong_key),
        (404, app.post(form="json", service_code="part-99999", **HERE)),
        (404, app.post(form="json", **good, jurisdiction_id="510000")),
        (400, app.post(form="json", service_code="part-01002")),
        (400, app.post(form="json", **HERE)),
        (400, app.post(form="json", service_code="part-01002", lat="north", long="east")),
        (400, app.post(form="json", service_code="part-01002", lat="10", long="10")),
        (400, app.post(form="json", service_code="part-01002", address_id="nowhere")),
        (400, app.post(form="json", **good, description="x" * 4001)),
        (404, app.http.get(f"{BASE}/requests/1.json")),
        (404, app.http.get(f"{BASE}/tokens/NONE.json")),
        (400, app.http.get(f"{BASE}/requests.json?status=broken")),
        (400, app.http.get(f"{BASE}/requests.json?start_date=2026-01-01T00:00:00Z&end_date=2026-06-01T00:00:00Z")),
        (400, app.http.get(f"{BASE}/servicerequestupdates.json?start_date=2026-01-01T00:00:00Z")),
    ]
    for status, answer in answers:
        assert answer.status_code == status, (status, answer.url, answer.text)
        (error,) = answer.json()
        assert error["code"] == status
        assert error["description"]
    as_xml = ElementTree.fromstring(app.post(service_code="part-01002").content)
    assert as_xml.findtext("error/code") == "400"
