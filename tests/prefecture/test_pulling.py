"""However a pull is interrupted, the replica becomes the county, and readers see a county whole or as it was."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from appliance.errors import Broken, WanmiError
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.kinds.base import Sight
from appliance.exchange.landing import Line
from server.prefecture import puller
from server.prefecture.county_port import (
    Answer,
    Changes,
    CountyRefusal,
    Unreachable,
    Unreadable,
    retry_after,
    sentence_of,
)
from server.prefecture.rounds import attend, pause_after
from server.prefecture.settings import USUAL_SCOPES
from server.prefecture.status import statuses
from server.prefecture.store import Platform
from tests import homes
from tests.cases.desk import Desk
from tests.exchange.work import live_a_little
from tests.prefecture.city import City
from tests.prefecture.counties import DeskPort, broken_line, certificate, enrolled, pull, same_as_county

EVENTS = "SELECT event FROM prefecture.pull_log ORDER BY id"
CASES = "SELECT count(*) FROM prefecture.all_cases"


@pytest.fixture
def port(platform: Platform, desk: Desk) -> DeskPort:
    """The port of a county that has joined."""
    enrolled(platform)
    return DeskPort(desk)


def test_snapshot_and_changes_make_the_county(platform: Platform, desk: Desk, port: DeskPort) -> None:
    """The office works while the snapshot is taken."""
    chance = random.Random(1)
    live_a_little(desk, chance, 60)
    port.before = lambda what: live_a_little(desk, chance, 2) if what == "case" else None
    done = pull(platform, port)
    assert done.snapshots == 1
    port.before = lambda _: None
    live_a_little(desk, chance, 20)
    assert pull(platform, port).snapshots == 0
    assert same_as_county(platform, desk)


def test_a_snapshot_that_breaks_off_goes_on_where_it_was(
    platform: Platform, desk: Desk, port: DeskPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(puller, "LINES_AT_ONCE", 50)
    desk.report()
    left = iter(range(120))
    port.before = lambda what: None if next(left, None) is not None else broken_line(what)
    with pytest.raises(Unreachable):
        pull(platform, port)
    assert port.asked == ["department", "department D02", "grid"]
    port.asked.clear()
    port.before = lambda _: None
    pull(platform, port)
    assert port.asked[0] == "grid 411081001001100", "two slices of fifty were on the disk"
    assert same_as_county(platform, desk)


def test_a_snapshot_whose_stream_ends_early_without_an_error_is_not_taken_for_whole(
    platform: Platform, desk: Desk, port: DeskPort
) -> None:
    """A node that is being stopped, or a proxy, ends a stream as if it were done."""
    port.lines_at_most = 30
    pull(platform, port)
    assert same_as_county(platform, desk)


@pytest.mark.parametrize("place", [-3, 0])
def test_a_change_that_is_missing_is_noticed_and_a_snapshot_mends_it(
    city: City, platform: Platform, desk: Desk, port: DeskPort, place: int
) -> None:
    """Also the last one of a page, which the next page names."""
    pull(platform, port)
    desk.to_dispatched()
    missing = port.info().last + place
    port.loses = lambda seq: seq == missing
    pull(platform, port)
    desk.report()
    pull(platform, port)
    assert [row.event for row in city.sees(EVENTS)] == ["snapshot", "whole", "gap", "snapshot", "whole"]
    assert same_as_county(platform, desk)


def test_a_feed_that_stays_broken_ends_the_pull(platform: Platform, desk: Desk, port: DeskPort) -> None:
    pull(platform, port)

    def work_on(what: str) -> None:
        if what == "changes":
            desk.report()
            desk.report()

    port.before = work_on
    port.loses = lambda seq: seq % 2 == 0
    with pytest.raises(Broken, match="lacks"):
        pull(platform, port)


def test_readers_see_the_county_while_a_new_snapshot_grows(
    city: City, platform: Platform, desk: Desk, port: DeskPort
) -> None:
    desk.report()
    pull(platform, port)
    desk.report()
    with desk.office.records.writer._engine.begin() as connection:
        connection.execute(text("UPDATE feed SET name = 'another'"))
    seen: list[int] = []
    port.before = lambda what: seen.append(city.sees(CASES)[0][0]) if what == "case_action" else None
    pull(platform, port)
    assert set(seen) == {1}, "the old state as a whole, until the new one is whole"
    assert city.sees(CASES)[0][0] == 2
    assert same_as_county(platform, desk)


def test_types_that_the_county_grants_no_more_are_gone_above(
    city: City, platform: Platform, desk: Desk, port: DeskPort
) -> None:
    desk.report()
    pull(platform, port)
    port.feeds = ("department", "grid")
    assert pull(platform, port).snapshots == 1
    assert city.sees(CASES)[0][0] == 0
    port.feeds = tuple(KINDS)
    pull(platform, port)
    assert same_as_county(platform, desk)


def test_a_county_that_lets_us_see_more_is_taken_in_with_all_of_it(
    platform: Platform, desk: Desk, port: DeskPort
) -> None:
    """The types are the same; what is shown of them is more, and no change tells of the old rows."""
    desk.report()
    certificate(platform, "0A", ["cases.read@411081002", "places.read", "reports.read"])
    port.serial, port.sight = "0A", Sight(areas=("411081002",))
    pull(platform, port)
    assert not same_as_county(platform, desk)
    assert pull(platform, port).snapshots == 0
    certificate(platform, "0B", USUAL_SCOPES)
    assert pull(platform, port).snapshots == 0, "the county has not put its new enrolment in force yet"
    port.serial, port.sight = "0B", Sight()
    assert pull(platform, port).snapshots == 1
    assert same_as_county(platform, desk)


def test_a_snapshot_that_nobody_needs_any_more_is_forgotten(platform: Platform, desk: Desk, port: DeskPort) -> None:
    pull(platform, port)
    port.feeds, port.before = ("department", "grid"), lambda what: broken_line(what) if what == "grid" else None
    with pytest.raises(Unreachable):
        pull(platform, port)
    assert statuses(platform)[0].snapshot is not None
    port.feeds, port.before = tuple(KINDS), lambda _: None
    pull(platform, port)
    assert statuses(platform)[0].snapshot is None


@pytest.mark.parametrize("fault", ["strange records", "broken records", "no end", "words for no line"])
def test_a_county_with_a_fault_is_left_alone_for_longer_and_told(
    city: City, platform: Platform, desk: Desk, port: DeskPort, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """Whatever it sends: it is not called again at once, for ever, and the others go on."""
    monkeypatch.setattr(puller, "CountyPort", lambda *_: port)
    if fault == "no end":
        attend(platform, homes.COUNTY, lambda: False, random.Random(0))
        monkeypatch.setattr(port, "changes", lambda after, *_: Changes([], after, True))
    elif fault == "words for no line":
        said = sentence_of(Answer(503, {}, b'{"detail":"busy\\u0000\\nno"}'))
        monkeypatch.setattr(port, "before", lambda _: refuse(said))
    else:
        record = Line("strange", "1", {}) if fault == "strange records" else Line("department", "1", {"code": "a\0b"})
        monkeypatch.setattr(port, "snapshot", lambda *_: (record for _ in range(1)))
    told = attend(platform, homes.COUNTY, lambda: False, random.Random(0))
    assert isinstance(told, WanmiError)
    status = statuses(platform)[0]
    assert (status.failures, status.back_off_seconds > 0) == (1, True)
    assert status.trouble_zh
    assert status.trouble_zh.isprintable()


def refuse(said: str) -> None:
    raise CountyRefusal(503, said, None)


def test_records_newer_than_our_software_are_no_reason_for_snapshots(
    platform: Platform, desk: Desk, port: DeskPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None would mend it, and each is a whole county."""
    pull(platform, port)
    desk.report()
    told = port.changes

    def newer(*asked: Any) -> Changes:
        page = told(*asked)
        for item in page.items:
            item.schema += 1
        return page

    with monkeypatch.context() as patched:
        patched.setattr(port, "changes", newer)
        with pytest.raises(Broken, match="upgrade this platform"):
            pull(platform, port)
    assert pull(platform, port).snapshots == 0, "once the software is newer it goes on where it was"
    assert same_as_county(platform, desk)


