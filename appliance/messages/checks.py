"""What messages let the doctor check: that departments are reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from appliance.clock import SystemClock
from appliance.doctor import Finding
from appliance.errors import BadHome
from appliance.messages.outbox import counts
from appliance.records.store import glance
from appliance.settings import load

MANY = 100
"""So many waiting messages mean that nobody sends them."""


def check_messages(home: Path) -> Iterator[Finding]:
    """Messages that were given up within a day, have no phone, or pile up; whether the webhook can trust them."""
    try:
        settings = load(home).messages
        if not settings.channels and not settings.emergency_webhook:
            yield Finding("messages.sent", "skipped", "没有开通部门通知", "no channel to departments is switched on")
            return
        with glance(home) as connection:
            yield _sent(counts(connection, SystemClock().now()))
    except BadHome as error:
        yield Finding("messages.sent", "skipped", error.zh, error.en)
        return
    if "webhook" in settings.channels or settings.emergency_webhook:
        yield _signed(home / settings.webhook_secret_file)


def _signed(secret: Path) -> Finding:
    if secret.is_file() and secret.read_bytes().strip():
        return Finding("messages.signed", "passed", "Webhook 通知带签名", "messages to the webhook are signed")
    zh = f"没有 {secret},Webhook 通知不带签名,对方无法辨别真假;请写入双方约定的密钥 (权限 0600)。"
    en = f"There is no {secret}, so messages go unsigned to the webhook; write the secret agreed on there (mode 0600)."
    return Finding("messages.signed", "warning", zh, en)


def _sent(found: dict[str, int]) -> Finding:
    waiting, lost, phoneless = (found.get(state, 0) for state in ("waiting", "given_up", "no_phone"))
    if lost or waiting >= MANY:
        zh = f"一天内 {lost} 条通知多次失败已放弃,{waiting} 条在等待;请看 wanmi devices list 和控制台设备屏。"
        en = f"{lost} messages were given up within a day, {waiting} wait; see the console's devices screen."
        return Finding("messages.sent", "failed", zh, en)
    if phoneless:
        zh = f"一天内 {phoneless} 条通知因部门没有电话未发;请在 departments 导入中补上电话。"
        en = f"{phoneless} messages within a day had no phone to go to; add the departments' phones by import."
        return Finding("messages.sent", "warning", zh, en)
    return Finding("messages.sent", "passed", "部门通知正常", "departments are told")
