"""What is looked at in a Shapefile before GDAL reads it, because GDAL takes cut and mislabelled ones silently."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from provisioning.import_files.encodings import LANGUAGE_BYTES, decodes, encoding_name, guess
from provisioning.import_files.table import bad_file

SHP_MAGIC = 9994
TEXT_TYPES = b"CMV"


@dataclass(frozen=True, slots=True)
class Attributes:
    """The head of a .dbf: number of records, and the raw bytes of all text cells and field names."""

    records: int
    text: bytes
    language: int
    fields: int


def sibling(path: Path, ending: str) -> Path | None:
    """The file beside `path` with another ending, whatever its case."""
    for candidate in path.parent.iterdir():
        if candidate.stem == path.stem and candidate.suffix.lower() == ending:
            return candidate
    return None


def shape_count(name: str, path: Path) -> int:
    """The number of records of a .shp, after checking that every one is whole.

    Raises:
        BadFile: no Shapefile, cut off, or damaged.
    """
    data = path.read_bytes()
    if len(data) < 100 or struct.unpack(">i", data[:4])[0] != SHP_MAGIC:
        raise bad_file(name, "不是 Shapefile（.shp 文件头不对）", "is no Shapefile (wrong head of the .shp)")
    stated = struct.unpack(">i", data[24:28])[0] * 2
    if stated > len(data):
        raise bad_file(
            name,
            f".shp 被截断：应有 {stated} 字节，只有 {len(data)} 字节，请重新拷贝",
            f"the .shp is cut off: {stated} bytes stated, {len(data)} there; copy it again",
        )
    offset, count = 100, 0
    while offset + 8 <= min(stated, len(data)):
        length = struct.unpack(">i", data[offset + 4 : offset + 8])[0] * 2
        count += 1
        if length < 4 or offset + 8 + length > len(data):
            zh, en = ".shp 记录损坏或被截断", "a record of the .shp is damaged or cut off"
            raise bad_file(name, zh, en, row=count)
        offset += 8 + length
    return count


def attributes(name: str, path: Path) -> Attributes:
    """The head and text of a .dbf, after checking that its records are all there.

    Raises:
        BadFile: no .dbf, cut off, or a field twice.
    """
    data = path.read_bytes()
    if len(data) < 33 or data[0] & 0x07 not in (2, 3, 4, 5) or not 1 <= data[2] <= 12:
        raise bad_file(name, ".dbf 已损坏（文件头不对）", "the .dbf is damaged (wrong head)")
    records, head, length = struct.unpack("<IHH", data[4:12])
    if head < 65 or length < 2 or head > len(data):
        raise bad_file(name, ".dbf 已损坏（文件头不对）", "the .dbf is damaged (wrong head)")
    fields: list[tuple[bytes, bytes, int]] = []
    for start in range(32, head - 31, 32):
        if data[start] == 0x0D:
            break
        fields.append((data[start : start + 11].split(b"\0")[0], data[start + 11 : start + 12], data[start + 16]))
    check_fields(name, fields, length)
    if head + records * length > len(data):
        there = (len(data) - head) // length
        raise bad_file(
            name,
            f".dbf 被截断：应有 {records} 条记录，只有 {there} 条，请重新拷贝",
            f"the .dbf is cut off: {records} records stated, {there} there; copy it again",
        )
    return Attributes(records, text_cells(data, head, length, records, fields), data[29], len(fields))


def check_fields(name: str, fields: list[tuple[bytes, bytes, int]], length: int) -> None:
    names = [field.lower() for field, _, _ in fields]
    twice = next((field for field in names if names.count(field) > 1), None)
    if twice is not None:
        written = twice.decode("gb18030", "replace")
        raise bad_file(name, f".dbf 字段“{written}”出现两次", f"the .dbf has the field '{written}' twice")
    if 1 + sum(size for _, _, size in fields) != length:
        raise bad_file(name, ".dbf 字段长度与记录长度不符", "the fields of the .dbf do not fill its records")


def text_cells(data: bytes, head: int, length: int, records: int, fields: list[tuple[bytes, bytes, int]]) -> bytes:
    """The bytes of field names and text cells, at most some megabytes: enough to know the encoding."""
    pieces = [field for field, _, _ in fields]
    spans: list[tuple[int, int]] = []
    offset = 1
    for _, kind, size in fields:
        if kind in TEXT_TYPES:
            spans.append((offset, offset + size))
        offset += size
    if spans:
        step = max(1, records // 20_000)
        for record in range(0, records, step):
            start = head + record * length
            # cells are padded with blanks, and a writer may have cut a character in two at the end of a full cell
            pieces += [data[start + left : start + right].rstrip(b" \0") for left, right in spans]
    return b"\n".join(pieces)


def text_encoding(name: str, shp: Path, found: Attributes, asked: str | None) -> tuple[str, str | None]:
    """The encoding of a .dbf and a warning when it was not announced.

    Announced by .cpg or the language byte, and only believed when the bytes really are text in it.

    Raises:
        BadFile: no encoding fits.
    """
    if asked is not None:
        return asked, None
    note = sibling(shp, ".cpg")
    announced = encoding_name(note.read_text("latin-1")) if note else LANGUAGE_BYTES.get(found.language)
    if announced and announced.startswith("utf-16"):
        raise bad_file(name, ".dbf 用了 UTF-16，请另存为 UTF-8", "the .dbf is in UTF-16; save it as UTF-8")
    if announced and decodes(found.text, announced):
        return announced, None
    guessed = guess(found.text)
    if guessed is None:
        raise bad_file(
            name,
            "属性表编码无法识别，请用 --encoding 指明，例如 --encoding BIG5",
            "the attributes have an unknown encoding; name it with --encoding, for example BIG5",
        )
    if guessed == "gb18030":
        return guessed, f"{name} 未声明编码，属性按 GBK 读取 (attributes read as GBK)"
    return guessed, None
