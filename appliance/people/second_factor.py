"""The second factor of a sign-in: six digits that change every 30 s (RFC 6238), or a recovery code, each good once.

The secret stands in the database encrypted, the recovery codes as keyed digests; the key is a file of the home, so that
who reads the database alone can neither make a code nor try one.
"""

from __future__ import annotations

import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from appliance.clock import SECOND
from appliance.errors import Broken, Conflict, NotFound, SecondFactorNeeded, SecondFactorWrong
from appliance.exchange.links import write_private
from appliance.people.roles import split_roles
from appliance.records.acts import append_act
from appliance.records.writer import Unit
from appliance.sign_in_settings import SignIn

KEY = Path("keys") / "second-factor.key"
STEP = 30 * SECOND
"""A code is of one step of time; RFC 6238 recommends 30 s."""
DRIFT = 1
"""Steps by which a telephone's clock may be wrong, either way (RFC 6238, 5.2)."""
RECOVERY_CODES, GROUPS, GROUP = 10, 3, 4
SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without those that are taken for another on paper."""
_DIGITS = re.compile(r"[0-9]{6}")
_BETWEEN = re.compile(r"[\s-]+")

_ACCOUNT = text("SELECT account, name, active FROM account WHERE account = :account")
_FACTOR = text("SELECT account, secret, last_step FROM second_factor WHERE account = :account")
_ADD = text("INSERT INTO second_factor (account, secret, created_at) VALUES (:account, :secret, :now)")
_ADD_CODE = text("INSERT INTO recovery_code (code_hash, account) VALUES (:code_hash, :account)")
_USED = text("UPDATE second_factor SET last_step = :step WHERE account = :account")
_TAKE_CODE = text("DELETE FROM recovery_code WHERE code_hash = :code_hash AND account = :account")
_CODES_LEFT = text("SELECT count(*) FROM recovery_code WHERE account = :account")
_DROP = text("DELETE FROM second_factor WHERE account = :account")
_DROP_CODES = text("DELETE FROM recovery_code WHERE account = :account")
_END_SESSIONS = text("DELETE FROM session WHERE account = :account")
_LACKING = text(
    "SELECT account, roles FROM account WHERE active AND account NOT IN (SELECT account FROM second_factor) "
    "ORDER BY account"
)
_SECRETS = text("SELECT account, secret FROM second_factor ORDER BY account")


@dataclass(frozen=True, slots=True)
class Given:
    """What is shown once: the address for the telephone's app, and the recovery codes."""

    uri: str
    recovery_codes: tuple[str, ...]


def ensure_key(home: Path) -> None:
    """Make the key where there is none."""
    from cryptography.fernet import Fernet  # loads a C library that most commands never need

    if not (home / KEY).exists():
        write_private(home / KEY, Fernet.generate_key())


def turn_on(unit: Unit, home: Path, account: str, county: str, *, by: str) -> Given:
    """Give an account a second factor and end its sessions; the key must be there (`ensure_key`).

    Args:
        county: the name under which the telephone's app shows it.

    Raises:
        NotFound: no such account in use. Conflict: it has one already. Broken: there is no key.
    """
    import pyotp

    row = unit.connection.execute(_ACCOUNT, {"account": account}).one_or_none()
    if row is None or not row.active:
        raise NotFound(f"没有在用的账号 {account}。", f"There is no active account {account}.")
    if unit.connection.execute(_FACTOR, {"account": account}).one_or_none() is not None:
        raise Conflict(
            f"账号 {account} 已有两步验证;换手机请先 wanmi users second-factor {account} off。",
            f"The account {account} has a second factor already; for another telephone first run wanmi users "
            f"second-factor {account} off.",
        )
    key, secret = _key_of(home), pyotp.random_base32()
    codes = tuple(_new_code() for _ in range(RECOVERY_CODES))
    sealed = _sealing(key).encrypt(secret.encode()).decode()
    unit.connection.execute(_ADD, {"account": account, "secret": sealed, "now": unit.now})
    for code in codes:
        unit.connection.execute(_ADD_CODE, {"code_hash": _digest(key, account, code), "account": account})
    unit.connection.execute(_END_SESSIONS, {"account": account})
    append_act(unit, by, "account.second_factor.on", account)
    return Given(pyotp.TOTP(secret, name=account, issuer=f"Wanmi {county}").provisioning_uri(), codes)


def turn_off(unit: Unit, account: str, *, by: str) -> None:
    """Take an account's second factor away.

    Raises:
        NotFound: it has none.
    """
    if not remove(unit, account):
        raise NotFound(f"账号 {account} 没有两步验证。", f"The account {account} has no second factor.")
    append_act(unit, by, "account.second_factor.off", account)


def remove(unit: Unit, account: str) -> bool:
    """Forget secret and recovery codes of an account; whether there were any."""
    unit.connection.execute(_DROP_CODES, {"account": account})
    return unit.connection.execute(_DROP, {"account": account}).rowcount > 0


