"""The console's side of the HTTP node: one connection pool, answers as plain dicts, refusals as exceptions.

Nothing here knows a screen. Every call may raise `Refused` (the node said no, `detail` is the sentence to show),
`SignedOut` (the session ended) or `NodeAway` (no answer).
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx

TIMEOUT = httpx.Timeout(15, connect=3)
SLOW_TIMEOUT = httpx.Timeout(180, connect=3)
STREAM_TIMEOUT = httpx.Timeout(70, connect=3)
"""The node sends a line every 25 seconds, so a stream silent for 70 is dead."""

BLOCK_BYTES = 1024 * 1024
"""A large file comes in such blocks."""


class Refused(Exception):
    """The node refused; `detail` is its sentence, `problem` the whole problem document."""

    def __init__(self, status: int, detail: str, problem: dict[str, Any]) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.problem = problem


class SignedOut(Refused):
    """The session has ended; sign in again."""


class NodeAway(Exception):
    """The node does not answer."""


class FileTooLarge(Exception):
    """A file over the given number of bytes."""


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in at this console."""

    account: str
    name: str
    roles: frozenset[str]
    department: str | None
    new_password_due: bool = False
    second_factor_due: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One message of the event stream: `change` (data: seq, type, id, op, at), `call`, `positions`, `cursor`."""

    name: str
    data: dict[str, Any]


class NodeClient:
    """A signed-in (or not yet signed-in) client of one node.

    Args:
        url: the node's address, as in http://127.0.0.1:8411.
        language: of the node's sentences, "zh" or "en".
        transport: another transport than the network, for pictures and tests.
        trusted: whose certificates the node may show, where not those of the system.
    """

    def __init__(
        self,
        url: str,
        language: str = "zh",
        transport: httpx.AsyncBaseTransport | None = None,
        trusted: ssl.SSLContext | bool = True,
    ) -> None:
        self.url = url.rstrip("/")
        self._language = language
        self._http = httpx.AsyncClient(
            base_url=self.url, timeout=TIMEOUT, trust_env=False, transport=transport, verify=_needed(self.url, trusted)
        )

    def speak(self, language: str) -> None:
        """Ask for sentences in this language from now on."""
        self._language = language

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def sign_in(self, account: str, password: str, code: str = "") -> Session:
        """Sign in, with the code of the second factor where there is one; the token stays inside this client."""
        self._http.headers.pop("Authorization", None)
        given = {"account": account, "password": password} | ({"code": code} if code else {})
        found = await self.post("/api/v1/session", given)
        self._http.headers["Authorization"] = f"Bearer {found['token']}"
        return Session(
            found["account"],
            found.get("name") or found["account"],
            frozenset(found["roles"]),
            found.get("department"),
            bool(found.get("new_password_due")),
            bool(found.get("second_factor_due")),
        )

    def use_key(self, key: str) -> None:
        """Come in with a key instead of an account."""
        self._http.headers["Authorization"] = f"Bearer {key}"

    async def change_password(self, old: str, new: str) -> None:
        """Replace one's own password."""
        await self._send("PUT", "/api/v1/session/password", json={"old": old, "new": new})

    async def sign_out(self) -> None:
        """End the session at the node."""
        await self._send("DELETE", "/api/v1/session")
        self._http.headers.pop("Authorization", None)

    async def get(self, path: str, **parameters: Any) -> Any:
        """GET; parameters that are None or "" are left out."""
        wanted = {key: _text(value) for key, value in parameters.items() if value not in (None, "", False, ())}
        return await self._send("GET", path, params=wanted)

    async def patient(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A question that takes minutes: the doctor, a job."""
        answer: dict[str, Any] = await self._send(method, path, json=body, timeout=SLOW_TIMEOUT)
        return answer

    async def text(self, path: str, kind: str) -> str:
        """GET of a text of this media type."""
        answer = await self._answered("GET", path, headers={"Accept": kind})
        return answer.text

    async def items(self, path: str, **parameters: Any) -> list[dict[str, Any]]:
        """GET of a list: its `items`."""
        found = await self.get(path, **parameters)
        items: list[dict[str, Any]] = found["items"] if isinstance(found, dict) else found
        return items

    async def post(
        self, path: str, body: dict[str, Any], *, version: int | None = None, once: str | None = None
    ) -> dict[str, Any]:
        """POST of JSON; `version` goes into If-Match, `once` into Idempotency-Key."""
        headers = {}
        if version is not None:
            headers["If-Match"] = f'"{version}"'
        if once is not None:
            headers["Idempotency-Key"] = once
        answer: dict[str, Any] = await self._send("POST", path, json=body, headers=headers)
        return answer

    async def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """PUT of JSON."""
        answer: dict[str, Any] = await self._send("PUT", path, json=body)
        return answer

    async def download(self, path: str, most: int) -> bytes:
        """GET of a file of at most so many bytes.

        Raises:
            FileTooLarge: it is larger; nothing of it is kept.
        """
        content = bytearray()
        async with aclosing(self._blocks(path, most)) as blocks:
            async for block in blocks:
                content += block
        return bytes(content)

    async def download_into(self, path: str, most: int, file: BinaryIO, kind: str | None = None) -> None:
        """GET of a file of at most so many bytes, written while it comes.

        Args:
            kind: the media type in which it is wanted, of something that the node makes first and that may take long.

        Raises:
            FileTooLarge: it is larger. OSError: it cannot be written.
        """
        async with aclosing(self._blocks(path, most, kind)) as blocks:
            async for block in blocks:
                await asyncio.to_thread(file.write, block)

    async def upload(self, path: Path, stage: str) -> str:
        """Send an evidence file; returns its SHA-256.

        Raises:
            OSError: the file cannot be read.
        """
        content = await asyncio.to_thread(path.read_bytes)
        answer = await self._send(
            "POST", "/api/v1/evidence", files={"file": (path.name, content)}, data={"stage": stage}
        )
        return str(answer["sha256"])

    async def events(self, after: int | None = None, *, vehicles: bool = False) -> AsyncIterator[Event]:
        """The event stream from a cursor; the first one is `open` as soon as the node answers.

        Args:
            vehicles: also where vehicles are, as they move.

        Raises:
            NodeAway: it broke off or never began. SignedOut, Refused.
        """
        parameters = {} if after is None else {"after": str(after)}
        if vehicles:
            parameters["vehicles"] = "true"
        try:
            async with self._http.stream(
                "GET", "/api/v1/events", params=parameters, headers=self._spoken(), timeout=STREAM_TIMEOUT
            ) as answer:
                if answer.status_code != 200:
                    await answer.aread()
                    raise _refusal(answer)
                yield Event("open", {})
                name = ""
                async for line in answer.aiter_lines():
                    field, _, value = line.partition(": ")
                    if line.startswith(": cursor "):
                        yield Event("cursor", {"seq": int(line.removeprefix(": cursor "))})
                    elif field == "event":
                        name = value
                    elif field == "data":
                        yield Event(name, json.loads(value))
        except httpx.HTTPError as error:
            raise NodeAway(str(error)) from error
        raise NodeAway("the stream ended")

    async def _blocks(self, path: str, most: int, kind: str | None = None) -> AsyncGenerator[bytes, None]:
        come, headers = 0, self._spoken() | ({} if kind is None else {"Accept": kind})
        timeout = TIMEOUT if kind is None else SLOW_TIMEOUT
        try:
            async with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise _refusal(answer)
                async for block in answer.aiter_bytes(BLOCK_BYTES):
                    come += len(block)
                    if come > most:
                        raise FileTooLarge(most)
                    yield block
        except httpx.HTTPError as error:
            raise NodeAway(str(error) or type(error).__name__) from error

    async def _send(self, method: str, path: str, **more: Any) -> Any:
        answer = await self._answered(method, path, **more)
        return answer.json() if answer.content else {}

    async def _answered(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self._spoken(), **more.pop("headers", {})}
        try:
            answer = await self._http.request(method, path, headers=headers, **more)
        except httpx.HTTPError as error:
            raise NodeAway(str(error) or type(error).__name__) from error
        if answer.is_success:
            return answer
        if answer.status_code in (502, 504):
            raise NodeAway(f"HTTP {answer.status_code}")
        raise _refusal(answer)

    def _spoken(self) -> dict[str, str]:
        return {"Accept-Language": self._language}


def _needed(url: str, trusted: ssl.SSLContext | bool) -> ssl.SSLContext | bool:
    """Whom to trust; nobody where no certificate is shown, since the system's authorities take a while to read."""
    return trusted if url.lower().startswith("https:") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _refusal(answer: httpx.Response) -> Refused:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    detail = str(problem.get("detail") or problem.get("title") or f"HTTP {answer.status_code}")
    kind = SignedOut if answer.status_code == 401 else Refused
    return kind(answer.status_code, detail, problem)


def _text(value: Any) -> Any:
    if value is True:
        return "true"
    return ",".join(value) if isinstance(value, (list, tuple)) else value
