"""Accounts: who may sign in, with which roles; passwords as argon2id hashes, locked out after wrong ones."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, text

from appliance.clock import MINUTE
from appliance.errors import Conflict, FieldError, Invalid, LockedOut, NotFound, NotSignedIn, UnknownCode
from appliance.nearest import nearest
from appliance.people import second_factor
from appliance.people.actor import Actor
from appliance.people.departments import subtree
from appliance.people.passwords import check_password
from appliance.people.roles import joined_roles, split_roles
from appliance.records.acts import append_act
from appliance.records.writer import Unit
from appliance.sign_in_settings import SignIn

MACHINE_ACCOUNTS = frozenset(("public", "prefecture", "device", "clock", "technician"))
"""Written as actors of history rows and acts; no person has them."""

_ACCOUNT = text("SELECT * FROM account WHERE account = :account")
_LIST = text(
    "SELECT account, name, roles, department, phone, active, EXISTS (SELECT 1 FROM second_factor AS given "
    "WHERE given.account = account.account) AS second_factor FROM account ORDER BY account"
)
_DUTY_GRIDS = text("SELECT code FROM duty_grid WHERE collector = :account AND valid_to IS NULL")
_INSERT = text(
    "INSERT INTO account (account, name, roles, department, phone, password, new_password_due, active, "
    "wrong_passwords, created_at) VALUES (:account, :name, :roles, :department, :phone, :password, :new_password_due, "
    "true, 0, :now)"
)
_PASSWORD = text(
    "UPDATE account SET password = :password, new_password_due = false, wrong_passwords = 0, locked_until = NULL "
    "WHERE account = :account"
)
_WRONG = text("UPDATE account SET wrong_passwords = :count, locked_until = :until WHERE account = :account")
_RIGHT = text("UPDATE account SET wrong_passwords = 0, locked_until = NULL WHERE account = :account")
_END_SESSIONS = text("DELETE FROM session WHERE account = :account AND token_hash <> :kept")
_DEACTIVATE = text("UPDATE account SET active = false, ended_at = :now WHERE account = :account")


def hash_password(password: str, rules: SignIn, account: str = "") -> str:
    """The argon2id hash of a password; slow on purpose, so call it outside the writer.

    Raises:
        Invalid: it is guessed easily (`check_password`).
    """
    check_password(password, rules, account)
    return str(_hasher().hash(password))


def password_fits(stored: str | None, password: str) -> bool:
    """Whether a password is the one of a hash; takes as long for an account without one."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return bool(_hasher().verify(stored or _dummy_hash(), password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def actor_of(connection: Connection, account: str) -> Actor:
    """The person behind an active account.

    Raises:
        UnknownCode: no such account, or it is not active; the nearest ones are named.
    """
    row = connection.execute(_ACCOUNT, {"account": account}).one_or_none()
    if row is None or not row.active:
        known = connection.execute(text("SELECT account || ' ' || name FROM account WHERE active")).scalars()
        near = nearest(account, known)
        raise UnknownCode(
            f"没有在用的账号 {account}。" + (f"最接近的: {'、'.join(near)}。" if near else ""),
            f"There is no active account {account}." + (f" Nearest: {', '.join(near)}." if near else ""),
            fields=(FieldError("account", f"没有账号 {account}", f"no account {account}", near),),
        )
    return actor_from(connection, row._mapping)


def actor_from(connection: Connection, row: Any) -> Actor:
    """The person of an account row, with its department's subtree and duty grids."""
    roles = split_roles(row["roles"])
    grids: frozenset[str] = frozenset()
    if "collector" in roles:
        grids = frozenset(connection.execute(_DUTY_GRIDS, {"account": row["account"]}).scalars())
    below = subtree(connection, row["department"]) if row["department"] and "department" in roles else frozenset()
    return Actor(row["account"], row["name"], roles, row["department"], below, grids)


def is_account_name(account: str) -> bool:
    """Whether somebody may have this account: no blank, bar or colon, none kept for machines."""
    return account not in MACHINE_ACCOUNTS and not any(sign.isspace() or sign in "|:" for sign in account)


def add_account(
    unit: Unit,
    *,
    account: str,
    name: str,
    roles: frozenset[str],
    by: str,
    department: str | None = None,
    phone: str | None = None,
    password_hash: str | None = None,
    new_password_due: bool = False,
) -> None:
    """Make an account.

    Raises:
        Conflict: the account exists. UnknownCode: an unknown role or department. Invalid: an empty name, or an account
            that nobody may have.
    """
    if not account.strip() or not name.strip():
        raise Invalid("账号和姓名不能为空。", "Account and name must not be empty.")
    if not is_account_name(account):
        raise Invalid(
            f"账号“{account}”不能有空格、竖线、冒号,也不能是系统保留的账号。",
            f"The account '{account}' must have no blank, bar or colon and be none that is kept for the system.",
        )
    if unit.connection.execute(_ACCOUNT, {"account": account}).one_or_none() is not None:
        raise Conflict(f"账号 {account} 已存在。", f"The account {account} exists already.")
    stored_roles = joined_roles(roles)
    if department is not None:
        _require_department(unit.connection, department)
    unit.connection.execute(
        _INSERT,
        {
            "account": account, "name": name, "roles": stored_roles, "department": department, "phone": phone,
            "password": password_hash, "new_password_due": new_password_due, "now": unit.now,
        },
    )  # fmt: skip
    append_act(unit, by, "account.add", account, {"roles": stored_roles, "department": department})


