"""The file of the `raw` driver: commands of a device without a driver, as a technician writes them down.

The shipped `raw_example.toml` explains every key. A file is checked whole when it is loaded; every wrong place is told
with its line, its field and the reason.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import FieldError
from devices.codecs.crc16 import crc16
from devices.errors import BadSetup

EXAMPLE = Path(__file__).with_name("raw_example.toml")
KEYS = {
    "zh": str, "en": str, "send": str, "value": str, "values": dict, "scale": list, "check": str, "check_from": int,
    "end": str, "expect": str, "seconds": (int, float), "reads": bool, "answer": str,
}  # fmt: skip
CONTRACT_VALUES = {
    "identify": "", "status": "", "clock": "", "clear": "", "brightness": "0-100", "blank": "on|off",
    "freeze": "on|off", "text": "TEXT",
}  # fmt: skip
ENCODINGS = ("ascii", "gbk", "utf-8")
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
RANGE = re.compile(r"(\d{1,9})-(\d{1,9})")
ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
PLACE = b"\0value\0"
HEX, PATTERN = "hex:", "pattern:"
CHECKS: dict[str, Callable[[bytes], bytes]] = {
    "none": lambda data: b"",
    "sum8": lambda data: bytes((sum(data) & 0xFF,)),
    "xor8": lambda data: bytes((_xor(data),)),
    "crc16": lambda data: crc16(data, 0xFFFF).to_bytes(2, "little"),
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the file, ready to be sent.

    Attributes:
        value: what it takes, in the words of `Action.value`.
        words: bytes by word, for a command that takes words.
        expect: a compiled pattern that the answer holds; None when nothing is waited for.
    """

    name: str
    zh: str
    en: str
    before: bytes
    after: bytes | None
    is_hex: bool
    value: str
    words: dict[str, bytes]
    scale: tuple[int, int] | None
    check: str
    check_from: int
    end: bytes
    expect: re.Pattern[bytes] | None
    seconds: float
    reads: bool
    answer: bytes

    def wire(self, given: bytes) -> bytes:
        """The bytes of the command with this value in its place."""
        body = self.before if self.after is None else self.before + given + self.after
        return body + CHECKS[self.check](body[self.check_from :]) + self.end


@dataclass(frozen=True, slots=True)
class CommandFile:
    """A loaded file."""

    title: str
    encoding: str
    commands: dict[str, Command]


