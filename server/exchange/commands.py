"""`wanmi exchange`: the process of the exchange ports."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from appliance.options import home_option


@click.command()
@click.option("--with-node", is_flag=True, help="End when standard input does; `wanmi serve` starts it so.")
@click.option(
    "--carry-out",
    nargs=2,
    metavar="LINK CLIENT",
    help="Carry out the orders on standard input, for `wanmi link read`.",
)
@home_option
def exchange(with_node: bool, carry_out: tuple[str, str] | None, home: Path) -> None:
    """Open the exchange ports of all platforms to which this home is joined.

    `wanmi serve` and `wanmi up` do this by themselves; use it where the ports are to be a unit of their own. Joining
    and leaving are followed within a second. Ends after SIGTERM, when what is under way is answered.

    \b
    Example:
      wanmi exchange --home ./home
    """
    import uvloop

    from appliance.lock import hold
    from appliance.log import configure
    from server.exchange.carrying import carry_out_lines
    from server.exchange.running import run

    if carry_out is not None:
        configure(home, "exchange")
        uvloop.run(carry_out_lines(home, *carry_out, sys.stdin.buffer))
        return
    with hold(home, "exchange", "数据交换进程", "exchange"):
        configure(home, "exchange")
        uvloop.run(run(home, with_parent=with_node))
