"""What places let the doctor check: boundary, unit grids, duty grids, the spatial index, imports that were cut off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, text

from appliance.doctor import Finding
from appliance.errors import BadHome, Broken
from appliance.places.areas import county_boundary
from appliance.places.batches import cut_off
from appliance.places.shapes import area_m2
from appliance.records.spatial import boxes, check_registration
from appliance.records.store import glance
from appliance.settings import load

INDEXED = ("unit_grid", "duty_grid", "part", "place", "camera")
COVERED = (0.95, 1.05)
"""Share of the county that unit grids cover when there are neither gaps nor overlaps; measured roughly."""


def check_places(home: Path) -> Iterator[Finding]:
    """All checks of places; skipped where there is no database."""
    try:
        county = load(home).county
        with glance(home) as connection:
            yield from grids_and_boundary(connection, county)
            yield duty_grids(connection)
            yield spatial_index(connection)
            yield imports(connection)
    except BadHome as error:
        yield Finding("places", "skipped", error.zh, error.en)


def grids_and_boundary(connection: Connection, county: str) -> Iterator[Finding]:
    """There is a boundary, there are unit grids, and they cover it once."""
    boundary = county_boundary(connection, county)
    count, area = connection.execute(
        text("SELECT count(*), coalesce(sum(area_m2), 0) FROM unit_grid WHERE valid_to IS NULL")
    ).one()
    if boundary is None:
        zh = "没有县界；请 wanmi import boundary 文件，否则无法检查位置是否在本县"
        yield Finding("places.boundary", "warning", zh, "no boundary: positions cannot be checked to be in the county")
    else:
        yield Finding("places.boundary", "passed", "有县界", "the boundary is there")
    if not count:
        zh = "没有单元网格；请 wanmi import grids 文件，或 wanmi grids cut"
        yield Finding("places.grids", "failed", zh, "no unit grids: import them, or run wanmi grids cut")
        return
    share = area / area_m2(boundary) if boundary is not None else 1.0
    low, high = COVERED
    if low <= share <= high:
        yield Finding("places.grids", "passed", f"{count} 个单元网格", f"{count} unit grids")
    else:
        what_zh, what_en = ("有空隙", "leave gaps") if share < low else ("有重叠", "overlap")
        zh, en = (
            f"单元网格{what_zh}：面积为县域的 {share:.0%}",
            f"unit grids {what_en}: {share:.0%} of the county's area",
        )
        yield Finding("places.grids", "warning", zh, en)


def duty_grids(connection: Connection) -> Finding:
    """Every unit grid belongs to a duty grid that somebody walks."""
    alone = connection.execute(
        text(
            "SELECT count(*) FROM unit_grid g LEFT JOIN duty_grid d ON d.code = g.duty_grid "
            "LEFT JOIN account a ON a.account = d.collector AND a.active WHERE g.valid_to IS NULL AND a.account IS NULL"
        )
    ).scalar_one()
    if alone:
        zh = f"{alone} 个单元网格没有在岗的采集员；请导入 duty-grids 和 staff"
        return Finding(
            "places.duty", "warning", zh, f"{alone} unit grids have no collector: import duty-grids and staff"
        )
    return Finding("places.duty", "passed", "每个单元网格都有采集员", "every unit grid has a collector")


def spatial_index(connection: Connection) -> Finding:
    """Each table has its spatial index, with as many boxes as the table has shapes."""
    wrong = [table for table in INDEXED if not _indexed(connection, table)]
    if wrong:
        names = "、".join(wrong)
        return Finding("places.index", "failed", f"空间索引与表不符：{names}", f"the spatial index is off: {names}")
    return Finding("places.index", "passed", "空间索引与表一致", "the spatial indexes agree with their tables")


def _indexed(connection: Connection, table: str) -> bool:
    try:
        check_registration(connection, table)
    except Broken:
        return False
    statement = text(
        f"SELECT (SELECT count(*) FROM {table} WHERE geom IS NOT NULL) "  # noqa: S608  # our own tables
        f"= (SELECT count(*) FROM {boxes(connection.dialect.name, table)})"
    )
    return bool(connection.execute(statement).scalar_one())


def imports(connection: Connection) -> Finding:
    """No import was cut off."""
    left = [str(batch.id) for batch in cut_off(connection)]
    if left:
        zh = f"导入批次 {'、'.join(left)} 没有完成；正在进行，或下次导入时自动撤销"
        return Finding("places.imports", "warning", zh, f"import batches {', '.join(left)} are not complete")
    return Finding("places.imports", "passed", "没有中断的导入", "no import was cut off")
