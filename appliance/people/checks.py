"""What accounts let the doctor check: passwords that anybody could guess, or that were only lent; second factors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from appliance.doctor import Finding
from appliance.errors import BadHome
from appliance.people.accounts import password_fits
from appliance.people.second_factor import KEY, lacking, unreadable
from appliance.records import schema
from appliance.records.store import glance
from appliance.settings import load

KNOWN = ("wanmi-demo", "12345678", "admin123", "wanmi123", "password")
"""The demo county's, and those that technicians leave behind."""
LOOKED_AT = 6
DEMO = "demo.ready"
"""The demo county's passwords are known to everybody, and are meant to be."""
_POWERFUL = text(
    "SELECT account, password FROM account WHERE active AND password IS NOT NULL "
    "AND (roles LIKE '%admin%' OR roles LIKE '%technician%') ORDER BY created_at LIMIT :most"
)
_LENT = text("SELECT count(*) FROM account WHERE active AND new_password_due")


def check_people(home: Path) -> Iterator[Finding]:
    """Passwords and second factors of accounts."""
    yield from _passwords(home)
    yield _second_factors(home)


def _passwords(home: Path) -> Iterator[Finding]:
    """Known passwords of those who may change settings; first passwords that nobody replaced."""
    try:
        with glance(home) as connection:
            powerful = connection.execute(_POWERFUL, {"most": LOOKED_AT}).all()
            lent = connection.execute(_LENT).scalar_one()
    except BadHome as error:
        yield Finding("people.passwords", "skipped", error.zh, error.en)
        return
    open_ = [
        row.account for row in powerful if any(password_fits(row.password, word) for word in (*KNOWN, row.account))
    ]
    if open_:
        names = "、".join(open_)
        zh = f"{names} 用的是众所周知的密码;wanmi users password {open_[0]}"
        en = f"{names}: a password that everybody knows; wanmi users password {open_[0]}"
        is_demo = (home / DEMO).exists()
        yield Finding("people.passwords", "warning" if is_demo else "failed", zh, en)
    elif lent:
        zh, en = f"{lent} 个账号还没换掉初始密码", f"{lent} accounts still have their first password"
        yield Finding("people.passwords", "warning", zh, en)
    else:
        yield Finding("people.passwords", "passed", "没有众所周知的密码", "no password that everybody knows")


def _second_factors(home: Path) -> Finding:
    """Secrets that cannot be read, and accounts that should have a second factor (`[sign_in] second_factor_roles`)."""
    what = "people.second_factor"
    try:
        rules = load(home).sign_in
        with glance(home) as connection:
            if schema.current_revision(connection) != schema.head_revision():
                zh, en = "数据库结构还没升级,启动节点后再查", "the schema is older; start the node, then look again"
                return Finding(what, "skipped", zh, en)
            ill, without = unreadable(connection, home), lacking(connection, rules)
    except BadHome as error:
        return Finding(what, "skipped", error.zh, error.en)
    if ill:
        zh = f"{'、'.join(ill)} 不能登录: {KEY} 丢失或不是原文件;恢复它,或 wanmi users second-factor {ill[0]} off"
        en = f"{', '.join(ill)} cannot sign in: {KEY} is lost or another one; bring it back, or wanmi users "
        return Finding(what, "failed", zh, f"{en}second-factor {ill[0]} off")
    if without:
        zh = f"{'、'.join(without)} 应有两步验证而没有;wanmi users second-factor {without[0]} on"
        en = f"{', '.join(without)}: should have a second factor; wanmi users second-factor {without[0]} on"
        return Finding(what, "warning", zh, en)
    if not rules.second_factor_roles:
        zh, en = "未要求两步验证([sign_in] second_factor_roles)", "no role asks for one ([sign_in] second_factor_roles)"
        return Finding(what, "passed", zh, en)
    return Finding(what, "passed", "该有两步验证的账号都有", "every account that should have one has it")
