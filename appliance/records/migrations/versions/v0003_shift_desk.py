"""Shift desk, video seat, what became of calls, settings of an account; ledgers and the call-back list by an index."""

from __future__ import annotations

from alembic import op
from sqlalchemy import JSON, BigInteger, Boolean, Column, Integer, String, UniqueConstraint, false

from appliance.records.base import only

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = BigInteger().with_variant(Integer, "sqlite")
CALLBACK = "satisfaction IS NULL AND handled_at IS NOT NULL AND state IN ('checked', 'closed')"


def upgrade() -> None:
    shifts()
    looks()
    calls()
    ledgers()


def shifts() -> None:
    op.create_table(
        "account_setting",
        Column("account", String(), primary_key=True),
        Column("name", String(), primary_key=True),
        Column("value", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
    )
    op.create_table(
        "shift",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("account", String(), nullable=False),
        Column("turn", String(), nullable=False),
        Column("day", String(), nullable=False),
        Column("seat", String(), nullable=False),
        Column("started_at", BigInteger(), nullable=False),
        Column("ended_at", BigInteger()),
    )
    op.create_index("ix_shift_open", "shift", ["account"], unique=True, **only("ended_at IS NULL"))
    op.create_index("ix_shift_account", "shift", ["account", "id"])
    op.create_table(
        "roster",
        Column("key", String(), primary_key=True),
        Column("day", String(), nullable=False),
        Column("account", String(), nullable=False),
        Column("turn", String(), nullable=False),
    )
    op.create_index("ix_roster_day", "roster", ["day", "account"])
    op.create_table(
        "handover",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("shift_id", Integer(), nullable=False),
        Column("account", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("note", String(), nullable=False),
        Column("items", JSON(), nullable=False),
        Column("confirmed_by", String()),
        Column("confirmed_at", BigInteger()),
        UniqueConstraint("shift_id", name="uq_handover_shift_id"),
    )
    op.create_index("ix_handover_waiting", "handover", ["id"], **only("confirmed_at IS NULL"))
    op.create_table(
        "shift_log",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("at", BigInteger(), nullable=False),
        Column("account", String(), nullable=False),
        Column("shift_id", Integer()),
        Column("kind", String(), nullable=False),
        Column("subject", String(), nullable=False),
        Column("text", String(), nullable=False),
    )
    op.create_index("ix_shift_log_kind", "shift_log", ["kind", "id"])
    op.create_index("ix_shift_log_shift", "shift_log", ["shift_id", "id"])


def looks() -> None:
    op.create_table(
        "camera_look",
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("camera", String(), nullable=False),
        Column("account", String(), nullable=False),
        Column("shift_id", Integer()),
        Column("at", BigInteger(), nullable=False),
        Column("found", String(), nullable=False),
        Column("note", String(), nullable=False),
        Column("number", String()),
    )
    op.create_index("ix_camera_look_camera", "camera_look", ["camera", "at"])


def calls() -> None:
    for column in (Column("answered_at", BigInteger()), Column("answered_by", String()), Column("case_number", String())):
        op.add_column("seat_call", column)
    op.create_index("ix_seat_call_caller", "seat_call", ["seat", "number", "id"])
    op.create_index("ix_seat_call_at", "seat_call", ["at"])
    op.create_index("ix_seat_call_unanswered", "seat_call", ["id"], **only("answered_at IS NULL"))


def ledgers() -> None:
    op.add_column("cases", Column("reachable", Boolean(), nullable=False, server_default=false()))
    op.execute("UPDATE cases SET reachable = true WHERE id IN (SELECT id FROM reporter WHERE phone <> '')")
    op.create_index(
        "ix_cases_callback_public", "cases", ["id"], **only(f"channel = 'public' AND {CALLBACK}")
    )
    op.create_index(
        "ix_cases_callback_other", "cases", ["id"],
        **only(f"channel <> 'public' AND reachable AND {CALLBACK}"),
    )
    op.create_index("ix_case_action_instruct", "case_action", ["id"], **only("action = 'instruct'"))
    op.create_index("ix_case_action_reopen", "case_action", ["case_id"], **only("action = 'reopen'"))
    op.create_index("ix_supervision_running", "supervision", ["id"], **only("cleared_at IS NULL"))
