"""An indicator pack: one CSV file that names each indicator, what it is made of, and the grades; checked on load.

The county changes a formula in a copy of its own; scores carry id and digest of the pack that made them.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from math import nan
from pathlib import Path

from appliance.errors import BadFile
from appliance.scoring.countable import SCOPES, countables
from appliance.scoring.formula import (
    FULL,
    Bands,
    FormulaError,
    Item,
    Sum,
    Value,
    composite,
    read_bands,
    read_sum,
    read_weights,
)

FOLDER = Path(__file__).with_name("packs")
NATIONAL = FOLDER / "national.csv"
COLUMNS = (
    "scope", "code", "chinese", "english", "numerator", "denominator", "per", "bands", "weights", "colour", "source",
)  # fmt: skip
PER_GRID = {"grid_1": 1, "grid_2": 2}
GRADE = "grade"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: a count, a rate, points by bands, a mean of points over grids, or a composite.

    Attributes:
        line: where it stands in the file. grids: the class of the unit grids over which points are averaged.
        mean_of: indicators of that kind whose grids are averaged together.
    """

    scope: str
    code: str
    chinese: str
    english: str
    source: str
    line: int
    numerator: Sum | None = None
    denominator: Sum | None = None
    bands: Bands | None = None
    grids: int | None = None
    mean_of: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()

    @property
    def unit(self) -> str:
        """How it is shown: `count`, `rate` (a fraction) or `points` (0 to 100)."""
        if self.denominator is not None:
            return "rate"
        return "count" if not (self.bands or self.items or self.mean_of) else "points"

    @property
    def needs(self) -> tuple[str, ...]:
        """The indicators it is made of."""
        return (*self.mean_of, *(item.code for item in self.items))

    @property
    def facts(self) -> tuple[str, ...]:
        """The facts it is made of directly."""
        sums = (self.numerator, self.denominator)
        return tuple(dict.fromkeys(name for each in sums if each for _, name in each.terms))


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade from this score on."""

    code: str
    chinese: str
    english: str
    bound: float
    colour: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of one scored subject: counts by fact, and of regions how many grids have how many cases filed."""

    facts: Mapping[str, int]
    grids: Mapping[int, Mapping[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pack:
    """A checked pack.

    Attributes:
        id: the file's name without its ending. sha256: of the file. content: the file itself.
    """

    id: str
    sha256: str
    content: str
    indicators: Mapping[str, Mapping[str, Indicator]]
    grades: tuple[Grade, ...]

    def values(self, scope: str, subject: Subject) -> dict[str, Value]:
        """Every indicator of a subject, by code; None is a rate of nothing."""
        found: dict[str, Value] = {}
        own = self.indicators.get(scope, {})
        for code in own:
            self._value(own, code, subject, found)
        return {code: found[code] for code in own}

    def score_code(self, scope: str) -> str | None:
        """The composite by which a scope is ranked; None where it has none."""
        return next(iter(_composites(self.indicators.get(scope, {}))), None)

    def grade(self, score: Value) -> str | None:
        """The grade of an unrounded score (indicator_definitions 9); no score, no grade."""
        return None if score is None else next((each.code for each in self.grades if score >= each.bound), None)

    def _value(self, own: Mapping[str, Indicator], code: str, subject: Subject, found: dict[str, Value]) -> Value:
        if code not in found:
            each = own[code]
            for needed in each.needs:
                self._value(own, needed, subject, found)
            found[code] = _value_of(each, own, subject, found)
        return found[code]


def _value_of(each: Indicator, own: Mapping[str, Indicator], subject: Subject, found: Mapping[str, Value]) -> Value:
    if each.items:
        return composite(each.items, lambda code: _points(own[code], found[code]))
    if each.mean_of:
        return _mean([_grid_points(own[code], subject) for code in each.mean_of])
    if each.grids is not None:
        return _mean([_grid_points(each, subject)])
    assert each.numerator is not None
    count = each.numerator.of(subject.facts)
    if each.denominator is not None:
        whole = each.denominator.of(subject.facts)
        return count / whole if whole else None
    return count if each.bands is None else each.bands.of(count)


def _points(each: Indicator, value: Value) -> Value:
    return value * FULL if value is not None and each.unit == "rate" else value


def _grid_points(each: Indicator, subject: Subject) -> tuple[float, int]:
    """The sum of points over the grids of a class, and how many grids there are."""
    assert each.bands is not None
    grids = subject.grids.get(each.grids or 1, {})
    return sum(each.bands.of(int(cases)) * number for cases, number in grids.items()), sum(grids.values())


def _mean(sums: list[tuple[float, int]]) -> float | None:
    number = sum(grids for _, grids in sums)
    return sum(points for points, _ in sums) / number if number else None


def national() -> Pack:
    """The pack that ships: the national example formulas, with provenance in its last column."""
    return load_pack(NATIONAL)


def load_pack(file: Path) -> Pack:
    """Read a pack.

    Raises:
        BadFile: it cannot be read, or a line is wrong; names the line and says why.
    """
    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(
            f"指标包 {file} 无法读取: {error}。", f"The indicator pack {file} cannot be read: {error}."
        ) from None
    return read_pack(file.stem, content)


def read_pack(id_: str, content: str) -> Pack:
    """A pack from its text.

    Raises:
        BadFile: a line is wrong.
    """
    reader = csv.DictReader(StringIO(content, newline=""))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise _wrong(id_, 1, f"缺少列 {'、'.join(missing)}", f"columns are missing: {', '.join(missing)}")
    indicators: dict[str, dict[str, Indicator]] = {}
    grades: list[Grade] = []
    for row in reader:
        line = reader.line_num
        try:
            if row["scope"] == GRADE:
                grades.append(_grade(row))
            else:
                _add(indicators, _indicator({name: (row[name] or "").strip() for name in COLUMNS}, line))
        except FormulaError as error:
            raise _wrong(id_, line, error.zh, error.en) from None
    _check_grades(id_, grades)
    for own in indicators.values():
        _check_needs(id_, own)
    digest = hashlib.sha256(content.encode()).hexdigest()
    return Pack(id_, digest, content, indicators, tuple(sorted(grades, key=lambda each: -each.bound)))


def _grade(row: Mapping[str, str]) -> Grade:
    told = {name: (row[name] or "").strip() for name in COLUMNS}
    try:
        bound = float(told["bands"])
    except ValueError:
        bound = nan
    if not 0 <= bound <= FULL or not told["code"]:
        raise FormulaError(
            f"等级须有代码和 0 到 100 的下限,得到“{told['bands']}”",
            f"a grade has a code and a bound of 0 to 100, got '{told['bands']}'",
        )
    return Grade(told["code"], told["chinese"], told["english"], bound, told["colour"])


def _indicator(row: Mapping[str, str], line: int) -> Indicator:
    scope, code = row["scope"], row["code"]
    if scope not in SCOPES:
        raise FormulaError(
            f"没有 {scope!r} 这种对象,可用 {'、'.join(SCOPES)}",
            f"there is no scope {scope!r}; known are {', '.join(SCOPES)}",
        )
    words = row["per"].split()
    made = Indicator(
        scope, code, row["chinese"], row["english"], row["source"], line,
        numerator=read_sum(row["numerator"]) if row["numerator"] else None,
        denominator=read_sum(row["denominator"]) if row["denominator"] else None,
        bands=read_bands(row["bands"]) if row["bands"] else None,
        grids=PER_GRID.get(row["per"]), mean_of=tuple(words[1:]) if words[:1] == ["mean"] else (),
        items=read_weights(row["weights"]) if row["weights"] else (),
    )  # fmt: skip
    if words and made.grids is None and not made.mean_of:
        raise FormulaError(
            f"per“{row['per']}”应为 grid_1、grid_2 或 mean 指标…", f"per '{row['per']}' is grid_1, grid_2 or mean CODE…"
        )
    if (made.numerator is None) is not bool(made.items or made.mean_of):
        raise FormulaError(
            "指标须有分子,或权重,或 mean,且只有一种",
            "an indicator has a numerator, or weights, or mean, and only one of them",
        )
    if made.grids is not None and (made.bands is None or made.denominator is not None or row["numerator"] != "filed"):
        raise FormulaError("按网格的指标须为 filed 的分档", "an indicator per grid is made of filed and bands")
    if made.denominator is not None and made.numerator is None:
        raise FormulaError("有分母就须有分子", "a denominator needs a numerator")
    if made.denominator is not None and made.bands is not None:
        raise FormulaError("分档只用于计数,不用于比率", "bands are for counts, not for rates")
    known = countables()[scope]
    for fact in made.facts:
        if fact not in known:
            raise FormulaError(
                f"{scope} 没有 {fact!r} 这项,可用 {'、'.join(known)}",
                f"{scope} has no fact {fact!r}; known are {', '.join(known)}",
            )
    return made


def _add(indicators: dict[str, dict[str, Indicator]], made: Indicator) -> None:
    own = indicators.setdefault(made.scope, {})
    if made.code in own:
        raise FormulaError(
            f"{made.scope} 的 {made.code} 在第 {own[made.code].line} 行已有",
            f"{made.code} of {made.scope} stands in line {own[made.code].line} already",
        )
    own[made.code] = made


def _check_grades(id_: str, grades: list[Grade]) -> None:
    bounds = [each.bound for each in grades]
    if not grades:
        raise _wrong(id_, 0, "没有等级", "there are no grades")
    if len(set(bounds)) != len(bounds):
        raise _wrong(id_, 0, "等级的下限重叠", "the bounds of grades overlap")
    if min(bounds) > 0:
        raise _wrong(id_, 0, "最低的等级须从 0 开始", "the lowest grade must begin at 0")


def _check_needs(id_: str, own: Mapping[str, Indicator]) -> None:
    """Refuse what is made of an unknown indicator, of a bare count, or of itself."""
    done: set[str] = set()

    def walk(code: str, above: tuple[str, ...]) -> None:
        each = own[code]
        for needed in each.needs:
            if needed not in own:
                raise _wrong(
                    id_,
                    each.line,
                    f"{code} 用到的指标 {needed!r} 不存在",
                    f"{code} is made of {needed!r}, which does not exist",
                )
            if needed in (*above, code):
                way = " → ".join((*above, code, needed))
                raise _wrong(id_, each.line, f"指标循环: {way}", f"a cycle: {way}")
            if each.mean_of and own[needed].grids is None:
                raise _wrong(
                    id_,
                    each.line,
                    f"mean 只用于按网格的指标,{needed} 不是",
                    f"mean is of indicators per grid, {needed} is none",
                )
            if each.items and own[needed].unit == "count":
                raise _wrong(
                    id_,
                    each.line,
                    f"{needed} 是计数,不能加权;请先分档",
                    f"{needed} is a count and cannot be weighed; give it bands first",
                )
            if needed not in done:
                walk(needed, (*above, code))
        done.add(code)

    for code in own:
        walk(code, ())
    composites = _composites(own)
    if len(composites) > 1:
        last, names = own[composites[-1]], "、".join(composites)
        zh = f"{last.scope} 有几个综合值 {names};只能有一个"
        raise _wrong(id_, last.line, zh, f"{last.scope} has several composites: {names}; it has one only")


def _composites(own: Mapping[str, Indicator]) -> list[str]:
    """What is made by weights and is no part of another one."""
    parts = {needed for each in own.values() for needed in each.needs}
    return [code for code, each in own.items() if each.items and code not in parts]


def _wrong(id_: str, line: int, zh: str, en: str) -> BadFile:
    where_zh, where_en = (f"第 {line} 行", f"line {line}") if line else ("等级", "grades")
    return BadFile(f"指标包 {id_} {where_zh}: {zh}。", f"Indicator pack {id_}, {where_en}: {en}.")
