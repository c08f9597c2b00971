"""Metres around a point on the ellipsoid: a local plane that is exact enough within some kilometres.

One degree of latitude and of longitude on GRS 80 (the ellipsoid of CGCS2000) at a given latitude, from the radii of
curvature; the error within 5 km is below 1 in 10,000.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, radians, sin, sqrt

SEMI_MAJOR = 6_378_137.0
ECCENTRICITY_SQUARED = 0.006_694_380_022_90

DIRECTIONS = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane that touches the ellipsoid at `lon`, `lat`; x is metres east, y metres north."""

    lon: float
    lat: float
    metres_per_lon: float
    metres_per_lat: float

    @classmethod
    def at(cls, lon: float, lat: float) -> Plane:
        """The plane at a point in degrees."""
        flat = 1 - ECCENTRICITY_SQUARED * sin(radians(lat)) ** 2
        meridian = SEMI_MAJOR * (1 - ECCENTRICITY_SQUARED) / (flat * sqrt(flat))
        parallel = SEMI_MAJOR / sqrt(flat) * cos(radians(lat))
        return cls(lon, lat, radians(parallel), radians(meridian))

    def metres(self, lon: float, lat: float) -> float:
        """The distance from the plane's point."""
        return hypot((lon - self.lon) * self.metres_per_lon, (lat - self.lat) * self.metres_per_lat)

    def box(self, metres: float) -> dict[str, float]:
        """The square of that half width around the point, as west, south, east, north."""
        width, height = metres / self.metres_per_lon, metres / self.metres_per_lat
        return {
            "west": self.lon - width,
            "south": self.lat - height,
            "east": self.lon + width,
            "north": self.lat + height,
        }

    def direction_from(self, lon: float, lat: float) -> str:
        """Where the plane's point lies seen from another point, one of `DIRECTIONS`."""
        east = (self.lon - lon) * self.metres_per_lon
        north = (self.lat - lat) * self.metres_per_lat
        return DIRECTIONS[round(degrees(atan2(east, north)) / 45) % 8]
