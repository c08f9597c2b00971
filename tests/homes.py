"""Small homes for tests: a migrated county with two streets, grids, units and staff, built once a run and copied.

By `pytest --database postgis` their records stand in databases of a cluster of the run's own (`tests/postgis.py`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from sqlalchemy import Connection, Engine, text

from appliance.clock import ManualClock
from appliance.people.accounts import add_account
from appliance.records.base import SRID
from appliance.records.engine import sqlite_engine
from appliance.records.store import DATABASE, Records, county_engine, create_database
from appliance.records.writer import Unit
from appliance.settings import FILE, Settings, load, save
from tests import postgis

database = "spatialite"
"""Which database the homes of this run have; set by the option `--database`."""

_made: list[str] = []

COUNTY = "411081"
WEST, SOUTH, STEP = 113.4, 34.1, 0.001
STREETS = {"411081001": "颍川街道", "411081002": "夏都街道"}
PASSWORD = "wanmi-demo-1"

STAFF = (
    ("s1", "坐席一", "acceptor", None),
    ("s2", "坐席二", "acceptor", None),
    ("z1", "值班长一", "shift_leader", None),
    ("p1", "派遣员一", "dispatcher", None),
    ("d1", "市政经办", "department", "D01"),
    ("d2", "环卫经办", "department", "D02"),
    ("d11", "养护队经办", "department", "D0101"),
    ("l1", "采集员一", "collector", None),
    ("l2", "采集员二", "collector", None),
    ("b1", "分管领导", "leader", None),
    ("k1", "考核员一", "assessor", None),
    ("admin", "管理员", "admin", None),
)


def cell(column: int, row: int) -> str:
    """A square unit grid as WKT, about 92 by 111 metres."""
    west, south = WEST + column * STEP, SOUTH + row * STEP
    east, north = west + STEP, south + STEP
    return f"MULTIPOLYGON((({west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south})))"


def furnish(unit: Unit, password_hash: str | None = None) -> None:
    """Two streets of ten by ten grids side by side, a duty grid each, three units, staff of every role."""
    connection = unit.connection
    for number, (street, name) in enumerate(STREETS.items()):
        connection.execute(
            text("INSERT INTO area (code, name, level, parent) VALUES (:code, :name, 'street', :county)"),
            {"code": street, "name": name, "county": COUNTY},
        )
        connection.execute(
            text(
                "INSERT INTO duty_grid (code, name, collector, geom) "
                f"VALUES (:code, :name, :collector, ST_GeomFromText(:shape, {SRID}))"
            ),
            {"code": f"{street}-1", "name": f"{name}一", "collector": f"l{number + 1}", "shape": cell(number * 10, 0)},
        )
        for index in range(100):
            column, row = index % 10 + number * 10, index // 10
            connection.execute(
                text(
                    "INSERT INTO unit_grid (code, name, street, community, duty_grid, area_m2, lon, lat, geom) VALUES "
                    f"(:code, '', :street, :community, :duty, 10200, :lon, :lat, ST_GeomFromText(:shape, {SRID}))"
                ),
                {
                    "code": f"{street}001{index + 1:03d}", "street": street, "community": f"{street}001",
                    "duty": f"{street}-1", "lon": WEST + (column + 0.5) * STEP, "lat": SOUTH + (row + 0.5) * STEP,
                    "shape": cell(column, row),
                },
            )  # fmt: skip
    for code, name, parent in (("D01", "市政管理所", None), ("D02", "环卫中心", None), ("D0101", "养护一队", "D01")):
        connection.execute(
            text("INSERT INTO department (code, name, parent) VALUES (:code, :name, :parent)"),
            {"code": code, "name": name, "parent": parent},
        )
    for account, name, role, department in STAFF:
        add_account(
            unit, account=account, name=name, roles=frozenset((role,)), by="technician", department=department,
            password_hash=password_hash,
        )  # fmt: skip


@cache
def template() -> Path:
    """The furnished home every test copies; made once a run."""
    from appliance.people.accounts import hash_password

    home = Path(mkdtemp(prefix="wanmi-template-"))
    before = made()
    settings = settle(home, {"county": COUNTY, "name": "禹州市", "sign_in": {"password_length": 6}})
    for folder in ("evidence", "keys", "backups", "log"):
        (home / folder).mkdir()
    create_database(home, settings)
    records = Records.open(home, clock=ManualClock(0))
    hashed = hash_password(PASSWORD, settings.sign_in)
    records.write(lambda unit: furnish(unit, hashed))
    records.close()
    del _made[before:]  # its database stays as long as the run
    return home


def copy_home(target: Path) -> Path:
    """A fresh copy of the furnished home; on PostGIS with a copy of its database."""
    shutil.copytree(template(), target, dirs_exist_ok=True)
    if database == "postgis":
        own, copied = _database_of(template()), postgis.cluster().create(_database_of(template()))
        _made.append(copied)
        written = (target / FILE).read_text(encoding="utf-8")
        (target / FILE).write_text(written.replace(f"/{own}?", f"/{copied}?"), encoding="utf-8")
    return target


def settle(home: Path, values: dict[str, Any]) -> Settings:
    """Write the settings of a home that is to have an empty database of this run's kind, and give them."""
    url = empty_database()
    save(home, {**values, "database_url": url} if url else values)
    return load(home)


def empty_database(*, template: str = postgis.EMPTY, schema: str | None = None, more: str = "") -> str:
    """The `database_url` of a new empty database, "" where a home has its own file."""
    if database != "postgis":
        return ""
    _made.append(postgis.cluster().create(template, more))
    return postgis.cluster().url(_made[-1], schema=schema)


def new_engine(home: Path) -> Engine:
    """An engine on a database that is empty yet, for a home that is being made."""
    settings = settle(home, {"county": COUNTY})
    if settings.database_url:
        return county_engine(home, settings, read_only=False)
    return sqlite_engine(home / DATABASE, read_only=False)


def drop_databases(kept: int) -> None:
    """Remove the databases made since there were so many."""
    while len(_made) > kept:
        postgis.cluster().drop(_made.pop())


def made() -> int:
    """How many databases there are."""
    return len(_made)


@contextmanager
def intruding(home: Path) -> Iterator[Connection]:
    """A connection past the records, as somebody has who opens the database with another program."""
    engine = county_engine(home, load(home), read_only=False)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _database_of(home: Path) -> str:
    return load(home).database_url.rpartition("?")[0].rpartition("/")[2]
