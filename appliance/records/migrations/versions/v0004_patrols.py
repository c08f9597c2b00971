"""What became of the walked patrol plan, by duty grid and day."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Column, Integer, String

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "patrol_day",
        Column("day", String(), primary_key=True),
        Column("duty_grid", String(), primary_key=True),
        Column("collector", String()),
        Column("rounds_due", Integer(), nullable=False),
        Column("rounds_done", Integer(), nullable=False),
        Column("grids", Integer(), nullable=False),
        Column("needed", Integer(), nullable=False),
        Column("passed", Integer(), nullable=False),
        Column("last_at", BigInteger()),
        Column("last_by", String()),
        Column("walkers", JSON(), nullable=False),
        Column("rounds", JSON(), nullable=False),
        Column("counted_at", BigInteger(), nullable=False),
    )
