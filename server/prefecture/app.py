"""The platform put together: its routes over HTTPS, and the loops in threads beside them."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from litestar import Litestar
from litestar.config.app import AppConfig

from server.commands import listening
from server.ending import EndingServer
from server.exchange.peers import PeerProtocol, server_context
from server.prefecture.evidence import EvidenceRounds
from server.prefecture.housekeeping import Housekeeping
from server.prefecture.loops import beside
from server.prefecture.outbound_routes import OutboundController
from server.prefecture.replicas import upgrade_all
from server.prefecture.rounds import Rounds
from server.prefecture.routes import JoiningController
from server.prefecture.store import Platform
from server.problems import HANDLERS

END_SECONDS = 5
BODY_MEGABYTES = 64
"""A page of 10,000 changes or a slice of a snapshot with large shapes stays below it."""


class SerialProtocol(PeerProtocol):
    """Also tells the serial number of the peer's certificate, so that single certificates can be taken back."""

    def connection_made(self, transport: Any) -> None:
        """Note the serial number for all requests of this connection."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        told = (tls.getpeercert() if tls else None) or {}
        self.app_state = {**self.app_state, "peer_serial": told.get("serialNumber")}


def create_app(platform: Platform, ending: Callable[[], bool] = lambda: False) -> Litestar:
    """The platform's application; it does not close the platform.

    Args:
        ending: whether the port is being closed, so that who waits for orders is answered at once.
    """
    app = Litestar(
        path=platform.settings.base or None,
        route_handlers=[JoiningController, OutboundController],
        exception_handlers=HANDLERS,
        on_app_init=[_quiet],
        openapi_config=None,
        request_max_body_size=BODY_MEGABYTES * 1024 * 1024,
    )
    app.state.platform, app.state.ending = platform, ending
    return app


def tls_of(platform: Platform) -> ssl.SSLContext:
    """TLS 1.3 of the platform's port; a client certificate may be shown, and then must be of our CA."""
    return server_context(*platform.keys.server, platform.keys.ca, client_needed=False)


def serve(platform: Platform, host: str, port: int, told: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C, and pull the counties meanwhile.

    Args:
        told: gets the address once the port is open.
    """
    platform.keys.renew(platform.settings.host)
    upgrade_all(platform)
    with listening(host, port) as door:
        tls = tls_of(platform)
        app = create_app(platform, lambda: server.should_exit)
        server = EndingServer(
            uvicorn.Config(
                app, http=SerialProtocol, loop="uvloop", ws="none", lifespan="off", access_log=False,
                log_config=None, server_header=False, date_header=False, timeout_graceful_shutdown=END_SECONDS,
                ssl_context_factory=lambda _config, _default: tls,
            )
        )  # fmt: skip
        _end_quietly()
        told(f"https://{host}:{door.getsockname()[1]}{platform.settings.base}")
        with beside(Rounds(platform), EvidenceRounds(platform), Housekeeping(platform, tls)):
            server.run(sockets=[door])


def _end_quietly() -> None:
    """Ending on request is no failure; uvicorn raises the signal again when everything is closed."""

    def end(_number: int, _frame: FrameType | None) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def _quiet(config: AppConfig) -> AppConfig:
    config.logging_config = None
    return config
