"""The second factor of an account, and its recovery codes."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, String

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "second_factor",
        Column("account", String(), primary_key=True),
        Column("secret", String(), nullable=False),
        Column("last_step", BigInteger()),
        Column("created_at", BigInteger(), nullable=False),
    )
    op.create_table(
        "recovery_code",
        Column("code_hash", String(), primary_key=True),
        Column("account", String(), nullable=False),
    )
    op.create_index("ix_recovery_code_account", "recovery_code", ["account"])
