"""`wanmi audit`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance.options import home_option, json_option, say, show


@click.group()
def audit() -> None:
    """The audit chain: history rows and administrative acts, each carrying the hash of the one before."""


@audit.command()
@home_option
@json_option
def verify(home: Path, as_json: bool) -> None:
    """Walk both chains and name the first broken row.

    Exit code 1 when a row was edited, deleted or put in between.
    """
    from appliance.cases.history import audit_chains
    from appliance.records.store import Records

    records = Records.open(home)
    try:
        with records.read() as connection:
            chains = audit_chains(connection)
    finally:
        records.close()
    broken = {name: row for name, (_, row) in chains.items() if row is not None}
    if as_json:
        show({"ok": not broken, "held": {name: held for name, (held, _) in chains.items()}, "broken": broken})
    for name, (held, row) in chains.items():
        say(f"{name}: {held} 行完好 / rows hold" + ("" if row is None else f"; 第一处断裂 / first broken row: {row}"))
    sys.exit(1 if broken else 0)
