"""Making a campaign, giving it targets, assigning them to collectors, ending it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from appliance.campaigns.forms import FormField, check_form
from appliance.errors import Conflict, FieldError, Invalid, NotFound, UnknownCode
from appliance.people.actor import Actor
from appliance.people.collectors import may
from appliance.places.locate import locate_grid
from appliance.records.acts import append_act
from appliance.records.writer import Unit

ABOUT = ("grids", "parts", "list")
"""What a campaign's targets are: unit grids, parts, or objects of a list of its own."""
TARGETS_AT_MOST = 200_000
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,39}")

_ONE = text("SELECT * FROM campaign WHERE code = :code")
_MAKE = text(
    "INSERT INTO campaign (code, name, kind, about, form, note, starts_at, ends_at, made_by, made_at) "
    "VALUES (:code, :name, :kind, :about, :form, :note, :starts_at, :ends_at, :by, :at)"
)
_ADD = text(
    "INSERT INTO campaign_target (campaign, subject, name, street, department, lon, lat, collector, answers) "
    "VALUES (:campaign, :subject, :name, :street, :department, :lon, :lat, :collector, 0) "
    "ON CONFLICT (campaign, subject) DO NOTHING"
)
_GRIDS = text(
    "SELECT g.code AS subject, CASE WHEN g.name = '' THEN g.code ELSE g.name END AS name, g.street, "
    "g.responsible AS department, g.lon, g.lat, d.collector FROM unit_grid g "
    "LEFT JOIN duty_grid d ON d.code = g.duty_grid "
    "WHERE g.valid_to IS NULL AND g.code LIKE :area ORDER BY g.code LIMIT :most"
)
_PARTS = text(
    "SELECT p.code AS subject, p.name, g.street, p.department, p.lon, p.lat, d.collector FROM part p "
    "LEFT JOIN unit_grid g ON g.code = p.grid LEFT JOIN duty_grid d ON d.code = g.duty_grid "
    "WHERE p.type LIKE :type AND COALESCE(p.grid, '') LIKE :area ORDER BY p.code LIMIT :most"
)
_COUNT = text("SELECT count(*) FROM campaign_target WHERE campaign = :code")
_ASSIGN = text(
    "UPDATE campaign_target SET collector = :collector WHERE campaign = :code AND subject IN :subjects"
).bindparams(bindparam("subjects", expanding=True))
_END = text("UPDATE campaign SET ended_at = :at WHERE code = :code AND ended_at IS NULL")


@dataclass(frozen=True, slots=True)
class NewCampaign:
    """What a campaign is made of; times in microseconds."""

    code: str
    name: str
    kind: str
    about: str
    form: Sequence[FormField]
    starts_at: int
    ends_at: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """An object of a campaign's own list, a shop or a site; position in EPSG:4490."""

    subject: str
    name: str
    lon: float
    lat: float
    department: str | None = None


def make(unit: Unit, actor: Actor, new: NewCampaign) -> None:
    """Make a campaign.

    Raises:
        Invalid: a code, a time or the form is wrong. Conflict: the code is taken.
    """
    wrong = []
    if not _CODE.fullmatch(new.code):
        wrong.append(FieldError("code", "2 到 40 位小写字母、数字和 -", "2 to 40 small letters, digits and -"))
    if not 1 <= len(new.name.strip()) <= 100:
        wrong.append(FieldError("name", "1 到 100 字", "1 to 100 characters"))
    if new.about not in ABOUT:
        wrong.append(FieldError("about", "未知", "unknown", ABOUT))
    if not new.starts_at < new.ends_at:
        wrong.append(FieldError("ends_at", "须晚于开始", "ends after it begins"))
    if wrong:
        zh = "、".join(f"{each.field} {each.zh}" for each in wrong)
        en = "; ".join(f"{each.field}: {each.en}" for each in wrong)
        raise Invalid(f"专项不对: {zh}。", f"The campaign is wrong: {en}.", fields=tuple(wrong))
    check_form(new.kind, new.form)
    if unit.connection.execute(_ONE, {"code": new.code}).first() is not None:
        raise Conflict(f"专项 {new.code} 已存在。", f"There is a campaign {new.code} already.")
    values = {
        "code": new.code, "name": new.name.strip(), "kind": new.kind, "about": new.about, "note": new.note,
        "form": msgspec.json.encode(list(new.form)).decode(), "starts_at": new.starts_at, "ends_at": new.ends_at,
        "by": actor.account, "at": unit.now,
    }  # fmt: skip
    unit.connection.execute(_MAKE, values)
    append_act(unit, actor.account, "campaign.make", new.code, {"kind": new.kind, "about": new.about})


