"""The runs of jobs; who had a duty grid when; when an account was ended."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, String

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.add_column("account", Column("ended_at", BigInteger()))
    op.create_table(
        "job_run",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("name", String(), nullable=False),
        Column("planned_at", BigInteger()),
        Column("started_at", BigInteger(), nullable=False),
        Column("ended_at", BigInteger()),
        Column("by", String(), nullable=False),
        Column("ok", Boolean()),
        Column("result", JSON(), nullable=False),
        Column("zh", String(), nullable=False),
        Column("en", String(), nullable=False),
    )
    op.create_index("ix_job_run_name", "job_run", ["name", "id"])
    op.create_table(
        "duty_post",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("duty_grid", String(), nullable=False),
        Column("collector", String()),
        Column("since", BigInteger(), nullable=False),
    )
    op.create_index("ix_duty_post_grid", "duty_post", ["duty_grid", "since"])
