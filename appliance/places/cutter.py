"""Lays unit grids over communities: about 10,000 m2 each, seamless, coded west to east and north to south.

All cutting happens in degrees, stretched to metres by one factor east and one north. That is an affine map, so straight
edges stay straight and cut pieces fit together to the last digit; areas are computed on the ellipsoid afterwards.
Rules: CJ/T 213 and GB/T 47678.3 as gathered in public sources (see docs).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy
import shapely

from appliance.errors import FieldError, Invalid
from appliance.places.plane import Plane
from appliance.places.shapes import area_m2

SLIVER = 0.3
"""Pieces below this share of a full grid go to the neighbour with the longest common edge."""

SERIALS = {15: 999, 14: 99}
"""How many grids a community can have, by the length of the code."""

GROWTH = 1.1
SNAP = 1e-9
"""Degrees (a tenth of a millimetre) to which corners are rounded, so that neighbours share them exactly."""

BLOCK_STREET, BLOCK_COMMUNITY = 900, 901
"""First street and community number of blocks that stand in for unknown communities."""


@dataclass(frozen=True, slots=True)
class Community:
    """A community to be cut; `code` has 12 digits, the shape is a polygon in EPSG:4490."""

    code: str
    shape: Any


@dataclass(frozen=True, slots=True)
class CutGrid:
    """A new unit grid."""

    code: str
    community: str
    shape: Any
    area_m2: float


@dataclass(frozen=True, slots=True)
class Cut:
    """The grids of all communities; `enlarged` names those whose grids had to be larger to fit the numbers."""

    grids: tuple[CutGrid, ...]
    enlarged: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lattice:
    """Squares of `east` by `north` degrees from a corner."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def over(cls, shapes: Any, size: float) -> Lattice:
        """The lattice of `size` metres over all shapes, fitted in the middle latitude."""
        west, south, _, top = (float(value) for value in shapely.total_bounds(shapes))
        plane = Plane.at(west, (south + top) / 2)
        return cls(west, south, size / plane.metres_per_lon, size / plane.metres_per_lat)

    def scaled(self, factor: float) -> Lattice:
        """Larger squares from the same corner."""
        return Lattice(self.west, self.south, self.east * factor, self.north * factor)

    def cells(self, shape: Any) -> Any:
        """All squares that the box of a shape meets."""
        west, south, east, north = shapely.bounds(shape)
        columns = numpy.arange(floor((west - self.west) / self.east), ceil((east - self.west) / self.east) + 1)
        rows = numpy.arange(floor((south - self.south) / self.north), ceil((north - self.south) / self.north) + 1)
        left, low = numpy.meshgrid(columns, rows)
        # each line of the lattice is computed once, so that squares share it to the last digit
        return shapely.box(
            self.west + left.ravel() * self.east,
            self.south + low.ravel() * self.north,
            self.west + (left.ravel() + 1) * self.east,
            self.south + (low.ravel() + 1) * self.north,
        )

    def row(self, lat: float) -> int:
        """The row of the lattice that a latitude is in, counted from the south."""
        return floor((lat - self.south) / self.north)


def cut(
    communities: Iterable[Community],
    *,
    size: float = 100.0,
    digits: int = 15,
    tell: Callable[[int, int], None] | None = None,
) -> Cut:
    """Cut communities into unit grids.

    Args:
        communities: polygons that do not overlap; together they are the county.
        size: side of a full grid in metres.
        digits: 15, or 14 for codes of the older edition (at most 99 grids a community).
        tell: called with communities done and in all.

    Raises:
        Invalid: a size or code length that makes no sense.
    """
    there = list(communities)
    check_wish(size, digits, there)
    lattice = Lattice.over(numpy.array([item.shape for item in there], dtype=object), size)
    grids: list[CutGrid] = []
    enlarged: list[str] = []
    for done, community in enumerate(there, 1):
        pieces, factor = fitted(community.shape, lattice, SERIALS[digits])
        if factor > 1:
            enlarged.append(community.code)
        grids += coded(community.code, pieces, lattice.scaled(factor), digits)
        if tell:
            tell(done, len(there))
    return Cut(tuple(grids), tuple(enlarged))


