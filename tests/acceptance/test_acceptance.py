"""The technician writes the evidence for acceptance: whole, with what a province asks for, and without secrets."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from appliance.cli import wanmi
from appliance.errors import Invalid
from appliance.records.metadata import metadata
from provisioning.acceptance import evidence
from provisioning.acceptance.columns import LEFT_OUT, WAYS, decided, holds_text
from provisioning.acceptance.writing import NOT_EXPORTED, write_acceptance
from tests import homes
from tests.cases.desk import Desk


def table(file: Path) -> list[list[str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.reader(opened))


def test_the_folder_holds_what_a_province_asks_for(tmp_path: Path) -> None:
    home = homes.copy_home(tmp_path / "county")
    desk = Desk(home)
    desk.to_closed(reporter_name="张三丰", reporter_phone="13812344321")
    number = desk.to_dispatched()
    desk.decide("p1", number, desk.ask("d1", number, "return"), True)
    desk.clock.advance(days=40)
    folder = tmp_path / "验收"
    names = write_acceptance(desk.office.records, folder)
    desk.close()
    for name, digest in ((row[0], row[2]) for row in table(folder / "目录.csv")[1:]):
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert len(names) == len(table(folder / "目录.csv")) - 1

    cover = {row[0]: row[1] for row in table(folder / "1-覆盖" / "覆盖率.csv")}
    assert cover["单元网格 / unit grids"] == "200"
    assert cover["有案件流转的部门 / units with cases"] == "1"
    quality = {row[1]: row[2:4] for row in table(folder / "2-数据质量" / "检查结果.csv")[1:]}
    assert quality["unit grids have valid shapes"] == ["0", "200"]
    indicators = table(folder / "3-运行指标" / "六个月指标.csv")
    assert indicators[0][2:] == ["2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10"]
    assert next(row for row in indicators if row[1] == "filed")[2:] == ["0", "0", "0", "0", "0", "2"]
    assert [row[1] for row in table(folder / "4-台账" / "returned.csv")[1:]] == [number]
    assert len(table(folder / "5-性能" / "查询耗时.csv")) == len(evidence.QUERIES) + 1
    assert "s1" in {row[0] for row in table(folder / "6-用户" / "用户与角色.csv")}
    everything = "\n".join(file.read_text(encoding="utf-8-sig") for file in folder.rglob("*.csv"))
    assert "张三丰" not in everything
    assert "13812344321" not in everything
    assert "argon2" not in everything
    assert "MULTIPOLYGON" in (folder / "8-数据表" / "unit_grid.csv").read_text(encoding="utf-8-sig")


def test_nobody_who_reported_or_called_stands_in_the_tables(tmp_path: Path) -> None:
    """The office wrote telephone numbers wherever it could; the province gets none of them, and nothing secret."""
    desk = Desk(homes.copy_home(tmp_path / "county"))
    records = desk.office.records
    number = desk.to_closed(
        reporter_name="张三丰", reporter_phone="13812344321", description="=井盖松动,电话 13812344321,联系 0374-8888888"
    )
    desk.act("z1", number, "note", note="回电 138 1234 4321")
    for statement in (
        "UPDATE reporter SET email = 'zhang@example.cn'",
        "UPDATE cases SET query_code = 'QUERYCODE'",
        "INSERT INTO seat_call (number, seat, at, recording) VALUES ('13899990000', 's1', 1, 'rec/13899990000.wav')",
        "INSERT INTO message (key, event, number, department, phone, channel, text, state, at, next_at, tries, detail) "
        "VALUES ('k', 'e', '', 'D01', '13777778888', 'sms', '致 13777778888', 'waiting', 1, 1, 0, '')",
        "UPDATE department SET phone = '13566667777'",
        "INSERT INTO campaign_answer (campaign, target, answered_by, at, filled, photos) "
        "VALUES ('c', 1, 'l1', 1, '{\"owner\": \"13812344321\", \"mobile\": 13812344321}', '[]')",
    ):
        records.write(lambda unit, statement=statement: unit.connection.execute(text(statement)) and None)
    with records.read() as connection:
        salt = connection.execute(text("SELECT max(note_salt) FROM case_action")).scalar_one()
    write_acceptance(records, tmp_path / "out")
    desk.close()
    everything = "\n".join(file.read_text(encoding="utf-8-sig") for file in (tmp_path / "out").rglob("*.csv"))
    assert "'=井盖松动" in everything, "no formula for the spreadsheet"
    secrets = (
        "zhang@example.cn", "13812344321", "138 1234 4321", "0374-8888888", "13899990000", "13777778888",
        "13566667777", salt, "QUERYCODE",
    )  # fmt: skip
    assert [secret for secret in secrets if secret in everything] == []


def test_every_column_of_text_was_decided_on() -> None:
    """Whoever adds a column says in `columns.csv` whether a province may read it."""
    exported = [table for table in metadata().sorted_tables if table.name not in NOT_EXPORTED]
    there = {f"{table.name}.{each.name}" for table in exported for each in table.columns if holds_text(each)}
    assert there - set(decided()) == set(), "decide on these in appliance/privacy/columns.csv"
    assert set(decided()) - there == set(), "no such columns any more"
    assert set(decided().values()) <= {*WAYS, LEFT_OUT}
    suspicious = re.compile("phone|email|mail$|salt|secret|password|token|key_hash|query_code|url")
    assert [name for name, way in decided().items() if suspicious.search(name) and way == "plain"] == []


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    desk = Desk(homes.copy_home(tmp_path / "county"))
    try:
        with pytest.raises(Invalid, match="there already"):
            write_acceptance(desk.office.records, tmp_path)
    finally:
        desk.close()


def test_what_fails_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    desk = Desk(homes.copy_home(tmp_path / "county"))
    monkeypatch.setattr(evidence, "staff", broken)
    (tmp_path / "out").mkdir()
    try:
        with pytest.raises(OSError, match="No space"):
            write_acceptance(desk.office.records, tmp_path / "out" / "evidence")
    finally:
        desk.close()
    assert list((tmp_path / "out").iterdir()) == []


def test_the_command_says_what_it_wrote(tmp_path: Path) -> None:
    home = homes.copy_home(tmp_path / "county")
    arguments = ["acceptance", str(tmp_path / "evidence"), "--home", str(home), "--json"]
    done = CliRunner().invoke(wanmi, arguments, standalone_mode=False)
    assert done.exit_code == 0, done.exception
    assert "3-运行指标/六个月指标.csv" in json.loads(done.stdout)["files"]
