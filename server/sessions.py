"""Signing in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, delete, post, put
from litestar.params import Body

from appliance.clock import moment
from appliance.errors import NotSignedIn
from server import examples
from server.node import node_of
from server.sign_in import token_of


class SignInBody(msgspec.Struct, forbid_unknown_fields=True):
    """Account and password; the code of the second factor where the account has one: six digits or a recovery code."""

    account: Annotated[str, msgspec.Meta(max_length=100)]
    password: Annotated[str, msgspec.Meta(max_length=200)]
    code: Annotated[str, msgspec.Meta(max_length=40)] = ""


class PasswordBody(msgspec.Struct, forbid_unknown_fields=True):
    """The present password and the one that replaces it."""

    old: Annotated[str, msgspec.Meta(max_length=200)]
    new: Annotated[str, msgspec.Meta(max_length=200)]


class SessionOut(msgspec.Struct):
    """A session; the token goes into `Authorization: Bearer …`."""

    token: str
    account: str
    name: str
    roles: list[str]
    department: str | None
    expires_at: datetime
    new_password_due: bool
    second_factor_due: bool


class SessionController(Controller):
    """Sessions."""

    path = "/api/v1/session"
    tags = ["sessions"]

    @post(operation_id="sign_in", responses=examples.refusals(401, 422, 429))
    async def sign_in(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[SignInBody, Body(examples=examples.body_example(examples.SIGN_IN))],
    ) -> SessionOut:
        """Sign in; problem `second-factor-needed` asks for a `code` too, `second-factor-wrong` for another one."""
        node = node_of(request)
        session = await node.thread(lambda: node.sessions.sign_in(data.account, data.password, data.code))
        return SessionOut(
            token=session.token, account=session.actor.account, name=session.actor.name,
            roles=sorted(session.actor.roles), department=session.actor.department,
            expires_at=moment(session.expires_at), new_password_due=session.new_password_due,
            second_factor_due=session.second_factor_due,
        )  # fmt: skip

    @delete(operation_id="sign_out", responses=examples.refusals(401))
    async def sign_out(self, request: Request[Any, Any, Any]) -> None:
        """Sign out."""
        node, token = node_of(request), token_of(request.scope["headers"])
        if token is None:
            raise NotSignedIn("没有登录。", "Not signed in.")
        await node.read(lambda connection: node.sessions.look_up(connection, token))
        await node.thread(lambda: node.sessions.sign_out(token))

    @put("/password", operation_id="change_password", status_code=204, responses=examples.refusals(401, 422, 429))
    async def change_password(
        self,
        request: Request[Any, Any, Any],
        data: Annotated[PasswordBody, Body(examples=examples.body_example(examples.PASSWORD))],
    ) -> None:
        """Change one's own password; all other sessions of the account end."""
        node, token = node_of(request), token_of(request.scope["headers"])
        if token is None:
            raise NotSignedIn("没有登录。", "Not signed in.")
        actor = await node.read(lambda connection: node.sessions.look_up(connection, token))
        await node.thread(lambda: node.sessions.change_password(actor.account, data.old, data.new, token))
