"""The first schema: every table as it was in version 0.1."""

from __future__ import annotations

from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy import (
    JSON, BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, text,
)  # fmt: skip

from appliance.records.base import NAMES, only
from appliance.records.triggers import lighten

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = BigInteger().with_variant(Integer, "sqlite")
LARGE = ("cases", "unit_grid", "part", "place")
"""Tables whose R-tree is kept by triggers of our own."""

SEARCH = """
CREATE VIRTUAL TABLE case_search USING fts5(
    search, content='case_record', content_rowid='id', detail=none, tokenize='unicode61 remove_diacritics 0'
);
CREATE TRIGGER case_record_removed AFTER DELETE ON case_record BEGIN
    INSERT INTO case_search (case_search, rowid, search) VALUES ('delete', old.id, old.search);
END;
CREATE TRIGGER case_record_changed AFTER UPDATE OF search ON case_record WHEN old.search <> new.search BEGIN
    INSERT INTO case_search (case_search, rowid, search) VALUES ('delete', old.id, old.search);
    INSERT INTO case_search (rowid, search) VALUES (new.id, new.search);
END;
CREATE VIRTUAL TABLE reporter_search USING fts5(
    phone, content='reporter', content_rowid='id', tokenize='trigram'
);
CREATE TRIGGER reporter_changed AFTER UPDATE OF phone ON reporter BEGIN
    INSERT INTO reporter_search (reporter_search, rowid, phone)
        SELECT 'delete', old.id, old.phone WHERE old.phone IS NOT NULL;
    INSERT INTO reporter_search (rowid, phone) SELECT new.id, new.phone WHERE new.phone IS NOT NULL;
END;
"""

PLACE_SEARCH = (
    """CREATE VIRTUAL TABLE place_search USING fts5(search, content='place', content_rowid='id', detail=none, tokenize='unicode61 remove_diacritics 0')""",
    """CREATE TRIGGER place_search_added AFTER INSERT ON place BEGIN INSERT INTO place_search (rowid, search) VALUES (new.id, new.search); END""",
    """CREATE TRIGGER place_search_removed AFTER DELETE ON place BEGIN INSERT INTO place_search (place_search, rowid, search) VALUES ('delete', old.id, old.search); END""",
    """CREATE TRIGGER place_search_changed AFTER UPDATE OF search ON place WHEN old.search <> new.search BEGIN INSERT INTO place_search (place_search, rowid, search) VALUES ('delete', old.id, old.search); INSERT INTO place_search (rowid, search) VALUES (new.id, new.search); END""",
)


ON_POSTGRESQL = (
    """CREATE FUNCTION instr(text, text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.strpos($1, $2)""",
    """CREATE FUNCTION words_of(text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
    RETURN array_to_tsvector(ARRAY(
        SELECT left(word, 200) FROM unnest(string_to_array($1, ' ')) AS word WHERE word <> ''
    ))""",
    """CREATE FUNCTION triples_of(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
    RETURN ARRAY(SELECT substr($1, start, 3) FROM generate_series(1, length($1) - 2) AS start)""",
    "CREATE INDEX ix_case_record_words ON case_record USING gin (words_of(search))",
    "CREATE INDEX ix_place_words ON place USING gin (words_of(search))",
    "CREATE INDEX ix_reporter_triples ON reporter USING gin (triples_of(phone))",
)
"""What FTS5 does on SQLite; and a function that SQLite has."""


def statements(script: str) -> list[str]:
    """The statements of a script, triggers kept whole."""
    found: list[str] = []
    current: list[str] = []
    inside = False
    for line in script.strip().splitlines():
        current.append(line)
        inside = (inside or line.endswith("BEGIN")) and line != "END;"
        if line.endswith(";") and not inside:
            found.append("\n".join(current))
            current = []
    return found


