"""A PostgreSQL cluster with PostGIS for the tests alone, made in a scratch folder, reached by a socket in it.

There is one for each pytest process, and only when a test asks for it; it is removed with the run. PostgreSQL refuses
to run as root, so root runs it as `postgres`, the user that Debian's package brings.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

BIN = Path("/usr/lib/postgresql/15/bin")
EXTENSION = Path("/usr/share/postgresql/15/extension/postgis.control")
USER = "wanmi"
"""The county's own role: it owns its databases and is no superuser, as a prefecture would have it."""

LOCALE = "C.UTF-8"
EMPTY = "with_postgis"
PORT = 5432
"""Only part of the socket's name: the cluster has its own folder and listens on no network."""

GUARD = 'folder=$1; shift; cat > /dev/null; cd /; "$@" 2> /dev/null; rm -rf "$folder"'
"""Stops the cluster and removes its folder once its input ends."""

FAST = {
    "fsync": "off", "full_page_writes": "off", "autovacuum": "off", "jit": "off", "shared_buffers": "64MB",
    "max_connections": "100", "listen_addresses": "''", "wal_level": "minimal", "max_wal_senders": "0",
}  # fmt: skip


def lacking() -> str | None:
    """Why there can be no cluster on this machine, None when there can."""
    if not (BIN / "initdb").exists() or not EXTENSION.exists():
        return "PostgreSQL 15 with PostGIS is not installed (apt-get install postgresql-15-postgis-3)"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "PostgreSQL refuses root and there is no runuser"
    return None


def require() -> None:
    """Skip what asks for this where there can be no cluster, and say why."""
    reason = lacking()
    if reason is not None:
        pytest.skip(reason)


class Cluster:
    """A running cluster, and the databases in it.

    Attributes:
        folder: everything of it: data, socket, log.
    """

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="wanmi-postgis-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._admin: psycopg.Connection[Any] | None = None
        self._made = 0
        stop = self._command("pg_ctl", "stop", "-w", "-s", "-m", "immediate")
        # it waits for the end of its input, which comes however this process ends
        self._guard = subprocess.Popen(
            ["sh", "-c", GUARD, "guard", str(self.folder), *stop], stdin=subprocess.PIPE, start_new_session=True
        )
        self._run("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", f"--locale={LOCALE}", "--no-sync", "-N")
        self.start()
        self._do(f"CREATE ROLE {USER} LOGIN CREATEDB")
        self._do(f"CREATE DATABASE {EMPTY} OWNER {USER} TEMPLATE template0")
        with psycopg.connect(self._where(EMPTY, "postgres"), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION postgis")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = " ".join(f"-c {name}={value}" for name, value in FAST.items())
        options = f"-k {self.folder} -p {PORT} {settings}"
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(self.folder / "log"), "-o", options)

    def stop(self) -> None:
        """Stop the server at once, whoever is connected."""
        if self._admin is not None:
            self._admin.close()
            self._admin = None
        if (self.folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-s", "-m", "immediate")

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        if self._admin is not None:
            self._admin.close()
        self._guard.communicate()

    def create(self, template: str = EMPTY, more: str = "") -> str:
        """A new database like another one; its name. `more` are further words of CREATE DATABASE."""
        self._made += 1
        name = f"county_{self._made}"
        self._do(f"CREATE DATABASE {name} OWNER {USER} TEMPLATE {template} {more}")
        return name

    def tablespace(self, name: str, folder: Path) -> str:
        """A disk for databases, in an empty folder; the words of CREATE DATABASE that put one there."""
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        folder.chmod(0o700)
        self._do(f"CREATE TABLESPACE {name} LOCATION '{folder}'")
        return f"TABLESPACE {name}"

    def drop_tablespace(self, name: str) -> None:
        """Give the disk back."""
        self._do(f"DROP TABLESPACE IF EXISTS {name}")

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected."""
        self._do(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def url(self, database: str, *, schema: str | None = None) -> str:
        """The `database_url` of a county in a database, or in a schema of it."""
        path = "" if schema is None else "&options=" + quote(f"-csearch_path={schema},public")
        return f"postgresql://{USER}@/{database}?host={self.folder}&port={PORT}{path}"

    def _do(self, statement: str) -> None:
        if self._admin is None:
            self._admin = psycopg.connect(self._where("postgres", "postgres"), autocommit=True)
        self._admin.execute(statement.encode())

    def _where(self, database: str, user: str) -> str:
        return f"host={self.folder} port={PORT} dbname={database} user={user}"

    def _command(self, program: str, *arguments: str) -> list[str]:
        command = [str(BIN / program), "-D", str(self.folder / "data"), *arguments]
        return ["runuser", "-u", "postgres", "--", *command] if os.geteuid() == 0 else command

    def _run(self, program: str, *arguments: str) -> None:
        command = self._command(program, *arguments)
        # no pipes: the server would keep them open for as long as it lives
        with (self.folder / f"{program}.log").open("w") as told:
            done = subprocess.run(command, stdout=told, stderr=told, cwd="/", check=False)
        if done.returncode:
            log = self.folder / "log"
            server = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            raise AssertionError(f"{program}: {(self.folder / f'{program}.log').read_text()}{server}")


@cache
def cluster() -> Cluster:
    """The cluster of this pytest process."""
    return Cluster()


def end() -> None:
    """Remove the cluster if there is one."""
    if cluster.cache_info().currsize:
        cluster().remove()
        cluster.cache_clear()
