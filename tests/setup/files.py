"""What a technician carries on the first visit: a small county as files, and the workbook of its people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl

from provisioning.setup.workbook import write_template
from tests.homes import SOUTH, STEP, WEST

PEOPLE: dict[str, list[tuple[str, ...]]] = {
    "部门": [("D01", "市政管理所"), ("D0101", "养护一队", "D01")],
    "人员": [
        ("s1", "坐席一", "受理员|派遣员"),
        ("d1", "市政经办", "专业部门", "D01"),
        ("l1", "采集员一", "信息采集员", "", "", "caiji-2026"),
    ],
    "确权": [("01", "*", "D01", "", "三定方案")],
}


def square(columns: float, rows: float, east: float = 0.0) -> dict[str, Any]:
    """A polygon of so many small squares."""
    west, south = WEST + east * STEP, SOUTH
    right, top = west + columns * STEP, south + rows * STEP
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [right, south], [right, top], [west, top], [west, south]]],
    }


def geojson(file: Path, *features: tuple[dict[str, Any], dict[str, Any]]) -> Path:
    """Write properties and shapes as a file."""
    items = [{"type": "Feature", "properties": properties, "geometry": shape} for properties, shape in features]
    file.write_text(json.dumps({"type": "FeatureCollection", "features": items}, ensure_ascii=False), encoding="utf-8")
    return file


def boundary(file: Path) -> Path:
    """A county of one street with one community."""
    shape = square(6, 4)
    return geojson(
        file, ({"code": "411081", "name": "禹州市"}, shape), ({"code": "411081001", "name": "颍川街道"}, shape),
        ({"code": "411081001001", "name": "长春社区"}, shape),
    )  # fmt: skip


def parts(file: Path, code: str = "code", type_: str = "01037") -> Path:
    """Two lamps."""
    rows = [
        f"4110810103700000{number},{type_},路灯,{WEST + number * STEP:.6f},{SOUTH + STEP / 2:.6f}" for number in (1, 2)
    ]
    file.write_text("\n".join([f"{code},type,name,lon,lat", *rows]) + "\n", encoding="utf-8")
    return file


def workbook(file: Path, **changed: list[tuple[str, ...]]) -> Path:
    """The template as the county filled it in; sheets may be changed."""
    write_template(file)
    book = openpyxl.load_workbook(file)
    for name, rows in (PEOPLE | changed).items():
        for row, cells in enumerate(rows, 3):
            for column, cell in enumerate(cells, 1):
                book[name].cell(row, column, cell or None)
    book.save(file)
    return file
