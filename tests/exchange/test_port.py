"""What a prefecture's machine sees at the exchange port, over TLS with its certificate."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest
import zstandard

from appliance.exchange.checks import check_exchange
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.kinds.base import Sight
from appliance.exchange.read_log import read_lines
from appliance.scoring.return_files import XLSX
from server.exchange import feed
from tests.exchange.joined import Joined, address, status, until
from tests.exchange.platform import EVERY_SCOPE, Authority, Platform
from tests.nodes import RunningNode
from tests.server.test_loop_over_http import report

PNG = b"\x89PNG\r\n\x1a\n" + b"0123456789" * 100
V1 = "/exchange/v1"
EACH_MINUTE = 500


@pytest.fixture(scope="module")
def county(shared_node: RunningNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Joined]:
    """A county with a few cases, joined to a platform with several clients."""
    scopes = {
        "prefecture": list(EVERY_SCOPE), "places": ["places.read"],
        "street": ["cases.read@411081002", "places.read", "reports.read@411081002"],
        "media": ["cases.read", "reporter.read"],
    }  # fmt: skip
    with Platform(tmp_path_factory.mktemp("platform"), scopes=scopes) as platform:
        with (shared_node.home / "wanmi.toml").open("a") as file:
            file.write(f"\n[exchange]\nrequests_per_minute = {EACH_MINUTE}\n")
        joined = Joined(shared_node, platform, address())
        told = joined.join()
        assert told["ok"] is True, told
        for _ in range(3):
            report(shared_node, reporter={"name": "张三丰", "phone": "13812344321"})
        yield joined


@pytest.fixture
def above(county: Joined) -> Iterator[httpx.Client]:
    """The prefecture's client."""
    with county.client() as client:
        yield client


def test_without_a_certificate_of_the_county_s_authority_tls_itself_refuses(county: Joined) -> None:
    platform = county.platform
    now = datetime.now(UTC)
    strangers = {
        "unknown authority": platform.paper("stranger", Authority()),
        "ended": platform.paper("ended", begins=now - timedelta(days=9), ends=now - timedelta(days=1)),
        "not yet valid": platform.paper("early", begins=now + timedelta(days=1), ends=now + timedelta(days=9)),
    }
    for what, paper in strangers.items():
        with platform.client(county.address, paper) as client:
            assert_refused_by_tls(client, f"{V1}/", what)
    plain = ssl.create_default_context(cafile=str(platform.ca))
    with httpx.Client(verify=plain, trust_env=False) as client, pytest.raises(httpx.TransportError):
        client.get(f"{county.address}{V1}/")
    old = ssl.create_default_context(cafile=str(platform.ca))
    old.load_cert_chain(platform.client_paper.certificate, platform.client_paper.key)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with httpx.Client(verify=old, trust_env=False) as client, pytest.raises(httpx.TransportError):
        client.get(f"{county.address}{V1}/")


def assert_refused_by_tls(client: httpx.Client, path: str, what: str) -> None:
    try:
        client.get(path)
    except httpx.TransportError:
        return
    pytest.fail(f"TLS let in: {what}")


def test_a_certificate_that_is_not_listed_gets_403_on_every_route(county: Joined) -> None:
    with county.client("somebody") as client:
        for method, path in (
            ("GET", "/"), ("GET", "/changes"), ("GET", "/snapshot/case"), ("GET", f"/evidence/{'0' * 64}"),
            ("POST", "/cases"), ("GET", "/nothing"), ("DELETE", "/nothing/at/all"), ("PUT", f"/evidence/{'0' * 64}"),
        ):  # fmt: skip
            answer = client.request(method, V1 + path)
            assert answer.status_code == 403, path
            assert answer.headers["content-type"] == "application/problem+json"
            assert "somebody" in answer.json()["detail"]


def test_the_county_introduces_itself(above: httpx.Client) -> None:
    told = above.get(f"{V1}/").json()
    assert (told["county"], told["name"], told["contract"], told["first"]) == ("411081", "禹州市", "1", 1)
    assert {"case", "case_action", "part", "grid", "department"} <= set(told["feeds"])
    assert told["last"] > 0
    assert set(told["editions"]) >= {"2013", "2026"}


