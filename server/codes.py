"""The code book, the workflow's key bar, the figures of the moment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Controller, Request, Response, get
from litestar.params import Parameter

from appliance.cases.actions import allowed_actions
from appliance.cases.common import commonest_classes
from appliance.cases.offers import offered_actions
from appliance.cases.summary import summary
from server import answers, examples
from server.node import actor_of_request, json_bytes, node_of
from server.sign_in import require_person


class CodeController(Controller):
    """Codes, actions, summary."""

    path = "/api/v1"
    tags = ["codes"]

    @get(
        "/actions",
        operation_id="actions_now",
        responses={**answers.shows(answers.ActionsNow), **examples.refusals(401, 403, 404, 422)},
    )
    async def actions(
        self,
        request: Request[Any, Any, Any],
        of_state: Annotated[str | None, Parameter(query="state")] = None,
        number: str | None = None,
    ) -> Response[bytes]:
        """The key bar: what this account may do from a state, or with the case of that number as it is now."""
        node, actor = node_of(request), actor_of_request(request)
        if number is not None:
            found = await node.read(lambda connection: offered_actions(connection, node.office, actor, number))
            return _json({"items": found})
        return _json({"items": allowed_actions(node.office, actor, of_state or "")})

    @get(
        "/workflow", operation_id="workflow", responses={**answers.shows(answers.WorkflowOut), **examples.refusals(401)}
    )
    async def workflow(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The states with their names, in the order of the loop."""
        states = node_of(request).office.workflow.states.values()
        return _json(
            {
                "states": [
                    {"key": state.key, "chinese": state.chinese, "english": state.english, "open": state.is_open}
                    for state in states
                ]
            }
        )

    @get(
        "/codes", operation_id="find_codes", responses={**answers.shows(answers.Classes), **examples.refusals(401, 422)}
    )
    async def codes(
        self,
        request: Request[Any, Any, Any],
        q: Annotated[str, Parameter(max_length=100)] = "",
        kind: Literal["part", "event"] | None = None,
        limit: int = 20,
    ) -> Response[bytes]:
        """Classes by code, Chinese, English or pinyin initials, best first."""
        office = node_of(request).office
        found = office.book.search(q, office.settings.edition, kind, min(max(limit, 1), 500))
        return _json({"items": [msgspec.to_builtins(item) for item in found]})

    @get(
        "/codes/common",
        operation_id="common_codes",
        responses={**answers.shows(answers.Classes), **examples.refusals(401)},
    )
    async def common(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The ten classes reported most in the last 90 days, in the order of their codes."""
        node = node_of(request)
        found = await node.read(lambda connection: commonest_classes(connection, node.office))
        return _json({"items": [msgspec.to_builtins(node.office.code_class(kind, code)) for kind, code in found]})

    @get(
        "/codes/own", operation_id="own_codes", responses={**answers.shows(answers.OwnCodes), **examples.refusals(401)}
    )
    async def own(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What the county's own code pack adds to the national codes: classes and ready sentences."""
        pack = node_of(request).office.book.county_pack
        return _json(
            {
                "classes": [msgspec.to_builtins(item) for item in pack.classes] if pack else [],
                "phrases": [msgspec.to_builtins(item) for item in pack.phrases] if pack else [],
            }
        )

    @get(
        "/codes/{kind:str}/{code:str}",
        operation_id="read_code",
        responses={**answers.shows(answers.ClassDetail), **examples.refusals(401, 422)},
    )
    async def code(self, request: Request[Any, Any, Any], kind: str, code: str) -> Response[bytes]:
        """One class with its conditions and limits, and its number in the other editions."""
        office = node_of(request).office
        item = office.code_class(kind, code)
        limits = [msgspec.to_builtins(limit) for limit in office.limits(item.edition, kind, code)]
        editions = {
            edition: office.book.mapped(code, kind, item.edition, edition)
            for edition in ("2026", "2013", "2007")
            if edition != item.edition
        }
        photo = item.code in office.book.photo_required
        return _json({**msgspec.to_builtins(item), "limits": limits, "editions": editions, "photo_required": photo})

    @get("/sources", operation_id="sources", responses={**answers.shows(answers.Sources), **examples.refusals(401)})
    async def sources(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The case sources and their channel: inside, public, office."""
        sources = node_of(request).office.book.sources.values()
        return _json({"items": [msgspec.to_builtins(source) for source in sources]})

    @get(
        "/summary", operation_id="summary", guards=[require_person()],
        responses={**answers.shows(answers.Summary), **examples.refusals(401, 403)},
    )  # fmt: skip
    async def summary(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Open cases by state, overdue, today's in and out, waiting requests."""
        node = node_of(request)
        return _json(await node.read(lambda connection: summary(connection, node.office)))


def _json(value: Any) -> Response[bytes]:
    return json_bytes(msgspec.json.encode(value))
