"""Messages to departments over HTTP: agents fetch what waits and tell what became of it; the office sees the ledger."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, get, post

from appliance.errors import Forbidden
from appliance.messages import outbox
from server import answers, examples
from server.node import actor_of_request, node_of
from server.paging import PAGE, After, Key, Limit, before_of, page, sent
from server.sign_in import require

Channel = Literal["sms", "webhook", "emergency"]


class MessageOut(msgspec.Struct):
    """A message; `detail` is what the channel said last."""

    id: int
    event: Literal["dispatch", "overdue", "supervise", "emergency", "emergency_over"]
    case: str
    department: str
    department_name: str
    phone: str
    channel: Channel
    text: str
    state: Literal["waiting", "sent", "no_phone", "given_up"]
    at: datetime
    tries: int
    sent_at: datetime | None
    detail: str


class MessagesOut(msgspec.Struct):
    """Messages, newest first; those that wait the longest waiting first."""

    items: list[MessageOut]
    next: str | None


class TakeBody(msgspec.Struct, forbid_unknown_fields=True):
    """The channels that an agent serves."""

    channels: Annotated[list[Channel], msgspec.Meta(min_length=1, max_length=3)]


class ResultBody(msgspec.Struct, forbid_unknown_fields=True):
    """What became of a message."""

    ok: bool
    detail: Annotated[str, msgspec.Meta(max_length=2000)] = ""


LEDGER_READERS = ("shift_leader", "dispatcher", "admin", "technician")


class MessageController(Controller):
    """Messages."""

    path = "/api/v1/messages"
    tags = ["messages"]

    @get(
        operation_id="messages", guards=[require("device", *LEDGER_READERS)],
        responses={**answers.shows(MessagesOut), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def all(
        self, request: Request[Any, Any, Any], waiting: bool = False, after: After = None, limit: Limit = PAGE
    ) -> Response[bytes]:
        """The ledger of messages; with `waiting` those that are to be sent now. An agent reads these only."""
        node = node_of(request)
        if not waiting and "device" in actor_of_request(request).roles:
            raise Forbidden(
                "设备密钥只能读待发的消息 (waiting=true),台账不能读。",
                "A device's key reads the messages to be sent (waiting=true), not the ledger.",
                needed=sorted(LEDGER_READERS),
            )
        if waiting:
            now = node.office.records.clock.now()
            rows = await node.read(lambda connection: outbox.waiting_messages(connection, now))
            return sent({"items": rows, "next": None})
        rows = await node.read(
            lambda connection: outbox.messages_page(connection, before=before_of(after), limit=limit + 1)
        )
        return sent(page(rows, limit, lambda row: row["id"]))

    @post(
        "/take", status_code=200, operation_id="take_messages", guards=[require("device")],
        responses={**answers.shows(MessagesOut), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def take(self, request: Request[Any, Any, Any], data: TakeBody) -> Response[bytes]:
        """An agent takes messages of the channels that it serves; no other agent gets them for ten minutes."""
        rows = await node_of(request).office.records.write_async(lambda unit: outbox.take_messages(unit, data.channels))
        return sent({"items": rows, "next": None})

    @post(
        "/{message_id:int}/result", status_code=200, operation_id="message_result", guards=[require("device")],
        responses={**answers.shows(MessageOut), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def result(self, request: Request[Any, Any, Any], message_id: Key, data: ResultBody) -> Response[bytes]:
        """An agent tells what became of a message; one that failed is fetched again after a pause."""
        node = node_of(request)
        told = await node.office.records.write_async(
            lambda unit: outbox.result(unit, node.office, message_id, data.ok, data.detail)
        )
        return sent(told)
