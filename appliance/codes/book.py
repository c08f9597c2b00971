"""The code book: classes of all editions side by side, their map, limits and case sources.

`CodeBook.national()` is what the house ships (the limits in it are one prefecture's table, an example that a county
replaces); `with_county_pack(folder)` adds what a county made its own. A book never changes; all look-ups are in memory.
This module is pure: it loads no database and nothing heavy.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from appliance.codes.match import nearest_classes, ranked
from appliance.codes.pack import ClassKey, CountyPack, read_pack
from appliance.codes.read import LIMIT_TABLES, read_attribute_fields, read_classes, read_limits, read_sources, rows
from appliance.codes.values import (
    EDITIONS,
    AttributeField,
    CodeClass,
    DefaultLimit,
    Edition,
    Kind,
    Limit,
    Phrase,
    Source,
)
from appliance.errors import FieldError, Invalid, UnknownCode

DATA = Path(__file__).parent / "data"
ROW_DIGITS = 4
"""No table of limits has more rows for a class than so many digits count."""

CodeMap = dict[tuple[str, str, str, str], str]  # kind, from edition, to edition, code


class CodeBook:
    """All codes a node knows. Values are shared and must not be changed."""

    __slots__ = (
        "_by_name",
        "_class_map",
        "_limits_by_code",
        "attribute_fields",
        "classes",
        "county_pack",
        "default_limit",
        "limit_rows",
        "photo_required",
        "phrases",
        "sources",
    )  # fmt: skip

    def __init__(
        self,
        classes: Iterable[CodeClass],
        class_map: CodeMap,
        limits: Iterable[Limit],
        sources: dict[str, Source],
        attribute_fields: tuple[AttributeField, ...],
        county_pack: CountyPack | None = None,
    ) -> None:
        self.classes: dict[ClassKey, CodeClass] = {(item.edition, item.kind, item.code): item for item in classes}
        self.limit_rows: tuple[Limit, ...] = tuple(limits)
        self.sources = sources
        self.attribute_fields = attribute_fields
        self.county_pack = county_pack
        self.default_limit = county_pack.default_limit if county_pack else DefaultLimit()
        self.photo_required = county_pack.photo_required if county_pack else frozenset()
        self.phrases: tuple[Phrase, ...] = county_pack.phrases if county_pack else ()
        self._class_map = class_map
        self._by_name: dict[tuple[str, str, str], list[str]] = {}
        for item in self.classes.values():
            self._by_name.setdefault((item.edition, item.kind, item.name), []).append(item.code)
        self._limits_by_code: dict[tuple[str, str, str], list[Limit]] = {}
        for limit in self.limit_rows:
            self._limits_by_code.setdefault((*LIMIT_TABLES[limit.kind], limit.code), []).append(limit)

    @staticmethod
    def national() -> CodeBook:
        """The shipped book, read once per process."""
        return _national()

    def with_county_pack(self, folder: Path) -> CodeBook:
        """This book with a county's pack on top.

        Raises:
            Invalid: the pack has a wrong value; file, row and field are named.
        """
        pack = read_pack(Path(folder), self.classes)
        kept: tuple[Limit, ...] = self.limit_rows if pack.example_limits else ()
        return CodeBook(
            [*self.classes.values(), *pack.classes],
            self._class_map,
            replaced_limits(kept, pack.limits),
            self.sources,
            self.attribute_fields,
            pack,
        )

    def with_limits(self, limits: Iterable[Limit]) -> CodeBook:
        """This book where the limits of the codes named in `limits` are replaced by them."""
        return CodeBook(
            self.classes.values(),
            self._class_map,
            replaced_limits(self.limit_rows, tuple(limits)),
            self.sources,
            self.attribute_fields,
            self.county_pack,
        )

    def with_classes(self, classes: Iterable[CodeClass]) -> CodeBook:
        """This book with further classes, as a console gets them from its node."""
        return CodeBook(
            [*self.classes.values(), *classes],
            self._class_map,
            self.limit_rows,
            self.sources,
            self.attribute_fields,
            self.county_pack,
        )

    def find(self, edition: str, kind: str, code: str) -> CodeClass:
        """The class of a code.

        Raises:
            UnknownCode: there is none; the nearest codes and names are in `fields[0].nearest`.
        """
        found = self.classes.get((edition, kind, code))
        if found is not None:
            return found
        if edition not in EDITIONS:
            raise unknown("edition", f"没有 {edition} 版", f"no edition {edition}", EDITIONS)
        candidates = [item for item in self.classes.values() if item.edition == edition and item.kind == kind]
        nearest = tuple(f"{item.code} {item.name}" for item in nearest_classes(code, candidates))
        label = {"part": "部件", "event": "事件"}.get(kind, kind)
        raise unknown(
            "code", f"{edition} 版{label}中没有编码“{code}”", f"edition {edition} has no {kind} '{code}'", nearest
        )

    def search(
        self, text: str, edition: str | None = None, kind: str | None = None, limit: int = 20
    ) -> tuple[CodeClass, ...]:
        """Classes that match by code prefix, Chinese, English words or pinyin initials, best first."""
        pool = (
            item
            for item in self.classes.values()
            if (edition is None or item.edition == edition) and (kind is None or item.kind == kind)
        )
        return tuple(ranked(text, pool)[:limit])

    def mapped(self, code: str, kind: str, from_edition: str, to_edition: str) -> str | None:
        """The number of a class in another edition, None where it was dropped, is new or is not known.

        2013 and 2026 go by the map; between 2007 and 2013 a number stays where the names agree, else the same name
        decides when it is the only one.
        """
        if from_edition == to_edition:
            return code if (from_edition, kind, code) in self.classes else None
        if {from_edition, to_edition} == {"2007", "2026"}:
            between = self.mapped(code, kind, from_edition, "2013")
            return self.mapped(between, kind, "2013", to_edition) if between else None
        if "2007" in (from_edition, to_edition):
            return self._mapped_by_name(code, kind, from_edition, to_edition)
        return self._class_map.get((kind, from_edition, to_edition, code))

    def _mapped_by_name(self, code: str, kind: str, from_edition: str, to_edition: str) -> str | None:
        item = self.classes.get((from_edition, kind, code))
        same_name = self._by_name.get((to_edition, kind, item.name), []) if item else []
        if code in same_name:
            return code
        return same_name[0] if len(same_name) == 1 else None

    def limits(self, edition: str, kind: str, code: str) -> tuple[Limit, ...]:
        """The limits of a class, in the order of the table; those of a mapped edition when it has none of its own.

        A 2026 matter that is the fault of a component (classes 01-05) has the limits of that component.
        """
        for other in (edition, "2013", "2007", "2026"):
            number = self.mapped(code, kind, edition, other) if other != edition else code
            found = self._limits_by_code.get((other, kind, number)) if number else None
            if found:
                return tuple(found)
        if edition == "2026" and kind == "event" and self._is_component_fault(code):
            return self.limits(edition, "part", code)
        return ()

    def _is_component_fault(self, code: str) -> bool:
        event, part = self.classes.get(("2026", "event", code)), self.classes.get(("2026", "part", code))
        return event is not None and part is not None and event.name.startswith(part.name)

    def choose_limit(self, limits: tuple[Limit, ...], condition: str | int | None) -> Limit | None:
        """The limit that `condition` names: its text, or its row counted from 1. None when there are no limits.

        Raises:
            Invalid: several conditions and none given, or one that is not among them; the conditions are named.
        """
        if not limits:
            return None
        wanted = "" if condition is None else str(condition).strip()
        if not wanted and len(limits) == 1:
            return limits[0]
        named = [limit for limit in limits if limit.condition_to_open == wanted]
        if wanted and len(named) == 1:
            return named[0]
        if wanted.isascii() and wanted.isdigit() and len(wanted) <= ROW_DIGITS and 1 <= int(wanted) <= len(limits):
            return limits[int(wanted) - 1]
        choices = tuple(f"{row}. {limit.condition_to_open}" for row, limit in enumerate(limits, 1))
        zh = "请选择立案条件" if not wanted else f"没有立案条件“{wanted}”"
        en = "choose a condition" if not wanted else f"no condition '{wanted}'"
        error = FieldError("condition", zh, en, choices)
        raise Invalid(f"{zh}：{'；'.join(choices)}", f"{en}: {'; '.join(choices)}", fields=(error,))

    def source(self, code: str) -> Source:
        """A case source by code.

        Raises:
            UnknownCode: there is none; all codes are named.
        """
        found = self.sources.get(code)
        if found is None:
            raise unknown("source", f"没有问题来源“{code}”", f"no case source '{code}'", tuple(self.sources))
        return found


def unknown(field: str, zh: str, en: str, nearest: tuple[str, ...]) -> UnknownCode:
    """An UnknownCode whose sentence names the nearest matches."""
    hint_zh = f"，最接近的：{'、'.join(nearest[:5])}" if nearest else ""
    hint_en = f"; nearest: {', '.join(nearest[:5])}" if nearest else ""
    return UnknownCode(f"{zh}{hint_zh}。", f"{en}{hint_en}.", fields=(FieldError(field, zh, en, nearest),))


def replaced_limits(kept: tuple[Limit, ...], new: tuple[Limit, ...]) -> list[Limit]:
    """`kept` without the codes that `new` names, then `new`."""
    named = {(limit.kind, limit.code) for limit in new}
    return [limit for limit in kept if (limit.kind, limit.code) not in named] + list(new)


@lru_cache(maxsize=1)
def _national() -> CodeBook:
    classes = [item for edition in EDITIONS for _, item in read_classes(DATA / f"classes_{edition}.csv", edition)]
    return CodeBook(
        classes,
        read_map(DATA / "map_2013_2026.csv"),
        [limit for _, limit in read_limits(DATA / "limits" / "yuncheng.csv")],
        {item.code: item for name in ("sources.csv", "own_sources.csv") for item in read_sources(DATA / name)},
        tuple(read_attribute_fields(DATA / "attribute_fields.csv")),
    )


def read_map(path: Path) -> CodeMap:
    """The map between 2013 and 2026 in both directions; dropped numbers are left out."""
    found: CodeMap = {}
    for _, row in rows(path, ("kind", "code_2013", "code_2026")):
        if row["code_2013"] and row["code_2026"]:
            found[row["kind"], "2013", "2026", row["code_2013"]] = row["code_2026"]
            found.setdefault((row["kind"], "2026", "2013", row["code_2026"]), row["code_2013"])
    return found


__all__ = ["CodeBook", "CodeClass", "Edition", "Kind", "Limit", "Source"]
