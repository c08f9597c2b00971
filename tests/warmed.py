"""What the nodes of a test run are forked from: everything is imported, and one node was put together here once.

What Python works out only the first time, as the types of all routes and the national tables, a forked node has then.
"""

from __future__ import annotations

import gc
import shutil
from importlib import import_module

from tests import homes

IMPORTED = (
    "appliance.cli", "appliance.cases.office", "appliance.people.accounts", "server.app", "server.commands",
    "server.exchange.keeper", "server.exchange.running", "server.prefecture.app", "server.prefecture.commands",
    "devices.commands.group", "devices.agent.main", "litestar.plugins.pydantic", "uvicorn", "uvloop", "httptools",
)  # fmt: skip


def put_together_once() -> None:
    """A node over a home that is gone at once; nothing of it stays open."""
    from appliance.cases.office import Office
    from server.app import create_app

    office = Office.open(homes.template())
    try:
        create_app(office)
    finally:
        office.close()
        shutil.rmtree(homes.template())
        homes.template.cache_clear()


for name in IMPORTED:
    import_module(name)
put_together_once()
gc.collect()
gc.freeze()
