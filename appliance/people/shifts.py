"""Shifts 值班: who is signed on, who is missing, signing on and off, handing over and confirming.

One open shift for an account. Signing off leaves a handover: free text and what is open at that moment; the next shift
confirms it. Free text stays in these tables only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, text

from appliance.cases.open_items import counts_of, open_items
from appliance.clock import HOUR, rfc3339
from appliance.errors import Conflict, Forbidden, Invalid, NotFound
from appliance.people import shift_log
from appliance.people.shift_turns import Span, find_turn, nearest_span, running
from appliance.records.acts import append_act
from appliance.records.writer import Unit
from appliance.settings import Turn

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

DESK_ROLES = ("acceptor", "shift_leader", "dispatcher")
SEAT_AT_MOST = 40
LONGEST = 36 * HOUR
"""A shift that nobody signed off counts no further than this."""

_COLUMNS = "s.id, s.account, a.name, s.turn, s.day, s.seat, s.started_at, s.ended_at"
_FROM = "FROM shift s LEFT JOIN account a ON a.account = s.account"
_MINE = text(f"SELECT {_COLUMNS} {_FROM} WHERE s.account = :account AND s.ended_at IS NULL")
_ONE = text(f"SELECT {_COLUMNS} {_FROM} WHERE s.id = :id")
_ON_DUTY = text(f"SELECT {_COLUMNS} {_FROM} WHERE s.ended_at IS NULL ORDER BY s.started_at")
_ROSTERED = text(
    "SELECT r.account, a.name FROM roster r JOIN account a ON a.account = r.account AND a.active "
    "WHERE r.day = :day AND r.turn = :turn ORDER BY r.account"
)
_ROSTERED_TURN = text("SELECT turn FROM roster WHERE key = :key")
_BEGIN = text(
    "INSERT INTO shift (account, turn, day, seat, started_at) VALUES (:account, :turn, :day, :seat, :now) RETURNING id"
)
_END = text("UPDATE shift SET ended_at = :now WHERE id = :id")
_HAND_OVER = text(
    "INSERT INTO handover (shift_id, account, at, note, items) VALUES (:shift, :account, :now, :note, :items) "
    "RETURNING id"
)
_HANDOVERS = (
    "SELECT h.id, h.shift_id, h.account, a.name, s.turn, s.day, s.seat, h.at, h.note, h.items, h.confirmed_by, "
    "b.name AS confirmed_name, h.confirmed_at FROM handover h JOIN shift s ON s.id = h.shift_id "
    "LEFT JOIN account a ON a.account = h.account LEFT JOIN account b ON b.account = h.confirmed_by"
)
_HANDOVER = text(f"{_HANDOVERS} WHERE h.id = :id")
_CONFIRM = text("UPDATE handover SET confirmed_by = :account, confirmed_at = :now WHERE id = :id")
_ACTIONS = text(
    "SELECT action, count(*) AS count FROM case_action WHERE at >= :start AND at < :end AND actor = :account "
    "GROUP BY action ORDER BY action"
)
_LOGGED = text("SELECT kind, count(*) AS count FROM shift_log WHERE shift_id = :id GROUP BY kind ORDER BY kind")


def now_at_the_desk(connection: Connection, office: Office, actor: Actor) -> dict[str, Any]:
    """The running turns, who is signed on, who is rostered and missing, one's own open shift."""
    now, settings = office.records.clock.now(), office.settings
    spans = running(settings.shifts.turns, now, settings.zone)
    on_duty = [_shift_view(row, office) for row in connection.execute(_ON_DUTY).mappings()]
    present = {shift["account"] for shift in on_duty}
    missing = [
        {"account": row.account, "name": row.name, **span_view(span)}
        for span in spans
        for row in connection.execute(_ROSTERED, {"day": span.day, "turn": span.turn.key})
        if row.account not in present
    ]
    mine = next((shift for shift in on_duty if shift["account"] == actor.account), None)
    return {
        "at": rfc3339(now), "running": [span_view(span) for span in spans], "mine": mine, "on_duty": on_duty,
        "missing": missing, "turns": [turn_view(turn) for turn in settings.shifts.turns],
        "suggested": None if mine else _expected(connection, office, actor, now).turn.key,
    }  # fmt: skip


