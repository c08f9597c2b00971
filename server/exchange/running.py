"""The process of the exchange: opens the ports of links that are pulled, calls out for the others, ends with its node.

It is a process of its own so that a prefecture that reads everything takes no time from the operators. It ends when its
standard input does: that is a pipe whose other end the node holds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic

import structlog
from sqlalchemy.exc import SQLAlchemyError

from appliance.cases.office import Office
from appliance.errors import WanmiError
from appliance.exchange.links import Enrolment, joined
from appliance.exchange.settings import FILES, OUTBOUND, Exchange, Link
from appliance.settings import load
from server.exchange.desk import ExchangeDesk
from server.exchange.outbound import Outbound
from server.exchange.port import Port
from server.exchange.renewing import Renewing

LOOK_SECONDS = 1.0
LINGER_SECONDS = 30.0
"""The process stays so long without a link: who leaves often joins elsewhere."""
NICE = 10
"""Operators come first."""


async def run(home: Path, *, with_parent: bool) -> None:
    """Serve until SIGTERM, until no link is left, or until the node ends."""
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), _heard, ending)
    with suppress(OSError):
        os.nice(NICE)
    desk = ExchangeDesk(Office.open(home, settings=load(home)))
    await desk.watcher.start()
    ports: dict[str, Port | Outbound] = {}
    used, renewing = monotonic(), Renewing(home)
    try:
        while not ending.is_set():
            await follow(home, desk, ports, renewing)
            await _keep_confirmed(desk)
            used = monotonic() if ports else used
            if with_parent and monotonic() - used > LINGER_SECONDS:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), LOOK_SECONDS)
    finally:
        desk.watcher.end_streams()
        await asyncio.gather(*(port.close() for port in ports.values()))
        await _keep_confirmed(desk)
        await desk.watcher.stop()
        desk.close()


async def follow(home: Path, desk: ExchangeDesk, ports: dict[str, Port | Outbound], renewing: Renewing) -> None:
    """Open and close ports as the settings and the enrolments say now; what is wrong is logged and leaves the rest."""
    log, unread = structlog.get_logger("wanmi"), set()

    def broken(link: Link, error: WanmiError) -> None:
        unread.add(link.url)
        log.error("exchange", link=link.url, error=error.en)

    try:
        settings = load(home).exchange
        renewing.look(settings)
        links = joined(home, settings, broken)
        wanted = {link.url: (link, enrolment) for link, enrolment in links if link.mode != FILES}
    except WanmiError as error:
        log.error("exchange", error=error.en)
        return
    left = [url for url, port in ports.items() if url not in unread]
    for url in [url for url in left if url not in wanted or wanted[url][0] != ports[url].link]:
        await ports.pop(url).close()
        log.info("exchange closed", link=url)
    for url, (link, enrolment) in wanted.items():
        try:
            if url in ports:
                await ports[url].follow(enrolment)
            else:
                ports[url] = await _opened(desk, link, enrolment, settings)
        except (WanmiError, OSError) as error:
            log.error("exchange", link=url, error=str(error))


async def _opened(desk: ExchangeDesk, link: Link, enrolment: Enrolment, settings: Exchange) -> Port | Outbound:
    """The open port of a link, or what calls out for it."""
    log = structlog.get_logger("wanmi")
    if link.mode == OUTBOUND:
        calling = Outbound(desk, link, enrolment, settings)
        await calling.open()
        log.info("exchange calls out", link=link.url)
        return calling
    port = Port(desk, link, enrolment, settings)
    await port.open()
    log.info("exchange port open", link=link.url, port=port.number)
    return port


async def _keep_confirmed(desk: ExchangeDesk) -> None:
    """Write down how far the clients are; on a full disk the next second tries again."""
    try:
        await desk.keep_confirmed()
    except SQLAlchemyError as error:
        structlog.get_logger("wanmi").error("exchange ledger", error=str(error))


def _heard(ending: asyncio.Event) -> None:
    """The node says nothing on the pipe; its end is the node's end."""
    if not os.read(sys.stdin.fileno(), 1):
        ending.set()
