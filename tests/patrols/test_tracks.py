"""Tracks: whatever comes late, twice or in any order, packed or not, the track of a day is the same."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.clock import DAY, SECOND
from appliance.errors import Broken
from appliance.patrols import compaction, day_file
from appliance.patrols.packing import pack, unpack
from appliance.patrols.position import Position, kept, metres_between, thinned
from appliance.patrols.tracks import Tracks
from tests.cases.desk import at
from tests.patrols.walkers import rows_of, walk

ZONE = ZoneInfo("Asia/Shanghai")
DAY_TEXT, NEXT = "2026-10-09", "2026-10-10"
MORNING = at(f"{DAY_TEXT} 08:00")

degrees = st.floats(-180, 180, allow_nan=False)
moments = st.one_of(
    st.integers(0, 86_399).map(lambda second: second * SECOND), st.integers(0, DAY - 1), st.integers(0, 2 * DAY - 1)
)
positions = st.builds(
    lambda who, after, lon, lat, speed: kept(Position(who, at(f"{DAY_TEXT} 00:00") + after, lon, lat / 2, speed)),
    st.sampled_from(["l1", "l2"]), moments, degrees, degrees, st.one_of(st.none(), st.floats(0, 120)),
)  # fmt: skip


@pytest.fixture
def tracks(tmp_path: Path) -> Iterator[Tracks]:
    made = Tracks(tmp_path, ZONE)
    yield made
    made.close()


@given(st.lists(positions, max_size=40, unique_by=lambda item: item.at))
def test_packed_and_unpacked_is_the_same(found: list[Position]) -> None:
    track = sorted((Position("l1", *tuple_of(item)) for item in found), key=lambda item: item.at)
    assert unpack("l1", pack(track)) == track


def tuple_of(item: Position) -> tuple[int, float, float, float | None]:
    return item.at, item.lon, item.lat, item.speed


def test_a_walked_day_takes_a_few_bytes_a_position_and_damage_is_told() -> None:
    track = [kept(item) for item in walk("l1", MORNING, rows_of(range(10), range(10)), steps=20)]
    packed = pack(track)
    assert len(packed) < 6 * len(track)
    for damaged in (packed[:40], b"", packed[:-5], b"\x07" + packed[1:]):
        with pytest.raises(Broken, match="l1"):
            unpack("l1", damaged)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(positions, min_size=1, max_size=30, unique_by=lambda item: (item.who, item.at)).flatmap(
        lambda found: st.tuples(st.just(found), st.permutations([*found, *found[:5]]))
    ),
    st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=6),
)
def test_any_order_and_any_batches_with_packing_in_between_give_the_same_track(
    given_: tuple[list[Position], list[Position]], plan: list[tuple[int, bool]]
) -> None:
    found, waiting = given_
    with TemporaryDirectory() as folder, closing(Tracks(Path(folder), ZONE)) as tracks:
        added, turn = 0, 0
        while waiting:
            size, packs = plan[turn % len(plan)]
            added += tracks.add(waiting[:size])
            waiting, turn = waiting[size:], turn + 1
            for day in (DAY_TEXT, NEXT) if packs else ():
                compaction.compact(Path(folder), day)
        assert added == len(found), "a position sent twice is kept once"
        for who in ("l1", "l2"):
            mine = sorted((item for item in found if item.who == who), key=lambda item: item.at)
            assert tracks.of_day(who, DAY_TEXT) + tracks.of_day(who, NEXT) == mine
            newest = [item for item in tracks.last() if item.who == who]
            assert newest == mine[-1:]


def test_packing_twice_changes_nothing_and_late_ones_are_merged(tracks: Tracks, tmp_path: Path) -> None:
    track = walk("l1", MORNING, rows_of(range(5), range(2)))
    tracks.add(track[::2])
    assert list(compaction.to_compact(tmp_path, date(2026, 10, 9))) == [], "the day is not over"
    today = date(2026, 10, 10)
    assert list(compaction.to_compact(tmp_path, today)) == [DAY_TEXT]
    assert compaction.compact(tmp_path, DAY_TEXT) == 1
    assert compaction.compact(tmp_path, DAY_TEXT) == 0
    assert tracks.add([track[0]]) == 0, "it is known, though it is packed"
    assert tracks.add(track) == len(track[1::2])
    assert tracks.of_day("l1", DAY_TEXT) == [kept(item) for item in track]
    assert list(compaction.to_compact(tmp_path, today)) == [DAY_TEXT]
    assert compaction.compact(tmp_path, DAY_TEXT) == 1
    assert tracks.of_day("l1", DAY_TEXT) == [kept(item) for item in track]
    again = Tracks(tmp_path, ZONE)
    assert [item.at for item in again.last()] == [track[-1].at], "known from what is packed"
    again.close()


KILLED_WHILE_PACKING = """
import os, signal, sys
from pathlib import Path
from appliance.patrols import compaction
done = []
real = compaction._pack
def pack(connection, who):
    real(connection, who)
    done.append(who)
    if len(done) == compaction.PEOPLE_A_SLICE + 2:
        os.kill(os.getpid(), signal.SIGKILL)
