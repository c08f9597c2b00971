"""One reference platform pulls several real county nodes here; what a county costs it, and how many it holds."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from sqlalchemy import text

from server.prefecture.settings import save
from server.prefecture.status import statuses
from tests import homes, postgis
from tests.cases.desk import Desk
from tests.exchange.joined import address, wanmi
from tests.exchange.work import live_a_little
from tests.nodes import RunningNode
from tests.prefecture.city import City, until

COUNTIES = 8
ROUNDS, STEPS = 3, 25
"""So many pulls are measured; between two of them each office does so many things."""
PULLS_A_MINUTE, CORES = 1, 2
EVERY, MINUTES = 60, 5
TICKS = os.sysconf("SC_CLK_TCK")


def measure(scratch: Path) -> bool:
    """Join, let the offices work, count processor time; the bound is that every county keeps up."""
    if (lacking := postgis.lacking()) is not None:
        print(f"skipped: {lacking}")
        return True
    city = City(scratch / "city", postgis.cluster().create()).make()
    counties: list[tuple[Desk, RunningNode]] = []
    try:
        city.start()
        for number in range(COUNTIES):
            counties.append(_county(scratch, city, number))
        until(lambda: _levels(city, counties), 120)
        return _rounds(city, counties) and _by_the_minute(city, counties)
    finally:
        for desk, node in counties:
            node.stop()
            desk.close()
        city.stop()
        postgis.end()


def _county(scratch: Path, city: City, number: int) -> tuple[Desk, RunningNode]:
    code, home = f"4110{number + 10}", homes.copy_home(scratch / f"county-{number}")
    settings = home / "wanmi.toml"
    settings.write_text(settings.read_text().replace(homes.COUNTY, code))
    desk = Desk(home, "2026-10-01 08:00")
    name = {"name": f"feed-{code}"}
    desk.office.records.write(lambda unit: unit.connection.execute(text("UPDATE feed SET name = :name"), name))
    node = RunningNode(home).start()
    token, where = city.json("token", code)["token"], address()
    wanmi(home, "join", city.url, "--token", token, "--ca", str(city.home / "keys" / "ca.crt"), "--listen",
          where.removeprefix("https://"), "--address", where)  # fmt: skip
    return desk, node


def _rounds(city: City, counties: list[tuple[Desk, RunningNode]]) -> bool:
    chance, spent, changes = random.Random(3), 0.0, 0
    assert city.process is not None
    for _ in range(ROUNDS):
        before = sum(_last(desk) for desk, _ in counties)
        for desk, _ in counties:
            live_a_little(desk, chance, STEPS)
        changes += sum(_last(desk) for desk, _ in counties) - before
        until(lambda: _levels(city, counties), 60)
    quiet = _idle_cost(city)
    began, at = _seconds(city), time.monotonic()
    for desk, _ in counties:
        live_a_little(desk, chance, STEPS)
    until(lambda: _levels(city, counties), 60)
    spent, lasted = _seconds(city) - began, time.monotonic() - at
    print(
        f"{COUNTIES} county nodes, {changes / ROUNDS / COUNTIES:.0f} changes a county and round, all level after each"
    )
    print(f"a pull with nothing new costs the platform and its database {quiet * 1000:.0f} ms of processor time")
    print(
        f"a round with changes: {spent / COUNTIES:.2f} s a county in {lasted:.0f} s (the platform looks every second)"
    )
    held = CORES * 60 / (PULLS_A_MINUTE * max(quiet, spent / COUNTIES))
    print(f"pulled once a minute, {CORES} cores hold about {held:.0f} such counties")
    return held > COUNTIES


def _by_the_minute(city: City, counties: list[tuple[Desk, RunningNode]]) -> bool:
    """Pulled every minute for some minutes, with work in every county in each of them."""
    city.stop()
    save(city.home, city.settings().model_copy(update={"interval": EVERY}))
    city.start()
    until(lambda: _levels(city, counties), 2 * EVERY)
    chance, began, at = random.Random(4), _seconds(city), time.monotonic()
    for minute in range(1, MINUTES + 1):
        for desk, _ in counties:
            live_a_little(desk, chance, STEPS)
        until(lambda minute=minute: time.monotonic() - at >= minute * EVERY, 2 * EVERY)  # type: ignore[misc]  # a lambda with a default
    until(lambda: _levels(city, counties), 2 * EVERY)
    spent, lasted = _seconds(city) - began, time.monotonic() - at
    share = spent / lasted
    print(
        f"pulled every {EVERY} s for {lasted:.0f} s: {share:.1%} of one core for {COUNTIES} counties, all level at the "
        f"end; so {CORES} cores hold about {CORES / share * COUNTIES:.0f} of them"
    )
    return share < CORES


def _idle_cost(city: City) -> float:
    """Processor seconds of one pull when nothing is new."""
    pulls, began = _pulls(city), _seconds(city)
    until(lambda: _pulls(city) > pulls + COUNTIES * 5, 60)
    return (_seconds(city) - began) / (_pulls(city) - pulls)


def _pulls(city: City) -> int:
    """Pulls so far, by the counties' own logs of what was read."""
    return sum(
        line.count("\n")
        for file in city.home.parent.glob("county-*/log/exchange/*.jsonl")
        for line in [file.read_text()]
    )


def _levels(city: City, counties: list[tuple[Desk, RunningNode]]) -> bool:
    """Whether every replica is as far as its county."""
    platform = city.open()
    try:
        cursors = {item.county: item.cursor for item in statuses(platform)}
    finally:
        platform.close()
    return all(cursors.get(desk.office.settings.county) == _last(desk) for desk, _ in counties)


def _last(desk: Desk) -> int:
    with desk.office.records.read() as connection:
        return int(connection.execute(text("SELECT last FROM feed")).scalar_one())


def _seconds(city: City) -> float:
    """Processor time of the platform and of its database's server processes, ended ones included."""
    assert city.process is not None
    postmaster = int((postgis.cluster().folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    spent = _own(city.process.pid, children=False) + _own(postmaster, children=True)
    for process in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = process.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == postmaster:
            spent += (int(fields[11]) + int(fields[12])) / TICKS
    return spent


def _own(pid: int, *, children: bool) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    wanted = (11, 12, 13, 14) if children else (11, 12)
    return sum(int(fields[field]) for field in wanted) / TICKS