def sign_on(unit: Unit, office: Office, actor: Actor, turn: str | None, seat: str | None) -> dict[str, Any]:
    """Begin a shift: the turn given, else the rostered or running one; the seat given, else the account's own.

    Raises:
        Conflict: a shift of this account is open already. UnknownCode: no such turn. Invalid: a seat's name too long.
    """
    mine = unit.connection.execute(_MINE, {"account": actor.account}).mappings().one_or_none()
    if mine is not None:
        raise Conflict(
            f"{actor.name} 的值班 {mine['id']} ({mine['day']}) 尚未签退;请先交班签退。",
            f"Shift {mine['id']} of {actor.name} ({mine['day']}) is still open; hand over and sign off first.",
        )
    if seat is not None and len(seat) > SEAT_AT_MOST:
        raise Invalid(f"席位最多 {SEAT_AT_MOST} 字。", f"A seat's name has at most {SEAT_AT_MOST} characters.")
    settings = office.settings
    if turn:
        span = nearest_span(find_turn(settings.shifts.turns, turn), unit.now, settings.zone)
    else:
        span = _expected(unit.connection, office, actor, unit.now)
    values = {"account": actor.account, "turn": span.turn.key, "day": span.day, "now": unit.now}
    key = unit.connection.execute(_BEGIN, {**values, "seat": (seat or "").strip() or actor.account}).scalar_one()
    shift_log.append(unit, actor.account, "sign_on", subject=span.turn.key, shift_id=key)
    append_act(unit, actor.account, "shift.on", str(key), {"turn": span.turn.key, "day": span.day})
    return find_shift(unit.connection, office, key)


def sign_off(unit: Unit, office: Office, actor: Actor, shift_id: int, note: str) -> dict[str, Any]:
    """End a shift with its handover; a shift leader may end another's that was left open. Returns the handover.

    Raises:
        NotFound, Forbidden. Conflict: it has ended already. Invalid: no handover text.
    """
    shift = unit.connection.execute(_ONE, {"id": shift_id}).mappings().one_or_none()
    if shift is None:
        raise NotFound(f"没有值班 {shift_id}。", f"There is no shift {shift_id}.")
    if shift["account"] != actor.account and "shift_leader" not in actor.roles:
        raise Forbidden(
            "只能签退自己的值班;他人的由值班长签退。",
            "One signs off one's own shift; another's is ended by a shift leader.",
        )
    if shift["ended_at"] is not None:
        raise Conflict(f"值班 {shift_id} 已签退。", f"Shift {shift_id} has ended already.")
    written = shift_log.checked_text(note, "note")
    items = open_items(unit.connection, unit.now)
    values = {"shift": shift_id, "account": actor.account, "now": unit.now, "note": written}
    encoded = msgspec.json.encode(items).decode()
    key = unit.connection.execute(_HAND_OVER, {**values, "items": encoded}).scalar_one()
    unit.connection.execute(_END, {"now": unit.now, "id": shift_id})
    shift_log.append(unit, actor.account, "sign_off", subject=str(key), shift_id=shift_id)
    append_act(unit, actor.account, "shift.off", str(shift_id), {"handover": key, "open": counts_of(items)})
    return find_handover(unit.connection, office, key)


def confirm(unit: Unit, office: Office, actor: Actor, handover_id: int) -> dict[str, Any]:
    """Take a handover over: by somebody of another account who is signed on.

    Raises:
        NotFound. Forbidden: one's own handover. Conflict: confirmed already, or not signed on.
    """
    found = find_handover(unit.connection, office, handover_id)
    if found["confirmed_at"] is not None:
        raise Conflict(
            f"交班 {handover_id} 已由 {found['confirmed_name']} 接班。",
            f"Handover {handover_id} was taken over by {found['confirmed_name']} already.",
        )
    shift_id = shift_log.open_shift_id(unit.connection, actor.account)
    if actor.account == found["account"]:
        raise Forbidden("自己的交班须由下一班确认。", "The next shift confirms a handover, not the one who wrote it.")
    if shift_id is None:
        raise Conflict("请先签到,再接班。", "Sign on first, then take the handover over.")
    unit.connection.execute(_CONFIRM, {"account": actor.account, "now": unit.now, "id": handover_id})
    shift_log.append(unit, actor.account, "confirm", subject=str(handover_id), shift_id=shift_id)
    append_act(unit, actor.account, "shift.confirm", str(handover_id))
    return find_handover(unit.connection, office, handover_id)


