"""Evidence of cases that were sent down comes up when they are closed, whatever happens on the way."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from appliance.clock import HOUR, ManualClock
from server.prefecture import evidence, evidence_store
from server.prefecture.counties import County
from server.prefecture.county_port import Answer, CountyRefusal, Unreachable
from server.prefecture.down import finish, hand_out, send_case
from server.prefecture.evidence import ask_files, fetch_files, fetch_once
from server.prefecture.evidence_store import HERE, KEPT_BACK, WAITING, files_of
from server.prefecture.store import Platform
from server.prefecture.tables import EVIDENCE
from tests import homes
from tests.prefecture.city import City
from tests.prefecture.counties import enrolled

PICTURE = bytes(range(256)) * 40
SHA = hashlib.sha256(PICTURE).hexdigest()
NUMBER = "4110812026101000001"


class Store:
    """The county's files as its port gives them.

    Attributes:
        cuts: after so many blocks the line goes down. says: what is raised instead of an answer.
    """

    def __init__(self) -> None:
        self.content, self.block, self.cuts = PICTURE, 1000, 10**9
        self.says: Exception | None = None
        self.asked: list[int] = []

    def __call__(self, *_: Any) -> Store:
        return self

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None: ...

    @contextmanager
    def evidence(self, sha256: str, there: int) -> Iterator[tuple[int, Iterator[bytes]]]:
        self.asked.append(there)
        if self.says is not None:
            raise self.says
        yield there, self._blocks(there)

    def _blocks(self, there: int) -> Iterator[bytes]:
        for count, start in enumerate(range(there, len(self.content), self.block)):
            if count == self.cuts:
                raise Unreachable("断线", "The line went down.")
            yield self.content[start : start + self.block]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store()
    monkeypatch.setattr(evidence, "CountyPort", made)
    return made


@pytest.fixture
def fetch(city: City, store: Store) -> Iterator[Callable[..., tuple[str, Path]]]:
    """Fetches what is due an hour later than before; how the file stands, and where it belongs."""
    clock = ManualClock(1_800_000_000_000_000)
    platform = city.open(clock=clock)
    county = enrolled(platform)
    wanted(platform)

    def work(ending: Callable[[], bool] | None = None) -> tuple[str, Path]:
        if ending is None:
            fetch_once(platform, None)
        else:
            fetch_files(platform, county, ending)
        clock.set(clock.now() + HOUR)
        return state(platform, county), city.home / "evidence" / SHA[:2] / SHA

    yield work
    platform.close()


def wanted(platform: Platform) -> None:
    """The picture of a case of ours that is closed."""
    row = {"county": homes.COUNTY, "number": NUMBER, "sha256": SHA, "state": WAITING, "tries": 0, "next_at": 0}
    with platform.begin() as connection:
        connection.execute(insert(EVIDENCE).values(row))


def state(platform: Platform, county: County) -> str:
    with platform.begin() as connection:
        (row,) = files_of(connection, county.code, NUMBER)
    return str(row.state)


def test_a_file_that_is_cut_off_goes_on_where_it_was(store: Store, fetch: Callable[..., tuple[str, Path]]) -> None:
    store.cuts = 3
    found, path = fetch()
    assert (found, path.exists()) == (WAITING, False)
    store.cuts = 10**9
    found, path = fetch()
    assert (found, path.read_bytes()) == (HERE, PICTURE)
    assert store.asked == [0, 3000]


def test_a_round_ends_in_the_middle_of_a_large_file(store: Store, fetch: Callable[..., tuple[str, Path]]) -> None:
    """So the other counties have their turn, and a platform ends at once when it is told to."""
    turns = iter((False, True))
    assert fetch(lambda: next(turns))[0] == WAITING
    assert fetch()[0] == HERE
    assert store.asked == [0, 2000]


def test_another_content_under_its_name_is_thrown_away(store: Store, fetch: Callable[..., tuple[str, Path]]) -> None:
    store.content = PICTURE[::-1]
    found, path = fetch()
    assert (found, list(path.parent.iterdir())) == (WAITING, [])
    store.content = PICTURE
    assert fetch()[0] == HERE


def test_a_file_that_is_larger_than_any_leaves_nothing_behind(
    store: Store, fetch: Callable[..., tuple[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_store, "BYTES_AT_MOST", 3000)
    found, path = fetch()
    assert (found, list(path.parent.iterdir())) == (KEPT_BACK, [])


def test_what_the_county_keeps_to_itself_is_not_asked_for_again(
    store: Store, fetch: Callable[..., tuple[str, Path]]
) -> None:
    store.says = CountyRefusal(503, "busy", 60.0)
    assert fetch()[0] == WAITING
    store.says = CountyRefusal(404, "kept back", None)
    assert fetch()[0] == KEPT_BACK
    fetch()
    assert store.asked == [0, 0]


def brought(platform: Platform, content: bytes) -> Answer:
    """A county that calls fetches the order for a file, and brings what it asks for."""
    (order,) = hand_out(platform, homes.COUNTY)
    assert (order["method"], order["path"]) == ("GET", f"/exchange/v1/evidence/{SHA}")
    first, last = (int(end) for end in order["headers"]["Range"].removeprefix("bytes=").split("-"))
    piece = content[first : last + 1]
    told = {"content-range": f"bytes {first}-{first + len(piece) - 1}/{len(content)}"}
    answer = Answer(206, told, piece)
    finish(platform, homes.COUNTY, order["id"], answer)
    return answer


def test_a_county_that_calls_is_asked_for_its_files_and_brings_them_in_pieces(
    city: City, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind whatever goes down to it; and no order of that kind is kept."""
    monkeypatch.setattr(evidence, "PIECE", 4000)
    county = enrolled(platform, mode="outbound")
    wanted(platform)
    sizes = []
    for _ in range(3):
        ask_files(platform, county)
        ask_files(platform, county)
        sizes.append(len(brought(platform, PICTURE).body))
    assert sizes == [4000, 4000, 2240]
    assert state(platform, county) == HERE
    assert (city.home / "evidence" / SHA[:2] / SHA).read_bytes() == PICTURE
    ask_files(platform, county)
    assert hand_out(platform, homes.COUNTY) == []
    assert city.json("sent") == []


def test_what_a_county_that_calls_brings_wrongly_is_not_taken(city: City, platform: Platform) -> None:
    county = enrolled(platform, mode="outbound")
    wanted(platform)
    ask_files(platform, county)
    send_case(platform, homes.COUNTY, {"kind": "part"})
    case, order = hand_out(platform, homes.COUNTY)
    assert case["path"] == "/exchange/v1/cases", "a case goes down before files come up"
    finish(platform, homes.COUNTY, order["id"], Answer(200, {}, PICTURE[::-1]))
    assert state(platform, county) == WAITING
    assert not any((city.home / "evidence").glob("*/*"))
    with platform.begin() as connection:
        connection.exec_driver_sql("UPDATE prefecture.evidence SET next_at = 0")
    ask_files(platform, county)
    (order,) = hand_out(platform, homes.COUNTY)
    finish(platform, homes.COUNTY, order["id"], Answer(404, {}, b"{}"))
    assert state(platform, county) == KEPT_BACK
