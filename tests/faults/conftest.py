"""What the stories of faults share."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

from tests.cases.desk import place
from tests.nodes import RunningNode

CASE: dict[str, Any] = {
    "source": "hotline_12319", "kind": "part", "code": "01002", "description": "井盖破了", "condition": 1, **place(),
}  # fmt: skip


def report(node: RunningNode, **more: Any) -> httpx.Response:
    """A clerk reports a case."""
    return node.client("s1").post("/api/v1/cases", json=CASE | more)


def rows(home: Path, query: str) -> Any:
    """The first value of a query on the database, as it lies on the disk."""
    with closing(sqlite3.connect(f"file:{home / 'county.db'}?mode=ro", uri=True)) as driver:
        return driver.execute(query).fetchone()[0]


def is_refused(answer: httpx.Response, kind: str, status: int) -> bool:
    """Whether an answer is a problem of this kind, in a sentence."""
    told = answer.json()
    assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
    assert (told["type"], answer.status_code) == (f"/problems/{kind}", status), told
    return bool(told["detail"])
