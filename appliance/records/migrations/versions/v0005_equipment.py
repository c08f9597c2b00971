"""Commands to devices, and messages to departments."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, String

from appliance.records.base import only

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "device_command",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("device", String(), nullable=False),
        Column("action", String(), nullable=False),
        Column("value", String()),
        Column("account", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("answered_at", BigInteger()),
        Column("ok", Boolean()),
        Column("answer", JSON()),
        Column("zh", String(), nullable=False),
        Column("en", String(), nullable=False),
    )
    op.create_index("ix_device_command_waiting", "device_command", ["id"], **only("answered_at IS NULL"))
    op.create_table(
        "message",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("key", String(), nullable=False),
        Column("event", String(), nullable=False),
        Column("number", String(), nullable=False),
        Column("department", String(), nullable=False),
        Column("phone", String(), nullable=False),
        Column("channel", String(), nullable=False),
        Column("text", String(), nullable=False),
        Column("state", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("next_at", BigInteger(), nullable=False),
        Column("tries", Integer(), nullable=False),
        Column("sent_at", BigInteger()),
        Column("detail", String(), nullable=False),
    )
    op.create_index("ix_message_key", "message", ["key"], unique=True)
    op.create_index("ix_message_waiting", "message", ["next_at", "id"], **only("state = 'waiting'"))
    op.create_index("ix_message_number", "message", ["number", "id"])
    op.create_index("ix_message_at", "message", ["at"])
    op.create_table(
        "message_cursor",
        Column("id", Integer(), primary_key=True),
        Column("seq", Integer(), nullable=False),
        Column("due", BigInteger(), nullable=False),
    )
