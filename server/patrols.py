"""The walked patrols of a day: duty grids against their plan, unit grids and who passed them, what raises an alarm."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Controller, Request, Response, get
from litestar.params import Parameter
from sqlalchemy import Connection

from appliance.clock import local, rfc3339
from appliance.errors import FieldError, Invalid
from appliance.patrols import standing
from appliance.patrols.alarms import KINDS, alarms, key, numbers
from appliance.patrols.periods import period_page
from appliance.people.roster import checked_day
from server import answers, examples, patrol_answers
from server.node import Node, node_of
from server.paging import PAGE, Limit, page, sent
from server.sign_in import require
from server.tracks import DayOfTrack, day_of

WATCHERS = ("shift_leader", "dispatcher", "leader", "assessor", "admin", "technician")
AfterCode = Annotated[str, Parameter(max_length=140, description="`next` of the page before")]


class PatrolController(Controller):
    """Walked patrols. What is told of today is counted anew meanwhile when it is some minutes old (`counted_at`)."""

    path = "/api/v1/patrols"
    tags = ["patrols"]
    guards = [require(*WATCHERS)]

    @get(
        operation_id="patrols", responses={**answers.shows(patrol_answers.Patrols), **examples.refusals(401, 403, 422)}
    )
    async def all(
        self, request: Request[Any, Any, Any], day: DayOfTrack = None, after: AfterCode = "", limit: Limit = PAGE
    ) -> Response[bytes]:
        """The duty grids by code: rounds due and done, share of unit grids passed, the last pass, who walked."""
        node, written = _asked(request, day)
        rows = await node.read(
            lambda connection: standing.duty_grids_page(connection, node.office, written, after=after, limit=limit + 1)
        )
        return sent({"day": written, **page(rows, limit, lambda row: row["duty_grid"])})

    @get(
        "/summary", operation_id="patrol_summary",
        responses={**answers.shows(patrol_answers.Summary), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def summary(self, request: Request[Any, Any, Any], day: DayOfTrack = None) -> Response[bytes]:
        """The sum of all duty grids, the worst of them, and how many alarms there are now."""
        node, written = _asked(request, day)
        last = await node.thread(node.tracks.last)

        def work(connection: Connection) -> dict[str, Any]:
            rows = standing.duty_grids_page(connection, node.office, written, told=False)
            today = rows if written == day_of(node, None) else None
            found = alarms(connection, node.office, last, today)
            return {"day": written, **standing.total(rows), "alarms": numbers(found)}

        return sent(await node.read(work))

    @get(
        "/alarms", operation_id="patrol_alarms",
        responses={**answers.shows(patrol_answers.Alarms), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def alarms(
        self,
        request: Request[Any, Any, Any],
        kind: Annotated[str, Parameter(max_length=20, description="behind, silent or camera; all where left out")] = "",
        after: AfterCode = "",
        limit: Limit = PAGE,
    ) -> Response[bytes]:
        """What is not patrolled now: duty grids behind their plan, collectors without a position, cameras overdue."""
        node, _ = _asked(request, None)
        above = _place(after)
        if kind and kind not in KINDS:
            raise Invalid(
                f"kind 须为 {'、'.join(KINDS)}。",
                f"kind is one of {', '.join(KINDS)}.",
                fields=(FieldError("kind", "未知", "unknown", KINDS),),
            )
        last = await node.thread(node.tracks.last)
        found = await node.read(lambda connection: alarms(connection, node.office, last))
        rows = [alarm for alarm in found if key(alarm) > above and kind in ("", alarm["kind"])]
        shown = page(rows, limit, lambda alarm: f"{alarm['kind']}:{alarm['code']}")
        return sent({"at": rfc3339(node.office.records.clock.now()), "numbers": numbers(found), **shown})

    @get(
        "/period", operation_id="patrols_of_period",
        responses={**answers.shows(patrol_answers.Period), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def period(
        self,
        request: Request[Any, Any, Any],
        first: Annotated[str, Parameter(query="from", max_length=10, description="First county day, YYYY-MM-DD")],
        last: Annotated[str, Parameter(query="to", max_length=10, description="Last county day")],
        by: Annotated[str, Parameter(max_length=20, description="collector or duty_grid")] = "collector",
        after: AfterCode = "",
        limit: Limit = PAGE,
    ) -> Response[bytes]:
        """For scores: rounds due and done in a period by collector or duty grid, and the share of unit grids passed."""
        begins, ends = checked_day(first, "from"), checked_day(last, "to")
        rows = await node_of(request).read(
            lambda connection: period_page(connection, begins, ends, by, after=after, limit=limit + 1)
        )
        return sent({"from": first, "to": last, "by": by, **page(rows, limit, lambda row: row["code"])})

    @get(
        "/odd", operation_id="odd_positions",
        responses={**answers.shows(patrol_answers.OddPositions), **examples.refusals(401, 403, 422)},
    )  # fmt: skip
    async def odd(
        self, request: Request[Any, Any, Any], day: DayOfTrack = None, after: AfterCode = "", limit: Limit = PAGE
    ) -> Response[bytes]:
        """Positions that cannot be, with the speed that a jump to them would have taken; they count for nothing."""
        node, written = _asked(request, day)
        at, _, who = after.partition(":")
        if after and not at.isdecimal():
            raise _bad_cursor()
        moment = min(int(at[:19] or "0"), 2**62) if after else -1
        rows = await node.read(
            lambda connection: standing.odd_page(connection, node.office, written, who=who, at=moment, limit=limit + 1)
        )
        answer = page(rows, limit, lambda row: f"{row['key']}:{row['who']}")
        for item in answer["items"]:
            del item["key"]
        return sent({"day": written, **answer})

    @get(
        "/{duty_grid:str}", operation_id="patrol_of_duty_grid",
        responses={**answers.shows(patrol_answers.OneDutyGrid), **examples.refusals(401, 403, 404, 422)},
    )  # fmt: skip
    async def one(
        self,
        request: Request[Any, Any, Any],
        duty_grid: str,
        day: DayOfTrack = None,
        after: AfterCode = "",
        limit: Limit = PAGE,
    ) -> Response[bytes]:
        """A duty grid's unit grids: whether they were passed, in how many rounds, by whom, from when to when."""
        node, written = _asked(request, day)
        found, rows = await node.read(
            lambda connection: standing.unit_grids_page(
                connection, node.office, duty_grid, written, after=after, limit=limit + 1
            )
        )
        return sent({"day": written, "of": found, **page(rows, limit, lambda row: row["grid"])})


def _asked(request: Request[Any, Any, Any], day: str | None) -> tuple[Node, str]:
    """The node and the day of a question; who asks about today or yesterday has it counted."""
    node = node_of(request)
    written = day_of(node, day)
    now = local(node.office.records.clock.now(), node.office.settings.zone).date()
    if 0 <= now.toordinal() - now.fromisoformat(written).toordinal() <= 1:
        node.patrol_count.freshen()
    return node, written


def _place(after: str) -> tuple[int, str]:
    kind, colon, code = after.partition(":")
    if not after:
        return -1, ""
    if kind not in KINDS or not colon:
        raise _bad_cursor()
    return KINDS.index(kind), code


def _bad_cursor() -> Invalid:
    return Invalid(
        "after 须是上一页的 next。",
        "after must be the next of the page before.",
        fields=(FieldError("after", "不是 next", "not a next"),),
    )
