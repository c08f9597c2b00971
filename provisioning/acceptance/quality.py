"""Checks of the data's quality with counts, for acceptance: codes, grids, geometry, what belongs to what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Check:
    """A check: how many records are wrong, of how many."""

    name: str
    chinese: str
    english: str
    wrong: str
    whole: str


GRIDS, PARTS = "unit_grid WHERE valid_to IS NULL", "part"
CHECKS = (
    Check("grid_code", "单元网格编码位数", "unit grid codes have 14 or 15 digits",
          f"{GRIDS} AND length(code) NOT IN (14, 15)", GRIDS),
    Check("grid_county", "单元网格编码前缀与所属街道一致", "a unit grid's code begins with its street's",
          f"{GRIDS} AND substr(code, 1, 9) <> street", GRIDS),
    Check("grid_duty", "单元网格都属于一个责任网格", "every unit grid belongs to a duty grid",
          f"{GRIDS} AND duty_grid IS NULL", GRIDS),
    Check("grid_shape", "单元网格图形有效", "unit grids have valid shapes", f"{GRIDS} AND NOT ST_IsValid(geom)", GRIDS),
    Check("grid_area", "单元网格面积大于 0", "unit grids have an area", f"{GRIDS} AND area_m2 <= 0", GRIDS),
    Check("duty_collector", "责任网格都有采集员", "every duty grid has a collector",
          "duty_grid WHERE valid_to IS NULL AND collector IS NULL", "duty_grid WHERE valid_to IS NULL"),
    Check("part_code", "部件编码位数", "part codes have 16 or 17 digits",
          f"{PARTS} WHERE length(code) NOT IN (16, 17)", PARTS),
    Check("part_grid", "部件落在单元网格内", "parts lie in a unit grid", f"{PARTS} WHERE grid IS NULL", PARTS),
    Check("part_unit", "部件有主管部门", "parts have a responsible unit",
          f"{PARTS} WHERE department IS NULL AND owner IS NULL", PARTS),
    Check("case_grid", "案件有单元网格", "cases lie in a unit grid", "cases WHERE grid IS NULL", "cases"),
    Check("case_history", "案件有历史记录", "every case has its history",
          "cases c WHERE NOT EXISTS (SELECT 1 FROM case_action a WHERE a.case_id = c.id)", "cases"),
    Check("closed_at", "结案案件有结案时间", "closed cases say when",
          "cases WHERE state = 'closed' AND closed_at IS NULL", "cases WHERE state = 'closed'"),
    Check("case_unit", "在办案件有责任部门", "cases being handled have a unit",
          "cases WHERE state IN ('dispatched', 'handling') AND department IS NULL",
          "cases WHERE state IN ('dispatched', 'handling')"),
)  # fmt: skip
"""Each is two tables with their conditions, our own text."""


def results(connection: Connection) -> Iterator[tuple[Check, int, int]]:
    """Each check with how many records are wrong, of how many."""
    for check in CHECKS:
        wrong, whole = (
            connection.execute(text(f"SELECT count(*) FROM {what}")).scalar_one()  # noqa: S608  # our own text
            for what in (check.wrong, check.whole)
        )
        yield check, wrong, whole
