"""Finding a position from what somebody says or types: names, pinyin, codes, coordinates, road and number.

Every way goes through an index: exact names and codes by B-tree, words by full-text search over pairs of characters.
Positions are longitude and latitude in EPSG:4490.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from appliance.places.locate import locate_grid
from appliance.places.words import normal, query, runs
from appliance.records.full_text import PLACES

COORDINATES = re.compile(r"^\s*\(?\s*(-?\d+(?:\.\d+)?)\s*[,，;\s]\s*(-?\d+(?:\.\d+)?)\s*\)?\s*$")
ROAD_NUMBER = re.compile(r"^(?P<road>.*?(?:大道|大街|路|街|巷|道|胡同|弄|里))\s*(?P<number>\d{1,6})\s*号?(?P<rest>.*)$")
NUMBER_ROAD = re.compile(r"^(?P<number>\d{1,6})\s+(?P<road>[a-z].*)$")
PLATE = re.compile(r"\d{1,6}\s*号?(?:院|楼|门)?")
ROAD_THEN_NUMBER = re.compile(r"^(?P<road>[a-z][a-z .'-]*?)\s+(?P<number>\d{1,6})$")
PLATE_NUMBER = re.compile(r"(\d{1,6})\s*(?:-\d+)?\s*号?\s*$")

MATCHES = 200
"""Names that are ranked; more match only for words that say nothing."""

PLATES = 400
LONGEST_QUERY = 100


class Candidate(msgspec.Struct, frozen=True):
    """A place that may be meant; `score` is 100 for sure. `type` is a place type, 部件, 单元网格 or 坐标."""

    name: str
    type: str
    code: str | None
    address: str | None
    lon: float
    lat: float
    grid: str | None
    score: float


def geocode(connection: Connection, wanted: str, limit: int = 10) -> tuple[Candidate, ...]:
    """The places that may be meant by a text, best first; an empty tuple when nothing matches."""
    typed = normal(wanted)[:LONGEST_QUERY]
    if not typed:
        return ()
    by_numbers = at_coordinates(connection, typed)
    if by_numbers:
        return by_numbers
    found = [*by_code(connection, typed, limit), *by_name(connection, typed)]
    found += by_road_number(connection, typed, found)
    found += by_area(connection, typed)
    best: dict[tuple[str, float, float], Candidate] = {}
    for candidate in sorted(found, key=lambda item: (-item.score, len(item.name), item.name, item.code or "")):
        best.setdefault((candidate.name, candidate.lon, candidate.lat), candidate)
    return tuple(with_grid(connection, candidate) for candidate in list(best.values())[:limit])


def at_coordinates(connection: Connection, typed: str) -> tuple[Candidate, ...]:
    """A position that was typed; latitude first is understood where it cannot be anything else."""
    written = COORDINATES.match(typed)
    if not written:
        return ()
    lon, lat = float(written[1]), float(written[2])
    if abs(lat) > 90 >= abs(lon):
        lon, lat = lat, lon
    if abs(lat) > 90 or abs(lon) > 180:
        return ()
    return (with_grid(connection, Candidate(f"{lon:g},{lat:g}", "坐标", None, None, lon, lat, None, 100)),)


def with_grid(connection: Connection, candidate: Candidate) -> Candidate:
    hit = locate_grid(connection, candidate.lon, candidate.lat)
    return msgspec.structs.replace(candidate, grid=hit.grid) if hit else candidate


def by_code(connection: Connection, typed: str, limit: int) -> list[Candidate]:
    """Parts and unit grids whose code begins with the digits that were typed."""
    if not (typed.isascii() and typed.isdigit() and 6 <= len(typed) <= 17):
        return []
    found: list[Candidate] = []
    for table, type_ in (("part", "部件"), ("unit_grid", "单元网格")):
        rows = connection.execute(
            text(
                f"SELECT code, name, lon, lat FROM {table} "  # noqa: S608  # names of our own tables
                "WHERE code >= :low AND code < :high ORDER BY code LIMIT :limit"
            ),
            {"low": typed, "high": typed + ":", "limit": limit},
        )
        for code, name, lon, lat in rows:
            found.append(Candidate(name or code, type_, code, None, lon, lat, None, 100 if code == typed else 70))
    return found


def by_name(connection: Connection, typed: str) -> list[Candidate]:
    """Names that hold all the words, ranked by how they hold them."""
    rows = matching(connection, typed)
    if not rows:
        rows = resembling(connection, typed)
    return [
        Candidate(row.name, row.type, row.code, full_address(row), row.lon, row.lat, None, score)
        for row in rows
        if (score := likeness(typed, row)) >= 40
    ]


def full_address(row: Any) -> str | None:
    """The address of a place; a number plate stands on its road."""
    if row.address:
        return str(row.address)
    if row.type == "门牌" and row.parent and row.parent not in row.name:
        return f"{row.parent}{row.name}"
    return None


def matching(connection: Connection, typed: str) -> list[Any]:
    """Rows with exactly this name, then rows that hold all the words."""
    columns = "code, name, type, parent, address, initials, lon, lat, attributes"
    exact = connection.execute(
        text(f"SELECT {columns} FROM place WHERE name = :name LIMIT :limit"),  # noqa: S608  # fixed columns
        {"name": typed, "limit": MATCHES},
    ).all()
    return [*exact, *full_text(connection, query(typed), columns, MATCHES)]


def full_text(connection: Connection, words: str, columns: str, limit: int) -> list[Any]:
    """Rows of `place` that match an FTS5 query."""
    if not words:
        return []
    dialect = connection.dialect.name
    statement = (
        f"SELECT {columns} FROM place WHERE id IN (SELECT {PLACES.key(dialect)} "  # noqa: S608  # fixed columns
        f"FROM {PLACES.source(dialect)} WHERE {PLACES.matches(dialect)} LIMIT :limit)"
    )
    values = {"expression": PLACES.expression(dialect, words), "limit": limit}
    return list(connection.execute(text(statement), values).all())


def resembling(connection: Connection, typed: str) -> list[Any]:
    """Rows that hold most of the words, or the first of a few, for a name with a wrong or missing character."""
    words = [word for word in query(typed).split(" AND ") if len(word.strip('"*')) > 1][:6]
    if len(words) < 2:
        return []
    columns = "code, name, type, parent, address, initials, lon, lat, attributes"
    if len(words) <= 3:
        wanted = [words[:1], words[-1:]]
    else:
        # a wrong character spoils the two pairs that it stands in
        wanted = [words[:start] + words[start + 2 :] for start in range(len(words) - 1)]
    return [row for rest in wanted for row in full_text(connection, " AND ".join(rest), columns, MATCHES // 4)]


def likeness(typed: str, row: Any) -> float:
    """How well a row fits, 0 to 100."""
    name = normal(row.name)
    whole = normal(f"{row.parent or ''}{row.name}") if row.type == "门牌" else name
    compact = typed.replace(" ", "")
    if typed in (name, whole):
        return 99
    if row.initials == compact:
        return 92
    if name.startswith(typed) or whole.startswith(typed):
        return 90 - 10 * (1 - len(typed) / len(name))
    if typed in whole:
        return 80 - 10 * (1 - len(typed) / len(whole))
    if compact.isascii() and compact.isalnum():
        return 75 if row.initials.startswith(compact) else 65
    if row.address and typed in normal(row.address):
        return 72
    from rapidfuzz import fuzz  # only for names that fit in part

    return float(0.7 * fuzz.partial_ratio(typed, whole))


def by_road_number(connection: Connection, typed: str, found: Iterable[Candidate]) -> list[Candidate]:
    """A number on a road: by plates beside it, else by the road's own address ranges, else the road."""
    written = ROAD_NUMBER.match(typed) or NUMBER_ROAD.match(typed) or ROAD_THEN_NUMBER.match(typed)
    if not written or any(candidate.score >= 99 for candidate in found):
        return []
    road, number = written["road"].strip(), int(written["number"])
    columns = "code, name, type, parent, address, initials, lon, lat, attributes"
    rows = full_text(connection, query(road), columns, PLATES)
    beside = beside_plates([row for row in rows if row.type == "门牌"], number)
    if beside:
        return beside
    roads = [row for row in rows if row.type == "街巷" and normal(row.name).startswith(road)]
    ranged = [(row, place) for row in roads if (place := in_range(connection, row, number)) is not None]
    if ranged:
        row, (lon, lat) = ranged[0]
        return [Candidate(numbered(row.name, number), "门牌", None, None, lon, lat, None, 88)]
    return [Candidate(row.name, row.type, row.code, row.address, row.lon, row.lat, None, 60) for row in roads[:3]]


