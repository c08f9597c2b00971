"""Reads the CSV tables of a code book and refuses a wrong row with file, row and field named."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path

from appliance.codes.values import (
    EDITIONS,
    KINDS,
    UNITS,
    AttributeField,
    CodeClass,
    Edition,
    Kind,
    Limit,
    Phrase,
    Source,
)
from appliance.errors import FieldError, Invalid

LIMIT_HEADER = (
    "kind", "code", "name", "condition_to_open", "condition_to_close", "limit_value", "limit_unit", "urgency",
    "provenance",
)  # fmt: skip
LIMIT_KINDS = ("part", "event", "event-cjt214", "part-2026", "event-2026", "part-2007")
URGENCY = {"urgent", "normal"}

# Which edition and kind the `kind` column of a limits table means.
LIMIT_TABLES: dict[str, tuple[Edition, Kind]] = {
    "part": ("2013", "part"),
    "event": ("2013", "event"),
    "event-cjt214": ("2007", "event"),
    "part-2026": ("2026", "part"),
    "event-2026": ("2026", "event"),
    "part-2007": ("2007", "part"),
}


def refusal(path: Path, row: int | None, field: str, zh: str, en: str, nearest: tuple[str, ...] = ()) -> Invalid:
    """A refusal that names file, row (the header is row 1) and field."""
    where_zh = f"{path.name} 第 {row} 行 {field}" if row else f"{path.name} {field}"
    where_en = f"{path.name} row {row}, field {field}" if row else f"{path.name}, field {field}"
    error = FieldError(field, zh, en, nearest)
    return Invalid(f"{where_zh}：{zh}。", f"{where_en}: {en}.", fields=(error,), file=str(path), row=row)


def rows(path: Path, required: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Row numbers (as a spreadsheet shows them) and stripped rows of a UTF-8 CSV.

    Raises:
        Invalid: not UTF-8, a required column is missing, or a row has more cells than the header.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as problem:
        zh, en = "不是 UTF-8 编码，请另存为 UTF-8 CSV", "is not UTF-8, save it as UTF-8 CSV"
        raise refusal(path, None, "encoding", zh, en) from problem
    reader = csv.DictReader(StringIO(text, newline=""))
    header = [name.strip() for name in reader.fieldnames or ()]
    for name in required:
        if name not in header:
            raise refusal(path, 1, name, "缺少这一列", "this column is missing", tuple(header))
    for row in reader:
        if None in row:
            raise refusal(path, reader.line_num, "row", "单元格比表头多", "has more cells than the header")
        yield reader.line_num, {key.strip(): (value or "").strip() for key, value in row.items()}


def read_classes(path: Path, edition: Edition, provenance: str = "") -> Iterator[tuple[int, CodeClass]]:
    """Row numbers and classes of a class table.

    Raises:
        Invalid: unknown kind, empty name, or a missing column.
    """
    for number, row in rows(path, ("kind", "code", "name")):
        if row["kind"] not in KINDS:
            raise refusal(path, number, "kind", f"“{row['kind']}”应为 part 或 event", "must be part or event", KINDS)
        if not row["name"]:
            raise refusal(path, number, "name", "名称为空", "is empty")
        yield (
            number,
            CodeClass(
                kind=row["kind"],
                edition=edition,
                code=row["code"],
                class_code=row.get("class_code") or row["code"][:2],
                class_name=row.get("class_name", ""),
                name=row["name"],
                english=row.get("english", ""),
                initials=row.get("initials", ""),
                provenance=row.get("provenance") or provenance,
            ),
        )


def read_limits(path: Path) -> Iterator[tuple[int, Limit]]:
    """Row numbers and limits of a table with the header `LIMIT_HEADER`.

    Raises:
        Invalid: a missing column, an unknown kind or unit, or a limit that is no positive number.
    """
    for number, row in rows(path, LIMIT_HEADER[:7]):
        yield number, limit_of(path, number, row)


def limit_of(path: Path, number: int, row: dict[str, str]) -> Limit:
    """The limit of one row of a limits table."""
    if row["kind"] not in LIMIT_KINDS:
        kinds = "、".join(LIMIT_KINDS)
        zh, en = f"“{row['kind']}”应为 {kinds} 之一", f"'{row['kind']}' must be one of {', '.join(LIMIT_KINDS)}"
        raise refusal(path, number, "kind", zh, en, LIMIT_KINDS)
    if row["limit_unit"] not in UNITS:
        zh, en = f"“{row['limit_unit']}”不是时限单位", f"'{row['limit_unit']}' is no unit"
        raise refusal(
            path, number, "limit_unit", f"{zh}，可用 {'、'.join(UNITS)}", f"{en}, use {' '.join(UNITS)}", UNITS
        )
    urgency = row.get("urgency") or ("urgent" if row["limit_unit"].startswith("紧急") else "normal")
    if urgency not in URGENCY:
        raise refusal(
            path, number, "urgency", "应为 urgent 或 normal", "must be urgent or normal", ("urgent", "normal")
        )
    return Limit(
        kind=row["kind"],
        code=row["code"],
        name=row["name"],
        condition_to_open=row["condition_to_open"],
        condition_to_close=row["condition_to_close"],
        value=limit_value(path, number, row["limit_value"]),
        unit=row["limit_unit"],
        urgency=urgency,
        provenance=row.get("provenance", ""),
    )


def limit_value(path: Path, number: int, text: str) -> float | None:
    """The number of a limit, None where the table leaves it open."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 3660:
        zh, en = f"“{text}”不是大于 0 的数", f"'{text}' is not a number above 0"
        raise refusal(path, number, "limit_value", zh, en)
    return value


def read_sources(path: Path) -> Iterator[Source]:
    for _, row in rows(path, ("code", "name")):
        yield Source(row["code"], row["name"], row["english"], row["channel_kind"], row["provenance"])


def read_attribute_fields(path: Path) -> Iterator[AttributeField]:
    for _, row in rows(path, ("table", "name", "abbr")):
        yield AttributeField(
            row["table"], row["name"], row["abbr"], row["type"], row["length"], row["mandatory"], row["english"],
            row["note"], row["provenance"],
        )  # fmt: skip


def read_phrases(path: Path) -> Iterator[Phrase]:
    """Ready sentences of a county; columns `initials` and `text`."""
    for number, row in rows(path, ("initials", "text")):
        if not row["initials"].isascii() or not row["initials"] or not row["text"]:
            raise refusal(
                path, number, "initials", "首字母须为英文字母且文字不能为空", "needs ASCII initials and a text"
            )
        yield Phrase(row["initials"].lower(), row["text"])


def edition_of(text: str) -> Edition | None:
    """The edition named by `text`, None when there is none of that name."""
    return text if text in EDITIONS else None
