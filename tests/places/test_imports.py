"""The technician imports a census: checked whole, taken whole or not at all, taken back if it was the wrong one."""

from __future__ import annotations

import csv
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from appliance.errors import BadFile, Conflict, Invalid, NotFound, WanmiError
from appliance.places import batches
from appliance.places.locate import locate_grid
from appliance.records.spatial import boxes
from provisioning.import_files.columns import read_values
from provisioning.import_files.exporting import export_kind
from provisioning.import_files.kinds import KINDS, importer_class
from provisioning.import_files.pipeline import one_import, undo
from tests.homes import SOUTH, STEP, WEST
from tests.places.imports import bare_home, column, counts, imported, opened, scalar
from tests.shared import shared

CENSUS = [
    ["41108101002000001", "污水井盖", "完好", "市政管理所", "D01", 2.5, 3.5],
    ["41108101002000002", "污水井盖", "破损", "市政管理所", "D01", 4.5, 3.5],
    ["41108101037000001", "路灯", "完好", "路灯所", "D01", 12.5, 8.5],
]
HEADER = ["部件标识码", "部件名称", "部件状态", "权属单位名称", "主管部门代码", "经度", "纬度", "材质"]


def census(path: Path, rows: list[list[object]] = CENSUS, encoding: str = "gb18030") -> Path:
    """A CSV as a survey office sends it: Chinese header, GBK, an extra column."""
    with path.open("w", encoding=encoding, newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADER)
        for *cells, east, north in rows:
            writer.writerow([*cells, WEST + float(str(east)) * STEP, SOUTH + float(str(north)) * STEP, "铸铁"])
    return path


def test_a_census_with_chinese_header_in_gbk_goes_in_and_the_same_again_changes_nothing(
    home: Path, tmp_path: Path
) -> None:
    path = census(tmp_path / "census.csv")
    with opened(home) as records:
        before = scalar(records, "SELECT last FROM feed")
        assert counts(imported(records, "parts", path, dry_run=True)) == (3, 3, 0, 0)
        assert scalar(records, "SELECT count(*) FROM part") == 0, "a dry run writes nothing"
        assert counts(imported(records, "parts", path)) == (3, 3, 0, 0)
        assert column(records, "SELECT grid FROM part ORDER BY code") == [
            "411081001001033", "411081001001035", "411081002001083",
        ]  # fmt: skip
        assert scalar(records, "SELECT attributes FROM part WHERE code LIKE '%000002'") == '{"材质": "铸铁"}'
        assert scalar(records, "SELECT last FROM feed") == before + 3
        again = imported(records, "parts", path)
        assert counts(again) == (3, 0, 0, 0)
        assert again.batch is None
        assert scalar(records, "SELECT last FROM feed") == before + 3, "nothing changed, so nobody is told"
        assert scalar(records, "SELECT count(*) FROM admin_act WHERE act = 'import'") == 1


def test_a_corrected_census_updates_only_what_differs_and_keeps_what_it_does_not_say(
    home: Path, tmp_path: Path
) -> None:
    with opened(home) as records:
        imported(records, "parts", census(tmp_path / "census.csv"))
        short = tmp_path / "states.csv"
        lines = [f"{row[0]},{'移除' if index == 0 else row[2]},{WEST + float(str(row[5])) * STEP}," for index, row in
                 enumerate(CENSUS)]  # fmt: skip
        lines = [f"{line}{SOUTH + float(str(row[6])) * STEP}" for line, row in zip(lines, CENSUS, strict=True)]
        short.write_text("code,state,lon,lat\n" + "\n".join(lines), encoding="utf-8")
        assert counts(imported(records, "parts", short)) == (3, 0, 1, 0)
        assert scalar(records, "SELECT state || owner FROM part WHERE code = '41108101002000001'") == "移除市政管理所"


