"""The month is settled by score, no deduction is lost, and a sheet that was signed stays as it was."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from appliance.assessment import spot_checks
from appliance.assessment.deductions import charged_in, month_charged
from appliance.assessment.jobs import keep_settlements
from appliance.assessment.settlement import settlement, share_of
from appliance.assessment.sheets import kept_sheet, sheet_now
from appliance.scoring.evaluation import Evaluation
from appliance.settings import Contract
from tests.cases.desk import Desk, at

CONTRACT = Contract(contractor="禹州采集公司", monthly_fee=100_000.01, deposits={"D01": 2000.0})


def found_bad(desk: Desk, period: str, *charged: tuple[str, float]) -> None:
    """Draw closed cases of a period; each is bad, and somebody is charged."""
    actor, evaluation = desk.who("k1"), Evaluation(desk.office.records)
    write = desk.office.records.write
    drawn = write(lambda unit: spot_checks.draw(unit, actor, evaluation.period(period), "case", len(charged)))
    with desk.office.records.read() as connection:
        checks = spot_checks.checks(connection, drawn["id"])
    for check, (who, yuan) in zip(checks, charged, strict=True):
        write(
            lambda unit, id_=check["id"], who=who, yuan=yuan: spot_checks.result(
                unit, desk.office, actor, id_, good=False, charged_to=who, yuan=yuan
            )
        )  # fmt: skip


def sheet(desk: Desk, month: str, contract: Contract = CONTRACT) -> dict[str, dict[str, Any]]:
    """The sheet of a month by what each line is about."""
    evaluation = Evaluation(desk.office.records)
    evaluation.settings.scoring.contract = contract
    with desk.office.records.read() as connection:
        evaluated = evaluation.evaluate(connection, evaluation.period(month))
        told = kept_sheet(connection, month) or sheet_now(connection, evaluation, evaluated)
    return {line["subject"] or line["kind"]: line for line in told["items"]}


def test_the_month_is_settled_to_the_cent(desk: Desk) -> None:
    desk.to_closed()
    desk.to_closed()
    desk.clock.advance(minutes=1)
    found_bad(desk, "2026-10", ("D01", 100), ("l1", 100))
    lines = sheet(desk, "2026-10")
    assert lines["contractor"]["paid"] == pytest.approx(lines["contractor"]["earned"] - 100)
    assert (lines["D01"]["share"], lines["D01"]["paid"]) == (1.0, 1900.0)


def test_a_deduction_counts_in_the_month_it_was_entered_whatever_was_drawn_from(desk: Desk) -> None:
    """A draw of a week of October, and one of October that was only looked at in November."""
    for _ in range(2):
        desk.to_closed()
    desk.clock.advance(days=10)
    found_bad(desk, "2026-W41", ("D01", 500))
    desk.clock.set(at("2026-11-03 09:00"))
    found_bad(desk, "2026-10", ("D01", 70))
    assert sheet(desk, "2026-10")["D01"]["deduction"] == 500.0
    assert sheet(desk, "2026-11")["D01"]["deduction"] == 70.0


def test_who_has_no_fee_and_no_deposit_has_a_line_for_its_deductions(desk: Desk) -> None:
    for _ in range(3):
        desk.to_closed()
    desk.clock.advance(minutes=1)
    found_bad(desk, "2026-10", ("D02", 30), ("l2", 20), ("k1", 10))
    lines = sheet(desk, "2026-10")
    assert (lines["D02"]["kind"], lines["D02"]["sum"], lines["D02"]["deduction"]) == ("charged", 0.0, 30.0)
    assert (lines["k1"]["kind"], lines["k1"]["deduction"], lines["k1"]["paid"]) == ("charged", 10.0, None)
    assert lines["contractor"]["deduction"] == 20.0, "a collector is the contractor's, whether it had cases or not"
    alone = sheet(desk, "2026-10", Contract())
    assert {name: line["deduction"] for name, line in alone.items()} == {"D02": 30.0, "l2": 20.0, "k1": 10.0}


def test_without_a_score_nothing_is_paid_out_unseen(desk: Desk) -> None:
    """Nobody worked in September: no score, and not the whole sum."""
    lines = sheet(desk, "2026-09", Contract(contractor="禹州采集公司", monthly_fee=1.0, deposits={"D99": 10.0}))
    assert [(line["score"], line["share"], line["earned"], line["paid"]) for line in lines.values()] == [
        (None, None, None, None)
    ] * 2


def test_the_sheet_of_a_closed_month_stays_as_it_was(desk: Desk) -> None:
    """Neither a later result nor another contract changes what was settled."""
    for _ in range(2):
        desk.to_closed()
    desk.clock.advance(minutes=1)
    found_bad(desk, "2026-10", ("D01", 100))
    desk.clock.set(at("2026-11-06 09:00"))
    evaluation = Evaluation(desk.office.records)
    evaluation.close("2026-10", "k1")
    evaluation.settings.scoring.contract = CONTRACT
    before = sheet(desk, "2026-10")
    assert keep_settlements(desk.office) == {"kept": ["2026-10"]}
    assert keep_settlements(desk.office) == {"kept": []}, "once"
    found_bad(desk, "2026-10", ("D01", 250))
    other = Contract(deposits={"D01": 1.0})
    assert sheet(desk, "2026-10", other) == before
    assert sheet(desk, "2026-11")["D01"]["deduction"] == 250.0
    with desk.office.records.read() as connection:
        kept = kept_sheet(connection, "2026-10")
    assert kept is not None
    assert (kept["contract"]["monthly_fee"], kept["closed"], kept["kept_at"]) == (
        100_000.01, True, "2026-11-06T01:00:00Z"
    )  # fmt: skip


def test_a_result_entered_when_its_month_is_closed_counts_in_the_next_open_one(desk: Desk) -> None:
    zone = desk.office.settings.zone
    closed = {"2026-10": at("2026-10-20 00:00"), "2026-11": at("2026-10-20 00:00")}
    assert month_charged(at("2026-10-19 09:00"), closed, zone) == "2026-10"
    assert month_charged(at("2026-10-21 09:00"), closed, zone) == "2026-12"
    with desk.office.records.read() as connection:
        assert charged_in(connection, Evaluation(desk.office.records).period("2026-10"), zone) == []


@pytest.mark.parametrize(("score", "part"), [(None, None), (95, "1.0"), (90, "1.0"), (89.99, "0.95"), (0, "0.5")])
def test_a_score_earns_its_part(score: float | None, part: str | None) -> None:
    assert share_of(Contract().shares, score) == (None if part is None else Decimal(part))


def test_a_contract_without_bands_pays_whoever_has_a_score() -> None:
    assert share_of({}, 12.0) == 1
    assert settlement(Contract(), [], [], []) == []
