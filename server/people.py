"""Departments and staff, for pick lists."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response, get
from sqlalchemy import Connection, text

from appliance.people.departments import list_departments
from appliance.people.roles import ROLE_NAMES, split_roles
from server import answers, examples
from server.node import actor_of_request, json_bytes, node_of
from server.sign_in import require_person


class PeopleController(Controller):
    """Departments, staff, oneself."""

    path = "/api/v1"
    tags = ["people"]

    @get(
        "/departments",
        operation_id="departments",
        responses={**answers.shows(answers.Departments), **examples.refusals(401)},
    )
    async def departments(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """All departments that are not ended, as a tree by `parent`."""
        body = await node_of(request).read(_departments)
        return json_bytes(body)

    @get(
        "/staff", operation_id="staff", guards=[require_person()],
        responses={**answers.shows(answers.Staff), **examples.refusals(401, 403)},
    )  # fmt: skip
    async def staff(self, request: Request[Any, Any, Any], role: str | None = None) -> Response[bytes]:
        """Active accounts with a role: account, name, roles, department."""
        return json_bytes(await node_of(request).read(lambda connection: _staff(connection, role)))

    @get("/me", operation_id="me", responses={**answers.shows(answers.Me), **examples.refusals(401)})
    async def me(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Who is signed in."""
        actor = actor_of_request(request)
        roles = [{"role": role, "name": ROLE_NAMES.get(role, (role, role))[0]} for role in sorted(actor.roles)]
        found = {"account": actor.account, "name": actor.name, "roles": roles, "department": actor.department}
        return json_bytes(msgspec.json.encode(found))


def _departments(connection: Connection) -> bytes:
    return msgspec.json.encode({"items": list_departments(connection)})


def _staff(connection: Connection, role: str | None) -> bytes:
    rows = connection.execute(
        text("SELECT account, name, roles, department FROM account WHERE active ORDER BY account")
    )
    items = [{**row._mapping, "roles": sorted(split_roles(row.roles))} for row in rows]
    return msgspec.json.encode({"items": [item for item in items if role is None or role in item["roles"]]})
