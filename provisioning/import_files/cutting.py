"""`wanmi grids cut`: reads the boundaries, cuts, and imports the grids like any other file or writes them to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import shapely
from sqlalchemy import text

from appliance.errors import Invalid
from appliance.places.cutter import Community, Cut, blocks, cut
from appliance.records.store import Records
from provisioning.import_files.pipeline import Options, Progress, import_table, one_import, silent
from provisioning.import_files.table import Table
from provisioning.import_files.writing import write_table


@dataclass(frozen=True, slots=True)
class CutResult:
    """How many grids in how many communities; `warnings` for the technician."""

    count: int
    communities: int
    warnings: tuple[str, ...]


def cut_county(
    records: Records, size: float, digits: int, target: Path | None, dry_run: bool, progress: Progress | None
) -> tuple[CutResult, int | None]:
    """Cut the county's communities (or blocks where their outlines are unknown) into unit grids.

    Returns:
        The counts and the number of the import batch, None when nothing was imported.

    Raises:
        Invalid: no boundary, or grids are there already.
    """
    tell = progress or silent
    communities, warnings = county_communities(records, size, digits)
    made = cut(communities, size=size, digits=digits, tell=lambda done, total: tell("cut", done, total))
    if made.enlarged:
        names = "、".join(made.enlarged[:5])
        warnings.append(
            f"{len(made.enlarged)} 个社区的网格放大了，编号才够用：{names} (grids enlarged to fit the numbers)"
        )
    result = CutResult(len(made.grids), len(communities), tuple(warnings))
    table = grid_table(made)
    if target is not None:
        columns = list(table.columns)
        rows: Sequence[Sequence[object]] = list(zip(*table.columns.values(), strict=True))
        write_table(target, columns, rows, list(table.shapes))
        return result, None
    if dry_run:
        return result, None
    with one_import(records.home):
        refuse_second_cut(records)
        done = import_table(records, "grids", table, "wanmi grids cut", Options(), tell)
    if done.refusals:
        first = done.refusals[0]
        raise Invalid(f"网格 {first['row']}：{first['why']}。", f"grid {first['row']}: {first['why_en']}.")
    return result, done.batch


def county_communities(records: Records, size: float, digits: int) -> tuple[list[Community], list[str]]:
    """Communities with an outline; else streets as one community each; else blocks over the county."""
    county = records.settings.county
    statement = text(
        "SELECT code, level, ST_AsBinary(geom) AS shape FROM area "
        "WHERE geom IS NOT NULL AND substr(code, 1, 6) = :county ORDER BY code"
    )
    with records.read() as connection:
        rows = connection.execute(statement, {"county": county}).all()
    shapes = {
        level: [(row.code, shapely.from_wkb(bytes(row.shape))) for row in rows if row.level == level]
        for level in ("county", "street", "community")
    }
    if shapes["community"]:
        return [Community(code, shape) for code, shape in shapes["community"]], []
    if shapes["street"]:
        warning = "没有社区边界，每个街道按一个社区 000 划分 (no communities: each street is cut as one)"
        return [Community(f"{code}000", shape) for code, shape in shapes["street"]], [warning]
    warning = "没有街道和社区边界，按方块代替社区划分 (no communities: square blocks stand in for them)"
    made = [block for _, shape in shapes["county"] for block in blocks(county, shape, size=size, digits=digits)]
    return made, [warning]


def refuse_second_cut(records: Records) -> None:
    with records.read() as connection:
        there = connection.execute(text("SELECT count(*) FROM unit_grid WHERE valid_to IS NULL")).scalar_one()
    if there:
        raise Invalid(
            f"已有 {there} 个单元网格，不会重叠划分；请先撤销原来的批次，或用 --to 写到文件。",
            f"There are {there} unit grids already and they are not cut twice; undo their batch first, or use --to.",
        )


def grid_table(made: Cut) -> Table:
    """The grids as a table that can be imported or written."""
    shapes = numpy.empty(len(made.grids), dtype=object)
    shapes[:] = [grid.shape for grid in made.grids]
    return Table(
        name="wanmi grids cut",
        columns={"code": [grid.code for grid in made.grids]},
        numbers=range(1, len(made.grids) + 1),
        shapes=shapes,
        crs="EPSG:4490",
        axes="file",
    )
