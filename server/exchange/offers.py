"""Code packs and calendars that the prefecture offers; the technician applies them by hand."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post

from appliance.exchange.offers import FILES_AT_MOST, Kind, list_offers, take_offer
from server.cases.schemas import Name
from server.exchange.desk import PREFIX, asker_of, desk_of
from server.node import json_bytes


class OfferBody(msgspec.Struct, forbid_unknown_fields=True):
    """An offer: text files by name; a pack holds `pack.toml`, a calendar `calendar.csv` (date, is_workday, name),
    indicators `NAME.csv`, which names the pack."""

    kind: Kind
    title: Name
    files: Annotated[dict[str, str], msgspec.Meta(min_length=1, max_length=FILES_AT_MOST)]


class OfferController(Controller):
    """Offers."""

    path = f"{PREFIX}/offers"
    tags = ["exchange"]

    @post(request_max_body_size=8 * 1024 * 1024)
    async def offer(self, request: Request[Any, Any, Any], data: OfferBody) -> Response[bytes]:
        """Offer something; the same content again is the same offer."""
        desk, asker = desk_of(request), asker_of(request)
        asker.grants.require("cases.write")
        now = desk.office.records.clock.now()
        made, is_new = await desk.thread(
            lambda: take_offer(
                desk.office.records.home, data.kind, data.title, data.files, link=asker.door.link.url,
                client=asker.client, now=now,
            )
        )  # fmt: skip
        return json_bytes(msgspec.json.encode(made.summary()), 201 if is_new else 200)

    @get()
    async def offers(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What this platform offered, and whether it was applied."""
        desk, asker = desk_of(request), asker_of(request)
        asker.grants.require("cases.write")
        found = await desk.thread(lambda: list_offers(desk.office.records.home))
        mine = [offer.summary() for offer in found if offer.link == asker.door.link.url]
        return json_bytes(msgspec.json.encode({"items": mine}))
