"""The drill: the newest snapshot is restored into a scratch home and compared, so that a backup is known to restore."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from appliance.clock import SystemClock, rfc3339
from appliance.errors import WanmiError
from appliance.exchange.links import write_private
from appliance.lock import hold
from appliance.records.acts import append_act
from appliance.records.store import Records
from backups.gently import gently
from backups.repository import Repository
from backups.restoring import newest, restore

RESULT = Path("backups") / "drill.json"
SCRATCH = Path("backups") / "drill"


class Drill(msgspec.Struct):
    """How the last drill went; `at` RFC 3339, `seconds` from the start to the compared home."""

    at: str
    ok: bool
    snapshot: str
    seconds: float
    rows: int
    zh: str
    en: str


def drill(home: Path, repository: Repository, by: str = "technician") -> Drill:
    """Restore the newest snapshot into a scratch home, compare it, and note how it went, also where it failed.

    Raises:
        BadHome: another drill of this home is under way.
    """
    (home / "backups").mkdir(mode=0o700, exist_ok=True)
    with hold(home / "backups", "drill", "演练", "drill"):
        return _drill(home, repository, by)


def _drill(home: Path, repository: Repository, by: str) -> Drill:
    began, snapshot, rows, zh, en = monotonic(), "", 0, "", ""
    scratch = home / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        snapshot = newest(repository)
        rows = sum(gently(lambda: restore(repository, snapshot, scratch, by)).rows.values())
    except WanmiError as error:
        zh, en = error.zh, error.en
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        zh, en = f"演练中断: {error}。", f"The drill broke off: {error}."
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    at = rfc3339(SystemClock().now()) or ""
    result = Drill(at, not zh, snapshot, round(monotonic() - began, 2), rows, zh, en)
    _keep(home, result, by)
    return result


def last_drill(home: Path) -> Drill | None:
    """How the last drill went, None before the first."""
    try:
        return msgspec.json.decode((home / RESULT).read_bytes(), type=Drill)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _keep(home: Path, result: Drill, by: str) -> None:
    write_private(home / RESULT, msgspec.json.encode(result))
    detail: dict[str, Any] = {"ok": result.ok, "seconds": result.seconds, "rows": result.rows}
    records = Records.open(home)
    try:
        records.write(lambda unit: append_act(unit, by, "backup.drill", result.snapshot or "-", detail))
    finally:
        records.close()
