"""The dispatch slip 派遣单: what a department takes along on paper. No reporter stands on it."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Connection

from appliance.cases.listing import find_case, history
from appliance.clock import local, micros
from appliance.errors import NotAllowed

if TYPE_CHECKING:
    from appliance.cases.office import Office
    from appliance.people.actor import Actor

Rows = list[tuple[str, str]]
TITLE = "案件派遣单"
RULE = "-" * 64
SIGNED = ("签收人", "签收时间", "处置结果", "处置人", "完成时间")
PAGE = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><title>{title} {number}</title><style>
@page {{ size: A5 landscape; margin: 12mm }}
body {{ font-family: "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", sans-serif; font-size: 11pt }}
h1 {{ font-size: 16pt; text-align: center; margin: 0 0 4mm }} table {{ width: 100%; border-collapse: collapse }}
td {{ border: 0.3mm solid #000; padding: 1.2mm 2mm; vertical-align: top }} td:first-child {{ width: 22mm }}
</style></head><body><h1>{county} {title}</h1><table>{rows}</table></body></html>
"""


def slip_rows(connection: Connection, office: Office, actor: Actor, number: str) -> Rows:
    """Labels and values of the slip of a dispatched case, with blank rows to sign.

    Raises:
        NotFound, Forbidden. NotAllowed: the case was never dispatched.
    """
    record: dict[str, Any] = msgspec.json.decode(find_case(connection, office, actor, number))
    dispatched = [row for row in history(connection, office, actor, number) if row["action"] == "dispatch"]
    if not dispatched or record["department"] is None:
        raise NotAllowed(
            f"案件 {number} 还没有派遣,没有派遣单。", f"Case {number} is not dispatched, so it has no slip.", allowed=[]
        )
    by = dispatched[-1]
    limit, units = record["limit"], [record["department"], record["sub_unit"]]
    names = [office.departments.get(code, code) for code in units if code]
    return [
        ("案件号", record["number"]),
        ("类别", f"{record['name']} {record['code']} ({record['class_code']}, {record['edition']})"),
        ("地点", record["address"] or "-"),
        ("坐标", f"{record['lon']:.6f}, {record['lat']:.6f}"),
        ("网格", f"{record['grid'] or '-'}    责任网格 {record['duty_grid'] or '-'}"),
        *([("部件", record["part"])] if record["part"] else []),
        ("描述", record["description"] or "-"),
        *([("立案条件", record["condition"])] if record["condition"] else []),
        ("承办单位", " > ".join(names)),
        ("时限", f"{limit['value']:g} {limit['unit']}" if limit else "-"),
        ("到期", _time(office, record["handle_due_at"])),
        ("返工", f"第 {record['rework']} 次" if record["rework"] else "无"),
        ("派遣", f"{by['actor_name'] or by['actor']}  {_time(office, by['at'])}"),
        *([("派遣意见", by["note"])] if by["note"] else []),
        *((label, "") for label in SIGNED),
    ]


def slip_text(rows: Rows, county: str) -> str:
    """The slip for a line printer."""
    lines = [f"{county} {TITLE}", RULE]
    for label, value in rows:
        lines += [f"{label}:{value or '____________________'}"]
    return "\n".join([*lines, RULE, ""])


def slip_page(rows: Rows, county: str) -> str:
    """The slip as a page to print, A5 across."""
    body = "".join(f"<tr><td>{escape(label)}</td><td>{escape(value) or '&nbsp;'}</td></tr>" for label, value in rows)
    return PAGE.format(title=TITLE, number=escape(rows[0][1]), county=escape(county), rows=body)


def _time(office: Office, value: str | None) -> str:
    if not value:
        return "-"
    return f"{local(micros(datetime.fromisoformat(value)), office.settings.zone):%Y-%m-%d %H:%M}"
