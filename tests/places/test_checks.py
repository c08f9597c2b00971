"""The doctor tells the technician what his county still lacks."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from appliance.places.checks import check_places
from provisioning.import_files.cutting import cut_county
from tests import homes
from tests.places.imports import bare_home, imported, opened
from tests.shared import shared


def results(home: Path) -> dict[str, str]:
    return {finding.check.removeprefix("places."): finding.result for finding in check_places(home)}


def test_a_bare_county_lacks_everything_and_a_cut_one_its_collectors(tmp_path: Path) -> None:
    home = bare_home(tmp_path / "home")
    assert results(home) == {
        "boundary": "warning", "grids": "failed", "duty": "passed", "index": "passed", "imports": "passed",
    }  # fmt: skip
    with opened(home) as records:
        imported(records, "boundary", shared("data/county-411081-gcj02.geojson"), crs="GCJ-02")
        cut_county(records, 2_000, 15, None, False, None)
    assert results(home) == {
        "boundary": "passed", "grids": "passed", "duty": "warning", "index": "passed", "imports": "passed",
    }  # fmt: skip


SPOILT = {"spatialite": "DELETE FROM idx_unit_grid_geom WHERE pkid = 1", "postgis": "DROP INDEX idx_unit_grid_geom"}


def test_gaps_broken_indexes_and_cut_off_imports_are_found(tmp_path: Path) -> None:
    home = bare_home(tmp_path / "home")
    with opened(home) as records:
        imported(records, "boundary", shared("data/county-411081-gcj02.geojson"), crs="GCJ-02")
        cut_county(records, 2_000, 15, None, False, None)
        for statement in (
            "UPDATE unit_grid SET valid_to = '2026-01-01' WHERE id % 2 = 0",
            SPOILT[homes.database],
            "UPDATE import_batch SET state = 'applying'",
        ):
            records.write(lambda unit, statement=statement: unit.connection.execute(text(statement)))  # type: ignore[misc]  # default argument binds the statement
    found = results(home)
    assert (found["grids"], found["index"], found["imports"]) == ("warning", "failed", "warning")


def test_a_furnished_county_is_well(home: Path) -> None:
    assert results(home)["duty"] == "passed"
    assert results(home)["index"] == "passed"
    assert results(home.parent / "nowhere") == {"places": "skipped"}
