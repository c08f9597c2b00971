"""A snapshot and the changes after it are the county, record by record, whatever happens meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import text

from appliance.errors import Broken, Gone
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.kinds.base import Sight
from appliance.exchange.kinds.case import light_left_out
from appliance.exchange.landing import Item, begin_snapshot, land_changes, replica_state
from appliance.exchange.reading import feed_state, read_changes
from appliance.exchange.retention import forget_changes
from appliance.records.checks import check_database
from appliance.records.store import Records
from appliance.records.writer import Unit
from appliance.scoring.evaluation import Evaluation
from appliance.scoring.sight import OPEN_SCOPES
from tests.cases.desk import Desk, at
from tests.exchange.replicas import EVERYTHING, PLAIN, lines, pull, sights, snapshot_slice, take_snapshot
from tests.exchange.work import live_a_little


@pytest.mark.parametrize("seed", range(4))
def test_snapshot_and_changes_are_the_county_record_by_record(desk: Desk, replica: Records, seed: int) -> None:
    """The office works while the snapshot is taken, and between the pages of changes."""
    chance, county = random.Random(seed), desk.office.records
    live_a_little(desk, chance, 120)
    with county.read() as connection:
        state = feed_state(connection)
    replica.write(lambda unit: begin_snapshot(unit, "411081", state.name, state.last, EVERYTHING))
    while snapshot_slice(county, replica):
        live_a_little(desk, chance, 4)
    live_a_little(desk, chance, 20)
    Evaluation(county).close("2026-09", "k1")
    pull(county, replica, limits=chance)
    assert lines(replica) == lines(county)
    assert all(lines(county)[name] for name in EVERYTHING if name not in ("part", "place")), "all kinds of work"
    live_a_little(desk, chance, 40)
    pull(county, replica, limits=chance)
    assert lines(replica) == lines(county)


def test_a_page_that_comes_twice_changes_nothing(desk: Desk, replica: Records) -> None:
    county = desk.office.records
    take_snapshot(county, replica)
    desk.report()
    with county.read() as connection:
        page = read_changes(connection, 0, 1000, EVERYTHING, sights())
    items = [msgspec.json.decode(item, type=Item) for item in page.items]
    for _ in range(2):
        replica.write(lambda unit: land_changes(unit, items, page.next, EVERYTHING))
    assert lines(replica) == lines(county)


class Undone(Exception):
    """Takes a unit of work back."""


def pages_after(county: Records, cursor: int, types: tuple[str, ...], limit: int) -> list[tuple[list[Item], int]]:
    """The pages of changes after a cursor: items and next cursor."""
    pages, more = [], True
    while more:
        with county.read() as connection:
            page = read_changes(connection, cursor, limit, types, sights())
        pages.append(([msgspec.json.decode(item, type=Item) for item in page.items], page.next))
        cursor, more = page.next, page.more
    return pages


def notices(replica: Records, pages: list[tuple[list[Item], int]], types: tuple[str, ...]) -> bool:
    """Whether a replica notices that something is missing in the pages; nothing of them stays."""

    def work(unit: Unit) -> None:
        for items, next_ in pages:
            land_changes(unit, items, next_, types)
        raise Undone

    try:
        replica.write(work)
    except Broken:
        return True
    except Undone:
        return False
    raise AssertionError("it was neither broken nor taken back")


@pytest.mark.parametrize("types", [("case",), ("case_action", "grid"), ("request", "case", "supervision"), EVERYTHING])
def test_whatever_single_change_is_lost_the_replica_notices(
    desk: Desk, replica: Records, types: tuple[str, ...]
) -> None:
    """Wherever in a page it stood, also at its end; at the latest when the next change comes."""
    chance, county = random.Random(len(types)), desk.office.records
    live_a_little(desk, chance, 15)
    take_snapshot(county, replica)
    with replica.read() as connection:
        at = replica_state(connection)
    assert at is not None
    live_a_little(desk, chance, 25)
    desk.act("z1", desk.report(), "supervise", note="快一点")
    desk.ask("d1", desk.to_dispatched(), "extension")
    pages = pages_after(county, at.cursor, types, chance.randint(1, 5))
    assert not notices(replica, pages, types)
    items = [item for page, _ in pages for item in page]
    assert len(items) > 3
    for lost in items[:-1]:
        left = [([item for item in page if item is not lost], next_) for page, next_ in pages]
        assert notices(replica, left, types), f"{lost.seq} of {types} was lost and nobody noticed"


def test_an_older_page_changes_nothing_and_one_that_contradicts_itself_is_refused(desk: Desk, replica: Records) -> None:
    county = desk.office.records
    take_snapshot(county, replica)
    desk.to_closed()
    pages = pages_after(county, 0, EVERYTHING, 4)
    pull(county, replica)
    with replica.read() as connection:
        there = replica_state(connection)
    for items, next_ in pages[:-1]:
        assert replica.write(lambda unit, items=items, next_=next_: land_changes(unit, items, next_, EVERYTHING)) == 0
    with replica.read() as connection:
        assert replica_state(connection) == there
    number = desk.report()
    (items, next_), *_ = pages_after(county, next_, EVERYTHING, 100)
    with pytest.raises(Broken, match="its cursor is"):
        replica.write(lambda unit: land_changes(unit, items, next_ - 1, EVERYTHING))
    replica.write(lambda unit: land_changes(unit, items, next_, EVERYTHING))
    assert number in dict(lines(replica)["case"])


@pytest.mark.parametrize("types", [("case",), ("case_action", "grid"), ("request", "case"), EVERYTHING])
def test_every_item_names_the_one_before_it_under_the_same_filter(desk: Desk, types: tuple[str, ...]) -> None:
    live_a_little(desk, random.Random(7), 40)
    with desk.office.records.read() as connection:
        whole = read_changes(connection, 0, 10_000, EVERYTHING, sights())
        seqs = [msgspec.json.decode(item)["seq"] for item in whole.items]
        assert seqs == list(range(1, len(seqs) + 1)), "no gap over the whole feed"
        before, cursor, more = 0, 0, True
        while more:
            page = read_changes(connection, cursor, 3, types, sights())
            for item in map(msgspec.json.decode, page.items):
                assert item["type"] in types
                assert item["prev"] == before
                assert item["seq"] > before
                before = item["seq"]
            cursor, more = page.next, page.more
        assert cursor == whole.next == whole.state.last


def test_a_cursor_from_nowhere_is_told_to_take_a_snapshot(desk: Desk) -> None:
    desk.report()
    with desk.office.records.read() as connection:
        state = feed_state(connection)
        for cursor, feed in ((state.last + 1, None), (0, "another"), (10**15, state.name)):
            with pytest.raises(Gone, match="Take a snapshot"):
                read_changes(connection, cursor, 10, EVERYTHING, sights(), feed)
        assert read_changes(connection, state.last, 10, EVERYTHING, sights(), state.name).items == []


def test_reporters_stay_masked_until_the_reader_may_know_them(desk: Desk, replica: Records) -> None:
    number = desk.report(reporter_name="张三丰", reporter_phone="13812344321")
    with desk.office.records.read() as connection:
        shown: Callable[[Sight], object] = lambda sight: msgspec.json.decode(  # noqa: E731
            KINDS["case"].records(connection, [number], sight)[number]
        )["reporter"]
        assert shown(Sight(now=at("2026-10-09 10:00"))) == {"name": "张*", "phone": "138****4321"}
        full = Sight(now=at("2026-10-09 10:00"), reporters=True)
        assert shown(full) == {"name": "张三丰", "phone": "13812344321"}
    take_snapshot(desk.office.records, replica, full)
    assert lines(replica) == lines(desk.office.records), "masked above as well; the name stands apart"
    assert b"13812344321" not in b"".join(data for _, data in lines(replica)["case"])


def test_the_light_is_told_for_the_moment_and_not_kept(desk: Desk) -> None:
    number = desk.report()
    with desk.office.records.read() as connection:
        told = KINDS["case"].records(connection, [number], Sight(now=desk.clock.now()))[number]
        kept = KINDS["case"].records(connection, [number], PLAIN)[number]
    assert msgspec.json.decode(told) == desk.case(number) | {"reporter": None}
    assert light_left_out(told) == kept


def test_a_reader_of_one_street_sees_a_case_go_when_it_moves(desk: Desk) -> None:
    first, second = "411081001", "411081002"
    number = desk.report()
    sight = Sight(areas=(first,))
    with desk.office.records.read() as connection:
        assert number in KINDS["case"].records(connection, [number], sight)
        assert KINDS["case"].records(connection, [number], Sight(areas=(second,))) == {}
        start = feed_state(connection).last
    desk.act("s1", number, "amend", lon=113.4155, lat=34.1005, reason="坐标报错了")
    with desk.office.records.read() as connection:
        page = read_changes(connection, start, 10, ("case", "case_action", "grid"), sights(sight))
        items = [msgspec.json.decode(item) for item in page.items]
        told = [(item["type"], item["id"], item["op"]) for item in items]
        assert told == [("case", number, "delete"), *(("case_action", f"{number}/{seq}", "delete") for seq in (1, 2))]
        assert {item["data"] for item in items} == {None}
        assert len(KINDS["grid"].page(connection, None, 1000, sight).lines) == 100


def test_a_reader_of_one_street_gets_all_of_a_case_that_moves_there(desk: Desk, replica: Records) -> None:
    """Its history before the move too, its requests and supervisions."""
    sight = Sight(areas=("411081002",))
    number = desk.report()
    desk.act("z1", number, "supervise", note="快一点")
    take_snapshot(desk.office.records, replica, sight)
    assert lines(replica, sight)["case"] == []
    desk.act("s1", number, "amend", lon=113.4155, lat=34.1005, reason="坐标报错了")
    pull(desk.office.records, replica, sight)
    assert lines(replica) == lines(desk.office.records, sight)
    assert len(lines(replica)["case_action"]) == 3
    assert len(lines(replica)["supervision"]) == 1
    desk.act("s1", number, "amend", lon=113.4005, lat=34.1005, reason="原来的对")
    pull(desk.office.records, replica, sight)
    assert lines(replica) == lines(desk.office.records, sight)
    assert lines(replica)["case_action"] == lines(replica)["supervision"] == []


def test_the_feed_is_kept_so_long_and_then_asks_for_a_snapshot(desk: Desk, replica: Records) -> None:
    """A reader who kept up sees no gap, not even under a filter whose last change was forgotten."""
    office, county = desk.office, desk.office.records
    number = desk.report()
    desk.act("s1", number, "accept", reason="清楚")
    take_snapshot(county, replica)
    with county.read() as connection:
        early = feed_state(connection)
    desk.clock.advance(days=office.settings.exchange.feed_kept_days + 1)
    desk.report()
    pull(county, replica)
    assert forget_changes(office) == {"forgotten": early.last, "months": []}
    assert forget_changes(office)["forgotten"] == 0
    with county.read() as connection:
        state = feed_state(connection)
        assert (state.first, state.last) == (early.last + 1, early.last + 2)
        with pytest.raises(Gone):
            read_changes(connection, early.last - 1, 10, EVERYTHING, sights())
        page = read_changes(connection, early.last, 10, ("case",), sights())
        first = msgspec.json.decode(page.items[0])
        assert (first["seq"], first["prev"]) == (early.last + 1, early.last - 1), "the last case before was forgotten"
    desk.report()
    pull(county, replica)
    assert lines(replica) == lines(county)
    assert next(item for item in check_database(county.home) if item.check == "feed.gapless").result == "passed"


def test_either_side_may_be_upgraded_first(desk: Desk, replica: Records) -> None:
    """A new member is passed over; a record of a newer schema stops the replica, which goes on after its upgrade."""
    county = desk.office.records
    take_snapshot(county, replica)
    desk.report()
    with county.read() as connection:
        page = read_changes(connection, 0, 1000, EVERYTHING, sights())
    told = [msgspec.json.decode(item) for item in page.items]
    for item in told:
        item["colour"] = "new"
    newer = [msgspec.convert(item | {"schema": 2}, Item) for item in told]
    with pytest.raises(Broken, match="upgrade"):
        replica.write(lambda unit: land_changes(unit, newer, page.next, EVERYTHING))
    items = [msgspec.convert(item, Item) for item in told]
    replica.write(lambda unit: land_changes(unit, items, page.next, EVERYTHING))
    assert lines(replica) == lines(county)


def test_what_is_published_goes_up_and_the_scores_of_persons_stay(desk: Desk, replica: Records) -> None:
    desk.to_closed()
    desk.clock.advance(days=40)
    Evaluation(desk.office.records).close("2026-10", "k1")
    with desk.office.records.read() as connection:
        kept = set(connection.execute(text("SELECT DISTINCT scope FROM score")).scalars())
    assert {"region", "department", "collector"} <= kept
    take_snapshot(desk.office.records, replica)
    with replica.read() as connection:
        above = set(connection.execute(text("SELECT DISTINCT scope FROM score")).scalars())
    assert above == kept & OPEN_SCOPES
    assert lines(replica) == lines(desk.office.records)