def running(connection: Connection, code: str, now: int | None = None) -> Any:
    """The row of a campaign; with `now` only if it runs then.

    Raises:
        NotFound: there is none. Conflict: it has not begun, or is over.
    """
    row = connection.execute(_ONE, {"code": code}).one_or_none()
    if row is None:
        raise NotFound(f"没有专项 {code[:40]}。", f"There is no campaign {code[:40]}.")
    if now is not None and (row.ended_at is not None or not row.starts_at <= now < row.ends_at):
        raise Conflict(f"专项 {code} 不在进行中。", f"The campaign {code} does not run now.")
    return row


def form_of(row: Any) -> list[FormField]:
    """The form of a campaign's row."""
    stored = msgspec.json.decode(row.form) if isinstance(row.form, str) else row.form
    return msgspec.convert(stored, list[FormField])


def add_targets(
    unit: Unit, actor: Actor, code: str, *, area: str = "", type_: str = "", own: Iterable[Own] = ()
) -> int:
    """Give a campaign targets: all unit grids or parts of an area, or a list of its own; those it has stay.

    Each is given to the collector of its duty grid. Returns how many targets the campaign has now.

    Args:
        area: the beginning of grid codes; "" for the county. type_: the beginning of part classes.

    Raises:
        NotFound, Conflict: no campaign, or one that ended. Invalid: too many, or it is about something else.
    """
    connection, row = unit.connection, running(unit.connection, code)
    if row.ended_at is not None:
        raise Conflict(f"专项 {code} 已经结束。", f"The campaign {code} has ended.")
    listed = list(own)
    if bool(listed) is not (row.about == "list") or not (area + type_).isascii():
        raise Invalid(
            "普查网格或部件时给 area、type,普查自有名单时给 targets。",
            "A campaign over grids or parts takes area and type, one over a list of its own takes targets.",
            fields=(FieldError("targets", "与专项不符", "does not fit the campaign"),),
        )
    if row.about == "list":
        rows = [_own_row(connection, each) for each in listed]
    else:
        values = {"area": f"{_plain(area)}%", "most": TARGETS_AT_MOST + 1}
        statement = _GRIDS if row.about == "grids" else _PARTS
        if row.about == "parts":
            values["type"] = f"{_plain(type_)}%"
        rows = [dict(each._mapping) for each in connection.execute(statement, values)]
    if len(rows) > TARGETS_AT_MOST:
        raise Invalid(f"一次最多 {TARGETS_AT_MOST} 个对象。", f"At most {TARGETS_AT_MOST} targets at once.")
    if rows:
        connection.execute(_ADD, [each | {"campaign": code} for each in rows])
    number: int = connection.execute(_COUNT, {"code": code}).scalar_one()
    append_act(unit, actor.account, "campaign.targets", code, {"targets": number})
    return number


def assign(unit: Unit, actor: Actor, code: str, collector: str, subjects: Sequence[str]) -> int:
    """Give targets to a collector; returns how many.

    Raises:
        NotFound: no campaign. UnknownCode: no active collector.
    """
    running(unit.connection, code)
    if not may(unit.connection, collector, "collector"):
        raise UnknownCode(f"{collector} 不是在岗的信息采集员。", f"{collector} is not an active collector.")
    done = unit.connection.execute(_ASSIGN, {"collector": collector, "code": code, "subjects": list(subjects)})
    append_act(unit, actor.account, "campaign.assign", code, {"collector": collector, "targets": done.rowcount})
    return done.rowcount


def end(unit: Unit, actor: Actor, code: str) -> None:
    """End a campaign before its time.

    Raises:
        NotFound: no campaign. Conflict: it has ended.
    """
    running(unit.connection, code)
    if unit.connection.execute(_END, {"code": code, "at": unit.now}).rowcount != 1:
        raise Conflict(f"专项 {code} 已经结束。", f"The campaign {code} has ended.")
    append_act(unit, actor.account, "campaign.end", code, None)


def _own_row(connection: Connection, each: Own) -> dict[str, Any]:
    hit = locate_grid(connection, each.lon, each.lat)
    return {
        "subject": each.subject, "name": each.name, "street": hit.street if hit else None, "lon": each.lon,
        "lat": each.lat, "department": each.department, "collector": hit.collector if hit else None,
    }  # fmt: skip


def _plain(prefix: str) -> str:
    """Digits of a code; nothing that LIKE would read otherwise."""
    return "".join(sign for sign in prefix if sign.isalnum())
