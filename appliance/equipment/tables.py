"""The tables of equipment: commands to devices and what came of them. How devices stand is not kept (`board.py`)."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from appliance.records.base import document, identity, moment, only

WAITING = "answered_at IS NULL"


class DeviceCommand(SQLModel, table=True):
    """A command to a device; `ok` and `answer` are what the agent told. Appended, answered once, kept as a ledger."""

    __tablename__ = "device_command"
    __table_args__ = (Index("ix_device_command_waiting", "id", **only(WAITING)),)

    id: int = identity()
    device: str
    action: str
    value: str | None = None
    account: str
    at: int = moment(nullable=False)
    answered_at: int | None = moment()
    ok: bool | None = Field(default=None)
    answer: dict = document(nullable=True)  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    zh: str = ""
    en: str = ""
