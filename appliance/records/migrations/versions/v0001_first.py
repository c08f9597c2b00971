"""The first schema."""

from __future__ import annotations

from alembic import op

from appliance.records.metadata import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SEARCH = """
CREATE VIRTUAL TABLE case_search USING fts5(
    search, content='case_record', content_rowid='id', detail=none, tokenize='unicode61 remove_diacritics 0'
);
CREATE TRIGGER case_record_added AFTER INSERT ON case_record BEGIN
    INSERT INTO case_search (rowid, search) VALUES (new.id, new.search);
END;
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
CREATE TRIGGER reporter_added AFTER INSERT ON reporter WHEN new.phone IS NOT NULL BEGIN
    INSERT INTO reporter_search (rowid, phone) VALUES (new.id, new.phone);
END;
CREATE TRIGGER reporter_changed AFTER UPDATE OF phone ON reporter BEGIN
    INSERT INTO reporter_search (reporter_search, rowid, phone)
        SELECT 'delete', old.id, old.phone WHERE old.phone IS NOT NULL;
    INSERT INTO reporter_search (rowid, phone) SELECT new.id, new.phone WHERE new.phone IS NOT NULL;
END;
"""


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


def upgrade() -> None:
    connection = op.get_bind()
    metadata().create_all(connection)
    for statement in statements(SEARCH):
        connection.exec_driver_sql(statement)
