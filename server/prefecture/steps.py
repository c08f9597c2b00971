"""How the platform's own tables came to be: numbered steps, each taken once, in order, when a platform is opened.

Never change a step that was published; append one, and change `tables.py` with it. The counties' schemas have
migrations of their own (`appliance/records/migrations`).
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, text
from sqlalchemy.schema import SetColumnComment

from appliance.errors import BadHome
from server.prefecture.tables import METADATA

_LOCK = text("SELECT pg_advisory_xact_lock(7463298411)")
_VERSIONED = text("SELECT to_regclass('prefecture.schema_version') IS NOT NULL")
_AT = text("SELECT coalesce(max(step), 0) FROM prefecture.schema_version")
_DONE = text("INSERT INTO prefecture.schema_version (step) VALUES (:step)")
_REPLICAS = text(
    "SELECT t.schemaname, c.code FROM prefecture.county c JOIN pg_tables t ON t.tablename = 'replica' "
    "AND t.schemaname IN ('county_' || c.code, 'county_' || c.code || '_next')"
)

_TABLES = """
CREATE TABLE IF NOT EXISTS prefecture.county (
    code varchar PRIMARY KEY, name varchar NOT NULL, address varchar, mode varchar NOT NULL, scopes json NOT NULL,
    enrolled_at bigint NOT NULL, registered_at bigint, left_at bigint, types varchar NOT NULL DEFAULT '',
    coming_types varchar NOT NULL DEFAULT '', seen bigint, county_last bigint, tried_at bigint, pulled_at bigint,
    level_at bigint, next_at bigint NOT NULL, failures integer NOT NULL DEFAULT 0, trouble_zh varchar,
    trouble_en varchar
);
CREATE TABLE IF NOT EXISTS prefecture.token (
    digest varchar PRIMARY KEY, county varchar NOT NULL, scopes json NOT NULL, made_at bigint NOT NULL,
    ends_at bigint NOT NULL, used_at bigint
);
CREATE TABLE IF NOT EXISTS prefecture.certificate (
    serial varchar PRIMARY KEY, county varchar NOT NULL, made_at bigint NOT NULL, ends_at bigint NOT NULL,
    revoked_at bigint
);
CREATE TABLE IF NOT EXISTS prefecture.sent (
    id varchar PRIMARY KEY, county varchar NOT NULL, kind varchar NOT NULL, number varchar, method varchar NOT NULL,
    path varchar NOT NULL, headers json NOT NULL, body bytea, needs varchar, state varchar NOT NULL,
    tries integer NOT NULL DEFAULT 0, made_at bigint NOT NULL, next_at bigint NOT NULL, handed_out_at bigint,
    done_at bigint, status integer, answer text
);
CREATE INDEX IF NOT EXISTS ix_sent_waiting ON prefecture.sent (county, made_at) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS prefecture.pull_log (
    id bigserial PRIMARY KEY, county varchar NOT NULL, at bigint NOT NULL, event varchar NOT NULL,
    zh varchar NOT NULL, en varchar NOT NULL, harm boolean NOT NULL
);
CREATE INDEX IF NOT EXISTS ix_pull_log_county ON prefecture.pull_log (county, id);
"""

_FILES = """
CREATE TABLE IF NOT EXISTS prefecture.file_link (
    county varchar PRIMARY KEY, link varchar NOT NULL DEFAULT '', up_number integer NOT NULL DEFAULT 0,
    up_sha256 varchar NOT NULL DEFAULT '', wants_snapshot boolean NOT NULL DEFAULT false,
    down_number integer NOT NULL DEFAULT 0, down_sha256 varchar NOT NULL DEFAULT '',
    down_receipted integer NOT NULL DEFAULT 0, told text NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS prefecture.file_order (
    id varchar PRIMARY KEY, county varchar NOT NULL, number integer NOT NULL
);
"""


def _first(connection: Connection) -> None:
    """Counties, tokens, certificates, what was sent, the pull log; older platforms have them already."""
    connection.exec_driver_sql(_TABLES)


def _last_change_in_the_replica(connection: Connection) -> None:
    """The number of the last change taken in stands with the records themselves."""
    for schema, code in connection.execute(_REPLICAS).all():
        connection.exec_driver_sql(f"ALTER TABLE {schema}.replica ADD COLUMN IF NOT EXISTS seen bigint")
        seen = "SELECT coalesce(c.seen, r.cursor) FROM prefecture.county c WHERE c.code = :code"
        grown = "r.cursor" if schema.endswith("_next") else f"({seen})"
        connection.execute(text(f"UPDATE {schema}.replica r SET seen = {grown}"), {"code": code})  # noqa: S608
    connection.exec_driver_sql("ALTER TABLE prefecture.county DROP COLUMN IF EXISTS seen")


def _monthly_returns(connection: Connection) -> None:
    """What the counties return by themselves."""
    connection.exec_driver_sql(
        "CREATE TABLE prefecture.monthly_return (county varchar, period varchar, fetched_at bigint NOT NULL, "
        "as_of bigint NOT NULL, document json NOT NULL, PRIMARY KEY (county, period))"
    )


def _carried_files(connection: Connection) -> None:
    """The numbers of the files that are carried to and from counties."""
    connection.exec_driver_sql(_FILES)


def _evidence(connection: Connection) -> None:
    """The evidence of cases that were sent down."""
    connection.exec_driver_sql(
        "CREATE TABLE prefecture.evidence (county varchar, number varchar, sha256 varchar, stage varchar, "
        "type varchar, state varchar NOT NULL, tries integer NOT NULL, next_at bigint NOT NULL, fetched_at bigint, "
        "trouble text, PRIMARY KEY (county, number, sha256))"
    )
    connection.exec_driver_sql(
        "CREATE INDEX ix_evidence_waiting ON prefecture.evidence (county, next_at) WHERE state = 'waiting'"
    )


def _scopes_with_the_certificate(connection: Connection) -> None:
    """A certificate tells which enrolment counts in its county."""
    connection.exec_driver_sql("ALTER TABLE prefecture.certificate ADD COLUMN scopes json")
    connection.exec_driver_sql(
        "UPDATE prefecture.certificate c SET scopes = n.scopes FROM prefecture.county n WHERE n.code = c.county"
    )


def _when_files_were_made(connection: Connection) -> None:
    """So that the files of a county which began anew are told from those that were read."""
    connection.exec_driver_sql("ALTER TABLE prefecture.file_link ADD COLUMN up_created bigint NOT NULL DEFAULT 0")


STEPS: tuple[Callable[[Connection], None], ...] = (
    _first, _last_change_in_the_replica, _monthly_returns, _carried_files, _evidence,
    _scopes_with_the_certificate, _when_files_were_made,
)  # fmt: skip


def upgrade_tables(connection: Connection, to: int = len(STEPS)) -> None:
    """Take the steps that were not taken yet, inside the transaction of the connection; one process at a time.

    Raises:
        BadHome: the tables are of newer software.
    """
    if _step_of(connection) == to:
        return
    connection.execute(_LOCK)
    at = _step_of(connection)
    if at > to:
        raise BadHome(
            f"平台的数据表版本 {at} 比本软件 ({to}) 新;请先升级软件。",
            f"The platform's tables are at step {at}, newer than this software ({to}); upgrade the software first.",
        )
    connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS prefecture.schema_version (step integer PRIMARY KEY)")
    for step in range(at, to):
        STEPS[step](connection)
        connection.execute(_DONE, {"step": step + 1})
    if to == len(STEPS):
        _comment(connection)


def _comment(connection: Connection) -> None:
    """Let whoever looks at the tables with another program read what `tables.py` says of the columns."""
    for table in METADATA.tables.values():
        for column in table.columns:
            if column.comment:
                connection.execute(SetColumnComment(column))


def _step_of(connection: Connection) -> int:
    if not connection.execute(_VERSIONED).scalar_one():
        return 0
    return int(connection.execute(_AT).scalar_one())
