"""Large periods are tallied in two halves, the other one in a process of its own: such a box has two cores.

The cases are parted by their keys, so the halves follow each other as one tally would go. The other half reads the same
SQLite file; history rows are never changed, so both see the same of what came before `as_of`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import msgspec
from sqlalchemy import Connection

from appliance.errors import Broken
from appliance.records.engine import READER_CACHE_KIB
from appliance.scoring.other_half import Half
from appliance.scoring.periods import Period
from appliance.scoring.reading import pages_of, values_of
from appliance.scoring.statements import cases, history, keys
from appliance.scoring.tally import Tally, tally

LARGE = 3_000
"""Cases in a period from which a second process gains more than it costs."""
OWN_SHARE = 0.53
"""The other process has to be started first."""


def tally_period(connection: Connection, period: Period, collectors: dict[str, str], schema: str = "") -> Tally:
    """Tally every case of a period.

    Args:
        collectors: the person named by each duty grid. schema: where the tables stand.

    Raises:
        Broken: the other half failed; its last words are told.
    """
    counting = keys(pages_of(connection, values_of(period), schema))
    file = _file(connection) if len(counting) >= LARGE and not schema else ""
    if not file:
        return _tally(connection, period, counting, collectors, schema)
    own = int(len(counting) * OWN_SHARE)
    with _OtherHalf(Half(file, values_of(period, counting[own:]), READER_CACHE_KIB, period, collectors)) as other:
        found = _tally(connection, period, counting[:own], collectors, schema)
        for key, cases_behind in other.answer():
            found.setdefault(key, []).extend(cases_behind)
    return found


def _tally(
    connection: Connection, period: Period, counting: list[int], collectors: dict[str, str], schema: str
) -> Tally:
    pages = pages_of(connection, values_of(period, counting), schema)
    return tally(history(pages), cases(pages, collectors), period)


def _file(connection: Connection) -> str:
    """The file of an SQLite database, where another process can share the work; else nothing."""
    if connection.dialect.name != "sqlite" or (os.cpu_count() or 1) < 2:
        return ""
    driver: Any = connection.connection.driver_connection
    return str(driver.execute("PRAGMA database_list").fetchone()[2])


class _OtherHalf:
    """The process of the other half, ended with the block that needs it."""

    def __init__(self, asked: Half) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "appliance.scoring.other_half"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._asked = msgspec.msgpack.encode(asked)

    def __enter__(self) -> _OtherHalf:
        assert self._process.stdin is not None
        self._process.stdin.write(self._asked)
        self._process.stdin.close()
        self._process.stdin = None
        return self

    def answer(self) -> list[tuple[tuple[str, str, str], list[int]]]:
        """What it tallied.

        Raises:
            Broken: it failed.
        """
        told, words = self._process.communicate()
        if self._process.returncode:
            last = words.decode(errors="replace").strip()[-400:]
            raise Broken(f"评分统计失败: {last}", f"Counting scores failed: {last}")
        return msgspec.msgpack.decode(told, type=list[tuple[tuple[str, str, str], list[int]]])

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()