def beside_plates(rows: Iterable[Any], number: int) -> list[Candidate]:
    """The number on every road that has plates beside it, the surest first; plates of two roads are never mixed."""
    by_road: dict[str, list[tuple[int, Any]]] = {}
    for row in rows:
        plate = plate_number(row.name)
        if plate is not None:
            by_road.setdefault(road_of(row.name), []).append((plate, row))
    found = []
    for road, plates in by_road.items():
        beside = between_plates(plates, number)
        if beside:
            lon, lat, score = beside
            found.append(Candidate(numbered(road, number), "门牌", None, None, lon, lat, None, score))
    return sorted(found, key=lambda candidate: -candidate.score)[:3]


def road_of(plate: str) -> str:
    """The road of a plate: 药城路 of 药城路18号, Main Street of 18 Main Street."""
    return PLATE.sub("", plate).strip()


def numbered(road: str, number: int) -> str:
    """A number on a road as it is written there."""
    return f"{number} {road}" if road.isascii() else f"{road}{number}号"


def plate_number(name: str) -> int | None:
    """The number of a plate: 18 of 药城路18号."""
    written = PLATE_NUMBER.search(normal(name))
    return int(written[1]) if written else None


def between_plates(plates: list[tuple[int, Any]], number: int) -> tuple[float, float, float] | None:
    """The position of a number between its neighbours, on its own side of the road where that is known."""
    side = [plate for plate in plates if plate[0] % 2 == number % 2] or plates
    lower = max((plate for plate in side if plate[0] <= number), key=first, default=None)
    upper = min((plate for plate in side if plate[0] >= number), key=first, default=None)
    if lower and upper:
        share = 0.0 if upper[0] == lower[0] else (number - lower[0]) / (upper[0] - lower[0])
        lon = lower[1].lon + share * (upper[1].lon - lower[1].lon)
        lat = lower[1].lat + share * (upper[1].lat - lower[1].lat)
        return lon, lat, 95 if upper[0] == lower[0] else 85
    nearest = lower or upper
    if nearest is None or abs(nearest[0] - number) > 50:
        return None
    return nearest[1].lon, nearest[1].lat, 55


