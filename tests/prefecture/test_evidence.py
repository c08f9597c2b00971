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
from server.prefecture import evidence
from server.prefecture.counties import County
from server.prefecture.county_port import CountyRefusal, Unreachable
from server.prefecture.evidence import HERE, KEPT_BACK, WAITING, fetch_files, fetch_once, files_of
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
    with platform.begin() as connection:
        connection.execute(
            insert(EVIDENCE).values(
                county=homes.COUNTY, number=NUMBER, sha256=SHA, state=WAITING, tries=0, next_at=clock.now()
            )
        )

    def work(ending: Callable[[], bool] | None = None) -> tuple[str, Path]:
        if ending is None:
            fetch_once(platform, None)
        else:
            fetch_files(platform, county, ending)
        clock.set(clock.now() + HOUR)
        return state(platform, county), city.home / "evidence" / SHA[:2] / SHA

    yield work
    platform.close()


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
    monkeypatch.setattr(evidence, "BYTES_AT_MOST", 3000)
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
