"""What collectors and sub-units see of the open cases, by an index."""

from __future__ import annotations

from alembic import op
from sqlalchemy import text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_cases_sub_unit", "cases", ["sub_unit", "id"], sqlite_where=text("is_open AND sub_unit IS NOT NULL")
    )
    op.create_index("ix_cases_registered_by", "cases", ["registered_by", "id"], sqlite_where=text("is_open"))