WRONG = {
    "code": (["4110810100200001X", "污水井盖", "完好", "", "", 2.5, 3.5], "code", "16 或 17 位"),
    "county": (["41108201002000009", "污水井盖", "完好", "", "", 2.5, 3.5], "code", "不属于本县"),
    "class": (["41108101999000009", "污水井盖", "完好", "", "", 2.5, 3.5], "type", "没有编码"),
    "state": (["41108101002000009", "污水井盖", "坏了", "", "", 2.5, 3.5], "state", "完好、破损"),
    "empty code": (["", "污水井盖", "完好", "", "", 2.5, 3.5], "code", "--make-codes"),
    "twice": (["41108101002000001", "污水井盖", "完好", "", "", 2.5, 3.5], "code", "第 2 行重复"),
}


@pytest.mark.parametrize("story", WRONG)
def test_one_wrong_row_refuses_the_file_and_is_named(story: str, home: Path, tmp_path: Path) -> None:
    row, field, hint = WRONG[story]
    path = census(tmp_path / "census.csv", [*CENSUS, row])
    with opened(home) as records:
        refused = imported(records, "parts", path)
        assert refused.refused == 1
        assert (refused.refusals[0]["row"], refused.refusals[0]["field"]) == (5, field)
        assert hint in refused.refusals[0]["why"]
        assert scalar(records, "SELECT count(*) FROM part") == 0, "all or nothing"
        assert scalar(records, "SELECT count(*) FROM import_batch") == 0
        kept = imported(records, "parts", path, keep_good=True)
        assert counts(kept) == (4, 3, 0, 1)


def test_old_sixteen_digit_codes_stay_in_their_edition(home: Path, tmp_path: Path) -> None:
    path = census(tmp_path / "old.csv", [["4110810102000001", "污水井盖", "完好", "", "", 2.5, 3.5]])
    with opened(home) as records:
        imported(records, "parts", path)
        assert scalar(records, "SELECT edition || type FROM part") == "20130102"


