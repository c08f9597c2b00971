"""A county's exchange port as the platform calls it: TLS 1.3 with our certificate, and a peer that is that county."""

from __future__ import annotations

import json
import ssl
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, NoReturn, TypeVar

import httpx
import msgspec

from appliance.errors import Gone, WanmiError
from appliance.exchange.landing import Item, Line

T = TypeVar("T")
ROOT = "/exchange/v1/"
NDJSON = "application/x-ndjson"
CONNECT_SECONDS = 10.0
SAID_AT_MOST = 500
LEFT_ALONE_AT_MOST = 86_400.0
ANSWER_AT_MOST = 256 << 20
"""So many bytes are taken from a county at once; pages and slices stay far below."""

RETRIED = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Answers after which the same request may succeed later."""


class Info(msgspec.Struct):
    """What a county says of itself."""

    county: str
    contract: str
    feed: str
    first: int
    last: int
    feeds: list[str]
    name: str = ""


class Changes(msgspec.Struct):
    """A page of the feed."""

    items: list[Item]
    next: int
    more: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What a county answered; `body` is whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def good(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300


class Unreachable(WanmiError):
    """Nobody answers at the county's address, or not with the county's certificate."""

    kind = "unreachable"


class Unreadable(WanmiError):
    """What answers is no node of this county, or speaks in a way that nobody understands."""

    kind = "unreadable"


class CountyRefusal(WanmiError):
    """A county answered that it does not do what was asked; its own sentence is passed on."""

    kind = "refused"

    def __init__(self, status: int, detail: str, retry_after: float | None) -> None:
        super().__init__(f"县里拒绝 ({status}): {detail}", f"The county refused ({status}): {detail}")
        self.status, self.retry_after = status, retry_after


class CountyPort:
    """One county's port; a context manager that keeps its connection.

    Args:
        address: as registered, `https://HOST:PORT`.
        tls: from `Keys.context`, so that only this county is spoken to.
        patience: seconds without a byte after which it counts as unreachable; who does not even open the line has less.
    """

    serial: str | None = None

    def __init__(self, county: str, address: str, tls: ssl.SSLContext, patience: float) -> None:
        self.county = county
        waits = httpx.Timeout(patience, connect=min(patience, CONNECT_SECONDS))
        self._http = httpx.Client(base_url=address, verify=tls, timeout=waits, trust_env=False)

    def __enter__(self) -> CountyPort:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def info(self) -> Info:
        """The county's own description; from then on `serial` is that of the certificate that it shows.

        Raises:
            Unreachable, CountyRefusal, Gone: see `_refuse`. Unreadable: another county, or another contract.
        """
        found = _decoded(self._get(ROOT), Info)
        if found.county != self.county or found.contract != "1":
            raise Unreadable(
                f"对方自称 {found.county[:20]}、合同 {found.contract[:20]},应为 {self.county}、1。",
                f"The node says that it is {found.county[:20]} with contract {found.contract[:20]}, not {self.county} "
                "with 1.",
            )
        return found

    def changes(self, after: int, feed: str, types: tuple[str, ...], limit: int) -> Changes:
        """The changes after a cursor; `types` are all that may be read, or fewer."""
        wanted = {"after": after, "limit": limit, "types": ",".join(types), "feed": feed}
        return _decoded(self._get(f"{ROOT}changes", wanted), Changes)

    def snapshot(self, type_: str, cursor: int, after: str | None, feed: str) -> Generator[Line, None, None]:
        """The records of a type after an id, in the order of their keys, streamed; whole where none follow the last."""
        wanted: dict[str, str | int] = {"cursor": cursor, "feed": feed, **({} if after is None else {"after": after})}
        decode = msgspec.json.Decoder(Line).decode
        try:
            with self._http.stream("GET", f"{ROOT}snapshot/{type_}", params=wanted, headers={"Accept": NDJSON}) as told:
                if told.status_code != 200:
                    told.read()
                    _refuse(Answer(told.status_code, told.headers, told.content))
                if told.headers.get("Wanmi-Feed", feed) != feed:
                    raise Gone("快照属于另一个数据流。", "The snapshot is of another feed.")
                for line in told.iter_lines():
                    if line:
                        yield decode(line)
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error
        except msgspec.DecodeError as error:
            raise Unreadable(
                f"快照里有一行看不懂: {error}。", f"A line of the snapshot cannot be read: {error}."
            ) from error

    def monthly_return(self, period: str) -> bytes:
        """The county's own return of a month, as it tells it."""
        return self._get(f"{ROOT}reports/monthly/{period}")

    def daily_report(self, day: str) -> bytes:
        """The county's report of a day, as it tells it."""
        return self._get(f"{ROOT}reports/daily/{day}")

    @contextmanager
    def evidence(self, sha256: str, there: int) -> Iterator[tuple[int, Iterator[bytes]]]:
        """An evidence file from a byte on: at which byte the answer begins, and its blocks.

        Args:
            there: how many bytes are here already; the county may answer the whole file all the same.

        Raises:
            Unreachable: nobody answers, or the line went down. CountyRefusal: it has none to share.
        """
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={there}-"} if there else {})}
        try:
            with self._http.stream("GET", f"{ROOT}evidence/{sha256}", headers=headers) as told:
                if there and told.status_code == 416:  # all of it is here
                    yield there, iter(())
                    return
                if told.status_code not in (200, 206):
                    told.read()
                    _refuse(Answer(told.status_code, told.headers, told.content))
                yield (there if told.status_code == 206 else 0), told.iter_raw()
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Any request, for example one that was written down before; every answer is given back.

        Raises:
            Unreachable: nobody answers.
        """
        return self._asked(method, path, headers=dict(headers), content=body)

    def _get(self, path: str, wanted: Mapping[str, Any] | None = None) -> bytes:
        answer = self._asked("GET", path, params=wanted)
        if answer.status != 200:
            _refuse(answer)
        return answer.body

    def _asked(self, method: str, path: str, **options: Any) -> Answer:
        """An answer, whole.

        Raises:
            Unreachable: nobody answers. Unreadable: it is larger than anything that a county has to say.
        """
        try:
            with self._http.stream(method, path, **options) as told:
                self.serial = _serial_of(told)
                body = bytearray()
                for block in told.iter_bytes():
                    body += block
                    if len(body) > ANSWER_AT_MOST:
                        raise Unreadable(
                            f"{method} {path} 的回答超过 {ANSWER_AT_MOST >> 20} MB,未采用;请调小 page 或联系县里。",
                            f"The answer to {method} {path} is over {ANSWER_AT_MOST >> 20} MB and was not used; make "
                            "`page` smaller, or ask the county.",
                        )
                return Answer(told.status_code, told.headers, bytes(body))
        except httpx.HTTPError as error:
            raise self._unreachable(error) from error

    def _unreachable(self, error: httpx.HTTPError) -> Unreachable:
        where, said = self._http.base_url, (str(error) or type(error).__name__)[:SAID_AT_MOST]
        return Unreachable(
            f"连不上: {where} ({said});将自动重试。",
            f"It cannot be reached: {where} ({said}). It is tried again by itself.",
        )


def sentence_of(answer: Answer) -> str:
    """What a refusal says: the `detail` of its problem, else the beginning of its body."""
    try:
        told = json.loads(answer.body)
        return plain(str(told["detail"]), SAID_AT_MOST)
    except (ValueError, TypeError, KeyError, UnicodeDecodeError, RecursionError):
        return plain(answer.body[:200].decode(errors="replace"), 200) or f"HTTP {answer.status}"


def plain(told: str, at_most: int) -> str:
    """What somebody told, on one line and without characters that no line and no database holds."""
    return "".join(sign if sign.isprintable() else " " for sign in told[:at_most]).strip()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a county asks to be left alone, None where it does not say."""
    written = headers.get("Retry-After", headers.get("retry-after", "")).strip()
    if written.isascii() and written.isdigit():
        return min(float(written), LEFT_ALONE_AT_MOST)
    try:
        asked = parsedate_to_datetime(written).timestamp() - time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, asked), LEFT_ALONE_AT_MOST)


def _refuse(answer: Answer) -> NoReturn:
    sentence = sentence_of(answer)
    if answer.status == 410:
        raise Gone(f"县里说: {sentence}", f"The county says: {sentence}")
    raise CountyRefusal(answer.status, sentence, retry_after(answer.headers))


def _serial_of(told: httpx.Response) -> str | None:
    """The serial number of the certificate at the other end."""
    stream = told.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream is not None else None
    serial: str | None = (tls.getpeercert() or {}).get("serialNumber") if tls is not None else None
    return serial


def _decoded(body: bytes, type_: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.DecodeError as error:
        raise Unreadable(f"县里的回答看不懂: {error}。", f"The county's answer cannot be read: {error}.") from error
