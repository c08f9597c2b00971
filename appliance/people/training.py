"""Courses, exams and skill grades, kept with the account."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from appliance.clock import rfc3339
from appliance.errors import FieldError, Invalid, NotFound
from appliance.people.actor import Actor
from appliance.records.acts import append_act
from appliance.records.writer import Unit

KINDS = ("course", "exam", "skill")
NAME_AT_MOST = 200
_ACCOUNT = text("SELECT 1 FROM account WHERE account = :account")
_ENTER = text(
    "INSERT INTO training (account, kind, name, day, points, grade, entered_by, at) "
    "VALUES (:account, :kind, :name, :day, :points, :grade, :by, :at) RETURNING id"
)
_OF = text(
    "SELECT t.*, a.name AS person FROM training t JOIN account a ON a.account = t.account "
    "WHERE (:account = '' OR t.account = :account) AND t.id > :after ORDER BY t.id LIMIT :limit"
)


def enter(
    unit: Unit, actor: Actor, account: str, kind: str, name: str, day: str, *, points: float | None = None,
    grade: str | None = None,
) -> int:  # fmt: skip
    """Enter a course, an exam with its points, or a skill grade; returns its key.

    Raises:
        NotFound: no such account. Invalid: names every wrong field.
    """
    if unit.connection.execute(_ACCOUNT, {"account": account}).first() is None:
        raise NotFound(f"没有账号 {account}。", f"There is no account {account}.")
    wrong = []
    if kind not in KINDS:
        wrong.append(FieldError("kind", "未知", "unknown", KINDS))
    if not 1 <= len(name.strip()) <= NAME_AT_MOST:
        wrong.append(FieldError("name", f"1 到 {NAME_AT_MOST} 字", f"1 to {NAME_AT_MOST} characters"))
    if points is not None and not 0 <= points <= 100:
        wrong.append(FieldError("points", "0 到 100", "0 to 100"))
    if kind == "skill" and not grade:
        wrong.append(FieldError("grade", "技能等级须填写", "a skill has its grade"))
    try:
        date.fromisoformat(day)
    except ValueError:
        wrong.append(FieldError("day", "写作 2026-10-08", "write 2026-10-08"))
    if wrong:
        zh, en = "、".join(each.zh for each in wrong), "; ".join(f"{each.field}: {each.en}" for each in wrong)
        raise Invalid(f"培训记录不对: {zh}。", f"The training record is wrong: {en}.", fields=tuple(wrong))
    values = {
        "account": account, "kind": kind, "name": name.strip(), "day": day, "points": points, "grade": grade or None,
        "by": actor.account, "at": unit.now,
    }  # fmt: skip
    id_: int = unit.connection.execute(_ENTER, values).scalar_one()
    append_act(unit, actor.account, "training.enter", account, {"training": id_, "kind": kind})
    return id_


def page(connection: Connection, *, account: str, after: int, limit: int) -> list[dict[str, Any]]:
    """Records by key above a key, of one account or of all."""
    return [
        {
            "id": row.id, "account": row.account, "person": row.person, "kind": row.kind, "name": row.name,
            "day": row.day, "points": row.points, "grade": row.grade, "entered_by": row.entered_by,
            "at": rfc3339(row.at),
        }
        for row in connection.execute(_OF, {"account": account, "after": after, "limit": limit})
    ]  # fmt: skip