def everything(client: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    """All changes, page by page."""
    items, after, more = [], 0, True
    while more:
        page = client.get(f"{V1}/changes", params={"after": after, "limit": 5, **asked}).json()
        items += page["items"]
        after, more = page["next"], page["more"]
    return items


def test_the_feed_page_by_page_and_under_filters(county: Joined, above: httpx.Client) -> None:
    items = everything(above)
    assert [item["seq"] for item in items] == list(range(1, len(items) + 1))
    assert [item["prev"] for item in items] == list(range(len(items)))
    cases = everything(above, types="case,request")
    assert [item["id"] for item in cases] == [item["id"] for item in items if item["type"] == "case"]
    assert [item["prev"] for item in cases] == [0, *(item["seq"] for item in cases[:-1])]
    shown = county.node.client("z1").get(f"/api/v1/cases/{cases[0]['id']}").json()
    assert cases[0]["data"] == shown | {"reporter": {"name": "张*", "phone": "138****4321"}}
    row = next(item["data"] for item in items if item["type"] == "case_action")
    history = county.node.client("z1").get(f"/api/v1/cases/{row['number']}/history").json()["items"]
    assert row == {"number": row["number"], **history[0]}


def test_ndjson_gzip_zstd_and_etag(above: httpx.Client) -> None:
    plain = above.get(f"{V1}/changes", params={"limit": 7})
    lines = above.get(f"{V1}/changes", params={"limit": 7}, headers={"Accept": "application/x-ndjson"})
    assert [msgspec.json.decode(line) for line in lines.content.splitlines()] == plain.json()["items"]
    assert lines.headers["wanmi-next"] == str(plain.json()["next"])
    for encoding, unpack in (("gzip", gzip.decompress), ("zstd", zstandard.ZstdDecompressor().decompress)):
        asked = above.build_request("GET", f"{V1}/changes", params={"limit": 7}, headers={"Accept-Encoding": encoding})
        answer = above.send(asked, stream=True)
        packed = b"".join(answer.iter_raw())
        answer.close()
        assert answer.headers["content-encoding"] == encoding
        assert unpack(packed) == plain.content
        assert len(packed) < len(plain.content) / 3
    again = above.get(f"{V1}/changes", params={"limit": 7}, headers={"If-None-Match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_snapshot_is_streamed_in_key_order_and_can_be_gone_on_with(above: httpx.Client) -> None:
    whole = above.get(f"{V1}/snapshot/grid", headers={"Accept-Encoding": "identity"})
    lines = [msgspec.json.decode(line) for line in whole.content.splitlines()]
    assert len(lines) == 200
    assert [line["id"] for line in lines] == sorted(line["id"] for line in lines)
    assert all(line["type"] == "grid" and line["data"]["geometry"]["type"] == "MultiPolygon" for line in lines)
    cursor, feed = whole.headers["wanmi-cursor"], whole.headers["wanmi-feed"]
    rest = above.get(f"{V1}/snapshot/grid", params={"cursor": cursor, "after": lines[149]["id"], "feed": feed})
    assert rest.content.splitlines() == whole.content.splitlines()[150:]
    assert rest.headers["wanmi-cursor"] == cursor
    assert above.get(f"{V1}/snapshot/part").content == b""
    assert above.get(f"{V1}/snapshot/case", params={"feed": "another", "cursor": cursor}).status_code == 410


@pytest.mark.parametrize(
    ("path", "status_code", "word"),
    [
        ("/changes?after=999999999", 410, "snapshot"), ("/changes?after=0&feed=another", 410, "snapshot"),
        ("/changes?types=case,cases", 422, "case_action"), ("/changes?after=-1", 422, "after"),
        ("/changes?after=x", 422, "after"), ("/changes?limit=0", 422, "limit"), ("/changes?limit=10001", 422, "limit"),
        ("/changes?after=99999999999999999999", 422, "after"), ("/snapshot/cases", 422, "case_action"),
        ("/snapshot/case_action?after=x", 422, "no id"), ("/snapshot/request?after=x", 422, "no id"),
        ("/snapshot/case?cursor=999999999", 410, "snapshot"), ("/evidence/abc", 404, "abc"),
        ("/nothing", 404, "address"),
    ],
)  # fmt: skip
def test_wrong_questions_are_answered_by_a_sentence(
    above: httpx.Client, path: str, status_code: int, word: str
) -> None:
    answer = above.get(V1 + path, headers={"Accept-Language": "en"})
    assert answer.status_code == status_code, answer.text
    assert word in answer.text


def test_each_client_reads_what_its_scopes_say_and_no_more(county: Joined) -> None:
    with county.client("places") as places:
        assert {item["type"] for item in everything(places)} <= {"part", "grid", "duty_grid", "place", "department"}
        for path in ("/changes?types=case", "/snapshot/case", "/snapshot/case_action", f"/evidence/{'0' * 64}"):
            answer = places.get(V1 + path)
            assert answer.status_code == 403, path
            assert answer.json()["needed"]
        for path in ("/cases", "/cases/1/withdraw", "/cases/1/supervisions"):
            body = {"kind": "part", "code": "01002", "lon": 113.4, "lat": 34.1, "upper": {"number": "1"}, "note": "x"}
            refused = places.post(V1 + path, json={"reason": "x"} if "withdraw" in path else {"note": "x"})
            assert refused.status_code in (403, 422), body
        assert places.put(f"{V1}/evidence/{hashlib.sha256(PNG).hexdigest()}", content=PNG).status_code == 403
    with county.client("street") as street:
        assert all(item["data"] is None for item in everything(street) if item["type"] == "case")
        assert street.get(f"{V1}/snapshot/case").content == b""
    with county.client("media") as media:
        reporters = [item["data"]["reporter"] for item in everything(media, types="case")]
        assert {"name": "张*", "phone": "138****4321"} in reporters, "the technician did not allow more"


def test_the_technician_may_allow_reporters_to_be_told(county: Joined) -> None:
    assert county.join("--allow", "reporter.read")["ok"] is True
    with county.client("media") as media:
        full = {"name": "张三丰", "phone": "13812344321"}

        def told() -> bool:
            return full in [item["data"]["reporter"] for item in everything(media, types="case")]

        until(told, "in full")
    with county.client() as others:
        assert full not in [item["data"]["reporter"] for item in everything(others, types="case")]


def test_a_long_poll_answers_when_something_happens_and_when_nothing_does(county: Joined, above: httpx.Client) -> None:
    last = above.get(f"{V1}/").json()["last"]
    began = time.monotonic()
    empty = above.get(f"{V1}/changes", params={"after": last, "wait": 0.3}).json()
    assert (empty["items"], empty["next"], empty["more"]) == ([], last, False)
    assert time.monotonic() - began >= 0.3
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(above.get, f"{V1}/changes", params={"after": last, "wait": 20})
        number = report(county.node)["number"]
        assert number in [item["id"] for item in waiting.result().json()["items"]]
    assert time.monotonic() - began < 10


def test_evidence_comes_whole_in_pieces_or_not_at_all(county: Joined, above: httpx.Client) -> None:
    number = report(county.node)["number"]
    operator = county.node.client("s1")

    def add(content: bytes, share: str) -> str:
        form = {"stage": "report", "share": share}
        stored = operator.post(f"/api/v1/cases/{number}/evidence", files={"file": ("a.png", content)}, data=form)
        assert stored.status_code == 201, stored.text
        return str(stored.json()["sha256"])

    path = f"{V1}/evidence/{add(PNG, 'true')}"
    whole = above.get(path)
    assert (whole.status_code, whole.content, whole.headers["content-type"]) == (200, PNG, "image/png")
    for asked, span in (("bytes=0-99", (0, 100)), ("bytes=900-", (900, len(PNG))), ("bytes=-8", (-8, len(PNG))),
                        ("bytes=100-99999", (100, len(PNG)))):  # fmt: skip
        part = above.get(path, headers={"Range": asked})
        assert (part.status_code, part.content) == (206, PNG[span[0] : span[1]])
        assert part.headers["content-range"].endswith(f"/{len(PNG)}")
    assert above.get(path, headers={"Range": "bytes=5000-"}).status_code == 416
    assert above.get(path, headers={"Range": "bytes=0-1", "If-Range": '"old"'}).content == PNG
    assert above.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
    assert above.get(f"{V1}/evidence/{add(PNG + b'face', 'false')}").status_code == 404, "kept back"


def test_the_county_hands_in_its_month_by_itself(county: Joined, above: httpx.Client) -> None:
    """What was read, and when, the county can look up."""
    now = datetime.now(UTC)
    this, path = f"{now:%Y-%m}", f"{V1}/reports/monthly"
    told = above.get(f"{path}/{this}").json()
    assert (told["county"], told["name"], told["period"]) == ("411081", "禹州市", this)
    assert set(told["values"]) == {column["code"] for column in told["columns"]}
    assert told["filing"] == {"state": "draft", "revision": 0, "signed_by_name": None, "signed_at": None}
    ended = above.get(f"{path}/2026-01", headers={"Accept-Encoding": "identity"})
    assert ended.json()["as_of"] == "2026-01-31T16:00:00Z"
    for accept, begins in (("text/csv", b"\xef\xbb\xbf"), (f"{XLSX}, application/json;q=0.5", b"PK"), ("", b"{")):
        twice = [above.get(f"{path}/2026-01", headers={"Accept": accept}) for _ in range(2)]
        assert twice[0].content == twice[1].content, accept
        assert twice[0].content.startswith(begins), accept
        again = above.get(f"{path}/2026-01", headers={"Accept": accept, "If-None-Match": twice[0].headers["etag"]})
        assert (again.status_code, again.content) == (304, b""), accept
    assert ended.headers["etag"] != above.get(f"{path}/2026-01", headers={"Accept": "text/csv"}).headers["etag"]
    for month in ("2026-13", "soon", f"{now.year + 1}-01"):
        assert above.get(f"{path}/{month}").status_code == 422, month
    with county.client("places") as client:
        assert client.get(f"{path}/2026-01").status_code == 403
    with county.client("street") as client:
        refused = client.get(f"{path}/2026-01")
        assert (refused.status_code, "411081002" in refused.json()["detail"]) == (403, True)
    read = [line for line in read_lines(county.node.home) if line["what"] == "monthly return"]
    assert {line["format"] for line in read} == {"json", "csv", "xlsx"}
    assert {line["client"] for line in read} == {"prefecture"}


def test_the_county_says_every_day_how_it_runs(county: Joined, above: httpx.Client) -> None:
    """The day's facts and those of each source; what is open now stands beside them."""
    today, path = f"{datetime.now(ZoneInfo('Asia/Shanghai')):%Y-%m-%d}", f"{V1}/reports/daily"
    before = above.get(f"{path}/{today}").json()
    report(county.node)
    told = above.get(f"{path}/{today}").json()
    assert (told["county"], told["day"]) == ("411081", today)
    assert told["facts"]["reports"] == before["facts"]["reports"] + 1
    assert told["now"]["open"] == before["now"]["open"] + 1
    assert sum(each["facts"]["reports"] for each in told["by_source"]) == told["facts"]["reports"]
    assert {each["name"] for each in told["by_source"]} <= {"12319热线", "信息采集员上报", "12345转办"}
    assert above.get(f"{path}/2026-01-05").json()["facts"]["reports"] == 0
    for day in ("2026-01", "2026-13-01", "soon"):
        assert above.get(f"{path}/{day}").status_code == 422, day
    with county.client("places") as client:
        assert client.get(f"{path}/{today}").status_code == 403


def test_status_tells_how_far_each_client_is(county: Joined, above: httpx.Client) -> None:
    last = above.get(f"{V1}/").json()["last"]
    above.get(f"{V1}/changes", params={"after": last})

    def mine() -> dict[str, Any]:
        return next(item for item in status(county.node.home)["clients"] if item["name"] == "prefecture")

    until(lambda: mine()["cursor"] == last and mine()["lag_rows"] == 0, "confirmed")
    metrics = httpx.get(f"{county.node.url}/metrics").text
    assert f'wanmi_exchange_cursor{{client="prefecture",link="{county.platform.url}"}} {float(last)}' in metrics
    report(county.node)
    assert mine()["lag_rows"] == 2, "a case and its first history row"


def test_the_doctor_tells_when_a_platform_pulled_last(county: Joined, above: httpx.Client) -> None:
    """Wherever the records stand."""
    above.get(f"{V1}/changes")

    def found() -> dict[str, str]:
        return {finding.check: finding.result for finding in check_exchange(county.node.home)}

    assert until(lambda: found().get("exchange.pull") == "passed", "the pull is written down")
    assert found()["exchange.certificate"] == "passed"


def test_who_pulls_like_mad_is_told_to_wait_and_the_others_are_not(county: Joined, above: httpx.Client) -> None:
    with county.client("street") as mad:
        codes = {200}
        for _ in range(EACH_MINUTE * 5):
            codes.add(mad.get(f"{V1}/").status_code)
            if 429 in codes:
                break
        assert codes == {200, 429}
        answer = mad.get(f"{V1}/")
        while answer.status_code != 429:
            answer = mad.get(f"{V1}/")
        assert int(answer.headers["retry-after"]) >= 1
    assert above.get(f"{V1}/").status_code == 200


def test_a_snapshot_that_the_nodes_end_cuts_off_does_not_seem_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "log_read", lambda *_, **__: None)
    ending: Any = SimpleNamespace(watcher=SimpleNamespace(ended=True))

    async def read() -> list[bytes]:
        return [part async for part in feed._slices(ending, ending, KINDS["grid"], Sight(), [b"{}"], "after this")]

    with pytest.raises(ConnectionAbortedError):
        asyncio.run(read())