compaction._pack = pack
compaction.compact(Path(sys.argv[1]), sys.argv[2])
"""


def test_a_kill_in_the_middle_of_packing_loses_nothing(tracks: Tracks, tmp_path: Path) -> None:
    people = {f"l{number:02d}": walk(f"l{number:02d}", MORNING, rows_of(range(3), [0])) for number in range(20)}
    for track in people.values():
        tracks.add(track)
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_PACKING, str(tmp_path), DAY_TEXT], check=False)
    assert done.returncode == -signal.SIGKILL
    with day_file.opened(tmp_path, DAY_TEXT) as connection:
        assert connection is not None
        packed = connection.execute("SELECT count(*) FROM packed").fetchone()[0]
    assert packed == compaction.PEOPLE_A_SLICE, "the first slice is there, the second was never begun"
    for again in (True, False):
        for who, track in people.items():
            assert tracks.of_day(who, DAY_TEXT) == [kept(item) for item in track]
        assert compaction.compact(tmp_path, DAY_TEXT) == (20 - packed if again else 0)


def test_days_that_are_too_old_are_forgotten_and_only_those(tracks: Tracks, tmp_path: Path) -> None:
    (tmp_path / "tracks").mkdir(exist_ok=True)
    (tmp_path / "tracks" / "notes.db").touch()
    for day in ("2026-10-05", "2026-10-06", "2026-10-09"):
        tracks.add(walk("l1", at(f"{day} 08:00"), rows_of(range(2), [0])))
    assert compaction.to_forget(tmp_path, date(2026, 10, 9), 2) == ["2026-10-05"], "one day more than is asked for"
    compaction.forget(tmp_path, "2026-10-05")
    assert day_file.days_of(tmp_path) == ["2026-10-06", "2026-10-09"]
    assert tracks.of_day("l1", "2026-10-05") == []


def test_batches_that_wait_share_a_commit_and_each_hears_its_own_number(tracks: Tracks, tmp_path: Path) -> None:
    tracks.add(walk("l0", MORNING, rows_of(range(2), [0])))
    blocker = sqlite3.connect(day_file.path_of(tmp_path, DAY_TEXT), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    before, told = tracks._writer.groups, {}
    people = [f"p{number}" for number in range(12)]

    def send(who: str) -> None:
        told[who] = tracks.add(walk(who, MORNING, rows_of(range(2), [0]), steps=len(who)))

    threads = [threading.Thread(target=send, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    ends = monotonic() + 20
    while tracks._writer.waiting + 1 < len(people) and monotonic() < ends:
        threading.Event().wait(0.001)
    blocker.execute("COMMIT")
    blocker.close()
    for thread in threads:
        thread.join()
    assert told == {who: len(who) + 1 for who in people}
    assert tracks._writer.groups - before in (1, 2), (
        "the one that was being written, if any, and all the others together"
    )


def test_a_file_that_cannot_be_written_is_told_and_the_other_days_go_on(tracks: Tracks, tmp_path: Path) -> None:
    day_file.folder_of(tmp_path).mkdir()
    day_file.path_of(tmp_path, NEXT).write_bytes(b"this is no database" * 100)
    good, bad = walk("l1", MORNING, rows_of(range(2), [0])), walk("l1", MORNING + DAY, rows_of(range(2), [0]))
    with pytest.raises(sqlite3.DatabaseError):
        tracks.add([*good, *bad])
    assert tracks.of_day("l1", DAY_TEXT) == [kept(item) for item in good]
    assert tracks.add(good) == 0
    os.unlink(day_file.path_of(tmp_path, NEXT))
    assert tracks.add(bad) == len(bad)


def test_a_file_from_before_packing_is_read_and_packed(tracks: Tracks, tmp_path: Path) -> None:
    day_file.folder_of(tmp_path).mkdir()
    track = [kept(item) for item in walk("l1", MORNING, rows_of(range(2), [0]))]
    with closing(sqlite3.connect(day_file.path_of(tmp_path, DAY_TEXT))) as old:
        old.execute(
            "CREATE TABLE position (who TEXT NOT NULL, at INTEGER NOT NULL, lon REAL NOT NULL, lat REAL NOT NULL, "
            "speed REAL, PRIMARY KEY (who, at)) WITHOUT ROWID"
        )
        rows = [(item.who, item.at, item.lon, item.lat, item.speed) for item in track]
        old.executemany("INSERT INTO position VALUES (?, ?, ?, ?, ?)", rows)
        old.commit()
    assert tracks.of_day("l1", DAY_TEXT) == track
    assert compaction.compact(tmp_path, DAY_TEXT) == 1
    assert tracks.of_day("l1", DAY_TEXT) == track


def test_a_thinned_track_keeps_its_ends_and_leaves_no_step_shorter() -> None:
    track = walk("l1", MORNING, rows_of(range(5), range(2)))
    thin = thinned(track, 50)
    assert (thin[0], thin[-1]) == (track[0], track[-1])
    assert len(track) / 8 < len(thin) < len(track) / 3
    assert all(metres_between(*pair) >= 50 for pair in pairwise(thin[:-1]))
    assert thinned(track, 0) == track
