"""The rules of reading: door, description, feed, snapshots (CONTRACT.md "Exchange with the prefecture", ENROL.md)."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from time import monotonic
from typing import Any

import httpx
import msgspec

from server.prefecture.conformance.probes import READABLE_AT_MOST, Node, NotApplicable, Wrong, problem, stranger, told

NDJSON = "application/x-ndjson"
NO_SUCH = "no_such_type"
SCOPED = {
    "case": "cases.read", "case_action": "cases.read", "request": "cases.read", "supervision": "cases.read",
    "part": "places.read", "grid": "places.read", "duty_grid": "places.read", "place": "places.read",
    "department": "places.read", "score": "reports.read",
}  # fmt: skip


def needs_certificate(node: Node) -> str:
    """Without a client certificate TLS itself refuses."""
    with stranger(node) as http:
        try:
            answer = http.get("/exchange/v1/")
        except (httpx.TransportError, ssl.SSLError) as error:
            return f"no answer: {str(error)[:80]}"
    raise Wrong(f"answered {answer.status_code} without a certificate")


def needs_new_tls(node: Node) -> str:
    """TLS 1.3."""
    with stranger(node, ssl.TLSVersion.TLSv1_2, certified=True) as http:
        try:
            http.get("/exchange/v1/")
        except (httpx.TransportError, ssl.SSLError):
            return "TLS 1.2 is refused"
    raise NotApplicable("TLS 1.2 is spoken too, as for old gateways")


def describes_itself(node: Node) -> str:
    """The description has all its members."""
    info = node.get("").json()
    kinds = {"county": str, "name": str, "contract": str, "feed": str, "editions": list, "first": int, "last": int,
             "feeds": list}  # fmt: skip
    wrong = [name for name, kind in kinds.items() if not isinstance(info.get(name), kind)]
    if wrong or info["contract"] != "1":
        raise Wrong(f"missing or wrong: {', '.join(wrong) or 'contract'}")
    node.info = info
    span = f"{info['first']}–{info['last']}"
    return f"{info['county']} {info['name']}, feed {info['feed'][:8]}, {span}, {len(info['feeds'])} types"


def has_no_gap(node: Node) -> str:
    """`seq` grows, `prev` names the item before, and the last page ends at `last`."""
    if not node.types():
        raise NotApplicable("no type may be read")
    count, before = 0, None
    for page in _pages(node, {}):
        for item in page["items"]:
            _check_item(item, before)
            before, count = item["seq"], count + 1
    return f"{count} changes, each names the one before it"


def filters_prove_themselves(node: Node) -> str:
    """Under a filter `prev` is the number before it that the same filter shows."""
    types = node.types()
    if not types:
        raise NotApplicable("no type may be read")
    seen = [item["type"] for item in node.changes(node.start(), limit=1000)["items"]]
    wanted = [max(set(seen), key=seen.count)] if seen else types[:1]
    count, before = 0, None
    for page in _pages(node, {"types": ",".join(wanted)}, limit=50):
        for item in page["items"]:
            if item["type"] not in wanted:
                raise Wrong(f"{item['seq']} is of type {item['type']}, not of {wanted}")
            _check_item(item, before)
            before, count = item["seq"], count + 1
        if count > 2000:
            break
    return f"{count} changes of {wanted[0]} alone"


def far_cursor_is_gone(node: Node) -> str:
    """A cursor beyond the last change: 410."""
    return problem(node.get("changes", 410, params={"after": int(node.info["last"]) + 1_000_000}))


def other_feed_is_gone(node: Node) -> str:
    """A cursor of another feed: 410."""
    return problem(node.get("changes", 410, params={"after": node.start(), "feed": "0" * 32}))


def unknown_type_is_refused(node: Node) -> str:
    """A type that there is not: 422."""
    return problem(node.get("changes", 422, params={"types": NO_SUCH}))


def scopes_are_kept(node: Node) -> str:
    """A type whose scope was not granted: 403."""
    missing = [name for name in SCOPED if name not in node.types() and name != "score"]
    if not missing:
        raise NotApplicable("this client may read every type")
    return f"{missing[0]}: {problem(node.get('changes', 403, params={'types': missing[0]}))}"


def ndjson_tells_next(node: Node) -> str:
    """NDJSON: an item a line, `Wanmi-Next` and `Wanmi-Feed` as headers."""
    params = {"after": node.start(), "limit": 20}
    answer = node.get("changes", params=params, headers={"Accept": NDJSON})
    page = node.get("changes", params=params).json()
    lines = [msgspec.json.decode(line) for line in answer.text.splitlines() if line]
    if [line["seq"] for line in lines] != [item["seq"] for item in page["items"]]:
        raise Wrong(f"{len(lines)} lines, {len(page['items'])} items as JSON")
    if answer.headers.get("Wanmi-Next") != str(page["next"]) or answer.headers.get("Wanmi-Feed") != node.info["feed"]:
        raise Wrong(f"Wanmi-Next {answer.headers.get('Wanmi-Next')}, Wanmi-Feed {answer.headers.get('Wanmi-Feed')}")
    return f"{len(lines)} lines, Wanmi-Next {page['next']}"


def compresses(node: Node, encoding: str) -> str:
    """A page comes compressed when that is asked for, and is the same page."""
    params = {"after": node.start(), "limit": 100}
    plain = node.get("changes", params=params, headers={"Accept-Encoding": "identity"})
    if len(plain.content) < 2000:
        raise NotApplicable("the feed is too small to be compressed")
    packed = node.get("changes", params=params, headers={"Accept-Encoding": encoding})
    if packed.headers.get("Content-Encoding") != encoding:
        raise Wrong(f"Content-Encoding {packed.headers.get('Content-Encoding')}")
    if [each["seq"] for each in packed.json()["items"]] != [each["seq"] for each in plain.json()["items"]]:
        raise Wrong("another page than the plain one")
    return f"{packed.num_bytes_downloaded} instead of {plain.num_bytes_downloaded} bytes"


def long_poll_returns(node: Node) -> str:
    """`wait` answers when the time is over, with an empty page, or as soon as there is something."""
    last = int(node.get("").json()["last"])
    began = monotonic()
    page = node.get("changes", params={"after": last, "wait": node.wait}).json()
    seconds = monotonic() - began
    if seconds > node.wait + 5:
        raise Wrong(f"answered after {seconds:.1f} s")
    if not page["items"] and (seconds < node.wait * 0.8 or page["next"] < last):
        raise Wrong(f"an empty page after {seconds:.1f} s, next {page['next']}")
    return f"{len(page['items'])} changes after {seconds:.1f} s"


def snapshots_are_in_order(node: Node) -> str:
    """A snapshot is NDJSON with its cursor; going on after any id gives exactly what follows it."""
    count = 0
    for type_ in node.types():
        if type_ == "score":
            continue
        answer, lines = _snapshot(node, type_, {})
        if not answer.headers.get("Wanmi-Cursor", "").isdigit():
            raise Wrong(f"{type_}: Wanmi-Cursor {answer.headers.get('Wanmi-Cursor')}")
        ids = [line["id"] for line in lines]
        if len(set(ids)) != len(ids) or any(line["type"] != type_ or line["data"] is None for line in lines):
            raise Wrong(f"{type_}: an id twice, or a line of another type")
        if len(ids) > 1:
            middle, cursor = ids[len(ids) // 2], answer.headers["Wanmi-Cursor"]
            _, rest = _snapshot(node, type_, {"cursor": cursor, "after": middle})
            if [line["id"] for line in rest][: len(ids)] != ids[len(ids) // 2 + 1 :]:
                raise Wrong(f"{type_}: after {middle} it does not go on with what follows")
        count += len(ids)
    return f"{count} records, each type gone on in its middle"


def reporters_are_masked(node: Node) -> str:
    """Without `reporter.read` names and phones are masked."""
    if "case" not in node.types():
        raise NotApplicable("cases may not be read")
    if "reporter.read" in node.info.get("scopes", []):
        raise NotApplicable("this client was granted reporter.read")
    _, lines = _snapshot(node, "case", {})
    seen = [line["data"]["reporter"] for line in lines if line["data"].get("reporter")]
    bare = [each for each in seen if any(value and "*" not in value for value in each.values())]
    if bare:
        raise Wrong(f"{len(bare)} of {len(seen)} reporters are told in full")
    if not seen:
        raise NotApplicable("no case with a reporter")
    return f"{len(seen)} reporters, for example {seen[0]['name']} {seen[0]['phone']}"


def evidence_has_ranges(node: Node) -> str:
    """Evidence: ETag is the digest, a range is 206, the same tag again 304."""
    if "case" not in node.types():
        raise NotApplicable("cases may not be read")
    _, lines = _snapshot(node, "case", {})
    for line in lines:
        for each in line["data"].get("evidence") or []:
            answer = node.get(f"evidence/{each['sha256']}", None)
            if answer.status_code == 403 and "evidence.read" not in node.info.get("scopes", ["evidence.read"]):
                raise NotApplicable("evidence may not be read")
            if answer.status_code == 200:
                return _ranges(node, each["sha256"], answer)
    raise NotApplicable("no case with evidence that is shared")


def _ranges(node: Node, digest: str, whole: httpx.Response) -> str:
    tag, path = whole.headers.get("ETag", ""), f"evidence/{digest}"
    if digest not in tag:
        raise Wrong(f"ETag {tag}")
    part = node.get(path, 206, headers={"Range": "bytes=1-8"})
    if part.content != whole.content[1:9] or not part.headers.get("Content-Range", "").startswith("bytes 1-"):
        raise Wrong(f"Range bytes=1-8: {len(part.content)} bytes, {part.headers.get('Content-Range')}")
    node.get(path, 304, headers={"If-None-Match": tag})
    return f"{len(whole.content)} bytes, 206 and 304"


def _pages(node: Node, wanted: dict[str, Any], limit: int = 1000) -> Iterator[dict[str, Any]]:
    cursor, count, more = node.start(), 0, True
    while more and count < READABLE_AT_MOST:
        page = node.changes(cursor, limit=limit, feed=node.info["feed"], **wanted)
        if page["next"] < cursor or (page["more"] and page["next"] == cursor):
            raise Wrong(f"next {page['next']} after cursor {cursor}")
        if page["items"] and page["items"][0]["prev"] > cursor:
            raise Wrong(f"the first item after {cursor} names {page['items'][0]['prev']}: something is missing")
        yield page
        cursor, more, count = page["next"], page["more"], count + len(page["items"])
    if not more and cursor < int(node.info["last"]):
        raise Wrong(f"ends at {cursor}, last is {node.info['last']}")


def _check_item(item: dict[str, Any], before: int | None) -> None:
    missing = {"seq", "type", "id", "op", "at", "schema", "prev", "data"} - set(item)
    if missing:
        raise Wrong(f"{item.get('seq')} lacks {', '.join(sorted(missing))}")
    if before is not None and (item["seq"] <= before or item["prev"] != before):
        raise Wrong(f"{item['seq']} names {item['prev']} before it, but {before} came before it")
    if (item["op"] == "delete") != (item["data"] is None):
        raise Wrong(f"{item['seq']}: {item['op']} with data {'null' if item['data'] is None else 'present'}")


def _snapshot(node: Node, type_: str, wanted: dict[str, Any]) -> tuple[httpx.Response, list[dict[str, Any]]]:
    answer = node.get(f"snapshot/{type_}", params=wanted)
    if NDJSON not in answer.headers.get("Content-Type", ""):
        raise Wrong(f"snapshot of {type_} as {answer.headers.get('Content-Type')}; {told(answer)}")
    return answer, [msgspec.json.decode(line) for line in answer.text.split("\n") if line]