def first(plate: tuple[int, Any]) -> int:
    return plate[0]


def in_range(connection: Connection, row: Any, number: int) -> tuple[float, float] | None:
    """The position of a number on a road that has address ranges (L_From, L_To, R_From, R_To) as attributes."""
    attributes = row.attributes
    if isinstance(attributes, str):
        attributes = msgspec.json.decode(attributes)
    for left, right in (("L_From", "L_To"), ("R_From", "R_To")):
        start, end = (attributes or {}).get(left), (attributes or {}).get(right)
        if not (isinstance(start, int | float) and isinstance(end, int | float)) or start % 2 != number % 2:
            continue
        if min(start, end) <= number <= max(start, end):
            share = 0.5 if start == end else (number - start) / (end - start)
            point = connection.execute(
                text(
                    "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Line_Interpolate_Point(geom, :share) AS p FROM place "
                    "WHERE code = :code) AS line"
                ),
                {"share": share, "code": row.code},
            ).first()
            if point is not None and point[0] is not None:
                return float(point[0]), float(point[1])
    return None


def by_area(connection: Connection, typed: str) -> list[Candidate]:
    """Streets and communities by name, in the middle of their unit grids; some thousand rows at most."""
    if not runs(typed) or typed.isascii():
        return []
    rows = connection.execute(
        text("SELECT code, name, level FROM area WHERE name LIKE :like ORDER BY length(name), code LIMIT 5"),
        {"like": f"%{typed.replace('%', '').replace('_', '')}%"},
    ).all()
    found: list[Candidate] = []
    for code, name, level in rows:
        column = {"street": "street", "community": "community"}.get(level)
        if column is None:
            continue
        middle = connection.execute(
            text(
                "SELECT lon, lat FROM unit_grid WHERE community >= :low AND community < :high "
                "ORDER BY community, code LIMIT 400"
            ),
            {"low": code, "high": code + ":"},
        ).all()
        if middle:
            lon, lat = (sum(pair[axis] for pair in middle) / len(middle) for axis in (0, 1))
            found.append(Candidate(name, "区域", code, None, lon, lat, None, 96 if name == typed else 70))
    return found
