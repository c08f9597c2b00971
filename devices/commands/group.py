"""The group `wanmi devices`; each file beside this one has the commands of one idea."""

from __future__ import annotations

import rich_click as click

from devices.commands import configuring, listening, running, sending


@click.group()
def devices() -> None:
    """Serial devices: GPS units, LED walls and signs, modems.

    \b
    The way from a box to a running wall:
      wanmi devices probe                                   what hangs on which port
      wanmi devices send --driver novastar --port PORT identify
      wanmi devices add wall --driver novastar --port PORT
      wanmi up                                              the agent keeps it from now on
      wanmi devices list
    """


for command in (
    configuring.list_, configuring.drivers, configuring.probe, configuring.add, configuring.remove,
    listening.watch, listening.record, sending.send, sending.notice, sending.normal, running.simulate, running.agent,
):  # fmt: skip
    devices.add_command(command)
