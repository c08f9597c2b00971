"""`wanmi exchange`: the process of the exchange ports."""

from __future__ import annotations

from pathlib import Path

import click

from appliance.options import home_option


@click.command()
@click.option("--with-node", is_flag=True, help="End when standard input does; `wanmi serve` starts it so.")
@home_option
def exchange(with_node: bool, home: Path) -> None:
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
    from server.exchange.running import run

    with hold(home, "exchange", "数据交换进程", "exchange"):
        configure(home, "exchange")
        uvloop.run(run(home, with_parent=with_node))
