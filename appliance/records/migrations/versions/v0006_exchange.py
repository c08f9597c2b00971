"""The exchange with the prefecture: clients and their cursors, what was forgotten of the feed, replicas."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, String

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exchange_client",
        Column("link", String(), primary_key=True),
        Column("client", String(), primary_key=True),
        Column("feed", String(), nullable=False),
        Column("cursor", BigInteger(), nullable=False),
        Column("last_pull", BigInteger(), nullable=False),
    )
    op.create_table(
        "forgotten_change",
        Column("type", String(), primary_key=True),
        Column("seq", BigInteger(), nullable=False),
    )
    op.create_table(
        "replica",
        Column("id", Integer(), primary_key=True),
        Column("county", String(), nullable=False),
        Column("feed", String(), nullable=False),
        Column("cursor", BigInteger(), nullable=False),
        Column("type", String()),
        Column("key", String()),
        Column("items", BigInteger(), nullable=False),
        Column("pulled_at", BigInteger()),
    )
