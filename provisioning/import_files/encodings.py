"""Which encoding a Chinese text file has: announced, or found out by strict decoding."""

from __future__ import annotations

import codecs

from provisioning.import_files.table import bad_file

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# dBASE language driver bytes; Chinese programs write 0x00 or a Western one as often as the right one.
LANGUAGE_BYTES = {
    0x4D: "gb18030", 0x7A: "gb18030", 0x4F: "big5", 0x78: "big5", 0x13: "shift_jis", 0x7B: "shift_jis",
    0x4E: "cp949", 0x79: "cp949",
}  # fmt: skip

CODE_PAGES = {
    "936": "gb18030", "54936": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "ansi 936": "gb18030",
    "oem 936": "gb18030", "65001": "utf-8", "950": "big5", "1252": "cp1252", "88591": "latin-1",
}  # fmt: skip


def decodes(data: bytes, encoding: str) -> bool:
    """Whether the bytes are text in this encoding."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def guess(data: bytes) -> str | None:
    """The encoding of unannounced text: ASCII, UTF-8, or GB 18030 when the characters are everyday Chinese.

    Western or Big5 bytes often decode as GB 18030 too, but into characters outside GB 2312. None when nothing fits.
    """
    if data.isascii() or decodes(data, "utf-8"):
        return "utf-8"
    if not decodes(data, "gb18030"):
        return None
    foreign = [letter for letter in data.decode("gb18030") if not letter.isascii()]
    common = sum(in_gb2312(letter) for letter in foreign)
    return "gb18030" if common >= 0.9 * len(foreign) else None


def in_gb2312(letter: str) -> bool:
    """Whether a character is one of GB 2312's 7,445."""
    try:
        letter.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def encoding_name(written: str) -> str | None:
    """Python's name of an encoding as written in a .cpg file or an option, None when it is unknown."""
    wanted = written.strip().strip("\x00").lower().removeprefix("cp")
    wanted = CODE_PAGES.get(wanted, wanted)
    try:
        return codecs.lookup(wanted).name
    except LookupError:
        return None


def text_of(name: str, data: bytes, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file and the encoding it was read with.

    Raises:
        BadFile: NUL bytes, or no encoding fits.
    """
    marked = next((found for mark, found in BYTE_ORDER_MARKS if data.startswith(mark)), None)
    chosen = marked or encoding
    if chosen is None and b"\x00" in data:
        raise bad_file(name, "含有 NUL 字节，不是文本文件或已损坏", "holds NUL bytes; it is no text or is damaged")
    chosen = chosen or guess(data)
    if chosen is None or not decodes(data, chosen):
        raise bad_file(
            name,
            "编码无法识别（不是 UTF-8、GBK、GB18030 或 UTF-16），请用 --encoding 指明，例如 --encoding BIG5",
            "has an encoding that is not UTF-8, GBK, GB18030 or UTF-16; name it with --encoding, for example BIG5",
        )
    text = data.decode(chosen)
    if "\x00" in text:
        raise bad_file(name, "含有 NUL 字节，文件已损坏", "holds NUL characters; it is damaged")
    return text, chosen
