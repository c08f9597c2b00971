"""Ledgers, filed returns, scores: counted periods, packs, scores, appeals; the looks of photos, which find a used one."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Integer, LargeBinary, String, text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    op.drop_index("ix_case_action_at", table_name="case_action")
    op.create_index("ix_case_action_at", "case_action", ["at", "case_id"])
    op.create_table(
        "score_period",
        Column("name", String(), primary_key=True),
        Column("kind", String(), nullable=False),
        Column("starts_at", BigInteger(), nullable=False),
        Column("ends_at", BigInteger(), nullable=False),
        Column("as_of", BigInteger(), nullable=False),
        Column("counted_at", BigInteger(), nullable=False),
        Column("left_out", Integer(), nullable=False),
        Column("basis", JSON(), nullable=False),
        Column("closed_at", BigInteger()),
        Column("closed_by", String()),
    )
    op.create_table(
        "score_count",
        Column("period", String(), primary_key=True),
        Column("scope", String(), primary_key=True),
        Column("subject", String(), primary_key=True),
        Column("name", String(), nullable=False),
        Column("duty_group", String()),
        Column("facts", JSON(), nullable=False),
        Column("grids", JSON(), nullable=False),
        Column("cases", LargeBinary(), nullable=False),
    )
    op.create_table(
        "score_pack",
        Column("sha256", String(), primary_key=True),
        Column("id", String(), nullable=False),
        Column("content", String(), nullable=False),
        Column("kept_at", BigInteger(), nullable=False),
    )
    op.create_table(
        "score",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("key", String(), nullable=False, unique=True),
        Column("period", String(), nullable=False),
        Column("pack", String(), nullable=False),
        Column("pack_sha256", String(), nullable=False),
        Column("scope", String(), nullable=False),
        Column("subject", String(), nullable=False),
        Column("name", String(), nullable=False),
        Column("duty_group", String()),
        Column("figures", JSON(), nullable=False),
        Column("score", Float()),
        Column("grade", String()),
        Column("place", Integer()),
        Column("place_in_group", Integer()),
        Column("revision", Integer(), nullable=False),
    )
    op.create_index("ix_score_row", "score", ["period", "pack_sha256", "scope", "subject"])
    op.create_index("ix_score_subject", "score", ["scope", "subject", "period"])
    op.create_table(
        "score_appeal",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("period", String(), nullable=False),
        Column("scope", String(), nullable=False),
        Column("subject", String(), nullable=False),
        Column("number", String(), nullable=False),
        Column("reason", String(), nullable=False),
        Column("asked_by", String(), nullable=False),
        Column("asked_at", BigInteger(), nullable=False),
        Column("approved", Boolean()),
        Column("decided_by", String()),
        Column("decided_at", BigInteger()),
        Column("note", String()),
    )
    op.create_index("ix_score_appeal_period", "score_appeal", ["period", "scope", "subject"])
    waiting = text("decided_at IS NULL")
    op.create_index("ix_score_appeal_waiting", "score_appeal", ["id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "photo_look",
        Column("quarter", Integer(), primary_key=True, autoincrement=False),
        Column("sha256", String(), primary_key=True),
        Column("look", String(), nullable=False),
    )
    op.create_table(
        "ledger_entry",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("ledger", String(), nullable=False),
        Column("number", String()),
        Column("entered", JSON(), nullable=False),
        Column("note", String(), nullable=False),
        Column("entered_by", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("closing", JSON()),
        Column("closed_by", String()),
        Column("closed_at", BigInteger()),
    )
    op.create_index("ix_ledger_entry_ledger", "ledger_entry", ["ledger", "at"])
    op.create_index("ix_ledger_entry_number", "ledger_entry", ["number"])
    op.create_table(
        "campaign",
        Column("code", String(), primary_key=True),
        Column("name", String(), nullable=False),
        Column("kind", String(), nullable=False),
        Column("about", String(), nullable=False),
        Column("form", JSON(), nullable=False),
        Column("note", String(), nullable=False),
        Column("starts_at", BigInteger(), nullable=False),
        Column("ends_at", BigInteger(), nullable=False),
        Column("made_by", String(), nullable=False),
        Column("made_at", BigInteger(), nullable=False),
        Column("ended_at", BigInteger()),
    )
    op.create_table(
        "campaign_target",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("campaign", String(), nullable=False),
        Column("subject", String(), nullable=False),
        Column("name", String(), nullable=False),
        Column("street", String()),
        Column("department", String()),
        Column("lon", Float(), nullable=False),
        Column("lat", Float(), nullable=False),
        Column("collector", String()),
        Column("answers", Integer(), nullable=False),
        Column("answered_at", BigInteger()),
        Column("points", Float()),
    )
    op.create_index("ix_campaign_target_subject", "campaign_target", ["campaign", "subject"], unique=True)
    op.create_index("ix_campaign_target_collector", "campaign_target", ["collector", "campaign"])
    op.create_table(
        "campaign_answer",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("campaign", String(), nullable=False),
        Column("target", BigInteger(), nullable=False),
        Column("answered_by", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("lon", Float()),
        Column("lat", Float()),
        Column("filled", JSON(), nullable=False),
        Column("photos", JSON(), nullable=False),
        Column("points", Float()),
        Column("number", String()),
    )
    op.create_index("ix_campaign_answer_target", "campaign_answer", ["target"])
    op.create_table(
        "spot_draw",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("period", String(), nullable=False),
        Column("kind", String(), nullable=False),
        Column("seed", String(), nullable=False),
        Column("population", Integer(), nullable=False),
        Column("population_sha256", String(), nullable=False),
        Column("wanted", Integer(), nullable=False),
        Column("drawn_by", String(), nullable=False),
        Column("drawn_at", BigInteger(), nullable=False),
    )
    op.create_table(
        "spot_check",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("draw", BigInteger(), nullable=False),
        Column("subject", String(), nullable=False),
        Column("good", Boolean()),
        Column("note", String(), nullable=False),
        Column("number", String()),
        Column("charged_to", String()),
        Column("deduction", Integer(), nullable=False),
        Column("checked_by", String()),
        Column("checked_at", BigInteger()),
    )
    op.create_index("ix_spot_check_draw", "spot_check", ["draw"])
    op.create_table(
        "training",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("account", String(), nullable=False),
        Column("kind", String(), nullable=False),
        Column("name", String(), nullable=False),
        Column("day", String(), nullable=False),
        Column("points", Float()),
        Column("grade", String()),
        Column("entered_by", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
    )
    op.create_index("ix_training_account", "training", ["account", "day"])
    op.create_table(
        "weather_plan",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("plan", String(), nullable=False),
        Column("reason", String(), nullable=False),
        Column("started_by", String(), nullable=False),
        Column("started_at", BigInteger(), nullable=False),
        Column("ended_by", String()),
        Column("ended_at", BigInteger()),
    )
    running = text("ended_at IS NULL")
    op.create_index(
        "ix_weather_plan_running", "weather_plan", ["plan"], unique=True, sqlite_where=running, postgresql_where=running
    )
    op.create_table(
        "filed_return",
        Column("period", String(), primary_key=True),
        Column("revision", Integer(), primary_key=True, autoincrement=False),
        Column("state", String(), nullable=False),
        Column("signed_by", String(), nullable=False),
        Column("signed_by_name", String(), nullable=False),
        Column("signed_at", BigInteger(), nullable=False),
        Column("document", JSON(), nullable=False),
        Column("sha256", String(), nullable=False),
    )
    op.create_table(
        "made_paper",
        Column("paper", String(), primary_key=True),
        Column("period", String(), primary_key=True),
        Column("made_at", BigInteger(), nullable=False),
        Column("of_closed", Boolean(), nullable=False),
    )
