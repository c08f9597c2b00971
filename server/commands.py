"""`wanmi serve` and `wanmi up`."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.options import home_option, say


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
      wanmi serve --host 0.0.0.0 --port 8411
    """
    import uvicorn

    from appliance.cases.office import Office
    from server.app import create_app
    from server.lock import hold
    from server.log import configure

    configure(home)
    lock = hold(home)
    try:
        office = Office.open(home)
        say(f"万米 {office.settings.name or office.settings.county}: http://{host}:{port}  (Ctrl-C 停止 / stops)")
        config = uvicorn.Config(
            create_app(office), host=host, port=port, loop="uvloop", http="httptools", access_log=False,
            log_config=None,            timeout_graceful_shutdown=5, server_header=False, date_header=False, ws="none",
        )  # fmt: skip
        uvicorn.Server(config).run()
    finally:
        lock.close()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the node listens on.")
@click.option("--port", default=8411, show_default=True, type=click.IntRange(1, 65535), help="Port of the node.")
@home_option
def up(host: str, port: int, home: Path) -> None:
    """Run everything that belongs to a node in the foreground, and start again what dies.

    Where systemd is at hand the units of the system install do the same.
    """
    from server.supervisor import supervise

    supervise(home, host, port)
