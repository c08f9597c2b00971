"""Every messy file that came along is read right or refused in one sentence, and nothing is left behind."""

from __future__ import annotations

import csv
import gzip
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from appliance.errors import BadFile, WanmiError
from provisioning.import_files import opening
from provisioning.import_files.encodings import guess
from provisioning.import_files.opening import open_table
from provisioning.import_files.placing import place
from tests.shared import SHARED, shared

VERDICTS = list(csv.DictReader((Path(__file__).parent / "messy_verdicts.csv").read_text(encoding="utf-8").splitlines()))


def verdict(path: Path) -> tuple[str, str, str]:
    """Rows, rows that can be placed, and the sentence of what is wrong."""
    try:
        table = open_table(path)
        good, says = len(table), ""
        if table.shapes is not None:
            placed = place(table, crs=None, wanted="any")
            good = sum(shape is not None for shape in placed.shapes)
            says = next((error.en for error in placed.refused.values()), "")
        if table.broken and not says:
            says = table.broken[0].en
        return str(len(table) + len(table.broken)), str(good), says
    except WanmiError as refusal:
        return "", "", one_sentence(refusal, path)


def one_sentence(refusal: WanmiError, path: Path) -> str:
    """The English sentence, after a look at both: one line, and no path inside the machine."""
    assert refusal.zh.endswith("。")
    assert "\n" not in refusal.zh + refusal.en
    assert str(path.parent) not in refusal.en
    return refusal.en


@pytest.mark.parametrize("expected", VERDICTS, ids=lambda row: row["file"])
def test_a_messy_file_gets_its_verdict(expected: dict[str, str]) -> None:
    rows, good, says = verdict(shared("data/messy/" + expected["file"]))
    assert (rows, good) == (expected["rows"], expected["good"])
    assert expected["says"] in says


def test_every_messy_file_has_a_verdict_and_is_left_as_it_was() -> None:
    root = shared("data/messy")
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert files == sorted(row["file"] for row in VERDICTS)
    assert len(files) == 147


def test_reading_writes_nothing_beside_the_file(tmp_path: Path) -> None:
    for name in ("shp-nts", "shp-pyshp", "shp-shapefilejs", "mixed-mapshaper"):
        copied = tmp_path / name
        shutil.copytree(shared("data/messy/" + name), copied)
        for folder in (copied,):
            folder.chmod(0o755)
        before = {path: path.read_bytes() for path in sorted(copied.iterdir())}
        for path in before:
            verdict(path)
        assert {path: path.read_bytes() for path in sorted(copied.iterdir())} == before


def test_our_verdict_on_shapes_is_that_of_the_jts_test_suite() -> None:
    import shapely

    rows = list(csv.DictReader(shared("data/messy/jts-validity.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 914
    wrong = [row["desc"] for row in rows if shapely.from_wkt(row["wkt"]).is_valid != (row["expected_valid"] == "true")]
    assert wrong == []


def test_chinese_is_found_by_strict_decoding() -> None:
    assert guess("禹州市药城路".encode("gb18030")) == "gb18030"
    assert guess("禹州市药城路".encode()) == "utf-8"
    assert guess("臺北縣".encode("big5")) is None, "Big5 is asked for, not taken for GBK"
    assert guess("piñón señor".encode("latin-1")) is None


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_bombs_are_refused_before_they_burst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zipped(tmp_path / "bomb.zip", {"parts.csv": b"0" * 64_000_000})
    with pytest.raises(BadFile, match="bomb"):
        open_table(bomb)
    packed = tmp_path / "bomb.csv.gz"
    packed.write_bytes(gzip.compress(b"0" * 64_000_000))
    with pytest.raises(BadFile, match="bomb"):
        open_table(packed)
    monkeypatch.setattr(opening, "MOST_MEMBERS", 3)
    with pytest.raises(BadFile, match="bomb"):
        open_table(zipped(tmp_path / "many.zip", {f"{number}.csv": b"a\n1" for number in range(5)}))


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "a/../../evil.csv", "..\\evil.csv", "C:\\evil.csv"])
def test_paths_that_lead_out_of_a_zip_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="refused"):
        open_table(zipped(tmp_path / "evil.zip", {name: b"a\n1"}))


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("parts.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BadFile, match="link"):
        open_table(tmp_path / "link.zip")


def test_a_dwg_is_refused_with_the_way_to_convert_it(tmp_path: Path) -> None:
    drawing = tmp_path / "census.dwg"
    drawing.write_bytes(b"AC1032" + bytes(200))
    with pytest.raises(BadFile, match="ogr2ogr"):
        open_table(drawing)


def test_cut_and_foreign_archives_are_refused(tmp_path: Path) -> None:
    whole = gzip.compress(b"code,name\n1,a\n" * 5000)
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadFile, match="cut off"):
        open_table(cut)
    half = tmp_path / "half.zip"
    zipped(tmp_path / "whole.zip", {"a.csv": b"a,b\n1,2\n" * 900})
    half.write_bytes((tmp_path / "whole.zip").read_bytes()[:60])
    with pytest.raises(BadFile, match="damaged"):
        open_table(half)
    with pytest.raises(BadFile, match="no such file"):
        open_table(tmp_path / "nowhere.csv")
    with pytest.raises(BadFile, match=r"only a \.gdb"):
        open_table(tmp_path)


def test_a_zip_named_in_gbk_and_one_layer_of_several(tmp_path: Path) -> None:
    table = open_table(shared("data/messy/derived/zip-two-layers.zip"), layer="乙")
    assert len(table) == 6
    member = zipfile.ZipInfo("部件.csv".encode("gbk").decode("cp437"))
    assert opening.member_name(member) == "部件.csv"
    wrongly_flagged = zipped(tmp_path / "flag.zip", {"部件.csv": b"code,name\n1,a\n"})
    spoilt = wrongly_flagged.read_bytes().replace("部件".encode(), b"\xb2\xbf\xbc\xfe__")
    wrongly_flagged.write_bytes(spoilt)
    with pytest.raises(BadFile, match="damaged"):
        open_table(wrongly_flagged)


def test_an_xlsx_is_read_by_sheet(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "部件"
    for row in (["代码", "名称"], ["0102", "污水井盖"], [], [103, "雨水井盖"], ["1", "2", "3"]):
        sheet.append(row)
    book.save(tmp_path / "parts.xlsx")
    table = open_table(tmp_path / "parts.xlsx", layer="部件")
    assert table.columns == {"代码": ["0102", 103], "名称": ["污水井盖", "雨水井盖"]}
    assert list(table.numbers) == [2, 4]
    assert [broken.row for broken in table.broken] == [5]
    with pytest.raises(BadFile, match="no sheet"):
        open_table(tmp_path / "parts.xlsx", layer="事件")


def test_libraries_in_the_wrong_order_would_crash_so_the_command_orders_them(home: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "appliance", "import", "boundary", "nowhere.geojson", "--home", str(home)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert "nowhere.geojson" in run.stderr
    assert "Traceback" not in run.stderr


def test_the_seeds_are_where_the_tests_look() -> None:
    assert SHARED.name == "shared"