def tables() -> MetaData:
    """The tables of this version."""
    frozen = MetaData(naming_convention=NAMES)
    Table(
        "account",
        frozen,
        Column("account", String(), primary_key=True),
        Column("name", String(), nullable=False),
        Column("roles", String(), nullable=False),
        Column("department", String()),
        Column("phone", String()),
        Column("password", String()),
        Column("new_password_due", Boolean(), nullable=False),
        Column("active", Boolean(), nullable=False),
        Column("wrong_passwords", Integer(), nullable=False),
        Column("locked_until", BigInteger()),
        Column("created_at", BigInteger(), nullable=False),
        Index("ix_account_department", "department"),
    )
    Table(
        "admin_act",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("at", BigInteger(), nullable=False),
        Column("actor", String(), nullable=False),
        Column("act", String(), nullable=False),
        Column("subject", String(), nullable=False),
        Column("detail", JSON(), nullable=False),
        Column("hash", String(), nullable=False),
        Column("previous", String(), nullable=False),
    )
    Table(
        "api_key",
        frozen,
        Column("key_hash", String(), primary_key=True),
        Column("name", String(), nullable=False),
        Column("role", String(), nullable=False),
        Column("source", String()),
        Column("created_at", BigInteger(), nullable=False),
        Column("ended_at", BigInteger()),
    )
    Table(
        "area",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("code", String(), nullable=False, unique=True),
        Column("name", String(), nullable=False),
        Column("level", String(), nullable=False),
        Column("parent", String()),
        Column("attributes", JSON()),
        Column("batch", Integer()),
        Column("geom", Geometry("MULTIPOLYGON", srid=4490, spatial_index=True)),
        Index("ix_area_parent", "parent"),
    )
    Table(
        "calendar_day",
        frozen,
        Column("day", String(), primary_key=True),
        Column("is_workday", Boolean(), nullable=False),
        Column("name", String(), nullable=False),
    )
    Table(
        "camera",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("code", String(), nullable=False, unique=True),
        Column("name", String(), nullable=False),
        Column("street_class", String()),
        Column("url", String()),
        Column("attributes", JSON()),
        Column("lon", Float(), nullable=False),
        Column("lat", Float(), nullable=False),
        Column("batch", Integer()),
        Column("geom", Geometry("POINT", srid=4490, spatial_index=True), nullable=False),
    )
    Table(
        "case_action",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("case_id", Integer(), nullable=False),
        Column("seq", Integer(), nullable=False),
        Column("number", String(), nullable=False),
        Column("action", String(), nullable=False),
        Column("actor", String(), nullable=False),
        Column("actor_name", String(), nullable=False),
        Column("role", String(), nullable=False),
        Column("on_behalf_of", String()),
        Column("at", BigInteger(), nullable=False),
        Column("from_state", String()),
        Column("to_state", String(), nullable=False),
        Column("clock_started", String()),
        Column("clock_stopped", String()),
        Column("due_at", BigInteger()),
        Column("detail", JSON()),
        Column("note", String()),
        Column("note_salt", String()),
        Column("note_digest", String()),
        Column("previous", String(), nullable=False),
        Column("hash", String(), nullable=False),
        Index("ix_case_action_at", "at"),
        Index("ix_case_action_case", "case_id", "seq", unique=True),
    )
    Table(
        "case_counter",
        frozen,
        Column("period", String(), primary_key=True),
        Column("last", Integer(), nullable=False),
    )
    Table(
        "case_limit",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("kind", String(), nullable=False),
        Column("code", String(), nullable=False),
        Column("name", String(), nullable=False),
        Column("condition_to_open", String(), nullable=False),
        Column("condition_to_close", String(), nullable=False),
        Column("limit_value", Float()),
        Column("limit_unit", String()),
        Column("urgency", String(), nullable=False),
        Column("provenance", String(), nullable=False),
        Index("ix_case_limit_code", "kind", "code"),
    )
    Table(
        "case_record",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("masked", Text(), nullable=False),
        Column("search", Text(), nullable=False),
    )
    Table(
        "cases",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("number", String(), nullable=False, unique=True),
        Column("query_code", String(), unique=True),
        Column("version", Integer(), nullable=False),
        Column("kind", String(), nullable=False),
        Column("edition", String(), nullable=False),
        Column("code", String(), nullable=False),
        Column("class_code", String(), nullable=False),
        Column("name", String(), nullable=False),
        Column("condition", String()),
        Column("source", String(), nullable=False),
        Column("channel", String(), nullable=False),
        Column("external_system", String()),
        Column("external_number", String()),
        Column("external_due_at", BigInteger()),
        Column("upper_number", String()),
        Column("upper_due_at", BigInteger()),
        Column("upper_reply_required", Boolean()),
        Column("camera", String()),
        Column("description", String(), nullable=False),
        Column("lon", Float(), nullable=False),
        Column("lat", Float(), nullable=False),
        Column("address", String(), nullable=False),
        Column("grid", String()),
        Column("duty_grid", String()),
        Column("street", String()),
        Column("community", String()),
        Column("part", String()),
        Column("state", String(), nullable=False),
        Column("is_open", Boolean(), nullable=False),
        Column("clock", String()),
        Column("clock_started_at", BigInteger()),
        Column("due_at", BigInteger()),
        Column("handle_due_at", BigInteger()),
        Column("handle_started_at", BigInteger()),
        Column("provisional", Boolean(), nullable=False),
        Column("limit_value", Float()),
        Column("limit_unit", String()),
        Column("granted", Float()),
        Column("paused_remaining", Float()),
        Column("paused_clock", String()),
        Column("resume_at", BigInteger()),
        Column("department", String()),
        Column("sub_unit", String()),
        Column("sub_due_at", BigInteger()),
        Column("department_suggested", String()),
        Column("collector", String()),
        Column("registered_by", String()),
        Column("rework", Integer(), nullable=False),
        Column("extensions", Integer(), nullable=False),
        Column("flags", String(), nullable=False),
        Column("merged_into", String()),
        Column("before_merge", String()),
        Column("reported_at", BigInteger(), nullable=False),
        Column("accepted_at", BigInteger()),
        Column("filed_at", BigInteger()),
        Column("dispatched_at", BigInteger()),
        Column("handled_at", BigInteger()),
        Column("checked_at", BigInteger()),
        Column("closed_at", BigInteger()),
        Column("satisfaction", String()),
        Column("geom", Geometry("POINT", srid=4490, spatial_index=True), nullable=False),
        Index("ix_cases_closed_at", "closed_at", **only("closed_at IS NOT NULL")),
        Index("ix_cases_code", "code", "id", "lon", "lat"),
        Index("ix_cases_collector", "collector", "id", **only("is_open")),
        Index("ix_cases_department", "department", "id", "lon", "lat", **only("department IS NOT NULL")),
        Index("ix_cases_department_code", "department", "code", "id", "lon", "lat", **only("department IS NOT NULL")),
        Index("ix_cases_due_at", "due_at", "id", **only("is_open AND due_at IS NOT NULL")),
        Index("ix_cases_duty_grid", "duty_grid", "id", **only("is_open")),
        Index("ix_cases_merged_into", "merged_into", **only("merged_into IS NOT NULL")),
        Index("ix_cases_open", "id", "state", "department", "code", "lon", "lat", "due_at", **only("is_open")),
        Index("ix_cases_part", "part", "id", **only("part IS NOT NULL")),
        Index("ix_cases_provisional", "provisional", **only("provisional")),
        Index("ix_cases_reported_at", "reported_at"),
        Index("ix_cases_resume_at", "resume_at", **only("resume_at IS NOT NULL")),
        Index("ix_cases_state", "state", "id", "lon", "lat"),
        Index("ix_cases_state_code", "state", "code", "id", "lon", "lat"),
        Index("ix_cases_state_department", "state", "department", "id", "lon", "lat", **only("department IS NOT NULL")),
        Index("ix_cases_state_department_code", "state", "department", "code", "id", "lon", "lat", **only("department IS NOT NULL")),
    )
    Table(
        "change",
        frozen,
        Column("seq", KEY, primary_key=True, autoincrement=True),
        Column("type", String(), nullable=False),
        Column("id", String(), nullable=False),
        Column("op", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Index("ix_change_type_seq", "type", "seq"),
    )
    Table(
        "department",
        frozen,
        Column("code", String(), primary_key=True),
        Column("name", String(), nullable=False),
        Column("parent", String()),
        Column("phone", String()),
        Column("duty_group", String()),
        Column("area", String()),
        Column("upper_code", String()),
        Column("attributes", JSON()),
        Column("ended_at", BigInteger()),
        Index("ix_department_parent", "parent"),
    )
    Table(
        "dispatch_memory",
        frozen,
        Column("code", String(), primary_key=True),
        Column("street", String(), primary_key=True),
        Column("department", String(), primary_key=True),
        Column("count", Integer(), nullable=False),
    )
    Table(
        "duty",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("class", String(), nullable=False),
        Column("area", String(), nullable=False),
        Column("department", String(), nullable=False),
        Column("supervising_department", String()),
        Column("basis", String(), nullable=False),
        Column("starts_on", String()),
        Column("ends_on", String()),
        Column("import_key", String(), unique=True),
        Index("ix_duty_class_area", "class", "area"),
    )
    Table(
        "duty_grid",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("code", String(), nullable=False, unique=True),
        Column("name", String(), nullable=False),
        Column("collector", String()),
        Column("valid_from", String()),
        Column("valid_to", String()),
        Column("attributes", JSON()),
        Column("batch", Integer()),
        Column("geom", Geometry("MULTIPOLYGON", srid=4490, spatial_index=True), nullable=False),
        Index("ix_duty_grid_collector", "collector"),
    )
    Table(
        "evidence",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("sha256", String(), nullable=False),
        Column("type", String(), nullable=False),
        Column("bytes", Integer(), nullable=False),
        Column("case_id", Integer()),
        Column("stage", String(), nullable=False),
        Column("taken_at", BigInteger()),
        Column("lon", Float()),
        Column("lat", Float()),
        Column("share", Boolean(), nullable=False),
        Column("uploaded_by", String(), nullable=False),
        Column("uploaded_at", BigInteger(), nullable=False),
        Index("ix_evidence_case_id", "case_id"),
        Index("ix_evidence_sha256", "sha256"),
    )
    Table(
        "feed",
        frozen,
        Column("id", Integer(), primary_key=True),
        Column("name", String(), nullable=False),
        Column("last", Integer(), nullable=False),
        Column("first", Integer(), nullable=False),
    )
    Table(
        "idempotent_answer",
        frozen,
        Column("account", String(), primary_key=True),
        Column("key", String(), primary_key=True),
        Column("body_digest", String(), nullable=False),
        Column("number", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
    )
    Table(
        "import_batch",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("kind", String(), nullable=False),
        Column("file", String(), nullable=False),
        Column("sha256", String(), nullable=False),
        Column("actor", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("state", String(), nullable=False),
        Column("read", Integer(), nullable=False),
        Column("added", Integer(), nullable=False),
        Column("updated", Integer(), nullable=False),
        Column("refused", Integer(), nullable=False),
        Column("undone_at", BigInteger()),
    )
    Table(
        "import_change",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("batch", Integer(), nullable=False),
        Column("key", String(), nullable=False),
        Column("before", Text()),
        Index("ix_import_change_batch", "batch", "id"),
    )
    Table(
        "layer",
        frozen,
        Column("code", String(), primary_key=True),
        Column("name", String(), nullable=False),
        Column("case_flag", String()),
        Column("note", String()),
        Column("created_at", BigInteger(), nullable=False),
    )
    Table(
        "layer_member",
        frozen,
        Column("layer", String(), primary_key=True),
        Column("kind", String(), primary_key=True),
        Column("member", String(), primary_key=True),
        Index("ix_layer_member_member", "kind", "member"),
    )
    Table(
        "part",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("code", String(), nullable=False, unique=True),
        Column("type", String(), nullable=False),
        Column("edition", String(), nullable=False),
        Column("name", String(), nullable=False),
        Column("state", String(), nullable=False),
        Column("department", String()),
        Column("owner", String()),
        Column("owner_department", String()),
        Column("maintainer", String()),
        Column("maintainer_department", String()),
        Column("grid", String()),
        Column("address", String()),
        Column("lon", Float(), nullable=False),
        Column("lat", Float(), nullable=False),
        Column("accuracy", String()),
        Column("source", String()),
        Column("installed_on", String()),
        Column("changed_on", String()),
        Column("note", String()),
        Column("attributes", JSON()),
        Column("batch", Integer()),
        Column("geom", Geometry("POINT", srid=4490, spatial_index=True), nullable=False),
        Index("ix_part_department", "department", "id"),
        Index("ix_part_grid", "grid", "id"),
        Index("ix_part_type", "type", "id"),
    )
    Table(
        "place",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("code", String(), nullable=False, unique=True),
        Column("name", String(), nullable=False),
        Column("type", String(), nullable=False),
        Column("parent", String()),
        Column("address", String()),
        Column("initials", String(), nullable=False),
        Column("attributes", JSON()),
        Column("search", Text(), nullable=False),
        Column("lon", Float(), nullable=False),
        Column("lat", Float(), nullable=False),
        Column("batch", Integer()),
        Column("geom", Geometry("GEOMETRY", srid=4490, spatial_index=True), nullable=False),
        Index("ix_place_name", "name"),
        Index("ix_place_parent", "parent"),
    )
    Table(
        "reporter",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("name", String()),
        Column("phone", String()),
        Column("email", String()),
        Index("ix_reporter_phone", "phone", "id"),
    )
    Table(
        "request",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("case_id", Integer(), nullable=False),
        Column("number", String(), nullable=False),
        Column("kind", String(), nullable=False),
        Column("reason", String(), nullable=False),
        Column("until", BigInteger()),
        Column("asked_by", String(), nullable=False),
        Column("asked_at", BigInteger(), nullable=False),
        Column("in_time", Boolean(), nullable=False),
        Column("waiting_for", String()),
        Column("decisions", JSON(), nullable=False),
        Column("approved", Boolean()),
        Column("decided_at", BigInteger()),
        Index("ix_request_case_id", "case_id"),
        Index("ix_request_waiting", "waiting_for", **only("waiting_for IS NOT NULL")),
    )
    Table(
        "seat_call",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("number", String(), nullable=False),
        Column("seat", String(), nullable=False),
        Column("recording", String()),
        Column("at", BigInteger(), nullable=False),
        Index("ix_seat_call_seat", "seat", "id"),
    )
    Table(
        "session",
        frozen,
        Column("token_hash", String(), primary_key=True),
        Column("account", String(), nullable=False),
        Column("kind", String(), nullable=False),
        Column("created_at", BigInteger(), nullable=False),
        Column("expires_at", BigInteger()),
        Index("ix_session_account", "account"),
        Index("ix_session_expires_at", "expires_at"),
    )
    Table(
        "supervision",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("case_id", Integer(), nullable=False),
        Column("number", String(), nullable=False),
        Column("supervisor", String(), nullable=False),
        Column("role", String(), nullable=False),
        Column("note", String(), nullable=False),
        Column("at", BigInteger(), nullable=False),
        Column("due_at", BigInteger()),
        Column("answered_at", BigInteger()),
        Column("cleared_at", BigInteger()),
        Index("ix_supervision_case_id", "case_id"),
    )
    Table(
        "unit_grid",
        frozen,
        Column("id", KEY, primary_key=True, autoincrement=True),
        Column("code", String(), nullable=False, unique=True),
        Column("name", String(), nullable=False),
        Column("street", String(), nullable=False),
        Column("community", String(), nullable=False),
        Column("duty_grid", String()),
        Column("area_m2", Float(), nullable=False),
        Column("land_use", String()),
        Column("grade", String()),
        Column("responsible", String()),
        Column("note", String()),
        Column("valid_from", String()),
        Column("valid_to", String()),
        Column("attributes", JSON()),
        Column("lon", Float(), nullable=False),
        Column("lat", Float(), nullable=False),
        Column("batch", Integer()),
        Column("geom", Geometry("MULTIPOLYGON", srid=4490, spatial_index=True), nullable=False),
        Index("ix_unit_grid_community", "community", "code"),
        Index("ix_unit_grid_duty", "duty_grid"),
    )
    return frozen


def upgrade() -> None:
    connection = op.get_bind()
    tables().create_all(connection, checkfirst=False)  # another county may stand in the schema behind ours
    if connection.dialect.name == "postgresql":
        for statement in ON_POSTGRESQL:
            connection.exec_driver_sql(statement)
        return
    for table in LARGE:
        lighten(connection, table)
    for statement in (*statements(SEARCH), *PLACE_SEARCH):
        connection.exec_driver_sql(statement)