class Wrong(ValueError):
    """A field is wrong: which one, and why in both languages."""

    def __init__(self, field: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.field, self.zh, self.en = field, zh, en


def load_file(path: Path) -> CommandFile:
    """Read and check a file.

    Raises:
        BadSetup: it cannot be read, or something in it is wrong; `fields` names every wrong place.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise BadSetup(
            f"读不到命令文件 {path}: {error}。", f"The command file {path} cannot be read: {error}."
        ) from None
    except ValueError as error:
        raise BadSetup(
            f"命令文件 {path} 不是 TOML: {error}。", f"The command file {path} is no TOML: {error}."
        ) from None
    commands: dict[str, Command] = {}
    wrongs = list(_wrong_top(content))
    tables = content.get("commands")
    for name, given in (tables if isinstance(tables, dict) else {}).items():
        try:
            commands[name] = _command(name, given)
        except Wrong as wrong:
            wrongs.append(wrong)
    if wrongs:
        raise _refusal(path, text, wrongs)
    return CommandFile(content.get("title", path.stem), content.get("encoding", "ascii"), commands)


def _refusal(path: Path, text: str, wrongs: list[Wrong]) -> BadSetup:
    fields = tuple(
        FieldError(wrong.field, f"第 {line} 行: {wrong.zh}", f"line {line}: {wrong.en}")
        for wrong in wrongs
        for line in [line_of(text, wrong.field)]
    )
    zh = ";".join(f"{item.field} {item.zh}" for item in fields)
    en = "; ".join(f"{item.field} {item.en}" for item in fields)
    return BadSetup(
        f"命令文件 {path.name} 有 {len(fields)} 处错误: {zh}。",
        f"The command file {path.name} is wrong in {len(fields)} places: {en}.",
        fields=fields,
    )


def line_of(text: str, field: str) -> int:
    """The line of a field such as `commands.input.send`, of its table where it is missing, else 1."""
    table, _, key = field.rpartition(".")
    if field.count(".") == 1:
        table, key = field, ""
    at, found = "", 1
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            at = stripped.split("]")[0].strip("[] ").replace('"', "")
            found = number if at == table else found
        elif at == table and key and re.match(rf'"?{re.escape(key)}"?\s*=', stripped):
            return number
    return found


def _wrong_top(content: dict[str, Any]) -> Iterator[Wrong]:
    for key in content.keys() - {"title", "encoding", "commands"}:
        yield Wrong(key, "没有这个键 (title、encoding、commands)", "no such key (title, encoding, commands)")
    if not isinstance(content.get("title", ""), str):
        yield Wrong("title", "须为文字", "is a text")
    if content.get("encoding", "ascii") not in ENCODINGS:
        yield Wrong("encoding", "须为 " + "、".join(ENCODINGS), "is one of " + ", ".join(ENCODINGS))
    if not isinstance(content.get("commands"), dict) or not content["commands"]:
        yield Wrong("commands", "至少要有一个 [commands.名称]", "there is at least one [commands.NAME]")


def _command(name: str, given: Any) -> Command:
    where = f"commands.{name}"
    if not NAME.fullmatch(name) or not isinstance(given, dict):
        raise Wrong(where, "名称须为小写字母、数字、- 和 _", "a name has lower-case letters, digits, - and _")
    for key, value in given.items():
        kind: Any = KEYS.get(key)
        if kind is None:
            raise Wrong(
                f"{where}.{key}", "没有这个键;可用: " + "、".join(KEYS), f"no such key; known: {', '.join(KEYS)}"
            )
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise Wrong(f"{where}.{key}", "类型不对", "has a wrong type")
    if "send" not in given:
        raise Wrong(f"{where}.send", "缺少 send", "is missing")
    before, after, is_hex = _send(f"{where}.send", given["send"])
    words = {word: _plain(f"{where}.values", written, "values") for word, written in given.get("values", {}).items()}
    check = given.get("check", "none")
    if check not in CHECKS:
        raise Wrong(f"{where}.check", "须为 " + "、".join(CHECKS), f"is one of {', '.join(CHECKS)}")
    seconds = float(given.get("seconds", 1.0))
    if not 0.05 <= seconds <= 60:
        raise Wrong(f"{where}.seconds", "须为 0.05 到 60", "is 0.05 to 60")
    value = _value(where, given, words, after is not None, is_hex)
    expect, answer = _expect(where, given)
    return Command(
        name, given.get("zh", name), given.get("en", name), before, after, is_hex, value, words,
        _scale(where, given, value, is_hex), check, _check_from(where, given, before),
        _plain(f"{where}.end", given.get("end", ""), "end"), expect, seconds, given.get("reads", False), answer,
    )  # fmt: skip


def _send(field: str, written: str) -> tuple[bytes, bytes | None, bool]:
    """What stands before and after the value; None after it when there is no value."""
    parts = written.split("{value}")
    if len(parts) > 2:
        raise Wrong(field, "{value} 只能出现一次", "holds {value} once at most")
    is_hex = written.startswith(HEX)
    prefix = HEX if is_hex else ""
    before = bytes_of(field, parts[0])
    after = bytes_of(field, prefix + parts[1]) if len(parts) == 2 else None
    if not before and not after and len(parts) == 1:
        raise Wrong(field, "不能为空", "is not empty")
    return before, after, is_hex


def _plain(field: str, written: Any, key: str) -> bytes:
    if not isinstance(written, str):
        raise Wrong(field, f"{key} 须为文字", f"{key} are texts")
    return bytes_of(field, written)


def bytes_of(field: str, written: str) -> bytes:
    r"""Bytes of `hex: AA 01`, or of text with `\r \n \t \\ \xNN`.

    Raises:
        Wrong: odd digits, an unknown escape, a character that is not ASCII.
    """
    if written.startswith(HEX):
        try:
            return bytes.fromhex(written[len(HEX) :])
        except ValueError:
            raise Wrong(field, "hex: 后须为成对的十六进制数字", "after hex: come pairs of hexadecimal digits") from None

    def unescaped(found: re.Match[str]) -> str:
        if found[1]:
            return chr(int(found[1], 16))
        if found[2] not in ESCAPES:
            raise Wrong(field, f"没有转义 \\{found[2]}", f"there is no escape \\{found[2]}")
        return ESCAPES[found[2]]

    if not written.isascii():
        raise Wrong(field, "须为 ASCII;其他字节写 \\xNN", "is ASCII; other bytes are written \\xNN")
    return ESCAPE.sub(unescaped, written).encode("latin-1")


def _value(where: str, given: dict[str, Any], words: dict[str, bytes], has_place: bool, is_hex: bool) -> str:
    value: str = given.get("value", "|".join(words) if words else "")
    field = f"{where}.{'value' if 'value' in given else 'values' if words else 'send'}"
    if bool(value) != has_place:
        raise Wrong(
            field, "send 中的 {value} 与 value/values 不一致", "{value} in send and value or values go together"
        )
    listed = value not in ("", "TEXT") and not RANGE.fullmatch(value)
    if listed and (is_hex or words) and set(value.split("|")) != set(words):
        raise Wrong(field, "每个词须在 values 中有字节", "each word has its bytes in values")
    wanted = CONTRACT_VALUES.get(where.removeprefix("commands."))
    if wanted is not None and set(value.split("|")) != set(wanted.split("|")):
        raise Wrong(field, f'约定的动作须为 value = "{wanted}"', f'this name of the contract has value = "{wanted}"')
    span = RANGE.fullmatch(value)
    if span and is_hex and "scale" not in given and int(span[2]) > 0xFF:
        raise Wrong(field, "一个字节至多 255", "one byte holds 255 at most")
    if value == "TEXT" and is_hex:
        raise Wrong(field, "hex: 中不能放文字", "a text does not go into hex:")
    return value


def _scale(where: str, given: dict[str, Any], value: str, is_hex: bool) -> tuple[int, int] | None:
    if "scale" not in given:
        return None
    ends = given["scale"]
    good = len(ends) == 2 and all(isinstance(end, int) and 0 <= end <= (0xFF if is_hex else 10**9) for end in ends)
    if not good or ends[0] == ends[1] or value != "0-100":
        raise Wrong(f"{where}.scale", '须为 [低, 高],并有 value = "0-100"', 'is [low, high] beside value = "0-100"')
    return ends[0], ends[1]


def _check_from(where: str, given: dict[str, Any], before: bytes) -> int:
    start: int = given.get("check_from", 0)
    if not 0 <= start <= len(before):
        raise Wrong(f"{where}.check_from", f"须为 0 到 {len(before)}", f"is 0 to {len(before)}")
    return start


def _expect(where: str, given: dict[str, Any]) -> tuple[re.Pattern[bytes] | None, bytes]:
    written = given.get("expect", "")
    answer = _plain(f"{where}.answer", given.get("answer", ""), "answer")
    if not written.startswith(PATTERN):
        plain = bytes_of(f"{where}.expect", written)
        return (re.compile(re.escape(plain)) if plain else None), answer or plain
    try:
        return re.compile(written[len(PATTERN) :].encode("latin-1"), re.DOTALL), answer
    except (re.error, UnicodeEncodeError) as error:
        raise Wrong(f"{where}.expect", f"正则式不对: {error}", f"is no pattern: {error}") from None


def _xor(data: bytes) -> int:
    found = 0
    for byte in data:
        found ^= byte
    return found
