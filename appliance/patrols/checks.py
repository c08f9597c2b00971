"""What patrols let the doctor check: tracks are packed and not kept too long, walked patrols are counted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from appliance.clock import SystemClock, local
from appliance.doctor import Finding
from appliance.patrols import compaction, day_file
from appliance.settings import FILE, Settings, load

SHOWN = 5


def check_patrols(home: Path) -> Iterator[Finding]:
    """All checks of tracks and patrols; skipped where nobody ever sent a position."""
    if not (home / FILE).exists() or not day_file.days_of(home):
        yield Finding("tracks.packed", "skipped", "还没有轨迹", "there are no tracks yet")
        return
    yield from findings(home, load(home), SystemClock().now())


def findings(home: Path, settings: Settings, now: int) -> Iterator[Finding]:
    """What is to be said about the tracks of a home at a moment."""
    today = local(now, settings.zone).date()
    yield _packed(home, today)
    yield _kept(home, today, settings.patrols.tracks_kept_days)
    yield _counted(home, today)


def _packed(home: Path, today: date) -> Finding:
    """Finished days are packed; one night is time enough."""
    loose, damaged = [], []
    for day in day_file.days_of(home):
        try:
            if day < (today - timedelta(days=1)).isoformat() and compaction.has_loose(home, day):
                loose.append(day)
            with day_file.opened(home, day):
                pass
        except sqlite3.DatabaseError:
            damaged.append(day)
    if damaged:
        zh = f"{_shown(damaged)} 的轨迹文件已损坏；请从备份恢复，或移走该文件"
        en = f"the track files of {_shown(damaged)} are damaged: restore them from a backup, or move them away"
        return Finding("tracks.packed", "failed", zh, en)
    if loose:
        zh = f"{_shown(loose)} 的轨迹还没有压缩；请运行任务 compact-tracks"
        return Finding("tracks.packed", "warning", zh, f"tracks are not packed: {_shown(loose)}; run compact-tracks")
    return Finding("tracks.packed", "passed", "轨迹已压缩", "tracks are packed")


def _kept(home: Path, today: date, days: int) -> Finding:
    """Nothing is kept longer than the county says."""
    old = compaction.to_forget(home, today, days)
    if old:
        zh = f"{_shown(old)} 的轨迹超过 {days} 天；请运行任务 forget-tracks"
        return Finding("tracks.kept", "warning", zh, f"tracks older than {days} days: {_shown(old)}; run forget-tracks")
    return Finding("tracks.kept", "passed", f"轨迹保存 {days} 天", f"tracks are kept {days} days")


def _counted(home: Path, today: date) -> Finding:
    """The days before today are counted."""
    missing = []
    for day in day_file.days_of(home):
        try:
            with day_file.opened(home, day) as file:
                uncounted = file is not None and day_file.state(file, "counted") is None
        except sqlite3.DatabaseError:
            continue  # told above
        if uncounted and day < today.isoformat():
            missing.append(day)
    if missing:
        zh = f"{_shown(missing)} 的巡查还没有统计；请运行任务 patrol-coverage"
        return Finding("patrols.counted", "warning", zh, f"not counted: {_shown(missing)}; run patrol-coverage")
    return Finding("patrols.counted", "passed", "巡查已统计", "walked patrols are counted")


def _shown(days: list[str]) -> str:
    more = f" … ({len(days)})" if len(days) > SHOWN else ""
    return "、".join(days[:SHOWN]) + more
