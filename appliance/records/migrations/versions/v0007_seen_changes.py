"""A replica knows the last change it took in, and so proves that none is missing, also at the end of a page."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, inspect, text

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    there = {column["name"] for column in inspect(op.get_bind()).get_columns("replica")}
    if "seen" not in there:  # a prefecture's platform brings its own number along before (server/prefecture/steps.py)
        op.add_column("replica", Column("seen", BigInteger()))
    op.execute(text("UPDATE replica SET seen = cursor WHERE seen IS NULL"))
