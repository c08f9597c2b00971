"""The platform's own tables, in the schema `prefecture` beside the counties' schemas. Times are microseconds UTC.

They are made by the steps of `steps.py`; a change here goes with one there.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

SCHEMA = "prefecture"
METADATA = MetaData(schema=SCHEMA)


def _moment(name: str, **options: Any) -> Column[int]:
    return Column(name, BigInteger, **options)


SCHEMA_VERSION = Table("schema_version", METADATA, Column("step", Integer, primary_key=True, autoincrement=False))
"""The steps of `steps.py` that were taken."""

COUNTY = Table(
    "county", METADATA,
    Column("code", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("address", String),
    Column("mode", String, nullable=False, comment="pull: it is called, outbound: it calls, files: they are carried"),
    Column("scopes", JSON, nullable=False),
    _moment("enrolled_at", nullable=False),
    _moment("registered_at"),
    _moment("left_at"),
    Column("types", String, nullable=False, server_default="", comment="what the replica holds: types, @areas"),
    Column("coming_types", String, nullable=False, server_default="", comment="those of a snapshot under way"),
    Column("county_last", BigInteger, comment="the county's newest change when it was last heard of"),
    _moment("tried_at"),
    _moment("pulled_at"),
    _moment("level_at", comment="up to this moment the replica holds everything"),
    _moment("next_at", nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("trouble_zh", String),
    Column("trouble_en", String),
)  # fmt: skip
"""Every county that was ever enrolled, and how pulling it goes."""

TOKEN = Table(
    "token", METADATA,
    Column("digest", String, primary_key=True, comment="SHA-256 of the token; the token itself is kept nowhere"),
    Column("county", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    _moment("made_at", nullable=False),
    _moment("ends_at", nullable=False),
    _moment("used_at"),
)  # fmt: skip

CERTIFICATE = Table(
    "certificate", METADATA,
    Column("serial", String, primary_key=True, comment="hexadecimal capitals, as TLS tells it"),
    Column("county", String, nullable=False),
    _moment("made_at", nullable=False),
    _moment("ends_at", nullable=False),
    _moment("revoked_at"),
    Column("scopes", JSON, comment="granted with it"),
)  # fmt: skip

SENT = Table(
    "sent", METADATA,
    Column("id", String, primary_key=True),
    Column("county", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("number", String, comment="the case's number in the county, once it is known"),
    Column("method", String, nullable=False),
    Column("path", String, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary),
    Column("needs", String, comment="what must be done before, by id"),
    Column("state", String, nullable=False, comment="waiting, done, failed"),
    Column("tries", Integer, nullable=False, server_default="0"),
    _moment("made_at", nullable=False),
    _moment("next_at", nullable=False),
    _moment("handed_out_at"),
    _moment("done_at"),
    Column("status", Integer),
    Column("answer", Text),
    Index("ix_sent_waiting", "county", "made_at", postgresql_where="state = 'waiting'"),
)  # fmt: skip
"""What was sent down to counties, and what they answered."""

MONTHLY_RETURN = Table(
    "monthly_return", METADATA,
    Column("county", String, primary_key=True),
    Column("period", String, primary_key=True, comment="2026-10"),
    _moment("fetched_at", nullable=False),
    _moment("as_of", nullable=False, comment="up to this moment the county counted"),
    Column("document", JSON, nullable=False, comment="as the county told it"),
)  # fmt: skip
"""The counties' own monthly returns, the newest of each month."""

EVIDENCE = Table(
    "evidence", METADATA,
    Column("county", String, primary_key=True),
    Column("number", String, primary_key=True, comment="of the case in the county"),
    Column("sha256", String, primary_key=True),
    Column("stage", String),
    Column("type", String),
    Column("state", String, nullable=False, comment="waiting, here, kept_back"),
    Column("tries", Integer, nullable=False),
    _moment("next_at", nullable=False),
    _moment("fetched_at"),
    Column("trouble", Text),
    Index("ix_evidence_waiting", "county", "next_at", postgresql_where="state = 'waiting'"),
)  # fmt: skip
"""Evidence files of closed cases that were sent down; the files lie in `evidence/` of the home."""

PULL_LOG = Table(
    "pull_log", METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("county", String, nullable=False),
    _moment("at", nullable=False),
    Column("event", String, nullable=False, comment="snapshot, whole, gap, gone, refused, unreachable, broken, …"),
    Column("zh", String, nullable=False),
    Column("en", String, nullable=False),
    Column("harm", Boolean, nullable=False, comment="whether something went wrong"),
    Index("ix_pull_log_county", "county", "id"),
)  # fmt: skip

FILE_LINK = Table(
    "file_link", METADATA,
    Column("county", String, primary_key=True),
    Column("link", String, nullable=False, server_default="", comment="the county's name of this link"),
    Column("up_number", Integer, nullable=False, server_default="0", comment="the newest file that was taken in"),
    Column("up_sha256", String, nullable=False, server_default=""),
    Column("wants_snapshot", Boolean, nullable=False, server_default="false"),
    Column("down_number", Integer, nullable=False, server_default="0", comment="the newest file that was written"),
    Column("down_sha256", String, nullable=False, server_default=""),
    Column("down_receipted", Integer, nullable=False, server_default="0"),
    Column("told", Text, nullable=False, server_default="", comment="the receipt in that file"),
    _moment("up_created", nullable=False, server_default="0", comment="of the newest file, by the county's clock"),
)  # fmt: skip
"""The numbers of the files that are carried to and from a county (docs/exchange.md "File drop")."""

FILE_ORDER = Table(
    "file_order", METADATA,
    Column("id", String, primary_key=True),
    Column("county", String, nullable=False),
    Column("number", Integer, nullable=False),
)  # fmt: skip
"""In which file an order went down."""
