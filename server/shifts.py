"""The shift desk: signing on and off, handovers, the log, the roster. The rules: `appliance/people/shifts.py`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post, put
from litestar.params import Body, Parameter

from appliance.cases.open_items import open_items
from appliance.clock import local
from appliance.people import roster, shift_log, shifts
from appliance.people.shifts import DESK_ROLES
from server import answers, examples
from server import shift_answers as wire
from server.node import Node, actor_of_request, node_of
from server.paging import PAGE, After, Key, Limit, before_of, page, sent
from server.sign_in import require

READERS = (*DESK_ROLES, "leader", "assessor", "admin", "technician")
ROSTER_KEEPERS = ("shift_leader", "admin", "technician")
ENTRY = {"kind": "visit", "text": "市局检查组到访"}
ROSTER = {"entries": [{"day": "2026-10-08", "account": "s1", "shift": "morning"}]}
COPY = {"from": "2026-10-05", "to": "2026-10-12"}


class ShiftController(Controller):
    """Shifts."""

    path = "/api/v1/shifts"
    tags = ["shifts"]

    @get(
        "/now", operation_id="shift_now", guards=[require(*READERS)],
        responses={**answers.shows(wire.NowOut), **examples.refusals(401, 403)},
    )  # fmt: skip
    async def now(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Which turns run, who is on duty, who is missing, one's own open shift."""
        node, actor = node_of(request), actor_of_request(request)
        return sent(await node.read(lambda connection: shifts.now_at_the_desk(connection, node.office, actor)))

    @get(
        "/open-items", operation_id="open_items", guards=[require(*DESK_ROLES)],
        responses={**answers.shows(wire.OpenItems), **examples.refusals(401, 403)},
    )  # fmt: skip
    async def open_items(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What would be handed over now."""
        node = node_of(request)
        now = node.office.records.clock.now()
        return sent(await node.read(lambda connection: open_items(connection, now)))

    @post(
        operation_id="sign_on", guards=[require(*DESK_ROLES)],
        responses={**answers.shows(wire.ShiftDetail, 201), **examples.refusals(401, 403, 409, 422)},
    )  # fmt: skip
    async def sign_on(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[wire.SignOnBody, Body(examples=examples.body_example({"shift": "morning", "seat": "1号席"}))],
    ) -> Response[bytes]:
        """Begin one's shift; one open shift an account."""
        node, actor = node_of(request), actor_of_request(request)
        work = node.office.records.write_async(
            lambda unit: shifts.sign_on(unit, node.office, actor, data.shift, data.seat)
        )
        return sent(await work, 201)

    @post(
        "/{shift_id:int}/end", status_code=200, operation_id="sign_off", guards=[require(*DESK_ROLES)],
        responses={**answers.shows(wire.HandoverOut), **examples.refusals(401, 403, 404, 409, 422)},
    )  # fmt: skip
    async def sign_off(
        self,
        request: Request[Any, Any, Any],
        shift_id: Key,
        data: Annotated[wire.SignOffBody, Body(examples=examples.body_example({"note": "3 号路灯案件等配件"}))],
    ) -> Response[bytes]:
        """End a shift with its handover: the note, and what is open at this moment. Answers the handover."""
        node, actor = node_of(request), actor_of_request(request)
        work = node.office.records.write_async(
            lambda unit: shifts.sign_off(unit, node.office, actor, shift_id, data.note)
        )
        return sent(await work)

    @get(
        operation_id="shifts", guards=[require(*READERS)],
        responses={**answers.shows(wire.Shifts), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def all(
        self, request: Request[Any, Any, Any], account: str | None = None, after: After = None, limit: Limit = PAGE
    ) -> Response[bytes]:
        """Shifts newest first; of one account where given."""
        node = node_of(request)
        rows = await node.read(
            lambda connection: shifts.shifts_page(
                connection, node.office, before=before_of(after), limit=limit + 1, account=account
            )
        )
        return sent(page(rows, limit, lambda row: row["id"]))

    @get(
        "/{shift_id:int}", operation_id="read_shift", guards=[require(*READERS)],
        responses={**answers.shows(wire.ShiftDetail), **examples.refusals(401, 403, 404)},
    )  # fmt: skip
    async def read(self, request: Request[Any, Any, Any], shift_id: Key) -> Response[bytes]:
        """A shift with the counts of what its account did meanwhile."""
        node = node_of(request)
        return sent(await node.read(lambda connection: shifts.find_shift(connection, node.office, shift_id)))


class HandoverController(Controller):
    """Handovers."""

    path = "/api/v1/handovers"
    tags = ["shifts"]
    guards = [require(*DESK_ROLES)]

    @get(operation_id="handovers", responses={**answers.shows(wire.Handovers), **examples.refusals(401, 403, 422)})
    async def all(
        self,
        request: Request[Any, Any, Any],
        waiting: Annotated[bool, Parameter(description="Only those that nobody took over yet")] = False,
        after: After = None,
        limit: Limit = PAGE,
    ) -> Response[bytes]:
        """Handovers newest first."""
        node = node_of(request)
        rows = await node.read(
            lambda connection: shifts.handovers_page(
                connection, node.office, before=before_of(after), limit=limit + 1, waiting=waiting
            )
        )
        return sent(page(rows, limit, lambda row: row["id"]))

    @post(
        "/{handover_id:int}/confirm", status_code=200, operation_id="confirm_handover",
        responses={**answers.shows(wire.HandoverOut), **examples.refusals(401, 403, 404, 409)},
    )  # fmt: skip
    async def confirm(self, request: Request[Any, Any, Any], handover_id: Key) -> Response[bytes]:
        """Take a handover over; by somebody else who is signed on."""
        node, actor = node_of(request), actor_of_request(request)
        work = node.office.records.write_async(lambda unit: shifts.confirm(unit, node.office, actor, handover_id))
        return sent(await work)


class ShiftLogController(Controller):
    """The log of the shifts."""

    path = "/api/v1/shift-log"
    tags = ["shifts"]
    guards = [require(*DESK_ROLES)]

    @get(operation_id="shift_log", responses={**answers.shows(wire.LogPage), **examples.refusals(401, 403, 422)})
    async def lines(
        self,
        request: Request[Any, Any, Any],
        kind: str | None = None,
        shift: After = None,
        after: After = None,
        limit: Limit = PAGE,
    ) -> Response[bytes]:
        """Lines newest first; of one kind or one shift where given."""
        rows = await node_of(request).read(
            lambda connection: shift_log.page(
                connection, before=before_of(after), limit=limit + 1, kind=kind, shift_id=shift
            )
        )
        return sent(page(rows, limit, lambda row: row["id"]))

    @post(operation_id="enter_in_log", responses={**examples.refusals(401, 403, 422)})
    async def enter(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[wire.EntryBody, Body(examples=examples.body_example(ENTRY))],
    ) -> wire.EntryBody:
        """Write a line by hand; it stays as it is."""
        node, actor = node_of(request), actor_of_request(request)
        await node.office.records.write_async(lambda unit: shift_log.enter(unit, actor, data.kind, data.text))
        return data


class RosterController(Controller):
    """The roster."""

    path = "/api/v1/roster"
    tags = ["shifts"]

    @get(
        operation_id="roster", guards=[require(*READERS)],
        responses={**answers.shows(wire.RosterOut), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def days(
        self,
        request: Request[Any, Any, Any],
        first: Annotated[str | None, Parameter(query="from", description="First day; today where left out")] = None,
        days: int = roster.WEEK,
    ) -> Response[bytes]:
        """Who is to work which turn on which day."""
        node = node_of(request)
        begins = roster.checked_day(first, "from") if first is not None else _today(node)
        return sent(await node.read(lambda connection: roster.roster(connection, node.office, begins, days)))

    @put(
        operation_id="save_roster", guards=[require(*ROSTER_KEEPERS)],
        responses={**answers.shows(wire.Saved), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def save(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[wire.RosterBody, Body(examples=examples.body_example(ROSTER))],
    ) -> Response[bytes]:
        """Write entries of the roster, all or none."""
        node, actor = node_of(request), actor_of_request(request)
        entries = [roster.Entry(item.day, item.account, item.shift) for item in data.entries]
        count = await node.office.records.write_async(lambda unit: roster.save(unit, node.office, actor, entries))
        return sent({"entries": count})

    @post(
        "/copy", status_code=200, operation_id="copy_roster_week", guards=[require(*ROSTER_KEEPERS)],
        responses={**answers.shows(wire.Saved), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def copy(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[wire.CopyBody, Body(examples=examples.body_example(COPY))],
    ) -> Response[bytes]:
        """Put the week that begins on `from` in the place of the one that begins on `to`."""
        node, actor = node_of(request), actor_of_request(request)
        source, target = roster.checked_day(data.source, "from"), roster.checked_day(data.target, "to")
        count = await node.office.records.write_async(lambda unit: roster.copy_week(unit, actor, source, target))
        return sent({"entries": count})


def _today(node: Node) -> date:
    return local(node.office.records.clock.now(), node.office.settings.zone).date()
