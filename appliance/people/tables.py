"""Departments, accounts, roles, sessions, shifts."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from appliance.records.base import document, identity, moment, only


class Department(SQLModel, table=True):
    """A responsible unit. Units form a tree by `parent`; an ended unit keeps its row."""

    __tablename__ = "department"
    __table_args__ = (Index("ix_department_parent", "parent"),)

    code: str = Field(primary_key=True)
    name: str
    parent: str | None = None
    phone: str | None = None
    group: str | None = Field(default=None, sa_column_kwargs={"name": "duty_group"})
    area: str | None = None
    upper_code: str | None = None
    attributes: dict = document(nullable=True)  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    ended_at: int | None = moment()


class Account(SQLModel, table=True):
    """Somebody who signs in. `roles` is sorted and joined by `|`; the password is an argon2id hash."""

    __tablename__ = "account"
    __table_args__ = (Index("ix_account_department", "department"),)

    account: str = Field(primary_key=True)
    name: str
    roles: str
    department: str | None = None
    phone: str | None = None
    password: str | None = None
    new_password_due: bool = False
    active: bool = True
    wrong_passwords: int = 0
    locked_until: int | None = moment()
    created_at: int = moment(nullable=False)
    ended_at: int | None = moment()


class Session(SQLModel, table=True):
    """A signed-in session; only the SHA-256 of its token is kept."""

    __tablename__ = "session"
    __table_args__ = (Index("ix_session_account", "account"), Index("ix_session_expires_at", "expires_at"))

    token_hash: str = Field(primary_key=True)
    account: str
    kind: str = "session"
    created_at: int = moment(nullable=False)
    expires_at: int | None = moment()


class SecondFactor(SQLModel, table=True):
    """The second factor of an account: its secret, encrypted with a key that is no part of the database.

    `last_step` is the step of time (30 s) of the code that was used last: none is good twice.
    """

    __tablename__ = "second_factor"

    account: str = Field(primary_key=True)
    secret: str
    last_step: int | None = moment()
    created_at: int = moment(nullable=False)


class RecoveryCode(SQLModel, table=True):
    """A recovery code that was not used yet; only a keyed digest of it is kept."""

    __tablename__ = "recovery_code"
    __table_args__ = (Index("ix_recovery_code_account", "account"),)

    code_hash: str = Field(primary_key=True)
    account: str


class ApiKey(SQLModel, table=True):
    """A key of another system: Open311 clients, the device agent. Only its SHA-256 is kept."""

    __tablename__ = "api_key"

    key_hash: str = Field(primary_key=True)
    name: str
    role: str
    source: str | None = None
    created_at: int = moment(nullable=False)
    ended_at: int | None = moment()


class AccountSetting(SQLModel, table=True):
    """A preference of one account: saved views, the console's habits. `value` is a JSON text."""

    __tablename__ = "account_setting"

    account: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str
    at: int = moment(nullable=False)


class Shift(SQLModel, table=True):
    """Somebody's turn at the desk, from signing on to signing off; `day` is the day on which the turn begins."""

    __tablename__ = "shift"
    __table_args__ = (
        Index("ix_shift_open", "account", unique=True, **only("ended_at IS NULL")),
        Index("ix_shift_account", "account", "id"),
    )

    id: int = identity()
    account: str
    turn: str
    day: str
    seat: str
    started_at: int = moment(nullable=False)
    ended_at: int | None = moment()


class RosterDay(SQLModel, table=True):
    """Who is to work which turn on which day; `key` is `day:account`, so one turn a day for each account."""

    __tablename__ = "roster"
    __table_args__ = (Index("ix_roster_day", "day", "account"),)

    key: str = Field(primary_key=True)
    day: str
    account: str
    turn: str


class Handover(SQLModel, table=True):
    """What a shift left behind for the next one: free text, and what was open at that moment (numbers of cases)."""

    __tablename__ = "handover"
    __table_args__ = (Index("ix_handover_waiting", "id", **only("confirmed_at IS NULL")),)

    id: int = identity()
    shift_id: int = Field(sa_column_kwargs={"unique": True})
    account: str
    at: int = moment(nullable=False)
    note: str
    items: dict = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    confirmed_by: str | None = None
    confirmed_at: int | None = moment()


class ShiftLog(SQLModel, table=True):
    """One line of the shifts' log. Appended, never edited; `subject` names a camera, a call, a handover."""

    __tablename__ = "shift_log"
    __table_args__ = (Index("ix_shift_log_kind", "kind", "id"), Index("ix_shift_log_shift", "shift_id", "id"))

    id: int = identity()
    at: int = moment(nullable=False)
    account: str
    shift_id: int | None = None
    kind: str
    subject: str = ""
    text: str = ""


class Training(SQLModel, table=True):
    """A course, an exam or a skill grade of an account."""

    __tablename__ = "training"
    __table_args__ = (Index("ix_training_account", "account", "day"),)

    id: int = identity()
    account: str
    kind: str
    name: str
    day: str
    points: float | None = None
    grade: str | None = None
    entered_by: str
    at: int = moment(nullable=False)