def has_second_factor(connection: Connection, account: str) -> bool:
    """Whether an account has a second factor."""
    return connection.execute(_FACTOR, {"account": account}).one_or_none() is not None


def is_due(connection: Connection, row: Any, rules: SignIn) -> bool:
    """Whether an account has a role that asks for a second factor, and none yet."""
    asked = not split_roles(row["roles"]).isdisjoint(rules.second_factor_roles)
    return asked and not has_second_factor(connection, row["account"])


def lacking(connection: Connection, rules: SignIn) -> list[str]:
    """The accounts in use whose role asks for a second factor and that have none."""
    return [row["account"] for row in connection.execute(_LACKING).mappings() if is_due(connection, row, rules)]


def unreadable(connection: Connection, home: Path) -> list[str]:
    """The accounts whose secret cannot be read with the key of the home, so that no code of theirs is right."""
    ill = []
    for row in connection.execute(_SECRETS):
        try:
            _secret_of(_key_of(home), row)
        except Broken:
            ill.append(row.account)
    return ill


def take_code(unit: Unit, home: Path, account: str, given: str) -> bool:
    """Whether a code is right for an account that has a second factor; a right one is used up.

    Raises:
        SecondFactorNeeded: no code was given. Broken: the key of the home is missing or another one.
    """
    row = unit.connection.execute(_FACTOR, {"account": account}).one_or_none()
    if row is None:
        return True
    code = plain(given)
    if not code:
        raise needed()
    key = _key_of(home)
    if not _DIGITS.fullmatch(code):
        return _take_recovery_code(unit, key, account, code)
    step = step_of(_secret_of(key, row), code, unit.now, row.last_step)
    if step is None:
        return False
    unit.connection.execute(_USED, {"account": account, "step": step})
    return True


def plain(given: str) -> str:
    """A code as it is compared, however it was typed: full-width digits, blanks, hyphens, small letters."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", given)).upper()


def step_of(secret: str, code: str, now: int, last: int | None) -> int | None:
    """The step of time of which a code of six digits is, within the drift; None for a wrong or used one.

    Args:
        secret: base32. now: in microseconds. last: the step of the code that was used last, None for none.
    """
    import pyotp

    device, present = pyotp.TOTP(secret), now // STEP
    for step in range(max(present - DRIFT, 0), present + DRIFT + 1):
        if hmac.compare_digest(device.generate_otp(step), code) and (last is None or step > last):
            return step
    return None


def needed() -> SecondFactorNeeded:
    """What is answered to a right password without a code."""
    return SecondFactorNeeded(
        "还需要验证码:请输入手机上的六位数字,或一个备用码 (code)。",
        "A code is needed too: six digits from the telephone, or a recovery code (code).",
    )


def wrong_code() -> SecondFactorWrong:
    """What is answered to a right password with a wrong code."""
    return SecondFactorWrong(
        "验证码不对或已用过;请等下一个六位数字,或用备用码。",
        "The code is wrong or was used; wait for the next six digits, or use a recovery code.",
    )


def _take_recovery_code(unit: Unit, key: bytes, account: str, code: str) -> bool:
    values = {"code_hash": _digest(key, account, code), "account": account}
    if unit.connection.execute(_TAKE_CODE, values).rowcount == 0:
        return False
    left = unit.connection.execute(_CODES_LEFT, {"account": account}).scalar_one()
    append_act(unit, account, "account.recovery_code", account, {"left": left})
    return True


def _new_code() -> str:
    return "-".join("".join(secrets.choice(SIGNS) for _ in range(GROUP)) for _ in range(GROUPS))


def _digest(key: bytes, account: str, code: str) -> str:
    return hmac.digest(key, f"{account}:{plain(code)}".encode(), "sha256").hex()


def _key_of(home: Path) -> bytes:
    try:
        return (home / KEY).read_bytes().strip()
    except OSError as error:
        raise _no_key(home) from error


def _sealing(key: bytes) -> Any:
    from cryptography.fernet import Fernet

    return Fernet(key)


def _secret_of(key: bytes, row: Any) -> str:
    from cryptography.fernet import InvalidToken

    try:
        return str(_sealing(key).decrypt(row.secret.encode()).decode())
    except (InvalidToken, ValueError) as error:
        raise Broken(
            f"{KEY} 不是账号 {row.account} 的密钥;请恢复原文件,或 wanmi users second-factor {row.account} off。",
            f"{KEY} is not the key of the second factor of {row.account}; bring the file back, or run wanmi users "
            f"second-factor {row.account} off.",
        ) from error


def _no_key(home: Path) -> Broken:
    return Broken(
        f"读不到两步验证的密钥 {home / KEY};请恢复该文件,或用 wanmi users second-factor 账号 off 停用。",
        f"The key of second factors {home / KEY} cannot be read; bring it back, or turn them off with wanmi users "
        f"second-factor ACCOUNT off.",
    )
