"""Screens at two sizes: the same questions over HTTP to a county of 15,000 cases and to one of 1,500,000."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx

from tests.bench.county import COLUMNS_OF_GRIDS, ROWS_OF_GRIDS, SOUTH, STEP, WEST
from tests.bench.load import Load, gets
from tests.homes import PASSWORD
from tests.nodes import RunningNode

LIMIT = 50
ROUNDS, TURNS = 40, 6


@dataclass(frozen=True)
class Question:
    """A question a seat asks; `full` says that a full page is expected at both sizes."""

    name: str
    query: dict[str, object]
    full: bool = True


def box(columns: int, rows: int) -> str:
    """A box so many grids wide and high in the middle of the county."""
    west, south = WEST + (COLUMNS_OF_GRIDS - columns) / 2 * STEP, SOUTH + (ROWS_OF_GRIDS - rows) / 2 * STEP
    return f"{west},{south},{west + columns * STEP},{south + rows * STEP}"


QUESTIONS = (
    Question("queue page", {}),
    Question("one state", {"state": "closed"}),
    Question("department", {"department": "B07"}),
    Question("state and department", {"state": "closed", "department": "B07"}),
    Question("class and department", {"code": "01002", "department": "B07"}),
    Question("text, two signs", {"text": "井盖"}),
    Question("text and department", {"text": "井盖", "department": "B07"}),
    Question("text, five signs", {"text": "井盖破损"}),
    Question("whole county box", {"bbox": box(COLUMNS_OF_GRIDS, ROWS_OF_GRIDS), "state": "closed"}),
    Question("large box", {"bbox": box(100, 50), "state": "closed"}),
)
"""Questions with a full page at both sizes."""

MIXES = (
    {"state": "void", "department": "B07", "code": "01002"},
    {"text": "井盖", "state": "void", "department": "B07"},
    {"text": "药城路 井盖", "state": "merged", "code": "09005"},
    {"text": "井盖", "bbox": box(4, 4), "state": "closed"},
    {"text": "井盖", "overdue": "true"},
    {"bbox": box(20, 20), "state": "void"},
    {"bbox": box(60, 60), "state": "merged", "department": "B07"},
    {"bbox": box(100, 100), "state": "rejected", "code": "01037", "department": "B11"},
    {"bbox": box(8, 8)},
    {"bbox": box(150, 80), "overdue": "true", "department": "B07"},
    {"overdue": "true", "department": "B07", "code": "01002"},
    {"state": "reported,filed,handling", "department": "B01,B02,B03", "code": "01002,09005"},
    {"text": "不存在的词语", "state": "closed"},
    {"text": "0123"},
    {"phone": "1234"},
    {"collector": "l1"},
)
"""Filters mixed as no index was made for; each must stay under 50 ms."""


class Seat:
    """One seat at a node."""

    def __init__(self, node: RunningNode) -> None:
        self.node = node
        with httpx.Client(base_url=node.url) as client:
            self.token = client.post("/api/v1/session", json={"account": "z1", "password": PASSWORD}).json()["token"]

    def ask(self, path: str, rounds: int) -> list[float]:
        """Seconds of each time a question was asked, one after the other."""
        outcome = Load(self.node.port, self.token, 1).run(gets([path], rounds))
        assert set(outcome.statuses) == {200}, (path, outcome.statuses)
        return outcome.seconds

    def count(self, path: str) -> int:
        """How many items a page has."""
        answer = httpx.get(self.node.url + path, headers={"Authorization": f"Bearer {self.token}"}, timeout=60)
        return len(json.loads(answer.content).get("items", []))


def others(seat: Seat) -> dict[str, str]:
    """Detail, history, locate, geocode, nearest duplicates, summary of a place and case that both counties have."""
    lon, lat = WEST + 101.5 * STEP, SOUTH + 50.5 * STEP
    answer = httpx.get(f"{seat.node.url}/api/v1/cases?limit=1", headers={"Authorization": f"Bearer {seat.token}"})
    number = answer.json()["items"][0]["number"]
    return {
        "detail": f"/api/v1/cases/{number}",
        "history": f"/api/v1/cases/{number}/history",
        "locate": f"/api/v1/locate?lon={lon}&lat={lat}",
        "summary": "/api/v1/summary",
    }


def compare(small: Path, large: Path) -> bool:
    """Ask both and print the ratios; True when all are within bounds."""
    good = True
    with_nodes = [RunningNode(home) for home in (small, large)]
    try:
        seats = [Seat(node.start()) for node in with_nodes]
        print(f"{'':28}{'small p95':>10}{'large p95':>10}{'ratio':>7}")
        for question in QUESTIONS:
            path = "/api/v1/cases?" + urlencode({**question.query, "limit": LIMIT})
            for seat in seats:
                assert seat.count(path) == LIMIT, (question.name, seat.count(path))
            good &= _row(question.name, in_turn(seats, [path, path]))
        for name, path in others(seats[0]).items():
            good &= _row(name, in_turn(seats, [path, others(seats[1])[name]]))
        print(f"\n{'filter mixes at full size':60}{'p95 ms':>8}")
        for mix in MIXES:
            path = "/api/v1/cases?" + urlencode({**mix, "limit": LIMIT})
            p95 = percentile(seats[1].ask(path, 60), 0.95)
            good &= p95 <= 50
            print(f"{str(mix)[:58]:60}{p95:8.1f}  {seats[1].count(path):3} rows{'' if p95 <= 50 else '  TOO SLOW'}")
        print(f"\nnode memory at full size: {memory(with_nodes[1]):.0f} MB")
    finally:
        for node in with_nodes:
            node.stop()
    return good


def in_turn(seats: list[Seat], paths: list[str]) -> list[float]:
    """The 95th percentile at each seat in milliseconds; the seats take turns, so that both see the same weather."""
    seen: list[list[float]] = [[] for _ in seats]
    for turn in range(TURNS + 1):
        for number, (seat, path) in enumerate(zip(seats, paths, strict=True)):
            seconds = seat.ask(path, ROUNDS)
            if turn:
                seen[number] += seconds
    return [percentile(seconds, 0.95) for seconds in seen]


def percentile(seconds: list[float], share: float) -> float:
    """A percentile in milliseconds."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


def memory(node: RunningNode) -> float:
    """The node's resident memory in MB."""
    assert node.process is not None
    status = Path(f"/proc/{node.process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def _row(name: str, seen: list[float]) -> bool:
    ratio = seen[1] / seen[0]
    print(f"{name:28}{seen[0]:10.2f}{seen[1]:10.2f}{ratio:7.2f}{'' if ratio <= 1.5 else '  TOO SLOW'}")
    return ratio <= 1.5
