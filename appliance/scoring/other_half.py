"""The process of the other half: what it is asked comes in as MessagePack, its tally goes out so (`halves.py`)."""

from __future__ import annotations

import os
import sqlite3
import sys
from contextlib import closing
from urllib.parse import quote

import msgspec

from appliance.scoring.periods import Period
from appliance.scoring.statements import cases, driver_pages, history
from appliance.scoring.tally import Tally, tally


class Half(msgspec.Struct):
    """What is asked.

    Attributes:
        database: the SQLite file. values: of the statements, its cases among them.
        cache: KiB of pages that may be kept. collectors: the person named by each duty grid.
    """

    database: str
    values: dict[str, int | str]
    cache: int
    period: Period
    collectors: dict[str, str]


def tally_half(asked: Half) -> Tally:
    """Tally these cases."""
    with closing(sqlite3.connect(f"file:{quote(asked.database)}?mode=ro", uri=True, isolation_level=None)) as driver:
        driver.execute(f"PRAGMA cache_size = -{asked.cache}")
        driver.execute("PRAGMA temp_store = MEMORY")
        driver.execute("BEGIN")
        pages = driver_pages(driver, asked.values)
        return tally(history(pages), cases(pages, asked.collectors), asked.period)


if __name__ == "__main__":
    found = tally_half(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Half))
    sys.stdout.buffer.write(msgspec.msgpack.encode(list(found.items())))
    sys.stdout.buffer.flush()
    os._exit(0)  # freeing a year's lists one by one takes longer than making them
