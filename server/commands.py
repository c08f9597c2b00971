"""`wanmi serve` and `wanmi up`."""

from __future__ import annotations

import errno
import signal
import socket
from pathlib import Path
from types import FrameType

import click

from appliance.errors import Conflict, Invalid
from appliance.options import home_option, say

KEPT_SECONDS = 75
"""A connection on which nothing is asked stays so long; a phone that sends every ten seconds keeps its own."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8411, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@home_option
def serve(host: str, port: int, home: Path) -> None:
    """Run the HTTP node of a home until it is told to stop.

    SIGTERM or Ctrl-C ends it after what is under way is answered. Operators connect with `wanmi console`, other
    programs with the routes of /schema/openapi.json. Only one node runs on a home.

    \b
    Examples:
      wanmi serve --home ./home
      wanmi serve --host 0.0.0.0 --port 8411    (TLS, with the certificate of wanmi certificate make)
    """
    import uvicorn

    from appliance.cases.office import Office
    from appliance.lan import Following, protection
    from appliance.lock import hold
    from appliance.log import configure
    from appliance.settings import load
    from server.app import create_app
    from server.ending import EndingServer
    from server.exchange.keeper import Keeper

    settings = load(home)
    context = protection(home, settings.node, host)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    with hold(home), listening(host, port) as door:
        configure(home)
        office = Office.open(home, settings=settings)
        address = f"[{host}]" if ":" in host else host
        scheme = "http" if context is None else "https"
        url = f"{scheme}://{address}:{door.getsockname()[1]}"
        say(f"万米 {settings.name or settings.county}: {url}  (Ctrl-C 停止 / stops)")
        app = create_app(office)
        config = uvicorn.Config(
            app, loop="uvloop", http="httptools", access_log=False, log_config=None,
            timeout_graceful_shutdown=5, timeout_keep_alive=KEPT_SECONDS, server_header=False, date_header=False,
            ws="none",
        )  # fmt: skip
        if context is not None:
            config.load()
            config.ssl = context
        server = EndingServer(config)
        ending = server.handle_exit

        def handle_exit(number: int, frame: FrameType | None) -> None:
            app.state.node.watcher.end_streams()
            ending(number, frame)

        keeper = Keeper(home)
        keeper.start()
        following = None if context is None else Following(context, home, settings.node)
        if following is not None:
            following.start()
        server.handle_exit = handle_exit  # type: ignore[method-assign]  # streams must end before uvicorn waits for them
        try:
            server.run(sockets=[door])
        finally:
            keeper.close()
            if following is not None:
                following.close()


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to an address.

    Raises:
        Conflict: somebody listens there. Invalid: it is no address of this machine.
    """
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((host, port))
    except OSError as error:
        door.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"{host} 的端口 {port} 已被占用;请用 --port 换一个。",
                f"Port {port} of {host} is in use; choose another with --port.",
            ) from None
        raise Invalid(
            f"不能在 {host}:{port} 上监听: {error.strerror or error}。",
            f"Cannot listen on {host}:{port}: {error.strerror or error}.",
        ) from None
    return door


def _end(_number: int, _frame: object) -> None:
    """Ending on request is no failure; uvicorn raises the signal again when everything is closed."""
    raise SystemExit(0)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the node listens on.")
@click.option("--port", default=8411, show_default=True, type=click.IntRange(1, 65535), help="Port of the node.")
@home_option
def up(host: str, port: int, home: Path) -> None:
    """Run everything that belongs to a node in the foreground, and start again what dies.

    That is the node, the device agent and the scheduler (`wanmi jobs list`). Where systemd is at hand the units of the
    system install do the same.
    """
    from appliance.lan import protection
    from appliance.people.agent_key import ensure_agent_key
    from appliance.settings import load
    from server.supervisor import supervise

    is_protected = protection(home, load(home).node, host) is not None
    ensure_agent_key(home)
    code = supervise(home, host, port, is_protected)
    if code:
        raise SystemExit(code)
