"""A new case: from any source, with its grid, duty grid, suggested department and first clock, in one unit of work."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection, text

from appliance.campaigns.plans import flags_for
from appliance.cases import calls, columns, evidence, history, record
from appliance.cases.duties import suggest
from appliance.cases.indexing import index_new_case, index_reporter
from appliance.cases.numbers import next_number, query_code
from appliance.cases.search import case_tokens
from appliance.clock import local
from appliance.codes.values import Source
from appliance.errors import FieldError, Forbidden, Invalid, UnknownPlace
from appliance.places.layers import case_flags
from appliance.places.locate import GridHit, locate, locate_grid
from appliance.records.answered import answered, remember
from appliance.records.sql import Sql
from appliance.records.writer import Unit

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

DESCRIPTION_AT_MOST = 4000
ADDRESS_AT_MOST = 256
ROLE_ORDER = ("prefecture", "device", "public", "acceptor", "collector", "assessor")

_RECORD = Sql("INSERT INTO case_record (id, masked, search) VALUES (:id, :masked, :search)")
_REPORTER = Sql("INSERT INTO reporter (id, name, phone, email) VALUES (:id, :name, :phone, :email)")
_PART = text("SELECT code FROM part WHERE code = :code")
_LIKE_PART = text("SELECT code FROM part WHERE code >= :low AND code < :high ORDER BY code LIMIT 5")
_ANY_PLACE = text("SELECT EXISTS (SELECT 1 FROM unit_grid) OR EXISTS (SELECT 1 FROM area)")


class NewCase(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What somebody reports. Positions in EPSG:4490; times in microseconds.

    Encoded without what was left out, so that a report sent again after an upgrade is known as the same one.
    """

    source: str
    kind: str
    code: str
    description: str = ""
    lon: float
    lat: float
    address: str = ""
    part: str | None = None
    condition: str | int | None = None
    reporter_name: str | None = None
    reporter_phone: str | None = None
    reporter_email: str | None = None
    camera: str | None = None
    external_system: str | None = None
    external_number: str | None = None
    external_due_at: int | None = None
    upper_number: str | None = None
    upper_due_at: int | None = None
    upper_reply_required: bool | None = None
    evidence: list[dict[str, str]] = []
    note: str | None = None
    flags: list[str] = []
    self_handled: bool = False


def report(unit: Unit, office: Office, actor: Actor, new: NewCase) -> dict[str, Any]:
    """Take in a case and return its row.

    Raises:
        UnknownCode: no such class, source or part; UnknownPlace: outside the county; Invalid: a wrong value;
        Forbidden: this account may not report.
    """
    office.refresh(unit.connection)
    action = office.workflow.actions["self_handle" if new.self_handled else "report"]
    role = _role(actor, action.roles)
    source = office.book.source(new.source)
    case = _case(unit, office, new, source)
    case["registered_by"] = actor.account
    case["state"] = action.target
    case["is_open"] = office.workflow.states[case["state"]].is_open
    due_at: int | None = None
    if action.started:
        due = office.deadlines.minutes(unit.now, office.settings.stages.accept)
        due_at = due.at
        case.update(clock=action.started, clock_started_at=unit.now, due_at=due.at)
    else:
        case["closed_at"] = unit.now
        evidence.require_stages(new.evidence, ("before", "after"))
    case_id = columns.insert(unit.connection, case)
    case["id"] = case_id
    reporter = _save_reporter(unit, case_id, new)
    files = evidence.attach(unit, case_id, new.evidence, actor) if new.evidence else []
    history.append(unit, _first_row(unit, actor, role, action.name, case, due_at, new.note))
    search = case_tokens(case)
    masked = record.build(case, reporter=reporter, evidence=files)
    _RECORD.run(unit.connection, {"id": case_id, "masked": masked, "search": search})
    index_new_case(unit, case_id, search)
    unit.changed("case", case["number"])
    if new.reporter_phone and role == "acceptor":
        calls.link_case(unit, actor.account, new.reporter_phone, case["number"])
    return case


def report_once(
    unit: Unit, office: Office, actor: Actor, key: str, body_digest: str, new: NewCase
) -> tuple[dict[str, Any], bool]:
    """As `report`, but the same key of the same account again answers the same case.

    Returns:
        The case's row, and whether it was made now.

    Raises:
        Conflict: the key was used with another body.
    """
    number = answered(unit.connection, actor.account, key, body_digest)
    if number is None:
        case = report(unit, office, actor, new)
        remember(unit, actor.account, key, body_digest, case["number"])
        return case, True
    found = columns.load(unit.connection, number)
    assert found is not None
    return found, False


def place_of(unit: Unit, lon: float, lat: float) -> GridHit | None:
    """The grid of a position; None where the county has no grid there, or no places were imported at all.

    Raises:
        Invalid: not a position on earth; UnknownPlace: outside the county.
    """
    if not (isfinite(lon) and isfinite(lat) and -180 <= lon <= 180 and -90 <= lat <= 90):
        raise Invalid(
            f"坐标 {lon},{lat} 不是经纬度。",
            f"{lon},{lat} is not a longitude and latitude.",
            fields=(FieldError("lon", "不是经度", "not a longitude"), FieldError("lat", "不是纬度", "not a latitude")),
        )
    hit = locate_grid(unit.connection, lon, lat)
    if hit is None and unit.connection.execute(_ANY_PLACE).scalar_one():
        found = locate(unit.connection, lon, lat, near=0)
        if found.street is not None:
            return GridHit(None, found.street, found.community, None, None)  # type: ignore[arg-type]  # no grid there
    return hit


