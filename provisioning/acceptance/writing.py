"""`wanmi acceptance DIR`: the folder of evidence, whole or not at all, with a list of its files and their digests."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import Connection, MetaData, Table, func, select

from appliance.cells import safe_cell
from appliance.clock import rfc3339
from appliance.errors import Invalid
from appliance.records.metadata import metadata
from appliance.records.store import Records
from appliance.scoring.evaluation import Evaluation
from provisioning.acceptance import evidence
from provisioning.acceptance.columns import way_of

LIST = "目录.csv"
NOT_EXPORTED = frozenset(("session",))
"""Tables of the moment that hold nothing but secrets."""
AT_ONCE = 5000


def write_acceptance(records: Records, target: Path) -> list[str]:
    """Write the evidence into a new folder; returns the names of its files.

    Raises:
        Invalid: the folder is there already.
    """
    if target.exists():
        raise Invalid(f"{target} 已存在;请指定新的目录。", f"{target} is there already; name a new folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        with records.read() as connection:
            for name, rows in _files(records, connection):
                _write(staged / name, rows)
        names = sorted(str(file.relative_to(staged)) for file in staged.rglob("*.csv"))
        _write(staged / LIST, _list(staged, names, records))
        staged.chmod(0o700)
        staged.rename(target)
    except BaseException:
        _remove(staged)
        raise
    return names


def _files(records: Records, connection: Connection) -> Iterator[tuple[str, Iterable[list[Any]]]]:
    evaluation = Evaluation(records)
    evaluated = evidence.months(evaluation, connection)
    yield "1-覆盖/覆盖率.csv", evidence.coverage(connection, records.settings.county)
    yield "1-覆盖/部件分类数量.csv", evidence.parts_by_class(connection)
    yield "2-数据质量/检查结果.csv", evidence.quality(connection)
    yield "3-运行指标/六个月指标.csv", evidence.indicators(evaluation, evaluated)
    yield "3-运行指标/六个月评分.csv", evidence.scores(evaluation, evaluated)
    yield "4-台账/占比.csv", evidence.ledger_shares(evaluation, connection, evaluated)
    for name in evidence.all_ledgers():
        yield f"4-台账/{name}.csv", evidence.ledger_rows(evaluation, connection, name, evaluated)
    yield "5-性能/查询耗时.csv", evidence.performance(connection)
    yield "6-用户/用户与角色.csv", evidence.staff(connection)
    yield "7-备份/备份与恢复记录.csv", evidence.backups(connection)
    tables: MetaData = metadata()
    for table in tables.sorted_tables:
        if table.name not in NOT_EXPORTED:
            yield f"8-数据表/{table.name}.csv", _rows(connection, table)


def _rows(connection: Connection, table: Table) -> Iterator[list[Any]]:
    """Every row of a table: shapes as WKT, people masked, secrets and packed bytes left out."""
    kept = [(each, way) for each in table.columns if (way := way_of(table.name, each)) is not None]
    yield [each.name for each, _ in kept]
    read = [func.ST_AsText(each) if isinstance(each.type, Geometry) else each for each, _ in kept]
    query = select(*read).order_by(*table.primary_key.columns)
    for row in connection.execute(query, execution_options={"yield_per": AT_ONCE}):
        yield [way(value) for (_, way), value in zip(kept, row, strict=True)]


def _list(folder: Path, names: Iterable[str], records: Records) -> Iterator[list[Any]]:
    yield ["文件 / file", "字节 / bytes", "SHA-256", records.settings.name, rfc3339(records.clock.now())]
    for name in names:
        content = (folder / name).read_bytes()
        yield [name, len(content), hashlib.sha256(content).hexdigest()]


def _write(file: Path, rows: Iterable[list[Any]]) -> None:
    """A CSV that spreadsheets open in the right encoding."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8-sig", newline="") as opened:
        csv.writer(opened).writerows(map(safe_cell, row) for row in rows)


def _remove(folder: Path) -> None:
    from shutil import rmtree

    rmtree(folder, ignore_errors=True)
