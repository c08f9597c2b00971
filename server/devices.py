"""Devices over HTTP: agents report how they stand and answer commands; the console sees them and hands commands in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import Body, Parameter

from appliance.clock import moment
from appliance.equipment import commands
from appliance.errors import FieldError, Invalid
from server import answers, examples
from server.node import actor_of_request, json_bytes, node_of
from server.paging import PAGE, After, Key, Limit, before_of, page, sent
from server.sign_in import require

SEES = ("acceptor", "shift_leader", "dispatcher", "leader", "assessor", "admin", "technician")
COMMANDS = ("shift_leader", "admin", "technician")
DEVICES_AT_MOST = 200
LATEST = 253_402_300_799
"""The last second of the year 9999; a later one is no time that anybody could be told."""
Facts = dict[str, Any]


class ActionOut(msgspec.Struct):
    """Something a device can do; `value` is what it takes: "" nothing, "0-100", "on|off", "TEXT", a word for a name."""

    name: Annotated[str, msgspec.Meta(max_length=40)]
    value: Annotated[str, msgspec.Meta(max_length=2000)]
    zh: Annotated[str, msgspec.Meta(max_length=500)]
    en: Annotated[str, msgspec.Meta(max_length=500)]


class Standing(msgspec.Struct, kw_only=True):
    """How one device stands; `facts` is what it told last, by kind."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    driver: Annotated[str, msgspec.Meta(max_length=40)]
    port: Annotated[str, msgspec.Meta(max_length=300)]
    state: Annotated[str, msgspec.Meta(max_length=40)]
    well: bool
    since: Annotated[float, msgspec.Meta(ge=0, le=LATEST)]
    zh: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    en: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    rate: int | None = None
    facts: dict[str, Facts] = {}
    counters: dict[str, int] = {}
    actions: Annotated[list[ActionOut], msgspec.Meta(max_length=100)] = []


class Positions(msgspec.Struct):
    """How an agent's positions fare: sent, refused, waiting on its disk, and whether it finds the node away."""

    sent: int = 0
    refused: int = 0
    waiting: int = 0
    away: bool = False


class Report(msgspec.Struct):
    """What an agent tells of itself."""

    at: datetime
    pid: int
    devices: Annotated[list[Standing], msgspec.Meta(max_length=DEVICES_AT_MOST)]
    positions: Positions


class DeviceOut(Standing, kw_only=True):
    """A device with its agent; `heard` is false where that fell silent, `told_at` when it told last."""

    agent: str
    heard: bool
    told_at: datetime


class AgentOut(msgspec.Struct):
    """An agent."""

    agent: str
    told_at: datetime
    heard: bool
    positions: Positions


class DevicesOut(msgspec.Struct):
    """All devices and agents."""

    items: list[DeviceOut]
    agents: list[AgentOut]


class CommandBody(msgspec.Struct, forbid_unknown_fields=True):
    """An action of the device's driver, with its value where it takes one."""

    action: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    value: Annotated[str, msgspec.Meta(max_length=2000)] | None = None


class AnswerBody(msgspec.Struct):
    """What came of a command; `zh` and `en` say why not."""

    ok: bool
    answer: Facts
    zh: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    en: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class CommandOut(msgspec.Struct):
    """A command; `ok` is null while it waits."""

    id: int
    device: str
    action: str
    value: str | None
    account: str
    name: str
    at: datetime
    answered_at: datetime | None
    ok: bool | None
    answer: Facts | None
    zh: str
    en: str


class CommandsOut(msgspec.Struct):
    """Commands, newest first; those that wait oldest first."""

    items: list[CommandOut]
    next: str | None


