"""Positions from the field: NDJSON, late and out of order welcome."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post

from appliance.clock import micros
from appliance.errors import FieldError, Forbidden, Invalid
from appliance.patrols.tracks import AHEAD_AT_MOST, BEHIND_AT_MOST, Position, Tracks
from appliance.people.actor import Actor
from server import examples
from server.node import Node, actor_of_request, json_bytes, node_of
from server.sign_in import require

LINES_AT_MOST = 20_000
ANYBODY = frozenset(("device", "admin", "technician"))


class Line(msgspec.Struct):
    """One line; `account` or `device` says whose position it is."""

    at: datetime
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    account: str | None = None
    device: str | None = None
    speed: Annotated[float, msgspec.Meta(ge=0, le=120)] | None = None


_decoder = msgspec.json.Decoder(Line)


class PositionController(Controller):
    """Positions."""

    path = "/api/v1/positions"
    tags = ["positions"]

    @post(
        operation_id="send_positions", guards=[require("device", "collector", "admin", "technician")],
        responses=examples.refusals(401, 403, 413, 422),
    )  # fmt: skip
    async def send(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """NDJSON lines `{"device"|"account","at","lon","lat","speed"?}`; refused whole when a line is wrong."""
        node, actor = node_of(request), actor_of_request(request)
        positions = _positions(await request.body(), actor, node.office.records.clock.now())
        tracks = tracks_of(request, node)
        added = await node.thread(lambda: tracks.add(positions))
        return json_bytes(msgspec.json.encode({"read": len(positions), "added": added}), 201)

    @get(
        operation_id="last_positions",
        guards=[require("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin", "technician")],
        responses=examples.refusals(401, 403),
    )
    async def last(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The newest position of everybody who sent one since the node began."""
        items = tracks_of(request, node_of(request)).last()
        return json_bytes(msgspec.json.encode({"items": items}))


def tracks_of(request: Request[Any, Any, Any], node: Node) -> Tracks:
    """The tracks of the node's home."""
    tracks: Tracks | None = request.app.state.get("tracks")
    if tracks is None:
        tracks = request.app.state["tracks"] = Tracks(node.office.records.home, node.office.settings.zone)
    return tracks


def _positions(body: bytes, actor: Actor, now: int) -> list[Position]:
    lines = [line for line in body.split(b"\n") if line.strip()]
    if not lines or len(lines) > LINES_AT_MOST:
        raise Invalid(f"须有 1 到 {LINES_AT_MOST} 行位置。", f"Send between 1 and {LINES_AT_MOST} lines of positions.")
    return [_position(number, line, actor, now) for number, line in enumerate(lines, start=1)]


def _position(number: int, line: bytes, actor: Actor, now: int) -> Position:
    try:
        item = _decoder.decode(line)
    except msgspec.DecodeError as error:
        raise _wrong(number, f"无法解析 ({error})", f"cannot be read ({error})") from None
    who = item.account or item.device
    if who is None or item.at.tzinfo is None:
        raise _wrong(number, "缺少 account/device 或时区", "has no account or device, or a time without zone")
    at = micros(item.at)
    if not now - BEHIND_AT_MOST <= at <= now + AHEAD_AT_MOST:
        raise _wrong(number, f"时间 {item.at} 太早或在未来", f"has a time too old or in the future: {item.at}")
    if who != actor.account and ANYBODY.isdisjoint(actor.roles):
        raise Forbidden(f"第 {number} 行: 只能上传自己的位置。", f"Line {number}: only one's own position may be sent.")
    return Position(who, at, item.lon, item.lat, item.speed)


def _wrong(number: int, zh: str, en: str) -> Invalid:
    return Invalid(
        f"第 {number} 行{zh};整批未保存。",
        f"Line {number} {en}; nothing was stored.",
        fields=(FieldError(f"line {number}", zh, en),),
    )
