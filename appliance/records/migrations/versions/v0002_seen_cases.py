"""What collectors and sub-units see of the open cases, by an index; search indexes merge sixteen segments at once."""

from __future__ import annotations

from alembic import op

from appliance.records.base import only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_cases_sub_unit", "cases", ["sub_unit", "id"], **only("is_open AND sub_unit IS NOT NULL")
    )
    op.create_index("ix_cases_registered_by", "cases", ["registered_by", "id"], **only("is_open"))
    if op.get_bind().dialect.name == "sqlite":
        # one case a commit would else merge a little at every commit; full levels of 16 segments are merged in any case
        for index in ("case_search", "reporter_search"):
            op.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('automerge', 0)")
