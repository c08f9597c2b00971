"""The shapes of the ledgers on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec


class LedgerOut(msgspec.Struct):
    """A ledger in a period: rows, cases, their share of what, and how it stands to the county's limit."""

    ledger: str
    name: str
    english: str
    kind: Literal["action", "behalf", "register", "callback"]
    rows: int
    cases: int
    share_of: str | None
    share: float | None
    limit: float | None
    standing: Literal["within", "near", "passed"] | None


class Ledgers(msgspec.Struct):
    """Every ledger."""

    period: str
    items: list[LedgerOut]


class LedgerRow(msgspec.Struct):
    """A row: of a history (action, who, note), or of a register (fields, closing)."""

    id: int
    number: str | None
    case: str | None
    address: str | None
    state: str | None
    department: str | None
    at: datetime
    actor: str
    note: str | None
    action: str | None = None
    actor_name: str | None = None
    role: str | None = None
    on_behalf_of: str | None = None
    fields: dict[str, Any] | None = None
    closing: dict[str, Any] | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None


class LedgerPage(msgspec.Struct):
    """A page of a ledger, oldest first."""

    ledger: str
    period: str
    items: list[LedgerRow]
    next: str | None


class FormFieldOut(msgspec.Struct):
    """A field of a register's form; `at` is `entry` or `close`."""

    field: str
    name: str
    english: str
    type: Literal["text", "moment", "money", "department", "cases"]
    needed: bool
    at: Literal["entry", "close"]


class FormOut(msgspec.Struct):
    """The form of a register."""

    ledger: str
    name: str
    english: str
    fields: list[FormFieldOut]


class Forms(msgspec.Struct):
    """The registers that people fill."""

    items: list[FormOut]


class Entered(msgspec.Struct):
    """The key of an entry."""

    id: int