def set_password(unit: Unit, account: str, password_hash: str, *, by: str, kept_session: str = "") -> None:
    """Give an account a new password, unlock it, and end its sessions.

    Args:
        kept_session: the token hash of the one session that goes on: the one in which the password is changed.

    Raises:
        NotFound: no such account.
    """
    _require_account(unit.connection, account)
    unit.connection.execute(_PASSWORD, {"account": account, "password": password_hash})
    unit.connection.execute(_END_SESSIONS, {"account": account, "kept": kept_session})
    append_act(unit, by, "account.password", account)


def deactivate(unit: Unit, account: str, *, by: str) -> None:
    """End an account; its name stays in the history.

    Raises:
        NotFound: no such account.
    """
    _require_account(unit.connection, account)
    unit.connection.execute(_DEACTIVATE, {"account": account, "now": unit.now})
    unit.connection.execute(_END_SESSIONS, {"account": account, "kept": ""})
    second_factor.remove(unit, account)
    append_act(unit, by, "account.end", account)


def list_accounts(connection: Connection, *, role: str | None = None, ended: bool = False) -> list[dict[str, Any]]:
    """Accounts by name of account, without anything secret.

    Args:
        role: only those with this role.
        ended: also the ones that are not active any more.
    """
    rows = connection.execute(_LIST).mappings()
    found = [
        {
            **row, "roles": sorted(split_roles(row["roles"])), "active": bool(row["active"]),
            "second_factor": bool(row["second_factor"]),
        }
        for row in rows
    ]  # fmt: skip
    return [row for row in found if (role is None or role in row["roles"]) and (ended or row["active"])]


def check_lock(row: Any, now: int) -> None:
    """Refuse an account that is locked.

    Raises:
        LockedOut: `retry_after` in seconds.
    """
    if row is not None and row["locked_until"] is not None and row["locked_until"] > now:
        seconds = (row["locked_until"] - now) // 1_000_000 + 1
        raise LockedOut(
            f"密码错误次数过多,账号已锁定;请 {seconds} 秒后再试。",
            f"Too many wrong passwords; the account is locked. Try again in {seconds} seconds.",
            retry_after=seconds,
        )


def note_attempt(unit: Unit, account: str, *, right: bool, rules: SignIn) -> None:
    """Note a sign-in attempt: a right one clears the count, too many wrong ones lock the account."""
    row = unit.connection.execute(_ACCOUNT, {"account": account}).one_or_none()
    if row is None:
        return
    if right:
        if row.wrong_passwords or row.locked_until:
            unit.connection.execute(_RIGHT, {"account": account})
        return
    count = row.wrong_passwords + 1
    locked = count >= rules.wrong_passwords
    until = unit.now + round(rules.lock_minutes * MINUTE) if locked else None
    unit.connection.execute(_WRONG, {"account": account, "count": 0 if locked else count, "until": until})
    if locked:
        append_act(unit, account, "account.locked", account)


def wrong_sign_in() -> NotSignedIn:
    """The one answer to a wrong account and to a wrong password."""
    return NotSignedIn("账号或密码不对。", "Wrong account or password.")


def _require_account(connection: Connection, account: str) -> None:
    if connection.execute(_ACCOUNT, {"account": account}).one_or_none() is None:
        raise NotFound(f"没有账号 {account}。", f"There is no account {account}.")


def _require_department(connection: Connection, code: str) -> None:
    rows = connection.execute(text("SELECT code, name FROM department WHERE ended_at IS NULL")).all()
    if any(row.code == code for row in rows):
        return
    near = nearest(code, [f"{row.code} {row.name}" for row in rows])
    raise UnknownCode(
        f"没有部门 {code}。" + (f"最接近的: {'、'.join(near)}。" if near else "请先导入部门。"),
        f"There is no department {code}." + (f" Nearest: {', '.join(near)}." if near else " Import departments first."),
        fields=(FieldError("department", f"没有部门 {code}", f"no department {code}", near),),
    )


@cache
def _hasher() -> Any:
    from argon2 import PasswordHasher  # loads a C library that most commands never need

    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _dummy_hash() -> str:
    return str(_hasher().hash("no account has this password"))
