"""What stands and who works in the demo county, generated from a fixed seed and imported like any census.

People carry the names of their posts; nobody real and nobody invented is named.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from appliance.codes.book import CodeBook
from provisioning.demo.ground import TOWN_STREETS, Area, areas, town_communities

SEED = 411081
PASSWORD = "wanmi-demo"
PARTS = 3000
DEPARTMENTS = (
    ("D01", "市政管理所", "", "市政组"),
    ("D0101", "市政养护一队", "D01", "市政组"),
    ("D0102", "路灯管理站", "D01", "市政组"),
    ("D02", "环境卫生管理中心", "", "环卫组"),
    ("D03", "园林绿化中心", "", "园林组"),
    ("D04", "城管执法大队", "", "执法组"),
    ("D05", "自来水公司", "", "企业组"),
    ("D06", "供电公司", "", "企业组"),
    *((f"S{number + 1:02d}", f"{name}办事处", "", "街道组") for number, name in enumerate(
        ("颍川街道", "夏都街道", "韩城街道", "钧台街道", "褚河街道"))),
)  # fmt: skip
DEPARTMENT_COLUMNS = ("code", "name", "parent", "group", "phone")
DESK = (
    ("admin", "系统管理员", "admin|technician", ""),
    ("shouli1", "受理员一席", "acceptor", ""),
    ("shouli2", "受理员二席", "acceptor", ""),
    ("shouli3", "受理员三席", "acceptor", ""),
    ("zhiban", "值班长", "shift_leader", ""),
    ("paiqian", "派遣员", "dispatcher", ""),
    ("lingdao", "分管领导", "leader", ""),
    ("kaohe", "考核员", "assessor", ""),
    ("yiren", "一人多岗", "acceptor|dispatcher|shift_leader", ""),
)
SEATS = frozenset(("acceptor", "dispatcher", "shift_leader"))
ROADS = ("药城大道", "滨河路", "画圣路", "禹王大道", "钧官窑路", "颍河大道", "府东路", "建设路", "行政路", "朝阳路")
PART_TYPES = (
    ("01001", "D05", 14), ("01002", "D01", 18), ("01003", "D01", 16), ("01005", "D06", 6), ("01037", "D0102", 30),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where things happen."""

    lon: float
    lat: float
    community: Area
    address: str


def write_files(folder: Path) -> dict[str, Path]:
    """Write the census of the demo county as files; the path of each by its kind of import."""
    random = Random(SEED)
    files = {
        "boundary": _geojson(folder / "boundary.geojson", _boundary()),
        "departments": _csv(folder / "departments.csv", list(DEPARTMENT_COLUMNS), _departments()),
        "staff": _csv(folder / "staff.csv", ["account", "name", "roles", "department", "password"], _staff()),
        "duty-grids": _geojson(folder / "duty-grids.geojson", _duty_grids()),
        "places": _geojson(folder / "places.geojson", _places(random)),
        "parts": _csv(folder / "parts.csv", list(PART_COLUMNS), _parts(random)),
        "duties": _csv(folder / "duties.csv", ["class", "area", "department", "basis"], _duties()),
        "cameras": _csv(folder / "cameras.csv", ["code", "name", "street_class", "lon", "lat"], _cameras()),
        "roster": _csv(folder / "roster.csv", ["account", "date", "shift"], _roster(date.today())),
    }
    return files


def _departments() -> list[tuple[str, ...]]:
    """The units with a telephone each, of a range that nobody has."""
    return [(*unit, f"1380000{number:04d}") for number, unit in enumerate(DEPARTMENTS, start=101)]


def spot(random: Random) -> Spot:
    """A random place in the town."""
    community = random.choice(town_communities())
    assert community.box is not None
    lon, lat = community.box.inside(random)
    street = next(area for area in areas() if area.code == community.parent)
    address = f"{street.name}{community.name}{random.choice(ROADS)}{random.randint(1, 240)}号"
    return Spot(lon, lat, community, address)


def collectors() -> list[tuple[str, str]]:
    """Account and community code of each collector: one for every community of the town."""
    return [(f"caiji{number:02d}", area.code) for number, area in enumerate(town_communities(), start=1)]


def _boundary() -> Iterable[dict[str, Any]]:
    for area in areas():
        shape = None if area.box is None else {"type": "Polygon", "coordinates": [area.box.ring()]}
        values = {"code": area.code, "name": area.name, "parent": area.parent or None, "level": area.level}
        yield {"type": "Feature", "properties": values, "geometry": shape}


