"""Departments, accounts, roles, sessions."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from appliance.records.base import document, moment


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


class Session(SQLModel, table=True):
    """A signed-in session; only the SHA-256 of its token is kept."""

    __tablename__ = "session"
    __table_args__ = (Index("ix_session_account", "account"), Index("ix_session_expires_at", "expires_at"))

    token_hash: str = Field(primary_key=True)
    account: str
    kind: str = "session"
    created_at: int = moment(nullable=False)
    expires_at: int | None = moment()


class ApiKey(SQLModel, table=True):
    """A key of another system: Open311 clients, the device agent. Only its SHA-256 is kept."""

    __tablename__ = "api_key"

    key_hash: str = Field(primary_key=True)
    name: str
    role: str
    source: str | None = None
    created_at: int = moment(nullable=False)
    ended_at: int | None = moment()
