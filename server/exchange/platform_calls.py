"""The platform above as the county calls it in outbound mode (docs/exchange.md): its four routes, and its refusals."""

from __future__ import annotations

import random
import ssl
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from appliance.errors import TooLarge, WanmiError
from appliance.exchange.kept import Order, OrderAnswer
from appliance.exchange.links import Enrolment, LinkFolder

T = TypeVar("T")
NDJSON = "application/x-ndjson"
SECONDS, LONGEST_ANSWER = 60.0, 20.0
SAID_AT_MOST = 400
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0


class Refused(WanmiError):
    """The platform refuses, does not answer, or answers what nobody understands; `retry_after` in seconds."""

    kind = "platform-away"


class FeedAnswer(msgspec.Struct):
    """How far the platform has the feed, or that it wants a snapshot first."""

    feed: str = ""
    cursor: int = 0
    snapshot: bool = False


class SliceWanted(msgspec.Struct):
    """Which slice of a snapshot the platform wants next; `type` None when it is whole."""

    type: str | None
    after: str


class Orders(msgspec.Struct):
    """What the platform wants to be carried out."""

    items: list[Order]


class Pause:
    """Seconds to wait after failures: doubled each time, spread by chance, as long as the platform asks at least."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE

    def end(self) -> None:
        """All is well again."""
        self._next = FIRST_PAUSE

    def seconds(self, error: Exception) -> float:
        """How long to wait now."""
        spread = self._next * random.uniform(0.5, 1.0)
        self._next = min(LONGEST_PAUSE, self._next * 2)
        asked = error.extra.get("retry_after", 0.0) if isinstance(error, WanmiError) else 0.0
        return max(spread, min(float(asked), LONGEST_PAUSE))


class PlatformCalls:
    """The platform of one link; `close` it.

    Raises:
        OSError: certificate, key or CA cannot be read.
    """

    def __init__(self, folder: LinkFolder, enrolment: Enrolment, url: str, county: str) -> None:
        ca = folder.platform_ca
        context = ssl.create_default_context(cafile=str(ca) if ca.exists() else None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(enrolment.certificate, folder.key)
        self._node = f"{url}/nodes/{county}"
        self._client = httpx.AsyncClient(verify=context, timeout=SECONDS, trust_env=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def feed(self, items: Sequence[bytes], headers: dict[str, str]) -> FeedAnswer:
        """Bring a page of changes.

        Raises:
            TooLarge: the platform takes no page of this size. Refused: it takes none now.
        """
        body = b"".join(item + b"\n" for item in items)
        answer = await self._ask("POST", "/feed", content=body, headers={"Content-Type": NDJSON, **headers})
        return _understood(answer, FeedAnswer)

    async def slice(self, type_: str, body: bytes, headers: dict[str, str]) -> tuple[bool, SliceWanted]:
        """Bring a slice of a snapshot; whether it was the one wanted, and which is wanted next."""
        address = f"/snapshot/{quote(type_, safe='')}"
        answer = await self._ask(
            "POST", address, content=body, headers={"Content-Type": NDJSON, **headers}, fine=(409,)
        )
        return answer.status_code != 409, _understood(answer, SliceWanted)

    async def orders(self, wait: float) -> list[Order]:
        """Fetch orders; waits so many seconds for one."""
        query = {"wait": f"{wait:g}"} if wait else {}
        answer = await self._ask("GET", "/orders", params=query, timeout=wait + LONGEST_ANSWER)
        return _understood(answer, Orders).items

    async def answer(self, answer: OrderAnswer) -> None:
        """Deliver the answer to an order.

        One that the platform does not know any more, or will never take, counts as delivered, so that it does not stand
        in the way of the others; of one that is too large it hears that it is.
        """
        path = f"/orders/{quote(answer.id, safe='')}"
        told = {"status": answer.status, "headers": answer.headers, "body": answer.body}
        try:
            await self._ask("POST", path, json=told, fine=(400, 404, 409, 422))
        except TooLarge:
            small = {"status": 413, "headers": {}, "body": None}
            await self._ask("POST", path, json=small, fine=(400, 404, 409, 413, 422))

    async def _ask(self, method: str, path: str, *, fine: tuple[int, ...] = (), **options: Any) -> httpx.Response:
        try:
            answer = await self._client.request(method, self._node + path, **options)
        except httpx.HTTPError as error:
            said = str(error) or type(error).__name__
            raise Refused(
                f"平台没有应答 ({said});将自动重试。", f"The platform does not answer ({said}); it is tried again."
            ) from None
        if answer.is_success or answer.status_code in fine:
            return answer
        said = _said(answer)
        kind = TooLarge if answer.status_code == 413 else Refused
        raise kind(
            f"平台拒绝 {method} {path} (状态 {answer.status_code}): {said}",
            f"The platform refused {method} {path} with {answer.status_code}: {said}",
            retry_after=_seconds(answer.headers.get("retry-after", "")),
        )


def _understood(answer: httpx.Response, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=type_)
    except msgspec.DecodeError as error:
        said = f"{answer.status_code}: {error}; {_said(answer)}"
        raise Refused(
            f"平台的答复看不懂 ({said})。",
            f"The platform's answer cannot be read ({said}).",
            retry_after=_seconds(answer.headers.get("retry-after", "")),
        ) from None


def _said(answer: httpx.Response) -> str:
    """The platform's own sentence."""
    try:
        told = msgspec.json.decode(answer.content)
        return str(told["detail"])[:SAID_AT_MOST]
    except (msgspec.DecodeError, KeyError, TypeError):
        return answer.text[:SAID_AT_MOST] or answer.reason_phrase


def _seconds(written: str) -> float:
    return float(written) if written.isascii() and written.isdigit() else 0.0
