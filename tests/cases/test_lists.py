"""Lists: every mix of filters gives the same cases as reading them all, and no list reads a large table whole."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from appliance.cases import walks
from appliance.errors import Forbidden, Invalid
from tests.cases.desk import Desk, place
from tests.homes import SOUTH, STEP, WEST

WORDS = ("污水井盖破损", "井盖没了", "暴露垃圾", "店外经营,占道")
CODES = (("part", "01002"), ("event", "06010"), ("event", "09005"))


@pytest.fixture
def full(home: Path) -> Any:
    """Forty cases in all states, in both streets."""
    desk = Desk(home)
    random = Random(7)
    for number in range(40):
        kind, code = random.choice(CODES)
        spot = place(random.uniform(0.1, 19.9), random.uniform(0.1, 9.9))
        case = desk.report(
            "s1", source="video", kind=kind, code=code, description=f"{random.choice(WORDS)} {number}",
            address=random.choice(("药城路18号", "滨河路2号")), reporter_phone=f"1380000{number:04d}", **spot,
        )  # fmt: skip
        for account, action, body in (
            ("s1", "accept", {}),
            ("z1", "file", {}),
            ("p1", "dispatch", {"department": random.choice(("D01", "D02")), "condition": 1}),
            ("b1", "note", {"note": "看过"}),
        ):
            if random.random() < 0.3:
                break
            desk.act(account, case, action, **body)
        if number % 7 == 0:
            desk.decide("z1", case, desk.ask("p1", case, "void", "误报"), True)
    desk.clock.advance(hours=30)
    yield desk
    desk.close()


def plain(cases: list[dict[str, Any]], wanted: dict[str, Any], open_states: frozenset[str]) -> list[str]:
    """The same answer by reading everything."""
    states = wanted.get("states") or (open_states if "bbox" in wanted else ())
    found = []
    for case in cases:
        text = f"{case['name']} {case['description']} {case['address']}"
        west, south, east, north = wanted.get("bbox", (-180, -90, 180, 90))
        if (
            (not states or case["state"] in states)
            and case["department"] in wanted.get("departments", (case["department"],))
            and case["code"] in wanted.get("codes", (case["code"],))
            and (not wanted.get("overdue") or case["light"] == "red")
            and west <= case["lon"] <= east
            and south <= case["lat"] <= north
            and wanted.get("text", "") in text
        ):
            found.append(case["number"])
    return found


BOX = (WEST + 3 * STEP, SOUTH + 2 * STEP, WEST + 16 * STEP, SOUTH + 8 * STEP)
CHOICES: dict[str, list[Any]] = {
    "states": [None, ("void",), ("accepted", "dispatched"), ("reported",)],
    "departments": [None, ("D01",), ("D01", "D02")],
    "codes": [None, ("01002",)],
    "overdue": [None, True],
    "bbox": [None, BOX],
    "text": [None, "井盖", "井盖破", "药城路"],
}
MIXES = [
    {name: value for name, value in zip(CHOICES, mix, strict=True) if value is not None}
    for mix in product(*CHOICES.values())
]


@pytest.mark.parametrize("small_box", [0, 4000], ids=["every box is large", "every box is small"])
def test_every_mix_of_filters_gives_what_reading_everything_gives(
    full: Desk, small_box: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "SMALL_BOX", small_box)
    everything = [msgspec.json.decode(item) for item in full.page(limit=1000).items]
    assert len(everything) == 40
    open_states = full.office.workflow.open_states
    for mix in MIXES:
        assert full.numbers(limit=1000, **mix) == plain(everything, mix, open_states), mix


def test_pages_follow_each_other_without_gap_or_repetition(full: Desk) -> None:
    for mix in ({}, {"text": "井盖"}, {"bbox": BOX}, {"departments": ("D01", "D02")}):
        whole, pages, after = full.numbers(limit=1000, **mix), [], None
        while True:
            page = full.page(limit=3, after=after, **mix)
            pages += [msgspec.json.decode(item)["number"] for item in page.items]
            after = page.next
            if after is None:
                break
        assert pages == whole, mix


def test_a_phone_fragment_finds_the_caller_and_only_seats_may_ask(full: Desk) -> None:
    assert len(full.numbers("s1", phone="0017")) == 1
    with pytest.raises(Forbidden):
        full.numbers("b1", phone="0017")
    with pytest.raises(Invalid):
        full.numbers("s1", phone="17")


def test_the_end_of_a_number_finds_the_case(full: Desk) -> None:
    newest = full.numbers(limit=1)[0]
    assert full.numbers(text=newest) == [newest]
    assert newest in full.numbers(text=newest[-5:])


LARGE = ("cases", "case_record", "case_action", "change", "part", "unit_grid", "reporter", "place", "evidence")


@pytest.mark.sqlite("its query plans")
def test_no_question_reads_a_large_table_whole(full: Desk) -> None:
    """Every statement of the lists and of a case's way is explained; a scan must be of an index, and in its order."""
    seen: dict[str, Any] = {}

    def remember(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen[statement] = parameters

    event.listen(full.office.records.readers, "before_cursor_execute", remember)
    for mix in [*MIXES, {"phone": "0017"}, {"collector": "l1"}, {"part": "41108101002000001"}]:
        full.numbers("s1", **mix)
    for account in ("d1", "l1"):
        full.numbers(account)
    event.remove(full.office.records.readers, "before_cursor_execute", remember)
    assert len(seen) > 30
    bad = []
    with full.office.records.read() as connection:
        for statement, parameters in seen.items():
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            for row in plan:
                line = row[3]
                scanned = re.match(r"SCAN (\w+)(?! VIRTUAL)", line)
                walks_all = "1 = 1" in statement
                if scanned and scanned[1] in (*LARGE, "c") and "USING" not in line and not walks_all:
                    bad.append((line, statement))
                if "TEMP B-TREE" in line and "IN (SELECT pkid" not in statement and "IN (" not in statement:
                    bad.append((line, statement))
    assert bad == []


def test_requests_that_wait_for_me_are_a_list(full: Desk) -> None:
    number = full.numbers(states=("dispatched",), limit=1)[0]
    full.ask("p1", number, "void", "误报")
    assert full.numbers("z1", waiting=True) == [number]
    assert full.numbers("p1", waiting=True) == []


def test_an_open_case_is_not_hidden_by_many_newer_ones(full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A department's old open case stays in its queue, however many came and were closed since."""
    oldest = full.to_dispatched()
    for _ in range(3):
        full.to_closed()
    monkeypatch.setattr(walks, "SEEN_AT_MOST", 2)
    assert oldest in full.numbers("d1")
    assert oldest in full.numbers("d1", states=("dispatched",))
