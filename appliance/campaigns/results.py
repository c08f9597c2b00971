"""How far a campaign is, its results as a table, its points by street, unit and collector, and targets for the map."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

import msgspec
from sqlalchemy import Connection, String, bindparam, text

from appliance.campaigns.making import form_of, running
from appliance.campaigns.sight import SEEN, values_of
from appliance.cells import safe_cell
from appliance.clock import rfc3339
from appliance.people.actor import Actor

BY = ("street", "department", "collector")

_ALL = text(
    "SELECT c.*, (SELECT count(*) FROM campaign_target t WHERE t.campaign = c.code) AS targets, "
    "(SELECT count(*) FROM campaign_target t WHERE t.campaign = c.code AND t.answers > 0) AS answered, "
    "(SELECT avg(points) FROM campaign_target t WHERE t.campaign = c.code) AS points "
    "FROM campaign c ORDER BY c.starts_at DESC, c.code"
)
_BY = {
    key: text(
        f"SELECT COALESCE({key}, '') AS subject, count(*) AS targets, "  # noqa: S608  # one of three names
        "sum(CASE WHEN answers > 0 THEN 1 ELSE 0 END) AS answered, avg(points) AS points "
        f"FROM campaign_target WHERE campaign = :code AND {SEEN.format('')} GROUP BY {key} ORDER BY 1"
    ).bindparams(bindparam("units", type_=String, expanding=True))
    for key in BY
}
_TARGETS = text(
    "SELECT t.*, a.answered_by, a.filled, a.photos, a.lon AS at_lon, a.lat AS at_lat, a.outside, a.number "  # noqa: S608  # ours
    "FROM campaign_target t LEFT JOIN campaign_answer a ON a.id = "
    "(SELECT max(id) FROM campaign_answer b WHERE b.target = t.id) "
    f"WHERE t.campaign = :code AND t.id > :after AND {SEEN.format('t.')} ORDER BY t.id LIMIT :limit"
).bindparams(bindparam("units", type_=String, expanding=True))
_PAGE = 2000
_WHERE = {None: "", False: "网格内", True: "网格外"}


def campaigns(connection: Connection) -> list[dict[str, Any]]:
    """Every campaign, newest first, with how far it is."""
    return [told(row) for row in connection.execute(_ALL)]


def told(row: Any) -> dict[str, Any]:
    """A campaign as the API tells it; `points` is the mean of its targets, out of 100."""
    return {
        "code": row.code, "name": row.name, "kind": row.kind, "about": row.about, "note": row.note,
        "form": msgspec.to_builtins(form_of(row)), "starts_at": rfc3339(row.starts_at), "ends_at": rfc3339(row.ends_at),
        "ended_at": rfc3339(row.ended_at), "made_by": row.made_by, "targets": row.targets, "answered": row.answered,
        "points": row.points,
    }  # fmt: skip


def progress(connection: Connection, actor: Actor, code: str) -> dict[str, Any]:
    """How far a campaign is with the targets that somebody sees, and their mean points, by street, unit, collector.

    Raises:
        NotFound: there is none.
    """
    running(connection, code)
    return {
        key: [
            {"subject": row.subject, "targets": row.targets, "answered": row.answered, "points": row.points}
            for row in connection.execute(_BY[key], {"code": code, **values_of(actor)})
        ]
        for key in BY
    }


def targets_page(connection: Connection, actor: Actor, code: str, *, after: int, limit: int) -> list[dict[str, Any]]:
    """The targets that somebody sees with their newest answers, by key above a key.

    Raises:
        NotFound: there is no such campaign.
    """
    running(connection, code)
    rows = connection.execute(_TARGETS, {"code": code, "after": after, "limit": limit, **values_of(actor)})
    return [_target(row) for row in rows]


def results_csv(connection: Connection, actor: Actor, code: str) -> Iterator[bytes]:
    """The results as CSV in pages: a row a target, a column a field of the form; UTF-8 with a mark for spreadsheets.

    Raises:
        NotFound: there is no such campaign.
    """
    form = form_of(running(connection, code))
    head = [
        "编号",
        "名称",
        "街道",
        "部门",
        "经度",
        "纬度",
        "采集员",
        "时间",
        "答复位置",
        "分值",
        "案件",
        *(each.name for each in form),
    ]
    yield b"\xef\xbb\xbf" + _line(head)
    after = 0
    while page := targets_page(connection, actor, code, after=after, limit=_PAGE):
        for row in page:
            filled = row["filled"] or {}
            cells = [row[name] for name in ("subject", "name", "street", "department", "lon", "lat")]
            cells += [
                row["answered_by"] or row["collector"],
                row["answered_at"],
                _WHERE[row["outside"]],
                row["points"],
                row["number"],
            ]
            yield _line([*cells, *(filled.get(each.field) for each in form)])
        after = page[-1]["id"]


def _target(row: Any) -> dict[str, Any]:
    return {
        "id": row.id, "subject": row.subject, "name": row.name, "street": row.street, "department": row.department,
        "lon": row.lon, "lat": row.lat, "collector": row.collector, "answers": row.answers,
        "answered_at": rfc3339(row.answered_at), "answered_by": row.answered_by, "points": row.points,
        "filled": _value(row.filled), "photos": _value(row.photos) or [], "number": row.number,
        "outside": None if row.outside is None else bool(row.outside),
    }  # fmt: skip


def _line(cells: list[Any]) -> bytes:
    """A line of CSV; no cell is a formula for a spreadsheet."""
    written = StringIO()
    csv.writer(written, lineterminator="\r\n").writerow([_shown(cell) for cell in cells])
    return written.getvalue().encode()


def _shown(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "是" if cell else "否"
    return "" if cell is None else safe_cell(cell)


def _value(stored: Any) -> Any:
    return msgspec.json.decode(stored) if isinstance(stored, str) else stored
