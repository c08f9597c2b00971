"""A county is evaluated: a period is counted, looked into, closed, and stays as it was."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from appliance.cli import wanmi
from appliance.errors import Conflict, Invalid, NotFound
from appliance.people.accounts import deactivate
from appliance.scoring import store
from appliance.scoring.closing import due_to_close, forget_spans
from appliance.scoring.evaluation import Evaluation, kept_pack
from appliance.scoring.pack import NATIONAL, national
from provisioning.import_files.pipeline import Options, run_import
from tests.cases.desk import Desk, place

SCOPES = ("department", "region", "collector", "acceptor", "dispatcher", "shift_leader", "source", "platform")


def told(evaluation: Evaluation, name: str) -> dict[str, object]:
    """The whole document of a period, but for when it was closed."""
    with evaluation.records.read() as connection:
        document = evaluation.evaluate(connection, evaluation.period(name)).document(evaluation.packs()[0])
    return document | {"closed_at": None}


def test_a_closed_month_stays_as_it_was_whatever_changes_later(desk: Desk) -> None:
    evaluation = Evaluation(desk.office.records)
    desk.to_closed()
    late = desk.to_dispatched()
    with pytest.raises(Conflict, match="cannot be closed before"):
        evaluation.close("2026-10", "k1")
    desk.clock.advance(days=40)
    before = json.dumps(told(evaluation, "2026-10"), sort_keys=True)
    evaluation.close("2026-10", "k1")
    with pytest.raises(Conflict, match="is closed"):
        evaluation.close("2026-10", "k1")

    desk.act("d1", late, "take")
    desk.act("d1", late, "finish", result="修好了")
    desk.report()
    desk.clock.advance(hours=1)
    records = desk.office.records
    records.write(lambda unit: unit.connection.execute(text("UPDATE duty_grid SET collector = 'l2'")) and None)
    records.write(
        lambda unit: unit.connection.execute(text("UPDATE account SET name = '改名' WHERE account = 'l1'")) and None
    )
    records.write(
        lambda unit: unit.connection.execute(text("DELETE FROM unit_grid WHERE code < '411081001001050'")) and None
    )
    assert json.dumps(told(evaluation, "2026-10"), sort_keys=True) == before
    assert told(evaluation, "2026-11")["platform"]["reports"] == 1


def test_old_scores_stay_reproducible_when_the_county_changes_its_pack(desk: Desk) -> None:
    evaluation = Evaluation(desk.office.records)
    desk.to_closed()
    desk.clock.advance(days=40)
    evaluation.close("2026-10", "k1")
    folder = desk.office.records.home / "packs"
    folder.mkdir(exist_ok=True)
    content = NATIONAL.read_text(encoding="utf-8")
    (folder / "ours.csv").write_text(content.replace("30 (1 - rework_rate)", "30 handle_rate"), encoding="utf-8")
    evaluation.settings.scoring.pack = "ours"
    with desk.office.records.read() as connection:
        scores = connection.execute(text("SELECT * FROM score WHERE scope = 'department' AND subject = 'D01'")).all()
        evaluated = evaluation.evaluate(connection, evaluation.period("2026-10"))
        old = kept_pack(connection, scores[0].pack_sha256)
        again = next(row for row in evaluated.scored(old, "department") if row.subject == "D01")
    assert [row.pack for row in scores] == ["national"]
    assert (again.score, again.grade) == (scores[0].score, scores[0].grade)
    assert old.sha256 == national().sha256


def test_a_closed_month_is_shown_as_it_was_published(desk: Desk) -> None:
    """The county changes its formulas in November; October's screens, bulletin and return keep those of October."""
    evaluation, home = Evaluation(desk.office.records), desk.office.records.home
    desk.to_closed()
    desk.to_dispatched()
    desk.clock.advance(days=40)
    evaluation.close("2026-10", "k1")
    with desk.office.records.read() as connection:
        before = evaluation.evaluate(connection, evaluation.period("2026-10"))
        (home / "packs").mkdir(exist_ok=True)
        text_ = NATIONAL.read_text(encoding="utf-8")
        changed = text_.replace("30 (1 - rework_rate)", "30 handle_rate").replace("A级,A,", "甲级,A,")
        (home / "packs" / "ours.csv").write_text(changed, encoding="utf-8")
        evaluation.settings.scoring.pack = "ours"
        after = evaluation.evaluate(connection, evaluation.period("2026-10"))
        assert after.pack().sha256 == before.pack().sha256
        for scope in SCOPES:
            assert after.scored(after.pack(), scope) == before.scored(before.pack(), scope)
        assert [pack.id for pack in after.packs] == ["national", "ours"], "and by the new formulas, where asked for"
        assert evaluation.evaluate(connection, evaluation.period("2026-11")).pack().id == "ours"
        with pytest.raises(NotFound, match="not scored by the pack theirs"):
            after.pack("theirs")


