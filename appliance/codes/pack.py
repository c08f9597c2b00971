"""A county pack: the county's own subclasses, limits and phrases, checked when it is loaded.

A pack is a folder with `pack.toml` and, as far as needed, `classes.csv`, `limits.csv` and `phrases.csv`:

    name = "禹州市"
    edition = "2026"
    default_limit = { value = 3, unit = "工作日" }
    photo_required = ["01002"]     # class codes of the pack's edition
    example_limits = true          # false: forget the shipped example table, only limits.csv counts

National numbers cannot be redefined. Own subclasses take the numbers a standard leaves to towns
(`values.LOCAL_NUMBERS`), in a class the edition has. Limits replace those of the codes they name.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.codes.read import LIMIT_TABLES, edition_of, read_classes, read_limits, read_phrases, refusal
from appliance.codes.values import (
    CODE_LENGTH,
    EDITIONS,
    LOCAL_NUMBERS,
    UNITS,
    CodeClass,
    DefaultLimit,
    Edition,
    Limit,
    Phrase,
)

PACK_KEYS = ("name", "edition", "default_limit", "photo_required", "example_limits")
ClassKey = tuple[str, str, str]  # edition, kind, code


@dataclass(frozen=True, slots=True)
class CountyPack:
    """What a county adds to the national book."""

    name: str
    edition: Edition
    default_limit: DefaultLimit
    photo_required: frozenset[str]
    example_limits: bool
    classes: tuple[CodeClass, ...]
    limits: tuple[Limit, ...]
    phrases: tuple[Phrase, ...]


def read_pack(folder: Path, national: dict[ClassKey, CodeClass]) -> CountyPack:
    """Read and check the pack in `folder` against the national classes.

    Raises:
        Invalid: the first wrong value, with file, row and field.
    """
    path = folder / "pack.toml"
    head = read_head(path)
    edition = edition_of(str(head.get("edition", "2026")))
    if edition is None:
        raise refusal(path, None, "edition", f"应为 {'、'.join(EDITIONS)} 之一", "must be 2026, 2013 or 2007", EDITIONS)
    classes = own_classes(folder / "classes.csv", edition, national)
    known = national | {(item.edition, item.kind, item.code): item for item in classes}
    phrases = folder / "phrases.csv"
    return CountyPack(
        name=str(head.get("name", folder.name)),
        edition=edition,
        default_limit=default_limit(path, head.get("default_limit", {})),
        photo_required=photo_required(path, head.get("photo_required", []), edition, known),
        example_limits=bool(head.get("example_limits", True)),
        classes=classes,
        limits=own_limits(folder / "limits.csv", known),
        phrases=tuple(read_phrases(phrases)) if phrases.exists() else (),
    )


def read_head(path: Path) -> dict[str, Any]:
    """The values of pack.toml."""
    if not path.exists():
        raise refusal(path, None, "pack.toml", f"{path.parent} 中没有这个文件", f"is missing in {path.parent}")
    try:
        head = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise refusal(path, None, "toml", f"不是正确的 TOML：{problem}", f"is no valid TOML: {problem}") from problem
    for key in head:
        if key not in PACK_KEYS:
            raise refusal(path, None, key, "没有这个设置项", "is no setting of a pack", PACK_KEYS)
    return head


def own_classes(path: Path, edition: Edition, national: dict[ClassKey, CodeClass]) -> tuple[CodeClass, ...]:
    """The county's own subclasses, each in a class of the edition and a number left to towns."""
    if not path.exists():
        return ()
    class_names = {
        (item.kind, item.class_code): item.class_name for item in national.values() if item.edition == edition
    }
    found: dict[ClassKey, CodeClass] = {}
    for row, item in read_classes(path, edition, "county pack"):
        check_own_code(path, row, item, national, found)
        class_name = class_names.get((item.kind, item.class_code)) or item.class_name
        if not class_name:
            zh, en = f"没有大类 {item.class_code}，请填写 class_name", f"class {item.class_code} is unknown, name it"
            raise refusal(path, row, "class_name", zh, en, tuple(sorted(code for _, code in class_names)))
        # The initials of a pack may be left out; they are then found by code and Chinese only.
        found[edition, item.kind, item.code] = CodeClass(
            item.kind, edition, item.code, item.class_code, class_name, item.name, item.english,
            item.initials.lower(), item.provenance,
        )  # fmt: skip
    return tuple(found.values())


