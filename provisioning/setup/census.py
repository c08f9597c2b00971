"""Census files of any kind: a folder is looked through, what each file is is proposed, then it is imported."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.errors import WanmiError
from provisioning.setup.facts import Facts
from provisioning.setup.importing import Wish, import_file, known_fields, wish_of
from provisioning.setup.step import Standing
from provisioning.setup.talk import Talk

if TYPE_CHECKING:
    from provisioning.import_files.table import Table

KINDS = Path(__file__).with_name("kinds.csv")
ENDINGS = (".geojson", ".json", ".geojsonl", ".gpkg", ".zip", ".shp", ".csv", ".xlsx", ".gz", ".gdb")
LEFT = "-"
LONG_CODE = 14
"""Digits that nothing else has but a code of the standards: a telephone number has 11."""


@dataclass(frozen=True, slots=True)
class KindRow:
    """How a file of a kind looks: its shapes, the lengths of its codes, words in its name."""

    kind: str
    geometry: str
    lengths: frozenset[int]
    words: tuple[str, ...]


class Census:
    """Parts, places, cameras and whatever else the folder holds."""

    def standing(self, facts: Facts) -> Standing:
        parts, places, cameras = (facts.counts[name] for name in ("parts", "places", "cameras"))
        return Standing(
            parts > 0,
            f"部件 {parts} 地名 {places} 摄像头 {cameras}",
            f"{parts} parts, {places} places, {cameras} cameras",
        )

    def run(self, home: Path, talk: Talk) -> None:
        source = talk.path("from")
        assert source is not None
        files = files_in(source)
        if not files:
            talk.tell(f"{source} 里没有可导入的文件({' '.join(ENDINGS)})", "holds no file that can be imported")
        for file in files:
            self._one(home, file, talk)

    def _one(self, home: Path, file: Path, talk: Talk) -> None:
        kind = talk.ask("kind") if talk.alone else ""
        if not kind:
            kind = self._kind(file, talk)
        if kind == LEFT:
            talk.tell(f"  {file.name} 略过", "left out")
            return
        names = ("crs", "map", "values", "repair", "keep_good", "make_codes")
        import_file(home, kind, file, talk, wish_of(talk, *names) if talk.alone else Wish())

    def _kind(self, file: Path, talk: Talk) -> str:
        from provisioning.import_files.opening import open_table

        try:
            proposed = proposals(file, open_table(file))
        except WanmiError as refusal:
            if talk.alone:
                raise
            talk.tell(f"✗ {refusal.zh}", refusal.en)
            return LEFT
        offered = {str(number): kind for number, kind in enumerate(proposed, 1)}
        if talk.alone:
            return proposed[0]
        talk.tell(f"{file.name} 像是 {proposed[0]}", f"looks like {proposed[0]}")
        chosen = talk.choose(
            "它是什么?", "What is it?", {**offered, LEFT: "略过 leave it out"}, "1"
        )  # fmt: skip
        return offered.get(chosen, LEFT)


def files_in(source: Path) -> list[Path]:
    """The file itself, or the files of a folder that can be imported, boundary and grids before what stands on them."""
    if source.is_file() or source.suffix == ".gdb":
        return [source]
    found = [item for item in sorted(source.iterdir()) if item.suffix.lower() in ENDINGS]
    order = [row.kind for row in kind_rows()]
    return sorted(found, key=lambda item: order.index(_by_name(item)) if _by_name(item) else len(order))


def proposals(file: Path, table: Table) -> list[str]:
    """The kinds that a file may be, likeliest first: by its shapes, columns, codes, and its name."""
    scores = {row.kind: _score(row, file, table) for row in kind_rows()}
    return sorted(scores, key=lambda kind: -scores[kind])[:5]


def _score(row: KindRow, file: Path, table: Table) -> float:
    columns = {column.lower() for column in table.columns}
    fields = known_fields(row.kind)
    matched = {ours for ours, others in fields.items() if columns & {name.lower() for name in (ours, *others)}}
    score = 4.0 * len(matched) / max(len(fields), 1)
    score += 2.0 * (_by_name(file) == row.kind)
    score += 3.0 * bool(row.lengths & _code_lengths(table, fields.get("code", ())))
    shapes = _shapes(table)
    if shapes and row.geometry != shapes and not (row.geometry == "any" and shapes in ("point", "line")):
        score -= 5.0
    if not shapes and row.geometry != "none" and not {"lon", "经度", "lng", "x", "longitude"} & columns:
        score -= 5.0
    return score


def _shapes(table: Table) -> str:
    """point, line or polygon, by the first shape; "" for none."""
    if table.shapes is None:
        return ""
    first = next((shape for shape in table.shapes if shape is not None), None)
    kind = "" if first is None else str(first.geom_type)
    return {"Point": "point", "MultiPoint": "point", "Polygon": "polygon", "MultiPolygon": "polygon"}.get(kind, "line")


def _code_lengths(table: Table, others: tuple[str, ...]) -> frozenset[int]:
    """The lengths of the first codes; so long a number is a code under any other name, too."""
    names = {"code", *(name.lower() for name in others)}
    found = set()
    for column, cells in table.columns.items():
        lengths = {len(str(cell)) for cell in cells[:20] if str(cell).isdigit()}
        found |= lengths if column.lower() in names else {length for length in lengths if length >= LONG_CODE}
    return frozenset(found)


def _by_name(file: Path) -> str:
    """The kind whose longest word stands in the name of a file; "" for none."""
    name = file.name.lower()
    hits = [(len(word), row.kind) for row in kind_rows() for word in row.words if word in name]
    return max(hits, default=(0, ""))[1]


@cache
def kind_rows() -> tuple[KindRow, ...]:
    """The rows of `kinds.csv`."""
    return tuple(
        KindRow(
            row["kind"], row["geometry"], frozenset(int(part) for part in row["code_lengths"].split("|") if part),
            tuple(row["words"].split("|")),
        )
        for row in csv.DictReader(KINDS.read_text(encoding="utf-8").splitlines())
    )  # fmt: skip
