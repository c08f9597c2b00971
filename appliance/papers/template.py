"""The template of the monthly return: one CSV file of columns, checked on load; the county's own copy comes first.

A column is a count or a rate of the platform's facts. Where `departments` is `yes` a unit's row has it too, made of the
unit's facts of the same names.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from appliance.errors import BadFile
from appliance.scoring.countable import countables
from appliance.scoring.formula import FormulaError, Sum, Value, read_sum
from appliance.scoring.packs_in_force import FOLDER

SHIPPED = Path(__file__).with_name("monthly_return.csv")
COLUMNS = ("code", "chinese", "english", "numerator", "denominator", "departments", "source")
NAMES = ("unit_name", "unit_code")
"""What a column of text may hold instead of a sum of facts."""
NOTHING = "—"
"""A rate of nothing."""
Cell = str | int


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the return.

    Attributes:
        text: `unit_name` or `unit_code`; None where it is a figure.
        departments: whether the rows of units have it; the last row, the platform's, always does.
    """

    code: str
    chinese: str
    english: str
    text: str | None
    numerator: Sum
    denominator: Sum | None
    departments: bool

    @property
    def unit(self) -> str:
        """How it is shown: `text`, `count`, or `rate` (a fraction)."""
        return "text" if self.text else "count" if self.denominator is None else "rate"

    def value(self, facts: Mapping[str, int]) -> Value:
        """The unrounded value, a rate as a fraction; None is a rate of nothing."""
        above = self.numerator.of(facts)
        if self.denominator is None:
            return above
        whole = self.denominator.of(facts)
        return above / whole if whole else None

    def cell(self, facts: Mapping[str, int]) -> Cell:
        """The value as it stands in the return: counts as integers, rates in per cent with two decimals, half up."""
        above = self.numerator.of(facts)
        if self.denominator is None:
            return above
        whole = self.denominator.of(facts)
        if not whole:
            return NOTHING
        sign = "-" if (above < 0) is not (whole < 0) and above else ""
        hundredths = (abs(above) * 20_000 + abs(whole)) // (abs(whole) * 2)
        return f"{sign}{hundredths // 100}.{hundredths % 100:02d}%"


@dataclass(frozen=True, slots=True)
class Template:
    """A checked template: `id` is the file's name without its ending, `sha256` is of the file."""

    id: str
    sha256: str
    columns: tuple[Column, ...]


def template_of(home: Path) -> Template:
    """The county's own `packs/monthly_return.csv`, else the one that ships.

    Raises:
        BadFile: it cannot be read, or a line is wrong; names the line and says why.
    """
    own = home / FOLDER / SHIPPED.name
    return load_template(own if own.is_file() else SHIPPED)


def load_template(file: Path) -> Template:
    """Read a template.

    Raises:
        BadFile: as above.
    """
    try:
        content = file.read_bytes()
        reader = csv.DictReader(StringIO(content.decode("utf-8-sig"), newline=""))
        rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(
            f"月报模板 {file} 无法读取: {error};请存为 UTF-8 的 CSV。",
            f"The template {file} cannot be read: {error}; save it as CSV in UTF-8.",
        ) from None
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise _wrong(file, 1, f"缺少列 {'、'.join(missing)}", f"columns are missing: {', '.join(missing)}")
    columns: list[Column] = []
    for line, row in rows:
        try:
            columns.append(_column({name: (row[name] or "").strip() for name in COLUMNS}, columns))
        except FormulaError as error:
            raise _wrong(file, line, error.zh, error.en) from None
    if not columns:
        raise _wrong(file, 1, "没有任何栏目", "it has no columns")
    return Template(file.stem, hashlib.sha256(content).hexdigest(), tuple(columns))


def _column(row: Mapping[str, str], before: Sequence[Column]) -> Column:
    code, numerator, denominator = row["code"], row["numerator"], row["denominator"]
    if not code or not row["chinese"] or any(code == each.code for each in before):
        raise FormulaError(
            f"代码 {code!r} 为空、没有中文名或重复", f"the code {code!r} is empty, nameless or given twice"
        )
    if any(row["chinese"] == each.chinese for each in before):
        raise FormulaError(f"栏目“{row['chinese']}”重复", f"the column '{row['chinese']}' is given twice")
    departments = row["departments"]
    if departments not in ("", "yes"):
        raise FormulaError(f"departments“{departments}”应为 yes 或空", f"departments '{departments}' is yes or empty")
    if numerator in NAMES:
        return Column(code, row["chinese"], row["english"], numerator, Sum(()), None, True)
    above, below = read_sum(numerator), read_sum(denominator) if denominator else None
    if not above.terms:
        raise FormulaError("没有分子", "it has no numerator")
    facts = [fact for each in (above, below) if each for _, fact in each.terms]
    for scope in ("platform", *(("department",) if departments else ())):
        known = countables()[scope]
        for fact in facts:
            if fact not in known:
                raise FormulaError(
                    f"{scope} 没有 {fact!r} 这项,可用 {'、'.join(known)}",
                    f"{scope} has no fact {fact!r}; known are {', '.join(known)}",
                )
    return Column(code, row["chinese"], row["english"], None, above, below, departments == "yes")


def _wrong(file: Path, line: int, zh: str, en: str) -> BadFile:
    return BadFile(f"月报模板 {file.name} 第 {line} 行: {zh}。", f"Return template {file.name}, line {line}: {en}.")
