"""`wanmi devices simulate` and `agent`: a device that is not there, and the process that owns those that are."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

import rich_click as click

from appliance.options import home_option, json_option, say, show
from devices.commands.shared import driver_options


@click.command()
@click.option("--driver", required=True, help="Which device: novastar, onbon, am03127, alpha, nmea, modem, raw.")
@driver_options
@click.option("--busy", type=click.IntRange(0), default=0, help="Say busy the first so many times.")
@click.option("--slow", type=click.FloatRange(0), default=0.0, metavar="SECONDS", help="Think before each answer.")
@click.option("--noisy", type=click.FloatRange(0, 1), default=0.0, help="Share of bytes that the line damages.")
@click.option("--refusing", is_flag=True, help="Refuse everything that changes something.")
@click.option("--silent", is_flag=True, help="Hear and say nothing.")
@click.option("--echo", is_flag=True, help="Give back what is sent, as a two-wire line does.")
@click.option("--unplug-every", type=click.FloatRange(1), metavar="SECONDS", help="Go away for a second now and then.")
@click.option("--link", type=click.Path(path_type=Path), help="A symbolic link that follows the device.")
@home_option
@json_option
def simulate(
    driver: str, options: dict[str, Any], busy: int, slow: float, noisy: float, refusing: bool, silent: bool,
    echo: bool, unplug_every: float | None, link: Path | None, home: Path, as_json: bool,
) -> None:  # fmt: skip
    """Open a pseudo-terminal that behaves as a device, print its path, and run until Ctrl-C.

    For training and tests without hardware; the moods make it behave badly.
    """
    from devices.fakes.fake import Moods
    from devices.fakes.host import Host
    from devices.fakes.table import make_fake

    moods = Moods(busy=busy, slow=slow, noisy=noisy, refusing=refusing, silent=silent, echo=echo)
    fake = make_fake(driver, moods, options)
    _check_link(link)
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    with Host(fake, link) as host:
        told = str(link or host.path)
        show({"driver": driver, "path": told, "rate": host.fake.rate}) if as_json else click.echo(told)
        say("Ctrl-C 停止 (stops)")
        while not ending.wait(unplug_every):
            host.unplug()
            ending.wait(1.0)
            host.plug_in()


def _check_link(link: Path | None) -> None:
    """See that a link can be made there, and that it takes no file's place.

    Raises:
        BadSetup: it cannot, or it would.
    """
    from devices.errors import BadSetup

    if link is None:
        return
    if not link.parent.is_dir() or not os.access(link.parent, os.W_OK):
        raise BadSetup(
            f"--link {link}: 目录 {link.parent} 不存在或不可写。",
            f"--link {link}: the folder {link.parent} is not there or cannot be written.",
        )
    if os.path.lexists(link) and not link.is_symlink():
        raise BadSetup(
            f"--link {link} 已是别的文件,请换一个名字。", f"--link {link} is another file already; take another name."
        )


@click.command()
@click.option("--node", metavar="URL", help="Address of the node, over [agent] node of the settings.")
@home_option
def agent(node: str | None, home: Path) -> None:
    """Run the device agent: it owns the ports of all configured devices until it is told to stop.

    `wanmi up` starts it. On another machine than the node's it needs the node's address ([agent] node) and a key
    (wanmi keys add NAME --role device, kept in keys/agent.key). Changed settings are taken over within seconds.
    """
    from appliance.log import configure
    from appliance.settings import load
    from devices.agent.main import run

    load(home)  # before anything is written there
    configure(home, "agent")
    run(home, node)