def test_a_snapshot_that_never_goes_on_is_not_asked_for_ever(platform: Platform, desk: Desk, port: DeskPort) -> None:
    """A county that passes over `after` tells the same records again and again."""
    whole = port.snapshot
    port.snapshot = lambda type_, cursor, _, feed: whole(type_, cursor, None, feed)  # type: ignore[method-assign]
    with pytest.raises(Unreadable, match="does not go on after"):
        pull(platform, port)


def test_whatever_happens_between_two_pulls_the_replica_becomes_the_county(
    platform: Platform, desk: Desk, port: DeskPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines that go down, streams that are cut, changes that are lost, backups that are restored, in any order."""
    monkeypatch.setattr(puller, "LINES_AT_ONCE", 40)
    chance = random.Random(11)
    for turn in range(8):
        live_a_little(desk, chance, 12)
        left = iter(range(chance.randint(1, 400)))
        port.before = lambda what, left=left: None if next(left, None) is not None else broken_line(what)
        port.lines_at_most = chance.choice((25, 10**9))
        lost = port.info().last - chance.randint(0, 9)
        port.loses = (lambda seq, lost=lost: seq == lost) if chance.random() < 0.4 else lambda _: False
        if chance.random() < 0.15:
            with desk.office.records.writer._engine.begin() as connection:
                connection.execute(text("UPDATE feed SET name = :name"), {"name": f"restored {turn}"})
        with suppress(Unreachable, Broken):
            pull(platform, port)
    port.before, port.loses, port.lines_at_most = lambda _: None, lambda _: False, 10**9
    live_a_little(desk, chance, 12)
    pull(platform, port)
    assert same_as_county(platform, desk)


def test_two_counties_stand_side_by_side_in_the_views(
    city: City, platform: Platform, desk: Desk, port: DeskPort
) -> None:
    enrolled(platform, "411082", "长葛市")
    desk.report()
    pull(platform, port)
    pull(platform, DeskPort(desk, "411082"))
    counted = city.sees("SELECT county, count(*) FROM prefecture.all_cases GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in counted] == [(homes.COUNTY, 1), ("411082", 1)]
    city.run("remove", "411082")
    counted = city.sees("SELECT DISTINCT county FROM prefecture.all_unit_grids")
    assert [row.county for row in counted] == [homes.COUNTY]


def test_many_counties_are_taken_in_at_the_same_time(city: City, platform: Platform, desk: Desk) -> None:
    codes = [f"4110{number}" for number in range(81, 84)]
    for code in codes:
        enrolled(platform, code)
    with ThreadPoolExecutor(len(codes)) as threads:
        done = list(threads.map(lambda code: pull(platform, DeskPort(desk, code)), codes))
    assert [each.snapshots for each in done] == [1] * len(codes)
    counted = city.sees("SELECT county, count(*) FROM prefecture.all_unit_grids GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in counted] == [(code, 200) for code in codes]


def test_a_county_that_is_away_is_told_as_behind_and_gets_its_orders_later(city: City, platform: Platform) -> None:
    enrolled(platform)
    for failures in (1, 2):
        told = attend(platform, homes.COUNTY, lambda: False, random.Random(0))
        assert isinstance(told, Unreachable)
        status = city.json("status", code=1)["counties"][0]
        assert (status["failures"], status["lag_seconds"]) == (failures, None)
    assert status["back_off_seconds"] > 0
    assert "连不上" in status["trouble_zh"]
    assert city.json("supervise", homes.COUNTY, "1", "--note", "等它回来")["state"] == "waiting"
    assert city.json("sent")[0]["tries"] == 1
    assert [row.event for row in city.sees(EVENTS)] == ["unreachable"], "the same trouble is told once"


def test_a_county_that_is_not_called_is_not_pulled_by_hand_either(city: City, platform: Platform) -> None:
    enrolled(platform, mode="outbound")
    assert "works by outbound" in city.run("pull", "--once", "--county", homes.COUNTY, code=1)
    assert statuses(platform)[0].failures == 0


def test_a_county_that_fails_is_called_less_and_less_often() -> None:
    chance = random.Random(3)
    pauses = [pause_after(failures, 60, 900, None, chance) for failures in range(8)]
    assert pauses[0] == 60
    assert all(
        0.5 * full <= pause <= full for full, pause in zip((60, 120, 240, 480, 900, 900), pauses[1:], strict=False)
    )
    assert pause_after(1, 60, 900, 3600, chance) == 3600, "Retry-After is respected"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("120", 120),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 0),
        ("soon", None),
        ("", None),
        ("999999999", 86_400),
        ("Fri, 31 Dec 2999 00:00:00 GMT", 86_400),
    ],
)
def test_a_county_may_say_how_long_it_wants_to_be_left_alone(written: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": written}) == seconds
