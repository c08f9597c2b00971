"""Orders that came in a file, carried out one after the other as the client that signed the file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from appliance.cases.office import Office
from appliance.errors import NotFound
from appliance.exchange.kept import Order
from appliance.exchange.links import LinkFolder
from appliance.settings import load
from server.exchange.desk import Door, ExchangeDesk
from server.exchange.orders import CLIENT, Carrier

NO_HURRY = 1_000_000
"""Requests a minute: who carries files does not ask too often."""


async def carry_out_lines(home: Path, url: str, client: str, lines: Iterable[bytes]) -> None:
    """Carry out orders, a line of JSON each; each answer is kept before the next order begins.

    Raises:
        NotFound: the home is not joined to this platform.
    """
    settings = load(home)
    link = next((each for each in settings.exchange.links if each.url == url), None)
    enrolment = None if link is None else LinkFolder(home, url).enrolment()
    if link is None or enrolment is None:
        raise NotFound(f"没有加入 {url}。", f"This node is not joined to {url}.")
    desk = ExchangeDesk(Office.open(home, settings=settings))
    try:
        carrier = Carrier(desk, Door(link, enrolment, NO_HURRY), keeps_all=True)
        for line in lines:
            order = msgspec.json.decode(line, type=Order)
            named = {name: value for name, value in order.headers.items() if name.lower() != CLIENT.lower()}
            await carrier.answer(msgspec.structs.replace(order, headers={**named, CLIENT: client}))
    finally:
        desk.close()
