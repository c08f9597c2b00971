"""Coordinate reference systems of files, and the way from each to EPSG:4490.

CGCS2000, WGS 84 and the other modern systems agree within some decimetres and are taken as one. Beijing 54, Xian 80 and
a town's own grid differ by tens to hundreds of metres; PROJ would take them over unshifted, so they are refused unless
the town's parameters are given. GCJ-02 (the shifted coordinates of Chinese web maps) is undone exactly by iteration.
"""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from appliance.errors import FieldError, Invalid

Points = Any
"""A numpy array of shape (n, 2): longitude and latitude, or east and north."""

MODERN_DATUMS = (
    "China 2000", "China_2000", "CGCS2000", "CGCS_2000", "World Geodetic System 1984", "WGS_1984", "WGS 84", "WGS84",
    "International Terrestrial Reference Frame", "ITRF", "European Terrestrial Reference System 1989", "ETRS",
    "North American Datum 1983", "North_American_1983", "NAD83", "Geocentric Datum of Australia",
)  # fmt: skip
"""Datums that agree with CGCS2000 within some metres anywhere, and within decimetres in China."""

GCJ_NAMES = frozenset({"gcj-02", "gcj02", "gcj"})
GCJ_BOX = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north: outside this box GCJ-02 shifts nothing."""

KRASOVSKY = 6_378_245.0
KRASOVSKY_ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943
GCJ_PRECISION = 1e-11
"""Degrees at which the inverse stops, about a thousandth of a millimetre."""

FOUR = ("east", "north", "rotation", "scale")
SEVEN = ("dx", "dy", "dz", "rx", "ry", "rz", "ppm")


@dataclass(frozen=True, slots=True)
class Way:
    """How to come from a file's coordinates to EPSG:4490.

    Attributes:
        name: what to show a person.
        degrees: whether the file's coordinates are longitude and latitude.
        convert: turns the file's points into longitude and latitude; not finite where it cannot.
        area: west, south, east, north where the system is used, if it is known.
    """

    name: str
    degrees: bool
    convert: Callable[[Points], Points]
    area: tuple[float, float, float, float] | None = None


def way(text: str) -> Way:
    """The way from the system named by `text`: "EPSG:4547", WKT, "GCJ-02", or "@params.toml".

    Raises:
        Invalid: unknown, or an old datum whose shift is not known.
    """
    if text.strip().lower() in GCJ_NAMES:
        return Way("GCJ-02", True, gcj02_to_wgs84, None)
    if text.startswith("@"):
        return own_grid(Path(text[1:]))
    try:
        crs = CRS.from_user_input(text)
    except CRSError as problem:
        shown = " ".join(text.split())[:60]
        raise refused(
            f"坐标系“{shown}”无法识别，写作 EPSG:4547、GCJ-02 或 @params.toml",
            f"the reference system '{shown}' is unknown; write EPSG:4547, GCJ-02 or @params.toml",
        ) from problem
    return known_way(crs)


def known_way(crs: CRS) -> Way:
    """The way from a system of the EPSG registry or a file's own WKT."""
    geographic = crs.geodetic_crs
    if geographic is None or not (crs.is_geographic or crs.is_projected or crs.is_bound or crs.is_compound):
        raise refused(f"坐标系“{crs.name}”不是平面或经纬度坐标系", f"'{crs.name}' is neither projected nor geographic")
    datum = geographic.datum.name if geographic.datum else geographic.name
    if not any(known.lower() in datum.lower() for known in MODERN_DATUMS):
        raise refused(
            f"坐标系“{crs.name}”的基准 {datum} 与 CGCS2000 相差数十至上百米，"
            "请用 --crs @params.toml 给出本地四参数或七参数",
            f"'{crs.name}' has the datum {datum}, which lies tens of metres off CGCS2000; "
            "give the town's 4 or 7 parameters with --crs @params.toml",
        )
    area = crs.area_of_use.bounds if crs.area_of_use else None
    if crs.is_geographic:
        return Way(crs.name, True, as_they_are, cast(Any, area))
    transformer = Transformer.from_crs(crs, geographic, always_xy=True)
    return Way(crs.name, False, lambda points: transformed(transformer, points), cast(Any, area))


def as_they_are(points: Points) -> Points:
    return points


def transformed(transformer: Transformer, points: Points) -> Points:
    try:
        lon, lat = transformer.transform(points[:, 0], points[:, 1])
    except ProjError:
        return numpy.full_like(points, numpy.nan)
    return numpy.column_stack([lon, lat])


def refused(zh: str, en: str) -> Invalid:
    return Invalid(f"{zh}。", f"{en}.", fields=(FieldError("crs", zh, en),))


