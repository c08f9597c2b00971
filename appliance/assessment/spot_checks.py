"""Spot checks 抽查: grids and closed cases drawn by lot; what is found becomes cases and deductions.

The draw can be proved: each subject's ticket is the SHA-256 of seed and subject, and the lowest tickets are drawn. The
seed is made at the draw, so nobody foresees it; it is kept with the population's digest, so anybody can draw again.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from appliance.assessment.found_cases import FoundClass, report_finding
from appliance.clock import rfc3339
from appliance.errors import Conflict, FieldError, Invalid, NotFound
from appliance.people.actor import Actor
from appliance.records.acts import append_act
from appliance.records.writer import Unit
from appliance.scoring.periods import Period

if TYPE_CHECKING:
    from appliance.cases.office import Office

KINDS = ("case", "grid")
DRAWN_AT_MOST, NOTE_AT_MOST, DEDUCTION_AT_MOST = 500, 2000, 10_000_000.0
_POPULATION = {
    "case": text("SELECT number FROM cases WHERE closed_at >= :start AND closed_at < :as_of ORDER BY number"),
    "grid": text("SELECT code FROM unit_grid WHERE valid_to IS NULL ORDER BY code"),
}
_DRAW = text(
    "INSERT INTO spot_draw (period, kind, seed, population, population_sha256, wanted, drawn_by, drawn_at) "
    "VALUES (:period, :kind, :seed, :population, :sha256, :wanted, :by, :at) RETURNING id"
)
_CHECK = text("INSERT INTO spot_check (draw, subject, note, deduction) VALUES (:draw, :subject, '', 0)")
_DRAWS = text(
    "SELECT d.*, (SELECT count(*) FROM spot_check c WHERE c.draw = d.id AND c.checked_at IS NOT NULL) AS checked, "
    "(SELECT count(*) FROM spot_check c WHERE c.draw = d.id AND c.good = false) AS bad, "
    "(SELECT coalesce(sum(deduction), 0) FROM spot_check c WHERE c.draw = d.id) AS deduction "
    "FROM spot_draw d WHERE (:period = '' OR d.period = :period) ORDER BY d.id DESC LIMIT 200"
)
_CHECKS = text("SELECT * FROM spot_check WHERE draw = :draw ORDER BY id")
_ONE = text("SELECT c.*, d.kind FROM spot_check c JOIN spot_draw d ON d.id = c.draw WHERE c.id = :id")
_RESULT = text(
    "UPDATE spot_check SET good = :good, note = :note, number = :number, charged_to = :charged_to, "
    "deduction = :deduction, checked_by = :by, checked_at = :at WHERE id = :id"
)
_CASE = text("SELECT 1 FROM cases WHERE number = :number")
_CHARGEABLE = text("SELECT 1 FROM department WHERE code = :code UNION ALL SELECT 1 FROM account WHERE account = :code")


def lots(seed: str, population: Sequence[str], wanted: int) -> list[str]:
    """The subjects with the lowest tickets, in the order of the draw."""
    tickets = sorted((hashlib.sha256(f"{seed}|{subject}".encode()).digest(), subject) for subject in population)
    return [subject for _, subject in tickets[:wanted]]


def draw(unit: Unit, actor: Actor, period: Period, kind: str, wanted: int) -> dict[str, Any]:
    """Draw cases that were closed in a period, or unit grids, by lot.

    Raises:
        Invalid: an unknown kind, or too many. Conflict: there is nothing to draw from.
    """
    if kind not in KINDS or not 1 <= wanted <= DRAWN_AT_MOST:
        raise Invalid(
            f"抽查种类为 {'、'.join(KINDS)},数量 1 到 {DRAWN_AT_MOST}。",
            f"Spot checks are of {' or '.join(KINDS)}, 1 to {DRAWN_AT_MOST} of them.",
            fields=(FieldError("kind", "未知或数量不对", "unknown, or a wrong number", KINDS),),
        )
    values = {"start": period.start, "as_of": period.as_of} if kind == "case" else {}
    population = [str(subject) for subject in unit.connection.execute(_POPULATION[kind], values).scalars()]
    if not population:
        raise Conflict(f"{period.name} 没有可抽查的对象。", f"There is nothing to draw from in {period.name}.")
    seed = secrets.token_hex(16)
    id_ = unit.connection.execute(
        _DRAW,
        {
            "period": period.name, "kind": kind, "seed": seed, "population": len(population), "wanted": wanted,
            "sha256": hashlib.sha256("\n".join(population).encode()).hexdigest(), "by": actor.account, "at": unit.now,
        },
    ).scalar_one()  # fmt: skip
    drawn = lots(seed, population, wanted)
    unit.connection.execute(_CHECK, [{"draw": id_, "subject": subject} for subject in drawn])
    append_act(unit, actor.account, "spot.draw", f"{period.name}/{kind}", {"draw": id_, "seed": seed, "drawn": drawn})
    return {"id": id_, "seed": seed, "population": len(population), "subjects": drawn}


def result(
    unit: Unit, office: Office, actor: Actor, id_: int, *, good: bool, note: str = "", number: str | None = None,
    found: FoundClass | None = None, charged_to: str | None = None, yuan: float = 0.0,
) -> dict[str, Any]:  # fmt: skip
    """What the assessor found; a bad finding that names no case becomes one, and may charge somebody in yuan.

    Raises:
        NotFound: no such spot check, case, or unit or person. Conflict: it has its result. Invalid: a good one with a
        deduction, a deduction that charges nobody, too much, or what was found in a grid without its class.
        UnknownCode: no such class.
    """
    row = unit.connection.execute(_ONE, {"id": id_}).one_or_none()
    if row is None:
        raise NotFound(f"没有第 {id_} 号抽查。", f"There is no spot check {id_}.")
    if row.checked_at is not None:
        raise Conflict(f"第 {id_} 号抽查已有结果。", f"Spot check {id_} has its result already.")
    if not 0 <= yuan <= DEDUCTION_AT_MOST or len(note) > NOTE_AT_MOST or (yuan and (good or charged_to is None)):
        raise Invalid(
            "扣款只用于不合格的抽查,须写明扣谁,且不为负。",
            "A deduction is for a bad finding, names who is charged, and is not negative.",
            fields=(FieldError("deduction", "不对", "wrong"),),
        )
    if number is not None and unit.connection.execute(_CASE, {"number": number}).first() is None:
        raise NotFound(f"没有案件 {number}。", f"There is no case {number}.")
    if charged_to is not None and unit.connection.execute(_CHARGEABLE, {"code": charged_to}).first() is None:
        raise NotFound(f"没有部门或人员 {charged_to}。", f"There is no unit or person {charged_to}.")
    if not good and number is None:
        number = report_finding(unit, office, actor, row.kind, row.subject, note, found)
    values = {
        "good": good, "note": note, "number": number, "charged_to": charged_to, "deduction": round(yuan * 100),
        "by": actor.account, "at": unit.now, "id": id_,
    }  # fmt: skip
    unit.connection.execute(_RESULT, values)
    append_act(
        unit, actor.account, "spot.result", str(id_), {"good": good, "number": number, "deduction": values["deduction"]}
    )
    return told(unit.connection.execute(_ONE, {"id": id_}).one())


def draws(connection: Connection, period: str = "") -> list[dict[str, Any]]:
    """Draws, newest first, with how far they are."""
    return [
        {
            "id": row.id, "period": row.period, "kind": row.kind, "seed": row.seed, "population": row.population,
            "population_sha256": row.population_sha256, "wanted": row.wanted, "drawn_by": row.drawn_by,
            "drawn_at": rfc3339(row.drawn_at), "checked": row.checked, "bad": row.bad, "deduction": row.deduction / 100,
        }
        for row in connection.execute(_DRAWS, {"period": period})
    ]  # fmt: skip


def checks(connection: Connection, draw_: int) -> list[dict[str, Any]]:
    """The subjects of a draw with what was found."""
    return [told(row) for row in connection.execute(_CHECKS, {"draw": draw_})]


def told(row: Any) -> dict[str, Any]:
    """A spot check as the API tells it; money in yuan."""
    return {
        "id": row.id, "draw": row.draw, "subject": row.subject, "good": None if row.good is None else bool(row.good),
        "note": row.note, "number": row.number, "charged_to": row.charged_to, "deduction": row.deduction / 100,
        "checked_by": row.checked_by, "checked_at": rfc3339(row.checked_at),
    }  # fmt: skip
