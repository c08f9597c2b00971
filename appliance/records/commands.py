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


@audit.command("accept-loss")
@click.option("--by", default="technician", show_default=True, metavar="ACCOUNT", help="Who accepts it.")
@home_option
def accept_loss(by: str, home: Path) -> None:
    """Take the database as it is after the disk lost answered changes; the act stands in the audit chain.

    `wanmi doctor` tells of such a loss (database.answered). Where there is a warm copy it has what is missing:
    `wanmi backup restore warm` first. After this command the warm copy follows the home again and forgets it.
    """
    from appliance.errors import Conflict
    from appliance.records.acts import append_act
    from appliance.records.anchor import ACCEPTED, loss
    from appliance.records.store import Records

    records = Records.open(home)
    try:
        with records.read() as connection:
            found = loss(connection)
        if found is None:
            raise Conflict("没有需要确认的丢失。", "There is no loss to accept.")
        detail = {"kept": found.kept, "answered": found.answered}
        records.write(lambda unit: append_act(unit, by, ACCEPTED, found.feed, detail))
    finally:
        records.close()
    say(f"已确认丢失变更 {found.kept + 1} 到 {found.answered} / accepted: changes lost")