def find_shift(connection: Connection, office: Office, shift_id: int) -> dict[str, Any]:
    """A shift with what its account did meanwhile: actions on cases and lines of the log, counted.

    Raises:
        NotFound.
    """
    row = connection.execute(_ONE, {"id": shift_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(f"没有值班 {shift_id}。", f"There is no shift {shift_id}.")
    end = row["ended_at"] or min(office.records.clock.now(), row["started_at"] + LONGEST)
    values = {"start": row["started_at"], "end": end + 1, "account": row["account"]}
    actions = {item.action: item.count for item in connection.execute(_ACTIONS, values)}
    logged = {item.kind: item.count for item in connection.execute(_LOGGED, {"id": shift_id})}
    return {**_shift_view(row, office), "actions": actions, "logged": logged}


def shifts_page(
    connection: Connection, office: Office, *, before: int, limit: int, account: str | None = None
) -> list[dict[str, Any]]:
    """Shifts newest first, below a key."""
    only = "AND s.account = :account" if account is not None else ""
    statement = text(f"SELECT {_COLUMNS} {_FROM} WHERE s.id < :before {only} ORDER BY s.id DESC LIMIT :limit")
    rows = connection.execute(statement, {"before": before, "limit": limit, "account": account}).mappings()
    return [_shift_view(row, office) for row in rows]


def find_handover(connection: Connection, office: Office, handover_id: int) -> dict[str, Any]:
    """One handover.

    Raises:
        NotFound.
    """
    row = connection.execute(_HANDOVER, {"id": handover_id}).mappings().one_or_none()
    if row is None:
        raise NotFound(f"没有交班 {handover_id}。", f"There is no handover {handover_id}.")
    return _handover_view(row, office)


def handovers_page(
    connection: Connection, office: Office, *, before: int, limit: int, waiting: bool
) -> list[dict[str, Any]]:
    """Handovers newest first, below a key; only the ones that nobody confirmed where asked for."""
    only = "AND h.confirmed_at IS NULL" if waiting else ""
    statement = text(f"{_HANDOVERS} WHERE h.id < :before {only} ORDER BY h.id DESC LIMIT :limit")
    rows = connection.execute(statement, {"before": before, "limit": limit}).mappings()
    return [_handover_view(row, office) for row in rows]


def turn_view(turn: Turn) -> dict[str, str]:
    """A turn of the county as it is told outside."""
    names = {"turn": turn.key, "name": turn.name, "english": turn.english or turn.name}
    return {**names, "begins": turn.begins, "ends": turn.ends}


def span_view(span: Span) -> dict[str, Any]:
    """A turn on a day as it is told outside."""
    return {
        "turn": span.turn.key, "turn_name": span.turn.name, "turn_english": span.turn.english or span.turn.name,
        "day": span.day, "starts_at": rfc3339(span.starts_at), "ends_at": rfc3339(span.ends_at),
    }  # fmt: skip


def _expected(connection: Connection, office: Office, actor: Actor, now: int) -> Span:
    """The turn somebody most likely begins: rostered and running, rostered today, running, or the nearest."""
    settings = office.settings
    turns = settings.shifts.turns
    spans = running(turns, now, settings.zone)
    nearest = [nearest_span(turn, now, settings.zone) for turn in turns]
    for span in [*spans, *nearest]:
        rostered = connection.execute(_ROSTERED_TURN, {"key": f"{span.day}:{actor.account}"}).scalar_one_or_none()
        if rostered == span.turn.key:
            return span
    return spans[0] if spans else min(nearest, key=lambda span: abs(span.starts_at - now))


def _shift_view(row: Any, office: Office) -> dict[str, Any]:
    return {
        "id": row["id"], "account": row["account"], "name": row["name"] or row["account"], **_turn_names(row, office),
        "day": row["day"], "seat": row["seat"], "started_at": rfc3339(row["started_at"]),
        "ended_at": rfc3339(row["ended_at"]),
    }  # fmt: skip


def _handover_view(row: Any, office: Office) -> dict[str, Any]:
    return {
        "id": row["id"], "shift": row["shift_id"], "account": row["account"], "name": row["name"] or row["account"],
        **_turn_names(row, office), "day": row["day"], "seat": row["seat"], "at": rfc3339(row["at"]),
        "note": row["note"], "items": msgspec.json.decode(row["items"]), "confirmed_by": row["confirmed_by"],
        "confirmed_name": row["confirmed_name"], "confirmed_at": rfc3339(row["confirmed_at"]),
    }  # fmt: skip


def _turn_names(row: Any, office: Office) -> dict[str, str]:
    """The turn's key and names; a turn that the county has given up since keeps its key."""
    found = next((turn for turn in office.settings.shifts.turns if turn.key == row["turn"]), None)
    name = found.name if found else row["turn"]
    return {"turn": row["turn"], "turn_name": name, "turn_english": (found.english if found else "") or name}
