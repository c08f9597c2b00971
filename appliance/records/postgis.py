"""Opening a county on PostgreSQL with PostGIS: a database of its own, or a schema of its own beside other counties.

Statements are written as SQLite wants them, with its hints to the planner: `INDEXED BY`, `CROSS JOIN … ON` for the
order of a join, a `+` that keeps an index out of the plan. PostgreSQL plans by its statistics; `plain` takes them out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError

from appliance.errors import BadHome, Invalid
from appliance.records.base import SRID

READERS = 4
LOCK_MILLISECONDS = 30_000
"""So long a writer waits for another process, as with a file of SQLite."""

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_HINT = re.compile(r" INDEXED BY \w+| NOT INDEXED\b|\bCROSS (?=JOIN )|(?<=[\s(])\+(?=[a-z]+\.)")

_WRITERS_LOCK = text(
    "SELECT pg_advisory_xact_lock((1466003821::bigint << 32) + coalesce("
    "(SELECT oid::bigint FROM pg_namespace WHERE nspname = current_schema()), 0))"
)
"""One lock a schema, held to the end of the transaction: rows become visible in the order of their numbers."""


@lru_cache(maxsize=4096)
def plain(statement: str) -> str:
    """A statement without SQLite's hints."""
    return _HINT.sub("", statement)


def postgis_engine(url: str, *, read_only: bool) -> Engine:
    """An engine on PostgreSQL.

    A reading one sees one moment in each transaction and cannot write; a writing one has a single connection, and only
    one of them, of whatever process, is inside a transaction on a county.
    """
    from appliance.records.postgis_values import register  # the driver, loaded only where it is needed

    engine = create_engine(
        _with_driver(url), pool_size=READERS if read_only else 1, max_overflow=0, pool_pre_ping=True,
        isolation_level="REPEATABLE READ" if read_only else "READ COMMITTED",
        hide_parameters=True,
    )  # fmt: skip

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _: Any) -> None:
        register(connection)
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = {LOCK_MILLISECONDS}")
        connection.commit()

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def _without_hints(
        connection: Connection, cursor: Any, statement: str, values: Any, context: Any, many: bool
    ) -> tuple[str, Any]:
        return plain(statement), values

    event.listen(engine, "handle_error", _say)
    if read_only:
        return engine.execution_options(postgresql_readonly=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.execute(_WRITERS_LOCK)

    return engine


def _say(context: ExceptionContext) -> None:
    """Turn what a person can help into a sentence of ours."""
    if "NUL (0x00)" in str(context.original_exception):
        raise Invalid("文字里有空字符 (NUL),请去掉。", "A text holds a NUL character; take it out.")


def reached(engine: Engine) -> Engine:
    """The engine, once it has connected.

    Raises:
        BadHome: it cannot.
    """
    try:
        engine.connect().close()
    except OperationalError as error:
        engine.dispose()
        raise BadHome(
            f"连不上 database_url 指向的数据库: {error.orig}",
            f"The database at database_url cannot be reached: {error.orig}",
        ) from error
    return engine


def own_schema(connection: Connection) -> str | None:
    """The schema of this county on PostgreSQL, None on SQLite."""
    if connection.dialect.name == "sqlite":
        return None
    return str(connection.execute(text("SELECT current_schema()")).scalar_one())


def prepare(connection: Connection) -> None:
    """Make ready for the tables: the county's schema is there, PostGIS knows CGCS2000, texts are ordered by code point.

    Raises:
        BadHome: it is not so and cannot be made so; the sentence says by which command an administrator does it.
    """
    _check_order(connection)
    _make_schema(connection)
    try:
        with connection.begin_nested():
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis SCHEMA public"))
    except DBAPIError as error:
        raise BadHome(
            f"数据库里没有 PostGIS;请管理员执行 CREATE EXTENSION postgis SCHEMA public ({error.orig})。",
            "The database has no PostGIS; an administrator runs CREATE EXTENSION postgis SCHEMA public "
            f"({error.orig}).",
        ) from error
    visible = connection.execute(text("SELECT to_regtype('geometry') IS NOT NULL")).scalar_one()
    known = (
        visible
        and connection.execute(text("SELECT 1 FROM spatial_ref_sys WHERE srid = :srid"), {"srid": SRID}).one_or_none()
    )
    if not known:
        raise BadHome(
            f"找不到 PostGIS 或其中的 EPSG:{SRID};database_url 的 search_path 须以 public 结尾,"
            "例如 county_411081,public。",
            f"PostGIS, or EPSG:{SRID} in it, is not found; the search_path of database_url must end in public, as in "
            "county_411081,public.",
        )


def _check_order(connection: Connection) -> None:
    """Ranges of codes and the order of lists rely on texts being ordered as SQLite orders them."""
    by_code_point, encoding = connection.execute(text("SELECT 'B' < 'a', current_setting('server_encoding')")).one()
    if not by_code_point or encoding != "UTF8":
        made = "CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
        raise BadHome(
            f"数据库须按码位排序并用 UTF-8 编码 (现为 {encoding});请用 {made} 新建。",
            f"The database must sort by code point and be encoded in UTF-8 (it is {encoding}); make it with {made}.",
        )


def _make_schema(connection: Connection) -> None:
    """Make the first schema of the search path; without it tables would fall into the next one."""
    path = connection.execute(text("SELECT current_setting('search_path')")).scalar_one()
    first = path.split(",")[0].strip().strip('"')
    if first == "$user":
        return
    if not _SCHEMA.fullmatch(first):
        raise BadHome(
            f"search_path 里的 {first!r} 不是可用的模式名;请用小写字母、数字和下划线。",
            f"{first!r} in the search_path cannot be a schema; use small letters, digits and underscores.",
        )
    there = text("SELECT 1 FROM pg_namespace WHERE nspname = :name")
    if connection.execute(there, {"name": first}).one_or_none() is None:
        connection.exec_driver_sql(f"CREATE SCHEMA {first}")


def _with_driver(url: str) -> str:
    """The URL with the driver we ship; `postgresql://` alone means another one to SQLAlchemy."""
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
