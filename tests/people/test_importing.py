"""A county brings its units and its staff as tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.people.sessions import Sessions
from appliance.records.store import Records
from provisioning.import_files.pipeline import Options, run_import
from tests.homes import PASSWORD


@pytest.fixture
def records(home: Path) -> Iterator[Records]:
    opened = Records.open(home)
    yield opened
    opened.close()


def brought(records: Records, folder: Path, kind: str, content: str):  # type: ignore[no-untyped-def]
    file = folder / f"{kind}.csv"
    file.write_text(content, encoding="utf-8")
    return run_import(records, kind, file, Options())[0]


def test_units_come_as_a_tree_in_any_order_and_twice_changes_nothing(records: Records, tmp_path: Path) -> None:
    content = "部门编码,部门名称,上级部门,电话\nD0301,一中队,D03,\nD03,执法大队,,0374-8888888\n"
    assert (first := brought(records, tmp_path, "departments", content)).added == 2, first.refusals
    again = brought(records, tmp_path, "departments", content)
    assert (again.added, again.updated, again.refused) == (0, 0, 0)


def test_an_unknown_parent_and_a_circle_are_refused(records: Records, tmp_path: Path) -> None:
    refused = brought(records, tmp_path, "departments", "code,name,parent\nE1,甲,E2\nE2,乙,E1\nE3,丙,D09\n")
    assert not refused.applied
    assert {item["row"] for item in refused.refusals} == {2, 3, 4}


def test_staff_come_with_a_first_password_and_keep_their_own(records: Records, tmp_path: Path) -> None:
    content = (
        "账号,姓名,角色,部门,密码\nw1,坐席九,受理员|派遣员,,first-pass-1\nd9,养护,department,市政管理所,first-pass-2\n"
    )
    first = brought(records, tmp_path, "staff", content)
    assert first.added == 2, first.refusals
    signed_in = Sessions(records).sign_in("d9", "first-pass-2")
    assert (signed_in.actor.department, signed_in.actor.subtree) == ("D01", {"D01", "D0101"})
    assert brought(records, tmp_path, "staff", content).updated == 0
    moved = brought(records, tmp_path, "staff", "账号,姓名,角色,密码\ns1,坐席一,shift_leader,other-pass\n")
    assert moved.updated == 1, moved.refusals
    assert Sessions(records).sign_in("s1", PASSWORD).actor.roles == {"shift_leader"}


def test_wrong_rows_of_staff_name_the_nearest(records: Records, tmp_path: Path) -> None:
    content = "account,name,roles,department,password\nx1,甲,acceptr,,long-enough\nx2,乙,department,D99,short\n"
    refused = brought(records, tmp_path, "staff", content)
    assert not refused.applied
    assert {(item["row"], item["field"]) for item in refused.refusals} == {
        (2, "roles"), (3, "department"), (3, "password"),
    }  # fmt: skip


def test_a_first_password_is_as_long_as_the_county_wants_it(records: Records, tmp_path: Path) -> None:
    content = "account,name,roles,password\nx1,甲,acceptor,six666\nx2,乙,acceptor,five5\n"
    refused = brought(records, tmp_path, "staff", content)
    assert [(item["row"], item["field"]) for item in refused.refusals] == [(3, "password")]
