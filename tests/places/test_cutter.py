"""A small county has no unit grids: they are laid over its boundary without gap or overlap."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as some
from shapely.ops import split

from appliance.errors import Invalid
from appliance.places.cutter import Community, blocks, cut
from appliance.places.shapes import area_m2
from provisioning.import_files.cutting import cut_county
from tests.places.imports import bare_home, imported, opened, scalar
from tests.shared import shared

LON, LAT, METRE = 113.4, 34.2, 1e-5


@some.composite
def communities(draw: some.DrawFn) -> list[Community]:
    """A star-shaped county of 300 to 900 m cut into two communities by a slanting line."""
    corners = draw(some.integers(3, 9))
    radii = [draw(some.integers(150, 450)) for _ in range(corners)]
    angles = numpy.linspace(0, 2 * numpy.pi, corners, endpoint=False)
    county = shapely.Polygon(
        [(LON + r * METRE * numpy.cos(a), LAT + r * METRE * numpy.sin(a)) for r, a in zip(radii, angles, strict=True)]
    )
    slant = draw(some.integers(-300, 300)) * METRE
    line = shapely.LineString([(LON - slant, LAT - 0.1), (LON + slant, LAT + 0.1)])
    west, east = [], []
    for piece in split(county, line).geoms:
        (west if piece.centroid.x < LON else east).append(piece)
    halves = [shapely.union_all(half) for half in (west, east) if half]
    return [Community(f"41108100100{number}", half) for number, half in enumerate(halves, 1)]


@settings(max_examples=60, deadline=None)
@given(communities(), some.sampled_from([60.0, 100.0, 170.0]))
def test_grids_fill_the_county_and_never_overlap(there: list[Community], size: float) -> None:
    county = shapely.union_all([community.shape for community in there])
    made = cut(there, size=size)
    shapes = [grid.shape for grid in made.grids]
    square_metre = METRE * METRE
    assert shapely.union_all(shapes).symmetric_difference(county).area < square_metre
    overlap = sum(shape.area for shape in shapes) - shapely.union_all(shapes).area
    assert abs(overlap) < square_metre
    codes = [grid.code for grid in made.grids]
    assert len(set(codes)) == len(codes)
    assert all(grid.code.startswith(grid.community) and len(grid.code) == 15 for grid in made.grids)
    assert all(shape.is_valid and shape.geom_type == "Polygon" for shape in shapes)
    for community in there:
        inside = [grid.shape for grid in made.grids if grid.community == community.code]
        assert shapely.union_all(inside).symmetric_difference(community.shape).area < square_metre


def test_codes_run_west_to_east_and_north_to_south() -> None:
    square = Community("411081001001", shapely.box(LON, LAT, LON + 0.0032, LAT + 0.0027))
    made = cut([square], size=100)
    assert [grid.code[-3:] for grid in made.grids] == [f"{serial:03d}" for serial in range(1, len(made.grids) + 1)]
    first_row = made.grids[:3]
    assert [grid.shape.centroid.x for grid in first_row] == sorted(grid.shape.centroid.x for grid in first_row)
    assert made.grids[0].shape.centroid.y > made.grids[-1].shape.centroid.y
    assert made.grids[0].shape.centroid.x < made.grids[0 + 1].shape.centroid.x


def test_a_full_grid_has_ten_thousand_square_metres_and_slivers_join_neighbours() -> None:
    made = cut([Community("411081001001", shapely.box(LON, LAT, LON + 0.0101, LAT + 0.0101))])
    areas = sorted(grid.area_m2 for grid in made.grids)
    assert areas[len(areas) // 2] == pytest.approx(10_000, rel=0.02)
    assert areas[0] >= 2_900


def test_the_older_edition_has_ninety_nine_numbers_so_its_grids_grow() -> None:
    village = Community("411081001001", shapely.box(LON, LAT, LON + 0.03, LAT + 0.03))
    made = cut([village], digits=14)
    assert len(made.grids) <= 99
    assert {len(grid.code) for grid in made.grids} == {14}
    assert made.enlarged == ("411081001001",)
    assert shapely.union_all([grid.shape for grid in made.grids]).symmetric_difference(village.shape).area < 1e-10


def test_wishes_that_make_no_sense_are_refused() -> None:
    square = Community("411081001001", shapely.box(LON, LAT, LON + 0.01, LAT + 0.01))
    for wish in ({"digits": 12}, {"size": 1.0}, {"size": 99999.0}):
        with pytest.raises(Invalid):
            cut([square], **wish)
    with pytest.raises(Invalid, match="boundary"):
        cut([])


def test_blocks_stand_in_for_communities_nobody_has_drawn() -> None:
    county = shapely.box(LON, LAT, LON + 0.1, LAT + 0.1)
    made = blocks("411081", county)
    assert len({block.code for block in made}) == len(made) >= 9
    assert shapely.union_all([block.shape for block in made]).symmetric_difference(county).area < 1e-10
    assert all(len(cut([block]).grids) <= 999 and not cut([block]).enlarged for block in made[:2])


def test_the_technician_cuts_yuzhou_and_cannot_cut_it_twice(tmp_path: Path) -> None:
    with opened(bare_home(tmp_path / "home")) as records:
        imported(records, "boundary", shared("data/county-411081-gcj02.geojson"), crs="GCJ-02")
        result, batch = cut_county(records, 1_000, 15, None, False, None)
        assert batch is not None
        assert scalar(records, "SELECT count(*) FROM unit_grid") == result.count > 1_300
        with records.read() as connection:
            from appliance.places.areas import county_boundary

            whole = area_m2(county_boundary(connection, "411081"))
        assert scalar(records, "SELECT sum(area_m2) FROM unit_grid") == pytest.approx(whole, rel=0.005)
        with pytest.raises(Invalid, match="already"):
            cut_county(records, 1_000, 15, None, False, None)
        target = tmp_path / "grids.gpkg"
        written, none = cut_county(records, 2_000, 15, target, False, None)
        assert none is None
        assert target.exists()
        assert imported(records, "grids", target, dry_run=True).read == written.count
