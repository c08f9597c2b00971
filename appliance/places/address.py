"""A proposed address text (事发位置) of a position: 区域 + 街巷 + 门牌, or a landmark with direction and distance."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection, text

from appliance.places.locate import Located, Near, locate, nearest_places
from appliance.places.plane import Plane

LONGEST = 256
"""Characters of 事发位置 in GB/T 47678.5."""

AT_PLATE, AT_ROAD, AT_PLACE, NEAR_PLACE = 25.0, 40.0, 15.0, 500.0
"""Metres within which a position is at a plate, on a road, at a place, or near one."""

LOOKED_AT = 24


class ProposedAddress(msgspec.Struct, frozen=True):
    """The text to offer, and what it was made of."""

    text: str
    located: Located


def propose_address(connection: Connection, lon: float, lat: float) -> ProposedAddress:
    """The address text of a position, at most 256 characters.

    Raises:
        UnknownPlace: the position is outside the county.
    """
    located = locate(connection, lon, lat)
    near = nearest_places(connection, Plane.at(lon, lat), LOOKED_AT)
    region = "".join((county_name(connection, located), located.street_name or "", located.community_name or ""))
    return ProposedAddress((region + detail(near))[:LONGEST], located)


def county_name(connection: Connection, located: Located) -> str:
    """The name of the county that the grid or street is in, "" when it is not known."""
    code = located.grid or located.street or located.community
    if not code:
        return ""
    row = connection.execute(text("SELECT name FROM area WHERE code = :code"), {"code": code[:6]}).first()
    return str(row[0]) if row else ""


def detail(near: tuple[Near, ...]) -> str:
    """What follows the region: plate, or road and the nearest landmark."""
    plate = nearest(near, ("门牌",), AT_PLATE)
    if plate is not None:
        return plate.address or plate.name
    road = nearest(near, ("街巷",), AT_ROAD)
    mark = nearest(near, ("兴趣点", "区片", "地片"), NEAR_PLACE)
    return (road.name if road else "") + relative(mark)


def nearest(near: tuple[Near, ...], types: tuple[str, ...], metres: float) -> Near | None:
    return next((place for place in near if place.type in types and place.metres <= metres), None)


def relative(mark: Near | None) -> str:
    """Where the position lies seen from a landmark; distances in steps of five metres."""
    if mark is None:
        return ""
    if mark.metres <= AT_PLACE:
        return mark.name
    return f"{mark.name}{mark.direction}约{max(5, round(mark.metres / 5) * 5)}米"