def check_own_code(
    path: Path, row: int, item: CodeClass, national: dict[ClassKey, CodeClass], found: dict[ClassKey, CodeClass]
) -> None:
    """Refuse a number that is malformed, national, twice in the file, or outside the towns' range."""
    length, (low, high) = CODE_LENGTH[item.edition], LOCAL_NUMBERS[item.edition]
    code, key = item.code, (item.edition, item.kind, item.code)
    if not (code.isascii() and code.isdigit() and len(code) == length):
        raise refusal(path, row, "code", f"“{code}”应为 {length} 位数字", f"'{code}' must have {length} digits")
    if item.class_code != code[:2]:
        raise refusal(path, row, "class_code", f"应为 {code[:2]}", f"must be {code[:2]}", (code[:2],))
    if key in national:
        zh = f"{code} 是国标编码（{national[key].name}），不能重新定义"
        raise refusal(path, row, "code", zh, f"{code} is national and cannot be redefined")
    if not low <= int(code[2:]) <= high:
        zh = f"{code} 不在自定小类范围（后几位 {low:0{length - 2}}–{high}）"
        raise refusal(path, row, "code", zh, f"{code} is outside a town's own numbers ({low:0{length - 2}}-{high})")
    if key in found:
        raise refusal(path, row, "code", f"{code} 重复", f"{code} comes twice")


def own_limits(path: Path, known: dict[ClassKey, CodeClass]) -> tuple[Limit, ...]:
    """The county's limits; each names a known class."""
    if not path.exists():
        return ()
    found: dict[tuple[str, str, str], Limit] = {}
    for row, limit in read_limits(path):
        edition, kind = LIMIT_TABLES[limit.kind]
        if (edition, kind, limit.code) not in known:
            zh, en = f"{edition} 版没有编码 {limit.code}", f"edition {edition} has no code {limit.code}"
            raise refusal(path, row, "code", f"{zh}，请先在 classes.csv 中定义", f"{en}, define it in classes.csv")
        key = (limit.kind, limit.code, limit.condition_to_open)
        if key in found:
            raise refusal(path, row, "condition_to_open", f"{limit.code} 的立案条件重复", f"{limit.code} has it twice")
        found[key] = limit
    return tuple(found.values())


def default_limit(path: Path, value: Any) -> DefaultLimit:
    """The pack's limit for classes without one."""
    if not isinstance(value, dict) or set(value) - {"value", "unit"}:
        zh, en = '写法为 { value = 3, unit = "工作日" }', 'is written { value = 3, unit = "工作日" }'
        raise refusal(path, None, "default_limit", zh, en)
    limit = DefaultLimit(**value)
    if not isinstance(limit.value, int | float) or isinstance(limit.value, bool) or limit.value <= 0:
        raise refusal(path, None, "default_limit.value", "应为大于 0 的数", "must be a number above 0")
    if limit.unit not in UNITS:
        units = " ".join(UNITS)
        raise refusal(path, None, "default_limit.unit", f"可用 {units}", f"must be one of {units}", UNITS)
    return limit


def photo_required(path: Path, codes: Any, edition: Edition, known: dict[ClassKey, CodeClass]) -> frozenset[str]:
    """The class codes whose cases need a photograph."""
    if not isinstance(codes, list):
        raise refusal(path, None, "photo_required", "应为编码列表", "must be a list of codes")
    for code in codes:
        if not any((edition, kind, code) in known for kind in ("part", "event")):
            zh, en = f"{edition} 版没有编码 {code}", f"edition {edition} has no code {code}"
            raise refusal(path, None, "photo_required", zh, en)
    return frozenset(codes)