def test_foreign_names_are_mapped_and_values_translated(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "lamps.csv"
    path.write_text(f"kind;x;y\nlamp;{WEST + STEP / 2};{SOUTH + STEP / 2}\nlamp;{WEST};{SOUTH}\n", encoding="utf-8")
    options = {"mapping": {"type": "kind"}, "values": {"type": {"lamp": "路灯"}}, "make_codes": True}
    with opened(home) as records:
        with pytest.raises(BadFile, match="no column type"):
            imported(records, "parts", path, make_codes=True)
        with pytest.raises(Invalid, match="no column 'sort'"):
            imported(records, "parts", path, mapping={"type": "sort"})
        with pytest.raises(Invalid, match="no field 'sort'"):
            imported(records, "parts", path, mapping={"sort": "kind"})
        assert counts(imported(records, "parts", path, **options)) == (2, 2, 0, 0)
        assert column(records, "SELECT code FROM part ORDER BY code") == ["41108101037000001", "41108101037000002"]
        assert counts(imported(records, "parts", path, **options)) == (2, 0, 0, 0), "made codes are found again"


def test_a_translation_file_has_two_columns(tmp_path: Path) -> None:
    pairs = tmp_path / "types.csv"
    pairs.write_bytes("Closed,closed\n垃圾箱;,03005\n\n".encode("gbk"))
    assert read_values(pairs) == {"Closed": "closed", "垃圾箱;": "03005"}
    pairs.write_text("one\n", encoding="utf-8")
    with pytest.raises(BadFile, match="two columns"):
        read_values(pairs)
    with pytest.raises(BadFile, match="no such file"):
        read_values(tmp_path / "nowhere.csv")


def test_a_batch_is_taken_back_whole(home: Path, tmp_path: Path) -> None:
    path = census(tmp_path / "census.csv")
    with opened(home) as records:
        first = imported(records, "parts", path).batch
        changed = [[*CENSUS[0][:2], "丢失", *CENSUS[0][3:]], *CENSUS[1:]]
        second = imported(records, "parts", census(tmp_path / "again.csv", changed)).batch
        assert first is not None
        assert second is not None
        with pytest.raises(Conflict, match=f"Batches {second}"):
            undo(records, first)
        assert undo(records, second) == 1
        assert scalar(records, "SELECT state FROM part WHERE code = '41108101002000001'") == "完好"
        assert counts(imported(records, "parts", path)) == (3, 0, 0, 0), "every value is back"
        assert undo(records, first) == 3
        assert scalar(records, "SELECT count(*) FROM part") == 0
        indexed = boxes(records.readers.dialect.name, "part")
        assert scalar(records, f"SELECT count(*) FROM {indexed}") == 0, "the spatial index too"
        with pytest.raises(Conflict, match="already"):
            undo(records, first)
        with pytest.raises(NotFound):
            undo(records, 99)
        last = column(records, "SELECT op FROM change WHERE type = 'part' ORDER BY seq DESC LIMIT 3")
        assert last == ["delete"] * 3


def test_what_a_killed_import_left_is_taken_back_by_the_next(home: Path, tmp_path: Path) -> None:
    with opened(home) as records:
        imported(records, "parts", census(tmp_path / "census.csv"))
        with records.read() as connection:
            assert batches.cut_off(connection) == []
        records.write(lambda unit: unit.connection.execute(text("UPDATE import_batch SET state = 'applying'")))
        other = census(tmp_path / "other.csv", [["41108101003000001", "雨水井盖", "完好", "", "", 5.5, 5.5]])
        imported(records, "parts", other)
        assert column(records, "SELECT code FROM part") == ["41108101003000001"]


def test_two_imports_at_once_are_refused(home: Path, tmp_path: Path) -> None:
    with opened(home) as records, one_import(home), pytest.raises(Conflict, match="running"):
        imported(records, "parts", census(tmp_path / "census.csv"))


def test_grids_duty_grids_and_collectors_find_each_other(tmp_path: Path) -> None:
    square = "POLYGON(({0} 34, {1} 34, {1} 34.001, {0} 34.001, {0} 34))"
    grids = tmp_path / "grids.csv"
    rows = [f'4110810010010{n},"{square.format(113 + n / 1000, 113.001 + n / 1000)}"' for n in (1, 2)]
    grids.write_text("code,wkt\n" + "\n".join(rows).replace("0100101,", "01001001,").replace("0100102,", "01001002,"))
    duty = tmp_path / "duty.csv"
    duty.write_text(f'code,name,collector,wkt\nZ1,东片,l9,"{square.format(113, 113.0022)}"\n', encoding="utf-8")
    with opened(bare_home(tmp_path / "home")) as records:
        assert counts(imported(records, "grids", grids)) == (2, 2, 0, 0)
        result = imported(records, "duty-grids", duty)
        assert any("no account" in warning for warning in result.warnings)
        with records.read() as connection:
            hit = locate_grid(connection, 113.0015, 34.0005)
        assert hit is not None
        assert (hit.duty_grid, hit.collector) == ("Z1", "l9")
        assert scalar(records, "SELECT area_m2 FROM unit_grid LIMIT 1") == pytest.approx(10_250, rel=0.01)
        assert result.batch is not None
        undo(records, result.batch)
        with records.read() as connection:
            hit = locate_grid(connection, 113.0015, 34.0005)
        assert hit is not None
        assert hit.duty_grid is None


def test_parts_that_came_before_the_grids_get_theirs_and_lose_them_again(home: Path, tmp_path: Path) -> None:
    path = census(tmp_path / "census.csv")
    with opened(home) as records, opened(bare_home(tmp_path / "other")) as other:
        imported(other, "parts", path)
        assert column(other, "SELECT grid FROM part") == [None] * 3
        export_kind(records, "grids", tmp_path / "grids.gpkg")
        batch = imported(other, "grids", tmp_path / "grids.gpkg").batch
        assert column(other, "SELECT grid FROM part ORDER BY code")[0] == "411081001001033"
        assert counts(imported(other, "parts", path)) == (3, 0, 0, 0)
        assert batch is not None
        undo(other, batch)
        assert column(other, "SELECT grid FROM part") == [None] * 3


def test_calendar_files_of_the_state_council_go_in(tmp_path: Path) -> None:
    with opened(bare_home(tmp_path / "home")) as records:
        for year, days in (("2024", 36), ("2025", 33), ("2026", 39), ("2027", 0)):
            result = imported(records, "calendar", shared(f"data/calendar-cn/{year}.json"))
            assert counts(result) == (days, days, 0, 0)
        assert scalar(records, "SELECT is_workday FROM calendar_day WHERE day = '2026-10-01'") == 0
        assert scalar(records, "SELECT is_workday FROM calendar_day WHERE day = '2026-02-14'") == 1
        own = tmp_path / "own.csv"
        own.write_text("日期,是否工作日,名称\n2026-10-01,是,值班\n2026年12月31日,0,\n", encoding="utf-8")
        assert counts(imported(records, "calendar", own)) == (2, 1, 1, 0)
        own.write_text("日期,是否工作日\n2026-13-01,是\n,0\n2026-01-01,也许\n", encoding="utf-8")
        assert imported(records, "calendar", own).refused == 3


def test_limits_replace_those_of_the_codes_they_name_and_come_back(tmp_path: Path) -> None:
    table = shared("standards/time_limits.csv")
    with opened(bare_home(tmp_path / "home")) as records:
        whole = imported(records, "limits", table)
        assert counts(whole) == (524, 524, 0, 0)
        assert counts(imported(records, "limits", table)) == (524, 0, 0, 0)
        own = tmp_path / "own.csv"
        head = table.read_text(encoding="utf-8-sig").splitlines()[0]
        own.write_text(f"{head}\npart,0101,上水井盖,缺失,恢复,1,紧急工作时,urgent,county\n", encoding="utf-8")
        changed = imported(records, "limits", own)
        assert column(records, "SELECT limit_value FROM case_limit WHERE kind = 'part' AND code = '0101'") == [1.0]
        assert changed.batch is not None
        undo(records, changed.batch)
        assert counts(imported(records, "limits", table)) == (524, 0, 0, 0)
        own.write_text(f"{head}\npart,0101,上水井盖,缺失,恢复,1,天,urgent,county\n", encoding="utf-8")
        assert "limit_unit" in imported(records, "limits", own).refusals[0]["field"]


def test_village_names_without_outlines_go_in_as_boundary(tmp_path: Path) -> None:
    with opened(bare_home(tmp_path / "home")) as records:
        assert imported(records, "boundary", shared("data/messy/admin-411081-gbk.csv")).added == 705
        assert scalar(records, "SELECT count(*) FROM area WHERE level = 'community'") == 678
        assert scalar(records, "SELECT parent FROM area WHERE code = '411081001'") == "411081"


@pytest.mark.parametrize("kind", ["places", "boundary", "parts", "grids"])
def test_no_messy_file_leaves_anything_half_done(kind: str, tmp_path: Path) -> None:
    root = shared("data/messy")
    with opened(bare_home(tmp_path / "home")) as records:
        for path in sorted(root.rglob("*")):
            if not path.is_file():
                continue
            with suppress(WanmiError):
                result = imported(records, kind, path)
                assert result.applied != bool(result.refusals), path.name
        for table in ("part", "unit_grid", "place"):
            assert scalar(records, f"SELECT count(*) FROM {table}") == 0
        assert scalar(records, "SELECT count(*) FROM import_batch WHERE state = 'applying'") == 0


def test_every_kind_has_its_importer() -> None:
    for kind in KINDS:
        made = importer_class(kind)
        for name in ("prepare", "check", "complete", "compare", "apply", "finish", "restore"):
            assert callable(getattr(made, name)), (kind, name)
    with pytest.raises(Invalid, match="no kind"):
        importer_class("trees")
