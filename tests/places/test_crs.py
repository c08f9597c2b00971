"""Files come in every reference system; what cannot be placed is refused, the rest lands where it is."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as some
from pyproj import Transformer

from appliance.errors import BadFile, Invalid
from appliance.places.crs import gcj02_to_wgs84, way, wgs84_to_gcj02
from appliance.places.plane import Plane
from provisioning.import_files.opening import open_table
from provisioning.import_files.placing import place
from tests.shared import shared

MILLIMETRE = 1e-8


@given(some.floats(73.0, 135.0), some.floats(4.0, 53.0))
def test_gcj02_is_undone_to_a_millimetre_anywhere_in_china(lon: float, lat: float) -> None:
    there = numpy.array([[lon, lat]])
    assert numpy.abs(gcj02_to_wgs84(wgs84_to_gcj02(there)) - there).max() < MILLIMETRE


def test_gcj02_shifts_by_hundreds_of_metres_in_china_and_not_at_all_elsewhere() -> None:
    there = numpy.array([[113.4, 34.2], [-71.1, 42.4]])
    shifted = wgs84_to_gcj02(there)
    assert 300 < Plane.at(113.4, 34.2).metres(*shifted[0]) < 800
    assert (shifted[1] == there[1]).all()


VARIANTS = {
    "counties-4110-4490.gpkg": None,
    "counties-4110-4526-utf8.zip": None,
    "counties-4110-4547-gbk.zip": None,
    "counties-4110-4547-gbk-nocpg.zip": None,
    "../counties-4110-gcj02.geojson": "GCJ-02",
}


@pytest.mark.parametrize("name", VARIANTS)
def test_six_counties_land_on_the_same_places_from_every_system(name: str) -> None:
    reference = open_table(shared("data/variants/counties-4110-4490.gpkg"))
    table = open_table(shared("data/variants/" + name))
    placed = place(table, crs=VARIANTS[name], wanted="polygon", anywhere=True)
    assert len(table) == 6
    assert not placed.refused
    columns = [list(values) for values in table.columns.values()]
    assert sorted(columns[0]) == ["411002", "411003", "411024", "411025", "411081", "411082"]
    assert "禹州市" in columns[1], "Chinese is read whatever the encoding says"
    here = dict(zip(columns[0], placed.shapes, strict=True))
    for code, shape in zip(reference.columns["code"], reference.shapes, strict=True):
        metres = shapely.hausdorff_distance(here[code], shape) * 111_320
        assert metres < 1


def test_old_datums_are_refused_and_not_taken_over_unshifted() -> None:
    for name in ("EPSG:2435", "EPSG:2383", "EPSG:4214", "EPSG:4610"):
        with pytest.raises(Invalid, match=r"@params\.toml"):
            way(name)
    with pytest.raises(Invalid, match="unknown"):
        way("EPSG:999999")


def write_parameters(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


FOUR = 'target = "EPSG:4547"\neast = 413000.0\nnorth = 3700000.0\nrotation = 3600.0\nscale = 1.00001\n'
SEVEN = (
    'source = "EPSG:2435"\ndx = 12.5\ndy = -113.0\ndz = -41.0\nrx = 0.1\nry = 0.2\nrz = -0.3\nppm = 1.5\n'
    'convention = "position_vector"\n'
)


def test_a_towns_own_grid_is_placed_by_its_four_parameters(tmp_path: Path) -> None:
    own = way(f"@{write_parameters(tmp_path / 'params.toml', FOUR)}")
    town = numpy.array([[1000.0, 2000.0], [0.0, 0.0]])
    turn, scale = numpy.radians(1.0), 1.00001
    east = 413000 + scale * (1000 * numpy.cos(turn) + 2000 * numpy.sin(turn))
    north = 3700000 + scale * (-1000 * numpy.sin(turn) + 2000 * numpy.cos(turn))
    wanted = way("EPSG:4547").convert(numpy.array([[east, north], [413000.0, 3700000.0]]))
    assert numpy.abs(own.convert(town) - wanted).max() < MILLIMETRE


def test_seven_parameters_shift_the_old_datum_in_space(tmp_path: Path) -> None:
    old = way(f"@{write_parameters(tmp_path / 'params.toml', SEVEN)}")
    point = numpy.array([[441234.0, 3785678.0]])
    unshifted = Transformer.from_crs("EPSG:2435", "EPSG:4214", always_xy=True).transform(*point[0])
    lon, lat = old.convert(point)[0]
    moved = Plane.at(*unshifted).metres(lon, lat)
    assert 20 < moved < 300


def test_parameters_are_kept_secret(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="chmod 600"):
        way(f"@{write_parameters(tmp_path / 'open.toml', FOUR, 0o644)}")
    missing = write_parameters(tmp_path / "missing.toml", FOUR.replace("scale", "stretch"))
    with pytest.raises(Invalid, match="no scale") as refused:
        way(f"@{missing}")
    assert "413000" not in str(refused.value.zh) + str(refused.value.en)


def lines(tmp_path: Path, *points: tuple[float, float]) -> Path:
    path = tmp_path / "points.csv"
    path.write_text("lon,lat\n" + "\n".join(f"{lon},{lat}" for lon, lat in points), encoding="utf-8")
    return path


def placed_points(points: list[tuple[float, float]], crs: str, boundary: object = None) -> object:
    from provisioning.import_files.table import Table

    shapes = numpy.empty(len(points), dtype=object)
    shapes[:] = shapely.points(points)
    table = Table("points.csv", {}, range(1, len(points) + 1), shapes, None, "")
    return place(table, crs=crs, wanted="point", boundary=boundary)


COUNTY = shapely.box(113.3, 34.0, 113.7, 34.4)
REFUSED = {
    "metres taken for degrees": ([(441234.0, 3785678.0)], "EPSG:4490", None, "metres"),
    "degrees taken for metres": ([(113.4, 34.2)], "EPSG:4547", None, "degrees"),
    "two systems in one file": ([(113.4, 34.2), (441234.0, 3785678.0)], "EPSG:4490", None, "mixes"),
    "latitude first, in China": ([(34.2, 113.4)], "EPSG:4490", None, "swap"),
    "latitude first, by the boundary": ([(34.2, 50.0)], "EPSG:4490", shapely.box(49.8, 34, 50.2, 34.4), "swap"),
    "zone number where there is none": ([(38441234.0, 3785678.0)], "EPSG:4547", None, "zone"),
    "another county": ([(118.0, 24.0)], "EPSG:4490", COUNTY, "wholly outside"),
}


@pytest.mark.parametrize("story", REFUSED)
def test_what_cannot_be_right_is_refused_as_a_whole(story: str) -> None:
    points, crs, boundary, hint = REFUSED[story]
    with pytest.raises(BadFile, match=hint):
        placed_points(points, crs, boundary)


def test_single_points_far_away_are_refused_by_row() -> None:
    placed = placed_points([(113.4, 34.2), (0.0, 0.0), (113.5, 34.3)], "EPSG:4490", COUNTY)
    assert list(placed.refused) == [1]  # type: ignore[attr-defined]  # `Placed`
    without_boundary = placed_points([(113.4, 34.2), (0.0, 0.0), (113.5, 34.3)], "EPSG:4490")
    assert list(without_boundary.refused) == [1]  # type: ignore[attr-defined]  # `Placed`
    assert any("boundary" in warning for warning in without_boundary.warnings)  # type: ignore[attr-defined]  # `Placed`