def test_a_duty_grid_that_changes_hands_in_november_moves_nothing_of_october(desk: Desk, tmp_path: Path) -> None:
    evaluation, home = Evaluation(desk.office.records), desk.office.records.home
    public = desk.report("s1")
    desk.act("s1", public, "accept", reason="视频已看到")
    desk.act("z1", public, "file")
    desk.clock.advance(days=24)

    def missed(month: str) -> dict[object, object]:
        with desk.office.records.read() as connection:
            evaluated = evaluation.evaluate(connection, evaluation.period(month))
            rows = evaluated.scored(evaluated.pack(), "collector")
        return {row.subject: row.figures["miss_rate"] for row in rows}

    before = missed("2026-10")
    assert before["l1"] == 1.0
    file = tmp_path / "duty.geojson"
    done = CliRunner().invoke(wanmi, ["export", "duty-grids", str(file), "--home", str(home)])
    assert done.exit_code == 0, done.output
    file.write_text(re.sub(r'("collector": ?)"l1"', r'\1"l2"', file.read_text()))
    assert run_import(desk.office.records, "duty-grids", file, Options(crs="EPSG:4490"))[0].updated >= 1
    assert missed("2026-10") == before
    desk.clock.advance(hours=1)
    public = desk.report("s1")
    desk.act("s1", public, "accept", reason="视频已看到")
    desk.act("z1", public, "file")
    desk.clock.advance(hours=1)
    assert missed("2026-11")["l2"] == 1.0, "and November is the new collector's"


OLD = """number,source,kind,code,description,lon,lat,address,state,department,reported_at,due_at,closed_at
OLD1,collector,part,01002,x,{lon},{lat},a,dispatched,D01,2026-10-01T09:00:00+08:00,2026-10-02T09:00:00+08:00,
OLD2,collector,part,01002,x,{lon},{lat},a,closed,D01,2026-10-01T09:00:00+08:00,2026-10-03T09:00:00+08:00,2026-10-02T09:00:00+08:00
OLD3,collector,part,01002,x,{lon},{lat},a,handling,D01,2026-10-01T09:00:00+08:00,2026-10-20T09:00:00+08:00,
OLD4,collector,part,01002,x,{lon},{lat},a,closed,D01,2026-10-01T09:00:00+08:00,,2026-10-02T09:00:00+08:00
"""


def test_an_imported_case_counts_on_whatever_is_said_of_it_and_done_with_it(desk: Desk, tmp_path: Path) -> None:
    evaluation, file = Evaluation(desk.office.records), tmp_path / "old.csv"
    file.write_text(OLD.format(**place()))
    assert run_import(desk.office.records, "cases", file, Options(crs="EPSG:4490"))[0].added == 4
    desk.clock.advance(hours=1)

    def told_now() -> dict[str, object]:
        with desk.office.records.read() as connection:
            evaluated = evaluation.evaluate(connection, evaluation.period("2026-10"))
        facts = evaluated.named["department"]["D01"].subject.facts
        names = ("should_close", "closed", "closed_on_time", "handle_should", "handle_on_time")
        reports = evaluated.named["platform"][""].subject.facts["reports"]
        return {name: facts.get(name, 0) for name in names} | {"reports": reports, "left_out": evaluated.left_out}

    known = {"closed_on_time": 1, "handle_on_time": 0, "reports": 4, "left_out": 1}
    assert told_now() == known | {"should_close": 2, "closed": 1, "handle_should": 1}
    desk.act("z1", "OLD2", "note", note="看过")
    desk.act("z1", "OLD1", "urge", note="快")
    desk.clock.advance(hours=1)
    assert told_now() == known | {"should_close": 2, "closed": 1, "handle_should": 1}, "words change no figure"
    desk.act("d1", "OLD3", "finish", result="修好了")
    desk.act("d1", "OLD1", "take")
    desk.act("d1", "OLD1", "finish", result="修好了")
    desk.clock.advance(hours=1)
    done = known | {"handle_on_time": 1, "handle_should": 2, "should_close": 3, "closed": 1}
    assert told_now() == done, "OLD3 in time, OLD1 late"
    for number in ("OLD1", "OLD3"):
        desk.act("s1", number, "ask_check", collector="l1")
        desk.act("l1", number, "check_pass")
        desk.act("z1", number, "close")
    desk.clock.advance(hours=1)
    assert told_now() == done | {"closed": 3, "closed_on_time": 2}


