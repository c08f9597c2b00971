"""The users' second look: who has no password, who still has the one of the demo, which role nobody has."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from appliance.people.accounts import hash_password, password_fits, set_password
from appliance.people.roles import ROLE_NAMES, split_roles
from appliance.settings import load
from provisioning.home_commands import TECHNICIAN, opened
from provisioning.setup.facts import Facts
from provisioning.setup.passwords import new_password
from provisioning.setup.settings import change_settings
from provisioning.setup.step import Standing
from provisioning.setup.talk import Talk

KNOWN = ("wanmi-demo",)
"""Passwords that everybody knows: the demo's stands in the README."""
NEEDED = ("acceptor", "dispatcher", "shift_leader", "department", "collector")
"""Roles without which a case stops on its way."""
MIGHTY = frozenset(("admin", "technician"))
_ACCOUNTS = text("SELECT account, name, roles, password FROM account WHERE active ORDER BY account")


class Accounts:
    """Passwords and roles."""

    def standing(self, facts: Facts) -> Standing:
        if facts.settings is None or not facts.counts["accounts"]:
            return Standing(False, "没有账号", "no account")
        without, due = facts.counts["without_password"], facts.counts["new_password_due"]
        asked = facts.settings.sign_in.new_password_at_first_sign_in
        zh = f"无密码 {without},首次登录须换 {due if asked else 0}"
        return Standing(
            not without and asked, zh, f"{without} without a password, {due if asked else 0} due for a new one"
        )

    def run(self, home: Path, talk: Talk) -> None:
        for zh, en in found_odd(home):
            talk.tell(f"  ! {zh}", en)
        wanted = talk.yes("first_sign_in")
        if wanted != load(home).sign_in.new_password_at_first_sign_in:
            change_settings(home, {"sign_in.new_password_at_first_sign_in": wanted})
            talk.tell("✓ 首次登录须换密码: " + ("是" if wanted else "否"), "due at the first sign-in; restart the node")
        account = talk.ask("account")
        if account:
            self._change(home, account, talk)

    def _change(self, home: Path, account: str, talk: Talk) -> None:
        """What `wanmi users password` does."""
        given = talk.secret("password")
        with opened(home) as records:
            password = given or new_password(records.settings.sign_in.password_length)
            hashed = hash_password(password, records.settings.sign_in)
            records.write(lambda unit: set_password(unit, account, hashed, by=TECHNICIAN))
        shown = "" if given else f",只显示这一次: {password}"
        talk.tell(f"✓ {account} 的密码已更换{shown}", "the password was changed" + ("" if given else ", shown once"))


def found_odd(home: Path) -> list[tuple[str, str]]:
    """What is odd about the accounts, in both languages."""
    with opened(home) as records, records.read() as connection:
        rows = connection.execute(_ACCOUNTS).all()
    there = {role for row in rows for role in split_roles(row.roles)}
    odd = [
        (f"{row.account} 用的是人人知道的密码,请换", f"{row.account} has a password that everybody knows; change it")
        for row in rows
        if split_roles(row.roles) & MIGHTY and any(password_fits(row.password, known) for known in KNOWN)
    ]
    without = [row.account for row in rows if row.password is None]
    if without:
        named = "、".join(without[:10])
        odd.append((f"{len(without)} 个账号没有密码,不能登录: {named}", "accounts without a password cannot sign in"))
    odd += [
        (f"没有人是{ROLE_NAMES[role][0]}", f"nobody has the role {ROLE_NAMES[role][1]}")
        for role in NEEDED
        if role not in there
    ]
    return odd
