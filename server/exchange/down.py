"""What the prefecture sends down: cases, supervisions, withdrawals, decisions (CONTRACT.md "Exchange")."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, post
from litestar.params import Parameter
from sqlalchemy import Connection

from appliance.cases.report import NewCase
from appliance.exchange import sent_down
from appliance.exchange.kinds.all import KINDS
from appliance.exchange.kinds.base import Sight
from appliance.records.writer import Unit
from server.cases.schemas import DecisionBody, Name, ReportBody, Text, Upper, moment_of
from server.exchange.desk import PREFIX, Asker, ExchangeDesk, asker_of, desk_of
from server.node import CURSOR_AT_MOST, json_bytes

SOURCE = "upper_level"
Key = Annotated[str | None, Parameter(header="Idempotency-Key", max_length=200)]
Number = Annotated[int, Parameter(ge=1, le=CURSOR_AT_MOST)]


class SentDownBody(ReportBody, kw_only=True, forbid_unknown_fields=True):
    """A case from above: as somebody in the county reports one, with its number above."""

    upper: Upper
    source: str = SOURCE

    def new_case(self) -> NewCase:
        """The same for the appliance."""
        new = super().new_case()
        new.upper_number, new.upper_reply_required = self.upper.number, self.upper.reply_required
        new.upper_due_at = moment_of("upper.due_at", self.upper.due_at)
        return new


class SuperviseBody(msgspec.Struct, forbid_unknown_fields=True):
    """A supervision from above."""

    note: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
    due_at: datetime | None = None
    by: Name | None = None


class WithdrawBody(msgspec.Struct, forbid_unknown_fields=True):
    """Why a case is taken back."""

    reason: Annotated[Text, msgspec.Meta(min_length=1)]


class DownController(Controller):
    """Writing from above."""

    path = f"{PREFIX}/cases"
    tags = ["exchange"]

    @post()
    async def send(self, request: Request[Any, Any, Any], data: SentDownBody, key: Key = None) -> Response[bytes]:
        """A case for the county's loop; its number above, or the key, sent again answers the same case."""
        desk, asker, new = desk_of(request), asker_of(request), data.new_case()
        asker.grants.require("cases.write")
        areas = asker.grants.areas["cases.write"]

        def work(unit: Unit) -> tuple[bytes, bool]:
            case, is_new = sent_down.take_case(unit, desk.office, asker.actor, new, key, areas)
            return _record(unit.connection, desk, asker, case["number"]), is_new

        body, is_new = await desk.office.records.write_async(work)
        return json_bytes(body, 201 if is_new else 200)

    @post("/{number:str}/supervisions")
    async def supervise(
        self, request: Request[Any, Any, Any], number: str, data: SuperviseBody, key: Key = None
    ) -> Response[bytes]:
        """A supervision; the history gets a row with its note."""
        desk, asker = desk_of(request), asker_of(request)
        asker.grants.require("supervise")
        areas = asker.grants.areas["supervise"]
        new = sent_down.NewSupervision(data.note, moment_of("due_at", data.due_at), data.by)
        made, is_new = await desk.office.records.write_async(
            lambda unit: sent_down.supervise(unit, desk.office, asker.actor, number, new, key, areas)
        )
        return json_bytes(msgspec.json.encode(made), 201 if is_new else 200)

    @delete("/{number:str}/supervisions/{supervision:int}", status_code=200)
    async def clear(self, request: Request[Any, Any, Any], number: str, supervision: Number) -> Response[bytes]:
        """Strike off a supervision."""
        desk, asker = desk_of(request), asker_of(request)
        asker.grants.require("supervise")
        areas = asker.grants.areas["supervise"]
        cleared = await desk.office.records.write_async(
            lambda unit: sent_down.clear_supervision(unit, desk.office, asker.actor, number, supervision, areas)
        )
        return json_bytes(msgspec.json.encode(cleared))

    @post("/{number:str}/withdraw", status_code=200)
    async def withdraw(self, request: Request[Any, Any, Any], number: str, data: WithdrawBody) -> Response[bytes]:
        """Take a case back that was sent down."""
        desk, asker = desk_of(request), asker_of(request)
        asker.grants.require("cases.write")
        areas = asker.grants.areas["cases.write"]
        return await _written(
            desk, asker, number,
            lambda unit: sent_down.withdraw(unit, desk.office, asker.actor, number, data.reason, areas),
        )  # fmt: skip

    @post("/{number:str}/requests/{request_id:int}/decision", status_code=200)
    async def decide(
        self, request: Request[Any, Any, Any], number: str, request_id: Number, data: DecisionBody
    ) -> Response[bytes]:
        """Decide on a request that waits for the decision above."""
        desk, asker = desk_of(request), asker_of(request)
        asker.grants.require("cases.write")
        areas = asker.grants.areas["cases.write"]
        return await _written(
            desk, asker, number,
            lambda unit: sent_down.decide_above(
                unit, desk.office, asker.actor, number, request_id, approve=data.approve, note=data.note, areas=areas
            ),
        )  # fmt: skip


async def _written(desk: ExchangeDesk, asker: Asker, number: str, change: Any) -> Response[bytes]:
    """Carry out a change and answer with the case after it."""

    def work(unit: Unit) -> bytes:
        change(unit)
        return _record(unit.connection, desk, asker, number)

    return json_bytes(await desk.office.records.write_async(work))


def _record(connection: Connection, desk: ExchangeDesk, asker: Asker, number: str) -> bytes:
    """The record of a case as this client sees it; who may send a case down sees that it came."""
    now, yellow_at = desk.office.records.clock.now(), desk.office.settings.desk.yellow_at
    reads = "cases.read" in asker.grants.areas
    sight = asker.grants.sight("cases.read", now, yellow_at) if reads else Sight(now, yellow_at)
    return KINDS["case"].records(connection, [number], replace(sight, areas=()))[number]
