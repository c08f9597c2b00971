"""Sheets of settlement that are kept, and whether an answer of a campaign was given outside the grid of its target."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Boolean, Column, String

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "settlement_sheet",
        Column("period", String(), primary_key=True),
        Column("closed_at", BigInteger(), nullable=False),
        Column("kept_at", BigInteger(), nullable=False),
        Column("contract", JSON(), nullable=False),
        Column("lines", JSON(), nullable=False),
    )
    op.add_column("campaign_answer", Column("outside", Boolean()))