def check_part(connection: Connection, part: str) -> None:
    """Make sure that a part is on record.

    Raises:
        UnknownPlace: there is none; parts whose codes begin alike are named.
    """
    if connection.execute(_PART, {"code": part}).one_or_none() is None:
        stem = part[:12]
        near = tuple(connection.execute(_LIKE_PART, {"low": stem, "high": stem + "~"}).scalars())
        raise UnknownPlace(
            f"没有部件 {part}。" + (f"编码相近的: {'、'.join(near)}。" if near else "请核对部件标识码。"),
            f"There is no part {part}." + (f" Codes that begin alike: {', '.join(near)}." if near else ""),
            fields=(FieldError("part", f"没有部件 {part}", f"no part {part}", near),),
        )


def check_lengths(description: str, address: str) -> None:
    """Refuse texts that are longer than their fields (C256 for 事发位置, GB/T 47678.5).

    Raises:
        Invalid: naming the field.
    """
    for name, value, most in (("description", description, DESCRIPTION_AT_MOST), ("address", address, ADDRESS_AT_MOST)):
        if len(value) > most:
            raise Invalid(
                f"{name} 有 {len(value)} 字,最多 {most} 字。",
                f"{name} has {len(value)} characters, at most {most} fit.",
                fields=(FieldError(name, f"最多 {most} 字", f"at most {most} characters"),),
            )


def _role(actor: Actor, roles: frozenset[str]) -> str:
    for role in ROLE_ORDER:
        if role in roles and role in actor.roles:
            return role
    raise Forbidden(
        f"{actor.name} 的角色不能上报案件;需要: {'、'.join(sorted(roles))}。",
        f"{actor.name} has no role that may report; needed: {', '.join(sorted(roles))}.",
        needed=sorted(roles),
    )


def _case(unit: Unit, office: Office, new: NewCase, source: Source) -> dict[str, Any]:
    check_lengths(new.description, new.address)
    code_class = office.code_class(new.kind, new.code)
    hit = place_of(unit, new.lon, new.lat)
    if new.part is not None:
        check_part(unit.connection, new.part)
    condition = None
    if new.condition is not None:
        limit = office.book.choose_limit(office.limits(code_class.edition, new.kind, new.code), new.condition)
        condition = limit.condition_to_open if limit else None
    settings, today = office.settings, local(unit.now, office.settings.zone)
    grid = hit.grid if hit else None
    flags = {*new.flags, *(case_flags(unit.connection, grid=grid, part=new.part) if office.has_layers else ())}
    flags |= flags_for(office.plans, code_class.name)
    return columns.EMPTY | {
        "number": next_number(unit.connection, settings.desk.case_number, county=settings.county, day=today),
        "query_code": query_code() if source.channel_kind == "public" else None,
        "kind": code_class.kind, "edition": code_class.edition, "code": code_class.code,
        "class_code": code_class.class_code, "name": code_class.name, "condition": condition, "source": source.code,
        "channel": source.channel_kind, "external_system": new.external_system, "external_number": new.external_number,
        "external_due_at": new.external_due_at, "upper_number": new.upper_number, "upper_due_at": new.upper_due_at,
        "upper_reply_required": new.upper_reply_required, "camera": new.camera, "description": new.description,
        "lon": new.lon, "lat": new.lat, "address": new.address, "part": new.part, "grid": grid,
        "reachable": bool(new.reporter_phone),
        "street": hit.street if hit else None, "community": hit.community if hit else None,
        "duty_grid": hit.duty_grid if hit else None, "flags": " ".join(sorted(flags)), "reported_at": unit.now,
        "department_suggested": suggest(
            unit.connection, office.duties, code=code_class.code, grid=grid, part=new.part, day=today.date().isoformat()
        ),
    }  # fmt: skip


def _save_reporter(unit: Unit, case_id: int, new: NewCase) -> dict[str, str | None] | None:
    if not (new.reporter_name or new.reporter_phone or new.reporter_email):
        return None
    row = {"name": new.reporter_name, "phone": new.reporter_phone, "email": new.reporter_email}
    _REPORTER.run(unit.connection, {"id": case_id, **row})
    index_reporter(unit, case_id, new.reporter_phone)
    return row


def _first_row(
    unit: Unit, actor: Actor, role: str, action: str, case: dict[str, Any], due_at: int | None, note: str | None
) -> dict[str, Any]:
    return {
        "case_id": case["id"], "seq": 1, "number": case["number"], "action": action, "actor": actor.account,
        "actor_name": actor.name, "role": role, "on_behalf_of": None, "at": unit.now, "from_state": None,
        "to_state": case["state"], "clock_started": case["clock"], "clock_stopped": None, "due_at": due_at,
        "detail": None, "note": note or None,
    }  # fmt: skip