def _duty_grids() -> Iterable[dict[str, Any]]:
    accounts = {code: account for account, code in collectors()}
    for area in town_communities():
        assert area.box is not None
        values = {"code": f"{area.code}-1", "name": f"{area.name}责任网格", "collector": accounts[area.code]}
        yield {
            "type": "Feature", "properties": values,
            "geometry": {"type": "Polygon", "coordinates": [area.box.ring()]},
        }  # fmt: skip


def _cameras() -> Iterable[tuple[str, str, str, float, float]]:
    """One camera a community of the town, on its road; every second road is a first-class one."""
    for number, area in enumerate(town_communities()):
        assert area.box is not None
        lon, lat = (area.box.west + area.box.east) / 2, (area.box.south + area.box.north) / 2
        road = ROADS[number % len(ROADS)]
        yield f"V{number + 1:03d}", f"{area.name}{road}", "二类" if number % 2 else "一类", lon, lat


def _roster(today: date) -> Iterable[tuple[str, str, str]]:
    """Two weeks from this Monday on: the seats by day, somebody alone at night."""
    monday = today - timedelta(days=today.weekday())
    desk = [account for account, _, roles, _ in DESK if not frozenset(roles.split("|")).isdisjoint(SEATS)]
    alone = [account for account, _, roles, _ in DESK if frozenset(roles.split("|")) == SEATS]
    for day in range(14):
        at = (monday + timedelta(days=day)).isoformat()
        for number, account in enumerate(account for account in desk if account not in alone):
            yield account, at, "morning" if (number + day) % 2 else "afternoon"
        yield alone[day % len(alone)], at, "night"


def _places(random: Random) -> Iterable[dict[str, Any]]:
    for number, area in enumerate(town_communities()):
        assert area.box is not None
        box, road = area.box, ROADS[number % len(ROADS)]
        middle = (box.south + box.north) / 2
        yield _place("街巷", road, "LineString", [[box.west, middle], [box.east, middle]])
        for door in range(2, 40, 6):
            lon = box.west + (box.east - box.west) * door / 40
            plate = door + number // len(ROADS) * 40
            yield _place("门牌", f"{road}{plate}号", "Point", [round(lon, 7), round(middle, 7)])
        lon, lat = box.inside(random)
        yield _place("兴趣点", f"{area.name}便民服务中心", "Point", [lon, lat])


def _place(kind: str, name: str, shape: str, coordinates: Any) -> dict[str, Any]:
    geometry = {"type": shape, "coordinates": coordinates}
    return {"type": "Feature", "properties": {"name": name, "type": kind}, "geometry": geometry}


PART_COLUMNS = ("code", "type", "name", "state", "department", "maintainer_department", "lon", "lat")


def _parts(random: Random) -> Iterable[tuple[Any, ...]]:
    book = CodeBook.national()
    weights = [weight for _, _, weight in PART_TYPES]
    serials: dict[str, int] = {}
    for _ in range(PARTS):
        code, department, _ = random.choices(PART_TYPES, weights)[0]
        serials[code] = serials.get(code, 0) + 1
        found = spot(random)
        name = book.find("2026", "part", code).name
        state = random.choices(("完好", "破损", "丢失"), (95, 4, 1))[0]
        yield (
            f"411081{code[:2]}{code[2:]}{serials[code]:06d}", code, name, state, department, department, found.lon,
            found.lat,
        )  # fmt: skip


def _staff() -> Iterable[tuple[str, ...]]:
    for account, name, roles, department in DESK:
        yield account, name, roles, department, PASSWORD
    for code, name, _, _ in DEPARTMENTS:
        yield code.lower(), f"{name}经办", "department", code, PASSWORD
    for number, (account, _) in enumerate(collectors(), start=1):
        yield account, f"采集员{number:02d}", "collector", "", PASSWORD


def _duties() -> Iterable[tuple[str, ...]]:
    basis = "示范县职责分工表"
    for code, department, _ in PART_TYPES:
        yield code, "*", department, basis
    for number, street in enumerate(TOWN_STREETS, start=1):
        yield "06", street, f"S{number:02d}", basis
    for code in ("08", "09"):
        yield code, "*", "D04", basis


def _geojson(path: Path, features: Iterable[dict[str, Any]]) -> Path:
    value = {"type": "FeatureCollection", "features": list(features)}
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def _csv(path: Path, header: list[str], rows: Iterable[Iterable[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path
