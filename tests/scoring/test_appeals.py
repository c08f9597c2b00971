"""A department appeals: the score changes when it is approved, the raw facts never do."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from appliance.errors import Conflict, Forbidden, Invalid, NotFound
from appliance.scoring import appeals
from appliance.scoring.evaluation import Evaluation
from tests.cases.desk import Desk


def closed_month(desk: Desk) -> tuple[Evaluation, str, str]:
    """October, closed: D01 closed one case and left one overdue."""
    closed, overdue = desk.to_closed(), desk.to_dispatched()
    desk.clock.advance(days=40)
    evaluation = Evaluation(desk.office.records)
    evaluation.close("2026-10", "k1")
    return evaluation, closed, overdue


def ask(
    desk: Desk, account: str, number: str, subject: str = "D01", reason: str = "停电无法施工", period: str = "2026-10"
) -> int:
    actor = desk.who(account)
    return desk.office.records.write(
        lambda unit: appeals.ask(unit, actor, period, "department", subject, number, reason)
    )


def decide(desk: Desk, evaluation: Evaluation, account: str, id_: int, approve: bool) -> dict[str, object]:
    actor = desk.who(account)
    return desk.office.records.write(lambda unit: appeals.decide(unit, evaluation, actor, id_, approve, "属实"))


def score(desk: Desk, evaluation: Evaluation) -> tuple[float | None, float | None, int]:
    """D01's score and closing rate as kept, and the revision."""
    with desk.office.records.read() as connection:
        row = connection.execute(
            text("SELECT score, revision FROM score WHERE subject = 'D01' AND scope = 'department'")
        ).one()
        evaluated = evaluation.evaluate(connection, evaluation.period("2026-10"))
        told = next(each for each in evaluated.scored(evaluation.packs()[0], "department") if each.subject == "D01")
    assert told.score == row.score
    return row.score, told.figures["close_rate"], row.revision


def test_an_approved_appeal_takes_the_case_off_the_score_and_not_off_the_facts(desk: Desk) -> None:
    evaluation, _, overdue = closed_month(desk)
    assert score(desk, evaluation) == (70.0, 0.5, 0)
    id_ = ask(desk, "d1", overdue)
    assert score(desk, evaluation) == (70.0, 0.5, 0), "an appeal alone changes nothing"
    told = decide(desk, evaluation, "k1", id_, True)
    assert (told["approved"], told["decided_by"]) == (True, "k1")
    assert score(desk, evaluation) == (100.0, 1.0, 1)
    with desk.office.records.read() as connection:
        behind = evaluation.cases_behind(
            connection, evaluation.period("2026-10"), "department", "D01", ["should_close"]
        )
        facts = evaluation.evaluate(connection, evaluation.period("2026-10")).named["department"]["D01"].subject.facts
    assert len(behind["should_close"]) == 2
    assert facts["should_close"] == 2, "the raw fact stays"
    with pytest.raises(Conflict):
        decide(desk, evaluation, "k1", id_, False)


def test_a_refused_appeal_changes_nothing_and_may_be_made_again(desk: Desk) -> None:
    evaluation, _, overdue = closed_month(desk)
    decide(desk, evaluation, "b1", ask(desk, "d1", overdue), False)
    assert score(desk, evaluation) == (70.0, 0.5, 0)
    again = ask(desk, "d1", overdue, reason="补充证明")
    with pytest.raises(Conflict):
        ask(desk, "d1", overdue)
    with desk.office.records.read() as connection:
        seen = {account: appeals.page(connection, desk.who(account), period="", waiting=True, after=0, limit=10)
                for account in ("d1", "d2", "k1")}  # fmt: skip
    assert {account: [row["id"] for row in rows] for account, rows in seen.items()} == {
        "d1": [again], "d2": [], "k1": [again]
    }  # fmt: skip


def test_who_may_not_and_what_cannot_be_appealed_against(desk: Desk) -> None:
    evaluation, closed, overdue = closed_month(desk)
    with pytest.raises(Forbidden):
        ask(desk, "d2", overdue)
    with pytest.raises(Invalid):
        ask(desk, "d1", overdue, reason=" ")
    with pytest.raises(NotFound):
        ask(desk, "d1", "4110812026100999999")
    with pytest.raises(Conflict, match="not closed"):
        ask(desk, "d1", overdue, period="2026-11")
    actor = desk.who("k1")
    with pytest.raises(Invalid, match="nobody"):
        desk.office.records.write(lambda unit: appeals.ask(unit, actor, "2026-10", "region", "411081001", closed, "x"))
    own = ask(desk, "k1", closed)
    with pytest.raises(Forbidden):
        decide(desk, evaluation, "k1", own, True)
    with pytest.raises(Forbidden):
        decide(desk, evaluation, "d1", own, True)


def test_nobody_decides_on_the_own_score_and_everybody_finds_the_own_appeals(desk: Desk) -> None:
    """An assessor who also collects; and a unit whose only appeal stands behind many of others."""
    evaluation, closed, _ = closed_month(desk)
    desk.office.records.write(
        lambda unit: (
            unit.connection.execute(text("UPDATE account SET roles = 'assessor|collector' WHERE account = 'l1'"))
            and None
        )
    )
    colleague = desk.who("k1")
    about_l1 = desk.office.records.write(
        lambda unit: appeals.ask(unit, colleague, "2026-10", "collector", "l1", closed, "照片有误")
    )
    with pytest.raises(Forbidden, match="whose score"):
        decide(desk, evaluation, "l1", about_l1, True)
    own = ask(desk, "d1", closed)
    with desk.office.records.read() as connection:
        seen = appeals.page(connection, desk.who("d1"), period="", waiting=True, after=0, limit=1)
    assert [row["id"] for row in seen] == [own], "the first page, though another appeal came before"