def check_wish(size: float, digits: int, communities: list[Community]) -> None:
    if digits not in SERIALS:
        raise wrong("digits", "编码应为 14 或 15 位", "codes have 14 or 15 digits")
    if not 10 <= size <= 5_000:
        raise wrong("size", "边长应为 10 至 5000 米", "the side must be 10 to 5000 metres")
    if not communities:
        raise wrong(
            "boundary", "没有可划分的边界，请先 wanmi import boundary", "no boundary: run wanmi import boundary first"
        )


def wrong(field: str, zh: str, en: str) -> Invalid:
    return Invalid(f"{zh}。", f"{en}.", fields=(FieldError(field, zh, en),))


def fitted(shape: Any, lattice: Lattice, most: int) -> tuple[list[Any], float]:
    """The pieces of a community, and how much larger than wished they had to be to number at most `most`."""
    factor = 1.0
    while True:
        pieces = merged(pieces_of(shape, lattice.scaled(factor)), lattice.scaled(factor))
        if len(pieces) <= most:
            return pieces, factor
        factor *= max(GROWTH, (len(pieces) / most) ** 0.5)


def pieces_of(shape: Any, lattice: Lattice) -> list[Any]:
    """The squares clipped to the shape, each connected piece by itself."""
    cells = lattice.cells(shape)
    shapely.prepare(shape)
    whole = shapely.contains_properly(shape, cells)
    edge = cells[~whole & shapely.intersects(shape, cells)]
    clipped = shapely.get_parts(shapely.intersection(edge, shape))
    flat = clipped[(shapely.get_type_id(clipped) == 3) & (shapely.area(clipped) > 0)]
    rounded = shapely.set_precision(numpy.concatenate([cells[whole], flat]), SNAP, mode="pointwise")
    return [piece for piece in rounded if not piece.is_empty and piece.area > 0]


def merged(pieces: list[Any], lattice: Lattice) -> list[Any]:
    """The pieces with slivers given to the neighbour that shares the longest edge, smallest first."""
    least = SLIVER * lattice.east * lattice.north
    shapes: dict[int, Any] = dict(enumerate(pieces))
    moved: dict[int, int] = {}
    tree = shapely.STRtree(pieces)

    def now(index: int) -> int:
        while index in moved:
            index = moved[index]
        return index

    for index in sorted((index for index, piece in shapes.items() if piece.area < least), key=lambda i: pieces[i].area):
        own = now(index)
        if shapes[own].area >= least:
            continue
        touching = {now(int(other)) for other in tree.query(shapes[own], predicate="intersects")} - {own}
        edges = {other: shapes[own].intersection(shapes[other]).length for other in touching}
        best = max(edges, key=lambda other: (edges[other], -other), default=None)
        if best is None or edges[best] == 0:
            continue
        joined = shapely.union(shapes[own], shapes[best])
        if joined.geom_type != "Polygon":
            continue
        shapes[best] = joined
        moved[own] = best
        del shapes[own]
    return list(shapes.values())


def coded(community: str, pieces: list[Any], lattice: Lattice, digits: int) -> list[CutGrid]:
    """The pieces in order, north row first and each row from the west, with their codes."""
    centres = shapely.get_coordinates(shapely.centroid(numpy.array(pieces, dtype=object)))
    order = sorted(range(len(pieces)), key=lambda i: (-lattice.row(centres[i][1]), centres[i][0], -centres[i][1]))
    width = digits - 12
    return [
        CutGrid(f"{community}{serial:0{width}d}", community, pieces[index], area_m2(pieces[index]))
        for serial, index in enumerate(order, 1)
    ]


def blocks(county: str, boundary: Any, *, size: float = 100.0, digits: int = 15) -> list[Community]:
    """Square blocks over a boundary that stand in for communities whose outlines nobody has.

    Each holds at most as many grids as its code has numbers; streets count from 900, communities from 901.
    """
    side = int((SERIALS[digits] * 0.8) ** 0.5)
    lattice = Lattice.over(boundary, size).scaled(side)
    pieces = merged(pieces_of(boundary, lattice), lattice)
    return [
        Community(f"{county}{BLOCK_STREET + number // 99:03d}{BLOCK_COMMUNITY + number % 99:03d}", item.shape)
        for number, item in enumerate(coded(county, pieces, lattice, 12 + 6))
    ]
