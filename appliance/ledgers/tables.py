"""The table of the registers: what people enter by a form, and how it was closed."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import SQLModel

from appliance.records.base import document, identity, moment


class LedgerEntry(SQLModel, table=True):
    """One entry of a register. `entered` are the fields of its form; they stay, closing adds to them."""

    __tablename__ = "ledger_entry"
    __table_args__ = (Index("ix_ledger_entry_ledger", "ledger", "at"), Index("ix_ledger_entry_number", "number"))

    id: int = identity()
    ledger: str
    number: str | None = None
    entered: dict = document()  # type: ignore[type-arg]  # SQLModel cannot resolve a parametrised dict here
    note: str = ""
    entered_by: str
    at: int = moment(nullable=False)
    closing: dict = document(nullable=True)  # type: ignore[type-arg]  # as above
    closed_by: str | None = None
    closed_at: int | None = moment()
