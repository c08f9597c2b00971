"""Shapes as the tables keep them: well-known binary, polygons always as multipolygons, areas in m2."""

from __future__ import annotations

from typing import Any

import shapely

from appliance.places.plane import Plane


def multipolygon_wkb(shape: Any) -> bytes:
    """A polygon or multipolygon as the WKB of a two-dimensional multipolygon in its canonical order."""
    made = shape if shape.geom_type == "MultiPolygon" else shapely.MultiPolygon([shape])
    return plain_wkb(made)


def plain_wkb(shape: Any) -> bytes:
    """Any shape as two-dimensional WKB.

    Formats turn rings around and begin them elsewhere, so polygons are put into one order: the same shape is the same
    bytes. Lines keep their direction, house numbers count along it.
    """
    flat = shapely.force_2d(shape)
    if flat.geom_type in ("Polygon", "MultiPolygon"):
        flat = shapely.orient_polygons(shapely.normalize(flat))
    wkb: bytes = shapely.to_wkb(flat, output_dimension=2)
    return wkb


def area_m2(shape: Any) -> float:
    """The area of a polygon of grid size in square metres, on the plane that touches the ellipsoid in its middle."""
    middle = shapely.centroid(shape)
    plane = Plane.at(middle.x, middle.y)
    return round(float(shapely.area(shape)) * plane.metres_per_lon * plane.metres_per_lat, 1)


def label_point(shape: Any) -> tuple[float, float]:
    """A point that surely lies in the shape (on it, for a line)."""
    point = shape if shape.geom_type == "Point" else shapely.point_on_surface(shape)
    return float(point.x), float(point.y)
