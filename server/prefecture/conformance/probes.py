"""What a check has at hand: connections to a node with and without a certificate, and how results are told."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from server.prefecture.keys import peer_context

OK, FAILED, SKIPPED = "ok", "failed", "skipped"
PATIENCE = 30.0
READABLE_AT_MOST = 200_000
"""So many changes are walked through to look for gaps."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one check found."""

    check: str
    state: str
    seen: str

    def as_dict(self) -> dict[str, Any]:
        return {"check": self.check, "state": self.state, "seen": self.seen}


class Wrong(Exception):
    """The node does not do what the contract says; the text is what was seen."""


class NotApplicable(Exception):
    """Nothing to try it on; the text says what is missing."""


@dataclass
class Node:
    """The node under test.

    Attributes:
        http: with our certificate. info: its description, once it was read.
        wait: seconds of a long poll.
    """

    url: str
    cert: Path
    key: Path
    ca: Path
    wait: float
    http: httpx.Client
    info: dict[str, Any] = field(default_factory=dict)

    def get(self, path: str, status: int | None = 200, **options: Any) -> httpx.Response:
        """An answer of this status.

        Raises:
            Wrong: it has another one.
        """
        answer = self.http.get(f"/exchange/v1/{path}", **options)
        if status is not None and answer.status_code != status:
            raise Wrong(f"GET {path}: {answer.status_code}, not {status}; {told(answer)}")
        return answer

    def types(self) -> list[str]:
        """The types that we may read."""
        return list(self.info.get("feeds", []))

    def changes(self, after: int = 0, **wanted: Any) -> dict[str, Any]:
        """A page of changes as JSON."""
        page: dict[str, Any] = self.get("changes", params={"after": after, **wanted}).json()
        return page

    def start(self) -> int:
        """The lowest cursor that is kept."""
        return int(self.info["first"]) - 1


def connected(url: str, cert: Path, key: Path, ca: Path, wait: float) -> Node:
    """A node under test."""
    http = httpx.Client(
        base_url=url, verify=peer_context(None, ca, cert, key), timeout=PATIENCE + wait, trust_env=False,
        headers={"Accept-Language": "en"},
    )  # fmt: skip
    return Node(url, cert, key, ca, wait, http)


def stranger(node: Node, maximum: ssl.TLSVersion | None = None, *, certified: bool = False) -> httpx.Client:
    """A connection without a certificate, or with an older TLS."""
    context = peer_context(None, node.ca, node.cert if certified else None, node.key if certified else None)
    if maximum is not None:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = maximum
    return httpx.Client(base_url=node.url, verify=context, timeout=PATIENCE, trust_env=False)


def told(answer: httpx.Response) -> str:
    """What a refusal says, in short."""
    try:
        return str(answer.json()["detail"])[:160]
    except (ValueError, KeyError, TypeError):
        return answer.text[:80]


def problem(answer: httpx.Response) -> str:
    """The sentence of a refusal that is a problem document.

    Raises:
        Wrong: it is none.
    """
    if not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        raise Wrong(f"{answer.status_code} as {answer.headers.get('Content-Type')}, not application/problem+json")
    return f"{answer.status_code}: {told(answer)}"


def tried(name: str, node: Node, check: Callable[[Node], str]) -> Result:
    """Carry out one check; whatever it meets becomes a line."""
    try:
        return Result(name, OK, check(node))
    except NotApplicable as why:
        return Result(name, SKIPPED, str(why))
    except Wrong as seen:
        return Result(name, FAILED, str(seen))
    except (httpx.HTTPError, ssl.SSLError, KeyError, ValueError, TypeError) as error:
        return Result(name, FAILED, f"{type(error).__name__}: {error}")
