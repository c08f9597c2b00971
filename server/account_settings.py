"""An account's own settings: saved views and habits of the console. Nobody reads another's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, put
from litestar.params import Body

from appliance.people import preferences
from server import answers, examples
from server.node import actor_of_request, node_of
from server.paging import sent

VIEW = {"value": {"states": ["filed"], "department": "D01"}}


class SettingBody(msgspec.Struct, forbid_unknown_fields=True):
    """Any JSON value of at most 32 KB."""

    value: Any


class SettingOut(msgspec.Struct):
    """A setting and when it was written."""

    name: str
    value: Any
    at: datetime


class SettingName(msgspec.Struct):
    """The name of a setting and when it was written."""

    name: str
    at: datetime


class SettingNames(msgspec.Struct):
    """The settings an account has."""

    items: list[SettingName]


class AccountSettingController(Controller):
    """One's own settings."""

    path = "/api/v1/me/settings"
    tags = ["people"]

    @get(operation_id="my_settings", responses={**answers.shows(SettingNames), **examples.refusals(401)})
    async def all(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The names of one's settings, at most 50."""
        account = actor_of_request(request).account
        found = await node_of(request).read(lambda connection: preferences.settings_of(connection, account))
        return sent({"items": found})

    @get(
        "/{name:str}", operation_id="my_setting", responses={**answers.shows(SettingOut), **examples.refusals(401, 404)}
    )
    async def read(self, request: Request[Any, Any, Any], name: str) -> Response[bytes]:
        """One of one's settings."""
        account = actor_of_request(request).account
        return sent(await node_of(request).read(lambda connection: preferences.find_setting(connection, account, name)))

    @put("/{name:str}", status_code=204, operation_id="save_my_setting", responses=examples.refusals(401, 413, 422))
    async def save(
        self,
        request: Request[Any, Any, Any],
        name: str,
        data: Annotated[SettingBody, Body(examples=examples.body_example(VIEW))],
    ) -> None:
        """Write a setting; names of 1 to 40 small letters, dots, underscores, hyphens."""
        account = actor_of_request(request).account
        await node_of(request).office.records.write_async(
            lambda unit: preferences.save_setting(unit, account, name, data.value)
        )

    @delete("/{name:str}", operation_id="delete_my_setting", responses=examples.refusals(401, 404))
    async def remove(self, request: Request[Any, Any, Any], name: str) -> None:
        """Remove a setting."""
        account = actor_of_request(request).account
        await node_of(request).office.records.write_async(lambda unit: preferences.delete_setting(unit, account, name))
