"""The demo county's collectors on their way: yesterday, and today up to now, each through the own community.

They go up and down it in lanes of a hundred metres, twice a day, most of them by bicycle. Some give up before the end
of a round and one stays at home, so that the patrols have something to tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from math import hypot
from random import Random
from zoneinfo import ZoneInfo

from appliance.cases.office import Office
from appliance.clock import HOUR, SECOND, local, micros
from appliance.patrols.compaction import compact
from appliance.patrols.position import METRES_A_DEGREE, Position
from appliance.patrols.tracks import Tracks
from provisioning.demo.ground import Box, town_communities
from provisioning.demo.world import SEED, collectors

ROUNDS = (time(8, 10), time(13, 50))
ROUND_HOURS = 3.6
LANE = 0.0009
EVERY = 10 * SECOND
LAZY = 7
"""Every so manieth collector walks only a part; the first of them not at all."""


def walk(office: Office, now: int) -> int:
    """Keep the tracks of yesterday and today, count the patrols; returns how many positions there are."""
    from appliance.patrols.counting import count

    records, zone = office.records, office.settings.zone
    today = local(now, zone).date()
    yesterday, sent = today - timedelta(days=1), 0
    with closing(Tracks(records.home, zone)) as tracks:
        for day in (yesterday, today):
            for number, (account, community) in enumerate(collectors()):
                way = _day(account, number, community, day, zone)
                sent += tracks.add(position for position in way if position.at <= now)
    compact(records.home, yesterday.isoformat())
    count(records, now)
    return sent


def _day(account: str, number: int, community: str, day: date, zone: ZoneInfo) -> Iterator[Position]:
    """The positions of a collector on a day."""
    random = Random(f"{SEED} {account} {day}")
    box = next(area.box for area in town_communities() if area.code == community)
    if box is None or number == 0:
        return
    for begin in ROUNDS:
        share = random.uniform(0.4, 0.8) if number % LAZY == 0 else 1.0
        start = micros(datetime.combine(day, begin, zone)) + random.randrange(600) * SECOND
        yield from _round(account, box, start, share, random)


def _round(account: str, box: Box, start: int, share: float, random: Random) -> Iterator[Position]:
    """A position every ten seconds along the lanes, with the unrest of a receiver."""
    corners = list(_lanes(box))
    length = sum(_metres(*pair) for pair in pairwise(corners))
    speed = length / (ROUND_HOURS * HOUR / SECOND)
    gone, at, end = 0.0, start, length * share
    for first, last in pairwise(corners):
        metres = _metres(first, last)
        while at <= start + round((gone + metres) / speed * SECOND):
            part = ((at - start) / SECOND * speed - gone) / metres
            lon = first[0] + (last[0] - first[0]) * part + random.gauss(0, 1e-5)
            lat = first[1] + (last[1] - first[1]) * part + random.gauss(0, 1e-5)
            yield Position(account, at, lon, lat, round(speed, 2))
            at += EVERY
        gone += metres
        if gone > end:
            return


def _lanes(box: Box) -> Iterator[tuple[float, float]]:
    """The corners of a way through a box, to and fro."""
    number = max(round((box.north - box.south) / LANE), 1)
    step, inset = (box.north - box.south) / number, LANE / 3
    for lane in range(number):
        lat = box.south + (lane + 0.5) * step
        ends = (box.west + inset, box.east - inset) if lane % 2 == 0 else (box.east - inset, box.west + inset)
        for lon in ends:
            yield lon, lat


def _metres(first: tuple[float, float], last: tuple[float, float]) -> float:
    return hypot((last[0] - first[0]) * 0.83, last[1] - first[1]) * METRES_A_DEGREE
