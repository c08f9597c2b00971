"""Thematic layers (专题图层): a named set of grids, parts and cases that carries a flag of its own onto cases.

The layer of a great event for example: cases in its grids or on its parts get the flag, and can be listed by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, text

from appliance.errors import FieldError, Invalid, NotFound, UnknownCode
from appliance.records.acts import append_act
from appliance.records.writer import Unit

KINDS = {"grid": ("unit_grid", "code"), "part": ("part", "code"), "case": ("cases", "number")}
"""What can be a member, and where its code stands."""


@dataclass(frozen=True, slots=True)
class ThematicLayer:
    """A layer; `case_flag` is the word that its cases carry, None for a layer that only shows."""

    code: str
    name: str
    case_flag: str | None
    note: str | None


def save_layer(
    unit: Unit, code: str, name: str, case_flag: str | None = None, note: str | None = None, by: str = "technician"
) -> None:
    """Make a layer, or give it other words.

    Raises:
        Invalid: no code, no name, or a flag that holds a separator.
    """
    for field, value in (("code", code), ("name", name)):
        if not value.strip():
            raise Invalid(f"{field} 为空。", f"{field} is empty.", fields=(FieldError(field, "为空", "is empty"),))
    if case_flag is not None and not case_flag.isidentifier():
        zh, en = "标记应为一个单词", "a flag is one word"
        raise Invalid(f"{zh}。", f"{en}.", fields=(FieldError("case_flag", zh, en),))
    unit.connection.execute(
        text(
            "INSERT INTO layer (code, name, case_flag, note, created_at) VALUES (:code, :name, :flag, :note, :now) "
            "ON CONFLICT (code) DO UPDATE "
            "SET name = excluded.name, case_flag = excluded.case_flag, note = excluded.note"
        ),
        {"code": code, "name": name, "flag": case_flag, "note": note, "now": unit.now},
    )
    append_act(unit, by, "layer.save", code, {"name": name, "case_flag": case_flag})


def add_members(unit: Unit, layer: str, kind: str, members: Iterable[str]) -> int:
    """Put grids, parts or cases into a layer and return how many were new.

    Raises:
        NotFound: no such layer.
        Invalid: no such kind of member.
        UnknownCode: a member that does not exist.
    """
    find_layer(unit.connection, layer)
    wanted = list(dict.fromkeys(members))
    missing = sorted(set(wanted) - known(unit.connection, kind, wanted))
    if missing:
        zh, en = f"没有“{missing[0]}”", f"there is no {kind} '{missing[0]}'"
        raise UnknownCode(f"{zh}。", f"{en}.", fields=(FieldError("member", zh, en),))
    before = count_members(unit.connection, layer)
    if wanted:
        unit.connection.execute(
            text(
                "INSERT INTO layer_member (layer, kind, member) VALUES (:layer, :kind, :member) "
                "ON CONFLICT (layer, kind, member) DO NOTHING"
            ),
            [{"layer": layer, "kind": kind, "member": member} for member in wanted],
        )
    return count_members(unit.connection, layer) - before


def remove_members(unit: Unit, layer: str, kind: str, members: Iterable[str]) -> None:
    """Take members out of a layer; one that is not in it is passed over."""
    rows = [{"layer": layer, "kind": kind, "member": member} for member in members]
    if rows:
        statement = "DELETE FROM layer_member WHERE layer = :layer AND kind = :kind AND member = :member"
        unit.connection.execute(text(statement), rows)


def remove_layer(unit: Unit, layer: str) -> None:
    """Forget a layer; its members stay what they are.

    Raises:
        NotFound: no such layer.
    """
    find_layer(unit.connection, layer)
    unit.connection.execute(text("DELETE FROM layer_member WHERE layer = :layer"), {"layer": layer})
    unit.connection.execute(text("DELETE FROM layer WHERE code = :layer"), {"layer": layer})


def find_layer(connection: Connection, code: str) -> ThematicLayer:
    """A layer by code.

    Raises:
        NotFound: there is none.
    """
    row = connection.execute(
        text("SELECT code, name, case_flag, note FROM layer WHERE code = :code"), {"code": code}
    ).first()
    if row is None:
        raise NotFound(f"没有专题图层“{code}”。", f"There is no layer '{code}'.")
    return ThematicLayer(*row)


def layers(connection: Connection) -> list[ThematicLayer]:
    """All layers by code."""
    rows = connection.execute(text("SELECT code, name, case_flag, note FROM layer ORDER BY code"))
    return [ThematicLayer(*row) for row in rows]


def members(connection: Connection, layer: str, kind: str) -> list[str]:
    """The members of one kind, by code."""
    statement = text("SELECT member FROM layer_member WHERE layer = :layer AND kind = :kind ORDER BY member")
    return list(connection.execute(statement, {"layer": layer, "kind": kind}).scalars())


def case_flags(
    connection: Connection, *, grid: str | None = None, part: str | None = None, case: str | None = None
) -> tuple[str, ...]:
    """The flags that a case in this grid, on this part, or of this number carries."""
    statement = text(
        "SELECT DISTINCT l.case_flag FROM layer_member m JOIN layer l ON l.code = m.layer "
        "WHERE l.case_flag IS NOT NULL AND ((m.kind = 'grid' AND m.member = :grid) "
        "OR (m.kind = 'part' AND m.member = :part) OR (m.kind = 'case' AND m.member = :case)) ORDER BY l.case_flag"
    )
    return tuple(connection.execute(statement, {"grid": grid, "part": part, "case": case}).scalars())


def known(connection: Connection, kind: str, wanted: list[str]) -> set[str]:
    """Which of the codes exist."""
    if kind not in KINDS:
        kinds = tuple(KINDS)
        zh, en = f"成员类别应为 {'、'.join(kinds)} 之一", f"a member is one of {', '.join(kinds)}"
        raise Invalid(f"{zh}。", f"{en}.", fields=(FieldError("kind", zh, en, kinds),))
    table, column = KINDS[kind]
    statement: Any = text(
        f"SELECT {column} FROM {table} WHERE {column} IN :wanted"  # noqa: S608  # names of our own tables
    ).bindparams(bindparam("wanted", expanding=True))
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        found |= set(connection.execute(statement, {"wanted": wanted[start : start + 500]}).scalars())
    return found


def count_members(connection: Connection, layer: str) -> int:
    statement = text("SELECT count(*) FROM layer_member WHERE layer = :layer")
    return int(connection.execute(statement, {"layer": layer}).scalar_one())
