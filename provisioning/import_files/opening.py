"""Opens a file whatever it is: finds the format by content, unpacks .gz and .zip safely, and hands it to its reader.

Nothing is unpacked beside the file; a working folder of our own is used and removed.
"""

from __future__ import annotations

import gzip
import shutil
import stat
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from provisioning.import_files.delimited import read_delimited
from provisioning.import_files.encodings import guess
from provisioning.import_files.table import Table, bad_file

LARGEST_FILE = 2 * 1024**3
"""Bytes of a file after unpacking; more is taken for a bomb."""

LARGEST_RATIO = 200
"""How often smaller a packed file may be, once it is over `RATIO_FROM` bytes."""

RATIO_FROM = 32 * 1024**2
MOST_MEMBERS = 5_000
ZIP_PROBLEMS = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError, OSError, ValueError,
)  # fmt: skip
"""What Python raises for archives that are cut, encrypted, or damaged anywhere."""

LAYER_ENDINGS = (".shp", ".gpkg", ".geojson", ".json", ".geojsonl", ".csv", ".xlsx")
COMPANIONS = (".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qpj")
FORMATS = "GeoJSON, GeoPackage, FileGDB, Shapefile (.zip), CSV, XLSX"


def open_table(path: Path, *, layer: str | None = None, encoding: str | None = None) -> Table:
    """Read the table in a file.

    Args:
        path: a file, or a FileGDB folder.
        layer: which layer, sheet or member of a zip, where there are several.
        encoding: of text, where the file does not say it rightly.

    Raises:
        BadFile: one sentence that says what is wrong with it and what to do.
    """
    if not path.exists():
        raise bad_file(str(path), "没有这个文件", "there is no such file")
    with tempfile.TemporaryDirectory(prefix="wanmi-import-") as folder:
        return open_in(Path(folder), path, path.name, layer, encoding)


def open_in(work: Path, path: Path, name: str, layer: str | None, encoding: str | None) -> Table:
    """Read `path`, shown as `name`, with `work` as a place to unpack to."""
    if path.is_dir():
        if path.suffix.lower() != ".gdb":
            raise bad_file(name, "是文件夹；只能导入 .gdb 文件夹", "is a folder; only a .gdb folder can be imported")
        from provisioning.import_files.vector import read_database  # GDAL, 0.2 s

        return read_database(name, path, layer)
    with path.open("rb") as file:
        head = file.read(512)
    if not head:
        raise bad_file(name, "文件是空的", "is empty")
    if head.startswith(b"\x1f\x8b"):
        return open_in(work, unpacked_gzip(work, path, name), name, layer, encoding)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return open_zip(work, path, name, layer, encoding)
    return open_plain(work, path, name, head, layer, encoding)


def open_plain(work: Path, path: Path, name: str, head: bytes, layer: str | None, encoding: str | None) -> Table:
    """Read an unpacked file by what its first bytes say."""
    if head.startswith(b"AC10") and head[4:6].isdigit():
        raise bad_file(
            name,
            "是 DWG 图纸；请在 CAD 中另存为 DXF 后用 ogr2ogr 转成 GeoPackage，或由 GIS 软件导出 Shapefile",
            "is a DWG drawing; save it as DXF in CAD and convert it with ogr2ogr to GeoPackage, or export a Shapefile",
        )
    if head.startswith(b"SQLite format 3\x00"):
        from provisioning.import_files.vector import read_database

        return read_database(name, path, layer)
    if PurePosixPath(name.lower()).suffix in COMPANIONS:
        zh, en = "是 Shapefile 的附属文件，请导入同名的 .shp", "belongs to a Shapefile; import the .shp of that name"
        raise bad_file(name, zh, en)
    if head.startswith(b"\x00\x00\x27\x0a"):
        from provisioning.import_files.vector import read_shapefile

        return read_shapefile(name, copied_shapefile(work, path), encoding)
    ending = PurePosixPath(name.lower().removesuffix(".gz")).suffix
    if ending in (".shp", ".gpkg", ".xlsx", ".zip", ".gdb", ".xls"):
        raise bad_file(
            name, f"内容不是 {ending} 格式，文件已损坏", f"is not what its ending {ending} says; it is damaged"
        )
    if ending == ".dbf":
        from provisioning.import_files.vector import read_attribute_table

        # a copy: GDAL would make an index beside the original when it sees a .shp there
        alone = Path(tempfile.mkdtemp(dir=work)) / "table.dbf"
        shutil.copyfile(path, alone)
        return read_attribute_table(name, alone, encoding)
    return open_text(path, name, ending, head, encoding)


def open_text(path: Path, name: str, ending: str, head: bytes, encoding: str | None) -> Table:
    """Read JSON or CSV."""
    data = path.read_bytes()
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x1e")[:1]
    if ending in (".geojson", ".json", ".geojsonl", ".ndjson", ".geojsons") or start == b"{":
        from provisioning.import_files.geojson import read_geojson  # shapely, 0.1 s

        return read_geojson(name, data, encoding)
    if ending in (".csv", ".tsv", ".txt") or guess(head[:400]) is not None:
        return read_delimited(name, data, encoding)
    raise bad_file(name, f"格式无法识别，可导入：{FORMATS}", f"has an unknown format; can be imported: {FORMATS}")


