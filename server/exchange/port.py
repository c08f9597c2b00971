"""One open exchange port: its socket, its TLS, and what happens when a new certificate counts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from appliance.errors import Invalid
from appliance.exchange.links import Enrolment, LinkFolder
from appliance.exchange.settings import Exchange, Link, host_and_port
from server.commands import listening
from server.ending import EndingServer
from server.exchange.app import create_exchange_app
from server.exchange.desk import Door, ExchangeDesk
from server.exchange.peers import PeerProtocol, server_context

KEPT_SECONDS = 120
"""A connection on which nothing is asked stays so long; a platform that pulls every minute keeps its own."""
END_SECONDS = 3


class QuietServer(EndingServer):
    """A server among others in one process: signals are the process's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class Port:
    """The port of one link. `open` it, let it `follow` the enrolment, `close` it."""

    def __init__(self, desk: ExchangeDesk, link: Link, enrolment: Enrolment, settings: Exchange) -> None:
        self.link = link
        self._folder = LinkFolder(desk.office.records.home, link.url)
        self._lowest = settings.tls
        self.door = Door(link, enrolment, settings.requests_per_minute)
        self._app = create_exchange_app(desk, self.door)
        host, port = host_and_port(link.listen) or ("", 0)
        self._socket: socket.socket = listening(host, port)
        self._socket.listen(128)
        self._server: QuietServer | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def number(self) -> int:
        """The port's number."""
        return int(self._socket.getsockname()[1])

    async def open(self) -> None:
        """Begin to serve.

        Raises:
            Invalid: certificate and key do not fit together.
        """
        enrolment = self.door.enrolment
        try:
            context = server_context(enrolment.certificate, self._folder.key, enrolment.ca, lowest=self._lowest)
        except OSError as error:
            raise Invalid(
                f"{enrolment.folder} 的证书不能使用 ({error});请重新 wanmi join。",
                f"The certificate in {enrolment.folder} cannot be used ({error}); run wanmi join again.",
            ) from None
        config = uvicorn.Config(
            self._app, loop="none", http=PeerProtocol, access_log=False, log_config=None, lifespan="off",
            timeout_graceful_shutdown=END_SECONDS, timeout_keep_alive=KEPT_SECONDS, server_header=False,
            date_header=True, ws="none",
        )  # fmt: skip
        config.load()
        config.ssl = context
        self._server = QuietServer(config)
        self._task = asyncio.create_task(self._server.serve([self._socket.dup()]))

    async def follow(self, enrolment: Enrolment) -> None:
        """Let a new enrolment count: its scopes at once, its certificate and CA for every new connection."""
        renewed = enrolment.folder != self.door.enrolment.folder
        self.door.enrolment = enrolment
        if renewed or self._task is None or self._task.done():
            await self._end()
            await self.open()

    async def close(self) -> None:
        """End what is under way and give the port back."""
        await self._end()
        self._socket.close()

    async def _end(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await asyncio.wait([self._task])
            self._server = self._task = None
