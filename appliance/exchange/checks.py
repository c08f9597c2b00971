"""What the exchange lets the doctor check: certificates that end, platforms that fall behind, offers that wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection

from appliance.clock import SECOND, SystemClock
from appliance.doctor import Finding
from appliance.errors import BadHome, WanmiError
from appliance.exchange.clients import confirmed_of
from appliance.exchange.kept import Kept, LastExchange
from appliance.exchange.links import Enrolment, joined
from appliance.exchange.offers import list_offers
from appliance.exchange.settings import PULL, Link
from appliance.records.store import glance
from appliance.settings import FILE, load

DAYS_LEFT, HOURS_SILENT = 30, 24


def check_exchange(home: Path) -> Iterator[Finding]:
    """Every link's certificate and last pull, and what the technician has to decide on."""
    if not (home / FILE).exists() or not load(home).exchange.links:
        yield Finding("exchange.links", "skipped", "没有加入上级平台", "joined to no platform above")
        return
    settings = load(home).exchange
    broken: list[WanmiError] = []
    links = joined(home, settings, lambda _, error: broken.append(error))
    for error in broken:
        yield Finding("exchange.links", "failed", error.zh, error.en)
    unfinished = len(settings.links) - len(links) - len(broken)
    if unfinished:
        zh, en = (
            f"{unfinished} 个平台未完成加入;请重复 wanmi join",
            f"{unfinished} links are not joined yet; repeat wanmi join",
        )
        yield Finding("exchange.links", "warning", zh, en)
    for link, enrolment in links:
        yield _certificate(link, enrolment)
        with suppress(BadHome), glance(home) as connection:  # a database that is missing is told by its own check
            yield _last_pull(connection, link.url)
        last = Kept(home, link.url).last() if link.mode != PULL else LastExchange()
        if last.failed_at is not None:
            yield Finding("exchange.calls", "warning", f"{link.url}: {last.zh}", f"{link.url}: {last.en}")
    waiting = [offer for offer in list_offers(home) if offer.state == "offered"]
    if waiting:
        zh = f"{len(waiting)} 份上级下发的内容待处理;见 wanmi link offers"
        en = f"{len(waiting)} offers from above wait; see wanmi link offers"
        yield Finding("exchange.offers", "warning", zh, en)


def _certificate(link: Link, enrolment: Enrolment) -> Finding:
    try:
        left = (enrolment.certificate_end() - datetime.now(UTC)).days
    except (OSError, ValueError) as error:
        zh, en = (
            f"{link.url} 的证书无法读取 ({error});请重新 wanmi join",
            f"the certificate of {link.url} cannot be read",
        )
        return Finding("exchange.certificate", "failed", zh, f"{en} ({error}); run wanmi join again")
    zh, en = f"{link.url} 的证书还有 {left} 天", f"the certificate of {link.url} has {left} days left"
    return Finding(
        "exchange.certificate", "failed" if left < 1 else "warning" if left < DAYS_LEFT else "passed", zh, en
    )


def _last_pull(connection: Connection, url: str) -> Finding:
    known = confirmed_of(connection, url)
    if not known:
        return Finding("exchange.pull", "warning", f"{url} 还没有来拉取过", f"{url} has not pulled yet")
    hours = (SystemClock().now() - max(item.last_pull for item in known.values())) / SECOND / 3600
    zh, en = f"{url} 上次拉取在 {hours:.1f} 小时前", f"{url} pulled {hours:.1f} hours ago"
    return Finding("exchange.pull", "warning" if hours > HOURS_SILENT else "passed", zh, en)
