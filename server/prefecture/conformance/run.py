"""The list of checks, in the order in which a newcomer would meet them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from server.prefecture.conformance import reading, reports, writing
from server.prefecture.conformance.probes import FAILED, Node, Result, connected, tried

Check = Callable[[Node], str]

READING: tuple[tuple[str, Check], ...] = (
    ("feed without gaps", reading.has_no_gap),
    ("prev under a filter", reading.filters_prove_themselves),
    ("cursor beyond the last is 410", reading.far_cursor_is_gone),
    ("cursor of another feed is 410", reading.other_feed_is_gone),
    ("unknown type is 422", reading.unknown_type_is_refused),
    ("type without its scope is 403", reading.scopes_are_kept),
    ("NDJSON with Wanmi-Next", reading.ndjson_tells_next),
    ("gzip", partial(reading.compresses, encoding="gzip")),
    ("zstd", partial(reading.compresses, encoding="zstd")),
    ("long poll returns in time", reading.long_poll_returns),
    ("snapshots in order, resumed anywhere", reading.snapshots_are_in_order),
    ("reporters masked", reading.reporters_are_masked),
    ("evidence with Range and ETag", reading.evidence_has_ranges),
    ("monthly return", reports.month_is_returned),
)


def run_checks(url: str, *, cert: Path, key: Path, ca: Path, write: bool, wait: float) -> list[Result]:
    """Try every rule on a node; where it does not even describe itself, the rest is left out.

    Args:
        url: `https://HOST:PORT` of the exchange port.
        cert, key: a client certificate that the county lists, and its key. ca: who signed the county's certificate.
        write: whether a case may be sent down. wait: seconds of a long poll.
    """
    node = connected(url.rstrip("/").removesuffix("/exchange/v1"), cert, key, ca, wait)
    with node.http:
        results = [
            tried("TLS refuses who has no certificate", node, reading.needs_certificate),
            tried("TLS 1.3", node, reading.needs_new_tls),
            tried("describes itself", node, reading.describes_itself),
        ]
        if results[-1].state == FAILED:
            return results
        results += [tried(name, node, check) for name, check in READING]
        if write:
            results.append(tried("a case sent twice is one", node, writing.case_comes_once))
    return results