def test_who_left_in_november_still_stands_in_october(desk: Desk) -> None:
    evaluation = Evaluation(desk.office.records)
    desk.clock.advance(days=30)
    desk.office.records.write(lambda unit: deactivate(unit, "l2", by="admin"))

    def collectors(month: str) -> set[str]:
        with desk.office.records.read() as connection:
            evaluated = evaluation.evaluate(connection, evaluation.period(month))
        return set(evaluated.named["collector"])

    assert "l2" in collectors("2026-10")
    assert "l2" in collectors("2026-11"), "who was there for a part of it has a row"
    desk.clock.advance(days=40)
    assert "l2" not in collectors("2026-12")


def test_months_and_quarters_have_trends_of_their_own(desk: Desk) -> None:
    evaluation = Evaluation(desk.office.records)
    desk.to_closed()
    desk.clock.advance(days=120)
    for name in ("2026-10", "2026-Q4", "2026-11"):
        evaluation.close(name, "k1")
    with desk.office.records.read() as connection:
        for kind, periods in (("month", ["2026-11", "2026-10"]), ("quarter", ["2026-Q4"]), ("day", [])):
            for pack in ("", "national"):
                told = store.score_history(connection, "platform", "", pack, kind, 12)
                assert [point["period"] for point in told] == periods


@pytest.mark.parametrize(("written", "name"), [("20261009", "2026-10-09"), ("2026-W41-5", "2026-10-09"), (
    "2026-10-09..2026-10-09", "2026-10-09..2026-10-09")])  # fmt: skip
def test_a_period_has_one_name_however_it_is_written(desk: Desk, written: str, name: str) -> None:
    assert Evaluation(desk.office.records).period(written).name == name


def test_spans_that_nobody_asked_for_since_a_day_are_forgotten(desk: Desk) -> None:
    evaluation = Evaluation(desk.office.records)
    for name in ("2026-10-01..2026-10-05", "2026-10"):
        evaluation.refresh(name)
    assert forget_spans(evaluation) == 0
    desk.clock.advance(days=1.1)
    assert forget_spans(evaluation) == 1
    with desk.office.records.read() as connection:
        assert list(connection.execute(text("SELECT name FROM score_period")).scalars()) == ["2026-10"]


def test_every_figure_opens_to_its_cases(desk: Desk) -> None:
    evaluation = Evaluation(desk.office.records)
    closed, still = desk.to_closed(), desk.to_dispatched()
    desk.clock.advance(hours=1)
    period = evaluation.period("2026-10")
    with desk.office.records.read() as connection:
        found = evaluation.cases_behind(connection, period, "department", "D01", ["dispatched", "closed"])
        assert found == {"dispatched": [closed, still], "closed": [closed]}
        with pytest.raises(Invalid, match="no fact"):
            evaluation.cases_behind(connection, period, "department", "D01", ["happiness"])
    desk.clock.advance(days=40)
    evaluation.close("2026-10", "k1")
    with desk.office.records.read() as connection:
        period = evaluation.period("2026-10")
        assert evaluation.cases_behind(connection, period, "department", "D01", ["closed"]) == {"closed": [closed]}
        with pytest.raises(NotFound):
            evaluation.cases_behind(connection, period, "department", "D99", ["closed"])


