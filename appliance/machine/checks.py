"""What the doctor looks at of the machine under a node: memory, the disk's own opinion of itself, the clock."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from appliance.clock import MINUTE, SystemClock, moment
from appliance.doctor import Finding
from appliance.errors import BadHome
from appliance.machine.clock import source_of_time
from appliance.machine.disk import device_of, health_of
from appliance.records.store import glance

MEMORY_WARNING, MEMORY_FAILED = 512 << 20, 192 << 20
"""Bytes that can still be had."""
AHEAD_AT_MOST = 10 * MINUTE
_NEWEST = text(
    "SELECT max(at) FROM (SELECT max(at) AS at FROM change WHERE seq = (SELECT last FROM feed WHERE id = 1) "
    "UNION ALL SELECT at FROM admin_act WHERE id = (SELECT max(id) FROM admin_act)) newest"
)


def check_machine(home: Path) -> Iterator[Finding]:
    """Memory, the disk of the home, the clock and where it gets the time from."""
    yield _memory(Path("/proc/meminfo"))
    yield _disk(home)
    yield _time_source()
    yield from _records_and_clock(home)


def _memory(source: Path) -> Finding:
    try:
        lines = dict(line.split(":", 1) for line in source.read_text(encoding="ascii").splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return Finding("machine.memory", "skipped", "看不到内存情况", "the memory cannot be seen")
    zh, en = f"可用内存 {free >> 20} MB", f"{free >> 20} MB of memory can be had"
    if free < MEMORY_WARNING:
        more = ";请看 ps aux --sort=-rss,重启占用最多的程序", "; see ps aux --sort=-rss, start what takes most again"
        return Finding("machine.memory", "failed" if free < MEMORY_FAILED else "warning", zh + more[0], en + more[1])
    return Finding("machine.memory", "passed", zh, en)


def _disk(home: Path) -> Finding:
    """What the disk says of itself (SMART), where it has something to say and smartctl is there."""
    device = device_of(home)
    if device is None or shutil.which("smartctl") is None:
        zh, en = "没有 smartctl,或不是真实的磁盘", "smartctl is not here, or the home is on no disk of its own"
        return Finding("machine.disk", "skipped", zh, en)
    health = health_of(device)
    if health is None:
        zh, en = f"{device} 不报告健康状况 (虚拟盘,或需要 root)", f"{device} tells nothing (virtual, or only to root)"
        return Finding("machine.disk", "skipped", zh, en)
    if health:
        return Finding("machine.disk", "passed", f"{device} 自检正常", f"{device} says that it is well")
    zh = f"{device} 报告即将损坏;请马上 wanmi backup now 并换盘"
    en = f"{device} says that it is failing; wanmi backup now at once, and change it"
    return Finding("machine.disk", "failed", zh, en)


def _time_source() -> Finding:
    found = source_of_time()
    if found is None:
        zh, en = (
            "不知道时间从哪里来 (没有 chrony 或 timesyncd)",
            "nothing is known of a time source (no chrony, no timesyncd)",
        )
        return Finding("clock.source", "skipped", zh, en)
    name, good = found
    if good:
        return Finding("clock.source", "passed", f"{name} 已同步", f"{name} has the right time")
    zh = f"{name} 没有同步;请检查网线或在 /etc/chrony/conf.d 写上级的时间服务器"
    en = f"{name} has no time source; check the line, or name the prefecture's time server in /etc/chrony/conf.d"
    return Finding("clock.source", "warning", zh, en)


def _records_and_clock(home: Path) -> Iterator[Finding]:
    """Whether the clock is behind what was written already: a flat battery, or a hand that set it wrong."""
    try:
        with glance(home) as connection:
            newest = connection.execute(_NEWEST).scalar_one()
    except BadHome as error:
        yield Finding("clock.records", "skipped", error.zh, error.en)
        return
    now = SystemClock().now()
    if newest is None or newest <= now + AHEAD_AT_MOST:
        zh, en = (
            f"时钟 {datetime.now(UTC):%Y-%m-%d %H:%M} (UTC)",
            f"the clock says {datetime.now(UTC):%Y-%m-%d %H:%M} (UTC)",
        )
        yield Finding("clock.records", "passed", zh, en)
        return
    zh = f"最新记录是 {moment(newest):%Y-%m-%d %H:%M} (UTC),时钟却在它之前;请校准时间 (主板电池没电?)"
    en = (
        f"the newest record is of {moment(newest):%Y-%m-%d %H:%M} (UTC), the clock is behind it; set it (flat battery?)"
    )
    yield Finding("clock.records", "failed", zh, en)
