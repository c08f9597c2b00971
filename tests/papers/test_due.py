"""What is due: made on time by a job, made up when it was missed, overdue when nobody signs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from appliance.clock import DAY, SystemClock
from appliance.errors import BadFile
from appliance.papers import filing
from appliance.papers.checks import check_papers
from appliance.papers.jobs import make_papers
from appliance.papers.recurring import SHIPPED, Due, due_papers, papers_of
from appliance.papers.template import SHIPPED as TEMPLATE
from appliance.papers.working import make_due
from appliance.scoring.evaluation import Evaluation
from tests.cases.desk import Desk, at

HEAD = SHIPPED.read_text(encoding="utf-8").splitlines()[0]
RETURN, WEEKLY = (
    SHIPPED.read_text(encoding="utf-8").splitlines()[1],
    SHIPPED.read_text(encoding="utf-8").splitlines()[3],
)


def table(desk: Desk, *lines: str) -> Path:
    """The county's own table of papers."""
    own = desk.office.records.home / "packs" / "papers.csv"
    own.parent.mkdir(exist_ok=True)
    own.write_text("\n".join([HEAD, *lines]), encoding="utf-8")
    return own


def due(desk: Desk) -> list[Due]:
    with desk.office.records.read() as connection:
        return due_papers(connection, desk.office.records.home, desk.office.settings, desk.clock.now())


def states(desk: Desk) -> dict[str, str]:
    return {f"{each.paper.paper} {each.period}": each.state for each in due(desk)}


def test_the_return_is_due_by_the_tenth_and_overdue_until_somebody_signs(desk: Desk) -> None:
    table(desk, RETURN)
    assert due(desk) == [], "no case yet"
    desk.to_closed()
    desk.clock.set(at("2026-11-02 08:00"))
    assert states(desk) == {"monthly_return 2026-10": "due"}, "nothing before the first case"
    assert due(desk)[0].due_at == at("2026-11-10 18:00")
    assert make_due(desk.office)["made"] == [f"papers/return-2026-10.{ending}" for ending in ("json", "csv", "xlsx")]
    assert states(desk) == {"monthly_return 2026-10": "made"}
    desk.clock.set(at("2026-11-11 08:00"))
    assert states(desk) == {"monthly_return 2026-10": "overdue"}
    evaluation, actor = Evaluation(desk.office.records), desk.who("k1")
    evaluation.close("2026-10", "k1")
    desk.office.records.write(lambda unit: filing.submit(unit, evaluation, actor, "2026-10"))
    assert states(desk) == {"monthly_return 2026-10": "submitted"}
    make_due(desk.office)
    kept = json.loads((desk.office.records.home / "papers" / "return-2026-10.json").read_text(encoding="utf-8"))
    assert kept["state"] == "submitted", "made again of the closed month"
    assert make_due(desk.office) == {"made": [], "failed": {}}
    own = desk.office.records.home / "packs" / "monthly_return.csv"
    own.write_text(TEMPLATE.read_text(encoding="utf-8").replace("结案率,Closing", "办结率,Closing"), encoding="utf-8")
    desk.clock.advance(hours=1)
    desk.office.records.write(lambda unit: filing.submit(unit, evaluation, actor, "2026-10"))
    assert "papers/return-2026-10.csv" in make_due(desk.office)["made"], "made again of what was signed"


@pytest.mark.long
def test_missed_bulletins_are_made_up_in_a_process_of_its_own(desk: Desk) -> None:
    table(desk, WEEKLY)
    desk.to_closed()
    desk.clock.set(at("2026-10-20 08:00"))
    assert states(desk) == {"weekly_bulletin 2026-W42": "overdue", "weekly_bulletin 2026-W41": "overdue"}
    desk.clock.set(at("2026-10-14 08:00"))
    told = make_papers(desk.office)
    assert told == {"made": ["papers/bulletin-2026-W41.html", "papers/bulletin-2026-W41.pdf"], "failed": {}}
    assert set(states(desk).values()) == {"made"}
    for file in told["made"]:
        (desk.office.records.home / file).unlink()
    assert [each.period for each in due(desk) if each.to_make] == ["2026-W41"], "the files are gone"


def test_a_paper_that_cannot_be_made_is_told_and_keeps_no_other_from_it(desk: Desk) -> None:
    table(desk, WEEKLY, RETURN)
    desk.to_closed()
    desk.clock.set(at("2026-11-03 08:00"))
    (desk.office.records.home / "papers").mkdir(exist_ok=True)
    (desk.office.records.home / "papers" / "bulletin.html.j2").write_text("{{ nothing }}", encoding="utf-8")
    told = make_due(desk.office)
    assert "papers/return-2026-10.xlsx" in told["made"]
    assert "bulletin.html.j2 第 1 行" in told["failed"]["weekly_bulletin 2026-W44"]


def test_the_doctor_tells_of_overdue_papers_and_of_wrong_templates(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    home = desk.office.records.home
    assert {finding.check: finding.result for finding in check_papers(home)} == {
        "papers.templates": "passed", "papers.pdf": "passed", "papers.due": "passed",
    }  # fmt: skip
    desk.clock.set(SystemClock().now() - 70 * DAY)
    desk.to_closed()
    told = {finding.check: finding for finding in check_papers(home)}
    assert (told["papers.due"].result, "Monthly return" in told["papers.due"].en) == ("warning", True)
    (home / "papers").mkdir(exist_ok=True)
    (home / "papers" / "notice.html.j2").write_text("{% if %}", encoding="utf-8")
    monkeypatch.setattr("appliance.papers.checks.FONT_FOLDERS", (home,))
    told = {finding.check: finding for finding in check_papers(home)}
    assert (told["papers.templates"].result, told["papers.pdf"].result) == ("failed", "failed")
    assert "notice.html.j2, line 1" in told["papers.templates"].en
    table(desk, "x,某,X,decade,1,9,3,bulletin,")
    assert next(iter(check_papers(home))).result == "failed"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("x,某,X,decade,1,9,3,bulletin,", "line 2.*kind is one of"),
        ("x,某,X,week,1,9,3,return,", "line 2.*return where the kind is month"),
        ("x,某,X,week,1,25,3,bulletin,", "line 2.*due_hour 0 to 23"),
        ("x,某,X,week,soon,9,3,bulletin,", "line 2.*soon"),
    ],
)
def test_a_wrong_table_is_refused_with_its_line(desk: Desk, line: str, why: str) -> None:
    table(desk, line)
    with pytest.raises(BadFile, match=why):
        papers_of(desk.office.records.home)
