"""Which piece of the county a canvas shows, and how degrees become dots. Pure; positions are EPSG:4490."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import cos, radians
from typing import Any

METRES_A_DEGREE = 111_320.0
NEAREST, FARTHEST = 0.2, 2_000.0
"""Metres a dot, closest and widest."""


@dataclass(frozen=True, slots=True)
class Viewport:
    """A piece of the county: its middle, and how many metres a dot stands for.

    Braille dots are about square on a terminal (a cell is twice as high as wide and has two by four dots).
    """

    lon: float
    lat: float
    metres: float
    wide: int
    high: int

    def dots(self, lon: float, lat: float) -> tuple[float, float]:
        """The dot of a position; may lie outside."""
        east = (lon - self.lon) * METRES_A_DEGREE * cos(radians(self.lat)) / self.metres
        north = (lat - self.lat) * METRES_A_DEGREE / self.metres
        return self.wide / 2 + east, self.high / 2 - north

    def path(self, line: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """The dots of a line of positions."""
        across = METRES_A_DEGREE * cos(radians(self.lat)) / self.metres
        down = METRES_A_DEGREE / self.metres
        left, top = self.wide / 2 - self.lon * across, self.high / 2 + self.lat * down
        return [(left + lon * across, top - lat * down) for lon, lat in line]

    def position(self, x: float, y: float) -> tuple[float, float]:
        """The position of a dot."""
        lat = self.lat + (self.high / 2 - y) * self.metres / METRES_A_DEGREE
        lon = self.lon + (x - self.wide / 2) * self.metres / (METRES_A_DEGREE * cos(radians(self.lat)))
        return lon, lat

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        west, north = self.position(0, 0)
        east, south = self.position(self.wide, self.high)
        return max(west, -180), max(south, -90), min(east, 180), min(north, 90)

    def grown(self, share: float) -> Viewport:
        """The same middle and scale with a margin of a share of its size on each side."""
        return self.sized(round(self.wide * (1 + 2 * share)), round(self.high * (1 + 2 * share)))

    def inside(self, box: tuple[float, float, float, float]) -> bool:
        """Whether all of it lies in a box."""
        west, south, east, north = self.box
        return box[0] <= west and box[1] <= south and east <= box[2] and north <= box[3]

    @property
    def box_text(self) -> str:
        """The box as the node wants it in `bbox`."""
        return ",".join(f"{value:.6f}" for value in self.box)

    def zoomed(self, factor: float) -> Viewport:
        """The same middle, `factor` times closer."""
        return replace(self, metres=min(max(self.metres / factor, NEAREST), FARTHEST))

    def moved(self, right: float, down: float) -> Viewport:
        """Shifted by shares of its own width and height."""
        lon, lat = self.position(self.wide * (0.5 + right), self.high * (0.5 + down))
        return replace(self, lon=lon, lat=lat)

    def sized(self, wide: int, high: int) -> Viewport:
        """The same middle and scale on a canvas of other size."""
        return replace(self, wide=wide, high=high)


def fitting(box: tuple[float, float, float, float], wide: int, high: int) -> Viewport:
    """The viewport that shows a whole box with a little room around it."""
    west, south, east, north = box
    lat = (south + north) / 2
    across = (east - west) * METRES_A_DEGREE * cos(radians(lat))
    metres = max(across / max(wide, 1), (north - south) * METRES_A_DEGREE / max(high, 1)) * 1.1
    return Viewport((west + east) / 2, lat, min(max(metres, NEAREST), FARTHEST), wide, high)


def rings(geometry: dict[str, Any] | None) -> list[list[tuple[float, float]]]:
    """The lines of a GeoJSON geometry: outlines of polygons, lines; points give none."""
    if not geometry:
        return []
    kind, given = geometry["type"], geometry.get("coordinates", [])
    if kind == "GeometryCollection":
        return [line for one in geometry.get("geometries", []) for line in rings(one)]
    if kind == "MultiPolygon":
        lines = [ring for polygon in given for ring in polygon]
    elif kind in ("Polygon", "MultiLineString"):
        lines = given
    else:
        lines = [given] if kind == "LineString" else []
    return [[(point[0], point[1]) for point in line] for line in lines]


def box_of(points: list[tuple[float, float]]) -> tuple[float, float, float, float] | None:
    """The box around points, None where there are none."""
    if not points:
        return None
    lons, lats = [point[0] for point in points], [point[1] for point in points]
    return min(lons), min(lats), max(lons), max(lats)
