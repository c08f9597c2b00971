"""What is kept of the runs of jobs: the newest of each name, and how the last ones went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, text

from appliance.records.store import Records

KEPT = 200
"""Runs of one job that are kept."""
LOOKED_THROUGH = 12
"""So many of the newest runs tell how often it failed on end."""

_BEGIN = text(
    "INSERT INTO job_run (name, planned_at, started_at, by, result, zh, en) "
    "VALUES (:name, :planned, :now, :by, '{}', '', '') RETURNING id"
)
_END = text("UPDATE job_run SET ended_at = :now, ok = :ok, result = :result, zh = :zh, en = :en WHERE id = :id")
_FORGET = text(
    "DELETE FROM job_run WHERE name = :name AND id <= "
    "(SELECT id FROM job_run WHERE name = :name ORDER BY id DESC LIMIT 1 OFFSET :kept)"
)
_NEWEST = text(
    "SELECT id, name, planned_at, started_at, ended_at, by, ok, result, zh, en FROM job_run "
    "WHERE name = :name AND started_at <= :now ORDER BY id DESC LIMIT :limit"
)
_RUNNING = text("SELECT id, name FROM job_run WHERE ended_at IS NULL")


@dataclass(frozen=True, slots=True)
class Run:
    """One run; times in microseconds. `ok` is None while it runs."""

    id: int
    name: str
    planned_at: int | None
    started_at: int
    ended_at: int | None
    by: str
    ok: bool | None
    result: dict[str, Any]
    zh: str
    en: str


def begin(records: Records, name: str, planned: int | None, by: str) -> int:
    """Note that a run begins; returns its key."""
    values = {"name": name, "planned": planned, "now": records.clock.now(), "by": by}
    return int(records.write(lambda unit: unit.connection.execute(_BEGIN, values).scalar_one()))


def end(records: Records, run: int, name: str, result: dict[str, Any], failed: tuple[str, str] | None) -> None:
    """Note how a run ended; the oldest runs of its name go."""
    zh, en = failed or ("", "")
    told = msgspec.json.encode(result).decode()
    values = {"id": run, "now": records.clock.now(), "ok": failed is None, "result": told, "zh": zh, "en": en}

    def write(unit: Any) -> None:
        unit.connection.execute(_END, values)
        unit.connection.execute(_FORGET, {"name": name, "kept": KEPT})

    records.write(write)


def newest(connection: Connection, name: str, now: int, limit: int = LOOKED_THROUGH) -> list[Run]:
    """The newest runs of a job, the last one first; those of a time to come, when the clock was wrong, are left out."""
    rows = connection.execute(_NEWEST, {"name": name, "now": now, "limit": limit})
    return [_run(row) for row in rows]


def running(connection: Connection) -> list[tuple[int, str]]:
    """Keys and names of the runs that did not end, or not yet."""
    return [(row.id, row.name) for row in connection.execute(_RUNNING)]


def _run(row: Row[Any]) -> Run:
    told = dict(row._mapping)
    result = told.pop("result")
    ok = told.pop("ok")
    return Run(
        **told,
        ok=None if ok is None else bool(ok),
        result=msgspec.json.decode(result) if isinstance(result, str) else result,
    )
