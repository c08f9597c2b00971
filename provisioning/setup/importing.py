"""Importing a file in a conversation: a dry run is shown first, what is missing is asked for, then it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.errors import BadFile, FieldError, Invalid, WanmiError
from provisioning.import_files.kinds import importer_class
from provisioning.setup.step import Back
from provisioning.setup.talk import Talk

if TYPE_CHECKING:
    from provisioning.import_files.pipeline import Result

SHOWN = 8
"""Refusals shown on a screen of 24 lines."""


@dataclass(slots=True)
class Wish:
    """What is said about a file, as the options of `wanmi import`."""

    crs: str = ""
    map: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    repair: bool = False
    keep_good: bool = False
    make_codes: bool = False

    def chosen(self, *, dry_run: bool) -> dict[str, Any]:
        """The options as the command takes them."""
        return {
            "crs": self.crs or None, "mapping": tuple(f"{ours}={theirs}" for ours, theirs in self.map.items()),
            "values": tuple(f"{ours}={file}" for ours, file in self.values.items()), "make_codes": self.make_codes,
            "dry_run": dry_run, "keep_good": self.keep_good, "repair": self.repair, "layer": None, "encoding": None,
            "tz": None,
        }  # fmt: skip


def wish_of(talk: Talk, *names: str) -> Wish:
    """What the questions of a step say about a file; a terminal is asked for the CRS only."""
    wish = Wish()
    for name in names:
        kind = talk.question(name).kind
        if kind == "table":
            setattr(wish, name, talk.pairs(name))
        elif kind != "yes":
            setattr(wish, name, talk.ask(name))
        elif talk.alone:
            setattr(wish, name, talk.yes(name))
    return wish


def import_file(home: Path, kind: str, file: Path, talk: Talk, wish: Wish) -> Result | None:
    """Try a file, talk about what is wrong with it, and import it; None when it was left for now.

    Raises:
        WanmiError: refused, and nobody is there to say more.
    """
    while True:
        try:
            tried = _run(home, kind, file, wish, dry_run=True)
        except WanmiError as refusal:
            if talk.alone:
                raise
            if not _helped(kind, refusal, talk, wish):
                return None
            continue
        _tell_trial(talk, kind, file, tried)
        if tried.refusals and talk.alone and not wish.keep_good:
            raise refused(file, tried)
        choice = _next(talk, tried, wish)
        if choice == "y":
            return _written(home, kind, file, talk, wish)
        if choice == "n":
            talk.tell("先不导入,什么也没有写", "left for now, nothing was written")
            return None
        _change(choice, talk, wish)


def refused(file: Path, result: Result) -> Invalid:
    """The refusal of a file with wrong rows."""
    first = result.refusals[0]
    where_zh, where_en = f"{file.name} 第 {first['row']} 行 {first['field']}", f"{file.name}, row {first['row']}"
    error = FieldError(first["field"], first["why"], first["why_en"])
    return Invalid(
        f"{where_zh}: {first['why']}(共 {result.refused} 行被拒,没有写入);改正文件,或写 keep_good = true。",
        f"{where_en}, {first['field']}: {first['why_en']} ({result.refused} rows refused, nothing written); correct "
        f"the file, or write keep_good = true.",
        fields=(error,),
    )


def _run(home: Path, kind: str, file: Path, wish: Wish, *, dry_run: bool) -> Result:
    from provisioning.commands import opened, run

    with opened(home) as records:
        return run(records, kind, file, wish.chosen(dry_run=dry_run))


def _written(home: Path, kind: str, file: Path, talk: Talk, wish: Wish) -> Result:
    result = _run(home, kind, file, wish, dry_run=False)
    batch = f",批次 {result.batch}" if result.batch else ",与已有的相同"
    talk.tell(
        f"✓ {file.name} 新增 {result.added} 更新 {result.updated} 拒绝 {result.refused}{batch}",
        "added, updated, refused" + ("; the same as before" if result.batch is None else ""),
    )
    return result


def _tell_trial(talk: Talk, kind: str, file: Path, tried: Result) -> None:
    talk.tell(
        f"试读 {file.name} ({kind}): 读取 {tried.read},新增 {tried.added},更新 {tried.updated},拒绝 {tried.refused}",
        "dry run: read, added, updated, refused",
    )
    for warning in tried.warnings[:SHOWN]:
        talk.tell(f"  ! {warning}")
    for item in tried.refusals[:SHOWN]:
        talk.tell(f"  ✗ 第 {item['row']} 行 {item['field']}: {item['why']}", item["why_en"])
    if len(tried.refusals) > SHOWN:
        talk.tell(f"  … 共 {len(tried.refusals)} 处", "in all")


def _next(talk: Talk, tried: Result, wish: Wish) -> str:
    """What to do after a dry run."""
    if talk.alone:
        return "y"
    if not tried.refusals or wish.keep_good:
        offered = {"y": "导入 import"}
    else:
        offered = {"g": "只导入正确的行 take the good rows"}
    offered |= {
        "c": "换坐标系 another CRS", "m": "指明列 name a column", "v": "对照表 table of values",
        "r": "修补多边形 mend polygons", "n": "先不导入 leave it",
    }  # fmt: skip
    return talk.choose("怎么办?", "What next?", offered, "y" if "y" in offered else "n")


def _change(choice: str, talk: Talk, wish: Wish) -> None:
    if choice == "g":
        wish.keep_good = True
    elif choice == "c":
        wish.crs = talk.free("坐标系,如 GCJ-02、EPSG:4547", "CRS")
    elif choice == "r":
        wish.repair = True
    elif choice == "m":
        ours = talk.free("我们的字段名,如 code", "our field")
        wish.map[ours] = talk.free("文件中的列名", "their column")
    elif choice == "v":
        ours = talk.free("我们的字段名,如 type", "our field")
        wish.values[ours] = talk.free("对照表 CSV: 原值,新值", "CSV of their value, our value")


def _helped(kind: str, refusal: WanmiError, talk: Talk, wish: Wish) -> bool:
    """Tell a refusal of the whole file, and ask for what it lacks; False where it is left."""
    talk.tell(f"✗ {refusal.zh}", refusal.en)
    where = refusal.fields[0].field if refusal.fields else ""
    if isinstance(refusal, BadFile) and where in _required(kind):
        return _column_named(where, talk, wish)
    if where == "map":
        wish.map.clear()
    offered = {"c": "换坐标系 another CRS", "m": "指明列 name a column", "n": "先不导入 leave it"}
    choice = talk.choose("怎么办?", "What next?", offered, "n")
    if choice == "n":
        return False
    _change(choice, talk, wish)
    return True


def _column_named(ours: str, talk: Talk, wish: Wish) -> bool:
    theirs = talk.free(
        f"哪一列是 {ours}?(=值 表示每行都是这个值; + 表示自动编号; 空着先不导入)",
        f"which column is {ours}? (=VALUE for every row, + numbers them, empty leaves it)",
    )
    if theirs == "+":
        wish.make_codes = True
    elif theirs:
        wish.map[ours] = theirs
    return bool(theirs)


def _required(kind: str) -> frozenset[str]:
    found: frozenset[str] = getattr(importer_class(kind), "required", frozenset())
    return found


def retried(talk: Talk, work: Callable[[], bool]) -> None:
    """Do something until it says it is done; a refusal is told and it is tried again while one wants to.

    Raises:
        WanmiError: refused, and nobody is there.
    """
    while True:
        try:
            if work():
                return
        except WanmiError as refusal:
            if talk.alone:
                raise
            talk.tell(f"✗ {refusal.zh}", refusal.en)
            if not talk.confirm("再试一次?", "Try again?"):
                raise Back from None


def known_fields(kind: str) -> Mapping[str, tuple[str, ...]]:
    """The fields of a kind with the header names that mean them."""
    found: Mapping[str, tuple[str, ...]] = getattr(importer_class(kind), "fields", {})
    return found
