"""Positions from the field: NDJSON, late and out of order welcome."""

from __future__ import annotations

from datetime import datetime
from time import monotonic
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import Parameter
from sqlalchemy import text

from appliance.clock import DAY, SECOND, micros, moment
from appliance.errors import FieldError, Invalid
from appliance.patrols.position import Position
from appliance.patrols.tracks import AHEAD_AT_MOST
from appliance.people.actor import Actor
from server import answers, examples
from server.cases.routes import box
from server.node import Node, actor_of_request, json_bytes, node_of
from server.problems import language_of
from server.sign_in import require

LINES_AT_MOST = 20_000
FRESH_SECONDS = 10.0
SHOWN = 20
ANYBODY = frozenset(("device", "admin", "technician"))
SEES = ("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin", "technician")
SECONDS_AT_MOST = 2 * 86_400
_ACCOUNTS = text("SELECT account FROM account WHERE active")
_NAMES = text("SELECT account, name FROM account WHERE active")


class Line(msgspec.Struct):
    """One line; `account` or `device` says whose position it is."""

    at: datetime
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    account: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    device: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    speed: Annotated[float, msgspec.Meta(ge=0, le=120)] | None = None


_decoder = msgspec.json.Decoder(Line)


class Taken(msgspec.Struct):
    """What became of the lines: `added` were new, `refused` names the wrong ones."""

    read: int
    added: int
    refused: list[dict[str, Any]]


class PositionController(Controller):
    """Positions."""

    path = "/api/v1/positions"
    tags = ["positions"]

    @post(
        operation_id="send_positions", guards=[require("device", "collector", "admin", "technician")],
        responses=examples.refusals(401, 403, 413, 422),
    )  # fmt: skip
    async def send(self, request: Request[Any, Any, Any]) -> Taken:
        """NDJSON lines `{"device"|"account","at","lon","lat","speed"?}`; wrong lines are named, the others are kept."""
        node, actor = node_of(request), actor_of_request(request)
        lines = [line for line in (await request.body()).split(b"\n") if line.strip()]
        if not lines or len(lines) > LINES_AT_MOST:
            raise Invalid(
                f"须有 1 到 {LINES_AT_MOST} 行位置。", f"Send between 1 and {LINES_AT_MOST} lines of positions."
            )
        accounts = await known_accounts(request, node)
        behind = node.office.settings.patrols.tracks_kept_days * DAY
        reader = Reader(actor, accounts, node.office.records.clock.now(), behind, language_of(request))
        positions = [position for position in map(reader.position, lines) if position is not None]
        if not positions:
            raise reader.nothing_good()
        added = await node.tracks.add_async(positions)
        tell_moved(node, positions, reader.devices)
        return Taken(len(lines), added, reader.refused)

    @get(
        operation_id="last_positions",
        guards=[require(*SEES)],
        responses={**answers.shows(answers.LastPositions), **examples.refusals(401, 403, 422)},
    )
    async def last(
        self,
        request: Request[Any, Any, Any],
        bbox: Annotated[str | None, Parameter(description="west,south,east,north in EPSG:4490")] = None,
        seconds: Annotated[int, Parameter(ge=1, le=SECONDS_AT_MOST, description="Not older than this")] = 86_400,
    ) -> Response[bytes]:
        """The newest position of every collector and vehicle, in a box where one is given, with its age in seconds."""
        node = node_of(request)
        now = node.office.records.clock.now()
        west, south, east, north = (-180, -90, 180, 90) if bbox is None else box(bbox)
        found = [
            item
            for item in await node.thread(node.tracks.last)
            if west <= item.lon <= east and south <= item.lat <= north and now - item.at <= seconds * SECOND
        ]
        names = await node.read(lambda connection: dict(connection.execute(_NAMES).tuples().all()))
        return json_bytes(msgspec.json.encode({"items": [told(item, names.get(item.who), now) for item in found]}))


def told(position: Position, name: str | None, now: int) -> answers.LastPosition:
    """A position as it is told, with its age."""
    return answers.LastPosition(
        position.who, name or position.who, moment(position.at), max(now - position.at, 0) // SECOND, position.lon,
        position.lat, position.speed,
    )  # fmt: skip


def tell_moved(node: Node, positions: list[Position], devices: set[str]) -> None:
    """Tell those who follow the vehicles where these devices are now; a late position moves none of them."""
    if not devices or not node.watcher.vehicles_followed:
        return
    sent = {(position.who, position.at) for position in positions}
    newest = [position for position in node.tracks.newest_of(devices) if (position.who, position.at) in sent]
    if newest:
        node.watcher.moved(newest)


async def known_accounts(request: Request[Any, Any, Any], node: Node) -> frozenset[str]:
    """The active accounts, at most some seconds old."""
    read_at, accounts = request.app.state.get("known_accounts", (float("-inf"), frozenset()))
    if monotonic() - read_at > FRESH_SECONDS:
        accounts = await node.read(lambda connection: frozenset(connection.execute(_ACCOUNTS).scalars()))
        request.app.state["known_accounts"] = (monotonic(), accounts)
    found: frozenset[str] = accounts
    return found


class Reader:
    """Reads the lines of one body; `refused` names the wrong ones.

    Args:
        behind: how many microseconds late a position may come; as long as tracks are kept.

    Attributes:
        devices: those of the positions that were sent for a device and not for an account.
    """

    def __init__(self, actor: Actor, accounts: frozenset[str], now: int, behind: int, language: str) -> None:
        self.refused: list[dict[str, Any]] = []
        self.devices: set[str] = set()
        self._actor, self._accounts, self._language = actor, accounts, language
        self._now, self._behind = now, behind
        self._anybody = not ANYBODY.isdisjoint(actor.roles)
        self._number = 0

    def position(self, line: bytes) -> Position | None:
        """The position of a line, None when it is wrong."""
        self._number += 1
        try:
            item = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return self._refuse(f"无法解析 ({error})", f"cannot be read ({error})")
        who = item.account or item.device
        if who is None or item.at.tzinfo is None:
            return self._refuse("缺少 account/device 或时区", "no account or device, or a time without zone")
        if not self._anybody and who != self._actor.account:
            return self._refuse("只能上传自己的位置", "only one's own position may be sent")
        if item.account is not None and item.account not in self._accounts:
            return self._refuse(f"没有账号 {item.account}", f"no account {item.account}")
        at = micros(item.at)
        if not self._now - self._behind <= at <= self._now + AHEAD_AT_MOST:
            return self._refuse(f"时间 {item.at} 太早或在未来", f"the time is too old or in the future: {item.at}")
        if item.account is None and who not in self._accounts:
            self.devices.add(who)
        return Position(who, at, item.lon, item.lat, item.speed)

    def nothing_good(self) -> Invalid:
        """The refusal of a body in which every line is wrong."""
        fields = tuple(FieldError(f"line {item['line']}", item["why"], item["why"]) for item in self.refused[:SHOWN])
        first = self.refused[0]
        return Invalid(
            f"没有一行可用;第 {first['line']} 行: {first['why']}。",
            f"No line is good; line {first['line']}: {first['why']}.",
            fields=fields,
        )

    def _refuse(self, zh: str, en: str) -> None:
        self.refused.append({"line": self._number, "why": zh if self._language == "zh" else en})
