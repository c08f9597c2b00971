"""What goes out in any format comes in again as the same records."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook
from sqlalchemy import text

from appliance.errors import BadFile, Invalid
from provisioning.commands import export, grids, import_
from provisioning.import_files.exporting import KINDS, export_kind
from tests.places.imports import bare_home, counts, imported, opened, scalar
from tests.places.test_imports import census
from tests.shared import shared

FORMATS = ("geojson", "geojsonl", "gpkg", "gdb", "csv", "xlsx", "geojson.gz", "csv.gz", "gpkg.gz")


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("kind", ["parts", "grids", "duty-grids"])
def test_an_export_imports_to_the_same_records(kind: str, ending: str, home: Path, tmp_path: Path) -> None:
    with opened(home) as records:
        imported(records, "parts", census(tmp_path / "census.csv"))
        path = tmp_path / f"{kind}.{ending}"
        export_kind(records, kind, path)
        imported(records, kind, path)  # the grids of the test county were never imported: areas and corners settle
        count = export_kind(records, kind, path)
        assert count > 0
        assert counts(imported(records, kind, path)) == (count, 0, 0, 0), "the same home: nothing changes"
    with opened(bare_home(tmp_path / "other")) as other:
        assert counts(imported(other, kind, path)) == (count, count, 0, 0), "another home: all of it"


@pytest.mark.parametrize("ending", ["csv", "xlsx", "geojson"])
def test_what_looks_like_a_formula_goes_out_as_text_and_comes_in_as_it_was(
    ending: str, home: Path, tmp_path: Path
) -> None:
    formula = '=HYPERLINK("http://evil.example","点这里")'
    with opened(home) as records:
        imported(records, "parts", census(tmp_path / "census.csv"))
        set_note = text("UPDATE part SET note = :note, owner = '-' ")
        records.write(lambda unit: unit.connection.execute(set_note, {"note": formula}) and None)
        path = tmp_path / f"parts.{ending}"
        export_kind(records, "parts", path)
    if ending == "csv":
        assert "'=HYPERLINK" in path.read_text(encoding="utf-8-sig")
    if ending == "xlsx":
        rows = load_workbook(path).active.iter_rows()
        assert {cell.data_type for row in rows for cell in row if str(cell.value).startswith("=")} == {"s"}
    with opened(bare_home(tmp_path / "other")) as other:
        assert imported(other, "parts", path).added == 3
        assert scalar(other, "SELECT count(DISTINCT note) FROM part") == 1
        assert scalar(other, "SELECT max(note) FROM part") == formula
        assert scalar(other, "SELECT max(owner) FROM part") == "-"


def test_all_formats_agree_on_the_same_shapes(home: Path, tmp_path: Path) -> None:
    with opened(home) as records, opened(bare_home(tmp_path / "other")) as other:
        for number, ending in enumerate(("gdb", "gpkg", "csv", "geojson", "xlsx", "zip")):
            export_kind(records, "grids", tmp_path / f"grids.{ending}")
            done = counts(imported(other, "grids", tmp_path / f"grids.{ending}"))
            assert done == (200, 0 if number else 200, 0, 0), ending
        shutil.make_archive(str(tmp_path / "zipped"), "zip", tmp_path, "grids.gdb")
        assert counts(imported(other, "grids", tmp_path / "zipped.zip")) == (200, 0, 0, 0)


def test_a_zipped_shapefile_carries_points_and_chinese(home: Path, tmp_path: Path) -> None:
    with opened(home) as records:
        imported(records, "parts", census(tmp_path / "census.csv"))
        export_kind(records, "parts", tmp_path / "parts.zip")
    with opened(bare_home(tmp_path / "other")) as other:
        # a Shapefile cuts names of fields at ten characters, so the long ones become attributes
        assert imported(other, "parts", tmp_path / "parts.zip").added == 3
        assert scalar(other, "SELECT count(*) FROM part WHERE name = '污水井盖'") == 2


def test_boundaries_with_and_without_outline_go_out_and_in(tmp_path: Path) -> None:
    with opened(bare_home(tmp_path / "home")) as records:
        imported(records, "boundary", shared("data/counties-4110-gcj02.geojson"), crs="GCJ-02")
        imported(records, "boundary", shared("data/messy/admin-411081-gbk.csv"))
        for ending in ("geojson", "gpkg", "csv"):
            path = tmp_path / f"boundary.{ending}"
            count = export_kind(records, "boundary", path)
            assert imported(records, "boundary", path).read == count
            assert scalar(records, "SELECT count(*) FROM area WHERE geom IS NOT NULL") == 6


def test_every_kind_can_be_exported_and_none_tells_who_reported(home: Path, tmp_path: Path) -> None:
    with opened(home) as records:
        for kind in KINDS:
            export_kind(records, kind, tmp_path / f"{kind}.csv")
            header = (tmp_path / f"{kind}.csv").read_text(encoding="utf-8-sig").splitlines()[0]
            assert "reporter" not in header
            assert "password" not in header
        with pytest.raises(Invalid, match="no kind"):
            export_kind(records, "reporters", tmp_path / "reporters.csv")
        with pytest.raises(BadFile, match="must end"):
            export_kind(records, "parts", tmp_path / "parts.dwg")
        with pytest.raises(BadFile, match="cannot be written"):
            export_kind(records, "parts", tmp_path / "no" / "where.csv")


def test_the_commands_speak_json_and_exit_codes(home: Path, tmp_path: Path) -> None:
    runner, where = CliRunner(), ["--home", str(home)]
    path = census(tmp_path / "census.csv")
    first = runner.invoke(import_, ["parts", str(path), "--json", *where])
    assert first.exit_code == 0
    batch = json.loads(first.stdout)["batch"]
    wrong = runner.invoke(import_, ["parts", str(shared("data/messy/derived/truncated.geojson")), "--json", *where])
    assert wrong.exit_code == 1
    found = json.loads(wrong.stdout)
    assert (found["read"], found["added"], found["refused"]) == (0, 0, 0)
    assert "truncated.geojson" in found["refusals"][0]["why"]
    assert runner.invoke(import_, ["undo", str(batch), "--json", *where]).exit_code == 0
    assert runner.invoke(import_, ["undo", "twelve", *where]).exit_code == 2
    assert runner.invoke(import_, ["parts", str(path), "--map", "code", *where]).exit_code == 2
    assert runner.invoke(import_, ["parts", *where]).exit_code == 2
    out = runner.invoke(export, ["grids", str(tmp_path / "grids.csv"), "--json", *where])
    assert json.loads(out.stdout)["rows"] == 200
    again = runner.invoke(grids, ["cut", *where])
    assert again.exit_code == 1
    for command in (import_, export, grids):
        assert runner.invoke(command, ["--help"]).exit_code == 0
