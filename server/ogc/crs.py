"""Coordinate reference systems of the OGC API: CRS84 unless another is asked for.

Stored is EPSG:4490 (CGCS2000). To the centimetre of a city census it equals WGS 84, so CRS84 and EPSG:4326 get the same
numbers; EPSG:4490 and EPSG:4326 have latitude first, as their registry says.
"""

from __future__ import annotations

from math import isfinite

from appliance.errors import FieldError, Invalid

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG_4490 = "http://www.opengis.net/def/crs/EPSG/0/4490"
EPSG_4326 = "http://www.opengis.net/def/crs/EPSG/0/4326"
SYSTEMS = (CRS84, EPSG_4490, EPSG_4326)
LATITUDE_FIRST = frozenset((EPSG_4490, EPSG_4326))
SHORT = {"EPSG:4490": EPSG_4490, "EPSG:4326": EPSG_4326, "CRS84": CRS84, "OGC:CRS84": CRS84}
SHORT |= {"urn:ogc:def:crs:EPSG::4490": EPSG_4490, "urn:ogc:def:crs:EPSG::4326": EPSG_4326}

Box = tuple[float, float, float, float]


def system_of(name: str, written: str | None) -> str:
    """The URI of a coordinate system that is published.

    Raises:
        Invalid: another one; the known ones are named.
    """
    if not written:
        return CRS84
    found = SHORT.get(written.strip("[]"), written.strip("[]"))
    if found not in SYSTEMS:
        raise Invalid(
            f"{name} 不支持 {written};可用: {'、'.join(SYSTEMS)}。",
            f"{name} does not know {written}; use one of {', '.join(SYSTEMS)}.",
            fields=(FieldError(name, "不支持的坐标系", "coordinate system not supported", SYSTEMS),),
        )
    return found


def box_of(written: str, system: str) -> Box:
    """West, south, east, north of a `bbox` with four or six numbers (heights are not looked at).

    Raises:
        Invalid: not such a box.
    """
    try:
        numbers = [float(part) for part in written.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(isfinite(number) for number in numbers):
        raise _wrong_box(written)
    west, south, east, north = numbers
    if system in LATITUDE_FIRST:
        west, south, east, north = south, west, north, east
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise _wrong_box(written)
    return west, south, east, north


def _wrong_box(written: str) -> Invalid:
    return Invalid(
        f"bbox 须为四个(或六个)数,先小后大,顺序按 bbox-crs;得到 {written}。",
        f"bbox must be four (or six) numbers, lower corner first, in the axis order of bbox-crs; got {written}.",
        fields=(FieldError("bbox", "不是范围", "not a box"),),
    )
