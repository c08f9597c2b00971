"""What accounts let the doctor check: passwords that anybody could guess, or that were only lent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text

from appliance.doctor import Finding
from appliance.errors import BadHome
from appliance.people.accounts import password_fits
from appliance.records.store import glance

KNOWN = ("wanmi-demo", "12345678", "admin123", "wanmi123", "password")
"""The demo county's, and those that technicians leave behind."""
LOOKED_AT = 6
_POWERFUL = text(
    "SELECT account, password FROM account WHERE active AND password IS NOT NULL "
    "AND (roles LIKE '%admin%' OR roles LIKE '%technician%') ORDER BY created_at LIMIT :most"
)
_LENT = text("SELECT count(*) FROM account WHERE active AND new_password_due")


def check_people(home: Path) -> Iterator[Finding]:
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
        yield Finding("people.passwords", "failed", zh, en)
    elif lent:
        zh, en = f"{lent} 个账号还没换掉初始密码", f"{lent} accounts still have their first password"
        yield Finding("people.passwords", "warning", zh, en)
    else:
        yield Finding("people.passwords", "passed", "没有众所周知的密码", "no password that everybody knows")