def test_the_scheduler_closes_what_is_over_long_enough(desk: Desk) -> None:
    evaluation = Evaluation(desk.office.records)

    def due(days: float) -> list[str]:
        desk.clock.advance(days=days)
        with desk.office.records.read() as connection:
            return due_to_close(evaluation, connection)

    assert due(0) == [], "a county without history has nothing to close"
    desk.report()
    assert due(0) == []
    assert due(3) == ["2026-10-09", "2026-10-10", "2026-10-11", "2026-W41"]
    for name in due(0):
        evaluation.close(name, "scheduler")
    assert due(0) == []
    assert due(22)[-2:] == ["2026-W43", "2026-W44"], "3 November: October is closed on the fifth day"
    assert due(2)[-2:] == ["2026-W44", "2026-10"]
    evaluation.close("2026-10-20", "k1")
    assert "2026-10-19" in due(0), "a gap before a day that was closed by hand is seen"


def test_a_box_that_was_off_for_months_closes_all_that_ended_meanwhile(desk: Desk) -> None:
    evaluation = Evaluation(desk.office.records)
    desk.to_closed()
    desk.clock.advance(days=75)
    with desk.office.records.read() as connection:
        names = due_to_close(evaluation, connection)
    assert names[:2] == ["2026-10-09", "2026-10-10"]
    assert [name for name in names if len(name) == len("2026-10") and "Q" not in name and "W" not in name] == [
        "2026-10", "2026-11",
    ]  # fmt: skip


def test_the_command_tells_scores_cases_and_packs(desk: Desk) -> None:
    number = desk.to_closed()
    home = str(desk.office.records.home)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(wanmi, ["score", *arguments, "--home", home], standalone_mode=False)
        assert done.exit_code == 0, (done.exception, done.output)
        return done.stdout

    document = json.loads(run("--period", "2026-10", "--json"))
    assert set(document["scopes"]) == {*SCOPES, "sub_unit"} - {"platform"}
    row = next(row for row in document["scopes"]["department"] if row["id"] == "D01")
    assert (row["name"], row["values"]["close_rate"], row["grade"]) == ("市政管理所", 1.0, "A")
    one = json.loads(run("--period", "2026-10", "--scope", "collector", "--json"))
    assert (one["period"], one["scope"], {row["id"] for row in one["rows"]}) == ("2026-10", "collector", {"l1", "l2"})
    shown = run("--period", "2026-10")
    assert "市政管理所" in shown
    assert "100.00%" in shown
    assert number in run("cases", "2026-10", "department", "D01", "close_rate")
    assert "national" in run("packs")
    packs = json.loads(run("packs", "--json"))["items"][0]
    assert {each["code"] for each in packs["indicators"]} >= {"dept_score", "close_rate"}


@pytest.mark.parametrize(
    ("written", "kind", "days"),
    [("2026-10-08", "day", 1), ("2026-W41", "week", 7), ("2026-02", "month", 28), ("2026-Q1", "quarter", 90),
     ("2024", "year", 366), ("2026-10-01..2026-10-15", "span", 15)],
)  # fmt: skip
def test_a_period_is_written_shortly(desk: Desk, written: str, kind: str, days: int) -> None:
    desk.clock.advance(days=60)
    period = Evaluation(desk.office.records).period(written)
    assert (period.kind, (period.end - period.start) / 86_400_000_000) == (kind, days)


@pytest.mark.parametrize("written", ["", "2026-13", "2026-W60", "2026-Q5", "2027", "october", "2026-10-15..2026-10-01"])
def test_what_is_no_period_is_refused(desk: Desk, written: str) -> None:
    with pytest.raises(Invalid):
        Evaluation(desk.office.records).period(written)


def test_a_county_without_a_case_has_rows_and_no_rate(desk: Desk, tmp_path: Path) -> None:
    document = told(Evaluation(desk.office.records), "2026-10")
    assert document["platform"]["close_rate"] is None
    rows = document["scopes"]["collector"]
    assert [(row["id"], row["score"], row["grade"], row["place"]) for row in rows] == [
        ("l1", None, None, None), ("l2", None, None, None)
    ]  # fmt: skip
