"""Who asks: the middleware that turns `Authorization: Bearer …` into a person, and the guards by role."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from appliance.errors import Forbidden, NotSignedIn
from appliance.people.actor import Actor
from appliance.people.roles import ROLE_NAMES
from server.node import Node

OPEN = ("/health", "/metrics", "/schema", "/api/v1/session", "/api/v1/public/", "/open311/", "/problems/")
"""Paths that need no sign-in, or that check it themselves."""

ONLY = {"wall": ("/api/v1/wall", "/api/v1/map/")}
"""Machine roles that may enter some paths and no others."""

PEPPER = secrets.token_bytes(32)
"""Keys the digests of passwords that were right, so that memory holds no password."""

KEPT_AT_MOST = 1000


def middleware(app: ASGIApp) -> ASGIApp:
    """Put the person behind the token into `scope["user"]`."""

    async def signed_in(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"]
            if not path.startswith(OPEN) and (path.startswith("/api/") or path.startswith("/ogc")):
                scope["user"] = await _actor(scope, optional=path.startswith("/ogc"))
                _check_path(scope["user"], path)
        await app(scope, receive, send)

    return signed_in


def _check_path(actor: Actor | None, path: str) -> None:
    for role in () if actor is None else actor.roles & ONLY.keys():
        if not path.startswith(ONLY[role]):
            allowed = ", ".join(ONLY[role])
            raise Forbidden(f"角色 {role} 的密钥只能访问 {allowed}。", f"A key of role {role} opens {allowed} only.")


def token_of(headers: list[tuple[bytes, bytes]] | Any) -> str | None:
    """The bearer token in raw headers, None when there is none."""
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return str(value[7:].strip().decode("latin-1"))
    return None


def require(*roles: str) -> Any:
    """A guard: one of these roles is needed."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        actor: Actor = connection.scope["user"]
        if actor.roles.isdisjoint(roles):
            raise Forbidden(
                f"{actor.name} 没有所需的角色: {'、'.join(roles)}。",
                f"{actor.name} has none of the needed roles: {', '.join(roles)}.",
                needed=sorted(roles),
            )

    return guard


def require_person() -> Any:
    """A guard: a person of any role; keys of devices and walls have doors of their own."""
    return require(*ROLE_NAMES)


async def _actor(scope: Scope, *, optional: bool) -> Actor | None:
    node: Node = scope["app"].state.node
    token = token_of(scope["headers"])
    if token is not None:
        return await token_actor(node, token)
    if optional:
        basic = _basic(scope["headers"])
        if basic is not None:
            return await _basic_actor(node, *basic)
        if node.office.settings.http.ogc_open:
            return None
    raise NotSignedIn("请先登录。", "Sign in first.")


async def token_actor(node: Node, token: str) -> Actor:
    """Who is behind a token, believed for a few seconds.

    Raises:
        NotSignedIn: unknown, ended or expired.
    """
    found = node.sessions.find(token)
    if found is not None:
        return found
    return await node.read(lambda connection: node.sessions.look_up(connection, token))


async def _basic_actor(node: Node, account: str, password: str) -> Actor:
    """Who signs in with every request: the password is checked once, after that its session is looked up."""
    digest = hmac.digest(PEPPER, f"{account}:{password}".encode(), "sha256")
    token = node.basic_tokens.get(digest)
    if token is not None:
        try:
            return await token_actor(node, token)
        except NotSignedIn:
            node.basic_tokens.pop(digest, None)
    session = await node.thread(lambda: node.sessions.sign_in(account, password))
    if len(node.basic_tokens) >= KEPT_AT_MOST:
        node.basic_tokens.clear()
    node.basic_tokens[digest] = session.token
    return session.actor


def _basic(headers: Any) -> tuple[str, str] | None:
    for name, value in headers:
        if name == b"authorization" and value[:6].lower() == b"basic ":
            try:
                account, _, password = base64.b64decode(value[6:], validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
            return account, password
    return None