def unpacked_gzip(work: Path, path: Path, name: str) -> Path:
    """The content of a .gz in our folder."""
    target = work / (path.name.removesuffix(".gz") or "content")
    limit = size_limit(path.stat().st_size)
    try:
        with gzip.open(path) as source, target.open("wb") as out:
            copied = 0
            while block := source.read(1 << 20):
                copied += len(block)
                if copied > limit:
                    raise bomb(name)
                out.write(block)
    except (OSError, EOFError, zlib.error) as problem:
        raise bad_file(name, ".gz 不完整或已损坏", "is a .gz that is cut off or damaged") from problem
    return target


def size_limit(packed: int) -> int:
    return min(LARGEST_FILE, max(RATIO_FROM, packed * LARGEST_RATIO))


def bomb(name: str) -> Exception:
    zh, en = (
        "解压后大得反常，像是压缩炸弹，已拒绝",
        "grows out of all proportion when unpacked and is refused as a bomb",
    )
    return bad_file(name, zh, en)


def open_zip(work: Path, path: Path, name: str, layer: str | None, encoding: str | None) -> Table:
    """Read the one layer in a zip, or the workbook that it is."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            check_members(name, members)
            if any(member.filename == "[Content_Types].xml" for member in members):
                from provisioning.import_files.sheet import read_sheet

                return read_sheet(name, path, layer)
            for member in members:
                unpack_member(work, archive, member, name)
    except ZIP_PROBLEMS as problem:
        raise bad_file(
            name, "压缩包不完整、加密或已损坏", "is a zip that is cut off, encrypted or damaged"
        ) from problem
    return open_unpacked(work, name, layer, encoding)


def check_members(name: str, members: list[zipfile.ZipInfo]) -> None:
    """Refuse paths that lead out of the folder, links, and bombs."""
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > LARGEST_FILE:
        raise bomb(name)
    for member in members:
        written = member_name(member)
        parts = PurePosixPath(written.replace("\\", "/")).parts
        if ".." in parts or written.startswith(("/", "\\")) or ":" in (parts[0] if parts else ""):
            zh, en = (
                f"压缩包内路径“{written}”越出目录，已拒绝",
                f"holds the path '{written}' that leads out of it; refused",
            )
            raise bad_file(name, zh, en)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise bad_file(name, f"压缩包内含链接“{written}”，已拒绝", f"holds the link '{written}'; refused")
        if member.file_size > size_limit(max(member.compress_size, 1)):
            raise bomb(name)


def member_name(member: zipfile.ZipInfo) -> str:
    """A member's name; Chinese programs write GBK without saying so."""
    if member.flag_bits & 0x800 or member.filename.isascii():
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename


def unpack_member(work: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    target = work / "unpacked" / PurePosixPath(member_name(member).replace("\\", "/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as out:
        copied = 0
        while block := source.read(1 << 20):
            copied += len(block)
            if copied > member.file_size:
                raise bomb(name)
            out.write(block)


def open_unpacked(work: Path, name: str, layer: str | None, encoding: str | None) -> Table:
    """Read what a zip held: one layer, or the one chosen by `--layer`."""
    found = sorted(
        item
        for item in (work / "unpacked").rglob("*")
        if item.suffix.lower() in LAYER_ENDINGS or (item.is_dir() and item.suffix.lower() == ".gdb")
    )
    databases = [item for item in found if item.is_dir()]
    found = [item for item in found if not any(base in item.parents for base in databases)]
    names = "、".join(item.stem for item in found)
    if layer is not None and len(found) > 1:
        chosen = [item for item in found if layer in (item.stem, item.name)]
        if len(chosen) != 1:
            raise bad_file(name, f"压缩包内没有“{layer}”，有：{names}", f"holds no '{layer}', only {names}")
        return open_in(work, chosen[0], f"{name}/{chosen[0].name}", None, encoding)
    if len(found) != 1:
        if found:
            zh, en = (
                f"压缩包内有多个图层（{names}），请用 --layer 选一个",
                f"holds the layers {names}; choose one with --layer",
            )
        else:
            zh, en = f"压缩包内没有可导入的文件（{FORMATS}）", f"holds nothing that can be imported ({FORMATS})"
        raise bad_file(name, zh, en)
    return open_in(work, found[0], name, layer, encoding)


def copied_shapefile(work: Path, path: Path) -> Path:
    """The Shapefile with its companions in our folder under plain names, so that a .shx can be rebuilt there."""
    folder = Path(tempfile.mkdtemp(dir=work))
    for item in path.parent.iterdir():
        if item.stem == path.stem and item.suffix.lower() in (".shp", ".dbf", ".shx", ".prj", ".cpg"):
            shutil.copyfile(item, folder / f"layer{item.suffix.lower()}")
    return folder / "layer.shp"
