"""The technician comes once: takes the steps, is cut off, comes again, and leaves a sheet that both sides sign."""

from __future__ import annotations

import json
import os
import pwd
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

from appliance.errors import Conflict, Invalid, WanmiError
from appliance.people.sessions import Sessions
from appliance.records.store import Records
from appliance.records.writer import Unit
from appliance.settings import load
from provisioning.commands import import_
from provisioning.import_files import pipeline
from provisioning.setup.commands import setup
from provisioning.setup.tables import questions
from provisioning.setup.talk import existing
from tests import homes
from tests.papers.paper_text import words_of
from tests.setup import files

pytestmark = pytest.mark.sqlite("the first visit makes a home of its own")
FIRST = {"code": "411081", "name": "禹州市", "password": "yuzhou-2026"}


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.delenv("WANMI_PASSWORD", raising=False)
    monkeypatch.setenv("WANMI_HOME", str(tmp_path / "node"))
    return CliRunner()


def typed(shell: CliRunner, *lines: str | Path) -> Result:
    """What the terminal shows when these lines are typed; q at the end leaves."""
    return shell.invoke(setup, [], input="".join(f"{line}\n" for line in (*lines, "q")), catch_exceptions=False)


def answered(shell: CliRunner, file: Path, **answers: Any) -> Result:
    """A run by an answers file."""
    import tomli_w

    file.write_text(tomli_w.dumps(answers), encoding="utf-8")
    return shell.invoke(setup, ["--answers", str(file), "--json"])


def standing(shell: CliRunner) -> dict[str, bool]:
    """Which steps are done."""
    told = json.loads(shell.invoke(setup, ["--json"], catch_exceptions=False).stdout)
    return {step["step"]: step["done"] for step in told["steps"]}


def wrong(result: Result) -> WanmiError:
    assert isinstance(result.exception, WanmiError), result.output
    return result.exception


def test_the_county_is_made_at_the_terminal_and_its_password_shown_once(shell: CliRunner, tmp_path: Path) -> None:
    shown = typed(shell, "1", "991081", "y", "411081", "禹州市", "", "", "").output
    assert "991081 不是县级行政区划代码" in shown
    assert "河南省" in shown
    password = shown.split("请抄下: ")[1].split()[0]
    with_records = Records.open(tmp_path / "node")
    try:
        assert Sessions(with_records).sign_in("admin", password).actor.account == "admin"
    finally:
        with_records.close()
    assert password not in typed(shell).output


def test_a_wrong_file_is_told_and_a_visit_that_was_left_goes_on_where_it_was(shell: CliRunner, tmp_path: Path) -> None:
    cut_off = tmp_path / "cut.geojson"
    cut_off.write_text('{"type": "FeatureCollection", "features": [', encoding="utf-8")
    answered(shell, tmp_path / "a.toml", county=FIRST)
    shown = typed(shell, "", tmp_path / "none.geojson", cut_off, "", "n").output
    assert "没有文件" in shown
    assert "cut.geojson" in shown
    assert not standing(shell)["boundary"]

    left = shell.invoke(setup, [], input=f"3\n{files.boundary(tmp_path / 'b.geojson')}\n\n")  # the line goes dead
    assert left.exit_code == 1
    assert not standing(shell)["boundary"]

    shown = typed(shell, "", tmp_path / "b.geojson", "", "y", "", "", "100", "15", "y", "s").output
    assert "新增 3" in shown
    stands = standing(shell)
    assert stands["boundary"]
    assert stands["grids"]


def test_what_was_imported_by_hand_counts_as_done(shell: CliRunner, tmp_path: Path) -> None:
    answered(shell, tmp_path / "a.toml", county=FIRST)
    done = shell.invoke(import_, ["boundary", str(files.boundary(tmp_path / "b.geojson"))])
    assert done.exit_code == 0, done.output
    assert standing(shell)["boundary"]