def gcj02_shift(points: Points) -> Points:
    """What GCJ-02 adds to WGS 84 longitude and latitude, in degrees; nothing outside its box."""
    lon, lat = points[:, 0], points[:, 1]
    x, y = lon - 105.0, lat - 35.0
    wave = (20.0 * numpy.sin(6.0 * x * numpy.pi) + 20.0 * numpy.sin(2.0 * x * numpy.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * numpy.sqrt(numpy.abs(x)) + wave
    north += (20.0 * numpy.sin(y * numpy.pi) + 40.0 * numpy.sin(y / 3.0 * numpy.pi)) * 2.0 / 3.0
    north += (160.0 * numpy.sin(y / 12.0 * numpy.pi) + 320.0 * numpy.sin(y * numpy.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * numpy.sqrt(numpy.abs(x)) + wave
    east += (20.0 * numpy.sin(x * numpy.pi) + 40.0 * numpy.sin(x / 3.0 * numpy.pi)) * 2.0 / 3.0
    east += (150.0 * numpy.sin(x / 12.0 * numpy.pi) + 300.0 * numpy.sin(x / 30.0 * numpy.pi)) * 2.0 / 3.0
    flat = 1 - KRASOVSKY_ECCENTRICITY_SQUARED * numpy.sin(numpy.radians(lat)) ** 2
    meridian = KRASOVSKY * (1 - KRASOVSKY_ECCENTRICITY_SQUARED) / (flat * numpy.sqrt(flat))
    parallel = KRASOVSKY / numpy.sqrt(flat) * numpy.cos(numpy.radians(lat))
    shift = numpy.column_stack([numpy.degrees(east / parallel), numpy.degrees(north / meridian)])
    west, south, east_end, north_end = GCJ_BOX
    inside = (lon >= west) & (lon <= east_end) & (lat >= south) & (lat <= north_end)
    return numpy.where(inside[:, None], shift, 0.0)


def wgs84_to_gcj02(points: Points) -> Points:
    """WGS 84 to GCJ-02, degrees."""
    return points + gcj02_shift(points)


def gcj02_to_wgs84(points: Points) -> Points:
    """GCJ-02 to WGS 84 by fixed-point iteration; the shift changes slowly, so a few rounds are exact to nanometres."""
    points = numpy.asarray(points, dtype=float)
    found = points.copy()
    for _ in range(30):
        better = points - gcj02_shift(found)
        moved = numpy.nanmax(numpy.abs(better - found), initial=0.0)
        found = better
        if moved < GCJ_PRECISION:
            break
    return found


def own_grid(path: Path) -> Way:
    """A town's own grid by its parameters. The file is secret: mode 0600, and no number of it is ever shown.

    Four parameters (plane to plane):    target = "EPSG:4547", east, north (metres), rotation (arc seconds), scale
    Seven parameters (ellipsoid to ellipsoid): source = "EPSG:2433" (the old projected system), dx, dy, dz (metres),
    rx, ry, rz (arc seconds), ppm, convention = "position_vector" or "coordinate_frame"

    Raises:
        Invalid: no such file, readable by others, or a parameter missing.
    """
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise refused(
                f"参数文件 {path.name} 他人可读，请先 chmod 600", f"others can read {path.name}; chmod 600 it"
            )
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        zh, en = f"参数文件 {path.name} 读不出来", f"the parameter file {path.name} cannot be read"
        raise refused(zh, en) from problem
    names = FOUR if "target" in values else SEVEN
    for name in (*names, "target" if names is FOUR else "source"):
        if name not in values:
            raise refused(f"参数文件 {path.name} 缺少 {name}", f"the parameter file {path.name} has no {name}")
    for name in names:
        if not isinstance(values[name], int | float) or isinstance(values[name], bool):
            raise refused(f"参数文件 {path.name} 的 {name} 不是数", f"{name} in the parameter file is no number")
    return four_parameters(path.name, values) if names is FOUR else seven_parameters(path.name, values)


def four_parameters(name: str, values: dict[str, Any]) -> Way:
    """Turn, stretch and move the plane onto a known projected system, then go its way."""
    target = way(str(values["target"]))
    angle = numpy.radians(values["rotation"] / 3600)
    turn = values["scale"] * numpy.array([[numpy.cos(angle), numpy.sin(angle)], [-numpy.sin(angle), numpy.cos(angle)]])
    move = numpy.array([values["east"], values["north"]], dtype=float)
    return Way(f"@{name}", False, lambda points: target.convert(points @ turn.T + move), target.area)


def seven_parameters(name: str, values: dict[str, Any]) -> Way:
    """Unproject on the old ellipsoid, shift in space, and come down on GRS 80."""
    try:
        source = CRS.from_user_input(values["source"])
    except CRSError as problem:
        raise refused(f"参数文件 {name} 的 source 无法识别", f"source in {name} is no known system") from problem
    geographic, ellipsoid = source.geodetic_crs, source.ellipsoid
    convention = str(values.get("convention", "position_vector"))
    if geographic is None or ellipsoid is None or convention not in ("position_vector", "coordinate_frame"):
        raise refused(f"参数文件 {name} 的 source 或 convention 有误", f"source or convention in {name} is wrong")
    flattening = ellipsoid.inverse_flattening
    shift = " ".join(
        f"+{short}={values[long]}" for short, long in zip(("x", "y", "z", "rx", "ry", "rz", "s"), SEVEN, strict=True)
    )
    steps = (
        "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad "
        f"+step +proj=cart +a={ellipsoid.semi_major_metre} +rf={flattening} "
        f"+step +proj=helmert {shift} +convention={convention} "
        "+step +inv +proj=cart +ellps=GRS80 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    unproject = Transformer.from_crs(source, geographic, always_xy=True)
    in_space = Transformer.from_pipeline(steps)

    def convert(points: Points) -> Points:
        flat = transformed(unproject, points)
        lon, lat, _ = in_space.transform(flat[:, 0], flat[:, 1], numpy.zeros(len(flat)))
        return numpy.column_stack([lon, lat])

    area = source.area_of_use.bounds if source.area_of_use else None
    return Way(f"@{name}", source.is_geographic, convert, cast(Any, area))
