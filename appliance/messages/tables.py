"""The tables of messages: what departments are to be told, and how far the feed was read for it."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from appliance.records.base import identity, moment, only


class Message(SQLModel, table=True):
    """One message by one channel. `key` keeps an event from being told twice; `state` is waiting, sent, no_phone or
    given_up."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_key", "key", unique=True),
        Index("ix_message_waiting", "next_at", "id", **only("state = 'waiting'")),
        Index("ix_message_number", "number", "id"),
        Index("ix_message_at", "at"),
    )

    id: int = identity()
    key: str
    event: str
    number: str
    department: str
    phone: str
    channel: str
    text: str
    state: str
    at: int = moment(nullable=False)
    next_at: int = moment(nullable=False)
    tries: int = 0
    sent_at: int | None = moment()
    detail: str = ""


class MessageCursor(SQLModel, table=True):
    """How far the feed, and the due times, were looked through; the only row has id 1."""

    __tablename__ = "message_cursor"

    id: int = Field(primary_key=True)
    seq: int
    due: int = moment(nullable=False)