def test_a_foreign_column_is_asked_for_and_each_file_is_known_by_its_look(shell: CliRunner, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    files.parts(stick / "data1.csv", code="编号")
    (stick / "读我.pdf").write_bytes(b"%PDF-")
    boundary = {"file": str(files.boundary(tmp_path / "b.geojson"))}
    answered(shell, tmp_path / "a.toml", county=FIRST, boundary=boundary, grids={})
    shown = typed(shell, "5", stick, "1", "编号", "y").output
    assert "data1.csv 像是 parts" in shown
    assert "新增 2" in shown
    assert standing(shell)["census"]


def test_the_template_comes_back_filled_and_who_has_no_password_gets_one_on_paper(
    shell: CliRunner, tmp_path: Path
) -> None:
    answered(shell, tmp_path / "a.toml", county=FIRST)
    book = files.workbook(tmp_path / "people.xlsx")
    assert openpyxl.load_workbook(book)["人员"].data_validations.dataValidation  # roles are chosen from a list
    shown = typed(shell, "6", "", book, "y", "").output
    assert "部门 2, 人员 3, 确权 1" in shown  # the example rows stay out
    page = (tmp_path / "node" / "run" / "passwords.html").read_text(encoding="utf-8")
    password = page.split("<code>s1</code>")[1].split("<code>")[1].split("<")[0]
    assert "caiji-2026" not in page
    assert load(tmp_path / "node").sign_in.new_password_at_first_sign_in
    records = Records.open(tmp_path / "node")
    try:
        assert Sessions(records).sign_in("s1", password).new_password_due
    finally:
        records.close()
    assert "新增 0 更新 0" in typed(shell, "6", "", book, "y").output  # and again: nothing changes


def test_one_wrong_row_in_the_workbook_leaves_nothing_of_it(shell: CliRunner, tmp_path: Path) -> None:
    answered(shell, tmp_path / "a.toml", county=FIRST)
    book = files.workbook(tmp_path / "people.xlsx", 确权=[("01", "*", "D99")])
    shown = typed(shell, "6", "", book, "y", "n").output
    assert "确权 第 3 行 department: 没有部门 D99" in shown
    told = json.loads(shell.invoke(setup, ["--json"]).stdout)["steps"]
    assert next(step["zh"] for step in told if step["step"] == "people") == "部门 0 账号 1 确权 0"
    assert not (tmp_path / "node" / "run" / "passwords.html").exists()


def test_ctrl_c_while_a_sheet_is_closed_leaves_nothing_of_the_workbook(
    shell: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is heard when the last slice is on the disk: the people are there, their passwords' page is gone."""
    answered(shell, tmp_path / "a.toml", county=FIRST)
    book = files.workbook(tmp_path / "people.xlsx")

    def pressed(unit: Unit, batch: int, kind: str, name: str, result: pipeline.Result) -> int | None:
        if kind == "staff":
            signal.raise_signal(signal.SIGINT)
        return closed(unit, batch, kind, name, result)

    closed = pipeline.closed
    monkeypatch.setattr(pipeline, "closed", pressed)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert typed(shell, "6", "", book, "y", "").exit_code == 1, "the visit was cut off"
    finally:
        signal.signal(signal.SIGINT, before)
    told = json.loads(shell.invoke(setup, ["--json"]).stdout)["steps"]
    assert next(step["zh"] for step in told if step["step"] == "people") == "部门 0 账号 1 确权 0"
    assert not (tmp_path / "node" / "run" / "passwords.html").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="root hides a folder from another account")
def test_a_file_below_a_folder_of_root_is_told_as_one_that_cannot_be_read(tmp_path: Path) -> None:
    with TemporaryDirectory() as hidden:
        os.seteuid(pwd.getpwnam("nobody").pw_uid)
        try:
            with pytest.raises(Invalid, match="let the account wanmi read it"):
                existing(questions()["boundary", "file"], f"{hidden}/boundary.geojson", tmp_path)
        finally:
            os.seteuid(0)


def test_passwords_that_cannot_be_written_down_are_given_to_nobody_and_no_page_is_overwritten(
    shell: CliRunner, tmp_path: Path
) -> None:
    answered(shell, tmp_path / "a.toml", county=FIRST)
    book = files.workbook(tmp_path / "people.xlsx")
    (tmp_path / "a file").write_text("no folder")
    shown = typed(shell, "6", "", book, "y", tmp_path / "a file" / "passwords.html").output
    assert "✗" in shown
    told = json.loads(shell.invoke(setup, ["--json"]).stdout)["steps"]
    assert next(step["zh"] for step in told if step["step"] == "people") == "部门 0 账号 1 确权 0"

    first = tmp_path / "passwords.html"
    first.write_text("not handed out yet")
    shown = typed(shell, "6", "", book, "y", first).output
    assert "passwords-2.html" in shown
    assert first.read_text() == "not handed out yet"
    assert "<code>s1</code>" in (tmp_path / "passwords-2.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("backs_up", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_whole_visit_by_answers_ends_with_a_page_to_sign(shell: CliRunner, tmp_path: Path, backs_up: bool) -> None:
    files.boundary(tmp_path / "b.geojson")
    files.parts(tmp_path / "parts.csv")
    files.workbook(tmp_path / "people.xlsx")
    answers = {
        "county": FIRST, "boundary": {"file": "b.geojson"}, "grids": {}, "people": {"workbook": "people.xlsx"},
        "census": [{"from": "parts.csv"}], "handover": {},
        **({"backup": {"to": str(tmp_path / "repo"), "printed": True}} if backs_up else {}),
    }  # fmt: skip
    result = answered(shell, tmp_path / "a.toml", **answers)
    assert result.exit_code == 0, result.output
    stands = {step["step"]: step["done"] for step in json.loads(result.stdout)["steps"]}
    done = {step for step, is_done in stands.items() if is_done}
    assert done >= {"county", "edition", "boundary", "grids", "census", "people", "handover"}
    assert not done & {"duty-grids", "devices", "prefecture"}
    assert ("backup" in done) == backs_up
    assert not (tmp_path / "node" / "run" / "recovery-sheet.html").exists()  # confirmed as printed, so it went
    (page,) = words_of(tmp_path / "node" / "handover.pdf")
    for word in ("禹州市", "411081", "部件parts2", "单元网格unitgrids", "受理员Acceptor1"):
        assert word in page
    if backs_up:
        assert str(tmp_path / "repo") in page
        assert "通过passed" in page
    assert "yuzhou-2026" not in page
    again = answered(shell, tmp_path / "a.toml", **{**answers, "handover": {"file": str(tmp_path / "again.html")}})
    assert again.exit_code == 0, again.output
    assert "与已有的相同" in again.stderr


def test_answers_with_a_typing_error_are_refused_before_anything_is_done(shell: CliRunner, tmp_path: Path) -> None:
    refused = wrong(answered(shell, tmp_path / "a.toml", county={**FIRST, "pasword": "x"}))
    assert isinstance(refused, Invalid)
    assert "password" in refused.fields[0].nearest
    assert "people" in wrong(answered(shell, tmp_path / "a.toml", poeple={})).fields[0].nearest
    assert "first_sign_in" in str(wrong(answered(shell, tmp_path / "a.toml", accounts={"first_sign_in": "yes"})))
    assert not (tmp_path / "node").exists()


def test_answers_are_refused_with_the_row_and_for_another_county(shell: CliRunner, tmp_path: Path) -> None:
    boundary = {"file": str(files.boundary(tmp_path / "b.geojson"))}
    census = [{"from": str(files.parts(tmp_path / "parts.csv", type_="09999")), "kind": "parts"}]
    refused = wrong(answered(shell, tmp_path / "a.toml", county=FIRST, boundary=boundary, grids={}, census=census))
    assert "parts.csv 第 2 行 type" in refused.zh
    other = wrong(answered(shell, tmp_path / "a.toml", county={**FIRST, "code": "411082"}))
    assert isinstance(other, Conflict)


def test_the_home_of_another_day_gives_its_hand_over_sheet(home: Path, tmp_path: Path) -> None:
    shell, file = CliRunner(), tmp_path / "sheet.html"
    done = shell.invoke(setup, ["--handover", str(file), "--home", str(home)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    page = file.read_text(encoding="utf-8")
    assert "200" in page  # the unit grids
    assert homes.PASSWORD not in page
    assert "backups.age" in page  # an open finding
    wrong(shell.invoke(setup, ["--handover", str(tmp_path / "sheet.doc"), "--home", str(home)]))
