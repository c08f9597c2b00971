"""The tables of the records themselves: the change feed, its counter, administrative acts, answered requests."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from appliance.records.base import document, identity, moment


class Change(SQLModel, table=True):
    """One change of one record. It says what changed, not its content; numbered without gaps."""

    __tablename__ = "change"
    __table_args__ = (Index("ix_change_type_seq", "type", "seq"),)

    seq: int = identity()
    type: str
    id: str
    op: str
    at: int = moment(nullable=False)


class Feed(SQLModel, table=True):
    """The feed's name and its last number; the only row has id 1. A restore gives the feed a new name."""

    __tablename__ = "feed"

    id: int = Field(primary_key=True)
    name: str
    last: int = 0
    first: int = 1


class AdminAct(SQLModel, table=True):
    """An act that is not about one case: imports, accounts, settings. Chained like the history of cases."""

    __tablename__ = "admin_act"

    id: int = identity()
    at: int = moment(nullable=False)
    actor: str
    act: str
    subject: str
    detail: dict = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    hash: str
    previous: str


class IdempotentAnswer(SQLModel, table=True):
    """A create that was answered under an Idempotency-Key: the same key again gets the same case."""

    __tablename__ = "idempotent_answer"

    account: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    body_digest: str
    number: str
    at: int = moment(nullable=False)