class DeviceController(Controller):
    """Devices."""

    path = "/api/v1/devices"
    tags = ["devices"]

    @get(
        operation_id="devices",
        guards=[require(*SEES)],
        responses={**answers.shows(DevicesOut), **examples.refusals(401, 403)},
    )
    async def all(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Every device as its agent told it last."""
        node = node_of(request)
        now = node.office.records.clock.now()
        items = [
            msgspec.convert({**item, "told_at": moment(item["told_at"])}, DeviceOut)
            for item in node.equipment.devices(now)
        ]
        agents = [
            msgspec.convert({**item, "told_at": moment(item["told_at"])}, AgentOut)
            for item in node.equipment.agents(now)
        ]
        return json_bytes(msgspec.json.encode(DevicesOut(items, agents)))

    @post(
        operation_id="report_devices",
        status_code=204,
        guards=[require("device")],
        responses=examples.refusals(401, 403, 413, 422),
    )
    async def report(self, request: Request[Any, Any, Any], data: Report) -> None:
        """An agent tells how its devices stand."""
        node, actor = node_of(request), actor_of_request(request)
        names = [device.name for device in data.devices]
        if len(set(names)) != len(names):
            raise Invalid(
                "设备名重复。", "A device's name is given twice.", fields=(FieldError("devices", "重复", "twice"),)
            )
        node.equipment.report(actor.account, msgspec.to_builtins(data), node.office.records.clock.now())

    @post(
        "/{device:str}/commands", status_code=202, operation_id="command_device", guards=[require(*COMMANDS)],
        responses={**answers.shows(CommandOut, 202), **examples.refusals(401, 403, 409, 422)},
    )  # fmt: skip
    async def command(
        self,
        request: Request[Any, Any, Any],
        device: Annotated[str, Parameter(max_length=40)],
        data: Annotated[CommandBody, Body(examples=examples.body_example({"action": "brightness", "value": "60"}))],
    ) -> Response[bytes]:
        """Hand a command to a device (`signs` for all signs: `notice`, `normal`); its answer comes with `GET`."""
        node, actor = node_of(request), actor_of_request(request)
        node.equipment.check_name(device, node.office.records.clock.now())
        told = await node.office.records.write_async(
            lambda unit: commands.command(unit, actor, device, data.action, data.value)
        )
        node.watcher.tell("device", "command", {"id": told["id"]})
        return sent(told, 202)

    @get(
        "/commands", operation_id="device_commands", guards=[require("device", *SEES)],
        responses={**answers.shows(CommandsOut), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def commands(
        self, request: Request[Any, Any, Any], waiting: bool = False, after: After = None, limit: Limit = PAGE
    ) -> Response[bytes]:
        """The ledger of commands; with `waiting` what the agents are to do now."""
        node = node_of(request)
        if waiting:
            now = node.office.records.clock.now()
            rows = await node.read(lambda connection: commands.waiting_commands(connection, now))
            return sent({"items": rows, "next": None})
        rows = await node.read(
            lambda connection: commands.commands_page(connection, before=before_of(after), limit=limit + 1)
        )
        return sent(page([_seen(request, row) for row in rows], limit, lambda row: row["id"]))

    @get(
        "/commands/{command_id:int}", operation_id="device_command", guards=[require("device", *SEES)],
        responses={**answers.shows(CommandOut), **examples.refusals(401, 403, 404)},
    )  # fmt: skip
    async def one(self, request: Request[Any, Any, Any], command_id: Key) -> Response[bytes]:
        """One command with its answer."""
        found = await node_of(request).read(lambda connection: commands.find_command(connection, command_id))
        return sent(_seen(request, found))

    @post(
        "/commands/{command_id:int}/answer", status_code=200, operation_id="answer_device_command",
        guards=[require("device")], responses={**answers.shows(CommandOut), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def answer(self, request: Request[Any, Any, Any], command_id: Key, data: AnswerBody) -> Response[bytes]:
        """An agent tells what came of a command; the first answer counts."""
        node = node_of(request)
        told = await node.office.records.write_async(
            lambda unit: commands.answer(unit, command_id, ok=data.ok, told=data.answer, zh=data.zh, en=data.en)
        )
        return sent(told)


def _seen(request: Request[Any, Any, Any], command: dict[str, Any]) -> dict[str, Any]:
    """A command as this account may see it."""
    roles = actor_of_request(request).roles
    return commands.without_message(command) if roles.isdisjoint(("device", *COMMANDS)) else command
