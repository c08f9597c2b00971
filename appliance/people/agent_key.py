"""The key of the device agent on the node's own machine: made once, when `wanmi up` finds none."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from appliance.errors import NotFound
from appliance.people.keys import add_key, end_key
from appliance.records.store import Records
from appliance.records.writer import Unit
from appliance.settings import load

NAME = "agent"
BY = "technician"


def ensure_agent_key(home: Path) -> None:
    """See that the agent's key file is there (0600); a key whose file was lost is ended and made anew.

    Raises:
        BadHome: there is no node's home.
    """
    settings = load(home)
    path = home / settings.agent.key_file
    if path.is_file() and path.stat().st_size:
        return
    records = Records.open(home, settings=settings)
    try:
        key = records.write(_new_key)
    finally:
        records.close()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key + "\n")


def _new_key(unit: Unit) -> str:
    with suppress(NotFound):
        end_key(unit, NAME, by=BY)
    return add_key(unit, NAME, role="device", source="device", by=BY)
