"""Sessions: a random token, of which only the SHA-256 is stored; looked up in memory at every request."""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sqlalchemy import Connection, text

from appliance.clock import HOUR, MINUTE
from appliance.errors import FieldError, Invalid, NotSignedIn
from appliance.people import accounts, second_factor
from appliance.people.actor import Actor, machine
from appliance.records.store import Records
from appliance.records.writer import Unit

FRESH_SECONDS = 5.0
"""For so long a session is believed without looking; so an ended account is out after this time at the latest."""

KEPT_AT_MOST = 10_000

_ACCOUNT = text("SELECT * FROM account WHERE account = :account")
_INSERT = text(
    "INSERT INTO session (token_hash, account, kind, created_at, expires_at) "
    "VALUES (:token_hash, :account, 'session', :now, :expires_at)"
)
_SESSION = text(
    "SELECT s.expires_at, a.* FROM session s JOIN account a ON a.account = s.account "
    "WHERE s.token_hash = :token_hash AND a.active"
)
_MACHINE_KEY = text(
    "SELECT name, role FROM api_key WHERE key_hash = :key_hash AND role IN ('device', 'wall') AND ended_at IS NULL"
)
_DELETE = text("DELETE FROM session WHERE token_hash = :token_hash")
_EXPIRED = text("DELETE FROM session WHERE expires_at < :now")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh session: the token is told once."""

    token: str
    actor: Actor
    expires_at: int
    new_password_due: bool
    second_factor_due: bool


KEY_ACCOUNT = "key:"
"""Begins the account of a key, so that a key named like a person is not that person."""


def token_hash(token: str) -> str:
    """Under which a token or key is stored."""
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    """Signing in and out, and the cache of who is behind a token."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._cache: dict[str, tuple[float, int | None, Actor]] = {}
        self._used: dict[str, int] = {}
        self._lock = threading.Lock()

    def sign_in(self, account: str, password: str, code: str = "") -> SignedIn:
        """Check a password (slow on purpose: call it in a thread) and open a session.

        Args:
            code: of the second factor: six digits or a recovery code; "" for none.

        Raises:
            NotSignedIn: wrong account or password. LockedOut: too many wrong ones.
            SecondFactorNeeded: the account has one and no code was given. SecondFactorWrong: the code is wrong or used.
        """
        stored = self._checked(account, password)
        opened = self._records.write(lambda unit: self._open(unit, stored, code))
        if opened is None:
            raise second_factor.wrong_code()
        return opened

    def change_password(self, account: str, old: str, new: str, token: str = "") -> None:
        """Change one's own password; the other sessions of the account end (slow: call it in a thread).

        Args:
            token: the session in which it is changed; it goes on.

        Raises:
            NotSignedIn: the old password is wrong. LockedOut: too many wrong ones.
            Invalid: the new one is too short, or the old one again.
        """
        self._checked(account, old)
        if new == old:
            raise Invalid(
                "新密码不能与旧密码相同。",
                "The new password must differ from the old one.",
                fields=(FieldError("new", "与旧密码相同", "the same as the old one"),),
            )
        hashed = accounts.hash_password(new, self._records.settings.sign_in, account)
        kept = token_hash(token)
        self._records.write(lambda unit: accounts.set_password(unit, account, hashed, by=account, kept_session=kept))
        self._forget(account, token)

    def _checked(self, account: str, password: str) -> Any:
        """The row of an active account whose password this is."""
        with self._records.read() as connection:
            row = connection.execute(_ACCOUNT, {"account": account}).one_or_none()
        stored: Any = None if row is None or not row.active else row._mapping
        accounts.check_lock(stored, self._records.clock.now())
        if not accounts.password_fits(stored["password"] if stored else None, password):
            rules = self._records.settings.sign_in
            self._records.write(lambda unit: accounts.note_attempt(unit, account, right=False, rules=rules))
            raise accounts.wrong_sign_in()
        return stored

    def find(self, token: str) -> Actor | None:
        """Who is behind a token, from memory; None when it has to be looked up."""
        entry = self._cache.get(token)
        if entry is None:
            return None
        read_at, expires_at, actor = entry
        if self._is_idle(token):
            return None
        if monotonic() - read_at > FRESH_SECONDS:
            return None
        if expires_at is not None and expires_at <= self._records.clock.now():
            return None
        self._used[token] = self._records.clock.now()
        return actor

    def look_up(self, connection: Connection, token: str) -> Actor:
        """Who is behind a session token or the key of a device or wall; keys of citizens' apps open Open311 only.

        Raises:
            NotSignedIn: unknown, ended, expired, or not used for longer than `[sign_in] idle_minutes`.
        """
        hashed = token_hash(token)
        row = connection.execute(_SESSION, {"token_hash": hashed}).one_or_none()
        now = self._records.clock.now()
        if row is not None and self._is_idle(token):
            raise NotSignedIn("太久没有操作,请重新登录。", "Nothing was done for too long; sign in again.")
        if row is not None and (row.expires_at is None or row.expires_at > now):
            self._used[token] = now
            actor = accounts.actor_from(connection, row._mapping)
            self._remember(token, row.expires_at, actor)
            return actor
        key = connection.execute(_MACHINE_KEY, {"key_hash": hashed}).one_or_none()
        if key is not None:
            actor = machine(key.role, f"{KEY_ACCOUNT}{key.name}", key.name)
            self._remember(token, None, actor)
            return actor
        raise NotSignedIn("登录已失效,请重新登录。", "The session has ended; sign in again.")

    def sign_out(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._cache.pop(token, None)
            self._used.pop(token, None)
        self._records.write(lambda unit: unit.connection.execute(_DELETE, {"token_hash": token_hash(token)}) and None)

    def _open(self, unit: Unit, row: Any, code: str) -> SignedIn | None:
        """A session, or None for a wrong code; that is counted like a wrong password, in the same transaction."""
        rules = self._records.settings.sign_in
        present = unit.connection.execute(_ACCOUNT, {"account": row["account"]}).one_or_none()
        if present is None or not present.active or present.password != row["password"]:
            raise accounts.wrong_sign_in()  # it changed while the password was being checked
        accounts.check_lock(present._mapping, unit.now)  # many codes may be tried at once
        right = second_factor.take_code(unit, self._records.home, row["account"], code)
        accounts.note_attempt(unit, row["account"], right=right, rules=rules)
        if not right:
            return None
        unit.connection.execute(_EXPIRED, {"now": unit.now})
        token = secrets.token_urlsafe(32)
        expires_at = unit.now + round(rules.session_hours * HOUR)
        values = {"token_hash": token_hash(token), "account": row["account"], "now": unit.now, "expires_at": expires_at}
        unit.connection.execute(_INSERT, values)
        actor = accounts.actor_from(unit.connection, row)
        due = bool(row["new_password_due"]) and rules.new_password_at_first_sign_in
        return SignedIn(token, actor, expires_at, due, second_factor.is_due(unit.connection, row, rules))

    def _forget(self, account: str, kept: str) -> None:
        """Drop an account's sessions from memory, but for the token that goes on."""
        with self._lock:
            gone = [token for token, entry in self._cache.items() if entry[2].account == account and token != kept]
            for token in gone:
                del self._cache[token]

    def _is_idle(self, token: str) -> bool:
        """Whether a session was left alone for too long; one that this process has not seen yet begins now."""
        minutes, used = self._records.settings.sign_in.idle_minutes, self._used.get(token)
        return bool(minutes) and used is not None and self._records.clock.now() - used > minutes * MINUTE

    def _remember(self, token: str, expires_at: int | None, actor: Actor) -> None:
        with self._lock:
            if len(self._cache) >= KEPT_AT_MOST:
                self._cache.clear()
                self._forget_old()
            self._cache[token] = (monotonic(), expires_at, actor)

    def _forget_old(self) -> None:
        """Drop when sessions were used that have ended by their time."""
        oldest = self._records.clock.now() - round(self._records.settings.sign_in.session_hours * HOUR)
        for token in [token for token, used in list(self._used.items()) if used < oldest]:
            self._used.pop(token, None)
