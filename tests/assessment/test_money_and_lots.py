"""Assessors draw by lot, findings cost money; work and training are kept."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from appliance.assessment import spot_checks, workload
from appliance.assessment.found_cases import FoundClass
from appliance.campaigns import plans
from appliance.errors import Conflict, Invalid, NotFound
from appliance.people import training
from appliance.scoring.evaluation import Evaluation
from tests.cases.desk import Desk


def closed_cases(desk: Desk, number: int) -> tuple[Evaluation, list[str]]:
    """So many closed cases of October."""
    numbers = [desk.to_closed() for _ in range(number)]
    desk.clock.advance(minutes=1)
    return Evaluation(desk.office.records), numbers


def test_a_draw_can_be_drawn_again_by_anybody_and_found_wrong_by_nobody(desk: Desk) -> None:
    evaluation, numbers = closed_cases(desk, 6)
    actor, period = desk.who("k1"), evaluation.period("2026-10")
    drawn = desk.office.records.write(lambda unit: spot_checks.draw(unit, actor, period, "case", 3))
    assert drawn["subjects"] == spot_checks.lots(drawn["seed"], sorted(numbers), 3)
    assert (drawn["population"], len(drawn["subjects"])) == (6, 3)
    with desk.office.records.read() as connection:
        checks = spot_checks.checks(connection, drawn["id"])
    assert [row["subject"] for row in checks] == drawn["subjects"]

    def result(id_: int, **told: object) -> dict[str, object]:
        return desk.office.records.write(lambda unit: spot_checks.result(unit, desk.office, actor, id_, **told))  # type: ignore[arg-type]  # as the API gives them

    assert result(checks[0]["id"], good=True)["deduction"] == 0
    bad = result(checks[1]["id"], good=False, note="未修好", number=numbers[0], charged_to="D01", yuan=200.5)
    assert (bad["deduction"], bad["charged_to"]) == (200.5, "D01")
    with pytest.raises(Conflict):
        result(checks[1]["id"], good=True)
    for wrong in ({"good": True, "charged_to": "D01", "yuan": 1.0}, {"good": False, "yuan": 1.0}):
        with pytest.raises(Invalid):
            result(checks[2]["id"], **wrong)
    with pytest.raises(NotFound):
        result(checks[2]["id"], good=False, charged_to="nobody", yuan=1.0)
    with desk.office.records.read() as connection:
        told = spot_checks.draws(connection, "2026-10")[0]
    assert (told["checked"], told["bad"], told["deduction"]) == (2, 1, 200.5)


def test_what_is_found_bad_becomes_a_case_where_it_was_found(desk: Desk) -> None:
    """At a closed case: its place and class again. In a grid: what the assessor says it is. A number is linked."""
    evaluation, numbers = closed_cases(desk, 2)
    actor, period = desk.who("k1"), evaluation.period("2026-10")
    write = desk.office.records.write

    def drawn(kind: str, wanted: int) -> list[dict[str, Any]]:
        made = write(lambda unit: spot_checks.draw(unit, actor, period, kind, wanted))
        with desk.office.records.read() as connection:
            return spot_checks.checks(connection, made["id"])

    def result(id_: int, **told: Any) -> dict[str, Any]:
        return write(lambda unit: spot_checks.result(unit, desk.office, actor, id_, **told))

    first, second = drawn("case", 2)
    again = desk.case(result(first["id"], good=False, note="井盖仍然下沉")["number"])
    was = desk.case(first["subject"])
    assert [again[name] for name in ("kind", "code", "lon", "lat", "state", "source")] == [
        was["kind"], was["code"], was["lon"], was["lat"], "reported", "spot_check"
    ]  # fmt: skip
    assert (again["description"], again["number"] in numbers) == ("井盖仍然下沉", False)
    row = desk.history(again["number"])[0]
    assert (row["actor"], row["role"], row["note"]) == ("k1", "assessor", f"抽查 {first['subject']}")
    assert result(second["id"], good=False, number=numbers[0])["number"] == numbers[0]

    grid, other = drawn("grid", 2)
    with pytest.raises(Invalid, match="needs its class"):
        result(grid["id"], good=False, note="暴露垃圾")
    made = result(grid["id"], good=False, note="暴露垃圾", found=FoundClass("event", "09005"))
    assert desk.case(made["number"])["grid"] == grid["subject"]
    assert result(other["id"], good=True)["number"] is None


@pytest.mark.parametrize(("kind", "wanted"), [("party", 1), ("case", 0), ("case", 501)])
def test_a_wrong_draw_is_refused(desk: Desk, kind: str, wanted: int) -> None:
    evaluation, _ = closed_cases(desk, 1)
    actor, period = desk.who("k1"), evaluation.period("2026-10")
    with pytest.raises(Invalid):
        desk.office.records.write(lambda unit: spot_checks.draw(unit, actor, period, kind, wanted))
    nothing = evaluation.period("2026-09")
    with pytest.raises(Conflict):
        desk.office.records.write(lambda unit: spot_checks.draw(unit, actor, nothing, "case", 1))


@given(st.text(min_size=1, max_size=40), st.sets(st.text(max_size=12), max_size=60), st.integers(0, 70))
def test_lots_are_a_fair_sample(seed: str, population: set[str], wanted: int) -> None:
    drawn = spot_checks.lots(seed, sorted(population), wanted)
    assert len(drawn) == len(set(drawn)) == min(wanted, len(population))
    assert set(drawn) <= population
    assert drawn == spot_checks.lots(seed, sorted(population, reverse=True), wanted), (
        "the order of the list does not matter"
    )


def test_work_and_training_stand_with_the_account(desk: Desk) -> None:
    evaluation, _ = closed_cases(desk, 1)
    actor = desk.who("k1")

    def enter(*told: str, **more: object) -> int:
        return desk.office.records.write(lambda unit: training.enter(unit, actor, *told, **more))  # type: ignore[arg-type]  # as the API gives them

    enter("l1", "exam", "上岗考试", "2026-10-08", points=91.5)
    enter("l1", "skill", "采集员等级", "2026-10-09", grade="三级")
    for wrong in (
        ("l1", "party", "x", "2026-10-08"), ("l1", "exam", " ", "2026-10-08"), ("l1", "skill", "x", "2026-10-08"),
        ("l1", "exam", "x", "October"),
    ):  # fmt: skip
        with pytest.raises(Invalid):
            enter(*wrong)
    with pytest.raises(NotFound):
        enter("nobody", "exam", "x", "2026-10-08")
    with desk.office.records.read() as connection:
        records = training.page(connection, account="l1", after=0, limit=10)
        period = evaluation.period("2026-10")
        named = evaluation.evaluate(connection, period).named["collector"]
        collectors = workload.collectors(connection, period, desk.office.settings, named)
        seats = workload.seats(connection, period, desk.office.settings)
    assert [(row["kind"], row["points"], row["grade"]) for row in records] == [
        ("exam", 91.5, None),
        ("skill", None, "三级"),
    ]
    assert {row["account"] for row in collectors} == {"l1", "l2"}
    actions = {row["account"]: row["actions"] for row in seats}
    assert actions["z1"] >= 2
    assert actions["s2"] == 0


def test_a_day_in_two_duty_grids_is_one_day_of_attendance(desk: Desk) -> None:
    evaluation, _ = closed_cases(desk, 1)
    walked = text(
        "INSERT INTO patrol_day (day, duty_grid, collector, rounds_due, rounds_done, grids, needed, passed, walkers, "
        "rounds, counted_at) VALUES (:day, :grid, 'l1', 2, :done, 1, 1, 1, '[]', '[]', 1)"
    )
    for day, grid, done in (("08", "411081001-1", 1), ("08", "411081002-1", 2), ("09", "411081001-1", 0)):
        values = {"day": f"2026-10-{day}", "grid": grid, "done": done}
        desk.office.records.write(lambda unit, values=values: unit.connection.execute(walked, values) and None)
    period = evaluation.period("2026-10")
    with desk.office.records.read() as connection:
        rows = workload.collectors(connection, period, desk.office.settings, {})
    found = next(row for row in rows if row["account"] == "l1")
    assert (found["days"], found["present"], found["rounds_done"]) == (2, 1, 3)


def test_while_a_gale_plan_runs_its_classes_come_first(desk: Desk) -> None:
    leader = desk.who("z1")
    assert desk.case(desk.report())["flags"] == []
    desk.office.records.write(lambda unit: plans.start(unit, leader, "rainstorm", "气象局蓝色预警"))
    with pytest.raises(Conflict):
        desk.office.records.write(lambda unit: plans.start(unit, leader, "rainstorm", ""))
    with pytest.raises(NotFound):
        desk.office.records.write(lambda unit: plans.start(unit, leader, "party", ""))
    with desk.office.records.read() as connection:
        desk.office.refresh(connection, at_once=True)
    manhole = desk.case(desk.report())
    assert (manhole["name"], manhole["flags"]) == ("污水井盖", ["plan_rainstorm"])
    assert desk.case(desk.report(kind="event", code="09005"))["flags"] == []
    desk.office.records.write(lambda unit: plans.end(unit, leader, "rainstorm"))
    with pytest.raises(Conflict):
        desk.office.records.write(lambda unit: plans.end(unit, leader, "rainstorm"))
    with desk.office.records.read() as connection:
        desk.office.refresh(connection, at_once=True)
        book = desk.office.book
        classes = [each for (edition, _, _), each in book.classes.items() if edition == "2026"]
        told = plans.standing(connection, classes)
    assert desk.case(desk.report())["flags"] == []
    assert all(plan["classes"] for plan in told["plans"]), "every plan has classes in the county's edition"
    assert told["history"][0]["ended_by"] == "z1"
