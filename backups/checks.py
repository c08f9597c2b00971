"""What backups let the doctor check: that there is one of the last days, and that it was proved to restore."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from appliance.clock import SystemClock, moment
from appliance.doctor import Finding
from appliance.errors import BadHome
from appliance.records.store import glance
from appliance.settings import load
from backups.drilling import last_drill
from backups.warm.place import state_in

BACKUP_DAYS, DRILL_DAYS = 2, 10
WARM_SECONDS = 10.0
"""What a dead disk may cost at most."""
_LAST = text("SELECT max(at) FROM admin_act WHERE act = 'backup.now'")


def check_backups(home: Path) -> Iterator[Finding]:
    """The age of the last snapshot, and the last drill."""
    try:
        settings = load(home)
        with glance(home) as connection:
            last = connection.execute(_LAST).scalar_one()
    except BadHome as error:
        yield Finding("backups.age", "skipped", error.zh, error.en)
        return
    if settings.backup.warm:
        yield _warm(home)
    if not settings.backup.to:
        zh, en = "没有设置备份;请在 wanmi.toml 写 [backup] to", "no backup is set; write [backup] to in wanmi.toml"
        yield Finding("backups.age", "warning", zh, en)
        return
    yield _age(last)
    yield _drill(home)


def _age(last: int | None) -> Finding:
    if last is None:
        return Finding("backups.age", "failed", "还没有备份;wanmi backup now", "no backup was made; wanmi backup now")
    at = moment(last)
    late = datetime.now(UTC) - at > timedelta(days=BACKUP_DAYS)
    zh, en = f"最近备份 {at:%Y-%m-%d %H:%M} (UTC)", f"the last backup is of {at:%Y-%m-%d %H:%M} (UTC)"
    return Finding("backups.age", "failed" if late else "passed", zh, en)


def _warm(home: Path) -> Finding:
    """The warm copy: it loses at most what came after its last look."""
    state = state_in(home / "backups")
    if state is None or not state.at:
        why = ("", "") if state is None else (state.zh, f" {state.en}")
        zh, en = f"热备还没有完成第一次复制。{why[0]}", f"the warm copy was not made yet.{why[1]}"
        return Finding("backups.warm", "failed", zh, en)
    seconds = (SystemClock().now() - state.at) / 1_000_000
    zh, en = f"热备落后 {seconds:.0f} 秒", f"the warm copy is {seconds:.0f} s behind"
    if seconds > WARM_SECONDS:
        zh, en = f"{zh};{state.zh or '它没有在运行'}", f"{en}: {state.en or 'it does not run'}"
        return Finding("backups.warm", "failed", zh, en)
    if state.behind:
        zh, en = (
            f"{zh},还有 {state.behind} 个证据文件待复制",
            f"{en}, {state.behind} evidence files are still to be copied",
        )
        return Finding("backups.warm", "warning", zh, en)
    return Finding("backups.warm", "passed", zh, en)


def _drill(home: Path) -> Finding:
    result = last_drill(home)
    if result is None:
        return Finding("backups.drill", "warning", "还没有演练;wanmi backup drill", "no drill yet; wanmi backup drill")
    if not result.ok:
        return Finding("backups.drill", "failed", f"演练失败: {result.zh}", f"the drill failed: {result.en}")
    late = datetime.now(UTC) - datetime.fromisoformat(result.at) > timedelta(days=DRILL_DAYS)
    zh = f"{result.at[:10]} 演练恢复 {result.rows} 行,{result.seconds:.0f} 秒"
    en = f"on {result.at[:10]} the drill restored {result.rows} rows in {result.seconds:.0f} s"
    return Finding("backups.drill", "warning" if late else "passed", zh, en)
