"""The ground of the demo county: real names and codes of Yuzhou (411081), invented shapes.

Names and codes are the official division codes of 2023-06-30. No free polygons of townships exist, so the shapes are
rectangles: the five streets of the town in the middle, the other townships around them. Nothing here is a map.
Positions are EPSG:4490.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

CENTRE = (113.4716, 34.1595)
TOWN_DEGREES = 0.045
COUNTY_DEGREES = 0.22
TOWN_STREETS = ("411081001", "411081002", "411081003", "411081004", "411081005")
DEMO_COMMUNITIES = 6
"""So many communities of each street of the town get a shape and grids; enough to work in, quick to make."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in degrees."""

    west: float
    south: float
    east: float
    north: float

    def split(self, share: float) -> tuple[Box, Box]:
        """Two parts, cut across the longer side."""
        if self.east - self.west > self.north - self.south:
            middle = self.west + (self.east - self.west) * share
            return Box(self.west, self.south, middle, self.north), Box(middle, self.south, self.east, self.north)
        middle = self.south + (self.north - self.south) * share
        return Box(self.west, self.south, self.east, middle), Box(self.west, middle, self.east, self.north)

    def ring(self) -> list[list[float]]:
        """The corners, counter-clockwise and closed."""
        return [
            [self.west, self.south], [self.east, self.south], [self.east, self.north], [self.west, self.north],
            [self.west, self.south],
        ]  # fmt: skip

    def inside(self, random: Random) -> tuple[float, float]:
        """A random position not too near to the edge."""
        width, height = self.east - self.west, self.north - self.south
        return (
            round(self.west + width * random.uniform(0.02, 0.98), 7),
            round(self.south + height * random.uniform(0.02, 0.98), 7),
        )


@dataclass(frozen=True, slots=True)
class Area:
    """An area of the demo county; `box` is None where only the name is known."""

    level: str
    code: str
    name: str
    parent: str
    box: Box | None


def shares(box: Box, count: int, random: Random) -> list[Box]:
    """A box cut into so many parts."""
    if count == 1:
        return [box]
    left = count // 2
    first, second = box.split(left / count * random.uniform(0.92, 1.08))
    return [*shares(first, left, random), *shares(second, count - left, random)]


@cache
def areas() -> tuple[Area, ...]:
    """County, townships and communities, always the same."""
    with (Path(__file__).parent / "yuzhou.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    random = Random(411081)
    lon, lat = CENTRE
    county = Box(lon - COUNTY_DEGREES, lat - COUNTY_DEGREES, lon + COUNTY_DEGREES, lat + COUNTY_DEGREES)
    half = TOWN_DEGREES / 2
    town = Box(lon - half, lat - half, lon + half, lat + half)
    boxes: dict[str, Box] = dict(zip(TOWN_STREETS, shares(town, len(TOWN_STREETS), random), strict=True))
    for street in TOWN_STREETS:
        codes = [row["code"] for row in rows if row["parent"] == street][:DEMO_COMMUNITIES]
        boxes |= dict(zip(codes, shares(boxes[street], len(codes), random), strict=True))
    boxes["411081"] = county
    return tuple(Area(row["level"], row["code"], row["name"], row["parent"], boxes.get(row["code"])) for row in rows)


def town_communities() -> list[Area]:
    """The communities that have grids."""
    return [area for area in areas() if area.level == "community" and area.box is not None]
